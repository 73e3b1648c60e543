package projections

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/prometheus/client_golang/prometheus"

	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
)

func TestOpen_refusesViewsOfAnotherLog(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.charges("T1", 0, 3)
	v := s.open()
	s.catchUp(v)
	_, err := Open(t.Context(), Config{Database: s.database(), Log: s.log, Codec: s.codec, LogID: "another"})
	if !errors.Is(err, eventstore.ErrForeign) || !strings.Contains(err.Error(), "do away with the views") {
		t.Errorf("another log: got %v", err)
	}
	younger, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	s.must(err)
	defer func() { s.must(younger.Close()) }()
	_, err = Open(t.Context(), Config{Database: s.database(), Log: younger, Codec: s.codec, LogID: "log"})
	if err == nil || !strings.Contains(err.Error(), "the log is older than its views") {
		t.Errorf("a log put back from yesterday: got %v", err)
	}
	if on() != "sqlite" {
		return
	}
	info, err := os.Stat(filepath.Join(s.dir, "views.db"))
	s.must(err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("views.db has mode %o", info.Mode().Perm())
	}
}

func TestViews_WaitFor_endsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := v.WaitFor(ctx, eventstore.PositionAt(1)); !errors.Is(err, ErrBehind) {
		t.Errorf("got %v, want ErrBehind", err)
	}
}

func TestViews_metrics(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.charges("T1", 0, 3)
	registry := prometheus.NewPedanticRegistry()
	v, err := Open(t.Context(), Config{Database: s.database(), Log: s.log, Codec: s.codec, LogID: "log", Metrics: registry})
	s.must(err)
	defer func() { s.must(v.Close()) }()
	families, err := registry.Gather()
	s.must(err)
	if len(families) != 2 || families[0].GetMetric()[0].GetGauge().GetValue() != 3 {
		t.Errorf("got %v", families)
	}
}

// recorder is a feed that a test answers for.
type recorder struct {
	at int64
}

func (r *recorder) name() string                            { return "recorder" }
func (r *recorder) start(context.Context) (int64, error)    { return r.at, nil }
func (r *recorder) handle(_ context.Context, _ batch) error { return nil }
func (r *recorder) done() bool                              { return false }

// Watermill's contract: one message at a time, in order, none before the last is acknowledged; what
// is not comes again; the channel closes when the context ends or the subscriber is closed.
func TestSubscriber(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.charges("T1", 0, 1200)
	v := s.open()
	feed := &recorder{}
	subscriber := v.subscriber(feed)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	messages, err := subscriber.Subscribe(ctx, "topic")
	s.must(err)
	for n := 0; feed.at < 1200; n++ {
		m := <-messages
		b := m.Context().Value(batchKey{}).(batch)
		if b.after != feed.at || len(b.events) == 0 || len(b.events) > batchEvents || number(b.events[0].Position) != feed.at+1 {
			t.Fatalf("message %d: after %d with %d events, want after %d", n, b.after, len(b.events), feed.at)
		}
		select {
		case early := <-messages:
			t.Fatalf("a message before the last was acknowledged: %v", early)
		default:
		}
		if n%3 == 1 {
			m.Nack()
			continue // the same comes again
		}
		feed.at = b.last()
		acknowledge(t, m)
	}
	given[rent.Event](s, account("T1"), opened("2026-01-01"))
	m := <-messages
	if b := m.Context().Value(batchKey{}).(batch); len(b.events) != 1 {
		t.Errorf("what came later: got %d events", len(b.events))
	}
	s.must(subscriber.Close())
	if _, open := <-messages; open {
		t.Error("the channel is open after Close")
	}
	<-m.Context().Done()
}

func acknowledge(t *testing.T, m *message.Message) {
	t.Helper()
	if !m.Ack() {
		t.Fatal("it had been refused already")
	}
}
