// Package http is the outside of Rentbook: requests in, answers and problems out.
//
// routes.go shows the whole API on one screen. A row there names a method and path, who may ask,
// and the use case or query that answers; register.go turns rows into handlers and into their
// description (OpenAPI 3.1). A request passes, in this order: observe.go (request id, headers of
// every answer, log line, metrics), admit.go (who asks, may this role ask, is it theirs, have the
// views seen enough), body.go (may the body be read at all), huma (does it fit the description),
// and only then the command or query. Who may not ask learns nothing about what was asked.
//
// Errors become statuses in one place (status.go). Every refusal is a problem as RFC 9457 has it.
//
// The one rule: nothing here decides anything about rent; it asks commands and projections.
package http

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/http/identity"
	"rentbook/projections"
)

// Config is what a Server works with. All but Metrics and Secure must be given.
type Config struct {
	Commands *commands.Handler
	Views    *projections.Views
	Store    eventstore.Store
	Log      eventstore.Log
	LogID    string // eventstore.Identity.Log: the source of CloudEvents
	Identity *identity.Tokens
	Photos   Photos // nil: there are none
	Logger   *slog.Logger
	Metrics  *prometheus.Registry
	Now      func() time.Time
	Zone     *time.Location // says what day "today" is
	Version  string         // of the program
	Secure   bool           // served over TLS, here or by a proxy in front: send HSTS

	// LogHealth says whether a log elsewhere can be reached; nil for one that needs no reaching.
	LogHealth func() (connected bool, reason string)
}

// Server answers requests. It is an http.Handler.
type Server struct {
	Config
	router   *chi.Mux
	api      huma.API
	metrics  *metrics
	live     *live
	headSeen eventstore.Position // the head of the log at start
	started  atomic.Bool         // the views have been at headSeen
	stopping atomic.Bool
	uploads  atomic.Int32 // of photos, at once
	pages    pages
}

// New is a server. It reads the head of the log, which is what readiness waits for, and panics if a
// part is missing.
func New(ctx context.Context, c Config) (*Server, error) {
	if c.Commands == nil || c.Views == nil || c.Store == nil || c.Log == nil || c.Identity == nil ||
		c.Logger == nil || c.Now == nil || c.Zone == nil {
		panic("http: the configuration is incomplete")
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	head, err := c.Log.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the head of the log: %w", err)
	}
	s := &Server{Config: c, router: chi.NewMux(), headSeen: head, metrics: newMetrics(c.Metrics)}
	s.router.Use(s.observe)
	s.router.NotFound(s.missing)
	s.router.MethodNotAllowed(s.wrongMethod)
	s.api = newAPI(s.router, c.Version)
	s.live = newLive(ctx, c, viewed{c.Views, s.today}, newLiveMetrics(c.Metrics))
	s.routes()
	s.pages, err = newPages(s.api.OpenAPI())
	return s, err
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.router.ServeHTTP(w, r) }

// Routes are all there are, for those who check that each is accounted for.
func (s *Server) Routes() chi.Routes { return s.router }

// today is the day it is in the configured zone.
func (s *Server) today() domain.Date { return domain.DateOf(s.Now().In(s.Zone)) }

func (s *Server) missing(_ http.ResponseWriter, r *http.Request) {
	callOf(r.Context()).fail(newProblem(http.StatusNotFound, "no-such-path", "Nothing is served at this path."))
}

func (s *Server) wrongMethod(_ http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
		if s.router.Match(chi.NewRouteContext(), method, r.URL.Path) {
			allowed = append(allowed, method)
		}
	}
	p := newProblem(http.StatusMethodNotAllowed, "method", "This path does not answer to that method.")
	callOf(r.Context()).fail(p.with("Allow", strings.Join(allowed, ", ")))
}
