// Package tenancy is who lives where, and from when to when. Its rent account is a stream of its
// own with the same id.
package tenancy

import (
	"slices"

	"github.com/benbjohnson/immutable"

	"rentbook/domain"
)

// Category is that of the streams of tenancies.
const Category = "tenancy"

// PersonKey names the key that seals what is personal to someone.
func PersonKey(person domain.ID) string { return "person-" + string(person) }

// Refusals of a tenancy.
var (
	ErrNotOpen       = &domain.Refusal{Class: domain.Unknown, Code: "tenancy.not-open", Reason: "there is no such tenancy"}
	ErrFixedCurrency = &domain.Refusal{Class: domain.Conflicting, Code: "tenancy.fixed-currency", Reason: "the currency of a tenancy cannot change", Field: "currency"}
)

// Event is one fact in the life of a tenancy.
type Event interface {
	EventType() string
	applyTo(Tenancy) Tenancy
}

// Events lists every fact of this stream.
func Events() []Event { return []Event{Opened{}, Changed{}, TenantSet{}} }

// Opened starts the tenancy; its rent account is open by then.
type Opened struct {
	Property domain.ID       `json:"property"`
	Kind     string          `json:"kind"`
	StartsOn domain.Date     `json:"starts_on"`
	EndsOn   domain.Date     `json:"ends_on,omitzero"`
	Currency domain.Currency `json:"currency"`
}

// Changed gives the tenancy's particulars anew.
type Changed struct {
	Property domain.ID   `json:"property"`
	Kind     string      `json:"kind"`
	StartsOn domain.Date `json:"starts_on"`
	EndsOn   domain.Date `json:"ends_on,omitzero"`
}

// TenantSet says who a tenant is and for which days liable, the first time or another.
type TenantSet struct {
	Person      domain.ID       `json:"person"`
	Name        domain.Personal `json:"name"`
	DateOfBirth domain.Personal `json:"date_of_birth,omitzero"`
	Email       domain.Personal `json:"email,omitzero"`
	Phone       domain.Personal `json:"phone,omitzero"`
	LiableFrom  domain.Date     `json:"liable_from"`
	LiableTo    domain.Date     `json:"liable_to,omitzero"`
}

// EventType is the stored name.
func (Opened) EventType() string { return "tenancy.opened.v1" }

// EventType is the stored name.
func (Changed) EventType() string { return "tenancy.changed.v1" }

// EventType is the stored name.
func (TenantSet) EventType() string { return "tenancy.tenant-set.v1" }

// Personal names the fields that are sealed with the person's own key.
func (e TenantSet) Personal() (key string, fields []string) {
	return PersonKey(e.Person), []string{"name", "date_of_birth", "email", "phone"}
}

func (e Opened) applyTo(t Tenancy) Tenancy {
	t.set, t.currency = append(slices.Clip(t.set), t.version), e.Currency
	t.property, t.kind, t.endsOn = e.Property, e.Kind, e.EndsOn
	return t
}

func (e Changed) applyTo(t Tenancy) Tenancy {
	t.set = append(slices.Clip(t.set), t.version)
	t.property, t.kind, t.endsOn = e.Property, e.Kind, e.EndsOn
	return t
}

func (e TenantSet) applyTo(t Tenancy) Tenancy {
	if t.tenants == nil {
		t.tenants = immutable.NewSortedMap[domain.ID, liable](nil)
	}
	known, _ := t.tenants.Get(e.Person)
	t.tenants = t.tenants.Set(e.Person, liable{append(slices.Clip(known.history), t.version), e.LiableFrom, e.LiableTo})
	return t
}

// liable is a tenant: the versions that set them, and the days of the last.
type liable struct {
	history  []uint64
	from, to domain.Date
}

// Tenancy is what its history amounts to.
type Tenancy struct {
	version  uint64
	set      []uint64 // versions that gave its particulars
	currency domain.Currency
	property domain.ID
	endsOn   domain.Date
	kind     string
	tenants  *immutable.SortedMap[domain.ID, liable]
}

// Apply is the tenancy after one more fact.
func (t Tenancy) Apply(e Event) Tenancy {
	t.version++
	return e.applyTo(t)
}

// Version counts the facts.
func (t Tenancy) Version() uint64 { return t.version }

// IsOpen says whether the tenancy exists.
func (t Tenancy) IsOpen() bool { return len(t.set) > 0 }

// Currency is that of its rent account.
func (t Tenancy) Currency() domain.Currency { return t.currency }

// Property is the home that is let.
func (t Tenancy) Property() domain.ID { return t.property }

// Kind is what sort of tenancy it is, in the landlord's own words.
func (t Tenancy) Kind() string { return t.kind }

// Lasts says whether the tenancy has not ended by a day.
func (t Tenancy) Lasts(on domain.Date) bool {
	return t.IsOpen() && (t.endsOn.IsZero() || on <= t.endsOn)
}

// HasLeft says whether a person was a tenant, and is not liable any more on a day.
func (t Tenancy) HasLeft(person domain.ID, on domain.Date) bool {
	if t.tenants == nil {
		return false
	}
	known, is := t.tenants.Get(person)
	return is && !known.to.IsZero() && known.to < on
}

// HasTenant says whether a person is, or was, a tenant.
func (t Tenancy) HasTenant(person domain.ID) bool {
	if t.tenants == nil {
		return false
	}
	_, known := t.tenants.Get(person)
	return known
}

// Weight estimates the memory the state holds, in bytes.
func (t Tenancy) Weight() int {
	if t.tenants == nil {
		return 150
	}
	return 150 + 200*t.tenants.Len()
}

// Particulars are what a tenancy is.
type Particulars Opened

// Recorded lists the versions that gave the particulars.
func (p Particulars) Recorded(t Tenancy) []uint64 { return t.set }

// Matches says whether the fact gives the same particulars. A change does not repeat the
// currency, which cannot change.
func (p Particulars) Matches(e Event) bool {
	switch fact := e.(type) {
	case Opened:
		return fact == Opened(p)
	case Changed:
		return fact == p.change()
	}
	return false
}

func (p Particulars) change() Changed {
	return Changed{Property: p.Property, Kind: p.Kind, StartsOn: p.StartsOn, EndsOn: p.EndsOn}
}

// Set opens the tenancy, or gives its particulars anew.
func (t Tenancy) Set(p Particulars) ([]Event, error) {
	switch {
	case !p.EndsOn.IsZero() && p.EndsOn < p.StartsOn:
		return nil, domain.ErrDates.In("ends_on")
	case !t.IsOpen():
		return []Event{Opened(p)}, nil
	case t.currency != p.Currency:
		return nil, ErrFixedCurrency
	}
	return []Event{p.change()}, nil
}

// Tenant is somebody who is liable under the tenancy for some of its days.
type Tenant TenantSet

// Recorded lists the versions that set the tenant.
func (n Tenant) Recorded(t Tenancy) []uint64 {
	if t.tenants == nil {
		return nil
	}
	known, _ := t.tenants.Get(n.Person)
	return known.history
}

// Matches says whether the fact sets the same tenant.
func (n Tenant) Matches(e Event) bool {
	recorded, ok := e.(TenantSet)
	if !ok || !n.Name.Matches(recorded.Name) || !n.DateOfBirth.Matches(recorded.DateOfBirth) ||
		!n.Email.Matches(recorded.Email) || !n.Phone.Matches(recorded.Phone) {
		return false
	}
	return n.Person == recorded.Person && n.LiableFrom == recorded.LiableFrom && n.LiableTo == recorded.LiableTo
}

// SetTenant records who a tenant is.
func (t Tenancy) SetTenant(n Tenant) ([]Event, error) {
	switch {
	case !t.IsOpen():
		return nil, ErrNotOpen
	case !n.LiableTo.IsZero() && n.LiableTo < n.LiableFrom:
		return nil, domain.ErrDates.In("liable_to")
	}
	return []Event{TenantSet(n)}, nil
}
