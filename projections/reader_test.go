package projections

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/chargerun"
	"rentbook/domain/rent"
	"rentbook/eventstore"
)

func TestReader_objects(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		got := []any{
			found(r.Property("H1")), found(r.Tenancy("T1")), found(r.Tenant("T1", "A1")), found(r.Calendar("free")),
			found(r.Term("T1", "rent")), found(r.Account("T1")),
		}
		want := []any{
			Property{ID: "H1", Kind: "home", Parent: "B1", Address: "1 High Street", Postcode: "AB1 2CD", Version: 1},
			Tenancy{ID: "T1", Property: "H1", Kind: "secure", StartsOn: date("2026-01-05"), EndsOn: date("2026-12-31"), Currency: "GBP", Version: 3},
			Tenant{
				Tenancy: "T1", Person: "A1", Name: domain.NewPersonal("Ada"), Email: domain.NewPersonal("ada@example.org"),
				LiableFrom: date("2026-01-05"), Version: 2,
			},
			Calendar{ID: "free", Dates: []domain.Date{date("2026-04-06"), date("2026-12-21"), date("2026-12-28")}, Version: 2},
			Term{Account: "T1", Version: 2, TermSet: rent.TermSet{
				Term: "rent", Code: "rent", Description: "Weekly rent", Amount: gbp(10000), Period: rent.Weekly, Due: rent.InAdvance,
				Proration: rent.PeriodDays, From: date("2026-01-05"), RentFreeCalendar: "free", BenefitEligible: true,
			}},
			Account{
				ID: "T1", Currency: "GBP", StartsOn: date("2026-01-05"), EndsOn: date("2026-12-31"),
				Balance: 30000 + 500 - 300 + 1250 - 250, Version: 11,
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for name, err := range map[string]error{
			"property": second(r.Property("x")), "tenancy": second(r.Tenancy("x")), "tenant": second(r.Tenant("T1", "x")),
			"calendar": second(r.Calendar("x")), "term": second(r.Term("T1", "x")), "account": second(r.Account("x")),
			"statement":   second(r.Statement("x", 1, 2, r.Now())),
			"explanation": second(r.Explanation("T1", "rent:2026-01-06")),
		} {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: got %v, want ErrNotFound", name, err)
			}
		}
		return nil
	})
}

func found[T any](v T, err error) any {
	if err != nil {
		return err
	}
	return v
}

func second[T any](_ T, err error) error { return err }

// What was personal reads as erased once its key is gone and the views are built again; a key that
// is missing without having been destroyed stops the view.
func TestViews_keys(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	s.keys.set(map[string]bool{"person-A1": true, "rentAccount-T1": true}, nil)
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		tenant, err := r.Tenant("T1", "A1")
		s.must(err)
		x, err := r.Explanation("T1", "C1")
		s.must(err)
		if tenant.Name.String() != "[erased]" || !tenant.Phone.IsZero() || x.Line.Description != "[erased]" {
			t.Errorf("got %+v and %+v", tenant, x.Line)
		}
		return nil
	})
	s.keys.set(nil, map[string]bool{"rentAccount-T2": true})
	given[rent.Event](s, account("T2"), opened("2026-01-05"), paid("P2", "2026-01-06", 100))
	s.catchUp(v)
	status := s.status(v)
	if st := status["statement"]; st.Code != "key-missing" || status["tenancies"].Stopped || status["audit"].Stopped {
		t.Errorf("with a key missing: got %+v", status)
	}
	s.read(v, func(r *Reader) error {
		if err := second(r.Statement("T2", 1, 2, r.Now())); !errors.Is(err, ErrStopped) {
			t.Errorf("with a key missing: got %v, want ErrStopped", err)
		}
		return nil
	})
	s.keys.set(nil, nil)
	s.catchUp(v)
	if got := s.balance(v, "T2"); got != -100 {
		t.Errorf("with the key back: got %d, want -100", got)
	}
}

func TestReader_Entries(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		all, next, err := r.Entries(EntryQuery{Account: "T1", Limit: 100})
		s.must(err)
		if len(all) != 9 || next != "" || all[0].Entry != "C1" || all[8].Balance != 31200 {
			t.Errorf("all: got %d, next %q, %+v", len(all), next, all)
		}
		var paged []Line
		for after := ""; ; {
			page, next, err := r.Entries(EntryQuery{Account: "T1", Limit: 2, After: after})
			s.must(err)
			paged = append(paged, page...)
			if after = next; next == "" {
				break
			}
		}
		if diff := cmp.Diff(all, paged); diff != "" {
			t.Errorf("by pages (-want +got):\n%s", diff)
		}
		for want, q := range map[string]EntryQuery{
			"[C1]":                    {Text: "new KEY"},
			"[rent:2026-01-12]":       {Text: "01-12"},
			"[P1]":                    {Kinds: []string{"payment"}},
			"[J1]":                    {Fund: "main"},
			"[P1 rent:2026-01-19]":    {From: date("2026-01-13"), To: date("2026-01-19")},
			"[P1:reversal P1:fee J1]": {From: date("2026-01-20")},
		} {
			q.Account, q.Limit = "T1", 10
			lines, _, err := r.Entries(q)
			s.must(err)
			var ids []string
			for _, l := range lines {
				ids = append(ids, l.Entry)
				if i := slices.IndexFunc(all, func(a Line) bool { return a.Entry == l.Entry }); all[i] != l {
					t.Errorf("%s reads otherwise here: got %+v, want %+v", l.Entry, l, all[i])
				}
			}
			if got := fmt.Sprint(ids); got != want {
				t.Errorf("%+v: got %s, want %s", q, got, want)
			}
		}
		if _, _, err := r.Entries(EntryQuery{Account: "T1", Limit: 1, After: "x"}); !errors.Is(err, ErrCursor) {
			t.Errorf("another cursor: got %v", err)
		}
		x, err := r.Explanation("T1", "rent:2026-01-05:r1")
		s.must(err)
		if x.Corrects != "rent:2026-01-05" || len(x.Parts) != 2 || x.Parts[1].DaysCovered != 3 ||
			x.Parts[1].CoveredTo != date("2026-01-11") || x.Line.Balance != 1250+10000-300 {
			t.Errorf("a correction: got %+v", x)
		}
		return nil
	})
}

func TestReader_Events(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	s.charges("T2", 0, 600)
	v := s.open()
	s.catchUp(v)
	times := map[int]time.Time{}
	for e, err := range eventstore.ReadTo(t.Context(), s.log, eventstore.Position{}, eventstore.PositionAt(618)) {
		s.must(err)
		times[int(e.Position.Commit)] = e.At
	}
	s.read(v, func(r *Reader) error {
		for _, c := range []struct {
			q     EventQuery
			n     int
			first uint64
		}{
			{EventQuery{Limit: 10}, 10, 1},
			{EventQuery{Stream: "tenancy-T1", Limit: 10}, 3, 6},
			{EventQuery{Stream: "tenancy-", After: position(6), Limit: 10}, 2, 7},
			{EventQuery{Stream: "tenancy-T", Limit: 10}, 0, 0},
			{EventQuery{Type: "rent.charge-raised.v1", Limit: 1000}, 603, 9},
			{EventQuery{Actor: "cli", Type: "calendar.date-added.v1", Limit: 10}, 1, 3},
			{EventQuery{Actor: "somebody", Limit: 10}, 0, 0},
			{EventQuery{From: times[400], To: times[410], Limit: 100}, 10, 400},
		} {
			got, err := r.Events(c.q)
			s.must(err)
			if len(got) != c.n || c.n > 0 && got[0] != eventstore.PositionAt(c.first) {
				t.Errorf("%+v: got %v, want %d from %d", c.q, got, c.n, c.first)
			}
		}
		for _, want := range []int{1, 255, 256, 257, 300, 511, 512, 513, 618} {
			before, err := r.AtTime(times[want].Add(-time.Microsecond))
			s.must(err)
			at, err := r.AtTime(times[want])
			s.must(err)
			if before.Position != position(int64(want-1)) || at.Position != position(int64(want)) || !at.Time.Equal(times[want]) {
				t.Errorf("by the time of %d: got %+v, and just before %+v", want, at, before)
			}
		}
		if _, err := r.At(eventstore.PositionAt(619)); !errors.Is(err, ErrBeyond) {
			t.Errorf("beyond the head: got %v", err)
		}
		return nil
	})
}

func TestViews_portfolio(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.open()
	through := date("2026-01-19")
	unfinished := func(want domain.ID) {
		t.Helper()
		if got, err := v.UnfinishedRun(t.Context(), through); err != nil || got != want {
			t.Errorf("unfinished run: got %q, %v, want %q", got, err, want)
		}
	}
	unfinished("")
	given[chargerun.Event](s, "chargeRun-A", chargerun.Started{Through: through})
	given[chargerun.Event](s, "chargeRun-B", chargerun.Started{Through: through})
	given[chargerun.Event](s, "chargeRun-C", chargerun.Started{Through: through + 1})
	unfinished("B")
	given[chargerun.Event](s, "chargeRun-B", chargerun.Finished{})
	unfinished("A")
	for _, id := range []string{"T3", "T1", "T2"} {
		given[rent.Event](s, account(id), opened("2026-01-01"))
	}
	var ids []domain.ID
	for id, err := range v.AccountIDs(t.Context()) {
		s.must(err)
		ids = append(ids, id)
	}
	if diff := cmp.Diff([]domain.ID{"T1", "T2", "T3"}, ids); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
