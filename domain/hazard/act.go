package hazard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// Refusals of a hazard.
var (
	ErrUnknown         = &domain.Refusal{Class: domain.Unknown, Code: "hazard.unknown", Reason: "there is no such hazard"}
	ErrNotAllowed      = &domain.Refusal{Class: domain.Conflicting, Code: "hazard.not-allowed", Reason: "is not possible now"}
	ErrNotTaken        = &domain.Refusal{Code: "hazard.not-taken", Reason: "says nothing about this action"}
	ErrReason          = &domain.Refusal{Code: "hazard.reason", Reason: "is not a code: 1 to 32 of a-z 0-9 _ -", Field: "reason"}
	ErrFuture          = &domain.Refusal{Code: "hazard.future", Reason: "has not come yet", Field: "at"}
	ErrBeforeAwareness = &domain.Refusal{Code: "hazard.before-awareness", Reason: "is before the landlord became aware", Field: "at"}
	ErrOrder           = &domain.Refusal{Class: domain.Conflicting, Code: "hazard.order", Reason: "is before what was recorded last", Field: "at"}
	ErrUnfinished      = &domain.Refusal{Class: domain.Conflicting, Code: "hazard.unfinished", Reason: "the work is not completed, and a hazard was found or none was looked for"}
	ErrDuties          = &domain.Refusal{Class: domain.Conflicting, Code: "hazard.duties", Reason: "duties are not met"}
)

// Act is what somebody does about a hazard: one of the Actions, under an id of the caller's.
type Act struct {
	Action Action
	ID     domain.ID
	Role   Role
	Now    time.Time
	At     time.Time // when it counts; zero: now

	Reason   string
	Note     domain.Personal
	Photos   []domain.ID
	Finding  Grade     // of an investigation
	Grade    Grade     // of a regrading
	Accepted *bool     // of an offer; nil: not answered yet
	Repair   domain.ID // to link or unlink

	Targets []clock.Target // of its Duties
}

// when is the instant at which the act counts.
func (a Act) when() time.Time {
	if a.At.IsZero() {
		return whole(a.Now)
	}
	return whole(a.At)
}

// Recorded is the version at which the action was carried out, if it was.
func (a Act) Recorded(h Hazard) []uint64 {
	for _, d := range h.done {
		if d.id == a.ID {
			return []uint64{d.at}
		}
	}
	return nil
}

// Matches says whether the fact is of the same act. An act that did not say when matches whenever
// it was carried out; what the policy said is not part of the question.
func (a Act) Matches(e Event) bool {
	s, ok := stepOf(e)
	if !ok || s.Action != a.ID || a.fact(s).EventType() != e.EventType() {
		return false
	}
	if !a.At.IsZero() && !a.when().Equal(s.At) || a.Reason != s.Reason || !a.Note.Matches(s.Note) || !slices.Equal(a.Photos, s.Photos) {
		return false
	}
	switch f := e.(type) {
	case Investigated:
		return a.Finding == f.Finding
	case Regraded:
		return a.Grade == f.Grade
	case AccommodationOffered:
		return (a.Accepted == nil) == (f.Accepted == nil) && (a.Accepted == nil || *a.Accepted == *f.Accepted)
	case RepairLinked:
		return a.Repair == f.Repair
	case RepairUnlinked:
		return a.Repair == f.Repair
	}
	return true
}

// step is what all facts but the first have in common.
func (s Step) step() Step { return s }

func stepOf(e Event) (Step, bool) {
	if fact, ok := e.(interface{ step() Step }); ok {
		return fact.step(), true
	}
	return Step{}, false
}

// fact is what the act is recorded as, but for what the state adds. It wants one of the Actions.
func (a Act) fact(s Step) Event {
	switch a.Action {
	case Investigate:
		return Investigated{Step: s, Finding: a.Finding}
	case Summarise:
		return SummarySent{s}
	case BeginSafetyWork:
		return SafetyWorkBegun{s}
	case MakeSafe:
		return MadeSafe{s}
	case NotPracticable:
		return PreventionNotPracticable{Step: s}
	case BeginPreventiveWork:
		return PreventiveWorkBegun{s}
	case Complete:
		return WorkCompleted{s}
	case OfferAccommodation:
		return AccommodationOffered{Step: s, Accepted: a.Accepted}
	case RefusedAccess:
		return AccessRefused{s}
	case AddEvidence:
		return EvidenceAdded{s}
	case Regrade:
		return Regraded{Step: s, Grade: a.Grade}
	case Link:
		return RepairLinked{Step: s, Repair: a.Repair}
	case Unlink:
		return RepairUnlinked{Step: s, Repair: a.Repair}
	case Close:
		return Closed{s}
	case Reopen:
		return Reopened{Step: s}
	case AddNote:
	}
	return Noted{s}
}

// Take decides on an act, by the table and by what has happened.
func (h Hazard) Take(a Act) ([]Event, error) {
	switch {
	case !slices.Contains(Actions(), a.Action):
		return nil, domain.ErrWord.In("action")
	case a.ID == "":
		return nil, domain.ErrMissing.In("id")
	case !h.Exists():
		return nil, ErrUnknown
	}
	moves := h.Allowed(a.Role)
	at := slices.IndexFunc(moves, func(m Move) bool { return m.Action == a.Action })
	if at < 0 {
		return nil, h.notAllowed(a, moves)
	}
	if err := a.fits(moves[at]); err != nil {
		return nil, err
	}
	if err := h.inTime(a, moves[at]); err != nil {
		return nil, err
	}
	return h.decide(a)
}

// decide says nothing where the act would change nothing.
func (h Hazard) decide(a Act) ([]Event, error) {
	targets := pick(a.Targets, h.starting(a))
	fact := a.fact(Step{Action: a.ID, At: a.when(), Reason: a.Reason, Note: a.Note, Photos: a.Photos})
	switch f := fact.(type) {
	case Investigated:
		f.Renewed, f.Targets = h.Investigated, targets
		fact = f
	case PreventionNotPracticable:
		f.Targets = targets
		fact = f
	case Regraded:
		f.From, f.Targets = h.regradedFrom(f.Grade, f.At), targets
		fact = f
		if f.Grade == h.Grade {
			return nil, nil
		}
	case Reopened:
		f.Targets = targets
		fact = f
	case RepairLinked:
		if slices.Contains(h.Repairs, f.Repair) {
			return nil, nil
		}
	case RepairUnlinked:
		if !slices.Contains(h.Repairs, f.Repair) {
			return nil, nil
		}
	case Closed:
		if err := h.mayClose(f); err != nil {
			return nil, err
		}
	}
	return []Event{fact}, nil
}

// mayClose keeps a hazard open while anything is owed. With nothing found only the summary is.
// Only the landlord's word that it was no case at all, with a note that says why, closes it over
// open duties; their clocks run on for everyone to see.
func (h Hazard) mayClose(c Closed) error {
	if c.Reason == Withdrawn {
		if c.Note.IsZero() {
			return domain.ErrMissing.In("note")
		}
		return nil
	}
	if h.State != StateCompleted && (!h.Investigated || h.Finding != None) {
		return ErrUnfinished
	}
	var owed []string
	for _, run := range h.Clocks {
		if run.MetAt.IsZero() {
			owed = append(owed, run.Target.Clock)
		}
	}
	if len(owed) > 0 {
		return ErrDuties.Because("duties are not met: " + strings.Join(owed, ", "))
	}
	return nil
}

func (h Hazard) notAllowed(a Act, moves []Move) error {
	var possible []string
	for _, m := range moves {
		if word := string(m.Action); !slices.Contains(possible, word) {
			possible = append(possible, word)
		}
	}
	if len(possible) == 0 {
		possible = []string{"nothing"}
	}
	return ErrNotAllowed.Because(fmt.Sprintf("%s is not possible for the role %q while the hazard is %s; possible: %s",
		a.Action, a.Role, h.State, strings.Join(possible, ", ")))
}

// field is one that a move may need or take, and whether the act has it.
type field struct {
	name  string
	given bool
	words []Grade // that it may have; none: see elsewhere
	word  Grade
}

func (a Act) fields() []field {
	return []field{
		{name: "finding", given: a.Finding != "", words: Findings(), word: a.Finding},
		{name: "grade", given: a.Grade != "", words: Grades(), word: a.Grade},
		{name: "repair", given: a.Repair != ""},
		{name: "accepted", given: a.Accepted != nil},
		{name: "reason", given: a.Reason != ""},
		{name: "note", given: !a.Note.IsZero()},
	}
}

// fits says whether the act has what the move needs and nothing that it does not take: a field that
// would be ignored was meant for something else.
func (a Act) fits(m Move) error {
	for _, f := range a.fields() {
		needed := slices.Contains(m.Needs, f.name)
		switch {
		case needed && !f.given:
			return domain.ErrMissing.In(f.name)
		case f.given && f.name != "note" && !needed && !slices.Contains(m.Takes, f.name):
			return ErrNotTaken.In(f.name)
		case f.given && f.words != nil && !slices.Contains(f.words, f.word):
			return domain.ErrWord.In(f.name)
		}
	}
	switch {
	case a.Reason != "" && !code(a.Reason):
		return ErrReason
	case a.Action == AddEvidence && a.Note.IsZero() && len(a.Photos) == 0:
		return domain.ErrMissing.In("note")
	}
	return nil
}

func code(s string) bool {
	return len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// inTime wants moves in the order in which they happened; only evidence and notes may come later.
func (h Hazard) inTime(a Act, m Move) error {
	switch at := a.when(); {
	case at.After(a.Now):
		return ErrFuture
	case at.Before(h.AwareAt):
		return ErrBeforeAwareness
	case at.Before(h.LastAt) && !m.AnyTime:
		return ErrOrder
	}
	return nil
}
