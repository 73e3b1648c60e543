package commands_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/chargerun"
	"rentbook/eventstore"
)

// withRent is T1 to Tn, each with a monthly rent.
func withRent(t *testing.T, n int) books {
	t.Helper()
	b := newBooks(t)
	b.mustOpen(t)
	for i := 1; i <= n; i++ {
		c := tenancy()
		c.Tenancy = fmt.Sprintf("T%d", i)
		term := monthly("450.00", "2026-01-01")
		term.Account = c.Tenancy
		if _, err := b.PutTenancy(t.Context(), manager(), c); err != nil {
			t.Fatal(err)
		}
		if _, err := b.PutTerm(t.Context(), manager(), term); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func gbp(minor int64) domain.Money { return domain.Money{Minor: minor, Currency: "GBP"} }

func TestChargeRun_RaisesOnceWhateverIsAsked(t *testing.T) {
	t.Parallel()
	b := withRent(t, 3)
	dry, err := b.RunCharges(t.Context(), manager(), commands.RunCharges{Through: "2026-03-31", DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	before := len(b.events(t))
	run, err := b.RunCharges(t.Context(), manager(), commands.RunCharges{Through: "2026-03-31"})
	if err != nil {
		t.Fatal(err)
	}
	if added := len(b.events(t)) - before; added != 3*3+2 {
		t.Errorf("the run added %d events, want nine charges, its start and its end", added)
	}
	want := []chargerun.Total{{Debit: gbp(9 * 450_00), Credit: gbp(0)}}
	if diff := cmp.Diff(want, run.Totals); diff != "" || run.Raised != 9 {
		t.Errorf("raised %d; totals (-want +got):\n%s", run.Raised, diff)
	}
	if dry.Raised != run.Raised || dry.Run != "" || !cmp.Equal(dry.Totals, run.Totals) {
		t.Errorf("the dry run said %+v, the run %+v", dry, run)
	}
	again, err := b.RunCharges(t.Context(), manager(), commands.RunCharges{Through: "2026-03-31"})
	if err != nil || again.Raised != 0 || again.Run == run.Run {
		t.Errorf("a second run: got %+v, %v", again, err)
	}
	replayed, err := b.RunCharges(t.Context(), manager(), commands.RunCharges{Run: string(run.Run), Through: "2026-03-31"})
	if err != nil || !replayed.Replayed || replayed.Raised != 9 || replayed.Position != run.Position {
		t.Errorf("the same run again: got %+v, %v; want %+v", replayed, err, run)
	}
	_, err = b.RunCharges(t.Context(), manager(), commands.RunCharges{Run: string(run.Run), Through: "2026-04-30"})
	if !errors.Is(err, domain.ErrDifferent) {
		t.Errorf("the same run through another day: got %v, want %v", err, domain.ErrDifferent)
	}
}

func TestChargeRun_GoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	b := withRent(t, 5)
	var charged atomic.Int64
	interrupted := b.over(&flaky{Store: b.log, before: func(s eventstore.Stream) error {
		if s.Category() != "rentAccount" {
			return nil
		}
		if charged.Add(1) > 2 {
			return eventstore.ErrUnavailable
		}
		return nil
	}})
	_, err := interrupted.RunCharges(t.Context(), manager(), commands.RunCharges{Through: "2026-02-28"})
	if !errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatalf("got %v, want %v", err, eventstore.ErrUnavailable)
	}
	run, err := b.over(b.log).RunCharges(t.Context(), manager(), commands.RunCharges{Through: "2026-02-28"})
	if err != nil {
		t.Fatal(err)
	}
	if run.Raised != 10 || run.Totals[0].Debit != gbp(10*450_00) {
		t.Errorf("both attempts together raised %d, %v", run.Raised, run.Totals)
	}
	starts := 0
	for _, r := range b.events(t) {
		if r.Type == "charge-run.started.v1" {
			starts++
		}
	}
	if starts != 1 {
		t.Errorf("%d runs were started, want the interrupted one to be finished", starts)
	}
}

func TestChargeRun_SeesATermThatAnotherProcessSet(t *testing.T) {
	t.Parallel()
	b := withRent(t, 1)
	if _, err := b.RunCharges(t.Context(), manager(), commands.RunCharges{Through: "2026-01-31"}); err != nil {
		t.Fatal(err)
	}
	raised := monthly("460.00", "2026-01-01")
	if _, err := b.over(b.log).PutTerm(t.Context(), expecting(2), raised); err != nil {
		t.Fatal(err)
	}
	run, err := b.RunCharges(t.Context(), manager(), commands.RunCharges{Through: "2026-01-31"})
	if err != nil || run.Raised != 1 || run.Totals[0].Debit != gbp(10_00) {
		t.Errorf("the difference: got %+v, %v", run, err)
	}
}

func TestChargeRun_EndsWithinFourHundredDaysOfToday(t *testing.T) {
	t.Parallel()
	b := newBooks(t) // today is 1 November 2026
	if _, err := b.RunCharges(t.Context(), manager(), commands.RunCharges{Through: "2027-12-06"}); err != nil {
		t.Errorf("400 days ahead: %v", err)
	}
	if _, err := b.RunCharges(t.Context(), manager(), commands.RunCharges{Through: "2027-12-07"}); !errors.Is(err, chargerun.ErrTooFar) {
		t.Errorf("401 days ahead: got %v, want %v", err, chargerun.ErrTooFar)
	}
}
