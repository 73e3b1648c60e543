package commands_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/hazard"
	"rentbook/domain/repair"
	"rentbook/domain/triage"
)

// A landlord's own mapping, the made-up one and, where it is at hand, a council's real one: what is
// reported at a leaf is ordered by exactly its code, from a contractor of its trade.
func TestReport_OrdersByTheLandlordsMapping(t *testing.T) {
	t.Parallel()
	made, err := os.ReadFile("testdata/triage/trades.csv")
	check(t, err)
	trades, err := triage.ParseTrades(made)
	check(t, err)
	e := mapped(t, "testdata/triage/mapping.json", trades)
	if coded, empty := e.reportAll(t, trades); coded != 6 || empty != 1 {
		t.Errorf("%d leaves with a code and %d without, want 6 and 1", coded, empty)
	}
	const council = "../../shared/data/triage/sor-mapping.json"
	if _, err := os.Stat(council); errors.Is(err, fs.ErrNotExist) {
		return // a clone without the test data beside it
	}
	trades = map[string]string{
		"N0": "groundworks", "N1": "damp", "N2": "roofing", "N3": "carpentry", "N4": "plastering", "N5": "glazing", "N6": "plumbing", "N63": "plumbing", "N8": "electrical",
		"N9": "general_builder",
	}
	e = mapped(t, council, trades)
	if coded, empty := e.reportAll(t, trades); coded != 118 || empty != 2 {
		t.Errorf("%d leaves with a code and %d without, want 118 and 2", coded, empty)
	}
}

// mapped is an estate whose tree is that of a mapping, with a contractor for each trade.
func mapped(t *testing.T, path string, trades map[string]string) *estate {
	t.Helper()
	mapping, err := os.ReadFile(path)
	check(t, err)
	file, _, err := triage.Import(mapping, triage.ImportOptions{Name: "council", Version: "1", Trades: trades})
	check(t, err)
	tree, err := triage.Parse(file)
	check(t, err)
	e := bareEstate(t)
	for _, trade := range trades {
		e.hireOnce(t, trade)
	}
	e.Handler = e.at(e.log, func(c *commands.Config) { c.Tree = tree })
	return e
}

func (e *estate) hireOnce(t *testing.T, trade string) {
	t.Helper()
	_, err := e.PutContractor(t.Context(), manager(), commands.PutContractor{Contractor: "c-" + trade, Name: trade, Trades: []string{trade}})
	check(t, err)
}

func (e *estate) reportAll(t *testing.T, trades map[string]string) (coded, empty int) {
	t.Helper()
	n := 0
	for leaf := range e.Tree.Leaves() {
		n++
		got, err := e.ReportRepair(t.Context(), tenantIs("P1"), report(fmt.Sprintf("R%d", n), leaf))
		if err != nil {
			t.Fatalf("%v: %v", leaf.Path, err)
		}
		r := got.Repair
		if len(leaf.Outcome.SOR) == 0 {
			empty++
			if r.State != repair.StateTriaged || r.Contractor != "" || r.Routing == "" {
				t.Errorf("%v has no code: it is %s with %q because %q", leaf.Path, r.State, r.Contractor, r.Routing)
			}
			continue
		}
		coded++
		code := leaf.Outcome.SOR[0].Code
		if r.State != repair.StateRaised || !cmp.Equal(r.SOR, []repair.Line{{Code: code, Quantity: 1}}) {
			t.Errorf("%v: it is %s with %v, want an order of %s", leaf.Path, r.State, r.SOR, code)
		}
		if want := domain.ID("c-" + tradeOf(trades, code)); r.Contractor != want {
			t.Errorf("%v, %s: it is with %s, want %s", leaf.Path, code, r.Contractor, want)
		}
	}
	return coded, empty
}

// tradeOf is that of the longest prefix.
func tradeOf(trades map[string]string, code string) string {
	longest := ""
	for prefix := range trades {
		if strings.HasPrefix(code, prefix) && len(prefix) > len(longest) {
			longest = prefix
		}
	}
	return trades[longest]
}

// Every way of the shipped tree, reported by a council's tenant.
func TestReport_EveryWayOfTheTreeLeadsToItsOutcome(t *testing.T) {
	t.Parallel()
	e := bareEstate(t)
	trades := map[string]bool{}
	for _, code := range triage.Default().Codes() {
		trades[code.Trade] = true
	}
	for leaf := range triage.Default().Leaves() {
		if leaf.Outcome.Trade != "" {
			trades[leaf.Outcome.Trade] = true
		}
	}
	for trade := range trades {
		e.hireOnce(t, trade)
	}
	ways := 0
	for leaf := range triage.Default().Leaves() {
		ways++
		id := domain.ID(fmt.Sprintf("R%d", ways))
		c := report(string(id), leaf)
		if leaf.Outcome.Kind == triage.Communal {
			c.Property = "H1" // each on its own: see duplicates
		}
		got, err := e.ReportRepair(t.Context(), tenantIs("P1"), c)
		if err != nil {
			t.Errorf("%v %v: %v", leaf.Path, leaf.Answers, err)
			continue
		}
		e.wantOutcome(t, id, leaf, got.Repair)
	}
	if ways != 467 {
		t.Errorf("the tree has %d ways, 467 were looked at", ways)
	}
}

func (e *estate) wantOutcome(t *testing.T, id domain.ID, leaf triage.Leaf, r repair.Repair) {
	t.Helper()
	o := leaf.Outcome
	said := fmt.Sprintf("%v %v (%s)", leaf.Path, leaf.Answers, o.Kind)
	if string(r.Outcome) != string(o.Kind) || r.Trade != o.Trade || r.Advice != o.Advice || r.Phone != o.Phone || r.Link != o.Link {
		t.Errorf("%s: got %s, trade %q, %q, %q, %q", said, r.Outcome, r.Trade, r.Advice, r.Phone, r.Link)
	}
	if want := outcomeState(o, r); r.State != want {
		t.Errorf("%s: it is %s because %q, want %s", said, r.State, r.Routing, want)
	}
	if r.State == repair.StateTriaged && r.Routing == "" {
		t.Errorf("%s: it stays triaged and does not say why", said)
	}
	if o.Kind == triage.Warranty && !strings.Contains(r.Routing, "warranty") {
		t.Errorf("%s: it stays triaged because %q", said, r.Routing)
	}
	if len(r.SOR) != len(o.SOR) {
		t.Errorf("%s: ordered %v, want %v", said, r.SOR, o.SOR)
	}
	for i, line := range r.SOR {
		if line.Code != o.SOR[i].Code || line.Quantity != o.SOR[i].Quantity {
			t.Errorf("%s: ordered %v, want %v", said, r.SOR, o.SOR)
		}
	}
	if diff := cmp.Diff(outcomeClocks(o), clocks(r.Clocks)); diff != "" {
		t.Errorf("%s: the clocks (-want +got):\n%s", said, diff)
	}
	h := e.hazard(t, id.Derive("hazard"))
	if h.Exists() != (o.Hazard != "") {
		t.Errorf("%s: a hazard exists: %t, want %q", said, h.Exists(), o.Hazard)
	}
	if o.Hazard == "" {
		return
	}
	if r.Hazard != id.Derive("hazard") || string(h.Grade) != o.HazardGrade || !slices.Contains(h.Repairs, id) || h.Tenancy != "T1" ||
		!h.AwareAt.Equal(r.ReportedAt) {
		t.Errorf("%s: the hazard is %+v", said, h)
	}
	var want []string
	switch {
	case h.Grade == hazard.Emergency:
		want = []string{clock.EmergencyMakeSafe}
	case h.Kind == "damp_mould":
		want = []string{clock.Investigate}
	}
	if diff := cmp.Diff(want, clocks(h.Clocks)); diff != "" {
		t.Errorf("%s: the hazard's clocks (-want +got):\n%s", said, diff)
	}
}

func outcomeState(o triage.Outcome, r repair.Repair) repair.State {
	switch {
	case o.Kind == triage.Tenant || o.Kind == triage.Leaseholder:
		return repair.StateNotResponsible
	case r.Into != "":
		return repair.StateDuplicate
	case o.NeedsPerson || o.Kind == triage.Warranty || len(o.SOR) == 0:
		return repair.StateTriaged
	}
	return repair.StateRaised
}

func outcomeClocks(o triage.Outcome) []string {
	if o.Kind == triage.Tenant || o.Kind == triage.Leaseholder {
		return nil
	}
	names := []string{clock.Completion}
	if o.Priority == triage.PriorityEmergency {
		names = append(names, clock.MakeSafe)
	}
	if o.RightToRepair != "" && o.Kind != triage.Communal {
		names = append(names, clock.RightToRepairTime)
	}
	return names
}

func TestReport_ItsClocksReadAsTheLawStoodOnAnyDay(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	leaf := way(t, func(o triage.Outcome) bool {
		return o.RightToRepair != "" && o.Kind == triage.Landlord && len(o.SOR) > 0
	})
	r := e.mustReport(t, tenantIs("P1"), report("R1", leaf)).Repair
	other := report("R2", leaf)
	other.Tenancy = "T2" // which is not a council's
	if r := e.mustReport(t, tenantIs("P3"), other).Repair; !slices.Equal(clocks(r.Clocks), []string{clock.Completion}) {
		t.Errorf("an assured tenancy has the clocks %v", clocks(r.Clocks))
	}
	for day, want := range map[string][]string{
		"2026-11-23": {clock.Completion, clock.RightToRepairTime}, "2000-01-01": {clock.RightToRepairTime}, "1990-01-01": nil,
	} {
		on, err := domain.ParseDate(day)
		check(t, err)
		got, err := e.AsTheLawStood(r, on)
		check(t, err)
		if diff := cmp.Diff(want, clocks(got.Clocks)); diff != "" {
			t.Errorf("by the law of %s (-want +got):\n%s", day, diff)
		}
	}
}

func TestReport_AWayThatIsNotAtItsEndSaysWhatComesNext(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	leaf := way(t, func(o triage.Outcome) bool { return o.Kind == triage.Emergency })
	c := report("R1", leaf)
	c.Answers = nil
	c.Path = leaf.Path[:1]
	_, err := e.ReportRepair(t.Context(), tenantIs("P1"), c)
	if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || refusal.Code != "triage.unfinished" || refusal.Field != "path" {
		t.Errorf("half a path: got %v", err)
	}
	c.Path = []string{"moon"}
	if _, err := e.ReportRepair(t.Context(), tenantIs("P1"), c); !errors.Is(err, triage.ErrPath) {
		t.Errorf("no path: got %v, want %v", err, triage.ErrPath)
	}
	for asked := range triage.Default().Leaves() {
		if len(asked.Answers) == 0 {
			continue
		}
		c := report("R1", asked)
		c.Answers = nil
		_, err := e.ReportRepair(t.Context(), tenantIs("P1"), c)
		if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || refusal.Field != "answers" || !strings.Contains(refusal.Reason, asked.Answers[0].Question) {
			t.Errorf("no answer: got %v, want the question %s", err, asked.Answers[0].Question)
		}
		break
	}
	if e.repair(t, "R1").Exists() {
		t.Error("an unfinished report was recorded")
	}
}
