package http

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"rentbook/commands"
	"rentbook/projections"
)

type listRepairs struct {
	Scope      string `query:"scope" enum:"all,mine,communal" default:"all" doc:"mine: of the own home, or the own work"`
	When       string `query:"when" enum:"open,new,upcoming,past,overdue" doc:"new: nobody has accepted it yet; upcoming: with an appointment"`
	State      string `query:"state" doc:"Where they stand" example:"scheduled"`
	Class      string `query:"class" enum:"open,resolved,closed-unresolved" doc:"closed-unresolved: ended without having been done"`
	Tenancy    string `query:"tenancy" doc:"Of this one" example:"T1001"`
	Contractor string `query:"contractor" doc:"With this one" example:"C1"`
	Block      string `query:"block" doc:"A property, and all that is part of it"`
	Priority   string `query:"priority" doc:"emergency, urgent, normal or planned" example:"urgent"`
	Trade      string `query:"trade" doc:"That is to do it" example:"plumbing"`
	Cursor     string `query:"cursor" doc:"The next of the page before"`
	Limit      int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many"`
}

type repairsPage struct {
	Repairs []repairShown `json:"repairs" nullable:"false"`
	Next    string        `json:"next,omitempty" doc:"The cursor of the next page; absent on the last"`
}

func (s *Server) repairs(c *call, v *projections.Reader, q *listRepairs) (repairsPage, string, error) {
	page := repairsPage{Repairs: []repairShown{}}
	f := projections.RepairFilter{
		Contractor: q.Contractor, Block: q.Block, State: q.State, Class: q.Class, When: q.When, Priority: q.Priority, Trade: q.Trade,
		Now: s.Now(), After: q.Cursor, Most: q.Limit,
	}
	if q.Scope == "communal" {
		yes := true
		f.Communal = &yes
	}
	if q.Tenancy != "" {
		f.Tenancies = []string{q.Tenancy}
	}
	if nothing, err := s.narrow(c, v, q, &f); nothing || err != nil {
		return page, "", err
	}
	found, next, err := v.Repairs(f)
	if err != nil {
		return page, "", cursorFault(err)
	}
	page.Next = next
	for _, r := range found {
		if c.token.Role == commands.RoleContractor && !c.worksOn(r.Repair) {
			continue // not theirs yet
		}
		own := c.token.Role != commands.RoleTenant || slices.Contains(f.Tenancies, string(r.Tenancy))
		if own && c.token.Role == commands.RoleTenant {
			switch err := s.livedThere(c, v, string(r.Tenancy), r.ReportedAt); {
			case err == nil:
			case !errors.Is(err, errForeign):
				return page, "", err
			case !slices.Contains(f.CommunalAt, string(r.Property)) || !r.Communal:
				continue
			default:
				own = false
			}
		}
		shown, err := s.shownRepair(c, v, r, own)
		if err != nil {
			return page, "", err
		}
		page.Repairs = append(page.Repairs, shown)
	}
	return page, "", nil
}

// cursorFault says where in a request a cursor stands that was not given out for this list.
func cursorFault(err error) error {
	if errors.Is(err, projections.ErrCursor) {
		return invalid("query.cursor", "is not a cursor that was given out here")
	}
	return err
}

// narrow leaves in a filter what the caller may see; nothing is said when that is nothing.
func (s *Server) narrow(c *call, v *projections.Reader, q *listRepairs, f *projections.RepairFilter) (nothing bool, err error) {
	switch c.token.Role {
	case commands.RoleContractor:
		if c.token.Contractor == "" || (q.Contractor != "" && q.Contractor != c.token.Contractor) || q.Tenancy != "" {
			return true, nil // nor do they learn which tenancy a repair is of
		}
		f.Contractor = c.token.Contractor
	case commands.RoleTenant:
		mine, err := ownTenancies(v, c.token)
		if err != nil {
			return false, err
		}
		if q.Tenancy != "" {
			if !slices.Contains(mine, q.Tenancy) {
				return true, nil
			}
			f.Tenancies = []string{q.Tenancy}
			return false, nil
		}
		f.Tenancies = mine
		if q.Scope != "mine" {
			f.CommunalAt, err = s.homesAndAbove(v, c.token)
		}
		return len(mine) == 0, err
	default:
	}
	return false, nil
}

type slotShown struct {
	Slot       string `json:"slot" example:"2026-11-23.0800-1200"`
	Contractor string `json:"contractor"`
	From       string `json:"from" format:"date-time"`
	To         string `json:"to" format:"date-time"`
	Free       int    `json:"free" doc:"How many more visits fit"`
}

type getSlots struct {
	Repair string `path:"repair" example:"R2001"`
	From   string `query:"from" format:"date-time" doc:"From this instant on; now unless given"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"At most so many"`
}

type slotsPage struct {
	Slots []slotShown `json:"slots" nullable:"false"`
}

func (s *Server) slots(ctx context.Context, q *getSlots) (*answer[slotsPage], error) {
	c := callOf(ctx)
	from := s.Now()
	if q.From != "" {
		var err error
		if from, err = time.Parse(time.RFC3339, q.From); err != nil {
			return nil, c.problem(invalid("query.from", "is not an instant such as 2026-11-23T09:30:00Z"))
		}
	}
	found, err := s.Commands.Slots(ctx, c.token.Actor(), q.Repair, from, q.Limit)
	if err != nil {
		return nil, c.problem(err)
	}
	c.known()
	return &answer[slotsPage]{Status: http.StatusOK, Body: slotsPage{shownSlots(found)}}, nil
}

func shownSlots(found []commands.Slot) []slotShown {
	shown := []slotShown{}
	for _, s := range found {
		shown = append(shown, slotShown{
			Slot: string(s.ID), Contractor: string(s.Contractor), From: timestamp(s.From), To: timestamp(s.To), Free: s.Free,
		})
	}
	return shown
}
