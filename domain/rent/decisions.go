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

// Charge is a charge by hand.
type Charge struct {
	ID          domain.ID
	Code        Code
	Description domain.Personal
	Amount      domain.Amount
	ValueDate   domain.Date
	PeriodFrom  domain.Date
	PeriodTo    domain.Date
	Fund        string
	Method      string
	Reference   domain.Personal
}

// Recorded is the version that entered the charge.
func (c Charge) Recorded(a Account) []uint64 { return a.recorded(c.ID) }

// Matches says whether the fact enters the same charge.
func (c Charge) Matches(e Event) bool {
	recorded, ok := e.(ChargeEntered)
	if !ok || !c.Description.Matches(recorded.Description) || !c.Reference.Matches(recorded.Reference) {
		return false
	}
	fact, err := c.fact(recorded.Amount.Currency)
	fact.Description, fact.Reference = recorded.Description, recorded.Reference
	return err == nil && fact == recorded
}

func (c Charge) fact(currency domain.Currency) (ChargeEntered, error) {
	amount, err := positiveIn(c.Amount, currency)
	return ChargeEntered{
		Charge: c.ID, Code: c.Code, Description: c.Description, Amount: amount, ValueDate: c.ValueDate,
		PeriodFrom: c.PeriodFrom, PeriodTo: c.PeriodTo, Fund: c.Fund, Method: c.Method, Reference: c.Reference,
	}, err
}

// Enter records a charge by hand.
func (a Account) Enter(c Charge) ([]Event, error) {
	fact, err := c.fact(a.currency)
	return a.decideEntry(c.PeriodFrom, c.PeriodTo, fact, err)
}

// Overlaps says whether a run charges, or may charge, for days of the charge's period under its
// code: an import warns then, because the run knows nothing of charges that it did not raise.
func (c Charge) Overlaps(a Account) bool {
	if c.PeriodFrom.IsZero() || c.PeriodTo.IsZero() {
		return false
	}
	for _, t := range a.terms {
		if _, ok := t.days().cut(span{from: c.PeriodFrom, to: c.PeriodTo}); ok && t.Code == c.Code {
			return true
		}
	}
	return false
}

// Payment is money that came in.
type Payment struct {
	ID          domain.ID
	Amount      domain.Amount
	ValueDate   domain.Date
	Method      string
	Reference   domain.Personal
	Payer       domain.Personal
	Instruction domain.Personal
	Code        Code
	Description domain.Personal
	PeriodFrom  domain.Date
	PeriodTo    domain.Date
	Fund        string
}

// Recorded is the version that received the payment.
func (p Payment) Recorded(a Account) []uint64 { return a.recorded(p.ID) }

// Matches says whether the fact receives the same payment.
func (p Payment) Matches(e Event) bool {
	recorded, ok := e.(PaymentReceived)
	if !ok || !p.Reference.Matches(recorded.Reference) || !p.Payer.Matches(recorded.Payer) ||
		!p.Instruction.Matches(recorded.Instruction) || !p.Description.Matches(recorded.Description) {
		return false
	}
	fact, err := p.fact(recorded.Amount.Currency)
	fact.Reference, fact.Payer = recorded.Reference, recorded.Payer
	fact.Instruction, fact.Description = recorded.Instruction, recorded.Description
	return err == nil && fact == recorded
}

func (p Payment) fact(c domain.Currency) (PaymentReceived, error) {
	amount, err := positiveIn(p.Amount, c)
	return PaymentReceived{
		Payment: p.ID, Amount: amount, ValueDate: p.ValueDate, Method: p.Method, Reference: p.Reference,
		Payer: p.Payer, Instruction: p.Instruction, Code: p.Code, Description: p.Description,
		PeriodFrom: p.PeriodFrom, PeriodTo: p.PeriodTo, Fund: p.Fund,
	}, err
}

// Receive records a payment.
func (a Account) Receive(p Payment) ([]Event, error) {
	fact, err := p.fact(a.currency)
	return a.decideEntry(p.PeriodFrom, p.PeriodTo, fact, err)
}

// Reversal takes a whole payment back.
type Reversal struct {
	ID         domain.ID // <payment>:reversal, unless an import brings its own
	Payment    domain.ID
	ValueDate  domain.Date
	ReasonCode Code
	Reason     domain.Personal
	Amount     domain.Amount // if given, it must be the payment's
	Fee        domain.Amount
	Method     string
	Reference  domain.Personal
	PeriodFrom domain.Date
	PeriodTo   domain.Date
	Fund       string
}

// Recorded is the version that reversed the payment under this id.
func (r Reversal) Recorded(a Account) []uint64 { return a.recorded(r.ID) }

// Matches says whether the fact is the same reversal.
func (r Reversal) Matches(e Event) bool {
	recorded, ok := e.(PaymentReversed)
	if !ok || !r.Reason.Matches(recorded.Reason) || !r.Reference.Matches(recorded.Reference) {
		return false
	}
	fact, err := r.fact(recorded.Amount)
	fact.Reason, fact.Reference = recorded.Reason, recorded.Reference
	return err == nil && fact == recorded
}

func (r Reversal) fact(paid domain.Money) (PaymentReversed, error) {
	fact := PaymentReversed{
		Reversal: r.ID, Payment: r.Payment, Amount: paid, ValueDate: r.ValueDate, ReasonCode: r.ReasonCode,
		Reason: r.Reason, Method: r.Method, Reference: r.Reference,
		PeriodFrom: r.PeriodFrom, PeriodTo: r.PeriodTo, Fund: r.Fund,
	}
	if r.Amount.IsGiven() {
		amount, err := moneyIn(r.Amount, paid.Currency, "amount")
		if err != nil {
			return fact, err
		}
		if amount != paid {
			return fact, ErrReversedAmount
		}
	}
	if r.Fee.IsZero() {
		return fact, nil
	}
	fee, err := moneyIn(r.Fee, paid.Currency, "fee")
	fact.Fee = fee
	return fact, err
}

// Reverse records that a payment was taken back.
func (a Account) Reverse(r Reversal) ([]Event, error) {
	if !a.IsOpen() {
		return nil, ErrNotOpen
	}
	payment, ok := a.entries.Get(r.Payment)
	switch {
	case !ok || payment.kind != KindPayment:
		return nil, ErrUnknownPayment
	case r.ValueDate < payment.on:
		return nil, ErrReversedBefore
	}
	fact, err := r.fact(domain.Money{Minor: payment.minor, Currency: a.currency})
	facts, err := a.decideEntry(r.PeriodFrom, r.PeriodTo, fact, err)
	if err == nil && payment.reversed { // last, so that what is wrong by itself is refused as that every time
		return nil, ErrAlreadyReversed
	}
	return facts, err
}

// Adjustment is a credit, debit, write-off, write-on or refund.
type Adjustment struct {
	ID         domain.ID
	Kind       Kind
	Amount     domain.Amount
	ValueDate  domain.Date
	Code       Code
	Reason     domain.Personal
	Corrects   domain.ID
	Method     string
	Reference  domain.Personal
	PeriodFrom domain.Date
	PeriodTo   domain.Date
	Fund       string
}

// Recorded is the version that made the adjustment.
func (j Adjustment) Recorded(a Account) []uint64 { return a.recorded(j.ID) }

// Matches says whether the fact is the same adjustment.
func (j Adjustment) Matches(e Event) bool {
	recorded, ok := e.(AdjustmentMade)
	if !ok || !j.Reason.Matches(recorded.Reason) || !j.Reference.Matches(recorded.Reference) {
		return false
	}
	fact, err := j.fact(recorded.Amount.Currency)
	fact.Reason, fact.Reference = recorded.Reason, recorded.Reference
	return err == nil && fact == recorded
}

func (j Adjustment) fact(c domain.Currency) (AdjustmentMade, error) {
	amount, err := positiveIn(j.Amount, c)
	return AdjustmentMade{
		Adjustment: j.ID, Kind: j.Kind, Amount: amount, ValueDate: j.ValueDate, Code: j.Code, Reason: j.Reason,
		Corrects: j.Corrects, Method: j.Method, Reference: j.Reference,
		PeriodFrom: j.PeriodFrom, PeriodTo: j.PeriodTo, Fund: j.Fund,
	}, err
}

// Adjust records an adjustment. What it corrects, if anything, must be on the account.
func (a Account) Adjust(j Adjustment) ([]Event, error) {
	if !slices.Contains(Adjustments(), j.Kind) {
		return nil, domain.ErrWord.In("kind")
	}
	if a.IsOpen() && j.Corrects != "" && a.recorded(j.Corrects) == nil {
		return nil, ErrUnknownEntry
	}
	fact, err := j.fact(a.currency)
	return a.decideEntry(j.PeriodFrom, j.PeriodTo, fact, err)
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

// Recorded is nothing: opening an account that is open as wanted decides nothing.
func (Opening) Recorded(Account) []uint64 { return nil }

// Matches is never asked.
func (Opening) Matches(Event) bool { return false }
