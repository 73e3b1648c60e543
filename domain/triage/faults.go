package triage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is a mistake in a file: its line, the path to it by keys ("kitchen/sink/taps", empty for the
// file as a whole), and a sentence.
type Fault struct {
	Line int
	Path string
	Text string
}

// String is "line 12: kitchen/sink/taps: …".
func (f Fault) String() string {
	if f.Path == "" {
		return fmt.Sprintf("line %d: %s", f.Line, f.Text)
	}
	return fmt.Sprintf("line %d: %s: %s", f.Line, f.Path, f.Text)
}

// Warning is something that a person should look at, although the file can be used.
type Warning Fault

// String is "line 12: kitchen/sink/taps: …".
func (w Warning) String() string { return Fault(w).String() }

// Faults are all mistakes of a file, by line; of more than faultsMax, the first found.
type Faults []Fault

// Error has one line for each mistake.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// faultsMax bounds what is told at once, for 4 MiB of something else has millions.
const faultsMax = 1000

func (f *Faults) add(line int, path, format string, args ...any) {
	switch {
	case len(*f) > faultsMax:
		return
	case len(*f) == faultsMax:
		path, format, args = "", "there are more mistakes than the %d told here", []any{faultsMax}
	}
	*f = append(*f, Fault{Line: line, Path: path, Text: fmt.Sprintf(format, args...)})
}

// err is nil without mistakes.
func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path))
	})
	return f
}

// listMax is how many words a sentence lists before it gives up.
const listMax = 40

// list is the words as part of a sentence.
func list[S ~string](words []S) string {
	var b strings.Builder
	for i, word := range words {
		if i == listMax {
			fmt.Fprintf(&b, " and %d more", len(words)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}

// quoteMax is how much of somebody's text a sentence repeats, in bytes.
const quoteMax = 64

// quoted repeats a word of the file, shortened.
func quoted(s string) string {
	if len(s) > quoteMax {
		s = strings.ToValidUTF8(s[:quoteMax], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}
