package projections

import (
	"time"

	"rentbook/domain"
	"rentbook/domain/hazard"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// Hazard is a hazard as it stands.
type Hazard struct {
	hazard.Hazard

	ID          string
	Description domain.Personal
	Version     uint64              // of the last event
	Position    eventstore.Position // of the last event
}

// HazardFilter says which hazards to list. What is empty asks for nothing.
type HazardFilter struct {
	Grade, State string
	Block        string    // a property, and all below it
	Open         bool      // those not closed, the duty that is due first coming first
	Tenancies    []string  // of one of these; nil: of any, and in the shared parts too
	Now          time.Time // for whoever reads the clocks: lists do not go by it
	After        string    // the next of the page before; empty for the first
	Most         int       // 100 if none is given
}

const hazardColumns = `hazard, description, version, position, snapshot`

// hazardKey is the column after hazardColumns: what the list is ordered by.
const hazardKey = 5

type hazardFound struct {
	Hazard

	snapshot string
	key      int64
}

func hazardAt(row database.Row) hazardFound {
	return hazardFound{
		Hazard:   Hazard{ID: row.Text(0), Description: personalAt(row, 1), Version: version(row, 2), Position: position(row.Int(3))},
		snapshot: row.Text(4),
	}
}

// Hazard is a hazard; ErrNotFound if nobody recognised it.
func (r *Reader) Hazard(id string) (Hazard, error) {
	found, err := one(r, hazardAt, `SELECT `+hazardColumns+` FROM {hazards} WHERE hazard = $1`, database.Text(id))
	if err != nil {
		return Hazard{}, err
	}
	return found.Hazard, readSnapshot(found.snapshot, &found.Hazard.Hazard)
}

// HazardsOfPhoto lists the hazards that a photo is evidence of.
func (r *Reader) HazardsOfPhoto(photo string) ([]string, error) {
	return all(r, textAt, `SELECT hazard FROM {hazard_photos} WHERE photo = $1 ORDER BY hazard`, database.Text(photo))
}

// Hazards is one page of a list: what the landlord became aware of last comes first, and of open
// ones what is due first. next is empty on the last page. What the hazards point to is shared with
// other lists: nobody may change it.
func (r *Reader) Hazards(f HazardFilter) (found []Hazard, next string, err error) {
	q, err := f.query(hazardColumns)
	if err != nil {
		return nil, "", err
	}
	rows, err := all(r, func(row database.Row) hazardFound {
		h := hazardAt(row)
		h.key = row.Time(hazardKey).UnixMicro()
		return h
	}, q.sql, q.args...)
	if err != nil {
		return nil, "", err
	}
	if len(rows) > q.most {
		last := rows[q.most-1]
		rows, next = rows[:q.most], q.order.cursor(last.key, last.ID)
	}
	found = make([]Hazard, len(rows))
	for i := range rows {
		found[i] = rows[i].Hazard
		if found[i].Hazard, err = r.views.hazards.read(rows[i].snapshot); err != nil {
			return nil, "", err
		}
	}
	return found, next, nil
}

func (f HazardFilter) query(columns string) (listQuery, error) {
	c := &conditions{}
	q := listQuery{order: order{"aware", "aware_at", "hazard", false}, most: f.Most}
	if f.Open {
		q.order = order{"due", "board_at", "hazard", true}
		c.and(isOpen)
	}
	for _, by := range []struct{ column, value string }{{"grade", f.Grade}, {"state", f.State}} {
		if by.value != "" {
			c.and(by.column+` = #`, database.Text(by.value))
		}
	}
	c.below(f.Block)
	if f.Tenancies != nil {
		c.in(`tenancy`, f.Tenancies)
	}
	return q, q.list("hazards", columns, c, f.After)
}

// HazardLine is one fact in the timeline of a hazard.
type HazardLine struct {
	Position           eventstore.Position
	At, RecordedAt     time.Time // when it counts, and when Rentbook was told
	State              string    // after it
	Event              string    // the stored name
	Text               string    // in plain words, without anything personal
	Said               domain.Personal
	ActorID, ActorRole string
	Clocks             []ClockEffect
	Photos             []string
	Repair             string // that was linked
}

// HazardTimeline is what happened to a hazard, in the order of the log, as known at a position
// (none: now). ErrNotFound is a hazard that nobody recognised by then.
func (r *Reader) HazardTimeline(id string, known eventstore.Position) ([]HazardLine, error) {
	to := r.seen
	if n := number(known); n > 0 && n < to {
		to = n
	}
	found, err := readLines(r, `SELECT hazard, `+timelineColumns+`, repair FROM {hazard_timeline}
		WHERE hazard = $1 AND position <= $2 ORDER BY position`, database.Text(id), database.Int(to))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	lines := make([]HazardLine, len(found))
	for i, l := range found {
		lines[i] = HazardLine{
			Position: l.Position, At: l.At, RecordedAt: l.RecordedAt, State: l.State, Event: l.Event, Text: l.Text, Said: l.Said,
			ActorID: l.ActorID, ActorRole: l.ActorRole, Clocks: l.Clocks, Photos: l.Photos, Repair: l.into,
		}
	}
	return lines, nil
}

// HazardsOfRepair lists the hazards that a repair is meant to deal with.
func (r *Reader) HazardsOfRepair(id string) ([]string, error) {
	return all(r, textAt, `SELECT hazard FROM {hazard_repairs} WHERE repair = $1 ORDER BY hazard`, database.Text(id))
}
