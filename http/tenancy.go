package http

import (
	"rentbook/commands"
	"rentbook/domain"
	"rentbook/projections"
)

type tenancy struct {
	Property string      `json:"property" example:"HOME-12"`
	Kind     string      `json:"kind" maxLength:"64" doc:"In the landlord's own words" example:"assured"`
	StartsOn domain.Date `json:"starts_on"`
	EndsOn   domain.Date `json:"ends_on,omitzero" doc:"The last day"`
	Currency string      `json:"currency" doc:"ISO 4217; it never changes" example:"GBP"`
}

type getTenancy struct {
	Tenancy string `path:"tenancy" example:"T1001"`
}

type putTenancy struct {
	Tenancy string `path:"tenancy" example:"T1001"`
	Conditional
	Body tenancy
}

func (p *putTenancy) command() commands.PutTenancy {
	b := &p.Body
	return commands.PutTenancy{
		Tenancy: p.Tenancy, Property: b.Property, Kind: b.Kind,
		StartsOn: b.StartsOn.String(), EndsOn: b.EndsOn.String(), Currency: b.Currency,
	}
}

func (s *Server) tenancy(_ *call, v *projections.Reader, q *getTenancy) (tenancy, string, error) {
	found, err := v.Tenancy(q.Tenancy)
	return tenancy{
		Property: found.Property, Kind: found.Kind,
		StartsOn: found.StartsOn, EndsOn: found.EndsOn, Currency: string(found.Currency),
	}, version(found.Version), err
}

type tenant struct {
	Name        string      `json:"name" maxLength:"500" example:"Ada Example"`
	DateOfBirth domain.Date `json:"date_of_birth,omitzero"`
	Email       string      `json:"email,omitempty" maxLength:"500"`
	Phone       string      `json:"phone,omitempty" maxLength:"500"`
	LiableFrom  domain.Date `json:"liable_from"`
	LiableTo    domain.Date `json:"liable_to,omitzero" doc:"The last day"`
}

// tenantShown is a tenant as far as it can still be read.
type tenantShown struct {
	Name        domain.Personal `json:"name"`
	DateOfBirth domain.Personal `json:"date_of_birth,omitzero"`
	Email       domain.Personal `json:"email,omitzero"`
	Phone       domain.Personal `json:"phone,omitzero"`
	LiableFrom  domain.Date     `json:"liable_from"`
	LiableTo    domain.Date     `json:"liable_to,omitzero"`
}

type getTenant struct {
	Tenancy string `path:"tenancy" example:"T1001"`
	Person  string `path:"person" example:"P2001"`
}

type putTenant struct {
	Tenancy string `path:"tenancy" example:"T1001"`
	Person  string `path:"person" example:"P2001"`
	Conditional
	Body tenant
}

func (p *putTenant) command() commands.PutTenant {
	b := &p.Body
	return commands.PutTenant{
		Tenancy: p.Tenancy, Person: p.Person, Name: b.Name, DateOfBirth: b.DateOfBirth.String(),
		Email: b.Email, Phone: b.Phone, LiableFrom: b.LiableFrom.String(), LiableTo: b.LiableTo.String(),
	}
}

// tenant shows a tenant to staff, and to nobody else but themselves: who shares a home does not
// thereby share a telephone number.
func (s *Server) tenant(c *call, v *projections.Reader, q *getTenant) (tenantShown, string, error) {
	if c.token.Role == commands.RoleTenant && c.token.Person != q.Person {
		return tenantShown{}, "", errForeign
	}
	found, err := v.Tenant(q.Tenancy, q.Person)
	return tenantShown{
		Name: found.Name, DateOfBirth: found.DateOfBirth, Email: found.Email, Phone: found.Phone,
		LiableFrom: found.LiableFrom, LiableTo: found.LiableTo,
	}, version(found.Version), err
}
