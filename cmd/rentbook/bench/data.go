package bench

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
)

// The data that is read (performance.md, part 5): leases of 45 entries, weekly rent and its payment
// in turn; accounts of 10, 1,000 and 100,000 entries over ten years; and more leases, of 91 entries,
// until the store has 1.1 million. Entries of different accounts are recorded interleaved, as they
// come in life. Half of the leases' entries are charges of a run, with their explanation; of
// payments the reference is sealed, of charges by hand the description.
const (
	perLease  = 45
	perFiller = 91
	medium    = 1_000
	short     = 10

	tenYears  = 3650 // days
	rentMinor = 11250
)

// account is one of the data, before it is written.
type account struct {
	id       string
	entries  int
	startsOn domain.Date
	long     bool // by hand, spread over ten years
}

// dateOf is the value date of an entry. Dates never fall.
func (a account) dateOf(i int) domain.Date {
	if a.long {
		return a.startsOn + domain.Date(i*tenYears/a.entries)
	}
	return a.startsOn + domain.Date(i/2*7+i%2*3)
}

// lines is how many entries of a lease are dated from one day to another.
func (a account) lines(from, to domain.Date) int {
	n := 0
	for i := range a.entries {
		if day := a.dateOf(i); day >= from && day <= to {
			n++
		}
	}
	return n
}

func leaseAt(i int) account {
	const starts = 490 // weeks
	first := domain.NewDate(2016, time.January, 4)
	return account{id: fmt.Sprintf("L%06d", i), entries: perLease, startsOn: first + domain.Date(i%starts*7)}
}

func longAccount(entries int) account {
	return account{
		id: "Y" + strconv.Itoa(entries), entries: entries, long: true,
		startsOn: domain.DateOf(time.Now().UTC()) - tenYears,
	}
}

// accounts are those of a store with so many leases, filler and long accounts.
func accounts(leases, filler int, long ...int) []account {
	var all []account
	for i := range leases {
		all = append(all, leaseAt(i))
	}
	for i := range filler {
		a := leaseAt(i)
		a.id, a.entries = fmt.Sprintf("F%06d", i), perFiller
		all = append(all, a)
	}
	for _, entries := range long {
		all = append(all, longAccount(entries))
	}
	return all
}

// fact is one entry of an account.
func (a account) fact(i int) rent.Event {
	day := a.dateOf(i)
	amount := domain.Money{Minor: rentMinor, Currency: "GBP"}
	switch {
	case i%2 == 1:
		return rent.PaymentReceived{
			Payment: domain.ID("P" + strconv.Itoa(i)), Amount: amount, ValueDate: day, Method: "direct_debit",
			Reference: domain.NewPersonal("DD " + a.id),
		}
	case a.long:
		return rent.ChargeEntered{
			Charge: domain.ID("C" + strconv.Itoa(i)), Code: "service", Amount: amount, ValueDate: day,
			Description: domain.NewPersonal("Service charge, communal heating"),
		}
	}
	return rent.ChargeRaised{
		Charge: domain.ID("rent").Derive(day.String()), Code: "rent", Description: "Rent", Amount: amount,
		ValueDate: day, PeriodFrom: day, PeriodTo: day + 6,
		Explanation: rent.Explanation{
			Term: "R1", TermVersion: 2, PeriodFrom: day, PeriodTo: day + 6, CoveredFrom: day, CoveredTo: day + 6,
			DaysCovered: 7, DaysInPeriod: 7, Basis: rent.PeriodDays, Rounding: "cumulative, half away from zero",
			PeriodAmount: amount, AmountBefore: "112.500000", AmountAfter: amount,
		},
	}
}

// fill opens the accounts and records their entries, straight into the log and in large batches.
func (n *node) fill(ctx context.Context, all []account) error {
	var keys []string
	for _, a := range all {
		keys = append(keys, string(streamOf(a.id)))
	}
	if err := n.codec.EnsureKeys(ctx, keys...); err != nil {
		return err
	}
	if err := n.record(ctx, openings(all)); err != nil {
		return err
	}
	return n.record(ctx, interleaved(all))
}

func streamOf(account string) eventstore.Stream { return eventstore.NewStream(rent.Category, account) }

// item is one event to be written: an account's opening (-1) or entry.
type item struct {
	account *account
	index   int
}

func openings(all []account) []item {
	var items []item
	for i := range all {
		items = append(items, item{&all[i], -1})
	}
	return items
}

// interleaved orders the entries by how far each account has come.
func interleaved(all []account) []item {
	var items []item
	for i := range all {
		for j := range all[i].entries {
			items = append(items, item{&all[i], j})
		}
	}
	slices.SortStableFunc(items, func(a, b item) int {
		return cmp.Compare(a.index*b.account.entries, b.index*a.account.entries)
	})
	return items
}

// record writes items, and encodes the next ones meanwhile.
func (n *node) record(ctx context.Context, items []item) error {
	const together = 8192
	encoded := make(chan []eventstore.Append, 1)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(encoded)
		for chunk := range slices.Chunk(items, together) {
			appends, err := n.encode(chunk)
			if err != nil {
				return err
			}
			select {
			case encoded <- appends:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		for appends := range encoded {
			if err := appendAll(ctx, n.log, appends); err != nil {
				return err
			}
			n.events.Add(int64(len(appends)))
		}
		return nil
	})
	return group.Wait()
}

func appendAll(ctx context.Context, store eventstore.Store, appends []eventstore.Append) error {
	for _, outcome := range store.AppendEach(ctx, appends) {
		if outcome.Err != nil {
			return outcome.Err
		}
	}
	return nil
}

func (n *node) encode(items []item) ([]eventstore.Append, error) {
	appends := make([]eventstore.Append, len(items))
	for i, it := range items {
		var fact rent.Event
		if it.index < 0 {
			fact = rent.AccountOpened{StartsOn: it.account.startsOn, Currency: "GBP"}
		} else {
			fact = it.account.fact(it.index)
		}
		for _, e := range rent.Entries(fact) {
			n.owed.Add(e.Signed())
		}
		stream, id := streamOf(it.account.id), n.newID()
		data, err := n.codec.Encode(stream, id, fact)
		if err != nil {
			return nil, err
		}
		appends[i] = eventstore.Append{
			Stream: stream, After: eventstore.Version(it.index + 1), //nolint:gosec // G115: a count
			Events: []eventstore.Proposed{proposed(id, fact.EventType(), data)},
		}
	}
	return appends, nil
}

// newID is one that no event has: deriving it, as commands do, is not what is measured.
func (n *node) newID() uuid.UUID {
	id := uuid.UUID{6: 0x80, 8: 0x80}
	binary.BigEndian.PutUint32(id[12:], uint32(n.counter.Add(1))) //nolint:gosec // G115: a count
	return id
}

func proposed(id uuid.UUID, kind string, data []byte) eventstore.Proposed {
	return eventstore.Proposed{ID: id, Type: kind, Data: data, Metadata: eventstore.Metadata{
		Command: id, Correlation: id, Causation: id,
		Actor: eventstore.Actor{ID: "bench", Role: "operator"},
	}}
}

// stores, made when first asked for.

// fewEntries is a store of leases without entries, serving.
func (b *bench) fewEntries(ctx context.Context) (*node, error) {
	return b.store(ctx, &b.few, "leases without entries", func() []account {
		all := accounts(b.leases, 0)
		for i := range all {
			all[i].entries = 0
		}
		return all
	})
}

// manyEntries is the large store, serving.
func (b *bench) manyEntries(ctx context.Context) (*node, error) {
	return b.store(ctx, &b.many, "the large store", func() []account {
		return accounts(b.leases, b.filler, short, medium, b.long)
	})
}

// smallEntries is a store of about a thousand entries, serving.
func (b *bench) smallEntries(ctx context.Context) (*node, error) {
	const leases = 22
	return b.store(ctx, &b.small, "the small store", func() []account { return accounts(leases, 0, short) })
}

func (b *bench) store(ctx context.Context, kept **node, name string, data func() []account) (*node, error) {
	if *kept != nil {
		return *kept, nil
	}
	began := time.Now()
	n, err := b.newNode(ctx)
	if err != nil {
		return nil, err
	}
	b.nodes = append(b.nodes, n) // closed with the run, whatever happens
	sleep := n.sleep.Swap(0)
	if err := n.fill(ctx, data()); err != nil {
		return nil, err
	}
	filled := time.Since(began)
	if err := n.views.CatchUp(ctx); err != nil {
		return nil, err
	}
	caughtUp := time.Since(began) - filled
	for _, a := range data() {
		if a.id[0] == 'L' {
			n.leases = append(n.leases, a.id)
		}
	}
	if err := n.serve(ctx); err != nil {
		return nil, err
	}
	if err := n.warm(ctx); err != nil {
		return nil, err
	}
	n.sleep.Store(int64(sleep))
	*kept = n
	b.say("  (made %s: %d events in %.1f s, all views in %.1f s)", name, n.events.Load(), filled.Seconds(), caughtUp.Seconds())
	return n, nil
}

// warm charges every lease once, so that no measured charge is the first one after a start, and
// waits for the views.
func (n *node) warm(ctx context.Context) error {
	group, entering := errgroup.WithContext(ctx)
	group.SetLimit(clients)
	for _, id := range n.leases {
		group.Go(func() error { return n.enter(entering, id, n.today) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return n.views.CatchUp(ctx)
}
