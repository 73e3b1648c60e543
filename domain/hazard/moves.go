package hazard

import "slices"

// Action is something that somebody does about a hazard.
type Action string

// The actions.
const (
	Investigate         Action = "investigate"
	Summarise           Action = "summarise"
	BeginSafetyWork     Action = "begin_safety_work"
	MakeSafe            Action = "make_safe"
	NotPracticable      Action = "not_practicable"
	BeginPreventiveWork Action = "begin_preventive_work"
	Complete            Action = "complete"
	OfferAccommodation  Action = "offer_accommodation"
	RefusedAccess       Action = "access_refused"
	AddEvidence         Action = "evidence"
	Regrade             Action = "regrade"
	Link                Action = "link"
	Unlink              Action = "unlink"
	Close               Action = "close"
	Reopen              Action = "reopen"
	AddNote             Action = "note"
)

// Move is one line of the table of what may be done: by whom, in which states, with what, and
// where it leads. What is not in the table is not allowed.
type Move struct {
	Action             Action
	From               []State
	To                 State // none: the state stays
	Roles              []Role
	Needs              []string // fields that must be given
	Takes              []string // fields that may be given, besides at, note and photos, which all take
	AfterInvestigation bool     // only once there has been one
	AnyTime            bool     // may be said of a time before the last move
	When               string   // what else must hold
	Clocks             string   // what it does to the clocks
}

// Moves is the whole table (R8.4). The checks, the actions in every answer and the documentation
// come from here. Every duty that runs can be met in every state but closed, and there none runs
// that was not left open on purpose.
func Moves() []Move {
	staff, anyone := []Role{Manager, Operator}, Roles()
	unsafe := []State{StateRecognised, StateInvestigated}
	working := append(slices.Clone(unsafe), StateSafe)
	under := append(slices.Clone(working), StatePrevented)
	open := append(slices.Clone(under), StateCompleted)
	const none = "none"
	return []Move{
		{
			Action: Investigate, From: open, To: StateInvestigated, Roles: staff, Needs: []string{"finding"}, Takes: []string{"reason"},
			Clocks: "meets investigate; starts summary, and where a hazard is found preventive_work and safety_work, of an emergency emergency_make_safe; no emergency meets emergency_make_safe, no hazard all duties of work",
		},
		{Action: Summarise, From: open, Roles: staff, Takes: []string{"reason"}, AfterInvestigation: true, Clocks: "meets summary"},
		{Action: BeginSafetyWork, From: unsafe, Roles: staff, Takes: []string{"reason"}, Clocks: none + ": the work must be complete"},
		{Action: MakeSafe, From: unsafe, To: StateSafe, Roles: staff, Takes: []string{"reason"}, Clocks: "meets emergency_make_safe and safety_work"},
		{Action: MakeSafe, From: []State{StatePrevented}, Roles: staff, Takes: []string{"reason"}, Clocks: "meets emergency_make_safe and safety_work"},
		{
			Action: NotPracticable, From: working, Roles: staff, Needs: []string{"reason"}, AfterInvestigation: true,
			Clocks: "gives preventive_work 12 weeks from the same start",
		},
		{
			Action: BeginPreventiveWork, From: []State{StateRecognised}, Roles: staff, Takes: []string{"reason"}, AfterInvestigation: true,
			Clocks: "meets preventive_work",
		},
		{
			Action: BeginPreventiveWork, From: []State{StateInvestigated, StateSafe}, To: StatePrevented, Roles: staff,
			Takes: []string{"reason"}, AfterInvestigation: true, Clocks: "meets preventive_work",
		},
		{
			Action: Complete, From: []State{StateInvestigated, StateSafe, StatePrevented}, To: StateCompleted, Roles: staff,
			Takes: []string{"reason"}, AfterInvestigation: true, Clocks: "meets emergency_make_safe, safety_work and preventive_work",
		},
		{Action: OfferAccommodation, From: under, Roles: staff, Takes: []string{"reason", "accepted"}, Clocks: none},
		{
			Action: RefusedAccess, From: under, Roles: staff, Needs: []string{"note"}, Takes: []string{"reason"},
			Clocks: none + ": it is evidence of what was tried",
		},
		{Action: AddEvidence, From: States(), Roles: anyone, Takes: []string{"reason"}, AnyTime: true, When: "there is a note or a photo", Clocks: none},
		{
			Action: Regrade, From: under, To: StateRecognised, Roles: staff, Needs: []string{"grade", "reason"},
			Clocks: "starts emergency_make_safe, or investigate; meets none",
		},
		{Action: Link, From: open, Roles: staff, Needs: []string{"repair"}, Takes: []string{"reason"}, Clocks: none},
		{Action: Unlink, From: open, Roles: staff, Needs: []string{"repair"}, Takes: []string{"reason"}, Clocks: none},
		{
			Action: Close, From: open, To: StateClosed, Roles: staff, Needs: []string{"reason"}, Clocks: none,
			When: "work is completed or nothing was found, and no clock runs; or the reason is withdrawn and a note says why",
		},
		{
			Action: Reopen, From: []State{StateCompleted, StateClosed}, To: StateRecognised, Roles: staff, Needs: []string{"reason"},
			Clocks: "starts emergency_make_safe, or investigate, anew; meets none",
		},
		{Action: AddNote, From: States(), Roles: anyone, Needs: []string{"note"}, AnyTime: true, Clocks: none},
	}
}

// Actions lists all actions, in the order of the table.
func Actions() []Action {
	var actions []Action
	for _, m := range Moves() {
		if !slices.Contains(actions, m.Action) {
			actions = append(actions, m.Action)
		}
	}
	return actions
}

// Allowed are the moves that a role may make now.
func (h Hazard) Allowed(role Role) []Move {
	var allowed []Move
	for _, m := range Moves() {
		if slices.Contains(m.From, h.State) && slices.Contains(m.Roles, role) && (!m.AfterInvestigation || !h.InvestigatedAt.IsZero()) {
			allowed = append(allowed, m)
		}
	}
	return allowed
}
