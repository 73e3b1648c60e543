package hazard_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/hazard"
)

// The model says once more what runs, from what was recorded and nothing else, and counts working
// days by a list of its own.

type duty struct {
	name       string
	start, met time.Time
	latest     bool // twelve weeks
}

type model struct {
	duties []duty
	grade  hazard.Grade
	aware  time.Time
	first  bool // the next investigation is the first since awareness, grading or reopening
	looked time.Time
	safe   bool
}

func (m *model) begin(name string, at time.Time) {
	for _, d := range m.duties {
		if d.name == name && d.met.IsZero() {
			return
		}
	}
	made := name == "emergency_make_safe" || name == "safety_work"
	var met time.Time
	if made && m.safe {
		if slices.ContainsFunc(m.duties, func(d duty) bool { return d.name == name }) {
			return
		}
		met = at
	}
	m.duties = append(m.duties, duty{name: name, start: at, met: met})
}

func (m *model) end(at time.Time, names ...string) {
	for i, d := range m.duties {
		if slices.Contains(names, d.name) && d.met.IsZero() {
			m.duties[i].met = at
		}
	}
}

func (m *model) owed(g hazard.Grade, at time.Time) {
	if g == hazard.Emergency {
		m.begin("emergency_make_safe", at)
	} else {
		m.begin("investigate", at)
	}
}

func (m *model) apply(e hazard.Event) {
	switch f := e.(type) {
	case hazard.Recognised:
		m.grade, m.aware, m.first = f.Grade, f.AwareAt, true
		m.owed(f.Grade, f.AwareAt)
	case hazard.Investigated:
		m.investigated(f)
	case hazard.SummarySent:
		m.end(f.At, "summary")
	case hazard.MadeSafe:
		m.end(f.At, "emergency_make_safe", "safety_work")
		m.safe = true
	case hazard.PreventionNotPracticable:
		for i, d := range m.duties {
			if d.name == "preventive_work" && d.met.IsZero() {
				m.duties[i].latest = true
			}
		}
	case hazard.PreventiveWorkBegun:
		m.end(f.At, "preventive_work")
	case hazard.WorkCompleted:
		m.end(f.At, "emergency_make_safe", "safety_work", "preventive_work")
		m.safe = true
	case hazard.Regraded:
		from := f.At
		if f.Grade == hazard.Significant && m.looked.Before(m.aware) {
			from = m.aware
		}
		m.safe = m.safe && f.Grade == hazard.Significant
		m.owed(f.Grade, from)
		m.grade, m.first = f.Grade, true
	case hazard.Reopened:
		m.aware, m.first, m.safe = f.At, true, false
		m.owed(m.grade, f.At)
	}
}

func (m *model) investigated(f hazard.Investigated) {
	m.end(f.At, "investigate")
	if f.Finding != hazard.Emergency {
		m.end(f.At, "emergency_make_safe")
	}
	if f.Finding == hazard.None {
		m.end(f.At, "safety_work", "preventive_work")
	} else {
		m.grade = f.Finding
		m.safe = m.safe && m.first
	}
	m.first, m.looked = false, f.At
	if f.Finding == hazard.Emergency {
		m.begin("emergency_make_safe", f.At)
	}
	m.begin("summary", f.At)
	if f.Finding == hazard.Significant {
		m.begin("safety_work", f.At)
	}
	if f.Finding != hazard.None {
		m.begin("preventive_work", f.At)
	}
}

// free are the days besides weekends on which England did not work in the weeks of the test.
var free = []string{"2026-12-25", "2026-12-28", "2027-01-01", "2027-03-26", "2027-03-29", "2027-05-03", "2027-05-31"}

func (d duty) due() time.Time {
	days := map[string]int{"investigate": 10, "summary": 3, "safety_work": 5, "preventive_work": 5}[d.name]
	switch {
	case d.name == "emergency_make_safe":
		return d.start.Add(24 * time.Hour)
	case d.latest:
		return local(domain.DateOf(d.start.In(home())).Time().AddDate(0, 0, 7*12).Format(time.DateOnly) + " 23:59").Add(59 * time.Second)
	}
	day := domain.DateOf(d.start.In(home())).Time()
	for days > 0 {
		day = day.AddDate(0, 0, 1)
		if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && !slices.Contains(free, day.Format(time.DateOnly)) {
			days--
		}
	}
	return local(day.Format(time.DateOnly) + " 23:59").Add(59 * time.Second)
}

func home() *time.Location {
	where, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	return where
}

// anyAct is an act of any role, more or less complete.
func anyAct(t *rapid.T, l *life, now time.Time) hazard.Act {
	a := hazard.Act{
		Action: rapid.SampledFrom(hazard.Actions()).Draw(t, "action"), ID: domain.ID(fmt.Sprint("A", len(l.history))),
		Role: rapid.SampledFrom([]hazard.Role{hazard.Manager, hazard.Operator, hazard.Manager, hazard.Tenant, "contractor"}).Draw(t, "role"), Now: now,
	}
	if rapid.Bool().Draw(t, "says when") {
		a.At = now.Add(-time.Duration(rapid.IntRange(-1, 30).Draw(t, "hours ago")) * time.Hour)
	}
	needs, takes := []string{"note"}, []string{}
	for _, m := range hazard.Moves() {
		if m.Action == a.Action {
			needs, takes = m.Needs, m.Takes
		}
	}
	gives := func(field string) bool {
		odds := 1 // of twenty
		switch {
		case slices.Contains(needs, field):
			odds = 19
		case field == "note", slices.Contains(takes, field):
			odds = 10
		}
		return rapid.IntRange(1, 20).Draw(t, field) <= odds
	}
	if gives("finding") {
		a.Finding = rapid.SampledFrom(hazard.Findings()).Draw(t, "finding")
	}
	if gives("grade") {
		a.Grade = rapid.SampledFrom(hazard.Findings()).Draw(t, "grade")
	}
	if gives("reason") {
		a.Reason = rapid.SampledFrom([]string{"done", hazard.Withdrawn}).Draw(t, "reason")
	}
	if gives("repair") {
		a.Repair = rapid.SampledFrom([]domain.ID{"R1", "R2", "R3"}).Draw(t, "repair")
	}
	if gives("note") {
		a.Note = domain.NewPersonal("n")
	}
	if gives("accepted") {
		a.Accepted = new(bool)
	}
	a.Targets = targets(l.hazard.Duties(a))
	return a
}

// listed says whether the table has the move, read field by field.
func listed(h hazard.Hazard, a hazard.Act) (hazard.Move, bool) {
	given := map[string]bool{
		"finding": a.Finding != "", "grade": a.Grade != "", "reason": a.Reason != "", "repair": a.Repair != "", "note": !a.Note.IsZero(), "accepted": a.Accepted != nil,
	}
	at := a.At
	if at.IsZero() {
		at = a.Now
	}
	for _, m := range hazard.Moves() {
		fits := m.Action == a.Action && slices.Contains(m.From, h.State) && slices.Contains(m.Roles, a.Role) &&
			(!m.AfterInvestigation || !h.InvestigatedAt.IsZero()) && (m.AnyTime || !at.Before(h.LastAt)) && !at.Before(h.AwareAt) && !at.After(a.Now)
		for field, has := range given {
			needed, taken := slices.Contains(m.Needs, field), field == "note" || slices.Contains(m.Takes, field)
			fits = fits && (has || !needed) && (!has || needed || taken)
		}
		if fits && a.Grade != hazard.None && (a.Action != hazard.AddEvidence || given["note"]) {
			return m, true
		}
	}
	return hazard.Move{}, false
}

func TestHazard_takes_only_listed_moves_and_shows_the_clocks_of_the_law(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := local("2026-12-01 00:00").Add(time.Duration(rapid.IntRange(0, 24*60).Draw(t, "hour of December")) * time.Hour)
		r := recognition(rapid.SampledFrom(hazard.Grades()).Draw(t, "grade"), now.In(home()).Format("2006-01-02 15:04"))
		var l life
		var m model
		record := func(facts []hazard.Event) {
			l.record(facts...)
			for _, fact := range facts {
				m.apply(fact)
			}
		}
		facts, err := l.hazard.Recognise(r)
		if err != nil {
			t.Fatal(err)
		}
		record(facts)
		for range rapid.IntRange(1, 30).Draw(t, "acts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "hours")) * time.Hour)
			a := anyAct(t, &l, now)
			before := l.hazard
			move, possible := listed(before, a)
			facts, err := before.Take(a)
			closing := errors.Is(err, hazard.ErrUnfinished) || errors.Is(err, hazard.ErrDuties) || errors.Is(err, domain.ErrMissing) && a.Reason == hazard.Withdrawn
			if (err == nil) != possible && (!possible || a.Action != hazard.Close || !closing) {
				t.Fatalf("%+v while %s: %v, %v; the table has it: %v", a, before.State, facts, err, possible)
			}
			record(facts)
			to := move.To
			if to == "" || len(facts) == 0 {
				to = before.State
			}
			if l.hazard.State != to || len(facts) > 1 {
				t.Fatalf("%s while %s leads to %s, want %s", a.Action, before.State, l.hazard.State, to)
			}
			if len(facts) == 1 && (!a.Matches(facts[0]) || !slices.Equal(a.Recorded(l.hazard), []uint64{l.hazard.Version()})) {
				t.Fatalf("%+v does not know %+v", a, facts[0])
			}
			checkClocks(t, l.hazard, m, now)
			checkCanBeMet(t, l.hazard)
		}
	})
}

func checkClocks(t *rapid.T, h hazard.Hazard, m model, now time.Time) {
	var want, got []string
	for _, d := range m.duties {
		breached := d.due().Before(now) && (d.met.IsZero() || d.met.After(d.due())) || d.met.After(d.due())
		want = append(want, fmt.Sprint(d.name, d.start, d.due(), d.met, breached))
	}
	for _, r := range h.Readings(now) {
		got = append(got, fmt.Sprint(r.Clock, r.StartedAt, r.DueAt, r.MetAt, r.Breached))
		if r.Paused {
			t.Fatalf("%s is paused", r.Clock)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("clocks (-model +hazard):\n%s", diff)
	}
	if h.Safe != m.safe || h.Grade != m.grade {
		t.Fatalf("safe %v, grade %s; want %v, %s", h.Safe, h.Grade, m.safe, m.grade)
	}
}

// checkCanBeMet holds that no duty runs which nobody could meet.
func checkCanBeMet(t *rapid.T, h hazard.Hazard) {
	by := map[string]hazard.Action{
		"emergency_make_safe": hazard.MakeSafe, "investigate": hazard.Investigate, "summary": hazard.Summarise,
		"safety_work": hazard.MakeSafe, "preventive_work": hazard.BeginPreventiveWork,
	}
	for _, run := range h.Clocks {
		if !run.MetAt.IsZero() || h.State == hazard.StateClosed {
			continue
		}
		if !slices.ContainsFunc(h.Allowed(hazard.Manager), func(m hazard.Move) bool { return m.Action == by[run.Target.Clock] }) {
			t.Fatalf("%s runs while %s, and nothing meets it", run.Target.Clock, h.State)
		}
	}
}
