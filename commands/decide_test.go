package commands_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
)

func show(fact eventstore.Named) string {
	data, err := json.Marshal(fact)
	return fmt.Sprint(fact.EventType(), string(data), err)
}

func TestPut_ChangesWithTheCurrentVersionOnly(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	home := commands.PutProperty{Property: "H1", Kind: "home", Address: "1 Harbour Lane", Postcode: "LN1 1AA"}
	renamed, again := home, home
	renamed.Address, again.Address = "1 Harbour Street", "1 Harbour Road"

	type step struct {
		name    string
		meta    commands.Meta
		body    commands.PutProperty
		version uint64
		replays bool
		err     error
	}
	for _, s := range []step{
		{name: "is recorded", meta: manager(), body: home, version: 1},
		{name: "the same again is answered as the first time", meta: manager(), body: home, version: 1, replays: true},
		{name: "another body without a version is refused", meta: manager(), body: renamed, err: domain.ErrDifferent},
		{name: "a change to the current version is recorded", meta: expecting(1), body: renamed, version: 2},
		{name: "that change again is answered as the first time", meta: expecting(1), body: renamed, version: 2, replays: true},
		{name: "another change to the old version is stale", meta: expecting(1), body: again, err: domain.ErrStale},
		{name: "the first body again still replays", meta: manager(), body: home, version: 1, replays: true},
		{name: "a change to the next version is recorded", meta: expecting(2), body: again, version: 3},
		{name: "what is current already is no change", meta: expecting(3), body: again, version: 3, replays: true},
		{name: "back to the first body is a change", meta: expecting(3), body: home, version: 4},
		{name: "a version that never set it is stale", meta: expecting(9), body: renamed, err: domain.ErrStale},
	} {
		receipt, err := b.PutProperty(t.Context(), s.meta, s.body)
		if !errors.Is(err, s.err) {
			t.Fatalf("%s: got error %v, want %v", s.name, err, s.err)
		}
		if receipt.Version != s.version || receipt.Replayed != s.replays {
			t.Fatalf("%s: got %+v, want version %d, replayed %t", s.name, receipt, s.version, s.replays)
		}
	}
	if _, err := b.PutProperty(t.Context(), expecting(1), commands.PutProperty{
		Property: "H2", Kind: "home", Address: "2 Harbour Lane", Postcode: "LN1 1AA",
	}); !errors.Is(err, domain.ErrStale) {
		t.Errorf("a version of what does not exist: got %v, want %v", err, domain.ErrStale)
	}
}

func TestMoney_NeverChanges(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	first, err := b.ReceivePayment(t.Context(), manager(), payment("P1", "450.00"))
	if err != nil {
		t.Fatal(err)
	}
	auditor := commands.Meta{Actor: commands.Actor{ID: "token-2", Role: commands.RoleOperator}, Authority: "a letter"}
	again, err := b.ReceivePayment(t.Context(), auditor, payment("P1", "450"))
	if err != nil {
		t.Fatal(err)
	}
	first.Replayed = true
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same payment from somebody else (-want +got):\n%s", diff)
	}
	if _, err := b.ReceivePayment(t.Context(), manager(), payment("P1", "451.00")); !errors.Is(err, domain.ErrDifferent) {
		t.Errorf("another amount: got %v, want %v", err, domain.ErrDifferent)
	}
	_, err = b.EnterCharge(t.Context(), manager(), commands.EnterCharge{
		Account: "T1", Charge: "P1", Code: "key", Amount: "1.00", ValueDate: "2026-02-03",
	})
	if !errors.Is(err, domain.ErrDifferent) {
		t.Errorf("a charge under the id of a payment: got %v, want %v", err, domain.ErrDifferent)
	}
	if _, err := b.ReceivePayment(t.Context(), expecting(1), payment("P2", "1.00")); !errors.Is(err, domain.ErrStale) {
		t.Errorf("an account that has moved on: got %v, want %v", err, domain.ErrStale)
	}
	if _, err := b.ReceivePayment(t.Context(), expecting(2), payment("P2", "1.00")); err != nil {
		t.Errorf("the account's present version: %v", err)
	}
}

func TestErasure_LeavesEnoughToRecogniseARepetition(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	if _, err := b.ReceivePayment(t.Context(), manager(), payment("P1", "450.00")); err != nil {
		t.Fatal(err)
	}
	if err := b.vault.Destroy(t.Context(), "rentAccount-T1"); err != nil {
		t.Fatal(err)
	}
	later := b.over(b.log)
	receipt, err := later.ReceivePayment(t.Context(), manager(), payment("P1", "450.00"))
	if err != nil || !receipt.Replayed {
		t.Errorf("the same payment after the erasure: got %+v, %v", receipt, err)
	}
	if _, err := later.ReceivePayment(t.Context(), manager(), payment("P1", "9.00")); !errors.Is(err, domain.ErrDifferent) {
		t.Errorf("another amount after the erasure: got %v, want %v", err, domain.ErrDifferent)
	}
}

func TestRefusal_AsksTheLogFirst(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	elsewhere := b.over(b.log) // another process
	if _, err := b.ReceivePayment(t.Context(), manager(), payment("P1", "1.00")); err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere.ReceivePayment(t.Context(), manager(), payment("P2", "2.00")); err != nil {
		t.Fatal(err)
	}
	reversal := commands.ReversePayment{Account: "T1", Payment: "P2", ValueDate: "2026-02-09", ReasonCode: "ARUDD-0"}
	if _, err := b.ReversePayment(t.Context(), manager(), reversal); err != nil {
		t.Errorf("reversing what another process received: %v", err)
	}
	reversal.Payment = "P1"
	reversal.ValueDate = "2026-02-02"
	if _, err := elsewhere.ReversePayment(t.Context(), manager(), reversal); !errors.Is(err, rent.ErrReversedBefore) {
		t.Errorf("got %v, want %v", err, rent.ErrReversedBefore)
	}
}

func TestConflict_IsRetriedThreeTimesAndNoMore(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	attempts, failing := 0, 2
	store := &flaky{Store: b.log, before: func(eventstore.Stream) error {
		if attempts++; attempts <= failing {
			return &eventstore.ConflictError{Stream: "rentAccount-T1", Want: 1, Got: 2}
		}
		return nil
	}}
	h := b.over(store)
	if _, err := h.ReceivePayment(t.Context(), manager(), payment("P1", "1.00")); err != nil || attempts != 3 {
		t.Errorf("two conflicts: got %v after %d attempts", err, attempts)
	}
	attempts, failing = 0, 99
	if _, err := h.ReceivePayment(t.Context(), manager(), payment("P2", "1.00")); !errors.Is(err, eventstore.ErrConflict) || attempts != 3 {
		t.Errorf("nothing but conflicts: got %v after %d attempts", err, attempts)
	}
}

func TestLostAnswer_IsFoundAgain(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	answers := 0
	h := b.over(&flaky{Store: b.log, after: func(eventstore.Stream) error {
		if answers++; answers == 1 {
			return eventstore.ErrUnavailable
		}
		return nil
	}})
	if _, err := h.ReceivePayment(t.Context(), manager(), payment("P1", "1.00")); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatalf("got %v, want %v", err, eventstore.ErrUnavailable)
	}
	receipt, err := h.ReceivePayment(t.Context(), manager(), payment("P1", "1.00"))
	if err != nil || receipt.Version != 2 {
		t.Errorf("the same command again: got %+v, %v", receipt, err)
	}
	want := []string{"rent.account-opened.v1", "rent.payment-received.v1"}
	if diff := cmp.Diff(want, b.types(t, "rentAccount-T1")); diff != "" {
		t.Errorf("the account's events (-want +got):\n%s", diff)
	}
}

func TestTenancy_InterruptedBetweenItsStreamsIsCompleted(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	down := true
	h := b.over(&flaky{Store: b.log, before: func(s eventstore.Stream) error {
		if down && s.Category() == "tenancy" {
			return eventstore.ErrUnavailable
		}
		return nil
	}})
	if _, err := b.PutProperty(t.Context(), manager(), commands.PutProperty{
		Property: "H1", Kind: "home", Address: "1 Harbour Lane", Postcode: "LN1 1AA",
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.PutTenancy(t.Context(), manager(), tenancy()); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Fatalf("got %v, want %v", err, eventstore.ErrUnavailable)
	}
	down = false
	if _, err := h.PutTenancy(t.Context(), manager(), tenancy()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"rent.account-opened.v1"}, b.types(t, "rentAccount-T1")); diff != "" {
		t.Errorf("the account's events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"tenancy.opened.v1"}, b.types(t, "tenancy-T1")); diff != "" {
		t.Errorf("the tenancy's events (-want +got):\n%s", diff)
	}
	ended := tenancy()
	ended.EndsOn = "2026-06-30"
	if _, err := h.PutTenancy(t.Context(), expecting(1), ended); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"rent.account-opened.v1", "rent.dates-changed.v1"}, b.types(t, "rentAccount-T1")); diff != "" {
		t.Errorf("the account's events after the end was set (-want +got):\n%s", diff)
	}
}

func TestRoles_OnlyManagersAndOperatorsRecord(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	for _, role := range commands.Roles() {
		m := commands.Meta{Actor: commands.Actor{ID: "token-3", Role: role}}
		_, err := b.ReceivePayment(t.Context(), m, payment("P-"+string(role), "not an amount"))
		_, runErr := b.RunCharges(t.Context(), m, commands.RunCharges{Through: "2026-01-31", DryRun: true})
		may := role == commands.RoleManager || role == commands.RoleOperator
		if errors.Is(err, commands.ErrForbidden) == may || errors.Is(runErr, commands.ErrForbidden) == may {
			t.Errorf("%s: got %v and %v", role, err, runErr)
		}
	}
}

func TestUnknown_ReferencesAreRefusedByName(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.mustOpen(t)
	nowhere := tenancy()
	nowhere.Tenancy, nowhere.Property = "T2", "H9"
	if _, err := b.PutTenancy(t.Context(), manager(), nowhere); !errors.Is(err, domain.ErrUnknownReference) {
		t.Errorf("got %v, want %v", err, domain.ErrUnknownReference)
	}
	term := monthly("450.00", "2026-01-01")
	term.RentFreeCalendar = "none"
	if _, err := b.PutTerm(t.Context(), manager(), term); !errors.Is(err, rent.ErrUnknownCalendar) {
		t.Errorf("got %v, want %v", err, rent.ErrUnknownCalendar)
	}
	unknown := payment("P1", "1.00")
	unknown.Account = "T9"
	if _, err := b.ReceivePayment(t.Context(), manager(), unknown); !errors.Is(err, rent.ErrNotOpen) {
		t.Errorf("got %v, want %v", err, rent.ErrNotOpen)
	}
}
