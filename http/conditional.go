package http

import (
	"net/http"
	"strconv"
	"strings"
)

// Conditional is the part of a PUT that says which version the caller has seen.
type Conditional struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the version this changes, from GET or PUT: one, in quotes. Without it a known id accepts only the body it was first given." example:"\"3\""`
}

// expect is the version of If-Match, nil if there is none. "*" is refused: that something exists,
// whatever it says, is no basis for changing it.
func (c Conditional) expect() (*uint64, error) {
	if c.IfMatch == "" {
		return nil, nil //nolint:nilnil // none said is an answer
	}
	digits, quoted := strings.CutPrefix(c.IfMatch, `"`)
	digits, closed := strings.CutSuffix(digits, `"`)
	digits, _, _ = strings.Cut(digits, ".") // what follows is of a representation: the same version at another time
	version, err := strconv.ParseUint(digits, 10, 63)
	if !quoted || !closed || err != nil || digits[0] == '+' {
		return nil, malformed("header.If-Match", `is not one version in quotes, such as "3"; * and lists are not accepted`)
	}
	return &version, nil
}

// etag is a version as an entity tag.
func etag(version string) string { return `"` + version + `"` }

// unchanged says whether the caller already has what would be answered (RFC 9110, 13.1.2: weak
// comparison).
func unchanged(r *http.Request, tag string) bool {
	asked := r.Header.Get("If-None-Match")
	if asked == "" || tag == "" {
		return false
	}
	if strings.TrimSpace(asked) == "*" {
		return true
	}
	for candidate := range strings.SplitSeq(asked, ",") {
		if strings.TrimPrefix(strings.TrimSpace(candidate), "W/") == tag {
			return true
		}
	}
	return false
}

// notModified is an answer without a body, which huma takes for an error.
func notModified() *Problem { return &Problem{Status: http.StatusNotModified} }
