package http

import (
	"cmp"
	"strconv"
	"strings"

	ical "github.com/arran4/golang-ical"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/projections"
)

type getDiary struct {
	Contractor string `path:"contractor" example:"C1"`
	Date       string `query:"date" format:"date" doc:"Today unless given"`
}

// diaryVisit is what somebody needs who goes there.
type diaryVisit struct {
	visitShown

	Repair      string           `json:"repair"`
	Trade       string           `json:"trade"`
	Path        []string         `json:"path"`
	State       string           `json:"state,omitempty" doc:"Of the repair; this and what follows while it is with the contractor"`
	Priority    string           `json:"priority,omitempty"`
	SOR         []sorLine        `json:"sor" nullable:"false"`
	Where       *whereShown      `json:"where"`
	Description *domain.Personal `json:"description,omitempty"`
	Contact     *domain.Personal `json:"contact,omitempty"`
	Due         *string          `json:"due" format:"date-time"`
}

type diaryPage struct {
	Contractor string       `json:"contractor" example:"C1"`
	Date       domain.Date  `json:"date"`
	Visits     []diaryVisit `json:"visits" nullable:"false"`
}

// diary is a day of a contractor. To another contractor it does not exist.
func (s *Server) diary(c *call, v *projections.Reader, q *getDiary) (diaryPage, string, error) {
	page := diaryPage{Contractor: q.Contractor, Date: s.today(), Visits: []diaryVisit{}}
	if err := c.ownContractor(v, q.Contractor); err != nil {
		return page, "", err
	}
	if q.Date != "" {
		day, err := date("date", q.Date)
		if err != nil {
			return page, "", err
		}
		page.Date = day
	}
	visits, err := v.Diary(q.Contractor, page.Date, page.Date)
	if err != nil {
		return page, "", err
	}
	for _, visit := range visits {
		shown, err := s.visitIn(c, v, visit)
		if err != nil {
			return page, "", err
		}
		page.Visits = append(page.Visits, shown)
	}
	return page, "", nil
}

// ownContractor is nil for staff, and for the contractor that the caller works for.
func (c *call) ownContractor(v *projections.Reader, id string) error {
	if c.token.Role == commands.RoleContractor && (c.token.Contractor == "" || c.token.Contractor != id) {
		return errForeign
	}
	_, err := v.Contractor(id)
	return err
}

// visitIn is a visit with what is needed there. Who has handed a repair back needs nothing of it any
// more.
func (s *Server) visitIn(c *call, v *projections.Reader, visit projections.Visit) (diaryVisit, error) {
	found, err := v.Repair(visit.Repair)
	if err != nil {
		return diaryVisit{}, err
	}
	shown, err := s.shownRepair(c, v, found, true)
	d := diaryVisit{
		visitShown: visitShown{
			Visit: visit.Visit, Slot: visit.Slot, From: timestamp(visit.From), Status: visit.Status,
		},
		Repair: visit.Repair, Trade: shown.Trade, Path: shown.Path, SOR: []sorLine{},
	}
	if !visit.To.IsZero() {
		d.To = timestamp(visit.To)
	}
	if c.token.Role != commands.RoleContractor || c.worksOn(found.Repair) {
		d.State, d.Priority, d.SOR, d.Due = shown.State, shown.Priority, shown.SOR, shown.Due
		d.Where, d.Description, d.Contact = shown.Where, shown.Description, shown.Contact
	}
	return d, err
}

const typeCalendar = "text/calendar"

type getDiaryFeed struct {
	Contractor string `path:"contractor" example:"C1"`
}

// The days of a feed, before and after today.
const (
	feedBack  = 30
	feedAhead = 120
)

// diaryFeed is the visits as iCalendar (RFC 5545). What leaves for somebody's calendar says where and
// for which repair, and nothing about who lives there.
func (s *Server) diaryFeed(c *call, q *getDiaryFeed) error {
	feed := ical.NewCalendarFor("Rentbook")
	feed.SetMethod(ical.MethodPublish)
	feed.SetName("Repairs of " + q.Contractor)
	feed.SetRefreshInterval("PT15M")
	err := s.Views.Read(c.r.Context(), func(v *projections.Reader) error {
		c.at(v.Position())
		if err := c.ownContractor(v, q.Contractor); err != nil {
			return err
		}
		visits, err := v.Diary(q.Contractor, s.today()-feedBack, s.today()+feedAhead)
		if err != nil {
			return err
		}
		for _, visit := range visits {
			if err := s.addVisit(c, v, feed, visit); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.Header().Set("Content-Type", typeCalendar+"; charset=utf-8")
	return feed.SerializeTo(c)
}

func (s *Server) addVisit(c *call, v *projections.Reader, feed *ical.Calendar, visit projections.Visit) error {
	if visit.To.IsZero() {
		return nil // somebody came without an appointment
	}
	found, err := v.Repair(visit.Repair)
	if err != nil {
		return err
	}
	shown, err := s.visitIn(c, v, visit)
	if err != nil {
		return err
	}
	event := feed.AddEvent(visit.Repair + "-" + strconv.Itoa(visit.Number) + "@rentbook")
	event.SetDtStampTime(found.LastAt)
	event.SetSequence(int(found.Version)) //nolint:gosec // versions of a repair are small
	event.SetStartAt(visit.From)
	event.SetEndAt(visit.To)
	event.SetSummary(shown.Trade + ": repair " + visit.Repair)
	about := []string{strings.Join(shown.Path, ", ")}
	for _, line := range shown.SOR {
		about = append(about, line.Code)
	}
	event.SetDescription(strings.Join(about, "\n"))
	if w := shown.Where; w != nil {
		event.SetLocation(strings.Join([]string{w.Address, cmp.Or(w.Locality, w.Property), w.Postcode}, ", "))
	}
	switch visit.Status {
	case repair.VisitWithdrawn, repair.VisitWasLost, repair.VisitWasMissed:
		event.SetStatus(ical.ObjectStatusCancelled)
	default:
		event.SetStatus(ical.ObjectStatusConfirmed)
	}
	return nil
}
