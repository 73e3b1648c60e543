package hazard

import (
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// Event is one fact in the life of a hazard. The unexported method seals the set.
type Event interface {
	EventType() string
	applyTo(Hazard) Hazard
}

// Events lists every fact of this stream, in the order of a hazard's life.
func Events() []Event {
	return []Event{
		Recognised{},
		Investigated{},
		SummarySent{},
		SafetyWorkBegun{},
		MadeSafe{},
		PreventionNotPracticable{},
		PreventiveWorkBegun{},
		WorkCompleted{},
		AccommodationOffered{},
		AccessRefused{},
		EvidenceAdded{},
		Noted{},
		Regraded{},
		RepairLinked{},
		RepairUnlinked{},
		Closed{},
		Reopened{},
	}
}

// Recognised says that the landlord became aware of what may be a hazard.
type Recognised struct {
	Property    domain.ID       `json:"property"`
	Tenancy     domain.ID       `json:"tenancy,omitzero"` // none: of a communal part
	Kind        string          `json:"kind"`
	Grade       Grade           `json:"grade"`
	AwareAt     time.Time       `json:"aware_at"`
	Channel     Channel         `json:"channel"`
	Description domain.Personal `json:"description,omitzero"`
	Repair      domain.ID       `json:"repair,omitzero"` // that was reported or ordered for it
	Targets     []clock.Target  `json:"targets,omitempty"`
}

// Step is what every later fact begins with.
type Step struct {
	Action domain.ID       `json:"action"` // the id of what was asked
	At     time.Time       `json:"at"`     // when it counts
	Reason string          `json:"reason,omitzero"`
	Note   domain.Personal `json:"note,omitzero"`
	Photos []domain.ID     `json:"photos,omitempty"`
}

// Investigated says that an investigation is over, and what it found. From here the summary is
// owed, and the work that the finding asks for.
type Investigated struct {
	Step
	Finding Grade          `json:"finding"`
	Renewed bool           `json:"renewed,omitzero"` // it had been investigated before
	Targets []clock.Target `json:"targets,omitempty"`
}

// SummarySent says that the tenant has the written summary of the investigation.
type SummarySent struct{ Step }

// SafetyWorkBegun says that the work which makes the home safe has begun. It meets no clock: the
// regulations ask for the work to be complete. Some landlords count from here, so it is kept.
type SafetyWorkBegun struct{ Step }

// MadeSafe says that this work is complete.
type MadeSafe struct{ Step }

// PreventionNotPracticable says that preventive work cannot reasonably begin within five working
// days, and why. Its clock then has the latest day that the regulations allow, counted from the
// same instant.
type PreventionNotPracticable struct {
	Step
	Targets []clock.Target `json:"targets,omitempty"`
}

// PreventiveWorkBegun says that work against the hazard's return has begun.
type PreventiveWorkBegun struct{ Step }

// WorkCompleted says that all work on the hazard is complete.
type WorkCompleted struct{ Step }

// AccommodationOffered says that the household was offered another place to stay while the home
// cannot be made safe, and whether they took it.
type AccommodationOffered struct {
	Step
	Accepted *bool `json:"accepted,omitzero"` // none: not answered yet
}

// AccessRefused says that nobody let the landlord in, and what was tried. It moves no clock: the
// duties go on, and this is the evidence that all reasonable steps were taken.
type AccessRefused struct{ Step }

// EvidenceAdded is proof of a step, or of how it looks there.
type EvidenceAdded struct{ Step }

// Noted is a remark.
type Noted struct{ Step }

// Regraded says that the hazard is graver than was thought, or less grave. What it is now taken for
// has to be investigated; the clock of an emergency runs from when the landlord knew of that.
type Regraded struct {
	Step
	Grade   Grade          `json:"grade"`
	From    time.Time      `json:"from"` // when the clocks of the new grade start
	Targets []clock.Target `json:"targets,omitempty"`
}

// RepairLinked says that a repair is meant to deal with the hazard.
type RepairLinked struct {
	Step
	Repair domain.ID `json:"repair"`
}

// RepairUnlinked says that it is not.
type RepairUnlinked struct {
	Step
	Repair domain.ID `json:"repair"`
}

// Closed ends the record.
type Closed struct{ Step }

// Reopened says that the hazard is back, or was never gone: the landlord is aware of it again, and
// its duties begin again.
type Reopened struct {
	Step
	Targets []clock.Target `json:"targets,omitempty"`
}

// The stored names. They are a contract: never changed, only succeeded by a v2.

func (Recognised) EventType() string               { return "hazard.recognised.v1" }
func (Investigated) EventType() string             { return "hazard.investigated.v1" }
func (SummarySent) EventType() string              { return "hazard.summary-sent.v1" }
func (SafetyWorkBegun) EventType() string          { return "hazard.safety-work-begun.v1" }
func (MadeSafe) EventType() string                 { return "hazard.made-safe.v1" }
func (PreventionNotPracticable) EventType() string { return "hazard.prevention-not-practicable.v1" }
func (PreventiveWorkBegun) EventType() string      { return "hazard.preventive-work-begun.v1" }
func (WorkCompleted) EventType() string            { return "hazard.work-completed.v1" }
func (AccommodationOffered) EventType() string     { return "hazard.accommodation-offered.v1" }
func (AccessRefused) EventType() string            { return "hazard.access-refused.v1" }
func (EvidenceAdded) EventType() string            { return "hazard.evidence-added.v1" }
func (Noted) EventType() string                    { return "hazard.noted.v1" }
func (Regraded) EventType() string                 { return "hazard.regraded.v1" }
func (RepairLinked) EventType() string             { return "hazard.repair-linked.v1" }
func (RepairUnlinked) EventType() string           { return "hazard.repair-unlinked.v1" }
func (Closed) EventType() string                   { return "hazard.closed.v1" }
func (Reopened) EventType() string                 { return "hazard.reopened.v1" }

// Personal names the fields that are sealed, with the hazard's own key.

func (Recognised) Personal() (key string, fields []string) { return "", []string{"description"} }

func (Step) Personal() (key string, fields []string) { return "", []string{"note"} }

func (e Recognised) applyTo(h Hazard) Hazard {
	h.State, h.Property, h.Tenancy, h.Kind, h.Grade = StateRecognised, e.Property, e.Tenancy, e.Kind, e.Grade
	h.AwareAt, h.LastAt, h.Channel = e.AwareAt, e.AwareAt, e.Channel
	if e.Repair != "" {
		h.Repairs = []domain.ID{e.Repair}
	}
	return h.start(e.AwareAt, e.Targets)
}

// applyTo meets what an investigation can meet. That there is no emergency, or no hazard, ends the
// duties that would only be owed if there were; whoever found it too late has breached them.
func (e Investigated) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, StateInvestigated).met(e.At, clock.Investigate)
	switch e.Finding {
	case None:
		h = h.met(e.At, clock.EmergencyMakeSafe, clock.SafetyWork, clock.PreventiveWork)
	case Significant:
		h = h.met(e.At, clock.EmergencyMakeSafe)
		h.Grade = Significant
	case Emergency:
		h.Grade = Emergency
	}
	h.Safe = safeAfter(h, e.Finding)
	h.InvestigatedAt, h.Investigated, h.Finding = e.At, true, e.Finding
	return h.start(e.At, e.Targets)
}

// safeAfter says whether an investigation leaves a hazard safe: a first one may come after it was
// made safe, another one that finds a hazard says that it no longer is.
func safeAfter(h Hazard, finding Grade) bool {
	return h.Safe && (!h.Investigated || finding == None)
}

func (e SummarySent) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, h.State).met(e.At, clock.Summary)
	h.SummarySentAt = e.At
	return h
}

func (e SafetyWorkBegun) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, h.State)
	h.SafetyWorkBegunAt = e.At
	return h
}

func (e MadeSafe) applyTo(h Hazard) Hazard {
	to := StateSafe
	if h.State == StatePrevented {
		to = StatePrevented
	}
	h = h.moved(e.Step, to).met(e.At, clock.EmergencyMakeSafe, clock.SafetyWork)
	h.MadeSafeAt, h.Safe = e.At, true
	return h
}

func (e PreventionNotPracticable) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, h.State)
	h.NotPracticableAt = e.At
	for _, target := range e.Targets {
		h = h.eachRunning([]string{target.Clock}, func(r clock.Run) clock.Run {
			r.Target = target
			return r
		})
	}
	return h
}

func (e PreventiveWorkBegun) applyTo(h Hazard) Hazard {
	to := StatePrevented
	if h.State == StateRecognised { // graded anew: the investigation is still to come
		to = StateRecognised
	}
	h = h.moved(e.Step, to).met(e.At, clock.PreventiveWork)
	h.PreventiveWorkBegunAt = e.At
	return h
}

// applyTo meets all duties of work: who has done all has begun, and made it safe.
func (e WorkCompleted) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, StateCompleted).met(e.At, clock.EmergencyMakeSafe, clock.SafetyWork, clock.PreventiveWork)
	h.CompletedAt, h.Safe = e.At, true
	return h
}

func (e AccommodationOffered) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, h.State)
	h.AccommodationOfferedAt = e.At
	return h
}

func (e AccessRefused) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, h.State)
	h.AccessRefusedAt = e.At
	return h
}

func (e EvidenceAdded) applyTo(h Hazard) Hazard { return h.after(e.Step) }
func (e Noted) applyTo(h Hazard) Hazard         { return h.after(e.Step) }

func (e Regraded) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, StateRecognised)
	h.Grade, h.RegradedAt, h.Investigated = e.Grade, e.At, false
	h.Safe = h.Safe && e.Grade != Emergency
	return h.start(e.From, e.Targets)
}

func (e RepairLinked) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, h.State)
	if !slices.Contains(h.Repairs, e.Repair) {
		h.Repairs = append(slices.Clip(h.Repairs), e.Repair)
	}
	return h
}

func (e RepairUnlinked) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, h.State)
	h.Repairs = slices.DeleteFunc(slices.Clone(h.Repairs), func(id domain.ID) bool { return id == e.Repair })
	return h
}

func (e Closed) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, StateClosed)
	h.ClosedAt, h.ClosedFor = e.At, e.Reason
	return h
}

func (e Reopened) applyTo(h Hazard) Hazard {
	h = h.moved(e.Step, StateRecognised)
	h.ReopenedAt, h.Investigated, h.Safe = e.At, false, false
	h.ClosedAt, h.ClosedFor = time.Time{}, ""
	return h.start(e.At, e.Targets)
}
