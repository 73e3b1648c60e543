package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// Repair is a repair as it stands.
type Repair struct {
	repair.Repair

	ID                                 string
	Description, Availability, Contact domain.Personal
	Version                            uint64              // of the last event
	Position                           eventstore.Position // of the last event
}

const repairColumns = `repair, description, availability, contact, version, position, snapshot`

// repairAt leaves the snapshot to be read once it is known that the row is wanted.
func repairAt(row database.Row) repairFound {
	return repairFound{
		Repair: Repair{
			ID: row.Text(0), Description: personalAt(row, 1), Availability: personalAt(row, 2), Contact: personalAt(row, 3),
			Version: version(row, 4), Position: position(row.Int(5)),
		},
		snapshot: row.Text(6),
	}
}

type repairFound struct {
	Repair

	snapshot string
}

// Repair is a repair; ErrNotFound if nobody reported it.
func (r *Reader) Repair(id string) (Repair, error) {
	found, err := one(r, repairAt, `SELECT `+repairColumns+` FROM {repairs} WHERE repair = $1`, database.Text(id))
	if err != nil {
		return Repair{}, err
	}
	return found.Repair, readSnapshot(found.snapshot, &found.Repair.Repair)
}

// RepairOfPhoto lists the repairs that a photo belongs to.
func (r *Reader) RepairOfPhoto(photo string) ([]string, error) {
	return all(r, textAt, `SELECT repair FROM {repair_photos} WHERE photo = $1 ORDER BY repair`, database.Text(photo))
}

// HasDuplicates says whether other repairs are merged into one. It brings the views to the head of the
// log first.
func (v *Views) HasDuplicates(ctx context.Context, id domain.ID) (merged bool, err error) {
	if err := v.CatchUp(ctx); err != nil {
		return false, err
	}
	err = v.Read(ctx, func(r *Reader) error {
		found, err := r.MergedInto(string(id))
		merged = len(found) > 0
		return err
	})
	return merged, err
}

// TenancyAt is the tenancy of a home on a day; empty if there is none, or more than one. It brings the
// views to the head of the log first.
func (v *Views) TenancyAt(ctx context.Context, property domain.ID, on domain.Date) (tenancy domain.ID, err error) {
	if err := v.CatchUp(ctx); err != nil {
		return "", err
	}
	err = v.Read(ctx, func(r *Reader) error {
		found, err := all(r, textAt, `SELECT tenancy FROM {tenancies}
			WHERE property = $1 AND starts_on <= $2 AND (ends_on IS NULL OR ends_on >= $2) ORDER BY tenancy LIMIT 2`,
			database.Text(property), dateValue(on))
		if len(found) == 1 {
			tenancy = domain.ID(found[0])
		}
		return err
	})
	return tenancy, err
}

// MergedInto lists the repairs that are duplicates of one, oldest first.
func (r *Reader) MergedInto(id string) ([]string, error) {
	return all(r, textAt, `SELECT repair FROM {repairs} WHERE into_repair = $1 ORDER BY reported_at, repair`, database.Text(id))
}

func textAt(row database.Row) string { return row.Text(0) }

func idAt(row database.Row) domain.ID { return domain.ID(row.Text(0)) }

// lineFound is a line with the repair that it merges into.
type lineFound struct {
	RepairLine

	into string
}

// readLines reads lines of a timeline. What is in its columns was written by timelineRow.
func readLines(r *Reader, query string, args ...database.Value) ([]lineFound, error) {
	var lines []lineFound
	err := r.tx.Query(query, func(row database.Row) error {
		l, err := lineFoundAt(row)
		lines = append(lines, l)
		return err
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("read a timeline: %w", err)
	}
	return lines, nil
}

// lineFoundAt wants the id, timelineColumns, and where it was merged into.
func lineFoundAt(row database.Row) (lineFound, error) {
	l := lineFound{RepairLine: RepairLine{
		Repair: row.Text(0), Position: position(row.Int(1)), At: row.Time(2), RecordedAt: row.Time(3), State: row.Text(4),
		Event: row.Text(6), Text: row.Text(7), Said: personalAt(row, 8), ActorID: row.Text(9), ActorRole: row.Text(10),
	}, into: row.Text(13)}
	return l, errors.Join(readList(row, 11, &l.Clocks), readList(row, 12, &l.Photos))
}

func readList[T any](row database.Row, column int, into *[]T) error {
	if row.Null(column) {
		return nil
	}
	return json.Unmarshal([]byte(row.Text(column)), into)
}

const repairLines = `SELECT l.repair, l.position, l.at, l.recorded_at, l.state, l.class, l.event, l.text, l.said, l.actor_id, l.actor_role,
	l.clocks, l.photos, l.into_repair FROM {repair_timeline} l `

// RepairTimeline is what happened to a repair, in the order of the log, as known at a position (none:
// now). That of a duplicate has the lines of the repair it was merged into as well, from the merge
// until it was parted; whose a line is, it says itself. ErrNotFound is a repair nobody reported by then.
func (r *Reader) RepairTimeline(id string, known eventstore.Position) ([]RepairLine, error) {
	to := r.seen
	if n := number(known); n > 0 && n < to {
		to = n
	}
	lines, err := r.repairLines(stretch{repair: id, to: to}, nil)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, ErrNotFound
	}
	slices.SortFunc(lines, func(a, b RepairLine) int { return a.Position.Compare(b.Position) })
	return lines, nil
}

// stretch is the part of a timeline after a position, up to another.
type stretch struct {
	repair    string
	after, to int64
}

// mergesMax bounds how far from merge to merge a timeline is followed.
const mergesMax = 8

// repairLines reads one repair's lines, and those it was merged into while it was. by are the
// repairs that led here: a circle of merges ends where it began.
func (r *Reader) repairLines(s stretch, by []string) ([]RepairLine, error) {
	if s.after >= s.to || len(by) > mergesMax || slices.Contains(by, s.repair) {
		return nil, nil
	}
	found, err := readLines(r, repairLines+`WHERE l.repair = $1 AND l.position <= $2 ORDER BY l.position`,
		database.Text(s.repair), database.Int(s.to))
	if err != nil {
		return nil, err
	}
	var lines []RepairLine
	for _, l := range found {
		if number(l.Position) > s.after {
			lines = append(lines, l.RepairLine)
		}
	}
	for _, merged := range merges(found, s) {
		more, err := r.repairLines(merged, append(slices.Clip(by), s.repair))
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	return lines, nil
}

// merges are the stretches of other repairs' timelines that belong to this one.
func merges(lines []lineFound, within stretch) (all []stretch) {
	open := false
	for _, l := range lines {
		at := number(l.Position)
		switch {
		case l.into != "":
			all, open = append(all, stretch{l.into, max(at, within.after), within.to}), true
		case l.Event == repair.Parted{}.EventType() && open:
			all[len(all)-1].to, open = at, false
		}
	}
	return all
}

// TimelineItem is something that happened under a tenancy: an entry on its account, or a fact of
// one of its repairs.
type TimelineItem struct {
	Position   eventstore.Position
	At         time.Time   // when it counts, of a repair
	On         domain.Date // when it counts, of an entry
	RecordedAt time.Time
	Rent       *Line       // without a balance, which goes by value dates; nil: it is not one
	Repair     *RepairLine // nil: it is not one
}

// TenancyTimeline is what happened under a tenancy in the order of the log, after a position: entries
// of its account, and lines of its own repairs. At least most of them, if there are so many: what
// one event made stays together.
func (r *Reader) TenancyTimeline(tenancy string, after eventstore.Position, most int) ([]TimelineItem, error) {
	items, err := r.rentItems(tenancy, number(after), most)
	if err != nil {
		return nil, err
	}
	lines, err := readLines(r, repairLines+`JOIN {repairs} r ON r.repair = l.repair
		WHERE r.tenancy = $1 AND l.position > $2 AND l.position <= $4 ORDER BY l.position LIMIT $3`,
		database.Text(tenancy), database.Int(number(after)), database.Int(most), r.nowValue())
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		items = append(items, TimelineItem{Position: l.Position, At: l.At, RecordedAt: l.RecordedAt, Repair: &l.RepairLine})
	}
	slices.SortStableFunc(items, func(a, b TimelineItem) int { return a.Position.Compare(b.Position) })
	for n := max(most, 1); n < len(items); n++ {
		if items[n].Position != items[n-1].Position {
			return items[:n], nil
		}
	}
	return items, nil
}

func (r *Reader) rentItems(tenancy string, after int64, most int) (items []TimelineItem, err error) {
	account, err := r.accountNumber(tenancy)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = r.tx.Query(`SELECT `+lineColumns+` FROM {entries} e JOIN {entry_words} w ON w.number = e.words
		WHERE e.account = $1 AND e.position > $2 AND e.position <= $3 ORDER BY e.position, e.line`,
		func(row database.Row) error {
			l := lineAt(row)
			if n := len(items); n >= most && items[n-1].Position != l.Position {
				return errEnough
			}
			items = append(items, TimelineItem{Position: l.Position, On: l.ValueDate, RecordedAt: l.RecordedAt, Rent: &l.Line})
			return nil
		}, database.Int(account), database.Int(after), r.nowValue())
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	return items, nil
}

// depthMax bounds how deep properties are within each other; there are three kinds.
const depthMax = 10

// PropertiesAbove is a property, what it is part of, and so on: "H1", "B1", "E1".
func (r *Reader) PropertiesAbove(property string) ([]string, error) {
	found, err := all(r, textAt, `WITH RECURSIVE above (property, parent, depth) AS (
			SELECT property, parent, CAST(0 AS BIGINT) FROM {properties} WHERE property = $1
			UNION ALL SELECT p.property, p.parent, a.depth + 1 FROM above a JOIN {properties} p ON p.property = a.parent
				WHERE a.depth < $2)
		SELECT property FROM above ORDER BY depth`, database.Text(property), database.Int(depthMax))
	if err != nil {
		return nil, err
	}
	if i := slices.Index(found, property); len(found) > 0 && i >= 0 {
		if again := slices.Index(found[i+1:], property); again >= 0 {
			found = found[:i+1+again] // a circle
		}
		return found, nil
	}
	return []string{property}, nil
}

// Visit is a place in a contractor's diary.
type Visit struct {
	Repair, Visit, Contractor, Slot, Status string
	From, To                                time.Time // To is zero where nobody had an appointment
	Number                                  int       // of the repair's visits, from 1
}

// Diary is a contractor's visits of some days, both included, in the order of time: those that are
// booked, and what became of the others (Status). A day is that of where the repair is.
func (r *Reader) Diary(contractor string, from, to domain.Date) ([]Visit, error) {
	return all(r, func(row database.Row) Visit {
		return Visit{
			Repair: row.Text(0), Number: int(row.Int(1)), Visit: row.Text(2), Contractor: row.Text(3), From: row.Time(4),
			To: timeAt(row, 5), Slot: row.Text(6), Status: row.Text(7),
		}
	}, `SELECT repair, number, visit, contractor, starts_at, ends_at, slot, status FROM {repair_visits}
		WHERE contractor = $1 AND day >= $2 AND day <= $3 ORDER BY day, starts_at, repair, number`,
		database.Text(contractor), dateValue(from), dateValue(to))
}

// timeAt is zero where there is no value.
func timeAt(row database.Row, column int) time.Time {
	if row.Null(column) {
		return time.Time{}
	}
	return row.Time(column)
}

// OpenCommunal is the oldest open repair of the same thing in the shared parts of a property; empty
// if there is none. It brings the views to the head of the log first.
func (v *Views) OpenCommunal(ctx context.Context, property domain.ID, path []string) (domain.ID, error) {
	if err := v.CatchUp(ctx); err != nil {
		return "", err
	}
	var found domain.ID
	err := v.Read(ctx, func(r *Reader) (err error) {
		found, err = one(r, idAt, `SELECT repair FROM {repairs} WHERE class = 'open' AND communal AND property = $1 AND path = $2
			ORDER BY reported_at, repair LIMIT 1`, database.Text(property), database.Text(pathValue(path)))
		if isNotFound(err) {
			return nil
		}
		return err
	})
	return found, err
}

// VisitToRemind is an appointment that nobody has been reminded of.
type VisitToRemind struct {
	Repair, Visit domain.ID
	From          time.Time
}

// VisitsToRemind lists visits that are booked, begin at or after from and before to, and that nobody
// was reminded of; the next first. It brings the views to the head of the log first.
func (v *Views) VisitsToRemind(ctx context.Context, from, to time.Time, most int) ([]VisitToRemind, error) {
	if err := v.CatchUp(ctx); err != nil {
		return nil, err
	}
	var found []VisitToRemind
	err := v.Read(ctx, func(r *Reader) (err error) {
		found, err = all(r, func(row database.Row) VisitToRemind {
			return VisitToRemind{domain.ID(row.Text(0)), domain.ID(row.Text(1)), row.Time(2)}
		}, `SELECT repair, visit, starts_at FROM {repair_visits} WHERE status = 'booked' AND NOT reminded
			AND starts_at >= $1 AND starts_at < $2 ORDER BY starts_at, repair LIMIT $3`,
			database.Time(from), database.Time(to), database.Int(most))
		return err
	})
	return found, err
}
