package http

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rentbook/commands"
	"rentbook/projections"
)

const base = "/api/v1"

// row is one line of the table of routes.
type row struct {
	method, path, summary string
	who                   audience
	bodyMax               int               // of a JSON body; 0: there is none
	upload                *huma.RequestBody // another body than JSON
	types                 []string          // of a streamed answer
	statuses              []int             // of good answers; the first is the usual one
}

// put is a row that carries out a command on something the caller names.
func put[I, C any, P interface {
	*I
	expect() (*uint64, error)
	command() C
}](s *Server, path, summary string, carryOut func(context.Context, commands.Meta, C) (commands.Receipt, error)) {
	most := bodyMax
	if strings.HasPrefix(path, "/calendars/") || strings.HasPrefix(path, "/contractors/") {
		most = listMax
	}
	r := row{method: http.MethodPut, path: path, summary: summary, who: writers, bodyMax: most, statuses: []int{http.StatusCreated}}
	register(s, r, func(ctx context.Context, in *I) (*answer[receipt], error) {
		c := callOf(ctx)
		expect, err := P(in).expect()
		if err != nil {
			return nil, c.problem(err)
		}
		done, err := carryOut(ctx, c.meta(expect), P(in).command())
		if err != nil {
			return nil, c.problem(err)
		}
		return &answer[receipt]{Status: http.StatusCreated, Body: c.receipt(done)}, nil
	})
}

// receipt is what every write answers with: where its facts are. A repetition answers the same.
type receipt struct {
	Position string `json:"position" doc:"Place in the log; send it as Rentbook-Min-Position to read what this wrote" example:"1042"`
	Version  uint64 `json:"version" doc:"Of the thing written to; its ETag" example:"3"`
}

func (c *call) receipt(done commands.Receipt) receipt {
	said := receipt{Position: done.Position.String(), Version: done.Version}
	header := c.Header()
	header["Rentbook-Position"] = []string{said.Position}
	header["Etag"] = []string{etag(strconv.FormatUint(done.Version, 10))}
	if done.Replayed {
		header["Idempotent-Replayed"] = []string{"true"}
	}
	return said
}

// answer is a body with its status.
type answer[R any] struct {
	Status int
	Body   R
}

// get is a row that asks one snapshot of the views. The query says the version of what it found,
// empty if it has none.
func get[I, R any](s *Server, path, summary string, who audience, query func(*call, *projections.Reader, *I) (R, string, error)) {
	r := row{method: http.MethodGet, path: path, summary: summary, who: who, statuses: []int{http.StatusOK}}
	register(s, r, func(ctx context.Context, in *I) (*answer[R], error) {
		c := callOf(ctx)
		out := &answer[R]{Status: http.StatusOK}
		var version string
		err := s.Views.Read(ctx, func(v *projections.Reader) (err error) {
			c.at(v.Position())
			out.Body, version, err = query(c, v, in)
			return err
		})
		if err != nil {
			return nil, c.problem(err)
		}
		if version != "" {
			tag := etag(version)
			c.Header()["Etag"] = []string{tag}
			if unchanged(c.r, tag) {
				return nil, notModified()
			}
		}
		return out, nil
	})
}

// stream is a row whose answer is written as it is read, in one of several types.
func stream[I any](s *Server, path, summary string, who audience, types []string, write func(*call, *I) error) {
	r := row{method: http.MethodGet, path: path, summary: summary, who: who, types: types, statuses: []int{http.StatusOK}}
	register(s, r, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(huma.Context) {
			c := callOf(ctx)
			if err := write(c, in); err != nil {
				c.fail(err)
			}
		}}, nil
	})
}

// do is a row that carries out a command and answers with what it came to.
func do[I, R any](s *Server, method, path, summary string, who audience, carryOut func(context.Context, *I) (*answer[R], error)) {
	status := http.StatusCreated
	if method == http.MethodGet {
		status = http.StatusOK
	}
	r := row{method: method, path: path, summary: summary, who: who, statuses: []int{status}}
	if method != http.MethodGet {
		r.bodyMax = bodyMax
	}
	register(s, r, carryOut)
}

// post is a row that carries out a command under a key of the caller's.
func post[I, O any](s *Server, path, summary string, carryOut func(context.Context, *I) (*answer[O], error)) {
	register(s, row{
		method: http.MethodPost, path: path, summary: summary, who: writers,
		bodyMax: bodyMax, statuses: []int{http.StatusCreated, http.StatusOK},
	}, carryOut)
}

func register[I, O any](s *Server, r row, handler func(context.Context, *I) (*O, error)) {
	op := r.operation(s.api)
	op.Middlewares = huma.Middlewares{s.admit(r.who)}
	if r.bodyMax > 0 {
		op.Middlewares = append(op.Middlewares, strict(r.bodyMax, membersOf(reflect.TypeFor[I]())))
	}
	huma.Register(s.api, op, handler)
}

// operation is what the row says about itself.
func (r row) operation(api huma.API) huma.Operation {
	op := huma.Operation{
		OperationID: r.id(), Method: r.method, Path: base + r.path, Summary: r.summary,
		Description: "For " + r.who.String() + ".", Tags: []string{r.tag()},
		DefaultStatus: r.statuses[0], MaxBodyBytes: -1, BodyReadTimeout: -1, // body.go has read it by then
		Responses: map[string]*huma.Response{"default": problemResponse(api)},
	}
	op.RequestBody = r.upload
	for _, code := range r.statuses {
		op.Responses[strconv.Itoa(code)] = r.response(code)
	}
	if r.method == http.MethodGet {
		op.Parameters = append(op.Parameters, minPosition())
	}
	return op
}

// id is the row's name for generated clients: "get-accounts-account-balance".
func (r row) id() string {
	return strings.ToLower(r.method) + strings.NewReplacer("/", "-", "{", "", "}", "", ".", "-").Replace(r.path)
}

// tag is the first part of the path.
func (r row) tag() string {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
	return first
}

// String lists the roles, in words.
func (a audience) String() string {
	var names []string
	for _, role := range commands.Roles() {
		if a.has(role) {
			names = append(names, string(role)+"s")
		}
	}
	if a.has(commands.RoleTenant) {
		names[0] += " (their own)"
	}
	if a.has(commands.RoleContractor) {
		names[slices.Index(names, string(commands.RoleContractor)+"s")] += " (their work)"
	}
	return strings.Join(names, ", ")
}
