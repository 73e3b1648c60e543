package eventstore

import (
	"bytes"
	"errors"
)

var errNotAnObject = errors.New("the event is not a JSON object")

// rewrite copies a JSON object and lets replace change the values of its members. It knows just
// enough JSON to find where top-level members begin and end, and keeps every other byte and the
// order: a decoder into a map would lose both.
func rewrite(object []byte, replace func(name, value []byte) ([]byte, error)) ([]byte, error) {
	in := bytes.TrimSpace(object)
	if len(in) < 2 || in[0] != '{' || in[len(in)-1] != '}' {
		return nil, errNotAnObject
	}
	out := make([]byte, 0, len(in)+128)
	out = append(out, '{')
	for rest := bytes.TrimSpace(in[1 : len(in)-1]); len(rest) > 0; {
		name, after, ok := cutString(rest)
		if !ok || len(after) == 0 || after[0] != ':' {
			return nil, errNotAnObject
		}
		length := valueLength(after[1:])
		value, err := replace(name, bytes.TrimSpace(after[1:1+length]))
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(append(out, '"'), name...), `":`...), value...)
		rest = after[1+length:]
		if len(rest) > 0 { // a comma
			if rest = bytes.TrimSpace(rest[1:]); len(rest) == 0 {
				return nil, errNotAnObject
			}
		}
	}
	return append(out, '}'), nil
}

// cutString takes the string that b begins with, without its quotes, and what follows it.
func cutString(b []byte) (text, after []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	end := stringLength(b)
	if end < 2 {
		return nil, nil, false
	}
	return b[1 : end-1], bytes.TrimLeft(b[end:], " \t\r\n"), true
}

// stringLength is the length of the string that b begins with, quotes included, 0 if it has no
// end.
func stringLength(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// valueLength is how far the value at the beginning of b reaches: to the next comma outside of
// strings, objects and arrays.
func valueLength(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			length := stringLength(b[i:])
			if length == 0 {
				return len(b)
			}
			i += length - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}
