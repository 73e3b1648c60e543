package repair

import "slices"

// State is where a repair stands.
type State string

// The states.
const (
	StateReported         State = "reported"
	StateTriaged          State = "triaged"
	StateAwaitingApproval State = "awaiting_approval"
	StateRaised           State = "raised"
	StateAccepted         State = "accepted"
	StateScheduled        State = "scheduled"
	StateAttending        State = "attending"
	StateNoAccess         State = "no_access"
	StateOnHold           State = "on_hold"
	StateMadeSafe         State = "made_safe"
	StateCompleted        State = "completed"
	StateConfirmed        State = "confirmed"
	StateDisputed         State = "disputed"
	StateClosed           State = "closed"
	StateCancelled        State = "cancelled"
	StateDeclined         State = "declined"
	StateNotResponsible   State = "not_responsible"
	StateDuplicate        State = "duplicate"
)

// States lists all states, in the order of a repair's life.
func States() []State {
	return []State{
		StateReported, StateTriaged, StateAwaitingApproval, StateRaised, StateAccepted, StateScheduled, StateAttending,
		StateNoAccess, StateOnHold, StateMadeSafe, StateCompleted, StateConfirmed, StateDisputed, StateClosed,
		StateCancelled, StateDeclined, StateNotResponsible, StateDuplicate,
	}
}

// Class says what a state means to whoever waits for the repair. Closed is not fixed: a repair that
// ended without one is never called resolved.
type Class string

// The classes.
const (
	Open             Class = "open"
	Resolved         Class = "resolved"
	ClosedUnresolved Class = "closed-unresolved"
)

// Class is that of the state.
func (s State) Class() Class {
	switch s {
	case StateCompleted, StateConfirmed, StateClosed:
		return Resolved
	case StateCancelled, StateDeclined, StateNotResponsible, StateDuplicate:
		return ClosedUnresolved
	case StateReported, StateTriaged, StateAwaitingApproval, StateRaised, StateAccepted, StateScheduled, StateAttending,
		StateNoAccess, StateOnHold, StateMadeSafe, StateDisputed:
	}
	return Open
}

// Role is what somebody is to a repair.
type Role string

// The roles. The system acts where a rule of the program does.
const (
	Tenant     Role = "tenant"
	Contractor Role = "contractor"
	Manager    Role = "manager"
	Operator   Role = "operator"
	System     Role = "system"
)

// Outcome is where a diagnosis ends: whose the repair is.
type Outcome string

// The outcomes.
const (
	OutcomeEmergency   Outcome = "emergency"
	OutcomeLandlord    Outcome = "landlord"
	OutcomeTenant      Outcome = "tenant"
	OutcomeLeaseholder Outcome = "leaseholder"
	OutcomeCommunal    Outcome = "communal"
	OutcomeWarranty    Outcome = "warranty"
	OutcomeDuplicate   Outcome = "duplicate"
)

// Outcomes lists what somebody may decide on in a triage. A duplicate is merged instead.
func Outcomes() []Outcome {
	return []Outcome{OutcomeEmergency, OutcomeLandlord, OutcomeTenant, OutcomeLeaseholder, OutcomeCommunal, OutcomeWarranty}
}

// Ours says whether the landlord sees to it.
func (o Outcome) Ours() bool {
	return slices.Contains([]Outcome{OutcomeEmergency, OutcomeLandlord, OutcomeCommunal, OutcomeWarranty}, o)
}

// Priority is how soon it must be done; a parameter of its name says by when.
type Priority string

// The priorities.
const (
	Emergency Priority = "emergency"
	Urgent    Priority = "urgent"
	Normal    Priority = "normal"
	Planned   Priority = "planned"
)

// Priorities lists them, the most pressing first.
func Priorities() []Priority { return []Priority{Emergency, Urgent, Normal, Planned} }

// Reasons of a hold that have a meaning of their own; others are the landlord's own words.
const (
	ReasonParts  = "parts"  // waiting for parts: a fact of its own
	ReasonAccess = "access" // nobody let the contractor in
	ReasonTenant = "tenant" // the tenant asked to wait
)

// The clocks of a repair.
const (
	ClockCompletion    = "completion"
	ClockMakeSafe      = "make_safe"
	ClockRightToRepair = "right_to_repair"
)
