package projections

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rentbook/domain/repair"
	"rentbook/projections/database"
)

// RepairFilter says which repairs to list. What is empty asks for nothing, but see Tenancies.
type RepairFilter struct {
	// Repairs of one of these tenancies, or communal ones at one of these properties. Unless both are
	// nil nothing else is listed: two empty lists, not nil, list nothing.
	Tenancies, CommunalAt []string

	Contractor         string
	Block              string // a property that somebody described, and all below it
	State, Class, When string
	Priority, Trade    string
	Communal           *bool
	HideMerged         bool      // duplicates
	Now                time.Time // for When
	After              string    // the next of the page before; empty for the first
	Most               int       // 100 if none is given
}

// What RepairFilter.When can be.
const (
	WhenNew      = "new"      // nobody has accepted it yet
	WhenUpcoming = "upcoming" // a visit is booked that is not over; the next visit first
	WhenOverdue  = "overdue"  // open, its completion clock run out; the most overdue first
	WhenOpen     = "open"
	WhenPast     = "past" // resolved, or ended without
)

// Whens lists them.
func Whens() []string {
	return []string{WhenNew, WhenUpcoming, WhenOverdue, WhenOpen, WhenPast}
}

// ErrFilter is a list that there is not.
var ErrFilter = errors.New("there is no such list")

// mostDefault is the length of a page.
const mostDefault = 100

// Repairs is one page of a list: the repair that was reported last comes first, unless When says
// otherwise. next is empty on the last page. What the repairs point to is shared with other lists:
// nobody may change it.
func (r *Reader) Repairs(f RepairFilter) (found []Repair, next string, err error) {
	q, err := f.query(repairColumns)
	if err != nil {
		return nil, "", err
	}
	rows, err := all(r, func(row database.Row) repairListed {
		return repairListed{repairAt(row), row.Time(repairKey).UnixMicro()}
	}, q.sql, q.args...)
	if err != nil {
		return nil, "", err
	}
	if len(rows) > q.most {
		last := rows[q.most-1]
		rows, next = rows[:q.most], q.order.cursor(last.key, last.ID)
	}
	found = make([]Repair, len(rows))
	for i := range rows {
		found[i] = rows[i].Repair
		if found[i].Repair, err = r.views.repairs.read(rows[i].snapshot); err != nil {
			return nil, "", err
		}
	}
	return found, next, nil
}

// repairKey is the column after repairColumns: what the list is ordered by.
const repairKey = 7

type repairListed struct {
	repairFound

	key int64
}

// order is what a list goes by, and from where on.
type order struct {
	name, column, id string
	rising           bool
}

// cursor is where a page ended: "reported.1700000000000000.R1".
func (o order) cursor(key int64, id string) string {
	return o.name + "." + strconv.FormatInt(key, 10) + "." + id
}

// after is a condition for what comes after a cursor.
func (o order) after(c *conditions, cursor string) error {
	if cursor == "" {
		return nil
	}
	name, rest, _ := strings.Cut(cursor, ".")
	micros, id, cut := strings.Cut(rest, ".")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || !cut || name != o.name {
		return ErrCursor
	}
	sign := "<"
	if o.rising {
		sign = ">"
	}
	c.and(`(`+o.column+`, `+o.id+`) `+sign+` (#, #)`, database.Time(time.UnixMicro(n)), database.Text(id))
	return nil
}

func (o order) sql() string {
	way := " DESC"
	if o.rising {
		way = ""
	}
	return ` ORDER BY ` + o.column + way + `, ` + o.id + way
}

// listQuery is a list, ready to be asked for.
type listQuery struct {
	sql   string
	args  []database.Value
	order order
	most  int
}

// list finds the keys of a page and then its rows: what is sorted meanwhile is not the rows, which
// are large. Where a place or a tenancy says what there is, that is found first: it may be far down the
// list.
func (q *listQuery) list(table, columns string, c *conditions, after string) error {
	if q.most <= 0 {
		q.most = mostDefault
	}
	if err := q.order.after(c, after); err != nil {
		return err
	}
	c.args = append(c.args, database.Int(q.most+1))
	q.args = c.args
	keys := `SELECT ` + q.order.id + ` AS id, ` + q.order.column + ` AS sorts FROM ` + c.from + `{` + table + `} WHERE TRUE` + c.sql.String()
	page := keys + q.order.sql()
	way := order{column: "sorts", id: "id", rising: q.order.rising}.sql()
	if c.from != "" {
		c.with += `, found AS MATERIALIZED (` + keys + `) ` //nolint:misspell // SQL spells it so
		page = `SELECT id, sorts FROM found` + way
	}
	q.sql = c.with + `SELECT ` + columns + `, sorts FROM (` + page + ` LIMIT $` + strconv.Itoa(len(c.args)) + `) AS page
		JOIN {` + table + `} ON ` + q.order.id + ` = id` + way
	return nil
}

func (f RepairFilter) query(columns string) (listQuery, error) {
	c := &conditions{}
	q := listQuery{order: order{"reported", "reported_at", "repair", false}, most: f.Most}
	if err := f.when(c, &q.order); err != nil {
		return q, err
	}
	f.whose(c)
	f.which(c)
	return q, q.list("repairs", columns, c, f.After)
}

// isOpen and its like are what partial indexes say, word for word: databases prove nothing else.
const (
	isOpen     = `class = 'open'`
	isResolved = `class = 'resolved'`
	isEnded    = `class <> 'open'`
)

func (f RepairFilter) when(c *conditions, o *order) error {
	switch f.When {
	case "":
	case WhenNew:
		c.and(isOpen + ` AND state IN ('reported', 'triaged', 'awaiting_approval', 'raised')`)
	case WhenOpen:
		c.and(isOpen)
	case WhenPast:
		c.and(isEnded)
	case WhenOverdue:
		*o = order{"due", "due_at", "repair", true}
		c.and(isOpen+` AND met_at IS NULL AND due_at < #`, database.Time(f.Now))
	case WhenUpcoming:
		*o = order{"visit", "next_visit_from", "repair", true}
		c.and(`next_visit_from IS NOT NULL AND next_visit_to > #`, database.Time(f.Now))
	default:
		return fmt.Errorf("%q is none of %s: %w", f.When, strings.Join(Whens(), ", "), ErrFilter)
	}
	switch f.Class {
	case "":
	case string(repair.Open):
		c.and(isOpen)
	case string(repair.Resolved):
		c.and(isResolved)
	default:
		c.and(isEnded+` AND class = #`, database.Text(f.Class))
	}
	return nil
}

// whose is the part that keeps people to what is theirs.
func (f RepairFilter) whose(c *conditions) {
	switch {
	case f.Tenancies == nil && f.CommunalAt == nil:
	case len(f.CommunalAt) == 0:
		c.in(`tenancy`, f.Tenancies)
	case len(f.Tenancies) == 0:
		c.and(`communal`)
		c.in(`property`, f.CommunalAt)
	default: // two parts, each by its own index: an OR in one condition has none
		c.from = `mine CROSS JOIN `
		part := conditions{args: c.args}
		part.in(`tenancy`, f.Tenancies)
		part.sql.WriteString(` UNION SELECT repair FROM {repairs} WHERE communal`)
		part.in(`property`, f.CommunalAt)
		c.args = part.args
		c.with = `WITH mine (own) AS (SELECT repair FROM {repairs} WHERE TRUE` + part.sql.String() + `) `
		c.and(`repair = own`)
	}
	if f.Contractor != "" {
		c.and(`contractor = #`, database.Text(f.Contractor))
	}
	c.below(f.Block)
}

// below keeps to the places in a property. SQLite goes through what CROSS JOIN has first, which is
// little where it can be, and asks for the rest by an index.
func (c *conditions) below(block string) {
	if block == "" {
		return
	}
	if c.from != "" {
		c.and(`property IN (`+placesIn+` SELECT place FROM below)`, database.Text(block), database.Int(depthMax))
		return
	}
	n := len(c.args)
	c.args = append(c.args, database.Text(block), database.Int(depthMax))
	c.with = strings.Replace(strings.Replace(placesIn, "#", "$"+strconv.Itoa(n+1), 1), "#", "$"+strconv.Itoa(n+2), 1)
	c.from = `below CROSS JOIN `
	c.and(`property = place`)
}

const placesIn = `WITH RECURSIVE below (place, depth) AS (
	SELECT property, CAST(0 AS BIGINT) FROM {properties} WHERE property = #
	UNION SELECT p.property, b.depth + 1 FROM below b JOIN {properties} p ON p.parent = b.place WHERE b.depth < #) `

func (f RepairFilter) which(c *conditions) {
	for _, by := range []struct{ column, value string }{{"state", f.State}, {"priority", f.Priority}, {"trade", f.Trade}} {
		if by.value != "" {
			c.and(by.column+` = #`, database.Text(by.value))
		}
	}
	if f.Communal != nil && *f.Communal {
		c.and(`communal`)
	}
	if f.Communal != nil && !*f.Communal {
		c.and(`NOT communal`)
	}
	if f.HideMerged {
		c.and(`into_repair IS NULL`)
	}
}

// in wants a column to be one of some texts; of none, it never is.
func (c *conditions) in(column string, values []string) {
	if len(values) == 0 {
		c.and(`FALSE`)
		return
	}
	args := make([]database.Value, len(values))
	for i, value := range values {
		args[i] = database.Text(value)
	}
	c.and(column+` IN (`+strings.TrimSuffix(strings.Repeat("#, ", len(values)), ", ")+`)`, args...)
}
