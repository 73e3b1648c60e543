package demo

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"rentbook/domain"
	"rentbook/domain/rent"
)

// lease is one line of the rent roll.
type lease struct {
	number     int
	home       string
	kind       string
	from, to   domain.Date
	people     int // 0: one
	rent       rent.TermSet
	service    int64 // of a period, into a fund of its own
	overcharge int64 // what the landlord keyed the last rent too high by
	pays       []habit
	story      Story
}

// ref names the tenancy and its account.
func (l lease) ref() string { return "T" + strconv.Itoa(l.number) }

func (l lease) currency() domain.Currency { return l.rent.Amount.Currency }

func (l lease) money(minor int64) domain.Money {
	return domain.Money{Minor: minor, Currency: l.currency()}
}

// tenancy is a lease and what came of it.
type tenancy struct {
	lease
	tenants []person
	charges []due         // what the right terms give
	history []transaction // what the landlord's books have besides
}

// transaction is one line of the cash book.
type transaction struct {
	ref         string
	on          domain.Date
	kind        rent.Kind
	code        string
	description string
	minor       int64
	method      string
	reference   string
	reverses    string
}

// portfolio is all tenancies.
type portfolio struct {
	until domain.Date
	all   []tenancy
}

// seed makes the demo this one and no other.
const seed = 1915 // the year of the first Rent Act

func newPortfolio(until domain.Date) (portfolio, error) {
	p := portfolio{until: until}
	for _, l := range roll() {
		// Chance of its own, so that one more line in the roll changes no other.
		chance := rand.New(rand.NewPCG(seed, uint64(l.number))) //nolint:gosec // it decides on names
		t, err := l.live(until, chance)
		if err != nil {
			return p, fmt.Errorf("rent roll, %s: %w", l.ref(), err)
		}
		p.all = append(p.all, t)
	}
	return p, nil
}

// with is the first tenancy that a story is about.
func (p portfolio) with(s Story) tenancy {
	at := slices.IndexFunc(p.all, func(t tenancy) bool { return t.story == s })
	return p.all[at]
}

// live is the lease up to a day.
func (l lease) live(until domain.Date, chance *rand.Rand) (tenancy, error) {
	t := tenancy{lease: l, tenants: l.draw(chance)}
	var err error
	if t.charges, err = l.charge(until); err != nil {
		return t, err
	}
	var payments []payment
	for _, h := range l.pays {
		payments = append(payments, h.pay(t.charges, chance)...)
	}
	slices.SortStableFunc(payments, func(a, b payment) int { return cmp.Compare(a.on, b.on) })
	for i, p := range payments {
		t.history = append(t.history, transaction{
			ref: fmt.Sprintf("P%03d", i+1), on: p.on, kind: rent.KindPayment, minor: p.minor, method: p.method,
			reference: "Rent " + l.ref(),
		})
	}
	t.history = slices.DeleteFunc(append(t.history, t.besides()...), func(x transaction) bool { return x.on > until })
	return t, nil
}

// charge asks the domain itself what falls due, so that payments fit to the penny.
func (l lease) charge(until domain.Date) ([]due, error) {
	account := domain.Fold[rent.Account, rent.Event](
		rent.AccountOpened{StartsOn: l.from, EndsOn: l.to, Currency: l.currency()})
	for _, t := range l.terms() {
		account = account.Apply(t)
	}
	facts, err := account.Charge(rent.Run{Through: until, Calendars: map[domain.ID]rent.Calendar{
		rentFree: {Free: func(d domain.Date) bool { return slices.Contains(rentFreeWeeks(), d) }},
	}})
	var charges []due
	for _, fact := range facts {
		for _, e := range rent.Entries(fact) {
			charges = append(charges, due{on: e.ValueDate, minor: e.Signed()})
		}
	}
	return charges, err
}

// terms are the right ones.
func (l lease) terms() []rent.TermSet {
	terms := l.series(l.rent)
	if l.service > 0 {
		service := l.rent
		service.Code, service.Description, service.Fund = "service", "Service charge", "service"
		service.Amount, service.RentFreeCalendar = l.money(l.service), ""
		terms = append(terms, l.series(service)...)
	}
	return terms
}

// keyed are the terms as the landlord's old system has them, mistakes included.
func (l lease) keyed() []rent.TermSet {
	terms := l.terms()
	terms[l.lastRent(terms)].Amount.Minor += l.overcharge
	return terms
}

func (l lease) lastRent(terms []rent.TermSet) int {
	last := 0
	for i, t := range terms {
		if t.Code == l.rent.Code {
			last = i
		}
	}
	return last
}

// rises are what rents went up by in April 2025 and 2026, per thousand: September's consumer price
// index of the year before (1.7 and 3.8 per cent, ONS) and one per cent, which is the limit of the
// Rent Standard for social housing in England.
func rises() [3]int64 { return [3]int64{0, 27, 48} }

// series is a term for each rent year of the lease. A pattern with a From of its own never rises.
func (l lease) series(pattern rent.TermSet) []rent.TermSet {
	if pattern.From > 0 {
		pattern.Term = domain.ID(pattern.Code)
		return []rent.TermSet{pattern}
	}
	var terms []rent.TermSet
	years := rentYears(pattern.Period)
	for i, rise := range rises() {
		pattern.Amount.Minor = domain.Part(pattern.Amount.Minor, 1000+rise, 1000)
		if years[i+1] <= l.from || (l.to > 0 && l.to < years[i]) {
			continue
		}
		year, _, _ := years[i].Date()
		t := pattern
		t.Term = domain.ID(fmt.Sprintf("%s-%d", pattern.Code, year))
		t.From, t.To = max(years[i], l.from), years[i+1]-1
		terms = append(terms, t)
	}
	if l.to.IsZero() {
		terms[len(terms)-1].To = 0 // in force until somebody says otherwise
	}
	return terms
}

// rentYears are the days on which rents change: 1 April where rent is monthly, the first Monday of
// April where it is weekly. Between the first two Mondays lie 53 weeks.
func rentYears(p rent.Period) [4]domain.Date {
	var years [4]domain.Date
	for i := range years {
		years[i] = domain.NewDate(2024+i, time.April, 1)
		for p != rent.Monthly && years[i].Weekday() != time.Monday {
			years[i]++
		}
	}
	return years
}

// rentFree is the calendar of the weeks around Christmas in which Birch House pays nothing.
const rentFree = "christmas-weeks"

func rentFreeWeeks() []domain.Date {
	return []domain.Date{
		domain.NewDate(2024, time.December, 23), domain.NewDate(2024, time.December, 30),
		domain.NewDate(2025, time.December, 22), domain.NewDate(2025, time.December, 29),
		domain.NewDate(2026, time.December, 21), domain.NewDate(2026, time.December, 28),
	}
}

// owed is the balance of charges and history.
func (t tenancy) owed() int64 {
	var sum int64
	for _, c := range t.charges {
		sum += c.minor
	}
	for _, x := range t.history {
		sum += rent.Entry{Kind: x.kind, Amount: t.money(x.minor)}.Signed()
	}
	return sum
}

// charged is what fell due in a run of days.
func (t tenancy) charged(in days) int64 {
	var sum int64
	for _, c := range t.charges {
		if in.holds(c.on) {
			sum += c.minor
		}
	}
	return sum
}

// paidIn is the first payment in a run of days.
func (t tenancy) paidIn(in days) transaction {
	at := slices.IndexFunc(t.history, func(x transaction) bool {
		return x.kind == rent.KindPayment && in.holds(x.on)
	})
	return t.history[at]
}
