package commands_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/repair"
)

// The whole life of a repair: every step is sent twice, and once more with another body.
func TestRepair_FromTheReportToTheTenantsWord(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.photos["ph1"], e.photos["ph2"], e.photos["ph3"] = "session-P1", "session-P1", "token-plumber"
	leaf := tap(t)
	c := report("R1", leaf)
	c.Photos, c.Contact, c.Availability = []string{"ph1", "ph2"}, "07700 900123", "mornings"
	reported := e.mustReport(t, tenantIs("P1"), c)
	r := reported.Repair
	wantState(t, r, repair.StateRaised)
	if r.Contractor != plumber || r.Trade != "plumbing" || r.Routing == "" || r.Cost != gbp(40_00) || len(r.SOR) != 1 ||
		r.SOR[0].Code != leaf.Outcome.SOR[0].Code || len(r.Photos) != 2 || reported.Version != 5 {
		t.Fatalf("the order: %+v, version %d", r, reported.Version)
	}
	different := c
	different.Description = "something else"
	if _, err := e.ReportRepair(t.Context(), tenantIs("P1"), different); !errors.Is(err, domain.ErrDifferent) {
		t.Errorf("another report under the id: got %v, want %v", err, domain.ErrDifferent)
	}

	tenant, trade, staff := tenantIs("P1"), contractorIs(plumber), manager()
	step := func(m commands.Meta, want repair.State, a commands.ActOnRepair) repair.Repair {
		t.Helper()
		a.Repair, a.ID = "R1", string(rune('a'+len(e.repair(t, "R1").Visits)))+"-"+a.Action+"-"+e.now.Now().Format("0215")
		e.now.pass(time.Minute)
		got := e.mustAct(t, m, a)
		wantState(t, got.Repair, want)
		return got.Repair
	}
	step(trade, repair.StateAccepted, commands.ActOnRepair{Action: "accept"})
	step(tenant, repair.StateAccepted, commands.ActOnRepair{Action: "hold_slot", Slot: tuesday})
	e.free(t, plumber, tuesday, false)
	r = step(tenant, repair.StateScheduled, commands.ActOnRepair{Action: "book", Slot: tuesday})
	if v, ok := r.Visit(); !ok || v.Slot != tuesday || !v.From.Equal(instant("11-24 08:00")) || r.Held != nil {
		t.Errorf("the visit: %+v, held %v", v, r.Held)
	}
	step(tenant, repair.StateScheduled, commands.ActOnRepair{Action: "rebook", Slot: wednesday, Reason: "tenant_asked"})
	e.free(t, plumber, tuesday, true)
	e.free(t, plumber, wednesday, false)

	e.now.until(instant("11-25 08:30"))
	if _, err := e.ActOnRepair(t.Context(), trade, commands.ActOnRepair{Repair: "R1", ID: "no", Action: "no_access"}); !errors.Is(err, domain.ErrMissing) {
		t.Errorf("no access without evidence: got %v, want %v", err, domain.ErrMissing)
	}
	r = step(trade, repair.StateNoAccess, commands.ActOnRepair{Action: "no_access", Evidence: "card 17, photo of the door", Photos: []string{"ph3"}})
	if r.NoAccess != 1 || len(r.Photos) != 3 {
		t.Errorf("no access: %d times, photos %v", r.NoAccess, r.Photos)
	}
	step(tenant, repair.StateScheduled, commands.ActOnRepair{Action: "book", Slot: thursday})
	e.now.until(instant("11-26 08:30"))
	step(trade, repair.StateAttending, commands.ActOnRepair{Action: "start"})
	step(trade, repair.StateCompleted, commands.ActOnRepair{Action: "complete"})
	r = step(tenant, repair.StateDisputed, commands.ActOnRepair{Action: "dispute", Reason: "It still drips"})
	if clock, ok := r.Clock(repair.ClockCompletion); !ok || !clock.MetAt.IsZero() {
		t.Errorf("what is disputed is not completed: %+v", clock)
	}
	step(staff, repair.StateAccepted, commands.ActOnRepair{Action: "reopen", Reason: "disputed"})
	step(tenant, repair.StateScheduled, commands.ActOnRepair{Action: "book", Slot: "2026-11-27.0800-1200"})
	e.now.until(instant("11-27 09:00"))
	step(trade, repair.StateAttending, commands.ActOnRepair{Action: "start"})
	step(trade, repair.StateCompleted, commands.ActOnRepair{Action: "complete"})
	r = step(tenant, repair.StateConfirmed, commands.ActOnRepair{Action: "confirm", Rating: 4})
	if r.Reopened != 1 || len(r.Visits) != 3 {
		t.Errorf("reopened %d times, visits %+v", r.Reopened, r.Visits)
	}
	want := []string{
		"reported", "contact-given", "triaged", "assigned", "raised", "accepted", "slot-held", "visit-booked", "visit-rearranged",
		"access-failed", "visit-booked", "visit-started", "completed", "disputed", "reopened", "visit-booked", "visit-started",
		"completed", "confirmed",
	}
	for i, name := range want {
		want[i] = "repair." + name + ".v1"
	}
	if diff := cmp.Diff(want, e.types(t, "repair-R1")); diff != "" {
		t.Errorf("the facts (-want +got):\n%s", diff)
	}
	e.whole(t)
}

// free wants a window of a contractor offered, or not.
func (e *estate) free(t testing.TB, of domain.ID, slot string, want bool) {
	t.Helper()
	if got := e.freeAt(t, e.Handler, of, slot); got != want {
		t.Errorf("%s of %s is free: got %t, want %t", slot, of, got, want)
	}
}

func TestRepair_AMoveThatIsNotAllowedSaysWhatIs(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.mustReport(t, tenantIs("P1"), report("R1", tap(t)))
	_, err := e.ActOnRepair(t.Context(), contractorIs(plumber), commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "complete"})
	refusal, ok := errors.AsType[*commands.NotAllowedError](err)
	if !ok || !errors.Is(err, repair.ErrNotAllowed) || refusal.State != string(repair.StateRaised) {
		t.Fatalf("got %v (%+v)", err, refusal)
	}
	var want []string
	for _, m := range e.repair(t, "R1").Allowed(repair.Contractor, "token-plumber", e.Now()) {
		want = append(want, string(m.Action))
	}
	if diff := cmp.Diff(want, refusal.Allowed); diff != "" || len(want) == 0 {
		t.Errorf("what is allowed (-want +got):\n%s", diff)
	}
	_, err = e.ActOnRepair(t.Context(), contractorIs(plumber), commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "accept"})
	check(t, err)
	e.mustAct(t, tenantIs("P1"), commands.ActOnRepair{Repair: "R1", ID: "A2", Action: "book", Slot: tuesday})
	_, err = e.ActOnRepair(t.Context(), tenantIs("P1"), commands.ActOnRepair{Repair: "R1", ID: "A3", Action: "rebook", Slot: tuesday})
	if !errors.Is(err, repair.ErrNotAllowed) {
		t.Errorf("rebooking to where it is: got %v, want %v", err, repair.ErrNotAllowed)
	}
	e.free(t, plumber, tuesday, false)
	e.whole(t)
}

func TestRepair_AVersionThatWasNotSeenIsStaleAndReservesNothing(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	first := e.mustReport(t, tenantIs("P1"), report("R1", tap(t)))
	m := tenantIs("P1")
	seen := first.Version
	m.Expect = &seen
	e.mustAct(t, m, commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "hold_slot", Slot: tuesday})
	if _, err := e.ActOnRepair(t.Context(), m, commands.ActOnRepair{Repair: "R1", ID: "A2", Action: "book", Slot: wednesday}); !errors.Is(err, domain.ErrStale) {
		t.Fatalf("got %v, want %v", err, domain.ErrStale)
	}
	e.free(t, plumber, wednesday, true)
	now := seen + 1
	m.Expect = &now
	e.mustAct(t, m, commands.ActOnRepair{Repair: "R1", ID: "A2", Action: "book", Slot: wednesday})
	e.free(t, plumber, tuesday, true) // which was only held
	e.free(t, plumber, wednesday, false)
	e.whole(t)
}

func TestRepair_RemindersAreRecordedOnceForEachTimeThatWasAgreed(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.mustReport(t, tenantIs("P1"), report("R1", tap(t)))
	e.mustAct(t, tenantIs("P1"), commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "book", Slot: tuesday})
	reminded := func(want int) {
		t.Helper()
		check(t, e.RemindOfVisits(t.Context()))
		check(t, e.RemindOfVisits(t.Context()))
		got := 0
		for _, name := range e.types(t, "repair-R1") {
			if name == "repair.visit-reminded.v1" {
				got++
			}
		}
		if got != want {
			t.Fatalf("reminded %d times, want %d", got, want)
		}
	}
	reminded(1) // it is within a day
	e.mustAct(t, tenantIs("P1"), commands.ActOnRepair{Repair: "R1", ID: "A2", Action: "rebook", Slot: wednesdayPM})
	reminded(1)
	e.now.until(instant("11-24 13:00"))
	reminded(2)
}
