package rent

import (
	"slices"

	"rentbook/domain"
)

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
