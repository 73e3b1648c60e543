package commands_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/domain/triage"
)

// What a hostile reviewer found, and how it is now.

func TestReviewed_WhoHasMovedOutDoesNothingAnyMore(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.mustReport(t, tenantIs("P1"), report("R1", tap(t)))
	_, err := e.PutTenant(t.Context(), expect(manager(), 3), commands.PutTenant{
		Tenancy: "T1", Person: "P2", Name: "Ben", LiableFrom: "2026-01-01", LiableTo: "2026-11-20",
	})
	check(t, err)
	_, err = e.ActOnRepair(t.Context(), tenantIs("P2"), commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "cancel", Reason: "spite"})
	if !errors.Is(err, repair.ErrNotReported) {
		t.Errorf("who has left: got %v, want %v", err, repair.ErrNotReported)
	}
	_, err = e.PutTenancy(t.Context(), expect(manager(), 1), commands.PutTenancy{
		Tenancy: "T1", Property: "H1", Kind: "secure", StartsOn: "2026-01-01", EndsOn: "2026-11-22", Currency: "GBP",
	})
	check(t, err)
	if _, err = e.ReportRepair(t.Context(), tenantIs("P1"), report("R2", tap(t))); err == nil {
		t.Error("a former tenant reports a repair in the home of others")
	}
}

// lift is a lift that stands still.
func lift(t testing.TB) triage.Leaf {
	t.Helper()
	return way(t, func(o triage.Outcome) bool { return o.Kind == triage.Communal && o.Trade == "lifts" })
}

func expect(m commands.Meta, version uint64) commands.Meta {
	m.Expect = &version
	return m
}

// Many report the same lift at once: one of them is the repair, the others are its duplicates.
func TestReviewed_ManyReportOneLift(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.hire(t, "lifter", "lifts")
	handlers := []*commands.Handler{e.Handler, e.at(e.log, nil)} // two processes
	const many = 12
	var wait sync.WaitGroup
	for i := range many {
		wait.Go(func() {
			c := report(fmt.Sprintf("R%d", i), lift(t))
			c.Tenancy, c.Property = "", "B1"
			if _, err := handlers[i%len(handlers)].ReportRepair(t.Context(), manager(), c); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	open := 0
	for i := range many {
		if r := e.repair(t, domain.ID(fmt.Sprintf("R%d", i))); r.State != repair.StateDuplicate {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d repairs of one lift", open)
	}
}

func TestReviewed_CapacityHoldsWhileManyReport(t *testing.T) {
	t.Parallel()
	e := bareEstate(t)
	_, err := e.PutContractor(t.Context(), manager(), commands.PutContractor{Contractor: "plumber", Name: "x", Trades: []string{"plumbing"}, Capacity: 2})
	check(t, err)
	var wait sync.WaitGroup
	for i := range 10 {
		wait.Go(func() {
			if _, err := e.ReportRepair(t.Context(), tenantIs("P1"), report(fmt.Sprintf("R%d", i), tap(t))); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	raised := 0
	for i := range 10 {
		if e.repair(t, domain.ID(fmt.Sprintf("R%d", i))).State == repair.StateRaised {
			raised++
		}
	}
	if raised != 2 {
		t.Errorf("%d repairs with a contractor who takes two", raised)
	}
}

func TestReviewed_OthersReportIsNotOnesToCancel(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.hire(t, "lifter", "lifts")
	for id, who := range map[string]string{"RA": "P1", "RB": "P3"} {
		c := report(id, lift(t))
		c.Tenancy = map[string]string{"P1": "T1", "P3": "T2"}[who]
		e.mustReport(t, tenantIs(who), c)
	}
	main, duplicate, who, other := "RA", "RB", "P1", "P3"
	if e.repair(t, "RA").State == repair.StateDuplicate {
		main, duplicate, who, other = "RB", "RA", "P3", "P1"
	}
	_, err := e.ActOnRepair(t.Context(), tenantIs(who), commands.ActOnRepair{Repair: main, ID: "A1", Action: "cancel", Reason: "moving"})
	if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || refusal.Code != "repair.shared" {
		t.Errorf("got %v", err)
	}
	parted := e.mustAct(t, tenantIs(other), commands.ActOnRepair{Repair: duplicate, ID: "A1", Action: "split", Reason: "other_lift"}).Repair
	wantState(t, parted, repair.StateTriaged)
}

func TestReviewed_AnEmergencyWaitsForNoApproval(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.prices(t, "plumber", "900.00")
	e.prices(t, "plumber2", "901.00")
	wantState(t, e.mustReport(t, tenantIs("P1"), report("R1", tap(t))).Repair, repair.StateAwaitingApproval)
	e.mustReport(t, manager(), report("R2", tap(t)))
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R2", ID: "A0", Action: "decline", Reason: "x"})
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R2", ID: "A1", Action: "reopen", Reason: "x"})
	wantState(t, e.mustAct(t, manager(), commands.ActOnRepair{
		Repair: "R2", ID: "A2", Action: "triage", Outcome: "emergency", Trade: "plumbing",
	}).Repair, repair.StateRaised)
}

// Staff enter what they were told earlier: the clocks run from then. A tenant cannot choose when.
func TestReviewed_AReportCountsFromWhenItWasMade(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	told := report("R1", tap(t))
	told.At = "2026-11-20T16:00:00Z"
	if _, err := e.ReportRepair(t.Context(), tenantIs("P1"), told); err == nil {
		t.Error("a tenant chooses when they reported")
	}
	r := e.mustReport(t, manager(), told).Repair
	for _, c := range r.Clocks {
		if !c.StartedAt.Equal(instant("11-20 16:00")) {
			t.Errorf("%s runs from %s", c.Target.Clock, c.StartedAt)
		}
	}
	told.At = "0001-01-01T00:00:00Z"
	if _, err := e.ReportRepair(t.Context(), manager(), told); !errors.Is(err, domain.ErrDate) {
		t.Errorf("the zero time: got %v, want %v", err, domain.ErrDate)
	}
}

// A repair that staff report by the home is its tenants' too.
func TestReviewed_AHomeHasTenants(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.open.resident = "T1"
	c := report("R1", tap(t))
	c.Tenancy, c.Property = "", "H1"
	if r := e.mustReport(t, manager(), c).Repair; r.Tenancy != "T1" {
		t.Errorf("it is of %q", r.Tenancy)
	}
	again, err := e.ReportRepair(t.Context(), manager(), c)
	if err != nil || !again.Replayed {
		t.Errorf("again: %v, %+v", err, again.Receipt)
	}
}

func TestReviewed_HazardsAreWhereTheyAre(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.mustReport(t, tenantIs("P3"), func() commands.ReportRepair { c := report("R1", tap(t)); c.Tenancy = "T2"; return c }())
	hazard := commands.RecogniseHazard{Hazard: "HZ1", Tenancy: "T1", Property: "H2", Kind: "damp_mould", Grade: "significant", Channel: "call"}
	if _, err := e.RecogniseHazard(t.Context(), manager(), hazard); !isElsewhere(err) {
		t.Errorf("another's home: got %v", err)
	}
	hazard.Property = ""
	_, err := e.RecogniseHazard(t.Context(), manager(), hazard)
	check(t, err)
	if _, err := e.ActOnHazard(t.Context(), manager(), commands.ActOnHazard{Hazard: "HZ1", ID: "A1", Action: "link", Repair: "R1"}); !isElsewhere(err) {
		t.Errorf("a repair of another home: got %v", err)
	}
}

func isElsewhere(err error) bool {
	refusal, ok := errors.AsType[*domain.Refusal](err)
	return ok && refusal.Code == "elsewhere"
}

func TestReviewed_AgreedPricesAreNotNamedAnew(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.mustReport(t, tenantIs("P1"), report("R1", tap(t)))
	e.mustAct(t, contractorIs(plumber), commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "accept"})
	work := e.repair(t, "R1").SOR
	_, err := e.ActOnRepair(t.Context(), contractorIs(plumber), commands.ActOnRepair{
		Repair: "R1", ID: "A2", Action: "request_variation", Reason: "more", Cost: "1.00", SOR: []repair.Line{{Code: work[0].Code, Quantity: 3}},
	})
	if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || refusal.Code != "repair.agreed" {
		t.Errorf("got %v", err)
	}
	if slices.ContainsFunc(work, func(l repair.Line) bool { return l.Price.Currency == "" }) {
		t.Error("the work has no price")
	}
}

// What is not sealed has no room for sentences.
func TestReviewed_WordsAreWords(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.mustReport(t, tenantIs("P1"), report("R1", tap(t)))
	for field, act := range map[string]commands.ActOnRepair{
		"trade": {Action: "triage", Outcome: "landlord", Priority: "normal", Trade: "ask Ada at 3"},
		"sor":   {Action: "request_variation", Reason: "more", SOR: []repair.Line{{Code: "Ada is rude"}}},
	} {
		act.Repair, act.ID = "R1", "A-"+field
		_, err := e.ActOnRepair(t.Context(), manager(), act)
		if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || refusal.Field != field || refusal.Class != domain.Invalid {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

// A line without a price does not hide what the others cost.
func TestReviewed_OneUnpricedLineHidesNothing(t *testing.T) {
	t.Parallel()
	e := bareEstate(t)
	priced := e.mustReport(t, tenantIs("P1"), report("R2", tap(t))).Repair.SOR[0].Code // nobody fits
	e.hire(t, "plumber", "plumbing")
	e.prices(t, "plumber", "40.00")
	work := []repair.Line{{Code: priced, Quantity: 100}, {Code: "UNPRICED", Quantity: 1}}
	r := e.mustAct(t, manager(), commands.ActOnRepair{
		Repair: "R2", ID: "A3", Action: "triage", Outcome: "landlord", Trade: "plumbing", Priority: "normal", SOR: work, Contractor: string(plumber),
	}).Repair
	wantState(t, r, repair.StateAwaitingApproval)
}
