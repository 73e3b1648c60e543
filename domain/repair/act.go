package repair

import (
	"slices"
	"strings"
	"time"

	"rentbook/domain"
)

// Act is something that somebody asks to be done to a repair.
type Act struct {
	ID     domain.ID
	Action Action
	Role   Role
	By     string    // the id of the actor
	Now    time.Time // whole seconds
	At     time.Time // when it counts; zero: now
	Reason string
	Note   domain.Personal
	Photos []domain.ID

	Outcome     Outcome
	Trade       string
	Priority    Priority
	SOR         []Line
	Cost        domain.Money
	Contractor  domain.ID
	Slot        domain.ID
	Evidence    domain.Personal
	Until       domain.Date
	Repair      domain.ID
	Into        domain.ID
	Rating      int
	Description domain.Personal // of a new repair

	// What the command looked up for it.
	Window     Slot      // of the slot
	Triage     Diagnosis // with the targets
	Routing    Routing   // of a triage, raise, assign or hand_back
	RecallDays int       // the time for recalls
}

// Recorded is the version of the first fact that the act led to.
func (a Act) Recorded(r Repair) []uint64 {
	for _, d := range r.done {
		if d.id == a.ID {
			return []uint64{d.at}
		}
	}
	return nil
}

// Matches says whether the fact came of the same act. What was not said matches whatever a rule
// put there.
func (a Act) Matches(e Event) bool {
	recorded, ok := e.(interface{ step() Step })
	if !ok {
		return false
	}
	s := recorded.step()
	if s.Action != a.ID || s.Doing != a.Action || s.Reason != a.Reason || !a.Note.Matches(s.Note) ||
		!slices.Equal(a.Photos, s.Photos) || (!a.At.IsZero() && !a.At.Equal(s.At)) {
		return false
	}
	switch f := e.(type) {
	case Triaged:
		return a.Outcome == f.Outcome && (a.Trade == "" || a.Trade == f.Trade) &&
			(a.Priority == "" || a.Priority == f.Priority) && sameWork(a.SOR, f.SOR)
	case Assigned:
		return a.Contractor == "" || a.Contractor == f.Contractor
	case SlotHeld:
		return a.Slot == f.Slot
	case VisitBooked:
		return a.Slot == f.Slot
	case VisitRearranged:
		return a.Slot == f.Slot
	case AccessFailed:
		return a.Evidence.Matches(f.Evidence)
	case WaitingForParts:
		return a.Until == f.Until
	case PutOnHold:
		return a.Until == f.Until
	case VariationRequested:
		return sameWork(a.SOR, f.SOR) && (a.Cost.Currency == "" || a.Cost == f.Cost)
	case FollowOnNeeded:
		return a.Repair == f.Repair && a.Trade == f.Trade && sameWork(a.SOR, f.SOR)
	case Confirmed:
		return a.Rating == f.Rating
	case Recalled:
		return a.Repair == f.Repair
	case Merged:
		return a.Into == f.Into
	}
	return true
}

// sameWork compares codes and quantities; none asked is whatever there was.
func sameWork(asked, recorded []Line) bool {
	return asked == nil || slices.EqualFunc(asked, recorded, func(a, b Line) bool {
		return a.Code == b.Code && a.Quantity == b.Quantity
	})
}

func (s Step) step() Step { return s }

// Allowed lists what a role, and in it this actor, may do now.
func (r Repair) Allowed(role Role, by string, now time.Time) []Move {
	var moves []Move
	for _, m := range Moves() {
		if slices.Contains(m.From, r.State) && slices.Contains(m.Roles, role) && r.condition(m.Action, by, now) == nil {
			moves = append(moves, m)
		}
	}
	return moves
}

// condition is what else must hold (Move.When), as far as it does not depend on what is asked.
func (r Repair) condition(action Action, by string, now time.Time) error {
	switch {
	case action == Approve && by == r.RequestedBy:
		return ErrSamePerson
	case (action == ApproveVariation || action == RejectVariation) && r.Variation == nil:
		return ErrNotAllowed.Because("no variation is pending")
	case action == ApproveVariation && by == r.Variation.By:
		return ErrSamePerson
	case (action == RequestVariation || action == Complete) && r.Variation != nil:
		return ErrNotAllowed.Because("a variation is pending: it must be approved or rejected first")
	case (action == Raise || action == Assign) && !r.Outcome.Ours():
		return ErrNotAllowed.Because("it is not the landlord's: it must be triaged first")
	case (action == Raise || action == Assign) && r.Trade == "":
		return ErrNotAllowed.Because("it has no trade: it must be triaged first")
	case action == LandlordMissed:
		if v, _ := r.Visit(); later(now, r.LastAt).Before(v.To) {
			return ErrNotAllowed.Because("the visit may come until " + v.To.Format(time.RFC3339))
		}
	}
	return nil
}

// Take does what an act asks, if the table allows it.
func (r Repair) Take(a Act) ([]Event, error) {
	if err := r.Permits(a); err != nil {
		return nil, err
	}
	move, _ := moveOf(a.Action, r.State, a.Role)
	at, err := r.at(a, len(move.To) > 0)
	if err != nil {
		return nil, err
	}
	return r.facts(a, Step{Action: a.ID, Doing: a.Action, At: at, Reason: a.Reason, Note: a.Note, Photos: a.Photos})
}

// Permits says whether an act could be taken now, before anything is looked up for it.
func (r Repair) Permits(a Act) error {
	if !r.Exists() {
		return ErrNotReported
	}
	move, ok := moveOf(a.Action, r.State, a.Role)
	if !ok {
		return ErrNotAllowed.Because(r.notAllowed(a))
	}
	if err := r.condition(a.Action, a.By, a.Now); err != nil {
		return err
	}
	for _, field := range move.Needs {
		if !a.gives(field) {
			return domain.ErrMissing.In(field)
		}
	}
	for _, field := range []string{
		"outcome", "trade", "priority", "sor", "cost", "contractor", "slot", "evidence", "until", "repair", "into", "rating",
		"description",
	} {
		if a.gives(field) && !slices.Contains(move.Needs, field) && !slices.Contains(move.Takes, field) {
			return ErrNotTaken.In(field)
		}
	}
	if a.Action == Hold && a.Role == Contractor && (a.Reason == ReasonAccess || a.Reason == ReasonTenant) {
		return ErrNotAllowed.Because("for this reason only staff put a repair off; nobody at home is no_access, with what shows it")
	}
	_, err := r.at(a, len(move.To) > 0)
	return err
}

// notAllowed names the state and what is allowed in it.
func (r Repair) notAllowed(a Act) string {
	var allowed []string
	for _, m := range r.Allowed(a.Role, a.By, a.Now) {
		allowed = append(allowed, string(m.Action))
	}
	return "the repair is " + string(r.State) + ", which does not allow " + string(a.Action) + "; allowed now: " + strings.Join(allowed, ", ")
}

// gives says whether a field was given.
func (a Act) gives(field string) bool {
	switch field {
	case "reason":
		return a.Reason != ""
	case "note":
		return !a.Note.IsZero()
	case "outcome":
		return a.Outcome != ""
	case "contractor":
		return a.Contractor != ""
	case "slot":
		return a.Slot != ""
	case "evidence":
		return !a.Evidence.IsZero()
	case "sor":
		return len(a.SOR) > 0
	case "repair":
		return a.Repair != ""
	case "into":
		return a.Into != ""
	case "trade":
		return a.Trade != ""
	case "priority":
		return a.Priority != ""
	case "cost":
		return a.Cost.Currency != ""
	case "until":
		return !a.Until.IsZero()
	case "rating":
		return a.Rating != 0
	case "description":
		return !a.Description.IsZero()
	}
	return false
}

// at is when the act counts: not in the future, not before the report, and what changes the state
// not before what changed it last. Otherwise a clock could be stopped before it had begun.
func (r Repair) at(a Act, moves bool) (time.Time, error) {
	switch {
	case a.At.IsZero() && a.Now.Before(r.LastAt): // by the clock of another machine
		return r.LastAt, nil
	case a.At.IsZero():
		return a.Now, nil
	case a.At.After(a.Now):
		return a.At, ErrFuture
	case a.At.Before(r.ReportedAt):
		return a.At, ErrOrder.Because("is before the repair was reported")
	case moves && a.At.Before(r.LastAt):
		return a.At, ErrOrder.Because("is before the last thing that happened, at " + r.LastAt.Format(time.RFC3339))
	}
	return a.At, nil
}
