package http

import (
	"errors"
	"regexp"
	"strings"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/projections"
)

type lineShown struct {
	Position   string                    `json:"position" example:"1042"`
	At         string                    `json:"at" format:"date-time" doc:"When it counts"`
	RecordedAt string                    `json:"recorded_at" format:"date-time" doc:"When it was known"`
	State      string                    `json:"state" doc:"After it"`
	Event      string                    `json:"event" example:"repair.visit-booked.v1"`
	Text       string                    `json:"text"`
	Said       *domain.Personal          `json:"said,omitempty" doc:"In somebody's own words"`
	Actor      lineActor                 `json:"actor"`
	Clocks     []projections.ClockEffect `json:"clocks" nullable:"false" doc:"What it did to the clocks"`
	Photos     []string                  `json:"photos,omitempty"`
	Repair     string                    `json:"repair,omitempty" doc:"Another repair's line, while this is its duplicate"`
}

type lineActor struct {
	Role string `json:"role" example:"tenant"`
	ID   string `json:"id,omitempty" doc:"Of a token or program; for staff and auditors"`
}

type getRepairTimeline struct {
	Repair  string `path:"repair" example:"R2001"`
	KnownAt string `query:"known_at" doc:"As it was known at this position (N or N-N) or RFC 3339 time; now unless given"`
}

func (s *Server) repairTimeline(c *call, v *projections.Reader, q *getRepairTimeline) ([]lineShown, string, error) {
	found, own, err := s.repairSeen(c, v, q.Repair)
	if err != nil {
		return nil, "", err
	}
	known, err := c.knownAt(v, q.KnownAt)
	if err != nil {
		return nil, "", err
	}
	lines, err := v.RepairTimeline(q.Repair, known.Position)
	if err != nil {
		return nil, "", err
	}
	shown := []lineShown{}
	for _, line := range lines {
		if own && c.token.Role == commands.RoleTenant {
			if err := s.livedThere(c, v, string(found.Tenancy), line.RecordedAt); errors.Is(err, errForeign) {
				break // they have left
			} else if err != nil {
				return nil, "", err
			}
		}
		shown = append(shown, c.shownLine(line, found.ID, own))
	}
	return shown, version(found.Version) + "." + known.Position.String(), nil
}

func (c *call) shownLine(l projections.RepairLine, of string, own bool) lineShown {
	s := lineShown{
		Position: l.Position.String(), At: timestamp(l.At), RecordedAt: timestamp(l.RecordedAt), State: l.State, Event: l.Event, Text: l.Text,
		Actor: lineActor{Role: l.ActorRole}, Clocks: l.Clocks,
	}
	if s.Clocks == nil {
		s.Clocks = []projections.ClockEffect{}
	}
	if !staff.has(c.token.Role) {
		own = own && (l.Repair == of || l.Repair == "")
		s.Text = withoutCost(l)
	}
	if own {
		s.Photos = l.Photos
		if !l.Said.IsZero() {
			s.Said = &l.Said
		}
	}
	if l.Repair != of {
		s.Repair = l.Repair
	}
	if staff.has(c.token.Role) {
		s.Actor.ID = l.ActorID
	}
	return s
}

// withoutCost is a line for those whom prices, and why somebody was chosen, are nothing to.
func withoutCost(l projections.RepairLine) string {
	switch l.Event {
	case repair.Assigned{}.EventType(), repair.ApprovalRequested{}.EventType(), repair.NobodyFits{}.EventType():
		if text, _, explained := strings.Cut(l.Text, ": "); explained {
			return text + "."
		}
	case repair.Raised{}.EventType(), repair.VariationRequested{}.EventType():
		return costs.ReplaceAllLiteralString(l.Text, "")
	}
	return l.Text
}

var costs = regexp.MustCompile(`, for [0-9.]+ [A-Z]{3}\b`)
