package http_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

type statement struct {
	Account        string
	KnownAt        struct{ Position, Time string } `json:"known_at"`
	OpeningBalance string                          `json:"opening_balance"`
	ClosingBalance string                          `json:"closing_balance"`
	Lines          []struct {
		Entry, Kind, Balance string
		ReversedBy           *string `json:"reversed_by"`
	}
}

const january = "/accounts/T1/statement?from=2026-01-01&to=2026-01-31"

func TestStatement_as_it_was_known(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	before := p.get("tenant", january)
	then := decoded[statement](t, p.want(http.StatusOK, before).Body)
	if then.ClosingBalance != "-85.00" || len(then.Lines) != 2 {
		t.Fatalf("before: %+v", then)
	}
	p.put("/accounts/T1/payments/PAY-1/reversal", `{"value_date":"2026-01-20","reason_code":"returned"}`)
	after := p.get("tenant", january)
	now := decoded[statement](t, after.Body)
	if now.ClosingBalance != "15.00" || len(now.Lines) != 3 || now.Lines[1].ReversedBy == nil {
		t.Errorf("after: %+v", now)
	}
	for _, k := range []string{then.KnownAt.Position, then.KnownAt.Time} {
		got := p.get("tenant", january+"&known_at="+k)
		same(t, "as known at "+k, decoded[statement](t, got.Body), then)
		if tag := got.Header.Get("ETag"); tag != before.Header.Get("ETag") || tag == after.Header.Get("ETag") {
			t.Errorf("as known at %s: ETag %s, want %s, not %s", k, tag, before.Header.Get("ETag"), after.Header.Get("ETag"))
		}
	}
	early := decoded[statement](t, p.get("tenant", january+"&known_at=1").Body)
	if early.ClosingBalance != "0.00" || early.Lines == nil || len(early.Lines) != 0 {
		t.Errorf("before the account: %+v", early)
	}
	past := decoded[statement](t, p.get("tenant", january+"&known_at=2020-01-01T00:00:00%2B02:00").Body)
	if past.KnownAt.Position != "0" {
		t.Errorf("before the first event: %+v", past)
	}
}

func TestStatement_formats(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	tags := map[string]bool{}
	for _, row := range []struct{ suffix, accept, contentType, begins string }{
		{"", "", "application/json", `{"account":"T1"`},
		{"", "*/*", "application/json", `{"account":"T1"`},
		{"", "text/csv", "text/csv", "value_date,"},
		{"", "application/pdf", "application/pdf", "%PDF-"},
		{".json", "text/html", "application/json", `{"account":"T1"`},
		{".csv", "", "text/csv", "value_date,"},
		{".pdf", "", "application/pdf", "%PDF-"},
	} {
		path := strings.Replace(january, "?", row.suffix+"?", 1)
		got := p.want(http.StatusOK, p.get("tenant", path, "Accept: "+row.accept))
		if !strings.HasPrefix(got.Header.Get("Content-Type"), row.contentType) || !strings.HasPrefix(got.Body, row.begins) {
			t.Errorf("%s as %q: %s %.20q", path, row.accept, got.Header.Get("Content-Type"), got.Body)
		}
		if row.suffix == "" && got.Header.Get("Vary") != "Accept" {
			t.Errorf("%s does not vary by Accept", path)
		}
		tag := got.Header.Get("ETag")
		tags[tag] = true
		again := p.get("tenant", path, "Accept: "+row.accept, "If-None-Match: "+tag)
		if again.Status != http.StatusNotModified || again.Body != "" || again.Header.Get("ETag") != tag {
			t.Errorf("%s again: %d %q", path, again.Status, again.Body)
		}
	}
	if len(tags) != 3 {
		t.Errorf("three representations have the tags %v", tags)
	}
	p.want(http.StatusNotAcceptable, p.get("tenant", january, "Accept: text/html"))
	p.want(http.StatusUnprocessableEntity, p.get("tenant", strings.Replace(january, "?", ".xlsx?", 1)))
	rows, err := csv.NewReader(strings.NewReader(p.get("tenant", january, "Accept: text/csv").Body)).ReadAll()
	check(t, err)
	if len(rows) != 5 {
		t.Errorf("the CSV has %d rows, want header, opening, 2 lines, closing", len(rows))
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	type row struct{ Account, Currency, On, Balance, Position string }
	type page struct {
		Accounts []row
		Next     string
	}
	first := decoded[page](t, p.want(http.StatusOK, p.get("auditor", "/accounts?limit=1")).Body)
	if len(first.Accounts) != 1 || first.Accounts[0].Account != "T1" || first.Accounts[0].Balance != "-85.00" || first.Next == "" {
		t.Fatalf("first page: %+v", first)
	}
	second := decoded[page](t, p.get("auditor", "/accounts?limit=1&cursor="+first.Next).Body)
	if len(second.Accounts) != 1 || second.Accounts[0].Account != "T2" || second.Next != "" {
		t.Errorf("second page: %+v", second)
	}
	mine := decoded[page](t, p.get("tenant", "/accounts").Body)
	if len(mine.Accounts) != 1 || mine.Accounts[0].Account != "T1" {
		t.Errorf("a tenant's: %+v", mine)
	}
	today := time.Now().UTC().Format(time.DateOnly)
	if got := decoded[row](t, p.get("tenant", "/accounts/T1").Body); got.On != today || got.Balance != "-85.00" {
		t.Errorf("one account: %+v", got)
	}
	if got := decoded[row](t, p.get("tenant", "/accounts/T1/balance?on=2026-01-11").Body); got.Balance != "15.00" || got.On != "2026-01-11" {
		t.Errorf("on a day: %+v", got)
	}
	if got := decoded[row](t, p.get("tenant", "/accounts/T1/balance?known_at=1").Body); got.Balance != "0.00" || got.Position != "1" {
		t.Errorf("as known at 1: %+v", got)
	}
	p.want(http.StatusNotFound, p.get("auditor", "/accounts/T9/balance"))
}

func TestTenants_by_person_see_the_tenancies_they_are_in(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	p.tokenOf("bo", "P2")
	if got := p.get("bo", "/accounts").Body; !strings.Contains(got, `"T2"`) || strings.Contains(got, `"T1"`) {
		t.Errorf("the accounts of P2: %s", got)
	}
	p.want(http.StatusOK, p.get("bo", "/tenancies/T2"))
	p.want(http.StatusOK, p.get("bo", "/properties/H2"))
	p.want(http.StatusOK, p.get("bo", "/tenancies/T2/tenants/P2"))
	p.want(http.StatusNotFound, p.get("bo", "/tenancies/T1"))
	p.want(http.StatusNotFound, p.get("bo", "/properties/H1"))
	p.tokenOf("cy", "P3")
	p.want(http.StatusOK, p.get("cy", "/accounts/T1/terms/R1"))
	p.want(http.StatusNotFound, p.get("cy", "/tenancies/T1/tenants/P1")) // shares the home, not the telephone number
}

func TestEntries_and_explanations(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	run := p.want(http.StatusCreated, p.ask("manager", http.MethodPost, "/charge-runs", `{"through":"2026-03-31"}`, "Idempotency-Key: q1"))
	if !strings.Contains(run.Body, `"raised":3`) || !strings.Contains(run.Body, `{"currency":"GBP","debit":"1350.00","credit":"0.00"}`) {
		t.Fatalf("the run: %s", run.Body)
	}
	type page struct {
		Entries []struct {
			Entry         string
			Debit, Credit *string
		}
		Next string
	}
	charges := decoded[page](t, p.want(http.StatusOK, p.get("tenant", "/accounts/T1/entries?kind=charge&limit=2")).Body)
	if len(charges.Entries) != 2 || charges.Entries[0].Entry != "rent:2026-01-01" || *charges.Entries[0].Debit != "450.00" || charges.Next == "" {
		t.Fatalf("charges: %+v", charges)
	}
	more := decoded[page](t, p.get("tenant", "/accounts/T1/entries?kind=charge&limit=2&cursor="+charges.Next).Body)
	if len(more.Entries) != 2 || more.Entries[1].Entry != "rent:2026-03-01" || more.Next != "" {
		t.Errorf("more charges: %+v", more)
	}
	for _, path := range []string{"rent:2026-02-01", "rent%3A2026-02-01"} {
		type explanation struct {
			Line   struct{ Entry, Debit string }
			Parts  []map[string]any
			Source struct {
				Type string
				Data json.RawMessage
			}
		}
		got := decoded[explanation](t, p.want(http.StatusOK, p.get("tenant", "/accounts/T1/entries/"+path+"/explanation")).Body)
		if got.Line.Entry != "rent:2026-02-01" || got.Source.Type != "rent.charge-raised.v1" || len(got.Parts) != 1 ||
			got.Parts[0]["period_amount"] != "450.00" || got.Parts[0]["days_covered"] != 28.0 {
			t.Errorf("%s: %+v", path, got)
		}
	}
	p.want(http.StatusNotFound, p.get("tenant", "/accounts/T1/entries/rent:1999-01-01/explanation"))
}

func TestChargeRuns(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	post := func(body string, headers ...string) answer {
		return p.ask("manager", http.MethodPost, "/charge-runs", body, headers...)
	}
	march := `{"through":"2026-03-31"}`
	missing := problemOf(t, p.want(http.StatusBadRequest, post(march)))
	if missing.Errors[0].Location != "header.Idempotency-Key" {
		t.Errorf("without a key: %+v", missing)
	}
	dry := p.want(http.StatusOK, post(`{"through":"2026-03-31","dry_run":true}`, "Idempotency-Key: a"))
	if !strings.Contains(dry.Body, `"raised":3`) || strings.Contains(dry.Body, `"run"`) {
		t.Errorf("a dry run: %s", dry.Body)
	}
	first := p.want(http.StatusCreated, post(march, "Idempotency-Key: a"))
	again := p.want(http.StatusCreated, post(march, "Idempotency-Key: a"))
	if again.Body != first.Body || again.Header.Get("Idempotent-Replayed") != "true" || first.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("again: %+v, want %+v", again, first)
	}
	p.want(http.StatusConflict, post(`{"through":"2026-04-30"}`, "Idempotency-Key: a"))
	other := p.want(http.StatusCreated, post(march, "Idempotency-Key: b"))
	if !strings.Contains(other.Body, `"raised":0`) {
		t.Errorf("another run through the same day raised something: %s", other.Body)
	}
	far := problemOf(t, p.want(http.StatusUnprocessableEntity, post(`{"through":"2126-01-01"}`, "Idempotency-Key: c")))
	if far.Type != "/problems/charge-run.too-far" || far.Errors[0].Location != "body.through" {
		t.Errorf("too far: %+v", far)
	}
}

func TestStreams_and_audit(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	type event struct {
		Position, Stream, ID, Type string
		RecordedAt                 time.Time `json:"recorded_at"`
		Version                    uint64
		Actor                      struct{ ID, Role string }
		Correlation, Causation     string
		Data                       json.RawMessage
	}
	all := decoded[[]event](t, p.want(http.StatusOK, p.get("manager", "/streams/tenancy-T1")).Body)
	if len(all) != 3 || all[0].Type != "tenancy.opened.v1" || all[2].Version != 3 || all[0].Actor.Role != "manager" {
		t.Fatalf("the stream: %+v", all)
	}
	if data := string(all[1].Data); !strings.Contains(data, `"sealed":`) || strings.Contains(data, "Ada") {
		t.Errorf("personal data is shown as it is not stored: %s", data)
	}
	p.want(http.StatusNotFound, p.get("manager", "/streams/tenancy-T9"))
	p.want(http.StatusNotAcceptable, p.get("manager", "/streams/tenancy-T1", "Accept: text/html"))

	lines := strings.Split(strings.TrimSpace(p.want(http.StatusOK, p.get("auditor", "/audit/events")).Body), "\n")
	if len(lines) != 15 { // log.started, 12 commands of which 2 open accounts too
		t.Fatalf("the log has %d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	third := decoded[event](t, lines[2])
	rest := strings.TrimSpace(p.get("auditor", "/audit/events?after="+third.Position).Body)
	same(t, "after is exclusive", strings.Split(rest, "\n"), lines[3:])
	two := strings.TrimSpace(p.get("auditor", "/audit/events?limit=2").Body)
	same(t, "a limit", strings.Split(two, "\n"), lines[:2])
	if end := p.get("auditor", "/audit/events?after=15"); end.Body != "" || end.Status != http.StatusOK {
		t.Errorf("after the head: %d %q", end.Status, end.Body)
	}
	for filter, want := range map[string]int{
		"stream=rentAccount-T1":                4,
		"stream=rentAccount-":                  6,
		"type=rent.charge-entered.v1":          2,
		"actor=nobody":                         0,
		"stream=rentAccount-T1&limit=3":        3,
		"from=2020-01-01T00:00:00Z":            15,
		"to=2020-01-01T00:00:00Z":              0,
		"type=rent.charge-entered.v1&after=13": 1,
	} {
		body := strings.TrimSpace(p.want(http.StatusOK, p.get("auditor", "/audit/events?"+filter)).Body)
		if got := strings.Count(body, "\n") + 1; body != "" && got != want || body == "" && want != 0 {
			t.Errorf("%s: %d events, want %d:\n%s", filter, got, want, body)
		}
	}
	cloud := p.get("auditor", "/audit/events?type=rent.charge-entered.v1", "Accept: application/cloudevents-batch+json")
	events := decoded[[]map[string]any](t, cloud.Body)
	if len(events) != 2 || events[0]["specversion"] != "1.0" || events[0]["subject"] != "rentAccount-T1" || events[0]["sequence"] == "" {
		t.Errorf("CloudEvents: %s", cloud.Body)
	}
	none := p.get("auditor", "/audit/events?actor=nobody", "Accept: application/json")
	if strings.TrimSpace(none.Body) != "[]" {
		t.Errorf("no events as JSON: %q", none.Body)
	}
}
