package http

import (
	"rentbook/commands"
	"rentbook/domain"
	"rentbook/projections"
)

type calendar struct {
	Dates []domain.Date `json:"dates" nullable:"false" doc:"In any order; each day counts once"`
}

type getCalendar struct {
	Calendar string `path:"calendar" example:"rent-free-2026"`
}

type putCalendar struct {
	Calendar string `path:"calendar" example:"rent-free-2026"`
	Conditional
	Body calendar
}

func (p *putCalendar) command() commands.PutCalendar {
	dates := make([]string, len(p.Body.Dates))
	for i, day := range p.Body.Dates {
		dates[i] = day.String()
	}
	return commands.PutCalendar{Calendar: p.Calendar, Dates: dates}
}

func (s *Server) calendar(_ *call, v *projections.Reader, q *getCalendar) (calendar, string, error) {
	found, err := v.Calendar(q.Calendar)
	if found.Dates == nil {
		found.Dates = []domain.Date{}
	}
	return calendar{Dates: found.Dates}, version(found.Version), err
}
