package http_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// refusalAnswer is all of a problem.
type refusalAnswer struct {
	Type, Detail, State string
	Allowed             []string
	Slots               []struct{ Slot string }
	Errors              []struct{ Location, Message string }
}

func (p *portal) refused(status int, kind string, got answer) refusalAnswer {
	p.t.Helper()
	r := decoded[refusalAnswer](p.t, p.want(status, got).Body)
	if r.Type != "/problems/"+kind {
		p.t.Errorf("%s, want %s: %s", r.Type, kind, got.Body)
	}
	return r
}

func (p *portal) act(who, repair, id, body string) answer {
	p.t.Helper()
	return p.ask(who, http.MethodPut, "/repairs/"+repair+"/actions/"+id, body)
}

const (
	brokenSink = `{"tenancy":"T1","path":["kitchen","sink","cracked"],"description":"Cracked."}`
	otherSink  = `{"tenancy":"T2","path":["kitchen","sink","cracked"],"description":"Ours too."}`
)

func TestRepair_moves_that_are_not_allowed(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	p.report("tenant", "R1", brokenSink)
	p.report("neighbour", "R2", otherSink)
	got := p.refused(http.StatusConflict, "repair.not-allowed", p.act("tenant", "R1", "A1", `{"action":"confirm"}`))
	same(t, "the state", got.State, "raised")
	same(t, "what is allowed", got.Allowed, []string{"hold_slot", "book", "cancel", "note"})

	never := p.refused(http.StatusConflict, "repair.not-allowed", p.act("tenant", "R1", "A2", `{"action":"close"}`))
	same(t, "instead of what a tenant never may", never.Allowed, got.Allowed)
	p.refused(http.StatusForbidden, "forbidden", p.act("auditor", "R1", "A2", `{"action":"note","note":"x"}`))
	foreign := p.act("neighbour", "R1", "A2", `{"action":"confirm"}`)
	p.refused(http.StatusNotFound, "repair.not-reported", foreign)
	same(t, "what is foreign is as what is not there", foreign.Body, p.act("neighbour", "R9", "A2", `{"action":"close"}`).Body)

	word := p.refused(http.StatusUnprocessableEntity, "word", p.act("tenant", "R1", "A3", `{"action":"mend"}`))
	if len(word.Errors) != 1 || word.Errors[0].Location != "body.action" || !strings.Contains(word.Errors[0].Message, "triage, decline, approve") {
		t.Errorf("an unknown word: %+v", word)
	}
	slot := p.slots("tenant", "R1")[0]
	p.want(http.StatusCreated, p.act("tenant", "R1", "B1", `{"action":"book","slot":"`+slot+`"}`))
	gone := p.refused(http.StatusConflict, "diary.slot-gone", p.act("neighbour", "R2", "B1", `{"action":"book","slot":"`+slot+`"}`))
	if len(gone.Slots) != 3 || gone.Slots[0].Slot == slot {
		t.Errorf("instead of a slot that is gone: %+v", gone.Slots)
	}
	p.want(http.StatusCreated, p.act("neighbour", "R2", "B1", `{"action":"book","slot":"`+gone.Slots[0].Slot+`"}`))
	missed := p.refused(http.StatusConflict, "repair.not-allowed", p.act("tenant", "R1", "M1", `{"action":"landlord_missed"}`))
	same(t, "before the window", missed.State, "scheduled")
}

func TestRepair_requests_that_make_no_sense(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	p.report("tenant", "R1", brokenSink)
	for body, want := range map[string]string{
		`{"action":"note"}`:                                                         "missing body.note",
		`{"action":"note","note":"x","at":"yesterday"}`:                             "invalid body.at",
		`{"action":"note","note":"x","at":"2026-11-23T09:00"}`:                      "invalid body.at",
		`{"action":"note","note":"x","at":"2027-01-01T00:00:00Z"}`:                  "repair.future body.at",
		`{"action":"note","note":"x","colour":"red"}`:                               "invalid body.colour",
		`{"action":"note","note":"x","sor":[{"code":"PLB-001","colour":"red"}]}`:    "invalid body.sor[0].colour",
		`{"action":"note","note":"x","sor":[{"code":"PLB-001","price":"1.00"}]}`:    "invalid body.sor[0].price",
		`{"action":"note","note":"x","sor":[{"code":"PLB-001","quantity":0}]}`:      "invalid body.sor[0].quantity",
		`{"action":"confirm","rating":6}`:                                           "invalid body.rating",
		`{"action":"hold","reason":"x","until":"2026-02-30"}`:                       "invalid body.until",
		`{"action":"note","note":"x","photos":["` + strings.Repeat("0", 64) + `"]}`: "unknown-reference body.photos",
		`{"action":"note","note":"x","sor":[{"code":"PLB-001"}]}`:                   "repair.not-taken body.sor",
		`{"action":"note","note":"x","note":"y"}`:                                   "invalid body.note",
	} {
		a := p.act("manager", "R1", "BAD", body)
		kind, at, _ := strings.Cut(want, " ")
		got := decoded[refusalAnswer](t, a.Body)
		if got.Type != "/problems/"+kind || len(got.Errors) == 0 || got.Errors[0].Location != at {
			t.Errorf("%s: %d %s, want %s", body, a.Status, a.Body, want)
		}
		if wantStatus := http.StatusUnprocessableEntity; a.Status != wantStatus && kind != "unknown-reference" {
			t.Errorf("%s: %d, want %d", body, a.Status, wantStatus)
		}
	}
	before := p.refused(http.StatusConflict, "repair.order", p.act("manager", "R1", "BAD", `{"action":"note","note":"x","at":"2026-11-01T00:00:00Z"}`))
	same(t, "where", before.Errors[0].Location, "body.at")

	report := func(body string) answer { return p.ask("tenant", http.MethodPut, "/repairs/R9", body) }
	open := p.refused(http.StatusUnprocessableEntity, "triage.unfinished", report(`{"tenancy":"T1","path":["kitchen"],"description":"x"}`))
	if open.Errors[0].Location != "body.path" || !strings.Contains(open.Errors[0].Message, "sink") {
		t.Errorf("a path that is not at its end: %+v", open)
	}
	asks := p.refused(http.StatusUnprocessableEntity, "triage.unfinished", report(`{"tenancy":"T1","path":["kitchen","sink","taps"],"description":"x"}`))
	if asks.Errors[0].Location != "body.answers" || !strings.Contains(asks.Errors[0].Message, "What does the tap do?") {
		t.Errorf("a question that is not answered: %+v", asks)
	}
	p.refused(http.StatusUnprocessableEntity, "triage.path", report(`{"tenancy":"T1","path":["moon"],"description":"x"}`))
	p.refused(http.StatusUnprocessableEntity, "triage.needless-answer", report(strings.Replace(brokenSink, `{`, `{"answers":{"x":"y"},`, 1)))
	p.refused(http.StatusUnprocessableEntity, "invalid", report(strings.Replace(brokenSink, `{`, `{"answers":{"x":1},`, 1)))
	p.refused(http.StatusUnprocessableEntity, "missing", report(`{"path":["kitchen","sink","cracked"],"description":" "}`))
	p.refused(http.StatusUnprocessableEntity, "missing", p.ask("manager", http.MethodPut, "/repairs/R9", `{"path":["kitchen","sink","cracked"],"description":"x"}`))
	p.refused(http.StatusNotFound, "not-found", report(otherSink))
	p.want(http.StatusNotFound, p.get("manager", "/repairs/R9"))
}

func TestRepair_writes_are_carried_out_once(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	for _, row := range []struct{ path, body, other string }{
		{"/repairs/R1", brokenSink, strings.Replace(brokenSink, "Cracked.", "Gone.", 1)},
		{"/repairs/R1/actions/A1", `{"action":"note","note":"The key is below the mat."}`, `{"action":"note","note":"There is no key."}`},
		{"/repairs/R1/actions/A2", `{"action":"book","slot":"2026-11-24.0800-1200"}`, `{"action":"book","slot":"2026-11-25.0800-1200"}`},
		{"/repairs/R1/actions/A3", `{"action":"rebook","slot":"2026-11-26.0800-1200"}`, `{"action":"cancel","reason":"x"}`},
	} {
		first := p.want(http.StatusCreated, p.ask("tenant", http.MethodPut, row.path, row.body))
		p.clock.set(p.now().Add(time.Minute))
		again := p.want(http.StatusCreated, p.ask("tenant", http.MethodPut, row.path, row.body))
		same(t, row.path+" replayed", []string{first.Header.Get("Idempotent-Replayed"), again.Header.Get("Idempotent-Replayed")}, []string{"", "true"})
		for _, name := range []string{"Rentbook-Position", "Etag"} {
			same(t, row.path+" "+name, again.Header.Get(name), first.Header.Get(name))
		}
		was, is := decoded[map[string]any](t, first.Body), decoded[map[string]any](t, again.Body)
		was["clocks"], is["clocks"] = nil, nil // they count on
		same(t, row.path, is, was)
		p.refused(http.StatusConflict, "different", p.ask("tenant", http.MethodPut, row.path, row.other))
	}
	got := p.want(http.StatusOK, p.get("tenant", "/repairs/R1"))
	tag := got.Header.Get("ETag")
	if again := p.get("tenant", "/repairs/R1", "If-None-Match: "+tag); again.Status != http.StatusNotModified {
		t.Errorf("unchanged: %d", again.Status)
	}
	note := `{"action":"note","note":"Later."}`
	p.refused(http.StatusPreconditionFailed, "stale", p.ask("tenant", http.MethodPut, "/repairs/R1/actions/A9", note, `If-Match: "1"`))
	p.want(http.StatusCreated, p.ask("tenant", http.MethodPut, "/repairs/R1/actions/A9", note, "If-Match: "+tag))
	p.refused(http.StatusPreconditionFailed, "stale", p.ask("tenant", http.MethodPut, "/repairs/R1/actions/A10", note, "If-Match: "+tag))
	p.clock.set(p.now().Add(time.Second))
	if p.get("tenant", "/repairs/R1").Header.Get("ETag") == tag {
		t.Error("the ETag stayed as it was")
	}
}

func (p *portal) listed(who, query string) []string {
	p.t.Helper()
	ids := []string{}
	for after := ""; ; {
		got := p.want(http.StatusOK, p.get(who, "/repairs?limit=2&"+query+"&cursor="+after))
		page := decoded[struct {
			Repairs []struct{ Repair string }
			Next    string
		}](p.t, got.Body)
		if len(page.Repairs) > 2 {
			p.t.Errorf("a page of %d", len(page.Repairs))
		}
		for _, r := range page.Repairs {
			ids = append(ids, r.Repair)
		}
		if after = page.Next; after == "" {
			return ids
		}
	}
}

func TestRepairs_are_listed(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	p.put("/properties/H3", `{"kind":"home","address":"3 Far Road","postcode":"LN9 9ZZ"}`)
	p.put("/tenancies/T3", `{"property":"H3","kind":"secure","starts_on":"2025-01-01","currency":"GBP"}`)
	report := func(who, id, body string) {
		p.report(who, id, body)
		p.clock.set(p.now().Add(time.Minute))
	}
	report("tenant", "R1", brokenSink)
	report("tenant", "R2", `{"tenancy":"T1","path":["kitchen","fan","dead"],"description":"x"}`)
	report("neighbour", "R3", otherSink)
	report("neighbour", "R4", `{"tenancy":"T2","path":["communal","entry","panel"],"description":"x"}`)
	report("manager", "R5", `{"tenancy":"T3","path":["kitchen","sink","cracked"],"description":"x"}`)
	report("tenant", "R6", `{"tenancy":"T1","path":["bathroom","light","wet"],"description":"x"}`)
	p.want(http.StatusCreated, p.act("tenant", "R1", "B", `{"action":"book","slot":"2026-11-24.0800-1200"}`))
	p.want(http.StatusCreated, p.act("plumber", "R5", "S", `{"action":"start"}`))
	p.want(http.StatusCreated, p.act("plumber", "R5", "C", `{"action":"complete"}`))
	p.clock.set(monday().AddDate(0, 0, 0).Add(25 * time.Hour)) // the emergency's day is over
	for _, row := range []struct{ who, query, want string }{
		{"tenant", "", "R6 R4 R2 R1"},
		{"tenant", "scope=mine", "R6 R2 R1"},
		{"tenant", "scope=communal", "R4"},
		{"tenant", "tenancy=T2", ""},
		{"tenant", "when=new", "R6 R4 R2"},
		{"tenant", "when=upcoming", "R1"},
		{"tenant", "when=overdue", "R6"},
		{"tenant", "when=past", ""},
		{"neighbour", "", "R4 R3"},
		{"plumber", "", "R5 R3 R1"},
		{"plumber", "scope=mine", "R5 R3 R1"},
		{"plumber", "contractor=C2", ""},
		{"plumber", "tenancy=T1", ""},
		{"plumber", "when=past", "R5"},
		{"contractor", "", ""},
		{"manager", "", "R6 R5 R4 R3 R2 R1"},
		{"manager", "contractor=C2", "R6 R4 R2"},
		{"manager", "block=B1", "R6 R4 R3 R2 R1"},
		{"manager", "block=H3", "R5"},
		{"manager", "tenancy=T2", "R4 R3"},
		{"manager", "class=resolved", "R5"},
		{"manager", "state=scheduled", "R1"},
		{"manager", "priority=emergency", "R6"},
		{"manager", "trade=electrical&when=open", "R6 R4 R2"},
		{"auditor", "when=overdue&block=B1", "R6"},
	} {
		same(t, row.who+" "+row.query, strings.Join(p.listed(row.who, row.query), " "), row.want)
	}
	for query, at := range map[string]string{
		"when=soon": "query.when", "scope=ours": "query.scope", "class=x": "query.class", "limit=0": "query.limit", "cursor=nonsense": "query.cursor",
		"colour=red": "query.colour",
	} {
		got := p.refused(http.StatusUnprocessableEntity, "invalid", p.get("manager", "/repairs?"+query))
		if len(got.Errors) == 0 || got.Errors[0].Location != at {
			t.Errorf("%s: %+v", query, got)
		}
	}
	due := decoded[repairAnswer](t, p.get("manager", "/repairs/R1?law_on=2026-11-23").Body)
	same(t, "clocks by the law of a day", due.Clocks[0].Parameter, "priority.normal@2024-01-01")
	early := decoded[repairAnswer](t, p.get("manager", "/repairs/R1?law_on=2020-01-01").Body)
	if slices.ContainsFunc(early.Clocks, func(c struct{ Clock, Parameter, Explanation string }) bool { return c.Clock == "completion" }) {
		t.Errorf("before there was a policy: %+v", early.Clocks)
	}
	p.refused(http.StatusUnprocessableEntity, "invalid", p.get("manager", "/repairs/R1?law_on=soon"))
}
