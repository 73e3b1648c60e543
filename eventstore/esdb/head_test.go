package esdb_test

import (
	"fmt"
	"testing"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/esdb/esdbtest"
)

// others appends events of another program, in parts that the server takes.
func others(t *testing.T, c *client.Client, n int) {
	t.Helper()
	for n > 0 {
		part := make([]client.EventData, min(n, 1000))
		for i := range part {
			part[i] = foreign()
		}
		if _, err := c.AppendToStream(t.Context(), "other-1", client.AppendToStreamOptions{}, part...); err != nil {
			t.Fatal(err)
		}
		n -= len(part)
	}
}

func mustHead(t *testing.T, log *esdb.Log, want eventstore.Position) {
	t.Helper()
	if head, err := log.Head(t.Context()); err != nil || head != want {
		t.Errorf("got head %v, %v, want %v", head, err, want)
	}
}

// What others wrote is looked through once, however much it is and whoever asks how often.
func TestHead_LooksThroughWhatOthersWroteOnce(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{StatsEvery: -1})
	writer := open(t, server.ConnectionString(), esdb.Options{Categories: []string{"rent"}})
	commit := mustAppend(t, writer, "rent-1", 0, proposed(1)...)
	others(t, direct(t, server), 10_000)

	fresh := openConnected(t, server, esdb.Options{Categories: []string{"rent"}})
	mustHead(t, fresh, commit.Position)
	for i := range 3 {
		before := server.Calls(esdbtest.Read)
		mustHead(t, fresh, commit.Position)
		if calls := server.Calls(esdbtest.Read) - before; calls != 1 {
			t.Errorf("head %d: %d reads, want 1", i+2, calls)
		}
	}
	others(t, direct(t, server), 7)
	mustHead(t, fresh, commit.Position)
	commit = mustAppend(t, writer, "rent-1", 1, proposed(1)...)
	before := server.Calls(esdbtest.Read)
	mustHead(t, fresh, commit.Position)
	if calls := server.Calls(esdbtest.Read) - before; calls != 1 {
		t.Errorf("head of what came since: %d reads, want 1", calls)
	}
}

// Ours and other people's events alternate, also across an outage.
func TestHead_AmongOthers(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{StatsEvery: 3})
	o := esdb.Options{Categories: []string{"rent"}}
	writer, reader := open(t, server.ConnectionString(), o), open(t, server.ConnectionString(), o)
	mustHead(t, reader, eventstore.Position{})
	other := direct(t, server)
	others(t, other, 20)
	mustHead(t, reader, eventstore.Position{}) // it has looked, and knows of none of ours
	for i := range 12 {
		n := i % 4 * 9 // none, or more than one page
		stream := eventstore.NewStream("rent", fmt.Sprint(i))
		first := mustAppend(t, writer, stream, 0, proposed(1+i%3)...)
		if i%2 == 0 {
			mustHead(t, reader, first.Position)
		}
		others(t, other, n)
		mustHead(t, reader, first.Position)
		if i == 5 {
			server.Stop()
			if err := server.Resume(); err != nil {
				t.Fatal(err)
			}
			other = direct(t, server)
		}
		others(t, other, n)
		last := mustAppend(t, writer, stream, first.Version, proposed(1)...)
		others(t, other, n)
		mustHead(t, reader, last.Position)
		mustHead(t, reader, last.Position)
	}
	fresh := open(t, server.ConnectionString(), o)
	head, err := reader.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mustHead(t, fresh, head)
}
