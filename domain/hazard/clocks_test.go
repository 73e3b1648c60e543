package hazard_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/hazard"
)

// The rules are those of domain.md R8.4 (SI 2025/1042); the worked cases are T17 and T20.

func wantClocks(t *testing.T, l *life, now string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, shown(l.hazard, now)); diff != "" {
		t.Errorf("clocks (-want +got):\n%s", diff)
	}
}

func TestEmergency_has_24_hours_through_weekends_and_bank_holidays(t *testing.T) { // T17
	t.Parallel()
	for aware, due := range map[string]string{
		"2026-11-20 16:00": "2026-11-21 16:00", // Friday to Saturday
		"2026-05-01 16:00": "2026-05-02 16:00", // Friday before the early May bank holiday
		"2026-05-03 16:00": "2026-05-04 16:00", // Sunday to the bank holiday itself
		"2026-12-24 16:00": "2026-12-25 16:00", // to Christmas Day
		"2026-04-02 23:30": "2026-04-03 23:30", // to Good Friday
		"2026-03-28 16:00": "2026-03-29 17:00", // the night has an hour less, the law no hour more
		"2026-10-24 16:00": "2026-10-25 15:00",
	} {
		l := recognised(t, recognition(hazard.Emergency, aware))
		wantClocks(t, l, aware, "emergency_make_safe "+aware+" due "+due+" met -")
	}
}

func TestSignificant_hazard_is_investigated_within_ten_working_days_of_awareness(t *testing.T) {
	t.Parallel()
	for aware, due := range map[string]string{
		"2026-11-20 16:00": "2026-12-04 23:59", // Friday: day 1 is Monday
		"2026-11-21 03:00": "2026-12-04 23:59", // Saturday: the same
		"2026-12-18 09:00": "2027-01-06 23:59", // over Christmas, Boxing Day's substitute and New Year
		"2026-03-27 09:00": "2026-04-14 23:59", // over Easter
	} {
		l := recognised(t, recognition(hazard.Significant, aware))
		wantClocks(t, l, aware, "investigate "+aware+" due "+due+" met -")
	}
}

func TestAwareness_counts_by_every_channel_alike(t *testing.T) {
	t.Parallel()
	for _, channel := range hazard.Channels() {
		r := recognition(hazard.Significant, "2026-11-20 16:00")
		r.Channel = channel
		l := recognised(t, r)
		wantClocks(t, l, "2026-11-20 16:00", "investigate 2026-11-20 16:00 due 2026-12-04 23:59 met -")
		if l.hazard.Channel != channel {
			t.Errorf("the channel is %s, want %s", l.hazard.Channel, channel)
		}
	}
}

// damp is a significant hazard that an investigation has found on Christmas Eve.
func damp(t testing.TB) *life {
	t.Helper()
	return recognised(t, recognition(hazard.Significant, "2026-12-18 09:00")).
		take(t, hazard.Investigate, "2026-12-24 10:00", finding(hazard.Significant))
}

func TestInvestigation_starts_summary_and_work_from_its_end(t *testing.T) {
	t.Parallel()
	wantClocks(t, damp(t), "2026-12-24 10:00",
		"investigate 2026-12-18 09:00 due 2027-01-06 23:59 met 2026-12-24 10:00",
		"summary 2026-12-24 10:00 due 2026-12-31 23:59 met -",
		"safety_work 2026-12-24 10:00 due 2027-01-05 23:59 met -",
		"preventive_work 2026-12-24 10:00 due 2027-01-05 23:59 met -",
	)
}

func TestInvestigation_that_finds_nothing_still_owes_the_summary(t *testing.T) {
	t.Parallel()
	l := recognised(t, recognition(hazard.Significant, "2026-11-20 16:00")).
		take(t, hazard.Investigate, "2026-12-07 09:00", finding(hazard.None))
	wantClocks(t, l, "2026-12-07 09:00",
		"investigate 2026-11-20 16:00 due 2026-12-04 23:59 met 2026-12-07 09:00 breached",
		"summary 2026-12-07 09:00 due 2026-12-10 23:59 met -",
	)
}

func TestSafety_work_is_met_when_complete_and_both_stamps_are_kept(t *testing.T) {
	t.Parallel()
	l := damp(t).take(t, hazard.BeginSafetyWork, "2027-01-04 09:00")
	if r := l.hazard.Readings(local("2027-01-04 09:00"))[2]; !r.MetAt.IsZero() {
		t.Error("beginning the work meets the clock")
	}
	l.take(t, hazard.MakeSafe, "2027-01-06 00:00")
	r := l.hazard.Readings(local("2027-01-06 00:00"))[2]
	if !r.MetAt.Equal(local("2027-01-06 00:00")) || !r.Breached {
		t.Errorf("completed a day late: %+v", r)
	}
	if !l.hazard.SafetyWorkBegunAt.Equal(local("2027-01-04 09:00")) || !l.hazard.MadeSafeAt.Equal(local("2027-01-06 00:00")) {
		t.Errorf("begun %v, safe %v", l.hazard.SafetyWorkBegunAt, l.hazard.MadeSafeAt)
	}
}

func TestTwelve_weeks_are_only_for_what_is_not_practicable(t *testing.T) {
	t.Parallel()
	l := damp(t)
	five := "preventive_work 2026-12-24 10:00 due 2027-01-05 23:59 met -"
	if got := shown(l.hazard, "2026-12-24 10:00")[3]; got != five {
		t.Errorf("as the rule: %s", got)
	}
	l.take(t, hazard.NotPracticable, "2027-01-04 10:00", reason("materials"))
	if got := shown(l.hazard, "2027-01-06 10:00")[3]; got != "preventive_work 2026-12-24 10:00 due 2027-03-18 23:59 met -" {
		t.Errorf("where it is not practicable: %s", got)
	}
	l.take(t, hazard.BeginPreventiveWork, "2027-03-18 12:00")
	if got := shown(l.hazard, "2027-03-18 12:00")[3]; got != "preventive_work 2026-12-24 10:00 due 2027-03-18 23:59 met 2027-03-18 12:00" {
		t.Errorf("begun on the last day: %s", got)
	}
}

func TestTwelve_weeks_are_never_taken_where_they_are_offered_for_five_days(t *testing.T) {
	t.Parallel()
	l := recognised(t, recognition(hazard.Significant, "2026-12-18 09:00"))
	a := l.act(hazard.Investigate, "2026-12-24 10:00", finding(hazard.Significant))
	latest, err := policy().Target("awaab.preventive_work.latest", 1_000_000, a.At, zone)
	if err != nil {
		t.Fatal(err)
	}
	a.Targets = []clock.Target{latest}
	facts, err := l.hazard.Take(a)
	if err != nil {
		t.Fatal(err)
	}
	if found, ok := facts[0].(hazard.Investigated); !ok || len(found.Targets) != 0 {
		t.Errorf("got %+v", facts)
	}
	for _, line := range append(shown(damp(t).hazard, "2027-04-01 09:00"), shown(recognised(t, recognition(hazard.Emergency, "2026-12-18 09:00")).hazard, "2027-04-01 09:00")...) {
		if strings.Contains(line, "due 2027-03") {
			t.Errorf("twelve weeks as the rule: %s", line)
		}
	}
}

func TestEmergency_made_safe_and_then_investigated(t *testing.T) {
	t.Parallel()
	l := recognised(t, recognition(hazard.Emergency, "2026-11-20 16:00")).
		take(t, hazard.MakeSafe, "2026-11-20 19:00").
		take(t, hazard.Investigate, "2026-11-21 10:00", finding(hazard.Emergency)).
		take(t, hazard.Summarise, "2026-11-25 10:00").
		take(t, hazard.BeginPreventiveWork, "2026-11-30 10:00").
		take(t, hazard.Complete, "2026-12-03 10:00").
		take(t, hazard.Close, "2026-12-04 10:00", reason("done"))
	wantClocks(t, l, "2026-12-04 10:00",
		"emergency_make_safe 2026-11-20 16:00 due 2026-11-21 16:00 met 2026-11-20 19:00",
		"summary 2026-11-21 10:00 due 2026-11-25 23:59 met 2026-11-25 10:00",
		"preventive_work 2026-11-21 10:00 due 2026-11-27 23:59 met 2026-11-30 10:00 breached",
	)
	if l.hazard.State != hazard.StateClosed || l.hazard.ClosedFor != "done" {
		t.Errorf("got %s, %s", l.hazard.State, l.hazard.ClosedFor)
	}
}

func TestEmergency_ends_where_an_investigation_finds_none(t *testing.T) {
	t.Parallel()
	for found, want := range map[hazard.Grade][]string{
		hazard.Significant: {
			"emergency_make_safe 2026-11-20 16:00 due 2026-11-21 16:00 met 2026-11-21 17:00 breached",
			"summary 2026-11-21 17:00 due 2026-11-25 23:59 met -",
			"safety_work 2026-11-21 17:00 due 2026-11-27 23:59 met -",
			"preventive_work 2026-11-21 17:00 due 2026-11-27 23:59 met -",
		},
		hazard.None: {
			"emergency_make_safe 2026-11-20 16:00 due 2026-11-21 16:00 met 2026-11-21 17:00 breached",
			"summary 2026-11-21 17:00 due 2026-11-25 23:59 met -",
		},
		hazard.Emergency: {
			"emergency_make_safe 2026-11-20 16:00 due 2026-11-21 16:00 met - breached",
			"summary 2026-11-21 17:00 due 2026-11-25 23:59 met -",
			"preventive_work 2026-11-21 17:00 due 2026-11-27 23:59 met -",
		},
	} {
		l := recognised(t, recognition(hazard.Emergency, "2026-11-20 16:00")).take(t, hazard.Investigate, "2026-11-21 17:00", finding(found))
		wantClocks(t, l, "2026-11-21 17:00", want...)
	}
}

func TestSafety_work_done_before_the_investigation_ends_is_met_as_it_starts(t *testing.T) {
	t.Parallel()
	l := recognised(t, recognition(hazard.Significant, "2026-11-20 16:00")).
		take(t, hazard.MakeSafe, "2026-11-21 09:00").
		take(t, hazard.Investigate, "2026-11-23 10:00", finding(hazard.Significant))
	if got := shown(l.hazard, "2026-11-23 10:00")[2]; got != "safety_work 2026-11-23 10:00 due 2026-11-30 23:59 met 2026-11-23 10:00" {
		t.Error(got)
	}
	l.take(t, hazard.Investigate, "2026-11-24 10:00", finding(hazard.Significant))
	if got := shown(l.hazard, "2026-11-24 10:00")[4]; got != "safety_work 2026-11-24 10:00 due 2026-12-01 23:59 met -" || l.hazard.Safe {
		t.Errorf("another investigation that finds a hazard: %s", got)
	}
}

func TestInvestigating_again_gains_no_time(t *testing.T) {
	t.Parallel()
	l := damp(t)
	before := shown(l.hazard, "2026-12-30 10:00")
	l.take(t, hazard.Investigate, "2026-12-30 10:00", finding(hazard.Significant))
	if diff := cmp.Diff(before, shown(l.hazard, "2026-12-30 10:00")); diff != "" {
		t.Errorf("clocks that ran have moved (-before +after):\n%s", diff)
	}
	if fact, ok := l.history[2].(hazard.Investigated); !ok || !fact.Renewed || len(fact.Targets) != 0 {
		t.Errorf("got %+v", l.history[2])
	}
	l.take(t, hazard.Summarise, "2026-12-31 10:00").take(t, hazard.Investigate, "2027-01-04 10:00", finding(hazard.None))
	wantClocks(t, l, "2027-01-04 10:00",
		"investigate 2026-12-18 09:00 due 2027-01-06 23:59 met 2026-12-24 10:00",
		"summary 2026-12-24 10:00 due 2026-12-31 23:59 met 2026-12-31 10:00",
		"safety_work 2026-12-24 10:00 due 2027-01-05 23:59 met 2027-01-04 10:00",
		"preventive_work 2026-12-24 10:00 due 2027-01-05 23:59 met 2027-01-04 10:00",
		"summary 2027-01-04 10:00 due 2027-01-07 23:59 met -",
	)
}

func TestTargets_looked_up_before_somebody_else_was_faster_still_start_every_clock(t *testing.T) {
	t.Parallel()
	l := damp(t)
	slow := l.act(hazard.Investigate, "2026-12-30 10:00", finding(hazard.Significant))
	slow.ID = "slow"
	l.take(t, hazard.Summarise, "2026-12-29 10:00").take(t, hazard.MakeSafe, "2026-12-29 11:00")
	facts, err := l.hazard.Take(slow)
	if err != nil {
		t.Fatal(err)
	}
	l.record(facts...)
	if got := shown(l.hazard, "2026-12-30 10:00"); len(got) != 6 || got[4] != "summary 2026-12-30 10:00 due 2027-01-05 23:59 met -" ||
		got[5] != "safety_work 2026-12-30 10:00 due 2027-01-07 23:59 met -" {
		t.Errorf("got %v", got)
	}
}

func TestRegrading_to_an_emergency_runs_from_when_that_was_known(t *testing.T) {
	t.Parallel()
	l := damp(t).take(t, hazard.Regrade, "2026-12-26 23:00", grade(hazard.Emergency), reason("ceiling_down"))
	if got := shown(l.hazard, "2026-12-26 23:00")[4]; got != "emergency_make_safe 2026-12-26 23:00 due 2026-12-27 23:00 met -" {
		t.Error(got)
	}
	if l.hazard.State != hazard.StateRecognised || l.hazard.Grade != hazard.Emergency {
		t.Errorf("got %s, %s", l.hazard.State, l.hazard.Grade)
	}
	// Every older duty can still be met.
	l.take(t, hazard.Summarise, "2026-12-28 10:00").take(t, hazard.BeginPreventiveWork, "2026-12-28 11:00").take(t, hazard.MakeSafe, "2026-12-28 12:00")
	for _, r := range l.hazard.Readings(local("2026-12-28 12:00")) {
		if r.MetAt.IsZero() {
			t.Errorf("%s is not met", r.Clock)
		}
	}
}

func TestRegrading_to_less_meets_nothing_and_gains_no_time(t *testing.T) {
	t.Parallel()
	l := recognised(t, recognition(hazard.Emergency, "2026-11-20 16:00")).
		take(t, hazard.Regrade, "2026-11-25 10:00", grade(hazard.Significant), reason("triage"))
	wantClocks(t, l, "2026-11-25 10:00",
		"emergency_make_safe 2026-11-20 16:00 due 2026-11-21 16:00 met - breached",
		"investigate 2026-11-20 16:00 due 2026-12-04 23:59 met -",
	)
	l = damp(t).take(t, hazard.Regrade, "2026-12-26 10:00", grade(hazard.Emergency), reason("a")).
		take(t, hazard.Regrade, "2026-12-27 10:00", grade(hazard.Significant), reason("b"))
	if got := shown(l.hazard, "2026-12-27 10:00")[5]; got != "investigate 2026-12-27 10:00 due 2027-01-12 23:59 met -" {
		t.Errorf("investigated before: %s", got)
	}
}

func TestReopening_makes_the_landlord_aware_again(t *testing.T) {
	t.Parallel()
	l := damp(t).take(t, hazard.Summarise, "2026-12-29 10:00").take(t, hazard.Complete, "2026-12-30 10:00").
		take(t, hazard.Close, "2026-12-31 10:00", reason("done")).take(t, hazard.Reopen, "2027-02-01 10:00", reason("mould_back"))
	if got := shown(l.hazard, "2027-02-01 10:00"); len(got) != 5 || got[4] != "investigate 2027-02-01 10:00 due 2027-02-15 23:59 met -" {
		t.Errorf("got %v", got)
	}
	if l.hazard.State != hazard.StateRecognised || l.hazard.Safe || l.hazard.ClosedFor != "" {
		t.Errorf("got %+v", l.hazard)
	}
}

func TestNothing_of_a_repair_stops_a_clock(t *testing.T) { // T20
	t.Parallel()
	for _, e := range hazard.Events() {
		if !strings.HasPrefix(e.EventType(), "hazard.") {
			t.Errorf("%s is on the stream of a hazard", e.EventType())
		}
	}
	l := recognised(t, recognition(hazard.Significant, "2026-11-20 16:00"))
	before := l.hazard.Clocks
	l.take(t, hazard.Link, "2026-11-21 10:00", repair("R2")).
		take(t, hazard.RefusedAccess, "2026-11-22 10:00", note("called three times, card left")).
		take(t, hazard.Unlink, "2026-11-23 10:00", repair("R1"), reason("order_closed_no_access")).
		take(t, hazard.OfferAccommodation, "2026-11-23 11:00", accepted(false)).
		take(t, hazard.AddEvidence, "2026-11-21 10:00", photos("P1")).
		take(t, hazard.AddNote, "2026-11-21 11:00", note("x"), role(hazard.Tenant)).
		take(t, hazard.BeginSafetyWork, "2026-11-24 11:00")
	if diff := cmp.Diff(before, l.hazard.Clocks); diff != "" {
		t.Errorf("a clock has moved:\n%s", diff)
	}
	if r := l.hazard.Readings(local("2026-12-05 00:00"))[0]; !r.Breached || r.Paused {
		t.Errorf("got %+v", r)
	}
	if !slices.Equal(l.hazard.Repairs, []domain.ID{"R2"}) {
		t.Errorf("linked are %v", l.hazard.Repairs)
	}
}

func TestNothing_pauses_a_clock(t *testing.T) {
	t.Parallel()
	l := damp(t)
	for _, run := range l.hazard.Clocks {
		if len(run.Target.PausedBy) > 0 || len(run.Pauses) > 0 {
			t.Errorf("%s can be paused", run.Target.Clock)
		}
	}
}

func TestLaw_before_27_October_2025_has_no_clocks(t *testing.T) {
	t.Parallel()
	for _, g := range hazard.Grades() {
		l := recognised(t, recognition(g, "2025-10-26 23:59"))
		l.take(t, hazard.Investigate, "2025-11-03 10:00", finding(hazard.Significant)).
			take(t, hazard.NotPracticable, "2025-11-03 11:00", reason("materials"))
		if got := shown(l.hazard, "2026-11-03 10:00"); len(got) != 0 {
			t.Errorf("%s: %v", g, got)
		}
		if got := shown(recognised(t, recognition(g, "2025-10-27 00:00")).hazard, "2025-10-27 00:00"); len(got) != 1 {
			t.Errorf("%s the day after: %v", g, got)
		}
		l.take(t, hazard.Complete, "2025-12-01 10:00").take(t, hazard.Reopen, "2025-12-02 10:00", reason("back"))
		if got := shown(l.hazard, "2025-12-02 10:00"); len(got) != 1 {
			t.Errorf("%s is back under the law: %v", g, got)
		}
		l.take(t, hazard.Investigate, "2025-12-03 10:00", finding(hazard.Emergency))
		if !slices.ContainsFunc(shown(l.hazard, "2025-12-03 10:00"), func(line string) bool {
			return line == "summary 2025-12-03 10:00 due 2025-12-08 23:59 met -"
		}) {
			t.Errorf("%s is investigated under the law: %v", g, shown(l.hazard, "2025-12-03 10:00"))
		}
	}
}

func TestLaw_covers_emergencies_of_any_kind_and_significant_ones_that_it_lists(t *testing.T) {
	t.Parallel()
	of := func(g hazard.Grade, found hazard.Grade) []string {
		r := recognition(g, "2026-11-20 16:00")
		r.Kind = "fire"
		r.Targets = targets(r.Duties())
		var names []string
		for _, reading := range recognised(t, r).take(t, hazard.Investigate, "2026-11-20 17:00", finding(found)).hazard.Readings(r.Now) {
			names = append(names, reading.Clock)
		}
		return names
	}
	for _, row := range []struct {
		grade, finding hazard.Grade
		want           []string
	}{
		{hazard.Significant, hazard.Significant, nil},
		{hazard.Significant, hazard.None, nil},
		{hazard.Significant, hazard.Emergency, []string{"emergency_make_safe", "summary", "preventive_work"}},
		{hazard.Emergency, hazard.Significant, []string{"emergency_make_safe", "summary"}},
		{hazard.Emergency, hazard.None, []string{"emergency_make_safe", "summary"}},
	} {
		if diff := cmp.Diff(row.want, of(row.grade, row.finding)); diff != "" {
			t.Errorf("%s found to be %s:\n%s", row.grade, row.finding, diff)
		}
	}
}

func TestTargets_say_what_is_wrong_with_a_policy_or_a_zone(t *testing.T) {
	t.Parallel()
	duties := recognition(hazard.Significant, "2026-11-20 16:00").Duties()
	if _, err := hazard.Targets(policy(), duties, "Mars/Olympus"); !errors.Is(err, clock.ErrZone) {
		t.Errorf("zone: %v", err)
	}
	home, err := hazard.Targets(policy(), duties, "")
	if err != nil || len(home) != 1 || home[0].Zone != zone {
		t.Errorf("that of the jurisdiction: %v, %v", home, err)
	}
	duties[0].Parameter = "awaab.other"
	if _, err := hazard.Targets(policy(), duties, zone); !errors.Is(err, clock.ErrNoParameter) {
		t.Errorf("parameter: %v", err)
	}
}

func TestHazard_kept_as_JSON_goes_on_as_it_was(t *testing.T) {
	t.Parallel()
	l := damp(t)
	data, err := json.Marshal(l.hazard)
	var kept hazard.Hazard
	if err != nil || json.Unmarshal(data, &kept) != nil {
		t.Fatal(err)
	}
	l.take(t, hazard.MakeSafe, "2026-12-30 10:00")
	kept = kept.Apply(l.history[len(l.history)-1])
	if diff := cmp.Diff(shown(l.hazard, "2027-01-06 10:00"), shown(kept, "2027-01-06 10:00")); diff != "" {
		t.Error(diff)
	}
	if kept.State != hazard.StateSafe || kept.Property != "H1" || !kept.AwareAt.Equal(l.hazard.AwareAt) {
		t.Errorf("got %+v", kept)
	}
}
