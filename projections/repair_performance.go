package projections

import (
	"fmt"
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/projections/database"
)

// Performance is how repairs went in some days, and how many there are now. All of it comes from
// facts: nobody enters a figure.
//
// It is about repairs whose completion stands and counts in those days: what was completed and is
// disputed again has not been completed. Repairs in the shared parts are among them. Duplicates are
// not, since the repair they were merged into is, and neither is what turned out not to be the
// landlord's.
type Performance struct {
	From, To domain.Date // both included

	Completed int

	// RP02 of the Tenant Satisfaction Measures (R8.10): of the repairs completed, those that were within
	// the landlord's own target, which is that of the completion clock with its pauses. A repair without
	// such a clock has no target and is in neither.
	NonEmergency Share // RP02 (1)
	Emergency    Share // RP02 (2)

	// FirstVisit are those done at the only visit that was attended, and neither reopened nor recalled
	// since; of all completed.
	FirstVisit Share
	// StraightThrough are those that no member of staff had to triage, order or assign by hand; of all
	// completed.
	StraightThrough Share
	// Reopened are those that were taken up again after they had ended, before the completion that
	// stands; of all completed.
	Reopened Share
	// Recalled are those whose fault came back since; of all completed.
	Recalled Share

	// From the report to the completion that stands, of all completed; zero if there are none. The median
	// of an even number is halfway between the two in the middle.
	MeanToFix, MedianToFix time.Duration

	// NoAccess counts visits of those days that nobody let in, of any repair.
	NoAccess int

	Open, Overdue int // now, whenever they were reported
}

// Share is a part of a number.
type Share struct{ Count, Of int }

func (s *Share) add(counts bool) {
	s.Of++
	if counts {
		s.Count++
	}
}

// Performance is how repairs went from one day to another, both included, by the days of a zone. Open
// and overdue is what is so now.
func (r *Reader) Performance(from, to domain.Date, now time.Time, zone *time.Location) (Performance, error) {
	p := Performance{From: from, To: to}
	var took []time.Duration
	err := r.tx.Query(`SELECT priority, reported_at, completed_at, due_at, met_at, first_visit, by_hand, reopened, recalled, outcome
		FROM {repairs} WHERE completed_at IS NOT NULL AND completed_at >= $1 AND completed_at < $2 AND class = 'resolved'`,
		func(row database.Row) error {
			if repair.Outcome(row.Text(9)).Ours() {
				p.add(row)
				took = append(took, row.Time(2).Sub(row.Time(1)))
			}
			return nil
		}, database.Time(beginning(from, zone)), database.Time(beginning(to+1, zone)))
	if err != nil {
		return Performance{}, fmt.Errorf("read repairs: %w", err)
	}
	p.MeanToFix, p.MedianToFix = mean(took), median(took)
	for _, count := range []struct {
		into  *int
		query string
		args  []database.Value
	}{
		{
			&p.NoAccess, `SELECT count(*) FROM {repair_visits} WHERE status = 'no_access' AND day >= $1 AND day <= $2`,
			[]database.Value{dateValue(from), dateValue(to)},
		},
		{&p.Open, `SELECT count(*) FROM {repairs} WHERE class = 'open'`, nil},
		{
			&p.Overdue, `SELECT count(*) FROM {repairs} WHERE class = 'open' AND met_at IS NULL AND due_at < $1`,
			[]database.Value{database.Time(now)},
		},
	} {
		if *count.into, err = one(r, func(row database.Row) int { return int(row.Int(0)) }, count.query, count.args...); err != nil {
			return Performance{}, err
		}
	}
	return p, nil
}

// add counts one repair.
func (p *Performance) add(row database.Row) {
	p.Completed++
	if due := timeAt(row, 3); !due.IsZero() {
		target := &p.NonEmergency
		if repair.Priority(row.Text(0)) == repair.Emergency {
			target = &p.Emergency
		}
		met := timeAt(row, 4)
		target.add(!met.IsZero() && !met.After(due))
	}
	p.FirstVisit.add(row.Bool(5))
	p.StraightThrough.add(!row.Bool(6))
	p.Reopened.add(row.Int(7) > 0)
	p.Recalled.add(row.Bool(8))
}

// beginning is the first instant of a day.
func beginning(day domain.Date, zone *time.Location) time.Time {
	year, month, dayOfMonth := day.Date()
	return time.Date(year, month, dayOfMonth, 0, 0, 0, 0, zone)
}

func mean(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	var whole, rest time.Duration // apart: years of many repairs add up to more than there is
	n := time.Duration(len(all))
	for _, d := range all {
		whole += d / n
		rest += d % n
	}
	return whole + rest/n
}

func median(all []time.Duration) time.Duration {
	n := len(all)
	if n == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(n-1)/2] + (all[n/2]-all[(n-1)/2])/2
}
