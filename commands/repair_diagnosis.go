package commands

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/repair"
	"rentbook/domain/triage"
)

// What a report comes to: the outcome of the diagnosis, its clocks, and who does the work.

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
