package projections

import (
	"fmt"
	"strings"
	"time"

	"rentbook/domain"
	"rentbook/domain/repair"
)

// told is a fact of a repair as its timeline tells it.
type told struct {
	text   string // without what is personal, and without a full stop
	at     time.Time
	said   []domain.Personal
	photos []domain.ID
}

// teller puts facts into plain words. The one thing it never says is a name.
type teller struct {
	place

	by  string        // role of who did it
	now repair.Repair // after the fact
}

// tell has words for every fact.
func (w teller) tell(fact repair.Event) told {
	for _, part := range []func(repair.Event) (told, bool){w.report, w.order, w.visit, w.work, w.end} {
		if t, known := part(fact); known {
			return t
		}
	}
	return told{text: "Something happened that this version has no words for", at: w.now.LastAt}
}

// report are the facts before there is an order.
func (w teller) report(fact repair.Event) (told, bool) {
	switch f := fact.(type) {
	case repair.Reported:
		text := "Reported"
		if f.Communal {
			text += " in the shared parts"
		}
		text += ": " + strings.Join(f.Path, ", ")
		if f.RecallOf != "" {
			text += "; the fault of repair " + string(f.RecallOf) + " has come back"
		}
		if f.FollowOnOf != "" {
			text += "; follows from repair " + string(f.FollowOnOf)
		}
		return told{text, f.At, []domain.Personal{f.Description}, f.Photos}, true
	case repair.ContactGiven:
		return told{text: "Contact details were given", at: w.now.LastAt}, true
	case repair.Triaged:
		return stepped(f.Step, "Triaged"+w.byStaff(f.Step)+" as "+outcomeWords(f.Outcome)+work(f.Trade, f.Priority, f.SOR)), true
	case repair.NobodyFits:
		return stepped(f.Step, "No contractor found: "+sentence(f.Explanation)), true
	case repair.Declined:
		return stepped(f.Step, "Declined by "+w.who()), true
	case repair.Merged:
		return stepped(f.Step, "The same as repair "+string(f.Into)+", and merged into it"), true
	case repair.Parted:
		return stepped(f.Step, "Not the same as repair "+string(f.From)+", and parted from it"), true
	}
	return told{}, false
}

// order are the facts between the diagnosis and the first visit.
func (w teller) order(fact repair.Event) (told, bool) {
	switch f := fact.(type) {
	case repair.Assigned:
		if f.Explanation == "" {
			return stepped(f.Step, "Given to contractor "+string(f.Contractor)+" by "+w.who()), true
		}
		return stepped(f.Step, "Routed to contractor "+string(f.Contractor)+": "+sentence(f.Explanation)), true
	case repair.ApprovalRequested:
		return stepped(f.Step, fmt.Sprintf("Waits for an approval: it costs %s, and %s may be spent without asking (%s)",
			amount(f.Cost), amount(f.Limit), f.Parameter)), true
	case repair.Approved:
		return stepped(f.Step, "Approved by "+w.who()), true
	case repair.Raised:
		text := "Ordered"
		if w.now.Contractor != "" {
			text += " from contractor " + string(w.now.Contractor)
		}
		text += work("", "", f.SOR)
		if f.Cost.Currency != "" {
			text += ", for " + amount(f.Cost)
		}
		return stepped(f.Step, text), true
	case repair.Accepted:
		return stepped(f.Step, "Accepted by "+w.who()), true
	case repair.HandedBack:
		return stepped(f.Step, "Handed back by contractor "+string(f.Contractor)), true
	case repair.VariationRequested:
		text := "Other work asked for by " + w.who() + work("", "", f.SOR)
		if f.Cost.Currency != "" {
			text += ", for " + amount(f.Cost)
		}
		return stepped(f.Step, text), true
	case repair.VariationApproved:
		return stepped(f.Step, "The other work was approved by "+w.who()), true
	case repair.VariationRejected:
		return stepped(f.Step, "The other work was rejected by "+w.who()), true
	}
	return told{}, false
}

// visit are the facts about appointments.
func (w teller) visit(fact repair.Event) (told, bool) {
	switch f := fact.(type) {
	case repair.SlotHeld:
		return stepped(f.Step, "Held for "+w.who()+": "+w.window(f.From, f.To)), true
	case repair.VisitBooked:
		return stepped(f.Step, "Visit booked for "+w.window(f.From, f.To)), true
	case repair.VisitRearranged:
		return stepped(f.Step, "Visit moved by "+role(string(f.By))+" to "+w.window(f.From, f.To)), true
	case repair.VisitReminded:
		return told{text: "Reminded of the visit", at: f.At}, true
	case repair.VisitLost:
		return told{text: "The visit has no place in the contractor's diary any more; another must be booked", at: f.At}, true
	case repair.VisitStarted:
		return stepped(f.Step, "The contractor is there"), true
	case repair.AccessFailed:
		t := stepped(f.Step, "Nobody let the contractor in")
		t.said = append([]domain.Personal{f.Evidence}, t.said...)
		return t, true
	case repair.VisitMissed:
		return stepped(f.Step, "The contractor did not come to the visit"), true
	}
	return told{}, false
}

// work are the facts of the work itself.
func (teller) work(fact repair.Event) (told, bool) {
	switch f := fact.(type) {
	case repair.WaitingForParts:
		t := stepped(f.Step, "Waiting for parts"+until(f.Until))
		t.text = strings.TrimSuffix(t.text, " ("+repair.ReasonParts+")")
		return t, true
	case repair.PutOnHold:
		return stepped(f.Step, "Put on hold"+until(f.Until)), true
	case repair.Resumed:
		return stepped(f.Step, "The work goes on"), true
	case repair.WasMadeSafe:
		return stepped(f.Step, "Made safe"), true
	case repair.FollowOnNeeded:
		text := "More work is needed" + work(f.Trade, "", f.SOR)
		if f.Repair != "" {
			text += ", as repair " + string(f.Repair)
		}
		return stepped(f.Step, text), true
	case repair.Noted:
		return stepped(f.Step, "Noted"), true
	}
	return told{}, false
}

// end are the facts from the contractor's word that it is done.
func (w teller) end(fact repair.Event) (told, bool) {
	switch f := fact.(type) {
	case repair.Completed:
		return stepped(f.Step, "The work is done, says "+w.who()), true
	case repair.Confirmed:
		text := "Confirmed fixed by " + w.who()
		if f.Rating > 0 {
			text += fmt.Sprintf(", rated %d of 5", f.Rating)
		}
		return stepped(f.Step, text), true
	case repair.Disputed:
		by := w.who()
		return stepped(f.Step, strings.ToUpper(by[:1])+by[1:]+" disputes that it is fixed"), true
	case repair.Reopened:
		return stepped(f.Step, "Reopened by "+w.who()), true
	case repair.Closed:
		return stepped(f.Step, "Closed by "+w.who()), true
	case repair.Cancelled:
		return stepped(f.Step, "Cancelled by "+role(string(f.By))), true
	case repair.Recalled:
		return stepped(f.Step, "The fault has come back: see repair "+string(f.Repair)), true
	}
	return told{}, false
}

// stepped is what every fact with a step has in common.
func stepped(s repair.Step, text string) told {
	if s.Reason != "" {
		text += " (" + s.Reason + ")"
	}
	return told{text, s.At, []domain.Personal{s.Note}, s.Photos}
}

func (w teller) who() string { return role(w.by) }

// byStaff says who triaged what no rule did.
func (w teller) byStaff(s repair.Step) string {
	if s.Action == "" {
		return ""
	}
	return " by " + w.who()
}

// role is somebody by what they are to the repair.
func role(r string) string {
	switch repair.Role(r) {
	case repair.Tenant:
		return "the tenant"
	case repair.Contractor:
		return "the contractor"
	case repair.Manager:
		return "a manager"
	case repair.Operator:
		return "an operator"
	case repair.System:
		return "the system"
	}
	return "somebody"
}

func outcomeWords(o repair.Outcome) string {
	switch o {
	case repair.OutcomeEmergency:
		return "an emergency"
	case repair.OutcomeLandlord:
		return "a landlord repair"
	case repair.OutcomeCommunal:
		return "a communal repair"
	case repair.OutcomeWarranty:
		return "a repair under warranty"
	case repair.OutcomeTenant:
		return "the tenant's own to repair"
	case repair.OutcomeLeaseholder:
		return "the leaseholder's own to repair"
	case repair.OutcomeDuplicate:
		return "a duplicate"
	}
	return string(o)
}

// work is ": plumbing, normal, N631321 x1", as far as it is known.
func work(trade string, priority repair.Priority, lines []repair.Line) string {
	var said []string
	for _, word := range []string{trade, string(priority)} {
		if word != "" {
			said = append(said, word)
		}
	}
	for _, l := range lines {
		said = append(said, fmt.Sprintf("%s x%d", l.Code, l.Quantity))
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + strings.Join(said, ", ")
}

func amount(m domain.Money) string { return m.String() + " " + string(m.Currency) }

// sentence is an explanation as part of another one.
func sentence(s string) string { return strings.TrimSuffix(s, ".") }
