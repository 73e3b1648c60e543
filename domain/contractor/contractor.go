// Package contractor is who does repairs: their trades, where they work, what they charge and when
// they have time.
//
// events.go has the facts, contractor.go what they amount to, prices.go and availability.go two of
// its parts; decisions.go what may be said of a contractor; routing.go the rule by which a repair
// finds one, and area.go whether they work where it is.
//
// What is said replaces what was said before. A price list belongs to one contract and is in force
// on days; a window belongs to a weekday and is in local time, so that eight in the morning stays
// eight in the morning when the clocks change.
//
// The one rule: the same facts send the same repair to the same contractor, and say why.
package contractor

import "slices"

// Category is that of the streams of contractors.
const Category = "contractor"

// Contractor is what its history amounts to.
type Contractor struct {
	version      uint64
	described    []uint64 // versions that described it
	available    []uint64 // versions that set its windows
	description  Described
	availability AvailabilitySet
	lists        []priceList // the latest from first, then the one set later
}

// Apply is the contractor after one more fact.
func (c Contractor) Apply(e Event) Contractor {
	c.version++
	return e.applyTo(c)
}

func (e Described) applyTo(c Contractor) Contractor {
	c.described = append(slices.Clip(c.described), c.version)
	c.description = e
	return c
}

func (e AvailabilitySet) applyTo(c Contractor) Contractor {
	c.available = append(slices.Clip(c.available), c.version)
	c.availability = e
	return c
}

// Version counts the facts.
func (c Contractor) Version() uint64 { return c.version }

// Exists says whether anybody described the contractor.
func (c Contractor) Exists() bool { return len(c.described) > 0 }

// Trades lists what the contractor does.
func (c Contractor) Trades() []string { return slices.Clone(c.description.Trades) }

// DoesTrade says whether a trade is among them.
func (c Contractor) DoesTrade(trade string) bool {
	return slices.Contains(c.description.Trades, trade)
}

// Areas lists where the contractor works; none is everywhere.
func (c Contractor) Areas() []string { return slices.Clone(c.description.Areas) }

// Capacity is how many orders may be open with the contractor at once; 0 is no limit.
func (c Contractor) Capacity() int { return c.description.Capacity }

// Retired says that the contractor gets no more orders.
func (c Contractor) Retired() bool { return c.description.Retired }

// Weight estimates the memory the state holds, in bytes.
func (c Contractor) Weight() int {
	weight := 400 + 8*(len(c.described)+len(c.available)) +
		20*len(c.description.Trades) + 30*len(c.description.Areas) +
		60*len(c.availability.Windows) + 4*len(c.availability.Closed) + 50*len(c.availability.Opened)
	for _, list := range c.lists {
		weight += 150 + 60*len(list.prices)
	}
	return weight
}
