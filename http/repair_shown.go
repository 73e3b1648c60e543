package http

import (
	"slices"
	"strings"
	"time"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/repair"
)

type clockShown struct {
	Clock       string  `json:"clock" example:"completion"`
	StartedAt   string  `json:"started_at" format:"date-time"`
	DueAt       *string `json:"due_at" format:"date-time"`
	MetAt       *string `json:"met_at" format:"date-time"`
	Breached    bool    `json:"breached"`
	Paused      bool    `json:"paused"`
	Parameter   string  `json:"parameter" example:"priority.normal@2024-01-01"`
	Explanation string  `json:"explanation"`
}

type actionShown struct {
	Action   string   `json:"action"`
	Fields   []string `json:"fields" nullable:"false" doc:"That it needs"`
	Optional []string `json:"optional" nullable:"false" doc:"That it takes"`
}

type visitShown struct {
	Visit  string `json:"visit,omitempty"`
	Slot   string `json:"slot,omitempty"`
	From   string `json:"from" format:"date-time"`
	To     string `json:"to,omitempty" format:"date-time"`
	Until  string `json:"until,omitempty" format:"date-time" doc:"When a hold ends"`
	Status string `json:"status"`
}

type whereShown struct {
	Property string `json:"property"`
	Address  string `json:"address"`
	Postcode string `json:"postcode"`
	Locality string `json:"locality,omitempty"`
}

type rightShown struct {
	Item         string `json:"item"`
	Compensation string `json:"compensation" example:"12.00"`
	Currency     string `json:"currency" example:"GBP"`
	Explanation  string `json:"explanation"`
}

type variationShown struct {
	SOR  []sorLine `json:"sor"`
	Cost string    `json:"cost,omitempty"`
}

// repairShown is a repair as its caller may see it.
type repairShown struct {
	Repair     string        `json:"repair" example:"R2001"`
	State      string        `json:"state" example:"scheduled"`
	Class      string        `json:"class" example:"open"`
	Outcome    string        `json:"outcome" example:"landlord"`
	Priority   string        `json:"priority" example:"normal"`
	Trade      string        `json:"trade" example:"plumbing"`
	SOR        []sorLine     `json:"sor" nullable:"false"`
	Contractor string        `json:"contractor" doc:"Empty: nobody fits, and routing says why"`
	Routing    string        `json:"routing,omitempty" doc:"Why this contractor, or why none"`
	Due        *string       `json:"due" format:"date-time"`
	Clocks     []clockShown  `json:"clocks" nullable:"false"`
	Actions    []actionShown `json:"actions" nullable:"false" doc:"What the caller may do now"`
	Version    uint64        `json:"version"`
	Position   string        `json:"position"`

	Tenancy      string            `json:"tenancy,omitempty"`
	Property     string            `json:"property"`
	Where        *whereShown       `json:"where,omitempty"`
	Communal     bool              `json:"communal"`
	Path         []string          `json:"path"`
	Answers      map[string]string `json:"answers,omitempty"`
	Tree         string            `json:"tree" doc:"The version of the diagnosis whose questions were asked"`
	Description  *domain.Personal  `json:"description,omitempty"`
	Availability *domain.Personal  `json:"availability,omitempty"`
	Contact      *domain.Personal  `json:"contact,omitempty"`
	Photos       []domain.ID       `json:"photos,omitempty"`
	Advice       string            `json:"advice,omitempty"`
	Phone        string            `json:"phone,omitempty"`
	Link         string            `json:"link,omitempty"`
	ReportedAt   string            `json:"reported_at" format:"date-time"`
	CompletedAt  *string           `json:"completed_at,omitempty" format:"date-time"`
	Cost         string            `json:"cost,omitempty"`
	Currency     string            `json:"currency,omitempty"`
	Variation    *variationShown   `json:"variation,omitempty"`
	Visit        *visitShown       `json:"visit,omitempty" doc:"The appointment that stands"`
	Held         *visitShown       `json:"held,omitempty" doc:"A slot kept for some minutes"`
	Visits       []visitShown      `json:"visits,omitempty"`
	Hazard       string            `json:"hazard,omitempty"`
	Right        *rightShown       `json:"right_to_repair,omitempty"`
	MergedInto   string            `json:"merged_into,omitempty"`
	MergedState  string            `json:"merged_state,omitempty" doc:"Where that repair stands"`
	Merged       []string          `json:"merged,omitempty" doc:"Repairs that are duplicates of this one"`
	RecallOf     string            `json:"recall_of,omitempty"`
	FollowOnOf   string            `json:"follow_on_of,omitempty"`
	Links        []domain.ID       `json:"links,omitempty" doc:"Repairs that came of this one"`
	Reopened     int               `json:"reopened,omitempty"`
	NoAccess     int               `json:"no_access,omitempty" doc:"Visits that nobody let in"`
}

// viewer is who sees a repair, and how much of it.
type viewer struct {
	role commands.Actor
	own  bool // their own home's, or their work, or staff
	now  time.Time
}

// show is a repair for a viewer. Who lives in the block sees that the lift is being mended, and not
// who said what about it.
func (v viewer) show(id string, r repair.Repair) repairShown {
	s := repairShown{
		Repair: id, State: string(r.State), Class: string(r.State.Class()), Outcome: string(r.Outcome), Priority: string(r.Priority),
		Trade: r.Trade, SOR: linesOf(r.SOR), Contractor: string(r.Contractor), Clocks: []clockShown{}, Actions: []actionShown{},
		Property: string(r.Property), Communal: r.Communal, Path: r.Path, Tree: r.Tree, ReportedAt: timestamp(r.ReportedAt),
		CompletedAt: instantOrNull(r.CompletedAt), MergedInto: string(r.Into), Reopened: r.Reopened, NoAccess: r.NoAccess,
	}
	if r.Into != "" {
		s.Outcome = string(repair.OutcomeDuplicate)
	}
	for _, reading := range r.Readings(v.now) {
		s.Clocks = append(s.Clocks, shownClock(reading))
		if reading.Clock == repair.ClockCompletion {
			s.Due = instantOrNull(reading.DueAt)
		}
	}
	if visit, stands := r.Visit(); stands {
		s.Visit = shownVisit(visit)
	}
	if v.own {
		v.showOwn(&s, r)
	}
	if !v.own || v.role.Role == commands.RoleTenant { // what the work costs is between landlord and contractor
		for i := range s.SOR {
			s.SOR[i].Price = nil
		}
	}
	return s
}

// showOwn adds what is for who lives there, who does the work, and staff.
func (v viewer) showOwn(s *repairShown, r repair.Repair) {
	s.Advice, s.Phone, s.Link = r.Advice, r.Phone, r.Link
	switch {
	case staff.has(v.role.Role):
		s.Routing = r.Routing
	case strings.HasPrefix(r.Routing, "Nobody fits"): // why not tells of others, as does why somebody was chosen
		s.Routing = "No contractor fits at the moment; the landlord finds one."
	case r.Contractor == "":
		s.Routing = r.Routing
	}
	s.Photos, s.Hazard, s.Links = r.Photos, string(r.Hazard), r.Links
	s.RecallOf, s.FollowOnOf = string(r.RecallOf), string(r.FollowsOn)
	for _, a := range r.Answers {
		if s.Answers == nil {
			s.Answers = map[string]string{}
		}
		s.Answers[a.Question] = a.Answer
	}
	for _, visit := range r.Visits {
		s.Visits = append(s.Visits, *shownVisit(visit))
	}
	if r.Held != nil {
		s.Held = &visitShown{
			Slot: string(r.Held.ID), From: timestamp(r.Held.From), To: timestamp(r.Held.To), Until: timestamp(r.Held.Until), Status: "held",
		}
	}
	if right, has := r.RightToRepairAt(v.now); has {
		s.Right = &rightShown{
			Item: r.RightToRepair, Compensation: right.Compensation.String(), Currency: string(right.Compensation.Currency),
			Explanation: right.Explanation,
		}
	}
	if v.role.Role != commands.RoleContractor {
		s.Tenancy = string(r.Tenancy)
	}
	if v.role.Role != commands.RoleTenant {
		if r.Cost.Currency != "" {
			s.Cost, s.Currency = r.Cost.String(), string(r.Cost.Currency)
		}
		if r.Variation != nil {
			s.Variation = &variationShown{SOR: linesOf(r.Variation.SOR)}
			if r.Variation.Cost.Currency != "" {
				s.Variation.Cost = r.Variation.Cost.String()
			}
		}
	}
	for _, m := range r.Allowed(repair.Role(v.role.Role), v.role.Person(), v.now) {
		s.Actions = append(s.Actions, actionShown{
			Action: string(m.Action), Fields: append([]string{}, m.Needs...), Optional: optionalFields(m),
		})
	}
}

// optionalFields are the fields that an action takes, with those that all take.
func optionalFields(m repair.Move) []string {
	fields := slices.Clone(m.Takes)
	for _, f := range []string{"at", "reason", "note", "photos"} {
		if !slices.Contains(m.Needs, f) {
			fields = append(fields, f)
		}
	}
	return fields
}

func linesOf(lines []repair.Line) []sorLine {
	shown := []sorLine{}
	for _, l := range lines {
		line := sorLine{Code: l.Code, Quantity: l.Quantity}
		if l.Price.Currency != "" {
			price := l.Price.String()
			line.Price = &price
		}
		shown = append(shown, line)
	}
	return shown
}

func shownClock(r clock.Reading) clockShown {
	return clockShown{
		Clock: r.Clock, StartedAt: timestamp(r.StartedAt), DueAt: instantOrNull(r.DueAt), MetAt: instantOrNull(r.MetAt),
		Breached: r.Breached, Paused: r.Paused, Parameter: r.Parameter, Explanation: r.Explanation,
	}
}

func shownVisit(v repair.Visit) *visitShown {
	s := &visitShown{Visit: string(v.ID), Slot: string(v.Slot), From: timestamp(v.From), Status: v.Status}
	if !v.To.IsZero() {
		s.To = timestamp(v.To)
	}
	return s
}

func instantOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := timestamp(t)
	return &text
}
