package esdb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/esdb/esdbtest"
)

// foreign is an event that another program writes.
func foreign() client.EventData {
	return client.EventData{EventID: uuid.New(), EventType: "other.v1", ContentType: client.ContentTypeJson, Data: []byte(`{}`)}
}

func mustAppend(t *testing.T, log *esdb.Log, s eventstore.Stream, after eventstore.Version, events ...eventstore.Proposed) eventstore.Commit {
	t.Helper()
	commit, err := log.Append(t.Context(), s, after, events...)
	if err != nil {
		t.Fatal(err)
	}
	return commit
}

// upTo follows to a position and names the events.
func upTo(t *testing.T, log *esdb.Log, last eventstore.Position, prefixes ...string) []string {
	t.Helper()
	var got []string
	for r, err := range log.Follow(t.Context(), eventstore.Position{}, prefixes...) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s:%d", r.Stream, r.Version))
		if r.Position.Compare(last) >= 0 {
			break
		}
	}
	return got
}

// Only the streams of its categories are the log: not those of others, and not those of the server.
func TestScope_Categories(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{StatsEvery: 1})
	log := open(t, server.ConnectionString(), esdb.Options{Categories: []string{"rent", "tenancy"}})
	other := direct(t, server)
	stranger := func(stream string) {
		t.Helper()
		if _, err := other.AppendToStream(t.Context(), stream, client.AppendToStreamOptions{}, foreign()); err != nil {
			t.Fatal(err)
		}
	}
	stranger("rental-1")
	mustAppend(t, log, eventstore.StreamIdentity, 0, proposed(1)...)
	mustAppend(t, log, "rent-1", 0, proposed(2)...)
	stranger("other-1")
	last := mustAppend(t, log, "tenancy-1", 0, proposed(1)...)
	for range 50 {
		stranger("other-1")
	}

	for _, c := range []struct {
		prefixes []string
		want     []string
	}{
		{nil, []string{"log-identity:1", "rent-1:1", "rent-1:2", "tenancy-1:1"}},
		{[]string{"rent", "tenancy-"}, []string{"rent-1:1", "rent-1:2", "tenancy-1:1"}},
		{[]string{"t"}, []string{"tenancy-1:1"}},
		{[]string{""}, []string{"log-identity:1", "rent-1:1", "rent-1:2", "tenancy-1:1"}},
	} {
		if got := upTo(t, log, last.Position, c.prefixes...); !slices.Equal(got, c.want) {
			t.Errorf("follow %q: got %v, want %v", c.prefixes, got, c.want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for r, err := range log.Follow(ctx, eventstore.Position{}, "other-") {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("following what is not the log's: got %v, %v", r, err)
		}
	}
	fresh := open(t, server.ConnectionString(), esdb.Options{Categories: []string{"rent", "tenancy"}})
	if head, err := fresh.Head(t.Context()); err != nil || head != last.Position {
		t.Errorf("head: got %v, %v, want %v", head, err, last.Position)
	}
	if _, err := log.Append(t.Context(), "other-1", 0, proposed(1)...); err == nil {
		t.Error("an event went to a stream that is not the log's")
	}
	for r, err := range log.Read(t.Context(), "other-1", 0) {
		if err == nil {
			t.Errorf("%v was read from a stream that is not the log's", r)
		}
	}
}

// Two books share one server and see nothing of each other.
func TestScope_Prefixes(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{StatsEvery: 2})
	var logs []*esdb.Log
	var heads []eventstore.Position
	for _, prefix := range []string{"one.", "two."} {
		log := open(t, server.ConnectionString()+"&streamPrefix="+prefix, esdb.Options{})
		logs = append(logs, log)
		mustAppend(t, log, "a-1", 0, proposed(2)...)
		heads = append(heads, mustAppend(t, log, "b-1", 0, proposed(1)...).Position)
	}
	for i, log := range logs {
		if got := upTo(t, log, heads[i]); !slices.Equal(got, []string{"a-1:1", "a-1:2", "b-1:1"}) {
			t.Errorf("log %d: got %v", i, got)
		}
		if head, err := log.Head(t.Context()); err != nil || head != heads[i] {
			t.Errorf("log %d: head %v, %v, want %v", i, head, err, heads[i])
		}
	}
	one, errOne := logs[0].Origin(t.Context())
	if errOne != nil || one != "" {
		t.Errorf("origin of a log without identity: %q, %v", one, errOne)
	}
}

// The origin is where and when the log began on this server.
func TestOrigin(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 4, 1, 12, 0, 0, 123456700, time.UTC)
	server := esdbtest.Start(t, esdbtest.Options{Now: func() time.Time { return at }})
	log := open(t, server.ConnectionString(), esdb.Options{})
	commit := mustAppend(t, log, eventstore.StreamIdentity, 0, proposed(1)...)
	want := commit.Position.String() + "@2026-04-01T12:00:00.1234567Z"
	if got, err := log.Origin(t.Context()); err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// Events of another log keep the time when they were first recorded, and where.
func TestMoved(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	log := open(t, server.ConnectionString(), esdb.Options{})
	if r, from, err := log.LastMoved(t.Context()); err != nil || !from.IsZero() || !r.Position.IsZero() {
		t.Errorf("of an empty log: got %v from %v, %v", r, from, err)
	}
	at := time.Date(2024, 2, 29, 23, 59, 59, 987654000, time.UTC)
	events := proposed(2)
	moved := []esdb.Moved{
		{Proposed: events[0], At: at, From: eventstore.PositionAt(17)},
		{Proposed: events[1], At: at.Add(time.Microsecond), From: eventstore.Position{Commit: 18, Prepare: 5}},
	}
	for _, repeated := range []bool{false, true} {
		if commit, err := log.AppendMoved(t.Context(), "a-1", 0, moved); err != nil || commit.Repeated != repeated {
			t.Fatalf("got %+v, %v", commit, err)
		}
	}
	i := 0
	for r, err := range log.Read(t.Context(), "a-1", 0) {
		if err != nil || !r.At.Equal(moved[i].At) || r.At.Location() != time.UTC || r.Metadata != events[i].Metadata {
			t.Errorf("got %+v, %v, want it recorded at %v", r, err, moved[i].At)
		}
		i++
	}
	if r, from, err := log.LastMoved(t.Context()); err != nil || r.ID != events[1].ID || from != moved[1].From {
		t.Errorf("got %v from %v, %v, want %v", r, from, err, moved[1].From)
	}
	mustAppend(t, log, "b-1", 0, proposed(1)...)
	if r, from, err := log.LastMoved(t.Context()); err != nil || r.Stream != "b-1" || !from.IsZero() {
		t.Errorf("after a new event: got %v from %v, %v", r, from, err)
	}
}

// A position that is none in this database, as after a restore, is no reason to miss events.
func TestFollow_AfterAPositionThatDoesNotExist(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	log := open(t, server.ConnectionString(), esdb.Options{})
	for i := range 5 {
		mustAppend(t, log, "a-1", eventstore.Version(i), proposed(1)...)
	}
	third := eventstore.PositionAt(server.Events()[2].Position + 3)
	server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: esdbtest.SlowConsumer, After: 2, Times: 2, Skip: 1})
	var got []eventstore.Version
	for r, err := range log.Follow(t.Context(), third) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, r.Version); len(got) == 2 {
			break
		}
	}
	if !slices.Equal(got, []eventstore.Version{4, 5}) {
		t.Errorf("got versions %v, want 4 and 5", got)
	}
}

// What administrators and other programs can do to a stream is said, not passed over.
func TestRead_Damage(t *testing.T) {
	t.Parallel()
	read := func(log *esdb.Log, after eventstore.Version) (last error) {
		for _, last = range log.Read(t.Context(), "a-1", after) {
		}
		return last
	}
	for _, c := range []struct {
		name string
		harm func(*testing.T, *client.Client)
		read string // what reading says, nothing if it is to succeed
		head string // what following says
	}{
		{"truncated", func(t *testing.T, c *client.Client) {
			t.Helper()
			var m client.StreamMetadata
			m.SetTruncateBefore(2)
			if _, err := c.SetStreamMetadata(t.Context(), "a-1", client.AppendToStreamOptions{}, m); err != nil {
				t.Fatal(err)
			}
		}, "truncated", ""},
		{"deleted for good", func(t *testing.T, c *client.Client) {
			t.Helper()
			if _, err := c.TombstoneStream(t.Context(), "a-1", client.TombstoneStreamOptions{}); err != nil {
				t.Fatal(err)
			}
		}, "deleted for good", "deleted for good"},
		{"written to by another program", func(t *testing.T, c *client.Client) {
			t.Helper()
			if _, err := c.AppendToStream(t.Context(), "a-1", client.AppendToStreamOptions{}, foreign()); err != nil {
				t.Fatal(err)
			}
		}, "another program", "another program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := esdbtest.Start(t, esdbtest.Options{})
			log := open(t, server.ConnectionString(), esdb.Options{})
			mustAppend(t, log, "a-1", 0, proposed(4)...)
			c.harm(t, direct(t, server))
			if err := read(log, 0); err == nil || !strings.Contains(err.Error(), c.read) {
				t.Errorf("reading: got %v, want %q", err, c.read)
			}
			if c.name == "truncated" {
				if err := read(log, 3); err != nil {
					t.Errorf("reading what is left: %v", err)
				}
			}
			if c.head == "" {
				return
			}
			for _, err := range log.Follow(t.Context(), eventstore.Position{}) {
				if err != nil && !strings.Contains(err.Error(), c.head) {
					t.Errorf("following: got %v, want %q", err, c.head)
				}
			}
			if c.name != "deleted for good" {
				return
			}
			if _, err := log.Append(t.Context(), "a-1", 4, proposed(1)...); err == nil || !strings.Contains(err.Error(), "deleted for good") ||
				errors.Is(err, eventstore.ErrConflict) {
				t.Errorf("appending: got %v", err)
			}
		})
	}
}

// Followers end when they may not follow, with advice.
func TestFollow_Refused(t *testing.T) {
	t.Parallel()
	for kind, says := range map[esdbtest.Kind]string{
		esdbtest.AccessDenied: "$admins", esdbtest.Unauthenticated: "user name and password",
	} {
		for _, after := range []int{0, 1} {
			server := esdbtest.Start(t, esdbtest.Options{})
			log := open(t, server.ConnectionString(), esdb.Options{})
			mustAppend(t, log, "a-1", 0, proposed(2)...)
			server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: kind, After: after})
			var last error
			for _, last = range log.Follow(t.Context(), eventstore.Position{}) {
			}
			if last == nil || !strings.Contains(last.Error(), says) {
				t.Errorf("%s after %d: got %v, want %q", kind, after, last, says)
			}
		}
	}
}

// Credentials appear nowhere, and wrong ones are called so.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const secret = "s3cr/et,?"
	server := esdbtest.Start(t, esdbtest.Options{TLS: true, User: "rentbook", Password: secret})
	log := open(t, server.ConnectionString(), esdb.Options{})
	mustAppend(t, log, "a-1", 0, proposed(1)...)
	wrong := open(t, strings.Replace(server.ConnectionString(), "rentbook:", "rentbook:x", 1), esdb.Options{})
	_, err := wrong.Append(t.Context(), "a-1", 1, proposed(1)...)
	if err == nil || !strings.Contains(err.Error(), "user name and password") {
		t.Errorf("got %v", err)
	}
	server.Stop()
	eventually(t, "noticed", func() bool { return !log.Health().Connected })
	for _, text := range []string{log.Describe(), fmt.Sprint(log.Health()), fmt.Sprint(err)} {
		if strings.Contains(text, secret) || strings.Contains(text, "s3cr") {
			t.Errorf("%q holds a password", text)
		}
	}
	if want := "esdb://" + server.Addrs()[0] + " with TLS"; log.Describe() != want {
		t.Errorf("got %q, want %q", log.Describe(), want)
	}
}

// A certificate that cannot be checked is the reason given.
func TestOpen_UnknownAuthority(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{TLS: true})
	log := open(t, "esdb://"+server.Addrs()[0], esdb.Options{Patience: time.Millisecond})
	eventually(t, "the certificate is the reason", func() bool {
		_, err := log.Head(t.Context())
		return err != nil && strings.Contains(err.Error(), "certificate")
	})
}
