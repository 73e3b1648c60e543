package rent_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/rent"
)

// base is the middle of where the random accounts live; years with and without a 29 February are near.
func base() domain.Date { return date("2024-01-15") }

func day(t *rapid.T, name string, from, to int) domain.Date {
	return base() + domain.Date(rapid.IntRange(from, to).Draw(t, name))
}

func dayOrNone(t *rapid.T, name string, from, to int) domain.Date {
	if !rapid.Bool().Draw(t, name+" given") {
		return 0
	}
	return day(t, name, from, to)
}

func dates(t *rapid.T) rent.DatesChanged {
	e := rent.DatesChanged{StartsOn: day(t, "starts on", -60, 60)}
	if e.EndsOn = dayOrNone(t, "ends on", -60, 300); e.EndsOn != 0 {
		e.EndsOn = max(e.EndsOn, e.StartsOn)
	}
	return e
}

// anyTerm is a term that SetTerm would accept.
func anyTerm(t *rapid.T) rent.TermSet {
	e := rent.TermSet{
		Term:   domain.ID(rapid.SampledFrom([]string{"A", "B", "C", "D"}).Draw(t, "term")),
		Code:   rapid.SampledFrom([]rent.Code{"rent", "rent", "service"}).Draw(t, "code"),
		Amount: domain.Money{Minor: rapid.SampledFrom([]int64{0, 1, 7, 99, 10000, 12345, 99999, 1000001}).Draw(t, "amount"), Currency: "GBP"},
		Period: rapid.SampledFrom(rent.Periods()).Draw(t, "period"), AnchoredOn: dayOrNone(t, "anchored on", -500, 500),
		Due:              rapid.SampledFrom([]rent.Due{rent.InAdvance, rent.InArrears}).Draw(t, "due"),
		Proration:        rapid.SampledFrom([]rent.Proration{rent.PeriodDays, rent.YearlyDays}).Draw(t, "proration"),
		From:             day(t, "from", -100, 150),
		RentFreeCalendar: rapid.SampledFrom([]domain.ID{"", "", "free"}).Draw(t, "calendar"),
	}
	if e.To = dayOrNone(t, "to", -100, 400); e.To != 0 {
		e.To = max(e.To, e.From)
	}
	weekdays := []rent.ChargeDay{"", "monday", "wednesday", "sunday"}
	days := []rent.ChargeDay{"", "1", "15", "28", "29", "30", "31"}
	switch e.Period {
	case rent.Weekly, rent.Fortnightly, rent.FourWeekly:
		e.ChargeDay = rapid.SampledFrom(weekdays).Draw(t, "charge day")
	case rent.Monthly, rent.Quarterly, rent.Yearly:
		e.ChargeDay = rapid.SampledFrom(days).Draw(t, "charge day")
	}
	return e
}

// anyCalendars make about every nth day rent-free.
func anyCalendars(t *rapid.T, version uint64) map[domain.ID]rent.Calendar {
	every := domain.Date(rapid.IntRange(2, 9).Draw(t, "every"))
	return map[domain.ID]rent.Calendar{"free": {Version: version, Free: func(d domain.Date) bool { return d%every == 0 }}}
}

// anyMoney is an entry that a run has nothing to do with.
func anyMoney(t *rapid.T, id domain.ID) rent.Event {
	amount := domain.Money{Minor: rapid.Int64Range(1, 100000).Draw(t, "money"), Currency: "GBP"}
	on := day(t, "value date", -100, 300)
	switch rapid.IntRange(0, 2).Draw(t, "sort") {
	case 0:
		return rent.ChargeEntered{Charge: id, Code: "rent", Amount: amount, ValueDate: on, PeriodFrom: on, PeriodTo: on + 30}
	case 1:
		return rent.PaymentReceived{Payment: id, Amount: amount, ValueDate: on}
	}
	return rent.AdjustmentMade{Adjustment: id, Kind: rapid.SampledFrom(rent.Adjustments()).Draw(t, "kind"), Amount: amount, ValueDate: on}
}

// life is an account, all that ever happened to it and what the oracle makes of that.
type life struct {
	account rent.Account
	history []rent.Event
	oracle  oracle
}

func (l *life) record(facts ...rent.Event) {
	for _, fact := range facts {
		l.account = l.account.Apply(fact)
		l.history = append(l.history, fact)
		l.oracle.apply(fact)
	}
}

// newLife is an account with some terms.
func newLife(t *rapid.T) *life {
	l := &life{}
	d := dates(t)
	l.record(rent.AccountOpened{StartsOn: d.StartsOn, EndsOn: d.EndsOn, Currency: "GBP"})
	l.oracle.free = anyCalendars(t, 1)
	for range rapid.IntRange(1, 3).Draw(t, "terms") {
		l.record(anyTerm(t))
	}
	return l
}

// change is something that may make charges differ from what they were.
func (l *life) change(t *rapid.T) {
	switch rapid.IntRange(0, 4).Draw(t, "change") {
	case 0:
		l.record(dates(t))
	case 1:
		l.oracle.free = anyCalendars(t, uint64(len(l.history)))
	case 2:
		l.record(anyMoney(t, domain.ID(fmt.Sprint("X", len(l.history)))))
	default:
		l.record(anyTerm(t))
	}
}

func (l *life) due(t *rapid.T, through domain.Date, most int) []rent.Event {
	facts, err := l.account.Charge(rent.Run{Through: through, Calendars: l.oracle.free, Most: most})
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

func oracleLines(facts []rent.Event) []string {
	var lines []string
	for _, fact := range facts {
		for _, e := range rent.Entries(fact) {
			lines = append(lines, fmt.Sprintf("%s %s..%s %d on %s", e.ID, e.PeriodFrom, e.PeriodTo, e.Signed(), e.ValueDate))
		}
	}
	slices.Sort(lines)
	return lines
}

func (l *life) sum() int64 {
	var sum int64
	for _, fact := range l.history {
		for _, e := range rent.Entries(fact) {
			sum += e.Signed()
		}
	}
	return sum
}

func TestAccount_Charge_raises_what_the_words_of_the_design_say_whatever_changes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		for range rapid.IntRange(1, 4).Draw(t, "runs") {
			through := day(t, "through", -70, 330)
			facts := l.due(t, through, 0)
			if diff := cmp.Diff(l.oracle.run(through), oracleLines(facts)); diff != "" {
				t.Fatalf("run through %s (-want +got)\n%s", through, diff)
			}
			l.record(facts...)
			if more := l.due(t, through, 0); len(more) > 0 {
				t.Fatalf("a second run through %s raises %s", through, oracleLines(more))
			}
			if got := l.account.Balance().Minor; got != l.sum() {
				t.Fatalf("the balance is %d, the entries sum to %d", got, l.sum())
			}
			for range rapid.IntRange(1, 2).Draw(t, "changes") {
				l.change(t)
			}
		}
	})
}

func TestAccount_Charge_leaves_every_charge_at_what_is_owed_for_its_days_now(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		l.record(l.due(t, day(t, "first", 0, 300), 0)...)
		for range 3 {
			l.change(t)
		}
		through := base() + 300
		l.record(l.due(t, through, 0)...)
		raised := map[domain.ID]int64{}
		charges := map[domain.ID]rent.ChargeRaised{}
		for _, fact := range l.history {
			switch e := fact.(type) {
			case rent.ChargeRaised:
				charges[e.Charge] = e
				raised[e.Charge] = e.Amount.Minor
			case rent.ChargeCorrected:
				raised[e.Corrects] += rent.Entries(e)[0].Signed()
			}
		}
		// An account that was never charged, with the terms as they are now, asked for the same days.
		for id, c := range charges {
			if want := l.owedNow(c, through); raised[id] != want {
				t.Fatalf("%s came to %d in all, its days are worth %d", id, raised[id], want)
			}
		}
	})
}

// owedNow is what the oracle gives for the days of a charge as things are.
func (l *life) owedNow(c rent.ChargeRaised, through domain.Date) int64 {
	o := oracle{first: l.oracle.first, last: l.oracle.last, terms: l.oracle.terms, free: l.oracle.free}
	owner := &oracleCharge{}
	o.owners = map[rent.Code]map[domain.Date]*oracleCharge{c.Code: {}}
	for d := c.PeriodFrom; d <= c.PeriodTo; d++ {
		o.owners[c.Code][d] = owner
	}
	var sum int64
	for _, p := range o.parts(c.Code, through) {
		if p.owner == owner {
			sum += p.amount.Int64()
		}
	}
	return sum
}

func TestAccount_Charge_raises_the_same_in_any_number_of_steps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		if rapid.Bool().Draw(t, "charged before") {
			l.record(l.due(t, day(t, "before", 0, 200), 0)...)
			l.change(t)
			l.change(t)
		}
		through := day(t, "through", 0, 300)
		want := l.due(t, through, 0)
		if !slices.IsSortedFunc(want, func(x, y rent.Event) int {
			return int(rent.Entries(x)[0].ValueDate - rent.Entries(y)[0].ValueDate)
		}) {
			t.Fatalf("not in the order of value dates: %s", oracleLines(want))
		}
		earlier := rapid.SliceOfN(rapid.IntRange(-70, 300), 0, 4).Draw(t, "earlier")
		var got []rent.Event
		step := func(through domain.Date, most int) bool {
			facts := l.due(t, through, most)
			if most > 0 && len(facts) > most {
				t.Fatalf("a step of at most %d brings %d", most, len(facts))
			}
			l.record(facts...)
			got = append(got, facts...)
			return len(facts) > 0
		}
		for _, days := range earlier {
			step(min(base()+domain.Date(days), through), rapid.IntRange(0, 7).Draw(t, "most"))
		}
		for step(through, rapid.IntRange(0, 7).Draw(t, "most")) {
		}
		if slices.IsSorted(earlier) {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("in rising steps (-at once +in steps)\n%s", diff)
			}
		}
		if diff := cmp.Diff(byID(want), byID(got)); diff != "" {
			t.Fatalf("(-at once +in steps)\n%s", diff)
		}
	})
}

func TestAccount_Charge_explanations_add_up(t *testing.T) {
	t.Parallel()
	explained := func(t *rapid.T, e rent.Explanation) int64 {
		before, ok := new(big.Rat).SetString(e.AmountBefore)
		after, afterOK := new(big.Rat).SetString(e.AmountAfter.String())
		most := big.NewRat(1, 100) // both ends of a part are rounded
		if e.Basis == rent.YearlyDays {
			most = big.NewRat(5001, 1_000_000)
		}
		if off := new(big.Rat); !ok || !afterOK || off.Abs(off.Sub(before, after)).Cmp(most) > 0 {
			t.Fatalf("%s is rounded to %s: %+v", e.AmountBefore, e.AmountAfter, e)
		}
		return e.AmountAfter.Minor
	}
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		l.record(l.due(t, day(t, "first", 0, 300), 0)...)
		l.change(t)
		l.change(t)
		l.record(l.due(t, base()+300, 0)...)
		for _, fact := range l.history {
			switch e := fact.(type) {
			case rent.ChargeRaised:
				if explained(t, e.Explanation) != e.Amount.Minor {
					t.Fatalf("%s is of %s: %+v", e.Charge, e.Amount, e.Explanation)
				}
			case rent.ChargeCorrected:
				var sum int64
				for _, part := range e.Parts {
					sum += explained(t, part)
				}
				if sum != e.Owed.Minor || e.Raised.Minor+rent.Entries(e)[0].Signed() != sum {
					t.Fatalf("%s takes %s by %s to %s, its parts sum to %d", e.Correction, e.Raised, e.Amount, e.Owed, sum)
				}
			}
		}
	})
}

func byID(facts []rent.Event) map[domain.ID]rent.Event {
	m := map[domain.ID]rent.Event{}
	for _, fact := range facts {
		m[rent.Entries(fact)[0].ID] = fact
	}
	return m
}

func TestAccount_entries_have_ids_of_their_own(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		for range 4 {
			l.record(l.due(t, day(t, "through", -70, 330), 0)...)
			l.change(t)
		}
		seen := map[domain.ID]bool{}
		for _, fact := range l.history {
			for _, e := range rent.Entries(fact) {
				if seen[e.ID] {
					t.Fatalf("%s is there twice", e.ID)
				}
				seen[e.ID] = true
			}
		}
	})
}

func TestAccount_facts_survive_JSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		l.record(l.due(t, base()+100, 0)...)
		l.change(t)
		l.change(t)
		l.record(l.due(t, base()+100, 0)...)
		for _, fact := range l.history {
			data, err := json.Marshal(fact)
			if err != nil {
				t.Fatal(err)
			}
			back := reflect.New(reflect.TypeOf(fact))
			if err := json.Unmarshal(data, back.Interface()); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			if diff := cmp.Diff(fact, back.Elem().Interface()); diff != "" {
				t.Fatalf("%s (-want +got)\n%s", data, diff)
			}
		}
	})
}

func TestAccount_Apply_leaves_earlier_states_as_they_were(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		type moment struct {
			state   rent.Account
			history []rent.Event
		}
		var moments []moment
		for i := range 6 {
			moments = append(moments, moment{l.account, slices.Clone(l.history)})
			// Another future of the same account, which must leave no trace.
			other := *l
			other.history = slices.Clone(l.history)
			other.oracle.terms = slices.Clone(l.oracle.terms)
			other.change(t)
			other.record(other.due(t, base()+200, 3)...)
			other.record(anyTerm(t), dates(t), rent.PaymentReversed{
				Reversal: "P:reversal", Payment: domain.ID(fmt.Sprint("X", i)), Amount: pounds("1"),
			})
			moments = append(moments, moment{other.account, other.history})
			l.record(dates(t))
			l.change(t)
			l.record(l.due(t, base()+200, rapid.IntRange(1, 9).Draw(t, "most"))...)
		}
		for n, m := range moments {
			if !reflect.DeepEqual(domain.Fold[rent.Account](m.history...), m.state) {
				t.Fatalf("state %d, after %d facts, is no longer what its history amounts to", n, len(m.history))
			}
		}
	})
}

func TestAccount_Reverse_restores_the_balance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		l.record(l.due(t, base()+100, 0)...)
		before := l.account.Balance()
		paid := domain.Money{Minor: rapid.Int64Range(1, 1_000_000).Draw(t, "paid"), Currency: "GBP"}
		facts, err := l.account.Receive(rent.Payment{ID: "P", Amount: amount(paid.String()), ValueDate: base()})
		if err != nil {
			t.Fatal(err)
		}
		l.record(facts...)
		if got := before.Minor - l.account.Balance().Minor; got != paid.Minor {
			t.Fatalf("a payment of %s takes %d off the balance", paid, got)
		}
		fee := rapid.SampledFrom([]string{"0", "15"}).Draw(t, "fee")
		facts, err = l.account.Reverse(rent.Reversal{ID: "R", Payment: "P", ValueDate: base() + 1, Fee: amount(fee)})
		if err != nil {
			t.Fatal(err)
		}
		l.record(facts...)
		if got := l.account.Balance().Minor - before.Minor; got != pounds(fee).Minor {
			t.Fatalf("after the reversal the balance is off by %d, the fee is %s", got, fee)
		}
	})
}

// splitTerms is a rent at one rate, set anew on some days.
func splitTerms(t *rapid.T, e rent.TermSet, first, last domain.Date) []rent.Event {
	var facts []rent.Event
	cuts := append([]int{0}, rapid.SliceOfNDistinct(rapid.IntRange(0, int(last-first)), 0, 5, rapid.ID[int]).Draw(t, "cuts")...)
	for i, cut := range cuts {
		e.Term, e.From = domain.ID(fmt.Sprint("T", i)), first+domain.Date(cut)
		facts = append(facts, e)
	}
	return facts
}

func TestAccount_Charge_parts_of_a_period_add_up_to_the_whole_however_it_is_cut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := anyTerm(t)
		e.Code, e.Proration, e.To, e.RentFreeCalendar = "rent", rent.PeriodDays, 0, ""
		e.Amount.Minor = rapid.Int64Range(1, domain.MinorMax).Draw(t, "minor")
		e.AnchoredOn = base()
		o := oracle{terms: []rent.TermSet{e}}
		starts := o.starts(e, base()-400, base()+800)
		at := rapid.IntRange(0, len(starts)-2).Draw(t, "period")
		first, last := starts[at], starts[at+1]-1
		l := &life{}
		l.record(rent.AccountOpened{StartsOn: first, EndsOn: last, Currency: "GBP"})
		l.record(splitTerms(t, e, first, last)...)
		// Days that a run takes before the tenancy's days are widened cut the period too.
		narrow := rapid.Map(rapid.IntRange(0, int(last-first)), func(n int) domain.Date { return first + domain.Date(n) })
		from, to := narrow.Draw(t, "narrow from"), narrow.Draw(t, "narrow to")
		l.record(rent.DatesChanged{StartsOn: min(from, to), EndsOn: max(from, to)})
		l.record(l.due(t, last, 0)...)
		l.record(rent.DatesChanged{StartsOn: first, EndsOn: last})
		l.record(l.due(t, last, 0)...)
		if got := l.account.Balance(); got != e.Amount {
			t.Fatalf("the parts of a period of %s add up to %s", e.Amount, got)
		}
	})
}

func TestAccount_Charge_makes_and_loses_no_money_by_rounding(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := anyTerm(t)
		e.Code, e.Proration, e.To, e.RentFreeCalendar, e.AnchoredOn = "rent", rent.PeriodDays, 0, "", base()
		e.Amount.Minor = rapid.Int64Range(1, 1_000_000).Draw(t, "minor")
		first := day(t, "first", 0, 60)
		last := first + domain.Date(rapid.IntRange(0, 400).Draw(t, "length"))
		l := &life{}
		l.record(rent.AccountOpened{StartsOn: first, EndsOn: last, Currency: "GBP"})
		l.record(splitTerms(t, e, first, last)...)
		l.record(l.due(t, last, 0)...)
		exact := new(big.Rat)
		starts := (&oracle{terms: []rent.TermSet{e}}).starts(e, first-370, last+370)
		for i := range len(starts) - 1 {
			days := min(last, starts[i+1]-1) - max(first, starts[i]) + 1
			exact.Add(exact, big.NewRat(e.Amount.Minor*int64(max(days, 0)), int64(starts[i+1]-starts[i])))
		}
		off := new(big.Rat).Sub(new(big.Rat).SetInt64(l.account.Balance().Minor), exact)
		// Only the two ends of the tenancy may cut a period, by half a penny each.
		if off.Abs(off).Cmp(big.NewRat(1, 1)) > 0 {
			t.Fatalf("the charges come to %s, exactly %s: off by more than a penny", l.account.Balance(), exact.FloatString(4))
		}
	})
}

func TestAccount_Charge_covers_every_day_of_the_tenancy_and_its_terms_once(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		for i := range 3 {
			e := anyTerm(t)
			e.Term, e.RentFreeCalendar, e.Amount.Minor = domain.ID(fmt.Sprint(i)), "", 12345
			l.record(e)
		}
		for _, old := range slices.Clone(l.oracle.terms) { // whatever can be nought for a day is not
			old.RentFreeCalendar, old.Amount.Minor = "", 54321
			l.record(old)
		}
		for _, days := range rapid.SliceOfN(rapid.IntRange(-70, 300), 0, 3).Draw(t, "earlier") {
			l.record(dates(t))
			l.record(l.due(t, base()+domain.Date(days), 0)...)
		}
		last := base() + 250
		l.record(rent.DatesChanged{StartsOn: base() - 60, EndsOn: last})
		through := last + 100 // what earlier runs own beyond the end is in reach
		l.record(l.due(t, through, 0)...)
		type codeDay struct {
			code rent.Code
			day  domain.Date
		}
		covered := map[codeDay]int{}
		for _, fact := range l.history {
			if c, ok := fact.(rent.ChargeRaised); ok {
				for d := c.PeriodFrom; d <= c.PeriodTo; d++ {
					covered[codeDay{c.Code, d}]++
				}
			}
		}
		for at, n := range covered {
			if n > 1 {
				t.Fatalf("%s of %s is charged %d times", at.day, at.code, n)
			}
		}
		for d := base() - 60; d <= last; d++ {
			for _, code := range []rent.Code{"rent", "service"} {
				if _, ok := l.oracle.inForce(code, d); ok && covered[codeDay{code, d}] == 0 {
					t.Fatalf("%s of %s is not charged", d, code)
				}
			}
		}
	})
}
