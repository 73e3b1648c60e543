package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
)

// model is a log in memory: what the real one must agree with.
type model struct {
	log      *sqlite.Log
	category string
	head     uint64
	streams  map[eventstore.Stream][]uuid.UUID
	at       map[uuid.UUID]eventstore.Position
}

func newModel(t *testing.T, log *sqlite.Log) *model {
	t.Helper()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &model{
		log:      log,
		category: fmt.Sprint("model", head.Commit),
		head:     head.Commit,
		streams:  map[eventstore.Stream][]uuid.UUID{},
		at:       map[uuid.UUID]eventstore.Position{},
	}
}

// append answers the commit, or nil for a conflict.
func (m *model) append(s eventstore.Stream, after int, ids []uuid.UUID) *eventstore.Commit {
	have := m.streams[s]
	end := after + len(ids)
	switch {
	case after == len(have):
		for _, id := range ids {
			m.head++
			m.at[id] = eventstore.PositionAt(m.head)
		}
		m.streams[s] = append(have, ids...)
	case end > len(have) || fmt.Sprint(have[after:end]) != fmt.Sprint(ids):
		return nil
	}
	return &eventstore.Commit{Version: eventstore.Version(end), Position: m.at[ids[len(ids)-1]]}
}

// choose takes a stream, a version near its end, and events that are new or were there before.
func (m *model) choose(t *rapid.T) eventstore.Append {
	s := eventstore.NewStream(m.category, fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "stream")))
	have := m.streams[s]
	after := rapid.IntRange(max(0, len(have)-3), len(have)+1).Draw(t, "after")
	events := make([]eventstore.Proposed, rapid.IntRange(1, 3).Draw(t, "events"))
	again := rapid.Bool().Draw(t, "again")
	for i := range events {
		if events[i] = proposed(); again && after+i < len(have) {
			events[i].ID = have[after+i]
		}
	}
	return eventstore.Append{Stream: s, After: eventstore.Version(after), Events: events}
}

// agree tells whether the append was recorded.
func (m *model) agree(t *rapid.T, a eventstore.Append, got eventstore.Outcome) bool {
	ids := make([]uuid.UUID, len(a.Events))
	for i := range ids {
		ids[i] = a.Events[i].ID
	}
	length := len(m.streams[a.Stream])
	want := m.append(a.Stream, int(a.After), ids)
	repeated := got.Commit.Repeated
	got.Commit.Repeated = false
	if want != nil && repeated != (len(m.streams[a.Stream]) == length) {
		t.Fatalf("%s after %d: repeated is %t", a.Stream, a.After, repeated)
	}
	if want != nil && (got.Err != nil || got.Commit != *want) {
		t.Fatalf("%s after %d: got %+v, want %+v", a.Stream, a.After, got, *want)
	}
	conflict, ok := errors.AsType[*eventstore.ConflictError](got.Err)
	if want == nil && (!ok || conflict.Got != eventstore.Version(length)) {
		t.Fatalf("%s after %d: got %+v, want a conflict at %d", a.Stream, a.After, got, length)
	}
	return want != nil && !repeated
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

func (m *model) check(ctx context.Context, t *rapid.T) {
	for s, want := range m.streams {
		var got []uuid.UUID
		for e, err := range m.log.Read(ctx, s, 0) {
			if err != nil || e.Position != m.at[e.ID] {
				t.Fatalf("read %s: %v at %v, %v", s, e.ID, e.Position, err)
			}
			got = append(got, e.ID)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s: got %v, want %v", s, got, want)
		}
	}
	head, err := m.log.Head(ctx)
	if err != nil || head != eventstore.PositionAt(m.head) {
		t.Fatalf("head: got %v, %v, want %d", head, err, m.head)
	}
}

// Both handles stay open from one sequence to the next, each of which has streams of its own: it is
// the appending that is tried here, and making files takes longer.
func TestLog_AgreesWithAModel(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handle := func() *sqlite.Log { return open(t, dir, sqlite.Options{}) }
	here, there := handle(), handle()
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(t, here)
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				a := m.choose(rt)
				commit, err := m.log.Append(t.Context(), a.Stream, a.After, a.Events...)
				m.agree(rt, a, eventstore.Outcome{Commit: commit, Err: err})
			},
			"append several": func(rt *rapid.T) { m.appendSeveral(t.Context(), rt) },
			"change process": func(*rapid.T) {
				here, there = there, here
				m.log = here
			},
			"reopen": func(rt *rapid.T) {
				if rapid.IntRange(0, 9).Draw(rt, "reopen") > 0 {
					return
				}
				if err := here.Close(); err != nil {
					rt.Fatal(err)
				}
				here = handle()
				m.log = here
			},
			"": func(rt *rapid.T) { m.check(t.Context(), rt) },
		})
	})
}
