package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"rentbook/domain/chargerun"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

func (s *scene) charges(id string, from, to int) {
	s.Helper()
	for i := from; i < to; i++ {
		given[rent.Event](s, account(id), raised(fmt.Sprintf("2026-%02d-%02d", i/28%12+1, i%28+1), 100))
	}
}

func (s *scene) balance(v *Views, id string) (balance int64) {
	s.Helper()
	s.read(v, func(r *Reader) error {
		a, err := r.Account(id)
		s.must(err)
		sum, err := r.Balance(id, date("2999-01-01"), r.Now())
		s.must(err)
		if sum != a.Balance {
			s.Errorf("account %s: entries sum to %d, the account says %d", id, sum, a.Balance)
		}
		balance = sum
		return nil
	})
	return balance
}

func TestViews_Run_followsTheLog(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.open()
	stop := s.run(v)
	given[rent.Event](s, account("T1"), opened("2026-01-01"))
	s.charges("T1", 0, 50)
	s.waitFor(v)
	if got := s.balance(v, "T1"); got != 5000 {
		t.Errorf("balance: got %d, want 5000", got)
	}
	stop()
	s.charges("T1", 50, 60)
	s.catchUp(v)
	if got := s.balance(v, "T1"); got != 6000 {
		t.Errorf("balance after catching up: got %d, want 6000", got)
	}
}

// A view that cannot take an event stops alone, says so, and goes on when it can.
func TestViews_Run_stopsOneViewAlone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.open()
	poisoned := newFault()
	v.views = func() []View { return poisoned.in(newViews(), "accounts") }
	s.run(v)
	given[rent.Event](s, account("T1"), opened("2026-01-01"))
	s.charges("T1", 0, 3)
	s.waitFor(v)
	poisoned.break_(true)
	s.charges("T1", 3, 4)
	bad, err := s.log.Head(t.Context())
	s.must(err)
	s.charges("T1", 4, 20)

	head, err := s.log.Head(t.Context())
	s.must(err)
	s.until(v, func(all map[string]ViewStatus) bool {
		others := true
		for name, st := range all {
			others = others && (name == "accounts" || st.Position == head)
		}
		return others && all["accounts"].Stopped
	})
	all := s.status(v)
	if st := all["accounts"]; st.StoppedAt != bad || st.Code != "apply-failed" || st.Behind != 17 {
		t.Errorf("the stopped view: got %+v", st)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := v.WaitFor(ctx, head); err != nil {
		t.Errorf("waiting beside a stopped view: %v", err)
	}
	s.read(v, func(r *Reader) error {
		if _, err := r.Account("T1"); !errors.Is(err, ErrStopped) || !errors.Is(err, ErrBehind) {
			t.Errorf("asking a stopped view: got %v, want ErrStopped", err)
		}
		return nil
	})

	poisoned.break_(false)
	s.until(v, func(all map[string]ViewStatus) bool { return all["accounts"].Position == head })
	if got := s.balance(v, "T1"); got != 2000 {
		t.Errorf("balance: got %d, want 2000", got)
	}
	s.charges("T1", 20, 21)
	s.waitFor(v)
}

// Reading goes on beside a stopped view, and never goes back: that view answers nothing until it is
// level again.
func TestViews_readBesideAStoppedView(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.open()
	poisoned := newFault()
	v.views = func() []View { return poisoned.in(newViews(), "explanations") }
	given[rent.Event](s, account("T1"), opened("2026-01-01"))
	s.charges("T1", 0, 3)
	s.catchUp(v)
	poisoned.break_(true)
	s.charges("T1", 3, 20)
	given[chargerun.Event](s, "chargeRun-A", chargerun.Started{Through: date("2026-02-01")})
	s.catchUp(v)
	if st := s.status(v)["explanations"]; !st.Stopped || st.Position != position(4) {
		t.Fatalf("explanations: got %+v", st)
	}
	s.waitFor(v)
	for id, err := range v.AccountIDs(t.Context()) {
		if id != "T1" || err != nil {
			t.Errorf("accounts: got %q, %v", id, err)
		}
	}
	if run, err := v.UnfinishedRun(t.Context(), date("2026-02-01")); run != "A" || err != nil {
		t.Errorf("unfinished run: got %q, %v", run, err)
	}
	if got := s.balance(v, "T1"); got != 2000 {
		t.Errorf("balance: got %d, want 2000", got)
	}
	s.readBeside(v)

	poisoned.break_(false)
	s.catchUp(v)
	for name, st := range s.status(v) {
		if st.Stopped || st.Behind > 0 {
			t.Errorf("afterwards, %s: got %+v", name, st)
		}
	}
	s.read(v, func(r *Reader) error {
		x, err := r.Explanation("T1", "rent:2026-01-20")
		if err != nil || len(x.Parts) != 1 {
			t.Errorf("an explanation afterwards: got %+v, %v", x, err)
		}
		return nil
	})
}

// readBeside reads while explanations are stopped at position 5 of 22.
func (s *scene) readBeside(v *Views) {
	s.Helper()
	s.read(v, func(r *Reader) error {
		statement, err := r.Statement("T1", date("2026-01-01"), date("2026-12-31"), r.Now())
		s.must(err)
		byTime, err := r.AtTime(r.Now().Time)
		s.must(err)
		if statement.Closing != 2000 || r.Position() != position(22) || byTime != r.Now() {
			s.Errorf("at %s, by time %+v: got %+v", r.Position(), byTime, statement)
		}
		if _, err := r.Explanation("T1", "rent:2026-01-01"); !errors.Is(err, ErrStopped) {
			s.Errorf("an explanation: got %v, want ErrStopped", err)
		}
		return nil
	})
}

// A view on its way back does not take the others into the past, whoever looks when.
func TestAlone_resumesWhenLevel(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.open()
	poisoned := newFault()
	v.views = func() []View { return poisoned.in(newViews(), "explanations") }
	poisoned.break_(true)
	given[rent.Event](s, account("T1"), opened("2026-01-01"))
	s.charges("T1", 0, 20)
	s.catchUp(v)
	poisoned.break_(false)
	_, own := v.feeds()
	explanations := own[slices.IndexFunc(own, func(a *alone) bool { return a.name() == "explanations" })]
	for _, last := range []int64{5, 21} {
		at := number(s.status(v)["explanations"].Position)
		for b, err := range v.batches(t.Context(), at, last, 100) {
			s.must(err)
			s.must(explanations.handle(t.Context(), b))
		}
		if st := s.status(v)["explanations"]; st.Position != position(last) || st.Stopped == (last == 21) {
			t.Errorf("after %d: got %+v", last, st)
		}
		s.read(v, func(r *Reader) error {
			if r.Position() != position(21) {
				t.Errorf("with explanations at %d, reading is at %s", last, r.Position())
			}
			return nil
		})
	}
}

// With the audit stopped, nothing is known of times; the rest goes on.
func TestReader_auditStopped(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.open()
	poisoned := newFault()
	v.views = func() []View { return poisoned.in(newViews(), "audit") }
	poisoned.break_(true)
	given[rent.Event](s, account("T1"), opened("2026-01-01"))
	s.charges("T1", 0, 3)
	s.catchUp(v)
	if got := s.balance(v, "T1"); got != 300 {
		t.Errorf("balance: got %d, want 300", got)
	}
	s.read(v, func(r *Reader) error {
		if want := (KnownAt{Position: position(4)}); r.Now() != want {
			t.Errorf("now: got %+v, want %+v", r.Now(), want)
		}
		if _, err := r.AtTime(time.Now()); !errors.Is(err, ErrStopped) {
			t.Errorf("by a time: got %v, want ErrStopped", err)
		}
		return nil
	})
}

func (s *scene) status(v *Views) map[string]ViewStatus {
	s.Helper()
	list, err := v.Status(s.Context())
	s.must(err)
	all := map[string]ViewStatus{}
	for _, st := range list {
		all[st.Name] = st
	}
	return all
}

// until looks again whenever something was written, for as long as the patience lasts.
func (s *scene) until(v *Views, is func(map[string]ViewStatus) bool) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	for {
		news := v.news.next()
		all := s.status(v)
		if is(all) {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			s.Fatalf("it never came to be: %+v", all)
		}
	}
}

func TestViews_Run_unknownTypeStopsAllButTheAudit(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.open()
	s.run(v)
	given[rent.Event](s, account("T1"), opened("2026-01-01"))
	s.append("future-1", eventstore.Proposed{ID: newID(), Type: "future.thing.v1", Data: []byte(`{}`)})
	s.until(v, func(all map[string]ViewStatus) bool {
		for name, st := range all {
			if st.Stopped == (name == "audit") || name == "audit" && st.Behind > 0 {
				return false
			}
		}
		return true
	})
	if st := s.status(v)["statement"]; st.Code != "unknown-type" {
		t.Errorf("got %+v", st)
	}
}

// Two processes on one directory: one writes, the other takes over.
func TestViews_Run_handsOver(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	first, second := s.open(), s.open()
	stop := s.run(first)
	given[rent.Event](s, account("T1"), opened("2026-01-01"))
	s.waitFor(first)
	s.run(second)
	s.charges("T1", 0, 5)
	s.waitFor(second)
	s.catchUp(second)
	stop()
	s.charges("T1", 5, 10)
	s.waitFor(second)
	s.waitFor(first)
	if got := s.balance(first, "T1"); got != 1000 {
		t.Errorf("got %d, want 1000", got)
	}
}

func TestViews_Rebuild_besideTheLog(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v, other := s.open(), s.open()
	s.run(v)
	given[rent.Event](s, account("T1"), opened("2026-01-01"))
	s.charges("T1", 0, 100)
	s.waitFor(v)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.charges("T1", 100, 300)
	}()
	rounds := 3
	if !thorough {
		rounds = 1
	}
	for range rounds {
		s.must(other.Rebuild(t.Context(), nil))
		s.must(v.Rebuild(t.Context(), nil, "statement"))
	}
	<-done
	s.waitFor(v)
	if got := s.balance(v, "T1"); got != 30000 {
		t.Errorf("got %d, want 30000", got)
	}
	for name, st := range s.status(v) {
		if st.Stopped || st.Rebuilding {
			t.Errorf("%s: %+v", name, st)
		}
	}
}

// fault breaks a view on demand.
type fault struct{ broken chan bool }

func newFault() *fault {
	f := &fault{make(chan bool, 1)}
	f.broken <- false
	return f
}

func (f *fault) break_(b bool) {
	<-f.broken
	f.broken <- b
}

func (f *fault) in(views []View, name string) []View {
	for i, v := range views {
		if v.Name() == name {
			views[i] = faulty{v, f}
		}
	}
	return views
}

type faulty struct {
	View
	fault *fault
}

var errPoison = errors.New("poison")

func (f faulty) Apply(tx database.Tx, events []Event) error {
	err := f.View.Apply(tx, events)
	broken := <-f.fault.broken
	f.fault.broken <- broken
	if broken {
		return errors.Join(err, errPoison)
	}
	return err
}
