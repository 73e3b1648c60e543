package commands_test

import (
	"testing"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/contractor"
	"rentbook/domain/diary"
	"rentbook/domain/repair"
	"rentbook/eventstore"
)

// place is one repair's place in a slot of a contractor.
type place struct{ contractor, slot, repair domain.ID }

// firm are the confirmed places of all diaries, by what the log says.
func (e *estate) firm(t testing.TB) map[place]bool {
	t.Helper()
	codec := commands.Codec(e.vault)
	firm := map[place]bool{}
	for _, event := range e.events(t) {
		if event.Stream.Category() != diary.Category {
			continue
		}
		of := domain.ID(event.Stream.ID()[:len(event.Stream.ID())-len(":2026-11-23")])
		fact, err := eventstore.Decode[diary.Event](t.Context(), codec, event)
		check(t, err)
		switch f := fact.(type) {
		case diary.SlotConfirmed:
			firm[place{of, f.Slot, f.Repair}] = true
		case diary.SlotReleased:
			delete(firm, place{of, f.Slot, f.Repair})
		}
	}
	return firm
}

// whole wants the diaries and the repairs to say the same: each visit that is to come has its place,
// and each place is that of a visit that stands or was made.
func (e *estate) whole(t testing.TB) {
	t.Helper()
	all, err := e.open.repairs(t.Context())
	check(t, err)
	booked, kept := map[place]bool{}, map[place]bool{}
	taken := map[place]int{}
	for id, r := range all {
		for _, v := range r.Visits {
			if v.Slot == "" {
				continue
			}
			p := place{v.Contractor, v.Slot, id}
			switch v.Status {
			case repair.VisitIsBooked, repair.VisitAttending:
				booked[p] = true
				taken[place{v.Contractor, v.Slot, ""}]++
			case repair.VisitAttended, repair.VisitNoAccess, repair.VisitWasMissed:
				kept[p] = true
			}
		}
	}
	firm := e.firm(t)
	for p := range booked {
		if !firm[p] {
			t.Errorf("%s has a visit at %s of %s, and no place there", p.repair, p.slot, p.contractor)
		}
	}
	for p := range firm {
		if !booked[p] && !kept[p] {
			t.Errorf("%s has a place at %s of %s, and no visit there", p.repair, p.slot, p.contractor)
		}
	}
	for p, n := range taken {
		if most := e.capacity(t, p); n > most {
			t.Errorf("%s of %s has %d visits, and room for %d", p.slot, p.contractor, n, most)
		}
	}
}

// capacity is that of a slot as its contractor has it now.
func (e *estate) capacity(t testing.TB, p place) int {
	t.Helper()
	var c contractor.Contractor
	for event, err := range e.log.Read(t.Context(), eventstore.NewStream(contractor.Category, string(p.contractor)), 0) {
		check(t, err)
		fact, err := eventstore.Decode[contractor.Event](t.Context(), commands.Codec(e.vault), event)
		check(t, err)
		c = c.Apply(fact)
	}
	slot, _ := c.Slot(p.slot, london(t))
	return slot.Capacity
}
