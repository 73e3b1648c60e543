package esdb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/esdb/esdbtest"
)

// The caller of an append sees nothing of what passes, and the events are there once.
func TestAppend_SurvivesWhatPasses(t *testing.T) {
	t.Parallel()
	for _, f := range []esdbtest.Fault{
		{Kind: esdbtest.Cut, Times: 1},
		{Kind: esdbtest.Cut, Times: 3},
		{Kind: esdbtest.Cut, Times: 1, Early: true},
		{Kind: esdbtest.Hang, Times: 1},
		{Kind: esdbtest.Unavailable, Times: 1},
		{Kind: esdbtest.Unavailable, Times: 5},
		{Kind: esdbtest.TimedOut, Times: 2},
		{Kind: esdbtest.TimedOutCommitted, Times: 1},
		{Kind: esdbtest.TimedOutCommitted, Times: 2},
		{Kind: esdbtest.LoseReply, Times: 1},
		{Kind: esdbtest.LoseReply, Times: 3},
		{Kind: esdbtest.NeverReply, Times: 1},
		{Kind: esdbtest.LateReply, Times: 1, Delay: 3500 * time.Millisecond},
		{Kind: esdbtest.Delay, Times: 1, Delay: 3500 * time.Millisecond},
		{Kind: esdbtest.NotLeaderUnknown, Times: 2},
	} {
		f.On = esdbtest.Append
		t.Run(fmt.Sprintf("%s %d early %t", f.Kind, f.Times, f.Early), func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, esdbtest.Options{}, "")
			l.mustWrite("a-1", 1)
			l.server.Inject(f)
			l.mustWrite("a-1", 20)
			l.mustWrite("a-1", 2)
			if l.server.Fired(f.Kind) == 0 {
				t.Error("nothing went wrong")
			}
			l.audit()
		})
	}
}

// What this call wrote is not a repetition, whatever became of its answer; what another call wrote
// is one.
func TestAppend_TellsItsOwnEventsFromThoseThatWereThere(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	log := open(t, server.ConnectionString(), esdb.Options{})
	events := proposed(3)
	server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.LoseReply, Times: 2})
	first, err := log.Append(t.Context(), "a-1", 0, events...)
	if err != nil || first.Repeated {
		t.Fatalf("got %+v, %v, want what was recorded", first, err)
	}
	again, err := log.Append(t.Context(), "a-1", 0, events...)
	first.Repeated = true
	if err != nil || again != first {
		t.Errorf("again: got %+v, %v, want %+v", again, err, first)
	}
}

// A stranger who comes in between, after an attempt that came to nothing, is a conflict.
func TestAppend_LosesToAnotherWriter(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	log := open(t, server.ConnectionString(), esdb.Options{})
	other := open(t, server.ConnectionString(), esdb.Options{})
	var took error
	server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.Cut, Times: 1, Notify: func() {
		_, took = other.Append(context.WithoutCancel(t.Context()), "a-1", 0, proposed(2)...)
	}})
	_, err := log.Append(t.Context(), "a-1", 0, proposed(1)...)
	conflict, ok := errors.AsType[*eventstore.ConflictError](err)
	if took != nil || !ok || conflict.Got != 2 {
		t.Errorf("got %v (the other: %v), want a conflict at version 2", err, took)
	}
}

// An append that ends in doubt says so, and what ended it; one that never left says that.
func TestAppend_SaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	t.Run("silence after the events were recorded", func(t *testing.T) {
		t.Parallel()
		server := esdbtest.Start(t, esdbtest.Options{})
		log := openConnected(t, server, esdb.Options{})
		remove := server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.NeverReply})
		ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
		defer cancel()
		events := proposed(1)
		_, err := log.Append(ctx, "a-1", 0, events...)
		if !errors.Is(err, eventstore.ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) ||
			errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("got %v, want an unknown outcome and the context's error", err)
		}
		remove()
		if commit, err := log.Append(t.Context(), "a-1", 0, events...); err != nil || !commit.Repeated {
			t.Errorf("again: got %+v, %v, want a repetition", commit, err)
		}
	})
	t.Run("patience ends", func(t *testing.T) {
		t.Parallel()
		server := esdbtest.Start(t, esdbtest.Options{})
		log := openConnected(t, server, esdb.Options{Patience: time.Second})
		server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.TimedOutCommitted})
		_, err := log.Append(t.Context(), "a-1", 0, proposed(1)...)
		if !errors.Is(err, eventstore.ErrUnknownOutcome) || errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("got %v, want an unknown outcome", err)
		}
	})
	t.Run("cut off while sending", func(t *testing.T) {
		t.Parallel()
		server := esdbtest.Start(t, esdbtest.Options{})
		log := openConnected(t, server, esdb.Options{Patience: time.Second})
		server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.TooLarge, Early: true})
		events := proposed(900)
		for i := range events {
			events[i].Data = []byte(`"` + strings.Repeat("x", 700) + `"`)
		}
		_, err := log.Append(t.Context(), "a-1", 0, events...)
		if err == nil {
			t.Error("got no error")
		}
		if errors.Is(err, eventstore.ErrUnknownOutcome) && !strings.Contains(err.Error(), "MaxAppendSize") {
			t.Errorf("got %v, want a hint", err)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		server := esdbtest.Start(t, esdbtest.Options{})
		server.Stop()
		log := open(t, server.ConnectionString(), esdb.Options{Patience: 300 * time.Millisecond})
		_, err := log.Append(t.Context(), "a-1", 0, proposed(1)...)
		if !errors.Is(err, eventstore.ErrUnavailable) || errors.Is(err, eventstore.ErrUnknownOutcome) {
			t.Errorf("got %v, want that the store is unavailable", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = log.Append(ctx, "a-1", 0, proposed(1)...)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, eventstore.ErrUnknownOutcome) {
			t.Errorf("got %v, want the context's error and no doubt", err)
		}
	})
}

// What a server refuses for good is said at once, with advice.
func TestAppend_Refused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind esdbtest.Kind
		says string
		is   error
	}{
		{esdbtest.AccessDenied, "$admins", nil},
		{esdbtest.Unauthenticated, "user name and password", nil},
		{esdbtest.TooLarge, "Maximum Append Size", eventstore.ErrTooLarge},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			t.Parallel()
			server := esdbtest.Start(t, esdbtest.Options{})
			log := open(t, server.ConnectionString(), esdb.Options{})
			server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: c.kind})
			_, err := log.Append(t.Context(), "a-1", 0, proposed(1)...)
			if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) ||
				errors.Is(err, eventstore.ErrUnknownOutcome) || errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if n := server.Calls(esdbtest.Append); n != 1 {
				t.Errorf("it was tried %d times", n)
			}
		})
	}
}

// Too much is refused before anything is sent.
func TestAppend_TooLarge(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	log := open(t, server.ConnectionString(), esdb.Options{})
	large := proposed(2)
	large[1].Data = []byte(`"` + strings.Repeat("x", 1<<20) + `"`)
	for _, events := range [][]eventstore.Proposed{large, proposed(5000)} {
		if _, err := log.Append(t.Context(), "a-1", 0, events...); !errors.Is(err, eventstore.ErrTooLarge) {
			t.Errorf("%d events: got %v, want %v", len(events), err, eventstore.ErrTooLarge)
		}
	}
	if n := server.Calls(esdbtest.Append); n != 0 {
		t.Errorf("%d appends were sent", n)
	}
	large[1].Data = []byte(`"` + strings.Repeat("x", 1_000_000) + `"`)
	if _, err := log.Append(t.Context(), "a-1", 0, large...); err != nil {
		t.Error(err)
	}
}

// A node that does not lead names the one that does.
func TestAppend_NotLeader(t *testing.T) {
	t.Parallel()
	l := newLedger(t, esdbtest.Options{Nodes: 3}, "&nodePreference=follower")
	l.mustWrite("a-1", 1)
	l.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.NotLeader, Times: 1})
	l.mustWrite("a-1", 2)
	l.audit()
}

// The client panics about messages it does not know; the reading goes on behind them.
func TestRead_SurvivesWhatPasses(t *testing.T) {
	t.Parallel()
	for _, f := range []esdbtest.Fault{
		{Kind: esdbtest.Control, Times: 1, After: 3},
		{Kind: esdbtest.Control, Times: 2},
		{Kind: esdbtest.Cut, Times: 2, After: 700},
		{Kind: esdbtest.Hang, Times: 1, After: 10},
		{Kind: esdbtest.Unavailable, Times: 3, After: 5},
		{Kind: esdbtest.TimedOut, Times: 2},
	} {
		t.Run(fmt.Sprintf("%s after %d", f.Kind, f.After), func(t *testing.T) {
			t.Parallel()
			server := esdbtest.Start(t, esdbtest.Options{})
			log := open(t, server.ConnectionString(), esdb.Options{})
			events := proposed(1500)
			for i := 0; i < len(events); i += 500 {
				if _, err := log.Append(t.Context(), "a-1", eventstore.Version(i), events[i:i+500]...); err != nil {
					t.Fatal(err)
				}
			}
			f.On, f.Match = esdbtest.Read, func(stream string) bool { return stream == "a-1" }
			server.Inject(f)
			i := 0
			began := time.Now()
			for r, err := range log.Read(t.Context(), "a-1", 0) {
				if err != nil {
					t.Fatal(err)
				}
				if r.ID != events[i].ID {
					t.Fatalf("event %d is %s, want %s", i, r.ID, events[i].ID)
				}
				i++
			}
			if i != len(events) || time.Since(began) > recoveryMax || server.Fired() == 0 {
				t.Errorf("%d events after %v, %d faults", i, time.Since(began), server.Fired())
			}
		})
	}
}

// A follower misses nothing and sees nothing twice, whatever becomes of its subscription.
func TestFollow_SurvivesWhatPasses(t *testing.T) {
	t.Parallel()
	for _, f := range []esdbtest.Fault{
		{Kind: esdbtest.Cut, Times: 3, After: 5},
		{Kind: esdbtest.Cut, Times: 1, Early: true},
		{Kind: esdbtest.Hang, Times: 1, After: 5},
		{Kind: esdbtest.Hang, Times: 1, Early: true},
		{Kind: esdbtest.Unavailable, Times: 2, After: 1},
		{Kind: esdbtest.SlowConsumer, Times: 3, After: 2},
		{Kind: esdbtest.TimedOut, Times: 2, Early: true},
		{Kind: esdbtest.Control, Times: 2, After: 2},
		{Kind: esdbtest.Twice},
		{Kind: esdbtest.Again, N: 4, After: 6},
		{Kind: esdbtest.CheckpointPrepareZero},
		{Kind: esdbtest.CheckpointLower},
		{Kind: esdbtest.CheckpointExtra},
	} {
		t.Run(fmt.Sprintf("%s after %d early %t", f.Kind, f.After, f.Early), func(t *testing.T) {
			t.Parallel()
			f.On = esdbtest.Subscribe
			l := newLedger(t, esdbtest.Options{}, "")
			l.server.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.Gap, N: 977})
			l.server.Inject(f)
			if strings.HasPrefix(string(f.Kind), "checkpoint") || f.N > 0 || f.Kind == esdbtest.Twice {
				// What is wrong with a subscription shows when the next one goes on from it.
				l.server.Inject(esdbtest.Fault{On: esdbtest.Subscribe, Kind: esdbtest.SlowConsumer, After: 7, Times: 4})
			}
			for i := range 30 {
				l.mustWrite(eventstore.NewStream("a", fmt.Sprint(i%3)), 1+i%2)
			}
			began := time.Now()
			l.audit()
			if took := time.Since(began); took > recoveryMax || l.server.Fired(f.Kind) == 0 {
				t.Errorf("took %v, %d faults", took, l.server.Fired(f.Kind))
			}
		})
	}
}

// A version with a suffix is an error to the client; it is not told twice.
func TestOpen_VersionWithSuffix(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	remove := server.Inject(esdbtest.Fault{On: esdbtest.Features, Kind: esdbtest.VersionSuffix})
	log := open(t, server.ConnectionString(), esdb.Options{Patience: 300 * time.Millisecond})
	eventually(t, "a reason", func() bool { return log.Health().LastError != "" })
	_, err := log.Head(t.Context())
	if !errors.Is(err, eventstore.ErrUnavailable) || !strings.Contains(err.Error(), "version") {
		t.Errorf("got %v, want that the version is the reason", err)
	}
	remove()
	ctx, cancel := context.WithTimeout(t.Context(), recoveryMax)
	defer cancel()
	for _, err = log.Head(ctx); errors.Is(err, eventstore.ErrUnavailable); _, err = log.Head(ctx) {
	}
	if err != nil {
		t.Error(err)
	}
}
