package esdb

import (
	"context"
	"sync/atomic"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore"
)

// Head is the position of the last event of the log, zero while there is none. What others keep on
// the server does not count.
func (l *Log) Head(ctx context.Context) (eventstore.Position, error) {
	after := l.known.get()
	if looked := l.looked.get(); looked.Compare(after) > 0 {
		after = looked
	}
	newest, top, err := l.newest(ctx, after)
	if err != nil {
		return l.known.get(), l.failed(ctx, "find the head of the log", err)
	}
	if newest != nil {
		l.known.raise(positionOf(newest))
	}
	l.looked.raise(top)
	return l.known.get(), nil
}

// newest is the last event of the log behind a position, nil if there is none, and the position of the
// last event of all on the server. Every page may take the log's patience: others may have written much.
func (l *Log) newest(ctx context.Context, after eventstore.Position) (*es.RecordedEvent, eventstore.Position, error) {
	s := search{after: after, wanted: l.owns}
	err := s.run(func(count uint64) error { return l.searchOn(ctx, &s, count) })
	return s.found, s.top, err
}

func (l *Log) searchOn(ctx context.Context, s *search, count uint64) error {
	patient, cancel := l.patient(ctx)
	defer cancel()
	return l.persist(patient, func(ctx context.Context, c *connection) error {
		further, err := s.page(ctx, c, count)
		if err == nil {
			*s = further
		}
		return err
	})
}

func (l *Log) owns(name string) bool {
	_, ours := l.scope.stream(name)
	return ours
}

// Pages of a search backwards: most often the last event of all is the one.
const (
	searchFirst = 8
	searchMost  = 4096
)

// last is the last event after a position whose stream is wanted, nil if there is none, and the
// position of the last event of all.
func last(
	ctx context.Context, c *connection, after eventstore.Position, wanted func(name string) bool,
) (found *es.RecordedEvent, top eventstore.Position, err error) {
	s := search{after: after, wanted: wanted}
	err = s.run(func(count uint64) (err error) {
		s, err = s.page(ctx, c, count)
		return err
	})
	return s.found, s.top, err
}

// search goes backwards through the whole log of the server.
type search struct {
	after  eventstore.Position
	wanted func(name string) bool

	found *es.RecordedEvent
	top   eventstore.Position
	next  eventstore.Position // the lowest looked at; zero before the first
	over  bool
}

// run asks for larger and larger pages until the search is over.
func (s *search) run(page func(count uint64) error) error {
	for count := uint64(searchFirst); !s.over; count = min(8*count, searchMost) {
		if err := page(count); err != nil {
			return err
		}
	}
	return nil
}

// page is how far the search is after so many events more.
func (s search) page(ctx context.Context, c *connection, count uint64) (search, error) {
	var from es.AllPosition = es.End{}
	if !s.next.IsZero() {
		from = es.Position{Commit: s.next.Commit, Prepare: s.next.Prepare}
	}
	s, _, err := ask(ctx, c, readMax, func(q *question) (search, error) {
		stream, err := q.client.ReadAll(q, es.ReadAllOptions{Direction: es.Backwards, From: from}, count)
		if err != nil {
			return s, err
		}
		defer stream.Close()
		before := s.next
		err = receive(q, stream, func(e *es.RecordedEvent) error { return s.consider(e) })
		if s.next == before {
			s.over = true // nothing stands lower
		}
		return s, err
	})
	return s, err
}

func (s *search) consider(e *es.RecordedEvent) error {
	p := positionOf(e)
	if !s.next.IsZero() && p.Compare(s.next) >= 0 {
		return nil // the place where the page before ended
	}
	if s.next = p; s.top.IsZero() {
		s.top = p
	}
	switch {
	case p.Compare(s.after) <= 0:
	case s.wanted(e.StreamID):
		s.found = e
	default:
		return nil
	}
	s.over = true
	return errEnough
}

// known is how far the log is known to reach, at least.
type known struct {
	at atomic.Pointer[eventstore.Position]
}

func (k *known) get() eventstore.Position {
	if at := k.at.Load(); at != nil {
		return *at
	}
	return eventstore.Position{}
}

func (k *known) raise(to eventstore.Position) {
	for {
		at := k.at.Load()
		if at != nil && to.Compare(*at) <= 0 || k.at.CompareAndSwap(at, &to) {
			return
		}
	}
}
