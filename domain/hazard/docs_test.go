package hazard_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/hazard"
)

// docs/hazards.md is written by this test from the table itself: go test ./domain/hazard -run Docs
// -update.
var updateDocs = flag.Bool("update", false, "write docs/hazards.md anew")

const docs = "../../docs/hazards.md"

const docsHead = `<!-- Written by go test ./domain/hazard -run Docs -update. Do not edit. -->

# Hazards

What a landlord owes once it knows of a danger in a home, by when, and what may be done about it, by whom. This page is written from the
very table that the program checks every request against ([domain/hazard/moves.go](../domain/hazard/moves.go)): what is not on it is
refused. The facts that are recorded are in [events.md](events.md).

**Nobody has checked this page, or the numbers behind it, as a lawyer would.** They are a summary of the law for running clocks, and no legal advice.

## In plain words

A **hazard** is a danger to health or safety in a home, and here also the duties that run once the landlord knows of it. In England these
are those of Awaab's Law: the Hazards in Social Housing (Prescribed Requirements) (England) Regulations 2025, SI 2025/1042, in force from
27 October 2025. A hazard that is *significant* has to be looked into, reported on and made safe; one that is an *emergency* has to be
safe within 24 hours. What was known before that day, or is significant and of a kind that the law does not list yet
(` + "`awaab.hazards` in [policy.md](policy.md)" + `), is kept all the same, with no clocks: none is invented. An emergency counts whatever its kind.

A hazard is **a record of its own, beside the repairs**. Mould may take three repairs in two years; it is one hazard. Any number of repairs can be
linked to it, and one repair to several hazards. **Nothing that happens to a repair stops a hazard's clock, or meets it**: that
the repair is on hold, cancelled, declined or even completed is no answer to the hazard. What was done about the hazard has to be said of the hazard.

**Nothing pauses these clocks.** Not parts, not the tenant's wishes, not a door that nobody opened. Who was not let in records ` + "`access_refused`" + `
with what was tried. It moves no clock; it is the evidence that all reasonable steps were taken.

After the beginning everything is an **action** that somebody takes, and each one that is carried out is recorded for good. Where
a hazard stands, its **state**, is the last step that the landlord has taken, and nobody sets it. Whether the home is safe is another question
(` + "`safe`" + ` in every answer): an emergency is often made safe before it is investigated.

## How it begins

The landlord is **aware** from the moment at which it, or anyone who works for it, learnt of the danger, by whatever channel: also by a remark that a
plumber makes in passing. The first clock goes by that moment, however late somebody enters it.

* ` + "**`PUT /hazards/{hazard}`**" + ` by a manager or an operator, under an id of their choice: the ` + "`tenancy`" + ` or, for shared parts, the ` + "`property`" + `; the
  ` + "`kind`, the `grade` and the `channel`; `aware_at`" + `, left out: now. It can be in the past and never in the future. A ` + "`description`" + `,
  which is sealed, and a ` + "`repair`" + ` may be added.
* **A report of a repair** whose diagnosis names a hazard ([triage.md](triage.md)). The hazard has the id ` + "`<repair>:hazard`" + `, the landlord is aware from
  the report on, the channel is ` + "`portal`" + `, and the repair is linked. The hazard is recorded first, and stands whatever becomes of the report.

| grade | meaning |
| --- | --- |
`

const docsAfterGrades = `
| channel | how the landlord learnt of it |
| --- | --- |
`

const docsAfterChannels = `
They all count alike. A **kind** is one of %s.

## The five clocks

Each is started by a fact that carries its target whole, with its source: what a policy says later changes no clock that runs. The
times below are those of the shipped policy; yours are in your own ([policy.md](policy.md)). The law is that of the day on which the landlord became aware.
Of days, day 1 is the day after the start, and the last one counts until its end.

| clock | time | starts | met by | parameter |
| --- | --- | --- | --- | --- |
`

const docsAfterClocks = `
* **Twelve weeks are never the rule.** Preventive work has five working days to begin. Only ` + "`not_practicable`" + `, with its reason, gives the clock that runs
  the time of ` + "`%s`" + ` (%s), counted from the same instant: from the end of the
  investigation, not from the action. And then the work is to begin as soon as it can.
* **Safety work is met when it is complete**, as the regulations ask. When it began is kept beside it (` + "`begin_safety_work`" + `), and meets nothing.
* **Nobody gains time by doing something twice.** A clock that runs is not started again by another investigation or another grade: the earlier day
  stands. A clock that was met is started anew where a new finding asks for it again. One that asks for safety is met as it starts while the home is safe.
* **Breached is breached.** A duty that is met too late stays in breach. So does one that turns out not to have been owed, because there was
  no hazard: finding that out was owed in time.
* **Closing ends no clock.** A hazard can be closed as ` + "`withdrawn`" + ` over open duties, with a note that says why; its clocks run on for everyone to see.

## The usual way

` + "```mermaid" + `
`

// usualWay is drawn; each arrow is checked against the table.
const usualWay = `stateDiagram-v2
    [*] --> recognised
    recognised --> safe: make_safe
    recognised --> investigated: investigate
    safe --> investigated: investigate
    investigated --> safe: make_safe
    safe --> prevented: begin_preventive_work
    investigated --> prevented: begin_preventive_work
    prevented --> completed: complete
    completed --> closed: close
    investigated --> closed: close
    closed --> recognised: reopen
`

const docsAfterWay = "```" + `

From ` + "`investigated`" + ` straight to ` + "`closed`" + ` goes what was no hazard, once the summary has been sent. Not drawn: what changes no state, and what can be
investigated or graded again, which the table of actions has.

## States

| state | meaning |
| --- | --- |
`

const docsAfterStates = `
## What an investigation finds

| finding | what follows |
| --- | --- |
`

const docsAfterFindings = `
Awareness and finding are two things: a hazard is recognised as one grade, and what it is taken for after that is what was found. ` + "`regrade`" + ` says
between investigations that it is graver or less grave than was thought; it then has to be investigated anew.

## Actions

` + "`PUT /hazards/{hazard}/actions/{action}`" + `, under an id of the caller's choice: the same again changes nothing and is answered as the first time, another body
under the same id is refused. Every answer lists what its reader may do now: build buttons from that list and not from a copy of this page.

*Leads to*: a dash leaves the state as it is. Every action takes ` + "`at`, `note` and `photos`" + `. A manager and an operator are the landlord's staff; tenants add
notes and evidence to the hazards of their own homes, and are refused everything else with a 409. Contractors see no hazards: what they say of one
is for staff to enter, with the channel ` + "`contractor`" + `.

| action | in these states | leads to | roles | needs | takes | only when | clocks |
| --- | --- | --- | --- | --- | --- | --- | --- |
`

const docsAfterActions = `
` + "`at`" + ` is when the action counts, to the second; left out: now. It cannot be in the future or before the landlord was aware, and of actions other than
%s not before the last one.

` + "`reason`" + ` is a code, for counting: 1 to 32 of ` + "`a-z 0-9 _ -`" + `. Whoever writes a sentence instead has it moved into the note, and the code is ` + "`other`" + `.
One code has a meaning here: ` + "`%s`" + `, of a ` + "`close`" + `. What people have to say belongs in the ` + "`note`" + `, which is sealed with the hazard's own key and
can be erased.

## Fields

| field | meaning | of |
| --- | --- | --- |
`

const docsAfterFields = `
## Answers to a request

| status | code | when |
| --- | --- | --- |
`

const docsEnd = `
A 403 is for good, a 422 until the request is mended, a 409 until the hazard has moved. A ` + "`hazard.not-allowed`" + ` has the ` + "`state`" + ` and, under ` + "`allowed`" + `,
everything that the caller may do in it, in members of their own; a 422 names the field at fault under ` + "`errors`" + `. Any other answer is at ` + "`/docs`" + `.
`

func stateMeaning(s hazard.State) string {
	return map[hazard.State]string{
		hazard.StateRecognised:   "The landlord knows of it, or knows anew: it was graded again or reopened. It has to be investigated, or made safe at once.",
		hazard.StateInvestigated: "Somebody has looked and said what it is. The work that the finding asks for is owed.",
		hazard.StateSafe:         "The work that makes the home safe is complete. What keeps the hazard from coming back has not begun.",
		hazard.StatePrevented:    "Work against its return has begun.",
		hazard.StateCompleted:    "All work on it is complete.",
		hazard.StateClosed:       "The record is finished. It can be reopened.",
	}[s]
}

func gradeMeaning(g hazard.Grade) string {
	return map[hazard.Grade]string{
		hazard.Emergency:   "An imminent danger. It has to be investigated and made safe within 24 hours, whatever its kind.",
		hazard.Significant: "A danger that cannot wait for an ordinary repair. It has to be investigated within ten working days.",
	}[g]
}

func findingMeaning(g hazard.Grade) string {
	return map[hazard.Grade]string{
		hazard.Emergency:   "An emergency: the summary, 24 hours to make it safe from here unless that clock runs already, and preventive work.",
		hazard.Significant: "A significant hazard: the summary, safety work and preventive work. That it is no emergency meets `emergency_make_safe`.",
		hazard.None:        "No hazard: only the summary is owed, and every duty of work is met.",
	}[g]
}

func channelMeaning(c hazard.Channel) string {
	return map[hazard.Channel]string{
		hazard.Portal:       "A report here.",
		hazard.Call:         "Somebody telephoned.",
		hazard.Email:        "An email.",
		hazard.Letter:       "A letter, or a solicitor's.",
		hazard.Visit:        "Staff were there, for whatever reason.",
		hazard.Contractor:   "A contractor said so, in passing or in writing.",
		hazard.Survey:       "A survey, an inspection, a stock condition report.",
		hazard.Neighbour:    "Somebody next door.",
		hazard.OtherChannel: "Any other way.",
	}[c]
}

// docsClock is a clock as the page tells of it.
type docsClock struct{ name, starts, met, parameter string }

const latestPrevention = "awaab.preventive_work.latest"

func docsClocks() []docsClock {
	return []docsClock{
		{
			clock.EmergencyMakeSafe, "when the landlord became aware of an emergency, or when one is found, graded or reopened",
			"`make_safe` or `complete`; `investigate` that finds no emergency", "awaab.emergency",
		},
		{
			clock.Investigate, "when the landlord became aware of a significant hazard; of one that was investigated before, when it is graded anew or reopened",
			"`investigate`, whatever it finds", "awaab.investigation",
		},
		{clock.Summary, "at the end of an investigation, whatever it found", "`summarise`: the tenant has it in writing", "awaab.summary"},
		{
			clock.SafetyWork, "at the end of an investigation that found a significant hazard",
			"`make_safe` or `complete`; another investigation that finds no hazard", "awaab.safety_work",
		},
		{
			clock.PreventiveWork, "at the end of an investigation that found a hazard",
			"`begin_preventive_work` or `complete`; another investigation that finds no hazard", "awaab.preventive_work",
		},
	}
}

// shippedTime is what the shipped policy gives a parameter that sets a clock.
func shippedTime(t *testing.T, name, sets string) string {
	t.Helper()
	for _, p := range policy().Parameters() {
		if p.Name == name && p.Clock == sets {
			return p.Versions[len(p.Versions)-1].Value
		}
	}
	t.Errorf("the policy has no %s for the clock %s", name, sets)
	return ""
}

type docsField struct{ name, meaning string }

func fieldsOfActs() []docsField {
	return []docsField{
		{"at", "When it counts; left out: now."},
		{"note", "What there is to say, in words. Sealed."},
		{"photos", "Ids of photos that were uploaded before."},
		{"reason", "Why, as a code."},
		{"finding", "What the investigation found: " + quoted(hazard.Findings()) + "."},
		{"grade", "What the hazard is now taken for: " + quoted(hazard.Grades()) + "."},
		{"accepted", "Whether the household takes the other place to stay; left out: not answered yet."},
		{"repair", "The id of the repair."},
	}
}

func quoted[T ~string](words []T) string {
	marked := make([]string, len(words))
	for i, w := range words {
		marked[i] = "`" + string(w) + "`"
	}
	return strings.Join(marked, ", ")
}

// answers are the refusals that a hazard can meet, each as the API answers it.
func answers() []struct {
	refusal *domain.Refusal
	when    string
} {
	return []struct {
		refusal *domain.Refusal
		when    string
	}{
		{hazard.ErrUnknown, "There is no such hazard, or it is not yours to see."},
		{hazard.ErrNotAllowed, "The state or the role does not allow it, or there has been no investigation yet. `state` and `allowed` say what is possible."},
		{hazard.ErrOrder, "`at` is before what was recorded last."},
		{hazard.ErrUnfinished, "It cannot be closed: work is not completed, and a hazard was found or none was looked for."},
		{hazard.ErrDuties, "It cannot be closed: a clock still runs. Which ones, the answer says."},
		{domain.ErrDifferent, "The id of the hazard or of the action is known with another body."},
		{domain.ErrUnknownReference, "There is no such tenancy, property, repair or photo."},
		{domain.ErrMissing, "A field is missing that the action needs."},
		{hazard.ErrNotTaken, "A field is given that the action does not take."},
		{domain.ErrWord, "A kind, grade, channel, finding or action is none of those on this page."},
		{hazard.ErrFuture, "`at` or `aware_at` lies in the future."},
		{hazard.ErrBeforeAwareness, "`at` is before the landlord became aware."},
	}
}

func TestDocs(t *testing.T) {
	t.Parallel()
	want := writeDocs(t)
	if *updateDocs {
		if err := os.WriteFile(docs, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/hazards.md is not current; run go test ./domain/hazard -run Docs -update (-want +got):\n%s", diff)
	}
}

func writeDocs(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(docsHead)
	meanings(t, &out, hazard.Grades(), gradeMeaning)
	out.WriteString(docsAfterGrades)
	meanings(t, &out, hazard.Channels(), channelMeaning)
	fmt.Fprintf(&out, docsAfterChannels, quoted(hazard.Kinds()))
	for _, d := range docsClocks() {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | `%s` |\n", d.name, shippedTime(t, d.parameter, d.name), d.starts, d.met, d.parameter)
	}
	fmt.Fprintf(&out, docsAfterClocks, latestPrevention, shippedTime(t, latestPrevention, clock.PreventiveWork))
	out.WriteString(usualWay + docsAfterWay)
	meanings(t, &out, hazard.States(), stateMeaning)
	out.WriteString(docsAfterStates)
	meanings(t, &out, hazard.Findings(), findingMeaning)
	out.WriteString(docsAfterFindings)
	var late []hazard.Action
	for _, m := range hazard.Moves() {
		if m.AnyTime {
			late = append(late, m.Action)
		}
		to := "–"
		if m.To != "" {
			to = "`" + string(m.To) + "`"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s | %s | %s | %s |\n",
			m.Action, cell(m.From, len(hazard.States())), to, cell(m.Roles, len(hazard.Roles())), cell(m.Needs, 0), cell(m.Takes, 0),
			sentence(onlyWhen(m)), sentence(m.Clocks))
	}
	fmt.Fprintf(&out, docsAfterActions, strings.ReplaceAll(quoted(late), ", ", " and "), hazard.Withdrawn)
	for _, f := range fieldsOfActs() {
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", f.name, f.meaning, actionsWith(f.name))
	}
	out.WriteString(docsAfterFields)
	out.WriteString("| 403 | `forbidden` | The role may never do this: contractors and auditors change no hazard, tenants begin none. |\n")
	for _, a := range answers() {
		status := map[domain.Class]int{domain.Unknown: 404, domain.Conflicting: 409, domain.Invalid: 422}[a.refusal.Class]
		fmt.Fprintf(&out, "| %d | `%s` | %s |\n", status, a.refusal.Code, a.when)
	}
	out.WriteString(docsEnd)
	return out.Bytes()
}

// meanings says of each word what it means.
func meanings[T ~string](t *testing.T, out *bytes.Buffer, words []T, meaning func(T) string) {
	t.Helper()
	for _, w := range words {
		if meaning(w) == "" {
			t.Errorf("nobody says what %s means", w)
		}
		fmt.Fprintf(out, "| `%s` | %s |\n", w, meaning(w))
	}
}

// cell is a list in a table: a dash for none, one word for everything.
func cell[T ~string](words []T, whole int) string {
	switch {
	case len(words) == 0:
		return "–"
	case len(words) == whole:
		return "all"
	}
	return quoted(words)
}

func onlyWhen(m hazard.Move) string {
	when := m.When
	if m.AfterInvestigation {
		when = "there has been an investigation"
	}
	return when
}

func sentence(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:] + "."
}

func actionsWith(name string) string {
	if slices.Contains([]string{"at", "note", "photos"}, name) {
		return "all"
	}
	var with []hazard.Action
	for _, m := range hazard.Moves() {
		if (slices.Contains(m.Needs, name) || slices.Contains(m.Takes, name)) && !slices.Contains(with, m.Action) {
			with = append(with, m.Action)
		}
	}
	return quoted(with)
}

func TestDocs_draw_only_arrows_that_the_table_has(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(usualWay) {
		way, action, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		from, to, _ := strings.Cut(way, " --> ")
		if !slices.ContainsFunc(hazard.Moves(), func(m hazard.Move) bool {
			return string(m.Action) == action && slices.Contains(m.From, hazard.State(from)) && m.To == hazard.State(to)
		}) {
			t.Errorf("the table has no %s from %s to %s", action, from, to)
		}
	}
}

func TestDocs_explain_every_field_of_the_table(t *testing.T) {
	t.Parallel()
	for _, m := range hazard.Moves() {
		for _, name := range slices.Concat(m.Needs, m.Takes) {
			if !slices.ContainsFunc(fieldsOfActs(), func(f docsField) bool { return f.name == name }) {
				t.Errorf("%s has the field %s, which nobody explains", m.Action, name)
			}
		}
		if m.When != "" && m.AfterInvestigation {
			t.Errorf("%s has two conditions, and the page tells of one", m.Action)
		}
	}
	for _, f := range fieldsOfActs() {
		if actionsWith(f.name) == "" {
			t.Errorf("%s is explained, and no action has it", f.name)
		}
	}
}

// Every clock that a hazard can start is on the page, with the parameter it is looked up by.
func TestDocs_have_the_parameter_of_every_duty(t *testing.T) {
	t.Parallel()
	var started []hazard.Duty
	for _, grade := range hazard.Grades() {
		started = append(started, recognition(grade, "2026-11-20 16:00").Duties()...)
	}
	l := recognised(t, recognition(hazard.Significant, "2026-11-20 16:00"))
	for _, found := range hazard.Findings() {
		started = append(started, l.hazard.Duties(l.act(hazard.Investigate, "2026-11-23 10:00", finding(found)))...)
	}
	for _, d := range docsClocks() {
		at := slices.IndexFunc(started, func(s hazard.Duty) bool { return s.Clock == d.name })
		if at < 0 || started[at].Parameter != d.parameter {
			t.Errorf("no hazard starts %s by %s", d.name, d.parameter)
		}
		started = slices.DeleteFunc(started, func(s hazard.Duty) bool { return s.Clock == d.name })
	}
	if len(started) > 0 {
		t.Errorf("the page has nothing of %+v", started)
	}
}
