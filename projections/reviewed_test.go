package projections

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// refusing is a database whose transactions fail at the end when they are told to, as they do when a
// reader is in the way of a rename.
type refusing struct {
	database.Database

	refuse atomic.Bool
}

func (r *refusing) Build(ctx context.Context) (database.Writer, func() error, error) {
	w, release, err := r.Database.Build(ctx)
	return refusingWriter{w, &r.refuse}, release, err
}

type refusingWriter struct {
	database.Writer

	refuse *atomic.Bool
}

func (w refusingWriter) Write(ctx context.Context, f func(database.Tx) error) error {
	return w.Writer.Write(ctx, func(tx database.Tx) error {
		if err := f(tx); err != nil || !w.refuse.Swap(false) {
			return err
		}
		return fmt.Errorf("a reader is in the way: %w", database.ErrUnavailable)
	})
}

// What the last transaction of a rebuild brought along is undone when it cannot rename tables. Numbers
// that were given in it must be forgotten: the next account would get one that is taken.
func TestRebuild_thatHasToPlaceTwice(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	v, other := s.open(), s.open()
	s.catchUp(v)
	db := &refusing{Database: other.db}
	other.db = db
	begun := false
	s.must(other.Rebuild(t.Context(), func(done, total uint64) {
		if begun || done != total {
			return
		}
		begun = true
		given[rent.Event](s, account("T2"), opened("2026-01-05"), raised("2026-01-05", 10000))
		s.catchUp(v)
		db.refuse.Store(true)
	}))
	if !begun || db.refuse.Load() {
		t.Fatal("nothing was refused")
	}
	given[rent.Event](s, account("T3"), opened("2026-01-05"), raised("2026-01-12", 1))
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		for id, want := range map[string]int64{"T2": 10000, "T3": 1} {
			got, err := r.Balance(id, date("9999-12-31"), r.Now())
			if err != nil || got != want {
				t.Errorf("balance of %s is %d, %v; want %d", id, got, err, want)
			}
		}
		return nil
	})
	report, err := v.Verify(t.Context(), nil)
	if err != nil || report.Difference != "" {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

// hooked is a log that something happens behind.
type hooked struct {
	eventstore.Log

	after func()
}

func (h *hooked) Head(ctx context.Context) (eventstore.Position, error) {
	p, err := h.Log.Head(ctx)
	if after := h.after; after != nil {
		h.after = nil
		after()
	}
	return p, err
}

// Views that are opened while somebody else writes them are not ahead of the log.
func TestOpen_whileAnotherWrites(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	v := s.open()
	s.catchUp(v)
	log := &hooked{Log: s.log, after: func() {
		given[rent.Event](s, account("T2"), opened("2026-01-05"))
		s.catchUp(v)
	}}
	beside, err := Open(t.Context(), Config{Database: s.database(), Log: log, Codec: s.codec, LogID: "log"})
	if err != nil {
		t.Fatal(err)
	}
	s.must(beside.Close())
}

// wider is a view of a version that has a table more.
type wider struct{ View }

func (w wider) Schema() []string {
	return append(w.View.Schema(), `CREATE TABLE {account_notes} (account TEXT NOT NULL PRIMARY KEY)`)
}

func (w wider) Tables() []string { return append(w.View.Tables(), "account_notes") }

// A version whose view has other tables rebuilds it, and so does the one before it.
func TestRebuild_ofAViewWithOtherTables(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	old, young := s.open(), s.open()
	s.catchUp(old)
	young.views = func() []View {
		all := newViews()
		for i := range all {
			if all[i].Name() == "accounts" {
				all[i] = wider{all[i]}
			}
		}
		return all
	}
	young.shapes = map[string]string{}
	for _, view := range young.views() {
		young.shapes[view.Name()] = shape(view)
	}
	for _, v := range []*Views{young, old} {
		s.catchUp(v)
		if st := s.status(v)["accounts"]; st.Stopped || st.Behind > 0 {
			t.Errorf("got %+v", st)
		}
	}
	if err := old.db.Read(t.Context(), func(tx database.Snapshot) error {
		return tx.Query(`SELECT account FROM account_notes`, func(database.Row) error { return nil })
	}); err == nil {
		t.Error("the table that nobody knows any more is still there")
	}
}

// awayKeys is a vault that can be away.
type awayKeys struct {
	*keys

	away *atomic.Bool
	met  chan struct{}
}

func (k awayKeys) Unseal(ctx context.Context, key string, associated, sealed []byte) ([]byte, error) {
	if k.away.Load() {
		select {
		case k.met <- struct{}{}:
		default:
		}
		return nil, fmt.Errorf("read the vault: %w", eventstore.ErrUnavailable)
	}
	return k.keys.Unseal(ctx, key, associated, sealed)
}

// A vault that is away for a moment says nothing about an event: views wait for it, and so do rebuilds.
func TestViews_waitForTheVault(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	var away atomic.Bool
	met := make(chan struct{})
	s.codec = newCodec(awayKeys{s.keys, &away, met})
	v := s.open()
	s.run(v)
	s.waitFor(v)
	away.Store(true)
	given[rent.Event](s, account("T1"), paid("P7", "2026-03-01", 100))
	rebuilt := make(chan error, 1)
	go func() { rebuilt <- v.Rebuild(t.Context(), nil, "statement") }()
	for range 20 * attemptsMax { // more often than an event is tried
		<-met
	}
	for name, st := range s.status(v) {
		if st.Stopped {
			t.Errorf("%s has stopped: %s", name, st.Code)
		}
	}
	away.Store(false)
	go func() {
		for range met { // whoever is still asking
		}
	}()
	s.must(<-rebuilt)
	s.waitFor(v)
	close(met)
}
