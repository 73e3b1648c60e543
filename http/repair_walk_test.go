package http_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// mayBeRefused are the refusals that a listed action may meet all the same, by what else must hold.
var mayBeRefused = map[string]string{
	"book": "diary.slot-gone", "rebook": "diary.slot-gone", "hold_slot": "diary.slot-gone", "landlord_missed": "repair.not-allowed",
}

// TestRepair_actions_are_true: what an answer lists as allowed succeeds with the fields that it names.
func TestRepair_actions_are_true(t *testing.T) {
	t.Parallel()
	p := estateAt(t, monday())
	p.put("/contractors/C3", `{"name":"Firm C3","trades":["plumbing"]}`)
	taken := map[string]int{}
	for seed := range uint64(16) {
		random := rand.New(rand.NewPCG(seed, 7))
		id := fmt.Sprintf("W%d", seed)
		p.report("tenant", id, brokenSink)
		if seed%3 == 0 {
			p.report("manager", id+"-main", brokenSink)
		}
		for step := range 22 {
			p.stroll(random, id, step, taken)
		}
	}
	for _, action := range []string{"book", "start", "complete", "hold", "cancel", "reopen", "note", "hand_back", "assign"} {
		if taken[action] == 0 {
			t.Errorf("%s was never taken; taken: %v", action, taken)
		}
	}
}

// stroll takes one of the actions that somebody is offered.
func (p *portal) stroll(random *rand.Rand, id string, step int, taken map[string]int) {
	p.t.Helper()
	who := []string{"tenant", "plumber", "manager"}[random.IntN(3)]
	got := p.get(who, "/repairs/"+id)
	if got.Status == http.StatusNotFound && who == "plumber" {
		return // it is with nobody, or with another
	}
	r := decoded[struct {
		repairAnswer
		State string
	}](p.t, p.want(http.StatusOK, got).Body)
	if len(r.Actions) == 0 {
		p.t.Errorf("%s may do nothing to a repair that is %s", who, r.State)
		return
	}
	offered := r.Actions[random.IntN(len(r.Actions))]
	for range 4 {
		if ends := []string{"note", "cancel", "decline"}; slices.Contains(ends, offered.Action) { // there is more to see before
			offered = r.Actions[random.IntN(len(r.Actions))]
		}
	}
	body := p.plausible(id, r.Contractor, offered.Action, offered.Fields, step)
	if body == "" {
		return
	}
	p.clock.set(p.now().Add(time.Minute))
	a := p.act(who, id, fmt.Sprintf("S%d", step), body)
	taken[offered.Action]++
	if a.Status == http.StatusCreated {
		return
	}
	if kind := problemOf(p.t, a).Type; kind != "/problems/"+mayBeRefused[offered.Action] {
		p.t.Errorf("%s is offered to a %s while %s, and refused: %s: %s", offered.Action, who, r.State, body, a.Body)
	}
}

// plausible is a body with the fields that an action needs.
func (p *portal) plausible(id, contractor, action string, fields []string, step int) string {
	values := map[string]string{
		"reason": `"weather"`, "note": `"There is more to say."`, "outcome": `"landlord"`, "evidence": `"A card was left."`,
		"sor": `[{"code":"PLB-001","quantity":2}]`, "repair": fmt.Sprintf(`"%s-%d"`, id, step), "into": `"` + id + `-main"`,
		"contractor": `"C3"`,
	}
	if contractor == "C3" {
		values["contractor"] = `"C1"`
	}
	if slices.Contains(fields, "slot") {
		free := p.slots("manager", id)
		if len(free) == 0 {
			return "" // nobody can come
		}
		values["slot"] = `"` + free[min(step, len(free)-1)] + `"`
	}
	if action == "merge" && p.get("manager", "/repairs/"+id+"-main").Status != http.StatusOK {
		return "" // into what?
	}
	parts := []string{`"action":"` + action + `"`}
	for _, f := range fields {
		parts = append(parts, `"`+f+`":`+values[f])
	}
	return `{` + strings.Join(parts, ",") + `}`
}
