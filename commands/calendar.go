package commands

import (
	"context"

	"rentbook/domain"
	"rentbook/domain/calendar"
	"rentbook/eventstore"
)

// PutCalendar says which days are in a calendar.
type PutCalendar struct {
	Calendar string
	Dates    []string
}

// PutCalendar carries out a PutCalendar.
func (h *Handler) PutCalendar(ctx context.Context, m Meta, c PutCalendar) (Receipt, error) {
	var f form
	id := f.id("calendar", c.Calendar)
	days := make([]domain.Date, len(c.Dates))
	for i, s := range c.Dates {
		days[i] = f.date("dates", s)
	}
	about, err := calendar.NewDates(days)
	if err != nil {
		f.refuse("dates", err)
	}
	if err := permit(m, f); err != nil {
		return Receipt{}, err
	}
	t := target{stream: calendarStream(id), kind: "calendar", id: id, changeable: true}
	return decide(ctx, h, m, t, calendar.Calendar.Set, about)
}

// addDate is one day of a calendar; a day is its own identity.
type addDate struct{ domain.Date }

// Recorded is nothing: adding a day that is there decides nothing.
func (addDate) Recorded(calendar.Calendar) []uint64 { return nil }

// Matches is never asked.
func (addDate) Matches(calendar.Event) bool { return false }

func calendarStream(id domain.ID) eventstore.Stream {
	return eventstore.NewStream(calendar.Category, string(id))
}
