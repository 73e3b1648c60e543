package http

import (
	"rentbook/domain"
	"rentbook/domain/contractor"
	"rentbook/projections"
)

// contractorShown is a contractor as far as it can still be read.
type contractorShown struct {
	Contractor string          `json:"contractor" example:"C1"`
	Name       string          `json:"name"`
	Trades     []string        `json:"trades"`
	Areas      []string        `json:"areas" nullable:"false" doc:"None: everywhere"`
	Capacity   int             `json:"capacity" doc:"Most repairs open at once; 0: no limit"`
	Email      domain.Personal `json:"email,omitzero"`
	Phone      domain.Personal `json:"phone,omitzero"`
	Retired    bool            `json:"retired"`
}

func shownContractor(c projections.Contractor) contractorShown {
	return contractorShown{
		Contractor: c.ID, Name: c.Name, Trades: c.Trades, Areas: append([]string{}, c.Areas...), Capacity: c.Capacity,
		Email: c.Email, Phone: c.Phone, Retired: c.Retired,
	}
}

type getContractor struct {
	Contractor string `path:"contractor" example:"C1"`
}

func (s *Server) contractor(c *call, v *projections.Reader, q *getContractor) (contractorShown, string, error) {
	if err := c.ownContractor(v, q.Contractor); err != nil {
		return contractorShown{}, "", err
	}
	found, err := v.Contractor(q.Contractor)
	return shownContractor(found), version(found.Version), err
}

type listContractors struct{ Paged }

type contractorsPage struct {
	Contractors []contractorShown `json:"contractors" nullable:"false"`
	Next        string            `json:"next,omitempty" doc:"The cursor of the next page; absent on the last"`
}

func (s *Server) contractors(_ *call, v *projections.Reader, q *listContractors) (contractorsPage, string, error) {
	page := contractorsPage{Contractors: []contractorShown{}}
	after, err := q.after()
	if err != nil {
		return page, "", err
	}
	found, err := v.Contractors(after, q.Limit+1)
	for i, c := range found {
		if i == q.Limit {
			page.Next = cursor(found[i-1].ID)
			break
		}
		page.Contractors = append(page.Contractors, shownContractor(c))
	}
	return page, "", err
}

type pricesShown struct {
	Contract string          `json:"contract" example:"2026"`
	From     domain.Date     `json:"from"`
	To       domain.Date     `json:"to,omitzero"`
	Currency domain.Currency `json:"currency"`
	Prices   []codePrice     `json:"prices" nullable:"false"`
	Version  uint64          `json:"version" doc:"To be sent as If-Match with a change of this list"`
}

type pricesPage struct {
	Contracts []pricesShown `json:"contracts" nullable:"false"`
}

func (s *Server) prices(c *call, v *projections.Reader, q *getContractor) (pricesPage, string, error) {
	page := pricesPage{Contracts: []pricesShown{}}
	if err := c.ownContractor(v, q.Contractor); err != nil {
		return page, "", err
	}
	found, err := v.ContractorPrices(q.Contractor)
	for _, list := range found {
		shown := pricesShown{
			Contract: string(list.Contract), From: list.From, To: list.To, Currency: list.Currency, Prices: []codePrice{}, Version: list.Version,
		}
		for _, p := range list.Prices {
			shown.Prices = append(shown.Prices, codePrice{Code: p.Code, Price: p.Price.String()})
		}
		page.Contracts = append(page.Contracts, shown)
	}
	return page, "", err
}

type availabilityShown struct {
	Windows []contractor.Window  `json:"windows" nullable:"false"`
	Closed  []domain.Date        `json:"closed" nullable:"false"`
	Opened  []contractor.Opening `json:"opened" nullable:"false"`
}

func (s *Server) availability(c *call, v *projections.Reader, q *getContractor) (availabilityShown, string, error) {
	if err := c.ownContractor(v, q.Contractor); err != nil {
		return availabilityShown{}, "", err
	}
	found, err := v.ContractorAvailability(q.Contractor)
	return availabilityShown{
		Windows: append([]contractor.Window{}, found.Windows...), Closed: append([]domain.Date{}, found.Closed...),
		Opened: append([]contractor.Opening{}, found.Opened...),
	}, version(found.Version), err
}
