package projections

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/projections/database"
)

// replay gives the whole log to the common feed in batches of the sizes drawn, each twice.
func (s *scene) replay(v *Views, size func() int) {
	s.Helper()
	head, err := s.log.Head(s.Context())
	s.must(err)
	all, _ := v.feeds()
	for {
		after, err := all.start(s.Context())
		s.must(err)
		if after == number(head) {
			return
		}
		for b, err := range v.batches(s.Context(), after, number(head), size()) {
			s.must(err)
			s.must(all.handle(s.Context(), b))
			if err := all.handle(s.Context(), b); !errors.Is(err, errMoved) {
				s.Fatalf("the same batch again: got %v, want errMoved", err)
			}
			all, _ = v.feeds() // as after a restart: nothing is remembered
			break
		}
	}
}

// However the log is cut into batches, and when a rebuild reads it in one, the tables are the same.
func TestViews_sameTablesHoweverTheyCame(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	s.works()
	s.charges("T2", 0, 300) // more than one mark of the audit index
	whole := s.open()
	s.catchUp(whole)
	want := s.dump(whole)
	s.must(whole.Rebuild(t.Context(), nil))
	if diff := cmp.Diff(want, s.dump(whole)); diff != "" {
		t.Errorf("after a rebuild (-want +got):\n%s", diff)
	}
	rapid.Check(t, func(rt *rapid.T) {
		v, err := Open(t.Context(), Config{Database: s.elsewhere().database(), Log: s.log, Codec: s.codec, LogID: "log"})
		s.must(err)
		s.replay(v, func() int { return rapid.IntRange(1, 90).Draw(rt, "size") })
		got := s.dump(v)
		s.must(v.Close())
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// naive is an account as a list of entries, which no view could get wrong.
type naive struct {
	entry    rent.Entry
	position int64
}

func naiveBalance(entries []naive, before domain.Date, known int64) (balance int64) {
	for _, e := range entries {
		if e.entry.ValueDate < before && e.position <= known {
			balance += e.entry.Signed()
		}
	}
	return balance
}

// Whatever was entered in whatever order of dates, as known at any point: openings are right, and
// the closing of one range is the opening of the next.
func TestReader_Statement_joins(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := newScene(t)
		var facts []rent.Event
		var entries []naive
		n := rapid.IntRange(1, 40).Draw(rt, "entries")
		for i := range n {
			d := date("2024-12-15") + domain.Date(rapid.IntRange(0, 450).Draw(rt, "day"))
			var fact rent.Event = paid("P"+string(rune('A'+i)), d.String(), int64(rapid.IntRange(1, 999).Draw(rt, "minor")))
			if rapid.Bool().Draw(rt, "debit") {
				fact = rent.AdjustmentMade{Adjustment: domain.ID("D" + string(rune('A'+i))), Kind: rent.KindDebit, Amount: gbp(int64(i + 1)), ValueDate: d}
			}
			facts = append(facts, fact)
			for _, e := range rent.Entries(fact) {
				entries = append(entries, naive{e, int64(i + 1)}) // the log is empty
			}
		}
		given(s, account("T1"), facts...)
		v := s.open()
		s.catchUp(v)
		s.read(v, func(r *Reader) error {
			for range 10 {
				k, err := r.At(position(int64(rapid.IntRange(0, n).Draw(rt, "known"))))
				s.must(err)
				from := date("2024-12-01") + domain.Date(rapid.IntRange(0, 500).Draw(rt, "from"))
				to := from + domain.Date(rapid.IntRange(0, 200).Draw(rt, "days"))
				first, err := r.Statement("T1", from, to, k)
				s.must(err)
				next, err := r.Statement("T1", to+1, to+30, k)
				s.must(err)
				known := number(k.Position)
				if want := naiveBalance(entries, from, known); first.Opening != want {
					rt.Fatalf("opening of %s known at %d: got %d, want %d", from, known, first.Opening, want)
				}
				if want := naiveBalance(entries, to+1, known); first.Closing != want || next.Opening != want {
					rt.Fatalf("%s to %s known at %d: closing %d, next opening %d, want %d", from, to, known, first.Closing, next.Opening, want)
				}
				last := first.Opening
				for _, l := range collect(t, first) {
					last = l.Balance
				}
				if last != first.Closing {
					rt.Fatalf("the lines lead to %d, the closing is %d", last, first.Closing)
				}
			}
			return nil
		})
	})
}

// Handlers that fail now and then, after they have written, leave nothing behind and count nothing
// twice.
func TestViews_Run_failuresKeepSumsExact(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	s.charges("T2", 0, 200)
	clean := s.open()
	s.catchUp(clean)
	want := s.dump(clean)

	v, err := Open(t.Context(), Config{Database: s.elsewhere().database(), Log: s.log, Codec: s.codec, LogID: "log"})
	s.must(err)
	defer func() { s.must(v.Close()) }()
	v.pause = clean.pause
	v.views = func() []View {
		views := newViews()
		for i := range views {
			views[i] = &flaky{View: views[i], every: i + 2}
		}
		return views
	}
	stop := s.run(v)
	s.until(v, func(all map[string]ViewStatus) bool {
		behind := slices.ContainsFunc(Names(), func(name string) bool { return all[name].Behind > 0 })
		return !behind
	})
	stop()
	if diff := cmp.Diff(want, s.dump(v)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// flaky fails every so often, in turn for good and for now.
type flaky struct {
	View

	every, calls int
}

func (f *flaky) Apply(tx database.Tx, events []Event) error {
	err := f.View.Apply(tx, events)
	if f.calls++; f.calls%f.every == 0 {
		if f.calls%4 == 0 {
			return database.ErrUnavailable
		}
		return errPoison
	}
	return err
}

func TestViews_Rebuild_killedInTheMiddle(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	v := s.open()
	s.catchUp(v)
	want := s.dump(v)
	ctx, cancel := context.WithCancel(t.Context())
	err := v.Rebuild(ctx, func(uint64, uint64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a rebuild whose context ended: got %v", err)
	}
	if diff := cmp.Diff(want, s.dump(v)); diff != "" {
		t.Errorf("the live tables (-want +got):\n%s", diff)
	}
	if st := s.status(v)["audit"]; !st.Rebuilding {
		t.Error("the status does not tell of it")
	}
	s.must(v.Rebuild(t.Context(), nil))
	if diff := cmp.Diff(want, s.dump(v)); diff != "" {
		t.Errorf("after the next rebuild (-want +got):\n%s", diff)
	}
	s.read(v, func(r *Reader) error {
		leftOver := `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND (name GLOB '*_[0-9]*' OR name GLOB '*_before_*')`
		if on() == "postgres" {
			leftOver = `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema AND tablename ~ '_([0-9]|before_)'`
		}
		tables, err := one(r, func(row database.Row) int64 { return row.Int(0) }, leftOver)
		s.must(err)
		if tables > 0 {
			t.Errorf("%d tables are left over", tables)
		}
		return nil
	})
}
