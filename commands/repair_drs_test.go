package commands_test

import (
	"errors"
	"testing"
	"time"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/eventstore"
	"rentbook/integrations/drs"
	"rentbook/integrations/drs/drstest"
)

// outside is an estate whose diaries are kept by another system.
func outside(t *testing.T) (*estate, *drstest.Server) {
	t.Helper()
	e := newEstate(t)
	s := drstest.New(t, drstest.Options{Now: e.now.Now, Zone: london(t), Diary: drstest.Weekdays(london(t), 1)})
	c, err := drs.New(drs.Options{URL: s.URL, Zone: london(t), Timeout: 20 * time.Second})
	check(t, err)
	t.Cleanup(func() { _ = c.Close() })
	e.Handler = e.at(e.log, func(o *commands.Config) { o.Scheduler = c })
	return e, s
}

// held wants these places in the other system, all firm.
func held(t *testing.T, s *drstest.Server, want ...place) {
	t.Helper()
	got := s.Bookings()
	for i, b := range got {
		if i >= len(want) || (place{b.Contractor, b.Slot, b.Repair}) != want[i] || !b.Firm {
			t.Errorf("the diary has %+v, want %v", got, want)
			return
		}
	}
	if len(got) != len(want) {
		t.Errorf("the diary has %+v, want %v", got, want)
	}
}

func TestDRS_AVisitFromBookingToCancellation(t *testing.T) {
	t.Parallel()
	e, s := outside(t)
	id := e.many(t, 1)[0]
	e.mustAct(t, tenantIs("P1"), commands.ActOnRepair{Repair: id, ID: "A1", Action: "hold_slot", Slot: tuesday})
	e.mustAct(t, tenantIs("P1"), commands.ActOnRepair{Repair: id, ID: "A2", Action: "book", Slot: tuesday})
	held(t, s, place{plumber, tuesday, "R1"})
	e.mustAct(t, tenantIs("P1"), commands.ActOnRepair{Repair: id, ID: "A3", Action: "rebook", Slot: wednesday})
	held(t, s, place{plumber, wednesday, "R1"})
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: id, ID: "A4", Action: "assign", Contractor: string(otherPlumber)})
	held(t, s)
	e.mustAct(t, tenantIs("P1"), commands.ActOnRepair{Repair: id, ID: "A5", Action: "book", Slot: thursday})
	held(t, s, place{otherPlumber, thursday, "R1"})
	e.mustAct(t, tenantIs("P1"), commands.ActOnRepair{Repair: id, ID: "A6", Action: "cancel", Reason: "no_need"})
	held(t, s)
}

// Whatever befalls the other system: a request that failed is right when it is repeated.
func TestDRS_MishapsAreMendedByRepeating(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]drstest.Fault{"answers are lost": drstest.Lost(), "it is away": drstest.Status(503), "it talks nonsense": drstest.Malformed()} {
		for _, n := range []int{1, 8} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				e, s := outside(t)
				id := e.many(t, 1)[0]
				for _, a := range []commands.ActOnRepair{
					{ID: "A1", Action: "book", Slot: tuesday}, {ID: "A2", Action: "rebook", Slot: wednesday}, {ID: "A3", Action: "cancel", Reason: "no_need"},
				} {
					a.Repair = id
					s.Fail(n, fault)
					var err error
					for range 20 {
						if _, err = e.ActOnRepair(t.Context(), tenantIs("P1"), a); err == nil {
							break
						}
						if errors.Is(err, commands.ErrSlotGone) || errors.Is(err, repair.ErrNotAllowed) {
							t.Fatalf("%s: got %v", a.Action, err)
						}
					}
					if err != nil {
						t.Fatalf("%s: %v", a.Action, err)
					}
					visit, stands := e.repair(t, "R1").Visit()
					if stands {
						held(t, s, place{plumber, visit.Slot, "R1"})
					} else {
						held(t, s)
					}
				}
			})
		}
	}
}

func TestDRS_AConflictIsAFactAndAnAnswer(t *testing.T) {
	t.Parallel()
	e, s := outside(t)
	id := e.many(t, 1)[0]
	s.OverrideConfirms(1)
	_, err := e.ActOnRepair(t.Context(), tenantIs("P1"), commands.ActOnRepair{Repair: id, ID: "A1", Action: "book", Slot: tuesday})
	gone, ok := errors.AsType[*commands.SlotGoneError](err)
	if !ok || len(gone.Next) != 3 || gone.Next[0].ID == tuesday {
		t.Fatalf("got %v (%+v)", err, gone)
	}
	r := e.repair(t, "R1")
	wantState(t, r, repair.StateAccepted)
	if len(r.Visits) != 1 || r.Visits[0].Status != repair.VisitWasLost {
		t.Errorf("the visit is %+v", r.Visits)
	}
	if types := e.types(t, "repair-R1"); types[len(types)-1] != "repair.visit-lost.v1" {
		t.Errorf("the facts are %v", types)
	}
	e.mustAct(t, tenantIs("P1"), commands.ActOnRepair{Repair: id, ID: "A2", Action: "book", Slot: wednesday})

	s.OverrideConfirms(1)
	_, err = e.ActOnRepair(t.Context(), tenantIs("P1"), commands.ActOnRepair{Repair: id, ID: "A3", Action: "rebook", Slot: thursday})
	if !errors.Is(err, commands.ErrSlotGone) {
		t.Fatalf("rebooking: got %v, want %v", err, commands.ErrSlotGone)
	}
	wantState(t, e.repair(t, "R1"), repair.StateAccepted)
	for _, b := range s.Bookings() {
		if b.Repair == "R1" {
			t.Errorf("the visit is lost, and its old place still held: %+v", b)
		}
	}
}

// A place that was given to somebody else while a process slept is not booked twice.
func TestBook_WhoWasSlowLosesTheVisit(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	ids := e.many(t, 2)
	slept := false
	slow := e.at(&flaky{Store: e.log, before: func(s eventstore.Stream) error {
		if s == eventstore.NewStream(repair.Category, ids[0]) && !slept { // has the place, and has not recorded the visit
			slept = true
			e.now.pass(20 * time.Minute)
			_, err := e.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: ids[1], ID: "A1", Action: "book", Slot: tuesday})
			return err
		}
		return nil
	}}, nil)
	_, err := slow.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: ids[0], ID: "A1", Action: "book", Slot: tuesday})
	if gone, ok := errors.AsType[*commands.SlotGoneError](err); !ok || len(gone.Next) != 3 {
		t.Fatalf("got %v (%+v)", err, gone)
	}
	wantState(t, e.repair(t, domain.ID(ids[0])), repair.StateAccepted)
	wantState(t, e.repair(t, domain.ID(ids[1])), repair.StateScheduled)
	e.whole(t)
}

// Whoever tidies a diary while the owner of an old hold books after all takes nothing from them.
func TestBook_TidyingTakesNothingFromWhoIsFaster(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	ids := e.many(t, 2)
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: ids[0], ID: "A1", Action: "hold_slot", Slot: tuesday})
	e.now.pass(20 * time.Minute)
	first := true
	other := e.at(&flaky{Store: e.log, before: func(s eventstore.Stream) error {
		if s.Category() == "diary" && first { // has seen that nobody is there, and is about to take it
			first = false
			_, err := e.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: ids[0], ID: "A2", Action: "book", Slot: tuesday})
			return err
		}
		return nil
	}}, nil)
	_, err := other.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: ids[1], ID: "A1", Action: "book", Slot: tuesday})
	if !errors.Is(err, commands.ErrSlotGone) {
		t.Errorf("got %v, want %v", err, commands.ErrSlotGone)
	}
	wantState(t, e.repair(t, domain.ID(ids[0])), repair.StateScheduled)
	e.whole(t)
}

// A visit that is moved twice at once ends in one place.
func TestBook_TwoMovesAtOnceLeaveOnePlace(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	id := e.many(t, 1)[0]
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: id, ID: "A1", Action: "book", Slot: tuesday})
	first := true
	other := e.at(&flaky{Store: e.log, before: func(s eventstore.Stream) error {
		if s.Category() == repair.Category && first {
			first = false
			_, err := e.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: id, ID: "A2", Action: "rebook", Slot: wednesday})
			return err
		}
		return nil
	}}, nil)
	_, err := other.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: id, ID: "A3", Action: "rebook", Slot: thursday})
	check(t, err)
	for _, slot := range []string{tuesday, wednesday} {
		e.free(t, plumber, slot, true)
	}
	e.whole(t)
}
