package esdbtest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore/esdb/esdbtest"
)

// numbers are the revisions of events, joined.
func numbers(events []*esdb.RecordedEvent) string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprint(e.EventNumber))
	}
	return strings.Join(all, " ")
}

func TestReadStream(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	_, err := f.readStream("nobody", esdb.ReadStreamOptions{}, 1)
	want(t, err, esdb.ErrorCodeResourceNotFound)

	written := events(5)
	f.append("a", esdb.NoStream{}, written...)
	for _, c := range []struct {
		o    esdb.ReadStreamOptions
		n    uint64
		want string
	}{
		{esdb.ReadStreamOptions{}, 10, "0 1 2 3 4"},
		{esdb.ReadStreamOptions{From: esdb.Revision(2)}, 2, "2 3"},
		{esdb.ReadStreamOptions{From: esdb.Revision(9)}, 2, ""},
		{esdb.ReadStreamOptions{From: esdb.End{}}, 2, ""},
		{esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards}, 2, "4 3"},
		{esdb.ReadStreamOptions{From: esdb.Revision(1), Direction: esdb.Backwards}, 9, "1 0"},
		{esdb.ReadStreamOptions{From: esdb.Start{}, Direction: esdb.Backwards}, 9, "0"},
	} {
		read, err := f.readStream("a", c.o, c.n)
		if want(t, err, none); numbers(read) != c.want {
			t.Errorf("%+v: got %q, want %q", c.o, numbers(read), c.want)
		}
	}

	read, err := f.readStream("a", esdb.ReadStreamOptions{}, 1)
	want(t, err, none)
	e := read[0]
	if e.EventID != written[0].EventID || e.EventType != "happened.v1" || e.ContentType != "application/json" ||
		string(e.Data) != string(written[0].Data) || string(e.UserMetadata) != string(written[0].Metadata) {
		t.Errorf("got %+v, want %+v", e, written[0])
	}
}

func TestReadAll(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{StatsEvery: 2})
	f.append("a", esdb.NoStream{}, events(3)...)
	result := f.append("b", esdb.NoStream{}, event(1))

	all, err := f.readAll(esdb.ReadAllOptions{}, 100)
	want(t, err, none)
	own := 0
	for i, e := range all {
		if strings.HasPrefix(e.StreamID, "$") {
			own++
		}
		mustEqual(t, "prepare", e.Position.Prepare, e.Position.Commit)
		if i > 0 && e.Position.Commit < all[i-1].Position.Commit+2 {
			t.Errorf("%v follows %v: positions are offsets", e.Position, all[i-1].Position)
		}
	}
	mustEqual(t, "events", len(all)-own, 4)
	if own < 3 || all[len(all)-1].EventType != "$statsCollected" {
		t.Errorf("%d system events, the last a %s", own, all[len(all)-1].EventType)
	}
	at := esdb.Position{Commit: result.CommitPosition, Prepare: result.PreparePosition}
	mustEqual(t, "the commit's position", all[len(all)-2].Position, at)

	read, err := f.readAll(esdb.ReadAllOptions{From: at}, 1) // forwards that event is in
	if want(t, err, none); read[0].StreamID != "b" {
		t.Errorf("got %+v", read[0])
	}
	read, err = f.readAll(esdb.ReadAllOptions{From: at, Direction: esdb.Backwards}, 1) // backwards it is not
	if want(t, err, none); read[0].StreamID != "a" || read[0].EventNumber != 2 {
		t.Errorf("got %+v", read[0])
	}
	read, err = f.readAll(esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards}, 1)
	if want(t, err, none); read[0].Position != all[len(all)-1].Position {
		t.Errorf("got %+v", read[0])
	}
	for name, from := range map[string]esdb.AllPosition{
		"the end": esdb.End{}, "beyond": esdb.Position{Commit: 1 << 40, Prepare: 1 << 40},
	} {
		read, err = f.readAll(esdb.ReadAllOptions{From: from}, 1)
		if want(t, err, none); len(read) > 0 {
			t.Errorf("from %s: got %+v", name, read[0])
		}
	}
	// Prepare counts too: an event stands behind the position of its commit with a lower one.
	read, err = f.readAll(esdb.ReadAllOptions{From: esdb.Position{Commit: at.Commit}}, 1)
	if want(t, err, none); read[0].StreamID != "b" {
		t.Errorf("got %+v", read[0])
	}
	read, err = f.readAll(esdb.ReadAllOptions{From: esdb.Position{Commit: at.Commit, Prepare: at.Commit + 1}}, 1)
	if want(t, err, none); read[0].EventType != "$statsCollected" {
		t.Errorf("got %+v", read[0])
	}
}

func TestReadAll_invalidPosition(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	at := f.append("a", esdb.NoStream{}, event(1)).CommitPosition + 1
	_, err := f.readAll(esdb.ReadAllOptions{From: esdb.Position{Commit: at, Prepare: at}}, 1)
	if err == nil || !strings.Contains(err.Error(), "InvalidArgument") {
		t.Errorf("read: got %v", err)
	}
	_, err = f.client.SubscribeToAll(f.ctx, esdb.SubscribeToAllOptions{From: esdb.Position{Commit: at, Prepare: at}})
	if err == nil || !strings.Contains(err.Error(), "invalid position") {
		t.Errorf("subscribe: got %v", err)
	}
}
