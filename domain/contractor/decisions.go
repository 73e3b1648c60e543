package contractor

import (
	"fmt"
	"slices"
	"strings"

	"rentbook/domain"
)

// Bounds of what is said of one contractor.
const (
	TradesMax  = 100
	AreasMax   = 1_000
	PricesMax  = 5_000
	WindowsMax = 100
	DaysMax    = 1_000 // closed, and as many opened

	CapacityMax = 100_000 // orders open at once, and visits in a window

	codeMax = 64 // bytes of a code of the schedule of rates
)

// Refusals of a contractor.
var (
	ErrUnknown      = &domain.Refusal{Class: domain.Unknown, Code: "contractor.unknown", Reason: "there is no such contractor"}
	ErrTrade        = &domain.Refusal{Code: "contractor.trade", Reason: "is not a trade: a-z, then up to 31 of a-z 0-9 _ -", Field: "trades"}
	ErrTwice        = &domain.Refusal{Code: "contractor.twice", Reason: "is given twice"}
	ErrCapacity     = &domain.Refusal{Code: "contractor.capacity", Reason: "is not one of 0, or 1, to 100000", Field: "capacity"}
	ErrCode         = &domain.Refusal{Code: "contractor.code", Reason: "has a code that is empty or longer than 64 bytes", Field: "prices"}
	ErrOtherMoney   = &domain.Refusal{Code: "contractor.other-currency", Reason: "has a price in another currency than the list", Field: "prices"}
	ErrPrice        = &domain.Refusal{Code: "contractor.price", Reason: "has a price below nought or more than can be recorded", Field: "prices"}
	ErrWeekday      = &domain.Refusal{Code: "contractor.weekday", Reason: "has a day that is none of monday to sunday", Field: "windows"}
	ErrTimes        = &domain.Refusal{Code: "contractor.times", Reason: "has times that are not HH:MM, the first before the second"}
	ErrOverlap      = &domain.Refusal{Code: "contractor.overlap", Reason: "has two windows that overlap on a day"}
	ErrOpenedClosed = &domain.Refusal{Code: "contractor.opened-closed", Reason: "has a day that is closed", Field: "opened"}
)

// Description is who a contractor is.
type Description Described

// Recorded lists the versions that described the contractor.
func (d Description) Recorded(c Contractor) []uint64 { return c.described }

// Matches says whether the fact describes it the same way.
func (d Description) Matches(e Event) bool {
	r, ok := e.(Described)
	return ok && d.Name == r.Name && slices.Equal(d.Trades, r.Trades) && slices.Equal(d.Areas, r.Areas) &&
		d.Capacity == r.Capacity && d.Retired == r.Retired && d.Email.Matches(r.Email) && d.Phone.Matches(r.Phone)
}

// Describe records who the contractor is.
func (c Contractor) Describe(d Description) ([]Event, error) {
	switch {
	case strings.TrimSpace(d.Name) == "":
		return nil, domain.ErrMissing.In("name")
	case len(d.Trades) == 0:
		return nil, domain.ErrMissing.In("trades")
	case len(d.Trades) > TradesMax:
		return nil, domain.ErrTooLong.In("trades")
	case len(d.Areas) > AreasMax:
		return nil, domain.ErrTooLong.In("areas")
	case d.Capacity < 0 || d.Capacity > CapacityMax:
		return nil, ErrCapacity
	}
	for i, trade := range d.Trades {
		if !validTrade(trade) {
			return nil, ErrTrade
		}
		if slices.Contains(d.Trades[:i], trade) {
			return nil, ErrTwice.In("trades")
		}
	}
	for i, text := range d.Areas {
		if _, err := ParseArea(text); err != nil {
			return nil, err
		}
		if slices.Contains(d.Areas[:i], text) {
			return nil, ErrTwice.In("areas")
		}
	}
	return []Event{Described(d)}, nil
}

// validTrade holds [a-z][a-z0-9_-]{0,31}.
func validTrade(s string) bool {
	return len(s) >= 1 && len(s) <= 32 && 'a' <= s[0] && s[0] <= 'z' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// Prices are the price list of one contract.
type Prices PricesSet

// Recorded lists the versions that set the contract's prices.
func (p Prices) Recorded(c Contractor) []uint64 {
	for _, list := range c.lists {
		if list.contract == p.Contract {
			return list.history
		}
	}
	return nil
}

// Matches says whether the fact sets the same prices, in the same order.
func (p Prices) Matches(e Event) bool {
	r, ok := e.(PricesSet)
	return ok && p.Contract == r.Contract && p.From == r.From && p.To == r.To && p.Currency == r.Currency &&
		slices.Equal(p.Prices, r.Prices)
}

// SetPrices records a price list. A list without prices says nothing; one that ends has a last day.
func (c Contractor) SetPrices(p Prices) ([]Event, error) {
	switch {
	case !c.Exists():
		return nil, ErrUnknown
	case p.Contract == "":
		return nil, domain.ErrMissing.In("contract")
	case p.From.IsZero():
		return nil, domain.ErrMissing.In("from")
	case !p.To.IsZero() && p.To < p.From:
		return nil, domain.ErrDates.In("to")
	case !p.Currency.Known():
		return nil, domain.ErrCurrency.In("currency")
	case len(p.Prices) == 0:
		return nil, domain.ErrMissing.In("prices")
	case len(p.Prices) > PricesMax:
		return nil, domain.ErrTooLong.In("prices")
	}
	seen := make(map[string]bool, len(p.Prices))
	for _, price := range p.Prices {
		if err := price.valid(p.Currency); err != nil {
			return nil, err
		}
		if seen[price.Code] {
			return nil, ErrTwice.In("prices").Because(fmt.Sprintf("has the code %q twice", price.Code))
		}
		seen[price.Code] = true
	}
	return []Event{PricesSet(p)}, nil
}

// valid takes a price of nought: some codes are paid for by others.
func (p Price) valid(in domain.Currency) error {
	switch {
	case p.Code == "" || len(p.Code) > codeMax:
		return ErrCode
	case p.Price.Currency != in:
		return ErrOtherMoney.Because(fmt.Sprintf("has a price of %q in another currency than the list", p.Code))
	case p.Price.Minor < 0 || p.Price.Minor > domain.MinorMax:
		return ErrPrice.Because(fmt.Sprintf("has a price of %q below nought or more than can be recorded", p.Code))
	}
	return nil
}

// Availability is when a contractor can come.
type Availability AvailabilitySet

// Recorded lists the versions that set the availability.
func (a Availability) Recorded(c Contractor) []uint64 { return c.available }

// Matches says whether the fact sets the same availability.
func (a Availability) Matches(e Event) bool {
	r, ok := e.(AvailabilitySet)
	return ok && slices.Equal(a.Windows, r.Windows) && slices.Equal(a.Closed, r.Closed) && slices.Equal(a.Opened, r.Opened)
}

// SetAvailability records when the contractor can come. Visits that are booked stay booked.
func (c Contractor) SetAvailability(a Availability) ([]Event, error) {
	if !c.Exists() {
		return nil, ErrUnknown
	}
	if err := a.valid(); err != nil {
		return nil, err
	}
	return []Event{AvailabilitySet(a)}, nil
}

func (a Availability) valid() error {
	switch {
	case len(a.Windows) > WindowsMax:
		return domain.ErrTooLong.In("windows")
	case len(a.Closed) > DaysMax:
		return domain.ErrTooLong.In("closed")
	case len(a.Opened) > DaysMax:
		return domain.ErrTooLong.In("opened")
	case slices.Contains(a.Closed, 0):
		return domain.ErrDate.In("closed")
	}
	for _, w := range a.Windows {
		if !slices.Contains(Weekdays(), w.Day) {
			return ErrWeekday
		}
		if err := validPart(w.From, w.To, w.Capacity, "windows"); err != nil {
			return err
		}
	}
	for _, o := range a.Opened {
		if o.Date.IsZero() {
			return domain.ErrDate.In("opened")
		}
		if slices.Contains(a.Closed, o.Date) {
			return ErrOpenedClosed
		}
		if err := validPart(o.From, o.To, o.Capacity, "opened"); err != nil {
			return err
		}
	}
	return a.apart()
}

func validPart(from, to string, capacity int, field string) error {
	if _, ok := parsePart(from, to); !ok {
		return ErrTimes.In(field)
	}
	if capacity < 1 || capacity > CapacityMax {
		return ErrCapacity.In(field)
	}
	return nil
}

// apart refuses windows that overlap: a slot's id says when it is, and two at a time would make one
// visit too many look like two.
func (a Availability) apart() error {
	weekly := AvailabilitySet{Windows: a.Windows}
	for day := domain.Date(1); day <= 7; day++ { // any week
		if overlap(weekly.partsOf(day)) {
			return ErrOverlap.In("windows")
		}
	}
	for _, o := range a.Opened {
		if overlap(AvailabilitySet(a).partsOf(o.Date)) {
			return ErrOverlap.In("opened")
		}
	}
	return nil
}

// overlap looks at parts in order.
func overlap(parts []part) bool {
	for i := 1; i < len(parts); i++ {
		if parts[i].from < parts[i-1].to {
			return true
		}
	}
	return false
}
