package triage

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
)

// member is a value of a mapping with its key, or the mapping itself: an object, or a code.
type member struct {
	key, path string
	line      int
	code      string
	object    bool
	inside    []member
}

// source reads JSON token by token, for encoding/json keeps neither lines nor order nor what is
// given twice.
type source struct {
	faults *Faults
	data   []byte
	tokens *json.Decoder
	line   int
	read   int
	depth  int
}

// members reads a whole mapping.
func members(faults *Faults, data []byte) member {
	if *faults = append(*faults, fits(data)...); len(*faults) > 0 {
		return member{}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		faults.add(lineOf(data, err), "", "this is not JSON: %v", err)
		return member{}
	}
	s := &source{faults: faults, data: data, tokens: json.NewDecoder(bytes.NewReader(data)), line: 1}
	return s.value(member{line: 1})
}

func lineOf(data []byte, err error) int {
	at := len(data)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = min(at, int(syntax.Offset))
	}
	return 1 + bytes.Count(data[:at], []byte("\n"))
}

// next is a token and its line. It cannot fail: the whole has been checked.
func (s *source) next() json.Token {
	token, err := s.tokens.Token()
	if err != nil {
		return nil
	}
	end := int(s.tokens.InputOffset())
	s.line += bytes.Count(s.data[s.read:end], []byte("\n"))
	s.read = end
	return token
}

// value reads what stands for m.
func (s *source) value(m member) member {
	switch token := s.next().(type) {
	case string:
		m.code = token
	case nil:
	case json.Delim:
		return s.object(m, token)
	default:
		s.faults.add(s.line, m.path, "a code is a text in quotes")
	}
	return m
}

// object reads what is inside of m. What is too deep or has no proper key is left out at once, so that
// the paths of a hostile file stay short.
func (s *source) object(m member, start json.Delim) member {
	if start == '[' || s.depth == len(parts()) {
		s.faults.add(s.line, m.path, "here should be a code; a mapping goes from location over problem and issue to a code")
		s.skip()
		return m
	}
	s.depth++
	m.object = true
	seen := map[string]bool{}
	for s.tokens.More() {
		key, _ := s.next().(string)
		in := member{key: key, path: m.path, line: s.line}
		if isKey(key) {
			in.path = join(m.path, key)
		} else {
			s.faults.add(s.line, m.path, "%s cannot be kept as a key: 1 to %d of A-Z a-z 0-9 _ -, the first a letter or digit", quoted(key), keyMax)
		}
		if seen[key] {
			s.faults.add(s.line, in.path, "this key is there twice")
		}
		seen[key] = true
		m.inside = append(m.inside, s.value(in))
	}
	s.next()
	s.depth--
	return m
}

// skip leaves a list or object that has been entered.
func (s *source) skip() {
	for depth := 1; depth > 0; {
		token, ok := s.next().(json.Delim)
		switch {
		case !ok:
		case token == '{' || token == '[':
			depth++
		default:
			depth--
		}
	}
}

// phrase makes a text of a key: "wallsFloorsCeiling" is "Walls floors ceiling", "backDoorUPVC" "Back
// door UPVC".
func phrase(key string) string {
	var words []string
	for part := range strings.FieldsFuncSeq(key, func(r rune) bool { return r == '_' || r == '-' }) {
		words = append(words, humps(part)...)
	}
	for i, word := range words {
		switch {
		case strings.ToUpper(word) == word && len(word) > 1:
		case i == 0:
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		default:
			words[i] = strings.ToLower(word)
		}
	}
	return strings.Join(words, " ")
}

// humps cuts before a capital that follows a small letter or a digit, or that starts a word after
// other capitals ("UPVCDoor").
func humps(s string) []string {
	var words []string
	start := 0
	for i := 1; i < len(s); i++ {
		follows := !unicode.IsUpper(rune(s[i-1]))
		starts := i+1 < len(s) && unicode.IsLower(rune(s[i+1]))
		if unicode.IsUpper(rune(s[i])) && (follows || starts) {
			words = append(words, s[start:i])
			start = i
		}
	}
	return append(words, s[start:])
}

// ParseTrades reads which trade the codes with a prefix belong to: CSV with the header prefix,trade.
// It fails with Faults.
func ParseTrades(data []byte) (map[string]string, error) {
	faults := fits(data)
	if len(faults) > 0 {
		return nil, faults.err()
	}
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil || strings.Join(header, ",") != "prefix,trade" {
		faults.add(1, "", "the first line should be prefix,trade")
		return nil, faults.err()
	}
	trades := map[string]string{}
	for more := true; more; {
		more = trade(&faults, rows, trades)
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	return trades, nil
}

// trade reads one row and says whether there may be more. Reading bytes fails at their end only.
func trade(faults *Faults, rows *csv.Reader, trades map[string]string) bool {
	row, err := rows.Read()
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		faults.add(wrong.Line, "", "this is not CSV: %v", wrong.Err)
		return false
	}
	if err != nil {
		return false
	}
	line, _ := rows.FieldPos(0)
	switch {
	case len(row) != 2:
		faults.add(line, "", "a row is a prefix and a trade; this one has %d fields", len(row))
	case !isCode(row[0]):
		faults.add(line, "", "%s is not how a code starts", quoted(row[0]))
	case !isKey(row[1]):
		faults.add(line, row[0], "%s is not a trade: 1 to %d of A-Z a-z 0-9 _ -, the first a letter or digit", quoted(row[1]), keyMax)
	case trades[row[0]] != "":
		faults.add(line, row[0], "this prefix is there twice")
	default:
		trades[row[0]] = row[1]
	}
	return true
}
