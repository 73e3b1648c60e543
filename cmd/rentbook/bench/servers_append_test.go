package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
)

// appendGoal is the log on EventStoreDB against the bare calls that it makes. An append of ours is
// written and then read back, so the other side is the same pair of calls; what appends cost that are
// not read back is shown beside it. Catching up is against the client's own subscription.
func (s *servers) appendGoal() *serverGoal {
	g := appendGoal{servers: s}
	for i, clients := range g.clients() {
		g.pairs[i] = compare(wantAtLeast(0.6, fmt.Sprintf("appends / append and read over bare gRPC, c=%d", clients)),
			fmt.Sprintf("append/grpc-pair-c%d", clients), "/s")
		g.singles[i] = compare(justShow("", fmt.Sprintf("appends / append over bare gRPC, c=%d", clients)),
			fmt.Sprintf("append/grpc-append-c%d", clients), "/s")
	}
	g.follow = compare(justShow("", "catch-up, Follow / the client's subscription"), "follow/subscription", " events/s")
	return s.newGoal("G13", g.open, g.pairs[0], g.pairs[1], g.singles[0], g.singles[1], g.follow)
}

type appendGoal struct {
	*servers

	pairs, singles [2]*comparison // as there are clients
	follow         *comparison

	long       *double // with a log to catch up with
	longEvents int
}

func (*appendGoal) clients() [2]int { return [2]int{1, readers} }

func (g *appendGoal) open(ctx context.Context) (_ *measuring, err error) {
	if g.long, err = g.newDouble(ctx); err != nil {
		return nil, err
	}
	if err := g.fill(ctx); err != nil {
		return nil, errors.Join(err, g.long.close())
	}
	return &measuring{round: g.round, done: func(context.Context) error { return g.long.close() }}, nil
}

func (g *appendGoal) round(ctx context.Context, say func(string, ...any)) error {
	if err := g.appendRound(ctx, say); err != nil {
		return err
	}
	theirs, err := g.subscribe(ctx)
	if err != nil {
		return err
	}
	ours, err := g.followAll(ctx)
	if err != nil {
		return err
	}
	events := float64(g.longEvents)
	say("catch-up of %d events: Follow %.0f/s, the client's subscription %.0f/s", g.longEvents, events/ours.Seconds(), events/theirs.Seconds())
	g.follow.add(events/ours.Seconds(), events/theirs.Seconds())
	return nil
}

// appendRound is on a double of its own, which has to keep all of it in memory.
func (g *appendGoal) appendRound(ctx context.Context, say func(string, ...any)) (err error) {
	d, err := g.newDouble(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	log, err := esdb.Open(ctx, d.address, esdb.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	bare, err := newBare(ctx, d, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.close()) }()
	w := writers{data: sampleData()}
	for i, clients := range g.clients() {
		single, err := drive(ctx, clients, g.block, w.by(bare.append))
		if err != nil {
			return err
		}
		pair, err := drive(ctx, clients, g.block, w.by(bare.appendAndRead))
		if err != nil {
			return err
		}
		ours, err := drive(ctx, clients, g.block, w.by(func(
			ctx context.Context, s eventstore.Stream, after eventstore.Version, e eventstore.Proposed,
		) error {
			_, err := log.Append(ctx, s, after, e)
			return err
		}))
		if err != nil {
			return err
		}
		say("%2d callers: bare append          %v", clients, single)
		say("            bare append and read %v", pair)
		say("            log                  %v", ours)
		g.pairs[i].add(ours.rate(), pair.rate())
		g.singles[i].add(ours.rate(), single.rate())
	}
	return w.verify(ctx, log)
}

// writers append events to streams of their own, by any means.
type writers struct {
	callers, events atomic.Int64
	data            []byte
}

// streamsEach is how many streams each of them has.
const streamsEach = 100

func (w *writers) by(
	write func(ctx context.Context, s eventstore.Stream, after eventstore.Version, e eventstore.Proposed) error,
) workers {
	return func() (worker, error) {
		caller, turn := w.callers.Add(1), 0
		return worker{op: func(ctx context.Context) error {
			stream := eventstore.NewStream("plain", fmt.Sprintf("%d-%d", caller, turn%streamsEach))
			after := eventstore.Version(turn / streamsEach)
			turn++
			return write(ctx, stream, after, plainEvent(w.events.Add(1), w.data))
		}}, nil
	}
}

func plainEvent(n int64, data []byte) eventstore.Proposed {
	return proposed(plainID(n), rent.ChargeEntered{}.EventType(), data)
}

func plainID(n int64) uuid.UUID {
	id := uuid.UUID{6: 0x80, 8: 0x80}
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id
}

// verify counts, beside the one event that newBare wrote.
func (w *writers) verify(ctx context.Context, log *esdb.Log) error {
	n := node{log: log, gaps: true}
	recorded, err := n.recorded(ctx)
	if err == nil && recorded != w.events.Load()+1 {
		err = fmt.Errorf("%d events were acknowledged, the log holds %d", w.events.Load()+1, recorded)
	}
	return err
}

// bare is the client's generated code and nothing more, on one connection.
type bare struct {
	conn     *grpc.ClientConn
	streams  streams.StreamsClient
	metadata []byte
}

// newBare takes the metadata of events from one that the log wrote, so that both sides send as much.
func newBare(ctx context.Context, d *double, log *esdb.Log) (_ *bare, err error) {
	sample := plainEvent(0, sampleData())
	if _, err := log.Append(ctx, "plain-sample", 0, sample); err != nil {
		return nil, err
	}
	host, err := d.host()
	if err != nil {
		return nil, err
	}
	b := &bare{}
	if b.conn, err = grpc.NewClient(host, grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		return nil, err
	}
	b.streams = streams.NewStreamsClient(b.conn)
	written, err := b.read(ctx, "plain-sample", 0)
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	b.metadata = written.GetCustomMetadata()
	return b, nil
}

func (b *bare) close() error { return b.conn.Close() }

func structured(id uuid.UUID) *shared.UUID {
	most, least := es.UUIDAsInt64(id)
	return &shared.UUID{Value: &shared.UUID_Structured_{
		Structured: &shared.UUID_Structured{MostSignificantBits: most, LeastSignificantBits: least},
	}}
}

func (b *bare) append(ctx context.Context, s eventstore.Stream, after eventstore.Version, e eventstore.Proposed) error {
	options := &streams.AppendReq_Options{
		StreamIdentifier:       &shared.StreamIdentifier{StreamName: []byte(s)},
		ExpectedStreamRevision: &streams.AppendReq_Options_NoStream{NoStream: &shared.Empty{}},
	}
	if after > 0 {
		options.ExpectedStreamRevision = &streams.AppendReq_Options_Revision{Revision: uint64(after) - 1}
	}
	call, err := b.streams.Append(ctx)
	if err != nil {
		return err
	}
	if err := call.Send(&streams.AppendReq{Content: &streams.AppendReq_Options_{Options: options}}); err != nil {
		return err
	}
	err = call.Send(&streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
		Id: structured(e.ID), Metadata: map[string]string{"type": e.Type, "content-type": "application/json"},
		Data: e.Data, CustomMetadata: b.metadata,
	}}})
	if err != nil {
		return err
	}
	answer, err := call.CloseAndRecv()
	if err == nil && answer.GetSuccess().GetCurrentRevision() != uint64(after) {
		err = fmt.Errorf("append to %s: got %v", s, answer)
	}
	return err
}

func (b *bare) appendAndRead(ctx context.Context, s eventstore.Stream, after eventstore.Version, e eventstore.Proposed) error {
	if err := b.append(ctx, s, after, e); err != nil {
		return err
	}
	_, err := b.read(ctx, s, uint64(after))
	return err
}

// read is one event, to the end of the answer.
func (b *bare) read(ctx context.Context, s eventstore.Stream, revision uint64) (*streams.ReadResp_ReadEvent_RecordedEvent, error) {
	call, err := b.streams.Read(ctx, &streams.ReadReq{Options: &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(s)},
			RevisionOption:   &streams.ReadReq_Options_StreamOptions_Revision{Revision: revision},
		}},
		CountOption:  &streams.ReadReq_Options_Count{Count: 1},
		FilterOption: &streams.ReadReq_Options_NoFilter{NoFilter: &shared.Empty{}},
		UuidOption:   &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_Structured{Structured: &shared.Empty{}}},
	}})
	if err != nil {
		return nil, err
	}
	var found *streams.ReadResp_ReadEvent_RecordedEvent
	for {
		answer, err := call.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if e := answer.GetEvent().GetEvent(); e != nil {
			found = e
		}
	}
	if found == nil || found.GetStreamRevision() != revision || !bytes.Equal(found.GetStreamIdentifier().GetStreamName(), []byte(s)) {
		return nil, fmt.Errorf("read revision %d of %s: got %v", revision, s, found)
	}
	return found, nil
}

// longMax bounds the log to catch up with: the double keeps it in memory.
const longMax = 200_000

// fill records what there is to catch up with, many events at a time.
func (g *appendGoal) fill(ctx context.Context) (err error) {
	log, err := esdb.Open(ctx, g.long.address, esdb.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	const together = 500
	data := sampleData()
	for stream := 0; g.longEvents < min(g.events, longMax); stream++ {
		var events []eventstore.Proposed
		for range together {
			g.longEvents++
			events = append(events, plainEvent(int64(g.longEvents), data))
		}
		if _, err := log.Append(ctx, eventstore.NewStream("plain", strconv.Itoa(stream)), 0, events...); err != nil {
			return err
		}
	}
	return nil
}

// inOrder makes sure that what a catch-up brings is what was recorded.
func (g *appendGoal) inOrder(n int, id uuid.UUID) error {
	if want := plainID(int64(n)); id != want {
		return fmt.Errorf("event %d to be caught up with is %s, want %s", n, id, want)
	}
	return nil
}

// followAll catches up as the views do, on a connection that is there.
func (g *appendGoal) followAll(ctx context.Context) (took time.Duration, err error) {
	log, err := esdb.Open(ctx, g.long.address, esdb.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	head, err := log.Head(ctx)
	if err != nil {
		return 0, err
	}
	began, n := time.Now(), 0
	for r, err := range eventstore.ReadTo(ctx, log, eventstore.Position{}, head) {
		if err != nil {
			return 0, err
		}
		n++
		if err := g.inOrder(n, r.ID); err != nil {
			return 0, err
		}
	}
	if n != g.longEvents {
		return 0, fmt.Errorf("caught up with %d events, want %d", n, g.longEvents)
	}
	return time.Since(began), nil
}

// subscribe catches up with the client alone, which makes events of the answers, and nothing of those.
func (g *appendGoal) subscribe(ctx context.Context) (took time.Duration, err error) {
	config, err := es.ParseConnectionString(g.long.address)
	if err != nil {
		return 0, err
	}
	config.Logger = es.NoopLogging()
	client, err := es.NewClient(config)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	if err := connect(ctx, client); err != nil {
		return 0, err
	}
	began := time.Now()
	subscription, err := client.SubscribeToAll(ctx, es.SubscribeToAllOptions{
		From: es.Start{}, Filter: es.ExcludeSystemEventsFilter(), MaxSearchWindow: 1000, CheckpointInterval: 1,
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, subscription.Close()) }()
	for n := 0; n < g.longEvents; {
		message := subscription.Recv()
		if message.SubscriptionDropped != nil {
			return 0, message.SubscriptionDropped.Error
		}
		if message.EventAppeared == nil {
			continue
		}
		n++
		if err := g.inOrder(n, message.EventAppeared.OriginalEvent().EventID); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// connect makes the client's connection, which it would make with its first call.
func connect(ctx context.Context, client *es.Client) error {
	last, err := client.ReadAll(ctx, es.ReadAllOptions{Direction: es.Backwards, From: es.End{}}, 1)
	if err != nil {
		return err
	}
	defer last.Close()
	_, err = last.Recv()
	return err
}
