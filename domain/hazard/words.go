package hazard

// State is the last step that the landlord has taken.
type State string

// The states. Whether the home is safe is another question (Hazard.Safe): an emergency is often
// made safe before it is investigated.
const (
	StateRecognised   State = "recognised"
	StateInvestigated State = "investigated"
	StateSafe         State = "safe"
	StatePrevented    State = "prevented" // preventive work has begun
	StateCompleted    State = "completed"
	StateClosed       State = "closed"
)

// States lists them, in the order of a hazard's life.
func States() []State {
	return []State{StateRecognised, StateInvestigated, StateSafe, StatePrevented, StateCompleted, StateClosed}
}

// Role is what somebody is to a hazard.
type Role string

// The roles.
const (
	Tenant   Role = "tenant"
	Manager  Role = "manager"
	Operator Role = "operator"
)

// Roles lists them.
func Roles() []Role { return []Role{Tenant, Manager, Operator} }

// Grade is how grave a hazard is.
type Grade string

// The grades. None is only ever found, by an investigation.
const (
	Emergency   Grade = "emergency"
	Significant Grade = "significant"
	None        Grade = "none"
)

// Grades lists what a hazard may be taken for.
func Grades() []Grade { return []Grade{Emergency, Significant} }

// Findings lists what an investigation may find.
func Findings() []Grade { return []Grade{Emergency, Significant, None} }

// Channel is how the landlord became aware. Every one of them counts, and from the same instant:
// also a remark that a contractor makes in passing (R8.4).
type Channel string

// The channels.
const (
	Portal       Channel = "portal"
	Call         Channel = "call"
	Email        Channel = "email"
	Letter       Channel = "letter"
	Visit        Channel = "visit"
	Contractor   Channel = "contractor"
	Survey       Channel = "survey"
	Neighbour    Channel = "neighbour"
	OtherChannel Channel = "other"
)

// Channels lists them.
func Channels() []Channel {
	return []Channel{Portal, Call, Email, Letter, Visit, Contractor, Survey, Neighbour, OtherChannel}
}

// Kinds lists what a hazard can be: what a diagnosis may tell of (package triage), and the others of
// the Housing Health and Safety Rating System (SI 2005/3208), in short words and without crowding,
// which the regulations leave out. Which of them the law covers when they are significant is for the
// policy to say (awaab.hazards); an emergency counts whatever its kind.
func Kinds() []string {
	return []string{
		"damp_mould", "excess_cold", "excess_heat", "asbestos", "biocides", "carbon_monoxide", "lead", "radiation", "gas",
		"volatile_compounds", "security", "lighting", "noise", "hygiene", "food_safety", "water", "falls", "electrical",
		"fire", "hot_surfaces", "collision", "explosions", "ergonomics", "structural", "other",
	}
}

// Withdrawn is the reason for closing a hazard whose duties are not all met: the landlord says that
// it should not have been recognised, and a note says why. It does not stop its clocks.
const Withdrawn = "withdrawn"
