package commands

import (
	"context"

	"rentbook/domain"
	"rentbook/domain/rent"
)

// The commands that put lines on an account. Where an import brings more than the API asks for,
// the fields say so.

// EnterCharge is a charge by hand.
type EnterCharge struct {
	Account     string
	Charge      string
	Code        string // "other" if empty
	Description string
	Amount      string
	ValueDate   string
	PeriodFrom  string
	PeriodTo    string
	Fund        string
	Method      string // imports only
	Reference   string // imports only
}

// EnterCharge carries out an EnterCharge.
func (h *Handler) EnterCharge(ctx context.Context, m Meta, c EnterCharge) (Receipt, error) {
	t, about, err := c.noun(m)
	if err != nil {
		return Receipt{}, err
	}
	return decide(ctx, h, m, t, rent.Account.Enter, about)
}

func (c EnterCharge) noun(m Meta) (target, rent.Charge, error) {
	var f form
	account := f.id("account", c.Account)
	about := rent.Charge{
		ID:          f.id("charge", c.Charge),
		Code:        f.code("code", c.Code, rent.CodeOther),
		Description: f.personal("description", c.Description),
		Amount:      f.amount("amount", c.Amount),
		ValueDate:   f.date("value_date", c.ValueDate),
		PeriodFrom:  f.dateOrNone("period_from", c.PeriodFrom),
		PeriodTo:    f.dateOrNone("period_to", c.PeriodTo),
		Fund:        f.word("fund", c.Fund),
		Method:      f.word("method", c.Method),
		Reference:   f.personal("reference", c.Reference),
	}
	return entryTarget(account, about.ID), about, permit(m, f)
}

// entryTarget names where an entry goes. All kinds of entries share their ids, so they share the
// kind too.
func entryTarget(account, entry domain.ID) target {
	return target{stream: accountStream(account), kind: "entry", id: entry}
}

// ReceivePayment is money that came in.
type ReceivePayment struct {
	Account     string
	Payment     string
	Amount      string
	ValueDate   string
	Method      string
	Reference   string
	Payer       string
	Instruction string
	Code        string // imports only, like what follows
	Description string
	PeriodFrom  string
	PeriodTo    string
	Fund        string
}

// ReceivePayment carries out a ReceivePayment.
func (h *Handler) ReceivePayment(ctx context.Context, m Meta, c ReceivePayment) (Receipt, error) {
	t, about, err := c.noun(m)
	if err != nil {
		return Receipt{}, err
	}
	return decide(ctx, h, m, t, rent.Account.Receive, about)
}

func (c ReceivePayment) noun(m Meta) (target, rent.Payment, error) {
	var f form
	account := f.id("account", c.Account)
	about := rent.Payment{
		ID:          f.id("payment", c.Payment),
		Amount:      f.amount("amount", c.Amount),
		ValueDate:   f.date("value_date", c.ValueDate),
		Method:      f.word("method", c.Method),
		Reference:   f.personal("reference", c.Reference),
		Payer:       f.personal("payer", c.Payer),
		Instruction: f.personal("instruction", c.Instruction),
		Code:        f.code("code", c.Code, ""),
		Description: f.personal("description", c.Description),
		PeriodFrom:  f.dateOrNone("period_from", c.PeriodFrom),
		PeriodTo:    f.dateOrNone("period_to", c.PeriodTo),
		Fund:        f.word("fund", c.Fund),
	}
	return entryTarget(account, about.ID), about, permit(m, f)
}

// ReversePayment takes a whole payment back.
type ReversePayment struct {
	Account    string
	Payment    string
	ValueDate  string
	ReasonCode string
	Fee        string
	Reversal   string // imports only, like what follows; "<payment>:reversal" if empty
	Amount     string
	Reason     string
	Method     string
	Reference  string
	PeriodFrom string
	PeriodTo   string
	Fund       string
}

// ReversePayment carries out a ReversePayment.
func (h *Handler) ReversePayment(ctx context.Context, m Meta, c ReversePayment) (Receipt, error) {
	t, about, err := c.noun(m)
	if err != nil {
		return Receipt{}, err
	}
	return decide(ctx, h, m, t, rent.Account.Reverse, about)
}

func (c ReversePayment) noun(m Meta) (target, rent.Reversal, error) {
	var f form
	account := f.id("account", c.Account)
	about := rent.Reversal{
		ID:         f.idOrNone("reversal", c.Reversal),
		Payment:    f.id("payment", c.Payment),
		ValueDate:  f.date("value_date", c.ValueDate),
		ReasonCode: f.code("reason_code", c.ReasonCode, ""),
		Reason:     f.personal("reason", c.Reason),
		Amount:     f.amountOrNone("amount", c.Amount),
		Fee:        f.amountOrNone("fee", c.Fee),
		Method:     f.word("method", c.Method),
		Reference:  f.personal("reference", c.Reference),
		PeriodFrom: f.dateOrNone("period_from", c.PeriodFrom),
		PeriodTo:   f.dateOrNone("period_to", c.PeriodTo),
		Fund:       f.word("fund", c.Fund),
	}
	if about.ID == "" {
		about.ID = about.Payment.Derive("reversal")
	}
	return entryTarget(account, about.ID), about, permit(m, f)
}

// MakeAdjustment is a credit, debit, write-off, write-on or refund.
type MakeAdjustment struct {
	Account    string
	Adjustment string
	Kind       string
	Amount     string
	ValueDate  string
	Reason     string
	Corrects   string
	Code       string // imports only, like what follows
	Method     string
	Reference  string
	PeriodFrom string
	PeriodTo   string
	Fund       string
}

// MakeAdjustment carries out a MakeAdjustment.
func (h *Handler) MakeAdjustment(ctx context.Context, m Meta, c MakeAdjustment) (Receipt, error) {
	t, about, err := c.noun(m)
	if err != nil {
		return Receipt{}, err
	}
	return decide(ctx, h, m, t, rent.Account.Adjust, about)
}

func (c MakeAdjustment) noun(m Meta) (target, rent.Adjustment, error) {
	var f form
	account := f.id("account", c.Account)
	about := rent.Adjustment{
		ID: f.id("adjustment", c.Adjustment),
		Kind: oneOf(&f, "kind", c.Kind,
			rent.KindCredit, rent.KindDebit, rent.KindWriteOff, rent.KindWriteOn, rent.KindRefund),
		Amount:     f.amount("amount", c.Amount),
		ValueDate:  f.date("value_date", c.ValueDate),
		Code:       f.code("code", c.Code, ""),
		Reason:     f.personal("reason", c.Reason),
		Corrects:   f.entryID("corrects", c.Corrects),
		Method:     f.word("method", c.Method),
		Reference:  f.personal("reference", c.Reference),
		PeriodFrom: f.dateOrNone("period_from", c.PeriodFrom),
		PeriodTo:   f.dateOrNone("period_to", c.PeriodTo),
		Fund:       f.word("fund", c.Fund),
	}
	if c.Kind == "" {
		f.refuse("kind", domain.ErrMissing)
	}
	return entryTarget(account, about.ID), about, permit(m, f)
}
