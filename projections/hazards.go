package projections

import (
	"errors"
	"time"

	"rentbook/domain"
	"rentbook/domain/hazard"
	"rentbook/projections/database"
)

// hazardView has one row for each hazard, one for each of its facts, and the repairs that are meant
// to deal with it. It keeps the domain's fold as the view of repairs does.
type hazardView struct {
	folds map[string]*hazard.Hazard
	zones zones
}

func newHazardView() *hazardView { return &hazardView{} }

func (*hazardView) Name() string { return "hazards" }

func (*hazardView) Tables() []string {
	return []string{"hazards", "hazard_timeline", "hazard_repairs", "hazard_photos"}
}

func (*hazardView) Schema() []string {
	return []string{
		`CREATE TABLE {hazards} (
	hazard      TEXT    NOT NULL PRIMARY KEY,
	property    TEXT    NOT NULL,
	tenancy     TEXT, -- NULL: in the shared parts
	kind        TEXT    NOT NULL,
	grade       TEXT    NOT NULL,
	state       TEXT    NOT NULL,
	class       TEXT    NOT NULL, -- open, closed
	safe        BOOLEAN NOT NULL,
	aware_at    TIMESTAMPTZ NOT NULL,
	next_clock  TEXT, -- of those not met the one that is due first
	next_due_at TIMESTAMPTZ,
	board_at    TIMESTAMPTZ NOT NULL, -- next_due_at, or the end of time
	closed_at   TIMESTAMPTZ,
	description TEXT, -- personal; NULL once erased, empty where it was never given
	snapshot    TEXT    NOT NULL, -- JSON of the domain's state; nothing personal
	version     BIGINT  NOT NULL, -- of the last event
	position    BIGINT  NOT NULL, -- of the last event
	last_at     TIMESTAMPTZ NOT NULL -- of the last move
) CHANGING`,
		`CREATE INDEX {hazards_by_awareness} ON {hazards} (aware_at, hazard)`,
		`CREATE INDEX {hazards_board} ON {hazards} (board_at, hazard) WHERE class = 'open'`,
		`CREATE INDEX {hazards_board_by_grade} ON {hazards} (grade, board_at, hazard) WHERE class = 'open'`,
		`CREATE INDEX {hazards_by_state} ON {hazards} (state, aware_at, hazard)`,
		`CREATE INDEX {hazards_by_tenancy} ON {hazards} (tenancy, aware_at, hazard)`,
		`CREATE INDEX {hazards_by_property} ON {hazards} (property, aware_at, hazard)`,
		timelineSchema("hazard_timeline", "hazard", `,
	repair      TEXT, -- that was linked`),
		`CREATE TABLE {hazard_repairs} (hazard TEXT NOT NULL, repair TEXT NOT NULL, PRIMARY KEY (hazard, repair))`,
		`CREATE INDEX {hazard_repairs_by_repair} ON {hazard_repairs} (repair)`,
		`CREATE TABLE {hazard_photos} (photo TEXT NOT NULL, hazard TEXT NOT NULL, PRIMARY KEY (photo, hazard))`,
	}
}

func (*hazardView) Publications() []Publication {
	return []Publication{
		{"hazards", `SELECT hazard, property, tenancy, kind, grade, state, class, safe, aware_at, next_clock, next_due_at, closed_at
			FROM {hazards}`},
		{"hazard_repairs", `SELECT hazard, repair FROM {hazard_repairs}`},
	}
}

func (*hazardView) Wants(eventType string) bool { return wantsPrefix(eventType, "hazard.") }

func (v *hazardView) Forget() { v.folds, v.zones = nil, nil }

// hazardChange is what a batch does to a hazard.
type hazardChange struct {
	*hazard.Hazard

	id                string
	position, version int64
	description       domain.Personal
}

// hazardBatch is what some events do to the tables.
type hazardBatch struct {
	changes map[string]*hazardChange
	order   []*hazardChange
	lines   []*timelineRow
}

// Apply folds the events of a batch and writes each hazard once.
func (v *hazardView) Apply(tx database.Tx, events []Event) error {
	b, err := v.load(tx, events)
	if err != nil {
		return err
	}
	for i := range events {
		fact, ok := events[i].Fact.(hazard.Event)
		if !ok {
			continue
		}
		if err := v.add(tx, b, &events[i], fact); err != nil {
			return err
		}
	}
	if len(b.order) == 0 {
		return nil
	}
	return errors.Join(v.writeHazards(tx, b), writeLines(tx, `{hazard_timeline} (hazard, `+timelineColumns+`, repair)`, b.lines))
}

// load finds out how the hazards of a batch stand before it.
func (v *hazardView) load(tx database.Tx, events []Event) (*hazardBatch, error) {
	b := &hazardBatch{changes: map[string]*hazardChange{}}
	for i := range events {
		id := events[i].Stream.ID()
		if _, ok := events[i].Fact.(hazard.Event); ok && b.changes[id] == nil {
			b.changes[id] = &hazardChange{id: id}
			b.order = append(b.order, b.changes[id])
		}
	}
	if v.folds == nil || len(v.folds)+len(b.order) > foldsMax {
		v.folds = make(map[string]*hazard.Hazard, len(b.order))
	}
	var unknown []*hazardChange
	for _, c := range b.order {
		if c.Hazard = v.folds[c.id]; c.Hazard == nil {
			c.Hazard = &hazard.Hazard{}
			v.folds[c.id] = c.Hazard
			unknown = append(unknown, c)
		}
	}
	args := func(i int) []database.Value { return []database.Value{database.Text(unknown[i].id)} }
	err := tx.QueryEach(`SELECT snapshot FROM {hazards} WHERE hazard = $1`, len(unknown), args,
		func(i int, row database.Row) error { return readSnapshot(row.Text(0), unknown[i].Hazard) })
	return b, err
}

// add carries out one fact.
func (v *hazardView) add(tx database.Tx, b *hazardBatch, e *Event, fact hazard.Event) error {
	c := b.changes[e.Stream.ID()]
	before := *c.Hazard
	*c.Hazard = before.Apply(fact)
	c.version, c.position = int64(e.Version), number(e.Position) //nolint:gosec // versions fit 63 bits
	line := &timelineRow{of: c.id, event: e, role: e.Metadata.Actor.Role, state: string(c.State), class: hazardClass(*c.Hazard)}
	var linked error
	switch f := fact.(type) {
	case hazard.Recognised:
		c.description, line.into = f.Description, f.Repair
		linked = linkRepair(tx, c.id, f.Repair)
	case hazard.RepairLinked:
		line.into = f.Repair
		linked = linkRepair(tx, c.id, f.Repair)
	case hazard.RepairUnlinked:
		linked = tx.Exec(`DELETE FROM {hazard_repairs} WHERE hazard = $1 AND repair = $2`, database.Text(c.id), database.Text(f.Repair))
	}
	if linked != nil {
		return linked
	}
	changes := clockEffects(before.Clocks, c.Clocks, false, false)
	where := place{v.zones.of(c.Clocks)}
	line.told = tellHazard(fact, e.Metadata.Actor.Role)
	if line.told.at.IsZero() {
		line.told.at = c.LastAt
	}
	line.told.text += where.clocks(changes, "")
	b.lines = append(b.lines, line)
	for _, photo := range line.told.photos {
		err := tx.Exec(`INSERT INTO {hazard_photos} (photo, hazard) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
			database.Text(photo), database.Text(c.id))
		if err != nil {
			return err
		}
	}
	return line.add(changes)
}

func linkRepair(tx database.Tx, id string, linked domain.ID) error {
	if linked == "" {
		return nil
	}
	return tx.Exec(`INSERT INTO {hazard_repairs} (hazard, repair) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
		database.Text(id), database.Text(linked))
}

// Classes of hazards.
const (
	hazardOpen   = "open"
	hazardClosed = "closed"
)

func hazardClass(h hazard.Hazard) string {
	if h.State == hazard.StateClosed {
		return hazardClosed
	}
	return hazardOpen
}

// hazardFoundBy are the columns that lists go by and what else is told of a hazard, without what is personal.
const hazardFoundBy = `property, tenancy, kind, grade, state, class, safe, aware_at, next_clock, next_due_at, board_at, closed_at,
	snapshot, version, position, last_at`

// writeHazards leaves what is personal as it is where there is a row.
func (*hazardView) writeHazards(tx database.Tx, b *hazardBatch) error {
	rows := make([][]database.Value, len(b.order))
	for i, c := range b.order {
		snapshot, err := jsonValue(*c.Hazard)
		if err != nil {
			return err
		}
		rows[i] = c.values(snapshot)
	}
	return tx.Merge(`{hazards} (hazard, description, `+hazardFoundBy+`)`, `(hazard) DO UPDATE SET `+replaced(hazardFoundBy),
		len(rows), func(i int) []database.Value { return rows[i] })
}

func (c *hazardChange) values(snapshot database.Value) []database.Value {
	name, due := nextDuty(*c.Hazard)
	board := due
	if due.IsZero() {
		board = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	}
	return []database.Value{
		database.Text(c.id), personalValue(c.description), database.Text(c.Property), database.TextOrNull(c.Tenancy),
		database.Text(c.Kind), database.Text(c.Grade), database.Text(c.State), database.Text(hazardClass(*c.Hazard)),
		database.Bool(c.Safe), database.Time(c.AwareAt), database.TextOrNull(name), timeOrNull(due), database.Time(board),
		timeOrNull(c.ClosedAt), snapshot, database.Int(c.version), database.Int(c.position), database.Time(c.LastAt),
	}
}

// nextDuty is the clock that is due first of those not met. Nothing pauses them.
func nextDuty(h hazard.Hazard) (name string, due time.Time) {
	for _, run := range h.Clocks {
		at, _ := run.Due()
		if run.MetAt.IsZero() && (due.IsZero() || at.Before(due)) {
			name, due = run.Target.Clock, at
		}
	}
	return name, due
}
