package commands

import (
	"context"

	"rentbook/domain"
	"rentbook/domain/property"
	"rentbook/eventstore"
)

// PutProperty says what a property is.
type PutProperty struct {
	Property string
	Kind     string
	Parent   string
	Address  string
	Postcode string
	Locality string
}

// PutProperty carries out a PutProperty. The parent must exist.
func (h *Handler) PutProperty(ctx context.Context, m Meta, c PutProperty) (Receipt, error) {
	t, about, err := c.noun(m)
	if err != nil {
		return Receipt{}, err
	}
	if err := h.propertyExists(ctx, about.Parent, "parent"); err != nil {
		return Receipt{}, err
	}
	if err := h.noRing(ctx, t.id, about.Parent); err != nil {
		return Receipt{}, err
	}
	return decide(ctx, h, m, t, property.Property.Describe, about)
}

func (c PutProperty) noun(m Meta) (target, property.Description, error) {
	var f form
	id := f.id("property", c.Property)
	about := property.Description{
		Kind:     oneOf(&f, "kind", c.Kind, property.Kinds()...),
		Parent:   f.idOrNone("parent", c.Parent),
		Address:  f.given("address", c.Address, domain.TextMax),
		Postcode: f.given("postcode", c.Postcode, wordMax),
		Locality: f.text("locality", c.Locality, domain.TextMax),
	}
	if c.Kind == "" {
		f.refuse("kind", domain.ErrMissing)
	}
	if about.Parent == id && id != "" {
		f.refuse("parent", errRing)
	}
	return target{stream: propertyStream(id), kind: "property", id: id, changeable: true}, about, permit(m, f)
}

var errRing = &domain.Refusal{Code: "property.ring", Reason: "is the property itself, or a part of it"}

// depthMax bounds how deep properties are parts of each other.
const depthMax = 20

// noRing refuses a parent that is itself a part of the property.
func (h *Handler) noRing(ctx context.Context, id, parent domain.ID) error {
	for range depthMax {
		if parent == "" {
			return nil
		}
		if parent == id {
			break
		}
		s, _, err := load[property.Property, property.Event](ctx, h, propertyStream(parent))
		if err != nil {
			return err
		}
		parent = s.Parent()
	}
	ring := errRing.In("parent")
	ring.Class = domain.Conflicting // another parent there would have made it right
	return ring
}

// permit is the order of refusals: who may not ask learns nothing about what was asked.
func permit(m Meta, f form) error {
	if err := m.Actor.mayWrite(); err != nil {
		return err
	}
	return f.err
}

func propertyStream(id domain.ID) eventstore.Stream {
	return eventstore.NewStream(property.Category, string(id))
}

// propertyExists refuses the id of a property that nobody described; none is fine.
func (h *Handler) propertyExists(ctx context.Context, id domain.ID, field string) error {
	if id == "" {
		return nil
	}
	known, err := exists[property.Property, property.Event](ctx, h, propertyStream(id))
	if err == nil && !known {
		err = domain.ErrUnknownReference.Because("there is no such property").In(field)
	}
	return err
}

// exists says whether anything is recorded on a stream.
func exists[S state[S, E], E eventstore.Named](ctx context.Context, h *Handler, stream eventstore.Stream) (bool, error) {
	s, _, err := load[S, E](ctx, h, stream)
	return s.Version() > 0, err
}
