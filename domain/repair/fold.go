package repair

import (
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// What each fact makes of a repair, in the order of a repair's life; first what they have in common.

// did remembers what was asked.
func (r Repair) did(action domain.ID) Repair {
	if action == "" || slices.ContainsFunc(r.done, func(d deed) bool { return d.id == action }) {
		return r
	}
	r.done = append(slices.Clip(r.done), deed{action, r.version})
	return r
}

// moved is the repair in another state, its clocks stopped or restarted by it.
func (r Repair) moved(to State, s Step, pausing string) Repair {
	r = r.did(s.Action).with(s.Photos)
	r.State, r.Before, r.PausedBefore, r.LastAt = to, "", "", s.At
	r.EndedAt = time.Time{}
	if to != StateRaised && to != StateAccepted && to != StateScheduled && to != StateNoAccess && to != StateMadeSafe {
		r.Held = nil // nobody can book it there
	}
	if to.Class() == ClosedUnresolved && to != StateDuplicate {
		r.EndedAt = s.At // a duplicate goes on in the other repair
	}
	if pausing == r.Pausing {
		return r
	}
	was := r.Pausing
	r.Pausing = pausing
	return r.eachClock(func(c clock.Run) clock.Run {
		c.Pauses = slices.Clone(c.Pauses)
		if was != "" && len(c.Pauses) > 0 {
			c.Pauses[len(c.Pauses)-1].To = s.At
		}
		if pausing != "" {
			c.Pauses = append(c.Pauses, clock.Pause{Reason: pausing, From: s.At})
		}
		return c
	})
}

// noted is the repair where a fact moved nothing.
func (r Repair) noted(s Step) Repair { return r.did(s.Action).with(s.Photos) }

func (r Repair) with(photos []domain.ID) Repair {
	for _, p := range photos {
		if !slices.Contains(r.Photos, p) {
			r.Photos = append(slices.Clip(r.Photos), p)
		}
	}
	return r
}

func (r Repair) eachClock(change func(clock.Run) clock.Run) Repair {
	clocks := make([]clock.Run, len(r.Clocks))
	for i, c := range r.Clocks {
		clocks[i] = change(c)
	}
	r.Clocks = clocks
	return r
}

// met stops clocks that run: which of them, by name.
func (r Repair) met(at time.Time, names ...string) Repair {
	return r.eachClock(func(c clock.Run) clock.Run {
		if c.MetAt.IsZero() && slices.Contains(names, c.Target.Clock) {
			c.MetAt = at
		}
		return c
	})
}

// lastVisit is the repair with another status of the visit that stands.
func (r Repair) lastVisit(status string) Repair {
	if _, stands := r.Visit(); !stands {
		return r
	}
	r.Visits = slices.Clone(r.Visits)
	r.Visits[len(r.Visits)-1].Status = status
	return r
}

func (e Reported) applyTo(r Repair) Repair {
	r.State, r.Tenancy, r.Property, r.Communal = StateReported, e.Tenancy, e.Property, e.Communal
	r.Path, r.Answers, r.Tree, r.Hazard = e.Path, e.Answers, e.Tree, e.Hazard
	r.RecallOf, r.FollowsOn = e.RecallOf, e.FollowOnOf
	r.ReportedAt, r.LastAt = e.At, e.At
	return r.with(e.Photos)
}

func (e ContactGiven) applyTo(r Repair) Repair { return r }

func (e Triaged) applyTo(r Repair) Repair {
	to := StateTriaged
	if !e.Outcome.Ours() {
		to = StateNotResponsible
	}
	r = r.moved(to, e.Step, "")
	r.Outcome, r.Trade, r.Priority, r.SOR, r.RightToRepair = e.Outcome, e.Trade, e.Priority, e.SOR, e.RightToRepair
	r.Advice, r.Phone, r.Link, r.Compensation = e.Advice, e.Phone, e.Link, e.Compensation
	r.Communal = r.Communal || e.Outcome == OutcomeCommunal
	r.ByHand = r.ByHand || e.Action != ""
	before := r
	r.Clocks = nil
	for _, target := range e.Targets {
		run := clock.Run{Target: target, StartedAt: r.ReportedAt}
		if len(before.Clocks) > 0 { // what kept the work from going on did so for every clock
			run.Pauses = before.Clocks[0].Pauses
		}
		if old, known := before.Clock(target.Clock); known { // what was made safe was
			run.MetAt = old.MetAt
		}
		r.Clocks = append(r.Clocks, run)
	}
	return r
}

func (e Assigned) applyTo(r Repair) Repair {
	first := r.Contractor
	if n := len(r.HandedBack); first == "" && n > 0 {
		first = r.HandedBack[n-1]
	}
	if c, known := r.Clock(ClockRightToRepair); known && r.SecondAt.IsZero() && c.MetAt.IsZero() &&
		first != "" && first != e.Contractor && c.At(e.At).Breached {
		r.SecondAt = e.At
	}
	r = r.lastVisit(VisitWithdrawn).moved(r.State, e.Step, "")
	r.Contractor, r.Contract, r.Routing, r.Held, r.Variation = e.Contractor, e.Contract, e.Explanation, nil, nil
	r.ByHand = r.ByHand || e.Action != ""
	return r
}

func (e NobodyFits) applyTo(r Repair) Repair {
	r = r.moved(StateTriaged, e.Step, "")
	r.Contractor, r.Contract, r.Routing = "", "", e.Explanation
	return r
}

func (e ApprovalRequested) applyTo(r Repair) Repair {
	r = r.moved(StateAwaitingApproval, e.Step, "")
	r.SOR, r.Cost, r.RequestedBy = e.SOR, e.Cost, e.By
	return r
}

func (e Approved) applyTo(r Repair) Repair {
	r = r.moved(r.State, e.Step, "")
	r.RequestedBy, r.ByHand = "", true
	return r
}

func (e Raised) applyTo(r Repair) Repair {
	r = r.moved(StateRaised, e.Step, "")
	r.SOR, r.Original, r.Cost, r.RequestedBy = e.SOR, nil, e.Cost, ""
	return r
}

func (e Declined) applyTo(r Repair) Repair { return r.moved(StateDeclined, e.Step, "") }
func (e Accepted) applyTo(r Repair) Repair { return r.moved(StateAccepted, e.Step, "") }

func (e HandedBack) applyTo(r Repair) Repair {
	r = r.lastVisit(VisitWithdrawn).moved(StateTriaged, e.Step, "")
	r.HandedBack = append(slices.Clip(r.HandedBack), e.Contractor)
	r.Contractor, r.Contract, r.Held, r.Variation = "", "", nil, nil
	return r
}

func (e SlotHeld) applyTo(r Repair) Repair {
	r = r.noted(e.Step)
	r.Held = &Slot{ID: e.Slot, Contractor: e.Contractor, From: e.From, To: e.To, Until: e.Until}
	return r
}

func (e VisitBooked) applyTo(r Repair) Repair {
	r = r.moved(StateScheduled, e.Step, "")
	r.Held = nil
	r.Visits = append(slices.Clip(r.Visits), Visit{
		ID: e.Visit, Contractor: e.Contractor, Slot: e.Slot, From: e.From, To: e.To, Status: VisitIsBooked,
	})
	return r
}

func (e VisitRearranged) applyTo(r Repair) Repair {
	r = r.moved(StateScheduled, e.Step, "")
	r.Held = nil
	if v, stands := r.Visit(); stands {
		v.Slot, v.From, v.To, v.Reminded = e.Slot, e.From, e.To, false
		v.Rearranged++
		r.Visits = slices.Clone(r.Visits)
		r.Visits[len(r.Visits)-1] = v
	}
	return r
}

func (e VisitReminded) applyTo(r Repair) Repair {
	if _, stands := r.Visit(); stands {
		r.Visits = slices.Clone(r.Visits)
		r.Visits[len(r.Visits)-1].Reminded = true
	}
	return r
}

func (e VisitLost) applyTo(r Repair) Repair {
	return r.lastVisit(VisitWasLost).moved(StateAccepted, Step{At: e.At}, "")
}

func (e VisitStarted) applyTo(r Repair) Repair {
	if _, stands := r.Visit(); !stands {
		r.Visits = append(slices.Clip(r.Visits), Visit{ID: e.Visit, Contractor: r.Contractor, From: e.At})
		r.Visits[len(r.Visits)-1].Status = VisitIsBooked
	}
	return r.lastVisit(VisitAttending).moved(StateAttending, e.Step, "")
}

// applyTo stops clocks only if the tenant had been told to expect somebody by then: who comes before the
// time that was agreed has not been refused.
func (e AccessFailed) applyTo(r Repair) Repair {
	if v, stands := r.Visit(); !stands || v.Slot == "" || e.At.Before(v.From) {
		return r.lastVisit(VisitNoAccess).moved(StateNoAccess, e.Step, "")
	}
	r = r.lastVisit(VisitNoAccess).moved(StateNoAccess, e.Step, ReasonAccess)
	r.NoAccess++
	return r
}

func (e VisitMissed) applyTo(r Repair) Repair {
	return r.lastVisit(VisitWasMissed).moved(StateAccepted, e.Step, "")
}

func (e WaitingForParts) applyTo(r Repair) Repair { return r.held(e.Step, ReasonParts) }
func (e PutOnHold) applyTo(r Repair) Repair       { return r.held(e.Step, e.Reason) }

func (r Repair) held(s Step, why string) Repair {
	before := r.State
	status := VisitWithdrawn
	switch before {
	case StateScheduled:
		before = StateAccepted
	case StateAttending:
		before, status = StateAccepted, VisitAttended
	default: // leads back to where it was
	}
	was := r.Pausing
	r = r.lastVisit(status).moved(StateOnHold, s, why)
	r.Before, r.PausedBefore = before, was
	return r
}

func (e Resumed) applyTo(r Repair) Repair {
	return r.moved(r.Before, e.Step, r.PausedBefore)
}

func (e VariationRequested) applyTo(r Repair) Repair {
	r = r.noted(e.Step)
	r.Variation = &Variation{By: e.By, SOR: e.SOR, Cost: e.Cost}
	return r
}

func (e VariationApproved) applyTo(r Repair) Repair {
	r = r.noted(e.Step)
	if r.Variation != nil {
		if r.Original == nil {
			r.Original = append([]Line{}, r.SOR...) // not nil, even if nothing was ordered
		}
		r.SOR, r.Cost, r.Variation = r.Variation.SOR, r.Variation.Cost, nil
	}
	return r
}

func (e VariationRejected) applyTo(r Repair) Repair {
	r = r.noted(e.Step)
	r.Variation = nil
	return r
}

func (e WasMadeSafe) applyTo(r Repair) Repair {
	return r.lastVisit(VisitAttended).moved(StateMadeSafe, e.Step, "").met(e.At, ClockMakeSafe)
}

func (e FollowOnNeeded) applyTo(r Repair) Repair {
	return r.lastVisit(VisitAttended).moved(StateAccepted, e.Step, "").linked(e.Repair)
}

func (r Repair) linked(to domain.ID) Repair {
	if to != "" && !slices.Contains(r.Links, to) {
		r.Links = append(slices.Clip(r.Links), to)
	}
	return r
}

func (e Completed) applyTo(r Repair) Repair {
	r = r.lastVisit(VisitAttended).moved(StateCompleted, e.Step, "")
	r.CompletedAt = e.At
	return r.met(e.At, ClockCompletion, ClockMakeSafe, ClockRightToRepair)
}

func (e Confirmed) applyTo(r Repair) Repair { return r.moved(StateConfirmed, e.Step, "") }

// applyTo lets the clocks run on: a repair that is said not to be done has not met them.
func (e Disputed) applyTo(r Repair) Repair {
	return r.moved(StateDisputed, e.Step, "").undone()
}

// applyTo leads back to the contractor, but not with an order that nobody approved.
func (e Reopened) applyTo(r Repair) Repair {
	to := StateAccepted
	if r.Contractor == "" || r.RequestedBy != "" || !r.Outcome.Ours() {
		to, r.Contractor, r.Contract, r.RequestedBy = StateTriaged, "", "", ""
	}
	r = r.moved(to, e.Step, "").undone()
	r.Reopened++
	return r
}

// undone takes back that clocks were met by a completion. Making safe was done, whatever came after.
func (r Repair) undone() Repair {
	r.CompletedAt = time.Time{}
	return r.eachClock(func(c clock.Run) clock.Run {
		if c.Target.Clock != ClockMakeSafe {
			c.MetAt = time.Time{}
		}
		return c
	})
}

func (e Closed) applyTo(r Repair) Repair { return r.moved(StateClosed, e.Step, "") }

func (e Cancelled) applyTo(r Repair) Repair {
	r = r.lastVisit(VisitWithdrawn).moved(StateCancelled, e.Step, "")
	r.Held, r.Variation = nil, nil
	return r
}

func (e Recalled) applyTo(r Repair) Repair { return r.noted(e.Step).linked(e.Repair) }

func (e Merged) applyTo(r Repair) Repair {
	before := r.State
	r = r.moved(StateDuplicate, e.Step, r.Pausing)
	r.Before, r.Into, r.Held = before, e.Into, nil
	return r
}

func (e Parted) applyTo(r Repair) Repair {
	r = r.moved(r.Before, e.Step, r.Pausing)
	r.Into = ""
	return r
}

func (e Noted) applyTo(r Repair) Repair { return r.noted(e.Step) }
