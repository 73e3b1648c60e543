package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/domain/tenancy"
	"rentbook/eventstore"
)

// ActOnRepair does something to a repair. Which fields an action needs is in repair.Moves.
type ActOnRepair struct {
	Repair string
	ID     string // of the action, chosen by the caller
	Action string
	At     string // RFC 3339; empty: now
	Reason string // a code, or free text
	Note   string
	Photos []string

	Outcome     string
	Trade       string
	Priority    string
	SOR         []repair.Line
	Cost        string
	Contractor  string
	Slot        string
	Evidence    string
	Until       string
	NewRepair   string
	Into        string
	Rating      int
	Description string // of a new repair
}

// NotAllowedError is a move that a repair or hazard does not allow the actor now: where it stands, and
// what it allows.
type NotAllowedError struct {
	Refusal error
	State   string
	Allowed []string
}

func (e *NotAllowedError) Error() string { return e.Refusal.Error() }
func (e *NotAllowedError) Unwrap() error { return e.Refusal }

// SlotGoneError is a slot without room, and the next ones that have some.
type SlotGoneError struct {
	Refusal error
	Next    []Slot
}

func (e *SlotGoneError) Error() string { return e.Refusal.Error() }
func (e *SlotGoneError) Unwrap() error { return e.Refusal }

// ActOnRepair carries out an ActOnRepair. An appointment is reserved in the diary first, then
// recorded on the repair, then confirmed in the diary; doing it again completes what was interrupted.
// What was looked up for an act is for the repair as it was then: if somebody else was faster, it is
// looked up again.
func (h *Handler) ActOnRepair(ctx context.Context, m Meta, c ActOnRepair) (RepairReceipt, error) {
	if len(repair.ActionsOf(m.Actor.toRepairs())) == 0 {
		return RepairReceipt{}, ErrForbidden
	}
	defer h.acts.lock(repairStream(domain.ID(c.Repair))).Unlock()
	for attempt := 1; ; attempt++ {
		done, err := h.actOnce(ctx, m, c)
		switch {
		case m.Expect != nil || !errors.Is(err, domain.ErrStale):
			return done, err
		case attempt == attemptsMax:
			return done, fmt.Errorf("act on a repair: %w", eventstore.ErrConflict)
		}
	}
}

func (h *Handler) actOnce(ctx context.Context, m Meta, c ActOnRepair) (RepairReceipt, error) {
	t, act, err := h.act(m, c)
	id := domain.ID(c.Repair)
	before, notFound := h.repairFor(ctx, m.Actor, id)
	switch {
	case notFound != nil && !gaveAway(m.Actor, before, act): // who may not see it learns nothing of what was asked
		return RepairReceipt{}, notFound
	case err != nil:
		return RepairReceipt{}, err
	}
	receipt, err := h.take(ctx, m, t, before, &act, c)
	after, err := h.shown(ctx, id, receipt, err)
	if err != nil {
		return RepairReceipt{}, h.explained(ctx, id, after.Repair, act, errors.Join(err, h.giveBack(ctx, id, before, after.Repair, act, err)))
	}
	if before, err = h.priorTo(ctx, id, act, before, after.Repair); err != nil {
		return RepairReceipt{}, err
	}
	if err := h.settle(ctx, id, before, after.Repair, act); err != nil {
		return RepairReceipt{}, h.explained(ctx, id, after.Repair, act, err)
	}
	return h.shown(ctx, id, receipt, nil)
}

// take looks up what the act needs and records it, if the repair is still what that was looked up for.
func (h *Handler) take(
	ctx context.Context, m Meta, t target, before repair.Repair, act *repair.Act, c ActOnRepair,
) (Receipt, error) {
	if routes(act.Action) {
		done, err := h.route(ctx)
		if err != nil {
			return Receipt{}, err
		}
		defer done()
	}
	if len(act.Recorded(before)) == 0 {
		version := before.Version()
		if m.Expect != nil && *m.Expect != version {
			return Receipt{}, domain.ErrStale
		}
		m.Expect = &version
		if err := h.prepare(ctx, m, before, act, c); err != nil {
			return Receipt{}, err
		}
	} else if act.Repair != "" && act.Action != repair.Merge { // what was said of the new repair is compared there
		if err := h.linkedAgain(ctx, m, before, *act, c); err != nil {
			return Receipt{}, err
		}
	}
	return decide(ctx, h, m, t, repair.Repair.Take, *act)
}

// routes says whether an action depends on what others do at the same time: on who has room, or on
// another repair.
func routes(a repair.Action) bool {
	return slices.Contains([]repair.Action{
		repair.Triage, repair.Raise, repair.Assign, repair.HandBack, repair.Recall, repair.FollowOn, repair.Merge,
	}, a)
}

// route lets one at a time, of this process, decide who gets a repair, and record it.
func (h *Handler) route(ctx context.Context) (done func(), err error) {
	select {
	case h.turn <- struct{}{}:
		return func() { <-h.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// gaveAway says whether a contractor repeats the act by which they handed the repair back: it is not
// theirs any more, and was when they asked the first time.
func gaveAway(a Actor, r repair.Repair, act repair.Act) bool {
	return a.Role == RoleContractor && act.Action == repair.HandBack && slices.Contains(r.HandedBack, a.Contractor) && len(act.Recorded(r)) > 0
}

// priorTo is the repair as it was when an act was recorded, which may have been long ago, or after
// what somebody else did in the meantime: what the act gave up is what stood then.
func (h *Handler) priorTo(ctx context.Context, id domain.ID, act repair.Act, known, after repair.Repair) (repair.Repair, error) {
	recorded := act.Recorded(after)
	if len(recorded) == 0 || known.Version() == recorded[0]-1 {
		return known, nil
	}
	var prior repair.Repair
	for event, err := range h.Store.Read(ctx, repairStream(id), 0) {
		if err != nil {
			return prior, fmt.Errorf("read a repair: %w", err)
		}
		if uint64(event.Version) >= recorded[0] {
			break
		}
		fact, err := eventstore.Decode[repair.Event](ctx, h.Codec, event)
		if err != nil {
			return prior, err
		}
		prior = prior.Apply(fact)
	}
	return prior, nil
}

// repairFor is a repair that the actor may do something to; any other is not known.
func (h *Handler) repairFor(ctx context.Context, actor Actor, id domain.ID) (repair.Repair, error) {
	r, err := h.freshRepair(ctx, id)
	switch {
	case err != nil:
		return r, err
	case !r.Exists():
		return r, repair.ErrNotReported
	case actor.Role == RoleContractor && (actor.Contractor == "" || actor.Contractor != r.Contractor || r.State == repair.StateAwaitingApproval):
		return r, repair.ErrNotReported // not theirs, or not yet
	case actor.Role == RoleTenant:
		if r.Tenancy == "" {
			return r, repair.ErrNotReported
		}
		var t tenancy.Tenancy
		if t, err = h.tenancyOf(ctx, r.Tenancy); err == nil && !actor.holds(r.Tenancy, t, h.Today()) {
			err = repair.ErrNotReported
		}
	}
	return r, err
}

// act is the noun, and where it belongs.
func (h *Handler) act(m Meta, c ActOnRepair) (target, repair.Act, error) {
	var f form
	id := f.id("repair", c.Repair)
	act := repair.Act{
		ID: f.id("action", c.ID), Action: repair.Action(c.Action), Role: m.Actor.toRepairs(), By: m.Actor.Person(),
		Now: h.instant(), At: f.instantOrNone("at", c.At), Photos: f.photos(c.Photos),
		Contractor: f.idOrNone("contractor", c.Contractor), Slot: f.idOrNone("slot", c.Slot),
		Evidence: f.personal("evidence", c.Evidence), Until: f.dateOrNone("until", c.Until),
		Repair: f.idOrNone("repair", c.NewRepair), Into: f.idOrNone("into", c.Into),
		Trade: f.word("trade", c.Trade), SOR: f.work(c.SOR), Rating: c.Rating,
	}
	if !slices.Contains(allActions(), act.Action) {
		f.refuse("action", notOneOf(allActions()...))
	}
	if !isCode(c.Trade) {
		f.refuse("trade", domain.ErrWord.Because("is not the word of a trade"))
	}
	if c.Outcome != "" {
		act.Outcome = oneOf(&f, "outcome", c.Outcome, repair.Outcomes()...)
	}
	if c.Priority != "" {
		act.Priority = oneOf(&f, "priority", c.Priority, repair.Priorities()...)
	}
	if c.Rating < 0 || c.Rating > ratingMax {
		f.refuse("rating", domain.ErrWord.Because("is not one of 1 to 5"))
	}
	act.Cost = h.cost(&f, c.Cost, act.Now)
	act.Reason, act.Note = f.reason(c.Reason, c.Note)
	act.Description = domain.NewPersonal(strings.TrimSpace(f.text("description", c.Description, descriptionMax)))
	return target{stream: repairStream(id), kind: "action", id: act.ID}, act, f.err
}

const ratingMax = 5

func allActions() []repair.Action {
	var all []repair.Action
	for _, m := range repair.Moves() {
		if !slices.Contains(all, m.Action) {
			all = append(all, m.Action)
		}
	}
	return all
}
