package clock

import (
	"fmt"
	"strings"
	"time"

	"rentbook/domain"
)

const (
	instantLayout = "Mon 2 Jan 2006 15:04"
	dayLayout     = "Mon 2 Jan 2006"
	plainLayout   = "2 Jan 2006"
)

// explain says in plain sentences how the reading came about.
func (r Run) explain(c count, reading Reading, now time.Time) string {
	said := []string{r.rule(c)}
	said = append(said, c.losses()...)
	if len(c.holidays) > 0 {
		said = append(said, fmt.Sprintf("Holidays of %s within: %s.", r.Target.Calendar, days(c.holidays)))
	}
	due := c.due.In(c.zone).Format(instantLayout) + " (" + c.zone.String() + ")"
	if reading.Paused {
		said = append(said, "Paused now; due "+due+" if nothing stops it any longer.")
	} else {
		said = append(said, "Due "+due+".")
	}
	said = append(said, r.doubts(c)...)
	said = append(said, outcome(reading, now)...)
	return strings.Join(append(said, "Source: "+r.Target.Source+"."), " ")
}

func (r Run) rule(c count) string {
	t := r.Target
	what := fmt.Sprintf("%s (%s) from %s", t.Unit.of(t.amount()), t.Parameter, r.StartedAt.In(c.zone).Format(instantLayout))
	if t.Unit == Hours {
		return what + ", through nights, weekends and holidays."
	}
	return what + "; day 1 is the day after."
}

// of is a number of the unit: "1 working day".
func (u Unit) of(n int) string {
	words := strings.ReplaceAll(string(u), "_", " ")
	if n == 1 {
		words = strings.TrimSuffix(words, "s")
	}
	return fmt.Sprintf("%d %s", n, words)
}

func (c count) losses() []string {
	if len(c.lost) == 0 {
		return nil
	}
	var why []string
	for _, l := range c.lost {
		why = append(why, waiting(l.reason)+" "+l.span(c.zone))
	}
	amount := lasting(c.lostTime)
	if c.lostDays > 0 {
		amount = plural(c.lostDays, "day")
	}
	return []string{amount + " did not count: " + strings.Join(why, "; ") + "."}
}

func waiting(reason string) string {
	switch reason {
	case "access":
		return "waiting for access"
	case "tenant":
		return "the tenant asked to wait"
	default:
		return strings.ReplaceAll(reason, "_", " ")
	}
}

// span is "4 to 6 Mar 2026", or for hours the instants.
func (l loss) span(zone *time.Location) string {
	if l.first.IsZero() {
		return l.from.In(zone).Format(instantLayout) + " to " + l.to.In(zone).Format(instantLayout)
	}
	first, last := l.first.Time(), l.last.Time()
	to := last.Format(plainLayout)
	switch {
	case l.first == l.last:
		return to
	case first.Year() != last.Year():
		return first.Format(plainLayout) + " to " + to
	case first.Month() != last.Month():
		return first.Format("2 Jan") + " to " + to
	default:
		return first.Format("2") + " to " + to
	}
}

func days(dates []domain.Date) string {
	var said []string
	for _, d := range dates {
		said = append(said, d.Time().Format(dayLayout))
	}
	return strings.Join(said, ", ")
}

// doubts says what the reader should know was not known.
func (r Run) doubts(c count) []string {
	var said []string
	t := r.Target
	if t.Computed {
		said = append(said, "Not yet proclaimed: some holidays up to "+t.HolidaysTo.Time().Format(plainLayout)+" were computed.")
	}
	switch {
	case c.beyond && t.HolidaysTo.IsZero():
		said = append(said, "No holidays were known; days count by their weekday.")
	case c.beyond:
		said = append(said, "Holidays after "+t.HolidaysTo.Time().Format(plainLayout)+" were not known; later days count by their weekday.")
	}
	if c.unzoned {
		said = append(said, fmt.Sprintf("The zone %q is not known here; days are those of UTC.", t.Zone))
	}
	switch t.Unit {
	case Hours, CalendarDays, WorkingDays:
	default:
		said = append(said, fmt.Sprintf("The unit %q is not known; it counts calendar days.", t.Unit))
	}
	if t.Amount != t.amount() {
		said = append(said, fmt.Sprintf("The amount %d is out of bounds.", t.Amount))
	}
	if c.capped {
		said = append(said, fmt.Sprintf("Counting stopped after %d days.", daysMax))
	}
	return said
}

func outcome(reading Reading, now time.Time) []string {
	switch {
	case reading.MetAt.IsZero() && reading.Breached:
		return []string{"Breached by " + lasting(now.Sub(reading.DueAt)) + "."}
	case reading.MetAt.IsZero():
		return nil
	case reading.Breached:
		return []string{"Met " + lasting(reading.MetAt.Sub(reading.DueAt)) + " late: breached."}
	default:
		return []string{"Met " + lasting(reading.DueAt.Sub(reading.MetAt)) + " before it was due."}
	}
}

// lasting is a time in its two largest units, the rest cut off: "2 days 3 hours".
func lasting(d time.Duration) string {
	var said []string
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		n := int(d / unit.of)
		d %= unit.of
		if n > 0 && len(said) < 2 {
			said = append(said, plural(n, unit.name))
		}
	}
	if len(said) == 0 {
		return "0 seconds"
	}
	return strings.Join(said, " ")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
