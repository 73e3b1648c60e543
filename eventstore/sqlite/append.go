package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"rentbook/eventstore"
)

// Bounds of one append, far above what any command needs, so that a defect cannot fill the disk in
// one step.
const (
	eventsMax = 100_000
	bytesMax  = 256 << 20
)

// Bounds of one transaction. An append larger than that has one to itself.
const (
	transactionEventsMax = 1024
	transactionBytesMax  = 4 << 20
)

// waitingMax bounds the requests that wait for the writer, those of callers who gave up included.
const waitingMax = 16 << 10

// Append records events right after a version, all or none, on disk before it returns. If the
// context ends first, the error wraps the context's; one that says so leaves the outcome unknown:
// the events may still be recorded. Appending the same events again finds out.
func (l *Log) Append(
	ctx context.Context, s eventstore.Stream, after eventstore.Version, events ...eventstore.Proposed,
) (eventstore.Commit, error) {
	outcomes := l.carryOut(ctx, []eventstore.Append{{Stream: s, After: after, Events: events}}, nil)
	return outcomes[0].Commit, outcomes[0].Err
}

// AppendEach carries out several appends in the order given, a bounded number of events in each
// transaction. When the context ends, the rest is not begun.
func (l *Log) AppendEach(ctx context.Context, appends []eventstore.Append) []eventstore.Outcome {
	outcomes := make([]eventstore.Outcome, 0, len(appends))
	behind := failures{}
	for len(appends) > 0 {
		n := fitting(appends)
		for i, outcome := range l.carryOut(ctx, appends[:n], behind) {
			outcomes = append(outcomes, outcome)
			behind.add(appends[i].Stream, outcome)
		}
		appends = appends[n:]
	}
	return outcomes
}

// failures are the streams on which an append of an AppendEach has failed, or found its ids there
// already. What comes behind it on the same stream was decided on facts that may not be there, and
// might still fit by its version.
type failures map[eventstore.Stream]bool

func (f failures) add(s eventstore.Stream, outcome eventstore.Outcome) {
	if outcome.Err != nil || outcome.Commit.Repeated {
		f[s] = true
	}
}

func (f failures) refuse(s eventstore.Stream) error {
	if !f[s] {
		return nil
	}
	return fmt.Errorf("append to %s: one before it did not write: %w", s, eventstore.ErrConflict)
}

// fitting is how many of the appends, at least one, fit one transaction.
func fitting(appends []eventstore.Append) int {
	events, bytes := 0, 0
	for i, a := range appends {
		n, b := weigh(a)
		events, bytes = events+n, bytes+b
		if i > 0 && (events > transactionEventsMax || bytes > transactionBytesMax) {
			return i
		}
	}
	return len(appends)
}

func weigh(a eventstore.Append) (events, bytes int) {
	for i := range a.Events {
		bytes += len(a.Events[i].Data)
	}
	return len(a.Events), bytes
}

// carryOut hands appends to the writer and waits for what became of them.
func (l *Log) carryOut(ctx context.Context, appends []eventstore.Append, behind failures) []eventstore.Outcome {
	r := newRequest(appends, behind)
	if r.events == 0 {
		return r.failed(nil) // nothing in it for the writer
	}
	if err := ctx.Err(); err != nil {
		return r.failed(err)
	}
	if err := l.queue.put(r); err != nil {
		return r.failed(err)
	}
	select {
	case <-r.answered:
		return r.outcomes
	case <-ctx.Done():
		return r.failed(fmt.Errorf("the outcome is unknown: %w", ctx.Err()))
	}
}

// request is some appends on their way through the writer, which answers with the outcomes and then
// closes answered. A caller who gives up must not look at the outcomes; all else never changes.
type request struct {
	appends  []eventstore.Append
	refused  []error // nil for an append that can be tried
	events   int
	bytes    int
	outcomes []eventstore.Outcome
	answered chan struct{}
}

// newRequest settles what need not be tried; the writer passes over it.
func newRequest(appends []eventstore.Append, behind failures) *request {
	r := &request{appends: appends, refused: make([]error, len(appends)), answered: make(chan struct{})}
	for i, a := range appends {
		if r.refused[i] = cmp.Or(check(a), behind.refuse(a.Stream)); r.refused[i] == nil {
			events, bytes := weigh(a)
			r.events, r.bytes = r.events+events, r.bytes+bytes
		}
	}
	return r
}

// failed are the outcomes when none of the appends could be helped.
func (r *request) failed(err error) []eventstore.Outcome {
	outcomes := make([]eventstore.Outcome, len(r.appends))
	for i, a := range r.appends {
		if outcomes[i].Err = r.refused[i]; outcomes[i].Err == nil {
			outcomes[i].Err = fmt.Errorf("append to %s: %w", a.Stream, err)
		}
	}
	return outcomes
}

func check(a eventstore.Append) error {
	events, bytes := weigh(a)
	switch {
	case events == 0:
		return fmt.Errorf("append to %s: %w", a.Stream, eventstore.ErrEmpty)
	case a.Stream.Category() == "" || a.Stream.ID() == "":
		return fmt.Errorf("append to %q: want a category, a dash and an id", a.Stream)
	case events > eventsMax || bytes > bytesMax:
		return fmt.Errorf("append to %s: %d events of %d bytes are too much for one append",
			a.Stream, events, bytes)
	case slices.ContainsFunc(a.Events, nameless):
		return fmt.Errorf("append to %s: an event without id or type", a.Stream)
	}
	return nil
}

func nameless(e eventstore.Proposed) bool { return e.ID == uuid.Nil || e.Type == "" }

// queue holds the requests that wait for the writer, in the order they came.
type queue struct {
	mu      sync.Mutex
	waiting []*request
	closed  bool
	wake    chan struct{} // holds one token when there may be something to do
}

func (q *queue) put(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errClosed
	case len(q.waiting) >= waitingMax:
		return fmt.Errorf("%w: too many appends wait", eventstore.ErrUnavailable)
	}
	q.waiting = append(q.waiting, r)
	q.signal()
	return nil
}

// close lets nothing more in. What waits is still taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// gatherFrom is the length of a commit from which it pays to wait for company.
const gatherFrom = time.Millisecond

// gather waits, for a quarter of a commit at most, until those just answered have come back. Callers
// in a hurry fall into two groups otherwise, each of which waits for the other's commit as well as
// its own. Where a sync is quick, and after a caller who was alone, there is nothing to gain.
func (q *queue) gather(answered int, commit time.Duration) {
	if answered < 2 || commit < gatherFrom {
		return
	}
	patience := time.NewTimer(commit / 4)
	defer patience.Stop()
	for want := q.length() + answered; q.length() < want; {
		select {
		case <-q.wake:
		case <-patience.C:
			return
		}
	}
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// take moves as many waiting requests to batch as fit one transaction, and waits for one if there is
// none. An empty batch means that the queue is closed and done with.
func (q *queue) take(batch []*request) []*request {
	for {
		batch, closed := q.takeNow(batch)
		if len(batch) > 0 || closed {
			return batch
		}
		<-q.wake
	}
}

func (q *queue) takeNow(batch []*request) (_ []*request, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	events, bytes, n := 0, 0, 0
	for _, r := range q.waiting {
		events, bytes = events+r.events, bytes+r.bytes
		if n > 0 && (events > transactionEventsMax || bytes > transactionBytesMax) {
			break
		}
		n++
	}
	batch = append(batch, q.waiting[:n]...)
	q.waiting = slices.Delete(q.waiting, 0, n)
	return batch, q.closed
}
