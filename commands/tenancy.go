package commands

import (
	"context"
	"errors"
	"time"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/domain/tenancy"
	"rentbook/eventstore"
)

// PutTenancy opens a tenancy and its rent account, or changes what the tenancy is.
type PutTenancy struct {
	Tenancy  string
	Property string
	Kind     string
	StartsOn string
	EndsOn   string
	Currency string
}

// PutTenancy carries out a PutTenancy. It writes two streams: the account first, then the tenancy,
// which exists once its own event does. Doing it again completes what was interrupted.
func (h *Handler) PutTenancy(ctx context.Context, m Meta, c PutTenancy) (Receipt, error) {
	t, about, err := c.noun(m)
	if err != nil {
		return Receipt{}, err
	}
	if err := h.propertyExists(ctx, about.Property, "property"); err != nil {
		return Receipt{}, err
	}
	defer h.tenancies.lock(t.stream).Unlock() // two changes at once must not mix their two streams
	_, v, err := consider(ctx, h, m, t, tenancy.Tenancy.Set, about)
	if err == nil && len(v.facts) > 0 {
		if err := h.openAccount(ctx, m, t, about); err != nil {
			return Receipt{}, err
		}
		var done context.CancelFunc // whoever asked may have gone: the second half follows all the same
		ctx, done = context.WithTimeout(context.WithoutCancel(ctx), secondHalfMax)
		defer done()
	}
	receipt, err := decide(ctx, h, m, t, tenancy.Tenancy.Set, about)
	if refused(err) || receipt.Replayed { // an attempt may have been given up, or overtaken, between the two
		err = errors.Join(err, h.alignAccount(ctx, m, t))
	}
	return receipt, err
}

// secondHalfMax bounds the wait for the tenancy once its account has been written.
const secondHalfMax = 10 * time.Second

// alignAccount gives the account the days that the tenancy has. Mostly it has them.
func (h *Handler) alignAccount(ctx context.Context, m Meta, t target) error {
	s, err := refresh[tenancy.Tenancy, tenancy.Event](ctx, h, t.stream, tenancy.Tenancy{})
	history := tenancy.Particulars{}.Recorded(s)
	if err != nil || len(history) == 0 {
		return err
	}
	fact, err := factAt[tenancy.Event](ctx, h, t.stream, history[len(history)-1])
	if err != nil {
		return err
	}
	days := rent.Opening{Currency: s.Currency()}
	switch e := fact.(type) {
	case tenancy.Opened:
		days.StartsOn, days.EndsOn = e.StartsOn, e.EndsOn
	case tenancy.Changed:
		days.StartsOn, days.EndsOn = e.StartsOn, e.EndsOn
	}
	m.Expect = nil
	account := target{stream: accountStream(t.id), kind: "alignment", id: t.id, repeatable: true}
	_, err = decide(ctx, h, m, account, rent.Account.Open, days)
	return err
}

func (c PutTenancy) noun(m Meta) (target, tenancy.Particulars, error) {
	var f form
	id := f.id("tenancy", c.Tenancy)
	about := tenancy.Particulars{
		Property: f.id("property", c.Property),
		Kind:     f.given("kind", c.Kind, wordMax),
		StartsOn: f.date("starts_on", c.StartsOn),
		EndsOn:   f.dateOrNone("ends_on", c.EndsOn),
		Currency: f.currency("currency", c.Currency),
	}
	return target{stream: tenancyStream(id), kind: "tenancy", id: id, changeable: true}, about, permit(m, f)
}

// openAccount gives the account the tenancy's days. Its command is derived from the tenancy's.
func (h *Handler) openAccount(ctx context.Context, m Meta, t target, p tenancy.Particulars) error {
	opening, account := accountOpening(m, t, p)
	m.Expect = nil
	_, err := decide(ctx, h, m, account, rent.Account.Open, opening)
	return err
}

// accountOpening is the account's part of opening a tenancy or changing its days.
func accountOpening(m Meta, t target, p tenancy.Particulars) (rent.Opening, target) {
	id := t.command(m.Expect).String()
	return rent.Opening{StartsOn: p.StartsOn, EndsOn: p.EndsOn, Currency: p.Currency},
		target{stream: accountStream(t.id), kind: "opening", id: domain.ID(id), repeatable: true}
}

func tenancyStream(id domain.ID) eventstore.Stream {
	return eventstore.NewStream(tenancy.Category, string(id))
}

func accountStream(id domain.ID) eventstore.Stream {
	return eventstore.NewStream(rent.Category, string(id))
}

// PutTenant says who a tenant is.
type PutTenant struct {
	Tenancy     string
	Person      string
	Name        string
	DateOfBirth string
	Email       string
	Phone       string
	LiableFrom  string
	LiableTo    string
}

// PutTenant carries out a PutTenant.
func (h *Handler) PutTenant(ctx context.Context, m Meta, c PutTenant) (Receipt, error) {
	t, about, err := c.noun(m)
	if err != nil {
		return Receipt{}, err
	}
	return decide(ctx, h, m, t, tenancy.Tenancy.SetTenant, about)
}

func (c PutTenant) noun(m Meta) (target, tenancy.Tenant, error) {
	var f form
	id := f.id("tenancy", c.Tenancy)
	about := tenancy.Tenant{
		Person:      f.id("person", c.Person),
		Name:        domain.NewPersonal(f.given("name", c.Name, domain.TextMax)),
		DateOfBirth: domain.NewPersonal(f.dateOrNone("date_of_birth", c.DateOfBirth).String()),
		Email:       f.personal("email", c.Email),
		Phone:       f.personal("phone", c.Phone),
		LiableFrom:  f.date("liable_from", c.LiableFrom),
		LiableTo:    f.dateOrNone("liable_to", c.LiableTo),
	}
	return target{stream: tenancyStream(id), kind: "tenant", id: about.Person, changeable: true}, about, permit(m, f)
}
