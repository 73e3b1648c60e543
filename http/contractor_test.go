package http_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	ical "github.com/arran4/golang-ical"
)

func TestContractor_comes_back_as_put(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	for path, want := range map[string]string{
		"/contractors/C9":              `{"name":"Firm C9","trades":["roofing"],"areas":["postcode:LN1","B1"],"capacity":3,"email":"c9@example.org","phone":"01522 900123"}`,
		"/contractors/C1/prices":       `{"contract":"2026","from":"2026-04-01","to":"2027-03-31","currency":"GBP","prices":[{"code":"PLB-001","price":"42.10"}]}`,
		"/contractors/C9/availability": `{"windows":[{"day":"monday","from":"08:00","to":"12:00","capacity":2}],"closed":["2026-12-25"],"opened":[{"date":"2026-12-27","from":"08:00","to":"10:00","capacity":1}]}`,
	} {
		if path == "/contractors/C9/availability" {
			p.put("/contractors/C9", `{"name":"Firm C9","trades":["roofing"],"areas":["postcode:LN1","B1"],"capacity":3,"email":"c9@example.org","phone":"01522 900123"}`)
		}
		first := p.put(path, want)
		again := p.put(path, want)
		same(t, path+" again", []string{again.Body, again.Header.Get("Idempotent-Replayed")}, []string{first.Body, "true"})
		got := p.want(http.StatusOK, p.get("auditor", path))
		for member := range decoded[map[string]any](t, want) {
			if !strings.Contains(got.Body, `"`+member+`"`) {
				t.Errorf("%s has no %s: %s", path, member, got.Body)
			}
		}
		p.refused(http.StatusUnprocessableEntity, "invalid", p.ask("manager", http.MethodPut, path, strings.Replace(want, `{`, `{"colour":1,`, 1)))
		if nested := strings.Replace(want, `[{`, `[{"colour":1,`, 1); nested != want {
			got := p.refused(http.StatusUnprocessableEntity, "invalid", p.ask("manager", http.MethodPut, path, nested))
			if !strings.HasSuffix(got.Errors[0].Location, "[0].colour") {
				t.Errorf("an unknown nested field: %+v", got)
			}
		}
	}
	other := `{"name":"Firm C1 Ltd","trades":["plumbing"]}`
	p.refused(http.StatusConflict, "different", p.ask("manager", http.MethodPut, "/contractors/C1", other))
	tag := p.get("manager", "/contractors/C1").Header.Get("ETag")
	changed := p.want(http.StatusCreated, p.ask("manager", http.MethodPut, "/contractors/C1", other, "If-Match: "+tag))
	p.refused(http.StatusPreconditionFailed, "stale",
		p.ask("manager", http.MethodPut, "/contractors/C1", strings.Replace(other, "Ltd", "plc", 1), "If-Match: "+tag))
	same(t, "its ETag", p.get("plumber", "/contractors/C1").Header.Get("ETag"), changed.Header.Get("ETag"))
	if got := p.get("manager", "/contractors/C1", "If-None-Match: "+changed.Header.Get("ETag")); got.Status != http.StatusNotModified {
		t.Errorf("unchanged: %d", got.Status)
	}
	shifts := p.get("manager", "/contractors/C1/availability").Header.Get("ETag")
	p.want(http.StatusCreated, p.ask("manager", http.MethodPut, "/contractors/C1/availability", `{"windows":[]}`, "If-Match: "+shifts))
	for body, kind := range map[string]string{
		`{"name":"x","trades":["Plumbing!"]}`: "contractor.trade", `{"name":"x","trades":["a","a"]}`: "contractor.twice",
		`{"name":"x","trades":["a"],"areas":["moon:1"]}`: "contractor.area", `{"name":"x","trades":[]}`: "invalid",
		`{"name":" ","trades":["a"]}`: "missing",
	} {
		p.refused(http.StatusUnprocessableEntity, kind, p.ask("manager", http.MethodPut, "/contractors/BAD", body))
	}
	p.put("/contractors/C8", `{"name":"Firm C8","trades":["roofing"]}`)
	for body, kind := range map[string]string{
		`{"windows":[{"day":"monday","from":"12:00","to":"08:00"}]}`:                                              "contractor.times",
		`{"windows":[{"day":"moonday","from":"08:00","to":"12:00"}]}`:                                             "invalid",
		`{"windows":[{"day":"monday","from":"08:00","to":"12:00"},{"day":"monday","from":"11:00","to":"13:00"}]}`: "contractor.overlap",
		`{"windows":[],"closed":["2026-12-25"],"opened":[{"date":"2026-12-25","from":"08:00","to":"09:00"}]}`:     "contractor.opened-closed",
	} {
		p.refused(http.StatusUnprocessableEntity, kind, p.ask("manager", http.MethodPut, "/contractors/C8/availability", body))
	}
	var ids []string
	for after := ""; ; {
		page := decoded[struct {
			Contractors []struct{ Contractor string }
			Next        string
		}](t, p.want(http.StatusOK, p.get("auditor", "/contractors?limit=2&cursor="+after)).Body)
		for _, c := range page.Contractors {
			ids = append(ids, c.Contractor)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	same(t, "the list", ids, []string{"C1", "C2", "C8", "C9"})
}

func (p *portal) calendarOf(who, contractor string) map[string]*ical.VEvent {
	p.t.Helper()
	got := p.want(http.StatusOK, p.get(who, "/contractors/"+contractor+"/diary.ics"))
	if kind := got.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/calendar") {
		p.t.Errorf("a calendar as %s", kind)
	}
	for _, secret := range []string{"Canary", "900123", "tenan", "Firm"} {
		if strings.Contains(got.Body, secret) {
			p.t.Errorf("the calendar has %s: %s", secret, got.Body)
		}
	}
	events := map[string]*ical.VEvent{}
	for _, event := range must(ical.ParseCalendar(strings.NewReader(got.Body)))(p.t).Events() {
		events[event.Id()] = event
	}
	return events
}

func property(e *ical.VEvent, name ical.ComponentProperty) string {
	if e == nil || e.GetProperty(name) == nil {
		return ""
	}
	return e.GetProperty(name).Value
}

func TestDiary(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	p.report("tenant", "R1", `{"tenancy":"T1","path":["kitchen","sink","cracked"],"description":"Canary words.","contact":"07700 900123"}`)
	p.want(http.StatusCreated, p.act("tenant", "R1", "B", `{"action":"book","slot":"2026-11-24.0800-1200"}`))
	first := p.calendarOf("plumber", "C1")
	if len(first) != 1 {
		t.Fatalf("%d events", len(first))
	}
	const uid = "R1-1@rentbook"
	same(t, "the visit", []string{
		property(first[uid], ical.ComponentPropertyDtStart), property(first[uid], ical.ComponentPropertyDtEnd),
		property(first[uid], ical.ComponentPropertyStatus),
	}, []string{"20261124T080000Z", "20261124T120000Z", "CONFIRMED"})
	if place := property(first[uid], ical.ComponentPropertyLocation); !strings.Contains(place, "1 Mill Court") {
		t.Errorf("where: %q", place)
	}
	p.want(http.StatusCreated, p.act("tenant", "R1", "RB", `{"action":"rebook","slot":"2026-11-25.0800-1200"}`))
	moved := p.calendarOf("plumber", "C1")
	if len(moved) != 1 || property(moved[uid], ical.ComponentPropertyDtStart) != "20261125T080000Z" {
		t.Errorf("after it was moved: %v", moved)
	}
	before, after := property(first[uid], ical.ComponentPropertySequence), property(moved[uid], ical.ComponentPropertySequence)
	if len(after) < len(before) || (len(after) == len(before) && after <= before) {
		t.Errorf("SEQUENCE %s after %s", after, before)
	}
	page := decoded[struct {
		Visits []struct{ Repair, Status, Description, Contact, From string }
	}](t, p.want(http.StatusOK, p.get("plumber", "/contractors/C1/diary?date=2026-11-25")).Body)
	if len(page.Visits) != 1 || page.Visits[0].Contact != "07700 900123" || page.Visits[0].Description != "Canary words." {
		t.Errorf("the day: %+v", page)
	}
	for _, date := range []string{"", "?date=2026-11-24"} {
		if got := p.want(http.StatusOK, p.get("plumber", "/contractors/C1/diary"+date)).Body; strings.Contains(got, "R1") {
			t.Errorf("a day without visits: %s", got)
		}
	}
	p.want(http.StatusCreated, p.act("tenant", "R1", "X", `{"action":"cancel","reason":"done_myself"}`))
	same(t, "cancelled", property(p.calendarOf("manager", "C1")[uid], ical.ComponentPropertyStatus), "CANCELLED")
	p.want(http.StatusNotFound, p.get("electrician", "/contractors/C1/diary.ics"))
	got := p.refused(http.StatusUnprocessableEntity, "invalid", p.get("plumber", "/contractors/C1/diary?date=soon"))
	same(t, "where", got.Errors[0].Location, "query.date")
}

func TestTenancy_timeline(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	charge := func(id string) {
		p.put("/accounts/T1/charges/"+id, `{"code":"key","description":"Key","amount":"15.00","value_date":"2026-11-01"}`)
	}
	charge("K1")
	p.report("tenant", "R1", strings.Replace(brokenSink, `{`, `{"contact":"07700 900123",`, 1))
	charge("K2")
	p.want(http.StatusCreated, p.act("plumber", "R1", "S", `{"action":"start","note":"Canary."}`))
	charge("K3")
	p.report("neighbour", "R2", otherSink)
	p.put("/accounts/T2/charges/K9", `{"code":"key","description":"Key","amount":"15.00","value_date":"2026-11-01"}`)

	type item struct{ Position, Kind, Text, Repair string }
	read := func(limit string) (items []item) {
		for after := ""; ; {
			path := "/tenancies/T1/timeline?limit=" + limit
			if after != "" {
				path += "&after=" + after
			}
			got := p.want(http.StatusOK, p.get("tenant", path))
			if strings.Contains(got.Body, "900123") {
				t.Errorf("the timeline has a telephone number: %s", got.Body)
			}
			page := decoded[struct {
				Items []item
				Next  string
			}](t, got.Body)
			items = append(items, page.Items...)
			if after = page.Next; after == "" {
				return items
			}
		}
	}
	all := read("200")
	var kinds []string
	for i, it := range all {
		if it.Text == "" || it.Repair == "R2" {
			t.Errorf("item %d: %+v", i, it)
		}
		if len(kinds) == 0 || kinds[len(kinds)-1] != it.Kind {
			kinds = append(kinds, it.Kind)
		}
	}
	same(t, "in the order of the log", kinds, []string{"rent", "repair", "rent", "repair", "rent"})
	if !slices.IsSortedFunc(all, func(a, b item) int {
		if d := len(a.Position) - len(b.Position); d != 0 {
			return d
		}
		return strings.Compare(a.Position, b.Position)
	}) {
		t.Errorf("out of order: %+v", all)
	}
	same(t, "by pages", read("2"), all)
	got := p.refused(http.StatusUnprocessableEntity, "invalid", p.get("tenant", "/tenancies/T1/timeline?after=first"))
	same(t, "where", got.Errors[0].Location, "query.after")
}

func TestPerformance(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	pass := func(d time.Duration) { p.clock.set(p.now().Add(d)) }
	do := func(who, repair, id, body string) { p.want(http.StatusCreated, p.act(who, repair, id, body)) }
	p.report("tenant", "R1", brokenSink)                                                                  // in time, at the first visit, in 10 hours
	p.report("neighbour", "R2", otherSink)                                                                // in time, after nobody opened, in 30 hours
	p.report("tenant", "R3", `{"tenancy":"T1","path":["bathroom","light","wet"],"description":"x"}`)      // an emergency, too late
	p.report("neighbour", "R4", `{"tenancy":"T2","path":["bathroom","toilet","seat"],"description":"x"}`) // not the landlord's
	p.report("tenant", "R5", `{"tenancy":"T1","path":["bathroom","basin_bath","panel"],"description":"stays open"}`)
	pass(9 * time.Hour)
	do("plumber", "R1", "S", `{"action":"start"}`)
	do("plumber", "R2", "S", `{"action":"start"}`)
	do("plumber", "R2", "N", `{"action":"no_access","evidence":"card"}`)
	pass(time.Hour)
	do("plumber", "R1", "C", `{"action":"complete"}`)
	pass(20 * time.Hour)
	do("plumber", "R2", "S2", `{"action":"start"}`)
	do("plumber", "R2", "C", `{"action":"complete"}`)
	do("electrician", "R3", "S", `{"action":"start"}`)
	do("electrician", "R3", "C", `{"action":"complete"}`)
	type share struct {
		Count, Of int
		Percent   *string
	}
	type figures struct {
		Completed, Open, Overdue int
		NoAccess                 int     `json:"no_access"`
		NonEmergency             share   `json:"rp02_non_emergency"`
		Emergency                share   `json:"rp02_emergency"`
		StraightThrough          share   `json:"straight_through"`
		Mean                     *string `json:"mean_hours_to_fix"`
		Median                   *string `json:"median_hours_to_fix"`
	}
	hundred, none, mean, median := "100.0", "0.0", "23.3", "30.0"
	same(t, "the figures", decoded[figures](t, p.want(http.StatusOK, p.get("auditor", "/performance?from=2026-11-23&to=2026-11-30")).Body), figures{
		Completed: 3, Open: 1, NoAccess: 1, NonEmergency: share{2, 2, &hundred}, Emergency: share{0, 1, &none},
		StraightThrough: share{3, 3, &hundred}, Mean: &mean, Median: &median,
	})
	empty := decoded[figures](t, p.get("auditor", "/performance?from=2026-10-01&to=2026-10-31").Body)
	if empty.Completed != 0 || empty.Mean != nil || empty.NonEmergency.Percent != nil || empty.Open != 1 {
		t.Errorf("of nothing: %+v", empty)
	}
	for query, at := range map[string]string{"": "query.from", "from=2026-11-01&to=2026-10-01": "query.to", "from=x&to=2026-10-01": "query.from"} {
		got := p.refused(http.StatusUnprocessableEntity, "invalid", p.get("auditor", "/performance?"+query))
		same(t, query, got.Errors[0].Location, at)
	}
}
