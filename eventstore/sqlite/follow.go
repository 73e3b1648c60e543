package sqlite

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite/sqlitefile"
)

// pollEvery is how often a waiting process asks whether another one has appended: well within the
// 100 ms promised, and a few microseconds of work each time.
const pollEvery = 20 * time.Millisecond

// Follow yields the events after a position, a page at a time, and waits for more. While the caller
// works or while it waits, no connection is held and no snapshot is open.
func (l *Log) Follow(
	ctx context.Context, after eventstore.Position, prefixes ...string,
) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		p, known := page{most: pageEventsMax, last: integer(eventstore.Version(after.Commit))}, streams{keep[int64, eventstore.Stream](streamsKept)}
		for {
			news := l.news.next() // before reading: what comes in between is not missed
			err := l.view(ctx, func(conn *sqlite.Conn) error { return l.readAll(conn, &p, known, prefixes) })
			if !deliver(ctx, &p, err, yield) {
				return
			}
			if p.full {
				continue
			}
			if err := l.wait(ctx, news); err != nil {
				yield(eventstore.Recorded{}, err)
				return
			}
		}
	}
}

func (l *Log) wait(ctx context.Context, news <-chan struct{}) error {
	l.news.enter()
	defer l.news.leave()
	select {
	case <-news:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("follow the log: %w", ctx.Err())
	case <-l.life.Done():
		return fmt.Errorf("follow the log: %w", context.Cause(l.life))
	}
}

// poll looks for the commits of other processes while anybody waits for them.
func (l *Log) poll() {
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	seen := int64(-1) // announces once too often rather than never
	for {
		if !l.news.anybody() {
			select {
			case <-l.news.awaited:
			case <-l.life.Done():
				return
			}
		}
		select {
		case <-ticks.C:
			seen = l.look(seen)
		case <-l.life.Done():
			return
		}
	}
}

// look announces news if somebody has committed since the last look. A lock in the way is asked for
// again at the next tick.
func (l *Log) look(seen int64) int64 {
	now, err := sqlitefile.Int(l.poller, "PRAGMA data_version")
	switch {
	case sqlitefile.IsFatal(err):
		_ = l.fail(err)
		return seen
	case err != nil || now == seen:
		return seen
	}
	l.news.announce()
	return now
}

// news wakes whoever waits for events.
type news struct {
	mu      sync.Mutex
	coming  chan struct{} // closed by the next announcement; nil while nobody asked for it
	waiting int
	awaited chan struct{} // holds one token when somebody began to wait
}

// next is closed when something has been recorded after this call.
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

func (n *news) enter() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting++
	select {
	case n.awaited <- struct{}{}:
	default:
	}
}

func (n *news) leave() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting--
}

func (n *news) anybody() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.waiting > 0
}
