package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/http/identity"
	"rentbook/http/statement"
	"rentbook/projections"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  error
		code int
		name string
	}{
		{errUnauthenticated, http.StatusUnauthorized, "unauthenticated"},
		{identity.ErrUnknown, http.StatusUnauthorized, "unauthenticated"},
		{commands.ErrForbidden, http.StatusForbidden, "forbidden"},
		{projections.ErrNotFound, http.StatusNotFound, "not-found"},
		{errForeign, http.StatusNotFound, "not-found"},
		{errNoFormat, http.StatusNotAcceptable, "not-acceptable"},
		{projections.ErrBeyond, http.StatusUnprocessableEntity, "beyond"},
		{statement.ErrTooManyLines, http.StatusUnprocessableEntity, "too-many-lines"},
		{domain.ErrDecimals, http.StatusUnprocessableEntity, "decimals"},
		{domain.ErrDifferent, http.StatusConflict, "different"},
		{rent.ErrAlreadyReversed, http.StatusConflict, "rent.already-reversed"},
		{rent.ErrNotOpen, http.StatusNotFound, "rent.not-open"},
		{domain.ErrStale, http.StatusPreconditionFailed, "stale"},
		{eventstore.ErrErased, http.StatusConflict, "erased"},
		{&eventstore.ConflictError{}, http.StatusServiceUnavailable, "busy"},
		{projections.ErrBehind, http.StatusServiceUnavailable, "behind"},
		{eventstore.ErrUnavailable, http.StatusServiceUnavailable, "unavailable"},
		{context.DeadlineExceeded, http.StatusServiceUnavailable, "unavailable"},
		{context.Canceled, statusClientGone, "gone"},
		{errors.New("disk on fire in /secret/path"), http.StatusInternalServerError, "failure"},
	} {
		wrapped := fmt.Errorf("carry out: %w", row.err)
		code, name, detail := status(wrapped)
		if code != row.code || name != row.name {
			t.Errorf("%v: %d %s, want %d %s", row.err, code, name, row.code, row.name)
		}
		if code >= http.StatusInternalServerError && detail == wrapped.Error() {
			t.Errorf("%v: the answer says what failed: %s", row.err, detail)
		}
	}
}

func TestProblemOf_says_where_and_when_to_come_back(t *testing.T) {
	t.Parallel()
	route := "/api/v1/accounts/{account}/payments/{payment}/reversal"
	if p := problemOf(rent.ErrUnknownPayment, route); p.Errors[0].Location != "path.payment" {
		t.Errorf("a field of the path is at %s", p.Errors[0].Location)
	}
	if p := problemOf(domain.ErrAmount.In("fee"), route); p.Errors[0].Location != "body.fee" {
		t.Errorf("a field of the body is at %s", p.Errors[0].Location)
	}
	if p := problemOf(eventstore.ErrUnavailable, route); p.header.Get("Retry-After") == "" {
		t.Error("unavailable without Retry-After")
	}
	if p := problemOf(errUnauthenticated, route); p.header.Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	offers := []string{"application/json", "text/csv", "application/pdf"}
	for accept, want := range map[string]string{
		"":                                    "application/json",
		"*/*":                                 "application/json",
		"text/*":                              "text/csv",
		"Text/CSV":                            "text/csv",
		"application/pdf, text/csv;q=0.5":     "application/pdf",
		"application/*, application/json;q=0": "application/pdf",
		"text/html, */*;q=0.1":                "application/json",
		"text/html":                           "",
		"application/json;q=0":                "",
		"application/json;q=nonsense":         "",
	} {
		got, ok := negotiate(http.Header{"Accept": {accept}}, offers...)
		if got != want || ok != (want != "") {
			t.Errorf("Accept %q: %q, %t, want %q", accept, got, ok, want)
		}
	}
}

func TestMemberNames(t *testing.T) {
	t.Parallel()
	object := ` {"a":"x,\"y\":1" , "b\"c":{"inner":1,"a":[{"z":2},"q"]},"d":[1,{"e":2}], "a" :null}`
	got := slices.Collect(memberNames([]byte(object)))
	if want := []string{"a", `b\"c`, "d", "a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := slices.Collect(memberNames([]byte(`{}`))); got != nil {
		t.Errorf("an empty object names %q", got)
	}
}

func TestBefore(t *testing.T) {
	t.Parallel()
	for p, want := range map[eventstore.Position]eventstore.Position{
		eventstore.PositionAt(7):  eventstore.PositionAt(6),
		{Commit: 9, Prepare: 8}:   {Commit: 9, Prepare: 7},
		{Commit: 12, Prepare: 12}: {Commit: 11, Prepare: 11},
	} {
		if got := before(p); got != want || got.Compare(p) >= 0 {
			t.Errorf("before %v: %v, want %v", p, got, want)
		}
	}
}
