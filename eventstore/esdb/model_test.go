package esdb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/esdb/esdbtest"
)

// model is a log in memory: what the real one must agree with, whatever goes wrong on the way.
type model struct {
	server   *esdbtest.Server
	log      *esdb.Log
	category string
	start    eventstore.Position
	order    []uuid.UUID
	streams  map[eventstore.Stream][]uuid.UUID
}

// append answers whether the events are recorded, and whether they were before; nothing for a
// conflict.
func (m *model) append(s eventstore.Stream, after int, ids []uuid.UUID) (recorded, repeated bool) {
	have := m.streams[s]
	end := after + len(ids)
	switch {
	case after == len(have):
		m.streams[s] = append(have, ids...)
		m.order = append(m.order, ids...)
		return true, false
	case end > len(have) || !slices.Equal(have[after:end], ids):
		return false, false
	}
	return true, true
}

// choose takes a stream, a version near its end, and events that are new or were there before.
func (m *model) choose(t *rapid.T) eventstore.Append {
	s := eventstore.NewStream(m.category, fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "stream")))
	have := m.streams[s]
	after := rapid.IntRange(max(0, len(have)-3), len(have)+1).Draw(t, "after")
	if rapid.IntRange(0, 2).Draw(t, "fits") > 0 {
		after = len(have)
	}
	events := proposed(rapid.IntRange(1, 3).Draw(t, "events"))
	if rapid.Bool().Draw(t, "again") {
		for i := range events {
			if after+i < len(have) {
				events[i].ID = have[after+i]
			}
		}
	}
	return eventstore.Append{Stream: s, After: eventstore.Version(after), Events: events}
}

// agree tells whether the append was recorded now.
func (m *model) agree(t *rapid.T, a eventstore.Append, got eventstore.Outcome) bool {
	ids := make([]uuid.UUID, len(a.Events))
	for i := range ids {
		ids[i] = a.Events[i].ID
	}
	length := len(m.streams[a.Stream])
	recorded, repeated := m.append(a.Stream, int(a.After), ids)
	if recorded {
		version := a.After + eventstore.Version(len(ids))
		if got.Err != nil || got.Commit.Version != version || got.Commit.Repeated != repeated {
			t.Fatalf("%s after %d: got %+v, want version %d, repeated %t", a.Stream, a.After, got, version, repeated)
		}
		return !repeated
	}
	conflict, ok := errors.AsType[*eventstore.ConflictError](got.Err)
	if !ok || conflict.Got != eventstore.Version(length) {
		t.Fatalf("%s after %d: got %+v, want a conflict at %d", a.Stream, a.After, got, length)
	}
	return false
}

func (m *model) appendSeveral(ctx context.Context, t *rapid.T) {
	appends := []eventstore.Append{m.choose(t), m.choose(t), m.choose(t)}
	failed := map[eventstore.Stream]bool{}
	for i, outcome := range m.log.AppendEach(ctx, appends) {
		s := appends[i].Stream
		if !failed[s] {
			failed[s] = !m.agree(t, appends[i], outcome)
		} else if !errors.Is(outcome.Err, eventstore.ErrConflict) {
			t.Fatalf("%s behind one that did not write: got %+v, want a conflict", s, outcome)
		}
	}
}

// disturb makes something go wrong once, of what does not take long.
func (m *model) disturb(t *rapid.T) {
	appends := []esdbtest.Kind{
		esdbtest.Cut, esdbtest.Unavailable, esdbtest.TimedOut, esdbtest.TimedOutCommitted, esdbtest.LoseReply, esdbtest.Gap,
	}
	reads := []esdbtest.Kind{esdbtest.Cut, esdbtest.Unavailable, esdbtest.TimedOut, esdbtest.Control}
	subscriptions := append(slices.Clone(reads), esdbtest.SlowConsumer, esdbtest.Twice, esdbtest.Again,
		esdbtest.CheckpointPrepareZero, esdbtest.CheckpointLower, esdbtest.CheckpointExtra)
	f := esdbtest.Fault{Times: 1, N: rapid.IntRange(1, 5).Draw(t, "n"), Skip: rapid.IntRange(0, 2).Draw(t, "skip")}
	switch rapid.IntRange(0, 2).Draw(t, "on") {
	case 0:
		f.On, f.Kind = esdbtest.Append, rapid.SampledFrom(appends).Draw(t, "kind")
	case 1:
		f.On, f.Kind = esdbtest.Read, rapid.SampledFrom(reads).Draw(t, "kind")
	case 2:
		f.On, f.Kind = esdbtest.Subscribe, rapid.SampledFrom(subscriptions).Draw(t, "kind")
	}
	f.After = rapid.IntRange(0, 5).Draw(t, "after")
	m.server.Inject(f)
}

// check reads and follows all there is. The positions of what is read and what is followed agree.
func (m *model) check(ctx context.Context, t *rapid.T) {
	at := map[uuid.UUID]eventstore.Position{}
	for s, want := range m.streams {
		var got []uuid.UUID
		for e, err := range m.log.Read(ctx, s, 0) {
			if err != nil {
				t.Fatalf("read %s: %v", s, err)
			}
			got = append(got, e.ID)
			at[e.ID] = e.Position
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s: got %v, want %v", s, got, want)
		}
	}
	if len(m.order) == 0 {
		return
	}
	// Appends to several streams at once come in any order.
	slices.SortFunc(m.order, func(a, b uuid.UUID) int { return at[a].Compare(at[b]) })
	head, err := m.log.Head(ctx)
	if last := m.order[len(m.order)-1]; err != nil || head != at[last] {
		t.Fatalf("head: got %v, %v, want %v", head, err, at[last])
	}
	var followed []uuid.UUID
	for e, err := range m.log.Follow(ctx, m.start, m.category+"-") {
		if err != nil || e.Position != at[e.ID] {
			t.Fatalf("follow: %v at %v, %v", e.ID, e.Position, err)
		}
		if followed = append(followed, e.ID); len(followed) == len(m.order) {
			break
		}
	}
	if !slices.Equal(followed, m.order) {
		t.Fatalf("followed %v, want %v", followed, m.order)
	}
}

// The server stays from one sequence to the next, each of which has streams of its own. Several
// servers, because most of the time is spent waiting for the next attempt.
func TestLog_AgreesWithAModel(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			agreesWithAModel(t)
		})
	}
}

func agreesWithAModel(t *testing.T) {
	t.Helper()
	server := esdbtest.Start(t, esdbtest.Options{Nodes: 3, StatsEvery: 7})
	log := open(t, server.ConnectionString(), esdb.Options{Patience: time.Minute})
	rapid.Check(t, func(rt *rapid.T) {
		start, err := log.Head(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		m := &model{
			server: server, log: log, category: fmt.Sprint("model", start.Commit), start: start,
			streams: map[eventstore.Stream][]uuid.UUID{},
		}
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				a := m.choose(rt)
				commit, err := m.log.Append(t.Context(), a.Stream, a.After, a.Events...)
				m.agree(rt, a, eventstore.Outcome{Commit: commit, Err: err})
			},
			"append several": func(rt *rapid.T) { m.appendSeveral(t.Context(), rt) },
			"disturb":        m.disturb,
			"lose a node": func(rt *rapid.T) {
				if rapid.IntRange(0, 3).Draw(rt, "lose") > 0 {
					return
				}
				node := rapid.IntRange(0, 2).Draw(rt, "node")
				server.StopNode(node)
				if err := server.ResumeNode(node); err != nil {
					rt.Fatal(err)
				}
			},
			"check": func(rt *rapid.T) { m.check(t.Context(), rt) },
		})
		m.check(t.Context(), rt)
	})
}
