package http

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"rentbook/commands"
	"rentbook/eventstore"
	"rentbook/projections"
)

// audience is a set of roles.
type audience uint8

const (
	forTenants audience = 1 << iota
	forContractors
	forAuditors
	forManagers
	forOperators
)

// The audiences of the routes. What no role of a caller may ever ask is 403; what is somebody
// else's is 404.
const (
	writers   = forManagers | forOperators
	staff     = forAuditors | forManagers | forOperators
	everyone  = staff | forTenants        // tenants see their own
	parties   = everyone | forContractors // contractors see what they work on
	reporters = writers | forTenants
	actors    = reporters | forContractors
	visitors  = staff | forContractors
	auditors  = forAuditors | forOperators
)

func (a audience) has(role commands.Role) bool { return a&audienceOf(role) != 0 }

func audienceOf(role commands.Role) audience {
	switch role {
	case commands.RoleTenant:
		return forTenants
	case commands.RoleContractor:
		return forContractors
	case commands.RoleAuditor:
		return forAuditors
	case commands.RoleManager:
		return forManagers
	case commands.RoleOperator:
		return forOperators
	}
	return 0
}

// admit lets a request through to its parameters and body only when its caller may make it.
func (s *Server) admit(who audience) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, _ := humachi.Unwrap(ctx)
		c := callOf(r.Context())
		if err := s.admitCall(c, r, who); err != nil {
			c.fail(err)
			return
		}
		next(ctx)
	}
}

func (s *Server) admitCall(c *call, r *http.Request, who audience) error {
	token, err := s.Identity.Find(r.Context(), bearer(r.Header))
	if err != nil {
		return err
	}
	c.token = token
	if !who.has(token.Role) {
		return commands.ErrForbidden
	}
	if err := s.awaitPosition(r); err != nil {
		return err
	}
	if token.Role == commands.RoleTenant {
		return s.own(r.Context(), c, r)
	}
	return nil
}

// bearer is the token that came with a request; the scheme's name may be in any case.
func bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// positionWaitMax is how long a reader may wait for the views to see what it has seen.
const positionWaitMax = 2 * time.Second

const headerMinPosition = "Rentbook-Min-Position"

// awaitPosition waits until the views have seen the position that a reader asks for, and at least
// what was in the log when the server started: nobody is told an old balance because the program
// has just come up. A command needs no view, so it does not wait.
func (s *Server) awaitPosition(r *http.Request) error {
	asked, position, err := r.Header.Get(headerMinPosition), eventstore.Position{}, error(nil)
	if asked != "" {
		position, err = eventstore.ParsePosition(asked)
	}
	if err != nil {
		return malformed("header."+headerMinPosition, "is not a position as given in Rentbook-Position: N or N-N")
	}
	if r.Method != http.MethodGet || (asked == "" && s.started.Load()) {
		return nil
	}
	if !s.started.Load() && position.Compare(s.headSeen) < 0 {
		position = s.headSeen
	}
	ctx, cancel := context.WithTimeout(r.Context(), positionWaitMax)
	defer cancel()
	err = s.Views.WaitFor(ctx, position)
	switch {
	case err == nil:
		s.started.Store(true)
	case r.Context().Err() == nil && asked == "" && s.anyStopped(r.Context()):
		s.started.Store(true) // a stopped view never gets there, and blocks no other
		return nil
	case errors.Is(err, context.DeadlineExceeded) && r.Context().Err() == nil:
		return projections.ErrBehind
	}
	return err
}

func (s *Server) anyStopped(ctx context.Context) bool {
	views, err := s.Views.Status(ctx)
	return err == nil && slices.ContainsFunc(views, func(v projections.ViewStatus) bool { return v.Stopped })
}

// own refuses a tenant what the path names and is not theirs, in the words in which something that
// does not exist is refused.
func (s *Server) own(ctx context.Context, c *call, r *http.Request) error {
	tenancy, property := cmp.Or(pathValue(r, "account"), pathValue(r, "tenancy")), pathValue(r, "property")
	switch {
	case tenancy == "" && property == "":
		return nil
	case tenancy != "" && len(c.token.Tenancies) > 0: // no view needs to be asked
		return ownNamed(c.token, tenancy)
	}
	return s.Views.Read(ctx, func(v *projections.Reader) error {
		c.at(v.Position())
		if property != "" {
			return ownProperty(v, c.token, property)
		}
		return ownTenancy(v, c.token, tenancy)
	})
}
