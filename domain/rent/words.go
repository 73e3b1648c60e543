// Package rent is the rent account of one tenancy: what can happen on it, what that amounts to, and
// what may be decided.
//
// events.go has the facts, account.go the state folded from them; decisions.go, payment.go and
// adjustment.go what may be decided by hand; charge.go what a charge run raises, from terms in force
// (in_force.go) and their periods (schedule.go), with an explanation (explanation.go); entry.go what
// a fact means on a statement.
//
// Debit increases what the tenant owes; a positive balance is owed, a negative one is credit.
// Amounts are positive, the kind of an entry gives the sign.
//
// The one rule: money is an integer of minor units, and rounding never makes or loses any.
package rent

import (
	"strconv"
	"strings"
	"time"

	"rentbook/domain"
)

// Category is that of the streams of rent accounts; the id is the tenancy's.
const Category = "rentAccount"

// Kind is the kind of an entry on an account.
type Kind string

// The kinds. The first five are debits, the others credits.
const (
	KindCharge          Kind = "charge"
	KindPaymentReversal Kind = "payment_reversal"
	KindDebit           Kind = "debit"
	KindWriteOn         Kind = "write_on"
	KindRefund          Kind = "refund"
	KindPayment         Kind = "payment"
	KindCredit          Kind = "credit"
	KindWriteOff        Kind = "write_off"
)

// Debit says whether entries of the kind increase what the tenant owes.
func (k Kind) Debit() bool {
	switch k {
	case KindCharge, KindPaymentReversal, KindDebit, KindWriteOn, KindRefund:
		return true
	case KindPayment, KindCredit, KindWriteOff:
	}
	return false
}

// Kinds lists all kinds in the words of imports and statements.
func Kinds() []Kind {
	return []Kind{
		KindCharge, KindPayment, KindPaymentReversal, KindCredit, KindDebit,
		KindWriteOff, KindWriteOn, KindRefund,
	}
}

// Adjustments lists the kinds of adjustments.
func Adjustments() []Kind {
	return []Kind{KindCredit, KindDebit, KindWriteOff, KindWriteOn, KindRefund}
}

// Code is the landlord's word for a sort of charge or payment. That of a term is
// [a-z0-9_-]{1,32}; that of an imported transaction may be any short text.
type Code string

// CodeOther is the code of a charge that came without one, CodeFee that of a reversal's fee.
const (
	CodeOther Code = "other"
	CodeFee   Code = "fee"
)

// TermCode says whether the code may be that of a term.
func (c Code) TermCode() bool {
	if len(c) < 1 || len(c) > 32 {
		return false
	}
	return strings.Trim(string(c), "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// Period is how often a term charges.
type Period string

// The periods.
const (
	Weekly      Period = "weekly"
	Fortnightly Period = "fortnightly"
	FourWeekly  Period = "four_weekly"
	Monthly     Period = "monthly"
	Quarterly   Period = "quarterly"
	Yearly      Period = "yearly"
)

// Periods lists all six.
func Periods() []Period {
	return []Period{Weekly, Fortnightly, FourWeekly, Monthly, Quarterly, Yearly}
}

// weeks is the length of a week-based period in weeks, 0 for the others.
func (p Period) weeks() int {
	switch p {
	case Weekly:
		return 1
	case Fortnightly:
		return 2
	case FourWeekly:
		return 4
	case Monthly, Quarterly, Yearly:
	}
	return 0
}

// months is the length of a month-based period in months, 0 for the others.
func (p Period) months() int {
	switch p {
	case Monthly:
		return 1
	case Quarterly:
		return 3
	case Yearly:
		return 12
	case Weekly, Fortnightly, FourWeekly:
	}
	return 0
}

// perYear is how many periods yearly_days counts in a year.
func (p Period) perYear() int64 {
	if weeks := p.weeks(); weeks > 0 {
		return int64(52 / weeks)
	}
	return int64(12 / p.months())
}

// Due says when a period's charge counts.
type Due string

// In advance, the charge's value date is the first covered day; in arrears, the last.
const (
	InAdvance Due = "in_advance"
	InArrears Due = "in_arrears"
)

// Proration is how part of a period is charged.
type Proration string

// PeriodDays shares the amount over the period's days by cumulative rounding; YearlyDays takes
// the year's rent over 365 or 366 days.
const (
	PeriodDays Proration = "period_days"
	YearlyDays Proration = "yearly_days"
)

// ChargeDay is a weekday's name for week-based periods, 1 to 31 for month-based ones. Empty is
// Monday, or 1.
type ChargeDay string

// weekday is the day on which week-based periods start.
func (c ChargeDay) weekday() (time.Weekday, bool) {
	if c == "" {
		return time.Monday, true
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.ToLower(d.String()) == string(c) {
			return d, true
		}
	}
	return 0, false
}

// dayOfMonth is the day on which month-based periods start.
func (c ChargeDay) dayOfMonth() (int, bool) {
	if c == "" {
		return 1, true
	}
	n, err := strconv.Atoi(string(c))
	return n, err == nil && n >= 1 && n <= 31 && strconv.Itoa(n) == string(c)
}

// Refusals of a rent account.
var (
	ErrNotOpen         = &domain.Refusal{Class: domain.Unknown, Code: "rent.not-open", Reason: "there is no such account"}
	ErrFixedCurrency   = &domain.Refusal{Class: domain.Conflicting, Code: "rent.fixed-currency", Reason: "the currency of an account cannot change", Field: "currency"}
	ErrChargeDay       = &domain.Refusal{Code: "rent.charge-day", Reason: "is a weekday's name for periods of weeks, 1 to 31 for periods of months", Field: "charge_day"}
	ErrCode            = &domain.Refusal{Code: "rent.code", Reason: "is 1 to 32 of a-z 0-9 _ -", Field: "code"}
	ErrNothing         = &domain.Refusal{Code: "rent.nothing", Reason: "is nought; an entry is of a positive amount", Field: "amount"}
	ErrUnknownPayment  = &domain.Refusal{Class: domain.Conflicting, Code: "rent.unknown-payment", Reason: "there is no such payment on this account", Field: "payment"}
	ErrAlreadyReversed = &domain.Refusal{Class: domain.Conflicting, Code: "rent.already-reversed", Reason: "the payment has been reversed already", Field: "payment"}
	ErrReversedBefore  = &domain.Refusal{Class: domain.Conflicting, Code: "rent.reversed-before", Reason: "is before the payment it reverses", Field: "value_date"}
	ErrReversedAmount  = &domain.Refusal{Class: domain.Conflicting, Code: "rent.reversed-amount", Reason: "is not the amount of the payment; a reversal is of the whole", Field: "amount"}
	ErrUnknownEntry    = &domain.Refusal{Class: domain.Conflicting, Code: "rent.unknown-entry", Reason: "there is no such entry on this account", Field: "corrects"}
	ErrUnknownCalendar = &domain.Refusal{Class: domain.Conflicting, Code: "rent.unknown-calendar", Reason: "there is no such calendar", Field: "rent_free_calendar"}
)
