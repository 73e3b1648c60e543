package triage_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/triage"
)

func answers(asked []triage.Answer) map[string]string {
	given := map[string]string{}
	for _, a := range asked {
		given[a.Question] = a.Answer
	}
	return given
}

func walk(t testing.TB, tree *triage.Tree, path []string, given map[string]string) triage.Step {
	t.Helper()
	step, err := tree.Walk(path, given)
	if err != nil {
		t.Fatalf("%v %v: %v", path, given, err)
	}
	return step
}

func TestTree_Walk_asks_for_the_path_then_the_questions_then_knows(t *testing.T) {
	t.Parallel()
	tree := triage.Default()
	path := []string{"kitchen", "sink", "taps"}
	for i, part := range []string{"location", "component", "fault"} {
		step := walk(t, tree, path[:i], nil)
		if step.Choose != part || step.Question != nil || step.Outcome != nil {
			t.Errorf("after %v: %+v, want a choice of a %s", path[:i], step, part)
		}
		if !slices.ContainsFunc(step.Choices, func(c triage.Choice) bool { return c.Key == path[i] && c.Text != "" }) {
			t.Errorf("%s is not among %v", path[i], step.Choices)
		}
	}
	first := walk(t, tree, path, nil)
	if first.Choose != "" || first.Question == nil || first.Question.ID != "what" || first.Outcome != nil {
		t.Fatalf("want the question what, got %+v", first)
	}
	second := walk(t, tree, path, map[string]string{"what": "runs"})
	if second.Question == nil || second.Question.ID != "drains" || len(second.Asked) != 1 {
		t.Fatalf("want the question drains, got %+v", second)
	}
	last := walk(t, tree, path, map[string]string{"drains": "no", "what": "runs"})
	if last.Question != nil || last.Outcome == nil || last.Outcome.Kind != triage.Emergency {
		t.Fatalf("want an emergency, got %+v", last)
	}
	want := []triage.Answer{{Question: "what", Answer: "runs"}, {Question: "drains", Answer: "no"}}
	if diff := cmp.Diff(want, last.Asked); diff != "" {
		t.Errorf("the answers are not in the order asked:\n%s", diff)
	}
	if diff := cmp.Diff(path, last.Path); diff != "" {
		t.Error(diff)
	}
}

func TestTree_Walk_refuses(t *testing.T) {
	t.Parallel()
	tree := parse(t, ending("use: drip"))
	rows := []struct {
		name   string
		path   []string
		given  map[string]string
		err    *domain.Refusal
		reason string
	}{
		{"an unknown location", []string{"x"}, nil, triage.ErrPath, `part 1, "x", is not a location here; there are: k`},
		{"an unknown component", []string{"k", "x"}, nil, triage.ErrPath, `part 2, "x", is not a component here; there are: s, c`},
		{"an unknown fault", []string{"k", "c", "x"}, nil, triage.ErrPath, `part 3, "x", is not a fault here; there are: f`},
		{"more path than there is", []string{"k", "s", "x"}, nil, triage.ErrPath, `part 3, "x", is one too many: the path ends with the part before`},
		{"what is no key, without repeating it", []string{"my name is"}, nil, triage.ErrPath, "part 1, what was given, is not a location here; there are: k"},
		{"an unknown answer", []string{"k", "c", "f"}, map[string]string{"q": "b"}, triage.ErrAnswer, `"b" is not an answer to q; there are: a`},
		{"an answer too many", []string{"k", "c", "f"}, map[string]string{"q": "a", "z": "b"}, triage.ErrNeedless, `the question "z" is not asked on this way`},
		{"an answer before its question", []string{"k", "c", "f"}, map[string]string{"r": "b"}, triage.ErrNeedless, `the question "r" is not asked on this way`},
		{"an answer before the whole path", []string{"k"}, map[string]string{"q": "a"}, triage.ErrNeedless, `the question "q" is not asked on this way`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := tree.Walk(row.path, row.given)
			if !errors.Is(err, row.err) {
				t.Fatalf("want %v, got %v", row.err, err)
			}
			got, _ := errors.AsType[*domain.Refusal](err)
			if diff := cmp.Diff(*row.err.Because(row.reason), *got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTree_cannot_be_changed_through_what_it_gives(t *testing.T) {
	t.Parallel()
	tree := parse(t, ending("use: drip"))
	path, given := []string{"k", "c", "f"}, map[string]string{"q": "a"}
	tree.Codes()[0].Code = "X"
	tree.YAML()[0] = 'X'
	walk(t, tree, nil, nil).Choices[0].Key = "X"
	walk(t, tree, path, nil).Question.Answers[0].Key = "X"
	walk(t, tree, path, given).Outcome.SOR[0].Code = "X"
	step := walk(t, tree, path, given)
	if step.Outcome.SOR[0].Code != "P1" || tree.Codes()[0].Code != "P1" || tree.YAML()[0] == 'X' || walk(t, tree, nil, nil).Choices[0].Key != "k" {
		t.Error("it can")
	}
}

func TestTree_Leaves_can_be_left_early(t *testing.T) {
	t.Parallel()
	tree := triage.Default()
	for n := range 60 {
		seen := 0
		for range tree.Leaves() {
			if seen++; seen > n {
				break
			}
		}
		if seen != n+1 {
			t.Errorf("left after %d leaves, want %d", seen, n+1)
		}
	}
}

func TestDefault_has_every_location(t *testing.T) {
	t.Parallel()
	var got []string
	for _, c := range walk(t, triage.Default(), nil, nil).Choices {
		got = append(got, c.Key)
	}
	want := []string{
		"kitchen", "bathroom", "bedroom", "living_areas", "heating_hot_water", "electrics",
		"doors_windows", "roof_outside", "communal", "damp_mould",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefault_is_what_its_version_says(t *testing.T) {
	t.Parallel()
	if got := triage.Default().Version(); got != "rentbook-default@2026-11-22" {
		t.Errorf("got %s", got)
	}
}

func TestDefault_leads_to_more_than_a_hundred_outcomes_of_every_kind(t *testing.T) {
	t.Parallel()
	distinct, kinds := map[string]bool{}, map[triage.Kind]int{}
	ways := 0
	for leaf := range triage.Default().Leaves() {
		ways++
		if key := fmt.Sprintf("%+v", leaf.Outcome); !distinct[key] {
			distinct[key] = true
			kinds[leaf.Outcome.Kind]++
		}
	}
	t.Logf("%d ways to %d outcomes: %v", ways, len(distinct), kinds)
	if len(distinct) < 100 {
		t.Errorf("%d outcomes", len(distinct))
	}
	for _, kind := range triage.Kinds() {
		if (kinds[kind] == 0) != (kind == triage.Duplicate) {
			t.Errorf("%d outcomes of %s", kinds[kind], kind)
		}
	}
}

func TestDefault_every_leaf_is_reached_by_exactly_its_answers(t *testing.T) {
	t.Parallel()
	tree := triage.Default()
	for leaf := range tree.Leaves() {
		given := answers(leaf.Answers)
		step := walk(t, tree, leaf.Path, given)
		want := triage.Step{Path: leaf.Path, Asked: leaf.Answers, Outcome: &leaf.Outcome}
		if diff := cmp.Diff(want, step); diff != "" {
			t.Errorf("%v %v:\n%s", leaf.Path, leaf.Answers, diff)
		}
		for _, a := range leaf.Answers {
			less := maps.Clone(given)
			delete(less, a.Question)
			if step, err := tree.Walk(leaf.Path, less); err == nil && step.Outcome != nil {
				t.Errorf("%v is reached without the answer to %s", leaf.Path, a.Question)
			}
		}
	}
}

func TestDefault_orders_by_every_code_that_it_lists_and_no_other(t *testing.T) {
	t.Parallel()
	tree := triage.Default()
	trades, used := map[string]string{}, map[string]bool{}
	for _, c := range tree.Codes() {
		trades[c.Code] = c.Trade
	}
	for leaf := range tree.Leaves() {
		for i, line := range leaf.Outcome.SOR {
			used[line.Code] = true
			if !tree.HasCode(line.Code) {
				t.Errorf("%v orders by %s, which is not listed", leaf.Path, line.Code)
			}
			if i == 0 && trades[line.Code] != leaf.Outcome.Trade {
				t.Errorf("%v sends %s, and %s is work for %s", leaf.Path, leaf.Outcome.Trade, line.Code, trades[line.Code])
			}
		}
	}
	for code := range trades {
		if !used[code] {
			t.Errorf("%s is listed and never ordered", code)
		}
	}
}

func TestDefault_emergencies_say_what_to_do_and_whom_to_phone(t *testing.T) {
	t.Parallel()
	for leaf := range triage.Default().Leaves() {
		o := leaf.Outcome
		if o.Kind != triage.Emergency {
			continue
		}
		if o.Phone == "" || o.Advice == "" || o.Priority != triage.PriorityEmergency {
			t.Errorf("%v %v: %+v", leaf.Path, leaf.Answers, o)
		}
		if said := strings.ToLower(o.Advice); !strings.Contains(said, "phone") && !strings.Contains(said, "call") {
			t.Errorf("%v: the advice does not say to phone: %s", leaf.Path, o.Advice)
		}
	}
}

func TestDefault_uses_every_item_of_the_right_to_repair(t *testing.T) {
	t.Parallel()
	used := map[string]bool{"": true}
	for leaf := range triage.Default().Leaves() {
		used[leaf.Outcome.RightToRepair] = true
	}
	for _, item := range triage.RightToRepairItems() {
		if !used[item] {
			t.Errorf("nothing is %s", item)
		}
	}
}

func TestDefault_makes_the_landlord_aware_of_damp_wherever_mould_is_reported(t *testing.T) {
	t.Parallel()
	for leaf := range triage.Default().Leaves() {
		if slices.Contains(leaf.Path, "mould") && leaf.Outcome.Hazard != "damp_mould" {
			t.Errorf("%v %v: %+v", leaf.Path, leaf.Answers, leaf.Outcome)
		}
	}
}

// stepsMax is three parts of a path and as many questions as a tree may ask in a row.
const stepsMax = 3 + 20

// wander goes one step further at a time, as chance has it, until there is an outcome.
func wander(t *rapid.T, tree *triage.Tree) {
	var path []string
	given := map[string]string{}
	for range stepsMax {
		step, err := tree.Walk(path, given)
		switch {
		case err != nil:
			t.Fatalf("%v %v: %v", path, given, err)
		case step.Outcome != nil:
			if step.Question != nil || len(step.Choices) > 0 || step.Outcome.Kind == "" || len(step.Asked) != len(given) {
				t.Fatalf("%v %v ends in %+v", path, given, step)
			}
			return
		case step.Question != nil:
			given[step.Question.ID] = rapid.SampledFrom(step.Question.Answers).Draw(t, "answer").Key
		default:
			path = append(path, rapid.SampledFrom(step.Choices).Draw(t, step.Choose).Key)
		}
	}
	if step, err := tree.Walk(path, given); err != nil || step.Outcome == nil {
		t.Fatalf("no outcome after %v %v: %v", path, given, err)
	}
}

func TestTree_any_walk_ends_in_an_outcome(t *testing.T) {
	t.Parallel()
	ours, longest := triage.Default(), parse(t, fault(row(14)...))
	rapid.Check(t, func(t *rapid.T) {
		wander(t, rapid.SampledFrom([]*triage.Tree{ours, longest}).Draw(t, "tree"))
	})
}

func TestTree_any_walk_is_refused_or_as_the_tree_has_it(t *testing.T) {
	t.Parallel()
	tree := triage.Default()
	leaves := slices.Collect(tree.Leaves())
	rapid.Check(t, func(t *rapid.T) {
		leaf := rapid.SampledFrom(leaves).Draw(t, "leaf")
		path := slices.Clone(leaf.Path)
		given := answers(leaf.Answers)
		path[rapid.IntRange(0, len(path)-1).Draw(t, "part")] = rapid.SampledFrom([]string{"kitchen", "window", "light", "", "\xff"}).Draw(t, "other")
		given[rapid.SampledFrom([]string{"own", "what", "", "tried"}).Draw(t, "question")] = rapid.SampledFrom([]string{"yes", "no", "rent"}).Draw(t, "answer")
		step, err := tree.Walk(path, given)
		refusal, refused := errors.AsType[*domain.Refusal](err)
		if refused && (refusal.Class != domain.Invalid || refusal.Field == "" || refusal.Reason == "") {
			t.Fatalf("refused by %+v", refusal)
		}
		if !refused && (err != nil || len(step.Asked) != len(given)) {
			t.Fatalf("%v %v: %+v, %v", path, given, step, err)
		}
	})
}
