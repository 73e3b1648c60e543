//nolint:misspell // image/color is not ours to spell
package http_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/color"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
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
	"rentbook/integrations/photos"
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
	clock  *hands
	logged *lockedBuffer
	folder string            // of the photos
	shown  map[string]string // photos, by relation to the tenant
}

// hands are those of a clock: the real one, until they are set.
type hands struct {
	mu sync.Mutex
	at time.Time
}

func (h *hands) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at.IsZero() {
		return time.Now()
	}
	return h.at
}

func (h *hands) set(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = at
}

type portfolio struct{ *projections.Views }

func (p portfolio) Accounts(ctx context.Context) iter.Seq2[domain.ID, error] {
	return p.AccountIDs(ctx)
}

func (p portfolio) Contractors(ctx context.Context) ([]commands.Load, error) {
	found, err := p.Views.Contractors(ctx)
	loads := make([]commands.Load, len(found))
	for i, c := range found {
		loads[i] = commands.Load{Contractor: c.ID, Open: c.Open}
	}
	return loads, err
}

func (p portfolio) VisitsToRemind(context.Context, time.Time, time.Time) ([]commands.VisitToRemind, error) {
	return nil, nil
}

// album is the store of photos as commands and the API want it.
type album struct{ *photos.Store }

func (a album) UploadedBy(_ context.Context, photo domain.ID) (string, error) {
	described, err := a.Describe(photo)
	if errors.Is(err, photos.ErrNotFound) {
		return "", nil
	}
	return described.By, err
}

func (a album) Put(ctx context.Context, by, key string, body io.Reader) (domain.ID, bool, error) {
	photo, replayed, err := a.Store.Put(ctx, photos.Upload{By: by, Key: key}, body)
	return photo.ID, replayed, err
}

func (a album) Open(ctx context.Context, photo domain.ID, thumbnail bool) ([]byte, error) {
	if thumbnail {
		return a.Thumb(ctx, photo)
	}
	return a.Full(ctx, photo)
}

// newPortal is an empty portal with a token for each role: manager, auditor, operator, contractor,
// and tenant, whose tenancy is T1.
func newPortal(t testing.TB, change ...func(*rentbookhttp.Config)) *portal {
	t.Helper()
	return newPortalAt(t, time.Time{}, change...)
}

// newPortalAt is one whose clock stands until it is set.
func newPortalAt(t testing.TB, at time.Time, change ...func(*rentbookhttp.Config)) *portal {
	t.Helper()
	p := &portal{t: t, tokens: map[string]string{}, clock: &hands{}, logged: &lockedBuffer{}}
	p.now = p.clock.now
	p.clock.set(at)
	dir, ctx := t.TempDir(), t.Context()
	p.folder = filepath.Join(dir, "photos")
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
	pictures := album{must(photos.Open(p.folder, keys))(t)}
	handler := commands.New(commands.Config{
		Store: p.log, Log: p.log, Codec: codec, Portfolio: portfolio{p.views}, Repairs: portfolio{p.views}, Photos: pictures,
		Now: p.now, Zone: time.UTC,
	})
	config := rentbookhttp.Config{
		Commands: handler, Views: p.views, Store: p.log, Log: p.log, LogID: id.Log, Identity: p.ids, Photos: pictures,
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
	ctx, hangUp := context.WithCancel(r.Context())
	defer hangUp()
	w := httptest.NewRecorder()
	p.server.ServeHTTP(&caller{w, hangUp}, r.WithContext(ctx))
	return answer{w.Code, w.Header(), w.Body.String()}
}

// caller hangs up when an answer begins that has no end.
type caller struct {
	*httptest.ResponseRecorder
	hangUp func()
}

func (c *caller) Write(b []byte) (int, error) {
	if c.Header().Get("Content-Type") == "text/event-stream" {
		c.hangUp()
	}
	return c.ResponseRecorder.Write(b)
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

// furnishRepairs records, after furnish, a repair and a hazard of each tenancy with a photo, done by
// contractors C1, for whom the contractor's token is, and C2.
func (p *portal) furnishRepairs() {
	p.t.Helper()
	p.token("contractor", identity.NewToken{Role: commands.RoleContractor, Contractor: "C1"})
	p.token("other", identity.NewToken{Role: commands.RoleTenant, Person: "P2", Tenancies: []string{"T2"}})
	for _, c := range [][3]string{{"C1", "plumbing", "08:00"}, {"C2", "electrical", "09:00"}} {
		p.put("/contractors/"+c[0], `{"name":"Firm `+c[0]+`","trades":["`+c[1]+`"]}`)
		p.put("/contractors/"+c[0]+"/availability", `{"windows":[{"day":"monday","from":"`+c[2]+`","to":"12:00"}]}`)
	}
	p.shown = map[string]string{
		"own": p.photo("tenant", color.RGBA{R: 9, A: 255}), "other": p.photo("other", color.RGBA{B: 9, A: 255}),
		"none": strings.Repeat("0", 64),
	}
	for _, r := range []struct{ who, repair, tenancy, path, photo string }{
		{"tenant", "R1", "T1", `["kitchen","sink","cracked"]`, p.shown["own"]},
		{"other", "R2", "T2", `["kitchen","fan","dead"]`, p.shown["other"]},
	} {
		p.report(r.who, r.repair, `{"tenancy":"`+r.tenancy+`","path":`+r.path+`,"description":"Broken.","photos":["`+r.photo+`"]}`)
	}
	p.put("/hazards/HZ1", `{"tenancy":"T1","kind":"damp_mould","grade":"significant","channel":"call"}`)
	p.put("/hazards/HZ2", `{"tenancy":"T2","kind":"damp_mould","grade":"significant","channel":"call"}`)
}

// report reports a repair, with the first answer to each question.
func (p *portal) report(who, repair, body string) repairAnswer {
	p.t.Helper()
	return p.repair(who, "/repairs/"+repair, p.answered(who, body))
}
