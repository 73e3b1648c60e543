package http

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/http/identity"
	"rentbook/projections"
)

type getRepair struct {
	Repair string `path:"repair" example:"R2001"`
	LawOn  string `query:"law_on" format:"date" doc:"Clocks as the law and the policy stood on this day; that of the report unless given"`
}

// repair is one repair. To whom it is nothing, it does not exist.
func (s *Server) repair(c *call, v *projections.Reader, q *getRepair) (repairShown, string, error) {
	found, own, err := s.repairSeen(c, v, q.Repair)
	if err != nil {
		return repairShown{}, "", err
	}
	if q.LawOn != "" {
		day, err := date("law_on", q.LawOn)
		if err != nil {
			return repairShown{}, "", err
		}
		if found.Repair, err = s.Commands.AsTheLawStood(found.Repair, day); err != nil {
			return repairShown{}, "", err
		}
	}
	shown, err := s.shownRepair(c, v, found, own)
	return shown, version(found.Version) + "." + strconv.FormatInt(s.Now().Unix(), 10), err
}

// shownRepair adds what other rows of the views know.
func (s *Server) shownRepair(c *call, v *projections.Reader, found projections.Repair, own bool) (repairShown, error) {
	mergedState := ""
	if found.Into != "" {
		main, err := mainOf(v, string(found.Into))
		if err != nil && !isNotFound(err) {
			return repairShown{}, err
		}
		found.Repair, mergedState = found.Following(main.Repair), string(main.State)
	}
	shown := viewer{role: c.token.Actor(), own: own, now: s.Now()}.show(found.ID, found.Repair)
	shown.Version, shown.Position, shown.MergedState = found.Version, found.Position.String(), mergedState
	place, err := v.Property(string(found.Property))
	if err == nil {
		shown.Where = &whereShown{Property: place.ID, Address: place.Address, Postcode: place.Postcode, Locality: place.Locality}
	} else if !isNotFound(err) {
		return shown, err
	}
	if !own {
		return shown, nil
	}
	if c.token.Role == commands.RoleTenant {
		switch err := s.livedThere(c, v, string(found.Tenancy), s.Now()); {
		case errors.Is(err, errForeign): // what is still to come is others'
			shown.Visit, shown.Held, shown.Visits, shown.Actions = nil, nil, nil, []actionShown{}
		case err != nil:
			return shown, err
		}
	}
	shown.Description, shown.Availability = given(found.Description), given(found.Availability)
	if c.token.Role == commands.RoleTenant { // those who share a home do not thereby share a telephone number
		return shown, nil
	}
	if c.token.Role != commands.RoleContractor || found.State.Class() == repair.Open { // for the visit, and no longer
		shown.Contact = given(found.Contact)
	}
	shown.Merged, err = v.MergedInto(found.ID)
	return shown, err
}

// given is personal text, nil where none was given.
func given(p domain.Personal) *domain.Personal {
	if p.IsZero() {
		return nil
	}
	return &p
}

// mergesMax bounds how many repairs are duplicates of each other in a row.
const mergesMax = 8

// mainOf is the repair at the end of a row of duplicates.
func mainOf(v *projections.Reader, id string) (main projections.Repair, err error) {
	for range mergesMax {
		if main, err = v.Repair(id); err != nil || main.Into == "" {
			break
		}
		id = string(main.Into)
	}
	return main, err
}

// repairSeen is a repair that the caller may see: all of it if it is their own, else, for tenants,
// what is communal in the block they live in.
func (s *Server) repairSeen(c *call, v *projections.Reader, id string) (found projections.Repair, own bool, err error) {
	found, err = v.Repair(id)
	if err != nil {
		return found, false, err
	}
	switch c.token.Role {
	case commands.RoleTenant:
		if found.Tenancy != "" {
			err := ownTenancy(v, c.token, string(found.Tenancy))
			if err == nil {
				err = s.livedThere(c, v, string(found.Tenancy), found.ReportedAt)
			}
			if err == nil {
				return found, true, nil
			}
			if !errors.Is(err, errForeign) {
				return found, false, err
			}
		}
		if !found.Communal {
			return found, false, errForeign
		}
		homes, err := s.homesAndAbove(v, c.token)
		if err == nil && !slices.Contains(homes, string(found.Property)) {
			err = errForeign
		}
		return found, false, err
	case commands.RoleContractor:
		if !c.worksOn(found.Repair) {
			return found, false, errForeign
		}
		return found, true, nil
	default:
		return found, true, nil
	}
}

// worksOn says whether a repair is with the contractor who asks. One that waits for an approval is with
// nobody yet.
func (c *call) worksOn(r repair.Repair) bool {
	return c.token.Contractor != "" && c.token.Contractor == string(r.Contractor) && r.State != repair.StateAwaitingApproval
}

// livedThere is errForeign for what happened after a tenant had left.
func (s *Server) livedThere(c *call, v *projections.Reader, tenancy string, at time.Time) error {
	left, err := leftOn(v, c.token, tenancy)
	if err == nil && !left.IsZero() && domain.DateOf(at.In(s.Commands.Local())) > left {
		err = errForeign
	}
	return err
}

// homesAndAbove are a tenant's homes and what they are part of, while they live there.
func (s *Server) homesAndAbove(v *projections.Reader, t identity.Token) ([]string, error) {
	mine, err := ownTenancies(v, t)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, id := range mine {
		tenancy, err := v.Tenancy(id)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if left, err := leftOn(v, t, id); err != nil || (!left.IsZero() && left < s.today()) {
			if err != nil {
				return nil, err
			}
			continue
		}
		above, err := v.PropertiesAbove(tenancy.Property)
		if err != nil {
			return nil, err
		}
		all = append(all, above...)
	}
	return all, nil
}
