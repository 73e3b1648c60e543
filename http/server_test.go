package http_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"rentbook/eventstore"
	rentbookhttp "rentbook/http"
	"rentbook/projections"
)

var update = flag.Bool("update", false, "write testdata/openapi.json anew")

func TestOpenAPI_is_as_reviewed(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	got := p.want(http.StatusOK, p.ask("", http.MethodGet, "/openapi.json", "")).Body
	const golden = "testdata/openapi.json"
	if *update {
		check(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want := string(must(os.ReadFile(golden))(t))
	if got != want {
		same(t, "the API's description changed; if that is meant, run go test ./http -run OpenAPI -update",
			strings.Split(got, "\n"), strings.Split(want, "\n"))
	}
}

// TestOpenAPI_describes_every_route: what is served and what is described are the same.
func TestOpenAPI_describes_every_route(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	described := decoded[struct {
		Paths map[string]map[string]json.RawMessage
	}](t, p.ask("", http.MethodGet, "/openapi.json", "").Body)
	check(t, chi.Walk(p.server.Routes(), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if _, ok := described.Paths[route][strings.ToLower(method)]; strings.HasPrefix(route, "/api/") && !ok {
			t.Errorf("%s %s is not described", method, route)
		}
		return nil
	}))
}

func TestDocs_work_offline(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	page := p.want(http.StatusOK, p.ask("", http.MethodGet, "/docs", ""))
	for _, want := range []string{
		"PUT /api/v1/accounts/{account}/charges/{charge}", "GET /api/v1/audit/events", "Rentbook-Min-Position",
		`id="problem-rent.already-reversed"`, "&#34;amount&#34;: &#34;15.00&#34;",
	} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
	for _, no := range []string{"http://", "https://", "<script", "style=", "onclick"} {
		if strings.Contains(page.Body, no) {
			t.Errorf("the page has %s", no)
		}
	}
	if got := page.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
		t.Errorf("its policy: %s", got)
	}
	to := p.want(http.StatusSeeOther, p.ask("", http.MethodGet, "/problems/rent.already-reversed", "")).Header.Get("Location")
	if to != "/docs#problem-rent.already-reversed" {
		t.Errorf("a problem's type leads to %s", to)
	}
}

func TestHeaders_are_on_every_answer(t *testing.T) {
	t.Parallel()
	p := newPortal(t, func(c *rentbookhttp.Config) { c.Secure = true })
	p.furnish()
	p.furnishRepairs()
	for _, row := range readMatrix(t) {
		path := p.fill(row, row["relation"], 1)
		got := p.ask(row["role"], http.MethodGet, path, "")
		for name, want := range map[string]string{
			"X-Content-Type-Options":     "nosniff",
			"Referrer-Policy":            "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Strict-Transport-Security":  "max-age=31536000",
		} {
			if got.Header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got.Header.Get(name), want)
			}
		}
		if csp := got.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if len(got.Header.Get("X-Request-Id")) != 16 {
			t.Errorf("%s: request id %q", path, got.Header.Get("X-Request-Id"))
		}
		if strings.HasPrefix(path, "/api") && got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached: %q", path, got.Header.Get("Cache-Control"))
		}
		if strings.HasPrefix(path, "/api") && got.Status != http.StatusUnauthorized &&
			got.Status != http.StatusMethodNotAllowed && got.Header.Get("Rentbook-Position") == "" {
			t.Errorf("%s as %s: %d without a position", path, row["role"], got.Status)
		}
	}
}

func TestPaths_and_methods_that_are_not_served(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	if got := problemOf(t, p.want(http.StatusNotFound, p.ask("manager", http.MethodGet, "/nothing", ""))); got.Type != "/problems/no-such-path" {
		t.Errorf("no such path: %+v", got)
	}
	got := p.want(http.StatusMethodNotAllowed, p.ask("manager", http.MethodDelete, "/properties/H1", ""))
	if got.Header.Get("Allow") != "GET, PUT" {
		t.Errorf("Allow: %q", got.Header.Get("Allow"))
	}
}

func TestLog_has_one_line_per_request_and_nothing_personal(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	before := strings.Count(p.logged.String(), "\n")
	p.get("tenant", "/accounts/T1/entries?q=Example")
	p.ask("manager", http.MethodPut, "/tenancies/T1/tenants/P8", `{"name":"Canary Bird","liable_from":"2026-01-01","phone":12}`)
	lines := strings.Split(strings.TrimSpace(p.logged.String()), "\n")[before:]
	if len(lines) != 2 {
		t.Fatalf("%d lines for 2 requests: %v", len(lines), lines)
	}
	got := decoded[map[string]any](t, lines[0])
	if got["route"] != "/api/v1/accounts/{account}/entries" || got["status"] != 200.0 || got["role"] != "tenant" || got["request"] == "" {
		t.Errorf("the line: %v", got)
	}
	for _, secret := range append([]string{"/T1", `"T1"`, "-T1", "P1", "P8", "Example", "Canary", "Mill Lane", "q="}, p.tokens["manager"], p.tokens["tenant"]) {
		if strings.Contains(p.logged.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	p.get("manager", "/accounts") // waits for the views
	ready := p.want(http.StatusOK, p.ask("", http.MethodGet, "/readyz", ""))
	if !strings.Contains(ready.Body, `"ready":true`) || !strings.Contains(ready.Body, `"view":"accounts"`) {
		t.Errorf("ready: %s", ready.Body)
	}
	if got := p.want(http.StatusOK, p.ask("", http.MethodGet, "/healthz", "")).Body; got != "ok\n" {
		t.Errorf("health: %q", got)
	}
	metrics := p.want(http.StatusOK, p.ask("", http.MethodGet, "/metrics", "")).Body
	if !strings.Contains(metrics, `rentbook_http_request_duration_seconds_count{method="PUT",route="/api/v1/properties/{property}",status="201"} 2`) {
		t.Errorf("the metrics do not count the requests:\n%.2000s", metrics)
	}
}

// broken is a log that fails as it is told to.
type broken struct {
	eventstore.Log
	eventstore.Store
	err error
}

func (b *broken) Read(context.Context, eventstore.Stream, eventstore.Version) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		if b.err == nil {
			panic("out of order")
		}
		yield(eventstore.Recorded{}, b.err)
	}
}

func TestFailures_tell_the_log_and_not_the_caller(t *testing.T) {
	t.Parallel()
	store := &broken{}
	p := newPortal(t, func(c *rentbookhttp.Config) { c.Store = store })
	for _, row := range []struct {
		err    error
		status int
		kind   string
	}{
		{errors.New("canary: row 7 of /var/lib"), http.StatusInternalServerError, "/problems/failure"},
		{nil, http.StatusInternalServerError, "/problems/failure"},
		{eventstore.ErrUnavailable, http.StatusServiceUnavailable, "/problems/unavailable"},
		{projections.ErrBehind, http.StatusServiceUnavailable, "/problems/behind"},
	} {
		store.err = row.err
		a := p.ask("manager", http.MethodGet, "/streams/property-H1", "")
		got := decoded[struct {
			Type      string
			RequestID string `json:"request_id"`
		}](t, p.want(row.status, a).Body)
		if got.Type != row.kind || got.RequestID != a.Header.Get("X-Request-Id") || strings.Contains(a.Body, "canary") {
			t.Errorf("%v: %s", row.err, a.Body)
		}
		if !strings.Contains(p.logged.String(), got.RequestID) {
			t.Errorf("%v: the log does not know request %s", row.err, got.RequestID)
		}
	}
	if !strings.Contains(p.logged.String(), "canary") || !strings.Contains(p.logged.String(), "out of order") {
		t.Error("the log does not say what failed")
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	p := newPortal(t, func(c *rentbookhttp.Config) { c.Logger = slog.New(slog.DiscardHandler) })
	listener := must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.server.Serve(ctx, listener, "", "") }()
	address := "http://" + listener.Addr().String()
	request := must(http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/healthz", nil))(t)
	response := must(http.DefaultClient.Do(request))(t)
	body := must(io.ReadAll(response.Body))(t)
	check(t, response.Body.Close())
	if string(body) != "ok\n" {
		t.Errorf("over the wire: %q", body)
	}
	stream := must(http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/api/v1/events", nil))(t)
	stream.Header.Set("Authorization", "Bearer "+p.tokens["tenant"])
	live := must(http.DefaultClient.Do(stream))(t)
	defer live.Body.Close()
	stop()
	check(t, <-ended) // streams end with it
	if rest, err := io.ReadAll(live.Body); err != nil || !strings.Contains(string(rest), "event: ready") {
		t.Errorf("the stream ended with %v after %q", err, rest)
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		t.Errorf("after the end: %d", response.StatusCode)
		_ = response.Body.Close()
	}
}
