package clock_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/clock"
)

func TestDefault_has_the_parameters_of_the_law_and_an_example_of_a_landlord(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, parameter := range clock.Default().Parameters() {
		for _, v := range parameter.Versions {
			got[parameter.Name] = strings.TrimSpace(fmt.Sprintf("%s %s; %s %s", v.From, v.Value, parameter.Clock, strings.Join(v.PausedBy, "+")))
		}
	}
	want := map[string]string{
		"priority.emergency":           "2024-01-01 24 hours; completion",
		"priority.emergency.make_safe": "2024-01-01 4 hours; make_safe",
		"priority.urgent":              "2024-01-01 7 calendar days; completion access+tenant",
		"priority.normal":              "2024-01-01 28 calendar days; completion access+tenant",
		"priority.planned":             "2024-01-01 90 calendar days; completion access+tenant",

		"right_to_repair.heating":              "1994-04-01 1 working day from 1 Nov to 30 Apr; 3 working days from 1 May to 31 Oct; right_to_repair access",
		"right_to_repair.value_limit":          "1994-04-01 250.00 GBP;",
		"right_to_repair.compensation.first":   "1994-04-01 10.00 GBP;",
		"right_to_repair.compensation.per_day": "1994-04-01 2.00 GBP;",
		"right_to_repair.compensation.most":    "1994-04-01 50.00 GBP;",
		"right_to_repair.tenancies":            "1994-04-01 secure, introductory, flexible;",
		"awaab.emergency":                      "2025-10-27 24 hours; emergency_make_safe",
		"awaab.investigation":                  "2025-10-27 10 working days; investigate",
		"awaab.summary":                        "2025-10-27 3 working days; summary",
		"awaab.safety_work":                    "2025-10-27 5 working days; safety_work",
		"awaab.preventive_work":                "2025-10-27 5 working days; preventive_work",
		"awaab.preventive_work.latest":         "2025-10-27 84 calendar days; preventive_work",
		"awaab.hazards":                        "2025-10-27 damp_mould;",
		"diary.hold":                           "2024-01-01 15;",
		"diary.reminder":                       "2024-01-01 24;",
		"spend.limit":                          "2024-01-01 500.00 GBP;",
		"recall.window":                        "2024-01-01 90;",
	}
	for item, n := range map[string]int{
		"total_loss_of_electric_power": 1, "unsafe_power_or_lighting_socket_or_electrical_fitting": 1, "total_loss_of_water_supply": 1,
		"total_or_partial_loss_of_gas_supply": 1, "blocked_flue_to_open_fire_or_boiler": 1,
		"blocked_or_leaking_foul_drain_soil_stack_or_toilet": 1, "toilet_not_flushing_only_toilet": 1,
		"leaking_from_water_or_heating_pipe_tank_or_cistern": 1, "insecure_external_window_door_or_lock": 1,
		"partial_loss_of_electric_power": 3, "partial_loss_of_water_supply": 3, "blocked_sink_bath_or_basin": 3,
		"tap_which_cannot_be_turned": 3, "loose_or_detached_banister_or_hand_rail": 3, "rotten_timber_flooring_or_stair_tread": 3,
		"leaking_roof": 7, "door_entryphone_not_working": 7, "mechanical_extractor_fan_not_working": 7,
	} {
		days := map[int]string{1: "1 working day", 3: "3 working days", 7: "7 working days"}[n]
		want["right_to_repair."+item] = "1994-04-01 " + days + "; right_to_repair access"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDefault_names_a_source_for_everything(t *testing.T) {
	t.Parallel()
	p := clock.Default()
	for _, parameter := range p.Parameters() {
		for _, v := range parameter.Versions {
			if v.Source == "" {
				t.Errorf("%s from %s has no source", parameter.Name, v.From)
			}
		}
	}
	for _, c := range p.Calendars() {
		if c.Source == "" || c.Zone == "" {
			t.Errorf("calendar %s: source %q, zone %q", c.Name, c.Source, c.Zone)
		}
		for _, y := range c.Years {
			if y.Source == "" {
				t.Errorf("calendar %s, %d has no source", c.Name, y.Year)
			}
		}
	}
	if p.Jurisdiction() != "england" {
		t.Errorf("jurisdiction: got %q", p.Jurisdiction())
	}
}

func TestPolicy_has_no_law_before_it_was_in_force(t *testing.T) {
	t.Parallel()
	p := clock.Default()
	start := local(t, "2026-03-02 09:00")
	for _, parameter := range p.Parameters() {
		if !strings.HasPrefix(parameter.Name, "awaab.") {
			continue
		}
		for law, want := range map[string]error{"2025-10-26": clock.ErrNotInForce, "2025-10-27": nil} {
			var err error
			if parameter.Clock == "" {
				_, _, err = p.Words(parameter.Name, date(law))
			} else {
				_, err = p.Target(parameter.Name, date(law), start, london)
			}
			if !errors.Is(err, want) {
				t.Errorf("%s on %s: want %v, got %v", parameter.Name, law, want, err)
			}
		}
	}
}

// policyOf is a policy of one calendar and the given parameters.
func policyOf(parameters string) string {
	return "jurisdiction: here\nparameters:\n" + parameters + `calendars:
  here:
    zone: Europe/London
    source: s
    years:
      - {year: 2026, source: s, days: [{date: 2026-05-04, name: n}]}
  there:
    zone: Europe/Brussels
    source: s
    years:
      - {year: 2026, source: s, days: [{date: 2026-05-05, name: n}]}
`
}

func parsed(t testing.TB, text string) *clock.Policy {
	t.Helper()
	p, err := clock.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicy_answers_as_the_law_stood(t *testing.T) {
	t.Parallel()
	p := parsed(t, policyOf(`  a:
    clock: completion
    versions:
      - {from: 2020-01-01, to: 2020-12-31, calendar_days: 1, source: s}
      - {from: 2022-01-01, calendar_days: 2, source: s}
      - {from: 2024-01-01, working_days: 3, calendar: there, source: s}
      - {from: 2025-01-01, to: 2025-12-31, working_days: 4, source: s}
`))
	start := local(t, "2026-05-01 09:00")
	for law, want := range map[string]string{
		"2019-12-31": "", "2020-01-01": "a@2020-01-01 1 calendar_days ", "2020-12-31": "a@2020-01-01 1 calendar_days ",
		"2021-06-01": "", "2022-01-01": "a@2022-01-01 2 calendar_days ", "2023-12-31": "a@2022-01-01 2 calendar_days ",
		"2024-06-01": "a@2024-01-01 3 working_days there", "2025-06-01": "a@2025-01-01 4 working_days here", "2026-01-01": "",
	} {
		target, err := p.Target("a", date(law), start, "")
		if want == "" {
			if !errors.Is(err, clock.ErrNotInForce) {
				t.Errorf("on %s: want %v, got %+v, %v", law, clock.ErrNotInForce, target, err)
			}
			continue
		}
		got := fmt.Sprintf("%s %d %s %s", target.Parameter, target.Amount, target.Unit, target.Calendar)
		if err != nil || got != want {
			t.Errorf("on %s: want %s, got %s, %v", law, want, got, err)
		}
	}
}

func TestPolicy_Target_takes_the_season_and_the_holidays_from_the_start_in_its_zone(t *testing.T) {
	t.Parallel()
	p := clock.Default()
	start := time.Date(2026, 4, 30, 22, 30, 0, 0, time.UTC) // the first of May in Brussels
	for zone, want := range map[string]int{london: 1, "": 1, "Europe/Brussels": 3} {
		target, err := p.Target("right_to_repair.heating", date("2026-04-30"), start, zone)
		if err != nil || target.Amount != want {
			t.Errorf("%q: want %d, got %+v, %v", zone, want, target, err)
		}
	}
	target, _ := p.Target("right_to_repair.heating", date("2026-04-30"), start, "")
	if target.Zone != london || target.HolidaysTo != date("2026-08-28") {
		t.Errorf("the zone of the jurisdiction and 120 days: got %+v", target)
	}
	if diff := cmp.Diff([]domain.Date{date("2026-05-04"), date("2026-05-25")}, target.Holidays); diff != "" {
		t.Errorf("holidays (-want +got):\n%s", diff)
	}
}

func TestPolicy_Target_knows_what_it_does_not_know(t *testing.T) {
	t.Parallel()
	p := clock.Default()
	for start, want := range map[string]struct {
		to       string
		holidays int
		computed bool
	}{
		"2023-12-01": {"2023-12-01", 0, false},
		"2028-08-01": {"2028-11-29", 1, false},
		"2028-12-01": {"2029-03-31", 4, true},
		"2030-12-01": {"2030-12-31", 2, true},
		"2031-02-01": {"2031-02-01", 0, false},
	} {
		at := local(t, start+" 12:00")
		got, err := p.Target("awaab.summary", date("2026-01-01"), at, london)
		if err != nil || got.HolidaysTo != date(want.to) || len(got.Holidays) != want.holidays || got.Computed != want.computed {
			t.Errorf("%s: want %+v, got %+v, %v", start, want, got, err)
		}
	}
}

func TestPolicy_refuses(t *testing.T) {
	t.Parallel()
	p, law, start := clock.Default(), date("2026-01-01"), local(t, "2026-01-01 12:00")
	for name, row := range map[string]struct {
		err  func() error
		want error
	}{
		"a duration that is not there":   {func() error { _, err := p.Target("nowhere", law, start, ""); return err }, clock.ErrNoParameter},
		"a number that is not there":     {func() error { _, _, err := p.Number("nowhere", law); return err }, clock.ErrNoParameter},
		"money that is not there":        {func() error { _, _, err := p.Money("", law); return err }, clock.ErrNoParameter},
		"words that are not there":       {func() error { _, _, err := p.Words("zzz", law); return err }, clock.ErrNoParameter},
		"a number as a duration":         {func() error { _, err := p.Target("diary.hold", law, start, ""); return err }, clock.ErrWrongKind},
		"a duration as a number":         {func() error { _, _, err := p.Number("priority.normal", law); return err }, clock.ErrWrongKind},
		"a number before its time":       {func() error { _, _, err := p.Number("diary.hold", date("2023-12-31")); return err }, clock.ErrNotInForce},
		"a compensation before its time": {func() error { _, err := p.Compensation(date("1994-03-31")); return err }, clock.ErrNotInForce},
		"an unknown zone":                {func() error { _, err := p.Target("priority.normal", law, start, "Europe/Atlantis"); return err }, clock.ErrZone},
		"the zone of the machine":        {func() error { _, err := p.Target("priority.normal", law, start, "Local"); return err }, clock.ErrZone},
	} {
		if err := row.err(); !errors.Is(err, row.want) {
			t.Errorf("%s: want %v, got %v", name, row.want, err)
		}
	}
}

func TestPolicy_gives_numbers_money_and_words_with_their_version(t *testing.T) {
	t.Parallel()
	p, law := clock.Default(), date("2026-01-01")
	if n, by, err := p.Number("diary.hold", law); n != 15 || by != "diary.hold@2024-01-01" || err != nil {
		t.Errorf("got %d, %q, %v", n, by, err)
	}
	if m, by, err := p.Money("spend.limit", law); m != (domain.Money{Minor: 50000, Currency: "GBP"}) || by != "spend.limit@2024-01-01" || err != nil {
		t.Errorf("got %+v, %q, %v", m, by, err)
	}
	list, by, err := p.Words("awaab.hazards", law)
	if !slices.Equal(list, []string{"damp_mould"}) || by != "awaab.hazards@2025-10-27" || err != nil {
		t.Errorf("got %v, %q, %v", list, by, err)
	}
}

func TestPolicy_cannot_be_changed_through_what_it_gives(t *testing.T) {
	t.Parallel()
	p, law, start := clock.Default(), date("2026-01-01"), local(t, "2026-01-01 12:00")
	for _, parameter := range p.Parameters() {
		for i := range parameter.Versions {
			for j := range parameter.Versions[i].PausedBy {
				parameter.Versions[i].PausedBy[j] = "changed"
			}
			parameter.Versions[i].Source = "changed"
		}
	}
	for _, c := range p.Calendars() {
		c.Years[0].Days[0].Name, c.Years[0].Source = "changed", "changed"
	}
	list, _, _ := p.Words("awaab.hazards", law)
	list[0] = "changed"
	target, _ := p.Target("priority.normal", law, start, "")
	target.PausedBy[0] = "changed"
	fresh := clock.Default()
	if diff := cmp.Diff(fresh.Calendars(), p.Calendars()); diff != "" {
		t.Errorf("calendars (-want +got):\n%s", diff)
	}
	if got := fmt.Sprint(p.Parameters()); got != fmt.Sprint(fresh.Parameters()) {
		t.Errorf("parameters: got %s", got)
	}
	clock.DefaultYAML()[0] = 'x'
	if !strings.HasPrefix(string(clock.DefaultYAML()), "# Policy") {
		t.Error("the shipped text was changed")
	}
}
