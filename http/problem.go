package http

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// problemBase begins the type of every problem; what follows is its code. It is a relative
// reference (RFC 9457, 3.1.1): resolved against the server it leads to that code in the
// documentation, and clients compare it as text.
const problemBase = "/problems/"

const problemType = "application/problem+json"

// Problem is an answer that says why not, as RFC 9457 has it.
type Problem struct {
	Type   string  `json:"type" doc:"Stable: compare this one" example:"/problems/different"`
	Title  string  `json:"title" doc:"What kind of problem this is" example:"Conflict"`
	Status int     `json:"status" example:"409"`
	Detail string  `json:"detail" doc:"What is wrong with this request"`
	Errors []fault `json:"errors,omitempty" doc:"The parts of the request that are at fault"`

	State   string      `json:"state,omitempty" doc:"Of the repair, where it does not allow what was asked"`
	Allowed []string    `json:"allowed,omitempty" doc:"What it allows the caller now"`
	Slots   []slotShown `json:"slots,omitempty" doc:"The next ones with room, where the one asked for has none"`

	RequestID string `json:"request_id,omitempty" doc:"What to name when reporting a failure of ours"`

	header http.Header // goes with the answer
}

// fault is what is wrong with one part of a request.
type fault struct {
	Location string `json:"location" doc:"body.<member>, query.<name>, path.<name> or header.<name>" example:"body.amount"`
	Message  string `json:"message" example:"has more decimals than the currency"`
}

// newProblem is a problem by its code.
func newProblem(status int, code, detail string, faults ...fault) *Problem {
	return &Problem{
		Type: problemBase + code, Title: title(status), Status: status, Detail: detail, Errors: faults,
	}
}

func title(status int) string {
	if status == statusClientGone {
		return "Client Closed Request"
	}
	return http.StatusText(status)
}

// with adds a header to the answer.
func (p *Problem) with(name, value string) *Problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus makes a Problem what huma takes for an answer.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of the problem, whatever else was accepted.
func (*Problem) ContentType(string) string { return problemType }

// GetHeaders are the headers that belong to the problem.
func (p *Problem) GetHeaders() http.Header { return p.header }

var (
	_ huma.StatusError       = (*Problem)(nil)
	_ huma.HeadersError      = (*Problem)(nil)
	_ huma.ContentTypeFilter = (*Problem)(nil)
)

// write answers with the problem where huma does not.
func (p *Problem) write(w http.ResponseWriter) {
	header := w.Header()
	maps.Copy(header, p.header)
	header.Del("Etag")
	header.Del("Content-Disposition")
	header.Set("Content-Type", problemType)
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and a number
	}
	header.Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // who is gone cannot be told
}

// malformed is a request that cannot be read.
func malformed(location, message string) *Problem {
	return newProblem(http.StatusBadRequest, "malformed", "The request cannot be read.", fault{location, message})
}

// invalid is a request that can be read and makes no sense.
func invalid(location, message string) *Problem {
	return newProblem(http.StatusUnprocessableEntity, "invalid", "The request cannot be accepted as it is.",
		fault{location, message})
}

// notFound is the one answer for what does not exist and what is not the caller's to see.
func notFound() *Problem {
	return newProblem(http.StatusNotFound, "not-found", "There is no such thing, or it is not yours to see.")
}

// fromSchema turns what huma says about a request that does not fit the API's description into one
// of our problems. The values at fault are left out: they may be personal.
func fromSchema(ctx huma.Context, _ string, v any) (any, error) {
	said, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	callOf(ctx.Context()).atHead()
	p := newProblem(said.Status, "invalid", "The request cannot be accepted as it is.")
	if said.Status == http.StatusBadRequest {
		p = newProblem(said.Status, "malformed", "The request cannot be read.")
	}
	for _, e := range said.Errors {
		if e != nil {
			p.Errors = append(p.Errors, fault{e.Location, sentence(e)})
		}
	}
	if len(p.Errors) == 0 {
		p.Errors = append(p.Errors, fault{"body", said.Detail})
	}
	return p, nil
}

// sentence is what is wrong, in words that help whoever wrote the request.
func sentence(e *huma.ErrorDetail) string {
	if _, number := e.Value.(float64); number && strings.HasPrefix(e.Message, "expected string") {
		return "is a number; write it as a JSON string: \"450.00\""
	}
	return e.Message
}
