package http

import (
	"errors"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/projections"
)

type getTenancyTimeline struct {
	Tenancy string `path:"tenancy" example:"T1001"`
	After   string `query:"after" doc:"What was recorded after this position" example:"1042"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"100" doc:"At most so many, or a few more: what one event made stays together"`
}

// itemShown is something that happened under a tenancy: money, or a line of a repair.
type itemShown struct {
	Position   string `json:"position" example:"1042"`
	Kind       string `json:"kind" enum:"rent,repair"`
	At         string `json:"at" doc:"When it counts: a day for money, an instant for repairs" example:"2026-04-06"`
	RecordedAt string `json:"recorded_at" format:"date-time"`
	Text       string `json:"text"`
	Entry      *entry `json:"entry,omitempty" doc:"Of the account"`

	Repair string                    `json:"repair,omitempty"`
	State  string                    `json:"state,omitempty"`
	Event  string                    `json:"event,omitempty"`
	Said   *domain.Personal          `json:"said,omitempty"`
	Actor  *lineActor                `json:"actor,omitempty"`
	Clocks []projections.ClockEffect `json:"clocks,omitempty"`
	Photos []string                  `json:"photos,omitempty"`
}

type tenancyTimelinePage struct {
	Tenancy string      `json:"tenancy" example:"T1001"`
	Items   []itemShown `json:"items" nullable:"false" doc:"In the order in which they were recorded"`
	Next    string      `json:"next,omitempty" doc:"The after of the next page; absent on the last"`
}

func (s *Server) tenancyTimeline(c *call, v *projections.Reader, q *getTenancyTimeline) (tenancyTimelinePage, string, error) {
	page := tenancyTimelinePage{Tenancy: q.Tenancy, Items: []itemShown{}}
	tenancy, err := v.Tenancy(q.Tenancy)
	if err != nil {
		return page, "", err
	}
	after := eventstore.Position{}
	if q.After != "" {
		if after, err = eventstore.ParsePosition(q.After); err != nil {
			return page, "", invalid("query.after", "is not a position as given in Rentbook-Position: N or N-N")
		}
	}
	items, err := v.TenancyTimeline(q.Tenancy, after, q.Limit)
	if err != nil {
		return page, "", err
	}
	for _, item := range items {
		if c.token.Role == commands.RoleTenant && item.Repair != nil {
			if err := s.livedThere(c, v, q.Tenancy, item.RecordedAt); errors.Is(err, errForeign) {
				continue
			} else if err != nil {
				return page, "", err
			}
		}
		page.Items = append(page.Items, c.shownItem(item, tenancy.Currency))
	}
	if n := len(items); n >= q.Limit {
		page.Next = items[n-1].Position.String()
	}
	return page, "", nil
}

func (c *call) shownItem(i projections.TimelineItem, currency domain.Currency) itemShown {
	shown := itemShown{Position: i.Position.String(), RecordedAt: timestamp(i.RecordedAt)}
	if i.Rent != nil {
		line := entryOf(*i.Rent, currency)
		amount := domain.Money{Minor: i.Rent.Amount, Currency: currency}
		shown.Kind, shown.At, shown.Entry = "rent", i.On.String(), &line
		shown.Text = entryWords(*i.Rent) + ": " + amount.String() + " " + string(currency) + "."
		return shown
	}
	line := c.shownLine(*i.Repair, i.Repair.Repair, true)
	shown.Kind, shown.At, shown.Text, shown.Repair = "repair", line.At, line.Text, i.Repair.Repair
	shown.State, shown.Event, shown.Said, shown.Actor, shown.Photos = line.State, line.Event, line.Said, &line.Actor, line.Photos
	shown.Clocks = line.Clocks
	return shown
}

// entryWords is what an entry is, in plain words.
func entryWords(l projections.Line) string {
	words := map[string]string{
		"charge": "Charged", "payment": "Paid", "payment_reversal": "Payment taken back", "credit": "Credited", "debit": "Debited",
		"write_off": "Written off", "write_on": "Written on", "refund": "Refunded",
	}[string(l.Kind)]
	if l.Description != "" {
		words += ", " + l.Description
	}
	return words
}
