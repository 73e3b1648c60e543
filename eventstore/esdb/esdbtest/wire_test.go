package esdbtest_test

import (
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"rentbook/eventstore/esdb/esdbtest"
)

// What the client does not show, or does not send, is looked at on the wire.

func dial(t *testing.T, s *esdbtest.Server) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(s.Addrs()[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func stream(name string) *shared.StreamIdentifier {
	return &shared.StreamIdentifier{StreamName: []byte(name)}
}

// send is one append on the wire, with its trailers.
func send(t *testing.T, conn *grpc.ClientConn, o *streams.AppendReq_Options, events ...*streams.AppendReq_ProposedMessage) (*streams.AppendResp, metadata.MD, error) {
	t.Helper()
	call, err := streams.NewStreamsClient(conn).Append(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := call.Send(&streams.AppendReq{Content: &streams.AppendReq_Options_{Options: o}}); err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := call.Send(&streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: e}}); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := call.CloseAndRecv()
	return resp, call.Trailer(), err
}

func proposal(size int) *streams.AppendReq_ProposedMessage {
	return &streams.AppendReq_ProposedMessage{
		Id:       &shared.UUID{Value: &shared.UUID_String_{String_: uuid.NewString()}},
		Metadata: map[string]string{"type": "happened.v1", "content-type": "application/json"},
		Data:     make([]byte, size),
	}
}

func TestWire_wrongVersionIsSaidTwice(t *testing.T) {
	t.Parallel()
	conn := dial(t, esdbtest.Start(t, esdbtest.Options{}))
	resp, _, err := send(t, conn, &streams.AppendReq_Options{
		StreamIdentifier:       stream("a"),
		ExpectedStreamRevision: &streams.AppendReq_Options_Revision{Revision: 3},
	}, proposal(1))
	if err != nil {
		t.Fatal(err)
	}
	w := resp.GetWrongExpectedVersion()
	mustEqual(t, "expected", w.GetExpectedRevision(), 3)
	mustEqual(t, "expected, for clients of 20.6", w.GetExpectedRevision_20_6_0(), 3)
	if w.GetCurrentNoStream() == nil || w.GetNoStream_20_6_0() == nil {
		t.Errorf("got %v", w)
	}
}

func TestWire_trailers(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{MaxAppendSize: 10})
	conn := dial(t, server)
	o := &streams.AppendReq_Options{
		StreamIdentifier:       stream("a"),
		ExpectedStreamRevision: &streams.AppendReq_Options_NoStream{NoStream: &shared.Empty{}},
	}
	_, trailer, err := send(t, conn, o, proposal(6), proposal(5))
	mustEqual(t, "status", status.Code(err), codes.InvalidArgument)
	mustEqual(t, "exception", trailer.Get("exception")[0], "maximum-append-size-exceeded")
	mustEqual(t, "size", trailer.Get("maximum-append-size")[0], "10")

	nameless := proposal(1)
	delete(nameless.Metadata, "type")
	_, trailer, err = send(t, conn, o, nameless)
	mustEqual(t, "status", status.Code(err), codes.InvalidArgument)
	mustEqual(t, "exception", trailer.Get("exception")[0], "missing-required-metadata-property")

	for kind, exception := range map[esdbtest.Kind]string{
		esdbtest.AccessDenied: "access-denied", esdbtest.NotLeader: "not-leader", esdbtest.TimedOut: "",
	} {
		server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: kind, Times: 1})
		_, trailer, err = send(t, conn, o, proposal(1))
		if err == nil {
			t.Errorf("%s: no error", kind)
		}
		got := ""
		if values := trailer.Get("exception"); len(values) > 0 {
			got = values[0]
		}
		mustEqual(t, "exception", got, exception)
	}

	_, err = streams.NewStreamsClient(conn).Delete(t.Context(), &streams.DeleteReq{Options: &streams.DeleteReq_Options{
		StreamIdentifier:       stream("a"),
		ExpectedStreamRevision: &streams.DeleteReq_Options_Revision{Revision: 3},
	}}, grpc.Trailer(&trailer))
	mustEqual(t, "status", status.Code(err), codes.FailedPrecondition)
	mustEqual(t, "expected", trailer.Get("expected-version")[0], "3")
	mustEqual(t, "actual", trailer.Get("actual-version")[0], "-1")
}

func TestWire_read(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	written := event(1)
	f.append("a", esdb.NoStream{}, written)
	call, err := streams.NewStreamsClient(dial(t, f.server)).Read(f.ctx, &streams.ReadReq{Options: &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: &streams.ReadReq_Options_StreamOptions{
			StreamIdentifier: stream("a"),
			RevisionOption:   &streams.ReadReq_Options_StreamOptions_Start{Start: &shared.Empty{}},
		}},
		CountOption:  &streams.ReadReq_Options_Count{Count: 1},
		FilterOption: &streams.ReadReq_Options_NoFilter{NoFilter: &shared.Empty{}},
		UuidOption:   &streams.ReadReq_Options_UUIDOption{Content: &streams.ReadReq_Options_UUIDOption_String_{String_: &shared.Empty{}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := call.Recv()
	if err != nil {
		t.Fatal(err)
	}
	e := resp.GetEvent().GetEvent()
	mustEqual(t, "id as text", e.GetId().GetString_(), written.EventID.String())
	mustEqual(t, "commit", e.GetCommitPosition(), e.GetPreparePosition())
	mustEqual(t, "commit of what was delivered", resp.GetEvent().GetCommitPosition(), e.GetCommitPosition())
	for _, name := range []string{"type", "content-type", "created"} {
		if e.GetMetadata()[name] == "" {
			t.Errorf("no %s in %v", name, e.GetMetadata())
		}
	}
}

func TestWire_discovery(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{Nodes: 3})
	conn := dial(t, server)
	supported, err := serverfeatures.NewServerFeaturesClient(conn).GetSupportedMethods(t.Context(), &shared.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "version", supported.GetEventStoreServerVersion(), "24.6.0")
	found := false
	for _, m := range supported.GetMethods() {
		found = found || m.GetServiceName() == "event_store.client.streams.streams" && m.GetMethodName() == "append"
	}
	mustEqual(t, "append is supported", found, true)

	server.StopNode(1)
	server.Elect(2)
	info, err := gossip.NewGossipClient(conn).Read(t.Context(), &shared.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range info.GetMembers() {
		mustEqual(t, "leads", m.GetState() == gossip.MemberInfo_Leader, i == 2)
		mustEqual(t, "lives", m.GetIsAlive(), i != 1)
	}
}
