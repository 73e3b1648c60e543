package commands_test

import (
	"errors"
	"testing"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/contractor"
)

func TestContractor_PutsAreRepeatableAndChangeWithTheirVersion(t *testing.T) {
	t.Parallel()
	e := bareEstate(t)
	described := commands.PutContractor{Contractor: "C1", Name: "Harbour Ltd", Trades: []string{"plumbing"}, Email: "a@example.org"}
	prices := commands.PutPrices{Contractor: "C1", From: "2026-01-01", Currency: "GBP", Prices: []commands.CodePrice{{"A", "1.50"}, {"B", "0.00"}}}
	available := commands.PutAvailability{Contractor: "C1", Windows: weekly(2), Closed: []string{"2026-12-25"}}
	if _, err := e.PutPrices(t.Context(), manager(), prices); !errors.Is(err, contractor.ErrUnknown) {
		t.Errorf("prices of nobody: got %v, want %v", err, contractor.ErrUnknown)
	}
	puts := []func(commands.Meta) (commands.Receipt, error){
		func(m commands.Meta) (commands.Receipt, error) { return e.PutContractor(t.Context(), m, described) },
		func(m commands.Meta) (commands.Receipt, error) { return e.PutPrices(t.Context(), m, prices) },
		func(m commands.Meta) (commands.Receipt, error) { return e.PutAvailability(t.Context(), m, available) },
	}
	for i, put := range puts {
		for _, m := range []commands.Meta{tenantIs("P1"), contractorIs("C1"), auditor()} {
			if _, err := put(m); !errors.Is(err, commands.ErrForbidden) {
				t.Errorf("%d, %s: got %v, want %v", i, m.Actor.Role, err, commands.ErrForbidden)
			}
		}
		first, err := put(manager())
		check(t, err)
		again, err := put(secondManager())
		sameReceipt(t, "a contractor", first, again, err)
	}
	described.Retired, prices.Prices[0].Price, available.Closed = true, "2.00", nil
	for i, put := range puts {
		if _, err := put(manager()); !errors.Is(err, domain.ErrDifferent) {
			t.Errorf("%d: another body without a version: got %v, want %v", i, err, domain.ErrDifferent)
		}
		changed, err := put(expecting(uint64(i + 1)))
		if err != nil || changed.Version != uint64(i+4) || changed.Replayed {
			t.Errorf("%d: a change to the current version: got %+v, %v", i, changed, err)
		}
	}
}

func TestContractor_WhatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	put := commands.PutPrices{Contractor: string(plumber), Contract: "x", From: "2026-01-01", Currency: "GBP", Prices: []commands.CodePrice{{"A", "1.00"}}}
	for field, change := range map[string]func(*commands.PutPrices){
		"contractor": func(c *commands.PutPrices) { c.Contractor = "a b" },
		"contract":   func(c *commands.PutPrices) { c.Contract = "a b" },
		"from":       func(c *commands.PutPrices) { c.From = "soon" },
		"currency":   func(c *commands.PutPrices) { c.Currency = "POUND" },
		"prices":     func(c *commands.PutPrices) { c.Prices = []commands.CodePrice{{"A", "1.001"}} },
	} {
		c := put
		change(&c)
		_, err := e.PutPrices(t.Context(), manager(), c)
		if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || refusal.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	for field, c := range map[string]commands.PutAvailability{
		"windows": {Windows: []contractor.Window{{Day: "monday", From: "12:00", To: "08:00", Capacity: 1}}},
		"closed":  {Closed: []string{"2026-02-30"}},
		"opened":  {Opened: []contractor.Opening{{From: "08:00", To: "09:00", Capacity: 1}}},
	} {
		c.Contractor = string(plumber)
		_, err := e.PutAvailability(t.Context(), expecting(2), c)
		if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || refusal.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
