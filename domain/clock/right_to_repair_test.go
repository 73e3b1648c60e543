package clock_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/clock"
)

func TestRightToRepair_owes_once_both_periods_are_missed(t *testing.T) {
	t.Parallel()
	compensation, err := clock.Default().Compensation(date("2026-03-02"))
	if err != nil {
		t.Fatal(err)
	}
	// A tap has 3 working days: from Mon 2 March until the 5th; a second contractor from Mon 9 March
	// until the 12th.
	const tap = "right_to_repair.tap_which_cannot_be_turned"
	for _, row := range []struct {
		name, second, met, now string
		noAccess               bool
		days                   int
		owed                   string
	}{
		{"nothing while the first period runs", "", "", "2026-03-05 23:59:59", false, 0, "0.00"},
		{"nothing for the first period alone", "", "", "2026-03-30 12:00", false, 0, "0.00"},
		{"nothing while the second period runs", "2026-03-09 09:00", "", "2026-03-12 23:59:59", false, 0, "0.00"},
		{"nothing when the second contractor is in time", "2026-03-09 09:00", "2026-03-12 17:00", "2026-04-12 12:00", false, 0, "0.00"},
		{"ten pounds and two for the first day", "2026-03-09 09:00", "", "2026-03-13 00:00", false, 1, "12.00"},
		{"and two for each day after", "2026-03-09 09:00", "2026-03-16 09:00", "2026-04-12 12:00", false, 4, "18.00"},
		{"on the twentieth day the most is reached", "2026-03-09 09:00", "", "2026-04-01 12:00", false, 20, "50.00"},
		{"and never passed", "2026-03-09 09:00", "", "2027-04-01 12:00", false, 385, "50.00"},
		{"nothing without access", "2026-03-09 09:00", "", "2026-04-01 12:00", true, 20, "0.00"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			repair := clock.RightToRepair{First: started(t, tap, "2026-03-02 09:00"), Compensation: compensation, NoAccess: row.noAccess}
			if row.second != "" {
				at := local(t, row.second)
				repair.Second = clock.Run{Target: clock.Default().Again(repair.First.Target, at), StartedAt: at}
			}
			if row.met != "" {
				repair.First.MetAt, repair.Second.MetAt = local(t, row.met), local(t, row.met)
			}
			got := repair.At(local(t, row.now))
			if got.Compensation.String() != row.owed || got.Compensation.Currency != "GBP" || got.DaysLate != row.days || got.Explanation == "" {
				t.Errorf("want %s for %d days, got %+v", row.owed, row.days, got)
			}
		})
	}
}

func TestRightToRepair_owes_nothing_when_the_first_period_was_kept(t *testing.T) {
	t.Parallel()
	compensation, _ := clock.Default().Compensation(date("2026-03-02"))
	const tap = "right_to_repair.tap_which_cannot_be_turned"
	repair := clock.RightToRepair{First: started(t, tap, "2026-03-02 09:00"), Second: started(t, tap, "2026-03-03 09:00"), Compensation: compensation}
	repair.First.MetAt = local(t, "2026-03-04 09:00")
	if got := repair.At(local(t, "2026-06-01 09:00")); got.Compensation.Minor != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestPolicy_Again_gives_the_second_contractor_the_period_of_the_first(t *testing.T) {
	t.Parallel()
	policy := clock.Default()
	first := started(t, "right_to_repair.heating", "2026-04-28 09:00").Target
	start := local(t, "2026-05-01 09:00") // summer, in which the period would be 3 days
	second := policy.Again(first, start)
	if second.Amount != 1 || second.Parameter != first.Parameter || second.HolidaysTo != date("2026-08-29") {
		t.Errorf("got %+v", second)
	}
	due, _ := clock.Run{Target: second, StartedAt: start}.Due()
	if want := local(t, "2026-05-05 23:59:59"); !due.Equal(want) { // the 4th is a bank holiday
		t.Errorf("want %s, got %s", want, due)
	}
	hours := started(t, "awaab.emergency", "2026-04-28 09:00").Target
	if diff := cmp.Diff(hours, policy.Again(hours, start)); diff != "" {
		t.Errorf("a target without holidays (-want +got):\n%s", diff)
	}
}

func TestCompensation_is_bounded(t *testing.T) {
	t.Parallel()
	gbp := func(minor int64) domain.Money { return domain.Money{Minor: minor, Currency: "GBP"} }
	c := clock.Compensation{First: gbp(1000), PerDay: gbp(domain.MinorMax), Most: gbp(domain.MinorMax)}
	for days, want := range map[int]int64{-1: 0, 0: 0, 1: domain.MinorMax, 1 << 40: domain.MinorMax} {
		if got := c.For(days); got != gbp(want) {
			t.Errorf("%d days: want %d, got %+v", days, want, got)
		}
	}
	data, _ := json.Marshal(clock.Compensation{First: gbp(1000), PerDay: gbp(200), Most: gbp(5000), Parameters: []string{"p@2024-01-01"}})
	want := `{"first":{"amount":"10.00","currency":"GBP"},"per_day":{"amount":"2.00","currency":"GBP"},` +
		`"most":{"amount":"50.00","currency":"GBP"},"parameters":["p@2024-01-01"]}`
	if string(data) != want {
		t.Errorf("want %s, got %s", want, data)
	}
}

func ExampleRightToRepair_At() {
	policy, law := clock.Default(), domain.NewDate(2026, time.March, 2)
	run := func(start time.Time) clock.Run {
		target, _ := policy.Target("right_to_repair.tap_which_cannot_be_turned", law, start, "")
		return clock.Run{Target: target, StartedAt: start}
	}
	compensation, _ := policy.Compensation(law)
	first := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	repair := clock.RightToRepair{First: run(first), Second: run(first.AddDate(0, 0, 7)), Compensation: compensation}
	got := repair.At(first.AddDate(0, 0, 14))
	fmt.Println(got.Compensation, got.Compensation.Currency)
	fmt.Println(got.Explanation)
	// Output:
	// 18.00 GBP
	// Both periods are missed, the second by 4 days: 10.00 GBP and 2.00 for each of the days, at most 50.00, is 18.00 (right_to_repair.compensation.first@1994-04-01, right_to_repair.compensation.per_day@1994-04-01, right_to_repair.compensation.most@1994-04-01).
}
