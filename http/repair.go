package http

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/repair"
)

// words is free text that may also come in parts: a list, or an object of texts.
type words string

// UnmarshalJSON takes text, a list of texts, or an object of texts.
func (w *words) UnmarshalJSON(data []byte) error {
	var text string
	var list []string
	var parts map[string]string
	switch {
	case json.Unmarshal(data, &text) == nil:
	case json.Unmarshal(data, &list) == nil:
		text = strings.Join(list, ", ")
	default:
		if err := json.Unmarshal(data, &parts); err != nil {
			return err
		}
		var lines []string
		for name, part := range parts {
			lines = append(lines, name+": "+part)
		}
		slices.Sort(lines)
		text = strings.Join(lines, ", ")
	}
	*w = words(text)
	return nil
}

// Schema describes them.
func (words) Schema(huma.Registry) *huma.Schema {
	text := &huma.Schema{Type: huma.TypeString}
	return &huma.Schema{OneOf: []*huma.Schema{
		text, {Type: huma.TypeArray, Items: text}, {Type: huma.TypeObject, AdditionalProperties: text},
	}}
}

type reportBody struct {
	Tenancy      string            `json:"tenancy,omitempty" doc:"The home it is in; tenants give this one" example:"T1001"`
	Property     string            `json:"property,omitempty" doc:"Or where it is" example:"BLOCK-1"`
	Path         []string          `json:"path" minItems:"1" maxItems:"8" doc:"Through the diagnosis: GET /triage" example:"[\"kitchen\",\"sink\",\"taps\"]"`
	Answers      map[string]string `json:"answers,omitempty" doc:"To its questions"`
	Description  string            `json:"description" maxLength:"2000"`
	Photos       []string          `json:"photos,omitempty" maxItems:"10" doc:"From POST /photos"`
	Availability words             `json:"availability,omitempty" doc:"When somebody is at home"`
	At           string            `json:"at,omitempty" format:"date-time" doc:"For staff: when they were told; now unless given"`
	Contact      words             `json:"contact,omitempty" doc:"How to be reached about it"`
}

// TransformSchema gives a body that could be sent.
func (reportBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Examples = []any{map[string]any{
		"tenancy": "T1001", "path": []string{"kitchen", "sink", "cracked"}, "description": "There is a crack from the tap to the edge.",
	}}
	return s
}

type putRepair struct {
	Repair string `path:"repair" example:"R2001"`
	Conditional
	Body reportBody
}

type sorBody struct {
	Code     string `json:"code" example:"PLB-014"`
	Quantity int    `json:"quantity,omitempty" minimum:"1" default:"1"`
}

// sorLine is what somebody is to do; prices are for those who pay and are paid.
type sorLine struct {
	Code     string  `json:"code" example:"PLB-014"`
	Quantity int     `json:"quantity,omitempty"`
	Price    *string `json:"price,omitempty" doc:"Of one, where it is agreed" example:"42.10"`
}

type actionBody struct {
	Action      string      `json:"action" doc:"docs/repairs.md has the table of what is allowed when" example:"book"`
	At          string      `json:"at,omitempty" format:"date-time" doc:"When it counts; now unless given"`
	Reason      string      `json:"reason,omitempty" maxLength:"500" doc:"A code ([a-z0-9_-]{1,32}); a sentence is kept as a note" example:"parts"`
	Note        string      `json:"note,omitempty" maxLength:"500"`
	Photos      []string    `json:"photos,omitempty" maxItems:"10"`
	Outcome     string      `json:"outcome,omitempty"`
	Trade       string      `json:"trade,omitempty" maxLength:"64"`
	Priority    string      `json:"priority,omitempty"`
	SOR         []sorBody   `json:"sor,omitempty" maxItems:"50"`
	Cost        string      `json:"cost,omitempty" doc:"Of a variation whose work has no agreed prices" example:"120.00"`
	Contractor  string      `json:"contractor,omitempty"`
	Slot        string      `json:"slot,omitempty" doc:"From GET /repairs/{repair}/slots" example:"2026-11-23.0800-1200"`
	Evidence    string      `json:"evidence,omitempty" maxLength:"500" doc:"What shows that nobody let the contractor in"`
	Until       domain.Date `json:"until,omitzero"`
	Repair      string      `json:"repair,omitempty" doc:"The id of the new repair of a recall or follow-on"`
	Into        string      `json:"into,omitempty" doc:"The repair that this is a duplicate of"`
	Rating      int         `json:"rating,omitempty" minimum:"1" maximum:"5"`
	Description string      `json:"description,omitempty" maxLength:"2000" doc:"Of the new repair"`
}

// TransformSchema gives a body that could be sent.
func (actionBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Examples = []any{map[string]any{"action": "book", "slot": "2026-11-23.0800-1200"}}
	return s
}

type putRepairAction struct {
	Repair string `path:"repair" example:"R2001"`
	Action string `path:"action" doc:"An id of your choice" example:"A1"`
	Conditional
	Body actionBody
}

// report and action write, and answer with the repair as it stands.

func (s *Server) putRepair(ctx context.Context, in *putRepair) (*answer[repairShown], error) {
	b := &in.Body
	return s.changed(ctx, in.expect, func(m commands.Meta) (commands.RepairReceipt, error) {
		return s.Commands.ReportRepair(ctx, m, commands.ReportRepair{
			Repair: in.Repair, Tenancy: b.Tenancy, Property: b.Property, Path: b.Path, Answers: b.Answers, Description: b.Description,
			Photos: b.Photos, Availability: string(b.Availability), Contact: string(b.Contact), At: b.At,
		})
	})
}

func (s *Server) putRepairAction(ctx context.Context, in *putRepairAction) (*answer[repairShown], error) {
	b := &in.Body
	work := make([]repair.Line, 0, len(b.SOR))
	for _, line := range b.SOR {
		work = append(work, repair.Line{Code: line.Code, Quantity: line.Quantity})
	}
	return s.changed(ctx, in.expect, func(m commands.Meta) (commands.RepairReceipt, error) {
		return s.Commands.ActOnRepair(ctx, m, commands.ActOnRepair{
			Repair: in.Repair, ID: in.Action, Action: b.Action, At: b.At, Reason: b.Reason, Note: b.Note, Photos: b.Photos,
			Outcome: b.Outcome, Trade: b.Trade, Priority: b.Priority, SOR: work, Cost: b.Cost, Contractor: b.Contractor, Slot: b.Slot,
			Evidence: b.Evidence, Until: b.Until.String(), NewRepair: b.Repair, Into: b.Into, Rating: b.Rating, Description: b.Description,
		})
	})
}

func (s *Server) changed(
	ctx context.Context, expect func() (*uint64, error), carryOut func(commands.Meta) (commands.RepairReceipt, error),
) (*answer[repairShown], error) {
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
	r := done.Repair
	if done.Main != nil {
		r = r.Following(*done.Main)
	}
	own := c.token.Role != commands.RoleContractor || c.worksOn(r)
	shown := viewer{role: c.token.Actor(), own: own, now: s.Now()}.show(string(done.ID), r)
	shown.Position, shown.Version = said.Position, said.Version
	if !own { // handed back: who does it now, and when, is not theirs to know
		shown.Contractor, shown.Visit, shown.Due, shown.SOR, shown.Clocks = "", nil, nil, []sorLine{}, []clockShown{}
	}
	if done.Main != nil {
		shown.MergedState = string(done.Main.State)
	}
	return &answer[repairShown]{Status: http.StatusCreated, Body: shown}, nil
}
