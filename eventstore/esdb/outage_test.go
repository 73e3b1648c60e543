package esdb_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/esdb/esdbtest"
)

// outage is how long a server is away: longer than the client on its own survives.
const outage = 1600 * time.Millisecond

// traffic writes to streams of their own from several goroutines until it is told to stop, which
// waits for them.
func (l *ledger) traffic(writers int) (stop func()) {
	l.Helper()
	done := make(chan struct{})
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				if took, _ := l.write(eventstore.NewStream("traffic", fmt.Sprint(w)), 1+i%2); took > outage+recoveryMax {
					l.Errorf("writer %d: an append took %v", w, took)
				}
			}
		})
	}
	stop = sync.OnceFunc(func() {
		close(done)
		all.Wait()
	})
	l.Cleanup(stop)
	return stop
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for limit := time.Now().Add(recoveryMax); !so(); {
		if time.Now().After(limit) {
			t.Fatalf("%s: not after %v", what, recoveryMax)
		}
		pause()
	}
}

func pause() { <-time.After(5 * time.Millisecond) }

// Sixteen writers and a follower outlive three outages, each of which would end the client, with a
// restart that makes the server forget what it knew by heart.
func TestOutage(t *testing.T) {
	t.Parallel()
	l := newLedger(t, esdbtest.Options{}, "")
	stop := l.traffic(16)
	for range 3 {
		before := len(l.server.Events())
		eventually(t, "traffic", func() bool { return len(l.server.Events()) > before+50 })
		l.server.Stop()
		eventually(t, "health says so", func() bool { return !l.log.Health().Connected })
		<-time.After(outage)
		if err := l.server.Resume(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		l.mustWrite("after-outage", 1)
		if took := time.Since(began); took > recoveryMax {
			t.Errorf("recovery took %v", took)
		}
	}
	stop()
	if h := l.log.Health(); !h.Connected || h.LastError == "" {
		t.Errorf("got health %+v, want connected with a reason for the outage", h)
	}
	l.audit()
}

// However often the connection breaks under load, nothing is left over.
func TestOutage_LeavesNothingBehind(t *testing.T) { //nolint:paralleltest // counts goroutines
	l := newLedger(t, esdbtest.Options{}, "")
	l.mustWrite("a-1", 1)
	settled := func() int {
		var n int
		for last := -1; n != last; {
			last = n
			for range 20 {
				pause()
			}
			n = runtime.NumGoroutine()
		}
		return n
	}
	before := settled()
	stop := l.traffic(16)
	for i := range 16 {
		if i%4 == 0 {
			l.server.Stop()
			if err := l.server.Resume(); err != nil {
				t.Fatal(err)
			}
		} else {
			kind := []esdbtest.Kind{esdbtest.LoseReply, esdbtest.Cut, esdbtest.Unavailable}[i%3]
			l.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: kind, Times: 1})
		}
		n := len(l.server.Events())
		eventually(t, "traffic", func() bool { return len(l.server.Events()) > n+100 })
	}
	stop()
	eventually(t, "goroutines end", func() bool { return settled() <= before+2 })
	l.audit()
}

// Callers who come while the server is away get their answer when their context ends.
func TestOutage_NobodyWaitsBeyondItsContext(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	log := open(t, server.ConnectionString(), esdb.Options{})
	if _, err := log.Append(t.Context(), "a-1", 0, proposed(1)...); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			defer cancel()
			began := time.Now()
			var err error
			switch i % 4 {
			case 0:
				_, err = log.Append(ctx, eventstore.NewStream("b", fmt.Sprint(i)), 0, proposed(1)...)
			case 1:
				for _, err = range log.Read(ctx, "a-1", 0) {
				}
			case 2:
				_, err = log.Head(ctx)
			case 3:
				for _, err = range log.Follow(ctx, eventstore.Position{}) {
				}
			}
			if took := time.Since(began); took > 2*time.Second || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("caller %d: %v after %v, want the context's error", i, err, took)
			}
		})
	}
	all.Wait()
}

// An outage that nobody runs into is known all the same, and so is its end.
func TestOutage_IsNoticedWhenIdle(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	log := open(t, server.ConnectionString(), esdb.Options{})
	eventually(t, "connected", func() bool { return log.Health().Connected })
	server.Stop()
	eventually(t, "noticed", func() bool { return !log.Health().Connected })
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "connected again", func() bool { return log.Health().Connected })
	if commit, err := log.Append(t.Context(), "a-1", 0, proposed(1)...); err != nil || commit.Repeated {
		t.Errorf("got %+v, %v", commit, err)
	}
}

// A server that is there but says nothing is given up and found again.
func TestOutage_Silence(t *testing.T) {
	t.Parallel()
	l := newLedger(t, esdbtest.Options{}, "")
	l.mustWrite("a-1", 1)
	remove := l.server.Inject(esdbtest.Fault{Kind: esdbtest.Hang, Early: true})
	eventually(t, "noticed", func() bool { return !l.log.Health().Connected })
	remove()
	l.mustWrite("a-1", 1)
	l.audit()
}

// A cluster loses the node that the log is connected to; the log finds another.
func TestOutage_OfALeader(t *testing.T) {
	t.Parallel()
	l := newLedger(t, esdbtest.Options{Nodes: 3}, "")
	stop := l.traffic(8)
	for node := range 3 {
		before := len(l.server.Events())
		eventually(t, "traffic", func() bool { return len(l.server.Events()) > before+30 })
		leader := l.server.Leader()
		l.server.StopNode(leader)
		l.mustWrite(eventstore.NewStream("without", fmt.Sprint(node)), 1)
		if err := l.server.ResumeNode(leader); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	l.audit()
}

// An answer is lost, and before anybody can ask again the server restarts and forgets it.
func TestOutage_ForgetsItsAnswers(t *testing.T) {
	t.Parallel()
	l := newLedger(t, esdbtest.Options{}, "")
	l.mustWrite("a-1", 1)
	for range 3 {
		restarted := make(chan error, 1)
		l.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.LoseReply, Times: 1, Notify: func() {
			go func() {
				l.server.Stop()
				restarted <- l.server.Resume()
			}()
		}})
		l.mustWrite("a-1", 3)
		if err := <-restarted; err != nil {
			t.Fatal(err)
		}
	}
	l.audit()
}

// Open does not need the server; it may come later.
func TestOpen_BeforeTheServer(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	server.Stop()
	log := open(t, server.ConnectionString(), esdb.Options{})
	eventually(t, "a reason", func() bool { return log.Health().LastError != "" })
	if h := log.Health(); h.Connected {
		t.Errorf("got health %+v", h)
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	if head, err := log.Head(t.Context()); err != nil || !head.IsZero() {
		t.Errorf("got head %v, %v", head, err)
	}
}

// Close ends what waits, and lets what is under way come to its end.
func TestClose(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	log := open(t, server.ConnectionString(), esdb.Options{})
	if _, err := log.Append(t.Context(), "a-1", 0, proposed(1)...); err != nil {
		t.Fatal(err)
	}
	struck := make(chan struct{})
	server.Inject(esdbtest.Fault{
		On: esdbtest.Append, Kind: esdbtest.Delay, Times: 1, Delay: 200 * time.Millisecond, Notify: func() { close(struck) },
	})
	var all sync.WaitGroup
	all.Go(func() {
		if commit, err := log.Append(t.Context(), "a-1", 1, proposed(1)...); err != nil || commit.Version != 2 {
			t.Errorf("the append under way: got %+v, %v", commit, err)
		}
	})
	following := make(chan struct{})
	all.Go(func() {
		var last error
		for _, err := range log.Follow(t.Context(), eventstore.Position{}) {
			if last = err; err == nil {
				close(following)
			}
		}
		if !errors.Is(last, eventstore.ErrUnavailable) {
			t.Errorf("the follower: got %v, want %v", last, eventstore.ErrUnavailable)
		}
	})
	<-following
	<-struck
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
	if h := log.Health(); h.Connected || h.LastError != "" {
		t.Errorf("after Close: got health %+v", h)
	}
	if _, err := log.Append(t.Context(), "a-1", 2, proposed(1)...); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("after Close: got %v, want %v", err, eventstore.ErrUnavailable)
	}
}
