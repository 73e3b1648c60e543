//nolint:misspell // image/color is not ours to spell
package http_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rentbook/commands"
	"rentbook/http/identity"
)

// repairAnswer is as much of a repair as the tests look at.
type repairAnswer struct {
	Repair, State, Outcome, Priority, Trade, Contractor, Routing string
	SOR                                                          []struct {
		Code     string
		Quantity int
	}
	Due     *string
	Clocks  []struct{ Clock, Parameter, Explanation string }
	Actions []struct {
		Action string
		Fields []string
	}
	Version  uint64
	Position string
	Photos   []string
}

func (r repairAnswer) allows(action string) bool {
	return slices.ContainsFunc(r.Actions, func(a struct {
		Action string
		Fields []string
	},
	) bool {
		return a.Action == action
	})
}

// estate is a portal with a home in a block, its tenant, and a plumber and an electrician who come
// on weekdays.
func estate(t *testing.T) *portal {
	t.Helper()
	return estateAt(t, time.Time{})
}

// monday is nine o'clock on a Monday in winter, when it is the same time everywhere here.
func monday() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// estateAt is an estate at a time that passes when it is told to.
func estateAt(t *testing.T, at time.Time) *portal {
	t.Helper()
	p := newPortalAt(t, at)
	p.put("/properties/B1", `{"kind":"block","address":"Mill Court","postcode":"LN1 1AA"}`)
	for i, home := range []string{"H1", "H2"} {
		p.put("/properties/"+home, fmt.Sprintf(`{"kind":"home","parent":"B1","address":"%d Mill Court","postcode":"LN1 1AA"}`, i+1))
		p.put(fmt.Sprintf("/tenancies/T%d", i+1), `{"property":"`+home+`","kind":"secure","starts_on":"2025-01-01","currency":"GBP"}`)
	}
	for id, trades := range map[string]string{"C1": `["plumbing","heating","drainage"]`, "C2": `["electrical","lifts"]`} {
		p.put("/contractors/"+id, `{"name":"Firm `+id+`","trades":`+trades+`}`)
		var windows []string
		for _, day := range []string{"monday", "tuesday", "wednesday", "thursday", "friday"} {
			windows = append(windows, `{"day":"`+day+`","from":"08:00","to":"12:00"}`, `{"day":"`+day+`","from":"12:00","to":"17:00"}`)
		}
		p.put("/contractors/"+id+"/availability", `{"windows":[`+strings.Join(windows, ",")+`]}`)
	}
	p.token("plumber", identity.NewToken{Role: commands.RoleContractor, Contractor: "C1"})
	p.token("electrician", identity.NewToken{Role: commands.RoleContractor, Contractor: "C2"})
	p.token("neighbour", identity.NewToken{Role: commands.RoleTenant, Person: "P2", Tenancies: []string{"T2"}})
	return p
}

func (p *portal) repair(who, path, body string) repairAnswer {
	p.t.Helper()
	return decoded[repairAnswer](p.t, p.want(http.StatusCreated, p.ask(who, http.MethodPut, path, body)).Body)
}

// photograph is a small JPEG of one colour.
func photograph(t testing.TB, c color.Color) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range picture.Pix {
		r, g, b, _ := c.RGBA()
		picture.Pix[i] = []byte{byte(r >> 8), byte(g >> 8), byte(b >> 8), 255}[i%4]
	}
	var out bytes.Buffer
	check(t, jpeg.Encode(&out, picture, nil))
	return out.String()
}

func (p *portal) photo(who string, c color.Color) string {
	p.t.Helper()
	got := p.want(http.StatusCreated, p.ask(who, http.MethodPost, "/photos", photograph(p.t, c), "Content-Type: image/jpeg"))
	return decoded[struct{ Photo string }](p.t, got.Body).Photo
}

func (p *portal) slots(who, repair string) []string {
	p.t.Helper()
	got := p.want(http.StatusOK, p.ask(who, http.MethodGet, "/repairs/"+repair+"/slots", ""))
	var ids []string
	for _, s := range decoded[struct{ Slots []struct{ Slot string } }](p.t, got.Body).Slots {
		ids = append(ids, s.Slot)
	}
	return ids
}

// TestRepair_story is a repair as everybody in it lives it, over the API alone.
func TestRepair_story(t *testing.T) {
	t.Parallel()
	p := estate(t)
	red, blue := p.photo("tenant", color.RGBA{R: 255, A: 255}), p.photo("tenant", color.RGBA{B: 255, A: 255})

	step := decoded[struct {
		Choose  string
		Choices []struct{ Key string }
	}](t, p.get("tenant", "/triage").Body)
	same(t, "the diagnosis begins with", step.Choose, "location")

	report := `{"tenancy":"T1","path":["kitchen","sink","taps"],"description":"The tap drips all night.","photos":["` + red + `","` + blue + `"],
		"availability":"mornings","contact":"07700 900123"}`
	r := p.repair("tenant", "/repairs/R1", p.answered("tenant", report))
	same(t, "state", r.State, "raised")
	same(t, "contractor", r.Contractor, "C1")

	act := 0
	do := func(who, body, state string) repairAnswer {
		t.Helper()
		act++
		r := p.repair(who, fmt.Sprintf("/repairs/R1/actions/A%d", act), body)
		same(t, body, r.State, state)
		return r
	}
	free := p.slots("tenant", "R1")
	do("tenant", `{"action":"hold_slot","slot":"`+free[0]+`"}`, "raised")
	do("tenant", `{"action":"book","slot":"`+free[0]+`"}`, "scheduled")
	do("tenant", `{"action":"rebook","slot":"`+free[3]+`","reason":"at_work"}`, "scheduled")
	same(t, "the first slot is free again", p.slots("tenant", "R1")[0], free[0])
	do("plumber", `{"action":"no_access","evidence":"Rang twice at 08:10, card left."}`, "no_access")
	do("tenant", `{"action":"book","slot":"`+free[4]+`"}`, "scheduled")
	do("plumber", `{"action":"start"}`, "attending")
	do("plumber", `{"action":"complete","note":"New washer."}`, "completed")
	do("tenant", `{"action":"dispute","reason":"It still drips."}`, "disputed")
	do("manager", `{"action":"reopen","reason":"not_fixed"}`, "accepted")
	do("plumber", `{"action":"start"}`, "attending")
	do("plumber", `{"action":"complete"}`, "completed")
	r = do("tenant", `{"action":"confirm","rating":5}`, "confirmed")
	if r.allows("complete") {
		t.Error("a tenant is offered to complete a repair")
	}

	lines := decoded[[]struct{ Position, At, RecordedAt, State, Event, Text string }](t, p.get("tenant", "/repairs/R1/timeline").Body)
	var states []string
	for _, line := range lines {
		if line.Text == "" || line.At == "" {
			t.Errorf("a line says nothing: %+v", line)
		}
		if len(states) == 0 || states[len(states)-1] != line.State {
			states = append(states, line.State)
		}
		t.Log(line.State, line.Text)
	}
	same(t, "the story", strings.Join(states, " "),
		"reported triaged raised scheduled no_access scheduled attending completed disputed accepted attending completed confirmed")
	same(t, "the contractor sees both photos", len(decoded[repairAnswer](t, p.get("plumber", "/repairs/R1").Body).Photos), 2)
	thumb := p.want(http.StatusOK, p.ask("plumber", http.MethodGet, "/photos/"+red+"?size=thumb", ""))
	same(t, "a photo's type", thumb.Header.Get("Content-Type"), "image/jpeg")
	for _, stranger := range []string{"neighbour", "electrician"} {
		p.want(http.StatusNotFound, p.ask(stranger, http.MethodGet, "/repairs/R1", ""))
		p.want(http.StatusNotFound, p.ask(stranger, http.MethodGet, "/photos/"+red, ""))
	}
}

// answered adds to a report the first answer to each question of the diagnosis.
func (p *portal) answered(who, report string) string {
	p.t.Helper()
	body := decoded[map[string]any](p.t, report)
	answers := map[string]string{}
	for range 20 {
		asked, err := json.Marshal(map[string]any{"path": body["path"], "answers": answers})
		check(p.t, err)
		got := p.want(http.StatusOK, p.ask(who, http.MethodPost, "/triage/answers", string(asked)))
		step := decoded[struct {
			Question *struct {
				ID      string
				Answers []struct{ Key string }
			}
			Choices []struct{ Key string }
			Outcome *struct{ Outcome string }
		}](p.t, got.Body)
		switch {
		case step.Outcome != nil:
			body["answers"] = answers
			out, err := json.Marshal(body)
			check(p.t, err)
			return string(out)
		case step.Question != nil:
			last := step.Question.Answers[len(step.Question.Answers)-1]
			answers[step.Question.ID] = last.Key
		default:
			p.t.Fatalf("the diagnosis goes on with %v", step.Choices)
		}
	}
	p.t.Fatal("the diagnosis has no end")
	return ""
}
