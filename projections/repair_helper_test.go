package projections

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/repair"
	"rentbook/eventstore"
)

// life is a repair to which things happen that the table allows, and chance wants. What is personal
// has the canary in it.
type life struct {
	repair.Repair

	id    string
	now   time.Time
	draw  func(n int) int
	facts []repair.Event
	by    []eventstore.Actor // of each fact
	steps int
}

// policy is read once: that takes a while.
var policy = sync.OnceValue(clock.Default)

func repairStream(id string) eventstore.Stream { return eventstore.NewStream(repair.Category, id) }

// newLife reports a repair, of a tenancy T0, T1 … in the homes H0, H1 … or in the shared parts of a
// block of ten.
func newLife(id string, at time.Time, homes int, draw func(n int) int) *life {
	l := &life{id: id, now: at.Truncate(time.Second), draw: draw}
	home := draw(homes)
	p := repair.Report{
		Now: l.now, Tenancy: domain.ID(fmt.Sprintf("T%d", home)), Property: domain.ID(fmt.Sprintf("H%d", home)),
		Path: []string{"kitchen", "sink", []string{"taps", "waste"}[draw(2)]}, Tree: "1",
		Description: domain.NewPersonal(canary + " drips"), Triage: l.diagnosis(), By: "web",
	}
	if draw(4) == 0 {
		p.Property, p.Communal, p.Path = domain.ID(fmt.Sprintf("B%d", home/10)), true, []string{"stairs", "light"}
	}
	if draw(2) == 0 {
		p.Contact, p.Person = domain.NewPersonal(canary+" 0123"), "P1"
	}
	if draw(3) == 0 {
		p.Photos = l.photos()
	}
	p.Routing = l.routing()
	facts, err := repair.Repair{}.Report(p)
	if err != nil {
		panic(err)
	}
	l.take("tenant", facts)
	return l
}

func (l *life) photos() []domain.ID { return []domain.ID{domain.ID(fmt.Sprintf("F%d", l.draw(50)))} }

func (l *life) diagnosis() repair.Diagnosis {
	priority := repair.Priorities()[l.draw(4)]
	d := repair.Diagnosis{
		Outcome: repair.OutcomeLandlord, Trade: []string{"plumbing", "electrical", "carpentry", "roofing"}[l.draw(4)], Priority: priority,
		SOR: []repair.Line{{Code: "N631321", Quantity: 1 + l.draw(3)}},
	}
	if l.draw(8) == 0 {
		d.Outcome = repair.OutcomeTenant
		return d
	}
	names := []string{"priority." + string(priority)}
	if priority == repair.Emergency {
		names = append(names, "priority.emergency.make_safe")
	}
	for _, name := range names {
		target, err := policy().Target(name, domain.DateOf(l.now), l.now, "Europe/London")
		if err != nil {
			panic(err)
		}
		d.Targets = append(d.Targets, target)
	}
	return d
}

func (l *life) routing() repair.Routing {
	g := repair.Routing{Explanation: "nobody works there"}
	if l.draw(6) > 0 {
		g = repair.Routing{
			Contractor: domain.ID(fmt.Sprintf("C%d", l.draw(5))), Contract: "K1", Explanation: "cheapest of 2 that fit",
			Cost: gbp(int64(1000 * l.draw(60))), Limit: gbp(25000), Parameter: "approval.limit@2024-01-01",
		}
	}
	return g
}

func (l *life) take(role string, facts []repair.Event) {
	for _, f := range facts {
		l.Repair = l.Apply(f)
		l.facts = append(l.facts, f)
		l.by = append(l.by, eventstore.Actor{ID: "token-" + role, Role: role})
	}
}

// step does something that is allowed, some time later; false if nothing came of it.
func (l *life) step() bool {
	l.steps++
	l.now = l.now.Add(time.Duration(1+l.draw(50)) * time.Hour)
	role := []repair.Role{repair.Tenant, repair.Contractor, repair.Manager, repair.Operator}[l.draw(4)]
	if v, stands := l.Visit(); stands && l.draw(5) == 0 {
		facts, err := l.Remind(repair.Remind{Visit: v.ID, At: l.now})
		if l.draw(2) == 0 {
			facts, err = l.Lose(repair.Remind{Visit: v.ID, At: l.now})
		}
		l.take("system", facts)
		return err == nil && len(facts) > 0
	}
	by := fmt.Sprintf("token-%s-%d", role, l.draw(2))
	moves := l.Allowed(role, by, l.now)
	move := moves[l.draw(len(moves))]
	if slices.Contains([]repair.Action{repair.AddNote, repair.Cancel, repair.Decline}, move.Action) && l.draw(4) > 0 {
		return false
	}
	return l.act(move.Action, role, by)
}

func (l *life) act(action repair.Action, role repair.Role, by string) bool {
	from := l.now.Add(time.Duration(l.draw(100)) * time.Hour)
	contractor := domain.ID(fmt.Sprintf("C%d", l.draw(5)))
	routing := l.routing()
	if action == repair.Assign {
		routing = repair.Routing{Contractor: contractor, Contract: "K1"}
	}
	a := repair.Act{
		ID: domain.ID(fmt.Sprintf("%s-A%d", l.id, l.steps)), Action: action, Role: role, By: by, Now: l.now, Reason: "leak",
		Note: domain.NewPersonal(canary + " note"), Outcome: repair.OutcomeLandlord, SOR: []repair.Line{{Code: "N1", Quantity: 2}},
		Contractor: contractor, Slot: domain.ID(from.Format("2006-01-02.1504")), Evidence: domain.NewPersonal(canary + " photo of the door"),
		Until: domain.DateOf(l.now) + 7, Repair: "R0002", Into: domain.ID(fmt.Sprintf("R%04d", l.draw(4))), Rating: l.draw(6),
		Triage: l.diagnosis(), Routing: routing, RecallDays: 90,
		Window: repair.Slot{
			ID: domain.ID(from.Format("2006-01-02.1504")), Contractor: l.Contractor, From: from, To: from.Add(4 * time.Hour),
			Until: l.now.Add(time.Hour),
		},
	}
	if l.draw(4) == 0 {
		a.Reason, a.Photos = repair.ReasonParts, l.photos()
	}
	if action == repair.Hold && l.draw(2) == 0 {
		a.Reason = "tenant"
	}
	facts, err := l.Take(fitting(a))
	if err != nil {
		return false
	}
	l.take(string(role), facts)
	return true
}

// roleOf is who did what a fact says: nobody asked for what a rule made of it.
func (l *life) roleOf(i int) string {
	if repair.ByRule(l.facts[i]) {
		return "system"
	}
	return l.by[i].Role
}

// fitting is an act without what its action does not take.
func fitting(a repair.Act) repair.Act {
	none := repair.Act{}
	takes := func(field string) bool {
		return slices.ContainsFunc(repair.Moves(), func(m repair.Move) bool {
			return m.Action == a.Action && (slices.Contains(m.Needs, field) || slices.Contains(m.Takes, field))
		})
	}
	for field, clear := range map[string]func(){
		"outcome": func() { a.Outcome = none.Outcome }, "sor": func() { a.SOR = nil }, "contractor": func() { a.Contractor = "" },
		"slot": func() { a.Slot, a.Window = "", none.Window }, "evidence": func() { a.Evidence = none.Evidence },
		"until": func() { a.Until = 0 }, "repair": func() { a.Repair = "" }, "into": func() { a.Into = "" }, "rating": func() { a.Rating = 0 },
	} {
		if !takes(field) {
			clear()
		}
	}
	return a
}

// finish has the work done, as far as chance lets it.
func (l *life) finish() {
	next := map[repair.State]repair.Action{
		repair.StateTriaged: repair.Assign, repair.StateAwaitingApproval: repair.Approve, repair.StateRaised: repair.Accept,
		repair.StateAccepted: repair.Start, repair.StateScheduled: repair.Start, repair.StateNoAccess: repair.Start,
		repair.StateMadeSafe: repair.Complete, repair.StateOnHold: repair.Resume, repair.StateAttending: repair.Complete,
		repair.StateDisputed: repair.Reopen,
	}
	for range 12 {
		l.steps++
		l.now = l.now.Add(time.Duration(1+l.draw(30)) * time.Hour)
		if action := next[l.State]; action != "" {
			l.act(action, repair.Manager, "token-manager")
		}
	}
}

// propertyID is a block.
func propertyID(n int) domain.ID { return domain.ID(fmt.Sprintf("B%d", n)) }

// chance draws the same numbers every time.
func chance(seed uint64) func(int) int {
	return rand.New(rand.NewPCG(seed, 1)).IntN
}

// proposed are facts as they are recorded, from a version on.
func (s *scene) proposed(stream eventstore.Stream, facts []repair.Event, by []eventstore.Actor) (events []eventstore.Proposed) {
	s.Helper()
	for i, f := range facts {
		id := uuid.New()
		data, err := s.codec.Encode(stream, id, f)
		s.must(err)
		events = append(events, eventstore.Proposed{ID: id, Type: f.EventType(), Data: data, Metadata: eventstore.Metadata{
			Command: id, Correlation: id, Causation: id, Actor: by[i],
		}})
	}
	return events
}

// live records all that happened to a repair from a fact on.
func (s *scene) live(l *life, from int) {
	s.Helper()
	if from < len(l.facts) {
		stream := repairStream(l.id)
		s.append(stream, s.proposed(stream, l.facts[from:], l.by[from:])...)
	}
}

// lives records repairs whose lives run side by side.
func (s *scene) lives(n, steps int, draw func(int) int) []*life {
	s.Helper()
	var all []*life
	for i := range n {
		l := newLife(fmt.Sprintf("R%04d", i), time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(i)*time.Hour), 10, draw)
		s.live(l, 0)
		all = append(all, l)
	}
	for range steps {
		l := all[draw(n)]
		before := len(l.facts)
		l.step()
		s.live(l, before)
	}
	return all
}
