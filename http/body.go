package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// Bounds of a body, in bytes. A calendar may hold two centuries of days, a price list thousands of codes.
const (
	bodyMax = 64 << 10
	listMax = 1 << 20
)

// strict reads the body and refuses what huma would let pass: another type than JSON, two members
// of one name (readers differ on which counts), and names in another case than described.
func strict(most int, members []string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, _ := humachi.Unwrap(ctx)
		body, err := readBody(r, most)
		if err == nil {
			err = checkMembers(body, members)
		}
		if err != nil {
			callOf(r.Context()).fail(err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next(ctx)
	}
}

func readBody(r *http.Request, most int) ([]byte, error) {
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, newProblem(http.StatusUnsupportedMediaType, "media-type", "Send the body as application/json.",
			fault{"header.Content-Type", "is not application/json"})
	}
	if r.ContentLength > int64(most) {
		return nil, tooLarge(most)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(most)+1))
	switch {
	case err != nil:
		return nil, brokenOff(err)
	case len(body) > most:
		return nil, tooLarge(most)
	case len(bytes.TrimSpace(body)) == 0:
		return nil, malformed("body", "is missing: send a JSON object")
	}
	return body, nil
}

// brokenOff is a body that did not come to its end.
func brokenOff(err error) *Problem {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return newProblem(http.StatusRequestTimeout, "timeout", "The body did not arrive in time.").with("Connection", "close")
	}
	return malformed("body", "ended before it was complete").with("Connection", "close")
}

// isJSON accepts application/json alone, with or without parameters. A body without a type is not
// guessed at: browsers send such across origins without asking.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	kind, parameters, err := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	return err == nil && kind == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

func tooLarge(most int) *Problem {
	return newProblem(http.StatusRequestEntityTooLarge, "too-large", fmt.Sprintf("The body is larger than %d bytes.", most),
		fault{"body", "is too large"}).with("Connection", "close") // nobody reads the rest
}

// checkMembers refuses a body that is not one JSON object, and members that are not known or come
// twice.
func checkMembers(body []byte, members []string) error {
	if !utf8.Valid(body) {
		return malformed("body", "is not UTF-8")
	}
	if !json.Valid(body) {
		return malformed("body", notJSON(body))
	}
	if bytes.TrimSpace(body)[0] != '{' {
		return invalid("body", "is not a JSON object")
	}
	seen := make([]bool, len(members))
	var faults []fault
	for name := range memberNames(body) {
		switch i := indexOf(members, name); {
		case i < 0:
			faults = append(faults, fault{"body." + printable(name), "is not known here"})
		case seen[i]:
			faults = append(faults, fault{"body." + printable(name), "comes more than once"})
		default:
			seen[i] = true
		}
	}
	if twice := twiceInside(body); twice != "" && faults == nil {
		faults = append(faults, fault{"body", "has a member more than once further in: " + printable(twice)})
	}
	if faults != nil {
		return newProblem(http.StatusUnprocessableEntity, "invalid", "The request cannot be accepted as it is.", faults...)
	}
	return nil
}

// twiceInside is a name that an object below the top level of valid JSON has twice; empty if none has.
func twiceInside(body []byte) string {
	type level struct {
		names map[string]bool // nil: a list
		value bool            // the next token is one
	}
	var levels []level
	decoder := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return ""
		}
		top := len(levels) - 1
		name, text := token.(string)
		if text && top >= 0 && levels[top].names != nil && !levels[top].value {
			if levels[top].names[name] && top > 0 {
				return name
			}
			levels[top].names[name], levels[top].value = true, true
			continue
		}
		if top >= 0 {
			levels[top].value = false
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{names: map[string]bool{}})
		case json.Delim('['):
			levels = append(levels, level{})
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:top]
		}
	}
}

// notJSON says where the JSON goes wrong.
func notJSON(body []byte) string {
	var whatever json.RawMessage
	err := json.Unmarshal(body, &whatever)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("is not JSON: %s, at byte %d", strings.ToLower(syntax.Error()), syntax.Offset)
	}
	return "is not JSON"
}

// memberNames yields the names at the top level of a valid JSON object, as they are written.
func memberNames(object []byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		depth, naming := 0, false
		for i := 0; i < len(object); i++ {
			switch object[i] {
			case '{', '[':
				depth++
				naming = depth == 1
			case '}', ']':
				depth--
			case ',':
				naming = depth == 1
			case '"':
				start := i + 1
				for i++; object[i] != '"'; i++ {
					if object[i] == '\\' {
						i++
					}
				}
				if naming && !yield(string(object[start:i])) {
					return
				}
				naming = false
			}
		}
	}
}

func indexOf(members []string, name string) int {
	for i, member := range members {
		if member == name {
			return i
		}
	}
	return -1
}

// printable is a name as it may be shown again: somebody may have put a value where a name belongs.
func printable(name string) string {
	const most = 40
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}

// membersOf lists the JSON members of the Body of an input.
func membersOf(input reflect.Type) []string {
	body, ok := input.FieldByName("Body")
	if !ok {
		return nil
	}
	var names []string
	for field := range body.Type.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
