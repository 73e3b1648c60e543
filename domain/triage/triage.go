// Package triage leads a tenant from "something is broken" to who does what about it, and by when.
//
// A landlord's decision tree goes from a location over a component to a fault, asks a few questions
// and ends in an outcome: an emergency to phone about, work for a trade with codes of the schedule of
// rates, a matter of the communal parts or of a warranty, or something the tenant or leaseholder sees
// to, with advice. The tree is a YAML file that a housing officer can read (default.yaml is ours);
// parse.go refuses what would leave a tenant stranded, and says in which line. import.go makes a tree
// of a mapping that a landlord has already.
//
// tree.go walks: without questions left there is an outcome, otherwise the next thing to ask. The
// version goes into the record of every report, with the answers: what was asked, in which words and
// what followed can be shown years later.
//
// The one rule: a tree that parses has an outcome at the end of every way, and the same path and
// answers always lead to the same one.
package triage

import (
	"slices"

	"rentbook/domain"
)

// Kind says who sees to a repair.
type Kind string

// The kinds of outcomes. A duplicate is found when a repair is reported, never by a tree.
const (
	Emergency   Kind = "emergency"
	Landlord    Kind = "landlord"
	Tenant      Kind = "tenant"
	Leaseholder Kind = "leaseholder"
	Communal    Kind = "communal"
	Warranty    Kind = "warranty"
	Duplicate   Kind = "duplicate"
)

// Kinds lists all seven.
func Kinds() []Kind {
	return []Kind{Emergency, Landlord, Tenant, Leaseholder, Communal, Warranty, Duplicate}
}

// ours says whether the landlord has the work done.
func (k Kind) ours() bool { return k != Tenant && k != Leaseholder && k != Duplicate }

// Priority says how soon; the landlord's policy says what that is in hours or days.
type Priority string

// The priorities, the most pressing first.
const (
	PriorityEmergency Priority = "emergency"
	PriorityUrgent    Priority = "urgent"
	PriorityNormal    Priority = "normal"
	PriorityPlanned   Priority = "planned"
)

// Priorities lists all four.
func Priorities() []Priority {
	return []Priority{PriorityEmergency, PriorityUrgent, PriorityNormal, PriorityPlanned}
}

// The grades of a hazard: an emergency is made safe within a day, a significant one has the longer
// periods of the Hazards in Social Housing Regulations 2025 (SI 2025/1042).
const (
	GradeEmergency   = "emergency"
	GradeSignificant = "significant"
)

// Hazards lists the kinds of hazard that an outcome can make the landlord aware of.
func Hazards() []string {
	return []string{
		"damp_mould", "electrical", "gas", "carbon_monoxide", "fire", "structural", "excess_cold",
		"water", "security", "falls", "hygiene", "asbestos",
	}
}

// RightToRepairItems lists the defects of the schedule to the Secure Tenants of Local Housing
// Authorities (Right to Repair) Regulations 1994 (SI 1994/133, as amended), in its order.
func RightToRepairItems() []string {
	return []string{
		"total_loss_of_electric_power",
		"partial_loss_of_electric_power",
		"unsafe_power_or_lighting_socket_or_electrical_fitting",
		"total_loss_of_water_supply",
		"partial_loss_of_water_supply",
		"total_or_partial_loss_of_gas_supply",
		"blocked_flue_to_open_fire_or_boiler",
		"heating",
		"blocked_or_leaking_foul_drain_soil_stack_or_toilet",
		"toilet_not_flushing_only_toilet",
		"blocked_sink_bath_or_basin",
		"tap_which_cannot_be_turned",
		"leaking_from_water_or_heating_pipe_tank_or_cistern",
		"leaking_roof",
		"insecure_external_window_door_or_lock",
		"loose_or_detached_banister_or_hand_rail",
		"rotten_timber_flooring_or_stair_tread",
		"door_entryphone_not_working",
		"mechanical_extractor_fan_not_working",
	}
}

// Line is a code of the schedule of rates, and how many of it.
type Line struct {
	Code     string `json:"code" yaml:"code"`
	Quantity int    `json:"quantity" yaml:"quantity"`
}

// Code is an entry of a tree's own list of codes.
type Code struct {
	Code  string `json:"code"`
	Text  string `json:"text"`
	Trade string `json:"trade"`
}

// Outcome is where a diagnosis ends.
type Outcome struct {
	Kind     Kind     `json:"outcome"`
	Trade    string   `json:"trade,omitzero"`
	Priority Priority `json:"priority,omitzero"`
	SOR      []Line   `json:"sor,omitempty"`

	// Advice is what to do now: help yourself, or stop and phone. Link is a page or video about it.
	Advice string `json:"advice,omitzero"`
	Phone  string `json:"phone,omitzero"`
	Link   string `json:"link,omitzero"`

	// Hazard is what the landlord is aware of from this report on, one of Hazards, and its grade.
	Hazard      string `json:"hazard,omitzero"`
	HazardGrade string `json:"hazard_grade,omitzero"`

	// RightToRepair is one of RightToRepairItems: its statutory period depends on season and tenure,
	// which are not known here.
	RightToRepair string `json:"right_to_repair,omitzero"`

	// NeedsPerson is work without a code: a person decides what is ordered.
	NeedsPerson bool `json:"needs_person,omitzero"`
}

func (o Outcome) clone() *Outcome {
	o.SOR = slices.Clone(o.SOR)
	return &o
}

// Choice is one of the things that can be said next.
type Choice struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

// Question is asked about a fault.
type Question struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Answers []Choice `json:"answers"`
}

// Answer is the key that was chosen for a question.
type Answer struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// Step is what comes next on a way: the choices for the next part of the path (Choose says which
// part: location, component or fault), or a question, or the outcome. Asked holds the answers in the
// order they were asked for, which is how a report keeps them.
type Step struct {
	Choose   string    `json:"choose,omitzero"`
	Choices  []Choice  `json:"choices,omitempty"`
	Question *Question `json:"question,omitempty"`
	Outcome  *Outcome  `json:"result,omitempty"`
	Path     []string  `json:"path"`
	Asked    []Answer  `json:"asked,omitempty"`
}

// Leaf is one way to an outcome.
type Leaf struct {
	Path    []string
	Answers []Answer
	Outcome Outcome
}

// Refusals of a way that the tree does not have.
var (
	ErrPath     = &domain.Refusal{Code: "triage.path", Reason: "is not a path of the tree", Field: "path"}
	ErrAnswer   = &domain.Refusal{Code: "triage.answer", Reason: "has an unknown answer", Field: "answers"}
	ErrNeedless = &domain.Refusal{Code: "triage.needless-answer", Reason: "answers a question that is not asked on this way", Field: "answers"}
)
