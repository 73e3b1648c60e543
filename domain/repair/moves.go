package repair

import "slices"

// Action is something that somebody does to a repair.
type Action string

// The actions.
const (
	Triage           Action = "triage"
	Decline          Action = "decline"
	Approve          Action = "approve"
	Raise            Action = "raise"
	Assign           Action = "assign"
	Accept           Action = "accept"
	HandBack         Action = "hand_back"
	HoldSlot         Action = "hold_slot"
	Book             Action = "book"
	Rebook           Action = "rebook"
	Start            Action = "start"
	NoAccess         Action = "no_access"
	LandlordMissed   Action = "landlord_missed"
	Hold             Action = "hold"
	Resume           Action = "resume"
	RequestVariation Action = "request_variation"
	ApproveVariation Action = "approve_variation"
	RejectVariation  Action = "reject_variation"
	MakeSafe         Action = "make_safe"
	FollowOn         Action = "follow_on"
	Complete         Action = "complete"
	Confirm          Action = "confirm"
	Dispute          Action = "dispute"
	Reopen           Action = "reopen"
	Close            Action = "close"
	Cancel           Action = "cancel"
	Recall           Action = "recall"
	Merge            Action = "merge"
	Split            Action = "split"
	AddNote          Action = "note"
)

// Move is one line of the table of what may be done: by whom, in which states, with what, and
// where it leads. What is not in the table is not allowed.
type Move struct {
	Action Action
	From   []State
	To     []State // one of these; none: the state stays
	Roles  []Role
	Needs  []string // fields that must be given
	Takes  []string // fields that may be given, besides at, reason, note and photos, which all take
	When   string   // what else must hold
}

// Moves is the whole table (R8.7). The checks, the actions in every answer and docs/repairs.md come
// from here.
func Moves() []Move { //nolint:funlen // a table: an entry for each action
	staff, anyone := []Role{Manager, Operator}, []Role{Tenant, Contractor, Manager, Operator}
	visitors, residents := []Role{Contractor, Manager, Operator}, []Role{Tenant, Manager, Operator}
	undecided := []State{StateReported, StateTriaged, StateAwaitingApproval}
	waiting := []State{StateRaised, StateAccepted, StateNoAccess, StateMadeSafe} // for a visit
	ordered := append(slices.Clone(waiting), StateScheduled, StateOnHold)
	return []Move{
		{
			Action: Triage, From: []State{StateReported, StateTriaged}, Roles: staff,
			To:    []State{StateTriaged, StateRaised, StateAwaitingApproval, StateNotResponsible},
			Needs: []string{"outcome"}, Takes: []string{"trade", "priority", "sor", "contractor"},
			When: "trade and priority, given or from the diagnosis, for a repair that is the landlord's",
		},
		{Action: Decline, From: undecided, To: []State{StateDeclined}, Roles: staff, Needs: []string{"reason"}},
		{
			Action: Approve, From: []State{StateAwaitingApproval}, To: []State{StateRaised}, Roles: staff,
			When: "by another person than who asked for the approval",
		},
		{
			Action: Raise, From: []State{StateTriaged}, To: []State{StateRaised, StateAwaitingApproval, StateTriaged}, Roles: staff,
			Takes: []string{"sor", "contractor"}, When: "it is the landlord's and has a trade; nobody who fits leaves it triaged",
		},
		{
			Action: Assign, From: []State{StateTriaged, StateRaised, StateAccepted, StateScheduled, StateNoAccess}, Roles: staff,
			To: []State{StateRaised, StateAwaitingApproval}, Needs: []string{"contractor"},
			When: "it is the landlord's and has a trade; to another contractor than it is with",
		},
		{Action: Accept, From: []State{StateRaised}, To: []State{StateAccepted}, Roles: visitors},
		{
			Action: HandBack, From: ordered, To: []State{StateRaised, StateAwaitingApproval, StateTriaged}, Roles: visitors,
			Needs: []string{"reason"}, When: "goes to the next contractor who fits; if nobody does it is triaged again",
		},
		{Action: HoldSlot, From: append(slices.Clone(waiting), StateScheduled), Roles: anyone, Needs: []string{"slot"}},
		{Action: Book, From: waiting, To: []State{StateScheduled}, Roles: anyone, Needs: []string{"slot"}},
		{
			Action: Rebook, From: []State{StateScheduled}, To: []State{StateScheduled}, Roles: anyone, Needs: []string{"slot"},
		},
		{Action: Start, From: append(slices.Clone(waiting), StateScheduled), To: []State{StateAttending}, Roles: visitors},
		{
			Action: NoAccess, From: []State{StateScheduled, StateAttending}, To: []State{StateNoAccess}, Roles: visitors,
			Needs: []string{"evidence"},
		},
		{
			Action: LandlordMissed, From: []State{StateScheduled}, To: []State{StateAccepted}, Roles: residents,
			When: "the window is over",
		},
		{
			Action: Hold, From: append(slices.Clone(waiting), StateScheduled, StateAttending), To: []State{StateOnHold}, Roles: visitors,
			Needs: []string{"reason"}, Takes: []string{"until"},
			When: "a contractor has no_access, with evidence, for the reasons access and tenant",
		},
		{
			Action: Resume, From: []State{StateOnHold}, To: []State{StateRaised, StateAccepted, StateNoAccess, StateMadeSafe},
			Roles: visitors,
		},
		{
			Action: RequestVariation, From: []State{StateAccepted, StateScheduled, StateAttending, StateMadeSafe, StateOnHold}, Roles: visitors,
			Needs: []string{"sor", "reason"}, Takes: []string{"cost"}, When: "no other variation is pending",
		},
		{
			Action: ApproveVariation, From: append(slices.Clone(ordered), StateAttending), Roles: staff,
			When: "a variation is pending; by another person than who asked for it",
		},
		{
			Action: RejectVariation, From: append(slices.Clone(ordered), StateAttending), Roles: staff, Needs: []string{"reason"},
			When: "a variation is pending",
		},
		{Action: MakeSafe, From: []State{StateAttending}, To: []State{StateMadeSafe}, Roles: visitors},
		{
			Action: FollowOn, From: []State{StateAttending, StateMadeSafe}, To: []State{StateAccepted}, Roles: visitors,
			Needs: []string{"reason"}, Takes: []string{"repair", "trade", "sor", "description"}, When: "another trade needs a repair of its own",
		},
		{
			Action: Complete, From: []State{StateAttending, StateMadeSafe}, To: []State{StateCompleted}, Roles: visitors,
			When: "no variation is pending",
		},
		{Action: Confirm, From: []State{StateCompleted}, To: []State{StateConfirmed}, Roles: residents, Takes: []string{"rating"}},
		{Action: Dispute, From: []State{StateCompleted, StateConfirmed, StateClosed}, To: []State{StateDisputed}, Roles: residents, Needs: []string{"reason"}},
		{
			Action: Reopen, Roles: staff, Needs: []string{"reason"}, To: []State{StateAccepted, StateTriaged},
			From: []State{StateDisputed, StateCompleted, StateConfirmed, StateClosed, StateCancelled, StateDeclined, StateNotResponsible},
		},
		{Action: Close, From: []State{StateCompleted, StateConfirmed}, To: []State{StateClosed}, Roles: staff},
		{
			Action: Cancel, Roles: []Role{Tenant}, Needs: []string{"reason"}, To: []State{StateCancelled},
			From: append(slices.Clone(undecided), StateRaised, StateAccepted, StateScheduled, StateNoAccess, StateOnHold),
		},
		{
			Action: Cancel, Roles: staff, Needs: []string{"reason"}, To: []State{StateCancelled},
			From: slices.Concat(undecided, ordered, []State{StateAttending}),
		},
		{
			Action: Recall, From: []State{StateCompleted, StateConfirmed, StateClosed}, Roles: residents,
			Needs: []string{"repair", "reason"}, Takes: []string{"description"}, When: "within the time for recalls",
		},
		{
			Action: Merge, From: []State{StateReported, StateTriaged, StateAwaitingApproval, StateRaised, StateAccepted}, Roles: staff,
			To: []State{StateDuplicate}, Needs: []string{"into"},
		},
		{
			Action: Split, From: []State{StateDuplicate}, Roles: residents,
			To: []State{StateReported, StateTriaged, StateAwaitingApproval, StateRaised, StateAccepted},
		},
		{Action: AddNote, From: States(), Roles: anyone, Needs: []string{"note"}},
	}
}

// ActionsOf lists what a role may ever do to a repair.
func ActionsOf(role Role) []Action {
	var actions []Action
	for _, m := range Moves() {
		if slices.Contains(m.Roles, role) && !slices.Contains(actions, m.Action) {
			actions = append(actions, m.Action)
		}
	}
	return actions
}

// moveOf is the line that lets a role take an action in a state.
func moveOf(action Action, from State, role Role) (Move, bool) {
	for _, m := range Moves() {
		if m.Action == action && slices.Contains(m.From, from) && slices.Contains(m.Roles, role) {
			return m, true
		}
	}
	return Move{}, false
}
