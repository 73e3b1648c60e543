package commands_test

import (
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
	"rentbook/eventstore/vault"
)

// books is a log with its vault, and a handler over it.
type books struct {
	*commands.Handler
	log   *sqlite.Log
	vault *vault.Vault
}

func newBooks(t testing.TB) books {
	t.Helper()
	return openBooks(t, t.TempDir())
}

func openBooks(t testing.TB, dir string) books {
	t.Helper()
	keys, err := vault.Open(t.Context(), dir, vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	log, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	if _, err := eventstore.Identify(t.Context(), log, keys.ID()); err != nil {
		t.Fatal(err)
	}
	b := books{log: log, vault: keys}
	b.Handler = b.over(log)
	return b
}

// over is another handler over the same log, by way of a store that may misbehave.
func (b books) over(store eventstore.Store) *commands.Handler {
	return commands.New(commands.Config{
		Store: store, Log: b.log, Codec: commands.Codec(b.vault), Portfolio: scan{b.log},
		Now:  func() time.Time { return time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC) },
		Zone: time.UTC,
	})
}

// scan answers what commands ask of the views by reading the log.
type scan struct{ log *sqlite.Log }

func (s scan) Accounts(ctx context.Context) iter.Seq2[domain.ID, error] {
	return func(yield func(domain.ID, error) bool) {
		for r, err := range s.all(ctx) {
			if (err != nil || r.Type == "rent.account-opened.v1") && !yield(domain.ID(r.Stream.ID()), err) {
				return
			}
		}
	}
}

func (s scan) UnfinishedRun(ctx context.Context, _ domain.Date) (domain.ID, error) {
	var open domain.ID
	for r, err := range s.all(ctx) {
		switch {
		case err != nil:
			return "", err
		case r.Type == "charge-run.started.v1":
			open = domain.ID(r.Stream.ID())
		case r.Type == "charge-run.finished.v1" && open == domain.ID(r.Stream.ID()):
			open = ""
		}
	}
	return open, nil
}

func (s scan) all(ctx context.Context) iter.Seq2[eventstore.Recorded, error] {
	head, err := s.log.Head(ctx)
	if err != nil {
		return func(yield func(eventstore.Recorded, error) bool) { yield(eventstore.Recorded{}, err) }
	}
	return eventstore.ReadTo(ctx, s.log, eventstore.Position{}, head)
}

// events are all that was recorded, the first event of the log left out.
func (b books) events(t testing.TB) []eventstore.Recorded {
	t.Helper()
	var all []eventstore.Recorded
	for r, err := range (scan{b.log}).all(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all[1:]
}

// types are the stored names of all events of a stream.
func (b books) types(t testing.TB, stream eventstore.Stream) []string {
	t.Helper()
	var names []string
	for _, r := range b.events(t) {
		if r.Stream == stream {
			names = append(names, r.Type)
		}
	}
	return names
}

func manager() commands.Meta {
	return commands.Meta{Actor: commands.Actor{ID: "token-1", Role: commands.RoleManager}}
}

func expecting(version uint64) commands.Meta {
	m := manager()
	m.Expect = &version
	return m
}

// mustOpen opens tenancy T1 of home H1 from 1 January 2026.
func (b books) mustOpen(t *testing.T) {
	t.Helper()
	_, err := b.PutProperty(t.Context(), manager(), commands.PutProperty{
		Property: "H1", Kind: "home", Address: "1 Harbour Lane", Postcode: "LN1 1AA",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.PutTenancy(t.Context(), manager(), tenancy()); err != nil {
		t.Fatal(err)
	}
}

func tenancy() commands.PutTenancy {
	return commands.PutTenancy{
		Tenancy: "T1", Property: "H1", Kind: "assured", StartsOn: "2026-01-01", Currency: "GBP",
	}
}

func payment(id, amount string) commands.ReceivePayment {
	return commands.ReceivePayment{
		Account: "T1", Payment: id, Amount: amount, ValueDate: "2026-02-03", Method: "card",
		Reference: "RENT", Payer: "A. Tenant",
	}
}

func monthly(amount, from string) commands.PutTerm {
	return commands.PutTerm{
		Account: "T1", Term: "R1", Code: "rent", Description: "Rent", Amount: amount, Period: "monthly", From: from,
	}
}

// flaky is a store whose appends misbehave.
type flaky struct {
	eventstore.Store
	before func(eventstore.Stream) error // an error here means that nothing is appended
	after  func(eventstore.Stream) error // an error here means that the answer is lost
}

func (f *flaky) Append(
	ctx context.Context, s eventstore.Stream, after eventstore.Version, events ...eventstore.Proposed,
) (eventstore.Commit, error) {
	if f.before != nil {
		if err := f.before(s); err != nil {
			return eventstore.Commit{}, err
		}
	}
	commit, err := f.Store.Append(ctx, s, after, events...)
	if err == nil && f.after != nil {
		err = f.after(s)
	}
	return commit, err
}

// contents are the events without what two logs of the same content may differ in.
func (b books) contents(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, r := range b.events(t) {
		fact, err := eventstore.Decode[eventstore.Named](t.Context(), commands.Codec(b.vault), r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(r.Stream)+" "+r.ID.String()+" "+r.Metadata.Command.String()+" "+
			r.Metadata.Causation.String()+" "+r.Metadata.Authority+" "+show(fact))
	}
	return all
}

func equal(t *testing.T, want, got []string) {
	t.Helper()
	if !slices.Equal(want, got) {
		t.Fatalf("the logs differ: %d events wanted, %d got", len(want), len(got))
	}
}
