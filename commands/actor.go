package commands

import (
	"errors"
	"slices"

	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/domain/tenancy"
)

// Role is what an actor is here.
type Role string

// The roles. Auditors record nothing; tenants and contractors record what they may do to repairs;
// managers write the rent accounts too; operators may do everything; the system acts for the program
// itself.
const (
	RoleTenant     Role = "tenant"
	RoleContractor Role = "contractor"
	RoleAuditor    Role = "auditor"
	RoleManager    Role = "manager"
	RoleOperator   Role = "operator"
	roleSystem     Role = "system"
)

// Roles lists the roles that a token may have.
func Roles() []Role {
	return []Role{RoleTenant, RoleContractor, RoleAuditor, RoleManager, RoleOperator}
}

// Actor is who asks. ID names a token or program, never a person by name.
type Actor struct {
	ID         string
	Role       Role
	OnBehalfOf string      // the person, if the actor is one
	Tenancies  []domain.ID // of a tenant; none: those of the person
	Contractor domain.ID   // for whom the actor works
}

// system is the program itself.
func system() Actor { return Actor{ID: "rentbook", Role: roleSystem} }

// ErrForbidden is a request that the actor's role does not allow.
var ErrForbidden = errors.New("the role does not allow this")

// mayWrite says whether the actor may record facts about tenancies and their accounts.
func (a Actor) mayWrite() error {
	if a.Role == RoleManager || a.Role == RoleOperator {
		return nil
	}
	return ErrForbidden
}

// mayReport says whether the actor may report repairs.
func (a Actor) mayReport() bool {
	return a.Role == RoleTenant || a.Role == RoleManager || a.Role == RoleOperator
}

// holds says whether a tenancy is a tenant's own, and still so on a day: who has moved out does nothing
// any more to the home of others.
func (a Actor) holds(id domain.ID, t tenancy.Tenancy, on domain.Date) bool {
	if !t.Lasts(on) || t.HasLeft(domain.ID(a.OnBehalfOf), on) {
		return false
	}
	if len(a.Tenancies) > 0 {
		return slices.Contains(a.Tenancies, id)
	}
	return a.OnBehalfOf != "" && t.HasTenant(domain.ID(a.OnBehalfOf))
}

// Person tells two people apart, and two tokens of one person not.
func (a Actor) Person() string {
	if a.OnBehalfOf != "" {
		return a.OnBehalfOf
	}
	return a.ID
}

// toRepairs is what the role is to a repair.
func (a Actor) toRepairs() repair.Role { return repair.Role(a.Role) }
