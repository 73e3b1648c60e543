package contractor

import (
	"slices"
	"strings"
	"time"

	"rentbook/domain"
)

// ErrSlot is a slot's id that names no part of a day.
var ErrSlot = &domain.Refusal{Code: "contractor.slot", Reason: "is not a slot, as 2026-11-23.0800-1200"}

// Slot is a part of one day in which the contractor can make some visits.
type Slot struct {
	ID       domain.ID
	From, To time.Time // UTC
	Capacity int
}

// Slots are those of a day where the contractor works, in order: the windows of its weekday and
// what was opened besides, none on a closed day. A local time that comes twice is its first coming,
// one that is left out is the moment the clocks go forward; a window of which nothing is left then
// is no slot.
func (c Contractor) Slots(day domain.Date, zone *time.Location) []Slot {
	var slots []Slot
	for _, p := range c.availability.partsOf(day) {
		slot := Slot{ID: p.id(day), From: instant(day, p.from, zone), To: instant(day, p.to, zone), Capacity: p.capacity}
		if slot.From.Before(slot.To) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// Slot is one of the contractor's slots by its id, if it is one now.
func (c Contractor) Slot(id domain.ID, zone *time.Location) (Slot, bool) {
	day, _, _, err := ParseSlot(id, zone)
	if err != nil {
		return Slot{}, false
	}
	slots := c.Slots(day, zone)
	at := slices.IndexFunc(slots, func(s Slot) bool { return s.ID == id })
	if at < 0 {
		return Slot{}, false
	}
	return slots[at], true
}

// ParseSlot reads the id of a slot: the day, and from when to when in UTC. Whether the contractor
// has the slot is another question.
func ParseSlot(id domain.ID, zone *time.Location) (day domain.Date, from, to time.Time, err error) {
	date, hours, _ := strings.Cut(string(id), ".")
	day, err = domain.ParseDate(date)
	if err != nil || len(hours) != len("0800-1200") {
		return 0, time.Time{}, time.Time{}, ErrSlot
	}
	p, ok := parsePart(hours[:2]+":"+hours[2:4], hours[5:7]+":"+hours[7:])
	if !ok || p.id(day) != id {
		return 0, time.Time{}, time.Time{}, ErrSlot
	}
	return day, instant(day, p.from, zone), instant(day, p.to, zone), nil
}

// part is a part of some day.
type part struct {
	from, to minute
	capacity int
}

// minute is a time of day, in minutes after midnight on the wall.
type minute int

// parsePart reads two times of day as HH:MM, the first before the second.
func parsePart(from, to string) (part, bool) {
	start, known := parseMinute(from)
	end, alsoKnown := parseMinute(to)
	return part{from: start, to: end}, known && alsoKnown && start < end
}

func parseMinute(s string) (minute, bool) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, false
	}
	return minute(t.Hour()*60 + t.Minute()), true
}

func (m minute) compact() string {
	return time.Date(2000, 1, 1, 0, int(m), 0, 0, time.UTC).Format("1504")
}

// id is that of the slot which the part is on a day.
func (p part) id(day domain.Date) domain.ID {
	return domain.ID(day.String() + "." + p.from.compact() + "-" + p.to.compact())
}

// partsOf are the parts of a day, in order. They do not overlap: SetAvailability sees to that.
func (e AvailabilitySet) partsOf(day domain.Date) []part {
	if day.IsZero() || slices.Contains(e.Closed, day) {
		return nil
	}
	var parts []part
	for _, w := range e.Windows {
		if w.Day == weekday(day) {
			parts = append(parts, partOf(w.From, w.To, w.Capacity))
		}
	}
	for _, o := range e.Opened {
		if o.Date == day {
			parts = append(parts, partOf(o.From, o.To, o.Capacity))
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return int(a.from - b.from) })
	return parts
}

func partOf(from, to string, capacity int) part {
	p, _ := parsePart(from, to)
	p.capacity = capacity
	return p
}

func weekday(day domain.Date) string { return strings.ToLower(day.Weekday().String()) }

// Weekdays lists the days a window can be of.
func Weekdays() []string {
	return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}

// instant is when a time of day is on the walls of a zone. time.Date promises nothing about times
// that come twice or never, hence the two offsets around the day.
func instant(day domain.Date, at minute, zone *time.Location) time.Time {
	wall := day.Time().Add(time.Duration(at) * time.Minute)
	var early time.Time
	for _, around := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, offset := wall.Add(around).In(zone).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second)
		if _, offsetThen := t.In(zone).Zone(); offsetThen == offset {
			return t // by the offset of before if both fit: the first coming
		}
		if early.IsZero() {
			early = t
		}
	}
	change, _ := early.In(zone).ZoneBounds() // it is left out: the offset of before has just ended
	return change.UTC()
}
