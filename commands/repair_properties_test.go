package commands_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/diary"
	"rentbook/domain/repair"
	"rentbook/eventstore"
)

// corner is one home with three repairs and two contractors of its own, whatever else is on the log,
// and two processes, of which one stops now and then.
type corner struct {
	e           *estate
	now         *moving
	name        string
	contractors []domain.ID
	repairs     []domain.ID
	processes   []*commands.Handler
	store       *flaky
	stopAfter   int // appends; 0: it does not stop
	done        []deed
}

// deed is something that was carried out.
type deed struct {
	meta    commands.Meta
	act     commands.ActOnRepair
	receipt commands.Receipt
}

// Whoever does whatever to repairs, in whatever order: no window has more visits than fit, each visit
// that stands has its place and each place its visit, and what comes again changes nothing.
func TestRepairs_AndDiariesAgreeWhateverHappens(t *testing.T) {
	t.Parallel()
	e := bareEstate(t)
	corners := 0
	rapid.Check(t, func(r *rapid.T) {
		corners++
		s := newCorner(t, e, fmt.Sprint("s", corners))
		steps := rapid.IntRange(1, 25).Draw(r, "steps")
		for range steps {
			s.step(t.Context(), r)
			s.fits(t.Context(), r)
		}
		s.agrees(t.Context(), r)
		s.repeats(t.Context(), r)
	})
}

func newCorner(t *testing.T, e *estate, name string) *corner {
	t.Helper()
	s := &corner{e: e, now: &moving{now: instant("11-23 09:00")}, name: name, store: &flaky{Store: e.log}}
	s.store.before = func(eventstore.Stream) error { return s.stops() }
	s.store.after = func(eventstore.Stream) error { return s.stops() }
	own := func(c *commands.Config) { c.Now = s.now.Now }
	s.processes = []*commands.Handler{e.at(s.store, own), e.at(e.log, own)}
	_, err := e.PutProperty(t.Context(), manager(), commands.PutProperty{Property: name, Kind: "home", Address: name, Postcode: "LN1 1AA"})
	check(t, err)
	_, err = e.PutTenancy(t.Context(), manager(), commands.PutTenancy{Tenancy: name, Property: name, Kind: "secure", StartsOn: "2026-01-01", Currency: "GBP"})
	check(t, err)
	_, err = e.PutTenant(t.Context(), manager(), commands.PutTenant{Tenancy: name, Person: name, Name: "Ada", LiableFrom: "2026-01-01"})
	check(t, err)
	for _, id := range []string{name + "a", name + "b"} {
		_, err := e.PutContractor(t.Context(), manager(), commands.PutContractor{Contractor: id, Name: id, Trades: []string{"plumbing"}, Areas: []string{name}})
		check(t, err)
		_, err = e.PutAvailability(t.Context(), manager(), commands.PutAvailability{Contractor: id, Windows: weekly(1)})
		check(t, err)
		s.contractors = append(s.contractors, domain.ID(id))
	}
	leaf := tap(t)
	for i := range 3 {
		c := report(fmt.Sprintf("%s-r%d", name, i), leaf)
		c.Tenancy = name
		_, err := s.processes[0].ReportRepair(t.Context(), tenantIs(name), c)
		check(t, err)
		s.repairs = append(s.repairs, domain.ID(c.Repair))
	}
	return s
}

func (s *corner) stops() error {
	if s.stopAfter == 0 {
		return nil
	}
	if s.stopAfter--; s.stopAfter == 0 {
		s.stopAfter = 1 // and stays away
		return errStopped
	}
	return nil
}

// step lets time pass, or somebody do something.
func (s *corner) step(ctx context.Context, r *rapid.T) {
	if rapid.IntRange(0, 4).Draw(r, "time") == 0 {
		s.now.pass(time.Duration(rapid.IntRange(1, 30*60).Draw(r, "minutes")) * time.Minute)
	}
	id := rapid.SampledFrom(s.repairs).Draw(r, "repair")
	m := rapid.SampledFrom([]commands.Meta{
		manager(), secondManager(), manager(), tenantIs(s.name), contractorIs(s.contractors[0]), contractorIs(s.contractors[1]), tenantIs("P3"), auditor(),
	}).Draw(r, "who")
	slots := []string{tuesday, tuesdayLate, wednesday, thursday}
	act := commands.ActOnRepair{
		Repair: string(id), ID: fmt.Sprintf("%s-%d", s.name, len(s.done)),
		Action: string(rapid.SampledFrom(s.likely(ctx, r, id, m.Actor)).Draw(r, "action")), Reason: "because", Note: "n",
		Evidence: "card", Outcome: "landlord", SOR: []repair.Line{{Code: "PLB-001"}},
		NewRepair: fmt.Sprintf("%s-n%d", s.name, len(s.done)), Into: string(rapid.SampledFrom(s.repairs).Draw(r, "into")),
	}
	if slices.Contains([]string{"hold_slot", "book", "rebook"}, act.Action) {
		act.Slot = rapid.SampledFrom(slots).Draw(r, "slot")
	}
	if act.Action == string(repair.Assign) {
		act.Contractor = string(rapid.SampledFrom(s.contractors).Draw(r, "contractor"))
	}
	process := rapid.IntRange(0, 1).Draw(r, "process")
	if process == 0 {
		s.stopAfter = rapid.SampledFrom([]int{0, 0, 1, 2, 3, 4, 5, 6, 7}).Draw(r, "stops")
	}
	got, err := s.processes[process].ActOnRepair(ctx, m, act)
	s.stopAfter = 0
	if errors.Is(err, errStopped) || errors.Is(err, eventstore.ErrUnavailable) { // somebody asks again
		got, err = s.processes[1].ActOnRepair(ctx, m, act)
	}
	_, refused := errors.AsType[*domain.Refusal](err)
	switch {
	case err == nil:
		s.done = append(s.done, deed{m, act, got.Receipt})
	case !refused && !errors.Is(err, commands.ErrForbidden):
		r.Fatalf("%s %s: %v", act.Action, act.Repair, err)
	}
}

// likely are the actions that are allowed, those about visits more often, and now and then all of them.
func (s *corner) likely(ctx context.Context, r *rapid.T, id domain.ID, by commands.Actor) []repair.Action {
	all, err := s.e.open.repairs(ctx)
	if err != nil {
		r.Fatal(err)
	}
	moves := all[id].Allowed(repair.Role(by.Role), by.Person(), s.now.Now())
	if len(moves) == 0 || rapid.IntRange(0, 5).Draw(r, "anything") == 0 {
		moves = repair.Moves()
	}
	var actions []repair.Action
	for _, m := range moves {
		actions = append(actions, m.Action)
		if slices.Contains(m.Needs, "slot") || m.Action == repair.Start || m.Action == repair.HandBack {
			actions = append(actions, m.Action, m.Action, m.Action)
		}
	}
	return actions
}

// visits are the visits of the corner's repairs, and of those that came of them.
func (s *corner) visits(ctx context.Context, r *rapid.T) (standing, made map[place]bool, number map[place]int) {
	all, err := s.e.open.repairs(ctx)
	if err != nil {
		r.Fatal(err)
	}
	standing, made, number = map[place]bool{}, map[place]bool{}, map[place]int{}
	for id, one := range all {
		if one.Property != domain.ID(s.name) {
			continue
		}
		for _, v := range one.Visits {
			switch {
			case v.Slot == "":
			case v.Status == repair.VisitIsBooked || v.Status == repair.VisitAttending:
				standing[place{v.Contractor, v.Slot, id}] = true
				number[place{v.Contractor, v.Slot, ""}]++
			case v.Status != repair.VisitWithdrawn && v.Status != repair.VisitWasLost:
				made[place{v.Contractor, v.Slot, id}] = true
			}
		}
	}
	return standing, made, number
}

func (s *corner) fits(ctx context.Context, r *rapid.T) {
	_, _, number := s.visits(ctx, r)
	for p, n := range number {
		if n > 1 {
			r.Fatalf("%s of %s has %d visits, and room for one", p.slot, p.contractor, n)
		}
	}
}

func (s *corner) agrees(ctx context.Context, r *rapid.T) {
	standing, made, _ := s.visits(ctx, r)
	firm := map[place]bool{}
	for _, c := range s.contractors {
		for _, day := range []string{"2026-11-24", "2026-11-25", "2026-11-26"} {
			s.firmOn(ctx, r, c, eventstore.Stream(diary.Category+"-"+string(c)+":"+day), firm)
		}
	}
	for p := range standing {
		if !firm[p] {
			r.Fatalf("%s has a visit at %s of %s, and no place there", p.repair, p.slot, p.contractor)
		}
	}
	for p := range firm {
		if !standing[p] && !made[p] {
			r.Fatalf("%s has a place at %s of %s, and no visit there", p.repair, p.slot, p.contractor)
		}
	}
}

func (s *corner) firmOn(ctx context.Context, r *rapid.T, of domain.ID, stream eventstore.Stream, firm map[place]bool) {
	var d diary.Day
	for event, err := range s.e.log.Read(ctx, stream, 0) {
		if err != nil {
			r.Fatal(err)
		}
		fact, err := eventstore.Decode[diary.Event](ctx, commands.Codec(s.e.vault), event)
		if err != nil {
			r.Fatal(err)
		}
		d = d.Apply(fact)
	}
	for _, slot := range []domain.ID{tuesday, tuesdayLate, wednesday, thursday} {
		for _, o := range d.Occupants(slot) {
			if o.Confirmed {
				firm[place{of, slot, o.Repair}] = true
			}
		}
	}
}

// repeats sends everything that was carried out once more, the other way round.
func (s *corner) repeats(ctx context.Context, r *rapid.T) {
	before, err := s.e.log.Head(ctx)
	if err != nil {
		r.Fatal(err)
	}
	for _, d := range slices.Backward(s.done) {
		got, err := s.processes[1].ActOnRepair(ctx, d.meta, d.act)
		if errors.Is(err, repair.ErrNotReported) && d.meta.Actor.Role == commands.RoleContractor {
			continue // it is not theirs any more
		}
		d.receipt.Replayed = true
		if err != nil || got.Receipt != d.receipt {
			r.Fatalf("%s %s again: got %+v, %v, want %+v", d.act.Action, d.act.Repair, got.Receipt, err, d.receipt)
		}
	}
	after, err := s.e.log.Head(ctx)
	if err != nil {
		r.Fatal(err)
	}
	for event, err := range eventstore.ReadTo(ctx, s.e.log, before, after) {
		r.Fatalf("a repetition was recorded: %s on %s, %v", event.Type, event.Stream, err)
	}
}
