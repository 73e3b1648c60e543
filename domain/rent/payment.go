package rent

import "rentbook/domain"

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
