package demo

import (
	"time"

	"rentbook/domain"
	"rentbook/domain/rent"
)

// roll is the rent roll: who rents what since when, for how much, and how they pay. Amounts are in
// pence and cents, of April 2024 or of the day the tenancy began.
func roll() []lease {
	var all []lease
	for _, part := range [][]lease{alderHouse(), birchHouse(), cutlerCourt(), dyerCourt(), elsewhere()} {
		all = append(all, part...)
	}
	for i := range all {
		all[i].number = 1001 + i
	}
	return all
}

func on(year int, month time.Month, day int) domain.Date { return domain.NewDate(year, month, day) }

// alderHouse is a council's: weekly on Mondays, a service charge beside the rent.
func alderHouse() []lease {
	leases := []lease{
		{home: home(1, 1), from: on(2016, 9, 5), rent: pounds(10420), pays: card(), story: LongYear},
		{home: home(1, 2), from: on(2012, 4, 2), rent: pounds(9875), pays: debit()},
		{home: home(1, 3), from: on(2019, 6, 3), rent: pounds(11595), pays: card(), overcharge: 360, story: Corrected},
		{home: home(1, 4), from: on(2021, 2, 15), rent: pounds(11240), pays: debit(), story: Bounced},
		{home: home(1, 5), from: on(2018, 11, 5), rent: pounds(10910), pays: carried(), story: SteadyArrears},
		{home: home(1, 6), from: on(2022, 5, 23), rent: pounds(11730), pays: tooLittle(), story: GrowingArrears},
		{home: home(1, 7), from: on(2020, 3, 9), rent: pounds(11085), pays: planned(), story: RepaymentPlan},
		{home: home(1, 8), from: on(2009, 1, 12), rent: pounds(9560), pays: early(), story: InCredit},
		{home: home(1, 9), from: on(2023, 7, 10), rent: pounds(11820), pays: benefit(72), story: Benefit},
		{home: home(1, 10), from: on(2017, 8, 21), rent: pounds(10640), people: 2, pays: debit()},
		{home: home(1, 11), from: on(2015, 3, 16), to: on(2025, 8, 31), rent: pounds(10260), pays: stopped(), story: WrittenOff},
		{home: home(1, 11), from: on(2025, 9, 22), rent: pounds(12130), pays: benefit(100)},
		{home: home(1, 12), from: on(2021, 10, 4), to: on(2024, 11, 20), rent: pounds(11310), pays: early(), story: Refunded},
		{home: home(1, 12), from: on(2024, 12, 11), rent: pounds(11690), pays: card()},
		{home: home(1, 13), from: on(2014, 5, 12), rent: pounds(10115), pays: cash()},
		{home: home(1, 14), from: on(2019, 9, 30), to: on(2026, 3, 15), rent: pounds(11025), people: 2, pays: card()},
		{home: home(1, 14), from: on(2026, 4, 13), rent: pounds(12310), pays: debit()},
	}
	return each(leases, func(l *lease) {
		l.kind, l.service = "secure", 815
		l.rent.Period, l.rent.ChargeDay, l.rent.BenefitEligible = rent.Weekly, "monday", true
	})
}

// birchHouse is a council's too, with two weeks around Christmas that are free of rent.
func birchHouse() []lease {
	leases := []lease{
		{home: home(2, 1), from: on(2013, 6, 17), rent: pounds(10780), pays: card(), story: RentFree},
		{home: home(2, 2), from: on(2020, 1, 6), rent: pounds(11450), pays: debit(), story: Goodwill},
		{home: home(2, 3), from: on(2018, 4, 23), rent: pounds(11135), people: 2, pays: card()},
		{home: home(2, 4), from: on(2022, 11, 14), rent: pounds(11960), pays: benefit(65)},
		{home: home(2, 5), from: on(2011, 8, 1), rent: pounds(10390), pays: order()},
		{home: home(2, 6), from: on(2016, 2, 29), rent: pounds(10820), pays: cash()},
		{home: home(2, 7), from: on(2017, 12, 4), to: on(2025, 5, 25), rent: pounds(10990), pays: card()},
		{home: home(2, 7), from: on(2025, 6, 18), rent: pounds(12040), people: 2, pays: debit()},
		{home: home(2, 8), from: on(2023, 3, 27), rent: pounds(11875), pays: carried()},
		{home: home(2, 9), from: on(2015, 10, 19), to: on(2026, 1, 18), rent: pounds(10675), pays: order()},
		{home: home(2, 9), from: on(2026, 2, 5), rent: pounds(12195), pays: benefit(80)},
		{home: home(2, 10), from: on(2021, 7, 26), rent: pounds(11520), people: 2, pays: card()},
		{home: home(2, 11), from: on(2019, 5, 7), to: on(2024, 10, 13), rent: pounds(11280), pays: card()},
		{home: home(2, 11), from: on(2024, 10, 28), rent: pounds(11610), pays: planned()},
		{home: home(2, 12), from: on(2010, 3, 22), rent: pounds(9930), pays: early()},
	}
	return each(leases, func(l *lease) {
		l.kind, l.service = "secure", 640
		l.rent.Period, l.rent.ChargeDay, l.rent.BenefitEligible = rent.Weekly, "monday", true
		l.rent.RentFreeCalendar = rentFree
	})
}

// cutlerCourt is let by the month, on the day of the month that suits the tenant.
func cutlerCourt() []lease {
	leases := []lease{
		{home: home(3, 1), from: on(2022, 9, 1), rent: pounds(74500), pays: debit(), story: PaidByMistake},
		{home: home(3, 2), from: on(2021, 4, 1), rent: pounds(71000), pays: missing(on(2026, 8, 1)), story: PaidElsewhere},
		{home: home(3, 3), from: on(2023, 8, 15), rent: monthly(81000, "15"), people: 3, pays: order(), story: Joint},
		{home: home(3, 4), from: on(2024, 9, 17), to: on(2026, 2, 10), rent: yearly365(69500), pays: transfer(), story: PartPeriods},
		{home: home(3, 4), from: on(2026, 3, 1), rent: pounds(73000), people: 2, pays: debit()},
		{home: home(3, 5), from: on(2020, 10, 31), rent: monthly(67250, "31"), pays: debit(), story: MonthEnd},
		{home: home(3, 6), from: on(2019, 2, 1), rent: pounds(65900), pays: order()},
		{home: home(3, 7), from: on(2023, 5, 20), to: on(2025, 5, 19), rent: monthly(77500, "20"), people: 2, pays: debit()},
		{home: home(3, 7), from: on(2025, 6, 7), rent: pounds(79900), pays: transfer()},
		{home: home(3, 8), from: on(2022, 1, 1), rent: pounds(70400), people: 2, pays: debit()},
		{home: home(3, 9), from: on(2018, 7, 1), rent: pounds(64250), pays: tooLittle()},
		{home: home(3, 10), from: on(2024, 2, 10), rent: monthly(76800, "10"), pays: card()},
		{home: home(3, 11), from: on(2021, 11, 1), to: on(2025, 10, 31), rent: pounds(70900), people: 3, pays: debit()},
		{home: home(3, 11), from: on(2025, 11, 22), rent: yearly365(80500), pays: order()},
		{home: home(3, 12), from: on(2017, 3, 1), rent: pounds(63100), pays: early()},
	}
	return each(leases, func(l *lease) { l.kind, l.rent.Period = "assured_shorthold", rent.Monthly })
}

// dyerCourt is a mixture: sheltered homes by the fortnight and four weeks, and leaseholders.
func dyerCourt() []lease {
	fortnight, arrears := weeks(rent.Fortnightly, rent.InAdvance), weeks(rent.FourWeekly, rent.InArrears)
	return []lease{
		{home: home(4, 1), kind: "assured", from: on(2019, 1, 7), rent: fortnight(21450), service: 2210, pays: card(), story: Fortnight},
		{home: home(4, 2), kind: "assured", from: on(2021, 5, 3), rent: fortnight(21980), service: 2210, pays: order()},
		{home: home(4, 3), kind: "assured", from: on(2018, 2, 5), to: on(2025, 7, 27), rent: fortnight(20875), service: 2210, pays: cash()},
		{home: home(4, 3), kind: "assured", from: on(2025, 8, 11), rent: fortnight(22640), service: 2210, people: 2, pays: card()},
		{home: home(4, 4), kind: "assured", from: on(2016, 6, 6), rent: arrears(41760), pays: whole("benefit"), story: InArrears},
		{home: home(4, 5), kind: "assured", from: on(2022, 8, 1), rent: arrears(43320), pays: whole("benefit")},
		{home: home(4, 6), kind: "assured", from: on(2020, 12, 14), rent: arrears(42185), pays: order()},
		{home: home(4, 7), kind: "long_lease", from: on(1998, 6, 24), rent: ground(25000), pays: cheque(), story: GroundRent},
		{home: home(4, 8), kind: "long_lease", from: on(2003, 6, 24), rent: ground(25000), people: 2, pays: transfer()},
	}
}

// elsewhere are a shop that pays by the quarter and three houses that pay in euros.
func elsewhere() []lease {
	return []lease{
		{home: shop, kind: "commercial", from: on(2022, 7, 1), rent: quarterly(412500), pays: transfer(), story: Quarter},
		{home: belgianOne, kind: "residential", from: on(2023, 4, 1), rent: euros(98000), people: 2, pays: order(), story: Euro},
		{home: belgianTwo, kind: "residential", from: on(2024, 9, 16), rent: euros(104500), pays: order()},
		{home: belgianOld, kind: "residential", from: on(2021, 10, 1), to: on(2026, 6, 30), rent: euros(87500), pays: transfer()},
	}
}

// each applies what the leases of a building have in common.
func each(leases []lease, common func(*lease)) []lease {
	for i := range leases {
		common(&leases[i])
	}
	return leases
}

// The patterns of rent terms.

func pounds(minor int64) rent.TermSet {
	return rent.TermSet{
		Code: "rent", Description: "Rent", Amount: domain.Money{Minor: minor, Currency: "GBP"},
		Due: rent.InAdvance, Proration: rent.PeriodDays, Fund: "rent",
	}
}

func monthly(minor int64, chargeDay rent.ChargeDay) rent.TermSet {
	t := pounds(minor)
	t.ChargeDay = chargeDay
	return t
}

func yearly365(minor int64) rent.TermSet {
	t := pounds(minor)
	t.Proration = rent.YearlyDays
	return t
}

// weeks counts its fortnights and four weeks from the day the history begins.
func weeks(p rent.Period, d rent.Due) func(minor int64) rent.TermSet {
	return func(minor int64) rent.TermSet {
		t := pounds(minor)
		t.Period, t.ChargeDay, t.AnchoredOn, t.Due, t.BenefitEligible = p, "monday", begins(), d, true
		return t
	}
}

// quarterly is a modern quarter's rent, on the first of January, April, July and October.
func quarterly(minor int64) rent.TermSet {
	t := pounds(minor)
	t.Period, t.ChargeDay, t.AnchoredOn, t.From = rent.Quarterly, "1", begins(), begins()
	return t
}

// ground is due at Midsummer, the old quarter day.
func ground(minor int64) rent.TermSet {
	t := pounds(minor)
	t.Description, t.Period, t.ChargeDay = "Ground rent", rent.Yearly, "24"
	t.AnchoredOn, t.From = on(2024, 6, 24), on(2024, 6, 24)
	return t
}

func euros(minor int64) rent.TermSet {
	t := pounds(minor)
	t.Amount.Currency, t.Period, t.Description = "EUR", rent.Monthly, "Rent / huur / loyer"
	return t
}

// The ways to pay.

func whole(method string) []habit { return []habit{{method: method}} }

func card() []habit     { return []habit{{method: "card", late: 1, wavers: 3}} }
func order() []habit    { return []habit{{method: "standing_order", late: 1}} }
func transfer() []habit { return []habit{{method: "bank_transfer", wavers: 4}} }
func cheque() []habit   { return []habit{{method: "cheque", late: 9}} }
func cash() []habit     { return []habit{{method: "cash", late: 1, wavers: 4, wobbles: 18}} }
func debit() []habit    { return []habit{{method: "direct_debit", rhythm: byMonth}} }
func early() []habit    { return []habit{{method: "standing_order", ahead: 2}} }

// benefit pays the percentage after every four weeks, the tenant the rest of each charge.
func benefit(percent int64) []habit {
	housing := habit{method: "benefit", rhythm: byFourWeeks, below: percent, late: 7}
	return []habit{housing, {method: "card", above: percent, late: 2, wavers: 2}}
}

// carried is somebody who missed some weeks of 2024 and has paid on time ever since.
func carried() []habit {
	return []habit{{method: "card", late: 1, gap: days{on(2024, 6, 3), on(2024, 7, 14)}}}
}

func tooLittle() []habit {
	return []habit{{method: "card", late: 2, wavers: 3, below: 86, gap: days{on(2026, 1, 5), on(2026, 2, 1)}}}
}

// planned is somebody who missed a summer and pays it off, a little with each rent.
func planned() []habit {
	return []habit{{
		method: "card", late: 1, gap: days{on(2025, 6, 2), on(2025, 8, 31)},
		extra: 1500, extraFrom: on(2025, 10, 6),
	}}
}

// stopped is somebody who no longer pays in the end.
func stopped() []habit {
	return []habit{{method: "card", late: 1, wavers: 3, gap: days{on(2025, 6, 16), on(2025, 8, 31)}}}
}

// missing is somebody whose rent of one day did not arrive.
func missing(day domain.Date) []habit {
	return []habit{{method: "bank_transfer", late: 2, gap: days{day, day}}}
}
