package rent

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"

	"rentbook/domain"
)

// TermAt is a term as one fact set it.
type TermAt struct {
	Term    domain.ID `json:"term"`
	Version uint64    `json:"version"`
}

// Explanation says how a charge, or a part of one, was worked out, so that anybody can do it
// again.
type Explanation struct {
	Term            domain.ID    `json:"term"`
	TermVersion     uint64       `json:"term_version"`
	Calendar        domain.ID    `json:"calendar,omitzero"`
	CalendarVersion uint64       `json:"calendar_version,omitzero"`
	PeriodFrom      domain.Date  `json:"period_from"` // the whole period, first and last day
	PeriodTo        domain.Date  `json:"period_to"`
	CoveredFrom     domain.Date  `json:"covered_from"`
	CoveredTo       domain.Date  `json:"covered_to"`
	DaysCovered     int64        `json:"days_covered"`
	DaysInPeriod    int64        `json:"days_in_period"`
	Basis           Proration    `json:"basis"`
	Rounding        string       `json:"rounding"`
	PeriodAmount    domain.Money `json:"period_amount"` // of the whole period
	AmountBefore    string       `json:"amount_before"` // of the covered days, before rounding
	AmountAfter     domain.Money `json:"amount_after"`
}

// Roundings. Cumulative: round(A*j/D) - round(A*i/D) for the days i to j of D, so that the parts
// of a period at one rate add up to the whole.
const (
	roundingCumulative = "cumulative, half away from zero"
	roundingSingle     = "half away from zero"
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

// stretch is a run of days on which one term is in force.
type stretch struct {
	span
	*term
	schedule
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

func (t TermSet) days() span {
	if t.To.IsZero() {
		return span{from: t.From, to: forever}
	}
	return span{from: t.From, to: t.To}
}

// inForce cuts the tenancy's days by the term in force: of the terms that cover a day the one with
// the latest from, of two with the same the one set later. a.terms is in that order.
func (a Account) inForce(code Code) []stretch {
	tenancy := span{from: a.startsOn, to: forever}
	if !a.endsOn.IsZero() {
		tenancy.to = a.endsOn
	}
	var force []stretch
	var terms []term // of this code, so far
	for _, t := range a.terms {
		if t.Code != code {
			continue
		}
		t.AnchoredOn = anchorOf(t, terms) // later terms inherit it
		terms = append(terms, t)
		if days, ok := t.days().cut(tenancy); ok {
			force = overlay(force, stretch{span: days, term: &t, schedule: newSchedule(t.TermSet)})
		}
	}
	return force
}

// anchorOf is the term's own anchor, else that of the term with the next earlier from, else its
// own from.
func anchorOf(t term, earlier []term) domain.Date {
	if !t.AnchoredOn.IsZero() {
		return t.AnchoredOn
	}
	for _, e := range slices.Backward(earlier) {
		if e.From < t.From {
			return e.AnchoredOn
		}
	}
	return t.From
}

// overlay lays a stretch over others, which keep the days it does not cover.
func overlay(under []stretch, over stretch) []stretch {
	var all []stretch
	placed := false
	for _, u := range under {
		if before, ok := u.cut(span{from: u.from, to: over.from - 1}); ok {
			all = append(all, u.on(before))
		}
		if !placed && u.to >= over.from {
			all, placed = append(all, over), true
		}
		if after, ok := u.cut(span{from: over.to + 1, to: u.to}); ok {
			all = append(all, u.on(after))
		}
	}
	if !placed {
		all = append(all, over)
	}
	return all
}

func (s stretch) on(days span) stretch {
	s.span = days
	return s
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

func (b book) explain(s stretch, period, days span) Explanation {
	e := Explanation{
		Term: s.Term, TermVersion: s.version(), PeriodFrom: period.from, PeriodTo: period.to,
		CoveredFrom: days.from, CoveredTo: days.to, DaysCovered: days.days(), DaysInPeriod: period.days(),
		Basis: s.Proration, Rounding: roundingCumulative, PeriodAmount: s.Amount,
		AmountAfter: b.money(b.amount(s, period, days)),
	}
	n, d := days.days(), period.days()
	if s.Proration == YearlyDays {
		e.Rounding = roundingSingle
		if days != period {
			n, d = s.Period.perYear()*days.days(), yearDays(period)
		}
	}
	if b.rentFree(s, period) {
		n = 0
	}
	if s.RentFreeCalendar != "" {
		e.Calendar, e.CalendarVersion = s.RentFreeCalendar, b.run.Calendars[s.RentFreeCalendar].Version
	}
	e.AmountBefore = unrounded(s.Amount, n, d)
	return e
}

// unrounded is n/d of an amount, to four decimals more than the currency has.
func unrounded(m domain.Money, n, d int64) string {
	if n == d {
		return m.String()
	}
	scale := m.Currency.Scale()
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	exact := new(big.Rat).SetFrac(
		new(big.Int).Mul(big.NewInt(m.Minor), big.NewInt(n)), ten.Mul(ten, big.NewInt(d)))
	return exact.FloatString(scale + 4)
}

func (b book) money(minor int64) domain.Money {
	return domain.Money{Minor: minor, Currency: b.currency}
}
