package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite/sqlitefile"
)

func event() eventstore.Proposed {
	return eventstore.Proposed{ID: uuid.New(), Type: "suite.thing-happened.v1", Data: make([]byte, 500)}
}

func opened(t *testing.T, o Options) *Log {
	t.Helper()
	l, err := Open(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return l
}

// held is a log whose first commit waits, so that a test can fill the queue behind it.
type held struct {
	*Log

	commits int
	reached chan struct{}
	release chan struct{}
	first   chan error
}

func hold(t *testing.T) *held {
	t.Helper()
	h := &held{reached: make(chan struct{}), release: make(chan struct{}), first: make(chan error, 1)}
	h.Log = opened(t, Options{BeforeSync: func() {
		if h.commits++; h.commits == 1 {
			close(h.reached)
			<-h.release
		}
	}})
	go func() {
		_, err := h.Append(context.WithoutCancel(t.Context()), "held-first", 0, event())
		h.first <- err
	}()
	<-h.reached
	return h
}

// await returns when so many requests wait behind the held commit.
func (h *held) await(waiting int) {
	for h.queue.length() < waiting {
		runtime.Gosched()
	}
}

func (h *held) let(t *testing.T) {
	t.Helper()
	close(h.release)
	if err := <-h.first; err != nil {
		t.Errorf("the held append: %v", err)
	}
}

func TestLog_CommitsTogetherWhatWaitsTogether(t *testing.T) {
	t.Parallel()
	h := hold(t)
	var all sync.WaitGroup
	for i := range 63 {
		all.Go(func() {
			if _, err := h.Append(t.Context(), eventstore.NewStream("s", fmt.Sprint(i)), 0, event()); err != nil {
				t.Error(err)
			}
		})
	}
	h.await(63)
	h.let(t)
	all.Wait()
	if h.commits != 2 {
		t.Errorf("64 appends took %d syncs, want the held one and one more", h.commits)
	}
}

func TestLog_RefusesOneOfABatchAlone(t *testing.T) {
	t.Parallel()
	h := hold(t)
	repeated := event()
	var all sync.WaitGroup
	try := func(s eventstore.Stream, after eventstore.Version, e eventstore.Proposed, want error) {
		waiting := h.queue.length()
		all.Go(func() {
			if _, err := h.Append(t.Context(), s, after, e); !errors.Is(err, want) {
				t.Errorf("append to %s after %d: got %v, want %v", s, after, err, want)
			}
		})
		h.await(waiting + 1)
	}
	try("s-1", 0, repeated, nil)
	try("s-1", 0, event(), eventstore.ErrConflict)
	try("s-1", 0, repeated, nil)
	try("s-1", 1, event(), nil)
	try("s-2", 7, event(), eventstore.ErrConflict)
	try("s-2", 0, event(), nil)
	h.let(t)
	all.Wait()
	if head, err := h.Head(t.Context()); err != nil || head != eventstore.PositionAt(4) {
		t.Errorf("the head is %v, %v, want 4", head, err)
	}
}

func TestLog_AbandonedAppendIsUnknownAndCarriedOut(t *testing.T) {
	t.Parallel()
	h := hold(t)
	ctx, cancel := context.WithCancel(t.Context())
	given, e := make(chan error), event()
	go func() {
		_, err := h.Append(ctx, "s-1", 0, e)
		given <- err
	}()
	h.await(1)
	cancel()
	err := <-given
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the outcome is unknown") {
		t.Errorf("abandoned: got %v", err)
	}
	h.let(t)
	if _, err := h.Append(t.Context(), "s-1", 0, e); err != nil {
		t.Errorf("finding out: %v", err)
	}
	if _, err := h.Append(t.Context(), "s-1", 1, event()); err != nil {
		t.Errorf("carried out more than once: %v", err)
	}
}

func TestLog_CloseCarriesOutWhatWaits(t *testing.T) {
	t.Parallel()
	h := hold(t)
	waiting := make(chan error)
	go func() {
		_, err := h.Append(context.WithoutCancel(t.Context()), "s-1", 0, event())
		waiting <- err
	}()
	h.await(1)
	closed := make(chan error)
	go func() { closed <- h.Close() }()
	h.let(t)
	if err := errors.Join(<-waiting, <-closed); err != nil {
		t.Error(err)
	}
	refusesEverything(t, h.Log)
}

func refusesEverything(t *testing.T, l *Log) {
	t.Helper()
	_, appending := l.Append(t.Context(), "s-1", 0, event())
	_, asking := l.Head(t.Context())
	errs := map[string]error{"append": appending, "head": asking}
	for _, err := range l.Read(t.Context(), "s-1", 0) {
		errs["read"] = err
	}
	for _, err := range l.Follow(t.Context(), eventstore.Position{}) {
		errs["follow"] = err
	}
	for what, err := range errs {
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("%s: got %v, want %v", what, err, eventstore.ErrUnavailable)
		}
	}
	if len(errs) != 4 {
		t.Errorf("some reads had nothing to say: %v", errs)
	}
}

func TestLog_FailedSyncEndsTheLog(t *testing.T) {
	t.Parallel()
	fatal := 0
	l := opened(t, Options{Fatal: func(error) { fatal++ }})
	if _, err := l.Append(t.Context(), "s-1", 0, event()); err != nil {
		t.Fatal(err)
	}
	l.writer.commit = sqlite.ResultIOErrFsync.ToError // nobody commits at the moment
	_, err := l.Append(t.Context(), "s-1", 1, event())
	if !errors.Is(err, eventstore.ErrUnavailable) || !strings.Contains(err.Error(), "the outcome is unknown") {
		t.Errorf("append whose sync failed: got %v", err)
	}
	refusesEverything(t, l)
	if fatal != 1 {
		t.Errorf("the end was reported %d times, want once", fatal)
	}
}

func TestLog_FollowersHearThatTheStorageFailed(t *testing.T) {
	t.Parallel()
	l := opened(t, Options{})
	if _, err := l.Append(t.Context(), "s-1", 0, event()); err != nil {
		t.Fatal(err)
	}
	l.writer.commit = sqlite.ResultIOErrFsync.ToError
	var last error
	for _, err := range l.Follow(t.Context(), eventstore.Position{}) {
		if last = err; err == nil {
			_, _ = l.Append(t.Context(), "s-1", 1, event())
		}
	}
	if !errors.Is(last, eventstore.ErrUnavailable) {
		t.Errorf("the follower ended with %v", last)
	}
}

func TestLog_FullDiskRefusesAppendsOnly(t *testing.T) {
	t.Parallel()
	l := opened(t, Options{Fatal: func(err error) { t.Errorf("a full disk is no failed storage: %v", err) }})
	limit := func(pages string) {
		if err := sqlitefile.Exec(l.writer.conn, "PRAGMA max_page_count="+pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("40")
	var acknowledged []eventstore.Proposed
	var err error
	for err == nil {
		e := event()
		if _, err = l.Append(t.Context(), "s-1", eventstore.Version(len(acknowledged)), e); err == nil {
			acknowledged = append(acknowledged, e)
		}
	}
	if !errors.Is(err, eventstore.ErrUnavailable) || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("append to a full disk: got %v", err)
	}
	last := len(acknowledged) - 1
	if _, err := l.Append(t.Context(), "s-1", eventstore.Version(last), acknowledged[last]); err != nil {
		t.Errorf("a repeat needs no room: %v", err)
	}
	limit("4000")
	e := event()
	if _, err := l.Append(t.Context(), "s-1", eventstore.Version(len(acknowledged)), e); err != nil {
		t.Errorf("append after there is room again: %v", err)
	}
	isThere(t, l, append(acknowledged, e))
}

func isThere(t *testing.T, l *Log, want []eventstore.Proposed) {
	t.Helper()
	var got []uuid.UUID
	for e, err := range l.Read(t.Context(), "s-1", 0) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.ID)
		if position := eventstore.PositionAt(uint64(len(got))); e.Position != position {
			t.Errorf("version %d stands at %v, want %v", e.Version, e.Position, position)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d events are there, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i].ID {
			t.Fatalf("version %d is %s, want %s", i+1, got[i], want[i].ID)
		}
	}
}

func TestLog_WriteAheadLogStaysSmall(t *testing.T) {
	t.Parallel()
	l := opened(t, Options{})
	l.checkpoints.passive, l.checkpoints.most = 16, 256
	const bound = 4 << 20
	appends := make([]eventstore.Append, 8_000)
	for i := range appends {
		appends[i] = eventstore.Append{
			Stream: "s-1", After: eventstore.Version(i), Events: []eventstore.Proposed{event()},
		}
	}
	for i := 0; i < len(appends); i += 20 { // 400 commits: 12 MiB if it never starts over
		for _, outcome := range l.AppendEach(t.Context(), appends[i:i+20]) {
			if outcome.Err != nil {
				t.Fatal(outcome.Err)
			}
		}
	}
	info, err := os.Stat(l.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > bound {
		t.Errorf("the write-ahead log has %d bytes, want less than %d", info.Size(), bound)
	}
}

func TestFitting(t *testing.T) {
	t.Parallel()
	of := func(events, bytes int) eventstore.Append {
		a := eventstore.Append{Events: make([]eventstore.Proposed, events)}
		a.Events[0].Data = make([]byte, bytes)
		return a
	}
	for _, c := range []struct {
		name    string
		appends []eventstore.Append
		want    int
	}{
		{"all that are small", []eventstore.Append{of(1, 1), of(1, 1), of(1, 1)}, 3},
		{"as many events as are allowed", []eventstore.Append{of(1000, 1), of(24, 1), of(1, 1)}, 2},
		{"as many bytes as are allowed", []eventstore.Append{of(1, 4<<20), of(1, 1)}, 1},
		{"at least one", []eventstore.Append{of(5000, 1), of(1, 1)}, 1},
	} {
		if got := fitting(c.appends); got != c.want {
			t.Errorf("%s: %d fit, want %d", c.name, got, c.want)
		}
	}
}
