package http

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"rentbook/domain"
	"rentbook/http/identity"
	"rentbook/projections"
)

// What is a tenant's own: the tenancies that the token names; if it names none, those in which its
// person is a tenant, former ones included. An account has the id of its tenancy.

// ownTenancy is nil for an own tenancy, errForeign for any other.
func ownTenancy(v *projections.Reader, t identity.Token, tenancy string) error {
	if len(t.Tenancies) > 0 {
		return ownNamed(t, tenancy)
	}
	_, err := v.Tenant(tenancy, t.Person)
	if isNotFound(err) {
		return errForeign
	}
	return err
}

// ownNamed is nil for a tenancy that the token names.
func ownNamed(t identity.Token, tenancy string) error {
	if !slices.Contains(t.Tenancies, tenancy) {
		return errForeign
	}
	return nil
}

// ownTenancies lists them, in the order of their ids.
func ownTenancies(v *projections.Reader, t identity.Token) ([]string, error) {
	if len(t.Tenancies) > 0 {
		return slices.Sorted(slices.Values(t.Tenancies)), nil
	}
	var mine []string
	for after := ""; ; {
		accounts, err := v.Accounts(after, pageMax)
		if err != nil || len(accounts) == 0 {
			return mine, err
		}
		for i := range accounts {
			after = accounts[i].ID
			switch err := ownTenancy(v, t, after); {
			case err == nil:
				mine = append(mine, after)
			case !errors.Is(err, errForeign):
				return nil, err
			}
		}
	}
}

// leftOn is the last day on which a tenancy was a tenant's, zero while there is none: what is reported
// later is others'. A token that names no person ends with the tenancy.
func leftOn(v *projections.Reader, t identity.Token, id string) (domain.Date, error) {
	tenancy, err := v.Tenancy(id)
	if err != nil {
		return 0, err
	}
	person, err := v.Tenant(id, t.Person)
	switch {
	case isNotFound(err):
		return tenancy.EndsOn, nil
	case err != nil:
		return 0, err
	case tenancy.EndsOn.IsZero(), !person.LiableTo.IsZero() && person.LiableTo < tenancy.EndsOn:
		return person.LiableTo, nil
	}
	return tenancy.EndsOn, nil
}

// ownProperty is nil for the property of an own tenancy.
func ownProperty(v *projections.Reader, t identity.Token, property string) error {
	mine, err := ownTenancies(v, t)
	if err != nil {
		return err
	}
	for _, id := range mine {
		tenancy, err := v.Tenancy(id)
		switch {
		case isNotFound(err):
		case err != nil:
			return err
		case tenancy.Property == property:
			return nil
		}
	}
	return errForeign
}

// pathValue is a part of the path. The router leaves it as it was sent when that was escaped in a
// way that is not the usual one (":" as "%3A").
func pathValue(r *http.Request, name string) string {
	value := r.PathValue(name)
	if r.URL.RawPath == "" {
		return value
	}
	plain, err := url.PathUnescape(value)
	if err != nil {
		return value
	}
	return plain
}
