package rent

import (
	"math/big"

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
