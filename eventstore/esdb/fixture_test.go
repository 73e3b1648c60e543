package esdb_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/esdb/esdbtest"
)

// recoveryMax is what a caller waits at most once the server is back, whatever went wrong.
const recoveryMax = 10 * time.Second

// ledger is a log on a double, and what the log acknowledged. At the end both must agree: nothing is
// lost, doubled or invented, and a follower that was there all the time saw everything once and in
// order.
type ledger struct {
	*testing.T

	ctx    context.Context
	server *esdbtest.Server
	log    *esdb.Log

	mu    sync.Mutex
	acked map[eventstore.Stream][]uuid.UUID

	seen chan []eventstore.Recorded
}

const ledgerMax = 50 * time.Second

func newLedger(t *testing.T, o esdbtest.Options, more string) *ledger {
	t.Helper()
	server := esdbtest.Start(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), ledgerMax)
	t.Cleanup(cancel)
	l := &ledger{
		T: t, ctx: ctx, server: server, log: open(t, server.ConnectionString()+more, esdb.Options{}),
		acked: map[eventstore.Stream][]uuid.UUID{}, seen: make(chan []eventstore.Recorded, 1),
	}
	go l.follow()
	return l
}

// lastStream ends the follower of a ledger.
const lastStream = eventstore.Stream("last-event")

func (l *ledger) follow() {
	var seen []eventstore.Recorded
	for r, err := range l.log.Follow(l.ctx, eventstore.Position{}) {
		if err != nil {
			l.Errorf("follow, after %d events: %v", len(seen), err)
			break
		}
		if seen = append(seen, r); r.Stream == lastStream {
			break
		}
	}
	l.seen <- seen
}

// proposed are n events of one command.
func proposed(n int) []eventstore.Proposed {
	command := uuid.New()
	events := make([]eventstore.Proposed, n)
	for i := range events {
		events[i] = eventstore.Proposed{
			ID: uuid.New(), Type: "rent.charge-raised.v1", Data: fmt.Appendf(nil, `{"n":%d,"amount":"450.00"}`, i),
			Metadata: eventstore.Metadata{
				Command: command, Correlation: command, Causation: command,
				Actor: eventstore.Actor{ID: "cli", Role: "manager"},
			},
		}
	}
	return events
}

// write appends to a stream behind what was acknowledged, again and again until that succeeds, and
// says how long it took and what the first attempt said.
func (l *ledger) write(s eventstore.Stream, n int) (took time.Duration, first error) {
	l.Helper()
	l.mu.Lock()
	after := eventstore.Version(len(l.acked[s]))
	l.mu.Unlock()
	events := proposed(n)
	began := time.Now()
	for attempt := 0; ; attempt++ {
		commit, err := l.log.Append(l.ctx, s, after, events...)
		if attempt == 0 {
			first = err
		}
		switch {
		case err == nil:
			if want := after + eventstore.Version(n); commit.Version != want {
				l.Errorf("append to %s: at version %d, want %d", s, commit.Version, want)
			}
			l.mu.Lock()
			for _, e := range events {
				l.acked[s] = append(l.acked[s], e.ID)
			}
			l.mu.Unlock()
			return time.Since(began), first
		case l.ctx.Err() == nil && (errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, eventstore.ErrUnknownOutcome)):
			continue
		default:
			l.Errorf("append to %s after %d: %v", s, after, err)
			return time.Since(began), first
		}
	}
}

// mustWrite is a write that succeeds at once, in the eyes of its caller.
func (l *ledger) mustWrite(s eventstore.Stream, n int) {
	l.Helper()
	took, err := l.write(s, n)
	if err != nil || took > recoveryMax {
		l.Errorf("append to %s: took %v, first error %v", s, took, err)
	}
}

// audit compares the server with what was acknowledged, and with what the follower saw.
func (l *ledger) audit() {
	l.Helper()
	l.mustWrite(lastStream, 1)
	stored := map[eventstore.Stream][]uuid.UUID{}
	var order []uuid.UUID
	for _, e := range l.server.Events() {
		stored[eventstore.Stream(e.Stream)] = append(stored[eventstore.Stream(e.Stream)], e.ID)
		order = append(order, e.ID)
	}
	if diff := cmp.Diff(l.acked, stored); diff != "" {
		l.Errorf("acknowledged and stored (-acknowledged +stored):\n%s", diff)
	}
	var followed []uuid.UUID
	var last eventstore.Position
	for _, r := range <-l.seen {
		if r.Position.Compare(last) <= 0 {
			l.Errorf("%v comes after %v", r.Position, last)
		}
		last = r.Position
		followed = append(followed, r.ID)
	}
	if diff := cmp.Diff(order, followed); diff != "" {
		l.Errorf("stored and followed (-stored +followed):\n%s", diff)
	}
	if n := l.log.Health().Abandoned; n > 0 {
		l.Errorf("%d calls of the client hang", n)
	}
}

// direct is a client of its own, to do what the log never does.
func direct(t *testing.T, server *esdbtest.Server) *client.Client {
	t.Helper()
	config, err := client.ParseConnectionString(server.ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = client.NoopLogging()
	c, err := client.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
