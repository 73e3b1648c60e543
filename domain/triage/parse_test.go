package triage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain/triage"
)

// head is a tree up to its locations, in eight lines; small is all of one, in 24.
const head = `tree: small
version: "1"
phone: "0800 1"
trades: [plumbing, general]
codes:
  - {code: P1, text: "Renew a tap", trade: plumbing}
outcomes:
  drip: {outcome: landlord, trade: plumbing, sor: [P1]}
`

const small = head + `components:
  bath:
    text: "Bath"
    use: drip
locations:
  kitchen:
    text: "Kitchen"
    components:
      sink:
        text: "Sink"
        faults:
          tap:
            text: "A tap drips"
            use: drip
      bath: {same_as: bath}
      door: {text: "Door", outcome: tenant, advice: "Oil it."}
`

func parse(t testing.TB, text string) *triage.Tree {
	t.Helper()
	tree, err := triage.Parse([]byte(text))
	if err != nil {
		t.Fatalf("refused:\n%v", err)
	}
	return tree
}

func faults(t testing.TB, err error) triage.Faults {
	t.Helper()
	found, ok := errors.AsType[triage.Faults](err)
	if !ok {
		t.Fatalf("want faults, got %v", err)
	}
	return found
}

func TestParse_accepts_the_small_tree_that_the_refusals_start_from(t *testing.T) {
	t.Parallel()
	tree := parse(t, small)
	if got := tree.Version(); got != "small@1" {
		t.Errorf("version %s", got)
	}
	if got := string(tree.YAML()); got != small {
		t.Errorf("the text is not kept: %s", got)
	}
	if diff := cmp.Diff([]triage.Code{{Code: "P1", Text: "Renew a tap", Trade: "plumbing"}}, tree.Codes()); diff != "" {
		t.Error(diff)
	}
	if !tree.HasCode("P1") || tree.HasCode("P2") {
		t.Error("HasCode does not go by the list")
	}
}

// tail is where rows put what they are about: a fault in lines 16 and on.
func fault(lines ...string) string {
	return head + `locations:
  k:
    text: "K"
    components:
      s: {text: "S", use: drip}
      c:
        text: "C"
        faults:
          f:
            text: "F"
` + "            " + strings.Join(lines, "\n            ") + "\n"
}

// ending is a fault with one outcome, written in line 19.
func ending(fields string) string {
	return fault("ask: q", "questions: {q: {text: Q, answers: {", "a: {text: A, "+fields+"}}}}")
}

// swap is the small tree with one thing changed.
func swap(from, to string) string {
	if !strings.Contains(small, from) {
		panic("no " + from)
	}
	return strings.Replace(small, from, to, 1)
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	const at = "k/c/f"
	long := strings.Repeat("x", 2001)
	rows := []struct{ name, text, want string }{
		// the file
		{"an empty file", "", "line 1: the file is empty"},
		{"a file that is no map", "- a\n", "line 1: here should be fields"},
		{"what is not YAML", "tree: [\n", "this is not YAML"},
		{"what is not UTF-8", "tree: x\nversion: \xff\n", "line 2: the file is not UTF-8"},
		{"a file that is too large", strings.Repeat("# long\n", 700_000), "line 1: the file is larger than 4 MiB"},
		{"a second document", small + "---\na: b\n", "line 25: a second document"},
		{"an alias", head + "locations: &all\n  k: *all\n", "line 10: *all is an alias"},
		{"an anchor", head + "locations: &all {}\n", "line 9: &all is an anchor"},
		{"a bomb of aliases", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "line 2: *a is an alias"},
		{"a tag", swap(`"Kitchen"`, "!!binary aGk="), "line 15: !!binary is a tag"},
		{"nesting", "tree: " + strings.Repeat("[", 30) + strings.Repeat("]", 30), "line 1: this is nested deeper than 20"},
		{"nesting past the library's own bound", strings.Repeat("[", 20_000), "this is not YAML"},
		{"an unknown field at the top", small + "colour: red\n", `line 25: "colour" is not a field here`},
		{"a field given twice", small + "tree: other\n", "line 25: tree is given twice"},

		// names and lists
		{"no name", swap("tree: small\n", ""), "line 1: tree is missing"},
		{"a bad name", swap("tree: small", "tree: a b"), `line 1: "a b" is not a name`},
		{"no version", swap("version: \"1\"\n", ""), "line 1: version is missing"},
		{"a bad version", swap(`version: "1"`, "version: a@b"), `line 2: "a@b" is not a version`},
		{"a bad phone number", swap(`"0800 1"`, "call me"), `line 3: "call me" is not a phone number`},
		{"trades that are no list", swap("[plumbing, general]", "plumbing"), "line 4: trades should be a list"},
		{"a trade that is no word", swap("[plumbing, general]", "[plumbing, {}]"), `line 4: trades: "" is not a trade`},
		{"a trade listed twice", swap("[plumbing, general]", "[plumbing, plumbing]"), "line 4: trades: plumbing is listed twice"},
		{"codes that are no list", "codes: x\n", "line 1: codes should be a list"},
		{"a code without text", swap(`text: "Renew a tap", `, ""), "line 6: codes/1: text is missing"},
		{"a code without trade", swap(`", trade: plumbing}`, `"}`), "line 6: codes/1: trade is missing"},
		{"a code of an unknown trade", swap(`", trade: plumbing}`, `", trade: magic}`), `line 6: codes/1: "magic" is not a known trade`},
		{"a code that is no code", swap("code: P1", "code: P 1"), `line 6: codes/1: "P 1" is not a code`},
		{"a code listed twice", swap("outcomes:", "  - {code: P1, text: T, trade: general}\noutcomes:"), "line 7: codes/2: P1 is listed twice"},

		// names of its own
		{"a named outcome without one", swap("{outcome: landlord, ", "{"), "line 8: outcomes/drip: outcome is missing"},
		{"an outcome that nothing uses", swap("outcomes:\n", "outcomes:\n  dry: {outcome: tenant, advice: A}\n"), "line 8: outcomes/dry: nothing uses this outcome"},
		{"a component that nothing is the same as", swap("components:\n", "components:\n  tub: {text: T, use: drip}\n"), "line 10: components/tub: nothing is the same"},
		{"the same as something unknown", swap("same_as: bath", "same_as: tub"), `line 23: kitchen/bath: "tub" is not among the components`},
		{"something beside same_as", swap("{same_as: bath}", "{same_as: bath, text: B}"), "line 23: kitchen/bath: text stands beside same_as"},
		{"a shared component that is the same as another", swap("    text: \"Bath\"\n    use: drip\n", "    same_as: bath\n"), `line 11: components/bath: "same_as" is not a field`},
		{"the use of something unknown", fault("use: wet"), `line 19: ` + at + `: "wet" is not among the outcomes`},

		// branches
		{"no locations", head, "line 1: locations are missing"},
		{"locations that are none", head + "locations: {}\n", "line 9: locations should be a map with at least one location"},
		{"a location without components", swap("      sink:", "  hall: {text: H}\n  x:\n    text: X\n    components:\n      sink:"), "line 17: hall: leads nowhere"},
		{"a component without faults", swap(", outcome: tenant, advice: \"Oil it.\"", ""), "line 24: kitchen/door: leads nowhere"},
		{"faults that are none", swap("        faults:\n          tap:\n            text: \"A tap drips\"\n            use: drip\n", "        faults:\n"), "line 19: kitchen/sink: faults should be a map"},
		{"an outcome beside faults", swap("        faults:", "        use: drip\n        faults:"), "line 19: kitchen/sink: use stands beside faults"},
		{"a key that is none", swap("      door:", "      front door:"), `line 24: kitchen: "front door" is not a key`},
		{"a key of more than 64 characters", swap("      door:", "      "+long[:65]+":"), "line 24: kitchen: \"xxx"},
		{"two of a key", swap("      door:", "      sink:"), "line 24: kitchen/sink: there are two of this component"},
		{"a missing text", swap("    text: \"Kitchen\"\n", ""), "line 14: kitchen: text is missing"},
		{"an empty text", swap(`"Kitchen"`, `"  "`), "line 15: kitchen: text is empty"},
		{"a null text", swap(`"Kitchen"`, "~"), "line 15: kitchen: text is empty"},
		{"a text that is a list", swap(`"Kitchen"`, "[a]"), "line 15: kitchen: text should be a text"},
		{"a text of more than 2000 characters", swap(`"Kitchen"`, long), "line 15: kitchen: text is longer than 2000"},
		{"a text that cannot be shown", swap(`"Kitchen"`, `"a\u0007b"`), "line 15: kitchen: text has characters"},
		{"an unknown field of a fault", fault("use: drip", "urgency: 1"), `line 20: ` + at + `: "urgency" is not a field here`},
		{"a fault that is a text", swap("          tap:\n            text: \"A tap drips\"\n            use: drip\n", "          tap: x\n"), "line 20: kitchen/sink/tap: here should be fields"},

		// questions
		{"a dead end", fault("priority: urgent"), "line 17: " + at + ": leads nowhere"},
		{"a dead end behind an answer", ending("priority: urgent"), "line 21: " + at + "/q/a: leads nowhere"},
		{"two ways at once", fault("use: drip", "ask: q"), "line 19: " + at + ": leads two ways at once: ask, use"},
		{"an unknown question", fault("ask: q"), `line 19: ` + at + `: "q" is not a question of this fault`},
		{"a question without answers", fault("ask: q", "questions: {q: {text: Q}}"), "line 20: " + at + "/q: a question without answers"},
		{"a question with no answer", fault("ask: q", "questions: {q: {text: Q, answers: {}}}"), "line 20: " + at + "/q: answers should be a map"},
		{"a question without text", fault("ask: q", "questions: {q: {answers: {a: {text: A, use: drip}}}}"), "line 20: " + at + "/q: text is missing"},
		{"an answer without text", fault("ask: q", "questions: {q: {text: Q, answers: {a: {use: drip}}}}"), "line 20: " + at + "/q/a: text is missing"},
		{"two of an answer", ending("use: drip}, a: {text: B, use: drip"), "line 21: " + at + "/q/a: there are two of this answer"},
		{"a question that asks itself", ending("ask: q"), "line 21: " + at + "/q/a: asks q again"},
		{
			"a loop of questions", fault("ask: q", "questions:", "  q: {text: Q, answers: {a: {text: A, ask: r}}}", "  r: {text: R, answers: {b: {text: B, ask: q}}}"),
			"line 22: " + at + "/r/b: asks q again, which led here: the questions go round in a loop",
		},
		{
			"a question never asked", fault("ask: q", "questions:", "  q: {text: Q, answers: {a: {text: A, use: drip}}}", "  r: {text: R, answers: {b: {text: B, use: drip}}}"),
			"line 22: " + at + "/r: this question is never asked",
		},
		{"questions and none asked", fault("use: drip", "questions: {q: {text: Q, answers: {a: {text: A, use: drip}}}}"), "line 20: " + at + "/q: this question is never asked"},
		{"more than 20 questions in a row", fault(row(21)...), "line 19: " + at + ": up to 21 questions follow each other"},
		{"more ways than anybody checks", fault(row(16)...), "line 10: there are more than 20000 ways"},

		// outcomes
		{"an unknown kind", ending("outcome: nobody"), `line 21: ` + at + `/q/a: "nobody" is not a known outcome`},
		{"a duplicate", ending("outcome: duplicate"), "line 21: " + at + "/q/a: a duplicate is found when"},
		{"an unknown priority", ending("outcome: landlord, trade: general, needs_person: true, priority: soon"), `line 21: ` + at + `/q/a: "soon" is not a known priority`},
		{"an unknown trade", ending("outcome: landlord, trade: magic, needs_person: true"), `line 21: ` + at + `/q/a: "magic" is not a known trade`},
		{"an unknown hazard", ending("outcome: tenant, advice: A, hazard: dragons"), `line 21: ` + at + `/q/a: "dragons" is not a known hazard`},
		{"an unknown grade", ending("outcome: tenant, advice: A, hazard: gas, hazard_grade: mild"), `line 21: ` + at + `/q/a: "mild" is not a known hazard_grade`},
		{"a grade without hazard", ending("outcome: tenant, advice: A, hazard_grade: emergency"), "line 21: " + at + "/q/a: hazard_grade is that of a hazard"},
		{"an unknown item of the right to repair", ending("outcome: communal, trade: general, right_to_repair: moat"), `line 21: ` + at + `/q/a: "moat" is not a known right_to_repair`},
		{"work without trade", ending("outcome: landlord, sor: [P1]"), "line 21: " + at + "/q/a: an outcome of landlord needs a trade"},
		{"an emergency without trade", ending("outcome: emergency, advice: A"), "line 21: " + at + "/q/a: an outcome of emergency needs a trade"},
		{"communal work without trade", ending("outcome: communal"), "line 21: " + at + "/q/a: an outcome of communal needs a trade"},
		{"a warranty without trade", ending("outcome: warranty"), "line 21: " + at + "/q/a: an outcome of warranty needs a trade"},
		{"landlord work without codes", ending("outcome: landlord, trade: general"), "line 21: " + at + "/q/a: an outcome of landlord needs codes (sor), or needs_person: true"},
		{"codes although a person chooses them", ending("outcome: landlord, trade: general, sor: [P1], needs_person: true"), "line 21: " + at + "/q/a: needs_person says"},
		{"a person who is maybe needed", ending("outcome: landlord, trade: general, needs_person: maybe"), "line 21: " + at + "/q/a: needs_person is true or false"},
		{"an unknown code", ending("outcome: landlord, trade: general, sor: [P2]"), `line 21: ` + at + `/q/a: "P2" is not among the codes`},
		{"codes that are no list", ending("outcome: landlord, trade: general, sor: P1"), "line 21: " + at + "/q/a: sor should be a list"},
		{"a code twice", ending("outcome: landlord, trade: general, sor: [P1, {code: P1}]"), "line 21: " + at + "/q/a: P1 is there twice"},
		{"a quantity below one", ending("outcome: landlord, trade: general, sor: [{code: P1, quantity: 0}]"), `line 21: ` + at + `/q/a: the quantity "0" is not a whole number`},
		{"part of a quantity", ending("outcome: landlord, trade: general, sor: [{code: P1, quantity: 1.5}]"), `line 21: ` + at + `/q/a: the quantity "1.5" is not`},
		{"a quantity that nobody orders", ending("outcome: landlord, trade: general, sor: [{code: P1, quantity: 1001}]"), "line 21: " + at + "/q/a: the quantity"},
		{"a line with an unknown field", ending("outcome: landlord, trade: general, sor: [{code: P1, number: 2}]"), `line 21: ` + at + `/q/a: "number" is not a field`},
		{"a line without code", ending("outcome: landlord, trade: general, sor: [{quantity: 2}]"), "line 21: " + at + "/q/a: code is missing"},
		{"an emergency without advice", ending("outcome: emergency, trade: general"), "line 21: " + at + "/q/a: an emergency needs advice"},
		{
			"an emergency without phone number", strings.Replace(ending("outcome: emergency, trade: general, advice: A"), "phone: \"0800 1\"\n", "", 1),
			"line 20: " + at + "/q/a: an emergency needs a phone number",
		},
		{"an emergency that can wait", ending("outcome: emergency, trade: general, advice: A, priority: normal"), "line 21: " + at + "/q/a: an emergency cannot have the priority normal"},
		{"a tenant left alone", ending("outcome: tenant"), "line 21: " + at + "/q/a: an outcome of tenant needs advice or a link"},
		{"a leaseholder left alone", ending("outcome: leaseholder"), "line 21: " + at + "/q/a: an outcome of leaseholder needs advice or a link"},
		{"codes for a tenant", ending("outcome: tenant, advice: A, sor: [P1]"), "line 21: " + at + "/q/a: an outcome of tenant orders no work and has no sor"},
		{"a priority for a leaseholder", ending("outcome: leaseholder, advice: A, priority: urgent"), "line 21: " + at + "/q/a: an outcome of leaseholder orders no work and has no priority"},
		{"a link that is not safe", ending(`outcome: tenant, link: "http://x.example"`), "line 21: " + at + "/q/a: the link is not an address"},
		{"a link to nowhere", ending(`outcome: tenant, link: "https://"`), "line 21: " + at + "/q/a: the link is not an address"},
		{"a link that runs", ending(`outcome: tenant, link: "javascript:alert(1)"`), "line 21: " + at + "/q/a: the link is not an address"},
		{"parts of an outcome without one", fault("use: drip", "priority: urgent"), "line 20: " + at + ": priority belongs to an outcome"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			tree, err := triage.Parse([]byte(row.text))
			if tree != nil || err == nil {
				t.Fatal("it is accepted")
			}
			for _, f := range faults(t, err) {
				if strings.HasPrefix(f.String(), row.want) || f.Line > 0 && strings.HasPrefix(f.Text, row.want) {
					return
				}
			}
			t.Errorf("want %q, got\n%v", row.want, err)
		})
	}
}

// row is n questions one after the other, each with two answers.
func row(n int) []string {
	lines := []string{"ask: q1", "questions:"}
	for i := 1; i <= n; i++ {
		next := fmt.Sprintf("ask: q%d", i+1)
		if i == n {
			next = "use: drip"
		}
		lines = append(lines, fmt.Sprintf("  q%d: {text: Q, answers: {a: {text: A, %s}, b: {text: B, %s}}}", i, next, next))
	}
	return lines
}

func TestParse_tells_all_mistakes_by_line(t *testing.T) {
	t.Parallel()
	_, err := triage.Parse([]byte(strings.NewReplacer(
		`text: "Kitchen"`, "txt: K", `"0800 1"`, "me", "{same_as: bath}", "{same_as: tub}", "use: drip\nlocations", "use: drop\nlocations",
	).Replace(small)))
	want := `line 3: "me" is not a phone number: 3 to 20 digits and blanks, + at most
line 10: components/bath: nothing is the same as this component
line 12: components/bath: "drop" is not among the outcomes of the file
line 14: kitchen: text is missing
line 15: kitchen: "txt" is not a field here; there are: text, components
line 23: kitchen/bath: "tub" is not among the components of the file`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestParse_stops_telling_after_a_thousand_mistakes(t *testing.T) {
	t.Parallel()
	_, err := triage.Parse([]byte(small + strings.Repeat("x: y\n", 5000)))
	got := faults(t, err)
	if last := got[len(got)-1].String(); len(got) != 1001 || last != "line 1025: there are more mistakes than the 1000 told here" {
		t.Errorf("%d mistakes, the last: %s", len(got), last)
	}
}

func TestParse_fills_in_what_a_file_may_leave_out(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, fields string
		want         triage.Outcome
	}{
		{
			"an emergency has the priority, the file's number and an emergency hazard",
			"outcome: emergency, trade: general, advice: Run, hazard: fire",
			triage.Outcome{
				Kind: triage.Emergency, Trade: "general", Priority: triage.PriorityEmergency, Advice: "Run", Phone: "0800 1",
				Hazard: "fire", HazardGrade: triage.GradeEmergency,
			},
		},
		{
			"an emergency keeps a number of its own and a hazard of its own grade",
			`outcome: emergency, trade: general, advice: Run, phone: "999", hazard: gas, hazard_grade: significant`,
			triage.Outcome{
				Kind: triage.Emergency, Trade: "general", Priority: triage.PriorityEmergency, Advice: "Run", Phone: "999",
				Hazard: "gas", HazardGrade: triage.GradeSignificant,
			},
		},
		{
			"work is normal, one of a code, and its hazard significant",
			"outcome: landlord, trade: plumbing, sor: [P1], hazard: water",
			triage.Outcome{
				Kind: triage.Landlord, Trade: "plumbing", Priority: triage.PriorityNormal,
				SOR: []triage.Line{{Code: "P1", Quantity: 1}}, Hazard: "water", HazardGrade: triage.GradeSignificant,
			},
		},
		{
			"a quantity counts",
			"outcome: communal, trade: plumbing, priority: planned, sor: [{code: P1, quantity: 12}]",
			triage.Outcome{
				Kind: triage.Communal, Trade: "plumbing", Priority: triage.PriorityPlanned, SOR: []triage.Line{{Code: "P1", Quantity: 12}},
			},
		},
		{
			"advice has no priority", `outcome: tenant, link: "https://example.org/taps"`,
			triage.Outcome{Kind: triage.Tenant, Link: "https://example.org/taps"},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			step, err := parse(t, ending(row.fields)).Walk([]string{"k", "c", "f"}, map[string]string{"q": "a"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&row.want, step.Outcome); diff != "" {
				t.Error(diff)
			}
		})
	}
}
