package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/repair"
)

// What becomes of appointments: in the diary, once a repair has recorded them, and by themselves.

// settle brings the diary to where the repair is: what was booked is confirmed, what was given up is
// free again.
func (h *Handler) settle(ctx context.Context, id domain.ID, before, after repair.Repair, act repair.Act) error {
	was, had := before.Visit()
	is, has := after.Visit()
	now := booking(id, after, is.Slot)
	now.Contractor = is.Contractor
	old := booking(id, before, was.Slot)
	old.Contractor = was.Contractor
	var err error
	moved := has && is.Status == repair.VisitIsBooked && had && was.ID == is.ID && was.Slot != is.Slot
	switch {
	case moved && !needs(after, was.Contractor, was.Slot):
		err = h.Scheduler.Reschedule(ctx, old, now)
	case moved, has && is.Status == repair.VisitIsBooked && (act.Action == repair.Book || act.Action == repair.Rebook):
		err = h.Scheduler.Confirm(ctx, now)
	case had && was.Slot != "" && givesUp(after, was):
		err = h.Scheduler.Cancel(ctx, old)
	}
	if err == nil && before.Held != nil && !needs(after, before.Held.Contractor, before.Held.ID) {
		held := booking(id, before, before.Held.ID)
		held.Contractor = before.Held.Contractor
		err = h.Scheduler.Cancel(ctx, held)
	}
	if !errors.Is(err, ErrSlotGone) {
		return err
	}
	if moved && !needs(after, was.Contractor, was.Slot) { // the scheduler left the old place as it was
		if failed := h.Scheduler.Cancel(ctx, old); failed != nil {
			return errors.Join(err, failed)
		}
	}
	// The diary did not keep the place. That is a fact of the repair, not a line in a log (R8.5).
	t := target{stream: repairStream(id), kind: "lost", id: is.ID, repeatable: true}
	if _, lost := decide(ctx, h, Meta{Actor: system()}, t, repair.Repair.Lose, repair.Remind{Visit: is.ID, Slot: is.Slot, At: h.instant()}); lost != nil {
		return errors.Join(err, lost)
	}
	return err
}

// givesUp says whether a visit that stood ended before it was made, and its place is of no use now.
func givesUp(after repair.Repair, was repair.Visit) bool {
	withdrawn := func(v repair.Visit) bool { return v.ID == was.ID && v.Status == repair.VisitWithdrawn }
	return slices.ContainsFunc(after.Visits, withdrawn) && !needs(after, was.Contractor, was.Slot)
}

// needs says whether a repair holds a slot, or has or had somebody come in it.
func needs(r repair.Repair, contractor, slot domain.ID) bool {
	if r.Held != nil && r.Held.Contractor == contractor && r.Held.ID == slot {
		return true
	}
	return slices.ContainsFunc(r.Visits, func(v repair.Visit) bool {
		return v.Contractor == contractor && v.Slot == slot && v.Status != repair.VisitWithdrawn && v.Status != repair.VisitWasLost
	})
}

// giveBack frees a place that was reserved for an act that was then refused. Where nobody knows whether
// it was recorded, the reservation ends by itself.
func (h *Handler) giveBack(ctx context.Context, id domain.ID, before, after repair.Repair, act repair.Act, why error) error {
	if act.Window.ID == "" || !refused(why) || (after.Held != nil && after.Held.ID == act.Window.ID) {
		return nil
	}
	if v, stands := after.Visit(); stands && v.Slot == act.Window.ID {
		return nil
	}
	return h.Scheduler.Cancel(ctx, booking(id, before, act.Window.ID))
}

// explained adds to a refusal what whoever asked can do instead.
func (h *Handler) explained(ctx context.Context, id domain.ID, r repair.Repair, act repair.Act, err error) error {
	switch {
	case errors.Is(err, repair.ErrNotAllowed):
		refusal := &NotAllowedError{Refusal: err, State: string(r.State)}
		for _, move := range r.Allowed(act.Role, act.By, act.Now) {
			refusal.Allowed = append(refusal.Allowed, string(move.Action))
		}
		return refusal
	case errors.Is(err, ErrSlotGone):
		const next = 3
		slots, failed := h.slots(ctx, r, id, act.Now, next)
		if failed != nil {
			return fmt.Errorf("%w (the next slots: %w)", err, failed)
		}
		return &SlotGoneError{Refusal: err, Next: slots}
	}
	return err
}

// Slots lists the next free windows for a repair's visit.
func (h *Handler) Slots(ctx context.Context, actor Actor, id string, from time.Time, most int) ([]Slot, error) {
	r, err := h.repairFor(ctx, actor, domain.ID(id))
	switch {
	case err != nil:
		return nil, err
	case r.Contractor == "":
		return nil, nil
	}
	return h.slots(ctx, r, domain.ID(id), from, most)
}

// slotsAhead is how far ahead appointments are offered.
const slotsAhead = 28 * 24 * time.Hour

func (h *Handler) slots(ctx context.Context, r repair.Repair, id domain.ID, from time.Time, most int) ([]Slot, error) {
	from = later(from, h.instant())
	return h.Scheduler.Slots(ctx, SlotsWanted{
		Repair: id, Contractor: r.Contractor, Trade: r.Trade, Priority: string(r.Priority), From: from, To: from.Add(slotsAhead), Most: most,
	})
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// RemindOfVisits records a reminder of every visit that is near. It is carried out again and again.
func (h *Handler) RemindOfVisits(ctx context.Context) error {
	now := h.instant()
	hours, _, err := h.Policy.Number("diary.reminder", h.day(now))
	if err != nil {
		return err
	}
	visits, err := h.Repairs.VisitsToRemind(ctx, now, now.Add(time.Duration(hours)*time.Hour))
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range visits {
		t := target{stream: repairStream(v.Repair), kind: "reminder", id: v.Visit, repeatable: true}
		_, err := decide(ctx, h, Meta{Actor: system()}, t, repair.Repair.Remind, repair.Remind{Visit: v.Visit, At: now})
		if err != nil { // the others are to be reminded all the same
			errs = append(errs, fmt.Errorf("remind of a visit: %w", err))
		}
	}
	return errors.Join(errs...)
}
