package esdbtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore/esdb/esdbtest"
)

func prefix(prefixes ...string) *esdb.SubscriptionFilter {
	return &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: prefixes}
}

// only keeps what tells of streams, or of what is named.
func only(all []string, keep ...string) string {
	all = slices.DeleteFunc(slices.Clone(all), func(s string) bool {
		return !slices.Contains(keep, s) && (!strings.Contains(s, "@") || strings.HasPrefix(s, "$"))
	})
	return strings.Join(all, " ")
}

func TestSubscribeToAll(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	at := f.append("a", esdb.NoStream{}, event(1))
	f.append("a", esdb.Revision(0), events(2)...)

	whole := f.subscribeAll(esdb.SubscribeToAllOptions{From: esdb.Start{}})
	mustEqual(t, "from the start", only(f.hear(whole, "caught up"), "checkpoint"), "a@0 a@1 a@2")
	after := f.subscribeAll(esdb.SubscribeToAllOptions{From: esdb.Position{Commit: at.CommitPosition, Prepare: at.PreparePosition}})
	mustEqual(t, "after the first", only(f.hear(after, "caught up")), "a@1 a@2")
	live := f.subscribeAll(esdb.SubscribeToAllOptions{})
	mustEqual(t, "from the end", only(f.hear(live, "caught up"), "checkpoint"), "")

	f.append("b", esdb.NoStream{}, event(1))
	for _, sub := range []*esdb.Subscription{whole, after, live} {
		mustEqual(t, "live", only(f.hear(sub, "b@0"), "checkpoint", "caught up"), "b@0")
	}
}

// A prepare of zero stands before the event of that commit.
func TestSubscribeToAll_positionIsTwoNumbers(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	at := f.append("a", esdb.NoStream{}, events(2)...)
	f.append("a", esdb.Revision(1), event(1))
	before := f.subscribeAll(esdb.SubscribeToAllOptions{From: esdb.Position{Commit: at.CommitPosition}})
	mustEqual(t, "prepare 0", only(f.hear(before, "caught up")), "a@1 a@2")
	behind := f.subscribeAll(esdb.SubscribeToAllOptions{From: esdb.Position{Commit: at.CommitPosition, Prepare: at.CommitPosition}})
	mustEqual(t, "both", only(f.hear(behind, "caught up")), "a@2")
}

func TestSubscribeToAll_filters(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	other := event(1)
	other.EventType = "other.v1"
	f.append("rent-1", esdb.NoStream{}, event(1))
	f.append("repair-1", esdb.NoStream{}, other)
	f.append("message-1", esdb.NoStream{}, event(1))
	for name, c := range map[string]struct {
		filter *esdb.SubscriptionFilter
		want   string
	}{
		"stream prefixes": {prefix("rent-", "repair-"), "rent-1@0 repair-1@0"},
		"stream regex":    {&esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "^re.*-1$"}, "rent-1@0 repair-1@0"},
		"type prefix":     {&esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: []string{"happened."}}, "rent-1@0 message-1@0"},
		"type regex":      {&esdb.SubscriptionFilter{Type: esdb.EventFilterType, Regex: "^other"}, "repair-1@0"},
		"no system":       {esdb.ExcludeSystemEventsFilter(), "rent-1@0 repair-1@0 message-1@0"},
	} {
		sub := f.subscribeAll(esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: c.filter})
		mustEqual(t, name, strings.Join(f.hear(sub, "caught up"), " "), c.want+" checkpoint caught up")
	}
}

func TestSubscribeToAll_checkpoints(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{StatsEvery: -1})
	system := len(f.server.Log())
	f.append("a", esdb.NoStream{}, events(8-system)...) // 8 events considered
	f.append("b", esdb.NoStream{}, events(5)...)

	o := esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: prefix("b"), MaxSearchWindow: 2, CheckpointInterval: 2}
	sub := f.subscribeAll(o)
	var marks []esdb.Position
	hear := func(last string) string {
		var all []string
		for len(all) == 0 || all[len(all)-1] != last {
			e := sub.Recv()
			if e.CheckPointReached != nil {
				marks = append(marks, *e.CheckPointReached)
			}
			all = append(all, told(e))
		}
		return strings.Join(all, " ")
	}
	mustEqual(t, "history", hear("caught up"), "checkpoint checkpoint b@0 b@1 b@2 b@3 checkpoint b@4 checkpoint caught up")
	log := f.server.Log()
	mustEqual(t, "behind what was filtered out", marks[0], esdb.Position{Commit: log[4].Position})
	mustEqual(t, "at what was delivered", marks[2], esdb.Position{Commit: log[11].Position, Prepare: log[11].Position})
	mustEqual(t, "on going live", marks[3], esdb.Position{Commit: log[12].Position, Prepare: log[12].Position})

	f.append("a", esdb.Any{}, events(3)...) // 13 to 15 are considered, 12 was the first of its four
	f.append("b", esdb.Any{}, event(1))
	mustEqual(t, "live", hear("b@5"), "checkpoint b@5")
	log = f.server.Log()
	mustEqual(t, "live ones are places of events", marks[4], esdb.Position{Commit: log[15].Position, Prepare: log[15].Position})

	// Each of them is a place to go on from, without losing or repeating anything.
	for i, mark := range marks {
		o.From = mark
		rest := only(f.hear(f.subscribeAll(o), "b@5"))
		wanted := []string{"b@0 b@1 b@2 b@3 b@4 b@5", "b@0 b@1 b@2 b@3 b@4 b@5", "b@4 b@5", "b@5", "b@5"}[i]
		mustEqual(t, fmt.Sprint(mark), rest, wanted)
	}
}

// Who is more than the live buffer behind is catching up, and is told when that is over.
func TestSubscribeToAll_catchesUpAgain(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	sub := f.subscribeAll(esdb.SubscribeToAllOptions{})
	f.hear(sub, "caught up")
	f.append("a", esdb.NoStream{}, events(100)...)
	mustEqual(t, "events before", len(f.hear(sub, "caught up")), 101)
}

func TestSubscribeToAll_beyondTheEnd(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{StatsEvery: -1})
	first := f.append("a", esdb.NoStream{}, event(1)).CommitPosition
	second := f.append("a", esdb.Revision(0), event(1)).CommitPosition
	next := second + (second - first) // where the third will be
	sub := f.subscribeAll(esdb.SubscribeToAllOptions{From: esdb.Position{Commit: next, Prepare: next}})
	f.append("a", esdb.Revision(1), events(2)...)
	mustEqual(t, "what is behind", only(f.hear(sub, "a@3")), "a@3")
}

func TestSubscribeToStream(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	subscribe := func(from esdb.StreamPosition) *esdb.Subscription {
		sub, err := f.client.SubscribeToStream(f.ctx, "a", esdb.SubscribeToStreamOptions{From: from})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = sub.Close() })
		return sub
	}
	early := subscribe(esdb.Start{}) // there is no such stream yet
	f.hear(early, "caught up")
	f.append("a", esdb.NoStream{}, events(3)...)
	f.append("b", esdb.NoStream{}, events(1)...)
	f.append("a", esdb.Revision(2), event(1))
	mustEqual(t, "created later", only(f.hear(early, "a@3")), "a@0 a@1 a@2 a@3")
	mustEqual(t, "after 1", only(f.hear(subscribe(esdb.Revision(1)), "caught up")), "a@2 a@3")
	live := subscribe(esdb.End{})
	f.hear(live, "caught up")
	f.append("a", esdb.Revision(3), event(1))
	mustEqual(t, "live", only(f.hear(live, "a@4")), "a@4")

	if _, err := f.client.TombstoneStream(f.ctx, "a", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}}); err != nil {
		t.Fatal(err)
	}
	if e := live.Recv(); e.SubscriptionDropped == nil || !strings.Contains(e.SubscriptionDropped.Error.Error(), "is deleted") {
		t.Errorf("got %s", told(e))
	}
}
