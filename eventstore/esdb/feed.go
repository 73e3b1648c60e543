package esdb

import (
	"context"
	"sync"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore"
)

// feedMax is how many events are read ahead of the loop that wants them.
const feedMax = 1000

// feed carries events from the goroutine that reads them to the loop that wants them: as many at
// once as have come while the loop was busy, and none if nobody takes them.
type feed struct {
	news chan struct{} // holds one token when there is something to take
	room chan struct{} // and one when something was taken

	mu      sync.Mutex // what follows
	waiting []*es.RecordedEvent
	put     uint64              // how many ever
	at      eventstore.Position // of the last of them
	err     error               // why no more come
}

func newFeed() *feed {
	return &feed{news: make(chan struct{}, 1), room: make(chan struct{}, 1), waiting: make([]*es.RecordedEvent, 0, 16)}
}

// add waits for room. It adds nothing once the context has ended, so that a reader that was left
// behind cannot come between those after it.
func (f *feed) add(ctx context.Context, e *es.RecordedEvent) error {
	for {
		f.mu.Lock()
		if err := ctx.Err(); err != nil {
			f.mu.Unlock()
			return err
		}
		if n := len(f.waiting); n < feedMax {
			f.waiting = append(f.waiting, e)
			f.put++
			f.at = positionOf(e)
			f.mu.Unlock()
			if n == 0 {
				signal(f.news)
			}
			return nil
		}
		f.mu.Unlock()
		select {
		case <-f.room:
		case <-ctx.Done():
		}
	}
}

// close ends the feed behind what is in it.
func (f *feed) close(err error) {
	f.mu.Lock()
	f.err = err
	f.mu.Unlock()
	signal(f.news)
}

// take waits for events and takes all there are, in exchange for an empty slice. The error comes
// behind the last event.
func (f *feed) take(ctx context.Context, spare []*es.RecordedEvent) ([]*es.RecordedEvent, error) {
	for {
		f.mu.Lock()
		if len(f.waiting) > 0 {
			taken := f.waiting
			f.waiting = spare
			f.mu.Unlock()
			signal(f.room)
			return taken, nil
		}
		err := f.err
		f.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-f.news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// empty waits until everything has been taken.
func (f *feed) empty(ctx context.Context) error {
	for {
		f.mu.Lock()
		n := len(f.waiting)
		f.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-f.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// last is how many events were ever put in, and the position of the last of them.
func (f *feed) last() (put uint64, at eventstore.Position) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.put, f.at
}

func (f *feed) full() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting) >= feedMax
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
