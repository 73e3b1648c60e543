package commands_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
)

// What other processes, lost answers and attempts given up half way must not be able to do.

func TestStale_AnotherBodyUnderAKnownIDIsRefused(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	here, elsewhere := b.over(b.log), b.over(b.log)
	if _, err := here.ReceivePayment(t.Context(), manager(), payment("P0", "1.00")); err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere.ReceivePayment(t.Context(), manager(), payment("P1", "100.00")); err != nil {
		t.Fatal(err)
	}
	if got, err := here.ReceivePayment(t.Context(), manager(), payment("P1", "200.00")); !errors.Is(err, domain.ErrDifferent) {
		t.Errorf("another body for what another process recorded: got %+v, %v, want %v", got, err, domain.ErrDifferent)
	}
	if got, err := here.ReceivePayment(t.Context(), manager(), payment("P1", "100.00")); err != nil || !got.Replayed {
		t.Errorf("the same body: got %+v, %v", got, err)
	}
	reversal := commands.ReversePayment{Account: "T1", Payment: "P1", ValueDate: "2026-02-04", ReasonCode: "x", Amount: "200.00"}
	if _, err := here.ReversePayment(t.Context(), manager(), reversal); err == nil {
		t.Error("a reversal of an amount that was never paid was recorded")
	}
}

func TestStale_AChangeToAVersionThatAnotherProcessChangedIsStale(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	here, elsewhere := b.over(b.log), b.over(b.log)
	if _, err := here.PutTerm(t.Context(), manager(), monthly("450.00", "2026-01-01")); err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere.PutTerm(t.Context(), expecting(2), monthly("500.00", "2026-01-01")); err != nil {
		t.Fatal(err)
	}
	if got, err := here.PutTerm(t.Context(), expecting(2), monthly("900.00", "2026-01-01")); !errors.Is(err, domain.ErrStale) {
		t.Errorf("got %+v, %v, want %v", got, err, domain.ErrStale)
	}
}

func TestLostAnswer_AnotherBodyIsRefused(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	store := &flaky{Store: b.log}
	h := b.over(store)
	if _, err := h.ReceivePayment(t.Context(), manager(), payment("P0", "1.00")); err != nil {
		t.Fatal(err)
	}
	store.after = func(eventstore.Stream) error { return context.Canceled }
	if _, err := h.ReceivePayment(t.Context(), manager(), payment("P1", "100.00")); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	store.after = nil
	if got, err := h.ReceivePayment(t.Context(), manager(), payment("P1", "200.00")); !errors.Is(err, domain.ErrDifferent) {
		t.Errorf("another body after the answer was lost: got %+v, %v, want %v", got, err, domain.ErrDifferent)
	}
}

func TestTenancy_AndItsAccountHaveTheSameDaysWhateverProcessChangesThem(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	here, elsewhere := b.over(b.log), b.over(b.log)
	if _, err := here.ReceivePayment(t.Context(), manager(), payment("P0", "1.00")); err != nil { // remembers the account
		t.Fatal(err)
	}
	if _, err := elsewhere.PutTenancy(t.Context(), expecting(1), ending("2026-06-30")); err != nil {
		t.Fatal(err)
	}
	if _, err := here.PutTenancy(t.Context(), expecting(2), tenancy()); err != nil {
		t.Fatal(err)
	}
	b.charged(t, here, 10)
}

func TestTenancy_AChangeGivenUpHalfWayIsUndoneByTheNextWord(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	store := &flaky{Store: b.log, before: func(s eventstore.Stream) error {
		if s.Category() == "tenancy" {
			return context.Canceled
		}
		return nil
	}}
	h := b.over(store)
	if _, err := h.PutTenancy(t.Context(), expecting(1), ending("2026-06-30")); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	store.before = nil
	if _, err := h.PutTenancy(t.Context(), manager(), tenancy()); err != nil { // as it is: a repetition
		t.Fatal(err)
	}
	b.charged(t, h, 10)
}

func TestTenancy_NoEventIDIsUsedTwice(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	store := &flaky{Store: b.log}
	h := b.over(store)
	store.before = func(s eventstore.Stream) error {
		if s.Category() == "tenancy" {
			return eventstore.ErrUnavailable
		}
		return nil
	}
	_, _ = h.PutTenancy(t.Context(), expecting(1), ending("2026-06-30"))
	store.before = nil
	if _, err := h.PutTenancy(t.Context(), expecting(1), ending("2026-09-30")); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range b.events(t) {
		if seen[r.ID.String()] {
			t.Errorf("the id of %s at version %d was used before", r.Stream, r.Version)
		}
		seen[r.ID.String()] = true
	}
}

func ending(on string) commands.PutTenancy {
	c := tenancy()
	c.EndsOn = on
	return c
}

// charged charges T1 monthly through October and wants so many charges.
func (b books) charged(t *testing.T, h *commands.Handler, want int64) {
	t.Helper()
	if _, err := h.PutTerm(t.Context(), manager(), monthly("450.00", "2026-01-01")); err != nil {
		t.Fatal(err)
	}
	run, err := h.RunCharges(t.Context(), manager(), commands.RunCharges{Through: "2026-10-31"})
	if err != nil || run.Raised != want {
		t.Errorf("raised %d, %v, want %d", run.Raised, err, want)
	}
}

func TestChargeRun_CountsWhatAllItsAttemptsRaised(t *testing.T) {
	t.Parallel()
	b := withRent(t, 40)
	var group sync.WaitGroup
	runs := make([]commands.ChargeRunResult, 2)
	for i, h := range []*commands.Handler{b.Handler, b.over(b.log)} {
		group.Go(func() {
			var err error
			if runs[i], err = h.RunCharges(t.Context(), manager(), commands.RunCharges{Run: "R", Through: "2026-05-31"}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, run := range runs {
		if run.Raised != 200 || run.Totals[0].Debit != gbp(200*450_00) {
			t.Errorf("an attempt says %d, %v", run.Raised, run.Totals)
		}
	}
}

func TestErased_PersonRefusesOnlyTheRowsAboutThem(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	if err := b.vault.Destroy(t.Context(), "person-P2"); err != nil {
		t.Fatal(err)
	}
	text := "tenancy_ref,person_ref,name,liable_from\n"
	for i := 1; i <= 3; i++ {
		text += fmt.Sprintf("T1,P%d,Somebody,2026-01-01\n", i)
	}
	result, said := imported(t, b.Handler, files{"tenants.csv": text})
	if result != (commands.ImportResult{Recorded: 2, Refused: 1}) || len(said) != 1 {
		t.Errorf("got %+v and %q", result, said)
	}
}
