package rent

import (
	"cmp"
	"slices"
	"strconv"

	"rentbook/domain"
)

// Calendar is a rent-free calendar as a charge run sees it.
type Calendar struct {
	Version uint64
	Free    func(domain.Date) bool
}

// Run asks for what is due up to a day.
type Run struct {
	Through   domain.Date
	Calendars map[domain.ID]Calendar
	Most      int // how many facts one step may bring; 0 is no bound
}

// owned is what runs raised for days that no other run may charge.
type owned struct {
	span
	charge      domain.ID
	valueDate   domain.Date
	raised      int64 // corrections included
	corrections int
	by          TermAt
	text        string
	fund        string
}

type ownedKey struct {
	code Code
	from domain.Date
}

type ownedComparer struct{}

func (ownedComparer) Compare(a, b ownedKey) int {
	return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.from, b.from))
}

// Charge raises what is due: an ordinary charge for days that no run charged yet, a difference for
// days that one did and for which the terms, calendars or tenancy's days now give something else.
// In any number of steps it raises the same.
func (a Account) Charge(r Run) ([]Event, error) {
	if !a.IsOpen() {
		return nil, ErrNotOpen
	}
	for _, id := range a.Calendars() {
		if _, ok := r.Calendars[id]; !ok {
			return nil, ErrUnknownCalendar
		}
	}
	var due []dueFact
	for _, code := range a.codes() {
		b := a.book(code, r)
		due = append(append(due, b.charges()...), b.corrections()...)
	}
	slices.SortStableFunc(due, func(x, y dueFact) int { return cmp.Compare(x.on, y.on) })
	if r.Most > 0 && len(due) > r.Most {
		due = due[:r.Most]
	}
	var facts []Event
	for _, d := range due {
		facts = append(facts, d.fact)
	}
	return facts, nil
}

type dueFact struct {
	on   domain.Date
	fact Event
}

// codes lists the codes of terms and of what runs raised, in order.
func (a Account) codes() []Code {
	var codes []Code
	for _, t := range a.terms {
		codes = append(codes, t.Code)
	}
	for itr := a.owned.Iterator(); !itr.Done(); {
		key, _, _ := itr.Next()
		if len(codes) == 0 || codes[len(codes)-1] != key.code {
			codes = append(codes, key.code)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// book is one code of the account: which term is in force on which days, and what runs raised.
type book struct {
	code     Code
	currency domain.Currency
	run      Run
	stretch  []stretch
	owned    []*owned
}

func (a Account) book(code Code, r Run) book {
	b := book{code: code, currency: a.currency, run: r, stretch: a.inForce(code)}
	itr := a.owned.Iterator()
	itr.Seek(ownedKey{code: code})
	for !itr.Done() {
		key, o, _ := itr.Next()
		if key.code != code {
			break
		}
		b.owned = append(b.owned, o)
	}
	return b
}

// charges are the ordinary ones: for each period of each term in force, the days no run owns.
func (b book) charges() []dueFact {
	var due []dueFact
	for _, s := range b.stretch {
		for period := s.holding(s.from); period.from <= s.to; period = s.holding(period.to + 1) {
			covered, ok := period.cut(s.span)
			if !ok || covered.from > b.run.Through {
				break
			}
			for _, free := range b.unowned(covered) {
				if c, ok := b.charge(s, period, free); ok {
					due = append(due, dueFact{on: c.ValueDate, fact: c})
				}
			}
		}
	}
	return due
}

// unowned is what runs have not charged of the days.
func (b book) unowned(days span) []span {
	at, _ := slices.BinarySearchFunc(b.owned, days.from, func(o *owned, d domain.Date) int {
		return cmp.Compare(o.to, d)
	})
	var free []span
	for _, o := range b.owned[at:] {
		if o.from > days.to {
			break
		}
		if before, ok := days.cut(span{from: days.from, to: o.from - 1}); ok {
			free = append(free, before)
		}
		days.from = o.to + 1
	}
	if days.from <= days.to {
		free = append(free, days)
	}
	return free
}

// charge is the charge for days of one period, unless it is nought or not due yet.
func (b book) charge(s stretch, period, days span) (ChargeRaised, bool) {
	valueDate := days.from
	if s.Due == InArrears {
		valueDate = days.to
	}
	if valueDate > b.run.Through {
		return ChargeRaised{}, false
	}
	minor := b.amount(s, period, days)
	if minor == 0 {
		return ChargeRaised{}, false
	}
	return ChargeRaised{
		Charge: domain.ID(b.code).Derive(days.from.String()), Code: b.code, Description: s.Description,
		Amount: b.money(minor), ValueDate: valueDate, PeriodFrom: days.from, PeriodTo: days.to, Fund: s.Fund,
		Explanation: b.explain(s, period, days),
	}, true
}

// corrections are the differences for days that runs have charged, one for each charge that the
// run reaches.
func (b book) corrections() []dueFact {
	var due []dueFact
	for _, o := range b.owned {
		if o.valueDate > b.run.Through {
			continue
		}
		owedNow := b.owed(o.span)
		if owedNow != o.raised {
			due = append(due, dueFact{on: o.valueDate, fact: b.correct(o, owedNow)})
		}
	}
	return due
}

// owed is what the terms now in force give for days.
func (b book) owed(days span) int64 {
	var sum int64
	b.eachPart(days, func(s stretch, period, part span) { sum += b.amount(s, period, part) })
	return sum
}

// eachPart cuts days by term in force and period.
func (b book) eachPart(days span, visit func(s stretch, period, part span)) {
	at, _ := slices.BinarySearchFunc(b.stretch, days.from, func(s stretch, d domain.Date) int {
		return cmp.Compare(s.to, d)
	})
	for _, s := range b.stretch[at:] {
		inForce, ok := s.cut(days)
		if !ok {
			break
		}
		for period := s.holding(inForce.from); period.from <= inForce.to; period = s.holding(period.to + 1) {
			part, _ := period.cut(inForce)
			visit(s, period, part)
		}
	}
}

func (b book) correct(o *owned, owedNow int64) ChargeCorrected {
	kind, difference := KindCharge, owedNow-o.raised
	if difference < 0 {
		kind, difference = KindCredit, -difference
	}
	c := ChargeCorrected{
		Correction: o.charge.Derive("r" + strconv.Itoa(o.corrections+1)), Corrects: o.charge,
		Kind: kind, Code: b.code, Description: o.text, Amount: b.money(difference), ValueDate: o.valueDate,
		PeriodFrom: o.from, PeriodTo: o.to, Fund: o.fund, RaisedFor: o.by,
		Raised: b.money(o.raised), Owed: b.money(owedNow), Parts: []Explanation{},
	}
	b.eachPart(o.span, func(s stretch, period, part span) {
		c.Parts = append(c.Parts, b.explain(s, period, part))
	})
	return c
}

// amount is what a term gives for days of one of its periods, in minor units.
func (b book) amount(s stretch, period, days span) int64 {
	if b.rentFree(s, period) {
		return 0
	}
	whole := s.Amount.Minor
	if s.Proration == YearlyDays {
		if days == period {
			return whole
		}
		return domain.Part(whole*s.Period.perYear(), days.days(), yearDays(period))
	}
	before := int64(days.from - period.from)
	length := period.days()
	return domain.Part(whole, before+days.days(), length) - domain.Part(whole, before, length)
}

// rentFree says whether the period's own start is in the term's calendar: then nothing of it is
// charged.
func (b book) rentFree(s stretch, period span) bool {
	return s.RentFreeCalendar != "" && b.run.Calendars[s.RentFreeCalendar].Free(period.from)
}

// yearDays is 366 when the whole period holds a 29 February.
func yearDays(period span) int64 {
	if period.holdsLeapDay() {
		return 366
	}
	return 365
}

func (b book) money(minor int64) domain.Money {
	return domain.Money{Minor: minor, Currency: b.currency}
}
