package domain_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rentbook/domain"
)

// lastDay is 31 December 9999, the last day that YYYY-MM-DD can write.
const lastDay = 3_652_059

func TestDate_agrees_with_the_calendar_of_package_time(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := domain.Date(rapid.Int32Range(1, lastDay).Draw(t, "day"))
		want := time.Date(1, time.January, int(d), 0, 0, 0, 0, time.UTC)
		if got := d.Time(); !got.Equal(want) {
			t.Fatalf("Time: want %v, got %v", want, got)
		}
		if got := d.String(); got != want.Format(time.DateOnly) {
			t.Fatalf("String: want %v, got %v", want, got)
		}
		if got := d.Weekday(); got != want.Weekday() {
			t.Fatalf("Weekday of %v: want %v, got %v", want, want.Weekday(), got)
		}
		year, month, day := d.Date()
		if back := domain.NewDate(year, month, day); back != d {
			t.Fatalf("NewDate(%d, %d, %d): want %v, got %v", year, month, day, d, back)
		}
		if parsed, err := domain.ParseDate(d.String()); err != nil || parsed != d {
			t.Fatalf("ParseDate(%q): want %v, got %v, %v", d.String(), d, parsed, err)
		}
	})
}

func TestDate_counts_days_and_months_beyond_their_range_on(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want domain.Date }{
		{domain.NewDate(2023, time.February, 29), domain.NewDate(2023, time.March, 1)},
		{domain.NewDate(2024, time.March, 0), domain.NewDate(2024, time.February, 29)},
		{domain.NewDate(2024, 13, 1), domain.NewDate(2025, time.January, 1)},
	} {
		if c.got != c.want {
			t.Errorf("want %v, got %v", c.want, c.got)
		}
	}
}

func TestDateOf_is_the_day_in_the_location_of_the_time(t *testing.T) {
	t.Parallel()
	late := time.Date(2024, time.March, 31, 23, 30, 0, 0, time.UTC)
	for zone, want := range map[int]string{0: "2024-03-31", 3600: "2024-04-01", -3600: "2024-03-31", 14 * 3600: "2024-04-01"} {
		if got := domain.DateOf(late.In(time.FixedZone("", zone))).String(); got != want {
			t.Errorf("%d seconds east: want %s, got %s", zone, want, got)
		}
	}
}

func TestParseDate_refuses_what_is_not_a_day_written_as_YYYY_MM_DD(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", " ", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "2024-1-1", "24-01-01",
		"01/02/2024", "2024-01-01T00:00:00Z", " 2024-01-01", "2024-01-01 ", "+2024-01-01", "-2024-01-01",
		"0000-01-01", "0000-12-31", "10000-01-01", "2024.01.01", "20240101", "２０２４-01-01", "2024-01-01\x00", "today",
	} {
		if got, err := domain.ParseDate(s); !errors.Is(err, domain.ErrDate) || got != 0 {
			t.Errorf("ParseDate(%q): want %v, got %v, %v", s, domain.ErrDate, got, err)
		}
	}
}

func TestDate_in_JSON_is_a_string_and_no_date_is_left_out_or_empty(t *testing.T) {
	t.Parallel()
	type dates struct {
		From domain.Date `json:"from"`
		To   domain.Date `json:"to,omitzero"`
	}
	for want, value := range map[string]dates{
		`{"from":"2024-02-29","to":"2025-01-01"}`: {domain.NewDate(2024, 2, 29), domain.NewDate(2025, 1, 1)},
		`{"from":""}`: {},
	} {
		if data, err := json.Marshal(value); err != nil || string(data) != want {
			t.Errorf("want %s, got %s, %v", want, data, err)
		}
		var back dates
		if err := json.Unmarshal([]byte(want), &back); err != nil || back != value {
			t.Errorf("back from %s: want %v, got %v, %v", want, value, back, err)
		}
	}
	var d dates
	if err := json.Unmarshal([]byte(`{"from":"2024-02-30"}`), &d); !errors.Is(err, domain.ErrDate) {
		t.Errorf("want %v, got %v", domain.ErrDate, err)
	}
}

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"2024-02-29", "2024-02-30", "", "0001-01-01", "9999-12-31", "2024-1-01", "x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := domain.ParseDate(s)
		switch {
		case err != nil && (!errors.Is(err, domain.ErrDate) || d != 0):
			t.Errorf("ParseDate(%q) = %v, %v", s, d, err)
		case err == nil && (d.String() != s || d < 1 || d > lastDay):
			t.Errorf("ParseDate(%q) reads as %v", s, d)
		}
	})
}
