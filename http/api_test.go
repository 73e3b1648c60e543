package http_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestObjects_come_back_as_they_were_put(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	for path, want := range map[string]string{
		"/properties/H1":           `{"kind":"home","address":"1 Mill Lane","postcode":"LS1 4AP"}`,
		"/tenancies/T1":            `{"property":"H1","kind":"assured","starts_on":"2026-01-01","currency":"GBP"}`,
		"/tenancies/T1/tenants/P1": `{"name":"Ada Example","email":"ada@example.org","liable_from":"2026-01-01"}`,
		"/calendars/free":          `{"dates":["2026-12-21"]}`,
		"/accounts/T1/terms/R1": `{"code":"rent","description":"Rent","amount":"450.00","period":"monthly","due":"in_advance",` +
			`"proration":"period_days","from":"2026-01-01","to":"2026-03-31"}`,
	} {
		got := p.want(http.StatusOK, p.get("manager", path))
		if strings.TrimSpace(got.Body) != want {
			t.Errorf("%s: %s, want %s", path, got.Body, want)
		}
		tag := got.Header.Get("ETag")
		if again := p.get("manager", path, "If-None-Match: "+tag); again.Status != http.StatusNotModified || again.Body != "" {
			t.Errorf("%s with If-None-Match %s: %d %q, want 304", path, tag, again.Status, again.Body)
		}
		replayed := p.put(path, want)
		if replayed.Header.Get("Idempotent-Replayed") != "true" || replayed.Header.Get("ETag") != tag {
			t.Errorf("%s put back: replayed %q, ETag %s, want true and %s", path,
				replayed.Header.Get("Idempotent-Replayed"), replayed.Header.Get("ETag"), tag)
		}
	}
}

func TestWrites_are_carried_out_once(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	for path, body := range map[string]string{
		"/accounts/T1/charges/C2":              `{"code":"repairs","description":"Lock","amount":"30","value_date":"2026-02-01"}`,
		"/accounts/T1/payments/PAY-2":          `{"amount":"450.00","value_date":"2026-02-01","method":"cash"}`,
		"/accounts/T1/payments/PAY-1/reversal": `{"value_date":"2026-02-03","reason_code":"returned","fee":"8.00"}`,
		"/accounts/T1/adjustments/A1":          `{"kind":"credit","amount":"5.00","value_date":"2026-02-03","reason":"Goodwill","corrects":"KEY-1"}`,
	} {
		first := p.put(path, body)
		if first.Header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%s: the first is a repetition", path)
		}
		again := p.put(path, body)
		if again.Body != first.Body || again.Header.Get("Idempotent-Replayed") != "true" ||
			again.Header.Get("Rentbook-Position") != first.Header.Get("Rentbook-Position") {
			t.Errorf("%s again: %+v, want what came first: %+v", path, again, first)
		}
		other := strings.Replace(body, "2026-02-0", "2026-02-1", 1)
		got := problemOf(t, p.want(http.StatusConflict, p.ask("manager", http.MethodPut, path, other)))
		if got.Type != "/problems/different" {
			t.Errorf("%s with another body: %s", path, got.Type)
		}
	}
	got := problemOf(t, p.want(http.StatusConflict, p.ask("manager", http.MethodPut, "/accounts/T1/payments/PAY-9/reversal",
		`{"value_date":"2026-02-03","reason_code":"returned"}`)))
	if got.Type != "/problems/rent.unknown-payment" || got.Errors[0].Location != "path.payment" {
		t.Errorf("a reversal of nothing: %+v", got)
	}
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	first := `{"kind":"home","address":"1 Mill Lane","postcode":"LS1 4AP"}`
	second := strings.Replace(first, "1 Mill", "3 Mill", 1)
	third := strings.Replace(first, "1 Mill", "5 Mill", 1)
	tag := p.put("/properties/H1", first).Header.Get("ETag")

	put := func(body string, headers ...string) answer {
		return p.ask("manager", http.MethodPut, "/properties/H1", body, headers...)
	}
	p.want(http.StatusConflict, put(second))
	changed := p.want(http.StatusCreated, put(second, "If-Match: "+tag))
	if changed.Header.Get("ETag") == tag {
		t.Error("a change did not change the ETag")
	}
	if again := p.want(http.StatusCreated, put(second, "If-Match: "+tag)); again.Header.Get("Idempotent-Replayed") != "true" {
		t.Error("the same change again is not a repetition")
	}
	stale := problemOf(t, p.want(http.StatusPreconditionFailed, put(third, "If-Match: "+tag)))
	if stale.Type != "/problems/stale" {
		t.Errorf("a stale change: %s", stale.Type)
	}
	if again := p.want(http.StatusCreated, put(first)); again.Header.Get("Idempotent-Replayed") != "true" {
		t.Error("the first body again is not a repetition")
	}
	for _, malformed := range []string{"*", "3", `W/"1"`, `"1", "2"`, `"x"`, `""`, `"-1"`, `"+1"`} {
		got := problemOf(t, p.want(http.StatusBadRequest, put(third, "If-Match: "+malformed)))
		if got.Errors[0].Location != "header.If-Match" {
			t.Errorf("If-Match %s: %+v", malformed, got)
		}
	}
}

func TestBodies_that_are_refused(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	good := `{"code":"rent","description":"x","amount":"1.00","value_date":"2026-01-10"}`
	for _, row := range []struct {
		name, body  string
		status      int
		location    string
		contentType string
	}{
		{"another type", good, 415, "header.Content-Type", "text/plain"},
		{"no type", good, 415, "header.Content-Type", "-"},
		{"another character set", good, 415, "header.Content-Type", "application/json; charset=latin1"},
		{"no JSON", `{"code":`, 400, "body", ""},
		{"more after the object", good + `{}`, 400, "body", ""},
		{"an array", `[]`, 422, "body", ""},
		{"null", `null`, 422, "body", ""},
		{"an unknown member", strings.Replace(good, `{`, `{"colour":"red",`, 1), 422, "body.colour", ""},
		{"another case", strings.Replace(good, `"code"`, `"Code"`, 1), 422, "body.Code", ""},
		{"a member twice", strings.Replace(good, `{`, `{"amount":"2.00",`, 1), 422, "body.amount", ""},
		{"an amount as number", strings.Replace(good, `"1.00"`, `1.00`, 1), 422, "body.amount", ""},
		{"an amount with a sign", strings.Replace(good, `"1.00"`, `"-1.00"`, 1), 422, "body.amount", ""},
		{"an amount of nought", strings.Replace(good, `"1.00"`, `"0.00"`, 1), 422, "body.amount", ""},
		{"too many decimals", strings.Replace(good, `"1.00"`, `"1.001"`, 1), 422, "body.amount", ""},
		{"too much", strings.Replace(good, `"1.00"`, `"99999999999999"`, 1), 422, "body.amount", ""},
		{"a day that does not exist", strings.Replace(good, `2026-01-10`, `2026-02-30`, 1), 422, "body.value_date", ""},
		{"a missing member", strings.Replace(good, `"amount":"1.00",`, ``, 1), 422, "body", ""},
		{"a wrong type", strings.Replace(good, `"x"`, `{"y":1}`, 1), 422, "body.description", ""},
		{"a period that ends before it starts", strings.Replace(good, `{`, `{"period_from":"2026-02-01","period_to":"2026-01-01",`, 1), 422, "body.period_to", ""},
		{"too large", `{"description":"` + strings.Repeat("x", 64<<10) + `"}`, 413, "body", ""},
	} {
		headers := []string{}
		if row.contentType != "" {
			headers = append(headers, "Content-Type: "+strings.TrimPrefix(row.contentType, "-"))
		}
		a := p.ask("manager", http.MethodPut, "/accounts/T1/charges/BAD", row.body, headers...)
		got := problemOf(t, a)
		if a.Status != row.status || len(got.Errors) == 0 || got.Errors[0].Location != row.location {
			t.Errorf("%s: %d %+v, want %d at %s", row.name, a.Status, got, row.status, row.location)
		}
		if strings.Contains(a.Body, "99999999999999") || strings.Contains(a.Body, "-1.00") {
			t.Errorf("%s: the answer repeats what was sent: %s", row.name, a.Body)
		}
	}
	empty := p.ask("manager", http.MethodPut, "/accounts/T1/charges/BAD", "", "Content-Type: application/json")
	p.want(http.StatusBadRequest, empty)
	unknown := problemOf(t, p.ask("manager", http.MethodPut, "/accounts/NOPE/charges/C", good))
	if unknown.Status != http.StatusNotFound {
		t.Errorf("an unknown account: %+v", unknown)
	}
	if id := problemOf(t, p.ask("manager", http.MethodPut, "/accounts/T1/charges/a:b", good)); id.Errors[0].Location != "path.charge" {
		t.Errorf("an id that is reserved: %+v", id)
	}
	if got := p.get("manager", "/accounts/T1/entries?q=BAD").Body; strings.Contains(got, "BAD") {
		t.Errorf("something of what was refused was recorded: %s", got)
	}
}

func TestCalendars_may_be_large(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	var days []string
	for day := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC); len(days) < 10_400; day = day.AddDate(0, 0, 7) {
		days = append(days, `"`+day.Format(time.DateOnly)+`"`)
	}
	p.put("/calendars/long", `{"dates":[`+strings.Join(days, ",")+`]}`)
	p.want(http.StatusUnprocessableEntity, p.ask("manager", http.MethodPut, "/calendars/longer",
		`{"dates":[`+strings.Join(append(days, `"1800-01-01"`), ",")+`]}`))
	p.want(http.StatusRequestEntityTooLarge, p.ask("manager", http.MethodPut, "/calendars/largest",
		`{"dates":[`+strings.Repeat(" ", 1<<20)+`]}`))
	got := problemOf(t, p.want(http.StatusUnprocessableEntity, p.ask("manager", http.MethodPut, "/calendars/odd", `{"dates":["2026-01-01","soon"]}`)))
	if got.Errors[0].Location != "body.dates[1]" {
		t.Errorf("a day that is none: %+v", got)
	}
}

func TestQueries_that_are_refused(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	p.furnish()
	future := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for path, location := range map[string]string{
		"/accounts/T1/statement":                                                            "query.from",
		"/accounts/T1/statement?from=2026-01-01":                                            "query.to",
		"/accounts/T1/statement?from=2026-02-01&to=2026-01-01":                              "query.to",
		"/accounts/T1/statement?from=2026-02-30&to=2026-03-01":                              "query.from",
		"/accounts/T1/statement?from=2026-01-01&to=2026-01-31&colour=red":                   "query.colour",
		"/accounts/T1/statement?from=2026-01-01&to=2026-01-31&known_at=soon":                "query.known_at",
		"/accounts/T1/statement?from=2026-01-01&to=2026-01-31&known_at=99999":               "query.known_at",
		"/accounts/T1/statement?from=2026-01-01&to=2026-01-31&known_at=" + future:           "query.known_at",
		"/accounts/T1/statement?from=2026-01-01&to=2026-01-31&known_at=2026-03-03T12:00:00": "query.known_at",
		"/accounts/T1/balance?on=yesterday":                                                 "query.on",
		"/accounts/T1/balance?known_at=99999":                                               "query.known_at",
		"/accounts/T1/entries?kind=bribe":                                                   "query.kind",
		"/accounts/T1/entries?from=2026-02-01&to=2026-01-01":                                "query.to",
		"/accounts/T1/entries?limit=201":                                                    "query.limit",
		"/accounts?limit=0":                                                                 "query.limit",
		"/accounts?limit=many":                                                              "query.limit",
		"/accounts?cursor=%21%21":                                                           "query.cursor",
		"/audit/events?after=first":                                                         "query.after",
		"/audit/events?from=2026-01-01":                                                     "query.from",
		"/audit/events?limit=-1":                                                            "query.limit",
	} {
		a := p.get("operator", path)
		got := problemOf(t, a)
		if a.Status != http.StatusUnprocessableEntity || len(got.Errors) == 0 || got.Errors[0].Location != location {
			t.Errorf("%s: %d %+v, want 422 at %s", path, a.Status, got, location)
		}
		if a.Header.Get("Rentbook-Position") == "" {
			t.Errorf("%s: no position", path)
		}
	}
	plus := p.get("operator", "/accounts/T1/balance?known_at=2026-03-03T12:00:00+01:00")
	if got := problemOf(t, plus); !strings.Contains(got.Errors[0].Message, "%2B") {
		t.Errorf("a plus that became a space is not explained: %+v", got)
	}
}

func TestMinPosition(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	written := p.put("/properties/H1", `{"kind":"home","address":"1 Mill Lane","postcode":"LS1 4AP"}`)
	position := written.Header.Get("Rentbook-Position")
	if want := fmt.Sprintf(`"position":"%s"`, position); !strings.Contains(written.Body, want) {
		t.Errorf("%s does not say %s", written.Body, want)
	}
	p.want(http.StatusOK, p.ask("manager", http.MethodGet, "/properties/H1", "", "Rentbook-Min-Position: "+position))
	p.want(http.StatusBadRequest, p.ask("manager", http.MethodGet, "/properties/H1", "", "Rentbook-Min-Position: soon"))
	ahead := p.ask("manager", http.MethodGet, "/properties/H1", "", "Rentbook-Min-Position: 99999")
	if got := problemOf(t, p.want(http.StatusServiceUnavailable, ahead)); got.Type != "/problems/behind" || ahead.Header.Get("Retry-After") == "" {
		t.Errorf("beyond the head: %+v, %v", got, ahead.Header)
	}
}
