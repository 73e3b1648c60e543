package clock

import (
	"slices"

	"rentbook/domain"
)

// Calendar is the days on which nobody is expected to work, besides Saturdays and Sundays.
type Calendar struct {
	Name   string
	Zone   string // of the IANA
	Source string
	Years  []Year // in order
}

// Year is a year of a calendar. Computed means that it was worked out by rule and not proclaimed:
// it may yet come out otherwise.
type Year struct {
	Year     int
	Computed bool
	Source   string
	Days     []Holiday // in order
}

// Holiday is one day.
type Holiday struct {
	Date domain.Date
	Name string
}

// Calendars lists them, by name.
func (p *Policy) Calendars() []Calendar {
	list := make([]Calendar, 0, len(p.calendars))
	for _, c := range p.calendars {
		list = append(list, c.clone())
	}
	return list
}

// Calendar is the one of a name.
func (p *Policy) Calendar(name string) (Calendar, bool) {
	i := slices.IndexFunc(p.calendars, func(c Calendar) bool { return c.Name == name })
	if i < 0 {
		return Calendar{}, false
	}
	return p.calendars[i].clone(), true
}

func (c Calendar) clone() Calendar {
	c.Years = slices.Clone(c.Years)
	for i := range c.Years {
		c.Years[i].Days = slices.Clone(c.Years[i].Days)
	}
	return c
}

// window is the holidays from a day to a horizon; known is the last day for which the calendar can
// tell, at most the horizon: the years from the first on, without a gap.
func (c Calendar) window(from, horizon domain.Date) (holidays []domain.Date, known domain.Date, computed bool) {
	next, _, _ := from.Date()
	known = from
	for _, y := range c.Years {
		if y.Year != next || known >= horizon {
			continue
		}
		known = min(horizon, domain.NewDate(y.Year, 12, 31))
		computed = computed || y.Computed
		for _, h := range y.Days {
			if from <= h.Date && h.Date <= known {
				holidays = append(holidays, h.Date)
			}
		}
		next++
	}
	return holidays, known, computed
}
