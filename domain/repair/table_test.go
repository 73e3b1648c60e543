package repair_test

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain/repair"
)

// actions is the fixed list of what somebody may ask, as the API promises it.
func actions() []repair.Action {
	var list []repair.Action
	for name := range strings.FieldsSeq(`triage decline approve raise assign accept hand_back hold_slot book rebook start no_access
		landlord_missed hold resume request_variation approve_variation reject_variation make_safe follow_on complete confirm
		dispute reopen close cancel recall merge split note`) {
		list = append(list, repair.Action(name))
	}
	return list
}

func people() []repair.Role {
	return []repair.Role{repair.Tenant, repair.Contractor, repair.Manager, repair.Operator}
}

func TestMoves_has_a_row_for_every_action_and_for_no_other(t *testing.T) {
	t.Parallel()
	got := map[repair.Action]bool{}
	for _, m := range repair.Moves() {
		got[m.Action] = true
	}
	want := map[repair.Action]bool{}
	for _, a := range actions() {
		want[a] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMoves_speaks_of_known_states_roles_and_fields_and_of_each_once(t *testing.T) {
	t.Parallel()
	fields := strings.Fields("reason outcome trade priority sor cost contractor slot evidence until repair into rating note description")
	for _, m := range repair.Moves() {
		if len(m.From) == 0 || len(m.Roles) == 0 {
			t.Errorf("%s is for nobody, or in no state: %+v", m.Action, m)
		}
		for _, s := range slices.Concat(m.From, m.To) {
			if !slices.Contains(repair.States(), s) {
				t.Errorf("%s has the unknown state %q", m.Action, s)
			}
		}
		for _, role := range m.Roles {
			if !slices.Contains(people(), role) {
				t.Errorf("%s is for the unknown role %q", m.Action, role)
			}
		}
		given := slices.Concat(m.Needs, m.Takes)
		for _, field := range given {
			if !slices.Contains(fields, field) {
				t.Errorf("%s has the unknown field %q", m.Action, field)
			}
		}
		for _, list := range [][]string{given, names(m.From), names(m.To), names(m.Roles)} {
			slices.Sort(list)
			if len(slices.Compact(slices.Clone(list))) != len(list) {
				t.Errorf("%s says something twice: %v", m.Action, list)
			}
		}
	}
}

func names[T ~string](list []T) []string {
	plain := make([]string, len(list))
	for i, v := range list {
		plain[i] = string(v)
	}
	return plain
}

func TestMoves_lets_an_action_in_a_state_by_a_role_be_one_row_at_most(t *testing.T) {
	t.Parallel()
	type line struct {
		action repair.Action
		from   repair.State
		role   repair.Role
	}
	seen := map[line]int{}
	for _, m := range repair.Moves() {
		for _, from := range m.From {
			for _, role := range m.Roles {
				seen[line{m.Action, from, role}]++
			}
		}
	}
	for l, n := range seen {
		if n > 1 {
			t.Errorf("%v is there %d times", l, n)
		}
	}
}

// TestMoves_are_made_anew lets nobody change the table for others.
func TestMoves_are_made_anew_for_each_who_asks(t *testing.T) {
	t.Parallel()
	mine := repair.Moves()
	for i := range mine {
		clear(mine[i].From)
		clear(mine[i].To)
		clear(mine[i].Roles)
		clear(mine[i].Needs)
		clear(mine[i].Takes)
	}
	for _, m := range repair.Moves() {
		if slices.Contains(m.From, "") || slices.Contains(m.To, "") || slices.Contains(m.Roles, "") || slices.Contains(m.Needs, "") {
			t.Fatalf("somebody's copy of %s is everybody's", m.Action)
		}
	}
	states := repair.States()
	clear(states)
	if slices.Contains(repair.States(), "") {
		t.Error("somebody's copy of the states is everybody's")
	}
}

// ways is where moves lead from each state.
func ways() map[repair.State]map[repair.State]bool {
	lead := map[repair.State]map[repair.State]bool{}
	for _, m := range repair.Moves() {
		for _, from := range m.From {
			for _, to := range m.To {
				if lead[from] == nil {
					lead[from] = map[repair.State]bool{}
				}
				lead[from][to] = true
			}
		}
	}
	return lead
}

func TestMoves_reach_every_state_from_reported(t *testing.T) {
	t.Parallel()
	lead := ways()
	reached, todo := map[repair.State]bool{}, []repair.State{repair.StateReported}
	for len(todo) > 0 {
		s := todo[0]
		todo = todo[1:]
		if !reached[s] {
			reached[s] = true
			todo = slices.AppendSeq(todo, maps.Keys(lead[s]))
		}
	}
	for _, s := range repair.States() {
		if !reached[s] {
			t.Errorf("nothing leads to %s", s)
		}
	}
}

func TestMoves_leave_every_state(t *testing.T) {
	t.Parallel()
	lead := ways()
	for _, s := range repair.States() {
		delete(lead[s], s)
		if len(lead[s]) == 0 { // none is final: what ended can be reopened, a duplicate split
			t.Errorf("nothing leads out of %s", s)
		}
	}
}

func TestMoves_lead_from_every_state_to_a_repair_that_is_done_and_to_one_that_is_cancelled(t *testing.T) {
	t.Parallel()
	lead := ways()
	for _, goal := range []repair.State{repair.StateClosed, repair.StateCancelled} {
		for _, start := range repair.States() {
			reached, todo := map[repair.State]bool{}, []repair.State{start}
			for len(todo) > 0 {
				s := todo[0]
				todo = todo[1:]
				if !reached[s] {
					reached[s] = true
					todo = slices.AppendSeq(todo, maps.Keys(lead[s]))
				}
			}
			if !reached[goal] {
				t.Errorf("there is no way from %s to %s", start, goal)
			}
		}
	}
}

func TestMoves_let_only_these_words_take_up_what_had_ended(t *testing.T) {
	t.Parallel()
	for _, m := range repair.Moves() {
		for _, from := range m.From {
			for _, to := range m.To {
				ended, open := from.Class() != repair.Open, to.Class() == repair.Open
				if ended && open && !slices.Contains([]repair.Action{repair.Reopen, repair.Dispute, repair.Split}, m.Action) {
					t.Errorf("%s leads from %s back to %s", m.Action, from, to)
				}
				if to.Class() == repair.Resolved && from.Class() == repair.Open && m.Action != repair.Complete {
					t.Errorf("%s calls what is %s %s: only completing resolves", m.Action, from, to)
				}
				if from.Class() == repair.Resolved && to.Class() == repair.ClosedUnresolved {
					t.Errorf("%s makes %s of what was done", m.Action, to)
				}
			}
		}
	}
}

func TestState_Class_says_whether_anybody_still_waits(t *testing.T) {
	t.Parallel()
	want := map[repair.State]repair.Class{
		"reported": "open", "triaged": "open", "awaiting_approval": "open", "raised": "open", "accepted": "open", "scheduled": "open",
		"attending": "open", "no_access": "open", "on_hold": "open", "made_safe": "open", "disputed": "open",
		"completed": "resolved", "confirmed": "resolved", "closed": "resolved",
		"cancelled": "closed-unresolved", "declined": "closed-unresolved", "not_responsible": "closed-unresolved", "duplicate": "closed-unresolved",
	}
	got := map[repair.State]repair.Class{}
	for _, s := range repair.States() {
		got[s] = s.Class()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(got) != len(repair.States()) {
		t.Error("a state is listed twice")
	}
}

func TestMoves_cancel_from_every_state_before_completion_with_a_reason(t *testing.T) {
	t.Parallel()
	after := []repair.State{"completed", "confirmed", "disputed", "closed", "cancelled", "declined", "not_responsible", "duplicate"}
	for _, role := range []repair.Role{repair.Manager, repair.Operator} {
		for _, s := range repair.States() {
			found := slices.ContainsFunc(repair.Moves(), func(m repair.Move) bool {
				return m.Action == repair.Cancel && slices.Contains(m.From, s) && slices.Contains(m.Roles, role) && slices.Contains(m.Needs, "reason")
			})
			if want := !slices.Contains(after, s); found != want {
				t.Errorf("%s cancels what is %s: %v, want %v", role, s, found, want)
			}
		}
	}
	for _, m := range repair.Moves() {
		if m.Action == repair.Cancel && slices.Contains(m.Roles, repair.Contractor) {
			t.Error("a contractor cancels; they hand back")
		}
	}
}

func TestMoves_that_say_no_or_take_back_need_a_reason(t *testing.T) {
	t.Parallel()
	for _, m := range repair.Moves() {
		switch m.Action {
		case repair.Decline, repair.HandBack, repair.Hold, repair.Cancel, repair.Dispute, repair.Reopen, repair.RejectVariation,
			repair.RequestVariation, repair.FollowOn, repair.Recall:
			if !slices.Contains(m.Needs, "reason") {
				t.Errorf("%s goes without a reason", m.Action)
			}
		case repair.NoAccess:
			if !slices.Contains(m.Needs, "evidence") {
				t.Errorf("%s goes without evidence", m.Action)
			}
		default:
		}
	}
}

func TestMoves_let_everybody_write_a_note_at_any_time(t *testing.T) {
	t.Parallel()
	for _, m := range repair.Moves() {
		if m.Action == repair.AddNote && (len(m.From) != len(repair.States()) || len(m.Roles) != len(people())) {
			t.Errorf("a note is for %v in %v", m.Roles, m.From)
		}
	}
}

func TestActionsOf_is_what_a_role_may_ever_do(t *testing.T) {
	t.Parallel()
	for _, role := range append(people(), repair.System, "auditor") {
		want := map[repair.Action]bool{}
		for _, m := range repair.Moves() {
			if slices.Contains(m.Roles, role) {
				want[m.Action] = true
			}
		}
		got := repair.ActionsOf(role)
		if len(got) != len(want) || slices.ContainsFunc(got, func(a repair.Action) bool { return !want[a] }) {
			t.Errorf("%s may ever do %v, the table says %v", role, got, want)
		}
	}
	tenant := []repair.Action{"hold_slot", "book", "rebook", "landlord_missed", "confirm", "dispute", "cancel", "recall", "split", "note"}
	if diff := cmp.Diff(tenant, repair.ActionsOf(repair.Tenant)); diff != "" {
		t.Errorf("a tenant (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(actions(), repair.ActionsOf(repair.Operator)); diff != "" {
		t.Errorf("an operator may do everything (-want +got)\n%s", diff)
	}
}

func TestEvents_have_a_name_each_that_is_nobody_elses(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^repair\.[a-z]+(-[a-z]+)*\.v[1-9]$`)
	seen, kinds := map[string]bool{}, map[reflect.Type]bool{}
	for _, e := range repair.Events() {
		if !form.MatchString(e.EventType()) || seen[e.EventType()] || kinds[reflect.TypeOf(e)] {
			t.Errorf("%T is stored as %q, which is no name for it or taken", e, e.EventType())
		}
		seen[e.EventType()], kinds[reflect.TypeOf(e)] = true, true
	}
	if len(seen) != 37 {
		t.Errorf("there are %d facts; 37 were counted when this was written", len(seen))
	}
}

// TestEvents_seal_what_people_write wants every text about a person to be named among the sealed fields.
func TestEvents_seal_what_people_write(t *testing.T) {
	t.Parallel()
	for _, e := range repair.Events() {
		var sealed []string
		if p, ok := e.(interface{ Personal() (string, []string) }); ok {
			_, sealed = p.Personal()
		}
		want := personalFields(reflect.TypeOf(e))
		slices.Sort(want)
		got := slices.Sorted(slices.Values(sealed))
		if !slices.Equal(want, got) {
			t.Errorf("%s seals %v, and has %v", e.EventType(), got, want)
		}
	}
}

func personalFields(kind reflect.Type) []string {
	var found []string
	for f := range kind.Fields() {
		if f.Anonymous {
			found = append(found, personalFields(f.Type)...)
		} else if f.Type == reflect.TypeOf(text("")) {
			found = append(found, jsonName(f))
		}
	}
	return found
}

// TestEvents_fields_do_not_hide_each_other: a fact begins with a Step, whose fields stand among its own.
func TestEvents_fields_do_not_hide_each_other(t *testing.T) {
	t.Parallel()
	for _, e := range repair.Events() {
		seen := map[string]bool{}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(e)) {
			name := jsonName(f)
			if f.Anonymous {
				continue
			}
			if name == "" || seen[name] {
				t.Errorf("%s has the field %s as %q, twice or without a name", e.EventType(), f.Name, name)
			}
			seen[name] = true
		}
	}
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
