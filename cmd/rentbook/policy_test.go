package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

var update = flag.Bool("update", false, "write the table of docs/policy.md anew")

// smallPolicy is one of four parameters and one calendar.
const smallPolicy = `jurisdiction: mars
parameters:
  priority.normal:
    clock: completion
    versions:
      - {from: 2024-01-01, working_days: 10, source: Minutes of the board}
      - {from: 2025-04-01, working_days: 8, paused_by: [access], source: Minutes of the board}
  priority.urgent:
    clock: completion
    versions:
      - {from: 2024-01-01, to: 2024-12-31, calendar_days: 3, source: Minutes of the board}
  spend.limit:
    versions:
      - {from: 2024-01-01, number: 500, source: Minutes of the board}
  spend.limmit:
    versions:
      - {from: 2024-01-01, money: 500.00 GBP, source: Minutes of the board}
calendars:
  mars:
    zone: Europe/London
    source: Made up
    years:
      - {year: 2025, source: Made up, days: [{date: 2025-01-06, name: Landing}, {date: 2025-12-24, name: Eve}]}
      - {year: 2026, computed: true, source: Made up, days: [{date: 2026-01-06, name: Landing}]}
`

func TestPolicyShow_IsAPolicyThatCheckAccepts(t *testing.T) {
	t.Parallel()
	shown := must(t, "policy", "show")
	file := filepath.Join(folderOf(t, map[string]string{"shown.yaml": shown}), "shown.yaml")
	code, stdout, stderr := rentbook(t, "policy", "check", file)
	want := "policy of england: "
	if code != exitDone || !strings.HasPrefix(stdout, want) || strings.Count(stdout, "\n") != 1 || stderr != "" {
		t.Errorf("exit %d, %q, want one line that starts with %q\n%s", code, stdout, want, stderr)
	}
	if list := must(t, "policy", "list"); list != must(t, "policy", "list", file) || !strings.Contains(list, "priority.normal ") {
		t.Errorf("the shipped policy and the one that is shown are listed differently:\n%s", list)
	}
}

func TestPolicyCheck_SaysEveryMistakeWithItsLine(t *testing.T) {
	t.Parallel()
	bad := strings.NewReplacer("working_days: 8", "working_weeks: 8", "Europe/London", "Mars/Olympus").Replace(smallPolicy)
	file := filepath.Join(folderOf(t, map[string]string{"bad.yaml": bad}), "bad.yaml")
	for _, command := range [][]string{{"policy", "check", file}, {"policy", "list", file}, {"policy", "holidays", "mars", file}} {
		code, stdout, stderr := rentbook(t, command...)
		for _, want := range []string{
			file + ":7: parameters.priority.normal.versions[1].working_weeks: is not a field known here",
			file + ":7: parameters.priority.normal.versions[1]: has no value",
			file + ":20: calendars.mars.zone: is not a time zone of the IANA",
		} {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s does not say %q:\n%s", command[1], want, stderr)
			}
		}
		if code != exitRefused || stdout != "" || strings.Contains(stderr, "rentbook:") {
			t.Errorf("%s: exit %d, stdout %q\n%s", command[1], code, stdout, stderr)
		}
	}
}

// A policy that can be read may still lack what the program asks for; whoever wrote it is told.
func TestPolicyCheck_NotesWhatIsUnlikeTheShippedOne(t *testing.T) {
	t.Parallel()
	file := filepath.Join(folderOf(t, map[string]string{"small.yaml": smallPolicy}), "small.yaml")
	code, stdout, stderr := rentbook(t, "policy", "check", file)
	if want := "policy of mars: 4 parameters in 5 versions, 1 calendar (mars 2025 to 2026)\n"; code != exitDone || stdout != want {
		t.Errorf("exit %d, %q, want %q", code, stdout, want)
	}
	for _, want := range []string{
		"note: " + file + ": spend.limit is a number here; Rentbook asks for an amount of money\n",
		"note: " + file + ": what needs these is refused, for they are missing: awaab.emergency, ",
		"note: " + file + ": nothing goes by these: spend.limmit\n",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
	if strings.Contains(stderr, "priority.normal") {
		t.Errorf("what is there is told to be missing:\n%s", stderr)
	}
}

func TestPolicyList_SaysFromWhenToWhen(t *testing.T) {
	t.Parallel()
	file := filepath.Join(folderOf(t, map[string]string{"small.yaml": smallPolicy}), "small.yaml")
	want := strings.Join([]string{
		"PARAMETER FROM TO VALUE CALENDAR PAUSED BY SOURCE",
		"priority.normal 2024-01-01 2025-03-31 10 working days mars Minutes of the board",
		"priority.normal 2025-04-01 8 working days mars access Minutes of the board",
		"priority.urgent 2024-01-01 2024-12-31 3 calendar days Minutes of the board",
		"spend.limit 2024-01-01 500 Minutes of the board",
		"spend.limmit 2024-01-01 500.00 GBP Minutes of the board",
	}, "\n")
	got := regexp.MustCompile(" +").ReplaceAllString(strings.TrimSpace(must(t, "policy", "list", file)), " ")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPolicyHolidays_AreWhatImportReads(t *testing.T) {
	t.Parallel()
	for _, calendar := range clock.Default().Calendars() {
		code, stdout, stderr := rentbook(t, "policy", "holidays", calendar.Name)
		days := 0
		for _, year := range calendar.Years {
			days += len(year.Days)
			if strings.Contains(stderr, fmt.Sprint(year.Year)) != year.Computed {
				t.Errorf("%s: %d is computed: %v, and this is said:\n%s", calendar.Name, year.Year, year.Computed, stderr)
			}
		}
		if code != exitDone {
			t.Fatalf("%s: exit %d\n%s", calendar.Name, code, stderr)
		}
		folder, data := folderOf(t, map[string]string{"calendars.csv": stdout}), t.TempDir()
		if got, want := must(t, "import", "--data", data, folder), fmt.Sprintf("%d rows recorded, 0 known already, 0 refused\n", days); got != want {
			t.Errorf("%s: %q, want %q", calendar.Name, got, want)
		}
		if got, want := must(t, "import", "--data", data, folder), fmt.Sprintf("0 rows recorded, %d known already, 0 refused\n", days); got != want {
			t.Errorf("%s, again: %q, want %q", calendar.Name, got, want)
		}
	}
}

func TestPolicyHolidays_OfAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(folderOf(t, map[string]string{"small.yaml": smallPolicy}), "small.yaml")
	code, stdout, stderr := rentbook(t, "policy", "holidays", "mars", file)
	if want := "calendar,date\nmars,2025-01-06\nmars,2025-12-24\nmars,2026-01-06\n"; code != exitDone || stdout != want {
		t.Errorf("exit %d, %q, want %q", code, stdout, want)
	}
	if want := "may yet come out otherwise: 2026\n"; !strings.HasSuffix(stderr, want) {
		t.Errorf("%q does not end with %q", stderr, want)
	}
	code, stdout, stderr = rentbook(t, "policy", "holidays", "england", file)
	if want := "there is no calendar england; there are: mars"; code != exitRefused || stdout != "" || !strings.Contains(stderr, want) {
		t.Errorf("exit %d, want 1 and %q:\n%s", code, want, stderr)
	}
}

func TestPolicyAndTriage_NeedNoDataDirectory(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "none")
	folder := folderOf(t, map[string]string{"p.yaml": smallPolicy, "t.yaml": must(t, "triage", "show"), "m.json": `{"a": {"b": "C1"}}`})
	at := func(name string) string { return filepath.Join(folder, name) }
	for _, command := range [][]string{
		{"policy", "check", at("p.yaml")},
		{"policy", "show"},
		{"policy", "list"},
		{"policy", "holidays", "wales"},
		{"triage", "check", at("t.yaml")},
		{"triage", "show"},
		{"triage", "list"},
		{"triage", "import", at("m.json"), "--out", "-"},
	} {
		must(t, append(command, "--data", data)...)
		if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%v made a data directory: %v", command, err)
		}
	}
}

// A law that does not apply begins on a day that nobody lives to see: then it starts no clock, and
// nothing that asks for it is refused.
func TestPolicy_OfALawThatDoesNotApply(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(must(t, "policy", "show"), "from: 2025-10-27", "from: 2999-01-01")
	file := filepath.Join(folderOf(t, map[string]string{"p.yaml": text}), "p.yaml")
	if code, _, stderr := rentbook(t, "policy", "check", file); code != exitDone || stderr != "" {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	policy, err := clock.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	if _, err := policy.Target("awaab.emergency", domain.DateOf(now), now, ""); !errors.Is(err, clock.ErrNotInForce) {
		t.Errorf("want %v, got %v", clock.ErrNotInForce, err)
	}
}

const policyPage = "../../docs/policy.md"

// The page's table of what is shipped is made by this test: go test ./cmd/rentbook -run PolicyPage -update.
func TestPolicyPage_HasTheShippedParameters(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- parameters -->\n", "<!-- end of parameters -->\n"
	text := page(t, policyPage)
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("no %q and %q", begin, end)
	}
	want := before + begin + parametersTable(clock.Default()) + end + after
	if *update {
		if err := os.WriteFile(policyPage, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != want {
		t.Error("the table is not what the policy says: go test ./cmd/rentbook -run PolicyPage -update, and look at the difference")
	}
}

// parametersTable is the policy as the page shows it, the sources by number below.
func parametersTable(policy *clock.Policy) string {
	var sources []string
	var b strings.Builder
	b.WriteString("| parameter | from | value | calendar | paused by | source | |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, n := range numbers(policy) {
		at := slices.Index(sources, n.source)
		if at < 0 {
			at = len(sources)
			sources = append(sources, n.source)
		}
		days := n.from
		if n.to != "" {
			days += " to " + n.to
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %d | %s |\n", n.name, days, n.value, n.calendar, n.pausedBy, at+1, n.note)
	}
	b.WriteString("\nSources:\n\n")
	for i, source := range sources {
		fmt.Fprintf(&b, "%d. %s\n", i+1, source)
	}
	return b.String()
}

// The page's examples are worked out by the shipped policy.
func TestPolicyPage_ExplainsAsClocksDo(t *testing.T) {
	t.Parallel()
	text := strings.Join(strings.Fields(strings.ReplaceAll(page(t, policyPage), "\n> ", "\n")), " ")
	policy := clock.Default()
	for _, row := range []struct {
		parameter, start, now string
		pauses                [][3]string
	}{
		{"priority.normal", "2026-03-02T09:15:00Z", "2026-03-20T12:00:00Z", [][3]string{{"access", "2026-03-04T10:00:00Z", "2026-03-07T08:30:00Z"}, {"parts", "2026-03-10T10:00:00Z", "2026-03-12T08:30:00Z"}}},
		{"awaab.investigation", "2026-04-01T14:10:00Z", "2026-04-02T09:00:00Z", nil},
		{"awaab.emergency", "2026-04-03T22:40:00Z", "2026-04-05T00:00:00Z", nil},
		{"right_to_repair.heating", "2026-10-30T10:00:00Z", "2026-10-30T11:00:00Z", nil},
		{"right_to_repair.heating", "2026-11-02T10:00:00Z", "2026-11-02T11:00:00Z", nil},
	} {
		start, now := instant(t, row.start), instant(t, row.now)
		target, err := policy.Target(row.parameter, domain.DateOf(start), start, "")
		if err != nil {
			t.Fatal(err)
		}
		run := clock.Run{Target: target, StartedAt: start}
		for _, p := range row.pauses {
			run.Pauses = append(run.Pauses, clock.Pause{Reason: p[0], From: instant(t, p[1]), To: instant(t, p[2])})
		}
		explanation, _, _ := strings.Cut(run.At(now).Explanation, " Source: ")
		if !strings.Contains(text, explanation) {
			t.Errorf("the page does not have\n%s", explanation)
		}
	}
}

// The page's own targets are a version that can be put in the place of the shipped one.
func TestPolicyPage_ShowsAVersionThatFits(t *testing.T) {
	t.Parallel()
	blocks := blocksOf(page(t, policyPage), "yaml")
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of YAML, want a calendar and a parameter", len(blocks))
	}
	shipped := must(t, "policy", "show")
	from := regexp.MustCompile(`(?s)  priority\.normal:\n.*?  priority\.planned:\n`).FindString(shipped)
	text := strings.Replace(shipped, from, blocks[1]+"  priority.planned:\n", 1)
	text = strings.Replace(text, "  wales:\n", blocks[0]+"  wales:\n", 1)
	file := filepath.Join(folderOf(t, map[string]string{"ours.yaml": text}), "ours.yaml")
	if code, stdout, stderr := rentbook(t, "policy", "check", file); code != exitDone || stderr != "" {
		t.Errorf("exit %d, %s\n%s", code, stdout, stderr)
	}
	list := must(t, "policy", "list", file)
	for _, want := range []string{"2024-01-01  2026-12-31  28 calendar days", "2027-01-01              15 working days"} {
		if !strings.Contains(list, want) {
			t.Errorf("no %q in the list:\n%s", want, list)
		}
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// page is a page of the documentation.
func page(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocksOf are the blocks of a language in a page.
func blocksOf(page, language string) []string {
	var blocks []string
	for _, found := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		blocks = append(blocks, found[1])
	}
	return blocks
}
