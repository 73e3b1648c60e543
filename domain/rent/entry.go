package rent

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"rentbook/domain"
)

// Entry is one line that a fact puts on the account.
type Entry struct {
	ID          domain.ID
	Kind        Kind
	Code        Code
	Description domain.Personal
	Amount      domain.Money
	ValueDate   domain.Date
	PeriodFrom  domain.Date
	PeriodTo    domain.Date
	Fund        string
	Reverses    domain.ID // the payment that a payment_reversal takes back
	Corrects    domain.ID
}

// Signed is the entry's effect on the balance, in minor units.
func (e Entry) Signed() int64 {
	if e.Kind.Debit() {
		return e.Amount.Minor
	}
	return -e.Amount.Minor
}

// Entries says what a fact puts on the account, in order; most facts one line, a reversal with a
// fee two, terms and dates none.
func Entries(fact Event) []Entry {
	switch e := fact.(type) {
	case ChargeRaised:
		return []Entry{e.entry()}
	case ChargeCorrected:
		return []Entry{e.entry()}
	case ChargeEntered:
		return []Entry{e.entry()}
	case PaymentReceived:
		return []Entry{e.entry()}
	case PaymentReversed:
		return e.entries()
	case AdjustmentMade:
		return []Entry{e.entry()}
	}
	return nil
}

func (e ChargeRaised) entry() Entry {
	return Entry{
		ID: e.Charge, Kind: KindCharge, Code: e.Code, Description: domain.NewPersonal(e.Description),
		Amount: e.Amount, ValueDate: e.ValueDate, PeriodFrom: e.PeriodFrom, PeriodTo: e.PeriodTo, Fund: e.Fund,
	}
}

func (e ChargeCorrected) entry() Entry {
	return Entry{
		ID: e.Correction, Kind: e.Kind, Code: e.Code, Description: domain.NewPersonal(e.Description),
		Amount: e.Amount, ValueDate: e.ValueDate, PeriodFrom: e.PeriodFrom, PeriodTo: e.PeriodTo, Fund: e.Fund,
		Corrects: e.Corrects,
	}
}

func (e ChargeEntered) entry() Entry {
	return Entry{
		ID: e.Charge, Kind: KindCharge, Code: e.Code, Description: e.Description,
		Amount: e.Amount, ValueDate: e.ValueDate, PeriodFrom: e.PeriodFrom, PeriodTo: e.PeriodTo, Fund: e.Fund,
	}
}

func (e PaymentReceived) entry() Entry {
	code := e.Code
	if code == "" {
		code = Code(e.Method)
	}
	description := e.Description
	if description.IsZero() {
		description = describePayment(e.Method, e.Reference)
	}
	return Entry{
		ID: e.Payment, Kind: KindPayment, Code: code, Description: description,
		Amount: e.Amount, ValueDate: e.ValueDate, PeriodFrom: e.PeriodFrom, PeriodTo: e.PeriodTo, Fund: e.Fund,
	}
}

// describePayment is for payments that came without a description: "Direct debit, T1001/APR".
func describePayment(method string, reference domain.Personal) domain.Personal {
	words := strings.ReplaceAll(method, "_", " ")
	if words == "" || words == "other" {
		words = "payment"
	}
	first, size := utf8.DecodeRuneInString(words)
	words = string(unicode.ToUpper(first)) + words[size:]
	if reference.Text != "" {
		words += ", " + reference.Text
	}
	return domain.NewPersonal(words)
}

func (e PaymentReversed) entries() []Entry {
	reversal := Entry{
		ID: e.Reversal, Kind: KindPaymentReversal, Code: e.ReasonCode, Description: e.Reason,
		Amount: e.Amount, ValueDate: e.ValueDate, PeriodFrom: e.PeriodFrom, PeriodTo: e.PeriodTo, Fund: e.Fund,
		Reverses: e.Payment,
	}
	if reversal.Description.IsZero() {
		reversal.Description = domain.NewPersonal("Payment reversed")
	}
	if e.Fee.Minor == 0 {
		return []Entry{reversal}
	}
	return []Entry{reversal, {
		ID: e.Payment.Derive("fee"), Kind: KindCharge, Code: CodeFee,
		Description: domain.NewPersonal("Fee for a reversed payment"),
		Amount:      e.Fee, ValueDate: e.ValueDate, Fund: e.Fund, Corrects: e.Payment,
	}}
}

func (e AdjustmentMade) entry() Entry {
	code := e.Code
	if code == "" {
		code = Code(e.Kind)
	}
	return Entry{
		ID: e.Adjustment, Kind: e.Kind, Code: code, Description: e.Reason,
		Amount: e.Amount, ValueDate: e.ValueDate, PeriodFrom: e.PeriodFrom, PeriodTo: e.PeriodTo, Fund: e.Fund,
		Corrects: e.Corrects,
	}
}
