package esdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb/esdbtest"
)

func TestRevisions(t *testing.T) {
	t.Parallel()
	for revision, version := range map[uint64]eventstore.Version{0: 1, 1: 2, 41: 42} {
		if got := versionOf(revision); got != version {
			t.Errorf("revision %d is version %d, want %d", revision, got, version)
		}
		if got := behind(version - 1); got != revision {
			t.Errorf("behind version %d comes revision %d, want %d", version-1, got, revision)
		}
		if got := expected(version); got != es.Revision(revision) {
			t.Errorf("version %d is expected as %v, want revision %d", version, got, revision)
		}
	}
	if got := expected(0); got != (es.NoStream{}) {
		t.Errorf("version 0 is expected as %v, want no stream", got)
	}
	if got := expected(1<<64 - 1); got != es.Revision(1<<62-1) {
		t.Errorf("the last version of all is expected as %v", got)
	}
}

// connected is a connection of its own to a double.
func connected(t *testing.T, server *esdbtest.Server) *connection {
	t.Helper()
	s, err := parse(server.ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	c, err := newConnection(t.Context(), &health{now: time.Now, logger: slog.New(slog.DiscardHandler)}, *s.config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.replace(errClosed)
		<-c.closed
	})
	return c
}

func appendOne(q *question) (*es.WriteResult, error) {
	return q.client.AppendToStream(q, "a-1", es.AppendToStreamOptions{},
		es.EventData{EventID: uuid.New(), EventType: "a", ContentType: es.ContentTypeJson, Data: []byte("{}")})
}

// The client asks a context for its deadline when it has a connection and has sent nothing. If a new
// version of it does not, nothing here knows any more what was sent.
func TestArrival(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	c := connected(t, server)
	calls := -1
	_, sent, err := do(t.Context(), c, unlimited, func(q *question) (*es.WriteResult, error) {
		arrived := q.arrived
		q.arrived = func() {
			arrived()
			calls = server.Calls(esdbtest.Append)
		}
		return appendOne(q)
	})
	if err != nil || !sent || calls != 0 || server.Calls(esdbtest.Append) != 1 {
		t.Errorf("sent %t with %d calls on arrival, %v", sent, calls, err)
	}
	server.Stop()
	lost := connected(t, server)
	if _, sent, err := do(t.Context(), lost, unlimited, appendOne); sent || err == nil {
		t.Errorf("without a connection: sent %t, %v", sent, err)
	}
	if lost.arriving != 0 || lost.users != 0 {
		t.Errorf("%d are arriving of %d", lost.arriving, lost.users)
	}
}

// The client says that it will give up a connection before it does. If a new version of it says so
// in other words, goroutines and callers are lost again.
func TestHear(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	c := connected(t, server)
	server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.Unavailable, Times: 1})
	if _, _, err := do(t.Context(), c, unlimited, appendOne); err == nil || !c.isBroken() {
		t.Errorf("after %v the connection is not broken", err)
	}
	if _, sent, err := do(t.Context(), c, unlimited, appendOne); sent || !errors.Is(err, errBroken) {
		t.Errorf("a call on a broken connection: sent %t, %v", sent, err)
	}
}

// Whoever gives up a connection waits for those who are on their way to it.
func TestGive_WaitsForArrivals(t *testing.T) {
	t.Parallel()
	c := connected(t, esdbtest.Start(t, esdbtest.Options{}))
	if err := c.begin(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	given := make(chan struct{})
	all.Go(func() {
		c.give(errBroken)
		close(given)
	})
	for !c.isBroken() {
		<-c.alarm
	}
	select {
	case <-given:
		t.Error("somebody was on the way")
	default:
	}
	c.arrive()
	all.Wait()
	c.leave()
}

// A call that does not come back is left behind, counted, and dropped when it does after all.
func TestDo_Abandons(t *testing.T) {
	t.Parallel()
	c := connected(t, esdbtest.Start(t, esdbtest.Options{}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	release, released := make(chan struct{}), make(chan struct{})
	_, sent, err := do(ctx, c, unlimited, func(*question) (int, error) {
		defer close(released)
		<-release
		return 1, nil
	})
	if sent || !errors.Is(err, errAbandoned) || c.health.get().Abandoned != 1 {
		t.Errorf("got sent %t, %v, and %d abandoned", sent, err, c.health.get().Abandoned)
	}
	close(release)
	<-released
	for c.health.get().Abandoned != 0 { // it is counted off last of all
		runtime.Gosched()
	}
}

// A panic of the client is an error.
func TestDo_Panics(t *testing.T) {
	t.Parallel()
	c := connected(t, esdbtest.Start(t, esdbtest.Options{}))
	_, _, err := do(t.Context(), c, unlimited, func(*question) (int, error) { panic("unreachable code") })
	if !errors.Is(err, errPanic) {
		t.Errorf("got %v", err)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want verdict
	}{
		{nil, fine},
		{fmt.Errorf("no idea"), unknown},
		{errReplaced, unsent},
		{fmt.Errorf("wrapped: %w", errBroken), unsent},
		{errBehind, unknown},
		{gap("a-1", 0, 1), refused},
		{&eventstore.ConflictError{}, conflicting},
		{status.Error(codes.PermissionDenied, ""), denied},
		{fmt.Errorf("wrapped: %w", status.Error(codes.Unauthenticated, "")), unauthenticated},
		{status.Error(codes.Unimplemented, ""), refused},
		{status.Error(codes.InvalidArgument, "Trying to read from an invalid position."), refused},
		{status.Error(codes.InvalidArgument, "Maximum Append Size of 1048576 Exceeded."), tooLarge},
		{status.Error(codes.Unavailable, "Server Is Not Ready"), unknown},
		{status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial tcp"`), unsent}, //nolint:misspell // gRPC's words
		{status.Error(codes.Unavailable, "error reading from server: EOF"), unknown},
		{status.Error(codes.Aborted, ""), unknown},
		{status.Error(codes.NotFound, "Leader info available"), unknown},
		{status.Error(codes.DeadlineExceeded, ""), unknown},
		{status.Error(codes.Canceled, ""), unknown},
		{context.DeadlineExceeded, unknown},
	} {
		if got := judge(c.err); got != c.want {
			t.Errorf("%v: got verdict %d, want %d", c.err, got, c.want)
		}
	}
}

func TestScope_Followed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		prefix     string
		categories []string
		prefixes   []string
		want       []string
	}{
		{"", nil, nil, []string{""}},
		{"", nil, []string{"a-", "b"}, []string{"a-", "b"}},
		{"x.", nil, nil, []string{"x."}},
		{"x.", nil, []string{"a-1"}, []string{"x.a-1"}},
		{"", []string{"rent", "tenancy"}, nil, []string{"log-", "rent-", "tenancy-"}},
		{"x.", []string{"rent"}, nil, []string{"x.log-", "x.rent-"}},
		{"", []string{"rent", "rental"}, []string{"rent"}, []string{"rent-", "rental-"}},
		{"", []string{"rent", "rental"}, []string{"rent-", "rent-1"}, []string{"rent-", "rent-1"}},
		{"", []string{"rent"}, []string{"repair-"}, nil},
	} {
		got := newScope(c.prefix, c.categories).followed(c.prefixes)
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%q with categories %v following %q: got %q, want %q", c.prefix, c.categories, c.prefixes, got, c.want)
		}
	}
}

// Metadata that cannot be read is an error that names the place, never a zero value.
func TestDecode_Metadata(t *testing.T) {
	t.Parallel()
	id := uuid.NewString()
	for text, ok := range map[string]bool{
		`{"$correlationId":"` + id + `","$causationId":"` + id + `","command":"` + id + `","actor":{"id":"a","role":"b"},"append":"` + id + `"}`: true,
		`{"append":"` + id + `","recorded_at":"2024-02-29T00:00:00.5Z","moved_from":"18-17"}`:                                                    true,
		``:                                      false,
		`{}`:                                    false,
		`null`:                                  false,
		`[]`:                                    false,
		`{"append":"x"}`:                        false,
		`{"append":"` + id + `","actor":"me"}`:  false,
		`{"append":"` + id + `","command":"x"}`: false,
		`{"append":"` + id + `","recorded_at":"yesterday","moved_from":"1"}`:            false,
		`{"append":"` + id + `","recorded_at":"2024-02-29T00:00:00Z"}`:                  false,
		`{"append":"` + id + `","recorded_at":"2024-02-29T00:00:00Z","moved_from":"x"}`: false,
	} {
		_, _, err := scope{}.decode(&es.RecordedEvent{
			StreamID: "a-1", EventNumber: 6, Position: es.Position{Commit: 99, Prepare: 98}, UserMetadata: []byte(text),
		})
		if (err == nil) != ok {
			t.Errorf("%s: got %v", text, err)
		}
		if want := "event 7 of a-1 at 99-98"; err != nil && (!errors.Is(err, errDamaged) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
	_, _, err := scope{}.decode(&es.RecordedEvent{
		StreamID: "a-1", Position: es.Position{Commit: 1<<64 - 1}, UserMetadata: []byte(`{"append":"` + id + `"}`),
	})
	if !errors.Is(err, errNoPosition) {
		t.Errorf("without a position: got %v", err)
	}
}
