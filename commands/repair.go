package commands

import (
	"context"
	"maps"
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/property"
	"rentbook/domain/repair"
	"rentbook/domain/tenancy"
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
	done, err := h.route(ctx)
	if err != nil {
		return RepairReceipt{}, err
	}
	defer done()
	if !known.Exists() { // otherwise what it came to is recorded, and only what was asked is compared
		if err := h.diagnose(ctx, m, t.id, &about, place, c.Answers); err != nil {
			return RepairReceipt{}, err
		}
	}
	receipt, err := decide(ctx, h, m, t, repair.Repair.Report, about)
	shown, err := h.shown(ctx, t.id, receipt, err)
	r := shown.Repair
	if err != nil || !r.Communal || r.Into != "" || !r.Untouched() {
		return shown, err
	}
	return h.shown(ctx, t.id, receipt, h.join(ctx, t, r, about.Now))
}

// errWhen is a tenant's report of another day: their clocks start when they say it.
var errWhen = &domain.Refusal{Code: "repair.when", Reason: "is for staff, who enter what they were told", Field: "at"}

// join merges a communal report into one of the same thing that another process recorded at the same
// time. The one that was reported first stays.
func (h *Handler) join(ctx context.Context, t target, r repair.Repair, now time.Time) error {
	oldest, err := h.Repairs.OpenCommunal(ctx, r.Property, r.Path)
	if err != nil || oldest == "" || oldest == t.id {
		return err
	}
	t.kind, t.repeatable = "join", true
	_, err = decide(ctx, h, Meta{Actor: system()}, t, repair.Repair.Join, repair.Duplicate{Into: oldest, At: now})
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
