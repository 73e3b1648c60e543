package repair_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/domaintest"
	"rentbook/domain/repair"
)

type (
	reports = domaintest.Example[repair.Event, repair.Report]
	acts    = domaintest.Example[repair.Event, repair.Act]
	asks    = domaintest.Example[repair.Event, repair.Remind]
)

// do is an act that the rows ask for; its id is "A-new".
func do(action repair.Action, role repair.Role, now string, changes ...func(*repair.Act)) repair.Act {
	by := map[repair.Role]string{repair.Tenant: "T", repair.Contractor: "C", repair.Manager: "M1", repair.Operator: "O"}
	a := repair.Act{ID: "A-new", Action: action, Role: role, By: by[role], Now: at(now), RecallDays: 90}
	for _, change := range changes {
		change(&a)
	}
	return a
}

func reason(code string) func(*repair.Act)      { return func(a *repair.Act) { a.Reason = code } }
func backTo(when string) func(*repair.Act)      { return func(a *repair.Act) { a.At = at(when) } }
func by(actor string) func(*repair.Act)         { return func(a *repair.Act) { a.By = actor } }
func noted(words string) func(*repair.Act)      { return func(a *repair.Act) { a.Note = text(words) } }
func ending(g repair.Routing) func(*repair.Act) { return func(a *repair.Act) { a.Routing = g } }

func slot(id domain.ID, from, to string) func(*repair.Act) {
	return func(a *repair.Act) {
		a.Slot = id
		a.Window = repair.Slot{ID: id, Contractor: "C1", From: at(from), To: at(to), Until: a.Now.Add(15 * time.Minute)}
	}
}

func evidence(words string) func(*repair.Act) {
	return func(a *repair.Act) { a.Evidence = text(words) }
}

func report(changes ...func(*repair.Report)) repair.Report {
	p := repair.Report{
		Now: at("03-02 09:00"), Tenancy: "T1", Property: "P1", Path: []string{"kitchen", "tap"}, Tree: "tree-1",
		Description: text("The tap drips"), By: "T",
		Triage: repair.Diagnosis{Outcome: repair.OutcomeLandlord, Trade: "plumbing", Priority: repair.Normal, SOR: work("TAP")},
		Routing: repair.Routing{
			Contractor: "C1", Contract: "K1", Explanation: "the only one", SOR: work("TAP"), Cost: pounds(4000), Limit: pounds(50000),
			Parameter: "spend.limit@2024-01-01",
		},
	}
	for _, change := range changes {
		change(&p)
	}
	return p
}

func diagnosed(d repair.Diagnosis) func(*repair.Report) {
	return func(p *repair.Report) { p.Triage = d }
}

// target is a parameter of the shipped policy, applied to a start.
func target(t *testing.T, name, start string) clock.Target {
	t.Helper()
	made, err := clock.Default().Target(name, domain.DateOf(at(start)), at(start), "Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func reading(t *testing.T, r repair.Repair, name, now string) clock.Reading {
	t.Helper()
	for _, reading := range r.Readings(at(now)) {
		if reading.Clock == name {
			return reading
		}
	}
	t.Fatalf("there is no clock %s", name)
	return clock.Reading{}
}

func wantReading(t *testing.T, r repair.Repair, name, now, due string, breached, paused bool) {
	t.Helper()
	got := reading(t, r, name, now)
	if !got.DueAt.Equal(at(due).Add(59*time.Second)) || got.Breached != breached || got.Paused != paused {
		t.Errorf("%s at %s: want due %s, breached %v, paused %v; got %+v", name, now, due, breached, paused, got)
	}
}

func TestRepair_Report_R8_1_says_first_whose_it_is(t *testing.T) {
	t.Parallel()
	own := repair.Diagnosis{Outcome: repair.OutcomeTenant, Trade: "plumbing", Advice: "Fit a new washer.", Link: "https://advice.example/washer"}
	lease := repair.Diagnosis{Outcome: repair.OutcomeLeaseholder, Advice: "Your lease says so."}
	hall := repair.Diagnosis{Outcome: repair.OutcomeCommunal, Trade: "electrical", Priority: repair.Normal}
	fact := reportedFact()
	triaged := func(d repair.Diagnosis) repair.Triaged {
		return repair.Triaged{
			Step: followed("03-02 09:00"), Outcome: d.Outcome, Trade: d.Trade, Priority: d.Priority, SOR: d.SOR, Advice: d.Advice, Link: d.Link,
		}
	}
	reachable, backDated := fact, fact
	backDated.At = at("03-01 20:00")
	costly := repair.ApprovalRequested{
		Step: followed("03-02 09:00"), By: "T", SOR: work("TAP"), Cost: pounds(50001), Limit: pounds(50000), Parameter: "spend.limit@2024-01-01",
	}
	domaintest.Examples(
		t, repair.Repair.Report,
		reports{
			Name: "the landlord's is triaged, assigned and ordered at once", When: report(),
			Then: raised(),
		},
		reports{
			Name: "the tenant's own is recorded, with advice, and ordered from nobody", When: report(diagnosed(own)),
			Then: []repair.Event{fact, triaged(own)},
		},
		reports{
			Name: "a leaseholder's own is recorded, with advice, and ordered from nobody", When: report(diagnosed(lease)),
			Then: []repair.Event{fact, triaged(lease)},
		},
		reports{
			Name: "what is communal is the landlord's", When: report(diagnosed(hall)),
			Then: []repair.Event{fact, triaged(hall), assignedFact(), raisedFact()},
		},
		reports{
			Name: "it waits for a person where nobody fits", When: report(func(p *repair.Report) {
				p.Routing = repair.Routing{Explanation: "nobody has the trade"}
			}),
			Then: unplaced(),
		},
		reports{
			Name: "a penny more than may be spent waits for an approval", When: report(func(p *repair.Report) { p.Routing.Cost = pounds(50001) }),
			Then: []repair.Event{fact, triagedFact(), assignedFact(), costly},
		},
		reports{
			Name: "what may just be spent does not", When: report(func(p *repair.Report) { p.Routing.Cost = pounds(50000) }),
			Then: []repair.Event{
				fact, triagedFact(), assignedFact(), repair.Raised{Step: followed("03-02 09:00"), SOR: work("TAP"), Cost: pounds(50000)},
			},
		},
		reports{
			Name: "work without an agreed price has no limit to be over", When: report(func(p *repair.Report) { p.Routing.Cost = domain.Money{} }),
			Then: []repair.Event{fact, triagedFact(), assignedFact(), repair.Raised{Step: followed("03-02 09:00"), SOR: work("TAP")}},
		},
		reports{
			Name: "a duplicate is triaged, for its own clock, and ordered from nobody", When: report(func(p *repair.Report) { p.Into = "R0" }),
			Then: []repair.Event{fact, triagedFact(), repair.Merged{Step: followed("03-02 09:00"), Into: "R0"}},
		},
		reports{
			Name: "a contact is a fact of its own", When: report(func(p *repair.Report) { p.Contact, p.Person = text("07700 900001"), "ANN" }),
			Then: with([]repair.Event{reachable, repair.ContactGiven{Person: "ANN", Contact: text("07700 900001")}}, raised()[1:]...),
		},
		reports{
			Name: "it may have been reported before it was entered", When: report(diagnosed(lease), func(p *repair.Report) { p.At = at("03-01 20:00") }),
			Then: []repair.Event{backDated, repair.Triaged{Step: followed("03-01 20:00"), Outcome: lease.Outcome, Advice: lease.Advice}},
		},
		reports{
			Name: "it is not reported tomorrow", When: report(func(p *repair.Report) { p.At = at("03-02 09:01") }),
			Err: repair.ErrFuture,
		},
	)
	for _, d := range []repair.Diagnosis{own, lease} {
		r := fold(fact, triaged(d))
		if r.State != repair.StateNotResponsible || r.State.Class() != repair.ClosedUnresolved || r.Advice != d.Advice || r.Link != d.Link {
			t.Errorf("%s: %s, with the advice %q", d.Outcome, r.State, r.Advice)
		}
	}
	if r := fold(fact, triaged(hall)); !r.Communal {
		t.Error("what is communal is not marked so")
	}
}

func TestReport_knows_itself_whatever_a_rule_made_of_it(t *testing.T) {
	t.Parallel()
	recorded := reportedFact()
	recorded.Answers = []repair.Answer{{Question: "hot", Answer: "yes"}, {Question: "since", Answer: "monday"}}
	same := report(func(p *repair.Report) {
		p.Answers = []repair.Answer{{Question: "since", Answer: "monday"}, {Question: "hot", Answer: "yes"}}
		p.Now, p.Tree, p.Triage, p.Routing, p.Property = at("03-09 09:00"), "tree-2", repair.Diagnosis{}, repair.Routing{}, ""
	})
	if !same.Matches(recorded) || same.Matches(triagedFact()) {
		t.Error("the same report, a week and a tree later, is not known; or in any fact")
	}
	if same.Recorded(repair.Repair{}) != nil {
		t.Error("it is recorded where nothing is")
	}
	for name, change := range map[string]func(*repair.Report){
		"tenancy": func(p *repair.Report) { p.Tenancy = "T2" }, "property": func(p *repair.Report) { p.Property = "P2" },
		"at": func(p *repair.Report) { p.At = at("03-01 09:00") }, "path": func(p *repair.Report) { p.Path = []string{"kitchen"} },
		"answers": func(p *repair.Report) { p.Answers = p.Answers[1:] }, "description": func(p *repair.Report) { p.Description = text("x") },
		"availability": func(p *repair.Report) { p.Availability = text("x") }, "photos": func(p *repair.Report) { p.Photos = []domain.ID{"F1"} },
		"recall of": func(p *repair.Report) { p.RecallOf = "R0" }, "follow-on of": func(p *repair.Report) { p.FollowsOn = "R0" },
	} {
		other := same
		if change(&other); other.Matches(recorded) {
			t.Errorf("another %s is taken for the same report", name)
		}
	}
}

func TestRepair_Take_R8_1_lets_staff_decide_whose_it_is(t *testing.T) {
	t.Parallel()
	fits := repair.Routing{Contractor: "C1", Explanation: "the only one", SOR: work("TAP"), Cost: pounds(4000)}
	asTenants := func(a *repair.Act) {
		a.Outcome, a.Triage = repair.OutcomeTenant, repair.Diagnosis{Outcome: repair.OutcomeTenant, Advice: "Yours."}
	}
	asOurs := func(a *repair.Act) {
		a.Outcome = repair.OutcomeLandlord
		a.Triage = repair.Diagnosis{Outcome: repair.OutcomeLandlord, Trade: "plumbing", Priority: repair.Normal, SOR: work("TAP")}
		a.Routing = fits
	}
	tenants := []repair.Event{
		reportedFact(),
		repair.Triaged{Step: followed("03-02 09:00"), Outcome: repair.OutcomeTenant, Trade: "plumbing", Advice: "Yours."},
	}
	takenUp := with(tenants, repair.Reopened{Step: because(asked(repair.Reopen, "A-reopen", "03-03 09:00"), "inspected")})
	ours := repair.Triaged{
		Step: asked(repair.Triage, "A-new", "03-04 09:00"), Outcome: repair.OutcomeLandlord, Trade: "plumbing", Priority: repair.Normal, SOR: work("TAP"),
	}
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{
			Name: "nobody's repair can be worked on", When: do(repair.Triage, repair.Manager, "03-04 09:00"), Err: repair.ErrNotReported,
		},
		acts{
			Name: "a triage says whose it is", Given: reported(), When: do(repair.Triage, repair.Manager, "03-04 09:00"),
			Err: domain.ErrMissing.In("outcome"),
		},
		acts{
			Name: "a triage as the landlord's orders it", Given: reported(), When: do(repair.Triage, repair.Manager, "03-04 09:00", asOurs),
			Then: []repair.Event{
				ours,
				repair.Assigned{Step: followed("03-04 09:00"), Contractor: "C1", Explanation: "the only one"},
				repair.Raised{Step: followed("03-04 09:00"), SOR: work("TAP"), Cost: pounds(4000)},
			},
		},
		acts{
			Name: "what is the landlord's needs a trade", Given: reported(),
			When: do(repair.Triage, repair.Manager, "03-04 09:00", asOurs, func(a *repair.Act) { a.Triage.Trade = "" }),
			Err:  domain.ErrMissing.In("trade"),
		},
		acts{
			Name: "what is the landlord's needs a priority", Given: reported(),
			When: do(repair.Triage, repair.Manager, "03-04 09:00", asOurs, func(a *repair.Act) { a.Triage.Priority = "" }),
			Err:  domain.ErrMissing.In("priority"),
		},
		acts{
			Name: "an inspection may find that it is the tenant's own", Given: unplaced(),
			When: do(repair.Triage, repair.Manager, "03-04 09:00", asTenants, reason("own_item")),
			Then: []repair.Event{repair.Triaged{
				Step: because(asked(repair.Triage, "A-new", "03-04 09:00"), "own_item"), Outcome: repair.OutcomeTenant, Advice: "Yours.",
			}},
		},
		acts{
			Name: "or, taken up again, that it is the landlord's after all", Given: takenUp, When: do(repair.Triage, repair.Operator, "03-04 09:00", asOurs),
			Then: []repair.Event{
				ours,
				repair.Assigned{Step: followed("03-04 09:00"), Contractor: "C1", Explanation: "the only one"},
				repair.Raised{Step: followed("03-04 09:00"), SOR: work("TAP"), Cost: pounds(4000)},
			},
		},
		acts{
			Name: "until then nothing is ordered by rule", Given: takenUp, When: do(repair.Raise, repair.Manager, "03-04 09:00", ending(fits)),
			Err: repair.ErrNotAllowed,
		},
		acts{
			Name: "nor from a contractor that somebody chose", Given: takenUp,
			When: do(repair.Assign, repair.Manager, "03-04 09:00", ending(fits), func(a *repair.Act) { a.Contractor = "C1" }),
			Err:  repair.ErrNotAllowed,
		},
		acts{
			Name: "what was not triaged is not ordered either", Given: takenUp[:1], When: do(repair.Raise, repair.Manager, "03-04 09:00", ending(fits)),
			Err: repair.ErrNotAllowed,
		},
		acts{
			Name: "a refusal of the work says why", Given: unplaced(), When: do(repair.Decline, repair.Manager, "03-04 09:00", reason("no_fault_found")),
			Then: []repair.Event{repair.Declined{Step: because(asked(repair.Decline, "A-new", "03-04 09:00"), "no_fault_found")}},
		},
		acts{
			Name: "and must", Given: unplaced(), When: do(repair.Decline, repair.Manager, "03-04 09:00"), Err: domain.ErrMissing.In("reason"),
		},
		acts{
			Name: "a tenant cannot triage", Given: unplaced(), When: do(repair.Triage, repair.Tenant, "03-04 09:00", asOurs), Err: repair.ErrNotAllowed,
		},
		acts{
			Name: "nor can who has no role here", Given: unplaced(), When: do(repair.Triage, "auditor", "03-04 09:00", asOurs), Err: repair.ErrNotAllowed,
		},
	)
}

func TestRepair_R8_3_promises_what_the_version_in_force_promised(t *testing.T) {
	t.Parallel()
	policy, err := clock.Parse([]byte(`
jurisdiction: england
parameters:
  priority.normal:
    clock: completion
    versions:
      - {from: 2024-01-01, calendar_days: 28, source: the old policy}
      - {from: 2026-07-01, calendar_days: 20, source: the new policy}
calendars:
  england:
    zone: Europe/London
    source: none
    years:
      - {year: 2026, source: none, days: [{date: 2026-01-01, name: New Year}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for start, want := range map[string]struct{ due, parameter, source string }{
		"03-02 09:00": {"03-30 22:59", "priority.normal@2024-01-01", "the old policy"}, // the clocks on the wall go forward on 29 March
		"06-30 09:00": {"07-28 22:59", "priority.normal@2024-01-01", "the old policy"},
		"07-01 09:00": {"07-21 22:59", "priority.normal@2026-07-01", "the new policy"},
	} {
		target, err := policy.Target("priority.normal", domain.DateOf(at(start)), at(start), "")
		if err != nil {
			t.Fatal(err)
		}
		report, triage := reportedFact(), triagedFact(target)
		report.At, triage.At = at(start), at(start)
		r := fold(stored(t, report), stored(t, triage))
		wantReading(t, r, "completion", "12-01 09:00", want.due, true, false)
		if got := reading(t, r, "completion", "12-01 09:00"); got.Parameter != want.parameter || !strings.Contains(got.Explanation, want.source) {
			t.Errorf("reported %s: %s says %s", start, got.Parameter, got.Explanation)
		}
	}
}

func TestRepair_R8_3_gives_heating_a_day_in_winter_and_three_in_summer(t *testing.T) {
	t.Parallel()
	for start, due := range map[string]string{
		"03-02 09:00": "03-03 23:59",
		"03-06 17:00": "03-09 23:59", // over a weekend
		"04-30 12:00": "05-01 22:59", // the last day of winter
		"05-01 12:00": "05-07 22:59", // the first of summer; the 4th is a bank holiday
		"06-01 09:00": "06-04 22:59",
		"10-31 12:00": "11-04 23:59",
		"11-01 12:00": "11-02 23:59",
	} {
		report, triage := reportedFact(), triagedFact(target(t, "right_to_repair.heating", start))
		report.At, triage.At = at(start), at(start)
		wantReading(t, fold(report, triage), "right_to_repair", start, due, false, false)
	}
}

// right is a council tenant's boiler: to be done by Tuesday night.
func right(t *testing.T, more ...repair.Event) repair.Repair {
	t.Helper()
	owed, err := clock.Default().Compensation(date("2026-03-02"))
	if err != nil {
		t.Fatal(err)
	}
	triage := triagedFact(target(t, "right_to_repair.heating", "03-02 09:00"))
	triage.RightToRepair, triage.Compensation = "heating", &owed
	history := with([]repair.Event{reportedFact(), triage, assignedFact(), raisedFact()}, more...)
	for i := range history {
		history[i] = stored(t, history[i])
	}
	return fold(history...)
}

func assigned(contractor domain.ID, when string) repair.Event {
	return repair.Assigned{Step: asked(repair.Assign, domain.ID("A-"+contractor), when), Contractor: contractor}
}

func handedBack(contractor domain.ID, when string) repair.Event {
	return repair.HandedBack{Step: because(asked(repair.HandBack, domain.ID("A-back-"+contractor), when), "busy"), Contractor: contractor}
}

func TestRepair_RightToRepairAt_R8_3_owes_once_a_second_contractor_is_late_too(t *testing.T) {
	t.Parallel()
	again := repair.Raised{Step: followed("03-06 09:00"), SOR: work("TAP")}
	start := repair.VisitStarted{Step: asked(repair.Start, "A-start", "03-13 09:00"), Visit: "A-start"}
	done := repair.Completed{Step: asked(repair.Complete, "A-done", "03-13 10:00")}
	booked := repair.VisitBooked{
		Step: asked(repair.Book, "A-b", "03-03 10:00"), Visit: "A-b", Contractor: "C1", Slot: "S1", From: at("03-05 08:00"), To: at("03-05 12:00"),
	}
	shut := repair.AccessFailed{Step: asked(repair.NoAccess, "A-shut", "03-05 10:00"), Evidence: text("a photo")}
	for _, c := range []struct {
		rule   string
		then   []repair.Event
		now    string
		second string // when a second one got it
		late   int
		owed   int64
	}{
		{"the first period is not over", nil, "03-03 23:59", "", 0, 0},
		{"the first is missed, and nobody else instructed", nil, "03-20 12:00", "", 0, 0},
		{"a second has as long again", []repair.Event{assigned("C2", "03-06 09:00"), again}, "03-09 23:59", "03-06 09:00", 0, 0},
		{"the first day late", []repair.Event{assigned("C2", "03-06 09:00"), again}, "03-10 00:30", "03-06 09:00", 1, 1200},
		{"late by four days when done", []repair.Event{assigned("C2", "03-06 09:00"), again, start, done}, "04-20 12:00", "03-06 09:00", 4, 1800},
		{"never more than fifty pounds", []repair.Event{assigned("C2", "03-06 09:00"), again}, "06-01 12:00", "03-06 09:00", 84, 5000},
		{"not after nobody let them in", []repair.Event{booked, shut, assigned("C2", "03-06 09:00"), again}, "06-01 12:00", "03-06 09:00", 84, 0},
		{"a second before the first is late is the first", []repair.Event{assigned("C2", "03-03 09:00"), again}, "03-20 12:00", "", 0, 0},
		{"a third after both is not the second", []repair.Event{
			assigned("C2", "03-06 09:00"), again, assigned("C3", "03-12 09:00"), again,
		}, "03-13 12:00", "03-06 09:00", 4, 1800},
		{"the first again is no second", []repair.Event{handedBack("C1", "03-05 09:00"), assigned("C1", "03-06 09:00"), again}, "03-20 12:00", "", 0, 0},
		{"another after the first gave up is", []repair.Event{
			handedBack("C1", "03-05 09:00"), assigned("C2", "03-06 09:00"), again,
		}, "03-10 12:00", "03-06 09:00", 1, 1200},
		{"what is owed stands still once it is cancelled", []repair.Event{
			assigned("C2", "03-06 09:00"), again, repair.Cancelled{Step: because(asked(repair.Cancel, "A-c", "03-10 12:00"), "moved_out")},
		}, "06-01 12:00", "03-06 09:00", 1, 1200},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			r := right(t, c.then...)
			got, ok := r.RightToRepairAt(at(c.now))
			var second time.Time
			if c.second != "" {
				second = at(c.second)
			}
			if !ok || !r.SecondAt.Equal(second) || got.DaysLate != c.late || got.Compensation != pounds(c.owed) {
				t.Errorf("second at %s, %+v", r.SecondAt, got)
			}
		})
	}
	if _, ok := fold(raised()...).RightToRepairAt(at("03-20 12:00")); ok {
		t.Error("a repair without the right has it")
	}
}

func TestRepair_Take_R8_5_offers_holds_confirms_and_attends(t *testing.T) {
	t.Parallel()
	booked := repair.VisitBooked{
		Step: asked(repair.Book, "A-new", "03-02 12:00"), Visit: "A-new", Contractor: "C1", Slot: "S2", From: at("03-05 08:00"), To: at("03-05 12:00"),
	}
	moved := func(role repair.Role) repair.VisitRearranged {
		return repair.VisitRearranged{
			Step: asked(repair.Rebook, "A-new", "03-03 12:00"), Visit: "A-book", By: role, Slot: "S2", From: at("03-05 08:00"), To: at("03-05 12:00"),
		}
	}
	thursday := slot("S2", "03-05 08:00", "03-05 12:00")
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{
			Name: "a tenant holds a slot while choosing", Given: accepted(), When: do(repair.HoldSlot, repair.Tenant, "03-02 12:00", thursday),
			Then: []repair.Event{repair.SlotHeld{
				Step: asked(repair.HoldSlot, "A-new", "03-02 12:00"), Contractor: "C1", Slot: "S2", From: at("03-05 08:00"), To: at("03-05 12:00"),
				Until: at("03-02 12:15"),
			}},
		},
		acts{
			Name: "a tenant books it", Given: accepted(), When: do(repair.Book, repair.Tenant, "03-02 12:00", thursday),
			Then: []repair.Event{booked},
		},
		acts{Name: "a visit has a slot", Given: accepted(), When: do(repair.Book, repair.Tenant, "03-02 12:00"), Err: domain.ErrMissing.In("slot")},
		acts{Name: "a repair has one visit at a time", Given: scheduled(), When: do(repair.Book, repair.Tenant, "03-02 12:00", thursday), Err: repair.ErrNotAllowed},
		acts{
			Name: "it is rearranged by the tenant", Given: scheduled(), When: do(repair.Rebook, repair.Tenant, "03-03 12:00", thursday),
			Then: []repair.Event{moved(repair.Tenant)},
		},
		acts{
			Name: "or by the contractor, and that is not the same", Given: scheduled(), When: do(repair.Rebook, repair.Contractor, "03-03 12:00", thursday),
			Then: []repair.Event{moved(repair.Contractor)},
		},
		acts{
			Name: "to another time", Given: scheduled(), When: do(repair.Rebook, repair.Tenant, "03-03 12:00", slot("S1", "03-04 08:00", "03-04 12:00")),
			Err: repair.ErrNotAllowed.In("slot"),
		},
		acts{
			Name: "somebody comes to the visit", Given: scheduled(), When: do(repair.Start, repair.Contractor, "03-04 08:30"),
			Then: []repair.Event{repair.VisitStarted{Step: asked(repair.Start, "A-new", "03-04 08:30"), Visit: "A-book"}},
		},
		acts{
			Name: "somebody comes without one", Given: raised(), When: do(repair.Start, repair.Contractor, "03-02 10:00"),
			Then: []repair.Event{repair.VisitStarted{Step: asked(repair.Start, "A-new", "03-02 10:00"), Visit: "A-new"}},
		},
		acts{
			Name: "nobody came, says the tenant", Given: scheduled(), When: do(repair.LandlordMissed, repair.Tenant, "03-04 13:00"),
			Then: []repair.Event{repair.VisitMissed{Step: asked(repair.LandlordMissed, "A-new", "03-04 13:00"), Visit: "A-book"}},
		},
		acts{
			Name: "not while they may still come", Given: scheduled(), When: do(repair.LandlordMissed, repair.Tenant, "03-04 11:59"), Err: repair.ErrNotAllowed,
		},
		acts{
			Name: "nor after somebody came", Given: attending(), When: do(repair.LandlordMissed, repair.Tenant, "03-04 13:00"), Err: repair.ErrNotAllowed,
		},
		acts{
			Name: "the contractor does not say it of themselves", Given: scheduled(), When: do(repair.LandlordMissed, repair.Contractor, "03-04 13:00"),
			Err: repair.ErrNotAllowed,
		},
		acts{
			Name: "a contractor says yes once", Given: accepted(), When: do(repair.Accept, repair.Contractor, "03-02 12:00"), Err: repair.ErrNotAllowed,
		},
		acts{
			Name: "or no, and the next one gets it", Given: scheduled(), When: do(repair.HandBack, repair.Contractor, "03-02 12:00", reason("busy"),
				ending(repair.Routing{Contractor: "C2", Explanation: "next", SOR: work("TAP"), Cost: pounds(4500)})),
			Then: []repair.Event{
				repair.HandedBack{Step: because(asked(repair.HandBack, "A-new", "03-02 12:00"), "busy"), Contractor: "C1"},
				repair.Assigned{Step: followed("03-02 12:00"), Contractor: "C2", Explanation: "next"},
				repair.Raised{Step: followed("03-02 12:00"), SOR: work("TAP"), Cost: pounds(4500)},
			},
		},
		acts{
			Name: "the next one may cost more than may be spent", Given: accepted(), When: do(repair.HandBack, repair.Contractor, "03-02 12:00", reason("busy"),
				ending(repair.Routing{Contractor: "C2", SOR: work("TAP"), Cost: pounds(90000), Limit: pounds(50000), Parameter: "p"})),
			Then: []repair.Event{
				repair.HandedBack{Step: because(asked(repair.HandBack, "A-new", "03-02 12:00"), "busy"), Contractor: "C1"},
				repair.Assigned{Step: followed("03-02 12:00"), Contractor: "C2"},
				repair.ApprovalRequested{Step: followed("03-02 12:00"), By: "C", SOR: work("TAP"), Cost: pounds(90000), Limit: pounds(50000), Parameter: "p"},
			},
		},
		acts{
			Name: "staff give it to another", Given: scheduled(), When: do(repair.Assign, repair.Manager, "03-02 12:00",
				func(a *repair.Act) { a.Contractor = "C2" }, ending(repair.Routing{Contractor: "C2", SOR: work("TAP")})),
			Then: []repair.Event{
				repair.Assigned{Step: asked(repair.Assign, "A-new", "03-02 12:00"), Contractor: "C2"},
				repair.Raised{Step: followed("03-02 12:00"), SOR: work("TAP")},
			},
		},
		acts{
			Name: "not to whom it is with", Given: scheduled(), When: do(repair.Assign, repair.Manager, "03-02 12:00",
				func(a *repair.Act) { a.Contractor = "C1" }, ending(repair.Routing{Contractor: "C1"})),
			Err: repair.ErrNotAllowed,
		},
	)
}

func TestRepair_Visit_R8_5_is_one_after_the_other_and_each_ends_as_it_ended(t *testing.T) {
	t.Parallel()
	status := func(facts ...repair.Event) string {
		r := fold(with(scheduled(), facts...)...)
		return string(r.State) + ": " + r.Visits[0].Status
	}
	start := repair.VisitStarted{Step: asked(repair.Start, "A1", "03-04 09:00"), Visit: "A-book"}
	for want, got := range map[string]string{
		"scheduled: booked":    status(),
		"attending: attending": status(start),
		"completed: attended":  status(start, repair.Completed{Step: asked(repair.Complete, "A2", "03-04 10:00")}),
		"made_safe: attended":  status(start, repair.WasMadeSafe{Step: asked(repair.MakeSafe, "A2", "03-04 10:00")}),
		"accepted: attended":   status(start, repair.FollowOnNeeded{Step: asked(repair.FollowOn, "A2", "03-04 10:00")}),
		"on_hold: attended":    status(start, repair.WaitingForParts{Step: because(asked(repair.Hold, "A2", "03-04 10:00"), "parts")}),
		"on_hold: withdrawn":   status(repair.PutOnHold{Step: because(asked(repair.Hold, "A2", "03-03 10:00"), "weather")}),
		"no_access: no_access": status(repair.AccessFailed{Step: asked(repair.NoAccess, "A1", "03-04 09:00"), Visit: "A-book"}),
		"accepted: missed":     status(repair.VisitMissed{Step: asked(repair.LandlordMissed, "A1", "03-04 13:00"), Visit: "A-book"}),
		"accepted: lost":       status(repair.VisitLost{At: at("03-03 09:00"), Visit: "A-book", Slot: "S1"}),
		"triaged: withdrawn":   status(handedBack("C1", "03-03 09:00")),
		"raised: withdrawn":    status(assigned("C2", "03-03 09:00"), raisedFact()),
		"cancelled: withdrawn": status(repair.Cancelled{Step: because(asked(repair.Cancel, "A1", "03-03 09:00"), "gone")}),
	} {
		if got != want {
			t.Errorf("want %s, got %s", want, got)
		}
	}
}

func TestRepair_Lose_R8_5_a_conflict_in_the_diary_is_a_fact(t *testing.T) {
	t.Parallel()
	lost := repair.VisitLost{At: at("03-02 11:05"), Visit: "A-book", Slot: "S1"}
	domaintest.Examples(
		t, repair.Repair.Lose,
		asks{Name: "the visit is off, the repair is not", Given: scheduled(), When: repair.Remind{Visit: "A-book", At: at("03-02 11:05")}, Then: []repair.Event{lost}},
		asks{
			Name: "not before it was booked, whatever the other machine's clock says", Given: scheduled(), When: repair.Remind{Visit: "A-book", At: at("03-02 10:00")},
			Then: []repair.Event{repair.VisitLost{At: at("03-02 11:00"), Visit: "A-book", Slot: "S1"}},
		},
		asks{Name: "another visit is not lost for it", Given: scheduled(), When: repair.Remind{Visit: "A-other", At: at("03-02 11:05")}},
		asks{Name: "nor one that has begun", Given: attending(), When: repair.Remind{Visit: "A-book", At: at("03-04 09:00")}},
		asks{Name: "nor one that was not made", Given: accepted(), When: repair.Remind{Visit: "", At: at("03-04 09:00")}},
		asks{Name: "nor twice", Given: with(scheduled(), lost), When: repair.Remind{Visit: "A-book", At: at("03-04 09:00")}},
	)
	r := fold(with(scheduled(), lost)...)
	if _, stands := r.Visit(); stands || r.State != repair.StateAccepted || r.Contractor != "C1" {
		t.Errorf("after a lost visit: %s with %s", r.State, r.Contractor)
	}
	if _, err := r.Take(do(repair.Book, repair.Tenant, "03-02 12:00", slot("S2", "03-05 08:00", "03-05 12:00"))); err != nil {
		t.Errorf("another cannot be booked: %v", err)
	}
}

func TestRepair_Remind_R8_5_is_once_for_each_time_that_was_agreed(t *testing.T) {
	t.Parallel()
	reminded := repair.VisitReminded{At: at("03-03 08:00"), Visit: "A-book"}
	rearranged := repair.VisitRearranged{
		Step: asked(repair.Rebook, "A-move", "03-03 12:00"), Visit: "A-book", By: repair.Tenant, Slot: "S2", From: at("03-05 08:00"), To: at("03-05 12:00"),
	}
	ask := repair.Remind{Visit: "A-book", At: at("03-03 08:00")}
	domaintest.Examples(
		t, repair.Repair.Remind,
		asks{Name: "of a visit that stands", Given: scheduled(), When: ask, Then: []repair.Event{reminded}},
		asks{Name: "once", Given: with(scheduled(), reminded), When: ask},
		asks{
			Name: "again, when it was rearranged", Given: with(scheduled(), reminded, rearranged), When: repair.Remind{Visit: "A-book", At: at("03-04 08:00")},
			Then: []repair.Event{repair.VisitReminded{At: at("03-04 08:00"), Visit: "A-book"}},
		},
		asks{Name: "not of another", Given: scheduled(), When: repair.Remind{Visit: "A-other", At: at("03-03 08:00")}},
		asks{Name: "not of one that is going on", Given: attending(), When: ask},
		asks{Name: "not of none", Given: accepted(), When: repair.Remind{At: at("03-03 08:00")}},
	)
	if ask.Matches(reminded) {
		t.Error("it is compared, though nothing was asked by anybody")
	}
}

func TestRepair_Take_R8_6_no_access_is_shown_counted_and_may_end_it(t *testing.T) {
	t.Parallel()
	twice := with(
		noAccess(),
		repair.VisitBooked{Step: asked(repair.Book, "A-book2", "03-05 09:00"), Visit: "A-book2", Contractor: "C1", Slot: "S3", From: at("03-06 08:00"), To: at("03-06 12:00")},
		repair.AccessFailed{Step: asked(repair.NoAccess, "A-none2", "03-06 09:00"), Visit: "A-book2", Evidence: text("called twice")},
	)
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{
			Name: "nobody let them in, and this shows it", Given: scheduled(),
			When: do(repair.NoAccess, repair.Contractor, "03-04 08:30", evidence("card left"), func(a *repair.Act) { a.Photos = []domain.ID{"F1"} }),
			Then: []repair.Event{repair.AccessFailed{
				Step:  repair.Step{Action: "A-new", Doing: repair.NoAccess, At: at("03-04 08:30"), Photos: []domain.ID{"F1"}},
				Visit: "A-book", Evidence: text("card left"),
			}},
		},
		acts{Name: "without evidence it is a claim", Given: scheduled(), When: do(repair.NoAccess, repair.Contractor, "03-04 08:30"), Err: domain.ErrMissing.In("evidence")},
		acts{
			Name: "not without a visit", Given: accepted(), When: do(repair.NoAccess, repair.Contractor, "03-04 08:30", evidence("card left")),
			Err: repair.ErrNotAllowed,
		},
		acts{Name: "the tenant does not say it", Given: scheduled(), When: do(repair.NoAccess, repair.Tenant, "03-04 08:30", evidence("x")), Err: repair.ErrNotAllowed},
		acts{
			Name: "a second date is made", Given: noAccess(), When: do(repair.Book, repair.Contractor, "03-04 09:00", slot("S3", "03-06 08:00", "03-06 12:00")),
			Then: []repair.Event{repair.VisitBooked{
				Step: asked(repair.Book, "A-new", "03-04 09:00"), Visit: "A-new", Contractor: "C1", Slot: "S3", From: at("03-06 08:00"), To: at("03-06 12:00"),
			}},
		},
		acts{
			Name: "after a second failed visit staff may cancel", Given: twice, When: do(repair.Cancel, repair.Manager, "03-06 10:00", reason("no_access")),
			Then: []repair.Event{repair.Cancelled{Step: because(asked(repair.Cancel, "A-new", "03-06 10:00"), "no_access"), By: repair.Manager}},
		},
		acts{
			Name: "the contractor may not", Given: twice, When: do(repair.Cancel, repair.Contractor, "03-06 10:00", reason("no_access")), Err: repair.ErrNotAllowed,
		},
	)
	if r := fold(twice...); r.NoAccess != 2 || r.State != repair.StateNoAccess {
		t.Errorf("%s after %d visits that nobody let in", r.State, r.NoAccess)
	}
}

func TestRepair_Take_R8_7_cancels_with_an_actor_and_a_reason(t *testing.T) {
	t.Parallel()
	cancelled := func(role repair.Role, when string) []repair.Event {
		return []repair.Event{repair.Cancelled{Step: because(asked(repair.Cancel, "A-new", when), "moved_out"), By: role}}
	}
	cancel := func(role repair.Role, when string) repair.Act {
		return do(repair.Cancel, role, when, reason("moved_out"))
	}
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{Name: "a tenant cancels what waits", Given: scheduled(), When: cancel(repair.Tenant, "03-03 09:00"), Then: cancelled(repair.Tenant, "03-03 09:00")},
		acts{Name: "not while somebody works on it", Given: attending(), When: cancel(repair.Tenant, "03-04 09:00"), Err: repair.ErrNotAllowed},
		acts{Name: "staff may even then", Given: attending(), When: cancel(repair.Operator, "03-04 09:00"), Then: cancelled(repair.Operator, "03-04 09:00")},
		acts{Name: "nobody cancels what is done", Given: completed(), When: cancel(repair.Operator, "03-05 09:00"), Err: repair.ErrNotAllowed},
		acts{Name: "nobody cancels without a reason", Given: raised(), When: do(repair.Cancel, repair.Tenant, "03-03 09:00"), Err: domain.ErrMissing.In("reason")},
		acts{
			Name: "what was cancelled is taken up again by staff", Given: with(scheduled(), cancelled(repair.Tenant, "03-03 09:00")...),
			When: do(repair.Reopen, repair.Manager, "03-03 10:00", reason("mistake"), func(a *repair.Act) { a.ID = "A-again" }),
			Then: []repair.Event{repair.Reopened{Step: because(asked(repair.Reopen, "A-again", "03-03 10:00"), "mistake")}},
		},
		acts{
			Name: "not by the tenant, who reports it anew", Given: with(scheduled(), cancelled(repair.Tenant, "03-03 09:00")...),
			When: do(repair.Reopen, repair.Tenant, "03-03 10:00", reason("mistake")), Err: repair.ErrNotAllowed,
		},
	)
}

func TestRepair_Take_R8_7_refuses_in_words_that_help(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		given []repair.Event
		act   repair.Act
	}{
		"the repair is attending, which does not allow close; allowed now: no_access, hold, request_variation, make_safe, follow_on, complete, cancel, note": {
			attending(), do(repair.Close, repair.Manager, "03-04 09:00"),
		},
		"the repair is completed, which does not allow cancel; allowed now: confirm, dispute, recall, note": {
			completed(), do(repair.Cancel, repair.Tenant, "03-05 09:00", reason("x")),
		},
		"the repair is raised, which does not allow complete; allowed now: accept, hand_back, hold_slot, book, start, hold, note": {
			raised(), do(repair.Complete, repair.Contractor, "03-05 09:00"),
		},
		"a variation is pending: it must be approved or rejected first": {
			with(attending(), repair.VariationRequested{Step: asked(repair.RequestVariation, "A-v", "03-04 09:00"), By: "C", SOR: work("TILE")}),
			do(repair.Complete, repair.Contractor, "03-05 09:00"),
		},
		"at: is before the last thing that happened, at 2026-03-04T10:00:00Z": {
			completed(), do(repair.Confirm, repair.Tenant, "03-05 09:00", backTo("03-04 09:59")),
		},
	} {
		if _, err := fold(c.given...).Take(c.act); err == nil || err.Error() != want {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestRepair_R8_8_completed_is_not_closed_is_not_fixed(t *testing.T) {
	t.Parallel()
	due := target(t, "priority.urgent", "03-02 09:00") // seven days: the end of 9 March
	dispute := repair.Disputed{Step: because(asked(repair.Dispute, "A-dispute", "03-05 09:00"), "still_leaks")}
	confirmed := repair.Confirmed{Step: asked(repair.Confirm, "A-yes", "03-05 09:00"), Rating: 4}
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{
			Name: "the contractor says that it is done", Given: attending(), When: do(repair.Complete, repair.Contractor, "03-04 10:00"),
			Then: []repair.Event{repair.Completed{Step: asked(repair.Complete, "A-new", "03-04 10:00")}},
		},
		acts{
			Name: "the tenant says that it is fixed", Given: completed(), When: do(repair.Confirm, repair.Tenant, "03-05 09:00", func(a *repair.Act) { a.Rating = 4 }),
			Then: []repair.Event{repair.Confirmed{Step: asked(repair.Confirm, "A-new", "03-05 09:00"), Rating: 4}},
		},
		acts{
			Name: "or that it is not", Given: completed(), When: do(repair.Dispute, repair.Tenant, "03-05 09:00", reason("still_leaks")),
			Then: []repair.Event{repair.Disputed{Step: because(asked(repair.Dispute, "A-new", "03-05 09:00"), "still_leaks")}},
		},
		acts{
			Name: "even after saying that it is", Given: with(completed(), confirmed), When: do(repair.Dispute, repair.Tenant, "03-06 09:00", reason("again")),
			Then: []repair.Event{repair.Disputed{Step: because(asked(repair.Dispute, "A-new", "03-06 09:00"), "again")}},
		},
		acts{
			Name: "staff end the record of what was done", Given: completed(), When: do(repair.Close, repair.Manager, "03-05 09:00"),
			Then: []repair.Event{repair.Closed{Step: asked(repair.Close, "A-new", "03-05 09:00")}},
		},
		acts{Name: "not of what is disputed", Given: with(completed(), dispute), When: do(repair.Close, repair.Manager, "03-05 10:00"), Err: repair.ErrNotAllowed},
		acts{Name: "not of what was never done", Given: accepted(), When: do(repair.Close, repair.Manager, "03-05 10:00"), Err: repair.ErrNotAllowed},
		acts{Name: "the contractor does not confirm their own work", Given: completed(), When: do(repair.Confirm, repair.Contractor, "03-05 09:00"), Err: repair.ErrNotAllowed},
		acts{
			Name: "what is disputed goes back to who did it", Given: with(completed(), dispute), When: do(repair.Reopen, repair.Manager, "03-05 10:00", reason("inspected")),
			Then: []repair.Event{repair.Reopened{Step: because(asked(repair.Reopen, "A-new", "03-05 10:00"), "inspected")}},
		},
	)
	done := fold(completed(due)...)
	wantReading(t, done, "completion", "04-01 09:00", "03-09 23:59", false, false)
	disputed := done.Apply(dispute)
	if !disputed.CompletedAt.IsZero() || disputed.State.Class() != repair.Open {
		t.Errorf("disputed, and yet completed at %s and %s", disputed.CompletedAt, disputed.State.Class())
	}
	wantReading(t, disputed, "completion", "03-09 12:00", "03-09 23:59", false, false)
	wantReading(t, disputed, "completion", "03-10 12:00", "03-09 23:59", true, false)
	reopened := disputed.Apply(repair.Reopened{Step: because(asked(repair.Reopen, "A-r", "03-06 09:00"), "inspected")})
	if reopened.State != repair.StateAccepted || reopened.Reopened != 1 || reopened.Contractor != "C1" {
		t.Errorf("reopened: %s with %s, %d times", reopened.State, reopened.Contractor, reopened.Reopened)
	}
	finished := reopened.Apply(repair.VisitStarted{Step: asked(repair.Start, "A-s", "03-11 09:00")}).
		Apply(repair.Completed{Step: asked(repair.Complete, "A-d", "03-11 10:00")})
	wantReading(t, finished, "completion", "04-01 09:00", "03-09 23:59", true, false)
}

func TestRepair_dispute_does_not_undo_that_it_was_made_safe(t *testing.T) {
	t.Parallel()
	done := with(
		attending(target(t, "priority.emergency", "03-02 09:00"), target(t, "priority.emergency.make_safe", "03-02 09:00")),
		repair.WasMadeSafe{Step: asked(repair.MakeSafe, "A-safe", "03-04 09:00")},
		repair.Completed{Step: asked(repair.Complete, "A-done", "03-05 09:00")},
		repair.Disputed{Step: because(asked(repair.Dispute, "A-no", "03-06 09:00"), "still_leaks")},
		repair.Reopened{Step: because(asked(repair.Reopen, "A-again", "03-06 10:00"), "inspected")},
		handedBack("C1", "03-06 11:00"),
		repair.NobodyFits{Step: followed("03-06 11:00"), Explanation: "nobody"},
	)
	r := fold(done...)
	if safe, whole := reading(t, r, "make_safe", "03-07 09:00"), reading(t, r, "completion", "03-07 09:00"); !safe.MetAt.Equal(at("03-04 09:00")) || !whole.MetAt.IsZero() {
		t.Errorf("made safe at %s, completed at %s", safe.MetAt, whole.MetAt)
	}
	again := triagedFact(target(t, "priority.emergency", "03-02 09:00"), target(t, "priority.emergency.make_safe", "03-02 09:00"))
	again.Step = asked(repair.Triage, "A-triage", "03-07 09:00")
	if safe := reading(t, r.Apply(again), "make_safe", "03-08 09:00"); !safe.MetAt.Equal(at("03-04 09:00")) {
		t.Errorf("triaged again, it was never made safe: %+v", safe)
	}
}

func TestRepair_Readings_T20_end_with_the_order(t *testing.T) {
	t.Parallel()
	normal := target(t, "priority.urgent", "03-02 09:00") // until the end of 9 March; no access stops it
	cancelled := func(when string) repair.Event {
		return repair.Cancelled{Step: because(asked(repair.Cancel, "A-end", when), "no_access"), By: repair.Manager}
	}
	early := fold(with(noAccess(normal), cancelled("03-06 09:00"))...) // shut since the 4th: two ends of days
	wantReading(t, early, "completion", "03-06 09:00", "03-11 23:59", false, false)
	wantReading(t, early, "completion", "08-01 09:00", "03-11 23:59", false, false)
	late := fold(with(accepted(normal), cancelled("03-12 09:00"))...)
	wantReading(t, late, "completion", "08-01 09:00", "03-09 23:59", true, false)
	declined := fold(with(unplaced(normal), repair.Declined{Step: because(asked(repair.Decline, "A-no", "03-03 09:00"), "no_fault_found")})...)
	wantReading(t, declined, "completion", "08-01 09:00", "03-09 23:59", false, false)
	again := early.Apply(repair.Reopened{Step: because(asked(repair.Reopen, "A-again", "03-07 09:00"), "mistake")})
	wantReading(t, again, "completion", "08-01 09:00", "03-11 23:59", true, false)
}

func TestRepair_clocks_stop_for_access_and_not_for_parts_unless_the_parameter_says_so(t *testing.T) {
	t.Parallel()
	plain := target(t, "priority.urgent", "03-02 09:00")
	lenient := plain
	lenient.PausedBy = []string{"access", "parts"}
	parts := repair.WaitingForParts{Step: because(asked(repair.Hold, "A-hold", "03-04 10:00"), "parts"), Until: date("2026-03-20")}
	wantReading(t, fold(with(attending(plain), parts)...), "completion", "03-06 12:00", "03-09 23:59", false, false)
	wantReading(t, fold(with(attending(lenient), parts)...), "completion", "03-06 12:00", "03-11 23:59", false, true)
	on := repair.Resumed{Step: asked(repair.Resume, "A-on", "03-06 12:00")}
	wantReading(t, fold(with(attending(lenient), parts, on)...), "completion", "03-12 12:00", "03-11 23:59", true, false)

	shut := noAccess(plain) // since the 4th
	wantReading(t, fold(shut...), "completion", "03-06 12:00", "03-11 23:59", false, true)
	held := with(shut, repair.PutOnHold{Step: because(asked(repair.Hold, "A-hold", "03-05 12:00"), "weather")})
	wantReading(t, fold(held...), "completion", "03-07 12:00", "03-10 23:59", false, false) // the weather stops nothing
	wantReading(t, fold(with(held, repair.Resumed{Step: asked(repair.Resume, "A-on", "03-06 12:00")})...), "completion", "03-08 12:00", "03-12 23:59", false, true)

	emergency := fold(noAccess(target(t, "priority.emergency.make_safe", "03-02 09:00"))...)
	if got := reading(t, emergency, "make_safe", "03-05 09:00"); got.Paused || !got.Breached || !got.DueAt.Equal(at("03-02 13:00")) {
		t.Errorf("nothing stops making safe: %+v", got)
	}
	back := with(shut, handedBack("C1", "03-06 12:00"), repair.NobodyFits{Step: followed("03-06 12:00")})
	again := triagedFact(plain)
	again.Step = asked(repair.Triage, "A-triage", "03-06 13:00")
	wantReading(t, fold(with(back, again)...), "completion", "03-07 12:00", "03-11 23:59", false, false) // a new triage forgets no pause
}

func TestRepair_Take_waiting_for_parts_is_a_fact_of_its_own(t *testing.T) {
	t.Parallel()
	until := func(a *repair.Act) { a.Until = date("2026-03-20") }
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{
			Name: "waiting for parts", Given: attending(), When: do(repair.Hold, repair.Contractor, "03-04 10:00", reason("parts"), until),
			Then: []repair.Event{repair.WaitingForParts{Step: because(asked(repair.Hold, "A-new", "03-04 10:00"), "parts"), Until: date("2026-03-20")}},
		},
		acts{
			Name: "waiting for anything else", Given: attending(), When: do(repair.Hold, repair.Contractor, "03-04 10:00", reason("weather")),
			Then: []repair.Event{repair.PutOnHold{Step: because(asked(repair.Hold, "A-new", "03-04 10:00"), "weather")}},
		},
		acts{Name: "nobody waits for nothing", Given: attending(), When: do(repair.Hold, repair.Contractor, "03-04 10:00"), Err: domain.ErrMissing.In("reason")},
		acts{Name: "the tenant does not put it off", Given: accepted(), When: do(repair.Hold, repair.Tenant, "03-04 10:00", reason("tenant")), Err: repair.ErrNotAllowed},
	)
	for from, want := range map[*[]repair.Event]repair.State{
		new(raised()): repair.StateRaised, new(accepted()): repair.StateAccepted, new(scheduled()): repair.StateAccepted,
		new(attending()): repair.StateAccepted, new(noAccess()): repair.StateNoAccess,
	} {
		held := fold(with(*from, repair.PutOnHold{Step: because(asked(repair.Hold, "A-hold", "03-05 10:00"), "weather")})...)
		if got := held.Apply(repair.Resumed{Step: asked(repair.Resume, "A-on", "03-06 10:00")}).State; got != want || held.Before != want {
			t.Errorf("held while %s it goes on as %s, want %s", fold(*from...).State, got, want)
		}
	}
}

func TestRepair_Take_lets_another_person_approve(t *testing.T) {
	t.Parallel()
	varied := with(attending(), repair.VariationRequested{
		Step: because(asked(repair.RequestVariation, "A-vary", "03-04 09:00"), "rotten"), By: "M1", SOR: work("TAP", "TILE"), Cost: pounds(70000),
	})
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{
			Name: "an order over the limit is approved by another", Given: costly(), When: do(repair.Approve, repair.Manager, "03-02 10:00", by("M2")),
			Then: []repair.Event{
				repair.Approved{Step: asked(repair.Approve, "A-new", "03-02 10:00"), By: "M2"},
				repair.Raised{Step: followed("03-02 10:00"), SOR: work("TAP"), Cost: pounds(90000)},
			},
		},
		acts{Name: "not by who asked for it", Given: costly(), When: do(repair.Approve, repair.Manager, "03-02 10:00"), Err: repair.ErrSamePerson},
		acts{Name: "not in another role either", Given: costly(), When: do(repair.Approve, repair.Operator, "03-02 10:00", by("M1")), Err: repair.ErrSamePerson},
		acts{Name: "not by the contractor", Given: costly(), When: do(repair.Approve, repair.Contractor, "03-02 10:00"), Err: repair.ErrNotAllowed},
		acts{Name: "until then nobody works on it", Given: costly(), When: do(repair.Accept, repair.Contractor, "03-02 10:00"), Err: repair.ErrNotAllowed},
		acts{
			Name: "other work than was ordered is asked for", Given: attending(),
			When: do(repair.RequestVariation, repair.Contractor, "03-04 09:00", reason("rotten"), func(a *repair.Act) { a.SOR, a.Cost = work("TAP", "TILE"), pounds(7000) }),
			Then: []repair.Event{repair.VariationRequested{
				Step: because(asked(repair.RequestVariation, "A-new", "03-04 09:00"), "rotten"), By: "C", SOR: work("TAP", "TILE"), Cost: pounds(7000),
			}},
		},
		acts{
			Name: "and says what", Given: attending(), When: do(repair.RequestVariation, repair.Contractor, "03-04 09:00", reason("rotten")),
			Err: domain.ErrMissing.In("sor"),
		},
		acts{
			Name: "one at a time", Given: varied, When: do(repair.RequestVariation, repair.Contractor, "03-04 09:30", reason("rotten"), func(a *repair.Act) { a.SOR = work("X") }),
			Err: repair.ErrNotAllowed,
		},
		acts{
			Name: "another approves it", Given: varied, When: do(repair.ApproveVariation, repair.Manager, "03-04 09:30", by("M2")),
			Then: []repair.Event{repair.VariationApproved{Step: asked(repair.ApproveVariation, "A-new", "03-04 09:30"), By: "M2"}},
		},
		acts{Name: "who asked does not", Given: varied, When: do(repair.ApproveVariation, repair.Manager, "03-04 09:30"), Err: repair.ErrSamePerson},
		acts{
			Name: "who asked may take it back", Given: varied, When: do(repair.RejectVariation, repair.Manager, "03-04 09:30", reason("mistake")),
			Then: []repair.Event{repair.VariationRejected{Step: because(asked(repair.RejectVariation, "A-new", "03-04 09:30"), "mistake"), By: "M1"}},
		},
		acts{Name: "the work is not done before that", Given: varied, When: do(repair.Complete, repair.Contractor, "03-04 09:30"), Err: repair.ErrNotAllowed},
		acts{Name: "nothing is approved that nobody asked for", Given: attending(), When: do(repair.ApproveVariation, repair.Manager, "03-04 09:30"), Err: repair.ErrNotAllowed},
	)
	approve := repair.VariationApproved{Step: asked(repair.ApproveVariation, "A-yes", "03-04 09:30"), By: "M2"}
	r := fold(with(varied, approve)...)
	second := r.Apply(repair.VariationRequested{Step: asked(repair.RequestVariation, "A-vary2", "03-04 09:40"), By: "C", SOR: work("DOOR")}).
		Apply(repair.VariationApproved{Step: asked(repair.ApproveVariation, "A-yes2", "03-04 09:50"), By: "M2"})
	for name, c := range map[string]struct {
		got  repair.Repair
		want []repair.Line
	}{"the first": {r, work("TAP", "TILE")}, "the second": {second, work("DOOR")}} {
		if diff := cmp.Diff(c.want, c.got.SOR) + cmp.Diff(work("TAP"), c.got.Original); diff != "" || c.got.Variation != nil {
			t.Errorf("after %s variation (-want +got)\n%s", name, diff)
		}
	}
	fresh := second.Apply(handedBack("C1", "03-05 09:00")).Apply(assigned("C2", "03-05 09:00")).Apply(raisedFact())
	if fresh.Original != nil {
		t.Errorf("a new order says that it was varied from %v", fresh.Original)
	}
	bare := raisedFact()
	bare.SOR = nil
	none := fold(with(unplaced(), assignedFact(), bare)...)
	for range 2 {
		none = none.Apply(repair.VariationRequested{By: "C", SOR: work("X")}).Apply(repair.VariationApproved{By: "M2"})
	}
	if none.Original == nil || len(none.Original) != 0 {
		t.Errorf("an order without codes was %v before it was varied twice", none.Original)
	}
}

func TestRepair_reopening_does_not_let_an_order_through_that_nobody_approved(t *testing.T) {
	t.Parallel()
	for _, end := range []repair.Event{
		repair.Declined{Step: because(asked(repair.Decline, "A-end", "03-02 10:00"), "too_dear")},
		repair.Cancelled{Step: because(asked(repair.Cancel, "A-end", "03-02 10:00"), "too_dear"), By: repair.Manager},
	} {
		r := fold(with(costly(), end)...)
		facts, err := r.Take(do(repair.Reopen, repair.Manager, "03-02 11:00", reason("mistake")))
		if err != nil {
			t.Fatal(err)
		}
		r = r.Apply(facts[0])
		if r.State != repair.StateTriaged || r.Contractor != "" || r.RequestedBy != "" {
			t.Errorf("after %s and reopening it is %s, with %q, asked for by %q", end.EventType(), r.State, r.Contractor, r.RequestedBy)
		}
	}
}

func TestRepair_Take_recalls_within_the_time_for_it(t *testing.T) {
	t.Parallel()
	recall := func(now string, changes ...func(*repair.Act)) repair.Act {
		return do(repair.Recall, repair.Tenant, now, append(changes, reason("came_back"), func(a *repair.Act) { a.Repair = "R2" })...)
	}
	recalled := func(when string) []repair.Event {
		return []repair.Event{repair.Recalled{Step: because(asked(repair.Recall, "A-new", when), "came_back"), Repair: "R2"}}
	}
	closed := with(completed(), repair.Closed{Step: asked(repair.Close, "A-close", "03-10 09:00")})
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{Name: "the fault came back", Given: completed(), When: recall("03-20 09:00"), Then: recalled("03-20 09:00")},
		acts{Name: "after it was closed", Given: closed, When: recall("03-20 09:00"), Then: recalled("03-20 09:00")},
		acts{Name: "on the last day of ninety", Given: closed, When: recall("06-02 10:00"), Then: recalled("06-02 10:00")},
		acts{Name: "not a second later", Given: closed, When: recall("06-02 10:00", func(a *repair.Act) { a.Now = a.Now.Add(time.Second) }), Err: repair.ErrTooLate},
		acts{
			Name: "it names the new repair", Given: closed, When: do(repair.Recall, repair.Tenant, "03-20 09:00", reason("x")), Err: domain.ErrMissing.In("repair"),
		},
		acts{Name: "what was not done is not recalled", Given: attending(), When: recall("03-20 09:00"), Err: repair.ErrNotAllowed},
		acts{
			Name: "what was disputed is not done", Given: with(completed(), repair.Disputed{Step: because(asked(repair.Dispute, "A-no", "03-05 09:00"), "x")}),
			When: recall("03-20 09:00"), Err: repair.ErrNotAllowed,
		},
	)
	r := fold(with(closed, recalled("03-20 09:00")...)...)
	if !slices.Equal(r.Links, []domain.ID{"R2"}) || r.State != repair.StateClosed || !r.CompletedAt.Equal(at("03-04 10:00")) {
		t.Errorf("a recall is a new repair beside this one; this one is %s, linked to %v", r.State, r.Links)
	}
}

func TestRepair_Take_makes_a_follow_on_of_its_own_for_another_trade(t *testing.T) {
	t.Parallel()
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{
			Name: "one visit was not enough", Given: attending(), When: do(repair.FollowOn, repair.Contractor, "03-04 10:00", reason("drying")),
			Then: []repair.Event{repair.FollowOnNeeded{Step: because(asked(repair.FollowOn, "A-new", "03-04 10:00"), "drying")}},
		},
		acts{
			Name: "the same trade comes again for this repair", Given: attending(),
			When: do(repair.FollowOn, repair.Contractor, "03-04 10:00", reason("drying"), func(a *repair.Act) { a.Trade = "plumbing" }),
			Then: []repair.Event{repair.FollowOnNeeded{Step: because(asked(repair.FollowOn, "A-new", "03-04 10:00"), "drying"), Trade: "plumbing"}},
		},
		acts{
			Name: "another trade has another repair", Given: attending(),
			When: do(repair.FollowOn, repair.Contractor, "03-04 10:00", reason("drying"), func(a *repair.Act) { a.Trade = "plastering" }),
			Err:  domain.ErrMissing.In("repair"),
		},
		acts{
			Name: "which is named", Given: attending(),
			When: do(repair.FollowOn, repair.Contractor, "03-04 10:00", reason("drying"), func(a *repair.Act) { a.Trade, a.Repair = "plastering", "R2" }),
			Then: []repair.Event{repair.FollowOnNeeded{Step: because(asked(repair.FollowOn, "A-new", "03-04 10:00"), "drying"), Trade: "plastering", Repair: "R2"}},
		},
	)
}

func TestRepair_Take_R8_9_merges_and_splits(t *testing.T) {
	t.Parallel()
	merged := repair.Merged{Step: asked(repair.Merge, "A-merge", "03-03 09:00"), Into: "R0"}
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{
			Name: "it is about the same as another", Given: accepted(), When: do(repair.Merge, repair.Manager, "03-03 09:00", func(a *repair.Act) { a.Into = "R0" }),
			Then: []repair.Event{repair.Merged{Step: asked(repair.Merge, "A-new", "03-03 09:00"), Into: "R0"}},
		},
		acts{Name: "which is named", Given: accepted(), When: do(repair.Merge, repair.Manager, "03-03 09:00"), Err: domain.ErrMissing.In("into")},
		acts{
			Name: "not once somebody is to come", Given: scheduled(), When: do(repair.Merge, repair.Manager, "03-03 09:00", func(a *repair.Act) { a.Into = "R0" }),
			Err: repair.ErrNotAllowed,
		},
		acts{
			Name: "it was not the same after all", Given: with(accepted(), merged), When: do(repair.Split, repair.Manager, "03-04 09:00"),
			Then: []repair.Event{repair.Parted{Step: asked(repair.Split, "A-new", "03-04 09:00"), From: "R0"}},
		},
		acts{Name: "a duplicate is not worked on", Given: with(accepted(), merged), When: do(repair.Start, repair.Contractor, "03-04 09:00"), Err: repair.ErrNotAllowed},
		acts{
			Name: "but its reporter may still write", Given: with(accepted(), merged), When: do(repair.AddNote, repair.Tenant, "03-04 09:00", noted("Any news?")),
			Then: []repair.Event{repair.Noted{Step: repair.Step{Action: "A-new", Doing: repair.AddNote, At: at("03-04 09:00"), Note: text("Any news?")}}},
		},
	)
	due := target(t, "priority.urgent", "03-02 09:00")
	r := fold(with(accepted(due), merged)...)
	wantReading(t, r, "completion", "03-12 09:00", "03-09 23:59", true, false) // its clock goes on
	if parted := r.Apply(repair.Parted{Step: asked(repair.Split, "A-split", "03-04 09:00"), From: "R0"}); parted.State != repair.StateAccepted || parted.Into != "" || parted.Contractor != "C1" {
		t.Errorf("parted it is %s of %q with %q", parted.State, parted.Into, parted.Contractor)
	}
	main := fold(completed(due)...)
	if got := reading(t, r.Following(main), "completion", "03-12 09:00"); !got.MetAt.Equal(at("03-04 10:00")) || got.Breached {
		t.Errorf("the repair that it is a duplicate of is done, and its clock says %+v", got)
	}
	undone := main.Apply(repair.Disputed{Step: because(asked(repair.Dispute, "A-no", "03-05 09:00"), "x")})
	if got := reading(t, r.Following(undone), "completion", "03-12 09:00"); !got.MetAt.IsZero() {
		t.Errorf("the repair that it is a duplicate of is disputed, and its clock says %+v", got)
	}
	if got := reading(t, r, "completion", "03-12 09:00"); !got.MetAt.IsZero() {
		t.Error("following has changed the duplicate")
	}
}

func TestRepair_Take_counts_an_act_when_it_happened(t *testing.T) {
	t.Parallel()
	start := func(now string, changes ...func(*repair.Act)) repair.Act {
		return do(repair.Start, repair.Contractor, now, changes...)
	}
	started := func(when string) []repair.Event {
		return []repair.Event{repair.VisitStarted{Step: asked(repair.Start, "A-new", when), Visit: "A-book"}}
	}
	note := func(when string) []repair.Event {
		return []repair.Event{repair.Noted{Step: repair.Step{Action: "A-new", Doing: repair.AddNote, At: at(when), Note: text("x")}}}
	}
	domaintest.Examples(
		t, repair.Repair.Take,
		acts{Name: "now", Given: scheduled(), When: start("03-04 08:30"), Then: started("03-04 08:30")},
		acts{Name: "before it was entered", Given: scheduled(), When: start("03-04 18:00", backTo("03-04 08:30")), Then: started("03-04 08:30")},
		acts{Name: "at the very moment of the last move", Given: scheduled(), When: start("03-04 18:00", backTo("03-02 11:00")), Then: started("03-02 11:00")},
		acts{Name: "not before the last move", Given: scheduled(), When: start("03-04 18:00", backTo("03-02 10:59")), Err: repair.ErrOrder},
		acts{Name: "not later than now", Given: scheduled(), When: start("03-04 08:30", backTo("03-04 08:31")), Err: repair.ErrFuture},
		acts{Name: "at the last move, by the slow clock of another machine", Given: scheduled(), When: start("03-02 10:58"), Then: started("03-02 11:00")},
		acts{
			Name: "what moves nothing may come late", Given: scheduled(), When: do(repair.AddNote, repair.Tenant, "03-04 08:30", noted("x"), backTo("03-02 09:30")),
			Then: note("03-02 09:30"),
		},
		acts{
			Name: "but nothing happened before the report", Given: scheduled(), When: do(repair.AddNote, repair.Tenant, "03-04 08:30", noted("x"), backTo("03-02 08:59")),
			Err: repair.ErrOrder,
		},
	)
	r := fold(with(scheduled(), note("03-02 09:30")...)...)
	if !r.LastAt.Equal(at("03-02 11:00")) {
		t.Errorf("a late note has moved the last move to %s", r.LastAt)
	}
}

func TestRepair_ByHand_says_whether_staff_had_to_step_in(t *testing.T) {
	t.Parallel()
	raise := with(unplaced(), repair.Assigned{Step: asked(repair.Raise, "A-raise", "03-02 10:00"), Contractor: "C1", Explanation: "by rule"}, raisedFact())
	triage := triagedFact()
	triage.Step = asked(repair.Triage, "A-triage", "03-02 10:00")
	next := with(accepted(), handedBack("C1", "03-02 12:00"), repair.Assigned{Step: followed("03-02 12:00"), Contractor: "C2", Explanation: "next"}, raisedFact())
	for name, c := range map[string]struct {
		facts []repair.Event
		want  bool
	}{
		"done by rule":       {completed(), false},
		"raised by staff":    {raise, true},
		"triaged by staff":   {with(unplaced(), triage), true},
		"assigned by staff":  {with(raised(), assigned("C2", "03-02 10:00"), raisedFact()), true},
		"handed on, by rule": {next, false},
		"nobody fits as yet": {unplaced(), false},
	} {
		if got := fold(c.facts...).ByHand; got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestCodes_are_each_listed_once(t *testing.T) {
	t.Parallel()
	if got := repair.Codes(work("TAP", "TILE", "TAP")); !slices.Equal(got, []string{"TAP", "TILE"}) {
		t.Errorf("got %v", got)
	}
}

func TestRepair_Weight_grows_with_what_it_holds(t *testing.T) {
	t.Parallel()
	small, large := fold(reported()...), fold(completed(target(t, "priority.normal", "03-02 09:00"))...)
	if small.Weight() >= large.Weight() || large.Version() != uint64(len(completed())) {
		t.Errorf("%d bytes, then %d at version %d", small.Weight(), large.Weight(), large.Version())
	}
}

func TestAct_knows_itself_and_takes_no_other_body_for_itself(t *testing.T) {
	t.Parallel()
	thursday := slot("S2", "03-05 08:00", "03-05 12:00")
	full := func(a *repair.Act) { a.Note, a.Photos = text("a note"), []domain.ID{"F1", "F2"} }
	for _, c := range []struct {
		given []repair.Event
		act   repair.Act
	}{
		{unplaced(), do(repair.Triage, repair.Manager, "03-04 09:00", full, func(a *repair.Act) {
			a.Outcome, a.Trade, a.Priority, a.SOR = repair.OutcomeLandlord, "plumbing", repair.Urgent, work("TAP")
			a.Triage = repair.Diagnosis{Outcome: a.Outcome, Trade: a.Trade, Priority: a.Priority, SOR: []repair.Line{{Code: "TAP", Quantity: 1, Price: pounds(4000)}}}
		})},
		{raised(), do(repair.Assign, repair.Manager, "03-04 09:00", full, ending(repair.Routing{Contractor: "C2"}), func(a *repair.Act) { a.Contractor = "C2" })},
		{accepted(), do(repair.HoldSlot, repair.Tenant, "03-03 09:00", full, thursday)},
		{accepted(), do(repair.Book, repair.Tenant, "03-03 09:00", full, thursday)},
		{scheduled(), do(repair.Rebook, repair.Tenant, "03-03 09:00", full, thursday)},
		{scheduled(), do(repair.NoAccess, repair.Contractor, "03-04 09:00", full, evidence("card left"))},
		{attending(), do(repair.Hold, repair.Contractor, "03-04 09:00", full, reason("parts"), func(a *repair.Act) { a.Until = date("2026-04-01") })},
		{attending(), do(repair.Hold, repair.Contractor, "03-04 09:00", full, reason("weather"))},
		{attending(), do(repair.RequestVariation, repair.Contractor, "03-04 09:00", full, reason("rotten"), func(a *repair.Act) {
			a.SOR, a.Cost = work("TAP", "TILE"), pounds(7000)
		})},
		{attending(), do(repair.FollowOn, repair.Contractor, "03-04 09:00", full, reason("drying"), func(a *repair.Act) {
			a.Trade, a.Repair, a.SOR = "plastering", "R2", work("WALL")
		})},
		{completed(), do(repair.Confirm, repair.Tenant, "03-05 09:00", full, func(a *repair.Act) { a.Rating = 4 })},
		{completed(), do(repair.Recall, repair.Tenant, "03-05 09:00", full, reason("again"), func(a *repair.Act) { a.Repair = "R2" })},
		{accepted(), do(repair.Merge, repair.Manager, "03-05 09:00", full, func(a *repair.Act) { a.Into = "R0" })},
		{accepted(), do(repair.AddNote, repair.Tenant, "03-05 09:00", full, backTo("03-04 09:00"))},
	} {
		facts, err := fold(c.given...).Take(c.act)
		if err != nil {
			t.Errorf("%s: %v", c.act.Action, err)
			continue
		}
		fact := stored(t, facts[0])
		if !c.act.Matches(fact) {
			t.Errorf("%s does not know itself in %+v", c.act.Action, fact)
		}
		for _, other := range otherBodies(c.act) {
			if other.Matches(fact) {
				t.Errorf("another %s is taken for the same: %+v\n%+v", c.act.Action, other, fact)
			}
		}
		if c.act.Matches(reportedFact()) {
			t.Errorf("%s knows itself in a report", c.act.Action)
		}
	}
}
