package commands

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"rentbook/domain"
	"rentbook/domain/hazard"
	"rentbook/domain/repair"
	"rentbook/domain/tenancy"
	"rentbook/domain/triage"
	"rentbook/eventstore"
)

// RecogniseHazard says that the landlord became aware of what may be a hazard, by any channel.
type RecogniseHazard struct {
	Hazard      string
	Tenancy     string
	Property    string // the tenancy's unless given
	Kind        string
	Grade       string
	AwareAt     string // RFC 3339; empty: now
	Channel     string
	Description string
	Repair      string
}

// HazardReceipt is a receipt, and the hazard as it stands now.
type HazardReceipt struct {
	Receipt
	ID     domain.ID
	Hazard hazard.Hazard
}

// RecogniseHazard carries out a RecogniseHazard.
func (h *Handler) RecogniseHazard(ctx context.Context, m Meta, c RecogniseHazard) (HazardReceipt, error) {
	var f form
	id := f.id("hazard", c.Hazard)
	about := hazard.Recognition{
		Tenancy: f.idOrNone("tenancy", c.Tenancy), Property: f.idOrNone("property", c.Property),
		Kind:    oneOf(&f, "kind", f.given("kind", c.Kind, wordMax), hazard.Kinds()...),
		Grade:   oneOf(&f, "grade", f.given("grade", c.Grade, wordMax), hazard.Grades()...),
		Channel: oneOf(&f, "channel", f.given("channel", c.Channel, wordMax), hazard.Channels()...),
		AwareAt: f.instantOrNone("aware_at", c.AwareAt), Description: f.personal("description", c.Description),
		Repair: f.idOrNone("repair", c.Repair), Now: h.instant(),
	}
	if about.Tenancy == "" && about.Property == "" {
		f.refuse("property", domain.ErrMissing)
	}
	if err := permit(m, f); err != nil {
		return HazardReceipt{}, err
	}
	if err := h.hazardPlace(ctx, &about); err != nil {
		return HazardReceipt{}, err
	}
	receipt, err := h.recognise(ctx, m, id, about)
	return h.hazardShown(ctx, id, receipt, err)
}

// hazardPlace finds what the hazard is said to be of: a home by its tenancy, and the repair.
func (h *Handler) hazardPlace(ctx context.Context, about *hazard.Recognition) error {
	if about.Tenancy != "" {
		s, err := h.tenancyOf(ctx, about.Tenancy)
		switch {
		case err != nil:
			return err
		case !s.IsOpen():
			return domain.ErrUnknownReference.Because("there is no such tenancy").In("tenancy")
		case about.Property == "":
			about.Property = s.Property()
		default:
			if err := h.related(ctx, about.Property, s.Property(), "property"); err != nil {
				return err
			}
		}
	}
	if err := h.propertyExists(ctx, about.Property, "property"); err != nil || about.Repair == "" {
		return err
	}
	return h.repairNear(ctx, about.Repair, about.Property)
}

// related refuses two properties of which neither is the other, or a part of it.
func (h *Handler) related(ctx context.Context, a, b domain.ID, field string) error {
	aboveA, err := h.above(ctx, a)
	if err != nil {
		return err
	}
	aboveB, err := h.above(ctx, b)
	if err == nil && a != b && !slices.Contains(aboveA, b) && !slices.Contains(aboveB, a) {
		err = errElsewhere.In(field)
	}
	return err
}

var errElsewhere = &domain.Refusal{Class: domain.Conflicting, Code: "elsewhere", Reason: "is somewhere else"}

// repairNear refuses a repair that is not there, or of another place.
func (h *Handler) repairNear(ctx context.Context, id, property domain.ID) error {
	r, err := h.freshRepair(ctx, id)
	if err == nil && !r.Exists() {
		err = domain.ErrUnknownReference.Because("there is no such repair").In("repair")
	}
	if err != nil {
		return err
	}
	return h.related(ctx, r.Property, property, "repair")
}

// recognise records the awareness with the clocks that the law of its day starts.
func (h *Handler) recognise(ctx context.Context, m Meta, id domain.ID, about hazard.Recognition) (Receipt, error) {
	known, err := h.hazardOf(ctx, id)
	if err != nil {
		return Receipt{}, err
	}
	if about.AwareAt.IsZero() {
		about.AwareAt = about.Now
		if known.Exists() { // said again without an instant: whichever there is
			about.AwareAt = known.AwareAt
		}
	}
	if about.Targets, err = hazard.Targets(h.Policy, about.Duties(), h.local.String()); err != nil {
		return Receipt{}, err
	}
	t := target{stream: hazardStream(id), kind: "hazard", id: id}
	return decide(ctx, h, m, t, hazard.Hazard.Recognise, about)
}

// becomeAware records the hazard that a report tells of. Its id is derived from the repair's, and it
// stands once it has been recorded, whatever becomes of the report.
func (h *Handler) becomeAware(ctx context.Context, m Meta, of domain.ID, report repair.Report, o triage.Outcome) (domain.ID, error) {
	id := of.Derive(hazard.Category)
	known, err := h.hazardOf(ctx, id)
	if err != nil || known.Exists() {
		return id, err
	}
	grade := hazard.Significant
	if o.HazardGrade == triage.GradeEmergency {
		grade = hazard.Emergency
	}
	_, err = h.recognise(ctx, m, id, hazard.Recognition{
		Property: report.Property, Tenancy: cmp.Or(report.Tenancy, report.Resident), Kind: o.Hazard, Grade: grade,
		AwareAt: cmp.Or(report.At, report.Now), Now: report.Now,
		Channel: hazard.Portal, Repair: of,
	})
	if refusedAs(err, domain.ErrDifferent) { // the same report was faster, a second before
		err = nil
	}
	return id, err
}

// ActOnHazard does something about a hazard. Which fields an action needs is in hazard.Moves.
type ActOnHazard struct {
	Hazard   string
	ID       string
	Action   string
	At       string
	Reason   string
	Note     string
	Photos   []string
	Finding  string
	Grade    string
	Accepted *bool
	Repair   string
}

// ActOnHazard carries out an ActOnHazard.
func (h *Handler) ActOnHazard(ctx context.Context, m Meta, c ActOnHazard) (HazardReceipt, error) {
	role := hazard.Role(m.Actor.Role)
	if !slices.Contains(hazard.Roles(), role) {
		return HazardReceipt{}, ErrForbidden
	}
	t, act, err := h.hazardAct(role, c)
	known, notFound := h.hazardFor(ctx, m.Actor, domain.ID(c.Hazard))
	switch {
	case notFound != nil:
		return HazardReceipt{}, notFound
	case err != nil:
		return HazardReceipt{}, err
	}
	if len(act.Recorded(known)) == 0 {
		if err := h.photosAreOurs(ctx, m.Actor, act.Photos); err != nil {
			return HazardReceipt{}, err
		}
		if act.Action == hazard.Link && act.Repair != "" {
			if err := h.repairNear(ctx, act.Repair, known.Property); err != nil {
				return HazardReceipt{}, err
			}
		}
	}
	if act.Targets, err = hazard.Targets(h.Policy, known.Duties(act), h.local.String()); err != nil {
		return HazardReceipt{}, err
	}
	receipt, err := decide(ctx, h, m, t, hazard.Hazard.Take, act)
	return h.hazardShown(ctx, domain.ID(c.Hazard), receipt, explainedHazard(known, role, err))
}

// explainedHazard adds to a refusal what may be done instead.
func explainedHazard(known hazard.Hazard, role hazard.Role, err error) error {
	if !errors.Is(err, hazard.ErrNotAllowed) {
		return err
	}
	refusal := &NotAllowedError{Refusal: err, State: string(known.State)}
	for _, move := range known.Allowed(role) {
		refusal.Allowed = append(refusal.Allowed, string(move.Action))
	}
	return refusal
}

func (h *Handler) hazardAct(role hazard.Role, c ActOnHazard) (target, hazard.Act, error) {
	var f form
	id := f.entryID("hazard", c.Hazard)
	act := hazard.Act{
		Action: hazard.Action(c.Action), ID: f.id("action", c.ID), Role: role, Now: h.instant(), At: f.instantOrNone("at", c.At),
		Photos: f.photos(c.Photos), Accepted: c.Accepted, Repair: f.idOrNone("repair", c.Repair),
	}
	act.Reason, act.Note = f.reason(c.Reason, c.Note)
	if !slices.Contains(hazard.Actions(), act.Action) {
		f.refuse("action", notOneOf(hazard.Actions()...))
	}
	if c.Finding != "" {
		act.Finding = oneOf(&f, "finding", c.Finding, hazard.Findings()...)
	}
	if c.Grade != "" {
		act.Grade = oneOf(&f, "grade", c.Grade, hazard.Grades()...)
	}
	return target{stream: hazardStream(id), kind: "action", id: act.ID}, act, f.err
}

// hazardFor is a hazard that the actor may know of: tenants those of their homes.
func (h *Handler) hazardFor(ctx context.Context, actor Actor, id domain.ID) (hazard.Hazard, error) {
	known, err := h.hazardOf(ctx, id)
	switch {
	case err != nil:
		return known, err
	case !known.Exists():
		return known, hazard.ErrUnknown
	case actor.Role == RoleTenant:
		var t tenancy.Tenancy
		if t, err = h.tenancyOf(ctx, known.Tenancy); err == nil && (known.Tenancy == "" || !actor.holds(known.Tenancy, t, h.Today())) {
			err = hazard.ErrUnknown
		}
	}
	return known, err
}

func hazardStream(id domain.ID) eventstore.Stream {
	return eventstore.NewStream(hazard.Category, string(id))
}

// hazardOf is the hazard as the log has it now.
func (h *Handler) hazardOf(ctx context.Context, id domain.ID) (hazard.Hazard, error) {
	s, current, err := load[hazard.Hazard, hazard.Event](ctx, h, hazardStream(id))
	if err == nil && !current {
		s, err = refresh[hazard.Hazard, hazard.Event](ctx, h, hazardStream(id), s)
	}
	return s, err
}

func (h *Handler) hazardShown(ctx context.Context, id domain.ID, receipt Receipt, err error) (HazardReceipt, error) {
	state, failed := h.hazardOf(ctx, id)
	if err == nil {
		err = failed
	}
	return HazardReceipt{Receipt: receipt, ID: id, Hazard: state}, err
}
