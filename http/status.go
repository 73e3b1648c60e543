package http

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/http/identity"
	"rentbook/http/statement"
	"rentbook/projections"
)

// statusClientGone is nginx's word for a client that did not wait; nobody but the log sees it.
const statusClientGone = 499

// Sentinels of this package.
var (
	// errUnauthenticated is a request without a token that is good.
	errUnauthenticated = errors.New("no good token came with the request")
	// errForeign is a request for something that is not the caller's to see.
	errForeign = errors.New("it is not the caller's")
	// errNoFormat is a request that accepts nothing that can be given.
	errNoFormat = errors.New("nothing that is accepted can be given")
)

// status is the answer to an error: the one place where errors turn into statuses.
//
//nolint:cyclop // a table
func status(err error) (code int, name, detail string) {
	if refusal, ok := errors.AsType[*domain.Refusal](err); ok {
		return statusOfRefusal(refusal), refusal.Code, refusal.Error()
	}
	switch {
	case errors.Is(err, errUnauthenticated), errors.Is(err, identity.ErrUnknown):
		return http.StatusUnauthorized, "unauthenticated", "Send a token that is good: Authorization: Bearer rb_…"
	case errors.Is(err, commands.ErrForbidden):
		return http.StatusForbidden, "forbidden", "Your role does not allow this."
	case errors.Is(err, projections.ErrNotFound), errors.Is(err, errForeign):
		return http.StatusNotFound, "not-found", notFound().Detail
	case errors.Is(err, errNoFormat):
		return http.StatusNotAcceptable, "not-acceptable", "None of the accepted formats can be given here."
	case errors.Is(err, projections.ErrBeyond):
		return http.StatusUnprocessableEntity, "beyond", "That point lies beyond what has been recorded."
	case errors.Is(err, projections.ErrCursor):
		return http.StatusUnprocessableEntity, "invalid", "The cursor is not one that was given out here."
	case errors.Is(err, statement.ErrTooManyLines):
		return http.StatusUnprocessableEntity, "too-many-lines",
			"The statement has too many lines for a PDF: ask for fewer days, or for JSON or CSV."
	case errors.Is(err, eventstore.ErrErased):
		return http.StatusConflict, "erased", "The personal data of this subject has been erased; nothing more can be recorded with it."
	case errors.Is(err, eventstore.ErrTooLarge):
		return http.StatusUnprocessableEntity, "too-large", "It is more than can be recorded at once: send it in parts."
	case errors.Is(err, eventstore.ErrUnknownOutcome):
		return http.StatusServiceUnavailable, "outcome-unknown",
			"The log did not answer, so it is not known whether this was recorded. Send the same request again to find out."
	case errors.Is(err, eventstore.ErrConflict):
		return http.StatusServiceUnavailable, "busy", "Others are changing the same thing. Send the same request again."
	case errors.Is(err, projections.ErrBehind):
		return http.StatusServiceUnavailable, "behind", "The views have not reached the position asked for. Ask again."
	case errors.Is(err, eventstore.ErrUnavailable), errors.Is(err, projections.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "unavailable",
			"Nothing can be recorded or read at the moment. Send the same request again: if it was carried out after all, it is answered as the first time."
	case errors.Is(err, context.Canceled):
		return statusClientGone, "gone", "The client did not wait."
	}
	return http.StatusInternalServerError, "failure", "Something failed here. It has been noted under the request's id."
}

// statusOfRefusal follows the class of a refusal; a version that is no longer the current one has
// a status of its own in HTTP.
func statusOfRefusal(r *domain.Refusal) int {
	switch {
	case errors.Is(r, domain.ErrStale):
		return http.StatusPreconditionFailed
	case r.Class == domain.Conflicting:
		return http.StatusConflict
	case r.Class == domain.Unknown:
		return http.StatusNotFound
	}
	return http.StatusUnprocessableEntity
}

// problemOf is the answer to an error as it goes out. The parameters of the route say where a field
// that a refusal names stood in the request.
func problemOf(err error, route string) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	code, name, detail := status(err)
	p := newProblem(code, name, detail)
	if refusal, ok := errors.AsType[*domain.Refusal](err); ok && refusal.Field != "" {
		p.Errors = []fault{{place(refusal, route), refusal.Reason}}
	}
	p.explain(err)
	switch code {
	case http.StatusUnauthorized:
		p = p.with("WWW-Authenticate", `Bearer realm="rentbook"`)
	case http.StatusServiceUnavailable:
		p = p.with("Retry-After", retryAfter)
	}
	return p
}

// explain says what can be done instead, where a command knows.
func (p *Problem) explain(err error) {
	if refused, ok := errors.AsType[*commands.NotAllowedError](err); ok {
		p.State, p.Allowed = refused.State, append([]string{}, refused.Allowed...)
	}
	if gone, ok := errors.AsType[*commands.SlotGoneError](err); ok {
		p.Slots = shownSlots(gone.Next)
	}
}

// retryAfter is in seconds. What is unavailable is so for a moment, or until somebody acts.
const retryAfter = "1"

// place is where the field of a refusal stood. What is missing, no word that is known, or known with
// other content was not part of the path: the body may have a member of the same name.
func place(r *domain.Refusal, route string) string {
	if errors.Is(r, domain.ErrMissing) || errors.Is(r, domain.ErrWord) || errors.Is(r, domain.ErrDifferent) {
		return "body." + r.Field
	}
	return locate(r.Field, route)
}

func locate(field, route string) string {
	if strings.Contains(route, "{"+field+"}") {
		return "path." + field
	}
	return "body." + field
}
