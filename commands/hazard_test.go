package commands_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/hazard"
	"rentbook/domain/repair"
	"rentbook/domain/triage"
	"rentbook/eventstore"
)

// hazard is the fold of a hazard as the log has it.
func (e *estate) hazard(t testing.TB, id domain.ID) hazard.Hazard {
	t.Helper()
	var h hazard.Hazard
	codec := commands.Codec(e.vault)
	for event, err := range e.log.Read(t.Context(), eventstore.NewStream(hazard.Category, string(id)), 0) {
		check(t, err)
		fact, err := eventstore.Decode[hazard.Event](t.Context(), codec, event)
		check(t, err)
		h = h.Apply(fact)
	}
	return h
}

// reading is a clock of a hazard as it stands now.
func (e *estate) reading(t testing.TB, id domain.ID, name string) clock.Reading {
	t.Helper()
	for _, r := range e.hazard(t, id).Readings(e.now.Now()) {
		if r.Clock == name {
			return r
		}
	}
	t.Fatalf("%s has no clock %s", id, name)
	return clock.Reading{}
}

// mustHazard acts, once more, and with another body under the same id.
func (e *estate) mustHazard(t testing.TB, m commands.Meta, c commands.ActOnHazard) hazard.Hazard {
	t.Helper()
	first, err := e.ActOnHazard(t.Context(), m, c)
	if err != nil {
		t.Fatalf("%s %s: %v", c.Action, c.Hazard, err)
	}
	if first.ID != domain.ID(c.Hazard) || !first.Hazard.Exists() {
		t.Fatalf("%s %s: answered with hazard %q, %+v", c.Action, c.Hazard, first.ID, first.Hazard)
	}
	again, err := e.ActOnHazard(t.Context(), m, c)
	sameReceipt(t, c.Action, first.Receipt, again.Receipt, err)
	c.Note += " and more"
	if _, err := e.ActOnHazard(t.Context(), m, c); !errors.Is(err, domain.ErrDifferent) {
		t.Errorf("%s with another body: got %v, want %v", c.Action, err, domain.ErrDifferent)
	}
	return first.Hazard
}

// mould is a significant hazard that the law covers; danger an emergency.
func mould(t testing.TB) triage.Leaf {
	return way(t, func(o triage.Outcome) bool {
		return o.Hazard == "damp_mould" && o.HazardGrade == triage.GradeSignificant && o.Kind == triage.Landlord && len(o.SOR) > 0
	})
}

func danger(t testing.TB) triage.Leaf {
	return way(t, func(o triage.Outcome) bool {
		return o.HazardGrade == triage.GradeEmergency && o.Kind == triage.Emergency && o.Trade == "electrical" && len(o.SOR) > 0
	})
}

func TestHazard_AReportThatWasInterruptedBetweenItsStreamsIsCompleted(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	store := &flaky{Store: e.log, before: func(s eventstore.Stream) error {
		if s.Category() == repair.Category {
			return errStopped
		}
		return nil
	}}
	c := report("R1", mould(t))
	if _, err := e.at(store, nil).ReportRepair(t.Context(), tenantIs("P1"), c); !errors.Is(err, errStopped) {
		t.Fatalf("got %v, want %v", err, errStopped)
	}
	known := e.hazard(t, "R1:hazard")
	if !known.Exists() || !known.AwareAt.Equal(e.now.Now()) {
		t.Fatalf("the hazard is %+v", known)
	}
	e.now.pass(time.Hour)
	r := e.mustReport(t, tenantIs("P1"), c).Repair
	if r.Hazard != "R1:hazard" || !r.ReportedAt.Equal(e.now.Now()) {
		t.Errorf("the repair is %+v", r)
	}
	if diff := cmp.Diff(known.AwareAt, e.hazard(t, "R1:hazard").AwareAt); diff != "" {
		t.Errorf("aware since (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"hazard.recognised.v1"}, e.types(t, "hazard-R1:hazard")); diff != "" {
		t.Errorf("the facts (-want +got):\n%s", diff)
	}
}

// The same report from two processes, a second apart, is one hazard and one repair.
func TestHazard_TheSameReportTwiceAtOnceIsOne(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	c := report("R1", mould(t))
	first := true
	store := &flaky{Store: e.log, before: func(s eventstore.Stream) error {
		if s.Category() == hazard.Category && first {
			first = false
			e.now.pass(time.Second)
			_, err := e.ReportRepair(t.Context(), tenantIs("P1"), c)
			return err
		}
		return nil
	}}
	got, err := e.at(store, nil).ReportRepair(t.Context(), tenantIs("P1"), c)
	if err != nil || !got.Replayed {
		t.Errorf("got %+v, %v", got.Receipt, err)
	}
	if n := len(e.types(t, "hazard-R1:hazard")); n != 1 {
		t.Errorf("there are %d facts of the hazard", n)
	}
}

// T17: an emergency that is reported on a Friday afternoon is due on Saturday at the same time, and a
// bank holiday does not move it.
func TestHazard_AnEmergencyHasADayWhateverDayItIs(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	for id, at := range map[string]time.Time{
		"R1": time.Date(2026, time.November, 27, 16, 0, 0, 0, time.UTC), // a Friday
		"R2": time.Date(2026, time.December, 24, 16, 0, 0, 0, time.UTC), // then Christmas Day
	} {
		e.now.until(at)
		e.mustReport(t, tenantIs("P1"), report(id, danger(t)))
		r := e.reading(t, domain.ID(id).Derive("hazard"), clock.EmergencyMakeSafe)
		if want := at.Add(24 * time.Hour); !r.DueAt.Equal(want) {
			t.Errorf("%s: due at %v, want %v", id, r.DueAt, want)
		}
	}
}

// T20: whatever ends the repair, the clock of the hazard runs on.
func TestHazard_ItsClockRunsOnWhateverBecomesOfTheRepair(t *testing.T) {
	t.Parallel()
	for name, acts := range map[string][]commands.ActOnRepair{
		"cancelled after no access": {
			{Action: "book", Slot: tuesday}, {Action: "no_access", Evidence: "card 1"}, {Action: "cancel", Reason: "no_access"},
		},
		"closed":       {{Action: "start"}, {Action: "complete"}, {Action: "close", Reason: "no_access"}},
		"declined":     {{Action: "hand_back", Reason: "no_time"}, {Action: "decline", Reason: "no"}},
		"on hold":      {{Action: "hold", Reason: "access"}},
		"made safe":    {{Action: "start"}, {Action: "make_safe"}},
		"handed round": {{Action: "hand_back", Reason: "no_time"}, {Action: "note", Note: "nobody left"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEstate(t)
			e.mustReport(t, tenantIs("P1"), report("R1", danger(t)))
			before := e.reading(t, "R1:hazard", clock.EmergencyMakeSafe)
			for i, a := range acts {
				a.Repair, a.ID = "R1", "A"+string(rune('1'+i))
				e.mustAct(t, manager(), a)
			}
			e.now.until(instant("11-24 09:00"))
			if now := e.reading(t, "R1:hazard", clock.EmergencyMakeSafe); !now.MetAt.IsZero() || now.Paused || now.Breached || !now.DueAt.Equal(before.DueAt) {
				t.Errorf("when it is due: %+v", now)
			}
			e.now.pass(time.Second)
			if now := e.reading(t, "R1:hazard", clock.EmergencyMakeSafe); !now.Breached {
				t.Errorf("a second later: %+v", now)
			}
			if diff := cmp.Diff([]string{"hazard.recognised.v1"}, e.types(t, "hazard-R1:hazard")); diff != "" {
				t.Errorf("the hazard's facts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHazard_IsRecognisedByEveryChannel(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.mustReport(t, tenantIs("P1"), report("R1", tap(t)))
	for _, channel := range hazard.Channels() {
		c := commands.RecogniseHazard{
			Hazard: "HZ-" + string(channel), Tenancy: "T1", Kind: "damp_mould", Grade: "significant", Channel: string(channel),
			AwareAt: "2026-11-20T15:00:00Z", Description: "black spots", Repair: "R1",
		}
		first, err := e.RecogniseHazard(t.Context(), manager(), c)
		check(t, err)
		again, err := e.RecogniseHazard(t.Context(), secondManager(), c)
		sameReceipt(t, c.Hazard, first.Receipt, again.Receipt, err)
		h := first.Hazard
		if h.Property != "H1" || h.Channel != channel || !slices.Equal(h.Repairs, []domain.ID{"R1"}) || !slices.Equal(clocks(h.Clocks), []string{clock.Investigate}) {
			t.Errorf("%s: %+v", channel, h)
		}
		// ten working days after Friday 20 November, to the end of the day
		if due := e.reading(t, first.ID, clock.Investigate).DueAt; due.Before(instant("12-04 23:00")) || due.After(instant("12-05 00:00")) {
			t.Errorf("%s: due at %v", channel, due)
		}
		c.Grade = "emergency"
		if _, err := e.RecogniseHazard(t.Context(), manager(), c); !errors.Is(err, domain.ErrDifferent) {
			t.Errorf("%s with another grade: got %v, want %v", channel, err, domain.ErrDifferent)
		}
	}
	now := commands.RecogniseHazard{Hazard: "HZ-now", Property: "B1", Kind: "fire", Grade: "emergency", Channel: "visit"}
	first, err := e.RecogniseHazard(t.Context(), manager(), now)
	check(t, err)
	e.now.pass(time.Hour) // said again without an instant: the one there is
	again, err := e.RecogniseHazard(t.Context(), manager(), now)
	sameReceipt(t, "HZ-now", first.Receipt, again.Receipt, err)
	for field, change := range map[string]func(*commands.RecogniseHazard){
		"aware_at": func(c *commands.RecogniseHazard) { c.AwareAt = "2026-11-24T00:00:00Z" },
		"kind":     func(c *commands.RecogniseHazard) { c.Kind = "ghosts" },
		"channel":  func(c *commands.RecogniseHazard) { c.Channel = "" },
		"grade":    func(c *commands.RecogniseHazard) { c.Grade = "none" },
		"repair":   func(c *commands.RecogniseHazard) { c.Repair = "R-none" },
		"tenancy":  func(c *commands.RecogniseHazard) { c.Tenancy = "T-none" },
		"property": func(c *commands.RecogniseHazard) { c.Property = "" },
	} {
		c := now
		c.Hazard = "HZ-bad"
		change(&c)
		_, err := e.RecogniseHazard(t.Context(), manager(), c)
		if refusal, ok := errors.AsType[*domain.Refusal](err); !ok || refusal.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
	for role, m := range map[string]commands.Meta{"tenant": tenantIs("P1"), "contractor": contractorIs(plumber), "auditor": auditor()} {
		if _, err := e.RecogniseHazard(t.Context(), m, now); !errors.Is(err, commands.ErrForbidden) {
			t.Errorf("%s: got %v, want %v", role, err, commands.ErrForbidden)
		}
	}
}

// Every action, through the life of a hazard, and what it does to the five clocks.
func TestHazard_EveryActionAndTheFiveClocks(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.photos["ph1"] = "token-1"
	e.mustReport(t, tenantIs("P1"), report("R1", mould(t)))
	e.mustReport(t, tenantIs("P1"), report("R2", tap(t)))
	yes := true
	n := 0
	taken := map[string]bool{}
	step := func(c commands.ActOnHazard, running ...string) {
		t.Helper()
		n++
		e.now.pass(time.Hour)
		taken[c.Action] = true
		c.Hazard, c.ID = "R1:hazard", "A"+string(rune('a'+n))
		h := e.mustHazard(t, manager(), c)
		var got []string
		for _, run := range h.Clocks {
			if run.MetAt.IsZero() {
				got = append(got, run.Target.Clock)
			}
		}
		slices.Sort(got)
		slices.Sort(running)
		if diff := cmp.Diff(running, got); diff != "" {
			t.Fatalf("after %s run (-want +got):\n%s", c.Action, diff)
		}
	}
	step(commands.ActOnHazard{Action: "note", Note: "rang"}, clock.Investigate)
	step(commands.ActOnHazard{Action: "evidence", Photos: []string{"ph1"}}, clock.Investigate)
	step(commands.ActOnHazard{Action: "access_refused", Note: "rang twice"}, clock.Investigate)
	step(commands.ActOnHazard{Action: "link", Repair: "R2"}, clock.Investigate)
	step(commands.ActOnHazard{Action: "unlink", Repair: "R2"}, clock.Investigate)
	step(commands.ActOnHazard{Action: "regrade", Grade: "emergency", Reason: "asthma"}, clock.Investigate, clock.EmergencyMakeSafe)
	step(commands.ActOnHazard{Action: "investigate", Finding: "significant"}, clock.Summary, clock.SafetyWork, clock.PreventiveWork)
	step(commands.ActOnHazard{Action: "begin_safety_work"}, clock.Summary, clock.SafetyWork, clock.PreventiveWork)
	step(commands.ActOnHazard{Action: "make_safe"}, clock.Summary, clock.PreventiveWork)
	step(commands.ActOnHazard{Action: "not_practicable", Reason: "scaffold"}, clock.Summary, clock.PreventiveWork)
	if r := e.reading(t, "R1:hazard", clock.PreventiveWork); r.DueAt.Sub(r.StartedAt) < 80*24*time.Hour {
		t.Errorf("preventive work is due %v after %v, want twelve weeks", r.DueAt, r.StartedAt)
	}
	step(commands.ActOnHazard{Action: "begin_preventive_work"}, clock.Summary)
	step(commands.ActOnHazard{Action: "offer_accommodation", Accepted: &yes}, clock.Summary)
	_, err := e.ActOnHazard(t.Context(), manager(), commands.ActOnHazard{Hazard: "R1:hazard", ID: "A-early", Action: "close", Reason: "done"})
	if !errors.Is(err, hazard.ErrUnfinished) && !errors.Is(err, hazard.ErrDuties) {
		t.Errorf("closed over open duties: got %v", err)
	}
	step(commands.ActOnHazard{Action: "complete"}, clock.Summary)
	step(commands.ActOnHazard{Action: "summarise"})
	step(commands.ActOnHazard{Action: "close", Reason: "done"})
	step(commands.ActOnHazard{Action: "reopen", Reason: "back"}, clock.Investigate)
	for _, action := range hazard.Actions() {
		if !taken[string(action)] {
			t.Errorf("%s was not taken", action)
		}
	}
	if r := e.repair(t, "R1"); r.State.Class() != repair.Open {
		t.Errorf("the repair is %s: what happens to the hazard happened to it", r.State)
	}
}

func TestHazard_RolesAndWhatBelongsToOthers(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	e.photos["mine"], e.photos["theirs"] = "session-P1", "session-P3"
	e.mustReport(t, tenantIs("P1"), report("R1", mould(t)))
	act := commands.ActOnHazard{Hazard: "R1:hazard", ID: "A1", Action: "evidence", Photos: []string{"mine"}}
	for _, m := range []commands.Meta{contractorIs(plumber), auditor()} {
		if _, err := e.ActOnHazard(t.Context(), m, act); !errors.Is(err, commands.ErrForbidden) {
			t.Errorf("%s: got %v, want %v", m.Actor.Role, err, commands.ErrForbidden)
		}
	}
	for _, action := range []string{"evidence", "close", "what"} {
		theirs, missing := act, act
		theirs.Action, missing.Action, missing.Hazard = action, action, "R9:hazard"
		_, got := e.ActOnHazard(t.Context(), tenantIs("P3"), theirs)
		_, want := e.ActOnHazard(t.Context(), tenantIs("P3"), missing)
		refusal, ok := errors.AsType[*domain.Refusal](got)
		if diff := cmp.Diff(want, got); diff != "" || !ok || refusal.Class != domain.Unknown {
			t.Errorf("%s: theirs and a missing one differ (-missing +theirs):\n%s", action, diff)
		}
	}
	communal := commands.RecogniseHazard{Hazard: "HZ1", Property: "B1", Kind: "fire", Grade: "emergency", Channel: "visit"}
	_, err := e.RecogniseHazard(t.Context(), manager(), communal)
	check(t, err)
	if _, err := e.ActOnHazard(t.Context(), tenantIs("P1"), commands.ActOnHazard{Hazard: "HZ1", ID: "A", Action: "note", Note: "n"}); !errors.Is(err, hazard.ErrUnknown) {
		t.Errorf("a tenant about the block: got %v, want %v", err, hazard.ErrUnknown)
	}
	for _, photo := range []string{"theirs", "none"} {
		bad := act
		bad.Photos = []string{photo}
		if _, err := e.ActOnHazard(t.Context(), tenantIs("P1"), bad); !errors.Is(err, domain.ErrUnknownReference) {
			t.Errorf("the photo %s: got %v, want %v", photo, err, domain.ErrUnknownReference)
		}
	}
	e.mustHazard(t, tenantIs("P2"), commands.ActOnHazard{Hazard: "R1:hazard", ID: "A0", Action: "note", Note: "it grows"})
	e.mustHazard(t, tenantIs("P1"), act)
	may := []string{"evidence", "note"}
	for _, action := range hazard.Actions() {
		if slices.Contains(may, string(action)) {
			continue
		}
		_, err := e.ActOnHazard(t.Context(), tenantIs("P1"), commands.ActOnHazard{Hazard: "R1:hazard", ID: "B-" + string(action), Action: string(action)})
		if refusal, ok := errors.AsType[*commands.NotAllowedError](err); !ok || !slices.Equal(refusal.Allowed, may) {
			t.Errorf("a tenant, %s: got %v, want %v and %v", action, err, hazard.ErrNotAllowed, may)
		}
	}
	link := commands.ActOnHazard{Hazard: "R1:hazard", ID: "L1", Action: "link", Repair: "R-none"}
	if _, err := e.ActOnHazard(t.Context(), manager(), link); !errors.Is(err, domain.ErrUnknownReference) {
		t.Errorf("a repair that is not there: got %v, want %v", err, domain.ErrUnknownReference)
	}
}
