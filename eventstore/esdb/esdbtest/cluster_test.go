package esdbtest_test

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"go.uber.org/goleak"

	"rentbook/eventstore/esdb/esdbtest"
)

func TestCluster_followersForwardWrites(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{Nodes: 3})
	f.append("a", esdb.NoStream{}, event(1))
	mustEqual(t, "at the leader", f.server.CallsAt(0, esdbtest.Append), 1)
	if f.server.Calls(esdbtest.Gossip) == 0 {
		t.Error("nobody asked who leads")
	}
	follower := connect(t, f.server.ConnectionString()+"&nodePreference=follower")
	if _, err := follower.AppendToStream(f.ctx, "a", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(0)}, event(1)); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "at the followers", f.server.Calls(esdbtest.Append)-f.server.CallsAt(0, esdbtest.Append), 1)
	read, err := f.readStream("a", esdb.ReadStreamOptions{}, 10)
	if want(t, err, none); len(read) != 2 {
		t.Errorf("got %v", read)
	}
}

func TestCluster_notLeaderNamesTheLeader(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{Nodes: 2})
	f.append("a", esdb.NoStream{}, event(1)) // at node 0
	f.server.Elect(1)
	f.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.NotLeader, Node: 1})
	_, err := f.try("a", esdb.Revision(0), event(1))
	want(t, err, esdb.ErrorCodeNotLeader)
	f.append("a", esdb.Revision(0), event(1)) // the client has gone there
	mustEqual(t, "at the new leader", f.server.CallsAt(1, esdbtest.Append), 1)

	f.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.NotLeader, Node: 2, Leader: f.server.Addrs()[1], Times: 1})
	_, err = f.try("a", esdb.Revision(1), event(1))
	want(t, err, esdb.ErrorCodeNotLeader)
	f.append("a", esdb.Revision(1), event(1)) // it pointed at itself
	mustEqual(t, "still there", f.server.CallsAt(1, esdbtest.Append), 3)
}

func TestCluster_leaderDies(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{Nodes: 3})
	batch := events(2)
	f.append("a", esdb.Any{}, batch...)
	f.server.StopNode(0)
	mustEqual(t, "leader", f.server.Leader(), 1)
	for f.server.CallsAt(1, esdbtest.Append) == 0 && f.ctx.Err() == nil {
		_, _ = f.try("a", esdb.Any{}, batch...) // fails until the client notices
	}
	f.holds(4) // only the old leader knew these ids
	mustEqual(t, "at the new leader", f.server.CallsAt(1, esdbtest.Append), 1)
	if err := f.server.ResumeNode(0); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "leader", f.server.Leader(), 1)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{TLS: true, User: "rentbook", Password: "p:ß/@?"})
	f.append("a", esdb.NoStream{}, event(1))
	f.subscribeAll(esdb.SubscribeToAllOptions{})

	wrong := esdb.AppendToStreamOptions{Authenticated: &esdb.Credentials{Login: "rentbook", Password: "guess"}}
	_, err := f.client.AppendToStream(f.ctx, "a", wrong, event(1))
	want(t, err, esdb.ErrorCodeUnauthenticated)
	nobody := connect(t, "esdb://"+f.server.Addrs()[0]+"?tlsCaFile="+f.server.CAFile())
	_, err = nobody.AppendToStream(f.ctx, "a", esdb.AppendToStreamOptions{}, event(1))
	want(t, err, esdb.ErrorCodeAccessDenied)
	localhost := strings.Replace(f.server.Addrs()[0], "127.0.0.1", "localhost", 1)
	stranger := connect(t, "esdb://"+localhost+"?maxDiscoverAttempts=1") // does not know the CA
	_, err = stranger.AppendToStream(f.ctx, "a", esdb.AppendToStreamOptions{}, event(1))
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

// Without TLS the client keeps the credentials to itself, and says nothing about it.
func TestTLS_credentialsNeedIt(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{User: "rentbook", Password: "secret"})
	_, err := f.try("a", esdb.NoStream{}, event(1))
	want(t, err, esdb.ErrorCodeAccessDenied)
}

func TestVersion(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{Version: "22.10.5"})
	version, err := f.client.GetServerVersion()
	if want(t, err, none); version == nil || *version != (esdb.ServerVersion{Major: 22, Minor: 10, Patch: 5}) {
		t.Errorf("got %+v", version)
	}
}

// Not parallel: it looks at all goroutines there are. Those of connections that the client leaked in
// other tests (it never closes the one it had before a rediscovery) come and go for ever.
func TestClose_leavesNothingBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	server, err := esdbtest.New(esdbtest.Options{TLS: true, Nodes: 2})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	config, err := esdb.ParseConnectionString(server.ConnectionString())
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: esdbtest.Hang})
	for range 2 {
		if _, err := client.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	server.Close()
	goleak.VerifyNone(t, before,
		goleak.IgnoreAnyFunction("google.golang.org/grpc.(*addrConn).resetTransportAndUnlock"),
		goleak.IgnoreAnyFunction("google.golang.org/grpc/internal/transport.(*http2Client).reader"),
		goleak.IgnoreAnyFunction("google.golang.org/grpc/internal/transport.(*http2Client).keepalive"))
	if _, err := os.Stat(server.CAFile()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the CA is still there: %v", err)
	}
}

// The program says where it is, serves, and ends when told to.
func TestProgram(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "server")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./server").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	program := exec.CommandContext(ctx, binary, "--fault", "append=timed-out:1")
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, client: connect(t, strings.TrimSpace(line)), ctx: ctx}
	_, err = f.try("a", esdb.NoStream{}, event(1))
	want(t, err, esdb.ErrorAborted)
	f.append("a", esdb.NoStream{}, event(1))
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err != nil {
		t.Error(err)
	}
}
