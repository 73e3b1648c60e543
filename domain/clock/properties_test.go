package clock_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// anyStart is a minute near a change of clocks, a long weekend or a plain day.
func anyStart(t *rapid.T) time.Time {
	near := rapid.SampledFrom([]string{"2026-03-27", "2026-10-23", "2026-12-23", "2027-12-23", "2026-04-01", "2026-06-10"}).Draw(t, "near")
	return date(near).Time().Add(time.Duration(rapid.IntRange(0, 6*24*60).Draw(t, "minute")) * time.Minute)
}

func anyPause(t *rapid.T, start time.Time, reasons ...string) clock.Pause {
	from := start.Add(time.Duration(rapid.IntRange(-600, 9*24*60).Draw(t, "from")) * time.Minute)
	return clock.Pause{
		Reason: rapid.SampledFrom(reasons).Draw(t, "reason"),
		From:   from, To: from.Add(time.Duration(rapid.IntRange(1, 4*24*60).Draw(t, "for")) * time.Minute),
	}
}

func anyPauses(t *rapid.T, start time.Time, reasons ...string) []clock.Pause {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) clock.Pause { return anyPause(t, start, reasons...) }), 0, 6).Draw(t, "pauses")
}

// anyRun is a clock of a few days that access and tenant stop, and parts do not.
func anyRun(t *rapid.T) clock.Run {
	start := anyStart(t)
	zone := rapid.SampledFrom([]string{"Europe/London", "Europe/Brussels", "America/New_York", "Asia/Kolkata"}).Draw(t, "zone")
	target := clock.Target{
		Clock: clock.Completion, Parameter: "p@2024-01-01", Zone: zone, Source: "s", PausedBy: []string{"access", "tenant"},
		Unit: rapid.SampledFrom([]clock.Unit{clock.Hours, clock.CalendarDays, clock.WorkingDays}).Draw(t, "unit"),
	}
	target.Amount = rapid.IntRange(1, 12).Draw(t, "amount")
	if target.Unit == clock.Hours {
		target.Amount *= 6
	}
	if target.Unit == clock.WorkingDays {
		law, err := clock.Default().Target("awaab.investigation", domain.DateOf(start), start, zone)
		if err != nil {
			t.Fatal(err)
		}
		target.Calendar, target.Holidays, target.HolidaysTo = law.Calendar, law.Holidays, law.HolidaysTo
	}
	return clock.Run{Target: target, StartedAt: start, Pauses: anyPauses(t, start, "access", "tenant", "parts")}
}

// oracle finds the due another way: hours by ticking off every minute, days by taking the days a
// pause blocks out of the calendar.
func oracle(run clock.Run) time.Time {
	zone, err := time.LoadLocation(run.Target.Zone)
	if err != nil {
		panic(err)
	}
	if run.Target.Unit == clock.Hours {
		return oracleOfHours(run)
	}
	blocked := map[string]bool{}
	for _, holiday := range run.Target.Holidays {
		blocked[holiday.String()] = true
	}
	for _, p := range run.Pauses {
		if p.Reason == "parts" {
			continue
		}
		last := p.To.In(zone).Format(time.DateOnly)
		for d := p.From.In(zone); d.Format(time.DateOnly) < last; d = nextNoon(d) {
			blocked[d.Format(time.DateOnly)] = true
		}
	}
	day := run.StartedAt.In(zone)
	for left := run.Target.Amount; left > 0; {
		day = nextNoon(day)
		weekend := run.Target.Unit == clock.WorkingDays && (day.Weekday() == time.Saturday || day.Weekday() == time.Sunday)
		if !weekend && !blocked[day.Format(time.DateOnly)] {
			left--
		}
	}
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone).Add(-time.Second)
}

func nextNoon(d time.Time) time.Time {
	return time.Date(d.Year(), d.Month(), d.Day()+1, 12, 0, 0, 0, d.Location())
}

func oracleOfHours(run clock.Run) time.Time {
	at := run.StartedAt
	for left := run.Target.Amount * 60; left > 0; at = at.Add(time.Minute) {
		stopped := false
		for _, p := range run.Pauses {
			stopped = stopped || p.Reason != "parts" && at.Unix() >= p.From.Unix() && at.Unix() < p.To.Unix()
		}
		if !stopped {
			left--
		}
	}
	return at
}

func TestRun_is_due_when_an_oracle_says(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		run := anyRun(t)
		want := oracle(run)
		due, settled := run.Due()
		if !due.Equal(want) || !settled {
			t.Fatalf("want %s, got %s, settled %t", want, due, settled)
		}
		if got := run.At(anyStart(t)); !got.DueAt.Equal(want) {
			t.Fatalf("At: want %s, got %s", want, got.DueAt)
		}
	})
}

func TestRun_with_a_pause_that_lasts_is_due_as_if_it_ended_now(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		run := anyRun(t)
		open := anyPause(t, run.StartedAt, "access", "tenant")
		now := open.To
		before := oracle(run)
		ended := run
		ended.Pauses = append(append([]clock.Pause{}, run.Pauses...), open)
		want := oracle(ended)
		open.To = time.Time{}
		run.Pauses = append(append([]clock.Pause{}, run.Pauses...), open)
		got := run.At(now)
		if !got.DueAt.Equal(want) {
			t.Fatalf("want %s, got %+v", want, got)
		}
		if got.Paused == got.Breached {
			t.Fatalf("a pause that lasts stops the clock, or came too late: %+v", got)
		}
		due, settled := run.Due()
		if !due.Equal(before) {
			t.Fatalf("Due: want %s, got %s", before, due)
		}
		if settled && !got.Breached || !settled && got.Breached {
			t.Fatalf("settled %t: %+v", settled, got)
		}
	})
}

func TestRun_is_not_changed_by_a_pause_that_does_not_count(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		run, now := anyRun(t), anyStart(t)
		more := run
		more.Pauses = append([]clock.Pause{anyPause(t, run.StartedAt, "parts", "weather", "")}, run.Pauses...)
		if diff := cmp.Diff(run.At(now), more.At(now)); diff != "" {
			t.Fatalf("(-without +with):\n%s", diff)
		}
	})
}

// Worked case T20: whatever happens to the order, the clock of the hazard goes on.
func TestAwaab_cannot_be_paused(t *testing.T) {
	t.Parallel()
	policy := clock.Default()
	rapid.Check(t, func(t *rapid.T) {
		start, now := anyStart(t), anyStart(t)
		name := rapid.SampledFrom([]string{
			"awaab.emergency", "awaab.investigation", "awaab.summary", "awaab.safety_work", "awaab.preventive_work", "awaab.preventive_work.latest",
		}).Draw(t, "name")
		target, err := policy.Target(name, domain.DateOf(start), start, "")
		if err != nil {
			t.Fatal(err)
		}
		run := clock.Run{Target: target, StartedAt: start}
		paused := run
		paused.Pauses = anyPauses(t, start, "access", "tenant", "parts", "")
		if diff := cmp.Diff(run.At(now), paused.At(now)); diff != "" {
			t.Fatalf("(-without +with):\n%s", diff)
		}
	})
}

func TestRun_is_never_due_earlier_for_a_pause(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		run := anyRun(t)
		before, _ := run.Due()
		extra := anyPause(t, run.StartedAt, "access")
		run.Pauses = append([]clock.Pause{extra}, run.Pauses...)
		after, _ := run.Due()
		if after.Before(before) {
			t.Fatalf("was due %s, with %+v %s", before, extra, after)
		}
		if extra.From.After(before) && !after.Equal(before) {
			t.Fatalf("a pause after the due %s moved it to %s", before, after)
		}
	})
}

func TestRun_is_breached_for_good_and_met_for_good(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		run := anyRun(t)
		if rapid.Bool().Draw(t, "open") && len(run.Pauses) > 0 {
			run.Pauses[0].To = time.Time{}
		}
		if rapid.Bool().Draw(t, "met") {
			run.MetAt = run.StartedAt.Add(time.Duration(rapid.IntRange(0, 20*24*60).Draw(t, "met at")) * time.Minute)
		}
		now := run.StartedAt
		var last clock.Reading
		for range rapid.IntRange(2, 8).Draw(t, "readings") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5*24*60).Draw(t, "later")) * time.Minute)
			got := run.At(now)
			met := !got.MetAt.IsZero()
			switch {
			case met && got.Breached != got.MetAt.After(got.DueAt), !met && got.Breached != now.After(got.DueAt):
				t.Fatalf("at %s: %+v", now, got)
			case met && got.Paused, got.Breached && got.Paused:
				t.Fatalf("at %s, decided and paused: %+v", now, got)
			case last.Breached && !got.Breached:
				t.Fatalf("no longer breached at %s: %+v, was %+v", now, got, last)
			case !last.MetAt.IsZero() && (!got.DueAt.Equal(last.DueAt) || got.Breached != last.Breached):
				t.Fatalf("met, and changed at %s: %+v, was %+v", now, got, last)
			}
			last = got
		}
	})
}

func TestRun_met_is_not_changed_by_what_happens_later(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		run := anyRun(t)
		run.MetAt = run.StartedAt.Add(time.Duration(rapid.IntRange(0, 20*24*60).Draw(t, "met at")) * time.Minute)
		now := run.MetAt.AddDate(0, 1, 0)
		late := anyPause(t, run.MetAt, "access", "tenant")
		late.From = late.From.Add(600 * time.Minute) // not before it was met
		more := run
		more.Pauses = append([]clock.Pause{late}, run.Pauses...)
		if diff := cmp.Diff(run.At(now), more.At(now)); diff != "" {
			t.Fatalf("(-without +with):\n%s", diff)
		}
	})
}
