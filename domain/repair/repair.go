// Package repair is the life of one repair, from the report to the tenant's word that it is fixed.
//
// What may be done is a table (moves.go): action by action, in which states, by whom, with which
// fields, and where it leads. What happened is facts (events.go), each its own: nobody at home is
// another fact than waiting for parts, and a repair that was reopened says so. Where a repair stands
// is a fold of its facts (fold.go) and nothing else. What somebody asks is an Act, and Take
// (act.go) is the one decision about it; Report (report.go) begins a repair.
//
// Clocks are started by the targets that a triage carries, stopped and restarted by the facts that
// come after it; another triage promises anew, and forgets no pause. They count value times; when a
// fact was recorded is in the log beside it.
//
// The one rule: completed is not closed, and neither is fixed before the tenant could say so.
package repair

import (
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// Category is that of the streams of repairs.
const Category = "repair"

// Repair is what its history amounts to. Views keep it as JSON, so there is one fold for all.
type Repair struct {
	State    State     `json:"state"`
	Tenancy  domain.ID `json:"tenancy,omitzero"`
	Property domain.ID `json:"property"`
	Communal bool      `json:"communal,omitzero"`
	Path     []string  `json:"path"`
	Answers  []Answer  `json:"answers,omitzero"`
	Tree     string    `json:"tree"`
	Hazard   domain.ID `json:"hazard,omitzero"`

	Outcome       Outcome      `json:"outcome,omitzero"`
	Trade         string       `json:"trade,omitzero"`
	Priority      Priority     `json:"priority,omitzero"`
	SOR           []Line       `json:"sor,omitzero"`      // as it is now
	Original      []Line       `json:"original,omitzero"` // as it was raised, once a variation changed it
	Cost          domain.Money `json:"cost,omitzero"`
	Advice        string       `json:"advice,omitzero"`
	Phone         string       `json:"phone,omitzero"`
	Link          string       `json:"link,omitzero"`
	RightToRepair string       `json:"right_to_repair,omitzero"`

	Contractor  domain.ID   `json:"contractor,omitzero"`
	Contract    domain.ID   `json:"contract,omitzero"`
	Routing     string      `json:"routing,omitzero"` // why this contractor, or why none
	HandedBack  []domain.ID `json:"handed_back,omitzero"`
	RequestedBy string      `json:"requested_by,omitzero"` // whose order waits for approval
	Variation   *Variation  `json:"variation,omitzero"`    // that waits for an answer

	Held      *Slot       `json:"held,omitzero"`
	Visits    []Visit     `json:"visits,omitzero"`
	NoAccess  int         `json:"no_access,omitzero"` // visits that nobody let in
	Photos    []domain.ID `json:"photos,omitzero"`
	Into      domain.ID   `json:"into,omitzero"` // of which this is a duplicate
	RecallOf  domain.ID   `json:"recall_of,omitzero"`
	FollowsOn domain.ID   `json:"follow_on_of,omitzero"`
	Links     []domain.ID `json:"links,omitzero"` // repairs that came of this one

	ReportedAt  time.Time   `json:"reported_at"`
	LastAt      time.Time   `json:"last_at"`               // of the last move
	CompletedAt time.Time   `json:"completed_at,omitzero"` // the last time
	EndedAt     time.Time   `json:"ended_at,omitzero"`     // without having been resolved
	SecondAt    time.Time   `json:"second_at,omitzero"`    // when a second contractor got it, the first having missed the Right to Repair's period
	Reopened    int         `json:"reopened,omitzero"`     // how often
	ByHand      bool        `json:"by_hand,omitzero"`      // staff had to triage, raise or assign it
	Clocks      []clock.Run `json:"clocks,omitzero"`

	Compensation *clock.Compensation `json:"compensation,omitzero"` // of the Right to Repair

	PausedBefore string `json:"paused_before,omitzero"` // why clocks stood still when it was put off
	Before       State  `json:"before,omitzero"`        // where a hold or a merge leads back to
	Pausing      string `json:"pausing,omitzero"`       // why clocks may stand still now

	version uint64
	done    []deed
}

// Variation is other work than was ordered.
type Variation struct {
	By   string       `json:"by"`
	SOR  []Line       `json:"sor"`
	Cost domain.Money `json:"cost,omitzero"`
}

// Slot is a window in a contractor's diary.
type Slot struct {
	ID         domain.ID `json:"slot"`
	Contractor domain.ID `json:"contractor"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Until      time.Time `json:"until,omitzero"` // of a hold
}

// How a visit stands.
const (
	VisitIsBooked  = "booked"
	VisitAttending = "attending"
	VisitAttended  = "attended"
	VisitNoAccess  = "no_access"
	VisitWasMissed = "missed"
	VisitWasLost   = "lost"
	VisitWithdrawn = "withdrawn" // the repair was put off, handed back or ended before it
)

// Visit is an appointment, or somebody who came without one.
type Visit struct {
	ID         domain.ID `json:"visit,omitzero"`
	Contractor domain.ID `json:"contractor"`
	Slot       domain.ID `json:"slot,omitzero"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to,omitzero"`
	Status     string    `json:"status"`
	Rearranged int       `json:"rearranged,omitzero"`
	Reminded   bool      `json:"reminded,omitzero"`
}

// deed is an action that was carried out, and the version of the first fact that it led to.
type deed struct {
	id domain.ID
	at uint64
}

// Apply is the repair after one more fact.
func (r Repair) Apply(e Event) Repair {
	r.version++
	return e.applyTo(r)
}

// Version counts the facts.
func (r Repair) Version() uint64 { return r.version }

// Exists says whether anybody reported it.
func (r Repair) Exists() bool { return r.State != "" }

// Weight estimates the memory the state holds, in bytes.
func (r Repair) Weight() int {
	return 1500 + 48*len(r.done) + 150*len(r.Visits) + 300*len(r.Clocks)
}

// Visit is the appointment that stands, if one does.
func (r Repair) Visit() (Visit, bool) {
	if n := len(r.Visits); n > 0 && (r.Visits[n-1].Status == VisitIsBooked || r.Visits[n-1].Status == VisitAttending) {
		return r.Visits[n-1], true
	}
	return Visit{}, false
}

// Readings are the clocks as they stand at an instant. What ended without a repair is read as it
// ended: a breach before it stays one.
func (r Repair) Readings(now time.Time) []clock.Reading {
	if !r.EndedAt.IsZero() && r.EndedAt.Before(now) {
		now = r.EndedAt
	}
	readings := make([]clock.Reading, len(r.Clocks))
	for i, run := range r.Clocks {
		readings[i] = run.At(now)
	}
	return readings
}

// Clock is one of the clocks.
func (r Repair) Clock(name string) (clock.Run, bool) {
	for _, run := range r.Clocks {
		if run.Target.Clock == name {
			return run, true
		}
	}
	return clock.Run{}, false
}

// RightToRepairAt is how the tenant's right stands: the period of the first contractor, that of the
// second if one was instructed after it, and what is owed. ok is false for a repair without the right.
func (r Repair) RightToRepairAt(now time.Time) (reading clock.RightToRepairReading, ok bool) {
	first, ok := r.Clock(ClockRightToRepair)
	if !ok || r.Compensation == nil {
		return reading, false
	}
	right := clock.RightToRepair{First: first, Compensation: *r.Compensation, NoAccess: r.NoAccess > 0}
	if !r.SecondAt.IsZero() {
		right.Second = clock.Run{Target: first.Target, StartedAt: r.SecondAt, MetAt: first.MetAt, Pauses: first.Pauses}
	}
	if !r.EndedAt.IsZero() && r.EndedAt.Before(now) {
		now = r.EndedAt
	}
	return right.At(now), true
}

// Untouched says that nobody has done anything to it since it was reported.
func (r Repair) Untouched() bool { return len(r.done) == 0 }

// Following is a duplicate whose clocks stop when the repair of which it is one is done: each reporter
// keeps their own clock (R8.9).
func (r Repair) Following(main Repair) Repair {
	if main.CompletedAt.IsZero() || main.CompletedAt.Before(r.ReportedAt) {
		return r
	}
	return r.met(main.CompletedAt, ClockCompletion, ClockMakeSafe, ClockRightToRepair)
}
