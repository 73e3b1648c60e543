package commands

import (
	"cmp"
	"context"

	"rentbook/domain"
	"rentbook/domain/contractor"
)

// PutContractor says who a contractor is.
type PutContractor struct {
	Contractor string
	Name       string
	Trades     []string
	Areas      []string
	Capacity   int
	Email      string
	Phone      string
	Retired    bool
}

// PutContractor carries out a PutContractor.
func (h *Handler) PutContractor(ctx context.Context, m Meta, c PutContractor) (Receipt, error) {
	var f form
	id := f.id("contractor", c.Contractor)
	about := contractor.Description{
		Name: f.given("name", c.Name, domain.TextMax), Trades: c.Trades, Areas: c.Areas, Capacity: c.Capacity,
		Email: f.personal("email", c.Email), Phone: f.personal("phone", c.Phone), Retired: c.Retired,
	}
	if err := permit(m, f); err != nil {
		return Receipt{}, err
	}
	t := target{stream: contractorStream(id), kind: "contractor", id: id, changeable: true}
	return decide(ctx, h, m, t, contractor.Contractor.Describe, about)
}

// PutPrices gives the price list of a contractor's contract.
type PutPrices struct {
	Contractor string
	Contract   string // empty: "prices"
	From       string
	To         string
	Currency   string
	Prices     []CodePrice
}

// CodePrice is what one of a code costs.
type CodePrice struct{ Code, Price string }

// PutPrices carries out a PutPrices.
func (h *Handler) PutPrices(ctx context.Context, m Meta, c PutPrices) (Receipt, error) {
	var f form
	id := f.id("contractor", c.Contractor)
	about := contractor.Prices{
		Contract: f.id("contract", cmp.Or(c.Contract, "prices")), From: f.date("from", c.From), To: f.dateOrNone("to", c.To),
		Currency: f.currency("currency", c.Currency),
	}
	for _, p := range c.Prices {
		if f.err != nil {
			break
		}
		price, err := f.amount("prices", p.Price).In(about.Currency)
		if err != nil {
			f.refuse("prices", err)
		}
		about.Prices = append(about.Prices, contractor.Price{Code: f.given("prices", p.Code, wordMax), Price: price})
	}
	if err := permit(m, f); err != nil {
		return Receipt{}, err
	}
	t := target{stream: contractorStream(id), kind: "prices", id: about.Contract, changeable: true}
	return decide(ctx, h, m, t, contractor.Contractor.SetPrices, about)
}

// PutAvailability says when a contractor can come.
type PutAvailability struct {
	Contractor string
	Windows    []contractor.Window
	Closed     []string
	Opened     []contractor.Opening
}

// PutAvailability carries out a PutAvailability.
func (h *Handler) PutAvailability(ctx context.Context, m Meta, c PutAvailability) (Receipt, error) {
	var f form
	id := f.id("contractor", c.Contractor)
	about := contractor.Availability{Windows: c.Windows, Opened: c.Opened}
	for _, day := range c.Closed {
		about.Closed = append(about.Closed, f.date("closed", day))
	}
	if err := permit(m, f); err != nil {
		return Receipt{}, err
	}
	t := target{stream: contractorStream(id), kind: "availability", id: id, changeable: true}
	return decide(ctx, h, m, t, contractor.Contractor.SetAvailability, about)
}
