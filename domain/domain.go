// Package domain holds the words that all parts share: money, dates, ids, personal text, and what a
// state and a refusal are.
//
// Each kind of stream has a package of its own below (rent, tenancy, property, calendar,
// chargerun). There, facts are past tense, decisions are verbs on a state folded from facts, and
// everything else is a noun. A decision says yes with facts, no with a Refusal, and nothing when
// there is nothing to say. A fact cannot be refused: applying one never fails.
//
// The one rule: nothing in here knows the time of day, chance, storage or context.
package domain

// State is what a history of facts E amounts to for the next decision.
type State[S State[S, E], E any] interface{ Apply(E) S }

// Fold replays a history onto the zero state.
func Fold[S State[S, E], E any](history ...E) S {
	var state S
	for _, fact := range history {
		state = state.Apply(fact)
	}
	return state
}

// Class says what a caller can make of a refusal.
type Class int

const (
	// Invalid is a request that no state could accept.
	Invalid Class = iota
	// Conflicting is a request that the present state does not accept.
	Conflicting
	// Unknown is a request about something that does not exist.
	Unknown
)

// Refusal is a rule that said no. Code is stable ("rent.already-reversed"); Reason is a sentence
// without personal data; Field names the part of the request that was at fault, if one was.
type Refusal struct {
	Class  Class
	Code   string
	Reason string
	Field  string
}

func (r *Refusal) Error() string {
	if r.Field == "" {
		return r.Reason
	}
	return r.Field + ": " + r.Reason
}

// Is matches refusals by code, so that errors.Is works against the sentinels of a package however
// the reason reads.
func (r *Refusal) Is(target error) bool {
	t, ok := target.(*Refusal)
	return ok && t.Code == r.Code
}

// In is the same refusal about a field.
func (r *Refusal) In(field string) *Refusal {
	named := *r
	named.Field = field
	return &named
}

// Because is the same refusal with a reason of its own.
func (r *Refusal) Because(reason string) *Refusal {
	reworded := *r
	reworded.Reason = reason
	return &reworded
}

// Refusals that any part may give.
var (
	ErrMissing  = &Refusal{Code: "missing", Reason: "is required"}
	ErrAmount   = &Refusal{Code: "amount", Reason: "is not a plain positive decimal such as 450.00"}
	ErrDecimals = &Refusal{Code: "decimals", Reason: "has more decimals than the currency"}
	ErrTooLarge = &Refusal{Code: "too-large", Reason: "is more than can be recorded"}
	ErrCurrency = &Refusal{Code: "currency", Reason: "is not a currency of ISO 4217"}
	ErrDate     = &Refusal{Code: "date", Reason: "is not a date that exists, as YYYY-MM-DD"}
	ErrDates    = &Refusal{Code: "dates", Reason: "ends before it starts"}
	ErrID       = &Refusal{Code: "id", Reason: "is not an id: 1 to 64 of A-Z a-z 0-9 . _ ~ -, the first a letter or digit"}
	ErrWord     = &Refusal{Code: "word", Reason: "is not one of the words known here"}
	ErrText     = &Refusal{Code: "text", Reason: "is not plain UTF-8 text, or a word on more than one line"}
	ErrTooLong  = &Refusal{Code: "too-long", Reason: "is longer than allowed"}

	// ErrDifferent is another body under a known id.
	ErrDifferent = &Refusal{Class: Conflicting, Code: "different", Reason: "is known with other content"}
	// ErrUnknownReference is the id of something that does not exist.
	ErrUnknownReference = &Refusal{Class: Conflicting, Code: "unknown-reference", Reason: "does not exist"}
	// ErrStale is a change to a version that is no longer the current one.
	ErrStale = &Refusal{Class: Conflicting, Code: "stale", Reason: "has changed since the version given"}
)
