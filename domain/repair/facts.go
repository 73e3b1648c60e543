package repair

import (
	"slices"
	"time"

	"rentbook/domain"
)

// facts are what an act that is allowed leads to.
func (r Repair) facts(a Act, s Step) ([]Event, error) {
	switch a.Action {
	case Triage, Raise, Assign, HandBack:
		return r.route(a, s)
	case Approve:
		return []Event{Approved{s, a.By}, Raised{Step: Step{At: s.At}, SOR: r.SOR, Cost: r.Cost}}, nil
	case HoldSlot, Book, Rebook, Start, NoAccess, LandlordMissed:
		return r.visit(a, s)
	case RequestVariation:
		return []Event{VariationRequested{Step: s, By: a.By, SOR: a.SOR, Cost: a.Cost}}, nil
	case ApproveVariation:
		return []Event{VariationApproved{s, a.By}}, nil
	case RejectVariation:
		return []Event{VariationRejected{s, a.By}}, nil
	case Hold:
		if a.Reason == ReasonParts {
			return []Event{WaitingForParts{s, a.Until}}, nil
		}
		return []Event{PutOnHold{s, a.Until}}, nil
	case FollowOn:
		if a.Trade != "" && a.Trade != r.Trade && a.Repair == "" {
			return nil, domain.ErrMissing.In("repair")
		}
		return []Event{FollowOnNeeded{Step: s, Repair: a.Repair, Trade: a.Trade, SOR: a.SOR}}, nil
	case Recall:
		if a.Now.After(r.CompletedAt.AddDate(0, 0, a.RecallDays)) {
			return nil, ErrTooLate
		}
		if s.At.Before(r.CompletedAt) {
			return nil, ErrOrder.Because("is before the repair was completed")
		}
		return []Event{Recalled{s, a.Repair}}, nil
	case Merge:
		return []Event{Merged{s, a.Into}}, nil
	case Split:
		return []Event{Parted{s, r.Into}}, nil
	case Confirm:
		return []Event{Confirmed{s, a.Rating}}, nil
	case Cancel:
		return []Event{Cancelled{s, a.Role}}, nil
	default:
		return plain(a.Action, s), nil
	}
}

// plain are the facts that say nothing but that they happened.
func plain(action Action, s Step) []Event {
	switch action {
	case Decline:
		return []Event{Declined{s}}
	case Accept:
		return []Event{Accepted{s}}
	case Resume:
		return []Event{Resumed{s}}
	case MakeSafe:
		return []Event{WasMadeSafe{s}}
	case Complete:
		return []Event{Completed{s}}
	case Dispute:
		return []Event{Disputed{s}}
	case Reopen:
		return []Event{Reopened{s}}
	case Close:
		return []Event{Closed{s}}
	default:
		return []Event{Noted{s}}
	}
}

// route are the acts that end with a contractor, or with nobody.
func (r Repair) route(a Act, s Step) ([]Event, error) {
	follows := Step{At: s.At}
	switch a.Action {
	case Triage:
		facts := []Event{a.Triage.fact(s)}
		if !a.Triage.Outcome.Ours() {
			return facts, nil
		}
		if a.Triage.Trade == "" {
			return nil, domain.ErrMissing.In("trade")
		}
		if a.Triage.Priority == "" {
			return nil, domain.ErrMissing.In("priority")
		}
		return append(facts, a.Routing.facts(follows, a.By)...), nil
	case HandBack:
		return append([]Event{HandedBack{s, r.Contractor}}, a.Routing.facts(follows, a.By)...), nil
	case Assign:
		if a.Contractor == r.Contractor {
			return nil, ErrNotAllowed.Because("the repair is with that contractor already")
		}
	default: // raised as routed
	}
	return a.Routing.facts(s, a.By), nil
}

// visit are the acts about appointments.
func (r Repair) visit(a Act, s Step) ([]Event, error) {
	w := a.Window
	visit, stands := r.Visit()
	if w.ID != "" && w.Contractor != r.Contractor {
		return nil, ErrNotAllowed.Because("the slot is another contractor's").In("slot")
	}
	switch a.Action {
	case HoldSlot:
		return []Event{SlotHeld{Step: s, Contractor: w.Contractor, Slot: w.ID, From: w.From, To: w.To, Until: w.Until}}, nil
	case Book:
		return []Event{VisitBooked{Step: s, Visit: a.ID, Contractor: w.Contractor, Slot: w.ID, From: w.From, To: w.To}}, nil
	case Rebook:
		if w.ID == visit.Slot {
			return nil, ErrNotAllowed.Because("the visit is at that time already").In("slot")
		}
		return []Event{VisitRearranged{Step: s, Visit: visit.ID, By: a.Role, Slot: w.ID, From: w.From, To: w.To}}, nil
	case Start:
		if !stands {
			visit.ID = a.ID
		}
		return []Event{VisitStarted{s, visit.ID}}, nil
	case NoAccess:
		return []Event{AccessFailed{s, visit.ID, a.Evidence}}, nil
	default: // missed by the landlord
		if s.At.Before(visit.To) {
			return nil, ErrNotAllowed.Because("the visit may come until " + visit.To.Format(time.RFC3339))
		}
		return []Event{VisitMissed{s, visit.ID}}, nil
	}
}

// Remind records that the tenant was reminded of a visit; Lose that the contractor's diary did not
// keep it. The program itself asks for both.
type Remind struct {
	Visit domain.ID
	Slot  domain.ID // that was lost
	At    time.Time
}

// Recorded is nothing: what stands already needs no saying.
func (Remind) Recorded(Repair) []uint64 { return nil }

// Matches is never asked.
func (Remind) Matches(Event) bool { return false }

// Remind says that the tenant was reminded, once for each time that was agreed.
func (r Repair) Remind(n Remind) ([]Event, error) {
	v, stands := r.Visit()
	if !stands || v.ID != n.Visit || v.Reminded || v.Status != VisitIsBooked {
		return nil, nil
	}
	return []Event{VisitReminded{At: later(n.At, r.LastAt), Visit: v.ID}}, nil
}

// Duplicate is another open repair of the same thing, which was reported before.
type Duplicate struct {
	Into domain.ID
	At   time.Time
}

// Recorded is nothing: what stands already needs no saying.
func (Duplicate) Recorded(Repair) []uint64 { return nil }

// Matches is never asked.
func (Duplicate) Matches(Event) bool { return false }

// Join merges the repair into the other, while nobody is on the way for it.
func (r Repair) Join(d Duplicate) ([]Event, error) {
	if _, ok := moveOf(Merge, r.State, Manager); !ok {
		return nil, nil
	}
	return []Event{Merged{Step: Step{At: later(d.At, r.LastAt)}, Into: d.Into}}, nil
}

// ByRule says whether a fact followed from a rule of the program, and nobody asked for it by name.
func ByRule(e Event) bool {
	s, ok := e.(interface{ step() Step })
	return ok && s.step().Action == ""
}

// Lose says that a visit which was booked at a slot has no place in the contractor's diary.
func (r Repair) Lose(n Remind) ([]Event, error) {
	v, stands := r.Visit()
	if !stands || v.ID != n.Visit || v.Status != VisitIsBooked || r.State != StateScheduled ||
		(n.Slot != "" && v.Slot != n.Slot) {
		return nil, nil
	}
	return []Event{VisitLost{At: later(n.At, r.LastAt), Visit: v.ID, Slot: v.Slot}}, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Codes lists the codes of lines.
func Codes(lines []Line) []string {
	codes := make([]string, 0, len(lines))
	for _, l := range lines {
		if !slices.Contains(codes, l.Code) {
			codes = append(codes, l.Code)
		}
	}
	return codes
}
