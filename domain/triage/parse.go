package triage

import (
	"bytes"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// waysMax bounds the ways to an outcome: what asks the same in every branch grows beyond what
// anybody can have checked.
const waysMax = 20_000

// reader holds what the later parts of a file refer to, and the mistakes so far.
type reader struct {
	faults   *Faults
	phone    string
	trades   []string
	codes    []Code
	listed   map[string]bool
	outcomes map[string]*definition[Outcome]
	shared   map[string]*definition[branch]
	ways     int
}

// definition is something with a name, for use in several places.
type definition[T any] struct {
	entry
	is   *T
	ways int
	used bool
}

// Parse reads a tree. It fails with Faults, all of them, and only then.
func Parse(data []byte) (*Tree, error) {
	root, faults := document(data)
	if len(faults) > 0 {
		return nil, faults.err()
	}
	r := reader{
		faults: &faults, listed: map[string]bool{},
		outcomes: map[string]*definition[Outcome]{}, shared: map[string]*definition[branch]{},
	}
	tree := r.tree(entry{line: root.Line, value: root})
	if err := faults.err(); err != nil {
		return nil, err
	}
	tree.source = bytes.Clone(data)
	return tree, nil
}

// tree reads the file: what is referred to first, wherever it stands.
func (r *reader) tree(e entry) *Tree {
	f := r.fields(e, "tree", "version", "phone", "trades", "codes", "outcomes", "components", "locations")
	t := &Tree{name: f.required("tree"), version: f.required("version"), root: &branch{}}
	if t.name != "" && !isKey(t.name) {
		f.fault("tree", "%s is not a name: 1 to %d of A-Z a-z 0-9 _ -, the first a letter or digit", quoted(t.name), keyMax)
	}
	if t.version != "" && !isVersion(t.version) {
		f.fault("version", "%s is not a version: 1 to %d of A-Z a-z 0-9 . _ -, the first a letter or digit", quoted(t.version), keyMax)
	}
	r.phone = f.telephone()
	r.readTrades(f)
	r.readCodes(f)
	r.define(f)
	if !f.has("locations") {
		f.fault("locations", "locations are missing: the tree leads nowhere")
	}
	for _, location := range f.under("locations", "location") {
		t.root.below = append(t.root.below, r.location(location))
	}
	r.unused()
	if r.ways > waysMax {
		f.fault("locations", "there are more than %d ways to an outcome", waysMax)
	}
	t.codes, t.listed = r.codes, r.listed
	return t
}

func (r *reader) readTrades(f fields) {
	n := f.at["trades"]
	if n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		f.fault("trades", "trades should be a list of at least one")
	}
	for _, trade := range n.Content {
		switch {
		case trade.Kind != yaml.ScalarNode || !isKey(trade.Value):
			r.faults.add(trade.Line, "trades", "%s is not a trade: 1 to %d of A-Z a-z 0-9 _ -", quoted(trade.Value), keyMax)
		case slices.Contains(r.trades, trade.Value):
			r.faults.add(trade.Line, "trades", "%s is listed twice", trade.Value)
		default:
			r.trades = append(r.trades, trade.Value)
		}
	}
}

func (r *reader) readCodes(f fields) {
	n := f.at["codes"]
	if n == nil {
		return
	}
	if n.Kind != yaml.SequenceNode {
		f.fault("codes", "codes should be a list")
		return
	}
	for i, value := range n.Content {
		e := entry{path: fmt.Sprintf("codes/%d", i+1), line: value.Line, value: value}
		c := r.fields(e, "code", "text", "trade")
		code := Code{Code: c.required("code"), Text: c.required("text"), Trade: c.trade()}
		if code.Trade == "" && !c.has("trade") {
			c.fault("trade", "trade is missing")
		}
		switch {
		case code.Code == "":
		case !isCode(code.Code):
			c.fault("code", "%s is not a code: 1 to %d of A-Z a-z 0-9 . _ / -, the first a letter or digit", quoted(code.Code), keyMax)
		case r.listed[code.Code]:
			c.fault("code", "%s is listed twice", code.Code)
		default:
			r.listed[code.Code] = true
			r.codes = append(r.codes, code)
		}
	}
}

// define reads the outcomes and components that have a name of their own.
func (r *reader) define(f fields) {
	for _, e := range f.under("outcomes", "outcome") {
		e.path = "outcomes/" + e.key
		named := r.fields(e, outcomeFields()...)
		if !named.has("outcome") {
			named.fault("outcome", "outcome is missing; there are: %s", list(endings()))
		}
		r.outcomes[e.key] = &definition[Outcome]{entry: e, is: named.outcome()}
	}
	for _, e := range f.under("components", "component") {
		e.path = "components/" + e.key
		is, ways := r.component(e, false)
		r.shared[e.key] = &definition[branch]{entry: e, is: is, ways: ways}
	}
}

// unused refuses what has a name that nothing uses: more likely a slip than a plan.
func (r *reader) unused() {
	for _, d := range r.outcomes {
		if !d.used {
			r.faults.add(d.line, d.path, "nothing uses this outcome")
		}
	}
	for _, d := range r.shared {
		if !d.used {
			r.faults.add(d.line, d.path, "nothing is the same as this component")
		}
	}
}

func (r *reader) location(e entry) *branch {
	f := r.fields(e, "text", "components")
	b := &branch{Choice: Choice{Key: e.key, Text: f.required("text")}}
	if !f.has("components") {
		f.fault("components", "leads nowhere: a location has components")
	}
	for _, component := range f.under("components", "component") {
		below, ways := r.component(component, true)
		b.below = append(b.below, below)
		r.count(ways)
	}
	return b
}

// count adds up ways; it stops at one too many, for large trees must not overflow.
func (r *reader) count(ways int) { r.ways = min(r.ways+ways, waysMax+1) }

// component is one of a location's own, or, where sameAs allows it, one that is shared.
func (r *reader) component(e entry, sameAs bool) (*branch, int) {
	known := append([]string{"text", "faults"}, endFields()...)
	if sameAs {
		known = append(known, "same_as")
	}
	f := r.fields(e, known...)
	switch {
	case f.has("same_as"):
		return r.sameAs(f)
	case f.has("faults"):
		return r.faulty(f)
	}
	return r.end(f)
}

// sameAs is a shared component under a key of its own.
func (r *reader) sameAs(f fields) (*branch, int) {
	for _, name := range append([]string{"text", "faults"}, endFields()...) {
		if f.has(name) {
			f.fault(name, "%s stands beside same_as; all of it is taken from there", name)
		}
	}
	name := f.optional("same_as")
	d := r.shared[name]
	if d == nil {
		if name != "" {
			f.fault("same_as", "%s is not among the components of the file", quoted(name))
		}
		return &branch{}, 0
	}
	d.used = true
	same := *d.is
	same.Key = f.key
	return &same, d.ways
}

func (r *reader) faulty(f fields) (*branch, int) {
	b := &branch{Choice: Choice{Key: f.key, Text: f.required("text")}}
	for _, name := range endFields() {
		if f.has(name) {
			f.fault(name, "%s stands beside faults; it belongs into one of them", name)
		}
	}
	total := 0
	for _, e := range f.under("faults", "fault") {
		below, ways := r.end(r.fields(e, append([]string{"text"}, endFields()...)...))
		b.below = append(b.below, below)
		total = min(total+ways, waysMax+1)
	}
	return b, total
}
