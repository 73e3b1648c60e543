package clock_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// easter is Easter Sunday by Gauss's rule, for the years 1900 to 2099.
func easter(year int) domain.Date {
	d := (19*(year%19) + 24) % 30
	e := (2*(year%4) + 4*(year%7) + 6*d + 5) % 7
	if d == 29 && e == 6 || d == 28 && e == 6 && year%19 > 10 {
		e -= 7
	}
	return domain.NewDate(year, time.March, 22+d+e)
}

func TestEaster_of_the_tests_is_right(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"2024-03-31", "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2029-04-01", "2030-04-21"} {
		d := date(want)
		if year, _, _ := d.Date(); easter(year) != d || d.Weekday() != time.Sunday {
			t.Errorf("want %s, got %s", d, easter(year))
		}
	}
}

// mondayFrom is the first Monday from a day on.
func mondayFrom(d domain.Date) domain.Date {
	for d.Weekday() != time.Monday {
		d++
	}
	return d
}

// britain moves what falls at a weekend to the next weekdays that are free.
func britain(fixed []domain.Date, moving ...domain.Date) []domain.Date {
	taken := slices.Clone(moving)
	var homeless []domain.Date
	for _, d := range fixed {
		if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
			homeless = append(homeless, d)
		} else {
			taken = append(taken, d)
		}
	}
	for _, d := range homeless {
		for w := d.Weekday(); w == time.Saturday || w == time.Sunday || slices.Contains(taken, d); w = d.Weekday() {
			d++
		}
		taken = append(taken, d)
	}
	slices.Sort(taken)
	return taken
}

func englandAndWales(year int) []domain.Date {
	return britain(
		[]domain.Date{domain.NewDate(year, 1, 1), domain.NewDate(year, 12, 25), domain.NewDate(year, 12, 26)},
		easter(year)-2, easter(year)+1, mondayFrom(domain.NewDate(year, 5, 1)), mondayFrom(domain.NewDate(year, 5, 25)),
		mondayFrom(domain.NewDate(year, 8, 25)))
}

func scotland(year int) []domain.Date {
	moving := []domain.Date{
		easter(year) - 2, mondayFrom(domain.NewDate(year, 5, 1)), mondayFrom(domain.NewDate(year, 5, 25)), mondayFrom(domain.NewDate(year, 8, 1)),
	}
	if year == 2026 { // the men's World Cup, by Royal Proclamation
		moving = append(moving, domain.NewDate(2026, 6, 15))
	}
	return britain([]domain.Date{
		domain.NewDate(year, 1, 1), domain.NewDate(year, 1, 2), domain.NewDate(year, 11, 30),
		domain.NewDate(year, 12, 25), domain.NewDate(year, 12, 26),
	}, moving...)
}

func belgium(year int) []domain.Date {
	days := []domain.Date{easter(year) + 1, easter(year) + 39, easter(year) + 50}
	for _, monthDay := range []string{"01-01", "05-01", "07-21", "08-15", "11-01", "11-11", "12-25"} {
		days = append(days, date(fmt.Sprintf("%d-%s", year, monthDay)))
	}
	slices.Sort(days)
	return days
}

func TestCalendars_are_what_the_rules_of_each_country_give(t *testing.T) {
	t.Parallel()
	rules := map[string]func(int) []domain.Date{"england": englandAndWales, "wales": englandAndWales, "scotland": scotland, "belgium": belgium}
	calendars := clock.Default().Calendars()
	if len(calendars) != len(rules) {
		t.Errorf("want %d calendars, got %d", len(rules), len(calendars))
	}
	for _, c := range calendars {
		if len(c.Years) != 7 || c.Years[0].Year != 2024 {
			t.Errorf("%s: want 2024 to 2030, got %d years", c.Name, len(c.Years))
		}
		for _, y := range c.Years {
			var got []domain.Date
			for _, h := range y.Days {
				got = append(got, h.Date)
			}
			if diff := cmp.Diff(rules[c.Name](y.Year), got); diff != "" {
				t.Errorf("%s %d (-want +got):\n%s", c.Name, y.Year, diff)
			}
			// The Belgian days follow from the law itself; the British ones need a proclamation.
			if want := y.Year > 2028 && c.Name != "belgium"; y.Computed != want {
				t.Errorf("%s %d: computed %t", c.Name, y.Year, y.Computed)
			}
		}
	}
}

// A few years as they were printed, so that the rules above are not all there is.
func TestCalendars_are_as_published(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		calendar string
		year     int
		want     []string
	}{
		{"england", 2026, []string{"2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31", "2026-12-25", "2026-12-28"}},
		{"england", 2027, []string{"2027-01-01", "2027-03-26", "2027-03-29", "2027-05-03", "2027-05-31", "2027-08-30", "2027-12-27", "2027-12-28"}},
		{"scotland", 2024, []string{"2024-01-01", "2024-01-02", "2024-03-29", "2024-05-06", "2024-05-27", "2024-08-05", "2024-12-02", "2024-12-25", "2024-12-26"}},
		{"scotland", 2026, []string{"2026-01-01", "2026-01-02", "2026-04-03", "2026-05-04", "2026-05-25", "2026-06-15", "2026-08-03", "2026-11-30", "2026-12-25", "2026-12-28"}},
		{"belgium", 2026, []string{"2026-01-01", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-25", "2026-07-21", "2026-08-15", "2026-11-01", "2026-11-11", "2026-12-25"}},
	} {
		c, ok := clock.Default().Calendar(row.calendar)
		if !ok {
			t.Fatalf("no calendar %s", row.calendar)
		}
		var got []string
		for _, h := range c.Years[row.year-2024].Days {
			got = append(got, h.Date.String())
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s %d (-want +got):\n%s", row.calendar, row.year, diff)
		}
	}
	if _, ok := clock.Default().Calendar("atlantis"); ok {
		t.Error("there is no calendar of Atlantis")
	}
}
