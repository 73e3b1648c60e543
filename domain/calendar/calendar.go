// Package calendar is a named set of days: rent-free periods, bank holidays.
package calendar

import (
	"slices"

	"rentbook/domain"
)

// Category is that of the streams of calendars.
const Category = "calendar"

// DatesMax bounds the days of one calendar: two centuries of weeks.
const DatesMax = 10_400

// Event is one fact about a calendar.
type Event interface {
	EventType() string
	applyTo(Calendar) Calendar
}

// Events lists every fact of this stream.
func Events() []Event { return []Event{DatesSet{}, DateAdded{}} }

// DatesSet gives the whole calendar.
type DatesSet struct {
	Dates []domain.Date `json:"dates"`
}

// DateAdded adds one day.
type DateAdded struct {
	Date domain.Date `json:"date"`
}

// EventType is the stored name.
func (DatesSet) EventType() string { return "calendar.dates-set.v1" }

// EventType is the stored name.
func (DateAdded) EventType() string { return "calendar.date-added.v1" }

func (e DatesSet) applyTo(c Calendar) Calendar {
	c.set = append(slices.Clip(c.set), c.version)
	c.dates = e.Dates
	return c
}

func (e DateAdded) applyTo(c Calendar) Calendar {
	at, known := slices.BinarySearch(c.dates, e.Date)
	if !known {
		c.dates = slices.Insert(slices.Clone(c.dates), at, e.Date)
	}
	c.set = append(slices.Clip(c.set), c.version)
	c.added = append(slices.Clip(c.added), e.Date)
	return c
}

// Calendar is what its history amounts to.
type Calendar struct {
	version uint64
	set     []uint64
	dates   []domain.Date // sorted
	added   []domain.Date // day by day, ever
}

// Apply is the calendar after one more fact.
func (c Calendar) Apply(e Event) Calendar {
	c.version++
	return e.applyTo(c)
}

// Version counts the facts.
func (c Calendar) Version() uint64 { return c.version }

// Exists says whether the calendar was ever set.
func (c Calendar) Exists() bool { return c.version > 0 }

// Holds says whether the day is in the calendar.
func (c Calendar) Holds(d domain.Date) bool {
	_, ok := slices.BinarySearch(c.dates, d)
	return ok
}

// Weight estimates the memory the state holds, in bytes.
func (c Calendar) Weight() int { return 100 + 8*len(c.set) + 4*len(c.dates) + 4*len(c.added) }

// Dates is a whole calendar to set, sorted and each day once (NewDates).
type Dates struct{ dates []domain.Date }

// NewDates sorts the days.
func NewDates(dates []domain.Date) (Dates, error) {
	if len(dates) > DatesMax {
		return Dates{}, domain.ErrTooLong.In("dates")
	}
	sorted := append([]domain.Date{}, dates...)
	slices.Sort(sorted)
	return Dates{dates: slices.Compact(sorted)}, nil
}

// Recorded lists the versions that set the calendar.
func (d Dates) Recorded(c Calendar) []uint64 { return c.set }

// Matches says whether the fact sets the same days.
func (d Dates) Matches(e Event) bool {
	set, ok := e.(DatesSet)
	return ok && slices.Equal(set.Dates, d.dates)
}

// Set records a whole calendar.
func (c Calendar) Set(d Dates) ([]Event, error) {
	return []Event{DatesSet{Dates: d.dates}}, nil
}

// Add records one day more. A day that is there, or was added before and taken out since, is
// nothing new: a file that is imported again must not bring it back.
func (c Calendar) Add(d domain.Date) ([]Event, error) {
	switch {
	case c.Holds(d), slices.Contains(c.added, d):
		return nil, nil
	case len(c.dates) >= DatesMax:
		return nil, domain.ErrTooLong.In("dates")
	}
	return []Event{DateAdded{Date: d}}, nil
}
