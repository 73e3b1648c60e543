package projections

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rentbook/eventstore"
	"rentbook/projections/database"
)

// auditView is the index of the log: of each event where it stands, its stream, type, actor and
// time. It reads no facts, so nothing can stop it.
//
// Recorded times need not rise on a log of several machines. A mark every marksEvery events keeps
// the latest time up to it, which does rise, so that the events recorded by a given time are found
// without an index on time.
type auditView struct {
	streams dictionary[string]
	types   dictionary[string]
	actors  dictionary[eventstore.Actor]

	since  int       // events since the last mark
	latest time.Time // the latest recorded time so far
	read   bool      // since and latest are known
}

const marksEvery = 256

func newAuditView() *auditView {
	return &auditView{
		streams: names("audit_streams", "stream"),
		types:   names("audit_types", "type"),
		actors: dictionary[eventstore.Actor]{
			last: `SELECT coalesce(max(number), 0) FROM {audit_actors}`,
			find: `SELECT number FROM {audit_actors} WHERE actor = $1 AND role = $2 AND on_behalf_of = $3`,
			into: `{audit_actors} (number, actor, role, on_behalf_of)`,
			values: func(a eventstore.Actor) []database.Value {
				return []database.Value{database.Text(a.ID), database.Text(a.Role), database.Text(a.OnBehalfOf)}
			},
		},
	}
}

// names is a dictionary of one column.
func names(table, column string) dictionary[string] {
	return dictionary[string]{
		last:   `SELECT coalesce(max(number), 0) FROM {` + table + `}`,
		find:   `SELECT number FROM {` + table + `} WHERE ` + column + ` = $1`,
		into:   `{` + table + `} (number, ` + column + `)`,
		values: func(name string) []database.Value { return []database.Value{database.Text(name)} },
	}
}

func (*auditView) Name() string { return "audit" }

func (*auditView) Tables() []string {
	return []string{"audit_events", "audit_marks", "audit_streams", "audit_types", "audit_actors"}
}

func (*auditView) Schema() []string {
	return []string{
		`CREATE TABLE {audit_streams} (number BIGINT PRIMARY KEY, stream TEXT NOT NULL UNIQUE)`,
		`CREATE TABLE {audit_types} (number BIGINT PRIMARY KEY, type TEXT NOT NULL UNIQUE)`,
		`CREATE TABLE {audit_actors} (
	number       BIGINT PRIMARY KEY,
	actor        TEXT   NOT NULL,
	role         TEXT   NOT NULL,
	on_behalf_of TEXT   NOT NULL,
	UNIQUE (actor, role, on_behalf_of)
)`,
		`CREATE TABLE {audit_events} (
	position    BIGINT      PRIMARY KEY,
	stream      BIGINT      NOT NULL,
	type        BIGINT      NOT NULL,
	actor       BIGINT      NOT NULL,
	recorded_at TIMESTAMPTZ NOT NULL
)`,
		`CREATE INDEX {audit_events_by_stream} ON {audit_events} (stream)`,
		`CREATE TABLE {audit_marks} (
	position BIGINT      PRIMARY KEY,
	latest   TIMESTAMPTZ NOT NULL -- recorded_at of the latest up to the position
)`,
		`CREATE INDEX {audit_marks_by_latest} ON {audit_marks} (latest)`,
	}
}

func (*auditView) Publications() []Publication {
	return []Publication{{"events", `SELECT e.position, s.stream, t.type, e.recorded_at, a.actor, a.role, a.on_behalf_of
		FROM {audit_events} e JOIN {audit_streams} s ON s.number = e.stream JOIN {audit_types} t ON t.number = e.type
		JOIN {audit_actors} a ON a.number = e.actor`}}
}

func (*auditView) Wants(string) bool { return false }

func (v *auditView) Forget() {
	v.streams.forget()
	v.types.forget()
	v.actors.forget()
	v.read = false
}

type auditRow struct {
	position, stream, kind, actor int64
	at                            time.Time
}

// Apply writes the rows in the order of the log, which is that of their key.
func (v *auditView) Apply(tx database.Tx, events []Event) error {
	if err := v.resume(tx); err != nil {
		return err
	}
	if err := v.learn(tx, events); err != nil {
		return err
	}
	rows := make([]auditRow, len(events))
	for i := range events {
		rows[i] = v.row(&events[i])
	}
	for _, r := range rows {
		if err := v.mark(tx, r); err != nil {
			return err
		}
	}
	var values [5]database.Value
	return tx.Insert(`{audit_events} (position, stream, type, actor, recorded_at)`, len(rows), func(i int) []database.Value {
		r := &rows[i]
		values = [5]database.Value{
			database.Int(r.position), database.Int(r.stream), database.Int(r.kind), database.Int(r.actor), database.Time(r.at),
		}
		return values[:]
	})
}

func (v *auditView) learn(tx database.Tx, events []Event) error {
	streams, types, actors := make([]string, len(events)), make([]string, len(events)), make([]eventstore.Actor, len(events))
	for i := range events {
		e := &events[i]
		streams[i], types[i], actors[i] = string(e.Stream), e.Type, e.Metadata.Actor
	}
	return errors.Join(v.streams.learn(tx, streams), v.types.learn(tx, types), v.actors.learn(tx, actors))
}

func (v *auditView) row(e *Event) auditRow {
	return auditRow{
		number(e.Position), v.streams.known[string(e.Stream)], v.types.known[e.Type], v.actors.known[e.Metadata.Actor],
		e.At.Truncate(time.Microsecond),
	}
}

// resume finds out where the marks are.
func (v *auditView) resume(tx database.Tx) error {
	if v.read {
		return nil
	}
	var marked int64
	v.since, v.latest = 0, time.Time{}
	err := tx.Query(`SELECT position, latest FROM {audit_marks} ORDER BY position DESC LIMIT 1`,
		func(r database.Row) error {
			marked, v.latest = r.Int(0), r.Time(1)
			return nil
		})
	if err != nil {
		return err
	}
	v.read = true
	return tx.Query(`SELECT count(*), max(recorded_at) FROM {audit_events} WHERE position > $1`,
		func(r database.Row) error {
			v.since = int(r.Int(0))
			if v.since > 0 {
				v.latest = later(v.latest, r.Time(1))
			}
			return nil
		}, database.Int(marked))
}

func (v *auditView) mark(tx database.Tx, r auditRow) error {
	v.since++
	v.latest = later(v.latest, r.at)
	if v.since < marksEvery {
		return nil
	}
	v.since = 0
	return tx.Exec(`INSERT INTO {audit_marks} (position, latest) VALUES ($1, $2)`, database.Int(r.position), database.Time(v.latest))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// AtTime is the end of the longest prefix of the log that was wholly recorded by t.
func (r *Reader) AtTime(t time.Time) (KnownAt, error) {
	by := database.Time(t)
	mark, err := one(r, func(row database.Row) int64 { return row.Int(0) },
		`SELECT position FROM {audit_marks} WHERE latest <= $1 ORDER BY latest DESC, position DESC LIMIT 1`, by)
	if err != nil && !isNotFound(err) {
		return KnownAt{}, err
	}
	last, err := r.at(min(mark, r.seen))
	if err != nil {
		return KnownAt{}, err
	}
	err = r.tx.Query(`SELECT position, recorded_at FROM {audit_events}
		WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3`,
		func(row database.Row) error {
			if row.Time(1).After(t) {
				return errEnough
			}
			last = knownAt(row)
			return nil
		}, database.Int(mark), r.nowValue(), database.Int(2*marksEvery))
	if err != nil && !errors.Is(err, errEnough) {
		return KnownAt{}, fmt.Errorf("read the audit index: %w", err)
	}
	return last, nil
}

// EventQuery asks for events by the audit index.
type EventQuery struct {
	After    eventstore.Position
	Stream   string // a whole stream; ending in "-", all of a category
	Type     string
	Actor    string    // the actor's id
	From, To time.Time // recorded at or after From and before To; zero is no bound
	Limit    int
}

// Events lists the positions of events, in the order of the log.
func (r *Reader) Events(q EventQuery) ([]eventstore.Position, error) {
	c := conditions{args: []database.Value{database.Int(number(q.After)), r.nowValue(), database.Int(q.Limit)}}
	switch category, whole := strings.CutSuffix(q.Stream, "-"); {
	case whole: // "." is the character after the dash
		c.and(`stream IN (SELECT number FROM {audit_streams} WHERE stream >= # AND stream < #)`,
			database.Text(q.Stream), database.Text(category+"."))
	case q.Stream != "":
		c.and(`stream = (SELECT number FROM {audit_streams} WHERE stream = #)`, database.Text(q.Stream))
	}
	if q.Type != "" {
		c.and(`type = (SELECT number FROM {audit_types} WHERE type = #)`, database.Text(q.Type))
	}
	if q.Actor != "" {
		c.and(`actor IN (SELECT number FROM {audit_actors} WHERE actor = #)`, database.Text(q.Actor))
	}
	if !q.From.IsZero() {
		c.and(`recorded_at >= #`, database.Time(q.From))
	}
	if !q.To.IsZero() {
		c.and(`recorded_at < #`, database.Time(q.To))
	}
	return all(r, func(row database.Row) eventstore.Position { return position(row.Int(0)) },
		`SELECT position FROM {audit_events} WHERE position > $1 AND position <= $2`+c.sql.String()+
			` ORDER BY position LIMIT $3`, c.args...)
}

// conditions are those of a query that are given.
type conditions struct {
	sql  strings.Builder
	args []database.Value

	with, from string // what else is read, and before the table
}

// and adds a condition; each # in it is the next argument.
func (c *conditions) and(condition string, args ...database.Value) {
	c.sql.WriteString(" AND ")
	for _, arg := range args {
		c.args = append(c.args, arg)
		condition = strings.Replace(condition, "#", "$"+strconv.Itoa(len(c.args)), 1)
	}
	c.sql.WriteString(condition)
}
