package projections

import (
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/contractor"
	"rentbook/domain/hazard"
	"rentbook/domain/repair"
)

// at is an instant of November 2026 in Greenwich.
func at(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }

func secret(what string) domain.Personal { return domain.NewPersonal(canary + " " + what) }

// days is a target of calendar days that waiting for access stops.
func days(name string, amount int) clock.Target {
	return clock.Target{
		Clock: name, Parameter: "p@2024-01-01", Amount: amount, Unit: clock.CalendarDays, Zone: "Europe/London",
		PausedBy: []string{"access", "tenant"}, Source: "s",
	}
}

func hours(name string, amount int) clock.Target {
	return clock.Target{Clock: name, Parameter: "h@2024-01-01", Amount: amount, Unit: clock.Hours, Zone: "Europe/London", Source: "s"}
}

// everyRepairFact has each fact of a repair once, and what its line says. They follow each other, if
// not as anybody would do it.
func everyRepairFact() ([]repair.Event, []string) {
	step := func(day, hour int) repair.Step {
		return repair.Step{Action: domain.ID("A" + at(day, hour).Format("0215")), At: at(day, hour), Note: secret("note")}
	}
	because := func(reason string, day, hour int) repair.Step {
		s := step(day, hour)
		s.Reason = reason
		return s
	}
	lines := []repair.Line{{Code: "N631321", Quantity: 1, Price: gbp(4500)}}
	facts := []struct {
		fact repair.Event
		says string
	}{
		{
			repair.Reported{
				At: at(2, 9), Tenancy: "T1", Property: "H1", Path: []string{"kitchen", "sink", "taps"}, Tree: "1",
				Description: secret("it drips"), Availability: secret("mornings"), Photos: []domain.ID{"F1"}, RecallOf: "R7", FollowOnOf: "R8",
			},
			"Reported: kitchen, sink, taps; the fault of repair R7 has come back; follows from repair R8.",
		},
		{repair.ContactGiven{Person: "P1", Contact: secret("0123")}, "Contact details were given."},
		{
			repair.Triaged{
				Step: repair.Step{At: at(2, 9)}, Outcome: repair.OutcomeLandlord, Trade: "plumbing", Priority: repair.Normal, SOR: lines,
				Targets: []clock.Target{days(clock.Completion, 28), hours(clock.MakeSafe, 4)},
			},
			"Triaged as a landlord repair: plumbing, normal, N631321 x1; due 30 November 2026; make safe due Mon 2 Nov 2026, 13:00.",
		},
		{
			repair.Assigned{Step: repair.Step{At: at(2, 9)}, Contractor: "C2", Contract: "K1", Explanation: "cheapest of 2 that fit."},
			"Routed to contractor C2: cheapest of 2 that fit.",
		},
		{repair.NobodyFits{Step: repair.Step{At: at(2, 9)}, Explanation: "nobody works there."}, "No contractor found: nobody works there."},
		{
			repair.ApprovalRequested{
				Step: repair.Step{At: at(2, 9)}, By: "token-1", SOR: lines, Cost: gbp(30000), Limit: gbp(25000), Parameter: "approval@2024-01-01",
			},
			"Waits for an approval: it costs 300.00 GBP, and 250.00 GBP may be spent without asking (approval@2024-01-01).",
		},
		{repair.Approved{Step: step(2, 10), By: "token-2"}, "Approved by a manager."},
		{repair.Raised{Step: repair.Step{At: at(2, 10)}, SOR: lines, Cost: gbp(4500)}, "Ordered: N631321 x1, for 45.00 GBP."},
		{repair.Declined{Step: because("void", 2, 11)}, "Declined by a manager (void); the completion clock has ended; the make safe clock has ended."},
		{
			repair.Accepted{Step: step(2, 12)},
			"Accepted by a manager; the completion clock runs on, due 30 November 2026; the make safe clock runs on, due Mon 2 Nov 2026, 13:00.",
		},
		{repair.HandedBack{Step: because("busy", 2, 13), Contractor: "C2"}, "Handed back by contractor C2 (busy)."},
		{
			repair.SlotHeld{Step: step(3, 9), Contractor: "C2", Slot: "S1", From: at(23, 8), To: at(23, 12), Until: at(3, 10)},
			"Held for a manager: Mon 23 Nov 2026, 08:00 to 12:00.",
		},
		{
			repair.VisitBooked{Step: step(3, 9), Visit: "V1", Contractor: "C2", Slot: "S1", From: at(23, 8), To: at(23, 12)},
			"Visit booked for Mon 23 Nov 2026, 08:00 to 12:00.",
		},
		{
			repair.VisitRearranged{Step: step(3, 10), Visit: "V1", By: repair.Tenant, Slot: "S2", From: at(4, 8), To: at(5, 12)},
			"Visit moved by the tenant to Wed 4 Nov 2026, 08:00 to Thu 5 Nov 2026, 12:00.",
		},
		{repair.VisitReminded{At: at(3, 11), Visit: "V1"}, "Reminded of the visit."},
		{
			repair.VisitLost{At: at(3, 12), Visit: "V1", Slot: "S2"},
			"The visit has no place in the contractor's diary any more; another must be booked.",
		},
		{repair.VisitStarted{Step: step(4, 8), Visit: "V2"}, "The contractor is there."},
		{
			repair.AccessFailed{Step: step(4, 9), Visit: "V2", Evidence: secret("the door")},
			"Nobody let the contractor in.", // who came without an appointment
		},
		{repair.VisitMissed{Step: step(5, 9), Visit: "V2"}, "The contractor did not come to the visit."},
		{repair.WaitingForParts{Step: because(repair.ReasonParts, 5, 10), Until: date("2026-11-09")}, "Waiting for parts until 9 November 2026."},
		{repair.PutOnHold{Step: because("tenant", 5, 11)}, "Put on hold (tenant); the completion clock stopped (tenant)."},
		{repair.Resumed{Step: step(6, 9)}, "The work goes on; the completion clock runs on, due 1 December 2026."},
		{
			repair.VariationRequested{Step: because("rot", 6, 10), By: "token-1", SOR: lines, Cost: gbp(9000)},
			"Other work asked for by a manager: N631321 x1, for 90.00 GBP (rot).",
		},
		{repair.VariationApproved{Step: step(6, 11), By: "token-2"}, "The other work was approved by a manager."},
		{repair.VariationRejected{Step: because("cost", 6, 12), By: "token-2"}, "The other work was rejected by a manager (cost)."},
		{repair.WasMadeSafe{Step: step(6, 13)}, "Made safe; the make safe clock is met, late."},
		{
			repair.FollowOnNeeded{Step: because("tiles", 6, 14), Repair: "R3", Trade: "tiling", SOR: lines},
			"More work is needed: tiling, N631321 x1, as repair R3 (tiles).",
		},
		{repair.Completed{Step: step(7, 9)}, "The work is done, says a manager; the completion clock is met."},
		{repair.Confirmed{Step: step(7, 10), Rating: 4}, "Confirmed fixed by a manager, rated 4 of 5."},
		{repair.Disputed{Step: because("leak", 8, 9)}, "A manager disputes that it is fixed (leak); the completion clock runs on, due 1 December 2026."},
		{repair.Reopened{Step: because("leak", 8, 10)}, "Reopened by a manager (leak)."},
		{repair.Closed{Step: step(8, 11)}, "Closed by a manager."},
		{repair.Cancelled{Step: because("moved", 8, 12), By: repair.Tenant}, "Cancelled by the tenant (moved); the completion clock has ended."},
		{repair.Recalled{Step: because("leak", 9, 9), Repair: "R4"}, "The fault has come back: see repair R4 (leak)."},
		{
			repair.Merged{Step: step(9, 10), Into: "R2"},
			"The same as repair R2, and merged into it; the completion clock runs on, due 1 December 2026.",
		},
		{
			repair.Parted{Step: step(9, 11), From: "R2"},
			"Not the same as repair R2, and parted from it; the completion clock has ended.",
		},
		{repair.Noted{Step: step(9, 12)}, "Noted."},
	}
	var all []repair.Event
	var says []string
	for _, f := range facts {
		all, says = append(all, f.fact), append(says, f.says)
	}
	return all, says
}

// everyHazardFact is the same of a hazard.
func everyHazardFact() ([]hazard.Event, []string) {
	step := func(day, hour int) hazard.Step {
		return hazard.Step{Action: domain.ID("A" + at(day, hour).Format("0215")), At: at(day, hour), Note: secret("note")}
	}
	taken := true
	facts := []struct {
		fact hazard.Event
		says string
	}{
		{
			hazard.Recognised{
				Property: "H1", Tenancy: "T1", Kind: "damp_mould", Grade: hazard.Significant, AwareAt: at(2, 9), Channel: hazard.Call,
				Description: secret("black mould"), Repair: "R1", Targets: []clock.Target{days(clock.Investigate, 10)},
			},
			"Aware of a hazard, by call: damp mould, significant; repair R1; investigate due 12 November 2026.",
		},
		{
			hazard.Investigated{Step: step(3, 9), Finding: hazard.Significant, Targets: []clock.Target{
				days(clock.Summary, 3), days(clock.SafetyWork, 5), days(clock.PreventiveWork, 5),
			}},
			"Investigated, which found a significant hazard; the investigate clock is met; summary due 6 November 2026; " +
				"safety work due 8 November 2026; preventive work due 8 November 2026.",
		},
		{hazard.SummarySent{Step: step(3, 10)}, "The tenant has the written summary; the summary clock is met."},
		{hazard.SafetyWorkBegun{Step: step(3, 11)}, "Work to make it safe has begun."},
		{hazard.MadeSafe{Step: step(4, 9)}, "Made safe; the safety work clock is met."},
		{
			hazard.PreventionNotPracticable{Step: step(4, 10), Targets: []clock.Target{days(clock.PreventiveWork, 84)}},
			"Preventive work cannot reasonably begin in time; preventive work due 26 January 2027.",
		},
		{hazard.PreventiveWorkBegun{Step: step(5, 9)}, "Preventive work has begun; the preventive work clock is met."},
		{hazard.WorkCompleted{Step: step(6, 9)}, "All work is complete."},
		{hazard.AccommodationOffered{Step: step(6, 10), Accepted: &taken}, "Other accommodation was offered, and taken."},
		{hazard.AccessRefused{Step: step(6, 11)}, "Nobody let the landlord in."},
		{hazard.EvidenceAdded{Step: hazard.Step{At: at(6, 12), Photos: []domain.ID{"F9"}}}, "Evidence added by a manager."},
		{hazard.Noted{Step: step(6, 13)}, "Noted."},
		{
			hazard.Regraded{Step: step(7, 9), Grade: hazard.Emergency, From: at(7, 9), Targets: []clock.Target{hours(clock.EmergencyMakeSafe, 24)}},
			"Graded anew by a manager: emergency; emergency make safe due Sun 8 Nov 2026, 09:00.",
		},
		{hazard.RepairLinked{Step: step(7, 10), Repair: "R2"}, "Repair R2 is to deal with it."},
		{hazard.RepairUnlinked{Step: step(7, 11), Repair: "R1"}, "Repair R1 has nothing to do with it."},
		{hazard.Closed{Step: step(7, 12)}, "Closed by a manager."},
		{
			hazard.Reopened{Step: step(9, 9), Targets: []clock.Target{days(clock.Investigate, 10)}},
			"Reopened by a manager; investigate due 19 November 2026.",
		},
	}
	var all []hazard.Event
	var says []string
	for _, f := range facts {
		all, says = append(all, f.fact), append(says, f.says)
	}
	return all, says
}

// plumbers are what is said of a contractor.
func plumbers() []contractor.Event {
	return []contractor.Event{
		contractor.Described{
			Name: "Plumbers Ltd", Trades: []string{"plumbing", "heating"}, Areas: []string{"AB1"}, Capacity: 20, Email: secret("mail"),
			Phone: secret("phone"),
		},
		contractor.PricesSet{
			Contract: "K1", From: date("2026-01-01"), To: date("2026-12-31"), Currency: "GBP",
			Prices: []contractor.Price{{Code: "N631321", Price: gbp(4500)}, {Code: "A1", Price: gbp(100)}},
		},
		contractor.AvailabilitySet{
			Windows: []contractor.Window{{Day: "monday", From: "08:00", To: "12:00", Capacity: 2}}, Closed: []domain.Date{date("2026-12-25")},
		},
	}
}

// works records each fact of repairs, hazards and contractors.
func (s *scene) works() {
	s.Helper()
	repairs, _ := everyRepairFact()
	hazards, _ := everyHazardFact()
	given(s, "contractor-C1", plumbers()...)
	given(s, "contractor-C2", plumbers()[0])
	given(s, "repair-R1", repairs...)
	given[repair.Event](s, "repair-R2", repair.Reported{At: at(1, 9), Tenancy: "T1", Property: "H1", Path: []string{"hall"}, Tree: "1", Description: secret("dark")})
	given(s, "hazard-Z1", hazards...)
}
