package http

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"rentbook/http/identity"
	"rentbook/projections"
)

// What is a tenant's own: the tenancies that the token names; if it names none, those in which its
// person is a tenant, former ones included. An account has the id of its tenancy.

func ownTenancy(v *projections.Reader, t identity.Token, tenancy string) (bool, error) {
	if len(t.Tenancies) > 0 {
		return slices.Contains(t.Tenancies, tenancy), nil
	}
	_, err := v.Tenant(tenancy, t.Person)
	if errors.Is(err, projections.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
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
			own, err := ownTenancy(v, t, accounts[i].ID)
			if err != nil {
				return nil, err
			}
			if own {
				mine = append(mine, accounts[i].ID)
			}
			after = accounts[i].ID
		}
	}
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
		case errors.Is(err, projections.ErrNotFound):
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
