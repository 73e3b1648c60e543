package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/hazard"
	"rentbook/domain/repair"
	"rentbook/eventstore"
)

// fault is a repair: what was reported, and what came of it.
type fault struct {
	id       string
	tenancy  string
	reported moment
	path     string // kitchen/sink/taps
	answers  string // what=drips
	says     string
	when     string // it suits the tenant
	then     []step
	ends     repair.State
	text     string // for the tour

	recalled bool // by another story: there is no report
}

// step is something that somebody does to a repair.
type step struct {
	who   party
	does  repair.Action
	on    moment        // zero: after the step before
	next  string        // 10:05, on the day after the step before
	after time.Duration // the step before or, of what is done there, the beginning of the visit
	there bool
	ahead bool // of a booking: a visit that is still to come
	until int  // days from now; 0: none said
	with  commands.ActOnRepair
}

// moment is a time of a day, so many days before the demo is told.
type moment struct {
	ago int
	at  string // 10:05
}

// party is who does something about a repair.
type party int

const (
	tenant party = iota
	worker       // of the contractor who has it
	desk
	head
)

// past carries commands out at times before now, as the story of each repair goes: who reports a fault
// says so now, and a fault of today cannot have been mended last week.
type past struct {
	teller
	now   time.Time
	clock time.Time
}

// repairing is the teller with a clock of its own. Two handlers of one log are nothing special: each
// looks whether the other has written.
func (t teller) repairing() *past {
	p := &past{teller: t, now: t.h.Now()}
	config := t.h.Config
	config.Now = func() time.Time { return p.clock }
	config.Scheduler = nil // Rentbook's own diary, by that clock
	p.h = commands.New(config)
	return p
}

// repairs tells who does repairs, what was broken, and what is dangerous.
func (t teller) repairs(ctx context.Context) (Repairs, error) {
	if err := t.hire(ctx); err != nil {
		return Repairs{}, err
	}
	p := t.repairing()
	told := Repairs{From: p.today() - historyDays, To: p.today()}
	for _, f := range p.faults() {
		ended, err := p.tell(ctx, f)
		if err != nil {
			return told, fmt.Errorf("repair %s: %w", f.id, err)
		}
		if f.id == Scheduled {
			visit, _ := ended.Visit()
			told.Visit = Visit{Repair: f.id, Contractor: string(visit.Contractor), On: p.day(visit.From)}
		}
		told.All = append(told.All, RepairHighlight{Repair: f.id, Tenancy: f.tenancy, State: f.ends, Text: f.text})
	}
	return told, p.endanger(ctx)
}

// historyDays is how far back the stories of repairs go.
const historyDays = 60

func (p *past) day(at time.Time) domain.Date { return domain.DateOf(at.In(p.h.Local())) }
func (p *past) today() domain.Date           { return p.day(p.now) }

// instant is a moment by the clocks on the walls of the landlord.
func (p *past) instant(m moment) (time.Time, error) {
	return p.wall(p.today()-domain.Date(m.ago), m.at)
}

func (p *past) wall(day domain.Date, at string) (time.Time, error) {
	t, err := time.ParseInLocation("2006-01-02 15:04", day.String()+" "+at, p.h.Local())
	return t.UTC(), err
}

// turn sets the clock, never beyond now.
func (p *past) turn(to time.Time) error {
	if to.After(p.now) {
		return fmt.Errorf("the story is ahead of its time: it is %s, not %s", p.now, to)
	}
	p.clock = to
	return nil
}

// tell tells one repair to its end. What was told before is not told again.
func (p *past) tell(ctx context.Context, f fault) (repair.Repair, error) {
	r, err := p.read(ctx, f.id)
	p.clock = r.LastAt
	if err == nil && !r.Exists() {
		r, err = p.report(ctx, f)
	}
	for i, s := range f.then {
		if err != nil {
			break
		}
		id := fmt.Sprintf("A%d", i+1)
		if len(repair.Act{ID: domain.ID(id)}.Recorded(r)) > 0 {
			continue
		}
		if r, err = p.act(ctx, f, s, id, r); err != nil {
			err = fmt.Errorf("%s %s: %w", id, s.does, err)
		}
	}
	if err == nil && r.State != f.ends {
		err = fmt.Errorf("it is %s, not %s", r.State, f.ends)
	}
	return r, err
}

// read is a repair as the log has it.
func (p *past) read(ctx context.Context, id string) (repair.Repair, error) {
	var r repair.Repair
	for recorded, err := range p.h.Store.Read(ctx, eventstore.NewStream(repair.Category, id), 0) {
		if err != nil {
			return r, err
		}
		fact, err := eventstore.Decode[repair.Event](ctx, p.h.Codec, recorded)
		if err != nil {
			return r, err
		}
		r = r.Apply(fact)
	}
	return r, nil
}

func (p *past) report(ctx context.Context, f fault) (repair.Repair, error) {
	if f.recalled {
		return repair.Repair{}, errors.New("the story that recalls it was not told")
	}
	at, err := p.instant(f.reported)
	if err == nil {
		err = p.turn(at)
	}
	if err != nil {
		return repair.Repair{}, err
	}
	answers := map[string]string{}
	for pair := range strings.FieldsSeq(f.answers) {
		question, answer, _ := strings.Cut(pair, "=")
		answers[question] = answer
	}
	receipt, err := p.h.ReportRepair(ctx, p.by(tenant, f, repair.Repair{}), commands.ReportRepair{
		Repair: f.id, Tenancy: f.tenancy, Path: strings.Split(f.path, "/"), Answers: answers,
		Description: f.says, Availability: f.when, Contact: p.tenantOf(f).phone,
	})
	return receipt.Repair, err
}

// turnTo sets the clock to when a step is taken.
func (p *past) turnTo(s step, r repair.Repair) error {
	from, err := p.clock, error(nil)
	visit, stands := r.Visit()
	switch {
	case s.on.at != "":
		from, err = p.instant(s.on)
	case s.next != "":
		from, err = p.wall(p.day(p.clock)+1, s.next)
	case s.there && !stands:
		err = errors.New("there is no visit")
	case s.there:
		from = visit.From
	}
	if err != nil {
		return err
	}
	return p.turn(from.Add(s.after))
}

// act takes a step.
func (p *past) act(ctx context.Context, f fault, s step, id string, r repair.Repair) (repair.Repair, error) {
	err := p.turnTo(s, r)
	if err != nil {
		return r, err
	}
	m, c := p.by(s.who, f, r), s.with
	c.Repair, c.ID, c.Action = f.id, id, string(s.does)
	if s.until > 0 {
		c.Until = (p.today() + domain.Date(s.until)).String()
	}
	if s.does == repair.Book || s.does == repair.Rebook {
		if c.Slot, err = p.slot(ctx, m, f, s); err != nil {
			return r, err
		}
	}
	receipt, err := p.h.ActOnRepair(ctx, m, c)
	return receipt.Repair, err
}

// slot is the contractor's next free window, or the next one that lies ahead of everybody.
func (p *past) slot(ctx context.Context, m commands.Meta, f fault, s step) (string, error) {
	from := p.clock
	if s.ahead {
		from = p.now
	}
	slots, err := p.h.Slots(ctx, m.Actor, f.id, from, 1)
	switch {
	case err != nil:
		return "", err
	case len(slots) == 0:
		return "", errors.New("the contractor has no time")
	}
	return string(slots[0].ID), nil
}

// by is who does something to a repair as it is.
func (p *past) by(who party, f fault, r repair.Repair) commands.Meta {
	m := p.meta
	switch who {
	case tenant:
		m.Actor = commands.Actor{ID: "demo-tenant", Role: commands.RoleTenant, OnBehalfOf: p.tenantOf(f).ref}
	case worker:
		m.Actor = commands.Actor{ID: "demo-" + string(r.Contractor), Role: commands.RoleContractor, Contractor: r.Contractor}
	case desk:
		m.Actor = commands.Actor{ID: "repairs-desk", Role: commands.RoleManager}
	case head:
		m.Actor = commands.Actor{ID: "head-of-repairs", Role: commands.RoleManager}
	}
	return m
}

// tenantOf is who lives with the fault.
func (p *past) tenantOf(f fault) person {
	for _, t := range p.all {
		if t.ref() == f.tenancy {
			return t.tenants[0]
		}
	}
	return person{}
}

// endanger tells the hazard of which somebody rang up. The other one came of a report (R29).
func (p *past) endanger(ctx context.Context) error {
	const id = Panel
	at, err := p.instant(moment{4, "10:20"})
	if err == nil {
		err = p.turn(at)
	}
	if err != nil {
		return err
	}
	m := p.as("contact-centre", "call of a passer-by")
	receipt, err := p.h.RecogniseHazard(ctx, m, commands.RecogniseHazard{
		Hazard: id, Property: "B3", Kind: "structural", Grade: string(hazard.Emergency), Channel: string(hazard.Call),
		Description: "A brick panel over the entrance of Cutler Court has come loose.",
	})
	for i, s := range []struct {
		after time.Duration
		does  commands.ActOnHazard
	}{
		{90 * time.Minute, commands.ActOnHazard{
			Action: string(hazard.Investigate), Finding: string(hazard.Emergency), Note: "Two ties have rusted through; it could fall.",
		}},
		{2 * time.Hour, commands.ActOnHazard{Action: string(hazard.MakeSafe), Note: "Entrance fenced off, panel taken down."}},
		{20 * time.Hour, commands.ActOnHazard{Action: string(hazard.Summarise), Note: "Letter to all twelve homes."}},
	} {
		c := s.does
		c.Hazard, c.ID = id, fmt.Sprintf("A%d", i+1)
		at = at.Add(s.after)
		if err == nil && len(hazard.Act{ID: domain.ID(c.ID)}.Recorded(receipt.Hazard)) > 0 {
			continue
		}
		if err == nil {
			err = p.turn(at)
		}
		if err == nil {
			receipt, err = p.h.ActOnHazard(ctx, p.as("surveyor", ""), c)
		}
	}
	if err != nil {
		return fmt.Errorf("hazard %s: %w", id, err)
	}
	return nil
}
