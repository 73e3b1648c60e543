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
	return target{stream: propertyStream(id), kind: "property", id: id, changeable: true}, about, permit(m, f)
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
