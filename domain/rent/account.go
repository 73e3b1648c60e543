package rent

import (
	"cmp"
	"slices"

	"github.com/benbjohnson/immutable"

	"rentbook/domain"
)

// Account is what its history amounts to. The zero Account has no history. Accounts are values:
// applying a fact gives another account and leaves the first as it was, which persistent maps make
// cheap however long the history.
type Account struct {
	version  uint64
	dates    []uint64 // versions of the facts that set the tenancy's days
	startsOn domain.Date
	endsOn   domain.Date
	currency domain.Currency
	balance  int64
	entries  *immutable.Map[domain.ID, entry]
	terms    []term                                 // by from, then by version
	owned    *immutable.SortedMap[ownedKey, *owned] // what is pointed to never changes
}

// entry is what decisions need of a line on the account.
type entry struct {
	version  uint64
	kind     Kind
	minor    int64
	on       domain.Date
	reversed bool
}

// term is a term as it now reads.
type term struct {
	TermSet
	history []uint64 // versions of the facts that set it
}

func (t term) version() uint64 { return t.history[len(t.history)-1] }

// Apply is the account after one more fact.
func (a Account) Apply(e Event) Account {
	a.version++
	if a.entries == nil {
		a.entries = immutable.NewMap[domain.ID, entry](idHasher{})
		a.owned = immutable.NewSortedMap[ownedKey, *owned](ownedComparer{})
	}
	return e.applyTo(a)
}

// Version counts the facts.
func (a Account) Version() uint64 { return a.version }

// IsOpen says whether the account exists.
func (a Account) IsOpen() bool { return len(a.dates) > 0 }

// Currency is the account's only one.
func (a Account) Currency() domain.Currency { return a.currency }

// Balance sums all entries, whatever their value date.
func (a Account) Balance() domain.Money {
	return domain.Money{Minor: a.balance, Currency: a.currency}
}

// Weight estimates the memory the state holds, in bytes.
func (a Account) Weight() int {
	if a.entries == nil {
		return 100
	}
	return 300 + a.entries.Len()*120 + a.owned.Len()*200 + len(a.terms)*400
}

// Calendars names the rent-free calendars of the account's terms.
func (a Account) Calendars() []domain.ID {
	var ids []domain.ID
	for _, t := range a.terms {
		if t.RentFreeCalendar != "" && !slices.Contains(ids, t.RentFreeCalendar) {
			ids = append(ids, t.RentFreeCalendar)
		}
	}
	return ids
}

func (e AccountOpened) applyTo(a Account) Account {
	a.dates = with(a.dates, a.version)
	a.startsOn, a.endsOn, a.currency = e.StartsOn, e.EndsOn, e.Currency
	return a
}

func (e DatesChanged) applyTo(a Account) Account {
	a.dates = with(a.dates, a.version)
	a.startsOn, a.endsOn = e.StartsOn, e.EndsOn
	return a
}

func (e TermSet) applyTo(a Account) Account {
	set := term{TermSet: e, history: []uint64{a.version}}
	terms := make([]term, 0, len(a.terms)+1)
	for _, t := range a.terms {
		if t.Term == e.Term {
			set.history = with(t.history, a.version)
			continue
		}
		terms = append(terms, t)
	}
	a.terms = append(terms, set) // after those of the same from: it was set later
	slices.SortStableFunc(a.terms, func(x, y term) int { return cmp.Compare(x.From, y.From) })
	return a
}

func (e ChargeRaised) applyTo(a Account) Account {
	a.owned = a.owned.Set(ownedKey{code: e.Code, from: e.PeriodFrom}, &owned{
		span:      span{from: e.PeriodFrom, to: e.PeriodTo},
		charge:    e.Charge,
		valueDate: e.ValueDate,
		raised:    e.Amount.Minor,
		by:        TermAt{Term: e.Explanation.Term, Version: e.Explanation.TermVersion},
		text:      e.Description,
		fund:      e.Fund,
	})
	return a.enter(e.entry())
}

func (e ChargeCorrected) applyTo(a Account) Account {
	key := ownedKey{code: e.Code, from: e.PeriodFrom}
	if o, ok := a.owned.Get(key); ok {
		corrected := *o
		corrected.raised = e.Owed.Minor
		corrected.corrections++
		a.owned = a.owned.Set(key, &corrected)
	}
	return a.enter(e.entry())
}

func (e ChargeEntered) applyTo(a Account) Account   { return a.enter(e.entry()) }
func (e PaymentReceived) applyTo(a Account) Account { return a.enter(e.entry()) }
func (e AdjustmentMade) applyTo(a Account) Account  { return a.enter(e.entry()) }

func (e PaymentReversed) applyTo(a Account) Account {
	if payment, ok := a.entries.Get(e.Payment); ok {
		payment.reversed = true
		a.entries = a.entries.Set(e.Payment, payment)
	}
	for _, line := range e.entries() {
		a = a.enter(line)
	}
	return a
}

// enter puts a line on the account.
func (a Account) enter(e Entry) Account {
	a.balance += e.Signed()
	a.entries = a.entries.Set(e.ID, entry{
		version: a.version, kind: e.Kind, minor: e.Amount.Minor, on: e.ValueDate,
	})
	return a
}

// with is a new slice that ends in v; the old one stays as it was.
func with(versions []uint64, v uint64) []uint64 {
	return append(slices.Clip(versions), v)
}

// idHasher is FNV-1a.
type idHasher struct{}

func (idHasher) Hash(id domain.ID) uint32 {
	hash := uint32(2166136261)
	for i := range len(id) {
		hash = (hash ^ uint32(id[i])) * 16777619
	}
	return hash
}

func (idHasher) Equal(a, b domain.ID) bool { return a == b }
