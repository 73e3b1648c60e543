// Package clock derives the clocks of repairs and hazards: when a promise or a duty falls due, what
// stopped it, whether it was met.
//
// Nothing of a clock is stored but what happened. A fact that starts one carries the Target as it
// stood, whole: the number, the unit, the holidays, the source. From that, the start and the pauses
// a Run says when it is due, and in words why; years later, under another policy, it says the same.
//
// Where the numbers come from is a Policy: parameters with versions, each in force from a day and
// each with a source (domain.md R0.1), in a file that a landlord replaces (policy.yaml). A version
// that was in force on any day can be asked for, and a law has no version before it was in force.
//
// The one rule: nobody sets a due date; it follows from the facts, and only what the parameter
// itself names can stop its clock.
package clock

import (
	"slices"
	"time"

	"rentbook/domain"
)

// Unit is what a target counts in.
type Unit string

// The units. Hours run through nights, weekends and holidays (domain.md R8.4); of days, the first
// is the day after the start, and the last one counts until its end.
const (
	Hours        Unit = "hours"
	CalendarDays Unit = "calendar_days"
	WorkingDays  Unit = "working_days"
)

// The clocks there are.
const (
	Completion        = "completion"          // the repair is done
	MakeSafe          = "make_safe"           // what is dangerous about it is gone
	RightToRepairTime = "right_to_repair"     // the prescribed period of one contractor
	EmergencyMakeSafe = "emergency_make_safe" // an emergency hazard: investigated and made safe
	Investigate       = "investigate"         // a hazard: the investigation is over
	Summary           = "summary"             // what it found is with the tenant, in writing
	SafetyWork        = "safety_work"         // the home is safe
	PreventiveWork    = "preventive_work"     // work against its return has begun
)

// Clocks lists them.
func Clocks() []string {
	return []string{
		Completion, MakeSafe, RightToRepairTime, EmergencyMakeSafe, Investigate, Summary, SafetyWork, PreventiveWork,
	}
}

// AmountMax bounds a target, in its unit: a year of hours, or 24 years of days.
const AmountMax = 8784

// Target is a duty or promise as it stood when it was applied (Policy.Target). It is part of stored
// facts and needs nothing else to be understood.
type Target struct {
	Clock     string `json:"clock"`
	Parameter string `json:"parameter"` // "priority.normal@2024-01-01": the name, and the first day of its version
	Amount    int    `json:"amount"`
	Unit      Unit   `json:"unit"`
	Zone      string `json:"zone"` // name of the IANA: it says which day it is

	// Of working days only: the calendar, its days from the start until HolidaysTo, and whether some
	// of these days were worked out but not proclaimed. Later days count by their weekday.
	Calendar   string        `json:"calendar,omitzero"`
	Holidays   []domain.Date `json:"holidays,omitzero"`
	HolidaysTo domain.Date   `json:"holidays_to,omitzero"`
	Computed   bool          `json:"computed,omitzero"`

	PausedBy []string `json:"paused_by,omitzero"` // the reasons that stop this clock; none: nothing does
	Source   string   `json:"source"`
}

// Pause is a time in which something kept the work from going on. It includes From and excludes To;
// without To it still lasts. Whether it stops a clock is for the Target to say.
type Pause struct {
	Reason   string
	From, To time.Time
}

// Run is a clock that has been started. The zero Run has not.
type Run struct {
	Target    Target
	StartedAt time.Time
	Pauses    []Pause
	MetAt     time.Time // zero: not yet
}

// Reading is what a clock shows.
type Reading struct {
	Clock                   string
	StartedAt, DueAt, MetAt time.Time
	Breached, Paused        bool
	Parameter, Explanation  string
}

// At reads the clock at an instant. While a pause lasts, DueAt is when it would be due if the pause
// ended now, so that a clock which is paused before it is due cannot be breached. What happened
// after it was met, or after it was due, changes nothing. What was met later than now is not met yet.
func (r Run) At(now time.Time) Reading {
	now = now.Truncate(time.Second) // the last second of a day is all of it
	if r.StartedAt.IsZero() {
		return Reading{Clock: r.Target.Clock, Parameter: r.Target.Parameter, Explanation: "Not started."}
	}
	met := !r.MetAt.IsZero() && !r.MetAt.After(now)
	end := now
	if met {
		end = r.MetAt
	}
	pauses := r.counting(end, met)
	c := r.count(pauses)
	reading := Reading{
		Clock: r.Target.Clock, Parameter: r.Target.Parameter,
		StartedAt: r.StartedAt.UTC(), DueAt: c.due.UTC(),
	}
	if met {
		reading.MetAt = r.MetAt.UTC()
		reading.Breached = r.MetAt.After(c.due)
	} else {
		reading.Breached = now.After(c.due)
		reading.Paused = !reading.Breached && r.pausedAt(now)
	}
	reading.Explanation = r.explain(c, reading, now)
	return reading
}

// Due is when the clock is due by the pauses that are over. It is not settled while a pause lasts
// that moves it: then due is as if that pause had ended at once.
func (r Run) Due() (due time.Time, settled bool) {
	if r.StartedAt.IsZero() {
		return time.Time{}, false
	}
	met := !r.MetAt.IsZero()
	due = r.count(r.counting(r.MetAt, met)).due
	for _, p := range r.Pauses {
		if lasts := p.To.IsZero() && r.Target.stoppedBy(p.Reason); lasts && !met && r.moves(p, due) {
			return due.UTC(), false
		}
	}
	return due.UTC(), true
}

// moves says whether a pause that still lasts could make the clock due later than it is: for days,
// one that begins in the very last second still takes the day with it.
func (r Run) moves(open Pause, due time.Time) bool {
	if r.Target.Unit == Hours {
		return open.From.Before(due)
	}
	return !open.From.After(due)
}

func (r Run) pausedAt(now time.Time) bool {
	for _, p := range r.Pauses {
		over := !p.To.IsZero() && !p.To.After(now)
		if r.Target.stoppedBy(p.Reason) && !p.From.After(now) && !over {
			return true
		}
	}
	return false
}

func (t Target) stoppedBy(reason string) bool {
	return slices.Contains(t.PausedBy, reason)
}
