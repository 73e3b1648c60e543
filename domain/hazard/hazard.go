// Package hazard is a danger to health or safety in a home, and the duties that run once the
// landlord knows of it: Awaab's Law, the Hazards in Social Housing (Prescribed Requirements)
// (England) Regulations 2025, SI 2025/1042 (domain.md R8.4).
//
// A hazard is a stream of its own. Several repairs may be linked to it, and what happens to a repair
// happens elsewhere: there is no fact here by which a repair could stop a hazard's clock.
//
// What may be done is a table (moves.go), what happened is facts (events.go), what they amount to is
// here. Take (act.go) is the one decision on what staff and tenants do, Recognise (recognition.go)
// the one that begins a hazard. Which duties a step starts is in duties.go. Five clocks come of it:
//
//	emergency_make_safe  24 hours from awareness, met when it is safe; also when an investigation
//	                     finds that it is no emergency
//	investigate          10 working days from awareness, met when an investigation ends
//	summary              3 working days from the end of an investigation, whatever it found, met
//	                     when the tenant has it in writing
//	safety_work          5 working days from the end of the investigation, met when the work is
//	                     complete, as the regulations say; when it began is kept beside it
//	preventive_work      5 working days from the same instant, met when work has begun; only where
//	                     that is not reasonably practicable 12 weeks, from the same instant
//
// The numbers are the policy's (clock.Policy) and go into the facts with their source.
//
// The one rule: nothing pauses these clocks, and only what the duty asks for meets them.
package hazard

import (
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// Category is that of the streams of hazards.
const Category = "hazard"

// Hazard is what its history amounts to. Views keep it as JSON, so there is one fold for all.
type Hazard struct {
	State    State       `json:"state"`
	Property domain.ID   `json:"property"`
	Tenancy  domain.ID   `json:"tenancy,omitzero"`
	Kind     string      `json:"kind"`
	Grade    Grade       `json:"grade"`
	Finding  Grade       `json:"finding,omitzero"` // of the last investigation
	AwareAt  time.Time   `json:"aware_at"`
	Channel  Channel     `json:"channel"`
	Repairs  []domain.ID `json:"repairs,omitzero"`
	Clocks   []clock.Run `json:"clocks,omitzero"` // in the order they were started
	LastAt   time.Time   `json:"last_at"`         // of the last move

	Investigated bool `json:"investigated"` // since it was recognised, graded anew or reopened
	Safe         bool `json:"safe"`         // as far as is known

	// The last time each happened.
	InvestigatedAt         time.Time `json:"investigated_at,omitzero"`
	SummarySentAt          time.Time `json:"summary_sent_at,omitzero"`
	SafetyWorkBegunAt      time.Time `json:"safety_work_begun_at,omitzero"`
	MadeSafeAt             time.Time `json:"made_safe_at,omitzero"`
	NotPracticableAt       time.Time `json:"not_practicable_at,omitzero"`
	PreventiveWorkBegunAt  time.Time `json:"preventive_work_begun_at,omitzero"`
	CompletedAt            time.Time `json:"completed_at,omitzero"`
	AccommodationOfferedAt time.Time `json:"accommodation_offered_at,omitzero"`
	AccessRefusedAt        time.Time `json:"access_refused_at,omitzero"`
	RegradedAt             time.Time `json:"regraded_at,omitzero"`
	ClosedAt               time.Time `json:"closed_at,omitzero"`
	ClosedFor              string    `json:"closed_for,omitzero"`
	ReopenedAt             time.Time `json:"reopened_at,omitzero"`

	version uint64
	done    []deed
}

// deed is an action that was carried out, and the version of its fact.
type deed struct {
	id domain.ID
	at uint64
}

// Apply is the hazard after one more fact.
func (h Hazard) Apply(e Event) Hazard {
	h.version++
	return e.applyTo(h)
}

// Version counts the facts.
func (h Hazard) Version() uint64 { return h.version }

// Exists says whether anybody recognised it.
func (h Hazard) Exists() bool { return h.State != "" }

// Weight estimates the memory the state holds, in bytes.
func (h Hazard) Weight() int {
	weight := 1000 + 48*len(h.done) + 48*len(h.Repairs)
	for _, run := range h.Clocks {
		weight += 400 + 4*len(run.Target.Holidays)
	}
	return weight
}

// Readings are the clocks as they stand at an instant, in the order they were started. Closing a
// hazard ends none of them: what was withdrawn with a duty open shows that duty.
func (h Hazard) Readings(now time.Time) []clock.Reading {
	readings := make([]clock.Reading, len(h.Clocks))
	for i, run := range h.Clocks {
		readings[i] = run.At(now)
	}
	return readings
}

// aware is when the landlord learnt of what is there now: again, when the hazard came back.
func (h Hazard) aware() time.Time {
	if h.ReopenedAt.After(h.AwareAt) {
		return h.ReopenedAt
	}
	return h.AwareAt
}

// running is the clock of a name that has not been met, if one runs.
func (h Hazard) running(name string) (clock.Run, bool) {
	at := slices.IndexFunc(h.Clocks, func(r clock.Run) bool { return r.Target.Clock == name && r.MetAt.IsZero() })
	if at < 0 {
		return clock.Run{}, false
	}
	return h.Clocks[at], true
}

// knows says whether the clock of a name has ever been started.
func (h Hazard) knows(name string) bool {
	return slices.ContainsFunc(h.Clocks, func(r clock.Run) bool { return r.Target.Clock == name })
}

// after is the hazard with a step noted.
func (h Hazard) after(s Step) Hazard {
	if s.Action != "" {
		h.done = append(slices.Clip(h.done), deed{id: s.Action, at: h.version})
	}
	return h
}

// moved is the hazard after a step that others come after.
func (h Hazard) moved(s Step, to State) Hazard {
	h = h.after(s)
	h.State, h.LastAt = to, s.At
	return h
}

// start starts clocks. What makes safe was done already where the hazard is safe: such a clock is
// met as it starts, so that the duty shows and is no breach.
func (h Hazard) start(at time.Time, targets []clock.Target) Hazard {
	for _, target := range targets {
		run := clock.Run{Target: target, StartedAt: at}
		if h.Safe && makesSafe(target.Clock) {
			run.MetAt = at
		}
		h.Clocks = append(slices.Clip(h.Clocks), run)
	}
	return h
}

func makesSafe(name string) bool {
	return name == clock.EmergencyMakeSafe || name == clock.SafetyWork
}

// met stops those clocks of the names that run.
func (h Hazard) met(at time.Time, names ...string) Hazard {
	return h.eachRunning(names, func(r clock.Run) clock.Run {
		r.MetAt = at
		return r
	})
}

func (h Hazard) eachRunning(names []string, change func(clock.Run) clock.Run) Hazard {
	h.Clocks = slices.Clone(h.Clocks)
	for i, run := range h.Clocks {
		if run.MetAt.IsZero() && slices.Contains(names, run.Target.Clock) {
			h.Clocks[i] = change(run)
		}
	}
	return h
}
