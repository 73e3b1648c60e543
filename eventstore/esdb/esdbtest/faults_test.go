package esdbtest_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"rentbook/eventstore/esdb/esdbtest"
)

// What the client sees of each fault of an append, whether the events are in the log, and that
// sending the same again ends well.
func TestFaults_append(t *testing.T) {
	t.Parallel()
	for kind, c := range map[esdbtest.Kind]struct {
		code      esdb.ErrorCode
		committed bool
		text      string
	}{
		esdbtest.LoseReply:         {code: esdb.ErrorUnavailable, committed: true},
		esdbtest.NeverReply:        {code: esdb.ErrorCodeDeadlineExceeded, committed: true},
		esdbtest.LateReply:         {code: esdb.ErrorCodeDeadlineExceeded, committed: true},
		esdbtest.TimedOutCommitted: {code: esdb.ErrorAborted, committed: true, text: "Operation timed out"},
		esdbtest.Cut:               {code: esdb.ErrorUnavailable},
		esdbtest.Hang:              {code: esdb.ErrorCodeDeadlineExceeded},
		esdbtest.Unavailable:       {code: esdb.ErrorUnavailable, text: "Server Is Not Ready"},
		esdbtest.TimedOut:          {code: esdb.ErrorAborted, text: "Operation timed out"},
		esdbtest.SlowConsumer:      {code: esdb.ErrorAborted, text: "too slow"},
		esdbtest.AccessDenied:      {code: esdb.ErrorCodeAccessDenied},
		esdbtest.Unauthenticated:   {code: esdb.ErrorCodeUnauthenticated},
		esdbtest.NotLeader:         {code: esdb.ErrorCodeNotLeader},
		esdbtest.NotLeaderUnknown:  {code: esdb.ErrorCodeUnknown, text: "No leader info"},
		esdbtest.TooLarge:          {code: esdb.ErrorCodeUnknown, text: "Maximum Append Size of 1048576 Exceeded."},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f := start(t, esdbtest.Options{})
			f.append("before", esdb.NoStream{}, event(1))
			f.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: kind, Times: 1, Delay: patience})

			batch := events(2)
			err := f.within("a", esdb.NoStream{}, batch...)
			if want(t, err, c.code); !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %s", err, c.text)
			}
			f.struck(1, kind)
			if c.committed {
				f.holds(3)
			} else {
				f.holds(1)
			}
			f.append("a", esdb.NoStream{}, batch...)
			f.holds(3)
			f.struck(1)
		})
	}
}

func TestFaults_delete(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.append("a", esdb.NoStream{}, event(1))
	f.server.Inject(esdbtest.Fault{On: esdbtest.Delete, Kind: esdbtest.TimedOutCommitted})
	f.server.Inject(esdbtest.Fault{On: esdbtest.Tombstone, Kind: esdbtest.AccessDenied})
	_, err := f.client.TombstoneStream(f.ctx, "a", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}})
	want(t, err, esdb.ErrorCodeAccessDenied)
	_, err = f.client.DeleteStream(f.ctx, "a", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}})
	want(t, err, esdb.ErrorAborted)
	_, err = f.readStream("a", esdb.ReadStreamOptions{}, 1)
	want(t, err, esdb.ErrorCodeResourceNotFound)
	mustEqual(t, "calls", f.server.Calls(esdbtest.Delete)+f.server.Calls(esdbtest.Tombstone), 2)
}

// Which calls are struck is counted by fault.
func TestFaults_skipTimesMatchRemove(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	var notified atomic.Int32
	remove := f.server.Inject(esdbtest.Fault{
		On: esdbtest.Append, Kind: esdbtest.TimedOut, Skip: 1, Times: 2,
		Match:  func(stream string) bool { return strings.HasPrefix(stream, "a-") },
		Notify: func() { notified.Add(1) },
	})
	var failed []string
	for _, stream := range []string{"a-1", "b-1", "a-2", "b-2", "a-3", "a-4"} {
		if _, err := f.try(stream, esdb.NoStream{}, event(1)); err != nil {
			failed = append(failed, stream)
		}
	}
	mustEqual(t, "failed", strings.Join(failed, " "), "a-2 a-3")
	mustEqual(t, "notified", notified.Load(), 2)
	f.struck(2, esdbtest.TimedOut, esdbtest.Cut)
	f.struck(0, esdbtest.Cut)
	remove()

	remove = f.server.Inject(esdbtest.Fault{Kind: esdbtest.AccessDenied}) // always and everywhere
	_, err := f.try("a-5", esdb.NoStream{}, event(1))
	want(t, err, esdb.ErrorCodeAccessDenied)
	_, err = f.readStream("a-1", esdb.ReadStreamOptions{}, 1)
	want(t, err, esdb.ErrorCodeAccessDenied)
	remove()
	f.append("a-5", esdb.NoStream{}, event(1))
	mustEqual(t, "appends", f.server.Calls(esdbtest.Append), 8)
	mustEqual(t, "reads", f.server.Calls(esdbtest.Read), 1)
}

// A write that waits is carried out although the client has gone: the outcome changes after the
// error.
func TestFaults_delayedWriteComesLate(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	sub := f.subscribeAll(esdb.SubscribeToAllOptions{})
	f.hear(sub, "caught up")
	f.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.Delay, Delay: 2 * short, Times: 1})
	want(t, f.within("a", esdb.NoStream{}, event(1)), esdb.ErrorCodeDeadlineExceeded)
	f.holds(0)
	f.hear(sub, "a@0")
	f.holds(1)
}

// What comes too late for a server that stops is not written, though it still waited.
func TestFaults_stopForgetsDelayedWrites(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	waiting := make(chan struct{})
	f.server.Inject(esdbtest.Fault{
		On: esdbtest.Append, Kind: esdbtest.Delay, Delay: patience, Times: 1, Notify: func() { close(waiting) },
	})
	failed := make(chan error, 1)
	go func() {
		_, err := f.try("a", esdb.NoStream{}, event(1))
		failed <- err
	}()
	<-waiting
	f.server.Stop()
	want(t, <-failed, esdb.ErrorUnavailable)
	f.holds(0)
}

// A fault may stop the server itself.
func TestFaults_notifyMayStop(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.server.Inject(esdbtest.Fault{
		On: esdbtest.Append, Kind: esdbtest.NeverReply, Times: 1, Notify: func() { f.server.Stop() },
	})
	_, err := f.try("a", esdb.NoStream{}, event(1))
	want(t, err, esdb.ErrorUnavailable)
	f.holds(1)
	if err := f.server.Resume(); err != nil {
		t.Fatal(err)
	}
}

// Refused while it is sending, the client says EOF instead of why, and does not follow the leader.
func TestFaults_early(t *testing.T) {
	t.Parallel()
	for _, kind := range []esdbtest.Kind{esdbtest.TooLarge, esdbtest.NotLeader, esdbtest.AccessDenied, esdbtest.TimedOut} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f := start(t, esdbtest.Options{})
			f.append("before", esdb.NoStream{}, event(1))
			f.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: kind, Early: true, Times: 1})
			_, err := f.try("a", esdb.NoStream{}, event(400_000), event(400_000))
			if want(t, err, esdb.ErrorCodeUnknown); !strings.HasSuffix(err.Error(), "EOF") {
				t.Errorf("got %v", err)
			}
			f.struck(1, kind)
			f.holds(1)
		})
	}
}

func TestFaults_gap(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{StatsEvery: -1})
	one := f.append("a", esdb.NoStream{}, event(1)).CommitPosition
	two := f.append("a", esdb.Revision(0), event(1)).CommitPosition
	f.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.Gap, N: 1_000_000, Times: 1})
	three := f.append("a", esdb.Revision(1), event(1)).CommitPosition
	mustEqual(t, "the gap", three-two-(two-one), 1_000_000)

	// Both sides of the gap are places to read from; what is within is none.
	for at, ok := range map[uint64]bool{three: true, two + (two - one): true, three - 1: false} {
		read, err := f.readAll(esdb.ReadAllOptions{From: esdb.Position{Commit: at, Prepare: at}}, 1)
		if (err == nil) != ok || ok && read[0].EventNumber != 2 {
			t.Errorf("from %d: got %v, %v", at, read, err)
		}
	}
}

func TestFaults_read(t *testing.T) {
	t.Parallel()
	for kind, code := range map[esdbtest.Kind]esdb.ErrorCode{
		esdbtest.Unavailable:     esdb.ErrorUnavailable,
		esdbtest.AccessDenied:    esdb.ErrorCodeAccessDenied,
		esdbtest.Unauthenticated: esdb.ErrorCodeUnauthenticated,
		esdbtest.NotLeader:       esdb.ErrorCodeNotLeader,
		esdbtest.TimedOut:        esdb.ErrorAborted,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f := start(t, esdbtest.Options{})
			f.append("a", esdb.NoStream{}, events(5)...)
			f.server.Inject(esdbtest.Fault{On: esdbtest.Read, Kind: kind, After: 3, Times: 1})
			read, err := f.readStream("a", esdb.ReadStreamOptions{}, 10)
			want(t, err, code)
			mustEqual(t, "events before", numbers(read), "0 1 2")
			f.struck(1, kind)
			if read, err = f.readStream("a", esdb.ReadStreamOptions{}, 10); err != nil || len(read) != 5 {
				t.Errorf("got %v, %v", read, err)
			}
		})
	}
}

func TestFaults_readCut(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.append("a", esdb.NoStream{}, events(5)...)
	f.server.Inject(esdbtest.Fault{On: esdbtest.Read, Kind: esdbtest.Cut, After: 3, Times: 1})
	read, err := f.readStream("a", esdb.ReadStreamOptions{}, 10)
	if want(t, err, esdb.ErrorUnavailable); len(read) > 3 {
		t.Errorf("got %s", numbers(read))
	}
}

func TestFaults_readHangs(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.append("a", esdb.NoStream{}, events(5)...)
	f.server.Inject(esdbtest.Fault{On: esdbtest.Read, Kind: esdbtest.Hang, After: 2})
	ctx, cancel := context.WithTimeout(f.ctx, short)
	defer cancel()
	r, err := f.client.ReadStream(ctx, "a", esdb.ReadStreamOptions{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	read, err := drain(r)
	want(t, err, esdb.ErrorCodeDeadlineExceeded)
	mustEqual(t, "events before", numbers(read), "0 1")
}

// A fault behind the last event never strikes.
func TestFaults_readEndsBefore(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.append("a", esdb.NoStream{}, events(2)...)
	f.server.Inject(esdbtest.Fault{On: esdbtest.Read, Kind: esdbtest.Unavailable, After: 3, Times: 1})
	_, err := f.readStream("a", esdb.ReadStreamOptions{}, 10)
	want(t, err, none)
	f.struck(0)
}

func TestFaults_controlMessagePanics(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.append("a", esdb.NoStream{}, events(3)...)
	f.server.Inject(esdbtest.Fault{On: esdbtest.Read, Kind: esdbtest.Control, After: 1, Times: 1})
	defer func() {
		mustEqual(t, "panic", recover(), any("unreachable code"))
		f.struck(1, esdbtest.Control)
	}()
	_, err := f.readStream("a", esdb.ReadStreamOptions{}, 10)
	t.Errorf("no panic, but %v", err)
}

func TestFaults_subscriptionDropped(t *testing.T) {
	t.Parallel()
	for kind, code := range map[esdbtest.Kind]codes.Code{
		esdbtest.Unavailable:  codes.Unavailable,
		esdbtest.SlowConsumer: codes.Aborted,
		esdbtest.Cut:          codes.Unavailable,
		esdbtest.AccessDenied: codes.PermissionDenied,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			f := start(t, esdbtest.Options{})
			f.append("a", esdb.NoStream{}, events(5)...)
			f.server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: kind, After: 3, Times: 1})
			o := esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: prefix("a")}
			sub, err := f.client.SubscribeToAll(f.ctx, o)
			if err != nil && kind == esdbtest.Cut {
				want(t, err, esdb.ErrorUnavailable) // even the confirmation did not arrive
				return
			}
			want(t, err, none)
			var heard []string
			e := sub.Recv()
			for ; e.SubscriptionDropped == nil; e = sub.Recv() {
				heard = append(heard, told(e))
			}
			mustEqual(t, "dropped with", status.Code(e.SubscriptionDropped.Error), code)
			if got := strings.Join(heard, " "); kind != esdbtest.Cut && got != "a@0 a@1 a@2" {
				t.Errorf("got %s", got)
			}
			f.struck(1, kind)
			if kind != esdbtest.Cut {
				mustEqual(t, "the next", only(f.hear(f.subscribeAll(o), "caught up")), "a@0 a@1 a@2 a@3 a@4")
			}
		})
	}
}

// A subscription that runs already is struck too, without an event having to come.
func TestFaults_subscriptionDroppedWhileIdle(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	sub := f.subscribeAll(esdb.SubscribeToAllOptions{})
	f.hear(sub, "caught up")
	f.server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: esdbtest.Unavailable, Times: 1})
	if e := sub.Recv(); e.SubscriptionDropped == nil {
		t.Errorf("got %s", told(e))
	}
	f.struck(1)
}

func TestFaults_subscriptionRefused(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: esdbtest.AccessDenied, Early: true, Times: 1})
	_, err := f.client.SubscribeToAll(f.ctx, esdb.SubscribeToAllOptions{})
	want(t, err, esdb.ErrorCodeAccessDenied)
	f.subscribeAll(esdb.SubscribeToAllOptions{})
}

func TestFaults_subscriptionSilent(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.append("a", esdb.NoStream{}, events(2)...)
	f.server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: esdbtest.Hang, After: 3, Times: 1})
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	sub, err := f.client.SubscribeToAll(ctx, esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: prefix("a")})
	if err != nil {
		t.Fatal(err)
	}
	f.hear(sub, "caught up")
	f.append("a", esdb.Revision(1), events(3)...)
	f.hear(sub, "a@2")
	f.holds(5)
	next := make(chan string, 1)
	go func() { next <- told(sub.Recv()) }()
	select {
	case said := <-next:
		t.Fatalf("it said %s", said)
	case <-time.After(short):
	}
	cancel()
	mustEqual(t, "at the end", <-next, "dropped")
}

func TestFaults_deliversTwice(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.append("a", esdb.NoStream{}, events(3)...)
	o := esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: prefix("a")}

	remove := f.server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: esdbtest.Twice, After: 1})
	mustEqual(t, "twice", only(f.hear(f.subscribeAll(o), "caught up")), "a@0 a@1 a@1 a@2 a@2")
	remove()
	f.server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: esdbtest.Again, After: 3, N: 2, Times: 1})
	mustEqual(t, "again", only(f.hear(f.subscribeAll(o), "caught up")), "a@0 a@1 a@2 a@1 a@2")
	f.struck(2)
}

func TestFaults_checkpoints(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{StatsEvery: -1})
	f.append("a", esdb.NoStream{}, events(2)...)
	f.append("a", esdb.Revision(1), event(1))
	log := f.server.Log()
	at := func(back int) esdb.Position {
		p := log[len(log)-1-back].Position
		return esdb.Position{Commit: p, Prepare: p}
	}
	end := at(0).Commit + (at(0).Commit - at(1).Commit)
	first := esdb.Position{Commit: log[0].Position, Prepare: log[0].Position}
	for kind, wanted := range map[esdbtest.Kind][]esdb.Position{
		esdbtest.Gap:                   {at(0)}, // none of a subscription's
		esdbtest.CheckpointPrepareZero: {{Commit: end}},
		esdbtest.CheckpointLower:       {at(0), first},
		esdbtest.CheckpointExtra:       {at(2), at(1), at(0), at(0)},
	} {
		remove := f.server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: kind})
		sub := f.subscribeAll(esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: prefix("a")})
		var marks []esdb.Position
		for e := sub.Recv(); e.CaughtUp == nil; e = sub.Recv() {
			if e.SubscriptionDropped != nil {
				t.Fatal(e.SubscriptionDropped.Error)
			}
			if e.CheckPointReached != nil {
				marks = append(marks, *e.CheckPointReached)
			}
		}
		if len(marks) != len(wanted) {
			t.Fatalf("%s: got %v, want %v", kind, marks, wanted)
		}
		for i, mark := range marks {
			mustEqual(t, string(kind), mark, wanted[i])
		}
		remove()
		_ = sub.Close()
	}
	f.struck(3)
}

func TestFaults_subscriptionControlIsPassedOver(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.append("a", esdb.NoStream{}, events(2)...)
	f.server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: esdbtest.Control, After: 1})
	mustEqual(t, "heard", only(f.hear(f.subscribeAll(esdb.SubscribeToAllOptions{From: esdb.Start{}}), "caught up")), "a@0 a@1")
	f.struck(1)
}

func TestFaults_discovery(t *testing.T) {
	t.Parallel()
	t.Run("for a while", func(t *testing.T) {
		t.Parallel()
		f := start(t, esdbtest.Options{})
		f.server.Inject(esdbtest.Fault{On: esdbtest.Features, Kind: esdbtest.Unavailable, Times: 2})
		f.append("a", esdb.NoStream{}, event(1))
		mustEqual(t, "attempts", f.server.Calls(esdbtest.Features), 3)
	})
	t.Run("for too long", func(t *testing.T) {
		t.Parallel()
		f := start(t, esdbtest.Options{})
		client := connect(t, f.server.ConnectionString()+"&maxDiscoverAttempts=2&discoveryInterval=1")
		f.server.Inject(esdbtest.Fault{On: esdbtest.Features, Kind: esdbtest.Unavailable, Times: 2})
		_, err := client.AppendToStream(f.ctx, "a", esdb.AppendToStreamOptions{}, event(1))
		want(t, err, esdb.ErrorUnavailable)
		_, err = client.AppendToStream(f.ctx, "a", esdb.AppendToStreamOptions{}, event(1))
		want(t, err, esdb.ErrorCodeConnectionClosed) // the client is dead, the server is not
		f.append("a", esdb.NoStream{}, event(1))
	})
	t.Run("hangs", func(t *testing.T) {
		t.Parallel()
		f := start(t, esdbtest.Options{Nodes: 2})
		client := connect(t, f.server.ConnectionString()+"&maxDiscoverAttempts=1&gossipTimeout=1")
		f.server.Inject(esdbtest.Fault{On: esdbtest.Gossip, Kind: esdbtest.Hang, Times: 1})
		if _, err := client.AppendToStream(f.ctx, "a", esdb.AppendToStreamOptions{}, event(1)); err != nil {
			t.Fatal(err) // the other node answered
		}
		f.struck(1, esdbtest.Hang)
	})
	t.Run("version with a suffix", func(t *testing.T) {
		t.Parallel()
		f := start(t, esdbtest.Options{})
		client := connect(t, f.server.ConnectionString()+"&maxDiscoverAttempts=1")
		f.server.Inject(esdbtest.Fault{On: esdbtest.Features, Kind: esdbtest.VersionSuffix, Times: 1})
		_, err := client.AppendToStream(f.ctx, "a", esdb.AppendToStreamOptions{}, event(1))
		if err == nil || !strings.Contains(err.Error(), "invalid EventStoreDB server version format") {
			t.Errorf("got %v", err)
		}
	})
}

func TestStop(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.append("a", esdb.NoStream{}, event(1))
	sub := f.subscribeAll(esdb.SubscribeToAllOptions{})
	f.hear(sub, "caught up")
	f.server.Stop()
	if e := sub.Recv(); e.SubscriptionDropped == nil {
		t.Errorf("got %s", told(e))
	}
	if _, err := f.try("a", esdb.Revision(0), event(1)); err == nil {
		t.Error("appended to a server that has stopped")
	}
	refused := connect(t, f.server.ConnectionString()+"&maxDiscoverAttempts=1")
	_, err := refused.ReadAll(f.ctx, esdb.ReadAllOptions{}, 1)
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
	f.server.Stop() // again is nothing
	for range 2 {
		if err := f.server.Resume(); err != nil {
			t.Fatal(err)
		}
	}
	back := connect(t, f.server.ConnectionString())
	if _, err := back.AppendToStream(f.ctx, "a", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(0)}, event(1)); err != nil {
		t.Fatal(err)
	}
	f.holds(2)
	f.server.Close()
	if err := f.server.Resume(); err == nil {
		t.Error("a closed server resumes")
	}
}

// Faults come and go while the server works.
func TestFaults_concurrently(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	f.append("a", esdb.NoStream{}, event(1))
	round, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for range round {
			f.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.TimedOutCommitted, Times: 1})()
			f.server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: esdbtest.Twice})()
		}
	}()
	sub := f.subscribeAll(esdb.SubscribeToAllOptions{})
	f.hear(sub, "caught up")
	for range 200 {
		round <- struct{}{}
		if _, err := f.try("b", esdb.Any{}, event(1)); err != nil && codeOf(err) != esdb.ErrorAborted {
			t.Fatal(err)
		}
	}
	close(round)
	<-done
	f.hear(sub, "b@199")
	f.holds(201)
}
