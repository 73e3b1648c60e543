package hazard_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/domaintest"
	"rentbook/domain/hazard"
)

type (
	recognising = domaintest.Example[hazard.Event, hazard.Recognition]
	acting      = domaintest.Example[hazard.Event, hazard.Act]
)

// policy is the shipped one: the rules are tested with the numbers of the law.
var policy = sync.OnceValue(clock.Default)

const zone = "Europe/London"

// local is an instant as people in England say it.
func local(s string) time.Time {
	where, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	t, err := time.ParseInLocation("2006-01-02 15:04", s, where)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// targets looks duties up, as the commands do.
func targets(duties []hazard.Duty) []clock.Target {
	found, err := hazard.Targets(policy(), duties, zone)
	if err != nil {
		panic(err)
	}
	return found
}

func recognition(grade hazard.Grade, aware string) hazard.Recognition {
	r := hazard.Recognition{
		Property: "H1", Tenancy: "T1", Kind: "damp_mould", Grade: grade, AwareAt: local(aware), Channel: hazard.Portal,
		Description: domain.NewPersonal("black mould over the cot"), Repair: "R1", Now: local(aware).Add(time.Hour),
	}
	r.Targets = targets(r.Duties())
	return r
}

// life is a hazard and all that ever happened to it.
type life struct {
	hazard  hazard.Hazard
	history []hazard.Event
}

func (l *life) record(facts ...hazard.Event) {
	for _, fact := range facts {
		l.hazard = l.hazard.Apply(fact)
		l.history = append(l.history, fact)
	}
}

// recognised is a hazard at its beginning.
func recognised(t testing.TB, r hazard.Recognition) *life {
	t.Helper()
	l := &life{}
	facts, err := l.hazard.Recognise(r)
	if err != nil {
		t.Fatal(err)
	}
	l.record(facts...)
	return l
}

// act is what a manager does at a time, with the targets that the commands would look up.
func (l *life) act(action hazard.Action, at string, with ...func(*hazard.Act)) hazard.Act {
	a := hazard.Act{
		Action: action, ID: domain.ID(fmt.Sprint("A", len(l.history))), Role: hazard.Manager, At: local(at), Now: local(at).Add(time.Minute),
	}
	for _, change := range with {
		change(&a)
	}
	a.Targets = targets(l.hazard.Duties(a))
	return a
}

// take records what is decided on an act.
func (l *life) take(t testing.TB, action hazard.Action, at string, with ...func(*hazard.Act)) *life {
	t.Helper()
	facts, err := l.hazard.Take(l.act(action, at, with...))
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	l.record(facts...)
	return l
}

func finding(g hazard.Grade) func(*hazard.Act)  { return func(a *hazard.Act) { a.Finding = g } }
func grade(g hazard.Grade) func(*hazard.Act)    { return func(a *hazard.Act) { a.Grade = g } }
func reason(s string) func(*hazard.Act)         { return func(a *hazard.Act) { a.Reason = s } }
func note(s string) func(*hazard.Act)           { return func(a *hazard.Act) { a.Note = domain.NewPersonal(s) } }
func repair(id domain.ID) func(*hazard.Act)     { return func(a *hazard.Act) { a.Repair = id } }
func role(r hazard.Role) func(*hazard.Act)      { return func(a *hazard.Act) { a.Role = r } }
func photos(ids ...domain.ID) func(*hazard.Act) { return func(a *hazard.Act) { a.Photos = ids } }
func accepted(yes bool) func(*hazard.Act)       { return func(a *hazard.Act) { a.Accepted = &yes } }

// shown is the clocks as one line each: name, from, due, met; all in local time.
func shown(h hazard.Hazard, now string) []string {
	where, _ := time.LoadLocation(zone)
	say := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return t.In(where).Format("2006-01-02 15:04")
	}
	var lines []string
	for _, r := range h.Readings(local(now)) {
		line := fmt.Sprintf("%s %s due %s met %s", r.Clock, say(r.StartedAt), say(r.DueAt), say(r.MetAt))
		if r.Breached {
			line += " breached"
		}
		lines = append(lines, line)
	}
	return lines
}
