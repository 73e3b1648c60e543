package http

import (
	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/contractor"
)

type contractorBody struct {
	Name     string   `json:"name" maxLength:"500" example:"Lindum Plumbing"`
	Trades   []string `json:"trades" minItems:"1" maxItems:"100" example:"[\"plumbing\",\"heating\"]"`
	Areas    []string `json:"areas,omitempty" maxItems:"1000" doc:"Ids of properties (and all below), postcode:LN1, locality:Lincoln; none: everywhere"`
	Capacity int      `json:"capacity,omitempty" minimum:"0" doc:"Most repairs open at once; 0: no limit"`
	Email    string   `json:"email,omitempty" maxLength:"500"`
	Phone    string   `json:"phone,omitempty" maxLength:"500"`
	Retired  bool     `json:"retired,omitempty" doc:"Gets nothing new"`
}

type putContractor struct {
	Contractor string `path:"contractor" example:"C1"`
	Conditional
	Body contractorBody
}

func (p *putContractor) command() commands.PutContractor {
	b := &p.Body
	return commands.PutContractor{
		Contractor: p.Contractor, Name: b.Name, Trades: b.Trades, Areas: b.Areas, Capacity: b.Capacity, Email: b.Email, Phone: b.Phone,
		Retired: b.Retired,
	}
}

type codePrice struct {
	Code  string `json:"code" example:"PLB-014"`
	Price string `json:"price" doc:"Of one" example:"42.10"`
}

type pricesBody struct {
	Contract string      `json:"contract,omitempty" doc:"The contract whose price list this is" default:"prices" example:"2026"`
	From     domain.Date `json:"from" doc:"The first day"`
	To       domain.Date `json:"to,omitzero" doc:"The last day"`
	Currency string      `json:"currency" example:"GBP"`
	Prices   []codePrice `json:"prices" minItems:"1" maxItems:"5000"`
}

type putPrices struct {
	Contractor string `path:"contractor" example:"C1"`
	Conditional
	Body pricesBody
}

func (p *putPrices) command() commands.PutPrices {
	b := &p.Body
	c := commands.PutPrices{
		Contractor: p.Contractor, Contract: b.Contract, From: b.From.String(), To: b.To.String(), Currency: b.Currency,
	}
	for _, price := range b.Prices {
		c.Prices = append(c.Prices, commands.CodePrice(price))
	}
	return c
}

type windowBody struct {
	Day      string `json:"day" enum:"monday,tuesday,wednesday,thursday,friday,saturday,sunday"`
	From     string `json:"from" doc:"Local time" example:"08:00"`
	To       string `json:"to" example:"12:00"`
	Capacity int    `json:"capacity,omitempty" minimum:"1" default:"1" doc:"Visits"`
}

type openingBody struct {
	Date     domain.Date `json:"date"`
	From     string      `json:"from" example:"08:00"`
	To       string      `json:"to" example:"12:00"`
	Capacity int         `json:"capacity,omitempty" minimum:"1" default:"1"`
}

type availabilityBody struct {
	Windows []windowBody  `json:"windows" maxItems:"100" nullable:"false" doc:"Every week"`
	Closed  []domain.Date `json:"closed,omitempty" maxItems:"1000" doc:"Days on which nobody comes"`
	Opened  []openingBody `json:"opened,omitempty" maxItems:"1000" doc:"Windows of one day"`
}

type putAvailability struct {
	Contractor string `path:"contractor" example:"C1"`
	Conditional
	Body availabilityBody
}

func (p *putAvailability) command() commands.PutAvailability {
	c := commands.PutAvailability{Contractor: p.Contractor}
	for _, w := range p.Body.Windows {
		c.Windows = append(c.Windows, contractor.Window(w))
	}
	for _, day := range p.Body.Closed {
		c.Closed = append(c.Closed, day.String())
	}
	for _, o := range p.Body.Opened {
		c.Opened = append(c.Opened, contractor.Opening(o))
	}
	return c
}
