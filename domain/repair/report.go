package repair

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// Report begins a repair. What was asked is compared when it comes again; what a rule made of it
// (Triage and below) is not.
type Report struct {
	Now          time.Time
	At           time.Time // zero: now
	Tenancy      domain.ID
	Property     domain.ID
	Path         []string
	Answers      []Answer
	Description  domain.Personal
	Availability domain.Personal
	Photos       []domain.ID
	Contact      domain.Personal
	Person       domain.ID // whose contact it is, if known
	RecallOf     domain.ID
	FollowsOn    domain.ID

	Resident domain.ID // the tenancy of the home, where the report names the property alone
	Communal bool
	Tree     string
	Hazard   domain.ID
	Triage   Diagnosis
	Routing  Routing
	Into     domain.ID // an open repair of the same thing
	By       string    // the id of the actor
}

// Diagnosis is what a tree, or a person, makes of a report.
type Diagnosis struct {
	Outcome       Outcome
	Trade         string
	Priority      Priority
	SOR           []Line
	Targets       []clock.Target
	Advice        string
	Phone         string
	Link          string
	RightToRepair string
	Compensation  *clock.Compensation
}

// Routing is who is to do the work, at what price.
type Routing struct {
	Contractor  domain.ID // none: nobody fits
	Contract    domain.ID
	Explanation string
	SOR         []Line       // with their prices
	Cost        domain.Money // none: not every line has an agreed price
	Known       domain.Money // of the lines that have one
	Limit       domain.Money // what may be spent without asking
	Parameter   string       // that says so
}

// Refusals of a repair.
var (
	ErrNotReported = &domain.Refusal{Class: domain.Unknown, Code: "repair.not-reported", Reason: "there is no such repair"}
	ErrNotAllowed  = &domain.Refusal{Class: domain.Conflicting, Code: "repair.not-allowed", Reason: "is not allowed now"}
	ErrNotTaken    = &domain.Refusal{Code: "repair.not-taken", Reason: "says nothing about this action"}
	ErrFuture      = &domain.Refusal{Code: "repair.future", Reason: "lies in the future", Field: "at"}
	ErrOrder       = &domain.Refusal{Class: domain.Conflicting, Code: "repair.order", Reason: "is before the last thing that happened", Field: "at"}
	ErrSamePerson  = &domain.Refusal{
		Class: domain.Conflicting, Code: "repair.same-person", Reason: "whoever asked for an approval cannot give it",
	}
	ErrTooLate = &domain.Refusal{Class: domain.Conflicting, Code: "repair.too-late", Reason: "the time for a recall is over: report a new repair"}
)

// Recorded is the version of the report.
func (Report) Recorded(r Repair) []uint64 {
	if !r.Exists() {
		return nil
	}
	return []uint64{1}
}

// Matches says whether the fact reports the same. Contacts are not compared: they are not on it.
func (p Report) Matches(e Event) bool {
	recorded, ok := e.(Reported)
	return ok && (p.Tenancy == recorded.Tenancy || p.Tenancy == "" && p.Property != "") && (p.Property == "" || p.Property == recorded.Property) &&
		(p.At.IsZero() || p.At.Equal(recorded.At)) &&
		slices.Equal(p.Path, recorded.Path) && sameAnswers(p.Answers, recorded.Answers) &&
		p.Description.Matches(recorded.Description) && p.Availability.Matches(recorded.Availability) &&
		slices.Equal(p.Photos, recorded.Photos) && p.RecallOf == recorded.RecallOf && p.FollowsOn == recorded.FollowOnOf
}

// sameAnswers compares answers in whatever order they were given.
func sameAnswers(asked, recorded []Answer) bool {
	byQuestion := func(a, b Answer) int { return strings.Compare(a.Question, b.Question) }
	return slices.Equal(slices.SortedFunc(slices.Values(asked), byQuestion), slices.SortedFunc(slices.Values(recorded), byQuestion))
}

// Report records what was said, what the diagnosis made of it, and who gets the work.
func (r Repair) Report(p Report) ([]Event, error) {
	at := p.At
	switch {
	case at.IsZero():
		at = p.Now
	case at.After(p.Now):
		return nil, ErrFuture
	}
	facts := []Event{Reported{
		At: at, Tenancy: cmp.Or(p.Tenancy, p.Resident), Property: p.Property, Communal: p.Communal, Path: p.Path, Answers: p.Answers, Tree: p.Tree,
		Description: p.Description, Availability: p.Availability, Photos: p.Photos, RecallOf: p.RecallOf, FollowOnOf: p.FollowsOn,
		Hazard: p.Hazard,
	}}
	if !p.Contact.IsZero() {
		facts = append(facts, ContactGiven{Person: p.Person, Contact: p.Contact})
	}
	step := Step{At: at}
	facts = append(facts, p.Triage.fact(step))
	switch {
	case p.Into != "" && p.Triage.Outcome.Ours():
		facts = append(facts, Merged{Step: step, Into: p.Into})
	case p.Triage.Outcome.Ours():
		facts = append(facts, p.Routing.facts(step, p.By)...)
	}
	return facts, nil
}

func (d Diagnosis) fact(s Step) Event {
	return Triaged{
		Step: s, Outcome: d.Outcome, Trade: d.Trade, Priority: d.Priority, SOR: d.SOR, Targets: d.Targets,
		Advice: d.Advice, Phone: d.Phone, Link: d.Link, RightToRepair: d.RightToRepair,
		Compensation: d.Compensation,
	}
}

// facts hand the order to a contractor, or say why to nobody. An order that costs more than may be
// spent waits for an approval.
func (g Routing) facts(s Step, by string) []Event {
	if g.Contractor == "" {
		return []Event{NobodyFits{Step: s, Explanation: g.Explanation}}
	}
	first := Assigned{Step: s, Contractor: g.Contractor, Contract: g.Contract, Explanation: g.Explanation}
	then := Step{At: s.At}
	cost := g.Cost
	if cost.Currency == "" {
		cost = g.Known // at least so much
	}
	if g.Limit.Currency != "" && cost.Currency == g.Limit.Currency && cost.Minor > g.Limit.Minor {
		return []Event{first, ApprovalRequested{Step: then, By: by, SOR: g.SOR, Cost: cost, Limit: g.Limit, Parameter: g.Parameter}}
	}
	return []Event{first, Raised{Step: then, SOR: g.SOR, Cost: g.Cost}}
}
