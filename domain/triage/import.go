package triage

import (
	"bytes"
	"slices"

	"go.yaml.in/yaml/v3"
)

// tradeOther is the trade of a code that no prefix speaks for.
const tradeOther = "general"

// ImportOptions say what a mapping does not.
type ImportOptions struct {
	// Name and Version of the tree; Version is that of the landlord's mapping.
	Name, Version string

	// Trades are by prefix of the code, the longest counts. Other codes are "general".
	Trades map[string]string

	// Trade is that of leaves without a code, which a person must look at: "general" unless given.
	Trade string

	// Priority of every repair: "normal" unless given. The mapping knows none.
	Priority Priority
}

// Import makes the file of a tree from a landlord's mapping: nested JSON objects from location over
// problem to a code, or over problem and issue to a code. Every key and code stays as it is, in the
// order of the mapping. A leaf without a code becomes work that needs a person, with a warning. What
// comes back parses; err is Faults, with lines of the mapping.
func Import(mapping []byte, o ImportOptions) (file []byte, warnings []Warning, err error) {
	var faults Faults
	o.check(&faults)
	top := members(&faults, mapping)
	if err := faults.err(); err != nil {
		return nil, nil, err
	}
	m := importer{ImportOptions: o, faults: &faults, seen: map[string]bool{}}
	tree := m.tree(top)
	if err := faults.err(); err != nil {
		return nil, nil, err
	}
	if file, err = write(tree); err != nil {
		return nil, nil, err
	}
	if _, err := Parse(file); err != nil {
		return nil, nil, err
	}
	return file, m.warnings, nil
}

func (o *ImportOptions) check(faults *Faults) {
	if !isKey(o.Name) {
		faults.add(1, "", "%s is not a name for a tree: 1 to %d of A-Z a-z 0-9 _ -, the first a letter or digit", quoted(o.Name), keyMax)
	}
	if !isVersion(o.Version) {
		faults.add(1, "", "%s is not a version: 1 to %d of A-Z a-z 0-9 . _ -, the first a letter or digit", quoted(o.Version), keyMax)
	}
	if o.Trade == "" {
		o.Trade = tradeOther
	}
	if o.Priority == "" {
		o.Priority = PriorityNormal
	}
	if !slices.Contains(Priorities(), o.Priority) {
		faults.add(1, "", "%s is not a priority; there are: %s", quoted(string(o.Priority)), list(Priorities()))
	}
	if !isKey(o.Trade) {
		faults.add(1, "", "%s is not a trade", quoted(o.Trade))
	}
	for prefix, trade := range o.Trades {
		if prefix == "" || !isKey(trade) {
			faults.add(1, "", "%s for the prefix %s is not a trade for a prefix", quoted(trade), quoted(prefix))
		}
	}
}

// trade is that of the longest prefix.
func (o ImportOptions) trade(code string) string {
	for n := len(code); n > 0; n-- {
		if trade, ok := o.Trades[code[:n]]; ok {
			return trade
		}
	}
	return tradeOther
}

// importer makes the parts of a tree's file.
type importer struct {
	ImportOptions
	faults   *Faults
	warnings []Warning
	seen     map[string]bool
	codes    []*yaml.Node
}

func (m *importer) tree(top member) *yaml.Node {
	locations := m.inside(top, 0, func(location member) *yaml.Node {
		return object(pair{"text", text(phrase(location.key))}, pair{"components", m.inside(location, 1, m.component)})
	})
	return object(
		pair{"tree", text(m.Name)}, pair{"version", text(m.Version)},
		pair{"codes", sequence(m.codes...)}, pair{"locations", locations},
	)
}

func (m *importer) component(c member) *yaml.Node {
	place := phrase(c.key)
	if !c.object {
		return m.leaf(c, place)
	}
	faults := m.inside(c, 2, func(fault member) *yaml.Node { return m.leaf(fault, place+": "+phrase(fault.key)) })
	return object(pair{"text", text(place)}, pair{"faults", faults})
}

// inside makes a map of what is in a member at a depth: a location, a component or a fault.
func (m *importer) inside(of member, depth int, convert func(member) *yaml.Node) *yaml.Node {
	what, n := parts()[depth], &yaml.Node{Kind: yaml.MappingNode}
	switch {
	case !of.object:
		m.faults.add(of.line, of.path, "here should be an object with at least one %s", what)
	case len(of.inside) == 0:
		m.faults.add(of.line, of.path, "this is empty; there should be at least one %s", what)
	}
	for _, in := range of.inside {
		n.Content = append(n.Content, text(in.key), convert(in))
	}
	return n
}

// leaf is where a code stands, or should. Its place says what the code is for, the first time.
func (m *importer) leaf(l member, place string) *yaml.Node {
	trade, last := m.Trade, pair{"needs_person", &yaml.Node{Kind: yaml.ScalarNode, Value: "true"}}
	switch {
	case l.code == "":
		m.warnings = append(m.warnings, Warning{Line: l.line, Path: l.path, Text: "there is no code; a person must decide what to order"})
	case !isCode(l.code):
		m.faults.add(l.line, l.path, "%s cannot be kept as a code: 1 to %d of A-Z a-z 0-9 . _ / -, the first a letter or digit", quoted(l.code), keyMax)
	default:
		m.list(l.code, place)
		trade, last = m.trade(l.code), pair{"sor", sequence(text(l.code))}
	}
	return flow(object(
		pair{"text", text(phrase(l.key))}, pair{"outcome", text(string(Landlord))},
		pair{"trade", text(trade)}, pair{"priority", text(string(m.Priority))}, last,
	))
}

func (m *importer) list(code, place string) {
	if m.seen[code] {
		return
	}
	m.seen[code] = true
	m.codes = append(m.codes, flow(object(pair{"code", text(code)}, pair{"text", text(place)}, pair{"trade", text(m.trade(code))})))
}

// pair is a key of the file and what stands there.
type pair struct {
	key   string
	value *yaml.Node
}

func object(pairs ...pair) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range pairs {
		n.Content = append(n.Content, text(p.key), p.value)
	}
	return n
}

func sequence(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: items}
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// flow puts a map on one line.
func flow(n *yaml.Node) *yaml.Node {
	n.Style = yaml.FlowStyle
	return n
}

func write(tree *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(tree); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
