package http

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"rentbook/commands"
	"rentbook/eventstore"
	"rentbook/http/identity"
)

// call is one request while it is answered: who asks, what has been said so far. It is also the
// ResponseWriter, so that one allocation serves for all of it.
type call struct {
	http.ResponseWriter
	s       *Server
	r       *http.Request
	id      string
	token   identity.Token // zero until admitted
	began   time.Time
	status  int   // 0 until something has been said
	failure error // what went wrong here, for the log
}

type callKey struct{}

// callOf is the call a context belongs to.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// WriteHeader notes the status.
func (c *call) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *call) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (c *call) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// route is the pattern of the route, which holds no ids: for logs and metrics.
func (c *call) route() string {
	if routed := chi.RouteContext(c.r.Context()); routed != nil {
		return routed.RoutePattern()
	}
	return ""
}

// at says up to which position the answer knows.
func (c *call) at(p eventstore.Position) { c.Header()["Rentbook-Position"] = []string{p.String()} }

// meta is what goes with a command.
func (c *call) meta(expect *uint64) commands.Meta {
	return commands.Meta{Actor: c.token.Actor(), Expect: expect}
}

// fail answers with an error. Once something has been said there is no taking it back: then the
// connection is cut, so that nobody takes a part for the whole.
func (c *call) fail(err error) {
	p := c.problem(err)
	if p.Status == http.StatusNotModified {
		c.WriteHeader(p.Status)
		return
	}
	if c.status != 0 {
		panic(http.ErrAbortHandler)
	}
	c.known()
	p.write(c)
}

// known puts the head of the log on an answer that came from no view and no command.
func (c *call) known() {
	if c.Header()["Rentbook-Position"] != nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), headMax)
	defer cancel()
	if head, err := c.s.Log.Head(ctx); err == nil {
		c.at(head)
	}
}

// headMax is how long an answer waits for a position that it could do without, when the log is on
// another machine and away.
const headMax = 500 * time.Millisecond

// problem is the answer to an error. What is our own fault is remembered for the log.
func (c *call) problem(err error) *Problem {
	p := problemOf(err, c.route())
	if p.Status >= http.StatusInternalServerError {
		c.failure = err
		p.RequestID = c.id
	}
	c.atHead()
	return p
}

// atHead gives a refusal the position of the log, unless a better one is known: who was refused
// can then read what the refusal was based on.
func (c *call) atHead() {
	if c.token.ID != "" {
		c.known()
	}
}

// observe is around every request: it gives it an id, sets the headers that all answers have,
// catches panics, and writes one line about it.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{ResponseWriter: w, s: s, id: newRequestID(), began: s.Now()}
		c.r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		s.setHeaders(w.Header(), c.id)
		defer func() { s.conclude(c, recover()) }()
		next.ServeHTTP(c, c.r)
	})
}

func newRequestID() string {
	const digits = 16                           // of base 16
	id := strconv.FormatUint(rand.Uint64(), 16) //nolint:gosec // it tells requests apart, it guards nothing
	return "0000000000000000"[:digits-len(id)] + id
}

// csp lets an answer that a browser is made to show do nothing at all.
const csp = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// setHeaders sets what every answer has. The map is written to directly: these names are in their
// canonical form already, and this runs for every request.
func (s *Server) setHeaders(h http.Header, id string) {
	h["X-Request-Id"] = []string{id}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["Content-Security-Policy"] = []string{csp}
	h["Referrer-Policy"] = []string{"no-referrer"}
	h["Cross-Origin-Opener-Policy"] = []string{"same-origin"}
	h["Cross-Origin-Resource-Policy"] = []string{"same-origin"}
	h["Cache-Control"] = []string{"no-store"} // personal data stays out of every cache
	if s.Secure {
		h["Strict-Transport-Security"] = []string{"max-age=31536000"}
	}
}

// conclude runs when a request has been answered, or a handler panicked.
func (s *Server) conclude(c *call, thrown any) {
	if err, ok := thrown.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		s.report(c)
		panic(thrown) // net/http cuts the connection
	}
	if thrown != nil {
		s.Logger.ErrorContext(c.r.Context(), "panic", "request", c.id, "route", c.route(),
			"value", fmt.Sprint(thrown), "stack", string(debug.Stack()))
		c.failure = errPanic
		if c.status != 0 {
			s.report(c)
			panic(http.ErrAbortHandler)
		}
		c.problem(errPanic).write(c)
	}
	s.report(c)
}

var errPanic = errors.New("a handler panicked")

// report writes the one line about a request. It holds no path, query, body or person.
func (s *Server) report(c *call) {
	status := c.status
	if status == 0 {
		status = http.StatusOK
	}
	route, took := c.route(), s.Now().Sub(c.began)
	s.metrics.observe(c.r.Method, route, status, took)
	level := slog.LevelInfo
	if c.failure != nil && status != statusClientGone {
		level = slog.LevelWarn
		if status == http.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	ctx := c.r.Context()
	if !s.Logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request", c.id), slog.String("method", knownMethod(c.r.Method)), slog.String("route", route),
		slog.Int("status", status), slog.Duration("took", took),
	}
	if c.token.ID != "" {
		attrs = append(attrs, slog.String("token", c.token.ID), slog.String("role", string(c.token.Role)))
	}
	if c.failure != nil {
		attrs = append(attrs, slog.String("error", c.failure.Error()))
	}
	s.Logger.LogAttrs(ctx, level, "request", attrs...)
}
