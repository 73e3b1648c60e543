package demo

import (
	"slices"
	"time"

	"rentbook/commands"
	"rentbook/domain/repair"
)

// The repairs and hazards that the tour goes to.
const (
	WholeStory = "R1"
	Scheduled  = "R2"
	Panel      = "HZ1"
)

// faults are all repairs, in the order in which they are told.
func (p portfolio) faults() []fault {
	var all []fault
	for _, some := range [][]fault{p.mended(), p.underway(), waiting(), settled(), together()} {
		all = append(all, some...)
	}
	return all
}

// booked is a window that the tenant takes soon after the fault was reported.
func booked() step { return step{who: tenant, does: repair.Book, after: 25 * time.Minute} }

// coming is a visit that has not been yet.
func coming() step { return step{who: tenant, does: repair.Book, after: 40 * time.Minute, ahead: true} }

// came is somebody at work, who has the job done within the hour.
func came(note string) []step {
	return []step{started(), {who: worker, does: repair.Complete, after: 50 * time.Minute, with: says("", note)}}
}

func started() step {
	return step{who: worker, does: repair.Start, there: true, after: 15 * time.Minute}
}

func accepted() step { return step{who: worker, does: repair.Accept, after: 10 * time.Minute} }

func confirmed(rating int) step {
	return step{who: tenant, does: repair.Confirm, next: "18:35", with: commands.ActOnRepair{Rating: rating}}
}

func disputed(reason, note string) step {
	return step{who: tenant, does: repair.Dispute, next: "19:05", with: says(reason, note)}
}

func reopened() step {
	return step{who: desk, does: repair.Reopen, next: "09:10", with: says("not_fixed", "Sent back at no cost.")}
}

func says(reason, note string) commands.ActOnRepair {
	return commands.ActOnRepair{Reason: reason, Note: note}
}

// mended are repairs that somebody came for, and what the tenants said then.
func (p portfolio) mended() []fault { //nolint:funlen // a table
	return []fault{
		{
			id: WholeStory, tenancy: p.with(Corrected).ref(), reported: moment{24, "10:05"}, path: "kitchen/sink/taps", answers: "what=drips",
			says: "The hot tap has been dripping since Sunday, all night long.", when: "Mornings, not Wednesdays",
			then: slices.Concat(
				[]step{
					booked(),
					{who: worker, does: repair.NoAccess, there: true, after: 20 * time.Minute, with: commands.ActOnRepair{
						Evidence: "Rang twice, nobody opened; card left.",
					}},
					{who: tenant, does: repair.Book, after: 9 * time.Hour},
				},
				came("New washer."),
				[]step{disputed("not_fixed", "It drips again."), reopened(), booked()},
				came("New cartridge, tested for ten minutes."),
				[]step{confirmed(4)},
			),
			ends: repair.StateConfirmed,
			text: "a dripping tap: nobody in, a washer, a dispute, a second visit, and four stars in the end",
		},
		{
			id: "R3", tenancy: "T1022", reported: moment{9, "08:50"}, path: "bathroom/basin_bath/sealant", answers: "black=no",
			says: "The sealant along the bath has come away.", then: slices.Concat([]step{booked()}, came("Sealant renewed.")),
			ends: repair.StateCompleted, text: "completed; the tenant has not said yet whether it is fixed",
		},
		{
			id: "R4", tenancy: "T1034", reported: moment{11, "12:15"}, path: "bedroom/radiator/control",
			says: "The valve turns but the radiator stays hot.",
			then: slices.Concat([]step{booked()}, came("Valve freed."), []step{disputed("not_fixed", "Still hot at night.")}),
			ends: repair.StateDisputed, text: "completed, and the tenant says it is not",
		},
		{
			id: "R5", tenancy: "T1041", reported: moment{13, "09:30"}, path: "doors_windows/front_door/sticks", answers: "exit=yes",
			says: "The front door only shuts with a kick.",
			then: slices.Concat([]step{booked()}, came("Door eased."), []step{disputed("not_fixed", "It sticks when it rains."), reopened()}),
			ends: repair.StateAccepted, text: "disputed and reopened; the joiner has it again",
		},
		{
			id: "R6", tenancy: "T1014", reported: moment{12, "15:40"}, path: "kitchen/units/door", answers: "new=no part=hinge",
			says: "One hinge of the door under the sink is off.",
			then: slices.Concat([]step{booked()}, came("Hinge renewed."), []step{confirmed(5)}),
			ends: repair.StateConfirmed, text: "one visit, confirmed with five stars",
		},
		{
			id: "R7", tenancy: "T1052", reported: moment{33, "11:10"}, path: "bedroom/window/draught", says: "It whistles when the wind is in the west.",
			then: slices.Concat(
				[]step{booked()}, came("Seals renewed."),
				[]step{confirmed(4), {who: desk, does: repair.Close, next: "16:20"}},
			),
			ends: repair.StateClosed, text: "confirmed, and the record closed",
		},
		{
			id: "R8", tenancy: "T1012", reported: moment{15, "18:20"}, path: "doors_windows/front_door/keys", answers: "why=lost danger=yes",
			says: "Locked out, and the oven is on.",
			then: []step{
				accepted(),
				{who: worker, does: repair.Start, after: 35 * time.Minute},
				{who: worker, does: repair.Complete, after: 40 * time.Minute, with: says("", "Opened, oven off, new cylinder, three keys.")},
				confirmed(5),
			},
			ends: repair.StateConfirmed, text: "an emergency that was over within two hours",
		},
		{
			id: "R9", tenancy: "T1038", reported: moment{30, "09:05"}, path: "bathroom/toilet/not_flushing", answers: "only=no",
			says: "The handle of the small toilet does nothing.",
			then: slices.Concat([]step{booked()}, came("Flush valve adjusted."), []step{
				confirmed(3),
				{who: tenant, does: repair.Recall, on: moment{2, "19:10"}, with: commands.ActOnRepair{
					NewRepair: "R10", Reason: "came_back", Description: "The handle does nothing again.",
				}},
			}),
			ends: repair.StateConfirmed, text: "confirmed, and recalled four weeks later by R10",
		},
		{
			id: "R10", tenancy: "T1038", recalled: true, then: []step{accepted(), coming()},
			ends: repair.StateScheduled, text: "the recall of R9, and the visit for it",
		},
		{
			id: "R30", tenancy: "T1032", reported: moment{27, "07:20"}, path: "heating_hot_water/cylinder/tank_leaks",
			says: "Water comes from under the tank, a cup a day.",
			then: slices.Concat(
				[]step{
					booked(), started(),
					{who: worker, does: repair.Hold, after: 40 * time.Minute, with: says(repair.ReasonParts, "The tank is made to measure.")},
					{who: worker, does: repair.Resume, on: moment{11, "08:30"}},
					booked(),
				},
				came("New tank."),
				[]step{confirmed(2)},
			),
			ends: repair.StateConfirmed, text: "done, but late: waiting for parts stops no clock",
		},
	}
}

// underway are repairs that somebody is to come for, or come back for.
func (p portfolio) underway() []fault {
	return []fault{
		{
			id: Scheduled, tenancy: p.with(Corrected).ref(), reported: moment{3, "20:15"}, path: "bathroom/shower/mixer",
			says: "Either scalding or cold, nothing in between.", when: "After school", then: []step{coming()},
			ends: repair.StateScheduled, text: "a visit is booked; the tenant may still move it or call it off",
		},
		{
			id: "R11", tenancy: "T1010", reported: moment{2, "13:25"}, path: "bedroom/electrics/socket", answers: "state=dead appliance=yes",
			says: "The socket by the bed is dead, the lamp works elsewhere.", then: []step{accepted(), coming()},
			ends: repair.StateScheduled, text: "a visit of the electrician is booked",
		},
		{
			id: "R12", tenancy: "T1019", reported: moment{6, "10:45"}, path: "bathroom/basin_bath/leak", answers: "running=no",
			says: "The cupboard under the basin is wet every morning.",
			then: []step{
				booked(),
				{who: worker, does: repair.NoAccess, there: true, after: 25 * time.Minute, with: commands.ActOnRepair{
					Evidence: "No answer at the door or on the telephone; card left.",
				}},
			},
			ends: repair.StateNoAccess, text: "nobody let the plumber in, and its clock stands still",
		},
		{
			id: "R13", tenancy: "T1020", reported: moment{12, "07:55"}, path: "bathroom/shower/electric", answers: "sole=yes",
			says: "The shower stays cold.",
			then: []step{
				booked(), started(),
				{who: worker, does: repair.Hold, after: 30 * time.Minute, until: 7, with: says(repair.ReasonParts, "Heating element ordered.")},
			},
			ends: repair.StateOnHold, text: "waits for parts, and its clock runs on",
		},
		{
			id: "R14", tenancy: "T1006", reported: moment{9, "14:30"}, path: "kitchen/surfaces/floorboards", answers: "foot=no",
			says: "Two boards creak and give by the door.",
			then: []step{
				booked(), started(),
				{who: worker, does: repair.RequestVariation, after: 20 * time.Minute, with: commands.ActOnRepair{
					Reason: "more_work", Note: "Four more boards are soft, and the skirting.",
					SOR: []repair.Line{{Code: "CAR-010", Quantity: 3}, {Code: "CAR-011", Quantity: 1}},
				}},
				{who: worker, does: repair.Hold, after: 10 * time.Minute, with: says("approval", "")},
			},
			ends: repair.StateOnHold, text: "there is more to do than was ordered, and somebody has to say yes to it",
		},
		{
			id: "R15", tenancy: "T1015", reported: moment{16, "16:05"}, path: "kitchen/cooker/switch", answers: "hot=no",
			says: "The cooker switch clicks and nothing comes on.",
			then: []step{booked(), {who: tenant, does: repair.LandlordMissed, there: true, after: 6 * time.Hour, with: says("nobody_came", "")}},
			ends: repair.StateAccepted, text: "nobody came, and it is overdue",
		},
		{
			id: "R16", tenancy: "T1009", reported: moment{1, "18:40"}, path: "electrics/power/partial", answers: "important=yes",
			says: "Fridge and freezer have no power.",
			then: []step{
				accepted(),
				{who: worker, does: repair.Start, after: 40 * time.Minute},
				{who: worker, does: repair.MakeSafe, after: 50 * time.Minute, with: says("", "Circuit isolated, freezer on the hall socket.")},
			},
			ends: repair.StateMadeSafe, text: "an emergency: made safe the same evening, not done yet",
		},
	}
}

// waiting are repairs that wait for somebody's word.
func waiting() []fault {
	return []fault{
		{
			id: "R17", tenancy: "T1007", reported: moment{1, "09:15"}, path: "kitchen/sink/blocked", answers: "elsewhere=no tried=unable",
			says: "The sink does not empty, and I cannot kneel.", ends: repair.StateRaised,
			text: "raised with the plumber; no visit is booked",
		},
		{
			id: "R18", tenancy: "T1001", reported: moment{2, "11:50"}, path: "bedroom/window/will_not_open", answers: "escape=no",
			says: "Painted shut, I think.", then: []step{accepted()}, ends: repair.StateAccepted,
			text: "the joiner has accepted it; no visit is booked",
		},
		{
			id: "R19", tenancy: "T1005", reported: moment{3, "10:30"}, path: "bathroom/basin_bath/bath_damaged",
			says: "The enamel is off where one stands.", ends: repair.StateAwaitingApproval,
			text: "costs more than may be spent without asking, and waits for an approval",
		},
		{
			id: "R20", tenancy: "T1042", reported: moment{5, "17:45"}, path: "doors_windows/front_door/rotten",
			says: "The bottom of the front door is soft.",
			then: []step{
				{who: head, does: repair.Approve, next: "10:50", with: says("end_of_life", "")}, accepted(), coming(),
			},
			ends: repair.StateScheduled, text: "cost more than may be spent without asking, was approved, and is booked",
		},
		{
			id: "R21", tenancy: "T1058", reported: moment{4, "21:20"}, path: "bathroom/basin_bath/taps", answers: "what=drips",
			says: "De kraan lekt.", ends: repair.StateTriaged, text: "in Gent, where no contractor goes: somebody has to find one",
		},
		{
			id: "R22", tenancy: "T1046", reported: moment{4, "08:35"}, path: "heating_hot_water/heating/controls",
			says: "The thermostat's display is blank.",
			then: []step{
				{who: worker, does: repair.HandBack, after: 3 * time.Hour, with: says("no_capacity", "Nobody free for two weeks.")},
				accepted(), coming(),
			},
			ends: repair.StateScheduled, text: "handed back by one contractor, passed on to the next by the same rule, and booked",
		},
	}
}

// settled are reports that come to no visit.
func settled() []fault {
	return []fault{
		{
			id: "R23", tenancy: "T1025", reported: moment{7, "19:30"}, path: "living_areas/electrics/light", answers: "bulb=yes others=yes",
			says: "The ceiling light is out.",
			then: []step{{who: tenant, does: repair.Cancel, after: 90 * time.Minute, with: says("fixed_itself", "It was the bulb after all.")}},
			ends: repair.StateCancelled, text: "called off by the tenant",
		},
		{
			id: "R24", tenancy: "T1029", reported: moment{8, "20:55"}, path: "kitchen/sink/blocked", answers: "elsewhere=no tried=no",
			says: "The sink empties slowly.", ends: repair.StateNotResponsible, text: "the tenant's own to try first, with advice how",
		},
		{
			id: "R25", tenancy: "T1055", reported: moment{10, "12:40"}, path: "kitchen/window/broken_glass", answers: "own=own",
			says: "A crack across the pane.", ends: repair.StateNotResponsible, text: "a leaseholder's own window",
		},
	}
}

// together are a lift that three people report, and the damp of which a hazard came.
func together() []fault {
	lift := func(id, tenancy, at, answers, says string) fault {
		return fault{
			id: id, tenancy: tenancy, reported: moment{2, at}, path: "communal/lift/dead", answers: "other=no " + answers, says: says,
			ends: repair.StateDuplicate, text: "the same lift: it follows R26 from then on, with a clock of its own",
		}
	}
	first := lift("R26", "T1021", "07:35", "need=no", "The lift of Birch House does not come.")
	first.then = []step{accepted(), {who: worker, does: repair.Book, after: 15 * time.Minute, ahead: true}}
	first.ends, first.text = repair.StateScheduled, "the lift of Birch House, which three people reported"
	return []fault{
		first,
		lift("R27", "T1026", "08:10", "need=no", "Lift dead again."),
		lift("R28", "T1028", "09:25", "need=no", "Stuck on the ground floor, doors open."),
		{
			id: "R29", tenancy: "T1047", reported: moment{6, "21:05"}, path: "damp_mould/mould", answers: "health=no vulnerable=no size=patch",
			says: "A patch of mould behind the wardrobe, as big as a tray.", then: []step{accepted(), coming()},
			ends: repair.StateScheduled, text: "mould: the report made the landlord aware of a hazard, R29:hazard, and its clock runs",
		},
	}
}
