package clock

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"rentbook/domain"
)

// Fault is one mistake in a policy: on which line, at which place in the tree, and what is wrong.
type Fault struct {
	Line int
	Path string
	Text string
}

// Faults is every mistake of a policy, in the order of lines.
type Faults []Fault

func (f Faults) Error() string {
	said := make([]string, 0, len(f))
	for _, fault := range f {
		said = append(said, fmt.Sprintf("line %d: %s: %s", fault.Line, fault.Path, fault.Text))
	}
	return strings.Join(said, "\n")
}

// Bounds of what is read and said: one piece of text, in bytes, and the mistakes of one file.
const (
	textMax   = 2000
	faultsMax = 1000
)

// reader walks a tree of YAML and keeps every mistake it meets.
type reader struct{ faults Faults }

// place is a node and the way to it. Without a node it is a field that was not given; reading that
// yields nothing, and no fault.
type place struct {
	node *yaml.Node
	path string
	name string // of an entry: its key
}

func (p place) given() bool { return p.node != nil }

func (r *reader) fault(at place, format string, args ...any) {
	if len(r.faults) == faultsMax {
		return
	}
	line := 1
	if at.given() {
		line = max(at.node.Line, 1)
	}
	r.faults = append(r.faults, Fault{Line: line, Path: cmp.Or(at.path, "policy"), Text: fmt.Sprintf(format, args...)})
}

// sorted is the faults by line, nil if there are none.
func (r *reader) sorted() error {
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(r.faults, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return r.faults
}

// document is the one document in the data. Aliases are refused, as they make a small file large
// and a short one hard to read.
func (r *reader) document(data []byte) (root place, ok bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := decoder.Decode(&first); err != nil {
		r.unreadable(err)
		return place{}, false
	}
	if err := decoder.Decode(&second); err == nil {
		r.fault(place{node: &second}, "is a second document")
	} else if strings.HasPrefix(err.Error(), "yaml:") { // anything else is the end
		r.unreadable(err)
	}
	r.refuseAliases(&first)
	if len(r.faults) > 0 || len(first.Content) != 1 {
		return place{}, false
	}
	return place{node: first.Content[0]}, true
}

// unreadable finds the line that the YAML library names in its text only.
func (r *reader) unreadable(err error) {
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if found := regexp.MustCompile(`line (\d+): `).FindStringSubmatch(text); found != nil {
		line, _ = strconv.Atoi(found[1])
		text = strings.Replace(text, found[0], "", 1)
	}
	if text == "EOF" {
		text = "is empty"
	}
	r.fault(place{node: &yaml.Node{Line: line}}, "%s", text)
}

func (r *reader) refuseAliases(node *yaml.Node) {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		r.fault(place{node: node}, "has an alias or an anchor")
	}
	for _, child := range node.Content {
		r.refuseAliases(child)
	}
}

// entries is the keys of a mapping with their values, in order; a key is there once.
func (r *reader) entries(at place) []place {
	if !at.given() {
		return nil
	}
	if at.node.Kind != yaml.MappingNode || at.node.ShortTag() != "!!map" {
		r.fault(at, "is not a mapping")
		return nil
	}
	var entries []place
	seen := map[string]bool{}
	for i := 0; i+1 < len(at.node.Content); i += 2 {
		key, node := at.node.Content[i], at.node.Content[i+1]
		entry := place{node: node, path: strings.TrimPrefix(at.path+"."+key.Value, "."), name: key.Value}
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fault(place{node: key, path: at.path}, "has a key that is not a word")
		case seen[key.Value]:
			r.fault(place{node: key, path: entry.path}, "is there twice")
		default:
			entries = append(entries, entry)
		}
		seen[key.Value] = true
	}
	return entries
}

// fields is the entries of a mapping by name; a name that is not known is a fault.
func (r *reader) fields(at place, known ...string) map[string]place {
	fields := map[string]place{}
	for _, entry := range r.entries(at) {
		if slices.Contains(known, entry.name) {
			fields[entry.name] = entry
		} else {
			r.fault(entry, "is not a field known here; there are %s", strings.Join(known, ", "))
		}
	}
	return fields
}

// required says that the fields must be there.
func (r *reader) required(at place, fields map[string]place, names ...string) {
	for _, name := range names {
		if at.given() && at.node.Kind == yaml.MappingNode && !fields[name].given() {
			r.fault(place{node: at.node, path: strings.TrimPrefix(at.path+"."+name, ".")}, "is required")
		}
	}
}

// items is the elements of a list.
func (r *reader) items(at place) []place {
	if !at.given() {
		return nil
	}
	if at.node.Kind != yaml.SequenceNode || at.node.ShortTag() != "!!seq" {
		r.fault(at, "is not a list")
		return nil
	}
	items := make([]place, 0, len(at.node.Content))
	for i, node := range at.node.Content {
		items = append(items, place{node: node, path: fmt.Sprintf("%s[%d]", at.path, i)})
	}
	if len(items) == 0 {
		r.fault(at, "is an empty list")
	}
	return items
}

// scalar is the text of a plain value of one of the tags.
func (r *reader) scalar(at place, what string, tags ...string) (string, bool) {
	if !at.given() {
		return "", false
	}
	if at.node.Kind != yaml.ScalarNode || !slices.Contains(tags, at.node.ShortTag()) {
		r.fault(at, "is not %s", what)
		return "", false
	}
	return at.node.Value, true
}

func (r *reader) text(at place) string {
	text, ok := r.scalar(at, "text", "!!str")
	switch {
	case !ok:
	case strings.TrimSpace(text) == "":
		r.fault(at, "is empty")
	case len(text) > textMax:
		r.fault(at, "is longer than %d bytes", textMax)
	}
	return text
}

// word is a name of ours (isWord).
func (r *reader) word(at place) string {
	text, ok := r.scalar(at, "a word", "!!str")
	if ok && !isWord(text) {
		r.fault(at, "is not a word of a-z 0-9 _, the first a letter")
	}
	return text
}

// isWord says whether s is up to 100 lower-case letters, digits and underscores, the first a letter.
func isWord(s string) bool {
	const letters, others = "abcdefghijklmnopqrstuvwxyz", "0123456789_"
	return s != "" && len(s) <= 100 && strings.Contains(letters, s[:1]) && strings.Trim(s, letters+others) == ""
}

// isName says whether s is up to 100 bytes of words with dots between.
func isName(s string) bool {
	return len(s) <= 100 && !slices.ContainsFunc(strings.Split(s, "."), func(word string) bool { return !isWord(word) })
}

func (r *reader) words(at place) []string {
	var list []string
	seen := map[string]bool{}
	for _, item := range r.items(at) {
		word := r.word(item)
		if seen[word] {
			r.fault(item, "is there twice")
		}
		seen[word] = true
		list = append(list, word)
	}
	return list
}

func (r *reader) date(at place) domain.Date {
	text, ok := r.scalar(at, "a date, as YYYY-MM-DD", "!!timestamp", "!!str")
	if !ok {
		return 0
	}
	date, err := domain.ParseDate(text)
	if err != nil {
		r.fault(at, "%s", err)
	}
	return date
}

// number is a plain whole number within bounds.
func (r *reader) number(at place, least, most int) int {
	text, ok := r.scalar(at, "a whole number", "!!int")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most || strconv.Itoa(n) != text {
		r.fault(at, "is not a plain whole number from %d to %d", least, most)
	}
	return n
}

func (r *reader) flag(at place) bool {
	text, ok := r.scalar(at, "true or false", "!!bool")
	return ok && strings.EqualFold(text, "true")
}

// money is "250.00 GBP".
func (r *reader) money(at place) domain.Money {
	text, ok := r.scalar(at, "an amount such as 250.00 GBP", "!!str")
	if !ok {
		return domain.Money{}
	}
	digits, code, _ := strings.Cut(text, " ")
	amount, err := domain.ParseAmount(digits)
	if err != nil {
		r.fault(at, "%s", err)
		return domain.Money{}
	}
	m, err := amount.In(domain.Currency(code))
	if err != nil {
		r.fault(at, "%s", err)
	}
	return m
}
