package projections

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"rentbook/domain"
	"rentbook/projections/database"
)

// View is one view: tables of its own, and what events put into them. A View value belongs to one
// feed of events, and may remember what it wrote until it is told to forget.
type View interface {
	// Name is the key of the view's checkpoint.
	Name() string

	// Tables lists the names of the tables that Schema makes.
	Tables() []string

	// Schema makes the tables and their indexes, one statement each.
	Schema() []string

	// Publications are what the view offers to other programs that read the database, from its own
	// tables alone. Personal data is not among it.
	Publications() []Publication

	// Wants says whether the view must be able to read the events of a type. It gets the others
	// too, since its checkpoint moves over all.
	Wants(eventType string) bool

	// Apply writes what the events, in the order of the log, put into the tables. It must not
	// refuse a fact; an error is one of the database.
	Apply(tx database.Tx, events []Event) error

	// Forget drops what was remembered: what was written has been undone, or the tables are others.
	Forget()
}

// Publication is a query whose answer other programs may read under a name, in plain words and types
// (docs/views.md). It is in PostgreSQL's SQL: SQLite publishes nothing.
type Publication struct{ Name, Query string }

// shape names what the tables of a view look like.
func shape(v View) string { return fingerprint(v.Schema()...) }

// tablesValue lists the names of a view's tables.
func tablesValue(v View) database.Value { return database.Text(strings.Join(v.Tables(), " ")) }

// published names what a view offers.
func published(v View) string {
	var all []string
	for _, r := range v.Publications() {
		all = append(all, r.Name, r.Query)
	}
	return fingerprint(all...)
}

func fingerprint(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// publish offers the publications of a view's live tables.
func publish(tx database.Tx, v View) error {
	for _, r := range v.Publications() {
		if err := tx.Publish(r.Name, r.Query); err != nil {
			return fmt.Errorf("publish %s: %w", r.Name, err)
		}
	}
	return tx.Exec(`UPDATE checkpoints SET published = $2 WHERE view = $1`, database.Text(v.Name()), database.Text(published(v)))
}

// newViews are fresh views, in the order in which they are shown.
func newViews() []View {
	return []View{
		newTenancyView(), newAccountView(), newStatementView(), newExplanationView(), newContractorView(),
		newRepairView(), newHazardView(), newAuditView(),
	}
}

// Names lists all views.
func Names() []string {
	var names []string
	for _, v := range newViews() {
		names = append(names, v.Name())
	}
	return names
}

// Columns that several views share.

func dateValue(d domain.Date) database.Value { return database.Date(d.String()) }

// dateAt reads what dateValue wrote. What is in a table was a date once.
func dateAt(r database.Row, column int) domain.Date {
	d, _ := domain.ParseDate(r.Date(column))
	return d
}

// personalValue is NULL for what has been erased, so that text and its absence stay what they are.
func personalValue(p domain.Personal) database.Value {
	if p.Erased {
		return database.Null()
	}
	return database.Text(p.Text)
}

func personalAt(r database.Row, column int) domain.Personal {
	return domain.Personal{Text: r.Text(column), Erased: r.Null(column)}
}

func version(r database.Row, column int) uint64 {
	return uint64(r.Int(column)) //nolint:gosec // versions fit 63 bits
}
