package hazard_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/domaintest"
	"rentbook/domain/hazard"
	"rentbook/domain/triage"
)

func TestHazard_Recognise(t *testing.T) {
	t.Parallel()
	row := func(name string, change func(*hazard.Recognition), err error) recognising {
		r := recognition(hazard.Emergency, "2026-11-20 16:00")
		change(&r)
		example := recognising{Name: name, When: r, Err: err}
		if err == nil {
			example.Then = []hazard.Event{hazard.Recognised{
				Property: "H1", Tenancy: r.Tenancy, Kind: "damp_mould", Grade: hazard.Emergency, AwareAt: local("2026-11-20 16:00"),
				Channel: hazard.Portal, Description: domain.NewPersonal("black mould over the cot"), Repair: r.Repair, Targets: r.Targets,
			}}
		}
		return example
	}
	known := row("refuses a hazard that is known", func(*hazard.Recognition) {}, domain.ErrDifferent)
	known.Given = recognised(t, recognition(hazard.Emergency, "2026-11-20 16:00")).history
	domaintest.Examples(t, hazard.Hazard.Recognise,
		row("records that the landlord became aware", func(*hazard.Recognition) {}, nil), known,
		row("may be of a communal part, without a repair", func(r *hazard.Recognition) { r.Tenancy, r.Repair = "", "" }, nil),
		row("is aware at a whole second of UTC", func(r *hazard.Recognition) {
			r.AwareAt = r.AwareAt.Add(time.Millisecond).In(time.FixedZone("CET", 3600))
		}, nil),
		row("has no clock where no law was in force", func(r *hazard.Recognition) { r.Targets = nil }, nil),
		row("refuses a hazard nowhere", func(r *hazard.Recognition) { r.Property = "" }, domain.ErrMissing.In("property")),
		row("refuses an unknown kind", func(r *hazard.Recognition) { r.Kind = "dragons" }, domain.ErrWord.In("kind")),
		row("refuses an unknown grade", func(r *hazard.Recognition) { r.Grade = hazard.None }, domain.ErrWord.In("grade")),
		row("refuses an unknown channel", func(r *hazard.Recognition) { r.Channel = "fax" }, domain.ErrWord.In("channel")),
		row("wants to know since when", func(r *hazard.Recognition) { r.AwareAt = time.Time{} }, domain.ErrMissing.In("aware_at")),
		row("refuses awareness to come", func(r *hazard.Recognition) { r.Now = r.AwareAt.Add(-time.Second) }, hazard.ErrFuture.In("aware_at")),
	)
}

func TestKinds_have_every_hazard_that_a_diagnosis_knows(t *testing.T) {
	t.Parallel()
	for _, kind := range triage.Hazards() {
		if !slices.Contains(hazard.Kinds(), kind) {
			t.Errorf("%s cannot be recognised", kind)
		}
	}
}

func TestRecognition_matches_a_fact_that_says_the_same(t *testing.T) {
	t.Parallel()
	asked := recognition(hazard.Emergency, "2026-11-20 16:00")
	fact := recognised(t, asked).history[0]
	later := asked
	later.Now, later.Targets = asked.Now.Add(time.Hour), nil
	if !asked.Matches(fact) || !later.Matches(fact) || asked.Matches(hazard.MadeSafe{}) {
		t.Error("the same recognition does not match, or another fact does")
	}
	for name, change := range map[string]func(*hazard.Recognition){
		"property": func(r *hazard.Recognition) { r.Property = "H2" }, "tenancy": func(r *hazard.Recognition) { r.Tenancy = "" },
		"kind": func(r *hazard.Recognition) { r.Kind = "fire" }, "grade": func(r *hazard.Recognition) { r.Grade = hazard.Significant },
		"aware": func(r *hazard.Recognition) { r.AwareAt = r.AwareAt.Add(time.Second) }, "channel": func(r *hazard.Recognition) { r.Channel = hazard.Call },
		"text": func(r *hazard.Recognition) { r.Description.Text = "" }, "repair": func(r *hazard.Recognition) { r.Repair = "" },
	} {
		other := asked
		change(&other)
		if other.Matches(fact) {
			t.Errorf("another %s matches", name)
		}
	}
}

// in is a hazard in each of the states, every duty met but the last ones.
func in(t testing.TB, state hazard.State) *life {
	t.Helper()
	l := recognised(t, recognition(hazard.Significant, "2026-11-20 16:00"))
	path := []func(){
		func() { l.take(t, hazard.Investigate, "2026-11-21 10:00", finding(hazard.Significant)) },
		func() { l.take(t, hazard.MakeSafe, "2026-11-22 10:00") },
		func() { l.take(t, hazard.BeginPreventiveWork, "2026-11-23 10:00") },
		func() {
			l.take(t, hazard.Complete, "2026-11-24 10:00").take(t, hazard.Summarise, "2026-11-24 11:00")
		},
		func() { l.take(t, hazard.Close, "2026-11-25 10:00", reason("done")) },
	}
	for _, step := range path[:slices.Index(hazard.States(), state)] {
		step()
	}
	if l.hazard.State != state {
		t.Fatalf("the state is %s, want %s", l.hazard.State, state)
	}
	return l
}

// full gives an act everything that its move needs.
func full(m hazard.Move) func(*hazard.Act) {
	return func(a *hazard.Act) {
		for _, need := range append(slices.Clone(m.Needs), "note") {
			switch need {
			case "finding":
				a.Finding = hazard.Significant
			case "grade":
				a.Grade = hazard.Emergency
			case "reason":
				a.Reason = "withdrawn"
			case "repair":
				a.Repair = "R1"
			case "note":
				a.Note = domain.NewPersonal("n")
			}
		}
		if m.Action == hazard.Link {
			a.Repair = "R2"
		}
		a.Role = m.Roles[0]
	}
}

func TestMoves_are_all_that_is_possible_and_lead_where_they_say(t *testing.T) {
	t.Parallel()
	for _, state := range hazard.States() {
		l := in(t, state)
		for _, role := range hazard.Roles() {
			for _, action := range hazard.Actions() {
				at := slices.IndexFunc(hazard.Moves(), func(m hazard.Move) bool {
					return m.Action == action && slices.Contains(m.From, state) && slices.Contains(m.Roles, role) &&
						(!m.AfterInvestigation || state != hazard.StateRecognised)
				})
				move := hazard.Move{Action: action, Roles: []hazard.Role{role}}
				if at >= 0 {
					move = hazard.Moves()[at]
				}
				a := l.act(action, "2026-12-01 10:00", full(move))
				a.Role = role
				facts, err := l.hazard.Take(a)
				if at < 0 {
					if !errors.Is(err, hazard.ErrNotAllowed) || !strings.Contains(err.Error(), string(state)) {
						t.Errorf("%s by %s while %s: %v, %v", action, role, state, facts, err)
					}
					continue
				}
				if err != nil || len(facts) != 1 {
					t.Errorf("%s by %s while %s: %v, %v", action, role, state, facts, err)
					continue
				}
				to := move.To
				if to == "" {
					to = state
				}
				if got := l.hazard.Apply(facts[0]).State; got != to {
					t.Errorf("%s while %s leads to %s, the table says %s", action, state, got, to)
				}
			}
		}
	}
}

func TestMoves_want_every_field_they_need_and_no_other(t *testing.T) {
	t.Parallel()
	all := map[string]func(*hazard.Act){
		"finding": finding(hazard.None), "grade": grade(hazard.Emergency), "reason": reason("x"), "repair": repair("R2"), "accepted": accepted(true),
	}
	without := map[string]func(*hazard.Act){
		"finding": finding(""), "grade": grade(""), "reason": reason(""), "repair": repair(""), "note": note(""),
	}
	for _, m := range hazard.Moves() {
		l := in(t, m.From[len(m.From)-1])
		if m.AfterInvestigation && l.hazard.State == hazard.StateRecognised {
			continue // a hazard that was graded anew: see the clocks
		}
		for _, need := range m.Needs {
			_, err := l.hazard.Take(l.act(m.Action, "2026-12-01 10:00", full(m), without[need]))
			if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || !errors.Is(err, domain.ErrMissing) || refusal.Field != need {
				t.Errorf("%s without %s: %v", m.Action, need, err)
			}
		}
		for field, give := range all {
			if slices.Contains(m.Needs, field) || slices.Contains(m.Takes, field) {
				continue
			}
			_, err := l.hazard.Take(l.act(m.Action, "2026-12-01 10:00", full(m), give))
			if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || !errors.Is(err, hazard.ErrNotTaken) || refusal.Field != field {
				t.Errorf("%s with %s: %v", m.Action, field, err)
			}
		}
	}
}

func TestHazard_Take_refuses(t *testing.T) {
	t.Parallel()
	l := in(t, hazard.StateInvestigated)
	row := func(name string, on *life, err error, action hazard.Action, at string, with ...func(*hazard.Act)) acting {
		return acting{Name: name, Given: on.history, When: on.act(action, at, with...), Err: err}
	}
	nobody := &life{}
	late := func(a *hazard.Act) { a.Now = a.At.Add(-time.Second) }
	domaintest.Examples(t, hazard.Hazard.Take,
		row("what is no action", l, domain.ErrWord.In("action"), "fly", "2026-11-22 10:00"),
		row("an act without an id", l, domain.ErrMissing.In("id"), hazard.MakeSafe, "2026-11-22 10:00", func(a *hazard.Act) { a.ID = "" }),
		row("a hazard nobody recognised", nobody, hazard.ErrUnknown, hazard.MakeSafe, "2026-11-22 10:00"),
		row("a tenant who would make safe", l, hazard.ErrNotAllowed, hazard.MakeSafe, "2026-11-22 10:00", role(hazard.Tenant)),
		row("somebody of no role", l, hazard.ErrNotAllowed, hazard.MakeSafe, "2026-11-22 10:00", role("auditor")),
		row("a summary of no investigation", in(t, hazard.StateRecognised), hazard.ErrNotAllowed, hazard.Summarise, "2026-11-22 10:00"),
		row("a finding that is none of the words", l, domain.ErrWord.In("finding"), hazard.Investigate, "2026-11-22 10:00", finding("bad")),
		row("a grade that is only found", l, domain.ErrWord.In("grade"), hazard.Regrade, "2026-11-22 10:00", grade(hazard.None), reason("x")),
		row("a reason that is no code", l, hazard.ErrReason, hazard.MakeSafe, "2026-11-22 10:00", reason("Mr Smith was out")),
		row("a reason of 33 letters", l, hazard.ErrReason, hazard.MakeSafe, "2026-11-22 10:00", reason(strings.Repeat("a", 33))),
		row("evidence of nothing", l, domain.ErrMissing.In("note"), hazard.AddEvidence, "2026-11-22 10:00"),
		row("what has not happened yet", l, hazard.ErrFuture, hazard.MakeSafe, "2026-11-22 10:00", late),
		row("what was before awareness", l, hazard.ErrBeforeAwareness, hazard.MakeSafe, "2026-11-20 15:59"),
		row("a note of before awareness", l, hazard.ErrBeforeAwareness, hazard.AddNote, "2026-11-20 15:59", note("x")),
		row("what was before the last move", l, hazard.ErrOrder, hazard.MakeSafe, "2026-11-21 09:59"),
		row("to close before the work is completed", in(t, hazard.StatePrevented), hazard.ErrUnfinished, hazard.Close, "2026-11-24 10:00", reason("done")),
		row("to close what nobody investigated", in(t, hazard.StateRecognised), hazard.ErrUnfinished, hazard.Close, "2026-11-24 10:00", reason("done")),
		row("to close as withdrawn without a note", l, domain.ErrMissing.In("note"), hazard.Close, "2026-11-24 10:00", reason(hazard.Withdrawn)),
		row("to close while the summary is owed", recognised(t, recognition(hazard.Significant, "2026-11-20 16:00")).
			take(t, hazard.Investigate, "2026-11-21 10:00", finding(hazard.None)), hazard.ErrDuties, hazard.Close, "2026-11-24 10:00", reason("no_hazard")),
	)
}

func TestHazard_Take(t *testing.T) {
	t.Parallel()
	row := func(name string, on *life, then hazard.Event, action hazard.Action, at string, with ...func(*hazard.Act)) acting {
		example := acting{Name: name, Given: on.history, When: on.act(action, at, with...)}
		if then != nil {
			example.Then = []hazard.Event{then}
		}
		return example
	}
	step := func(on *life, at string) hazard.Step {
		return hazard.Step{Action: on.act("", at).ID, At: local(at)}
	}
	l := in(t, hazard.StateInvestigated)
	s := step(l, "2026-11-22 10:00")
	because, noted, pictured := s, s, s
	because.Reason, noted.Note, pictured.Photos = "materials", domain.NewPersonal("n"), []domain.ID{"P1"}
	now := l.act(hazard.MakeSafe, "2026-11-22 10:00")
	now.At, now.Now = time.Time{}, local("2026-11-22 10:00").Add(400*time.Millisecond)
	empty := recognised(t, recognition(hazard.Significant, "2026-11-20 16:00")).
		take(t, hazard.Investigate, "2026-11-21 10:00", finding(hazard.None)).take(t, hazard.Summarise, "2026-11-22 09:00")
	closed := step(empty, "2026-11-22 10:00")
	closed.Reason = "no_hazard"
	withdrawn := because
	withdrawn.Reason, withdrawn.Note = hazard.Withdrawn, domain.NewPersonal("another landlord's home")
	early := pictured
	early.At = local("2026-11-20 17:00")
	twelve := l.act(hazard.NotPracticable, "2026-11-22 10:00").Targets
	domaintest.Examples(t, hazard.Hazard.Take,
		row("records that safety work has begun", l, hazard.SafetyWorkBegun{Step: s}, hazard.BeginSafetyWork, "2026-11-22 10:00"),
		row("records that it is safe", l, hazard.MadeSafe{Step: s}, hazard.MakeSafe, "2026-11-22 10:00"),
		acting{Name: "is now when nobody says when", Given: l.history, When: now, Then: []hazard.Event{hazard.MadeSafe{Step: s}}},
		row("records that the tenant has the summary", l, hazard.SummarySent{Step: s}, hazard.Summarise, "2026-11-22 10:00"),
		row("records why prevention takes longer, and until when at most", l,
			hazard.PreventionNotPracticable{Step: because, Targets: twelve}, hazard.NotPracticable, "2026-11-22 10:00", reason("materials")),
		row("records an offer that is not answered", l, hazard.AccommodationOffered{Step: s}, hazard.OfferAccommodation, "2026-11-22 10:00"),
		row("records what was tried to get in", l, hazard.AccessRefused{Step: noted}, hazard.RefusedAccess, "2026-11-22 10:00", note("n")),
		row("takes a tenant's photo of before the last move", l, hazard.EvidenceAdded{Step: early}, hazard.AddEvidence, "2026-11-20 17:00",
			photos("P1"), role(hazard.Tenant)),
		row("takes a note", l, hazard.Noted{Step: noted}, hazard.AddNote, "2026-11-22 10:00", note("n"), role(hazard.Operator)),
		row("says nothing of a grade that it has", l, nil, hazard.Regrade, "2026-11-22 10:00", grade(hazard.Significant), reason("x")),
		row("links a repair", l, hazard.RepairLinked{Step: s, Repair: "R2"}, hazard.Link, "2026-11-22 10:00", repair("R2")),
		row("says nothing of a repair that is linked", l, nil, hazard.Link, "2026-11-22 10:00", repair("R1")),
		row("unlinks a repair", l, hazard.RepairUnlinked{Step: s, Repair: "R1"}, hazard.Unlink, "2026-11-22 10:00", repair("R1")),
		row("says nothing of a repair that is not linked", l, nil, hazard.Unlink, "2026-11-22 10:00", repair("R2")),
		row("closes where nothing was found and the tenant knows", empty, hazard.Closed{Step: closed}, hazard.Close, "2026-11-22 10:00", reason("no_hazard")),
		row("closes over open duties only as withdrawn, with a note", l, hazard.Closed{Step: withdrawn}, hazard.Close, "2026-11-22 10:00",
			reason(hazard.Withdrawn), note("another landlord's home")),
	)
}

func TestWithdrawing_leaves_the_clocks_to_see(t *testing.T) {
	t.Parallel()
	l := damp(t)
	before := l.hazard.Clocks
	l.take(t, hazard.Close, "2026-12-25 10:00", reason(hazard.Withdrawn), note("n"))
	if diff := cmp.Diff(before, l.hazard.Clocks); diff != "" {
		t.Error(diff)
	}
	l.take(t, hazard.Reopen, "2026-12-26 10:00", reason("mistake"))
	if got := shown(l.hazard, "2026-12-26 10:00"); got[1] != "summary 2026-12-24 10:00 due 2026-12-31 23:59 met -" {
		t.Errorf("reopened: %v", got)
	}
}

func TestAct_knows_the_fact_it_became(t *testing.T) {
	t.Parallel()
	l := in(t, hazard.StateInvestigated)
	a := l.act(hazard.OfferAccommodation, "2026-11-22 10:00", accepted(true), reason("hotel"), note("n"), photos("P1"))
	facts, err := l.hazard.Take(a)
	if err != nil {
		t.Fatal(err)
	}
	l.record(facts...)
	if got := a.Recorded(l.hazard); len(got) != 1 || got[0] != 3 || !a.Matches(facts[0]) {
		t.Errorf("recorded at %v", got)
	}
	unsaid := a
	unsaid.At, unsaid.Now, unsaid.Targets = time.Time{}, a.Now.Add(time.Hour), nil
	if !unsaid.Matches(facts[0]) {
		t.Error("an act that did not say when does not match")
	}
	for name, change := range map[string]func(*hazard.Act){
		"action": func(a *hazard.Act) { a.Action = hazard.MakeSafe }, "id": func(a *hazard.Act) { a.ID = "B" },
		"time": func(a *hazard.Act) { a.At = a.At.Add(time.Second) }, "reason": reason("x"), "note": note("x"),
		"photo": photos("P2"), "answer": accepted(false), "no answer": func(a *hazard.Act) { a.Accepted = nil },
	} {
		other := a
		change(&other)
		if other.Matches(facts[0]) {
			t.Errorf("another %s matches", name)
		}
	}
	s := hazard.Step{Action: "A", At: local("2026-11-22 10:00")}
	for _, e := range []hazard.Event{
		hazard.Investigated{Step: s, Finding: hazard.None},
		hazard.Regraded{Step: s, Grade: hazard.Emergency},
		hazard.RepairLinked{Step: s, Repair: "R"},
		hazard.RepairUnlinked{Step: s, Repair: "R"},
		hazard.Recognised{},
	} {
		for _, action := range []hazard.Action{hazard.Investigate, hazard.Regrade, hazard.Link, hazard.Unlink} {
			if (hazard.Act{Action: action, ID: "A"}).Matches(e) {
				t.Errorf("%s of nothing matches %s", action, e.EventType())
			}
		}
	}
	if (hazard.Act{ID: "none"}).Recorded(l.hazard) != nil || hazard.Recognition.Recorded(hazard.Recognition{}, hazard.Hazard{}) != nil {
		t.Error("what nobody did is recorded")
	}
}

func TestHazard_Allowed(t *testing.T) {
	t.Parallel()
	names := func(moves []hazard.Move) string {
		var words []string
		for _, m := range moves {
			words = append(words, string(m.Action))
		}
		return strings.Join(words, " ")
	}
	for _, row := range []struct {
		state hazard.State
		role  hazard.Role
		want  string
	}{
		{hazard.StateRecognised, hazard.Tenant, "evidence note"},
		{hazard.StateClosed, hazard.Tenant, "evidence note"},
		{hazard.StateClosed, hazard.Manager, "evidence reopen note"},
		{hazard.StateRecognised, hazard.Operator, "investigate begin_safety_work make_safe offer_accommodation access_refused evidence regrade link unlink close note"},
		{hazard.StateCompleted, hazard.Manager, "investigate summarise evidence link unlink close reopen note"},
		{hazard.StateClosed, "auditor", ""},
	} {
		if got := names(in(t, row.state).hazard.Allowed(row.role)); got != row.want {
			t.Errorf("%s while %s:\n got %s\nwant %s", row.role, row.state, got, row.want)
		}
	}
	if got := (hazard.Hazard{}).Allowed(hazard.Manager); got != nil {
		t.Errorf("of no hazard: %v", got)
	}
}

func TestEvents_have_names_that_never_change_and_read_as_written(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range hazard.Events() {
		got = append(got, strings.TrimSuffix(strings.TrimPrefix(e.EventType(), "hazard."), ".v1"))
		sealing, ok := e.(interface{ Personal() (string, []string) })
		if !ok {
			t.Errorf("%s seals nothing", e.EventType())
			continue
		}
		if key, fields := sealing.Personal(); key != "" || len(fields) != 1 {
			t.Errorf("%s seals %v with %q", e.EventType(), fields, key)
		}
	}
	want := "recognised investigated summary-sent safety-work-begun made-safe prevention-not-practicable preventive-work-begun work-completed " +
		"accommodation-offered access-refused evidence-added noted regraded repair-linked repair-unlinked closed reopened"
	if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
		t.Error(diff)
	}
	l := damp(t).take(t, hazard.OfferAccommodation, "2026-12-25 10:00", accepted(false), note("n"), photos("P1")).
		take(t, hazard.Regrade, "2026-12-26 10:00", grade(hazard.Emergency), reason("x"))
	for _, e := range l.history {
		data, err := json.Marshal(e)
		read := reflect.New(reflect.TypeOf(e))
		if err != nil || json.Unmarshal(data, read.Interface()) != nil || !cmp.Equal(e, read.Elem().Interface()) {
			t.Errorf("%s reads as %v", data, read.Elem())
		}
	}
	if l.hazard.Version() != 4 || l.hazard.Weight() <= (hazard.Hazard{}).Weight() {
		t.Error("the version is not the number of facts, or clocks weigh nothing")
	}
}
