package contractor

import "rentbook/domain"

// Event is one fact about a contractor.
type Event interface {
	EventType() string
	applyTo(Contractor) Contractor
}

// Events lists every fact of this stream.
func Events() []Event { return []Event{Described{}, PricesSet{}, AvailabilitySet{}} }

// Described says who the contractor is, the first time or another. The name is a company's, which
// is nobody's personal data; a mailbox or a telephone may well be somebody's.
type Described struct {
	Name     string          `json:"name"`
	Trades   []string        `json:"trades"`
	Areas    []string        `json:"areas,omitempty"`   // ParseArea; none: everywhere
	Capacity int             `json:"capacity,omitzero"` // most open orders at once; 0: no limit
	Email    domain.Personal `json:"email,omitzero"`
	Phone    domain.Personal `json:"phone,omitzero"`
	Retired  bool            `json:"retired,omitzero"`
}

// PricesSet gives the price list of one contract, the first time or another.
type PricesSet struct {
	Contract domain.ID       `json:"contract"`
	From     domain.Date     `json:"from"`
	To       domain.Date     `json:"to,omitzero"` // last day; none: open
	Currency domain.Currency `json:"currency"`
	Prices   []Price         `json:"prices"`
}

// Price is what one unit of a code of the schedule of rates costs.
type Price struct {
	Code  string       `json:"code"`
	Price domain.Money `json:"price"`
}

// AvailabilitySet says when the contractor can come: every week, but not on closed days, and on
// some days also in windows of their own.
type AvailabilitySet struct {
	Windows []Window      `json:"windows,omitempty"`
	Closed  []domain.Date `json:"closed,omitempty"`
	Opened  []Opening     `json:"opened,omitempty"`
}

// Window is a part of a weekday in which the contractor can make some visits.
type Window struct {
	Day      string `json:"day"`  // monday to sunday
	From     string `json:"from"` // local time, 08:00
	To       string `json:"to"`
	Capacity int    `json:"capacity"` // visits; at least one
}

// Opening is such a part of one day only.
type Opening struct {
	Date     domain.Date `json:"date"`
	From     string      `json:"from"`
	To       string      `json:"to"`
	Capacity int         `json:"capacity"`
}

// The stored names. They are a contract: never changed, only succeeded by a v2.

func (Described) EventType() string       { return "contractor.described.v1" }
func (PricesSet) EventType() string       { return "contractor.prices-set.v1" }
func (AvailabilitySet) EventType() string { return "contractor.availability-set.v1" }

// Personal names the fields that are sealed with the contractor's own key.
func (Described) Personal() (key string, fields []string) {
	return "", []string{"email", "phone"}
}
