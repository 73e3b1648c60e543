package demo

import (
	"fmt"
	"time"

	"rentbook/domain"
	"rentbook/domain/repair"
)

// Highlights is what to look at.
type Highlights struct {
	Accounts []Highlight // the best first

	// The account of the story Corrected, known at Before and at After, is what its tenant was told
	// and what is true.
	Before, After Moment

	Repairs Repairs
}

// Repairs is what to look at of what was broken.
type Repairs struct {
	All      []RepairHighlight // as they were told, the whole story first
	Visit    Visit             // of Scheduled
	From, To domain.Date       // the days of all of them, up to the one on which they were told
}

// RepairHighlight is a repair, and where its story ends.
type RepairHighlight struct {
	Repair, Tenancy string
	State           repair.State
	Text            string
}

// String is "R1 (T1003, confirmed): …".
func (h RepairHighlight) String() string {
	return h.Repair + " (" + h.Tenancy + ", " + string(h.State) + "): " + h.Text
}

// Visit is when a contractor is expected for a repair.
type Visit struct {
	Repair, Contractor string
	On                 domain.Date
}

// Highlight is an account worth looking at, and why.
type Highlight struct {
	Story    Story
	Account  string
	Text     string      // one sentence without the account's id
	From, To domain.Date // a statement that shows it
	Entry    string      // a line worth having explained; may be empty
}

// String is "T1004: its direct debit of …".
func (h Highlight) String() string { return h.Account + ": " + h.Text }

// About is the account of a story; the zero Highlight if there is none.
func (h Highlights) About(s Story) Highlight {
	for _, a := range h.Accounts {
		if a.Story == s {
			return a
		}
	}
	return Highlight{}
}

// highlights are the stories in the order in which they are best looked at.
func (p portfolio) highlights() []Highlight {
	var all []Highlight
	for _, some := range [][]Highlight{p.told(), p.paying(), p.charged()} {
		for _, h := range some {
			t := p.with(h.Story)
			h.Account = t.ref()
			h.From, h.To = orElse(h.From, max(t.from, begins())), orElse(h.To, p.until)
			all = append(all, h)
		}
	}
	return all
}

func orElse(d, other domain.Date) domain.Date {
	if d.IsZero() {
		return other
	}
	return d
}

// told are the stories that came after the import.
func (p portfolio) told() []Highlight {
	wrong, right := p.with(Corrected).correction()
	bounced := p.with(Bounced)
	debit := bounced.paidIn(days{on(2026, time.June, 1), on(2026, time.June, 30)})
	mistaken, elsewhere := p.with(PaidByMistake).ref(), p.with(PaidElsewhere).ref()
	summer := days{on(2026, time.June, 1), on(2026, time.September, 30)}
	return []Highlight{
		{
			Story: Corrected, From: on(2026, time.April, 6), Entry: "rent:2026-04-06:r1",
			Text: fmt.Sprintf("rent was keyed as %s instead of %s a week from April 2026; "+
				"the tenant was told of arrears of %s and owed nothing", wrong.Amount, right.Amount, p.toldTooMuch()),
		},
		{
			Story: Bounced, From: summer.from, To: summer.to, Entry: debit.ref + ":fee",
			Text: fmt.Sprintf("the direct debit of %s bounced; see the reversal, its fee and the card payment after it", day(debit.on)),
		},
		{
			Story: PaidByMistake, From: summer.from, To: summer.to, Entry: "MOVED-OUT",
			Text: "somebody else's rent came in with this reference on 3 August 2026 and was moved to " + elsewhere,
		},
		{
			Story: PaidElsewhere, From: summer.from, To: summer.to, Entry: "MOVED-IN",
			Text: "the rent of August 2026 seemed unpaid until it was found on " + mistaken,
		},
		{
			Story: WrittenOff, From: on(2025, time.June, 1), Entry: "WO-2026-04",
			Text: fmt.Sprintf("the tenancy ended on %s with rent unpaid, and the debt was written off", day(p.with(WrittenOff).to)),
		},
		{
			Story: Refunded, From: on(2024, time.October, 1), To: on(2024, time.December, 31), Entry: "RF-2024-31",
			Text: "a former tenant was in credit and had it paid back",
		},
		{
			Story: Goodwill, From: summer.from, To: summer.to, Entry: "GW-2026-12",
			Text: "a credit was given for nine days without a lift",
		},
	}
}

// toldTooMuch is what the wrong term came to in all weeks since it began.
func (p portfolio) toldTooMuch() domain.Money {
	t := p.with(Corrected)
	terms := t.terms()
	weeks := (p.until-terms[t.lastRent(terms)].From)/7 + 1
	return t.money(t.overcharge * int64(weeks))
}

// paying are the ways to pay.
func (p portfolio) paying() []Highlight {
	return []Highlight{
		{Story: GrowingArrears, Text: "pays too little, owes more every year, and has a court fee on top"},
		{Story: SteadyArrears, Text: "missed six weeks of 2024 and has owed the same ever since"},
		{Story: RepaymentPlan, Text: "missed the summer of 2025 and pays it off, 15.00 with every week's rent"},
		{Story: InCredit, Text: "pays ahead and is in credit; a cheque of February 2025 came back"},
		{Story: Benefit, Text: "housing benefit pays 72 per cent in arrears, every four weeks, the tenant the rest"},
		{
			Story: Joint,
			Text:  fmt.Sprintf("three joint tenants, one of them liable until %s only", day(p.jointUntil())),
		},
		{Story: Euro, Text: "two joint tenants in Belgium who pay in euros"},
	}
}

// charged are the ways rent falls due.
func (p portfolio) charged() []Highlight {
	parted := p.with(PartPeriods)
	return []Highlight{
		{Story: LongYear, From: begins(), To: on(2025, time.April, 6), Text: "the rent year of 2024 has 53 Mondays and so 53 weeks' rent"},
		{
			Story: RentFree, From: on(2025, time.December, 1), To: on(2026, time.January, 31),
			Text: "no rent in the two weeks around Christmas, only the service charge",
		},
		{
			Story: PartPeriods, To: parted.to, Entry: "rent:" + parted.from.String(),
			Text: fmt.Sprintf("moved in on %s and out on %s; both months are charged by the day of the year", day(parted.from), day(parted.to)),
		},
		{
			Story: MonthEnd, From: on(2026, time.January, 1), To: on(2026, time.April, 30), Entry: "rent:2026-03-31",
			Text: "rent is due on the 31st, or the last day of a month without one",
		},
		{Story: Fortnight, Entry: "rent:2025-03-31", Text: "pays by the fortnight; the rise of April 2025 falls inside one, which is charged in two parts"},
		{Story: InArrears, Text: "four weeks' rent is due on their last day, in arrears, and housing benefit pays all of it"},
		{Story: Quarter, Text: "a shop that pays by the quarter"},
		{Story: GroundRent, Text: "a leaseholder who pays ground rent once a year, at Midsummer"},
	}
}

// jointUntil is when the first of the joint tenants left.
func (p portfolio) jointUntil() domain.Date {
	tenants := p.with(Joint).tenants
	return tenants[len(tenants)-1].liableTo
}

func day(d domain.Date) string { return d.Time().Format("2 January 2006") }
