package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
	"rentbook/eventstore/vault"
	rentbookhttp "rentbook/http"
	"rentbook/http/identity"
	"rentbook/projections"
	viewsqlite "rentbook/projections/sqlite"
)

// portal is everything behind the API, real and in a temporary directory.
type portal struct {
	t      testing.TB
	server *rentbookhttp.Server
	views  *projections.Views
	log    *sqlite.Log
	ids    *identity.Tokens
	tokens map[string]string // by name
	now    func() time.Time
	logged *lockedBuffer
}

type portfolio struct{ *projections.Views }

func (p portfolio) Accounts(ctx context.Context) iter.Seq2[domain.ID, error] {
	return p.AccountIDs(ctx)
}

// newPortal is an empty portal with a token for each role: manager, auditor, operator, contractor,
// and tenant, whose tenancy is T1.
func newPortal(t testing.TB, change ...func(*rentbookhttp.Config)) *portal {
	t.Helper()
	p := &portal{t: t, tokens: map[string]string{}, now: time.Now, logged: &lockedBuffer{}}
	dir, ctx := t.TempDir(), t.Context()
	keys := must(vault.Open(ctx, dir, vault.Options{}))(t)
	t.Cleanup(func() { check(t, keys.Close()) })
	p.log = must(sqlite.Open(ctx, dir, sqlite.Options{}))(t)
	t.Cleanup(func() { check(t, p.log.Close()) })
	id := must(eventstore.Identify(ctx, p.log, keys.ID()))(t)
	codec := commands.Codec(keys)
	p.views = must(projections.Open(ctx, projections.Config{
		Database: must(viewsqlite.Open(dir))(t), Log: p.log, Codec: codec, LogID: id.Log, Logger: slog.New(slog.DiscardHandler),
	}))(t)
	t.Cleanup(func() { check(t, p.views.Close()) })
	p.run()
	p.ids = must(identity.Open(dir, p.now))(t)
	t.Cleanup(func() { check(t, p.ids.Close()) })
	handler := commands.New(commands.Config{
		Store: p.log, Log: p.log, Codec: codec, Portfolio: portfolio{p.views}, Now: p.now, Zone: time.UTC,
	})
	config := rentbookhttp.Config{
		Commands: handler, Views: p.views, Store: p.log, Log: p.log, LogID: id.Log, Identity: p.ids,
		Logger: slog.New(slog.NewJSONHandler(p.logged, nil)), Now: p.now, Zone: time.UTC, Version: "test",
	}
	for _, f := range change {
		f(&config)
	}
	p.server = must(rentbookhttp.New(ctx, config))(t)
	for _, role := range []commands.Role{commands.RoleManager, commands.RoleAuditor, commands.RoleOperator, commands.RoleContractor} {
		p.token(string(role), identity.NewToken{Role: role})
	}
	p.token("tenant", identity.NewToken{Role: commands.RoleTenant, Person: "P1", Tenancies: []string{"T1"}})
	return p
}

// run keeps the views up to date until the test ends.
func (p *portal) run() {
	ctx, stop := context.WithCancel(context.WithoutCancel(p.t.Context()))
	done := make(chan error, 1)
	go func() { done <- p.views.Run(ctx) }()
	p.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			p.t.Errorf("views: %v", err)
		}
	})
}

func (p *portal) token(name string, n identity.NewToken) identity.Token {
	p.t.Helper()
	secret, token, err := p.ids.Create(p.t.Context(), n)
	check(p.t, err)
	p.tokens[name] = secret
	return token
}

// tokenOf makes a tenant's token that names the person alone.
func (p *portal) tokenOf(name, person string) {
	p.t.Helper()
	p.token(name, identity.NewToken{Role: commands.RoleTenant, Person: person})
}

// outside of /api/v1 are these, and what is written in full.
var outside = []string{"api", "healthz", "readyz", "metrics", "openapi.json", "docs", "docs.css", "problems"}

// answer is what came back.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// ask sends a request as whoever is named; headers are "Name: value".
func (p *portal) ask(who, method, path, body string, headers ...string) answer {
	p.t.Helper()
	if first, _, _ := strings.Cut(path[1:], "/"); !slices.Contains(outside, first) {
		path = "/api/v1" + path
	}
	r := httptest.NewRequestWithContext(p.t.Context(), method, path, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if secret := p.tokens[who]; secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	p.server.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// put writes as a manager and must succeed.
func (p *portal) put(path, body string) answer {
	p.t.Helper()
	return p.want(http.StatusCreated, p.ask("manager", http.MethodPut, path, body))
}

// get reads what has been written so far.
func (p *portal) get(who, path string, headers ...string) answer {
	p.t.Helper()
	head, err := p.log.Head(p.t.Context())
	check(p.t, err)
	return p.ask(who, http.MethodGet, path, "", append(headers, "Rentbook-Min-Position: "+head.String())...)
}

func (p *portal) want(status int, got answer) answer {
	p.t.Helper()
	if got.Status != status {
		p.t.Fatalf("status %d, want %d: %s", got.Status, status, got.Body)
	}
	return got
}

// furnish records two tenancies, T1 of P1 and T2 of P2 (T1 also of P3), a term and some money.
func (p *portal) furnish() {
	p.t.Helper()
	for _, step := range [][2]string{
		{"/properties/H1", `{"kind":"home","address":"1 Mill Lane","postcode":"LS1 4AP"}`},
		{"/properties/H2", `{"kind":"home","address":"2 Mill Lane","postcode":"LS1 4AP"}`},
		{"/calendars/free", `{"dates":["2026-12-21"]}`},
		{"/tenancies/T1", `{"property":"H1","kind":"assured","starts_on":"2026-01-01","currency":"GBP"}`},
		{"/tenancies/T2", `{"property":"H2","kind":"assured","starts_on":"2026-01-01","currency":"GBP"}`},
		{"/tenancies/T1/tenants/P1", `{"name":"Ada Example","email":"ada@example.org","liable_from":"2026-01-01"}`},
		{"/tenancies/T1/tenants/P3", `{"name":"Cy Example","liable_from":"2026-01-01"}`},
		{"/tenancies/T2/tenants/P2", `{"name":"Bo Example","liable_from":"2026-01-01"}`},
		{"/accounts/T1/terms/R1", `{"code":"rent","description":"Rent","amount":"450.00","period":"monthly","from":"2026-01-01","to":"2026-03-31"}`},
		{"/accounts/T1/charges/KEY-1", `{"code":"repairs","description":"Key","amount":"15.00","value_date":"2026-01-10"}`},
		{"/accounts/T1/payments/PAY-1", `{"amount":"100.00","value_date":"2026-01-12","method":"card","payer":"Ada Example"}`},
		{"/accounts/T2/charges/KEY-1", `{"code":"repairs","description":"Key","amount":"20.00","value_date":"2026-01-10"}`},
	} {
		p.put(step[0], step[1])
	}
}

// problem is what a refusal says.
type problem struct {
	Type   string
	Status int
	Detail string
	Errors []struct{ Location, Message string }
}

func problemOf(t testing.TB, a answer) problem {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("Content-Type %q, want a problem; status %d: %s", got, a.Status, a.Body)
	}
	return decoded[problem](t, a.Body)
}

func decoded[T any](t testing.TB, body string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	return v
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
