// Package diary is who has which slot: one stream for one day of one contractor, so that two days
// or two contractors never wait for each other.
//
// A slot has as many places as the contractor's window has visits. A hold takes a place for some
// minutes and ends by itself: nothing is recorded when its time is up, it just no longer counts. A
// confirmation takes the place until it is released. What a slot is and how many places it has is
// the contractor's to say; whoever decides passes it in.
//
// The one rule: at no time are there more holds that last and confirmations than places.
package diary

import (
	"cmp"
	"slices"
	"time"

	"rentbook/domain"
)

// Category is that of the streams of days.
const Category = "diary"

// StreamID is the id of a contractor's day.
func StreamID(contractor domain.ID, day domain.Date) domain.ID {
	return contractor.Derive(day.String())
}

// extension is by how much a hold must last longer for that to be worth a fact: who looks at a
// calendar asks again with every click.
const extension = time.Minute

// Refusals of a diary.
var (
	ErrSlotGone    = &domain.Refusal{Class: domain.Conflicting, Code: "diary.slot-gone", Reason: "is taken", Field: "slot"}
	ErrHoldExpired = &domain.Refusal{Class: domain.Conflicting, Code: "diary.hold-expired", Reason: "was held for another time only, and is taken by now", Field: "slot"}
	ErrUntil       = &domain.Refusal{Code: "diary.until", Reason: "is over already", Field: "until"}
)

// Event is one fact about a day.
type Event interface {
	EventType() string
	applyTo(Day) Day
}

// Events lists every fact of this stream.
func Events() []Event { return []Event{SlotHeld{}, SlotConfirmed{}, SlotReleased{}} }

// SlotHeld keeps a place for a repair until a time.
type SlotHeld struct {
	Repair domain.ID `json:"repair"`
	Slot   domain.ID `json:"slot"`
	Until  time.Time `json:"until"`
}

// SlotConfirmed gives a place to a repair.
type SlotConfirmed struct {
	Repair domain.ID `json:"repair"`
	Slot   domain.ID `json:"slot"`
}

// SlotReleased gives a place back, held or confirmed.
type SlotReleased struct {
	Repair domain.ID `json:"repair"`
	Slot   domain.ID `json:"slot"`
	Why    string    `json:"why"` // a word: rebooked, cancelled
}

// The stored names. They are a contract: never changed, only succeeded by a v2.

func (SlotHeld) EventType() string      { return "diary.slot-held.v1" }
func (SlotConfirmed) EventType() string { return "diary.slot-confirmed.v1" }
func (SlotReleased) EventType() string  { return "diary.slot-released.v1" }

// Occupant is a repair that has a place in a slot, or had a hold there whose time is up.
type Occupant struct {
	Repair    domain.ID
	Until     time.Time // of a hold
	Confirmed bool
}

// Lasts says whether the occupant has the place at an instant.
func (o Occupant) Lasts(now time.Time) bool { return o.Confirmed || o.Until.After(now) }

// Day is what its history amounts to.
type Day struct {
	version uint64
	places  []place // by slot, then by repair
}

type place struct {
	slot domain.ID
	Occupant
}

// Apply is the day after one more fact.
func (d Day) Apply(e Event) Day {
	d.version++
	return e.applyTo(d)
}

func (e SlotHeld) applyTo(d Day) Day {
	return d.with(place{slot: e.Slot, Occupant: Occupant{Repair: e.Repair, Until: e.Until}})
}

func (e SlotConfirmed) applyTo(d Day) Day {
	return d.with(place{slot: e.Slot, Occupant: Occupant{Repair: e.Repair, Confirmed: true}})
}

func (e SlotReleased) applyTo(d Day) Day {
	if at, known := d.find(e.Slot, e.Repair); known {
		d.places = slices.Delete(slices.Clone(d.places), at, at+1)
	}
	return d
}

// with is the day with a place as it now is. The old day keeps its own.
func (d Day) with(p place) Day {
	at, known := d.find(p.slot, p.Repair)
	places := slices.Clone(d.places)
	if known {
		places[at] = p
	} else {
		places = slices.Insert(places, at, p)
	}
	d.places = places
	return d
}

func (d Day) find(slot, repair domain.ID) (at int, known bool) {
	sought := place{slot: slot, Occupant: Occupant{Repair: repair}}
	return slices.BinarySearchFunc(d.places, sought, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.Repair, b.Repair))
	})
}

// Version counts the facts.
func (d Day) Version() uint64 { return d.version }

// Weight estimates the memory the state holds, in bytes.
func (d Day) Weight() int { return 100 + 120*len(d.places) }

// Occupants are those of a slot, by repair: also holds whose time is up, until they are released
// or confirmed.
func (d Day) Occupants(slot domain.ID) []Occupant {
	first, _ := d.find(slot, "")
	var occupants []Occupant
	for _, p := range d.places[first:] {
		if p.slot != slot {
			break
		}
		occupants = append(occupants, p.Occupant)
	}
	return occupants
}

// Free is how many of a slot's places are left at an instant.
func (d Day) Free(slot domain.ID, capacity int, now time.Time) int {
	return max(0, capacity-d.taken(slot, "", now))
}

// taken counts the places that are not free for a repair.
func (d Day) taken(slot, except domain.ID, now time.Time) int {
	taken := 0
	for _, o := range d.Occupants(slot) {
		if o.Repair != except && o.Lasts(now) {
			taken++
		}
	}
	return taken
}

// Hold asks for a place for some time. All three nouns of a diary can be asked any number of times,
// and mean what they find: who lost a place may ask for it again.
type Hold struct {
	Repair   domain.ID
	Slot     domain.ID
	Capacity int
	Now      time.Time
	Until    time.Time
}

// Recorded is nothing: whether there is something to hold is the decision's to see.
func (Hold) Recorded(Day) []uint64 { return nil }

// Matches is never asked.
func (Hold) Matches(Event) bool { return false }

// Hold takes a place, or holds it for longer. Who has a confirmed place needs no hold.
func (d Day) Hold(h Hold) ([]Event, error) {
	until := h.Until.UTC().Truncate(time.Second)
	held, had := d.occupant(h.Slot, h.Repair)
	switch {
	case held.Confirmed:
		return nil, nil
	case !until.After(h.Now):
		return nil, ErrUntil
	case had && held.Lasts(h.Now) && until.Sub(held.Until) <= extension:
		return nil, nil
	case had && held.Lasts(h.Now):
	case d.taken(h.Slot, h.Repair, h.Now) >= h.Capacity:
		return nil, ErrSlotGone
	}
	return []Event{SlotHeld{Repair: h.Repair, Slot: h.Slot, Until: until}}, nil
}

func (d Day) occupant(slot, repair domain.ID) (o Occupant, had bool) {
	at, had := d.find(slot, repair)
	if had {
		o = d.places[at].Occupant
	}
	return o, had
}

// Confirm asks for a place for good.
type Confirm struct {
	Repair   domain.ID
	Slot     domain.ID
	Capacity int
	Now      time.Time
}

// Recorded is nothing: whether there is something to confirm is the decision's to see.
func (Confirm) Recorded(Day) []uint64 { return nil }

// Matches is never asked.
func (Confirm) Matches(Event) bool { return false }

// Confirm gives the place to who holds it. A hold whose time is up, or that never was, is good
// enough while there is room.
func (d Day) Confirm(c Confirm) ([]Event, error) {
	held, _ := d.occupant(c.Slot, c.Repair)
	switch {
	case held.Confirmed:
		return nil, nil
	case !held.Lasts(c.Now) && d.taken(c.Slot, c.Repair, c.Now) >= c.Capacity:
		return nil, ErrHoldExpired
	}
	return []Event{SlotConfirmed{Repair: c.Repair, Slot: c.Slot}}, nil
}

// Release gives a place back.
type Release struct {
	Repair domain.ID
	Slot   domain.ID
	Why    string
}

// Recorded is nothing: whether there is something to release is the decision's to see.
func (Release) Recorded(Day) []uint64 { return nil }

// Matches is never asked.
func (Release) Matches(Event) bool { return false }

// Release ends a hold or a confirmation. Nothing is said of a place that the repair does not have.
func (d Day) Release(r Release) ([]Event, error) {
	if r.Why == "" {
		return nil, domain.ErrMissing.In("why")
	}
	if _, had := d.occupant(r.Slot, r.Repair); !had {
		return nil, nil
	}
	return []Event{SlotReleased(r)}, nil
}
