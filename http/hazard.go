package http

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/hazard"
	"rentbook/eventstore"
	"rentbook/projections"
)

type hazardBody struct {
	Tenancy     string `json:"tenancy,omitempty" example:"T1001"`
	Property    string `json:"property,omitempty" doc:"The tenancy's unless given"`
	Kind        string `json:"kind" example:"damp_mould"`
	Grade       string `json:"grade" example:"significant"`
	AwareAt     string `json:"aware_at,omitempty" format:"date-time" doc:"When the landlord, or anybody who works for them, learnt of it; now unless given"`
	Channel     string `json:"channel" doc:"How: every one counts" example:"call"`
	Description string `json:"description,omitempty" maxLength:"500"`
	Repair      string `json:"repair,omitempty" doc:"That is to deal with it"`
}

// TransformSchema gives a body that could be sent.
func (hazardBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Examples = []any{map[string]any{
		"tenancy": "T1001", "kind": "damp_mould", "grade": "significant", "channel": "call", "aware_at": "2026-11-20T16:30:00Z",
	}}
	return s
}

type putHazard struct {
	Hazard string `path:"hazard" example:"HZ1"`
	Conditional
	Body hazardBody
}

type hazardActionBody struct {
	Action   string   `json:"action" doc:"Every answer lists what is allowed, and with which fields" example:"investigate"`
	At       string   `json:"at,omitempty" format:"date-time" doc:"When it counts; now unless given"`
	Reason   string   `json:"reason,omitempty" maxLength:"500"`
	Note     string   `json:"note,omitempty" maxLength:"500"`
	Photos   []string `json:"photos,omitempty" maxItems:"10"`
	Finding  string   `json:"finding,omitempty"`
	Grade    string   `json:"grade,omitempty"`
	Accepted *bool    `json:"accepted,omitempty"`
	Repair   string   `json:"repair,omitempty"`
}

// TransformSchema gives a body that could be sent.
func (hazardActionBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Examples = []any{map[string]any{"action": "investigate", "finding": "significant"}}
	return s
}

type putHazardAction struct {
	Hazard string `path:"hazard" example:"HZ1"`
	Action string `path:"action" doc:"An id of your choice" example:"A1"`
	Conditional
	Body hazardActionBody
}

// hazardShown is a hazard as its caller may see it.
type hazardShown struct {
	Hazard   string        `json:"hazard" example:"HZ1"`
	State    string        `json:"state" example:"investigated"`
	Kind     string        `json:"kind" example:"damp_mould"`
	Grade    string        `json:"grade" example:"significant"`
	Finding  string        `json:"finding,omitempty"`
	AwareAt  string        `json:"aware_at" format:"date-time"`
	Channel  string        `json:"channel"`
	Property string        `json:"property"`
	Tenancy  string        `json:"tenancy,omitempty"`
	Repairs  []domain.ID   `json:"repairs" nullable:"false"`
	Safe     bool          `json:"safe" doc:"As far as is known"`
	Due      *string       `json:"due" format:"date-time" doc:"The next of its clocks that is not met"`
	Clocks   []clockShown  `json:"clocks" nullable:"false"`
	Actions  []actionShown `json:"actions" nullable:"false"`
	Version  uint64        `json:"version"`
	Position string        `json:"position"`

	Description           *domain.Personal `json:"description,omitempty"`
	InvestigatedAt        *string          `json:"investigated_at,omitempty" format:"date-time"`
	SummarySentAt         *string          `json:"summary_sent_at,omitempty" format:"date-time"`
	SafetyWorkBegunAt     *string          `json:"safety_work_begun_at,omitempty" format:"date-time"`
	MadeSafeAt            *string          `json:"made_safe_at,omitempty" format:"date-time"`
	PreventiveWorkBegunAt *string          `json:"preventive_work_begun_at,omitempty" format:"date-time"`
	CompletedAt           *string          `json:"completed_at,omitempty" format:"date-time"`
	ClosedAt              *string          `json:"closed_at,omitempty" format:"date-time"`
}

func (c *call) shownHazard(id string, h hazard.Hazard) hazardShown {
	s := hazardShown{
		Hazard: id, State: string(h.State), Kind: h.Kind, Grade: string(h.Grade), Finding: string(h.Finding), AwareAt: timestamp(h.AwareAt),
		Channel: string(h.Channel), Property: string(h.Property), Tenancy: string(h.Tenancy), Repairs: append([]domain.ID{}, h.Repairs...),
		Safe: h.Safe, Clocks: []clockShown{}, Actions: []actionShown{},
		InvestigatedAt: instantOrNull(h.InvestigatedAt), SummarySentAt: instantOrNull(h.SummarySentAt),
		SafetyWorkBegunAt: instantOrNull(h.SafetyWorkBegunAt), MadeSafeAt: instantOrNull(h.MadeSafeAt),
		PreventiveWorkBegunAt: instantOrNull(h.PreventiveWorkBegunAt), CompletedAt: instantOrNull(h.CompletedAt),
		ClosedAt: instantOrNull(h.ClosedAt),
	}
	for _, reading := range h.Readings(c.s.Now()) {
		shown := shownClock(reading)
		s.Clocks = append(s.Clocks, shown)
		if reading.MetAt.IsZero() && shown.DueAt != nil && (s.Due == nil || *shown.DueAt < *s.Due) {
			s.Due = shown.DueAt
		}
	}
	for _, m := range h.Allowed(hazard.Role(c.token.Role)) {
		a := actionShown{Action: string(m.Action), Fields: append([]string{}, m.Needs...), Optional: append([]string{}, m.Takes...)}
		for _, f := range []string{"at", "reason", "note", "photos"} {
			if !slices.Contains(m.Needs, f) && !slices.Contains(m.Takes, f) {
				a.Optional = append(a.Optional, f)
			}
		}
		s.Actions = append(s.Actions, a)
	}
	return s
}

func (s *Server) putHazard(ctx context.Context, in *putHazard) (*answer[hazardShown], error) {
	b := &in.Body
	return s.hazardChanged(ctx, in.expect, func(m commands.Meta) (commands.HazardReceipt, error) {
		return s.Commands.RecogniseHazard(ctx, m, commands.RecogniseHazard{
			Hazard: in.Hazard, Tenancy: b.Tenancy, Property: b.Property, Kind: b.Kind, Grade: b.Grade, AwareAt: b.AwareAt,
			Channel: b.Channel, Description: b.Description, Repair: b.Repair,
		})
	})
}

func (s *Server) putHazardAction(ctx context.Context, in *putHazardAction) (*answer[hazardShown], error) {
	b := &in.Body
	return s.hazardChanged(ctx, in.expect, func(m commands.Meta) (commands.HazardReceipt, error) {
		return s.Commands.ActOnHazard(ctx, m, commands.ActOnHazard{
			Hazard: in.Hazard, ID: in.Action, Action: b.Action, At: b.At, Reason: b.Reason, Note: b.Note, Photos: b.Photos,
			Finding: b.Finding, Grade: b.Grade, Accepted: b.Accepted, Repair: b.Repair,
		})
	})
}

func (s *Server) hazardChanged(
	ctx context.Context, expect func() (*uint64, error), carryOut func(commands.Meta) (commands.HazardReceipt, error),
) (*answer[hazardShown], error) {
	c := callOf(ctx)
	seen, err := expect()
	if err != nil {
		return nil, c.problem(err)
	}
	done, err := carryOut(c.meta(seen))
	if err != nil {
		return nil, c.problem(err)
	}
	said := c.receipt(done.Receipt)
	shown := c.shownHazard(string(done.ID), done.Hazard)
	shown.Position, shown.Version = said.Position, said.Version
	return &answer[hazardShown]{Status: http.StatusCreated, Body: shown}, nil
}

type getHazard struct {
	Hazard string `path:"hazard" example:"HZ1"`
}

type getHazardClocks struct {
	Hazard string `path:"hazard" example:"HZ1"`
	LawOn  string `query:"law_on" format:"date" doc:"Clocks as the law stood on this day; that of the awareness unless given"`
}

func (s *Server) hazard(c *call, v *projections.Reader, q *getHazardClocks) (hazardShown, string, error) {
	found, err := s.hazardSeen(c, v, q.Hazard)
	if err != nil {
		return hazardShown{}, "", err
	}
	if q.LawOn != "" {
		day, err := date("law_on", q.LawOn)
		if err != nil {
			return hazardShown{}, "", err
		}
		if found.Clocks, err = s.Commands.ClocksAsTheLawStood(found.Clocks, day); err != nil {
			return hazardShown{}, "", err
		}
	}
	return c.foundHazard(found), version(found.Version) + "." + strconv.FormatInt(s.Now().Unix(), 10), nil
}

func (c *call) foundHazard(found projections.Hazard) hazardShown {
	shown := c.shownHazard(found.ID, found.Hazard)
	shown.Version, shown.Position, shown.Description = found.Version, found.Position.String(), given(found.Description)
	return shown
}

// hazardSeen is a hazard that the caller may see: tenants those of their homes.
func (s *Server) hazardSeen(c *call, v *projections.Reader, id string) (projections.Hazard, error) {
	found, err := v.Hazard(id)
	if err != nil || c.token.Role != commands.RoleTenant {
		return found, err
	}
	if found.Tenancy == "" {
		return found, errForeign
	}
	if err := ownTenancy(v, c.token, string(found.Tenancy)); err != nil {
		return found, err
	}
	return found, s.livedThere(c, v, string(found.Tenancy), found.AwareAt)
}

func (s *Server) hazardTimeline(c *call, v *projections.Reader, q *getHazard) ([]lineShown, string, error) {
	found, err := s.hazardSeen(c, v, q.Hazard)
	if err != nil {
		return nil, "", err
	}
	lines, err := v.HazardTimeline(q.Hazard, eventstore.Position{})
	shown := []lineShown{}
	for _, line := range lines {
		shown = append(shown, c.shownLine(projections.RepairLine{
			Position: line.Position, At: line.At, RecordedAt: line.RecordedAt, State: line.State, Event: line.Event, Text: line.Text,
			Said: line.Said, ActorID: line.ActorID, ActorRole: line.ActorRole, Clocks: line.Clocks, Photos: line.Photos,
		}, "", true))
	}
	return shown, version(found.Version), err
}

type listHazards struct {
	Grade  string `query:"grade" enum:"emergency,significant" doc:"How grave they are"`
	State  string `query:"state" doc:"Where they stand" example:"investigated"`
	Block  string `query:"block" doc:"A property, and all that is part of it"`
	Open   bool   `query:"open" doc:"Those that are not closed"`
	Cursor string `query:"cursor" doc:"The next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many"`
}

type hazardsPage struct {
	Hazards []hazardShown `json:"hazards" nullable:"false" doc:"What is due next comes first"`
	Next    string        `json:"next,omitempty" doc:"The cursor of the next page; absent on the last"`
}

// hazards is the board: what is due next comes first.
func (s *Server) hazards(c *call, v *projections.Reader, q *listHazards) (hazardsPage, string, error) {
	page := hazardsPage{Hazards: []hazardShown{}}
	f := projections.HazardFilter{
		Grade: q.Grade, State: q.State, Block: q.Block, Open: q.Open, Now: s.Now(), After: q.Cursor, Most: q.Limit,
	}
	if c.token.Role == commands.RoleTenant {
		mine, err := ownTenancies(v, c.token)
		if err != nil || len(mine) == 0 {
			return page, "", err
		}
		f.Tenancies = mine
	}
	found, next, err := v.Hazards(f)
	if err != nil {
		return page, "", cursorFault(err)
	}
	page.Next = next
	for _, h := range found {
		if c.token.Role == commands.RoleTenant {
			if err := s.livedThere(c, v, string(h.Tenancy), h.AwareAt); errors.Is(err, errForeign) {
				continue
			} else if err != nil {
				return page, "", err
			}
		}
		page.Hazards = append(page.Hazards, c.foundHazard(h))
	}
	return page, "", nil
}
