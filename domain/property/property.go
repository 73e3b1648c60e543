// Package property is a home, a block or an estate: what rent is paid for and repairs are done to.
package property

import (
	"slices"

	"rentbook/domain"
)

// Category is that of the streams of properties.
const Category = "property"

// Event is one fact about a property.
type Event interface {
	EventType() string
	applyTo(Property) Property
}

// Events lists every fact of this stream.
func Events() []Event { return []Event{Described{}} }

// Described says what the property is, the first time or another.
type Described struct {
	Kind     string    `json:"kind"`
	Parent   domain.ID `json:"parent,omitzero"`
	Address  string    `json:"address"`
	Postcode string    `json:"postcode"`
	Locality string    `json:"locality,omitzero"`
}

// EventType is the stored name.
func (Described) EventType() string { return "property.described.v1" }

func (e Described) applyTo(p Property) Property {
	p.parent, p.postcode, p.locality = e.Parent, e.Postcode, e.Locality
	p.described = append(slices.Clip(p.described), p.version)
	return p
}

// Property is what its history amounts to.
type Property struct {
	version   uint64
	described []uint64
	parent    domain.ID
	postcode  string
	locality  string
}

// Apply is the property after one more fact.
func (p Property) Apply(e Event) Property {
	p.version++
	return e.applyTo(p)
}

// Version counts the facts.
func (p Property) Version() uint64 { return p.version }

// Exists says whether anybody described the property.
func (p Property) Exists() bool { return len(p.described) > 0 }

// Parent is the property that this one is part of, if any.
func (p Property) Parent() domain.ID { return p.parent }

// Postcode is that of the address.
func (p Property) Postcode() string { return p.postcode }

// Locality is the town, or the part of it.
func (p Property) Locality() string { return p.locality }

// Weight estimates the memory the state holds, in bytes.
func (p Property) Weight() int { return 160 + 8*len(p.described) }

// Kinds lists what a property can be.
func Kinds() []string { return []string{"home", "block", "estate"} }

// Description is what a property is.
type Description Described

// Recorded lists the versions that described the property.
func (d Description) Recorded(p Property) []uint64 { return p.described }

// Matches says whether the fact describes it the same way.
func (d Description) Matches(e Event) bool { return e == Described(d) }

// Describe records what the property is.
func (p Property) Describe(d Description) ([]Event, error) {
	return []Event{Described(d)}, nil
}
