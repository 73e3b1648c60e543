package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rentbook/domain/triage"
)

const triagePage = "../../docs/triage.md"

// exampleTree is the tree that the page explains.
func exampleTree(t *testing.T) string {
	t.Helper()
	return blocksOf(page(t, triagePage), "yaml")[0]
}

// in writes one file and says where it is.
func in(t *testing.T, name, text string) string {
	t.Helper()
	return filepath.Join(folderOf(t, map[string]string{name: text}), name)
}

func TestTriageShow_IsATreeThatCheckAccepts(t *testing.T) {
	t.Parallel()
	shown := must(t, "triage", "show")
	file := in(t, "shown.yaml", shown)
	if again := must(t, "triage", "show", file); again != shown {
		t.Error("a file is not shown as it is")
	}
	code, stdout, stderr := rentbook(t, "triage", "check", file)
	if code != exitDone || !strings.HasPrefix(stdout, triage.Default().Version()+": ") || strings.Count(stdout, "\n") != 1 || stderr != "" {
		t.Errorf("exit %d, %q\n%s", code, stdout, stderr)
	}
	if must(t, "triage", "list") != must(t, "triage", "list", file) {
		t.Error("the shipped tree and the one that is shown are listed differently")
	}
}

func TestTriageCheck_SaysEveryMistakeWithItsLine(t *testing.T) {
	t.Parallel()
	bad := strings.NewReplacer("use: flood}", "use: flod}", "priority: planned", "priority: someday").Replace(exampleTree(t))
	file := in(t, "bad.yaml", bad)
	for _, command := range []string{"check", "show", "list"} {
		code, stdout, stderr := rentbook(t, "triage", command, file)
		want := []string{
			fmt.Sprintf(`%s:%d: outcomes/flood: nothing uses this outcome`, file, lineOf(bad, "  flood:")),
			fmt.Sprintf(`%s:%d: components/window/draught: "someday" is not a known priority; there are: emergency, urgent, normal, planned`, file, lineOf(bad, "someday")),
			fmt.Sprintf(`%s:%d: kitchen/tap/floods: "flod" is not among the outcomes of the file`, file, lineOf(bad, "flod}")),
		}
		if got := strings.Split(strings.TrimSpace(stderr), "\n"); code != exitRefused || stdout != "" || !slices.Equal(got, want) {
			t.Errorf("%s: exit %d, stdout %q, got\n%s\nwant\n%s", command, code, stdout, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func lineOf(text, word string) int {
	before, _, _ := strings.Cut(text, word)
	return 1 + strings.Count(before, "\n")
}

func TestTriage_ExitCodes(t *testing.T) {
	t.Parallel()
	folder := folderOf(t, map[string]string{
		"good.json": `{"kitchen": {"sink": "P1"}}`, "cut.json": "{\n\"kitchen\": {", "taken.yaml": "mine\n", "wrong.csv": "trade,prefix\n",
		"twice.csv": "prefix,trade\nP,plumbing\nP,heating\n",
	})
	at := func(name string) string { return filepath.Join(folder, name) }
	for name, row := range map[string]struct {
		args []string
		code int
		said string
	}{
		"no file to check":      {[]string{"check"}, exitUsage, "expected \"<file>\""},
		"no such tree":          {[]string{"check", at("none.yaml")}, exitRefused, "none.yaml: no such file"},
		"a folder for a tree":   {[]string{"check", folder}, exitRefused, "is a directory"},
		"no such tree to list":  {[]string{"list", at("none.yaml")}, exitRefused, "no such file"},
		"no place to write to":  {[]string{"import", at("good.json")}, exitUsage, "missing flags: --out=TREE.yaml"},
		"no such mapping":       {[]string{"import", at("none.json"), "--out", "-"}, exitRefused, "no such file"},
		"a mapping cut off":     {[]string{"import", at("cut.json"), "--out", "-"}, exitRefused, at("cut.json") + ":2: this is not JSON"},
		"a file that is there":  {[]string{"import", at("good.json"), "--out", at("taken.yaml")}, exitRefused, "taken.yaml is there already"},
		"a file as a folder":    {[]string{"import", at("good.json"), "--out", at("taken.yaml/new.yaml")}, exitRefused, "not a directory"},
		"no such folder":        {[]string{"import", at("good.json"), "--out", at("none/new.yaml")}, exitRefused, "no such file"},
		"over a folder":         {[]string{"import", at("good.json"), "--out", folder, "--force"}, exitRefused, "rename"},
		"a name that is none":   {[]string{"import", at("good.json"), "--out", "-", "--name", "a b"}, exitUsage, `"a b" is not a name for a tree`},
		"a version that is no":  {[]string{"import", at("good.json"), "--out", "-", "--version", "a@b"}, exitUsage, `"a@b" is not a version`},
		"a trade that is none":  {[]string{"import", at("good.json"), "--out", "-", "--trade", "wet work"}, exitUsage, `"wet work" is not a trade`},
		"a priority that is no": {[]string{"import", at("good.json"), "--out", "-", "--priority", "soon"}, exitUsage, "soon"},
		"no such trades":        {[]string{"import", at("good.json"), "--out", "-", "--trades", at("none.csv")}, exitRefused, "no such file"},
		"trades without header": {[]string{"import", at("good.json"), "--out", "-", "--trades", at("wrong.csv")}, exitRefused, at("wrong.csv") + ":1: the first line should be prefix,trade"},
		"a prefix twice":        {[]string{"import", at("good.json"), "--out", "-", "--trades", at("twice.csv")}, exitRefused, at("twice.csv") + ":3: P: this prefix is there twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := rentbook(t, append([]string{"triage"}, row.args...)...)
			if code != row.code || stdout != "" || !strings.Contains(stderr, row.said) {
				t.Errorf("exit %d, want %d, and a word of %q:\n%s", code, row.code, row.said, stderr)
			}
		})
	}
	t.Cleanup(func() { // after all rows
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) != 5 || page(t, at("taken.yaml")) != "mine\n" {
			t.Errorf("%d files are there, %v, and the one that was taken has %q", len(entries), err, page(t, at("taken.yaml")))
		}
	})
}

// mappings are a made-up one and, where the folder beside the repository exists, a real one, which is
// not ours to copy.
func mappings(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{"made up": "../../domain/triage/testdata/mapping.json"}
	const council = "../../../shared/data/triage/sor-mapping.json"
	if _, err := os.Stat(council); !errors.Is(err, fs.ErrNotExist) {
		files["real"] = council
	}
	return files
}

func TestTriageImport_MakesATreeThatCheckAccepts(t *testing.T) {
	t.Parallel()
	for name, mapping := range mappings(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "tree.yaml")
			code, stdout, stderr := rentbook(t, "triage", "import", mapping, "--out", out)
			if code != exitDone || stdout != "" {
				t.Fatalf("exit %d, stdout %q\n%s", code, stdout, stderr)
			}
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			warning := regexp.MustCompile(`^` + regexp.QuoteMeta(mapping) + `:\d+: \w+(/\w+){1,2}: there is no code; a person must decide what to order$`)
			for _, line := range lines[:len(lines)-1] {
				if !warning.MatchString(line) {
					t.Errorf("a warning has another form: %s", line)
				}
			}
			checked := must(t, "triage", "check", out)
			if want := fmt.Sprintf("; for %d a person decides what to order\n", len(lines)-1); len(lines) != 3 || !strings.HasSuffix(checked, want) {
				t.Errorf("%d warnings, want 2, and %q does not end with %q", len(lines)-1, checked, want)
			}
			if got, want := lines[len(lines)-1]+"\n", out+": "+checked; got != want {
				t.Errorf("what was written is told as %q, want %q", got, want)
			}
			if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o644 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			if got := must(t, "triage", "import", mapping, "--out", "-"); got != page(t, out) {
				t.Error("stdout gets something else than a file")
			}
			if entries, _ := os.ReadDir(filepath.Dir(out)); len(entries) != 1 {
				t.Errorf("something is left beside it: %v", entries)
			}
		})
	}
}

func TestTriageImport_OverwritesOnlyIfToldTo(t *testing.T) {
	t.Parallel()
	mapping, out := in(t, "SOR mapping (2).json", `{"kitchen": {"sink": "P1"}}`), in(t, "tree.yaml", "mine\n")
	if code, _, _ := rentbook(t, "triage", "import", mapping, "--out", out); code != exitRefused || page(t, out) != "mine\n" {
		t.Errorf("exit %d, and the file has %q", code, page(t, out))
	}
	must(t, "triage", "import", mapping, "--out", out, "--force")
	if got := page(t, out); !strings.HasPrefix(got, "tree: SOR-mapping-2\n") {
		t.Errorf("the tree has another name than the file:\n%s", got)
	}
}

// The version that nobody gave is that of the content: the same for the same, and another for
// whatever differs.
func TestTriageImport_TheDefaultVersionFollowsFromTheContent(t *testing.T) {
	t.Parallel()
	folder := folderOf(t, map[string]string{
		"a.json": `{"kitchen": {"sink": "P1"}}`, "b.json": `{"kitchen": {"sink": "P2"}}`, "t.csv": "prefix,trade\nP,plumbing\n",
	})
	version := func(name string, flags ...string) string {
		t.Helper()
		tree := must(t, append([]string{"triage", "import", filepath.Join(folder, name), "--out", "-"}, flags...)...)
		parsed, err := triage.Parse([]byte(tree))
		if err != nil {
			t.Fatal(err)
		}
		return strings.SplitAfter(parsed.Version(), "@")[1]
	}
	first := version("a.json")
	if again := version("a.json"); again != first || !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(first) {
		t.Errorf("version %s, and again %s", first, again)
	}
	for _, other := range []string{
		version("b.json", "--name", "a"), version("a.json", "--trades", filepath.Join(folder, "t.csv")), version("a.json", "--priority", "urgent"),
	} {
		if other == first {
			t.Errorf("another tree has the version %s too", other)
		}
	}
	if got := version("a.json", "--version", "2026-11"); got != "2026-11" {
		t.Errorf("the version that was given became %s", got)
	}
}

func TestTriagePage_ExplainsItsExample(t *testing.T) {
	t.Parallel()
	text, file := page(t, triagePage), in(t, "example.yaml", exampleTree(t))
	if line := must(t, "triage", "check", file); !strings.Contains(text, "\n"+line) {
		t.Errorf("the page does not have the line\n%s", line)
	}
	rows, err := csv.NewReader(strings.NewReader(must(t, "triage", "list", file))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", row[1], row[3], row[5], row[6])
		if i == 0 {
			table.WriteString("| --- | --- | --- | --- |\n")
		}
	}
	if !strings.Contains(text, "\n"+table.String()+"\n") {
		t.Errorf("the page does not have the table\n%s", &table)
	}
	for _, column := range rows[0] {
		if !strings.Contains(text, "`"+column+"`") {
			t.Errorf("the page does not name the column %s", column)
		}
	}
	for _, words := range [][]string{triage.Hazards(), kinds()} {
		for _, word := range words {
			if !strings.Contains(text, "`"+word+"`") {
				t.Errorf("the page does not name %s", word)
			}
		}
	}
}

func kinds() []string {
	var names []string
	for _, kind := range triage.Kinds() {
		names = append(names, string(kind))
	}
	return names
}

func TestTriagePage_ImportsItsMapping(t *testing.T) {
	t.Parallel()
	text := page(t, triagePage)
	folder := folderOf(t, map[string]string{"codes.json": blocksOf(text, "json")[0], "trades.csv": blocksOf(text, "csv")[0]})
	at := func(name string) string { return filepath.Join(folder, name) }
	code, _, stderr := rentbook(t, "triage", "import", at("codes.json"), "--trades", at("trades.csv"), "--trade", "heating",
		"--version", "2026-11", "--out", at("ours.yaml"))
	if code != exitDone {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	if said := strings.ReplaceAll(stderr, folder+"/", ""); !strings.Contains(text, "```\n"+said+"```\n") {
		t.Errorf("the page does not have\n%s", said)
	}
	if got, want := page(t, at("ours.yaml")), blocksOf(text, "yaml")[1]; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Every reason that the page lists is one that a tree is refused with: the example, with something in
// it changed. And every reason of this list is on the page.
func TestTriagePage_ListsReasonsThatThereAre(t *testing.T) {
	t.Parallel()
	text := page(t, triagePage)
	_, section, _ := strings.Cut(text, "\n## What is refused\n")
	section, _, _ = strings.Cut(section, "\n## ")
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(.+?)` \\|").FindAllStringSubmatch(section, -1) {
		listed[row[1]] = true
	}
	example := exampleTree(t)
	for reason, broken := range brokenTrees(t, example) {
		if !listed[reason] {
			t.Errorf("the page does not list %q", reason)
		}
		delete(listed, reason)
		_, err := triage.Parse([]byte(broken))
		faults, _ := errors.AsType[triage.Faults](err)
		said := strings.TrimSuffix(reason, "…")
		if !slices.ContainsFunc(faults, func(f triage.Fault) bool {
			return f.Text == reason || said != reason && strings.HasPrefix(f.Text, said)
		}) {
			t.Errorf("want %q, got\n%v", reason, err)
		}
	}
	for reason := range listed {
		t.Errorf("the page lists %q, which no row here is refused with", reason)
	}
}

// brokenTrees are files by the reason that they are refused with.
func brokenTrees(t *testing.T, example string) map[string]string {
	t.Helper()
	trees := map[string]string{
		"the file is empty":                             "",
		"the file is not UTF-8 text":                    "tree: \xff",
		"the file is larger than 4 MiB":                 strings.Repeat("#\n", 3<<20),
		"this is not YAML: …":                           "tree: [",
		"a second document starts here; a tree is one":  example + "---\na: b\n",
		"this is nested deeper than 20 levels":          "tree: " + strings.Repeat("[", 30) + strings.Repeat("]", 30),
		"locations are missing: the tree leads nowhere": "tree: a\nversion: b\n",
		"&all is an anchor; name outcomes under outcomes and components under components instead": "tree: &all a\n",
		"*all is an alias; name outcomes under outcomes and components under components instead":  "tree: &all a\nversion: *all\n",
		"up to 21 questions follow each other; more than 20 are refused":                          questions(21),
		"there are more than 20000 ways to an outcome":                                            questions(16),
		"tree is given twice": example + "tree: other\n",
	}
	for _, change := range [][3]string{ // the reason, and what is put where
		{"!!binary is a tag; write the value without", `text: "Kitchen"`, `text: !!binary aGk=`},
		{"here should be fields (text, components)", "  hall:\n", "  attic: Attic\n  hall:\n"},
		{`"colour" is not a field here; there are: …`, "tree: example", "tree: example\ncolour: red"},
		{"tree is missing", "tree: example\n", ""},
		{"text is empty", `text: "Kitchen"`, `text: " "`},
		{"text should be a text", `text: "Kitchen"`, `text: [Kitchen]`},
		{"text is longer than 2000 characters", `text: "Kitchen"`, `text: ` + strings.Repeat("x", 2001)},
		{"text has characters that cannot be shown", `text: "Kitchen"`, `text: "a\u0007b"`},
		{"answers should be a map with at least one answer", "answers:\n              yes:", "answers: {}\n            other:\n              yes:"},
		{"there are two of this component", "      cooker:", "      tap:"},
		{`"front door" is not a key: 1 to 64 of A-Z a-z 0-9 _ -, the first a letter or digit`, "      lift:", "      front door:"},
		{`"my tree" is not a name: 1 to 64 of A-Z a-z 0-9 _ -, the first a letter or digit`, "tree: example", "tree: my tree"},
		{`"a@b" is not a version: 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit`, `version: "2026-11-22"`, "version: a@b"},
		{`"call me" is not a phone number: 3 to 20 digits and blanks, + at most`, `"0808 157 0123"`, "call me"},
		{"trades should be a list of at least one", "[plumbing, glazing, lifts]", "plumbing"},
		{`"wet work" is not a trade: 1 to 64 of A-Z a-z 0-9 _ -`, "[plumbing,", "[wet work, plumbing,"},
		{"plumbing is listed twice", "[plumbing,", "[plumbing, plumbing,"},
		{"codes should be a list", "codes:  ", "codes: none\noutcomes:  "},
		{`"PLB 1" is not a code: 1 to 64 of A-Z a-z 0-9 . _ / -, the first a letter or digit`, "code: PLB-001,", "code: PLB 1,"},
		{"PLB-001 is listed twice", "code: PLB-007,", "code: PLB-001,"},
		{"outcome is missing; there are: …", "    outcome: emergency\n    trade: plumbing", "    trade: plumbing"},
		{"nothing uses this outcome", "  flood:\n", "  drip: {outcome: tenant, advice: Oil it.}\n  flood:\n"},
		{"nothing is the same as this component", "  window:\n", "  tub: {text: Tub, use: flood}\n  window:\n"},
		{"leads nowhere: a location has components", "  hall:\n", "  attic: {text: Attic}\n  hall:\n"},
		{"leads nowhere: give a question to ask, an outcome to use, or an outcome", ", use: flood}", "}"},
		{"leads two ways at once: ask, use", "ask: own ", "use: flood\n        ask: own "},
		{"use stands beside faults; it belongs into one of them", `text: "Tap"`, "text: Tap\n        use: flood"},
		{"text stands beside same_as; all of it is taken from there", "{same_as: window}", "{same_as: window, text: Window}"},
		{`"tub" is not among the components of the file`, "{same_as: window}", "{same_as: tub}"},
		{`"drip" is not among the outcomes of the file`, "use: flood}", "use: drip}"},
		{`"hull" is not a question of this fault`, "ask: hole}", "ask: hull}"},
		{"a question without answers", "        questions:\n", "        questions:\n          when: {text: When}\n"},
		{"this question is never asked", "ask: hole}", "use: flood}"},
		{"asks own again, which led here: the questions go round in a loop", `no: {text: "No", outcome: landlord, trade: glazing, priority: normal, sor: [GLZ-002]}`, `no: {text: "No", ask: own}`},
		{`"nobody" is not a known outcome; there are: emergency, landlord, tenant, leaseholder, communal, warranty`, "outcome: communal", "outcome: nobody"},
		{"a duplicate is found when a repair is reported, never by a tree", "outcome: communal", "outcome: duplicate"},
		{"priority belongs to an outcome, and here is none", "use: flood}", "use: flood, priority: urgent}"},
		{"an outcome of communal needs a trade", "outcome: communal, trade: lifts", "outcome: communal"},
		{"an outcome of landlord needs codes (sor), or needs_person: true", "priority: normal, sor: [PLB-001]", "priority: normal"},
		{"needs_person says that a person chooses the codes, and sor has them already", "sor: [PLB-001]}", "sor: [PLB-001], needs_person: true}"},
		{`needs_person is true or false, not "maybe"`, "needs_person: true ", "needs_person: maybe "},
		{"sor should be a list of at least one code", "sor: [LFT-002]", "sor: LFT-002"},
		{`"PLB-999" is not among the codes of the file`, "sor: [PLB-001]", "sor: [PLB-999]"},
		{"PLB-001 is there twice; give a quantity", "sor: [PLB-001]", "sor: [PLB-001, PLB-001]"},
		{`the quantity "0" is not a whole number from 1 to 1000`, "quantity: 2", "quantity: 0"},
		{"an emergency needs advice: what to do at once", `    advice: "Phone us now. Turn the stop tap clockwise until the water stops."` + "\n", ""},
		{"an emergency needs a phone number, here or for the whole file", `phone: "0808 157 0123"`, ""},
		{"an emergency cannot have the priority normal", "    sor: [PLB-007]", "    sor: [PLB-007]\n    priority: normal"},
		{"hazard_grade is that of a hazard, and there is none", "    hazard: water", "    hazard_grade: emergency"},
		{"an outcome of tenant needs advice or a link: nobody else will come", "      cooker:\n", "      hob: {text: Hob, outcome: tenant}\n      cooker:\n"},
		{"an outcome of tenant orders no work and has no priority", "outcome: tenant\n", "outcome: tenant\n        priority: normal\n"},
		{"the link is not an address that starts with https://", "https://", "http://"},
	} {
		if !strings.Contains(example, change[1]) {
			t.Fatalf("the example has no %q", change[1])
		}
		trees[change[0]] = strings.Replace(example, change[1], change[2], 1)
	}
	return trees
}

// questions is a tree with n questions one after the other, each with two answers.
func questions(n int) string {
	var b strings.Builder
	b.WriteString("tree: a\nversion: b\nlocations: {l: {text: L, components: {c: {text: C, ask: q1, questions: {\n")
	for i := 1; i <= n; i++ {
		next := fmt.Sprintf("ask: q%d", i+1)
		if i == n {
			next = "outcome: tenant, advice: Wait."
		}
		fmt.Fprintf(&b, "  q%d: {text: Q, answers: {x: {text: X, %[2]s}, y: {text: Y, %[2]s}}},\n", i, next)
	}
	b.WriteString("}}}}}\n")
	return b.String()
}
