package rent_test

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"rentbook/domain"
	"rentbook/domain/rent"
)

// oracle works out what runs raise from the words of the design, naively: day by day, with package
// time and rational numbers. It shares no arithmetic with the package under test.
type oracle struct {
	first, last domain.Date // of the tenancy; last 0: open
	terms       []rent.TermSet
	free        map[domain.ID]rent.Calendar
	owners      map[rent.Code]map[domain.Date]*oracleCharge
	charges     []*oracleCharge
}

type oracleCharge struct {
	code        rent.Code
	first, last domain.Date
	valueDate   domain.Date
	raised      *big.Int
	corrections int
}

// oraclePart is a run of days of one period under one term, all owned by one charge or by none.
type oraclePart struct {
	term        rent.TermSet
	owner       *oracleCharge
	period      domain.Date // its start
	first, last domain.Date
	amount      *big.Int
}

func (o *oracle) apply(fact rent.Event) {
	switch e := fact.(type) {
	case rent.AccountOpened:
		o.first, o.last = e.StartsOn, e.EndsOn
	case rent.DatesChanged:
		o.first, o.last = e.StartsOn, e.EndsOn
	case rent.TermSet:
		o.terms = append(slices.DeleteFunc(o.terms, func(t rent.TermSet) bool { return t.Term == e.Term }), e)
	}
}

// run raises what is due and says so, one line each.
func (o *oracle) run(through domain.Date) []string {
	var lines []string
	known := slices.Clone(o.charges)
	for _, code := range []rent.Code{"rent", "service"} {
		owed := map[*oracleCharge]*big.Int{}
		for _, part := range o.parts(code, through) {
			if part.owner == nil {
				lines = append(lines, o.raise(code, part, through)...)
				continue
			}
			if owed[part.owner] == nil {
				owed[part.owner] = new(big.Int)
			}
			owed[part.owner].Add(owed[part.owner], part.amount)
		}
		for _, c := range known {
			if c.code == code && c.valueDate <= through {
				lines = append(lines, c.correct(owed[c])...)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func (o *oracle) raise(code rent.Code, p oraclePart, through domain.Date) []string {
	c := &oracleCharge{code: code, first: p.first, last: p.last, valueDate: p.first, raised: p.amount}
	if p.term.Due == rent.InArrears {
		c.valueDate = p.last
	}
	if p.amount.Sign() == 0 || c.valueDate > through {
		return nil
	}
	o.charges = append(o.charges, c)
	if o.owners == nil {
		o.owners = map[rent.Code]map[domain.Date]*oracleCharge{"rent": {}, "service": {}}
	}
	for d := p.first; d <= p.last; d++ {
		o.owners[code][d] = c
	}
	return []string{c.line(string(code)+":"+p.first.String(), p.amount)}
}

func (c *oracleCharge) correct(owed *big.Int) []string {
	if owed == nil {
		owed = new(big.Int)
	}
	difference := new(big.Int).Sub(owed, c.raised)
	if difference.Sign() == 0 {
		return nil
	}
	c.corrections++
	c.raised = owed
	return []string{c.line(fmt.Sprintf("%s:%s:r%d", c.code, c.first, c.corrections), difference)}
}

func (c *oracleCharge) line(id string, signed *big.Int) string {
	return fmt.Sprintf("%s %s..%s %d on %s", id, c.first, c.last, signed, c.valueDate)
}

// parts cuts all days that a run through a day can reach.
func (o *oracle) parts(code rent.Code, through domain.Date) []oraclePart {
	last := through + 370
	if o.last != 0 {
		last = min(last, o.last)
	}
	starts := map[domain.ID][]domain.Date{}
	var parts []oraclePart
	joined := false // whether the day before belongs to the last part
	for d := o.first; d <= last; d++ {
		t, ok := o.inForce(code, d)
		if !ok {
			joined = false
			continue
		}
		if starts[t.Term] == nil {
			starts[t.Term] = o.starts(t, o.first-370, last+370)
		}
		p := oraclePart{term: t, owner: o.owners[code][d], period: lastStart(starts[t.Term], d), first: d, last: d}
		if n := len(parts) - 1; joined && parts[n].term == t && parts[n].owner == p.owner && parts[n].period == p.period {
			parts[n].last = d
			continue
		}
		parts, joined = append(parts, p), true
	}
	for i, p := range parts {
		next, _ := slices.BinarySearch(starts[p.term.Term], p.period+1)
		parts[i].amount = o.amount(p, starts[p.term.Term][next]-1)
	}
	return parts
}

func lastStart(starts []domain.Date, d domain.Date) domain.Date {
	at, _ := slices.BinarySearch(starts, d+1)
	return starts[at-1]
}

// inForce is the term with the latest from that covers the day, of two the one set later.
func (o *oracle) inForce(code rent.Code, d domain.Date) (rent.TermSet, bool) {
	var best rent.TermSet
	found := false
	for _, t := range o.terms { // in the order in which they were last set
		if t.Code == code && t.From <= d && (t.To == 0 || d <= t.To) && (!found || t.From >= best.From) {
			best, found = t, true
		}
	}
	return best, found
}

func (o *oracle) anchor(t rent.TermSet) domain.Date {
	if t.AnchoredOn != 0 {
		return t.AnchoredOn
	}
	var earlier []rent.TermSet
	for _, u := range o.terms {
		if u.Code == t.Code && u.From < t.From {
			earlier = append(earlier, u)
		}
	}
	if len(earlier) == 0 {
		return t.From
	}
	slices.SortStableFunc(earlier, func(a, b rent.TermSet) int { return cmp.Compare(a.From, b.From) })
	return o.anchor(earlier[len(earlier)-1])
}

// starts lists the days on which a period of the term starts.
func (o *oracle) starts(t rent.TermSet, from, to domain.Date) []domain.Date {
	zero := o.anchor(t)
	for !isChargeDay(t, zero) {
		zero++
	}
	var starts []domain.Date
	for d := from; d <= to; d++ {
		if isChargeDay(t, d) && countsFrom(t.Period, zero, d) {
			starts = append(starts, d)
		}
	}
	return starts
}

func isChargeDay(t rent.TermSet, d domain.Date) bool {
	day := d.Time()
	switch t.Period {
	case rent.Weekly, rent.Fortnightly, rent.FourWeekly:
		names := [...]rent.ChargeDay{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
		return names[day.Weekday()] == cmp.Or(t.ChargeDay, "monday")
	case rent.Monthly, rent.Quarterly, rent.Yearly:
	}
	want, err := strconv.Atoi(string(cmp.Or(t.ChargeDay, "1")))
	if err != nil {
		panic(err)
	}
	lastOfMonth := day.AddDate(0, 0, 1).Day() == 1
	return day.Day() == want || lastOfMonth && day.Day() < want
}

func countsFrom(p rent.Period, zero, d domain.Date) bool {
	months := func(d domain.Date) int { return d.Time().Year()*12 + int(d.Time().Month()) }
	switch p {
	case rent.Fortnightly:
		return (d-zero)%14 == 0
	case rent.FourWeekly:
		return (d-zero)%28 == 0
	case rent.Quarterly:
		return (months(d)-months(zero))%3 == 0
	case rent.Yearly:
		return (months(d)-months(zero))%12 == 0
	case rent.Weekly, rent.Monthly:
	}
	return true
}

// amount of the days of a part; end is the last day of the whole period.
func (o *oracle) amount(p oraclePart, end domain.Date) *big.Int {
	if id := p.term.RentFreeCalendar; id != "" && o.free[id].Free(p.period) {
		return new(big.Int)
	}
	whole := p.term.Amount.Minor
	days, length := int64(p.last-p.first+1), int64(end-p.period+1)
	if p.term.Proration == rent.PeriodDays {
		i := int64(p.first - p.period)
		return new(big.Int).Sub(rounded(big.NewRat(whole*(i+days), length)), rounded(big.NewRat(whole*i, length)))
	}
	if days == length {
		return big.NewInt(whole)
	}
	year := int64(365)
	for d := p.period; d <= end; d++ {
		if _, month, day := d.Date(); month == time.February && day == 29 {
			year = 366
		}
	}
	perYear := map[rent.Period]int64{"weekly": 52, "fortnightly": 26, "four_weekly": 13, "monthly": 12, "quarterly": 4, "yearly": 1}
	return rounded(big.NewRat(whole*perYear[p.term.Period]*days, year))
}

// rounded is half away from zero, for what is not negative.
func rounded(x *big.Rat) *big.Int {
	up := new(big.Rat).Add(x, big.NewRat(1, 2))
	return new(big.Int).Div(up.Num(), up.Denom())
}
