//nolint:misspell // image/color is not ours to spell
package http_test

import (
	"encoding/csv"
	"fmt"
	"image/color"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"rentbook/commands"
	rentbookhttp "rentbook/http"
	"rentbook/http/identity"
)

// The bodies with which the matrix is walked, by route. They are good: what is refused is refused
// for who asks.
var bodies = map[string]string{
	"/api/v1/properties/{property}":                          `{"kind":"home","address":"9 Mill Lane","postcode":"LS1 4AP"}`,
	"/api/v1/tenancies/{tenancy}":                            `{"property":"H1","kind":"assured","starts_on":"2026-01-01","currency":"GBP"}`,
	"/api/v1/tenancies/{tenancy}/tenants/{person}":           `{"name":"Di Example","liable_from":"2026-01-01"}`,
	"/api/v1/calendars/{calendar}":                           `{"dates":["2026-12-22"]}`,
	"/api/v1/accounts/{account}/terms/{term}":                `{"code":"rent","description":"Rent","amount":"1.00","period":"monthly","from":"2026-05-01"}`,
	"/api/v1/accounts/{account}/charges/{charge}":            `{"code":"x","description":"x","amount":"1.00","value_date":"2026-01-10"}`,
	"/api/v1/accounts/{account}/payments/{payment}":          `{"amount":"1.00","value_date":"2026-01-10","method":"cash"}`,
	"/api/v1/accounts/{account}/payments/{payment}/reversal": `{"value_date":"2026-01-20","reason_code":"returned"}`,
	"/api/v1/accounts/{account}/adjustments/{adjustment}":    `{"kind":"credit","amount":"1.00","value_date":"2026-01-10","reason":"x"}`,
	"/api/v1/charge-runs":                                    `{"through":"2026-03-31"}`,
	"/api/v1/triage/answers":                                 `{"path":["kitchen"]}`,
	"/api/v1/repairs/{repair}":                               `{"tenancy":"{tenancy}","path":["kitchen","sink","cracked"],"description":"It drips."}`,
	"/api/v1/repairs/{repair}/actions/{action}":              `{"action":"note","note":"The key is with the neighbour."}`,
	"/api/v1/hazards/{hazard}":                               `{"tenancy":"{tenancy}","kind":"damp_mould","grade":"significant","channel":"call"}`,
	"/api/v1/hazards/{hazard}/actions/{action}":              `{"action":"note","note":"It smells."}`,
	"/api/v1/contractors/{contractor}":                       `{"name":"Firm C1","trades":["plumbing"]}`,
	"/api/v1/contractors/{contractor}/prices":                `{"contract":"{contract}","from":"2026-01-01","currency":"GBP","prices":[{"code":"PLB-001","price":"42.10"}]}`,
	"/api/v1/contractors/{contractor}/availability":          `{"windows":[{"day":"monday","from":"08:00","to":"12:00"}]}`,
}

// TestMatrix walks testdata/matrix.csv: who may ask what, of their own, of others' and of what does
// not exist. Every route has rows, and every row a route.
func TestMatrix(t *testing.T) {
	t.Parallel()
	rows := readMatrix(t)
	seen := map[string]bool{}
	for _, row := range rows {
		seen[row["method"]+" "+row["route"]] = true
	}
	p := newPortal(t)
	p.furnish()
	p.furnishRepairs()
	check(t, chi.Walk(p.server.Routes(), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !seen[method+" "+route] {
			t.Errorf("%s %s has no row in the matrix", method, route)
		}
		delete(seen, method+" "+route)
		return nil
	}))
	for route := range seen {
		t.Errorf("%s is in the matrix and nowhere else", route)
	}
	p.put("/accounts/T2/terms/R1", strings.Replace(bodies["/api/v1/accounts/{account}/terms/{term}"], "1.00", "2.00", 1))
	p.get("manager", "/accounts") // waits for the views
	for i, row := range rows {
		walk(t, p, i, row)
	}
}

func walk(t *testing.T, p *portal, i int, row map[string]string) {
	t.Helper()
	path, body, headers := p.fill(row, row["relation"], i), p.body(row, row["relation"], i), []string{}
	if row["method"] == http.MethodPost {
		headers = append(headers, "Idempotency-Key: "+strconv.Itoa(i))
	}
	if row["route"] == "/api/v1/photos" {
		headers = append(headers, "Content-Type: image/jpeg")
	}
	who := row["role"]
	got := p.ask(who, row["method"], path, body, headers...)
	if got.Status == http.StatusInternalServerError {
		t.Log(p.logged.String()[max(0, len(p.logged.String())-1000):])
	}
	if strconv.Itoa(got.Status) != row["status"] {
		t.Errorf("row %d: %s %s as %s (%s): %d, want %s: %s", i+2, row["method"], path, who, row["relation"], got.Status, row["status"], got.Body)
	}
	if got.Status == http.StatusNotFound && row["relation"] == "other" {
		none := p.ask(who, row["method"], p.fill(row, "none", i), p.body(row, "none", i), headers...)
		same(t, path+" answers like what does not exist", got.Body, none.Body)
		for name := range got.Header {
			if name != "X-Request-Id" {
				same(t, path+": "+name, got.Header[name], none.Header[name])
			}
		}
	}
}

// body is what goes with a row, about what is the tenant's own, somebody else's, or none there is.
func (p *portal) body(row map[string]string, relation string, i int) string {
	p.t.Helper()
	switch {
	case row["method"] == http.MethodGet:
		return ""
	case row["route"] == "/api/v1/photos":
		return photograph(p.t, color.RGBA{G: uint8(i), A: 255})
	}
	tenancy := map[string]string{"own": "T1", "other": "T2", "none": "T9"}[relation]
	return strings.NewReplacer("{contract}", fmt.Sprintf("N%d", i), "{tenancy}", tenancy).Replace(bodies[row["route"]])
}

// begins says whether a row writes what was not there before.
func begins(row map[string]string) bool {
	return row["method"] == http.MethodPut && (row["route"] == "/api/v1/repairs/{repair}" || row["route"] == "/api/v1/hazards/{hazard}")
}

// fill puts ids into a route: the tenant's own, somebody else's, or none there is. What is a tenant's
// own is the contractor's work.
func (p *portal) fill(row map[string]string, relation string, i int) string {
	id, home, person, number := "T1", "H1", "P1", "1"
	switch relation {
	case "other":
		id, home, person, number = "T2", "H2", "P2", "2"
	case "none":
		id, home, person, number = "T9", "H9", "P9", "9"
	}
	fresh := fmt.Sprintf("N%d", i) // a new thing for each row that writes
	route, repair, hazard := row["route"], "R"+number, "HZ"+number
	if begins(row) {
		repair, hazard = fresh, fresh
	}
	path := strings.NewReplacer(
		"{account}", id, "{tenancy}", id, "{property}", home, "{person}", person, "{calendar}", "free", "{term}", "R1",
		"{repair}", repair, "{hazard}", hazard, "{action}", fresh, "{contractor}", "C"+number, "{photo}", p.shown[relation],
		"{charge}", fresh, "{payment}/reversal", "PAY-1/reversal", "{payment}", fresh, "{adjustment}", fresh,
		"{entry}", "KEY-1", "{stream}", "rentAccount-"+id, "{format}", "csv", "{code}", "different",
	).Replace(route)
	if strings.Contains(route, "/statement") || strings.HasSuffix(route, "/performance") {
		path += "?from=2026-01-01&to=2026-01-31"
	}
	return path
}

func readMatrix(t *testing.T) []map[string]string {
	t.Helper()
	file, err := os.Open("testdata/matrix.csv")
	check(t, err)
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	check(t, err)
	rows := make([]map[string]string, 0, len(lines))
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// TestRefusals_say_nothing_about_what_was_asked: who may not ask gets the same answer whatever else
// is wrong with the request.
func TestRefusals_say_nothing_about_what_was_asked(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	charge := bodies["/api/v1/accounts/{account}/charges/{charge}"]
	p.put("/accounts/T1/charges/C1", charge)
	for _, who := range []string{"tenant", "auditor", "contractor", "anonymous"} {
		want := ""
		for _, body := range []string{charge, `{"colour":`, `{"amount":1}`, strings.Replace(charge, "1.00", "2.00", 1)} {
			got := p.ask(who, http.MethodPut, "/accounts/T1/charges/C1", body, "If-Match: nonsense")
			if want == "" {
				want = got.Body
			}
			same(t, who+" learns about the body", got.Body, want)
		}
		got := p.ask(who, http.MethodPut, "/accounts/T9/charges/C1", charge)
		same(t, who+" learns about the account", got.Body, want)
	}
	other := p.get("tenant", "/accounts/T2/statement?from=soon&colour=red")
	none := p.get("tenant", "/accounts/T9/statement?from=2026-01-01&to=2026-01-31")
	p.want(http.StatusNotFound, other)
	same(t, "a tenant learns about an account", other.Body, none.Body)
}

func TestTokens_that_are_not_good(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	token := p.token("leaver", identity.NewToken{Role: commands.RoleManager})
	p.want(http.StatusOK, p.get("leaver", "/accounts"))
	check(t, p.ids.Revoke(t.Context(), token.ID))
	got := p.want(http.StatusUnauthorized, p.get("leaver", "/accounts"))
	if got.Header.Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
	for _, header := range []string{
		"Authorization: Basic bWFuYWdlcjpzZWNyZXQ=", "Authorization: Bearer", "Authorization: Bearer rb_nonsense",
		"Authorization: " + p.tokens["manager"],
	} {
		again := p.ask("anonymous", http.MethodGet, "/accounts", "", header)
		same(t, header, again.Body, got.Body)
	}
	p.want(http.StatusOK, p.ask("anonymous", http.MethodGet, "/accounts", "", "Authorization: bearer "+p.tokens["manager"]))
}

var _ http.Handler = (*rentbookhttp.Server)(nil)
