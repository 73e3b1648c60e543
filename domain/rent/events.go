package rent

import (
	"rentbook/domain"
)

// Event is one fact in the life of a rent account. The unexported method seals the set: no fact
// can be added without saying what it changes.
type Event interface {
	EventType() string
	applyTo(Account) Account
}

// Events lists every fact of this stream, in the order of a tenancy's life.
func Events() []Event {
	return []Event{
		AccountOpened{},
		DatesChanged{},
		TermSet{},
		ChargeRaised{},
		ChargeCorrected{},
		ChargeEntered{},
		PaymentReceived{},
		PaymentReversed{},
		AdjustmentMade{},
	}
}

// AccountOpened starts the account of a tenancy.
type AccountOpened struct {
	StartsOn domain.Date     `json:"starts_on"`
	EndsOn   domain.Date     `json:"ends_on,omitzero"`
	Currency domain.Currency `json:"currency"`
}

// DatesChanged gives the account the days of its tenancy anew. An open end is no ends_on.
type DatesChanged struct {
	StartsOn domain.Date `json:"starts_on"`
	EndsOn   domain.Date `json:"ends_on,omitzero"`
}

// TermSet says what a rent term reads from here on, the first time or another.
type TermSet struct {
	Term             domain.ID    `json:"term"`
	Code             Code         `json:"code"`
	Description      string       `json:"description"`
	Amount           domain.Money `json:"amount"`
	Period           Period       `json:"period"`
	ChargeDay        ChargeDay    `json:"charge_day,omitzero"`
	AnchoredOn       domain.Date  `json:"anchored_on,omitzero"`
	Due              Due          `json:"due"`
	Proration        Proration    `json:"proration"`
	From             domain.Date  `json:"from"`
	To               domain.Date  `json:"to,omitzero"`
	BenefitEligible  bool         `json:"benefit_eligible,omitzero"`
	Fund             string       `json:"fund,omitzero"`
	RentFreeCalendar domain.ID    `json:"rent_free_calendar,omitzero"`
}

// ChargeRaised is a charge that a charge run raised from a term. It owns its days: no later run
// charges them again.
type ChargeRaised struct {
	Charge      domain.ID    `json:"charge"`
	Code        Code         `json:"code"`
	Description string       `json:"description"`
	Amount      domain.Money `json:"amount"`
	ValueDate   domain.Date  `json:"value_date"`
	PeriodFrom  domain.Date  `json:"period_from"` // first covered day
	PeriodTo    domain.Date  `json:"period_to"`   // last covered day
	Fund        string       `json:"fund,omitzero"`
	Explanation Explanation  `json:"explanation"`
}

// ChargeCorrected is the difference between what runs raised for the days of a charge and what the
// terms give for them now.
type ChargeCorrected struct {
	Correction  domain.ID     `json:"correction"`
	Corrects    domain.ID     `json:"corrects"`
	Kind        Kind          `json:"kind"` // charge when more is owed, credit when less
	Code        Code          `json:"code"`
	Description string        `json:"description"`
	Amount      domain.Money  `json:"amount"`
	ValueDate   domain.Date   `json:"value_date"`
	PeriodFrom  domain.Date   `json:"period_from"`
	PeriodTo    domain.Date   `json:"period_to"`
	Fund        string        `json:"fund,omitzero"`
	RaisedFor   TermAt        `json:"raised_for"` // the term that the charge was raised from
	Raised      domain.Money  `json:"raised"`     // what runs had raised for these days
	Owed        domain.Money  `json:"owed"`       // what the terms give for them now
	Parts       []Explanation `json:"parts"`      // how; empty when no term covers the days any more
}

// ChargeEntered is a charge by hand or imported. It owns no days.
type ChargeEntered struct {
	Charge      domain.ID       `json:"charge"`
	Code        Code            `json:"code"`
	Description domain.Personal `json:"description,omitzero"`
	Amount      domain.Money    `json:"amount"`
	ValueDate   domain.Date     `json:"value_date"`
	PeriodFrom  domain.Date     `json:"period_from,omitzero"`
	PeriodTo    domain.Date     `json:"period_to,omitzero"`
	Fund        string          `json:"fund,omitzero"`
	Method      string          `json:"method,omitzero"`
	Reference   domain.Personal `json:"reference,omitzero"`
}

// PaymentReceived is money that came in.
type PaymentReceived struct {
	Payment     domain.ID       `json:"payment"`
	Amount      domain.Money    `json:"amount"`
	ValueDate   domain.Date     `json:"value_date"`
	Method      string          `json:"method,omitzero"`
	Reference   domain.Personal `json:"reference,omitzero"`
	Payer       domain.Personal `json:"payer,omitzero"`
	Instruction domain.Personal `json:"instruction,omitzero"`
	Code        Code            `json:"code,omitzero"`
	Description domain.Personal `json:"description,omitzero"`
	PeriodFrom  domain.Date     `json:"period_from,omitzero"`
	PeriodTo    domain.Date     `json:"period_to,omitzero"`
	Fund        string          `json:"fund,omitzero"`
}

// PaymentReversed takes a whole payment back, once, and may add a fee. The payment stays visible.
type PaymentReversed struct {
	Reversal   domain.ID       `json:"reversal"`
	Payment    domain.ID       `json:"payment"`
	Amount     domain.Money    `json:"amount"`
	ValueDate  domain.Date     `json:"value_date"`
	ReasonCode Code            `json:"reason_code,omitzero"`
	Reason     domain.Personal `json:"reason,omitzero"`
	Fee        domain.Money    `json:"fee,omitzero"`
	Method     string          `json:"method,omitzero"`
	Reference  domain.Personal `json:"reference,omitzero"`
	PeriodFrom domain.Date     `json:"period_from,omitzero"`
	PeriodTo   domain.Date     `json:"period_to,omitzero"`
	Fund       string          `json:"fund,omitzero"`
}

// AdjustmentMade is a credit, debit, write-off, write-on or refund.
type AdjustmentMade struct {
	Adjustment domain.ID       `json:"adjustment"`
	Kind       Kind            `json:"kind"`
	Amount     domain.Money    `json:"amount"`
	ValueDate  domain.Date     `json:"value_date"`
	Code       Code            `json:"code,omitzero"`
	Reason     domain.Personal `json:"reason,omitzero"`
	Corrects   domain.ID       `json:"corrects,omitzero"`
	Method     string          `json:"method,omitzero"`
	Reference  domain.Personal `json:"reference,omitzero"`
	PeriodFrom domain.Date     `json:"period_from,omitzero"`
	PeriodTo   domain.Date     `json:"period_to,omitzero"`
	Fund       string          `json:"fund,omitzero"`
}

// The stored names. They are a contract: never changed, only succeeded by a v2.

func (AccountOpened) EventType() string   { return "rent.account-opened.v1" }
func (DatesChanged) EventType() string    { return "rent.dates-changed.v1" }
func (TermSet) EventType() string         { return "rent.term-set.v1" }
func (ChargeRaised) EventType() string    { return "rent.charge-raised.v1" }
func (ChargeCorrected) EventType() string { return "rent.charge-corrected.v1" }
func (ChargeEntered) EventType() string   { return "rent.charge-entered.v1" }
func (PaymentReceived) EventType() string { return "rent.payment-received.v1" }
func (PaymentReversed) EventType() string { return "rent.payment-reversed.v1" }
func (AdjustmentMade) EventType() string  { return "rent.adjustment-made.v1" }

// Personal names the stored fields that are sealed, here with the account's own key (no key
// named: the stream's).

// Personal has the account's key made when the account is opened, so that no payment waits for it.
func (AccountOpened) Personal() (key string, fields []string) { return "", nil }

func (ChargeEntered) Personal() (key string, fields []string) {
	return "", []string{"description", "reference"}
}

func (PaymentReceived) Personal() (key string, fields []string) {
	return "", []string{"reference", "payer", "instruction", "description"}
}

func (PaymentReversed) Personal() (key string, fields []string) {
	return "", []string{"reason", "reference"}
}

func (AdjustmentMade) Personal() (key string, fields []string) {
	return "", []string{"reason", "reference"}
}
