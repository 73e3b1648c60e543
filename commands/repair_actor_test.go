package commands_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/repair"
)

// Whoever may not know of a repair is told what they would be told of one that is not there.
func TestRepair_OfOthersLooksAsIfItWereNotThere(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.mustReport(t, tenantIs("P1"), report("R1", tap(t)))
	before := len(e.events(t))
	for name, m := range map[string]commands.Meta{
		"the tenant of another home":              tenantIs("P3"),
		"a tenant without a home":                 tenantIs("P9"),
		"a token for another tenancy":             {Actor: commands.Actor{ID: "s", Role: commands.RoleTenant, OnBehalfOf: "P1", Tenancies: []domain.ID{"T2"}}},
		"a contractor who does not have it":       contractorIs(otherPlumber),
		"a contractor's token that names no firm": contractorIs(""),
	} {
		for _, act := range []commands.ActOnRepair{
			{Action: "note", Note: "hello"}, {Action: "cancel", Reason: "no"}, {Action: "accept"}, {Action: "book", Slot: tuesday}, {Action: "what"},
		} {
			act.ID = "A1"
			said := make([]error, 2)
			for i, id := range []string{"R1", "R-none"} {
				act.Repair = id
				_, said[i] = e.ActOnRepair(t.Context(), m, act)
			}
			refusal, ok := errors.AsType[*domain.Refusal](said[0])
			if !ok || refusal.Class != domain.Unknown {
				t.Errorf("%s, %s: got %v, want a refusal as of what is not there", name, act.Action, said[0])
			}
			if diff := cmp.Diff(said[1], said[0]); diff != "" {
				t.Errorf("%s, %s: theirs and a missing one differ (-missing +theirs):\n%s", name, act.Action, diff)
			}
		}
		_, theirs := e.Slots(t.Context(), m.Actor, "R1", e.now.Now(), 3)
		_, missing := e.Slots(t.Context(), m.Actor, "R-none", e.now.Now(), 3)
		if diff := cmp.Diff(missing, theirs); diff != "" || theirs == nil {
			t.Errorf("%s: the slots (-missing +theirs):\n%s", name, diff)
		}
	}
	if after := len(e.events(t)); after != before {
		t.Errorf("%d facts were recorded", after-before)
	}
}

func TestRepair_ATenantReportsForTheirOwnHomeOnly(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	leaf := tap(t)
	theirs := report("R1", leaf)
	missing := theirs
	missing.Tenancy = "T-none"
	without := theirs
	without.Tenancy, without.Property = "", "H1"
	_, want := e.ReportRepair(t.Context(), tenantIs("P3"), missing)
	for name, c := range map[string]commands.ReportRepair{"another's home": theirs, "a home without a tenancy": without} {
		_, err := e.ReportRepair(t.Context(), tenantIs("P3"), c)
		if diff := cmp.Diff(want, err); diff != "" || err == nil {
			t.Errorf("%s (-missing +got):\n%s", name, diff)
		}
	}
	other := theirs
	other.Property = "H2"
	if _, err := e.ReportRepair(t.Context(), tenantIs("P1"), other); err == nil || e.repair(t, "R1").Exists() {
		t.Errorf("a property that is not the tenancy's: got %v", err)
	}
	for role, m := range map[string]commands.Meta{"contractor": contractorIs(plumber), "auditor": auditor()} {
		if _, err := e.ReportRepair(t.Context(), m, theirs); !errors.Is(err, commands.ErrForbidden) {
			t.Errorf("%s: got %v, want %v", role, err, commands.ErrForbidden)
		}
	}
	e.mustReport(t, tenantIs("P2"), theirs) // the joint tenant
	e.mustAct(t, tenantIs("P1"), commands.ActOnRepair{Repair: "R1", ID: "A1", Action: "note", Note: "the dog is mine"})
	e.mustReport(t, manager(), report("R2", leaf))
}

func TestRepair_WhoMayNeverTakeAnActionIsToldSo(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.mustReport(t, tenantIs("P1"), report("R1", tap(t)))
	all := map[repair.Action]bool{}
	for _, m := range repair.Moves() {
		all[m.Action] = true
	}
	for role, m := range map[repair.Role]commands.Meta{
		repair.Tenant: tenantIs("P1"), repair.Contractor: contractorIs(plumber), repair.Manager: manager(), "auditor": auditor(),
	} {
		may := map[repair.Action]bool{}
		for _, a := range repair.ActionsOf(role) {
			may[a] = true
		}
		for action := range all {
			if may[action] {
				continue
			}
			_, err := e.ActOnRepair(t.Context(), m, commands.ActOnRepair{Repair: "R1", ID: "A-" + string(action), Action: string(action)})
			want := error(repair.ErrNotAllowed)
			if role == "auditor" {
				want = commands.ErrForbidden
			}
			if !errors.Is(err, want) {
				t.Errorf("%s, %s: got %v, want %v", role, action, err, want)
			}
		}
	}
	if _, err := e.ActOnRepair(t.Context(), auditor(), commands.ActOnRepair{Repair: "R-none", ID: "A", Action: "note"}); !errors.Is(err, commands.ErrForbidden) {
		t.Errorf("an auditor about nothing: got %v, want %v", err, commands.ErrForbidden)
	}
}

func TestRepair_WhileItAwaitsApprovalItsContractorKnowsNothingOfIt(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.prices(t, "plumber", "501.00")
	e.prices(t, "plumber2", "502.00")
	r := e.mustReport(t, tenantIs("P1"), report("R1", tap(t))).Repair
	wantState(t, r, repair.StateAwaitingApproval)
	for _, action := range repair.ActionsOf(repair.Contractor) {
		_, err := e.ActOnRepair(t.Context(), contractorIs(plumber), commands.ActOnRepair{
			Repair: "R1", ID: "A-" + string(action), Action: string(action), Note: "n", Reason: "r", Slot: tuesday, Evidence: "e",
			SOR: []repair.Line{{Code: "X"}},
		})
		if !errors.Is(err, repair.ErrNotReported) {
			t.Errorf("%s: got %v, want %v", action, err, repair.ErrNotReported)
		}
	}
	e.free(t, plumber, tuesday, true)
}

func TestRepair_PhotosAreOnesOwn(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.photos["mine"], e.photos["theirs"] = "session-P1", "session-P3"
	leaf := tap(t)
	for i, photo := range []string{"theirs", "none"} {
		c := report("R"+string(rune('1'+i)), leaf)
		c.Photos = []string{"mine", photo}
		if _, err := e.ReportRepair(t.Context(), tenantIs("P1"), c); !errors.Is(err, domain.ErrUnknownReference) {
			t.Errorf("the photo %s in a report: got %v, want %v", photo, err, domain.ErrUnknownReference)
		}
	}
	c := report("R3", leaf)
	c.Photos = []string{"mine", "mine"}
	if _, err := e.ReportRepair(t.Context(), tenantIs("P1"), c); err == nil {
		t.Error("a photo twice was taken")
	}
	c.Photos = []string{"mine"}
	e.mustReport(t, tenantIs("P1"), c)
	_, err := e.ActOnRepair(t.Context(), tenantIs("P1"), commands.ActOnRepair{Repair: "R3", ID: "A1", Action: "note", Note: "n", Photos: []string{"theirs"}})
	if !errors.Is(err, domain.ErrUnknownReference) {
		t.Errorf("another's photo in an action: got %v, want %v", err, domain.ErrUnknownReference)
	}
	r := e.mustAct(t, manager(), commands.ActOnRepair{Repair: "R3", ID: "A1", Action: "note", Note: "n", Photos: []string{"theirs"}}).Repair
	if diff := cmp.Diff([]domain.ID{"mine", "theirs"}, r.Photos); diff != "" {
		t.Errorf("the photos (-want +got):\n%s", diff)
	}
}

func TestRepair_ALinkToARepairOfOthersIsNone(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	leaf := tap(t)
	e.mustReport(t, tenantIs("P1"), report("R1", leaf))
	c := report("R2", leaf)
	c.Tenancy = "T2"
	for _, link := range []string{"R1", "R-none"} {
		c.RecallOf, c.FollowOnOf = link, ""
		if _, err := e.ReportRepair(t.Context(), tenantIs("P3"), c); !errors.Is(err, domain.ErrUnknownReference) {
			t.Errorf("a recall of %s: got %v, want %v", link, err, domain.ErrUnknownReference)
		}
		c.RecallOf, c.FollowOnOf = "", link
		if _, err := e.ReportRepair(t.Context(), tenantIs("P3"), c); !errors.Is(err, domain.ErrUnknownReference) {
			t.Errorf("a follow-on of %s: got %v, want %v", link, err, domain.ErrUnknownReference)
		}
	}
	own := report("R3", leaf)
	own.RecallOf = "R1"
	if r := e.mustReport(t, tenantIs("P2"), own).Repair; r.RecallOf != "R1" {
		t.Errorf("a recall of their own: %+v", r)
	}
}
