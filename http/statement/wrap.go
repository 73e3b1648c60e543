package statement

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// clean makes a text fit for a terminal and for paper: without control characters, with which a
// description could move the cursor or paint over amounts, and without the marks that
// reverse the direction of writing. Any run of spaces and line ends becomes one space.
func clean(s string) string {
	if tidy(s) {
		return s
	}
	visible := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == '\u200C' || r == '\u200D': // they join letters in Persian and Hindi names
			return r
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(visible), " ")
}

// tidy says that s is printable ASCII with single spaces, as most texts are.
func tidy(s string) bool {
	space := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || (c == ' ' && space) {
			return false
		}
		space = c == ' '
	}
	return s == "" || !space
}

// wrap breaks a cleaned text into lines no wider than width, between words where it can and
// between characters as people see them where it must. Nothing but spaces at breaks is left out.
// measure must be additive.
func wrap(s string, width float64, measure func(string) float64) []string {
	if s != "" && measure(s) <= width {
		return []string{s}
	}
	space := measure(" ")
	var lines []string
	var line strings.Builder
	var used float64
	for word := range strings.FieldsSeq(s) {
		w := measure(word)
		if line.Len() > 0 && used+space+w <= width {
			line.WriteString(" " + word)
			used += space + w
			continue
		}
		if line.Len() > 0 {
			lines = append(lines, line.String())
			line.Reset()
		}
		var parts []string
		parts, word, w = split(word, width, measure)
		lines = append(lines, parts...)
		line.WriteString(word)
		used = w
	}
	if line.Len() > 0 {
		lines = append(lines, line.String())
	}
	return lines
}

// split breaks a word that is wider than a line into full lines and the rest.
func split(word string, width float64, measure func(string) float64) (full []string, rest string, used float64) {
	if w := measure(word); w <= width {
		return nil, word, w
	}
	start, at := 0, 0
	for characters := uniseg.NewGraphemes(word); characters.Next(); {
		character := characters.Str()
		w := measure(character)
		if at > start && used+w > width {
			full = append(full, word[start:at])
			start, used = at, 0
		}
		at += len(character)
		used += w
	}
	return full, word[start:], used
}
