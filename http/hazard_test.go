//nolint:misspell // image/color is not ours to spell
package http_test

import (
	"image/color"
	"net/http"
	"strings"
	"testing"
	"time"
)

type hazardAnswer struct {
	Hazard, State, Grade, Finding, Tenancy string
	Repairs                                []string
	Safe                                   bool
	Due                                    *string
	Clocks                                 []struct {
		Clock     string
		StartedAt string  `json:"started_at"`
		DueAt     *string `json:"due_at"`
		MetAt     *string `json:"met_at"`
		Breached  bool
	}
	Actions []struct{ Action string }
}

func (h hazardAnswer) due(t *testing.T, clock string) string {
	t.Helper()
	for _, c := range h.Clocks {
		if c.Clock == clock && c.DueAt != nil {
			return *c.DueAt
		}
	}
	t.Errorf("no clock %s in %+v", clock, h.Clocks)
	return ""
}

func (p *portal) hazard(who, path, body string) hazardAnswer {
	p.t.Helper()
	return decoded[hazardAnswer](p.t, p.want(http.StatusCreated, p.ask(who, http.MethodPut, path, body)).Body)
}

// TestHazard_clocks: told on a Friday and entered on Monday, every clock counts from the Friday.
func TestHazard_clocks(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	said := `{"tenancy":"T1","kind":"damp_mould","grade":"significant","aware_at":"2026-11-20T16:30:00Z","channel":"contractor","description":"Black mould."}`
	h := p.hazard("manager", "/hazards/HZ1", said)
	same(t, "investigated within ten working days, the first being Monday", h.due(t, "investigate"), "2026-12-04T23:59:59.000000Z")
	act := func(id, body string) hazardAnswer { return p.hazard("manager", "/hazards/HZ1/actions/"+id, body) }
	h = act("A1", `{"action":"investigate","finding":"significant"}`)
	same(t, "the summary, in three working days", h.due(t, "summary"), "2026-11-26T23:59:59.000000Z")
	same(t, "made safe, in five working days", h.due(t, "safety_work"), "2026-11-30T23:59:59.000000Z")
	h.due(t, "preventive_work")
	same(t, "state", h.State, "investigated")
	same(t, "next", *h.Due, h.due(t, "summary"))
	h = act("A2", `{"action":"summarise"}`)
	h = act("A3", `{"action":"make_safe"}`)
	if !h.Safe {
		t.Errorf("not safe: %+v", h)
	}
	h = act("A4", `{"action":"regrade","grade":"emergency","reason":"worse"}`)
	same(t, "within a day", h.due(t, "emergency_make_safe"), "2026-11-24T09:00:00.000000Z")
	clocks := map[string]bool{}
	for _, c := range h.Clocks {
		clocks[c.Clock] = true
	}
	for _, name := range []string{"investigate", "summary", "safety_work", "preventive_work", "emergency_make_safe"} {
		if !clocks[name] {
			t.Errorf("no clock %s", name)
		}
	}
}

func TestHazard_story(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	p.hazard("manager", "/hazards/HZ1", `{"tenancy":"T1","kind":"damp_mould","grade":"significant","channel":"call","description":"Canary mould."}`)
	p.hazard("manager", "/hazards/HZ2", `{"tenancy":"T2","kind":"gas","grade":"emergency","channel":"call"}`)
	p.hazard("manager", "/hazards/HZ3", `{"property":"B1","kind":"fire","grade":"significant","aware_at":"2026-11-20T09:00:00Z","channel":"survey"}`)
	p.report("tenant", "R1", `{"tenancy":"T1","path":["bathroom","shower","screen"],"description":"Canary: it fell off."}`)
	board := func(who, query string) string {
		t.Helper()
		ids := []string{}
		for after := ""; ; {
			page := decoded[struct {
				Hazards []hazardAnswer
				Next    string
			}](t, p.want(http.StatusOK, p.get(who, "/hazards?limit=1&"+query+"&cursor="+after)).Body)
			for _, h := range page.Hazards {
				ids = append(ids, h.Hazard)
			}
			if after = page.Next; after == "" {
				return strings.Join(ids, " ")
			}
		}
	}
	derived := decoded[struct{ Hazard string }](t, p.get("manager", "/repairs/R1").Body).Hazard
	same(t, "the board", board("manager", "open=true"), "HZ2 HZ1 HZ3 "+derived)
	same(t, "of one grade", board("auditor", "grade=emergency"), "HZ2")
	same(t, "of the block", board("auditor", "block=H1&open=true"), "HZ1 "+derived)
	same(t, "of a tenant", board("tenant", "open=true"), "HZ1 "+derived)
	same(t, "of the other", board("neighbour", ""), "HZ2")
	got := p.refused(http.StatusUnprocessableEntity, "invalid", p.get("manager", "/hazards?cursor=x"))
	same(t, "where", got.Errors[0].Location, "query.cursor")

	same(t, "the report's", p.want(http.StatusOK, p.get("tenant", "/hazards/"+derived)).Status, http.StatusOK)
	p.want(http.StatusCreated, p.ask("tenant", http.MethodPut, "/hazards/"+derived+"/actions/N", `{"action":"note","note":"Canary note."}`))
	foreign := p.refused(http.StatusNotFound, "not-found", p.get("tenant", "/hazards/HZ2"))
	same(t, "foreign and none", foreign, p.refused(http.StatusNotFound, "not-found", p.get("tenant", "/hazards/HZ9")))
	p.want(http.StatusNotFound, p.get("tenant", "/hazards/HZ3"))
	p.want(http.StatusForbidden, p.get("plumber", "/hazards/HZ1"))
	never := p.refused(http.StatusConflict, "hazard.not-allowed",
		p.ask("tenant", http.MethodPut, "/hazards/HZ1/actions/A", `{"action":"close","reason":"x"}`))
	same(t, "what a tenant may", never.Allowed, []string{"evidence", "note"})

	photo := p.photo("manager", color.White)
	for _, row := range []struct {
		body, kind string
		status     int
	}{
		{`{"action":"mend"}`, "word", 422},
		{`{"action":"close","reason":"done"}`, "hazard.unfinished", 409},
		{`{"action":"summarise"}`, "hazard.not-allowed", 409},
		{`{"action":"investigate"}`, "missing", 422},
		{`{"action":"investigate","finding":"none","grade":"emergency"}`, "hazard.not-taken", 422},
		{`{"action":"note","note":"x","at":"2026-11-30T09:00:00Z"}`, "hazard.future", 422},
		{`{"action":"note","note":"x","at":"2026-11-01T09:00:00Z"}`, "hazard.before-awareness", 422},
		{`{"action":"note","note":"x","at":"soon"}`, "invalid", 422},
		{`{"action":"link","repair":"R9"}`, "unknown-reference", 409},
	} {
		p.refused(row.status, row.kind, p.ask("manager", http.MethodPut, "/hazards/HZ1/actions/BAD", row.body))
	}
	evidence := `{"action":"evidence","photos":["` + photo + `"]}`
	first := p.want(http.StatusCreated, p.ask("manager", http.MethodPut, "/hazards/HZ1/actions/E1", evidence))
	again := p.want(http.StatusCreated, p.ask("manager", http.MethodPut, "/hazards/HZ1/actions/E1", evidence))
	same(t, "again", []string{first.Body, first.Header.Get("Idempotent-Replayed"), "true"}, []string{again.Body, "", again.Header.Get("Idempotent-Replayed")})
	p.refused(http.StatusConflict, "different", p.ask("manager", http.MethodPut, "/hazards/HZ1/actions/E1", `{"action":"note","note":"x"}`))
	p.refused(http.StatusPreconditionFailed, "stale", p.ask("manager", http.MethodPut, "/hazards/HZ1/actions/E2", `{"action":"note","note":"x"}`, `If-Match: "1"`))
	tag := p.get("manager", "/hazards/HZ1").Header.Get("ETag")
	p.want(http.StatusCreated, p.ask("manager", http.MethodPut, "/hazards/HZ1/actions/E2", `{"action":"note","note":"x"}`, "If-Match: "+tag))
	for who, status := range map[string]int{"auditor": 200, "tenant": 200, "neighbour": 404, "plumber": 404} {
		p.want(status, p.get(who, "/photos/"+photo))
	}

	lines := decoded[[]struct{ Text, State string }](t, p.want(http.StatusOK, p.get("tenant", "/hazards/HZ1/timeline")).Body)
	if len(lines) != 3 {
		t.Errorf("its timeline: %+v", lines)
	}
	if strings.Contains(p.logged.String(), "anary") {
		t.Error("the log has what somebody said")
	}
	p.clock.set(monday().Add(100 * time.Hour))
	late := decoded[hazardAnswer](t, p.get("manager", "/hazards/HZ2").Body)
	for _, c := range late.Clocks {
		if c.Clock == "emergency_make_safe" && !c.Breached {
			t.Errorf("after four days: %+v", c)
		}
	}
}

// TestHazard_actions_are_true: what is listed can be done, with the fields it names.
func TestHazard_actions_are_true(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	p.report("tenant", "R1", brokenSink)
	values := map[string]string{
		"reason": `"x"`, "note": `"x"`, "finding": `"significant"`, "grade": `"emergency"`, "repair": `"R1"`,
	}
	may := map[string]bool{"close": true} // only once nothing is owed
	for n, prelude := range [][]string{
		nil,
		{`{"action":"investigate","finding":"significant"}`},
		{`{"action":"investigate","finding":"significant"}`, `{"action":"make_safe"}`},
		{`{"action":"investigate","finding":"significant"}`, `{"action":"make_safe"}`, `{"action":"begin_preventive_work"}`},
		{`{"action":"investigate","finding":"significant"}`, `{"action":"complete"}`},
		{`{"action":"close","reason":"withdrawn","note":"x"}`},
	} {
		for k := 0; ; k++ {
			id := "HZ" + string(rune('a'+n)) + string(rune('a'+k))
			h := p.hazard("manager", "/hazards/"+id, `{"tenancy":"T1","kind":"damp_mould","grade":"significant","channel":"call"}`)
			for i, body := range prelude {
				h = p.hazard("manager", "/hazards/"+id+"/actions/P"+string(rune('0'+i)), body)
			}
			shown := decoded[struct {
				Actions []struct {
					Action string
					Fields []string
				}
			}](t, p.get("manager", "/hazards/"+id).Body)
			if k == len(shown.Actions) {
				break
			}
			parts := []string{`"action":"` + shown.Actions[k].Action + `"`}
			for _, f := range shown.Actions[k].Fields {
				parts = append(parts, `"`+f+`":`+values[f])
			}
			if shown.Actions[k].Action == "evidence" {
				parts = append(parts, `"note":"x"`)
			}
			got := p.ask("manager", http.MethodPut, "/hazards/"+id+"/actions/X", `{`+strings.Join(parts, ",")+`}`)
			if got.Status != http.StatusCreated && !may[shown.Actions[k].Action] {
				t.Errorf("%s is offered while %s, and refused: %s", parts[0], h.State, got.Body)
			}
		}
	}
}
