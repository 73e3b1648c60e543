package projections

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"rentbook/projections/database"
)

// twin is the views built once more from the log, in a database of their own that Verify compares
// the live one with and throws away.
type twin struct {
	lock     database.Lock
	db       database.Database
	appliers []*applier
}

// newTwin makes the database, and clears up after a Verify that was killed.
func (v *Views) newTwin(ctx context.Context) (_ *twin, err error) {
	lock, err := v.db.Lock("views.verify.lock")
	if err != nil {
		return nil, err
	}
	if err := v.mustHold(ctx, lock, "the views are being verified already: wait for that to end"); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	t := &twin{lock: lock, appliers: appliers(v.views())}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	db, err := v.db.Scratch(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	t.db = db
	return t, db.Write(ctx, func(tx database.Tx) error {
		if err := migrate(tx); err != nil {
			return err
		}
		for _, a := range t.appliers {
			if err := create(tx, a); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *twin) close() error {
	var err error
	if t.db != nil {
		err = t.db.Close()
	}
	return errors.Join(err, t.lock.Close())
}

// add gives the twin what every view gets. All events of the batch can be read.
func (t *twin) add(ctx context.Context, b batch) error {
	return t.db.Write(ctx, func(tx database.Tx) error {
		for _, a := range t.appliers {
			if err := a.Apply(tx, b.events); err != nil {
				return fmt.Errorf("verify: build view %s after %d: %w", a.Name(), b.after, err)
			}
		}
		return nil
	})
}

// compare holds the live tables against the twin's, row by row.
func (t *twin) compare(r *Reader) error {
	return t.db.Read(r.ctx, func(tx database.Snapshot) error {
		for _, table := range contents() {
			if err := table.compare(r.ctx, tx, r.tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// content is what a table says, with words for the numbers of dictionaries: those need not be the
// same in tables that were filled in other batches.
type content struct {
	view, table string
	key         string // columns that tell rows apart and may be shown: nothing personal
	others      string // the other columns
	from        string // the table and its dictionaries, and how they are joined
	order       string // an index has the rows in this order, so that no table is sorted
}

// plain is the content of a table without numbers of dictionaries, by its primary key.
func plain(view, table, key, others string) content {
	return content{view, table, key, others, "{" + table + "}", key}
}

// contents are all tables of all views. CROSS JOIN keeps the order of the tables: dictionaries are
// gone through by their words, and the rows of each word by their key.
func contents() []content {
	return []content{
		plain("tenancies", "properties", "property", "kind, parent, address, postcode, locality, version"),
		plain("tenancies", "tenancies", "tenancy", "property, kind, starts_on, ends_on, currency, version"),
		plain("tenancies", "tenants", "tenancy, person",
			"name, date_of_birth, email, phone, liable_from, liable_to, version"),
		plain("tenancies", "calendars", "calendar", "version"),
		plain("tenancies", "calendar_dates", "calendar, date", ""),
		plain("tenancies", "terms", "account, term", `code, description, amount, currency, period, charge_day, anchored_on,
			due, proration, starts_on, ends_on, benefit_eligible, fund, rent_free_calendar, version`),
		plain("tenancies", "charge_runs", "run", "through, started, finished"),
		plain("accounts", "accounts", "account", "currency, starts_on, ends_on, balance, version"),
		plain("statement", "entry_accounts", "account", ""),
		{
			"statement", "entry_words", "kind, code", "description, fund", "{entry_words}",
			"kind, code, description, fund",
		},
		{
			"statement", "entries", "a.account, e.value_date, e.position, e.line",
			`e.entry, e.net, e.recorded_at, e.event, e.description, e.corrects, w.kind, w.code, w.description, w.fund`,
			`{entry_accounts} a CROSS JOIN {entries} e CROSS JOIN {entry_words} w
				WHERE e.account = a.number AND w.number = e.words`,
			"a.account, e.value_date, e.position, e.line",
		},
		{
			"statement", "reversals", "a.account, v.payment", "v.reversal, v.position",
			`{entry_accounts} a CROSS JOIN {reversals} v WHERE v.account = a.number`, "a.account, v.payment",
		},
		{
			"statement", "account_sums", "a.account, s.width, s.starts_on", "s.net, s.first_position, s.last_position",
			`{entry_accounts} a CROSS JOIN {account_sums} s WHERE s.account = a.number`, "a.account, s.width, s.starts_on",
		},
		plain("explanations", "explanation_rules", ruleColumns, ""),
		{
			"explanations", "explanations", "x.position, x.part", "x.period_from, x.covered_from, " + ruleColumns,
			`{explanations} x CROSS JOIN {explanation_rules} r WHERE r.number = x.rule`, "x.position, x.part",
		},
		plain("contractors", "contractors", "contractor", "name, trades, areas, capacity, retired, email, phone, version"),
		plain("contractors", "contractor_trades", "contractor, trade", ""),
		plain("contractors", "contractor_prices", "contractor, contract", "starts_on, ends_on, currency, prices, version"),
		plain("contractors", "contractor_availability", "contractor", "availability, version"),
		plain("repairs", "repairs", "repair", "description, availability, contact, "+foundBy),
		plain("repairs", "repair_timeline", "repair, position", timelineOthers+", into_repair"),
		plain("repairs", "repair_photos", "photo, repair", ""),
		plain("repairs", "repair_visits", "repair, number",
			"visit, contractor, day, starts_at, ends_at, slot, status, reminded"),
		plain("hazards", "hazards", "hazard", "description, "+hazardFoundBy),
		plain("hazards", "hazard_timeline", "hazard, position", timelineOthers+", repair"),
		plain("hazards", "hazard_repairs", "hazard, repair", ""),
		plain("hazards", "hazard_photos", "photo, hazard", ""),
		plain("audit", "audit_streams", "stream", ""),
		plain("audit", "audit_types", "type", ""),
		{"audit", "audit_actors", "", "actor, role, on_behalf_of", "{audit_actors}", "actor, role, on_behalf_of"},
		{
			"audit", "audit_events", "e.position",
			"e.recorded_at, s.stream, t.type, a.actor, a.role, a.on_behalf_of",
			`{audit_events} e CROSS JOIN {audit_streams} s CROSS JOIN {audit_types} t CROSS JOIN {audit_actors} a
				WHERE s.number = e.stream AND t.number = e.type AND a.number = e.actor`,
			"e.position",
		},
		plain("audit", "audit_marks", "position", "latest"),
	}
}

const ruleColumns = `term, term_version, calendar, calendar_version, days_covered, days_in_period,
	basis, rounding, currency, amount_before, period_amount, amount_after`

// columns are the names of all columns, those of the key first.
func (c content) columns() []string {
	return strings.FieldsFunc(c.key+","+c.others, func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
}

// keys is how many of the columns are the key.
func (c content) keys() int { return len(content{key: c.key}.columns()) }

func (c content) query() string {
	return "SELECT " + strings.Join(c.columns(), ", ") + " FROM " + c.from + " ORDER BY " + c.order
}

// compare finds the first row that differs.
func (c content) compare(ctx context.Context, want, got database.Snapshot) error {
	next, stop := iter.Pull2(c.rows(want))
	defer stop()
	for there, err := range c.rows(got) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		wanted, err, more := next()
		switch {
		case err != nil:
			return err
		case !more:
			return c.differs("the row of %s is not what the log gives", c.shown(there))
		case slices.Equal(wanted, there):
		case c.shown(wanted) == c.shown(there):
			return c.differs("the row of %s reads otherwise than the log gives", c.shown(there))
		default:
			return c.differs("where the log gives the row of %s there is that of %s", c.shown(wanted), c.shown(there))
		}
	}
	wanted, err, more := next()
	if err != nil || !more {
		return err
	}
	return c.differs("the row of %s, which the log gives, is not there", c.shown(wanted))
}

func (c content) differs(format string, args ...any) error {
	return differs("view %s, table %s: %s", c.view, c.table, fmt.Sprintf(format, args...))
}

// cell is what a row has in a column.
type cell struct {
	text string
	null bool
}

// rows reads the table while it is iterated.
func (c content) rows(tx database.Snapshot) iter.Seq2[[]cell, error] {
	return func(yield func([]cell, error) bool) {
		cells := make([]cell, len(c.columns()))
		err := tx.Query(c.query(), func(row database.Row) error {
			for i := range cells {
				cells[i] = cell{row.Text(i), row.Null(i)}
			}
			if !yield(cells, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, fmt.Errorf("verify table %s: %w", c.table, err))
		}
	}
}

// shown is the key of a row, to be read.
func (c content) shown(cells []cell) string {
	var words []string
	for _, k := range cells[:c.keys()] {
		words = append(words, k.text)
	}
	if words == nil {
		return "somebody"
	}
	return strings.Join(words, ", ")
}
