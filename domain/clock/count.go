package clock

import (
	"slices"
	"time"

	"rentbook/domain"
)

// daysMax bounds how far days are counted, in calendar days: a pause may last, but not for ever.
const daysMax = 100_000

// count is what counting came to, and what it met on the way.
type count struct {
	due      time.Time
	zone     *time.Location
	lost     []loss
	lostDays int
	lostTime time.Duration
	holidays []domain.Date // that fell on a weekday
	beyond   bool          // it went past the last day whose holidays were known
	capped   bool          // it gave up
	unzoned  bool          // the zone is not known here
}

// loss is what one pause took: the days from the first to the last, or the time between.
type loss struct {
	reason      string
	first, last domain.Date
	from, to    time.Time
}

// counting is the pauses that stop this clock, by their beginning. One that still lasts is over at
// the end; one that began later is not there. When the clock was met at the end, none goes on after.
func (r Run) counting(end time.Time, met bool) []Pause {
	var pauses []Pause
	for _, p := range r.Pauses {
		if p.To.IsZero() || met && p.To.After(end) {
			p.To = end
		}
		if r.Target.stoppedBy(p.Reason) && p.To.After(p.From) {
			pauses = append(pauses, p)
		}
	}
	slices.SortStableFunc(pauses, func(a, b Pause) int { return a.From.Compare(b.From) })
	return pauses
}

func (r Run) count(pauses []Pause) count {
	zone, known := location(r.Target.Zone)
	c := count{zone: zone, unzoned: !known}
	if r.Target.Unit == Hours {
		c.hours(r, pauses)
	} else {
		c.days(r, pauses)
	}
	return c
}

// location is the zone of a name. "" and "Local" would be that of the machine, and another tomorrow.
func location(name string) (*time.Location, bool) {
	if name == "" || name == "Local" {
		return time.UTC, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC, false
	}
	return zone, true
}

// amount is that of the target, or the bound if a stored fact has more.
func (t Target) amount() int { return min(max(t.Amount, 0), AmountMax) }

// hours counts elapsed time, whatever the clocks on the wall do.
func (c *count) hours(r Run, pauses []Pause) {
	at, left := r.StartedAt, time.Duration(r.Target.amount())*time.Hour
	for _, p := range pauses {
		if ran := p.From.Sub(at); ran >= left {
			break // due before it began
		} else if ran > 0 {
			at, left = p.From, left-ran
		}
		if p.To.After(at) {
			c.lost = append(c.lost, loss{reason: p.Reason, from: at, to: p.To})
			c.lostTime += p.To.Sub(at)
			at = p.To
		}
	}
	c.due = at.Add(left)
}

// days counts the days after that of the start which are not stopped at their end.
func (c *count) days(r Run, pauses []Pause) {
	day := domain.DateOf(r.StartedAt.In(c.zone))
	c.due = endOf(day, c.zone)
	for counted, walked := 0, 0; counted < r.Target.amount(); walked++ {
		if walked == daysMax {
			c.capped = true
			return
		}
		day++
		c.due = endOf(day, c.zone)
		if r.Target.Unit == WorkingDays && !c.works(day, r.Target) {
			continue
		}
		if by := slices.IndexFunc(pauses, func(p Pause) bool { return p.covers(c.due) }); by >= 0 {
			c.lose(day, pauses[by].Reason)
			continue
		}
		counted++
	}
}

// works says whether people work on a day, and keeps the holiday that says they do not.
func (c *count) works(day domain.Date, t Target) bool {
	c.beyond = c.beyond || day > t.HolidaysTo
	if weekday := day.Weekday(); weekday == time.Saturday || weekday == time.Sunday {
		return false
	}
	if _, holiday := slices.BinarySearch(t.Holidays, day); holiday {
		c.holidays = append(c.holidays, day)
		return false
	}
	return true
}

func (c *count) lose(day domain.Date, reason string) {
	c.lostDays++
	if last := len(c.lost) - 1; last >= 0 && c.lost[last].last == day-1 && c.lost[last].reason == reason {
		c.lost[last].last = day
		return
	}
	c.lost = append(c.lost, loss{reason: reason, first: day, last: day})
}

func (p Pause) covers(at time.Time) bool { return !p.From.After(at) && p.To.After(at) }

// endOf is the last second of a day where the zone is.
func endOf(day domain.Date, zone *time.Location) time.Time {
	year, month, dayOfMonth := day.Date()
	return time.Date(year, month, dayOfMonth, 23, 59, 59, 0, zone)
}
