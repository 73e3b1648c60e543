package eventstoretest

import (
	"context"
	"errors"
	"testing"

	"rentbook/eventstore"
)

func logPromises() []promise {
	return []promise{
		{"the head is where the last event stands", headStands},
		{"following ends with the error of its context", followEnds},
		{"reading up to a position ends with it", readsTo},
	}
}

func followsOn(t *testing.T, s *scene) {
	start := s.head()
	a, b := s.stream("a"), s.stream("b")
	before, after := s.events(3), s.events(4)
	s.append(a, 0, before[0])
	s.append(b, 0, before[1])
	s.append(a, 1, before[2])

	seen := make(chan []eventstore.Recorded, 1)
	caughtUp := make(chan struct{})
	go func() {
		defer close(seen)
		var events []eventstore.Recorded
		for event, err := range s.log.Follow(s.ctx, start, s.prefix()) {
			if err != nil {
				t.Errorf("follow: %v", err)
				return
			}
			events = append(events, event)
			if len(events) == len(before) {
				close(caughtUp)
			}
			if len(events) == len(before)+len(after) {
				seen <- events
				return
			}
		}
	}()

	s.await(caughtUp)
	s.append(b, 1, after[0])
	s.append(a, 2, after[1], after[2])
	s.append(b, 2, after[3])
	events := <-seen
	if len(events) == 0 {
		t.Fatal("the follower saw too little")
	}
	for i, want := range append(before, after...) {
		s.same(events[i], want)
	}
	s.rising(events)
}

func (s *scene) await(done <-chan struct{}) {
	s.Helper()
	select {
	case <-done:
	case <-s.ctx.Done():
		s.Fatal("nothing happened for too long")
	}
}

func followAfter(t *testing.T, s *scene) {
	start := s.head()
	s.append(s.stream("1"), 0, s.events(6)...)
	all := s.follow(6, start, s.prefix())
	for i := range 5 {
		if next := s.follow(1, all[i].Position, s.prefix()); next[0].ID != all[i+1].ID {
			t.Errorf("after %v comes version %d, want %d", all[i].Position, next[0].Version, all[i+1].Version)
		}
	}
}

func prefixes(t *testing.T, s *scene) {
	start := s.head()
	kinds := []string{s.category + "x-1", s.category + "-1", s.category + "y-1", s.category + "-2"}
	for round := range 3 {
		for _, name := range kinds {
			s.append(eventstore.Stream(name), eventstore.Version(round), s.events(1)...)
		}
	}
	for _, c := range []struct {
		prefixes []string
		want     int
	}{
		{[]string{s.category + "-"}, 6},
		{[]string{s.category + "x-"}, 3},
		{[]string{s.category + "x-", s.category + "y-"}, 6},
		{[]string{s.category + "-2", s.category + "-"}, 6},
		{[]string{s.category}, 12},
	} {
		if got := s.upToNow(start, c.prefixes); len(got) != c.want {
			t.Errorf("%d events have one of the prefixes %q, want %d", len(got), c.prefixes, c.want)
		}
	}
}

// upToNow follows until an event appended for the purpose, so that nothing more can be missed.
func (s *scene) upToNow(start eventstore.Position, prefixes []string) []eventstore.Recorded {
	s.Helper()
	last := s.stream("last" + s.events(1)[0].ID.String())
	s.append(last, 0, s.events(1)...)
	var events []eventstore.Recorded
	for event, err := range s.log.Follow(s.ctx, start, append(prefixes, string(last))...) {
		if err != nil {
			s.Fatalf("follow %q: %v", prefixes, err)
		}
		if event.Stream == last {
			break
		}
		if event.Stream.ID() == "1" || event.Stream.ID() == "2" {
			events = append(events, event)
		}
	}
	return events
}

func headStands(t *testing.T, s *scene) {
	before := s.head()
	commit := s.append(s.stream("1"), 0, s.events(3)...)
	head := s.head()
	if head.Compare(commit.Position) < 0 || head.Compare(before) <= 0 {
		t.Errorf("the head is %v after a commit at %v, and was %v before", head, commit.Position, before)
	}
	if event := s.follow(3, before, s.prefix())[2]; event.Position != commit.Position {
		t.Errorf("the last event stands at %v, its commit at %v", event.Position, commit.Position)
	}
}

func followEnds(t *testing.T, s *scene) {
	start := s.head()
	s.append(s.stream("1"), 0, s.events(1)...)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	var last error
	steps := 0
	for _, err := range s.log.Follow(ctx, start, s.prefix()) {
		steps++
		last = err
		cancel()
	}
	if steps != 2 || !errors.Is(last, context.Canceled) {
		t.Errorf("after cancelling, %d steps and last %v, want one event and context.Canceled", steps, last)
	}
}

func readsTo(t *testing.T, s *scene) {
	start := s.head()
	commit := s.append(s.stream("1"), 0, s.events(5)...)
	s.append(s.stream("1"), 5, s.events(1)...)
	var own []eventstore.Recorded
	for event, err := range eventstore.ReadTo(s.ctx, s.log, start, commit.Position) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Stream == s.stream("1") {
			own = append(own, event)
		}
	}
	if len(own) != 5 {
		t.Errorf("up to %v there are %d events, want 5", commit.Position, len(own))
	}
}
