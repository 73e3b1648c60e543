package commands

import (
	"context"

	"rentbook/domain"
	"rentbook/domain/calendar"
	"rentbook/domain/rent"
)

// PutTerm says what a rent term reads from here on.
type PutTerm struct {
	Account          string
	Term             string
	Code             string
	Description      string
	Amount           string
	Period           string
	ChargeDay        string
	AnchoredOn       string
	Due              string
	Proration        string
	From             string
	To               string
	BenefitEligible  bool
	Fund             string
	RentFreeCalendar string
}

// PutTerm carries out a PutTerm. The calendar that the term names must exist.
func (h *Handler) PutTerm(ctx context.Context, m Meta, c PutTerm) (Receipt, error) {
	t, about, err := c.noun(m)
	if err != nil {
		return Receipt{}, err
	}
	if err := h.calendarExists(ctx, about.RentFreeCalendar); err != nil {
		return Receipt{}, err
	}
	return decide(ctx, h, m, t, rent.Account.SetTerm, about)
}

func (c PutTerm) noun(m Meta) (target, rent.Term, error) {
	var f form
	account := f.id("account", c.Account)
	about := rent.Term{
		ID:               f.id("term", c.Term),
		Code:             rent.Code(f.given("code", c.Code, wordMax)),
		Description:      f.given("description", c.Description, domain.TextMax),
		Amount:           f.amount("amount", c.Amount),
		Period:           oneOf(&f, "period", c.Period, rent.Periods()...),
		ChargeDay:        rent.ChargeDay(c.ChargeDay),
		AnchoredOn:       f.dateOrNone("anchored_on", c.AnchoredOn),
		Due:              oneOf(&f, "due", c.Due, rent.InAdvance, rent.InArrears),
		Proration:        oneOf(&f, "proration", c.Proration, rent.PeriodDays, rent.YearlyDays),
		From:             f.date("from", c.From),
		To:               f.dateOrNone("to", c.To),
		BenefitEligible:  c.BenefitEligible,
		Fund:             f.word("fund", c.Fund),
		RentFreeCalendar: f.idOrNone("rent_free_calendar", c.RentFreeCalendar),
	}
	if c.Period == "" {
		f.refuse("period", domain.ErrMissing)
	}
	return target{stream: accountStream(account), kind: "term", id: about.ID, changeable: true}, about, permit(m, f)
}

// calendarExists refuses the id of a calendar that nobody set; none is fine.
func (h *Handler) calendarExists(ctx context.Context, id domain.ID) error {
	if id == "" {
		return nil
	}
	known, err := exists[calendar.Calendar, calendar.Event](ctx, h, calendarStream(id))
	if err == nil && !known {
		err = rent.ErrUnknownCalendar
	}
	return err
}
