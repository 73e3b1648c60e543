package clock

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rentbook/domain"
)

// value is what a version says; one of its parts by its kind.
type value struct {
	kind    kind
	seasons []season // of a duration; one that holds all year has one season
	number  int
	money   domain.Money
	words   []string
}

type kind string

const (
	duration kind = "duration"
	number   kind = "number"
	money    kind = "money"
	words    kind = "words"
)

// season is the part of a year, both days included, in which a duration holds. A season that ends
// before it begins goes over the new year.
type season struct {
	from, to yearDay
	amount   int
	unit     Unit
}

// yearDay is a month and a day of it, as month*100 + day: 1101 is 1 November.
type yearDay int

func (s season) holds(on yearDay) bool {
	if s.from <= s.to {
		return s.from <= on && on <= s.to
	}
	return s.from <= on || on <= s.to
}

func yearDayOf(d domain.Date) yearDay {
	_, month, dayOfMonth := d.Date()
	return yearDay(int(month)*100 + dayOfMonth)
}

// at is the duration in the season of a day. A parsed policy has one for every day.
func (v value) at(day domain.Date) season {
	i := slices.IndexFunc(v.seasons, func(s season) bool { return s.holds(yearDayOf(day)) })
	return v.seasons[max(i, 0)]
}

// working says whether a duration needs a calendar.
func (v value) working() bool {
	return slices.ContainsFunc(v.seasons, func(s season) bool { return s.unit == WorkingDays })
}

// String is the value as one reads it.
func (v value) String() string {
	switch v.kind {
	case number:
		return fmt.Sprint(v.number)
	case money:
		return v.money.String() + " " + string(v.money.Currency)
	case words:
		return strings.Join(v.words, ", ")
	default:
		var said []string
		for _, s := range v.seasons {
			text := s.unit.of(s.amount)
			if len(v.seasons) > 1 {
				text += fmt.Sprintf(" from %s to %s", s.from, s.to)
			}
			said = append(said, text)
		}
		return strings.Join(said, "; ")
	}
}

func (d yearDay) String() string {
	return domain.NewDate(2024, time.Month(d/100), int(d%100)).Time().Format("2 Jan")
}
