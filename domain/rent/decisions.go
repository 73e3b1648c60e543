package rent

import (
	"slices"

	"rentbook/domain"
)

// The nouns that decisions are about, and the decisions. A noun knows whether the account has it
// recorded already (Recorded: the versions of the facts that set it, oldest first) and whether
// such a fact says the same (Matches), so that telling the account something twice changes nothing.

// Opening opens the account of a tenancy.
type Opening struct {
	StartsOn domain.Date
	EndsOn   domain.Date // zero: open
	Currency domain.Currency
}

// Open records the opening, or brings the days of an account that is open already to the wanted
// ones: a tenancy that another command left half opened is completed so.
func (a Account) Open(o Opening) ([]Event, error) {
	if o.StartsOn < earliest {
		return nil, domain.ErrDate.In("starts_on")
	}
	if err := validDates(o.StartsOn, o.EndsOn, "ends_on"); err != nil {
		return nil, err
	}
	if !o.Currency.Known() {
		return nil, domain.ErrCurrency.In("currency")
	}
	switch {
	case !a.IsOpen():
		return []Event{AccountOpened(o)}, nil
	case a.currency != o.Currency:
		return nil, ErrFixedCurrency
	case a.startsOn != o.StartsOn || a.endsOn != o.EndsOn:
		return []Event{DatesChanged{StartsOn: o.StartsOn, EndsOn: o.EndsOn}}, nil
	}
	return nil, nil
}

// Recorded is nothing: opening an account that is open as wanted decides nothing.
func (Opening) Recorded(Account) []uint64 { return nil }

// Matches is never asked.
func (Opening) Matches(Event) bool { return false }

// Term is a rent term to set.
type Term struct {
	ID               domain.ID
	Code             Code
	Description      string
	Amount           domain.Amount
	Period           Period
	ChargeDay        ChargeDay
	AnchoredOn       domain.Date
	Due              Due
	Proration        Proration
	From             domain.Date
	To               domain.Date
	BenefitEligible  bool
	Fund             string
	RentFreeCalendar domain.ID
}

// Recorded lists the versions that set the term.
func (t Term) Recorded(a Account) []uint64 {
	for _, known := range a.terms {
		if known.Term == t.ID {
			return known.history
		}
	}
	return nil
}

// Matches says whether the fact sets the same term.
func (t Term) Matches(e Event) bool {
	set, ok := e.(TermSet)
	if !ok {
		return false
	}
	fact, err := t.fact(set.Amount.Currency)
	return err == nil && fact == set
}

func (t Term) fact(c domain.Currency) (TermSet, error) {
	amount, err := moneyIn(t.Amount, c, "amount")
	return TermSet{
		Term: t.ID, Code: t.Code, Description: t.Description, Amount: amount, Period: t.Period,
		ChargeDay: t.ChargeDay, AnchoredOn: t.AnchoredOn, Due: t.Due, Proration: t.Proration,
		From: t.From, To: t.To, BenefitEligible: t.BenefitEligible, Fund: t.Fund,
		RentFreeCalendar: t.RentFreeCalendar,
	}, err
}

// SetTerm says what a term reads from here on.
func (a Account) SetTerm(t Term) ([]Event, error) {
	if !a.IsOpen() {
		return nil, ErrNotOpen
	}
	if !t.Code.TermCode() {
		return nil, ErrCode
	}
	if err := validDates(t.From, t.To, "to"); err != nil {
		return nil, err
	}
	if err := t.validWords(); err != nil {
		return nil, err
	}
	fact, err := t.fact(a.currency)
	if err != nil {
		return nil, err
	}
	return []Event{fact}, nil
}

// validWords keeps out what no schedule can be made of.
func (t Term) validWords() error {
	if !slices.Contains(Periods(), t.Period) {
		return domain.ErrWord.In("period")
	}
	if t.Due != InAdvance && t.Due != InArrears {
		return domain.ErrWord.In("due")
	}
	if t.Proration != PeriodDays && t.Proration != YearlyDays {
		return domain.ErrWord.In("proration")
	}
	_, weekday := t.ChargeDay.weekday()
	_, day := t.ChargeDay.dayOfMonth()
	if t.Period.weeks() > 0 && !weekday || t.Period.months() > 0 && !day {
		return ErrChargeDay
	}
	return nil
}

// decideEntry is what all facts that put lines on the account have in common.
func (a Account) decideEntry(periodFrom, periodTo domain.Date, fact Event, err error) ([]Event, error) {
	if !a.IsOpen() {
		return nil, ErrNotOpen
	}
	if err != nil {
		return nil, err
	}
	if !periodFrom.IsZero() && !periodTo.IsZero() && periodTo < periodFrom {
		return nil, domain.ErrDates.In("period_to")
	}
	return []Event{fact}, nil
}

func (a Account) recorded(id domain.ID) []uint64 {
	if a.entries == nil {
		return nil
	}
	if e, ok := a.entries.Get(id); ok {
		return []uint64{e.version}
	}
	return nil
}

func validDates(from, to domain.Date, field string) error {
	if !to.IsZero() && to < from {
		return domain.ErrDates.In(field)
	}
	return nil
}

func moneyIn(a domain.Amount, c domain.Currency, field string) (domain.Money, error) {
	money, err := a.In(c)
	if refusal, ok := err.(*domain.Refusal); ok { //nolint:errorlint // never wrapped: it comes from domain
		return money, refusal.In(field)
	}
	return money, err
}

func positiveIn(a domain.Amount, c domain.Currency) (domain.Money, error) {
	if a.IsZero() {
		return domain.Money{}, ErrNothing
	}
	return moneyIn(a, c, "amount")
}
