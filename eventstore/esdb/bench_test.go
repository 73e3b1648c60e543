package esdb_test

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	client "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/esdb/esdbtest"
)

// concurrently carries out b.N steps in several goroutines, each of which counts its own.
func concurrently(b *testing.B, callers int, step func(caller, i int) error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := 0; left.Add(-1) >= 0; i++ {
				if err := step(c, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
}

// Appends through the log: each is an append and the reading of its last event.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 16} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			log := open(b, esdbtest.Start(b, esdbtest.Options{}).ConnectionString(), esdb.Options{})
			concurrently(b, callers, func(c, i int) error {
				_, err := log.Append(b.Context(), eventstore.NewStream("bench", fmt.Sprint(c)), eventstore.Version(i), proposed(1)...)
				return err
			})
		})
	}
}

// The limit: the same round trips through the generated code, with the same bytes.
func BenchmarkAppend_Raw(b *testing.B) {
	for _, callers := range []int{1, 16} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			raw := rawClient(b, esdbtest.Start(b, esdbtest.Options{}))
			concurrently(b, callers, func(c, i int) error {
				stream := &shared.StreamIdentifier{StreamName: fmt.Appendf(nil, "bench-%d", c)}
				if err := rawAppend(b, raw, stream, uint64(i)); err != nil {
					return err
				}
				return rawReadOne(b, raw, stream, uint64(i))
			})
		})
	}
}

func rawClient(b *testing.B, server *esdbtest.Server) streams.StreamsClient {
	b.Helper()
	conn, err := grpc.NewClient(server.Addrs()[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return streams.NewStreamsClient(conn)
}

// rawMetadata is as long as what the log puts beside an event.
var rawMetadata = fmt.Appendf(nil, `{"pad":"%0270d"}`, 0)

func rawAppend(b *testing.B, raw streams.StreamsClient, stream *shared.StreamIdentifier, revision uint64) error {
	b.Helper()
	call, err := raw.Append(b.Context())
	if err != nil {
		return err
	}
	options := &streams.AppendReq_Options{
		StreamIdentifier: stream, ExpectedStreamRevision: &streams.AppendReq_Options_NoStream{NoStream: &shared.Empty{}},
	}
	if revision > 0 {
		options.ExpectedStreamRevision = &streams.AppendReq_Options_Revision{Revision: revision - 1}
	}
	if err := call.Send(&streams.AppendReq{Content: &streams.AppendReq_Options_{Options: options}}); err != nil {
		return err
	}
	e := proposed(1)[0]
	most, least := client.UUIDAsInt64(e.ID)
	if err := call.Send(&streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{
		ProposedMessage: &streams.AppendReq_ProposedMessage{
			Id: &shared.UUID{Value: &shared.UUID_Structured_{
				Structured: &shared.UUID_Structured{MostSignificantBits: most, LeastSignificantBits: least},
			}},
			Metadata: map[string]string{"type": e.Type, "content-type": "application/json"},
			Data:     e.Data, CustomMetadata: rawMetadata,
		},
	}}); err != nil {
		return err
	}
	_, err = call.CloseAndRecv()
	return err
}

func rawReadOne(b *testing.B, raw streams.StreamsClient, stream *shared.StreamIdentifier, revision uint64) error {
	b.Helper()
	call, err := raw.Read(b.Context(), &streams.ReadReq{Options: &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
			StreamIdentifier: stream, RevisionOption: &streams.ReadReq_Options_StreamOptions_Revision{Revision: revision},
		}},
		CountOption:  &streams.ReadReq_Options_Count{Count: 1},
		FilterOption: &streams.ReadReq_Options_NoFilter{NoFilter: &shared.Empty{}},
		UuidOption:   &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_Structured{}},
	}})
	for err == nil {
		_, err = call.Recv()
	}
	if err == io.EOF { //nolint:errorlint // gRPC gives it as it is
		return nil
	}
	return err
}

const benchEvents = 50_000

func filledServer(b *testing.B) *esdbtest.Server {
	b.Helper()
	server := esdbtest.Start(b, esdbtest.Options{})
	log := open(b, server.ConnectionString(), esdb.Options{})
	for i := range benchEvents / 500 {
		events := proposed(500)
		if _, err := log.Append(b.Context(), eventstore.NewStream("bench", fmt.Sprint(i)), 0, events...); err != nil {
			b.Fatal(err)
		}
	}
	return server
}

// Catching up with the whole log.
func BenchmarkFollow(b *testing.B) {
	server := filledServer(b)
	log := open(b, server.ConnectionString(), esdb.Options{})
	b.ResetTimer()
	for range b.N {
		n := 0
		for _, err := range log.Follow(b.Context(), eventstore.Position{}, "bench-") {
			if err != nil {
				b.Fatal(err)
			}
			if n++; n == benchEvents {
				break
			}
		}
	}
	b.ReportMetric(float64(b.N)*benchEvents/b.Elapsed().Seconds(), "events/s")
}

// The limits: the client's own subscription, and the generated code.
func BenchmarkFollow_Client(b *testing.B) {
	server := filledServer(b)
	config, err := client.ParseConnectionString(server.ConnectionString())
	if err != nil {
		b.Fatal(err)
	}
	config.Logger = client.NoopLogging()
	c, err := client.NewClient(config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	b.ResetTimer()
	for range b.N {
		subscription, err := c.SubscribeToAll(b.Context(), client.SubscribeToAllOptions{
			From: client.Start{}, MaxSearchWindow: 1000, Filter: &client.SubscriptionFilter{Type: client.StreamFilterType, Prefixes: []string{"bench-"}},
		})
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; n < benchEvents; {
			if e := subscription.Recv(); e.EventAppeared != nil {
				n++
			} else if e.SubscriptionDropped != nil {
				b.Fatal(e.SubscriptionDropped.Error)
			}
		}
		_ = subscription.Close()
	}
	b.ReportMetric(float64(b.N)*benchEvents/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkFollow_Raw(b *testing.B) {
	server := filledServer(b)
	raw := rawClient(b, server)
	b.ResetTimer()
	for range b.N {
		call, err := raw.Read(b.Context(), &streams.ReadReq{Options: &streams.ReadReq_Options{
			StreamOption: &streams.ReadReq_Options_All{All: &streams.ReadReq_Options_AllOptions{
				AllOption: &streams.ReadReq_Options_AllOptions_Start{Start: &shared.Empty{}},
			}},
			CountOption: &streams.ReadReq_Options_Subscription{Subscription: &streams.ReadReq_Options_SubscriptionOptions{}},
			FilterOption: &streams.ReadReq_Options_Filter{Filter: &streams.ReadReq_Options_FilterOptions{
				Filter: &streams.ReadReq_Options_FilterOptions_StreamIdentifier{
					StreamIdentifier: &streams.ReadReq_Options_FilterOptions_Expression{Prefix: []string{"bench-"}},
				},
				Window:                       &streams.ReadReq_Options_FilterOptions_Max{Max: 1000},
				CheckpointIntervalMultiplier: 1,
			}},
			UuidOption: &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_Structured{}},
		}})
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; n < benchEvents; {
			message, err := call.Recv()
			if err != nil {
				b.Fatal(err)
			}
			if message.GetEvent() != nil {
				n++
			}
		}
	}
	b.ReportMetric(float64(b.N)*benchEvents/b.Elapsed().Seconds(), "events/s")
}

// One stream of 20 events.
func BenchmarkRead(b *testing.B) {
	log := open(b, esdbtest.Start(b, esdbtest.Options{}).ConnectionString(), esdb.Options{})
	if _, err := log.Append(b.Context(), "bench-1", 0, proposed(20)...); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		for _, err := range log.Read(b.Context(), "bench-1", 0) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
