package triage

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// quantityMax bounds how many of a code one report orders.
const quantityMax = 1000

// outcomeFields are those of an outcome, beside any texts and keys of what leads to it.
func outcomeFields() []string {
	return []string{
		"outcome", "trade", "priority", "sor", "advice", "phone", "link",
		"hazard", "hazard_grade", "right_to_repair", "needs_person",
	}
}

// endings are the kinds that a tree can end in.
func endings() []Kind {
	return slices.DeleteFunc(Kinds(), func(k Kind) bool { return k == Duplicate })
}

// outcome reads the outcome among the fields.
func (f fields) outcome() *Outcome {
	o := &Outcome{
		Trade: f.trade(), Priority: oneOf(f, "priority", Priorities()), SOR: f.sor(),
		Advice: f.optional("advice"), Phone: f.telephone(), Link: f.link(),
		Hazard: oneOf(f, "hazard", Hazards()), HazardGrade: oneOf(f, "hazard_grade", []string{GradeEmergency, GradeSignificant}),
		RightToRepair: oneOf(f, "right_to_repair", RightToRepairItems()), NeedsPerson: f.yes("needs_person"),
	}
	if f.optional("outcome") == string(Duplicate) {
		f.fault("outcome", "a duplicate is found when a repair is reported, never by a tree")
		return o
	}
	o.Kind = oneOf(f, "outcome", endings())
	if o.Kind == "" {
		return o
	}
	f.complete(o)
	f.makesSense(*o)
	return o
}

// complete fills in what the file may leave out.
func (f fields) complete(o *Outcome) {
	if o.Kind == Emergency && o.Phone == "" {
		o.Phone = f.phone
	}
	if o.Priority == "" && o.Kind.ours() {
		o.Priority = PriorityNormal
		if o.Kind == Emergency {
			o.Priority = PriorityEmergency
		}
	}
	if o.Hazard != "" && o.HazardGrade == "" {
		o.HazardGrade = GradeSignificant
		if o.Kind == Emergency {
			o.HazardGrade = GradeEmergency
		}
	}
}

// makesSense refuses outcomes that nobody could act on. A field that is there but wrong has its
// fault already.
func (f fields) makesSense(o Outcome) {
	if o.Kind.ours() && !f.has("trade") {
		f.fault("outcome", "an outcome of %s needs a trade", o.Kind)
	}
	if f.has("hazard_grade") && !f.has("hazard") {
		f.fault("hazard_grade", "hazard_grade is that of a hazard, and there is none")
	}
	if o.NeedsPerson && f.has("sor") {
		f.fault("sor", "needs_person says that a person chooses the codes, and sor has them already")
	}
	switch o.Kind {
	case Emergency:
		f.stopsAndPhones(o)
	case Landlord:
		if !f.has("sor") && !o.NeedsPerson {
			f.fault("outcome", "an outcome of landlord needs codes (sor), or needs_person: true")
		}
	case Tenant, Leaseholder:
		f.helps(o)
	case Communal, Warranty, Duplicate:
	}
}

func (f fields) stopsAndPhones(o Outcome) {
	if !f.has("advice") {
		f.fault("outcome", "an emergency needs advice: what to do at once")
	}
	if o.Phone == "" && !f.has("phone") {
		f.fault("outcome", "an emergency needs a phone number, here or for the whole file")
	}
	if o.Priority != PriorityEmergency {
		f.fault("priority", "an emergency cannot have the priority %s", o.Priority)
	}
}

// helps checks an outcome that leaves the work to whoever reports it.
func (f fields) helps(o Outcome) {
	if !f.has("advice") && !f.has("link") {
		f.fault("outcome", "an outcome of %s needs advice or a link: nobody else will come", o.Kind)
	}
	for _, name := range []string{"sor", "priority", "right_to_repair", "needs_person"} {
		if f.has(name) {
			f.fault(name, "an outcome of %s orders no work and has no %s", o.Kind, name)
		}
	}
}

// trade is the word in the field, one of the file's list if it has one.
func (f fields) trade() string {
	trade := f.optional("trade")
	switch {
	case trade == "":
	case len(f.trades) > 0:
		return oneOf(f, "trade", f.trades)
	case !isKey(trade):
		f.fault("trade", "%s is not a trade: 1 to %d of A-Z a-z 0-9 _ -", quoted(trade), keyMax)
		return ""
	}
	return trade
}

// sor reads a list of codes, each alone or with a quantity.
func (f fields) sor() []Line {
	n := f.at["sor"]
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		f.fault("sor", "sor should be a list of at least one code")
		return nil
	}
	var lines []Line
	for _, item := range n.Content {
		line := f.order(item)
		switch {
		case line.Code == "":
		case !f.listed[line.Code]:
			f.faults.add(item.Line, f.path, "%s is not among the codes of the file", quoted(line.Code))
		case slices.ContainsFunc(lines, func(l Line) bool { return l.Code == line.Code }):
			f.faults.add(item.Line, f.path, "%s is there twice; give a quantity", line.Code)
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

func (f fields) order(n *yaml.Node) Line {
	e := entry{path: f.path, line: n.Line, value: n}
	if n.Kind == yaml.ScalarNode {
		return Line{Code: n.Value, Quantity: 1}
	}
	l := f.fields(e, "code", "quantity")
	line := Line{Code: l.required("code"), Quantity: 1}
	if text := l.optional("quantity"); text != "" {
		quantity, err := strconv.Atoi(text)
		if err != nil || quantity < 1 || quantity > quantityMax {
			l.fault("quantity", "the quantity %s is not a whole number from 1 to %d", quoted(text), quantityMax)
		}
		line.Quantity = quantity
	}
	return line
}

// link is a page that is reached safely; its address is shown to tenants as it is.
func (f fields) link() string {
	link := f.optional("link")
	if link == "" {
		return ""
	}
	rest, https := strings.CutPrefix(link, "https://")
	host, _, _ := strings.Cut(rest, "/")
	if !https || host == "" || strings.ContainsAny(host, "@:?#") || strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r > '~' }) {
		f.fault("link", "the link is not an address that starts with https://")
		return ""
	}
	return link
}

// telephone is a number as people write it, 3 to 20 characters: "105", "0800 111 999".
func (f fields) telephone() string {
	phone := f.optional("phone")
	if phone == "" {
		return ""
	}
	if len(phone) < 3 || len(phone) > 20 || strings.Trim(phone, "+0123456789 ") != "" {
		f.fault("phone", "%s is not a phone number: 3 to 20 digits and blanks, + at most", quoted(phone))
		return ""
	}
	return phone
}

// yes is true or false, and false without the field.
func (f fields) yes(name string) bool {
	switch text := f.optional(name); text {
	case "true":
		return true
	case "", "false":
	default:
		f.fault(name, "%s is true or false, not %s", name, quoted(text))
	}
	return false
}
