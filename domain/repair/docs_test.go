package repair_test

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
	"rentbook/domain/repair"
)

// docs/repairs.md is written by this test from the table itself: go test ./domain/repair -run Docs
// -update.
var updateDocs = flag.Bool("update", false, "write docs/repairs.md anew")

const docs = "../../docs/repairs.md"

const docsHead = `<!-- Written by go test ./domain/repair -run Docs -update. Do not edit. -->

# Repairs

What may be done to a repair, by whom, when, with what, and where it leads. This page is written from the very table that the program
checks every request against ([domain/repair/moves.go](../domain/repair/moves.go)): what is not on it is refused. The facts that are
recorded are in [events.md](events.md). What a landlord owes for a dangerous home, whatever becomes of the repair, is in [hazards.md](hazards.md).

## In plain words

A **repair** is one thing that is broken in one place, from the report until the tenant could say that it is fixed. It begins with a
report; after that, everything is an **action** that somebody takes, and each action that is carried out is recorded for good. Where a
repair stands, its **state**, follows from what was recorded and from nothing else. Nobody sets a state.

Whether an action is allowed depends on three things: the state, the **role** of whoever asks, and the **fields** that are given.

* **Roles.** ` + "`tenant`, `contractor`, `manager` and `operator`" + `. A manager and an operator are the landlord's staff, and may do to a
  repair whatever the others may, besides what is theirs alone. Tenants act on the repairs of their own tenancies, contractors on
  those that are with them.
* **Fields.** An action *needs* some fields and *takes* others. Every action takes ` + "`at`, `reason`, `note` and `photos`" + `; any other field is refused (422).
* **Ids.** Whoever asks chooses the id of the action. Sending the same action again under its id changes nothing and is answered as
  the first time; another body under the same id is refused.
* **What is allowed now.** Every answer about a repair lists the actions that its reader may take at that moment. Build buttons from
  that list and not from a copy of this page.

Some things only look alike:

* **Completed** is the contractor's word that the work is done. **Confirmed** is the tenant's word that it is fixed. **Closed** is the
  landlord's word that the record is finished. None of them is implied by another.
* A repair that ended without being done (cancelled, declined, not the landlord's, a duplicate) is **closed-unresolved**, and never counts as resolved.
* **No access** (nobody let the contractor in) is something else than **on hold** (the contractor puts the work off), and waiting for
  parts is recorded as a fact of its own.
* **Disputing** takes back that the repair was done: its clocks run on as if it had never been completed. That the danger was gone, it leaves.
* A **recall** is a new repair, linked to the old one, because the fault came back. **Reopening** takes up the old one.

## When something happened: ` + "`at`" + `

` + "`at`" + ` is when the action counts, to the second. Leave it out, and it counts now. What is entered late carries the time at which it happened, and the
clocks go by that time; when it was entered is kept beside it.

* It cannot lie in the future (422).
* It cannot be before the repair was reported (409).
* An action that leads to a state cannot be before the last one that did (409). An action that leaves the state as it is can.

## Why: ` + "`reason`" + `

A reason is a **code**, for counting: 1 to 32 of ` + "`a-z 0-9 _ -`" + `. The codes are yours, and what they mean is kept in your own list. Whoever
writes a sentence instead has it moved into the note, and the code is ` + "`other`" + `. Some codes have a meaning here, as the reason of a ` + "`hold`" + `:

| reason of a hold | meaning |
| --- | --- |
| ` + "`parts`" + ` | Waiting for parts. Recorded as a fact of its own. |
| ` + "`access`" + ` | Nobody lets the contractor in. Stops the same clocks as ` + "`no_access`" + ` does. |
| any other | Stops the clocks whose parameter in the policy names it under ` + "`paused_by`" + `, such as ` + "`tenant`" + `; if none does, it stops nothing. |

What people have to say belongs in the ` + "`note`" + `, which is sealed with the repair's own key and can be erased. Put no names and no stories into a reason.

## The main way

` + "```mermaid" + `
`

// mainWay is drawn; each arrow is checked against the table.
const mainWay = `stateDiagram-v2
    [*] --> reported
    reported --> triaged: triage
    reported --> not_responsible: triage
    triaged --> raised: raise
    triaged --> awaiting_approval: raise
    awaiting_approval --> raised: approve
    awaiting_approval --> declined: decline
    raised --> accepted: accept
    accepted --> scheduled: book
    scheduled --> scheduled: rebook
    scheduled --> accepted: landlord_missed
    scheduled --> no_access: no_access
    no_access --> scheduled: book
    scheduled --> attending: start
    attending --> on_hold: hold
    on_hold --> accepted: resume
    attending --> made_safe: make_safe
    made_safe --> completed: complete
    attending --> accepted: follow_on
    attending --> completed: complete
    completed --> confirmed: confirm
    completed --> disputed: dispute
    disputed --> accepted: reopen
    confirmed --> closed: close
`

const docsAfterWay = "```" + `

Most reports pass through the first states at once: the diagnosis triages them, the routing finds a contractor, and the order is raised in
one go. Only what needs a person waits. Not drawn: what can be cancelled, handed back, merged or reopened, which the table below has.

The program itself does two things that nobody asks for. It reminds the tenant of a visit, once for each time that was agreed. And when it
turns out that a visit has no place in the contractor's diary after all, the visit is lost: that is recorded, and the repair goes from
` + "`scheduled` back to `accepted`" + `.

## Answers to a request

| status | code | when |
| --- | --- | --- |
`

const docsAfterAnswers = `
A 422 is until the request is mended, a 409 until the repair has moved. The text of a ` + "`repair.not-allowed`" + ` carries the state
and everything that would be allowed in it, in fields of their own.

## States

Somebody still waits for what is **open**. What is **resolved** was done. What is **closed-unresolved** ended without that. No state is
final: what ended can be reopened or split, for all to see.

| state | class | meaning |
| --- | --- | --- |
`

const docsAfterStates = `
## Actions

*Leads to*: one of these states; a dash leaves the state as it is. Whoever is not among the roles gets a 403 if none of the action's rows has
their role, and else a 409.

| action | in these states | leads to | roles | needs | takes | also |
| --- | --- | --- | --- | --- | --- | --- |
`

const docsAfterActions = `
## Fields

| field | meaning | of |
| --- | --- | --- |
`

func meaning(s repair.State) string {
	return map[repair.State]string{
		repair.StateReported:         "Somebody said what is broken. Nobody has said yet whose it is.",
		repair.StateTriaged:          "It is known whose it is and what is to be done. There is no order: nobody fits, or somebody must look.",
		repair.StateAwaitingApproval: "The order costs more than may be spent without asking. Nothing goes ahead.",
		repair.StateRaised:           "The order is with a contractor, who has not said yes.",
		repair.StateAccepted:         "The contractor has said yes. There is no appointment.",
		repair.StateScheduled:        "There is an appointment.",
		repair.StateAttending:        "Somebody is there, working.",
		repair.StateNoAccess:         "Nobody let the contractor in, and there is something to show for it.",
		repair.StateOnHold:           "The work is put off: waiting for parts, for the tenant, for others.",
		repair.StateMadeSafe:         "The danger is gone; the repair is not done.",
		repair.StateCompleted:        "The contractor says that the work is done.",
		repair.StateConfirmed:        "The tenant says that it is fixed.",
		repair.StateDisputed:         "The tenant says that it is not.",
		repair.StateClosed:           "It was done, and the record is finished.",
		repair.StateCancelled:        "It was called off before it was done.",
		repair.StateDeclined:         "The landlord will not do it, and says why.",
		repair.StateNotResponsible:   "It is not the landlord's to do. The tenant was told what to do instead.",
		repair.StateDuplicate:        "Another repair is about the same thing. The reporter keeps their own timeline and clocks.",
	}[s]
}

type field struct{ name, meaning string }

func fieldsOfActs() []field {
	return []field{
		{"at", "When it counts; left out: now."},
		{"reason", "Why, as a code."},
		{"note", "What there is to say, in words. Sealed."},
		{"photos", "Ids of photos that were uploaded before."},
		{"outcome", "Whose the repair is: " + quotedWords(repair.Outcomes()) + "."},
		{"trade", "The trade that does the work."},
		{"priority", "How soon: " + quotedWords(repair.Priorities()) + ". The policy says by when."},
		{"sor", "Codes of the schedule of rates, each with a quantity. Of a variation: all of the work, as it would be."},
		{"cost", "What the varied work comes to; left out: by the agreed prices, where there are any."},
		{"contractor", "The id of the contractor."},
		{"slot", "The id of a window in the contractor's diary."},
		{"evidence", "What shows that nobody opened: a card left, a call, a photo. Sealed."},
		{"until", "The day until which it is put off, if one is known."},
		{"repair", "The id of the other repair: the new one of a recall, or the one for another trade."},
		{"description", "What is wrong, for the new repair; left out: the note. Sealed."},
		{"into", "The id of the repair that stays."},
		{"rating", "1 to 5; left out: none."},
	}
}

func quotedWords[T ~string](words []T) string {
	marked := make([]string, len(words))
	for i, w := range words {
		marked[i] = "`" + string(w) + "`"
	}
	return strings.Join(marked, ", ")
}

// answers are the refusals that an action can meet, each as the API answers it.
func answers() []struct {
	refusal *domain.Refusal
	when    string
} {
	return []struct {
		refusal *domain.Refusal
		when    string
	}{
		{repair.ErrNotReported, "There is no such repair, or it is not yours to see."},
		{repair.ErrNotAllowed, "The state does not allow it, or something else that the table names stands against it."},
		{repair.ErrOrder, "`at` is before the report, or before the last thing that happened."},
		{repair.ErrSamePerson, "Whoever asked for an approval tries to give it."},
		{repair.ErrTooLate, "The time for a recall is over."},
		{domain.ErrDifferent, "The id of the action is known with another body."},
		{domain.ErrMissing, "A field is missing that the action needs."},
		{repair.ErrFuture, "`at` lies in the future."},
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
		t.Errorf("docs/repairs.md is not current; run go test ./domain/repair -run Docs -update (-want +got):\n%s", diff)
	}
}

func writeDocs(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(docsHead + mainWay + docsAfterWay)
	out.WriteString("| 403 | `forbidden` | Auditors do nothing to repairs. |\n")
	for _, a := range answers() {
		status := map[domain.Class]int{domain.Unknown: 404, domain.Conflicting: 409, domain.Invalid: 422}[a.refusal.Class]
		fmt.Fprintf(&out, "| %d | `%s` | %s |\n", status, a.refusal.Code, a.when)
	}
	out.WriteString(docsAfterAnswers)
	for _, s := range repair.States() {
		if meaning(s) == "" {
			t.Errorf("nobody says what %s means", s)
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", s, s.Class(), meaning(s))
	}
	out.WriteString(docsAfterStates)
	for _, m := range repair.Moves() {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s | %s | %s |\n",
			m.Action, cell(m.From, len(repair.States()), "all"), cell(m.To, 0, ""), cell(m.Roles, len(people()), "all"),
			cell(m.Needs, 0, ""), cell(m.Takes, 0, ""), sentence(m.When))
	}
	out.WriteString(docsAfterActions)
	for _, f := range fieldsOfActs() {
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", f.name, f.meaning, actionsWith(f.name))
	}
	return out.Bytes()
}

// cell is a list in a table: a dash for none, one word for everything.
func cell[T ~string](words []T, whole int, all string) string {
	switch {
	case len(words) == 0:
		return "–"
	case len(words) == whole:
		return all
	}
	return quotedWords(words)
}

func sentence(when string) string {
	if when == "" {
		return ""
	}
	return strings.ToUpper(when[:1]) + when[1:] + "."
}

func actionsWith(field string) string {
	if slices.Contains([]string{"at", "note", "photos"}, field) {
		return "all"
	}
	var with []repair.Action
	for _, m := range repair.Moves() {
		if (slices.Contains(m.Needs, field) || slices.Contains(m.Takes, field)) && !slices.Contains(with, m.Action) {
			with = append(with, m.Action)
		}
	}
	return quotedWords(with)
}

func TestDocs_draw_only_arrows_that_the_table_has(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(mainWay) {
		way, action, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		from, to, _ := strings.Cut(way, " --> ")
		if !slices.ContainsFunc(repair.Moves(), func(m repair.Move) bool {
			return string(m.Action) == action && slices.Contains(m.From, repair.State(from)) && slices.Contains(m.To, repair.State(to))
		}) {
			t.Errorf("the table has no %s from %s to %s", action, from, to)
		}
	}
}

func TestDocs_explain_every_field_of_the_table(t *testing.T) {
	t.Parallel()
	for _, m := range repair.Moves() {
		for _, name := range slices.Concat(m.Needs, m.Takes) {
			if !slices.ContainsFunc(fieldsOfActs(), func(f field) bool { return f.name == name }) {
				t.Errorf("%s has the field %s, which nobody explains", m.Action, name)
			}
		}
	}
	for _, f := range fieldsOfActs() {
		if actionsWith(f.name) == "" {
			t.Errorf("%s is explained, and no action has it", f.name)
		}
	}
}
