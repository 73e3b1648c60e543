package esdbtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"rentbook/eventstore/esdb/esdbtest"
)

// patience bounds every wait; nothing here takes that long unless something is wrong.
const patience = 20 * time.Second

// short is the deadline of calls that are meant not to be answered.
const short = 150 * time.Millisecond

// fixture is a server with the real client.
type fixture struct {
	*testing.T
	server *esdbtest.Server
	client *esdb.Client
	ctx    context.Context
}

// start starts both. The client is closed before the server, after all of its calls: it panics
// otherwise (EventStore-Client-Go#189).
func start(t *testing.T, o esdbtest.Options) *fixture {
	t.Helper()
	server := esdbtest.Start(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &fixture{T: t, server: server, client: connect(t, server.ConnectionString()), ctx: ctx}
}

func connect(t *testing.T, connection string) *esdb.Client {
	t.Helper()
	config, err := esdb.ParseConnectionString(connection)
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func event(size int) esdb.EventData {
	return esdb.EventData{
		EventID: uuid.New(), EventType: "happened.v1", ContentType: esdb.ContentTypeJson,
		Data: []byte(`{"pad":"` + strings.Repeat("x", size) + `"}`), Metadata: []byte(`{"by":"test"}`),
	}
}

func events(n int) []esdb.EventData {
	all := make([]esdb.EventData, n)
	for i := range all {
		all[i] = event(1)
	}
	return all
}

func (f *fixture) try(stream string, expected esdb.ExpectedRevision, events ...esdb.EventData) (*esdb.WriteResult, error) {
	return f.client.AppendToStream(f.ctx, stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, events...)
}

func (f *fixture) append(stream string, expected esdb.ExpectedRevision, events ...esdb.EventData) *esdb.WriteResult {
	f.Helper()
	result, err := f.try(stream, expected, events...)
	if err != nil {
		f.Fatalf("append to %s: %v", stream, err)
	}
	return result
}

// within is an append that waits no longer than short.
func (f *fixture) within(stream string, expected esdb.ExpectedRevision, events ...esdb.EventData) error {
	deadline := short
	_, err := f.client.AppendToStream(f.ctx, stream, esdb.AppendToStreamOptions{ExpectedRevision: expected, Deadline: &deadline}, events...)
	return err
}

// want fails unless an error of the client has a code; -1 wants none.
func want(t *testing.T, err error, code esdb.ErrorCode) {
	t.Helper()
	if got := codeOf(err); got != code {
		t.Fatalf("got code %d (%v), want %d", got, err, code)
	}
}

const none = esdb.ErrorCode(-1)

func codeOf(err error) esdb.ErrorCode {
	if err == nil {
		return none
	}
	if e, ok := errors.AsType[*esdb.Error](err); ok {
		return e.Code()
	}
	return esdb.ErrorCodeUnknown
}

// holds fails unless so many events of clients are in the log.
func (f *fixture) holds(n int) {
	f.Helper()
	if got := len(f.server.Events()); got != n {
		f.Fatalf("the log holds %d events, want %d", got, n)
	}
}

// struck fails unless faults struck so often.
func (f *fixture) struck(n int, kinds ...esdbtest.Kind) {
	f.Helper()
	if got := f.server.Fired(kinds...); got != n {
		f.Fatalf("%v struck %d times, want %d", kinds, got, n)
	}
}

func (f *fixture) readStream(stream string, o esdb.ReadStreamOptions, n uint64) ([]*esdb.RecordedEvent, error) {
	f.Helper()
	r, err := f.client.ReadStream(f.ctx, stream, o, n)
	if err != nil {
		return nil, err
	}
	return drain(r)
}

func (f *fixture) readAll(o esdb.ReadAllOptions, n uint64) ([]*esdb.RecordedEvent, error) {
	f.Helper()
	r, err := f.client.ReadAll(f.ctx, o, n)
	if err != nil {
		return nil, err
	}
	return drain(r)
}

func drain(r *esdb.ReadStream) ([]*esdb.RecordedEvent, error) {
	defer r.Close()
	var events []*esdb.RecordedEvent
	for {
		e, err := r.Recv()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, e.Event)
	}
}

func (f *fixture) subscribeAll(o esdb.SubscribeToAllOptions) *esdb.Subscription {
	f.Helper()
	sub, err := f.client.SubscribeToAll(f.ctx, o)
	if err != nil {
		f.Fatalf("subscribe: %v", err)
	}
	f.Cleanup(func() { _ = sub.Close() })
	return sub
}

// told is what a subscription said, as text that is easy to compare: "stream@revision",
// "checkpoint", "caught up", "dropped".
func told(e *esdb.SubscriptionEvent) string {
	switch {
	case e.EventAppeared != nil:
		return fmt.Sprintf("%s@%d", e.EventAppeared.Event.StreamID, e.EventAppeared.Event.EventNumber)
	case e.CheckPointReached != nil:
		return "checkpoint"
	case e.CaughtUp != nil:
		return "caught up"
	case e.SubscriptionDropped != nil:
		return "dropped"
	default:
		return "nothing known"
	}
}

// hear is what a subscription says up to and including a text.
func (f *fixture) hear(sub *esdb.Subscription, last string) []string {
	f.Helper()
	var all []string
	for {
		e := sub.Recv()
		text := told(e)
		all = append(all, text)
		if text == last {
			return all
		}
		if e.SubscriptionDropped != nil {
			f.Fatalf("dropped (%v) after %v, want %s", e.SubscriptionDropped.Error, all, last)
		}
	}
}

func mustEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
