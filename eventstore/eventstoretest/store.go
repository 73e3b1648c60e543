package eventstoretest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"rentbook/eventstore"
)

func storePromises() []promise {
	return []promise{
		{"a stream nobody wrote to is empty, not an error", emptyStream},
		{"versions count from one without gaps", versionsCount},
		{"what is read is what was appended, byte for byte", readWhatWasAppended},
		{"all of a batch is recorded or none", allOrNone},
		{"the wrong version is a conflict with both numbers and changes nothing", wrongVersion},
		{"the same events again succeed with the first commit and change nothing", repeats},
		{"of twenty writers at one version exactly one wins", oneWins},
		{"reading after a version starts right behind it", readAfter},
		{"leaving the loop early leaves nothing behind, and a cancelled context ends with its error", leaveEarly},
		{"following sees what was there and what comes, rising strictly, nothing twice", followsOn},
		{"following after a position leaves it out", followAfter},
		{"prefixes filter by the stored name of the stream", prefixes},
		{"ids with dashes survive", dashes},
		{"a thousand events come back complete", thousand},
		{"appending nothing is an error", appendNothing},
		{"of several appends those to different streams stand or fall alone", eachAlone},
		{"of several appends none is attempted behind one that failed on its stream", behindFailed},
		{"several appends to one stream happen in the order given", eachInOrder},
		{"a context that has ended appends nothing", cancelledAppend},
	}
}

func emptyStream(_ *testing.T, s *scene) {
	s.expect(s.stream("nobody"), 0)
	s.expect(s.stream("nobody"), 7)
}

func versionsCount(t *testing.T, s *scene) {
	stream := s.stream("1")
	first, second := s.events(2), s.events(3)
	one := s.append(stream, 0, first...)
	two := s.append(stream, 2, second...)
	s.expect(stream, 0, append(first, second...)...)
	if two.Position.Compare(one.Position) <= 0 {
		t.Errorf("the second commit at %v is not after the first at %v", two.Position, one.Position)
	}
	if events := s.read(stream, 4); events[0].Position != two.Position {
		t.Errorf("the commit says %v, its last event %v", two.Position, events[0].Position)
	}
}

func readWhatWasAppended(_ *testing.T, s *scene) {
	events := s.events(6)
	events[0].Data = []byte(`{}`)
	events[1].Data = []byte("{ \"spaced\" :\t1.50 ,\n \"escaped\":\"\\u00e9\\u0000\" }")
	events[2].Data = append(append([]byte(`"`), bytes.Repeat([]byte("x"), 100_000)...), '"')
	events[3].Metadata = eventstore.Metadata{
		Command: uuid.New(), Correlation: uuid.New(), Causation: uuid.New(),
		Actor:     eventstore.Actor{ID: "a-17", Role: "tenant", OnBehalfOf: "a-18"},
		Authority: "Housing Act 1985 s.102",
	}
	events[4].Metadata.Correlation = uuid.New()
	events[5].Metadata.Causation = uuid.New()
	s.append(s.stream("1"), 0, events...)
	s.expect(s.stream("1"), 0, events...)
}

func allOrNone(t *testing.T, s *scene) {
	stream, first := s.stream("1"), s.events(1)
	s.append(stream, 0, first...)
	if _, err := s.log.Append(s.ctx, stream, 0, s.events(5)...); err == nil {
		t.Error("five events went where one was")
	}
	s.expect(stream, 0, first...)
}

func wrongVersion(t *testing.T, s *scene) {
	stream, events := s.stream("1"), s.events(2)
	s.append(stream, 0, events...)
	for _, want := range []eventstore.Version{0, 1, 3, 9} {
		_, err := s.log.Append(s.ctx, stream, want, s.events(1)...)
		s.conflicts(err, stream, want, 2)
	}
	_, err := s.log.Append(s.ctx, s.stream("none"), 4, s.events(1)...)
	s.conflicts(err, s.stream("none"), 4, 0)
	s.expect(stream, 0, events...)
	s.expect(s.stream("none"), 0)
	if errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("a conflict says that the store is unavailable: %v", err)
	}
}

// conflicts wants a conflict that names the stream and both versions.
func (s *scene) conflicts(err error, stream eventstore.Stream, want, got eventstore.Version) {
	s.Helper()
	conflict, ok := errors.AsType[*eventstore.ConflictError](err)
	if !ok || !errors.Is(err, eventstore.ErrConflict) {
		s.Errorf("append to %s after %d, which is at %d: got error %v, want a conflict", stream, want, got, err)
		return
	}
	if *conflict != (eventstore.ConflictError{Stream: stream, Want: want, Got: got}) {
		s.Errorf("got conflict %+v, want %s at %d wanted at %d", *conflict, stream, got, want)
	}
}

func repeats(t *testing.T, s *scene) {
	stream, events := s.stream("1"), s.events(3)
	first := s.append(stream, 0, events...)
	resealed := slices.Clone(events)
	resealed[1].Data = []byte(`{"sealed":"anew"}`)
	first.Repeated = true
	if again := s.append(stream, 0, resealed...); again != first {
		t.Errorf("a repeat: got %+v, want the first commit %+v", again, first)
	}

	later := s.events(1)
	s.append(stream, 3, later...)
	if again := s.append(stream, 0, events...); again != first {
		t.Errorf("a repeat after others: got %+v, want the first commit %+v", again, first)
	}

	swapped := []eventstore.Proposed{events[1], events[0], events[2]}
	longer := append(slices.Clone(events), s.events(1)...)
	for _, other := range [][]eventstore.Proposed{swapped, longer, s.events(3)} {
		_, err := s.log.Append(s.ctx, stream, 0, other...)
		s.conflicts(err, stream, 0, 4)
	}
	_, err := s.log.Append(s.ctx, stream, 1, events...)
	s.conflicts(err, stream, 1, 4)
	s.expect(stream, 0, append(events, later...)...)
}

func oneWins(t *testing.T, s *scene) {
	const writers = 20
	stream := s.stream("1")
	var wins [writers][]eventstore.Proposed
	var all sync.WaitGroup
	for i := range writers {
		events := s.events(2)
		all.Go(func() {
			_, err := s.log.Append(s.ctx, stream, 0, events...)
			if err == nil {
				wins[i] = events
			} else if !errors.Is(err, eventstore.ErrConflict) {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	all.Wait()
	won := slices.Concat(wins[:]...)
	if len(won) != 2 {
		t.Fatalf("%d of %d writers won, want one", len(won)/2, writers)
	}
	s.expect(stream, 0, won...)
}

func readAfter(_ *testing.T, s *scene) {
	stream, events := s.stream("1"), s.events(5)
	s.append(stream, 0, events...)
	for after := range eventstore.Version(6) {
		s.expect(stream, after, events[after:]...)
	}
	s.expect(stream, 100)
}

func leaveEarly(t *testing.T, s *scene) {
	stream, events := s.stream("1"), s.events(40)
	s.append(stream, 0, events...)
	for range 100 { // more than any pool has
		for _, err := range s.log.Read(s.ctx, stream, 0) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	var got []error
	for _, err := range s.log.Read(ctx, stream, 0) {
		got = append(got, err)
		cancel()
	}
	if len(got) > len(events) || !errors.Is(got[len(got)-1], context.Canceled) {
		t.Errorf("after cancelling, %d steps and last %v, want context.Canceled", len(got), got[len(got)-1])
	}
	s.expect(stream, 0, events...)
}

func dashes(_ *testing.T, s *scene) {
	events := s.events(3)
	for i, id := range []string{"T-1001-b", "-", "a.b_c~d-2026-04-01:r1"} {
		s.append(s.stream(id), 0, events[i])
		s.expect(s.stream(id), 0, events[i])
	}
}

func thousand(_ *testing.T, s *scene) {
	stream, events := s.stream("1"), s.events(1200)
	for i := 0; i < len(events); i += 400 {
		s.append(stream, eventstore.Version(i), events[i:i+400]...)
	}
	s.expect(stream, 0, events...)
	s.expect(stream, 1150, events[1150:]...)
}

func appendNothing(t *testing.T, s *scene) {
	if _, err := s.log.Append(s.ctx, s.stream("1"), 0); !errors.Is(err, eventstore.ErrEmpty) {
		t.Errorf("append nothing: got %v, want %v", err, eventstore.ErrEmpty)
	}
	if outcomes := s.log.AppendEach(s.ctx, nil); len(outcomes) != 0 {
		t.Errorf("no appends have %d outcomes", len(outcomes))
	}
}

func eachAlone(t *testing.T, s *scene) {
	a, b, c := s.stream("a"), s.stream("b"), s.stream("c")
	repeated, empty := s.stream("repeated"), s.stream("empty")
	known, events := s.events(2), s.events(2)
	first := s.append(repeated, 0, known...)
	first.Repeated = true
	s.append(a, 0, s.events(1)...)

	got := s.log.AppendEach(s.ctx, []eventstore.Append{
		{Stream: b, After: 0, Events: events[:1]},
		{Stream: a, After: 5, Events: s.events(1)},
		{Stream: repeated, After: 0, Events: known},
		{Stream: empty, After: 2},
		{Stream: c, After: 0, Events: events[1:]},
	})
	if len(got) != 5 {
		t.Fatalf("five appends have %d outcomes", len(got))
	}
	s.conflicts(got[1].Err, a, 5, 1)
	if got[2].Err != nil || got[2].Commit != first {
		t.Errorf("a repeat among others: got %+v, want the first commit %+v", got[2], first)
	}
	if !errors.Is(got[3].Err, eventstore.ErrEmpty) {
		t.Errorf("nothing among others: got %v, want %v", got[3].Err, eventstore.ErrEmpty)
	}
	if got[0].Err != nil || got[4].Err != nil {
		t.Errorf("good appends among bad ones: %v and %v", got[0].Err, got[4].Err)
	}
	s.expect(repeated, 0, known...)
	s.expect(b, 0, events[0])
	s.expect(c, 0, events[1])
}

// behindFailed is the case of a stream that somebody else extended by exactly one event: what was
// decided on the append that lost would fit by its version.
func behindFailed(t *testing.T, s *scene) {
	stream := s.stream("1")
	theirs := s.append(stream, 0, s.events(1)...)
	got := s.log.AppendEach(s.ctx, []eventstore.Append{
		{Stream: stream, After: 0, Events: s.events(1)},
		{Stream: stream, After: theirs.Version, Events: s.events(1)},
	})
	for i, outcome := range got {
		if !errors.Is(outcome.Err, eventstore.ErrConflict) {
			t.Errorf("append %d: got %v, want %v", i, outcome.Err, eventstore.ErrConflict)
		}
	}
	if head := s.append(stream, theirs.Version, s.events(1)...); head.Version != 2 {
		t.Errorf("the stream went on at version %d", head.Version)
	}
}

func eachInOrder(t *testing.T, s *scene) {
	stream, events := s.stream("1"), s.events(300)
	appends := make([]eventstore.Append, 0, 2*len(events))
	for i := range events {
		appends = append(appends,
			eventstore.Append{Stream: stream, After: eventstore.Version(i), Events: events[i : i+1]},
			eventstore.Append{Stream: s.stream("other"), After: eventstore.Version(i), Events: s.events(1)})
	}
	for i, outcome := range s.log.AppendEach(s.ctx, appends) {
		if want := eventstore.Version(i/2 + 1); outcome.Err != nil || outcome.Commit.Version != want {
			t.Fatalf("append %d: got %+v, want version %d", i, outcome, want)
		}
	}
	s.expect(stream, 0, events...)
}

func cancelledAppend(t *testing.T, s *scene) {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if _, err := s.log.Append(ctx, s.stream("1"), 0, s.events(1)...); !errors.Is(err, context.Canceled) {
		t.Errorf("append with a cancelled context: got %v, want %v", err, context.Canceled)
	}
	s.expect(s.stream("1"), 0)
}
