package repair

import (
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// Event is one fact in the life of a repair. The unexported method seals the set.
type Event interface {
	EventType() string
	applyTo(Repair) Repair
}

// Events lists every fact of this stream, in the order of a repair's life.
func Events() []Event {
	return []Event{
		Reported{},
		ContactGiven{},
		Triaged{},
		Assigned{},
		NobodyFits{},
		ApprovalRequested{},
		Approved{},
		Raised{},
		Declined{},
		Accepted{},
		HandedBack{},
		SlotHeld{},
		VisitBooked{},
		VisitRearranged{},
		VisitReminded{},
		VisitLost{},
		VisitStarted{},
		AccessFailed{},
		VisitMissed{},
		WaitingForParts{},
		PutOnHold{},
		Resumed{},
		VariationRequested{},
		VariationApproved{},
		VariationRejected{},
		WasMadeSafe{},
		FollowOnNeeded{},
		Completed{},
		Confirmed{},
		Disputed{},
		Reopened{},
		Closed{},
		Cancelled{},
		Recalled{},
		Merged{},
		Parted{},
		Noted{},
	}
}

// Step is what every fact that somebody made happen begins with.
type Step struct {
	Action domain.ID       `json:"action,omitzero"` // the id of what was asked; none: it followed from what was asked before it
	Doing  Action          `json:"doing,omitzero"`  // what was asked
	At     time.Time       `json:"at"`              // when it counts
	Reason string          `json:"reason,omitzero"` // a code: [a-z0-9_-]{1,32}
	Note   domain.Personal `json:"note,omitzero"`
	Photos []domain.ID     `json:"photos,omitzero"`
}

// Answer is what was answered to a question of the diagnosis.
type Answer struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// Line is a code of the schedule of rates, how many of it, and the price of one where it is agreed.
type Line struct {
	Code     string       `json:"code"`
	Quantity int          `json:"quantity"`
	Price    domain.Money `json:"price,omitzero"`
}

// Reported starts a repair: what somebody said, and which questions they were asked.
type Reported struct {
	At           time.Time       `json:"at"`
	Tenancy      domain.ID       `json:"tenancy,omitzero"`
	Property     domain.ID       `json:"property"` // where it is
	Communal     bool            `json:"communal,omitzero"`
	Path         []string        `json:"path"`
	Answers      []Answer        `json:"answers,omitzero"`
	Tree         string          `json:"tree"` // the version of the questions
	Description  domain.Personal `json:"description"`
	Availability domain.Personal `json:"availability,omitzero"`
	Photos       []domain.ID     `json:"photos,omitzero"`
	RecallOf     domain.ID       `json:"recall_of,omitzero"`
	FollowOnOf   domain.ID       `json:"follow_on_of,omitzero"`
	Hazard       domain.ID       `json:"hazard,omitzero"` // that the report made the landlord aware of
}

// ContactGiven says how to reach whoever reported it.
type ContactGiven struct {
	Person  domain.ID       `json:"person,omitzero"`
	Contact domain.Personal `json:"contact"`
}

// Triaged says whose the repair is, what is to be done and by when.
type Triaged struct {
	Step
	Outcome       Outcome        `json:"outcome"`
	Trade         string         `json:"trade,omitzero"`
	Priority      Priority       `json:"priority,omitzero"`
	SOR           []Line         `json:"sor,omitzero"`
	Targets       []clock.Target `json:"targets,omitzero"`
	Advice        string         `json:"advice,omitzero"` // what the tenant was told to do
	Phone         string         `json:"phone,omitzero"`
	Link          string         `json:"link,omitzero"`
	RightToRepair string         `json:"right_to_repair,omitzero"`

	Compensation *clock.Compensation `json:"compensation,omitzero"` // of the Right to Repair
}

// Assigned gives the order to a contractor, and says by which rule.
type Assigned struct {
	Step
	Contractor  domain.ID `json:"contractor"`
	Contract    domain.ID `json:"contract,omitzero"`
	Explanation string    `json:"explanation,omitzero"` // none: somebody chose
}

// NobodyFits says why no contractor was found.
type NobodyFits struct {
	Step
	Explanation string `json:"explanation"`
}

// ApprovalRequested stops an order that costs more than may be spent without asking.
type ApprovalRequested struct {
	Step
	By        string       `json:"by"` // the id of the actor
	SOR       []Line       `json:"sor"`
	Cost      domain.Money `json:"cost"`
	Limit     domain.Money `json:"limit"`
	Parameter string       `json:"parameter"`
}

// Approved lets the order go ahead.
type Approved struct {
	Step
	By string `json:"by"`
}

// Raised is the order: what is to be done.
type Raised struct {
	Step
	SOR  []Line       `json:"sor,omitzero"`
	Cost domain.Money `json:"cost,omitzero"` // none: not every line has an agreed price
}

// Declined says that it will not be done, and why.
type Declined struct{ Step }

// Accepted is the contractor's yes.
type Accepted struct{ Step }

// HandedBack is the contractor's no.
type HandedBack struct {
	Step
	Contractor domain.ID `json:"contractor"`
}

// SlotHeld keeps a window for whoever is choosing.
type SlotHeld struct {
	Step
	Contractor domain.ID `json:"contractor"`
	Slot       domain.ID `json:"slot"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Until      time.Time `json:"until"`
}

// VisitBooked is an appointment.
type VisitBooked struct {
	Step
	Visit      domain.ID `json:"visit"`
	Contractor domain.ID `json:"contractor"`
	Slot       domain.ID `json:"slot"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
}

// VisitRearranged moves an appointment, and says for whom.
type VisitRearranged struct {
	Step
	Visit domain.ID `json:"visit"`
	By    Role      `json:"by"`
	Slot  domain.ID `json:"slot"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

// VisitReminded says that the appointment was recalled to the tenant.
type VisitReminded struct {
	At    time.Time `json:"at"`
	Visit domain.ID `json:"visit"`
}

// VisitLost is an appointment that the contractor's diary did not keep.
type VisitLost struct {
	At    time.Time `json:"at"`
	Visit domain.ID `json:"visit"`
	Slot  domain.ID `json:"slot"`
}

// VisitStarted says that somebody is there.
type VisitStarted struct {
	Step
	Visit domain.ID `json:"visit,omitzero"` // none: without an appointment
}

// AccessFailed is a visit that nobody let in, with what shows it: the tenant may dispute it (R8.6).
type AccessFailed struct {
	Step
	Visit    domain.ID       `json:"visit,omitzero"`
	Evidence domain.Personal `json:"evidence"`
}

// VisitMissed is an appointment that the landlord's side did not keep.
type VisitMissed struct {
	Step
	Visit domain.ID `json:"visit"`
}

// WaitingForParts puts the work off until parts have come.
type WaitingForParts struct {
	Step
	Until domain.Date `json:"until,omitzero"`
}

// PutOnHold puts the work off for another reason.
type PutOnHold struct {
	Step
	Until domain.Date `json:"until,omitzero"`
}

// Resumed ends the wait.
type Resumed struct{ Step }

// VariationRequested asks to do other work than was ordered.
type VariationRequested struct {
	Step
	By   string       `json:"by"`
	SOR  []Line       `json:"sor"` // all of the work, as it would be
	Cost domain.Money `json:"cost,omitzero"`
}

// VariationApproved makes the varied work the order.
type VariationApproved struct {
	Step
	By string `json:"by"`
}

// VariationRejected leaves the order as it was.
type VariationRejected struct {
	Step
	By string `json:"by"`
}

// WasMadeSafe says that the danger is gone, though the repair is not done.
type WasMadeSafe struct{ Step }

// FollowOnNeeded says that one visit was not enough.
type FollowOnNeeded struct {
	Step
	Repair domain.ID `json:"repair,omitzero"` // of its own, for another trade
	Trade  string    `json:"trade,omitzero"`
	SOR    []Line    `json:"sor,omitzero"`
}

// Completed is the contractor's word that the work is done.
type Completed struct{ Step }

// Confirmed is the tenant's word that it is fixed.
type Confirmed struct {
	Step
	Rating int `json:"rating,omitzero"` // 1 to 5
}

// Disputed is the tenant's word that it is not.
type Disputed struct{ Step }

// Reopened takes up again what had ended, for all to see.
type Reopened struct{ Step }

// Closed ends the record of a repair that was done.
type Closed struct{ Step }

// Cancelled ends a repair that was not.
type Cancelled struct {
	Step
	By Role `json:"by"`
}

// Recalled says that the fault came back; the new repair is linked to this one.
type Recalled struct {
	Step
	Repair domain.ID `json:"repair"`
}

// Merged says that another repair is about the same thing.
type Merged struct {
	Step
	Into domain.ID `json:"into"`
}

// Parted says that it was not.
type Parted struct {
	Step
	From domain.ID `json:"from"`
}

// Noted is something to remember.
type Noted struct{ Step }

// The stored names. They are a contract: never changed, only succeeded by a v2.

func (Reported) EventType() string           { return "repair.reported.v1" }
func (ContactGiven) EventType() string       { return "repair.contact-given.v1" }
func (Triaged) EventType() string            { return "repair.triaged.v1" }
func (Assigned) EventType() string           { return "repair.assigned.v1" }
func (NobodyFits) EventType() string         { return "repair.nobody-fits.v1" }
func (ApprovalRequested) EventType() string  { return "repair.approval-requested.v1" }
func (Approved) EventType() string           { return "repair.approved.v1" }
func (Raised) EventType() string             { return "repair.raised.v1" }
func (Declined) EventType() string           { return "repair.declined.v1" }
func (Accepted) EventType() string           { return "repair.accepted.v1" }
func (HandedBack) EventType() string         { return "repair.handed-back.v1" }
func (SlotHeld) EventType() string           { return "repair.slot-held.v1" }
func (VisitBooked) EventType() string        { return "repair.visit-booked.v1" }
func (VisitRearranged) EventType() string    { return "repair.visit-rearranged.v1" }
func (VisitReminded) EventType() string      { return "repair.visit-reminded.v1" }
func (VisitLost) EventType() string          { return "repair.visit-lost.v1" }
func (VisitStarted) EventType() string       { return "repair.visit-started.v1" }
func (AccessFailed) EventType() string       { return "repair.access-failed.v1" }
func (VisitMissed) EventType() string        { return "repair.visit-missed.v1" }
func (WaitingForParts) EventType() string    { return "repair.waiting-for-parts.v1" }
func (PutOnHold) EventType() string          { return "repair.put-on-hold.v1" }
func (Resumed) EventType() string            { return "repair.resumed.v1" }
func (VariationRequested) EventType() string { return "repair.variation-requested.v1" }
func (VariationApproved) EventType() string  { return "repair.variation-approved.v1" }
func (VariationRejected) EventType() string  { return "repair.variation-rejected.v1" }
func (WasMadeSafe) EventType() string        { return "repair.made-safe.v1" }
func (FollowOnNeeded) EventType() string     { return "repair.follow-on-needed.v1" }
func (Completed) EventType() string          { return "repair.completed.v1" }
func (Confirmed) EventType() string          { return "repair.confirmed.v1" }
func (Disputed) EventType() string           { return "repair.disputed.v1" }
func (Reopened) EventType() string           { return "repair.reopened.v1" }
func (Closed) EventType() string             { return "repair.closed.v1" }
func (Cancelled) EventType() string          { return "repair.cancelled.v1" }
func (Recalled) EventType() string           { return "repair.recalled.v1" }
func (Merged) EventType() string             { return "repair.merged.v1" }
func (Parted) EventType() string             { return "repair.parted.v1" }
func (Noted) EventType() string              { return "repair.noted.v1" }

// Personal names the stored fields that are sealed, here with the repair's own key (no key named:
// the stream's). Every fact with a Step has a note.
func (Step) Personal() (key string, fields []string) { return "", []string{"note"} }

// Personal adds what was said in the report.
func (Reported) Personal() (key string, fields []string) {
	return "", []string{"description", "availability"}
}

// Personal seals a contact with the person's own key, where the person is known.
func (e ContactGiven) Personal() (key string, fields []string) {
	if e.Person != "" {
		key = "person-" + string(e.Person)
	}
	return key, []string{"contact"}
}

// Personal adds what shows that nobody let the contractor in.
func (AccessFailed) Personal() (key string, fields []string) {
	return "", []string{"note", "evidence"}
}
