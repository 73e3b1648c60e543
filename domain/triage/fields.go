package triage

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// textMax is how long a text may be, in characters: longer than anybody reads while water runs.
const textMax = 2000

// keyMax is how long a key may be.
const keyMax = 64

// isKey accepts [A-Za-z0-9][A-Za-z0-9_-]{0,63}.
func isKey(s string) bool { return isWord(s, "_-") }

func isWord(s, others string) bool {
	if s == "" || len(s) > keyMax {
		return false
	}
	for i := range len(s) {
		b := s[i]
		plain := 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
		if !plain && (i == 0 || strings.IndexByte(others, b) < 0) {
			return false
		}
	}
	return true
}

// isCode accepts what schedules of rates use: [A-Za-z0-9][A-Za-z0-9._/-]{0,63}.
func isCode(s string) bool { return isWord(s, "._/-") }

// isVersion accepts [A-Za-z0-9][A-Za-z0-9._-]{0,63}.
func isVersion(s string) bool { return isWord(s, "._-") }

// entry is a key of a map with its value and where it is.
type entry struct {
	key, path string
	line      int
	value     *yaml.Node
}

// fields are the known fields of one entry, by name.
type fields struct {
	*reader
	entry
	at map[string]*yaml.Node
}

// fields reads a map whose keys are names of ours, and refuses others.
func (r *reader) fields(e entry, known ...string) fields {
	f := fields{reader: r, entry: e, at: map[string]*yaml.Node{}}
	if e.value.Kind != yaml.MappingNode {
		r.faults.add(e.line, e.path, "here should be fields (%s)", list(known))
		return f
	}
	for i := 0; i+1 < len(e.value.Content); i += 2 {
		name, value := e.value.Content[i], e.value.Content[i+1]
		switch {
		case !slices.Contains(known, name.Value):
			r.faults.add(name.Line, e.path, "%s is not a field here; there are: %s", quoted(name.Value), list(known))
		case f.at[name.Value] != nil:
			r.faults.add(name.Line, e.path, "%s is given twice", name.Value)
		default:
			f.at[name.Value] = value
		}
	}
	return f
}

// under is the entries of the map in a field, in their order. What says what they are.
func (f fields) under(name, what string) []entry {
	n := f.at[name]
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		f.faults.add(n.Line, f.path, "%s should be a map with at least one %s", name, what)
		return nil
	}
	var entries []entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		e := entry{key: key.Value, path: join(f.path, key.Value), line: key.Line, value: n.Content[i+1]}
		switch {
		case key.Kind != yaml.ScalarNode || !isKey(key.Value):
			f.faults.add(key.Line, f.path, "%s is not a key: 1 to %d of A-Z a-z 0-9 _ -, the first a letter or digit", quoted(key.Value), keyMax)
		case seen[key.Value]:
			f.faults.add(key.Line, e.path, "there are two of this %s", what)
		default:
			seen[key.Value] = true
			entries = append(entries, e)
		}
	}
	return entries
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "/" + key
}

// has says whether the field is there at all.
func (f fields) has(name string) bool { return f.at[name] != nil }

// fault is one about a field.
func (f fields) fault(name, format string, args ...any) {
	line := f.line
	if n := f.at[name]; n != nil {
		line = n.Line
	}
	f.faults.add(line, f.path, format, args...)
}

// optional is the text in a field, empty without one.
func (f fields) optional(name string) string {
	n := f.at[name]
	if n == nil {
		return ""
	}
	text := strings.TrimSpace(n.Value)
	switch {
	case n.Kind != yaml.ScalarNode:
		f.fault(name, "%s should be a text", name)
	case text == "" || n.Tag == "!!null":
		f.fault(name, "%s is empty", name)
	case utf8.RuneCountInString(text) > textMax:
		f.fault(name, "%s is longer than %d characters", name, textMax)
	case strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }):
		f.fault(name, "%s has characters that cannot be shown", name)
	default:
		return text
	}
	return ""
}

// required is the text in a field that must be there.
func (f fields) required(name string) string {
	if !f.has(name) {
		f.fault(name, "%s is missing", name)
	}
	return f.optional(name)
}

// oneOf is the word in a field, one of those known, or empty. It is a function since methods cannot
// be generic.
func oneOf[S ~string](f fields, name string, known []S) S {
	word := S(f.optional(name))
	if word != "" && !slices.Contains(known, word) {
		f.fault(name, "%s is not a known %s; there are: %s", quoted(string(word)), name, list(known))
		return ""
	}
	return word
}
