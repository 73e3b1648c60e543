package hazard

import (
	"errors"
	"slices"
	"strings"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// Duty is a clock that a step starts, and where its target is to be looked up.
type Duty struct {
	Clock     string
	Parameter string    // of the policy
	Aware     time.Time // the law is that of this day
	From      time.Time // the clock runs from here
	Kind      string    // that the law must list; none: whatever it is
}

// parameter names that of the policy which has a clock's target.
func parameter(name string) string {
	switch name {
	case clock.EmergencyMakeSafe:
		return "awaab.emergency"
	case clock.Investigate:
		return "awaab.investigation"
	}
	return "awaab." + name
}

// The parameters that name no clock: the twelve weeks, and the kinds of significant hazards that the
// law covers.
const (
	latestPrevention = "awaab.preventive_work.latest"
	coveredKinds     = "awaab.hazards"
)

// Targets looks duties up. A duty that was not in force when the landlord became aware is none, and
// neither is one of a significant hazard of a kind that the law did not list: no clock is invented.
// Other refusals are those of the policy, and so is the zone where none is given.
func Targets(p *clock.Policy, duties []Duty, zone string) ([]clock.Target, error) {
	if zone == "" {
		home, _ := p.Calendar(p.Jurisdiction())
		zone = home.Zone
	}
	where, err := time.LoadLocation(zone)
	if err != nil {
		return nil, clock.ErrZone
	}
	var targets []clock.Target
	for _, d := range duties {
		target, err := d.target(p, domain.DateOf(d.Aware.In(where)), zone)
		switch {
		case errors.Is(err, clock.ErrNotInForce):
		case err != nil:
			return nil, err
		default:
			targets = append(targets, target)
		}
	}
	return targets, nil
}

func (d Duty) target(p *clock.Policy, law domain.Date, zone string) (clock.Target, error) {
	if d.Kind != "" {
		kinds, _, err := p.Words(coveredKinds, law)
		if err != nil {
			return clock.Target{}, err
		}
		if !slices.Contains(kinds, d.Kind) {
			return clock.Target{}, clock.ErrNotInForce
		}
	}
	return p.Target(d.Parameter, law, d.From, zone)
}

// Duties are those that recognising the hazard starts.
func (r Recognition) Duties() []Duty {
	return graded(r.Grade, r.Kind, r.AwareAt, r.AwareAt)
}

// Duties are those that the act may start. Their targets are looked up before it is decided on, and
// somebody else may be faster: so here are also those that the hazard has already, and it is the
// decision that leaves them out.
func (h Hazard) Duties(a Act) []Duty {
	at := a.when()
	switch a.Action {
	case Investigate:
		return h.found(a.Finding, at)
	case Regrade:
		return graded(a.Grade, h.Kind, h.aware(), h.regradedFrom(a.Grade, at))
	case Reopen:
		return graded(h.Grade, h.Kind, at, at)
	case NotPracticable:
		if run, ok := h.running(clock.PreventiveWork); ok {
			return []Duty{{Clock: clock.PreventiveWork, Parameter: latestPrevention, Aware: h.aware(), From: run.StartedAt}}
		}
	default: // starts nothing
	}
	return nil
}

// starting are those of the act's duties that start now. One that runs already is not started again:
// the earlier day stands, and nobody gains time by investigating or grading twice. What made the
// hazard safe for one duty is not asked for again while it is.
func (h Hazard) starting(a Act) []Duty {
	safe := h.Safe
	switch a.Action {
	case Investigate:
		safe = safeAfter(h, a.Finding)
	case Regrade:
		safe = safe && a.Grade != Emergency
	case Reopen:
		safe = false
	case NotPracticable: // gives a clock that runs another target
		return h.Duties(a)
	default: // starts nothing
	}
	return slices.DeleteFunc(h.Duties(a), func(d Duty) bool {
		_, runs := h.running(d.Clock)
		return runs || safe && makesSafe(d.Clock) && h.knows(d.Clock)
	})
}

// graded is the duty from awareness: an emergency has 24 hours for everything.
func graded(g Grade, kind string, aware, from time.Time) []Duty {
	if g == Emergency {
		return []Duty{{Clock: clock.EmergencyMakeSafe, Parameter: parameter(clock.EmergencyMakeSafe), Aware: aware, From: from}}
	}
	return []Duty{{Clock: clock.Investigate, Parameter: parameter(clock.Investigate), Aware: aware, From: from, Kind: kind}}
}

// regradedFrom is when the clock of the new grade starts: that of an emergency when the landlord
// knew of it; otherwise the time to investigate what has not been has run since awareness.
func (h Hazard) regradedFrom(g Grade, at time.Time) time.Time {
	if g == Significant && h.InvestigatedAt.Before(h.aware()) {
		return h.aware()
	}
	return at
}

// found are the duties from the end of an investigation. A summary is owed whatever it found, for
// an investigation that was owed: of an emergency whatever its kind.
func (h Hazard) found(finding Grade, at time.Time) []Duty {
	var names []string
	switch finding {
	case Emergency: // has 24 hours to be made safe, not five working days
		names = []string{clock.EmergencyMakeSafe, clock.Summary, clock.PreventiveWork}
	case Significant:
		names = []string{clock.Summary, clock.SafetyWork, clock.PreventiveWork}
	case None:
		names = []string{clock.Summary}
	}
	duties := make([]Duty, len(names))
	for i, name := range names {
		duties[i] = Duty{Clock: name, Parameter: parameter(name), Aware: h.aware(), From: at}
		if finding != Emergency && (name != clock.Summary || h.Grade != Emergency) {
			duties[i].Kind = h.Kind
		}
	}
	return duties
}

// pick takes, of targets that were looked up, those of the duties. The state may have changed since
// they were; what it does not ask for any more is left, and twelve weeks are never taken for five
// days.
func pick(targets []clock.Target, duties []Duty) []clock.Target {
	var picked []clock.Target
	for _, d := range duties {
		at := slices.IndexFunc(targets, func(t clock.Target) bool {
			name, _, _ := strings.Cut(t.Parameter, "@")
			return t.Clock == d.Clock && name == d.Parameter
		})
		if at >= 0 {
			picked = append(picked, targets[at])
		}
	}
	return picked
}
