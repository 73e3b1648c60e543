package contractor

import (
	"cmp"
	"slices"
	"strings"

	"rentbook/domain"
)

// priceList is that of one contract as it now reads.
type priceList struct {
	contract domain.ID
	from, to domain.Date
	history  []uint64 // versions that set it
	prices   []Price  // by code
}

func (l priceList) setAt() uint64 { return l.history[len(l.history)-1] }

func (l priceList) inForce(on domain.Date) bool {
	return l.from <= on && (l.to.IsZero() || on <= l.to)
}

func (l priceList) price(code string) (domain.Money, bool) {
	at, known := slices.BinarySearchFunc(l.prices, code, func(p Price, code string) int { return strings.Compare(p.Code, code) })
	if !known {
		return domain.Money{}, false
	}
	return l.prices[at].Price, true
}

func (e PricesSet) applyTo(c Contractor) Contractor {
	set := priceList{contract: e.Contract, from: e.From, to: e.To, prices: slices.Clone(e.Prices)}
	slices.SortStableFunc(set.prices, func(a, b Price) int { return strings.Compare(a.Code, b.Code) })
	lists := make([]priceList, 0, len(c.lists)+1)
	for _, list := range c.lists {
		if list.contract == e.Contract {
			set.history = list.history
			continue
		}
		lists = append(lists, list)
	}
	set.history = append(slices.Clip(set.history), c.version)
	c.lists = append(lists, set)
	slices.SortFunc(c.lists, func(a, b priceList) int {
		return cmp.Or(cmp.Compare(b.from, a.from), cmp.Compare(b.setAt(), a.setAt()))
	})
	return c
}

// Tariff is the contractor's prices on one day.
type Tariff struct{ lists []priceList } // in force that day, the one that counts first

// PricesOn is what the contractor charges for orders of a day.
func (c Contractor) PricesOn(day domain.Date) Tariff {
	var t Tariff
	for _, list := range c.lists {
		if list.inForce(day) {
			t.lists = append(t.lists, list)
		}
	}
	return t
}

// Price is that of a code, and the contract it is from: of the contracts in force that have the
// code, the one that began last; of those that began on one day, the one that was set last.
func (t Tariff) Price(code string) (price domain.Money, contract domain.ID, ok bool) {
	for _, list := range t.lists {
		if price, known := list.price(code); known {
			return price, list.contract, true
		}
	}
	return domain.Money{}, "", false
}
