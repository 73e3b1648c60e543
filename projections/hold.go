package projections

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"rentbook/eventstore"
	"rentbook/projections/database"
)

// hold is a lock among processes that goroutines of one process can share too.
type hold struct {
	mine chan struct{} // holds the token of the goroutine that has the lock, or tries
	lock database.Lock
}

func newHold(lock database.Lock) *hold { return &hold{mine: make(chan struct{}, 1), lock: lock} }

// try takes the lock if nobody has it.
func (h *hold) try(ctx context.Context) (bool, error) {
	select {
	case h.mine <- struct{}{}:
	default:
		return false, nil
	}
	held, err := h.lock.Try(ctx)
	if !held || err != nil {
		<-h.mine
	}
	return held, err
}

// take waits for the lock until the context ends.
func (h *hold) take(ctx context.Context) error {
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	for {
		if held, err := h.try(ctx); held || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the lock: %w", ctx.Err())
		case <-ticks.C:
		}
	}
}

// lost is closed when the lock is somebody else's though nobody has released it.
func (h *hold) lost() <-chan struct{} { return h.lock.Lost() }

func (h *hold) release() error {
	err := h.lock.Unlock()
	<-h.mine
	return err
}

func (h *hold) close() error { return h.lock.Close() }

// news wakes whoever waits for something to be written.
type news struct {
	mu     sync.Mutex
	coming chan struct{} // closed by the next announcement; nil while nobody asked for it
}

// next is closed when something has been written after this call.
func (n *news) next() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.coming == nil {
		n.coming = make(chan struct{})
	}
	return n.coming
}

func (n *news) announce() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.coming != nil {
		close(n.coming)
		n.coming = nil
	}
}

// awaited knows whether somebody waits for the views: then nothing lingers.
type awaited struct {
	readers atomic.Int64
	hurry   news
}

// begin counts a reader in, end counts it out.
func (a *awaited) begin() {
	a.readers.Add(1)
	a.hurry.announce()
}

func (a *awaited) end() { a.readers.Add(-1) }

// apart are the views that the common feed has let go because they failed. Their own feed brings
// them back.
type apart struct {
	mu    *sync.Mutex
	views map[string]bool
}

func newApart() apart { return apart{new(sync.Mutex), map[string]bool{}} }

func (a apart) holds(view string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.views[view]
}

func (a apart) set(view string, apart bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.views[view] = apart
}

// backOff is how long to wait after a failure, twice as long after each further one.
type backOff struct{ first, most time.Duration }

func backOffDefault() backOff { return backOff{first: 50 * time.Millisecond, most: 5 * time.Second} }

// wait is for the nth failure in a row, from 1.
func (b backOff) wait(ctx context.Context, n int) error {
	d := b.most
	if n < 20 { // far from an overflow
		d = min(b.most, b.first<<(n-1))
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// transient says whether an error may go away by itself: it is nothing about the events.
func transient(err error) bool {
	return errors.Is(err, database.ErrUnavailable) || errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, errMoved) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
