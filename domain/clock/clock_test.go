package clock_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/clock"
)

const london = "Europe/London"

// local is an instant on the clocks of London: "2026-04-03 16:00" or with seconds.
func local(t testing.TB, s string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation(london)
	if err != nil {
		t.Fatal(err)
	}
	if len(s) == len("2006-01-02 15:04") {
		s += ":00"
	}
	at, err := time.ParseInLocation(time.DateTime, s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

func date(s string) domain.Date {
	d, err := domain.ParseDate(s)
	if err != nil {
		panic(s)
	}
	return d
}

// started is a run of a shipped parameter, under the law of its first day.
func started(t testing.TB, name, start string, pauses ...clock.Pause) clock.Run {
	t.Helper()
	at := local(t, start)
	target, err := clock.Default().Target(name, domain.DateOf(at), at, london)
	if err != nil {
		t.Fatal(err)
	}
	return clock.Run{Target: target, StartedAt: at, Pauses: pauses}
}

func pause(t testing.TB, reason, from, to string) clock.Pause {
	t.Helper()
	p := clock.Pause{Reason: reason, From: local(t, from)}
	if to != "" {
		p.To = local(t, to)
	}
	return p
}

func TestRun_is_due(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, parameter, start, due string }{
		// Worked case T17: 3 April 2026 is Good Friday.
		{"24 hours through a weekend and a bank holiday", "awaab.emergency", "2026-04-03 16:00", "2026-04-04 16:00"},
		{"24 hours on any other Friday", "awaab.emergency", "2026-04-17 16:00", "2026-04-18 16:00"},
		{"24 hours when the clocks go forward end an hour later on the wall", "awaab.emergency", "2026-03-28 16:00", "2026-03-29 17:00"},
		{"24 hours when the clocks go back end an hour earlier on the wall", "awaab.emergency", "2026-10-24 16:00", "2026-10-25 15:00"},
		{"4 hours over the change of clocks", "priority.emergency.make_safe", "2026-03-29 00:30", "2026-03-29 05:30"},
		{"calendar days run until the end of the last day", "priority.normal", "2026-03-02 09:00", "2026-03-30 23:59:59"},
		{"the day of the start is not one of them, however early", "priority.urgent", "2026-01-05 00:00", "2026-01-12 23:59:59"},
		{"the day of the start is not one of them, however late", "priority.urgent", "2026-01-05 23:59:59", "2026-01-12 23:59:59"},
		{"which day it is depends on the zone: 23:30 UTC is the next day in summer", "priority.urgent", "2026-07-07 00:30", "2026-07-14 23:59:59"},
		{"calendar days count weekends and holidays", "priority.urgent", "2026-12-23 12:00", "2026-12-30 23:59:59"},
		{"10 working days from an ordinary Monday", "awaab.investigation", "2026-01-05 12:00", "2026-01-19 23:59:59"},
		{"a working day after a Friday is a Monday", "right_to_repair.blocked_flue_to_open_fire_or_boiler", "2026-01-09 12:00", "2026-01-12 23:59:59"},
		{"working days leave out both days of Christmas", "awaab.summary", "2026-12-24 12:00", "2026-12-31 23:59:59"},
		{"and their substitutes", "awaab.summary", "2027-12-24 12:00", "2027-12-31 23:59:59"},
		{"and the long weekend of Easter", "awaab.safety_work", "2026-04-02 12:00", "2026-04-13 23:59:59"},
		{"twelve weeks are 84 days", "awaab.preventive_work.latest", "2026-01-05 12:00", "2026-03-30 23:59:59"},
		{"heating on the last day of winter", "right_to_repair.heating", "2026-04-30 12:00", "2026-05-01 23:59:59"},
		{"heating on the first day of summer", "right_to_repair.heating", "2026-05-01 12:00", "2026-05-07 23:59:59"},
		{"heating on the last day of summer", "right_to_repair.heating", "2025-10-31 12:00", "2025-11-05 23:59:59"},
		{"heating on the first day of winter", "right_to_repair.heating", "2026-11-01 12:00", "2026-11-02 23:59:59"},
		{"heating in a leap year", "right_to_repair.heating", "2028-02-29 12:00", "2028-03-01 23:59:59"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			run := started(t, row.parameter, row.start)
			due, settled := run.Due()
			want := local(t, row.due)
			if !due.Equal(want) || !settled {
				t.Errorf("due: want %s, got %s, settled %t", want, due, settled)
			}
			if got := run.At(run.StartedAt); !got.DueAt.Equal(want) || got.DueAt.Location() != time.UTC {
				t.Errorf("read at the start: want %s, got %s", want, got.DueAt)
			}
		})
	}
}

func TestRun_and_its_pauses(t *testing.T) {
	t.Parallel()
	const normal = "priority.urgent" // 7 calendar days: from Mon 2 March, due on the 9th
	access := func(from, to string) clock.Pause { return pause(t, "access", from, to) }
	for _, row := range []struct {
		name   string
		pauses []clock.Pause
		due    string
	}{
		{"a day counts if the clock runs at its end", []clock.Pause{access("2026-03-04 08:00", "2026-03-04 18:00")}, "2026-03-09 23:59:59"},
		{"and does not if it is stopped at its end", []clock.Pause{access("2026-03-04 18:00", "2026-03-05 08:00")}, "2026-03-10 23:59:59"},
		{"a pause from the last second of a day takes the day", []clock.Pause{access("2026-03-04 23:59:59", "2026-03-05 00:00")}, "2026-03-10 23:59:59"},
		{"a pause until the last second of a day does not", []clock.Pause{access("2026-03-04 08:00", "2026-03-04 23:59:59")}, "2026-03-09 23:59:59"},
		{"pauses that overlap count once", []clock.Pause{
			access("2026-03-04 18:00", "2026-03-06 08:00"), pause(t, "tenant", "2026-03-05 18:00", "2026-03-07 08:00"),
			access("2026-03-04 19:00", "2026-03-05 08:00"),
		}, "2026-03-12 23:59:59"},
		{"a reason that the parameter does not name stops nothing", []clock.Pause{pause(t, "parts", "2026-03-03 18:00", "2026-03-20 08:00")}, "2026-03-09 23:59:59"},
		{"a pause that began before the clock counts from its start", []clock.Pause{access("2026-02-01 18:00", "2026-03-04 08:00")}, "2026-03-10 23:59:59"},
		{"a pause after the due changes nothing", []clock.Pause{access("2026-03-10 00:00", "2026-03-20 08:00")}, "2026-03-09 23:59:59"},
		{"a pause over nothing changes nothing", []clock.Pause{access("2026-03-05 00:00", "2026-03-04 08:00")}, "2026-03-09 23:59:59"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			due, settled := started(t, normal, "2026-03-02 09:00", row.pauses...).Due()
			if want := local(t, row.due); !due.Equal(want) || !settled {
				t.Errorf("want %s, got %s, settled %t", want, due, settled)
			}
		})
	}
}

func TestRun_of_hours_stops_where_it_is_paused(t *testing.T) {
	t.Parallel()
	run := started(t, "priority.emergency", "2026-03-02 09:00")
	run.Target.PausedBy = []string{"access"}
	for _, row := range []struct{ name, from, to, due string }{
		{"within", "2026-03-02 10:00", "2026-03-02 12:30", "2026-03-03 11:30"},
		{"from before the start", "2026-03-02 08:00", "2026-03-02 09:30", "2026-03-03 09:30"},
		{"until after the due", "2026-03-03 08:59:59", "2026-03-05 09:00", "2026-03-05 09:00:01"},
		{"from the very due", "2026-03-03 09:00", "2026-03-05 09:00", "2026-03-03 09:00"},
	} {
		run.Pauses = []clock.Pause{pause(t, "access", row.from, row.to)}
		if due, _ := run.Due(); !due.Equal(local(t, row.due)) {
			t.Errorf("%s: want %s, got %s", row.name, local(t, row.due), due)
		}
	}
}

func TestRun_that_is_paused_is_due_as_if_it_went_on_now(t *testing.T) {
	t.Parallel()
	run := started(t, "priority.urgent", "2026-03-02 09:00", pause(t, "access", "2026-03-04 18:00", ""))
	for _, row := range []struct {
		now, due string
		paused   bool
	}{
		{"2026-03-04 17:59", "2026-03-09 23:59:59", false},
		{"2026-03-04 18:00", "2026-03-09 23:59:59", true},
		{"2026-03-04 23:59:59", "2026-03-09 23:59:59", true},
		{"2026-03-05 00:00", "2026-03-10 23:59:59", true},
		{"2026-03-20 12:00", "2026-03-25 23:59:59", true},
	} {
		got := run.At(local(t, row.now))
		if !got.DueAt.Equal(local(t, row.due)) || got.Paused != row.paused || got.Breached {
			t.Errorf("at %s: want %s, paused %t, got %+v", row.now, row.due, row.paused, got)
		}
	}
	if due, settled := run.Due(); settled || !due.Equal(local(t, "2026-03-09 23:59:59")) {
		t.Errorf("due so far: got %s, settled %t", due, settled)
	}
	run.Pauses[0].From = local(t, "2026-03-10 00:00")
	if _, settled := run.Due(); !settled {
		t.Error("a pause that began after the due must not unsettle it")
	}
	if got := run.At(local(t, "2026-03-11 12:00")); !got.Breached || got.Paused {
		t.Errorf("a pause after the breach must not undo it: %+v", got)
	}
}

func TestRun_that_is_met_or_breached_stays_so(t *testing.T) {
	t.Parallel()
	due, after := "2026-03-09 23:59:59", local(t, "2026-06-01 12:00")
	for _, row := range []struct {
		name, met string
		pauses    []clock.Pause
		due       string
		breached  bool
	}{
		{"met in the last second", due, nil, due, false},
		{"met a second late", "2026-03-10 00:00", nil, due, true},
		{"never met", "", nil, due, true},
		{"met while paused, and the pause goes on", "2026-03-05 10:00", []clock.Pause{pause(t, "access", "2026-03-04 18:00", "")}, "2026-03-10 23:59:59", false},
		{"met while paused, and the pause ended later", "2026-03-05 10:00", []clock.Pause{pause(t, "access", "2026-03-04 18:00", "2026-03-20 10:00")}, "2026-03-10 23:59:59", false},
		{"met, then paused", "2026-03-05 10:00", []clock.Pause{pause(t, "access", "2026-03-06 18:00", "2026-03-20 10:00")}, due, false},
	} {
		run := started(t, "priority.urgent", "2026-03-02 09:00", row.pauses...)
		if row.met != "" {
			run.MetAt = local(t, row.met)
		}
		got := run.At(after)
		if !got.DueAt.Equal(local(t, row.due)) || got.Breached != row.breached || got.Paused || !got.MetAt.Equal(run.MetAt) {
			t.Errorf("%s: got %+v", row.name, got)
		}
		if row.met != "" {
			if d, settled := run.Due(); !settled || !d.Equal(got.DueAt) {
				t.Errorf("%s: Due says %s, settled %t; At says %s", row.name, d, settled, got.DueAt)
			}
			if early := run.At(run.MetAt.Add(-time.Second)); !early.MetAt.IsZero() {
				t.Errorf("%s: was met before it was: %+v", row.name, early)
			}
		}
	}
}

func TestRun_has_all_of_the_last_second(t *testing.T) {
	t.Parallel()
	run := started(t, "priority.urgent", "2026-03-02 09:00")
	due, _ := run.Due()
	if got := run.At(due.Add(time.Second - 1)); got.Breached {
		t.Errorf("breached within the last second: %+v", got)
	}
	if got := run.At(due.Add(time.Second)); !got.Breached {
		t.Errorf("not breached when the day is over: %+v", got)
	}
}

func TestRun_reads_whatever_was_stored(t *testing.T) {
	t.Parallel()
	start := local(t, "2026-03-02 09:00")
	now := start.Add(time.Hour)
	for name, row := range map[string]struct {
		run  clock.Run
		says string
	}{
		"no start":           {clock.Run{}, "Not started."},
		"zone unknown":       {clock.Run{StartedAt: start, Target: clock.Target{Zone: "Mars/Olympus", Amount: 1, Unit: clock.CalendarDays}}, `The zone "Mars/Olympus" is not known here; days are those of UTC.`},
		"zone of a machine":  {clock.Run{StartedAt: start, Target: clock.Target{Zone: "Local", Amount: 1, Unit: clock.CalendarDays}}, `The zone "Local" is not known`},
		"no zone":            {clock.Run{StartedAt: start, Target: clock.Target{Amount: 1, Unit: clock.Hours}}, `The zone "" is not known`},
		"unit unknown":       {clock.Run{StartedAt: start, Target: clock.Target{Zone: london, Amount: 1, Unit: "moons"}}, `The unit "moons" is not known; it counts calendar days.`},
		"amount too large":   {clock.Run{StartedAt: start, Target: clock.Target{Zone: london, Amount: 1 << 40, Unit: clock.Hours}}, "The amount 1099511627776 is out of bounds."},
		"amount below none":  {clock.Run{StartedAt: start, Target: clock.Target{Zone: london, Amount: -3, Unit: clock.WorkingDays}}, "The amount -3 is out of bounds."},
		"no holidays at all": {clock.Run{StartedAt: start, Target: clock.Target{Zone: london, Amount: 3, Unit: clock.WorkingDays}}, "No holidays were known; days count by their weekday."},
		"a pause of ages": {clock.Run{
			StartedAt: start, Pauses: []clock.Pause{{Reason: "a", From: start, To: start.AddDate(2000, 0, 0)}},
			Target: clock.Target{Zone: london, Amount: 3, Unit: clock.CalendarDays, PausedBy: []string{"a"}},
		}, "Counting stopped after 100000 days."},
	} {
		if got := row.run.At(now).Explanation; !strings.Contains(got, row.says) {
			t.Errorf("%s: %q does not say %q", name, got, row.says)
		}
		row.run.Due()
	}
	if due, settled := (clock.Run{}).Due(); settled || !due.IsZero() {
		t.Errorf("a clock that has not started: got %s, settled %t", due, settled)
	}
}

func TestRun_beyond_the_holidays_it_carries_counts_by_weekday_and_says_so(t *testing.T) {
	t.Parallel()
	run := started(t, "right_to_repair.leaking_roof", "2026-03-02 09:00", pause(t, "access", "2026-03-03 09:00", "2026-12-23 09:00"))
	got := run.At(run.StartedAt)
	// 23, 24, 25, 28, 29, 30 and 31 December: the holidays among them are past the horizon.
	if want := local(t, "2026-12-31 23:59:59"); !got.DueAt.Equal(want) {
		t.Errorf("want %s, got %s", want, got.DueAt)
	}
	if says := "Holidays after 30 Jun 2026 were not known; later days count by their weekday."; !strings.Contains(got.Explanation, says) {
		t.Errorf("%q does not say %q", got.Explanation, says)
	}
}

func TestTarget_is_stored_as_JSON(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"awaab.summary": `{"clock":"summary","parameter":"awaab.summary@2025-10-27","amount":3,"unit":"working_days",` +
			`"zone":"Europe/London","calendar":"england","holidays":["2026-12-25","2026-12-28","2027-01-01","2027-03-26","2027-03-29"],` +
			`"holidays_to":"2027-04-23","source":"Hazards in Social Housing (Prescribed Requirements) (England) Regulations 2025 (SI 2025/1042)"}`,
		"priority.urgent": `{"clock":"completion","parameter":"priority.urgent@2024-01-01","amount":7,"unit":"calendar_days",` +
			`"zone":"Europe/London","paused_by":["access","tenant"],` +
			`"source":"Landlord's own policy, to be replaced; after the repair standards published by Ealing Council"}`,
	} {
		target := started(t, name, "2026-12-24 12:00").Target
		data, err := json.Marshal(target)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(data)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, parameter := range clock.Default().Parameters() {
		if parameter.Clock == "" {
			continue
		}
		target := started(t, parameter.Name, "2028-12-24 12:00").Target
		data, _ := json.Marshal(target)
		var again clock.Target
		if err := json.Unmarshal(data, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(target, again); diff != "" {
			t.Errorf("%s (-stored +read):\n%s", parameter.Name, diff)
		}
	}
}

func ExampleRun_At() {
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	target, _ := clock.Default().Target("priority.normal", domain.DateOf(start), start, "Europe/London")
	run := clock.Run{Target: target, StartedAt: start, Pauses: []clock.Pause{{
		Reason: "access", From: start.AddDate(0, 0, 2), To: start.AddDate(0, 0, 5),
	}}}
	run.MetAt = start.AddDate(0, 1, 0)
	for _, sentence := range strings.SplitAfter(run.At(run.MetAt).Explanation, ". ") {
		fmt.Println(strings.TrimSpace(sentence))
	}
	// Output:
	// 28 calendar days (priority.normal@2024-01-01) from Mon 2 Mar 2026 09:00; day 1 is the day after.
	// 3 days did not count: waiting for access 4 to 6 Mar 2026.
	// Due Thu 2 Apr 2026 23:59 (Europe/London).
	// Met 13 hours 59 minutes before it was due.
	// Source: Landlord's own policy, to be replaced; after the repair standards published by Ealing Council.
}

func ExampleRun_At_holidays() {
	start := time.Date(2028, 12, 22, 12, 0, 0, 0, time.UTC)
	target, _ := clock.Default().Target("awaab.summary", domain.DateOf(start), start, "")
	run := clock.Run{Target: target, StartedAt: start}
	for _, sentence := range strings.SplitAfter(run.At(start.AddDate(0, 0, 8)).Explanation, ". ") {
		fmt.Println(strings.TrimSpace(sentence))
	}
	// Output:
	// 3 working days (awaab.summary@2025-10-27) from Fri 22 Dec 2028 12:00; day 1 is the day after.
	// Holidays of england within: Mon 25 Dec 2028, Tue 26 Dec 2028.
	// Due Fri 29 Dec 2028 23:59 (Europe/London).
	// Not yet proclaimed: some holidays up to 21 Apr 2029 were computed.
	// Breached by 12 hours 1 second.
	// Source: Hazards in Social Housing (Prescribed Requirements) (England) Regulations 2025 (SI 2025/1042).
}

func ExampleRun_At_hours() {
	start := time.Date(2026, 4, 3, 15, 0, 0, 0, time.UTC) // Good Friday
	target, _ := clock.Default().Target("awaab.emergency", domain.DateOf(start), start, "Europe/London")
	run := clock.Run{Target: target, StartedAt: start, MetAt: start.Add(26 * time.Hour)}
	for _, sentence := range strings.SplitAfter(run.At(run.MetAt).Explanation, ". ") {
		fmt.Println(strings.TrimSpace(sentence))
	}
	// Output:
	// 24 hours (awaab.emergency@2025-10-27) from Fri 3 Apr 2026 16:00, through nights, weekends and holidays.
	// Due Sat 4 Apr 2026 16:00 (Europe/London).
	// Met 2 hours late: breached.
	// Source: Hazards in Social Housing (Prescribed Requirements) (England) Regulations 2025 (SI 2025/1042).
}
