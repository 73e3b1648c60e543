package commands

import (
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/contractor"
	"rentbook/domain/diary"
	"rentbook/domain/hazard"
	"rentbook/domain/repair"
	"rentbook/eventstore"
)

const (
	goldenRepair     eventstore.Stream = "repair-R1001"
	goldenHazard     eventstore.Stream = "hazard-R1001:hazard"
	goldenContractor eventstore.Stream = "contractor-C1"
	goldenDiary      eventstore.Stream = "diary-C1:2026-11-23"
)

func goldenAt(s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return at
}

const goldenMorning = domain.ID("2026-11-23.0800-1200")

var (
	goldenFrom = goldenAt("2026-11-23T08:00:00Z")
	goldenTo   = goldenAt("2026-11-23T12:00:00Z")
)

// goldenStep is a step in all its parts; goldenFollowed one that nobody asked for.
func goldenStep(doing repair.Action) repair.Step {
	return repair.Step{
		Action: "A1", Doing: doing, At: goldenAt("2026-11-22T14:30:00Z"), Reason: "other",
		Note: goldenText("The door sticks"), Photos: []domain.ID{"0f343b0931126a20f133d67c2b018a3b"},
	}
}

func goldenFollowed() repair.Step { return repair.Step{At: goldenAt("2026-11-22T14:30:00Z")} }

func goldenWork() []repair.Line {
	return []repair.Line{{Code: "PLB-001", Quantity: 2, Price: goldenPounds(41_50)}}
}

func goldenUnpriced() []repair.Line { return []repair.Line{{Code: "PLB-001", Quantity: 1}} }

func goldenTargets() []clock.Target {
	return []clock.Target{{
		Clock: clock.RightToRepairTime, Parameter: "right_to_repair.tap_which_cannot_be_turned@1994-04-01", Amount: 3,
		Unit: clock.WorkingDays, Zone: "Europe/London", Calendar: "england", Holidays: []domain.Date{goldenDay("2026-12-25")},
		HolidaysTo: goldenDay("2027-03-22"), Computed: true, PausedBy: []string{"access"}, Source: "SI 1994/133",
	}}
}

func goldensOfReports() []golden {
	return []golden{
		{
			when:   "Somebody reports that something is broken.",
			stream: goldenRepair,
			full: repair.Reported{
				At: goldenAt("2026-11-22T14:30:00Z"), Tenancy: "T1001", Property: "mill-lane", Communal: true,
				Path: []string{"bathroom", "basin", "tap"}, Answers: []repair.Answer{{Question: "which", Answer: "hot"}},
				Tree: "rentbook-default@2026-11-22", Description: goldenText("The hot tap cannot be turned off"),
				Availability: goldenText("Not on Tuesdays"), Photos: []domain.ID{"0f343b0931126a20f133d67c2b018a3b"},
				RecallOf: "R1000", FollowOnOf: "R999", Hazard: "R1001:hazard",
			},
			least: repair.Reported{
				At: goldenAt("2026-11-22T14:30:00Z"), Property: "mill-lane", Path: []string{"bathroom", "basin", "tap"},
				Tree: "rentbook-default@2026-11-22", Description: goldenText("The hot tap cannot be turned off"),
			},
		},
		{
			when:   "A report says how to reach whoever made it. Sealed with the repair's own key where nobody knows the person.",
			stream: goldenRepair,
			full:   repair.ContactGiven{Person: "P2001", Contact: goldenText("+44 20 7946 0958")},
			least:  repair.ContactGiven{Contact: goldenText("+44 20 7946 0958")},
		},
		{
			when:   "The diagnosis, or a person, says whose a repair is, what is to be done and by when. Its clocks start with the report.",
			stream: goldenRepair,
			full: repair.Triaged{
				Step: goldenStep(repair.Triage), Outcome: repair.OutcomeLandlord, Trade: "plumbing", Priority: repair.Urgent,
				SOR: goldenWork(), Targets: goldenTargets(), Advice: "Turn the stop valve off.", Phone: "08081 570 123",
				Link: "https://example.org/taps", RightToRepair: "tap_which_cannot_be_turned",
				Compensation: &clock.Compensation{
					First: goldenPounds(10_00), PerDay: goldenPounds(2_00), Most: goldenPounds(50_00),
					Parameters: []string{"right_to_repair.compensation.first@1994-04-01"},
				},
			},
			least: repair.Triaged{Step: goldenFollowed(), Outcome: repair.OutcomeTenant},
		},
		{
			when:   "Another repair is about the same thing; this one goes on in it.",
			stream: goldenRepair,
			full:   repair.Merged{Step: goldenStep(repair.Merge), Into: "R1000"},
			least:  repair.Merged{Step: goldenFollowed(), Into: "R1000"},
		},
		{
			when:   "A repair was not about the same thing after all.",
			stream: goldenRepair,
			full:   repair.Parted{Step: goldenStep(repair.Split), From: "R1000"},
			least:  repair.Parted{Step: goldenFollowed(), From: "R1000"},
		},
		{
			when:   "Somebody has something to remember of a repair.",
			stream: goldenRepair,
			full:   repair.Noted{Step: goldenStep(repair.AddNote)},
			least:  repair.Noted{Step: goldenFollowed()},
		},
	}
}

func goldensOfOrders() []golden {
	return []golden{
		{
			when:   "A contractor gets the work, by rule or because somebody chose.",
			stream: goldenRepair,
			full: repair.Assigned{
				Step: goldenStep(repair.Assign), Contractor: "C1", Contract: "2026",
				Explanation: "C1: plumbing, covers everywhere, price list 2026 has PLB-001 at 41.50; the only one that fits.",
			},
			least: repair.Assigned{Step: goldenFollowed(), Contractor: "C1"},
		},
		{
			when:   "No contractor was found, and why.",
			stream: goldenRepair,
			full:   repair.NobodyFits{Step: goldenStep(repair.Raise), Explanation: "Nobody fits: C1 does not do plumbing."},
			least:  repair.NobodyFits{Step: goldenFollowed(), Explanation: "Nobody fits: C1 does not do plumbing."},
		},
		{
			when:   "An order costs more than may be spent without asking, and waits.",
			stream: goldenRepair,
			full: repair.ApprovalRequested{
				Step: goldenStep(repair.Raise), By: "token-1", SOR: goldenWork(), Cost: goldenPounds(830_00),
				Limit: goldenPounds(500_00), Parameter: "spend.limit@2024-01-01",
			},
			least: repair.ApprovalRequested{
				Step: goldenFollowed(), By: "token-1", SOR: goldenUnpriced(), Cost: goldenPounds(830_00),
				Limit: goldenPounds(500_00), Parameter: "spend.limit@2024-01-01",
			},
		},
		{
			when:   "Another person than who asked approves the cost of an order.",
			stream: goldenRepair,
			full:   repair.Approved{Step: goldenStep(repair.Approve), By: "token-2"},
			least:  repair.Approved{Step: goldenFollowed(), By: "token-2"},
		},
		{
			when:   "The order is with the contractor: what is to be done, and for how much.",
			stream: goldenRepair,
			full:   repair.Raised{Step: goldenStep(repair.Raise), SOR: goldenWork(), Cost: goldenPounds(83_00)},
			least:  repair.Raised{Step: goldenFollowed()},
		},
		{
			when:   "The landlord will not do it.",
			stream: goldenRepair,
			full:   repair.Declined{Step: goldenStep(repair.Decline)},
			least:  repair.Declined{Step: goldenFollowed()},
		},
		{
			when:   "The contractor takes the order.",
			stream: goldenRepair,
			full:   repair.Accepted{Step: goldenStep(repair.Accept)},
			least:  repair.Accepted{Step: goldenFollowed()},
		},
		{
			when:   "The contractor does not take the order, or gives it back.",
			stream: goldenRepair,
			full:   repair.HandedBack{Step: goldenStep(repair.HandBack), Contractor: "C1"},
			least:  repair.HandedBack{Step: goldenFollowed(), Contractor: "C1"},
		},
	}
}

func goldensOfVisits() []golden {
	until := goldenAt("2026-11-22T14:45:00Z")
	return []golden{
		{
			when:   "A window is kept for whoever is choosing, for some minutes.",
			stream: goldenRepair,
			full: repair.SlotHeld{
				Step: goldenStep(repair.HoldSlot), Contractor: "C1", Slot: goldenMorning, From: goldenFrom, To: goldenTo, Until: until,
			},
			least: repair.SlotHeld{
				Step: goldenFollowed(), Contractor: "C1", Slot: goldenMorning, From: goldenFrom, To: goldenTo, Until: until,
			},
		},
		{
			when:   "An appointment is made.",
			stream: goldenRepair,
			full: repair.VisitBooked{
				Step: goldenStep(repair.Book), Visit: "A1", Contractor: "C1", Slot: goldenMorning, From: goldenFrom, To: goldenTo,
			},
			least: repair.VisitBooked{
				Step: goldenFollowed(), Visit: "A1", Contractor: "C1", Slot: goldenMorning, From: goldenFrom, To: goldenTo,
			},
		},
		{
			when:   "An appointment is moved, and who moved it.",
			stream: goldenRepair,
			full: repair.VisitRearranged{
				Step: goldenStep(repair.Rebook), Visit: "A1", By: repair.Tenant, Slot: goldenMorning, From: goldenFrom, To: goldenTo,
			},
			least: repair.VisitRearranged{
				Step: goldenFollowed(), Visit: "A1", By: repair.Tenant, Slot: goldenMorning, From: goldenFrom, To: goldenTo,
			},
		},
		{
			when:   "The tenant is reminded of an appointment that is near.",
			stream: goldenRepair,
			full:   repair.VisitReminded{At: goldenAt("2026-11-22T14:30:00Z"), Visit: "A1"},
		},
		{
			when:   "The contractor's diary did not keep an appointment: somebody else has the place.",
			stream: goldenRepair,
			full:   repair.VisitLost{At: goldenAt("2026-11-22T14:30:00Z"), Visit: "A1", Slot: goldenMorning},
		},
		{
			when:   "The contractor is there, with an appointment or without.",
			stream: goldenRepair,
			full:   repair.VisitStarted{Step: goldenStep(repair.Start), Visit: "A1"},
			least:  repair.VisitStarted{Step: goldenFollowed()},
		},
		{
			when:   "Nobody let the contractor in, and what shows it.",
			stream: goldenRepair,
			full:   repair.AccessFailed{Step: goldenStep(repair.NoAccess), Visit: "A1", Evidence: goldenText("Card 17 left, photo of the door")},
			least:  repair.AccessFailed{Step: goldenFollowed(), Evidence: goldenText("Card 17 left, photo of the door")},
		},
		{
			when:   "The landlord's side did not keep an appointment.",
			stream: goldenRepair,
			full:   repair.VisitMissed{Step: goldenStep(repair.LandlordMissed), Visit: "A1"},
			least:  repair.VisitMissed{Step: goldenFollowed(), Visit: "A1"},
		},
	}
}

func goldensOfWork() []golden {
	return []golden{
		{
			when:   "The work waits for parts.",
			stream: goldenRepair,
			full:   repair.WaitingForParts{Step: goldenStep(repair.Hold), Until: goldenDay("2026-12-01")},
			least:  repair.WaitingForParts{Step: goldenFollowed()},
		},
		{
			when:   "The work waits for another reason.",
			stream: goldenRepair,
			full:   repair.PutOnHold{Step: goldenStep(repair.Hold), Until: goldenDay("2026-12-01")},
			least:  repair.PutOnHold{Step: goldenFollowed()},
		},
		{
			when:   "The wait is over.",
			stream: goldenRepair,
			full:   repair.Resumed{Step: goldenStep(repair.Resume)},
			least:  repair.Resumed{Step: goldenFollowed()},
		},
		{
			when:   "Somebody asks for other work than was ordered.",
			stream: goldenRepair,
			full:   repair.VariationRequested{Step: goldenStep(repair.RequestVariation), By: "token-3", SOR: goldenWork(), Cost: goldenPounds(83_00)},
			least:  repair.VariationRequested{Step: goldenFollowed(), By: "token-3", SOR: goldenUnpriced()},
		},
		{
			when:   "Another person than who asked makes the other work the order.",
			stream: goldenRepair,
			full:   repair.VariationApproved{Step: goldenStep(repair.ApproveVariation), By: "token-1"},
			least:  repair.VariationApproved{Step: goldenFollowed(), By: "token-1"},
		},
		{
			when:   "The order stays as it was.",
			stream: goldenRepair,
			full:   repair.VariationRejected{Step: goldenStep(repair.RejectVariation), By: "token-1"},
			least:  repair.VariationRejected{Step: goldenFollowed(), By: "token-1"},
		},
		{
			when:   "The danger is gone, though the repair is not done.",
			stream: goldenRepair,
			full:   repair.WasMadeSafe{Step: goldenStep(repair.MakeSafe)},
			least:  repair.WasMadeSafe{Step: goldenFollowed()},
		},
		{
			when:   "One visit was not enough; perhaps another trade has to come, for a repair of its own.",
			stream: goldenRepair,
			full:   repair.FollowOnNeeded{Step: goldenStep(repair.FollowOn), Repair: "R1002", Trade: "plastering", SOR: goldenWork()},
			least:  repair.FollowOnNeeded{Step: goldenFollowed()},
		},
	}
}

func goldensOfEnds() []golden {
	return []golden{
		{
			when:   "The contractor says that the work is done.",
			stream: goldenRepair,
			full:   repair.Completed{Step: goldenStep(repair.Complete)},
			least:  repair.Completed{Step: goldenFollowed()},
		},
		{
			when:   "The tenant says that it is fixed.",
			stream: goldenRepair,
			full:   repair.Confirmed{Step: goldenStep(repair.Confirm), Rating: 4},
			least:  repair.Confirmed{Step: goldenFollowed()},
		},
		{
			when:   "The tenant says that it is not. The clocks run on.",
			stream: goldenRepair,
			full:   repair.Disputed{Step: goldenStep(repair.Dispute)},
			least:  repair.Disputed{Step: goldenFollowed()},
		},
		{
			when:   "What had ended is taken up again.",
			stream: goldenRepair,
			full:   repair.Reopened{Step: goldenStep(repair.Reopen)},
			least:  repair.Reopened{Step: goldenFollowed()},
		},
		{
			when:   "The record of a repair that was done ends.",
			stream: goldenRepair,
			full:   repair.Closed{Step: goldenStep(repair.Close)},
			least:  repair.Closed{Step: goldenFollowed()},
		},
		{
			when:   "A repair ends without having been done, and whose wish that was.",
			stream: goldenRepair,
			full:   repair.Cancelled{Step: goldenStep(repair.Cancel), By: repair.Tenant},
			least:  repair.Cancelled{Step: goldenFollowed(), By: repair.Tenant},
		},
		{
			when:   "The fault came back; another repair is linked to this one.",
			stream: goldenRepair,
			full:   repair.Recalled{Step: goldenStep(repair.Recall), Repair: "R1002"},
			least:  repair.Recalled{Step: goldenFollowed(), Repair: "R1002"},
		},
	}
}

// goldenHazardStep is a step of a hazard in all its parts; goldenHazardLeast has none that may be left out.
func goldenHazardStep() hazard.Step {
	return hazard.Step{
		Action: "A1", At: goldenAt("2026-11-24T09:00:00Z"), Reason: "other", Note: goldenText("Black mould behind the bed"),
		Photos: []domain.ID{"0f343b0931126a20f133d67c2b018a3b"},
	}
}

func goldenHazardLeast() hazard.Step {
	return hazard.Step{Action: "A1", At: goldenAt("2026-11-24T09:00:00Z")}
}

func goldensOfHazards() []golden {
	yes := true
	return []golden{
		{
			when:   "The landlord becomes aware of what may be a hazard, by whatever channel. The first clock runs from here.",
			stream: goldenHazard,
			full: hazard.Recognised{
				Property: "14-mill-lane", Tenancy: "T1001", Kind: "damp_mould", Grade: hazard.Significant,
				AwareAt: goldenAt("2026-11-22T14:30:00Z"), Channel: hazard.Portal, Description: goldenText("Mould in the bedroom"),
				Repair: "R1001", Targets: goldenTargets(),
			},
			least: hazard.Recognised{
				Property: "14-mill-lane", Kind: "damp_mould", Grade: hazard.Significant, AwareAt: goldenAt("2026-11-22T14:30:00Z"),
				Channel: hazard.Portal,
			},
		},
		{
			when:   "An investigation is over. The summary and the work that its finding asks for are owed from here.",
			stream: goldenHazard,
			full:   hazard.Investigated{Step: goldenHazardStep(), Finding: hazard.Significant, Renewed: true, Targets: goldenTargets()},
			least:  hazard.Investigated{Step: goldenHazardLeast(), Finding: hazard.None},
		},
		{
			when:   "The tenant has the written summary of the investigation.",
			stream: goldenHazard,
			full:   hazard.SummarySent{Step: goldenHazardStep()},
			least:  hazard.SummarySent{Step: goldenHazardLeast()},
		},
		{
			when:   "The hazard is graver, or less grave, than was thought.",
			stream: goldenHazard,
			full: hazard.Regraded{
				Step: goldenHazardStep(), Grade: hazard.Emergency, From: goldenAt("2026-11-24T09:00:00Z"), Targets: goldenTargets(),
			},
			least: hazard.Regraded{Step: goldenHazardLeast(), Grade: hazard.Emergency, From: goldenAt("2026-11-24T09:00:00Z")},
		},
		{
			when:   "The household is offered another place to stay.",
			stream: goldenHazard,
			full:   hazard.AccommodationOffered{Step: goldenHazardStep(), Accepted: &yes},
			least:  hazard.AccommodationOffered{Step: goldenHazardLeast()},
		},
		{
			when:   "Nobody let the landlord in, and what was tried. No clock stops.",
			stream: goldenHazard,
			full:   hazard.AccessRefused{Step: goldenHazardStep()},
			least:  hazard.AccessRefused{Step: goldenHazardLeast()},
		},
		{
			when:   "There is proof of a step, or of how it looks there.",
			stream: goldenHazard,
			full:   hazard.EvidenceAdded{Step: goldenHazardStep()},
			least:  hazard.EvidenceAdded{Step: goldenHazardLeast()},
		},
		{
			when:   "Somebody has something to remember of a hazard.",
			stream: goldenHazard,
			full:   hazard.Noted{Step: goldenHazardStep()},
			least:  hazard.Noted{Step: goldenHazardLeast()},
		},
	}
}

func goldensOfHazardWork() []golden {
	return []golden{
		{
			when:   "The work that makes the home safe begins. It meets no clock.",
			stream: goldenHazard,
			full:   hazard.SafetyWorkBegun{Step: goldenHazardStep()},
			least:  hazard.SafetyWorkBegun{Step: goldenHazardLeast()},
		},
		{
			when:   "The work that makes the home safe is complete.",
			stream: goldenHazard,
			full:   hazard.MadeSafe{Step: goldenHazardStep()},
			least:  hazard.MadeSafe{Step: goldenHazardLeast()},
		},
		{
			when:   "Preventive work cannot reasonably begin within five working days, and why: its clock has twelve weeks then.",
			stream: goldenHazard,
			full:   hazard.PreventionNotPracticable{Step: goldenHazardStep(), Targets: goldenTargets()},
			least:  hazard.PreventionNotPracticable{Step: goldenHazardLeast()},
		},
		{
			when:   "Work against the hazard's return begins.",
			stream: goldenHazard,
			full:   hazard.PreventiveWorkBegun{Step: goldenHazardStep()},
			least:  hazard.PreventiveWorkBegun{Step: goldenHazardLeast()},
		},
		{
			when:   "All work on the hazard is complete.",
			stream: goldenHazard,
			full:   hazard.WorkCompleted{Step: goldenHazardStep()},
			least:  hazard.WorkCompleted{Step: goldenHazardLeast()},
		},
		{
			when:   "A repair is meant to deal with the hazard.",
			stream: goldenHazard,
			full:   hazard.RepairLinked{Step: goldenHazardStep(), Repair: "R1001"},
			least:  hazard.RepairLinked{Step: goldenHazardLeast(), Repair: "R1001"},
		},
		{
			when:   "A repair is not meant to deal with the hazard after all.",
			stream: goldenHazard,
			full:   hazard.RepairUnlinked{Step: goldenHazardStep(), Repair: "R1001"},
			least:  hazard.RepairUnlinked{Step: goldenHazardLeast(), Repair: "R1001"},
		},
		{
			when:   "The record of a hazard ends. No clock stops.",
			stream: goldenHazard,
			full:   hazard.Closed{Step: goldenHazardStep()},
			least:  hazard.Closed{Step: goldenHazardLeast()},
		},
		{
			when:   "The hazard is back, or was never gone: its duties begin again.",
			stream: goldenHazard,
			full:   hazard.Reopened{Step: goldenHazardStep(), Targets: goldenTargets()},
			least:  hazard.Reopened{Step: goldenHazardLeast()},
		},
	}
}

func goldensOfContractors() []golden {
	return []golden{
		{
			when:   "Somebody says who a contractor is, the first time or another.",
			stream: goldenContractor,
			full: contractor.Described{
				Name: "Harbour Plumbing Ltd", Trades: []string{"plumbing"}, Areas: []string{"postcode:LS6"}, Capacity: 20,
				Email: goldenText("office@example.org"), Phone: goldenText("+44 20 7946 0123"), Retired: true,
			},
			least: contractor.Described{Name: "Harbour Plumbing Ltd", Trades: []string{"plumbing"}},
		},
		{
			when:   "The price list of a contract is given, the first time or another.",
			stream: goldenContractor,
			full: contractor.PricesSet{
				Contract: "2026", From: goldenDay("2026-04-01"), To: goldenDay("2027-03-31"), Currency: "GBP",
				Prices: []contractor.Price{{Code: "PLB-001", Price: goldenPounds(41_50)}},
			},
			least: contractor.PricesSet{
				Contract: "2026", From: goldenDay("2026-04-01"), Currency: "GBP",
				Prices: []contractor.Price{{Code: "PLB-001", Price: goldenPounds(41_50)}},
			},
		},
		{
			when:   "A contractor's windows are given as a whole. What is booked stays booked.",
			stream: goldenContractor,
			full: contractor.AvailabilitySet{
				Windows: []contractor.Window{{Day: "monday", From: "08:00", To: "12:00", Capacity: 2}},
				Closed:  []domain.Date{goldenDay("2026-12-28")},
				Opened:  []contractor.Opening{{Date: goldenDay("2026-11-28"), From: "09:00", To: "13:00", Capacity: 1}},
			},
			least: contractor.AvailabilitySet{},
		},
	}
}

func goldensOfDiaries() []golden {
	return []golden{
		{
			when:   "A place in a window is kept for a repair until a time; after it, it just no longer counts.",
			stream: goldenDiary,
			full:   diary.SlotHeld{Repair: "R1001", Slot: goldenMorning, Until: goldenAt("2026-11-22T14:45:00Z")},
		},
		{
			when:   "A place in a window is a repair's until it is given back.",
			stream: goldenDiary,
			full:   diary.SlotConfirmed{Repair: "R1001", Slot: goldenMorning},
		},
		{
			when:   "A place in a window is given back.",
			stream: goldenDiary,
			full:   diary.SlotReleased{Repair: "R1001", Slot: goldenMorning, Why: "given_up"},
		},
	}
}
