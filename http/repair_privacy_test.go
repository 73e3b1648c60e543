//nolint:misspell // image/color is not ours to spell
package http_test

import (
	"image/color"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rentbook/commands"
	"rentbook/http/identity"
)

// seen is a repair as JSON, by member.
func (p *portal) seen(who, repair string) map[string]any {
	p.t.Helper()
	return decoded[map[string]any](p.t, p.want(http.StatusOK, p.get(who, "/repairs/"+repair)).Body)
}

func (p *portal) without(what string, got map[string]any, names ...string) {
	p.t.Helper()
	for _, name := range names {
		if v, has := got[name]; has && v != nil {
			p.t.Errorf("%s shows %s: %v", what, name, v)
		}
	}
}

func TestRepair_least_data(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	p.token("joint", identity.NewToken{Role: commands.RoleTenant, Person: "P8", Tenancies: []string{"T1"}})
	p.put("/contractors/C1/prices", `{"contract":"2026","from":"2026-01-01","currency":"GBP","prices":[{"code":"PLB-012","price":"87.65"}]}`)
	p.put("/contractors/C3", `{"name":"Firm C3","trades":["plumbing"]}`)
	p.put("/contractors/C3/prices", `{"contract":"2026","from":"2026-01-01","currency":"GBP","prices":[{"code":"PLB-012","price":"98.76"}]}`)
	p.token("third", identity.NewToken{Role: commands.RoleContractor, Contractor: "C3"})
	p.report("tenant", "R1", `{"tenancy":"T1","path":["kitchen","sink","cracked"],"description":"Canary words.","contact":"07700 900123","availability":"mornings"}`)
	p.want(http.StatusCreated, p.act("plumber", "R1", "B", `{"action":"book","slot":"2026-11-24.0800-1200"}`))

	work := p.seen("plumber", "R1")
	same(t, "what a contractor needs", []any{work["contact"], work["description"], work["where"].(map[string]any)["address"], work["cost"]},
		[]any{"07700 900123", "Canary words.", "1 Mill Court", "87.65"})
	p.without("a contractor", work, "tenancy", "routing")
	joint := p.seen("joint", "R1")
	p.without("a joint tenant", joint, "contact", "cost", "currency", "routing", "merged")
	same(t, "a joint tenant's", []any{joint["description"], joint["tenancy"]}, []any{"Canary words.", "T1"})
	for _, path := range []string{"/repairs/R1", "/repairs/R1/timeline", "/repairs", "/tenancies/T1/timeline"} {
		for _, who := range []string{"tenant", "joint"} {
			if got := p.want(http.StatusOK, p.get(who, path)).Body; strings.Contains(got, "87.65") || strings.Contains(got, "98.76") {
				t.Errorf("%s sees a price at %s: %s", who, path, got)
			}
		}
	}
	for _, path := range []string{"/repairs/R1", "/repairs/R1/timeline", "/repairs", "/contractors/C1/diary?date=2026-11-24", "/repairs/R1/slots"} {
		if got := p.want(http.StatusOK, p.get("plumber", path)).Body; strings.Contains(got, "98.76") || strings.Contains(got, `"T1"`) {
			t.Errorf("a contractor sees too much at %s: %s", path, got)
		}
	}
	if cost := p.seen("manager", "R1")["cost"]; cost != "87.65" {
		t.Errorf("staff see a cost of %v", cost)
	}

	back := p.want(http.StatusCreated, p.act("plumber", "R1", "HB", `{"action":"hand_back","reason":"no_time"}`))
	for _, secret := range []string{"98.76", "C3", "Canary", "900123", "Mill Court"} {
		if strings.Contains(back.Body, secret) {
			t.Errorf("who hands back learns %s: %s", secret, back.Body)
		}
	}
	again := p.want(http.StatusCreated, p.act("plumber", "R1", "HB", `{"action":"hand_back","reason":"no_time"}`))
	same(t, "and the same again", again.Body, back.Body)
	for _, path := range []string{"", "/timeline", "/slots"} {
		got := p.want(http.StatusNotFound, p.get("plumber", "/repairs/R1"+path))
		same(t, "as what is not there", got.Body, p.get("plumber", "/repairs/R9"+path).Body)
	}
	p.want(http.StatusNotFound, p.act("plumber", "R1", "N", `{"action":"note","note":"x"}`))
	for _, path := range []string{"/contractors/C1/diary?date=2026-11-24", "/contractors/C1/diary.ics"} {
		got := p.want(http.StatusOK, p.get("plumber", path)).Body
		for _, secret := range []string{"98.76", "PLB-012", "Canary", "900123", "Mill Court"} {
			if strings.Contains(got, secret) {
				t.Errorf("the old contractor still sees %s at %s: %s", secret, path, got)
			}
		}
	}
	p.want(http.StatusOK, p.get("third", "/repairs/R1"))

	p.put("/contractors/C3/prices", `{"contract":"2027","from":"2026-11-23","currency":"GBP","prices":[{"code":"PLB-015","price":"9000.00"}]}`)
	p.report("tenant", "R5", `{"tenancy":"T1","path":["bathroom","shower","mixer"],"description":"x"}`)
	if r := p.seen("manager", "R5"); r["state"] == "awaiting_approval" {
		for _, path := range []string{"", "/timeline"} {
			p.want(http.StatusNotFound, p.get("third", "/repairs/R5"+path))
		}
		p.want(http.StatusNotFound, p.get("third", "/repairs/R5/slots"))
		p.want(http.StatusNotFound, p.act("third", "R5", "N", `{"action":"note","note":"x"}`))
		if slices.Contains(p.listed("third", ""), "R5") {
			t.Error("a contractor is shown what waits for an approval")
		}
	} else {
		t.Errorf("nothing waits for an approval: %v", r)
	}
	for _, secret := range []string{"Canary", "900123", "mornings", "Mill Court", "R1\"", `"T1"`} {
		if strings.Contains(p.logged.String(), secret) {
			t.Errorf("the log has %s", secret)
		}
	}
}

func TestRepair_refusals_repeat_nothing_personal(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	p.report("tenant", "R1", brokenSink)
	const canary = "Canary Bird 07700 900123"
	for _, body := range []string{
		`{"action":"confirm","note":"` + canary + `"}`, `{"action":"` + canary + `"}`, `{"action":"note","note":12,"reason":"` + canary + `"}`,
		`{"action":"dispute","reason":"` + canary + ` said so"}`, `{"action":"no_access","evidence":"` + canary + `"}`,
		`{"action":"note","note":"` + canary + strings.Repeat("x", 600) + `"}`, `{"action":"recall","repair":"R7","reason":"` + canary + `","description":"` + canary + `"}`,
	} {
		a := p.act("tenant", "R1", "X", body)
		if a.Status < 400 || strings.Contains(a.Body, canary) {
			t.Errorf("%s: %d %s", body, a.Status, a.Body)
		}
	}
	for _, body := range []string{
		`{"tenancy":"T1","path":["kitchen","sink","cracked"],"description":"` + canary + `","contact":7}`,
		`{"tenancy":"T1","path":["kitchen","sink"],"description":"` + canary + `"}`,
		`{"tenancy":"T1","path":["kitchen","` + canary + `"],"description":"` + canary + `"}`,
		`{"tenancy":"T1","path":["kitchen","sink","taps"],"answers":{"what":"` + canary + `"},"description":"` + canary + `"}`,
		`{"tenancy":"T1","path":["kitchen","sink","taps"],"answers":{"` + canary + `":"x"},"description":"` + canary + `"}`,
	} {
		a := p.ask("tenant", http.MethodPut, "/repairs/R8", body)
		if a.Status < 400 || strings.Contains(a.Body, canary) {
			t.Errorf("%s: %d %s", body, a.Status, a.Body)
		}
	}
	if strings.Contains(p.logged.String(), canary) {
		t.Error("the log has it")
	}
}

func TestRepair_communal(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	p.put("/properties/H3", `{"kind":"home","address":"3 Far Road","postcode":"LN9 9ZZ"}`)
	p.put("/tenancies/T3", `{"property":"H3","kind":"secure","starts_on":"2025-01-01","currency":"GBP"}`)
	p.token("elsewhere", identity.NewToken{Role: commands.RoleTenant, Person: "P3", Tenancies: []string{"T3"}})
	p.put("/contractors/C2/prices", `{"contract":"2026","from":"2026-01-01","currency":"GBP","prices":[{"code":"ELE-017","price":"87.65"}]}`)
	photo := p.photo("tenant", color.White)
	entry := func(tenancy string) string {
		return `{"tenancy":"` + tenancy + `","path":["communal","entry","panel"],"description":"Canary ` + tenancy + `.","contact":"07700 900123"}`
	}
	p.report("tenant", "R1", strings.Replace(entry("T1"), `{`, `{"photos":["`+photo+`"],`, 1))
	p.clock.set(monday().Add(2 * time.Hour))
	second := p.report("neighbour", "R2", entry("T2"))
	same(t, "the second is", []string{second.State, second.Outcome}, []string{"duplicate", "duplicate"})
	mine := p.seen("neighbour", "R2")
	same(t, "merged", []any{mine["merged_into"], mine["merged_state"], mine["description"]}, []any{"R1", "raised", "Canary T2."})

	shared := p.seen("neighbour", "R1")
	p.without("a neighbour", shared, "description", "contact", "availability", "photos", "tenancy", "cost", "answers", "visits", "held", "hazard", "routing", "merged")
	if actions := shared["actions"].([]any); len(actions) > 0 {
		t.Errorf("a neighbour is offered %v", actions)
	}
	for _, path := range []string{"/repairs/R1", "/repairs/R1/timeline", "/repairs?scope=communal"} {
		if got := p.want(http.StatusOK, p.get("neighbour", path)).Body; strings.Contains(got, "Canary T1") || strings.Contains(got, "900123") ||
			strings.Contains(got, photo) || strings.Contains(got, "87.65") {
			t.Errorf("a neighbour sees too much at %s: %s", path, got)
		}
	}
	p.want(http.StatusNotFound, p.get("neighbour", "/photos/"+photo))
	p.want(http.StatusNotFound, p.act("neighbour", "R1", "X", `{"action":"note","note":"x"}`))
	for _, path := range []string{"/repairs/R1", "/repairs/R2", "/repairs/R1/timeline"} {
		p.want(http.StatusNotFound, p.get("elsewhere", path))
	}
	same(t, "elsewhere", p.listed("elsewhere", ""), []string{})
	same(t, "the block's", p.listed("tenant", "scope=communal"), []string{"R2", "R1"})

	completion := func(who, id string) (due, met any) {
		for _, c := range p.seen(who, id)["clocks"].([]any) {
			if clock := c.(map[string]any); clock["clock"] == "completion" {
				return clock["started_at"], clock["met_at"]
			}
		}
		t.Fatalf("%s has no completion clock", id)
		return nil, nil
	}
	first, _ := completion("tenant", "R1")
	later, _ := completion("neighbour", "R2")
	if first == later {
		t.Errorf("both clocks began at %v", first)
	}
	p.want(http.StatusCreated, p.act("manager", "R2", "SP", `{"action":"split"}`))
	same(t, "parted", p.seen("neighbour", "R2")["state"], any("triaged"))
	p.want(http.StatusCreated, p.act("manager", "R2", "MG", `{"action":"merge","into":"R1"}`))
	p.want(http.StatusCreated, p.act("electrician", "R1", "S", `{"action":"start"}`))
	p.want(http.StatusCreated, p.act("electrician", "R1", "C", `{"action":"complete","note":"Canary T1 done."}`))
	_, met := completion("tenant", "R1")
	_, metToo := completion("neighbour", "R2")
	if met == nil || met != metToo {
		t.Errorf("met at %v and %v", met, metToo)
	}
	lines := p.want(http.StatusOK, p.get("neighbour", "/repairs/R2/timeline")).Body
	if !strings.Contains(lines, "The work is done") || strings.Contains(lines, "Canary T1") || !strings.Contains(lines, "Canary T2") {
		t.Errorf("the second reporter's timeline: %s", lines)
	}
}

// Who has moved out keeps what was theirs, and learns nothing new: an ex-partner is the one to fear.
func TestRepair_whoHasLeftLearnsNothingNew(t *testing.T) {
	t.Parallel()
	p := estate(t)
	p.put("/tenancies/T1/tenants/PX", `{"name":"Xa Example","liable_from":"2025-01-01"}`)
	p.tokenOf("leaver", "PX")
	report := p.answered("tenant", `{"tenancy":"T1","path":["kitchen","sink","taps"],"description":"old"}`)
	p.repair("tenant", "/repairs/OLD", report)
	p.want(http.StatusOK, p.get("leaver", "/repairs/OLD"))
	last := p.now().AddDate(0, 0, -1).Format(time.DateOnly)
	p.want(http.StatusCreated, p.ask("manager", http.MethodPut, "/tenancies/T1/tenants/PX",
		`{"name":"Xa Example","liable_from":"2025-01-01","liable_to":"`+last+`"}`, "If-Match: \"2\""))
	p.repair("tenant", "/repairs/NEW", report)
	p.want(http.StatusCreated, p.ask("manager", http.MethodPut, "/hazards/HZ", `{"tenancy":"T1","kind":"damp_mould","grade":"significant","channel":"call"}`))
	for _, path := range []string{"/repairs/NEW", "/repairs/NEW/timeline", "/hazards/HZ", "/hazards/HZ/timeline"} {
		p.want(http.StatusNotFound, p.get("leaver", path))
		p.want(http.StatusOK, p.get("tenant", path))
	}
	for _, path := range []string{"/repairs", "/hazards", "/tenancies/T1/timeline"} {
		got := p.want(http.StatusOK, p.get("leaver", path)).Body
		if strings.Contains(got, "NEW") || strings.Contains(got, "HZ") {
			t.Errorf("%s tells who has left: %s", path, got)
		}
	}
	p.want(http.StatusNotFound, p.ask("leaver", http.MethodPut, "/repairs/NEW/actions/A1", `{"action":"cancel","reason":"spite"}`))
}
