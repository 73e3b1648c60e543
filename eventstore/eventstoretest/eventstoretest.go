// Package eventstoretest holds the promises of the log as tests. Each promise is a numbered
// sentence; an implementation of eventstore is what passes them all.
//
// Every test writes to streams of a category nobody else uses and follows only those, so the suite
// runs on a server that is in use as well as on an empty file.
//
// The one rule: nothing here knows an implementation, and no promise has an exception.
package eventstoretest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"rentbook/eventstore"
)

// patience bounds each test: a promise that takes this long is broken.
const patience = time.Minute

// Log is a log that can be read, extended and followed.
type Log interface {
	eventstore.Store
	eventstore.Log
}

// Test holds a log to its promises. It calls open once for each; what it opens, the test's cleanup
// closes.
func Test(t *testing.T, open func(testing.TB) Log) {
	t.Helper()
	for i, p := range append(storePromises(), logPromises()...) {
		t.Run(fmt.Sprintf("%d %s", i+1, p.says), func(t *testing.T) {
			t.Parallel()
			p.test(t, newScene(t, open(t)))
		})
	}
}

// TestReopen holds a log to what remains of it when it is closed and opened again. Each call of
// reopen closes the log it gave before and opens the same one.
func TestReopen(t *testing.T, reopen func(testing.TB) Log) {
	t.Helper()
	s := newScene(t, reopen(t))
	stream, events := s.stream("1"), s.events(3)
	commit := s.append(stream, 0, events...)
	head := s.head()

	s.log = reopen(t)

	s.expect(stream, 0, events...)
	if got := s.head(); got.Compare(head) < 0 {
		t.Errorf("the head went back: got %v, want %v or later", got, head)
	}
	commit.Repeated = true
	if again := s.append(stream, 0, events...); again != commit {
		t.Errorf("a repeat after reopening: got %+v, want the first commit %+v", again, commit)
	}
	s.append(stream, 3, s.events(1)...)
}

type promise struct {
	says string
	test func(*testing.T, *scene)
}

// scene is one test's own part of a log.
type scene struct {
	*testing.T

	ctx      context.Context
	log      Log
	category string
}

func newScene(t *testing.T, log Log) *scene {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &scene{t, ctx, log, "suite" + strings.ReplaceAll(uuid.NewString(), "-", "")}
}

func (s *scene) stream(id string) eventstore.Stream { return eventstore.NewStream(s.category, id) }

// prefix is that of all streams of the scene.
func (s *scene) prefix() string { return s.category + "-" }

// events are n events of one command, no two alike.
func (s *scene) events(n int) []eventstore.Proposed {
	command := uuid.New()
	events := make([]eventstore.Proposed, n)
	for i := range events {
		events[i] = eventstore.Proposed{
			ID:   uuid.New(),
			Type: "suite.thing-happened.v" + strconv.Itoa(i%3+1),
			Data: fmt.Appendf(nil, `{"n":%d,"text":"Zoë — 家賃"}`, i),
			Metadata: eventstore.Metadata{
				Command:     command,
				Correlation: command,
				Causation:   command,
				Actor:       eventstore.Actor{ID: "cli", Role: "manager"},
			},
		}
	}
	return events
}

// append must succeed, and end at the version its events lead to.
func (s *scene) append(stream eventstore.Stream, after eventstore.Version, events ...eventstore.Proposed,
) eventstore.Commit {
	s.Helper()
	commit, err := s.log.Append(s.ctx, stream, after, events...)
	if err != nil {
		s.Fatalf("append %d events to %s after %d: %v", len(events), stream, after, err)
	}
	if want := after + eventstore.Version(len(events)); commit.Version != want {
		s.Fatalf("append to %s: committed at version %d, want %d", stream, commit.Version, want)
	}
	return commit
}

func (s *scene) read(stream eventstore.Stream, after eventstore.Version) []eventstore.Recorded {
	s.Helper()
	var events []eventstore.Recorded
	for event, err := range s.log.Read(s.ctx, stream, after) {
		if err != nil {
			s.Fatalf("read %s after %d: %v", stream, after, err)
		}
		events = append(events, event)
	}
	return events
}

func (s *scene) head() eventstore.Position {
	s.Helper()
	head, err := s.log.Head(s.ctx)
	if err != nil {
		s.Fatalf("head: %v", err)
	}
	return head
}

// follow takes n events of the scene after a position.
func (s *scene) follow(n int, after eventstore.Position, prefixes ...string) []eventstore.Recorded {
	s.Helper()
	var events []eventstore.Recorded
	for event, err := range s.log.Follow(s.ctx, after, prefixes...) {
		if err != nil {
			s.Fatalf("follow after %v, got %d of %d: %v", after, len(events), n, err)
		}
		if events = append(events, event); len(events) == n {
			break
		}
	}
	return events
}

// expect reads a stream and wants exactly these events, with the versions that follow.
func (s *scene) expect(stream eventstore.Stream, after eventstore.Version, want ...eventstore.Proposed) {
	s.Helper()
	got := s.read(stream, after)
	if len(got) != len(want) {
		s.Fatalf("%s after %d has %d events, want %d", stream, after, len(got), len(want))
	}
	for i, event := range got {
		s.same(event, want[i])
		if v := after + eventstore.Version(i) + 1; event.Version != v || event.Stream != stream {
			s.Errorf("event %d is %s version %d, want %s version %d", i, event.Stream, event.Version, stream, v)
		}
	}
	s.rising(got)
}

// same compares what was recorded with what was proposed, byte for byte.
func (s *scene) same(got eventstore.Recorded, want eventstore.Proposed) {
	s.Helper()
	if got.ID != want.ID || got.Type != want.Type || string(got.Data) != string(want.Data) {
		s.Errorf("%s version %d: got %s %s %q, want %s %s %q", got.Stream, got.Version,
			got.ID, got.Type, got.Data, want.ID, want.Type, want.Data)
	}
	if got.Metadata != want.Metadata {
		s.Errorf("%s version %d: metadata\n got %+v\nwant %+v", got.Stream, got.Version, got.Metadata, want.Metadata)
	}
	if got.At.IsZero() || got.At.Location() != time.UTC {
		s.Errorf("%s version %d: recorded at %v, want a time in UTC", got.Stream, got.Version, got.At)
	}
}

// rising wants positions that rise strictly.
func (s *scene) rising(events []eventstore.Recorded) {
	s.Helper()
	var last eventstore.Position
	for _, event := range events {
		if event.Position.Compare(last) <= 0 {
			s.Errorf("%s version %d at %v stands after %v", event.Stream, event.Version, event.Position, last)
		}
		last = event.Position
	}
}
