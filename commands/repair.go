package commands

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/property"
	"rentbook/domain/repair"
	"rentbook/domain/tenancy"
	"rentbook/domain/triage"
	"rentbook/eventstore"
)

// ReportRepair reports that something is broken: in a tenancy's home, or at a property.
type ReportRepair struct {
	Repair       string
	Tenancy      string
	Property     string
	Path         []string
	Answers      map[string]string // by question
	Description  string
	Photos       []string
	Availability string
	Contact      string
	At           string // RFC 3339, of staff who were told earlier; empty: now
	RecallOf     string
	FollowOnOf   string
}

// RepairReceipt is a receipt, and the repair as it stands now.
type RepairReceipt struct {
	Receipt
	ID     domain.ID
	Repair repair.Repair
	Main   *repair.Repair // of which it is a duplicate; nil: it is none
}

// photosMax bounds the photos of one report or action.
const photosMax = 10

// ReportRepair carries out a ReportRepair: it walks the diagnosis, starts the clocks, finds out who
// does the work, and records all that at once. A report that makes the landlord aware of a hazard
// records the hazard first, on a stream of its own.
func (h *Handler) ReportRepair(ctx context.Context, m Meta, c ReportRepair) (RepairReceipt, error) {
	if !m.Actor.mayReport() {
		return RepairReceipt{}, ErrForbidden
	}
	t, about, err := c.noun()
	if err != nil {
		return RepairReceipt{}, err
	}
	about.By, about.Now = m.Actor.Person(), h.instant()
	if !about.At.IsZero() && m.Actor.Role == RoleTenant {
		return RepairReceipt{}, errWhen
	}
	place, err := h.placeOf(ctx, m.Actor, &about)
	if err != nil {
		return RepairReceipt{}, err
	}
	known, err := h.freshRepair(ctx, t.id)
	if err != nil {
		return RepairReceipt{}, err
	}
	if known.Exists() && m.Actor.Role == RoleTenant && known.Tenancy != about.Tenancy {
		return RepairReceipt{}, repair.ErrNotReported // another's: it does not exist
	}
	h.routes.Lock() // who has room is decided on, and recorded, by one at a time
	defer h.routes.Unlock()
	if !known.Exists() { // otherwise what it came to is recorded, and only what was asked is compared
		if err := h.diagnose(ctx, m, t.id, &about, place, c.Answers); err != nil {
			return RepairReceipt{}, err
		}
	}
	receipt, err := decide(ctx, h, m, t, repair.Repair.Report, about)
	if err == nil && about.Communal && about.Into == "" {
		err = h.join(ctx, t, about)
	}
	return h.shown(ctx, t.id, receipt, err)
}

// errWhen is a tenant's report of another day: their clocks start when they say it.
var errWhen = &domain.Refusal{Code: "repair.when", Reason: "is for staff, who enter what they were told", Field: "at"}

// join merges a communal report into one of the same thing that another process recorded at the same
// time. The one that was reported first stays.
func (h *Handler) join(ctx context.Context, t target, about repair.Report) error {
	oldest, err := h.Repairs.OpenCommunal(ctx, about.Property, about.Path)
	if err != nil || oldest == "" || oldest == t.id {
		return err
	}
	t.kind, t.repeatable = "join", true
	_, err = decide(ctx, h, Meta{Actor: system()}, t, repair.Repair.Join, repair.Duplicate{Into: oldest, At: about.Now})
	return err
}

func (c ReportRepair) noun() (target, repair.Report, error) {
	var f form
	id := f.id("repair", c.Repair)
	about := repair.Report{
		Tenancy: f.idOrNone("tenancy", c.Tenancy), Property: f.idOrNone("property", c.Property),
		Path: c.Path, Answers: answersOf(c.Answers),
		Description:  domain.NewPersonal(f.given("description", c.Description, descriptionMax)),
		Availability: f.personal("availability", c.Availability),
		Contact:      f.personal("contact", c.Contact),
		Photos:       f.photos(c.Photos),
		At:           f.instantOrNone("at", c.At),
		RecallOf:     f.idOrNone("recall_of", c.RecallOf), FollowsOn: f.idOrNone("follow_on_of", c.FollowOnOf),
	}
	if about.Tenancy == "" && about.Property == "" {
		f.refuse("tenancy", domain.ErrMissing.Because("is required, or property"))
	}
	if len(c.Path) == 0 {
		f.refuse("path", domain.ErrMissing)
	}
	return target{stream: repairStream(id), kind: "report", id: id}, about, f.err
}

// descriptionMax is longer than other text: people tell what happened.
const descriptionMax = 4 * domain.TextMax

func answersOf(answers map[string]string) []repair.Answer {
	var all []repair.Answer
	for _, question := range slices.Sorted(maps.Keys(answers)) {
		all = append(all, repair.Answer{Question: question, Answer: answers[question]})
	}
	return all
}

// photos are ids of photos, no two the same.
func (f *form) photos(ids []string) []domain.ID {
	if len(ids) > photosMax {
		f.refuse("photos", domain.ErrTooLong.Because("are more than ten photos"))
	}
	var photos []domain.ID
	for _, id := range ids {
		photo := f.id("photos", id)
		if slices.Contains(photos, photo) {
			f.refuse("photos", domain.ErrWord.Because("names a photo twice"))
		}
		photos = append(photos, photo)
	}
	return photos
}

func repairStream(id domain.ID) eventstore.Stream {
	return eventstore.NewStream(repair.Category, string(id))
}

// instant is now, to the second: what is recorded to the second is compared to the second.
func (h *Handler) instant() time.Time { return h.Now().UTC().Truncate(time.Second) }

// day is the day of an instant where the landlord is: whose law and whose holidays count.
func (h *Handler) day(at time.Time) domain.Date { return domain.DateOf(at.In(h.local)) }

// shown is a receipt beside the repair as it is now.
func (h *Handler) shown(ctx context.Context, id domain.ID, receipt Receipt, err error) (RepairReceipt, error) {
	state, failed := h.freshRepair(ctx, id)
	if err == nil {
		err = failed
	}
	shown := RepairReceipt{Receipt: receipt, ID: id, Repair: state}
	if err == nil && state.Into != "" {
		main, failed := h.mainOf(ctx, state.Into)
		shown.Main, err = &main, failed
	}
	return shown, err
}

// mergesMax bounds how many repairs are duplicates of each other in a row.
const mergesMax = 8

// mainOf is the repair at the end of a row of duplicates.
func (h *Handler) mainOf(ctx context.Context, id domain.ID) (main repair.Repair, err error) {
	for range mergesMax {
		if main, err = h.freshRepair(ctx, id); err != nil || main.Into == "" {
			break
		}
		id = main.Into
	}
	return main, err
}

// freshRepair is the repair as the log has it now.
func (h *Handler) freshRepair(ctx context.Context, id domain.ID) (repair.Repair, error) {
	state, current, err := load[repair.Repair, repair.Event](ctx, h, repairStream(id))
	if err == nil && !current {
		state, err = refresh[repair.Repair, repair.Event](ctx, h, repairStream(id), state)
	}
	return state, err
}

// placeOf is where the repair is. It puts the tenancy's property on a report that names none, and
// refuses a tenant what is not theirs in the words for what does not exist.
func (h *Handler) placeOf(ctx context.Context, actor Actor, about *repair.Report) (place, error) {
	if actor.Role == RoleTenant && about.Tenancy == "" {
		return place{}, errNoTenancy
	}
	p := place{}
	if about.Tenancy != "" {
		s, err := h.tenancyOf(ctx, about.Tenancy)
		switch {
		case err != nil:
			return place{}, err
		case actor.Role == RoleTenant && !actor.holds(about.Tenancy, s, h.Today()):
			return place{}, errNoTenancy
		case !s.IsOpen():
			return place{}, domain.ErrUnknownReference.Because("there is no such tenancy").In("tenancy")
		case about.Property != "" && about.Property != s.Property():
			return place{}, errOtherHome
		}
		p.tenancyKind, p.home = s.Kind(), s.Property()
		if actor.Role == RoleTenant {
			about.Person = domain.ID(actor.OnBehalfOf)
		}
	} else {
		p.home = about.Property
		if err := h.propertyExists(ctx, p.home, "property"); err != nil {
			return place{}, err
		}
		if err := h.findResident(ctx, about, &p); err != nil {
			return place{}, err
		}
	}
	above, err := h.above(ctx, p.home)
	p.above = above
	return p, err
}

// findResident finds whose home a property is, so that they see the repair and can let somebody in.
func (h *Handler) findResident(ctx context.Context, about *repair.Report, p *place) error {
	resident, err := h.Repairs.TenancyAt(ctx, p.home, h.Today())
	if err != nil || resident == "" {
		return err
	}
	s, err := h.tenancyOf(ctx, resident)
	about.Resident, p.tenancyKind = resident, s.Kind()
	return err
}

// Refusals about where a repair is.
var (
	errNoTenancy = &domain.Refusal{Class: domain.Unknown, Code: "not-found", Reason: "there is no such tenancy"}
	errOtherHome = &domain.Refusal{
		Class: domain.Conflicting, Code: "repair.other-home", Reason: "is not the property of the tenancy", Field: "property",
	}
)

// place is where a repair is, and what it is part of.
type place struct {
	home        domain.ID
	above       []domain.ID // nearest first
	tenancyKind string
}

func (h *Handler) tenancyOf(ctx context.Context, id domain.ID) (tenancy.Tenancy, error) {
	s, current, err := load[tenancy.Tenancy, tenancy.Event](ctx, h, tenancyStream(id))
	if err == nil && !current {
		s, err = refresh[tenancy.Tenancy, tenancy.Event](ctx, h, tenancyStream(id), s)
	}
	return s, err
}

// above lists what a property is part of, nearest first.
func (h *Handler) above(ctx context.Context, id domain.ID) ([]domain.ID, error) {
	var above []domain.ID
	for range depthMax {
		s, _, err := load[property.Property, property.Event](ctx, h, propertyStream(id))
		if err != nil || s.Parent() == "" {
			return above, err
		}
		id = s.Parent()
		above = append(above, id)
	}
	return above, nil
}

// diagnose puts on a report what the tree, the policy and the routing make of it.
func (h *Handler) diagnose(
	ctx context.Context, m Meta, id domain.ID, about *repair.Report, p place, answers map[string]string,
) error {
	outcome, asked, err := h.walk(about.Path, answers)
	if err != nil {
		return err
	}
	if err := h.photosAreOurs(ctx, m.Actor, about.Photos); err != nil {
		return err
	}
	if err := h.linksAreOurs(ctx, m.Actor, *about); err != nil {
		return err
	}
	about.Tree, about.Answers = h.Tree.Version(), asked
	about.Communal = outcome.Kind == triage.Communal
	if about.Property == "" {
		about.Property = p.home
		if about.Communal && len(p.above) > 0 {
			about.Property = p.above[0]
		}
	}
	if about.Communal {
		if about.Into, err = h.Repairs.OpenCommunal(ctx, about.Property, about.Path); err != nil {
			return err
		}
	}
	at := cmp.Or(about.At, about.Now)
	if about.Triage, err = h.diagnosis(outcome, at, p.tenancyKind); err != nil {
		return err
	}
	if outcome.Hazard != "" {
		if about.Hazard, err = h.becomeAware(ctx, m, id, *about, outcome); err != nil {
			return err
		}
	}
	switch {
	case about.Into != "" || !about.Triage.Outcome.Ours():
	case outcome.Kind == triage.Warranty:
		about.Routing.Explanation = "It is under warranty: somebody must pass it to whoever gave the warranty."
	case outcome.NeedsPerson || len(outcome.SOR) == 0:
		about.Routing.Explanation = "The diagnosis has no code for this: somebody must triage it."
	default:
		about.Routing, err = h.routing(ctx, repair.Repair{
			Property: about.Property, Trade: outcome.Trade, Priority: about.Triage.Priority, SOR: about.Triage.SOR,
		}, about.Now)
		if err != nil {
			return err
		}
		about.Triage, err = h.withinRight(about.Triage, about.Routing.Cost, about.Now)
	}
	return err
}

// linksAreOurs refuses a report that says it comes of a repair which is not there, or not the actor's.
func (h *Handler) linksAreOurs(ctx context.Context, actor Actor, about repair.Report) error {
	for _, link := range []struct {
		field string
		id    domain.ID
	}{{"recall_of", about.RecallOf}, {"follow_on_of", about.FollowsOn}} {
		if link.id == "" {
			continue
		}
		_, err := h.repairFor(ctx, actor, link.id)
		if refusedAs(err, repair.ErrNotReported) {
			err = domain.ErrUnknownReference.Because("there is no such repair").In(link.field)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// walk goes through the tree to an outcome. A way that is not at its end is refused with what comes
// next.
func (h *Handler) walk(path []string, answers map[string]string) (triage.Outcome, []repair.Answer, error) {
	step, err := h.Tree.Walk(path, answers)
	switch {
	case err != nil:
		return triage.Outcome{}, nil, err
	case step.Question != nil:
		return triage.Outcome{}, nil, errUnfinished.Because(
			"must answer " + step.Question.ID + ": " + step.Question.Text + " " + choicesIn(step.Question.Answers)).In("answers")
	case step.Outcome == nil:
		return triage.Outcome{}, nil, errUnfinished.Because("must go on with " + choicesIn(step.Choices)).In("path")
	}
	asked := make([]repair.Answer, 0, len(step.Asked))
	for _, a := range step.Asked {
		asked = append(asked, repair.Answer(a))
	}
	return *step.Outcome, slices.Clip(asked), nil
}

var errUnfinished = &domain.Refusal{Code: "triage.unfinished", Reason: "is not at its end"}

func choicesIn(choices []triage.Choice) string {
	keys := make([]string, len(choices))
	for i, c := range choices {
		keys[i] = c.Key
	}
	return "(one of " + strings.Join(keys, ", ") + ")"
}

// diagnosis is what an outcome means for a repair that was reported at an instant: its work and its
// clocks, by the law and the policy of that day.
func (h *Handler) diagnosis(o triage.Outcome, at time.Time, tenancyKind string) (repair.Diagnosis, error) {
	d := repair.Diagnosis{
		Outcome: repair.Outcome(o.Kind), Trade: o.Trade, Priority: repair.Priority(o.Priority),
		Advice: o.Advice, Phone: o.Phone, Link: o.Link,
	}
	for _, line := range o.SOR {
		d.SOR = append(d.SOR, repair.Line{Code: line.Code, Quantity: line.Quantity})
	}
	if !d.Outcome.Ours() {
		return d, nil
	}
	if d.Priority == "" {
		d.Priority = repair.Normal
	}
	if o.RightToRepair != "" && o.Kind != triage.Communal && h.hasRight(tenancyKind, at) { // not for communal parts (R8.3)
		d.RightToRepair = o.RightToRepair
	}
	return h.withClocks(d, at)
}

// withClocks starts the clocks of a diagnosis.
func (h *Handler) withClocks(d repair.Diagnosis, at time.Time) (repair.Diagnosis, error) {
	names := []string{"priority." + string(d.Priority)}
	if d.Priority == repair.Emergency {
		names = append(names, "priority.emergency.make_safe")
	}
	if d.RightToRepair != "" {
		names = append(names, "right_to_repair."+d.RightToRepair)
		owed, err := h.Policy.Compensation(h.day(at))
		if err != nil {
			return d, err
		}
		d.Compensation = &owed
	}
	var err error
	d.Targets, err = h.targets(at, names...)
	return d, err
}

// targets are parameters of the policy as they stood on the day of a start. One that was not in
// force yet starts no clock.
func (h *Handler) targets(start time.Time, names ...string) ([]clock.Target, error) {
	var targets []clock.Target
	for _, name := range names {
		target, err := h.Policy.Target(name, h.day(start), start, "")
		switch {
		case refusedAs(err, clock.ErrNotInForce):
		case err != nil:
			return nil, err
		default:
			targets = append(targets, target)
		}
	}
	return targets, nil
}

// AsTheLawStood is a repair with its clocks by the law and the policy as they stood on a day.
func (h *Handler) AsTheLawStood(r repair.Repair, on domain.Date) (repair.Repair, error) {
	var err error
	r.Clocks, err = h.ClocksAsTheLawStood(r.Clocks, on)
	return r, err
}

// ClocksAsTheLawStood are clocks by the law and the policy as they stood on a day; what was not in force
// then is none.
func (h *Handler) ClocksAsTheLawStood(runs []clock.Run, on domain.Date) ([]clock.Run, error) {
	clocks := make([]clock.Run, 0, len(runs))
	for _, run := range runs {
		name, _, _ := strings.Cut(run.Target.Parameter, "@")
		target, err := h.Policy.Target(name, on, run.StartedAt, "")
		switch {
		case refusedAs(err, clock.ErrNotInForce), refusedAs(err, clock.ErrNoParameter):
			continue
		case err != nil:
			return nil, err
		}
		run.Target = target
		clocks = append(clocks, run)
	}
	return clocks, nil
}

// withinRight takes the Right to Repair from an order that is known to cost more than it covers (R8.3).
func (h *Handler) withinRight(d repair.Diagnosis, cost domain.Money, at time.Time) (repair.Diagnosis, error) {
	if d.RightToRepair == "" {
		return d, nil
	}
	limit, _, err := h.Policy.Money("right_to_repair.value_limit", h.day(at))
	if err != nil || cost.Currency != limit.Currency || cost.Minor <= limit.Minor {
		return d, err
	}
	d.RightToRepair, d.Compensation = "", nil
	d.Targets = slices.DeleteFunc(slices.Clone(d.Targets), func(t clock.Target) bool { return t.Clock == repair.ClockRightToRepair })
	return d, nil
}

// hasRight says whether a tenancy of a kind has the Right to Repair.
func (h *Handler) hasRight(kind string, at time.Time) bool {
	kinds, _, err := h.Policy.Words("right_to_repair.tenancies", h.day(at))
	return err == nil && slices.Contains(kinds, kind)
}
