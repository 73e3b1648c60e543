package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/eventstore"
)

// What an act on a repair needs is looked up before it is decided on.

// prepare looks up what the act needs, once it is known to be allowed.
func (h *Handler) prepare(ctx context.Context, m Meta, r repair.Repair, act *repair.Act, c ActOnRepair) error {
	if err := r.Permits(*act); err != nil {
		return err
	}
	if act.Action == repair.Hold && !act.Until.IsZero() && act.Until < h.Today() {
		return domain.ErrDates.Because("is over already").In("until")
	}
	if err := h.photosAreOurs(ctx, m.Actor, act.Photos); err != nil {
		return err
	}
	switch act.Action {
	case repair.Triage, repair.Raise, repair.Assign, repair.HandBack:
		return h.prepareRouting(ctx, r, act)
	case repair.HoldSlot, repair.Book, repair.Rebook:
		return h.prepareSlot(ctx, domain.ID(c.Repair), r, act)
	case repair.Recall, repair.FollowOn:
		return h.prepareLinked(ctx, m, r, act, c)
	case repair.RequestVariation:
		return h.prepareVariation(ctx, r, act)
	case repair.Cancel:
		return h.prepareCancel(ctx, m.Actor, domain.ID(c.Repair))
	case repair.Merge:
		return h.prepareMerge(ctx, domain.ID(c.Repair), r, *act)
	default:
		return nil
	}
}

func (h *Handler) prepareRouting(ctx context.Context, r repair.Repair, act *repair.Act) (err error) {
	if act.SOR != nil && (act.Action == repair.Triage || act.Action == repair.Raise) {
		r.SOR = act.SOR
	}
	if act.Action == repair.Triage {
		if act.Triage, err = h.triageBy(r, *act); err != nil {
			return err
		}
		r.Trade, r.Priority, r.SOR = act.Triage.Trade, act.Triage.Priority, act.Triage.SOR
		if !act.Outcome.Ours() || r.Trade == "" {
			return nil
		}
	}
	if act.Action == repair.HandBack {
		r.HandedBack = append(slices.Clip(r.HandedBack), r.Contractor)
	} else if act.Contractor != "" { // who hands back does not choose who comes next
		act.Routing, err = h.routingTo(ctx, act.Contractor, r, act.Now)
		return err
	}
	if act.Routing, err = h.routing(ctx, r, act.Now); err == nil && act.Action == repair.Triage {
		act.Triage, err = h.withinRight(act.Triage, act.Routing.Cost, act.Now)
	}
	return err
}

// prepareVariation prices other work, by the contract where it has prices, else as the contractor says.
func (h *Handler) prepareVariation(ctx context.Context, r repair.Repair, act *repair.Act) error {
	r.SOR = act.SOR
	g, err := h.routingTo(ctx, r.Contractor, r, act.Now)
	if err != nil {
		return err
	}
	act.SOR = g.SOR
	switch {
	case act.Cost.Currency == "":
		act.Cost = g.Cost
	case g.Cost.Currency != "":
		return errAgreed
	}
	return nil
}

// errAgreed is a cost where the price list has one.
var errAgreed = &domain.Refusal{
	Class: domain.Conflicting, Code: "repair.agreed", Reason: "is agreed in the price list for all of this work", Field: "cost",
}

// prepareCancel keeps a tenant from ending what others have reported too.
func (h *Handler) prepareCancel(ctx context.Context, actor Actor, id domain.ID) error {
	if actor.Role != RoleTenant {
		return nil
	}
	shared, err := h.Repairs.HasDuplicates(ctx, id)
	if err == nil && shared {
		err = errShared
	}
	return err
}

var errShared = &domain.Refusal{
	Class: domain.Conflicting, Code: "repair.shared", Reason: "others have reported the same: only the landlord can cancel it",
}

// cost is what the contractor says that other work costs, in the money of the limit. It is read before
// anything is looked up, so that a repetition with another cost is known for one.
func (h *Handler) cost(f *form, s string, at time.Time) domain.Money {
	if s == "" {
		return domain.Money{}
	}
	limit, _, err := h.Policy.Money("spend.limit", h.day(at))
	if err != nil {
		f.refuse("cost", err)
		return domain.Money{}
	}
	cost, err := f.amount("cost", s).In(limit.Currency)
	if err != nil {
		f.refuse("cost", err)
	}
	return cost
}

// triageBy is what a person makes of a report. What they do not say stays as the diagnosis had it.
func (h *Handler) triageBy(r repair.Repair, act repair.Act) (repair.Diagnosis, error) {
	d := repair.Diagnosis{
		Outcome: act.Outcome, Trade: act.Trade, Priority: act.Priority, SOR: act.SOR,
		Advice: r.Advice, Phone: r.Phone, Link: r.Link, RightToRepair: r.RightToRepair,
	}
	if d.Outcome == repair.OutcomeCommunal {
		d.RightToRepair = ""
	}
	if d.Trade == "" {
		d.Trade = r.Trade
	}
	if d.Priority == "" {
		d.Priority = r.Priority
	}
	if act.Outcome == repair.OutcomeEmergency && act.Priority == "" {
		d.Priority = repair.Emergency
	}
	if d.SOR == nil {
		d.SOR = r.SOR
	}
	if !d.Outcome.Ours() {
		d.Trade, d.Priority, d.SOR, d.RightToRepair = "", "", nil, ""
		return d, nil
	}
	if d.Priority == "" {
		return d, domain.ErrMissing.In("priority")
	}
	return h.withClocks(d, r.ReportedAt)
}

// prepareSlot reserves a place in the diary.
func (h *Handler) prepareSlot(ctx context.Context, id domain.ID, r repair.Repair, act *repair.Act) error {
	if v, stands := r.Visit(); act.Action == repair.Rebook && stands && v.Slot == act.Slot {
		act.Window = repair.Slot{ID: v.Slot, Contractor: v.Contractor, From: v.From, To: v.To} // refused by the decision
		return nil
	}
	minutes, _, err := h.Policy.Number("diary.hold", h.day(act.Now))
	if err != nil {
		return err
	}
	until := act.Now.Add(time.Duration(minutes) * time.Minute)
	slot, err := h.Scheduler.Reserve(ctx, booking(id, r, act.Slot), until)
	act.Window = repair.Slot{ID: slot.ID, Contractor: slot.Contractor, From: slot.From, To: slot.To, Until: until}
	return err
}

func booking(id domain.ID, r repair.Repair, slot domain.ID) Booking {
	return Booking{Repair: id, Contractor: r.Contractor, Slot: slot, Trade: r.Trade, Priority: string(r.Priority)}
}

// prepareLinked reports the repair that comes of this one, before this one says so: whoever finds the
// link finds the repair.
func (h *Handler) prepareLinked(ctx context.Context, m Meta, r repair.Repair, act *repair.Act, c ActOnRepair) error {
	if act.Action == repair.FollowOn && act.Repair == "" {
		return nil
	}
	days, _, err := h.Policy.Number("recall.window", h.day(act.Now))
	if err != nil {
		return err
	}
	act.RecallDays = days
	if act.Action == repair.Recall && act.Now.After(r.CompletedAt.AddDate(0, 0, days)) {
		return repair.ErrTooLate
	}
	return h.linkedAgain(ctx, m, r, *act, c)
}

// linkedAgain is the report of the new repair, which is the same each time.
func (h *Handler) linkedAgain(ctx context.Context, m Meta, r repair.Repair, act repair.Act, c ActOnRepair) (err error) {
	report := repair.Report{
		Now: act.Now, Tenancy: r.Tenancy, Property: r.Property, Communal: r.Communal, Path: r.Path, Answers: r.Answers, Tree: r.Tree,
		Description: act.Description, By: act.By,
	}
	d := repair.Diagnosis{Outcome: r.Outcome, Trade: r.Trade, Priority: r.Priority, SOR: r.SOR, RightToRepair: r.RightToRepair}
	if act.Description.IsZero() {
		report.Description = act.Note
	}
	if err := h.reach(ctx, domain.ID(c.Repair), &report); err != nil {
		return err
	}
	if act.Action == repair.Recall {
		report.RecallOf = domain.ID(c.Repair)
	} else {
		report.FollowsOn, d.RightToRepair = domain.ID(c.Repair), ""
		if act.Trade != "" {
			d.Trade, d.SOR = act.Trade, nil
		}
		if act.SOR != nil {
			d.SOR = act.SOR
		}
	}
	if report.Triage, err = h.withClocks(d, act.Now); err != nil {
		return err
	}
	r.Trade, r.SOR, r.HandedBack = d.Trade, d.SOR, nil
	if report.Routing, err = h.routing(ctx, r, act.Now); err != nil {
		return err
	}
	if report.Triage, err = h.withinRight(report.Triage, report.Routing.Cost, act.Now); err != nil {
		return err
	}
	m.Expect = nil // that is said of the other repair
	t := target{stream: repairStream(act.Repair), kind: "report", id: act.Repair}
	_, err = decide(ctx, h, m, t, repair.Repair.Report, report)
	if refusal, ok := errors.AsType[*domain.Refusal](err); ok {
		return refusal.In("repair")
	}
	return err
}

// reach puts on a report how the people of another repair can be reached, and when they are at home.
func (h *Handler) reach(ctx context.Context, other domain.ID, report *repair.Report) error {
	for event, err := range h.Store.Read(ctx, repairStream(other), 0) {
		if err != nil {
			return fmt.Errorf("read a repair: %w", err)
		}
		fact, err := eventstore.Decode[repair.Event](ctx, h.Codec, event)
		if err != nil {
			return err
		}
		switch f := fact.(type) {
		case repair.Reported:
			report.Availability = f.Availability
		case repair.ContactGiven:
			report.Contact, report.Person = f.Contact, f.Person
		}
	}
	if report.Availability.Erased {
		report.Availability = domain.Personal{}
	}
	if report.Contact.Erased {
		report.Contact, report.Person = domain.Personal{}, ""
	}
	return nil
}

// prepareMerge refuses what is not the same thing: another place, a repair that ended, or one that is
// a duplicate itself.
func (h *Handler) prepareMerge(ctx context.Context, id domain.ID, r repair.Repair, act repair.Act) error {
	into, err := h.freshRepair(ctx, act.Into)
	switch {
	case err != nil:
		return err
	case !into.Exists() || act.Into == id:
		return domain.ErrUnknownReference.Because("is no other repair").In("into")
	case into.State.Class() != repair.Open:
		return errMerge.Because("is " + string(into.State) + ": only an open repair can take another in")
	case into.Property != r.Property:
		return errMerge.Because("is at another property")
	}
	return nil
}

var errMerge = &domain.Refusal{Class: domain.Conflicting, Code: "repair.merge", Reason: "is not the same thing", Field: "into"}
