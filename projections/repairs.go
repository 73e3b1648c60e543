package projections

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/repair"
	"rentbook/projections/database"
)

// repairView has one row for each repair, one for each of its facts (repair_timeline.go), its visits
// and its photos.
//
// There is one fold of a repair: the domain's. A row keeps it as JSON (snapshot), the next fact is
// applied to that, and the columns beside it are for finding rows. What was written last is
// remembered between batches. What is personal is in columns of its own, which are written when it
// is said and never again.
type repairView struct {
	folds map[string]*repairFold
	zones zones
}

// repairFold is a repair, and what its state does not say.
type repairFold struct {
	repair.Repair

	recalled bool // the fault came back
}

// foldsMax bounds what is remembered, some tens of megabytes; beyond it starts anew.
const foldsMax = 10_000

func newRepairView() *repairView { return &repairView{} }

func (*repairView) Name() string { return "repairs" }

func (*repairView) Tables() []string {
	return []string{"repairs", "repair_timeline", "repair_photos", "repair_visits"}
}

func (*repairView) Schema() []string {
	return append([]string{
		`CREATE TABLE {repairs} (
	repair           TEXT    NOT NULL PRIMARY KEY,
	tenancy          TEXT, -- NULL: reported for a property
	property         TEXT    NOT NULL,
	communal         BOOLEAN NOT NULL,
	path             TEXT    NOT NULL, -- room/thing/fault
	state            TEXT    NOT NULL,
	class            TEXT    NOT NULL, -- open, resolved, closed-unresolved
	outcome          TEXT, -- of the triage; NULL before it
	trade            TEXT,
	priority         TEXT,
	contractor       TEXT,
	into_repair      TEXT, -- of which it is a duplicate
	hazard           TEXT,
	reported_at      TIMESTAMPTZ NOT NULL,
	due_at           TIMESTAMPTZ, -- of the completion clock; NULL while a pause moves it, or there is none
	met_at           TIMESTAMPTZ, -- of the completion clock
	completed_at     TIMESTAMPTZ, -- by the completion that stands
	ended_at         TIMESTAMPTZ, -- without having been resolved
	next_visit_from  TIMESTAMPTZ, -- of the visit that is booked
	next_visit_to    TIMESTAMPTZ,
	visits           BIGINT  NOT NULL, -- that were attended
	no_access        BIGINT  NOT NULL,
	reopened         BIGINT  NOT NULL,
	recalled         BOOLEAN NOT NULL, -- the fault came back
	by_hand          BOOLEAN NOT NULL, -- staff had to triage, raise or assign it
	first_visit      BOOLEAN NOT NULL, -- resolved by the only visit
	description      TEXT, -- what is personal is NULL once erased, empty where it was never given
	availability     TEXT,
	contact          TEXT,
	snapshot         TEXT    NOT NULL, -- JSON of the domain's state; nothing personal
	version          BIGINT  NOT NULL, -- of the last event
	position         BIGINT  NOT NULL, -- of the last event
	last_at          TIMESTAMPTZ NOT NULL -- of the last move
) CHANGING`,
		timelineSchema("repair_timeline", "repair", `,
	into_repair TEXT, -- of a merge`),
		`CREATE TABLE {repair_photos} (photo TEXT NOT NULL, repair TEXT NOT NULL, PRIMARY KEY (photo, repair))`,
		`CREATE TABLE {repair_visits} (
	repair     TEXT        NOT NULL,
	number     BIGINT      NOT NULL, -- of the visits, from 1
	visit      TEXT        NOT NULL,
	contractor TEXT        NOT NULL,
	day        DATE        NOT NULL, -- where the repair is
	starts_at  TIMESTAMPTZ NOT NULL,
	ends_at    TIMESTAMPTZ, -- NULL: nobody had an appointment
	slot       TEXT        NOT NULL,
	status     TEXT        NOT NULL,
	reminded   BOOLEAN     NOT NULL,
	PRIMARY KEY (repair, number)
) CHANGING`,
		`CREATE INDEX {repair_visits_by_day} ON {repair_visits} (contractor, day, starts_at)`,
		`CREATE INDEX {repair_visits_to_remind} ON {repair_visits} (starts_at) WHERE status = 'booked' AND NOT reminded`,
		`CREATE INDEX {repair_visits_no_access} ON {repair_visits} (day) WHERE status = 'no_access'`,
	}, repairIndexes()...)
}

// repairIndexes are for the lists that are asked for. Most of them hold open repairs alone: there are
// few, and what has ended stays for ever.
func repairIndexes() []string {
	return []string{
		`CREATE INDEX {repairs_by_report} ON {repairs} (reported_at, repair)`,
		`CREATE INDEX {repairs_ended} ON {repairs} (reported_at, repair) WHERE class <> 'open'`,
		`CREATE INDEX {repairs_open} ON {repairs} (reported_at, repair) WHERE class = 'open'`,
		`CREATE INDEX {repairs_resolved} ON {repairs} (reported_at, repair) WHERE class = 'resolved'`,
		`CREATE INDEX {repairs_open_communal} ON {repairs} (property, path, reported_at) WHERE class = 'open' AND communal`,
		`CREATE INDEX {repairs_open_by_priority} ON {repairs} (priority, reported_at, repair) WHERE class = 'open'`,
		`CREATE INDEX {repairs_open_by_trade} ON {repairs} (trade, reported_at, repair) WHERE class = 'open'`,
		`CREATE INDEX {repairs_open_by_contractor} ON {repairs} (contractor, reported_at, repair) WHERE class = 'open'`,
		`CREATE INDEX {repairs_due} ON {repairs} (due_at, repair) WHERE class = 'open' AND met_at IS NULL`,
		`CREATE INDEX {repairs_by_visit} ON {repairs} (next_visit_from, repair) WHERE next_visit_from IS NOT NULL`,
		`CREATE INDEX {repairs_by_contractor} ON {repairs} (contractor, reported_at, repair)`,
		`CREATE INDEX {repairs_by_state} ON {repairs} (state, reported_at, repair)`,
		`CREATE INDEX {repairs_by_tenancy} ON {repairs} (tenancy, reported_at, repair)`,
		`CREATE INDEX {repairs_by_property} ON {repairs} (property, class, reported_at)`,
		`CREATE INDEX {repairs_by_into} ON {repairs} (into_repair) WHERE into_repair IS NOT NULL`,
		`CREATE INDEX {repairs_by_completion} ON {repairs} (completed_at) WHERE completed_at IS NOT NULL`,
	}
}

func (*repairView) Publications() []Publication {
	return []Publication{
		{"repairs", `SELECT repair, tenancy, property, communal, path, state, class, outcome, trade, priority, contractor,
			into_repair, hazard, reported_at, due_at, met_at, completed_at, ended_at, next_visit_from, next_visit_to,
			visits, no_access, reopened, recalled, by_hand, first_visit FROM {repairs}`},
		{"repair_timeline", `SELECT repair, position, at, recorded_at, state, class, event, text, actor_id AS actor,
			actor_role AS role FROM {repair_timeline}`},
		{"repair_visits", `SELECT repair, number, visit, contractor, day, starts_at, ends_at, slot, status FROM {repair_visits}`},
	}
}

func (*repairView) Wants(eventType string) bool { return wantsPrefix(eventType, "repair.") }

func (v *repairView) Forget() { v.folds, v.zones = nil, nil }

// repairBatch is what some events do to the tables.
type repairBatch struct {
	changes map[string]*repairChange
	order   []*repairChange
	lines   []*timelineRow
	photos  [][2]string
}

// repairChange is what a batch does to a repair.
type repairChange struct {
	*repairFold

	id                string
	fresh             bool // there is no row yet
	position          int64
	version           int64
	visits            bool // they have changed
	contact           domain.Personal
	contactGiven      bool
	description, stay domain.Personal
}

// Apply folds the events of a batch and writes each repair once.
func (v *repairView) Apply(tx database.Tx, events []Event) error {
	b, err := v.load(tx, events)
	if err != nil {
		return err
	}
	for i := range events {
		fact, ok := events[i].Fact.(repair.Event)
		if !ok {
			continue
		}
		if err := v.add(b, &events[i], fact); err != nil {
			return err
		}
	}
	if len(b.order) == 0 {
		return nil
	}
	return errors.Join(v.writeRepairs(tx, b), v.writeVisits(tx, b), writePhotos(tx, b),
		writeLines(tx, `{repair_timeline} (repair, `+timelineColumns+`, into_repair)`, b.lines))
}

// load finds out how the repairs of a batch stand before it.
func (v *repairView) load(tx database.Tx, events []Event) (*repairBatch, error) {
	b := &repairBatch{changes: map[string]*repairChange{}}
	for i := range events {
		e := &events[i]
		if _, ok := e.Fact.(repair.Event); !ok || b.changes[e.Stream.ID()] != nil {
			continue
		}
		c := &repairChange{id: e.Stream.ID(), fresh: e.Version == 1}
		b.changes[c.id] = c
		b.order = append(b.order, c)
	}
	if v.folds == nil || len(v.folds)+len(b.order) > foldsMax {
		v.folds = make(map[string]*repairFold, len(b.order))
	}
	var unknown []*repairChange
	for _, c := range b.order {
		if c.repairFold = v.folds[c.id]; c.repairFold == nil {
			c.repairFold = &repairFold{}
			v.folds[c.id] = c.repairFold
			if !c.fresh {
				c.fresh = true // unless there is a row
				unknown = append(unknown, c)
			}
		}
	}
	args := func(i int) []database.Value { return []database.Value{database.Text(unknown[i].id)} }
	err := tx.QueryEach(`SELECT snapshot, recalled FROM {repairs} WHERE repair = $1`, len(unknown), args,
		func(i int, row database.Row) error {
			unknown[i].fresh, unknown[i].recalled = false, row.Bool(1)
			return readSnapshot(row.Text(0), &unknown[i].Repair)
		})
	return b, err
}

// readSnapshot reads what jsonValue wrote.
func readSnapshot(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("read a snapshot: %w", err)
	}
	return nil
}

// add carries out one fact.
func (v *repairView) add(b *repairBatch, e *Event, fact repair.Event) error {
	c := b.changes[e.Stream.ID()]
	before := c.Repair
	c.Repair = before.Apply(fact)
	c.version, c.position = int64(e.Version), number(e.Position) //nolint:gosec // versions fit 63 bits
	zone := v.zones.of(c.Clocks)
	c.visits = c.visits || !sameVisits(before.Visits, c.Visits) || zone != v.zones.of(before.Clocks) // which says their days
	line := &timelineRow{of: c.id, event: e, state: string(c.State), class: string(c.State.Class())}
	switch f := fact.(type) {
	case repair.Reported:
		c.description, c.stay = f.Description, f.Availability
	case repair.ContactGiven:
		c.contact, c.contactGiven = f.Contact, true
	case repair.Recalled:
		c.recalled = true
	case repair.Merged:
		line.into = f.Into
	}
	effects := clockEffects(before.Clocks, c.Clocks, !before.EndedAt.IsZero(), !c.EndedAt.IsZero())
	line.role = e.Metadata.Actor.Role
	if repair.ByRule(fact) {
		line.role = "system" // whoever asked for what it followed from
	}
	w := teller{place{zone}, line.role, c.Repair}
	line.told = w.tell(fact)
	line.told.text += w.clocks(effects, c.Pausing)
	for _, photo := range line.told.photos {
		b.photos = append(b.photos, [2]string{string(photo), c.id})
	}
	b.lines = append(b.lines, line)
	return line.add(effects)
}

// sameVisits says that nobody touched the visits: what changes them makes others.
func sameVisits(a, b []repair.Visit) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// foundBy are the columns that lists go by and what else is told of a repair, without what is personal.
const foundBy = `tenancy, property, communal, path, state, class, outcome, trade, priority, contractor, into_repair,
	hazard, reported_at, due_at, met_at, completed_at, ended_at, next_visit_from, next_visit_to, visits, no_access, reopened,
	recalled, by_hand, first_visit, snapshot, version, position, last_at`

// replaced is SQL that takes over columns from a row that is there already.
func replaced(columns string) string {
	var sets []string
	for column := range strings.SplitSeq(columns, ",") {
		column = strings.TrimSpace(column)
		sets = append(sets, column+" = excluded."+column)
	}
	return strings.Join(sets, ", ")
}

// writeRepairs leaves what is personal as it is where there is a row.
func (*repairView) writeRepairs(tx database.Tx, b *repairBatch) error {
	snapshots := make([]database.Value, len(b.order))
	for i, c := range b.order {
		var err error
		if snapshots[i], err = jsonValue(c.Repair); err != nil {
			return err
		}
	}
	err := tx.Merge(`{repairs} (repair, description, availability, contact, `+foundBy+`)`,
		`(repair) DO UPDATE SET `+replaced(foundBy), len(b.order),
		func(i int) []database.Value { return b.order[i].values(snapshots[i]) })
	if err != nil {
		return err
	}
	for _, c := range b.order {
		if !c.contactGiven || c.fresh {
			continue
		}
		if err := tx.Exec(`UPDATE {repairs} SET contact = $2 WHERE repair = $1`, database.Text(c.id), personalValue(c.contact)); err != nil {
			return err
		}
	}
	return nil
}

func (c *repairChange) values(snapshot database.Value) []database.Value {
	completion, _ := c.Clock(repair.ClockCompletion)
	due := database.Null()
	if at, settled := completion.Due(); settled {
		due = database.Time(at)
	}
	var next repair.Visit
	if visit, stands := c.Visit(); stands && visit.Status == repair.VisitIsBooked {
		next = visit
	}
	attended := c.attended()
	class := c.State.Class()
	return []database.Value{
		database.Text(c.id), personalValue(c.description), personalValue(c.stay), personalValue(c.contact),
		database.TextOrNull(c.Tenancy), database.Text(c.Property), database.Bool(c.Communal), database.Text(pathValue(c.Path)),
		database.Text(c.State), database.Text(class), database.TextOrNull(c.Outcome), database.TextOrNull(c.Trade),
		database.TextOrNull(c.Priority), database.TextOrNull(c.Contractor), database.TextOrNull(c.Into), database.TextOrNull(c.Hazard),
		database.Time(c.ReportedAt), due, timeOrNull(completion.MetAt), timeOrNull(c.CompletedAt), timeOrNull(c.EndedAt),
		timeOrNull(next.From), timeOrNull(next.To), database.Int(attended), database.Int(c.NoAccess), database.Int(c.Reopened),
		database.Bool(c.recalled), database.Bool(c.ByHand),
		database.Bool(class == repair.Resolved && attended == 1 && c.Reopened == 0 && !c.recalled),
		snapshot, database.Int(c.version), database.Int(c.position), database.Time(c.LastAt),
	}
}

func (c *repairChange) attended() (n int) {
	for _, visit := range c.Visits {
		if visit.Status == repair.VisitAttended {
			n++
		}
	}
	return n
}

// pathValue is where and what it is; none of the words has a slash.
func pathValue(path []string) string { return strings.Join(path, "/") }

// timeOrNull is an instant, or no value where there is none.
func timeOrNull(t time.Time) database.Value {
	if t.IsZero() {
		return database.Null()
	}
	return database.Time(t)
}

// writeVisits writes all visits of the repairs where one has changed: there are few.
func (v *repairView) writeVisits(tx database.Tx, b *repairBatch) error {
	var rows [][]database.Value
	for _, c := range b.order {
		if !c.visits {
			continue
		}
		zone := v.place(c.Clocks)
		for i, visit := range c.Visits {
			rows = append(rows, []database.Value{
				database.Text(c.id), database.Int(i + 1), database.Text(visit.ID), database.Text(visit.Contractor),
				dateValue(domain.DateOf(visit.From.In(zone))), database.Time(visit.From), timeOrNull(visit.To),
				database.Text(visit.Slot), database.Text(visit.Status), database.Bool(visit.Reminded),
			})
		}
	}
	const others = `visit, contractor, day, starts_at, ends_at, slot, status, reminded`
	return tx.Merge(`{repair_visits} (repair, number, `+others+`)`, `(repair, number) DO UPDATE SET `+replaced(others),
		len(rows), func(i int) []database.Value { return rows[i] })
}

// place is the zone that says which day it is; that of the world where no clock knows.
func (v *repairView) place(runs []clock.Run) *time.Location {
	if zone := v.zones.of(runs); zone != nil {
		return zone
	}
	return time.UTC
}

func writePhotos(tx database.Tx, b *repairBatch) error {
	seen := map[[2]string]bool{}
	var rows [][2]string
	for _, p := range b.photos {
		if !seen[p] {
			seen[p] = true
			rows = append(rows, p)
		}
	}
	return tx.Merge(`{repair_photos} (photo, repair)`, `DO NOTHING`, len(rows), func(i int) []database.Value {
		return []database.Value{database.Text(rows[i][0]), database.Text(rows[i][1])}
	})
}

func writeLines(tx database.Tx, into string, lines []*timelineRow) error {
	return tx.Insert(into, len(lines), func(i int) []database.Value {
		return append(lines[i].values(), database.TextOrNull(lines[i].into))
	})
}
