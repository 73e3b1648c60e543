// Package chargerun is one run over all accounts that raises what is due: when it was asked for,
// and what it came to.
package chargerun

import "rentbook/domain"

// Category is that of the streams of charge runs.
const Category = "chargeRun"

// DaysAheadMax is how far after today a run may reach.
const DaysAheadMax = 400

// ErrTooFar is a run beyond DaysAheadMax.
var ErrTooFar = &domain.Refusal{Code: "charge-run.too-far", Reason: "is more than 400 days after today", Field: "through"}

// Event is one fact about a charge run.
type Event interface {
	EventType() string
	applyTo(Run) Run
}

// Events lists every fact of this stream.
func Events() []Event { return []Event{Started{}, Finished{}} }

// Started says up to which day the run charges, that day included.
type Started struct {
	Through domain.Date `json:"through"`
}

// Finished says what the run came to, in all its attempts.
type Finished struct {
	Raised int64   `json:"raised"` // entries
	Totals []Total `json:"totals"`
}

// Total is what a run raised in one currency.
type Total struct {
	Debit  domain.Money `json:"debit"`
	Credit domain.Money `json:"credit"`
}

// EventType is the stored name.
func (Started) EventType() string { return "charge-run.started.v1" }

// EventType is the stored name.
func (Finished) EventType() string { return "charge-run.finished.v1" }

func (e Started) applyTo(r Run) Run {
	r.Through = e.Through
	return r
}

func (e Finished) applyTo(r Run) Run {
	r.Done, r.Result = true, e
	return r
}

// Run is what its history amounts to.
type Run struct {
	version uint64
	Through domain.Date
	Done    bool
	Result  Finished
}

// Apply is the run after one more fact.
func (r Run) Apply(e Event) Run {
	r.version++
	return e.applyTo(r)
}

// Version counts the facts.
func (r Run) Version() uint64 { return r.version }

// Weight estimates the memory the state holds, in bytes.
func (r Run) Weight() int { return 200 }

// Start asks for a run.
type Start Started

// Recorded is the version that started the run.
func (s Start) Recorded(r Run) []uint64 {
	if r.version == 0 {
		return nil
	}
	return []uint64{1}
}

// Matches says whether the fact starts the same run.
func (s Start) Matches(e Event) bool {
	started, ok := e.(Started)
	return ok && started == Started(s)
}

// Start records the start.
func (r Run) Start(s Start) ([]Event, error) { return []Event{Started(s)}, nil }

// Result is what a run came to. There is one: a run that is finished stays as it is.
type Result Finished

// Recorded is nothing: finishing a finished run decides nothing.
func (Result) Recorded(Run) []uint64 { return nil }

// Matches is never asked.
func (Result) Matches(Event) bool { return false }

// Finish records the result.
func (r Run) Finish(f Result) ([]Event, error) {
	if r.Done {
		return nil, nil
	}
	return []Event{Finished(f)}, nil
}
