package commands_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/domain/triage"
)

func TestRouting_SaysWhyAndGoesToTheNextWhenHandedBack(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.prices(t, string(otherPlumber), "45.00")
	r := e.mustReport(t, tenantIs("P1"), report("R1", tap(t))).Repair
	for _, word := range []string{"plumber", "cheapest of 2", "40.00"} {
		if !strings.Contains(r.Routing, word) {
			t.Errorf("the explanation %q does not say %q", r.Routing, word)
		}
	}
	back := func(m commands.Meta, id string, want repair.State, contractor domain.ID) repair.Repair {
		t.Helper()
		r := e.mustAct(t, m, commands.ActOnRepair{Repair: "R1", ID: id, Action: "hand_back", Reason: "no_time"}).Repair
		wantState(t, r, want)
		if r.Contractor != contractor {
			t.Fatalf("it is with %q because %q, want %q", r.Contractor, r.Routing, contractor)
		}
		return r
	}
	r = back(contractorIs(plumber), "A1", repair.StateRaised, otherPlumber)
	if r.Cost != gbp(45_00) || r.SOR[0].Price != gbp(45_00) {
		t.Errorf("the order costs %v, %v", r.Cost, r.SOR)
	}
	r = back(contractorIs(otherPlumber), "A2", repair.StateTriaged, "")
	if !strings.Contains(r.Routing, "handed it back") {
		t.Errorf("nobody fits because %q", r.Routing)
	}
	r = e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R1", ID: "A3", Action: "raise"}).Repair
	wantState(t, r, repair.StateTriaged)
	e.hire(t, "plumber3", "plumbing")
	r = e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R1", ID: "A4", Action: "raise"}).Repair
	wantState(t, r, repair.StateRaised)
	if r.Contractor != "plumber3" {
		t.Errorf("it is with %q", r.Contractor)
	}
}

// Who hands back says nothing about who comes next, or what is to be done.
func TestRouting_WhoHandsBackChoosesNothing(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	was := e.mustReport(t, tenantIs("P1"), report("R1", tap(t))).Repair
	back := commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "hand_back", Reason: "no_time"}
	for field, more := range map[string]commands.ActOnRepair{
		"sor": {SOR: []repair.Line{{Code: "PLB-013", Quantity: 9}}}, "contractor": {Contractor: string(plumber)},
	} {
		with := back
		with.SOR, with.Contractor = more.SOR, more.Contractor
		if _, err := e.ActOnRepair(t.Context(), contractorIs(plumber), with); !errors.Is(err, repair.ErrNotTaken) {
			t.Errorf("%s: got %v, want %v", field, err, repair.ErrNotTaken)
		}
	}
	got, err := e.ActOnRepair(t.Context(), contractorIs(plumber), back)
	check(t, err)
	if r := got.Repair; r.Contractor != otherPlumber || r.SOR[0].Code != was.SOR[0].Code || r.SOR[0].Quantity != was.SOR[0].Quantity {
		t.Errorf("it is with %q for %v", r.Contractor, r.SOR)
	}
}

func TestRouting_WithNobodyWhoFitsItStaysTriagedAndSaysWhy(t *testing.T) {
	t.Parallel()
	e := bareEstate(t)
	leaf := tap(t)
	r := e.mustReport(t, tenantIs("P1"), report("R1", leaf)).Repair
	wantState(t, r, repair.StateTriaged)
	if !strings.Contains(r.Routing, "Nobody fits") {
		t.Errorf("the reason is %q", r.Routing)
	}
	e.hire(t, "carpenter", "carpentry")
	_, err := e.PutContractor(t.Context(), manager(), commands.PutContractor{Contractor: "far", Name: "far", Trades: []string{"plumbing"}, Areas: []string{"postcode:M1"}})
	check(t, err)
	_, err = e.PutContractor(t.Context(), manager(), commands.PutContractor{Contractor: "gone", Name: "gone", Trades: []string{"plumbing"}, Retired: true})
	check(t, err)
	r = e.mustReport(t, tenantIs("P1"), report("R2", leaf)).Repair
	wantState(t, r, repair.StateTriaged)
	for _, word := range []string{"carpenter does not do plumbing", "far does not cover LN1", "gone is retired"} {
		if !strings.Contains(r.Routing, word) {
			t.Errorf("the reason %q does not say %q", r.Routing, word)
		}
	}
	_, err = e.PutContractor(t.Context(), manager(), commands.PutContractor{Contractor: "small", Name: "small", Trades: []string{"plumbing"}, Areas: []string{"B1"}, Capacity: 1})
	check(t, err)
	wantState(t, e.mustReport(t, tenantIs("P1"), report("R3", leaf)).Repair, repair.StateRaised)
	wantState(t, e.mustReport(t, tenantIs("P1"), report("R4", leaf)).Repair, repair.StateTriaged) // no room
	r = e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R4", ID: "A1", Action: "assign", Contractor: "small"}).Repair
	wantState(t, r, repair.StateRaised) // a person may
	for _, nobody := range []string{"gone", "who"} {
		_, err := e.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: "R1", ID: "A-" + nobody, Action: "assign", Contractor: nobody})
		if !errors.Is(err, domain.ErrUnknownReference) {
			t.Errorf("%s: got %v, want %v", nobody, err, domain.ErrUnknownReference)
		}
	}
}

func TestApproval_IsAnothersThanWhoAsked(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.prices(t, "plumber", "500.01")
	e.prices(t, "plumber2", "600.00")
	leaf := tap(t)
	wantState(t, e.mustReport(t, tenantIs("P1"), report("R1", leaf)).Repair, repair.StateAwaitingApproval)
	wantState(t, e.mustReport(t, manager(), report("R2", leaf)).Repair, repair.StateAwaitingApproval)
	r := e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "approve"}).Repair // the tenant had asked
	wantState(t, r, repair.StateRaised)
	if r.Cost != gbp(500_01) {
		t.Errorf("the order costs %v", r.Cost)
	}
	approve := commands.ActOnRepair{Repair: "R2", ID: "A1", Action: "approve"}
	if _, err := e.ActOnRepair(t.Context(), manager(), approve); !errors.Is(err, repair.ErrSamePerson) {
		t.Errorf("who asked: got %v, want %v", err, repair.ErrSamePerson)
	}
	both := manager() // another token of one person
	both.Actor.OnBehalfOf = "S1"
	third := secondManager()
	third.Actor.OnBehalfOf = "S1"
	wantState(t, e.mustReport(t, both, report("R3", leaf)).Repair, repair.StateAwaitingApproval)
	if _, err := e.ActOnRepair(t.Context(), third, commands.ActOnRepair{Repair: "R3", ID: "A1", Action: "approve"}); !errors.Is(err, repair.ErrSamePerson) {
		t.Errorf("another token of who asked: got %v, want %v", err, repair.ErrSamePerson)
	}
	wantState(t, e.mustAct(t, secondManager(), approve).Repair, repair.StateRaised)
	e.prices(t, "plumber", "500.00") // is not more than the limit
	wantState(t, e.mustReport(t, tenantIs("P1"), report("R4", leaf)).Repair, repair.StateRaised)
}

func TestVariation_IsApprovedByAnotherOrRejected(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	was := e.mustReport(t, tenantIs("P1"), report("R1", tap(t))).Repair
	e.mustAct(t, contractorIs(plumber), commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "accept"})
	ask := commands.ActOnRepair{Repair: "R1", ID: "V1", Action: "request_variation", Reason: "rotten", SOR: []repair.Line{{Code: "PLB-011", Quantity: 3}}}
	r := e.mustAct(t, contractorIs(plumber), ask).Repair
	if r.Variation == nil || r.Variation.Cost != gbp(120_00) {
		t.Fatalf("the variation is %+v", r.Variation)
	}
	for _, m := range []commands.ActOnRepair{
		{ID: "N1", Action: "request_variation", Reason: "more", SOR: []repair.Line{{Code: "PLB-012"}}}, {ID: "N2", Action: "complete"},
	} {
		m.Repair = "R1"
		if _, err := e.ActOnRepair(t.Context(), contractorIs(plumber), m); !errors.Is(err, repair.ErrNotAllowed) {
			t.Errorf("%s while one is pending: got %v, want %v", m.Action, err, repair.ErrNotAllowed)
		}
	}
	r = e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R1", ID: "V2", Action: "reject_variation", Reason: "too_much"}).Repair
	if r.Variation != nil || r.Cost != was.Cost || r.SOR[0].Code != was.SOR[0].Code {
		t.Errorf("rejected, it is %+v for %v", r.SOR, r.Cost)
	}
	ask.ID, ask.Cost = "V3", "99.00"
	ask.SOR = []repair.Line{{Code: "OWN-1"}} // which has no price
	if got := e.mustAct(t, manager(), ask).Repair.Variation; got.Cost != gbp(99_00) {
		t.Errorf("the cost is %v", got.Cost)
	}
	other := ask
	other.Cost = "98.00"
	if _, err := e.ActOnRepair(t.Context(), manager(), other); !errors.Is(err, domain.ErrDifferent) {
		t.Errorf("another cost under the id: got %v, want %v", err, domain.ErrDifferent)
	}
	approve := commands.ActOnRepair{Repair: "R1", ID: "V4", Action: "approve_variation"}
	if _, err := e.ActOnRepair(t.Context(), manager(), approve); !errors.Is(err, repair.ErrSamePerson) {
		t.Errorf("who asked: got %v, want %v", err, repair.ErrSamePerson)
	}
	r = e.mustAct(t, secondManager(), approve).Repair
	if r.Cost != gbp(99_00) || r.SOR[0].Code != "OWN-1" || r.Original[0].Code != was.SOR[0].Code || r.Variation != nil {
		t.Errorf("approved, it is %+v (was %v) for %v", r.SOR, r.Original, r.Cost)
	}
	for cost, field := range map[string]string{"1.001": "cost", "much": "cost"} {
		ask.ID, ask.Cost = "V5", cost
		_, err := e.ActOnRepair(t.Context(), contractorIs(plumber), ask)
		if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || refusal.Field != field {
			t.Errorf("the cost %s: got %v", cost, err)
		}
	}
}

func TestTriage_ByAPersonReplacesTheDiagnosis(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	leaf := way(t, func(o triage.Outcome) bool { return o.NeedsPerson })
	r := e.mustReport(t, tenantIs("P1"), report("R1", leaf)).Repair
	wantState(t, r, repair.StateTriaged)
	r = e.mustAct(t, manager(), commands.ActOnRepair{
		Repair: "R1", ID: "A1", Action: "triage", Outcome: "landlord", Trade: "plumbing", Priority: "urgent", SOR: []repair.Line{{Code: "PLB-004"}},
	}).Repair
	wantState(t, r, repair.StateRaised)
	if r.Contractor != plumber || r.Cost != gbp(40_00) || r.Priority != repair.Urgent || r.SOR[0].Quantity != 1 {
		t.Errorf("the order: %+v", r)
	}
	if run, ok := r.Clock(repair.ClockCompletion); !ok || !strings.HasPrefix(run.Target.Parameter, "priority.urgent@") || !run.StartedAt.Equal(r.ReportedAt) {
		t.Errorf("the clock is %+v", run)
	}
	e.mustReport(t, tenantIs("P1"), report("R2", leaf))
	r = e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R2", ID: "A1", Action: "triage", Outcome: "tenant"}).Repair
	wantState(t, r, repair.StateNotResponsible)
	if len(r.Clocks) != 0 {
		t.Errorf("the clocks are %+v", r.Clocks)
	}
}

// completed is a repair that was done now.
func (e *estate) completed(t testing.TB, id string, leaf triage.Leaf) {
	t.Helper()
	e.mustReport(t, tenantIs("P1"), report(id, leaf))
	e.mustAct(t, contractorIs(plumber), commands.ActOnRepair{Repair: id, ID: "S-" + id, Action: "start"})
	e.mustAct(t, contractorIs(plumber), commands.ActOnRepair{Repair: id, ID: "C-" + id, Action: "complete"})
}

func TestRecall_WithinItsTimeMakesALinkedRepair(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	leaf := tap(t)
	e.completed(t, "R1", leaf)
	e.now.until(instant("11-23 09:00").AddDate(0, 0, 90))
	m := tenantIs("P1")
	version := e.repair(t, "R1").Version()
	m.Expect = &version
	old := e.mustAct(t, m, commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "recall", NewRepair: "R2", Reason: "again", Description: "It drips again"}).Repair
	if !slices.Contains(old.Links, "R2") {
		t.Errorf("the old one links to %v", old.Links)
	}
	r := e.repair(t, "R2")
	wantState(t, r, repair.StateRaised)
	if r.RecallOf != "R1" || r.Tenancy != "T1" || r.Trade != "plumbing" || !r.ReportedAt.Equal(e.now.Now()) || len(r.Clocks) == 0 {
		t.Errorf("the new one is %+v", r)
	}
	e.now.pass(time.Second)
	_, err := e.ActOnRepair(t.Context(), tenantIs("P1"), commands.ActOnRepair{Repair: "R1", ID: "A2", Action: "recall", NewRepair: "R3", Reason: "again"})
	if !errors.Is(err, repair.ErrTooLate) || e.repair(t, "R3").Exists() {
		t.Errorf("after its time: got %v, want %v", err, repair.ErrTooLate)
	}
	_, err = e.ActOnRepair(t.Context(), tenantIs("P1"), commands.ActOnRepair{Repair: "R2", ID: "A1", Action: "recall", NewRepair: "R4", Reason: "again"})
	if !errors.Is(err, repair.ErrNotAllowed) || e.repair(t, "R4").Exists() {
		t.Errorf("of one that is not done: got %v, want %v", err, repair.ErrNotAllowed)
	}
}

func TestRecall_UnderTheIDOfAnotherRepairIsRefused(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	leaf := tap(t)
	e.completed(t, "R1", leaf)
	e.mustReport(t, tenantIs("P1"), report("R2", leaf))
	for _, id := range []string{"R1", "R2"} {
		_, err := e.ActOnRepair(t.Context(), tenantIs("P1"), commands.ActOnRepair{Repair: "R1", ID: "A-" + id, Action: "recall", NewRepair: id, Reason: "again"})
		if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || !errors.Is(err, domain.ErrDifferent) || refusal.Field != "repair" {
			t.Errorf("%s: got %v, want %v", id, err, domain.ErrDifferent)
		}
	}
}

func TestFollowOn_OfAnotherTradeIsARepairOfItsOwn(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.mustReport(t, tenantIs("P1"), report("R1", tap(t)))
	e.mustAct(t, contractorIs(plumber), commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "start"})
	missing := commands.ActOnRepair{Repair: "R1", ID: "A0", Action: "follow_on", Reason: "plaster", Trade: "carpentry"}
	if _, err := e.ActOnRepair(t.Context(), contractorIs(plumber), missing); !errors.Is(err, domain.ErrMissing) {
		t.Errorf("another trade without a repair: got %v, want %v", err, domain.ErrMissing)
	}
	was := e.mustAct(t, contractorIs(plumber), commands.ActOnRepair{
		Repair: "R1", ID: "A2", Action: "follow_on", Reason: "boards", NewRepair: "R2", Trade: "carpentry", SOR: []repair.Line{{Code: "CAR-010", Quantity: 2}},
		Description: "The boards are rotten",
	}).Repair
	wantState(t, was, repair.StateAccepted)
	r := e.repair(t, "R2")
	wantState(t, r, repair.StateRaised)
	if r.FollowsOn != "R1" || r.Contractor != "carpenter" || r.SOR[0].Code != "CAR-010" || r.SOR[0].Quantity != 2 || !slices.Contains(was.Links, "R2") {
		t.Errorf("the new one is %+v", r)
	}
	e.mustAct(t, contractorIs(plumber), commands.ActOnRepair{Repair: "R1", ID: "A3", Action: "start"})
	e.mustAct(t, contractorIs(plumber), commands.ActOnRepair{
		Repair: "R1", ID: "A4", Action: "follow_on", Reason: "more", NewRepair: "R3", SOR: []repair.Line{{Code: "PLB-013"}},
	})
	if r := e.repair(t, "R3"); r.Trade != "plumbing" || r.SOR[0].Code != "PLB-013" {
		t.Errorf("of the same trade: %+v", r.SOR)
	}
	e.mustAct(t, contractorIs(plumber), commands.ActOnRepair{Repair: "R1", ID: "A5", Action: "start"})
	wantState(t, e.mustAct(t, contractorIs(plumber), commands.ActOnRepair{Repair: "R1", ID: "A6", Action: "follow_on", Reason: "one_more_visit"}).Repair, repair.StateAccepted)
}

func TestDuplicates_OfACommunalRepairKeepTheirOwnClocks(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	leaf := way(t, func(o triage.Outcome) bool {
		return o.Kind == triage.Communal && o.Trade == "electrical" && len(o.SOR) > 0
	})
	first := e.mustReport(t, tenantIs("P1"), report("R1", leaf)).Repair
	wantState(t, first, repair.StateRaised)
	if first.Property != "B1" || !first.Communal {
		t.Fatalf("it is of %s, communal %t", first.Property, first.Communal)
	}
	e.now.pass(24 * time.Hour)
	second := report("R2", leaf)
	second.Tenancy = "T2"
	got := e.mustReport(t, tenantIs("P3"), second)
	wantState(t, got.Repair, repair.StateDuplicate)
	if got.Repair.Into != "R1" || got.Main == nil || got.Main.State != repair.StateRaised || got.Repair.Contractor != "" {
		t.Fatalf("the duplicate is %+v of %+v", got.Repair, got.Main)
	}
	e.now.pass(time.Hour)
	electrician := contractorIs("electrician")
	e.mustAct(t, electrician, commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "start"})
	done := e.mustAct(t, electrician, commands.ActOnRepair{Repair: "R1", ID: "A2", Action: "complete"}).Repair
	again := e.mustAct(t, tenantIs("P3"), commands.ActOnRepair{Repair: "R2", ID: "N", Action: "note", Note: "thanks"})
	mine := again.Repair.Following(*again.Main)
	for i, r := range []repair.Repair{done, mine} {
		run, _ := r.Clock(repair.ClockCompletion)
		if want := instant("11-23 09:00").Add(time.Duration(i) * 24 * time.Hour); !run.StartedAt.Equal(want) || !run.MetAt.Equal(e.now.Now()) {
			t.Errorf("the clock of %d runs from %v to %v", i, run.StartedAt, run.MetAt)
		}
	}
	third := report("R3", leaf) // the first is done: this is something new
	wantState(t, e.mustReport(t, tenantIs("P2"), third).Repair, repair.StateRaised)
}

func TestMerge_IsOfTheSamePlaceAndCanBeUndone(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	leaf := tap(t)
	e.mustReport(t, tenantIs("P1"), report("R1", leaf))
	e.mustReport(t, tenantIs("P1"), report("R2", leaf))
	elsewhere := report("R3", leaf)
	elsewhere.Tenancy = "T2"
	e.mustReport(t, tenantIs("P3"), elsewhere)
	merge := func(id, into string) error {
		_, err := e.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: id, ID: "M-" + into, Action: "merge", Into: into})
		return err
	}
	for _, into := range []string{"R1", "R-none"} {
		if err := merge("R1", into); !errors.Is(err, domain.ErrUnknownReference) {
			t.Errorf("into %s: got %v, want %v", into, err, domain.ErrUnknownReference)
		}
	}
	if err := merge("R3", "R1"); err == nil {
		t.Error("two homes were merged")
	}
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R2", ID: "A1", Action: "hold_slot", Slot: tuesday})
	got := e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R2", ID: "A2", Action: "merge", Into: "R1"})
	wantState(t, got.Repair, repair.StateDuplicate)
	e.free(t, plumber, tuesday, true)
	if err := merge("R1", "R2"); err == nil {
		t.Error("a repair was merged into its own duplicate")
	}
	parted := e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R2", ID: "A3", Action: "split"})
	wantState(t, parted.Repair, repair.StateRaised)
	if parted.Main != nil || parted.Repair.Into != "" {
		t.Errorf("it is still of %q", parted.Repair.Into)
	}
}
