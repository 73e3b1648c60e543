package rent_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/domaintest"
	"rentbook/domain/rent"
)

// calendars has one rent-free calendar, "free", of these days.
func calendars(days ...string) map[domain.ID]rent.Calendar {
	var free []domain.Date
	for _, d := range days {
		free = append(free, date(d))
	}
	return map[domain.ID]rent.Calendar{
		"free": {Version: uint64(len(free)), Free: func(d domain.Date) bool { return slices.Contains(free, d) }},
	}
}

// line says what a run raised: its id, its last day, its sign and amount and, where it is not the first
// day, its value date.
func line(fact rent.Event) string {
	e := rent.Entries(fact)[0]
	sign := "+"
	if !e.Kind.Debit() {
		sign = "-"
	}
	text := fmt.Sprintf("%s to %s %s%s", e.ID, e.PeriodTo, sign, e.Amount)
	if e.ValueDate != e.PeriodFrom {
		text += " on " + e.ValueDate.String()
	}
	return text
}

// story is the life of an account, told in facts and in charge runs between them.
type story struct {
	account rent.Account
	lines   []string
	facts   []rent.Event
	free    map[domain.ID]rent.Calendar
}

func tell(steps ...any) (s story, err error) {
	s.free = calendars()
	for _, step := range steps {
		switch step := step.(type) {
		case rent.Event:
			s.account = s.account.Apply(step)
		case map[domain.ID]rent.Calendar:
			s.free = step
		case string: // a run through that day
			facts, err := s.account.Charge(rent.Run{Through: date(step), Calendars: s.free})
			if err != nil {
				return s, err
			}
			for _, fact := range facts {
				s.account = s.account.Apply(fact)
				s.lines = append(s.lines, line(fact))
				s.facts = append(s.facts, fact)
			}
		}
	}
	return s, nil
}

// from is the opening of an account in pounds.
func from(day string) rent.Event {
	return rent.AccountOpened{StartsOn: date(day), Currency: "GBP"}
}

// lasting gives the account of a tenancy other days.
func lasting(first, last string) rent.Event {
	e := rent.DatesChanged{StartsOn: date(first)}
	if last != "" {
		e.EndsOn = date(last)
	}
	return e
}

// term is a rent from a day on.
func term(id, amount string, period rent.Period, day string, changes ...func(*rent.TermSet)) rent.TermSet {
	e := termSet(changes...)
	e.Term, e.Amount, e.Period, e.From = domain.ID(id), pounds(amount), period, date(day)
	return e
}

func arrears(e *rent.TermSet)    { e.Due = rent.InArrears }
func yearlyDays(e *rent.TermSet) { e.Proration = rent.YearlyDays }
func rentFree(e *rent.TermSet)   { e.RentFreeCalendar = "free" }

func on(day rent.ChargeDay) func(*rent.TermSet) {
	return func(e *rent.TermSet) { e.ChargeDay = day }
}

func anchored(day string) func(*rent.TermSet) {
	return func(e *rent.TermSet) { e.AnchoredOn = date(day) }
}

func until(day string) func(*rent.TermSet) {
	return func(e *rent.TermSet) { e.To = date(day) }
}

func coded(code rent.Code) func(*rent.TermSet) {
	return func(e *rent.TermSet) { e.Code = code }
}

type chapter struct {
	name  string
	steps []any
	want  []string
}

func check(t *testing.T, chapters ...chapter) {
	t.Helper()
	for _, c := range chapters {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := tell(c.steps...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, s.lines); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			through, _ := c.steps[len(c.steps)-1].(string)
			again, err := s.account.Charge(rent.Run{Through: date(through), Calendars: s.free})
			if err != nil || len(again) > 0 {
				t.Errorf("another run raises %v, %v", again, err)
			}
		})
	}
}

func TestAccount_Charge_by_period(t *testing.T) {
	t.Parallel()
	check(t,
		chapter{"a week starts on Monday unless told otherwise", []any{
			from("2024-01-01"), term("R", "100", rent.Weekly, "2024-01-01"), "2024-01-15",
		}, []string{"rent:2024-01-01 to 2024-01-07 +100.00", "rent:2024-01-08 to 2024-01-14 +100.00", "rent:2024-01-15 to 2024-01-21 +100.00"}},
		chapter{"a first week is charged for the days that it has", []any{
			from("2024-01-01"), term("R", "100", rent.Weekly, "2024-01-01", on("wednesday")), "2024-01-03",
		}, []string{"rent:2024-01-01 to 2024-01-02 +28.57", "rent:2024-01-03 to 2024-01-09 +100.00"}},
		chapter{"a fortnight is counted from the first charge day on or after its anchor", []any{
			from("2024-01-01"), term("R", "100", rent.Fortnightly, "2024-01-01", anchored("2024-01-02")), "2024-01-22",
		}, []string{"rent:2024-01-01 to 2024-01-07 +50.00", "rent:2024-01-08 to 2024-01-21 +100.00", "rent:2024-01-22 to 2024-02-04 +100.00"}},
		chapter{"a fortnight may have its anchor years before", []any{
			from("2024-01-01"), term("R", "100", rent.Fortnightly, "2024-01-01", anchored("2019-12-30")), "2024-01-21",
		}, []string{"rent:2024-01-01 to 2024-01-07 +50.00", "rent:2024-01-08 to 2024-01-21 +100.00"}},
		chapter{"a fortnight may have its anchor years later", []any{
			from("2024-01-01"), term("R", "100", rent.Fortnightly, "2024-01-01", anchored("2027-12-27")), "2024-01-21",
		}, []string{"rent:2024-01-01 to 2024-01-14 +100.00", "rent:2024-01-15 to 2024-01-28 +100.00"}},
		chapter{"four weeks without an anchor are counted from the term's first day", []any{
			from("2024-01-03"), term("R", "100", rent.FourWeekly, "2024-01-03"), "2024-03-03",
		}, []string{"rent:2024-01-03 to 2024-01-07 +17.86", "rent:2024-01-08 to 2024-02-04 +100.00", "rent:2024-02-05 to 2024-03-03 +100.00"}},
		chapter{"a month without its charge day uses its last day", []any{
			from("2024-01-31"), term("R", "100", rent.Monthly, "2024-01-31", on("31")), "2024-04-30",
		}, []string{
			"rent:2024-01-31 to 2024-02-28 +100.00", "rent:2024-02-29 to 2024-03-30 +100.00",
			"rent:2024-03-31 to 2024-04-29 +100.00", "rent:2024-04-30 to 2024-05-30 +100.00",
		}},
		chapter{"a quarter is counted from the first charge day on or after its anchor", []any{
			from("2024-01-01"), term("R", "100", rent.Quarterly, "2024-01-01", anchored("2023-11-15")), "2024-03-01",
		}, []string{"rent:2024-01-01 to 2024-02-29 +65.93", "rent:2024-03-01 to 2024-05-31 +100.00"}},
		chapter{"a quarter anchored on its charge day starts there", []any{
			from("2024-01-01"), term("R", "100", rent.Quarterly, "2024-01-01", on("15"), anchored("2024-11-15")), "2024-02-15",
		}, []string{"rent:2024-01-01 to 2024-02-14 +48.91", "rent:2024-02-15 to 2024-05-14 +100.00"}},
		chapter{"a year may have its anchor later", []any{
			from("2024-01-01"), term("R", "366", rent.Yearly, "2024-01-01", anchored("2025-04-01")), "2024-04-01",
		}, []string{"rent:2024-01-01 to 2024-03-31 +91.00", "rent:2024-04-01 to 2025-03-31 +366.00"}},
		chapter{"a year from 29 February starts on the last day of February", []any{
			from("2024-02-29"), term("R", "365", rent.Yearly, "2024-02-29", on("29")), "2026-02-28",
		}, []string{"rent:2024-02-29 to 2025-02-27 +365.00", "rent:2025-02-28 to 2026-02-27 +365.00", "rent:2026-02-28 to 2027-02-27 +365.00"}},
	)
}

func TestAccount_Charge_starts_weeks_on_any_weekday(t *testing.T) {
	t.Parallel()
	for i, day := range []rent.ChargeDay{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		s, err := tell(from("2024-01-01"), term("R", "70", rent.Weekly, "2024-01-01", on(day)), "2024-01-07")
		want := []string{"rent:2024-01-01 to 2024-01-07 +70.00"}
		if i > 0 {
			first := date("2024-01-01") + domain.Date(i)
			want = []string{
				fmt.Sprintf("rent:2024-01-01 to %s +%d0.00", first-1, i),
				fmt.Sprintf("rent:%s to %s +70.00", first, first+6),
			}
		}
		if diff := cmp.Diff(want, s.lines); diff != "" || err != nil {
			t.Errorf("%s (-want +got): %v\n%s", day, err, diff)
		}
	}
}

func TestAccount_Charge_anchors(t *testing.T) {
	t.Parallel()
	check(t,
		chapter{"a term inherits the anchor of the one with the next earlier from", []any{
			from("2024-01-08"),
			term("A", "100", rent.Fortnightly, "2024-01-08", anchored("2024-01-08")), term("B", "110", rent.Fortnightly, "2024-02-12"),
			"2024-02-19",
		}, []string{
			"rent:2024-01-08 to 2024-01-21 +100.00", "rent:2024-01-22 to 2024-02-04 +100.00",
			"rent:2024-02-05 to 2024-02-11 +50.00", "rent:2024-02-12 to 2024-02-18 +55.00", "rent:2024-02-19 to 2024-03-03 +110.00",
		}},
		chapter{"an anchor is inherited through terms that have none", []any{
			from("2024-02-19"), term("C", "120", rent.Fortnightly, "2024-02-19"),
			term("B", "110", rent.Fortnightly, "2024-02-12"), term("A", "100", rent.Fortnightly, "2024-01-08", anchored("2024-01-01")),
			"2024-02-26",
		}, []string{"rent:2024-02-19 to 2024-02-25 +60.00", "rent:2024-02-26 to 2024-03-10 +120.00"}},
		chapter{"an anchor is not inherited from a term of another code or of the same from", []any{
			from("2024-02-12"), term("A", "100", rent.Fortnightly, "2024-01-08", coded("service"), until("2024-01-08")),
			term("B", "110", rent.Fortnightly, "2024-02-12", anchored("2024-02-19"), until("2024-02-11")), term("C", "120", rent.Fortnightly, "2024-02-12"),
			"2024-02-12",
		}, []string{"rent:2024-02-12 to 2024-02-25 +120.00"}},
		chapter{"an inherited anchor follows when it is changed", []any{
			from("2024-02-12"),
			term("A", "100", rent.Fortnightly, "2024-01-08", anchored("2024-01-08")), term("B", "110", rent.Fortnightly, "2024-02-12"),
			term("A", "100", rent.Fortnightly, "2024-01-08", anchored("2024-01-15")), "2024-02-12",
		}, []string{"rent:2024-02-12 to 2024-02-25 +110.00"}},
	)
}

func TestAccount_Charge_due(t *testing.T) {
	t.Parallel()
	check(t,
		chapter{"in arrears, a charge counts on its last day", []any{
			from("2024-01-03"), term("R", "100", rent.Weekly, "2024-01-03", arrears), "2024-01-13", "2024-01-14",
		}, []string{"rent:2024-01-03 to 2024-01-07 +71.43 on 2024-01-07", "rent:2024-01-08 to 2024-01-14 +100.00 on 2024-01-14"}},
		chapter{"in arrears, a last part counts on the last day of the tenancy", []any{
			from("2024-01-08"), lasting("2024-01-08", "2024-01-10"), term("R", "70", rent.Weekly, "2024-01-03", arrears), "2024-01-10",
		}, []string{"rent:2024-01-08 to 2024-01-10 +30.00 on 2024-01-10"}},
		chapter{"in arrears and in advance come out by value date", []any{
			from("2024-01-01"), term("S", "7", rent.Weekly, "2024-01-01", arrears, coded("a")),
			term("R", "70", rent.Weekly, "2024-01-01"), "2024-01-08",
		}, []string{"rent:2024-01-01 to 2024-01-07 +70.00", "a:2024-01-01 to 2024-01-07 +7.00 on 2024-01-07", "rent:2024-01-08 to 2024-01-14 +70.00"}},
	)
}

func TestAccount_Charge_prorates(t *testing.T) {
	t.Parallel()
	alone := func(name, amount string, period rent.Period, first, last, want string) chapter {
		return chapter{name, []any{from(first), lasting(first, last), term("R", amount, period, first, yearlyDays), last}, []string{
			"rent:" + first + " to " + last + " +" + want,
		}}
	}
	check(t,
		alone("yearly_days: 12 months of 365 days", "500", rent.Monthly, "2023-02-15", "2023-02-28", "230.14"),
		alone("yearly_days: 366 when the period holds a 29 February", "500", rent.Monthly, "2024-02-15", "2024-02-29", "245.90"),
		alone("yearly_days: 366 even when the days do not hold it", "500", rent.Monthly, "2024-02-01", "2024-02-14", "229.51"),
		alone("yearly_days: 365 in another period of a leap year", "500", rent.Monthly, "2024-01-15", "2024-01-31", "279.45"),
		alone("yearly_days: 52 weeks", "100", rent.Weekly, "2024-01-03", "2024-01-07", "71.23"),
		alone("yearly_days: 26 fortnights", "100", rent.Fortnightly, "2024-01-03", "2024-01-07", "35.62"),
		alone("yearly_days: 13 times four weeks", "100", rent.FourWeekly, "2024-01-03", "2024-01-07", "17.81"),
		alone("yearly_days: four quarters", "100", rent.Quarterly, "2024-01-01", "2024-01-05", "5.46"),
		alone("yearly_days: a year of 366 days", "366", rent.Yearly, "2023-04-01", "2023-04-05", "5.00"),
		alone("yearly_days: a whole period is the whole amount", "100", rent.Weekly, "2024-01-01", "2024-01-07", "100.00"),
		chapter{"yearly_days: a month split in two does not add up", []any{
			from("2023-01-01"), term("A", "500", rent.Monthly, "2023-01-01", yearlyDays), term("B", "500", rent.Monthly, "2023-01-11", yearlyDays), "2023-01-31",
		}, []string{"rent:2023-01-01 to 2023-01-10 +164.38", "rent:2023-01-11 to 2023-01-31 +345.21"}},
		chapter{"period_days: three parts of a week of 100 add up to 100", []any{
			from("2024-01-01"), term("A", "100", rent.Weekly, "2024-01-01"), term("B", "100", rent.Weekly, "2024-01-02"),
			term("C", "100", rent.Weekly, "2024-01-05"), "2024-01-07",
		}, []string{"rent:2024-01-01 to 2024-01-01 +14.29", "rent:2024-01-02 to 2024-01-04 +42.85", "rent:2024-01-05 to 2024-01-07 +42.86"}},
	)
}

func TestAccount_Charge_rent_free(t *testing.T) {
	t.Parallel()
	check(t,
		chapter{"a period that starts on a rent-free day is not charged", []any{
			calendars("2024-01-08"), from("2024-01-01"), term("R", "100", rent.Weekly, "2024-01-01", rentFree), "2024-01-15",
		}, []string{"rent:2024-01-01 to 2024-01-07 +100.00", "rent:2024-01-15 to 2024-01-21 +100.00"}},
		chapter{"nor is any part of it", []any{
			calendars("2024-01-08"), from("2024-01-10"), term("A", "100", rent.Weekly, "2024-01-01", rentFree),
			term("B", "100", rent.Weekly, "2024-01-12", rentFree), "2024-01-15",
		}, []string{"rent:2024-01-15 to 2024-01-21 +100.00"}},
		chapter{"a rent-free day inside a period changes nothing", []any{
			calendars("2024-01-02", "2024-01-07"), from("2024-01-02"), term("R", "70", rent.Weekly, "2024-01-01", rentFree), "2024-01-07",
		}, []string{"rent:2024-01-02 to 2024-01-07 +60.00"}},
		chapter{"a term that names no calendar is always charged", []any{
			calendars("2024-01-01"), from("2024-01-01"), term("R", "70", rent.Weekly, "2024-01-01"), "2024-01-01",
		}, []string{"rent:2024-01-01 to 2024-01-07 +70.00"}},
		chapter{"a week that becomes rent-free afterwards is given back, and taken again", []any{
			from("2024-01-01"), term("R", "100", rent.Weekly, "2024-01-01", rentFree), "2024-01-08",
			calendars("2024-01-08"), "2024-01-14", calendars(), "2024-01-14",
		}, []string{
			"rent:2024-01-01 to 2024-01-07 +100.00", "rent:2024-01-08 to 2024-01-14 +100.00",
			"rent:2024-01-08:r1 to 2024-01-14 -100.00", "rent:2024-01-08:r2 to 2024-01-14 +100.00",
		}},
		chapter{"a week that is no longer rent-free is charged late", []any{
			calendars("2024-01-01"), from("2024-01-01"), term("R", "100", rent.Weekly, "2024-01-01", rentFree), "2024-01-08", calendars(), "2024-01-08",
		}, []string{"rent:2024-01-08 to 2024-01-14 +100.00", "rent:2024-01-01 to 2024-01-07 +100.00"}},
	)
}

func TestAccount_Charge_terms_in_force(t *testing.T) {
	t.Parallel()
	check(t,
		chapter{"T11: terms that meet on a Wednesday give two parts", []any{
			from("2024-01-08"), term("A", "100", rent.Weekly, "2024-01-08", until("2024-01-09")), term("B", "110", rent.Weekly, "2024-01-10"), "2024-01-14",
		}, []string{"rent:2024-01-08 to 2024-01-09 +28.57", "rent:2024-01-10 to 2024-01-14 +78.57"}},
		chapter{"the term with the latest from is in force, and the earlier one again after it", []any{
			from("2024-01-01"), term("B", "200", rent.Weekly, "2024-01-08", until("2024-01-14")), term("A", "100", rent.Weekly, "2024-01-01"), "2024-01-15",
		}, []string{"rent:2024-01-01 to 2024-01-07 +100.00", "rent:2024-01-08 to 2024-01-14 +200.00", "rent:2024-01-15 to 2024-01-21 +100.00"}},
		chapter{"of two terms with the same from, the one recorded later is in force", []any{
			from("2024-01-01"), term("A", "100", rent.Weekly, "2024-01-01"), term("B", "200", rent.Weekly, "2024-01-01"), "2024-01-01",
		}, []string{"rent:2024-01-01 to 2024-01-07 +200.00"}},
		chapter{"of two terms with the same from, the one changed later is in force", []any{
			from("2024-01-01"), term("A", "100", rent.Weekly, "2024-01-01"), term("B", "200", rent.Weekly, "2024-01-01"),
			term("A", "100", rent.Weekly, "2024-01-01"), "2024-01-01",
		}, []string{"rent:2024-01-01 to 2024-01-07 +100.00"}},
		chapter{"codes do not get into each other's way", []any{
			from("2024-01-01"), term("A", "100", rent.Weekly, "2024-01-01"), term("B", "7", rent.Weekly, "2024-01-01", coded("service")), "2024-01-01",
		}, []string{"rent:2024-01-01 to 2024-01-07 +100.00", "service:2024-01-01 to 2024-01-07 +7.00"}},
		chapter{"days without a term are not charged", []any{
			from("2024-01-01"), term("A", "70", rent.Weekly, "2024-01-01", until("2024-01-02")), term("B", "70", rent.Weekly, "2024-01-04"), "2024-01-07",
		}, []string{"rent:2024-01-01 to 2024-01-02 +20.00", "rent:2024-01-04 to 2024-01-07 +40.00"}},
		chapter{"an amount of nought raises nothing, and hides the term below it", []any{
			from("2024-01-01"), term("A", "70", rent.Weekly, "2024-01-01"), term("B", "0", rent.Weekly, "2024-01-08", until("2024-01-14")), "2024-01-15",
		}, []string{"rent:2024-01-01 to 2024-01-07 +70.00", "rent:2024-01-15 to 2024-01-21 +70.00"}},
		chapter{"a part that rounds to nought raises nothing", []any{
			from("2024-01-01"), lasting("2024-01-01", "2024-01-01"), term("A", "0.01", rent.Weekly, "2024-01-01"), "2024-01-15",
		}, nil},
		chapter{"no day outside the tenancy is charged", []any{
			from("2024-01-03"), lasting("2024-01-03", "2024-01-09"), term("A", "70", rent.Weekly, "2020-01-01"), "2024-12-31",
		}, []string{"rent:2024-01-03 to 2024-01-07 +50.00", "rent:2024-01-08 to 2024-01-09 +20.00"}},
		chapter{"a term that ends before the tenancy starts charges nothing", []any{
			from("2024-01-03"), term("A", "70", rent.Weekly, "2020-01-01", until("2024-01-02")), "2024-12-31",
		}, nil},
	)
}

func TestAccount_Charge_corrects(t *testing.T) {
	t.Parallel()
	week := []any{from("2024-01-01"), term("A", "100", rent.Weekly, "2024-01-01"), "2024-01-08"}
	two := []string{"rent:2024-01-01 to 2024-01-07 +100.00", "rent:2024-01-08 to 2024-01-14 +100.00"}
	check(t,
		chapter{"more for days that were charged", append(week[:3:3], term("B", "110", rent.Weekly, "2024-01-08"), "2024-01-15"), append(two[:2:2],
			"rent:2024-01-08:r1 to 2024-01-14 +10.00", "rent:2024-01-15 to 2024-01-21 +110.00")},
		chapter{"less for days that were charged, and again", append(week[:3:3],
			term("B", "90", rent.Weekly, "2024-01-08"), "2024-01-08", term("B", "85.5", rent.Weekly, "2024-01-08"), "2024-01-08"), append(two[:2:2],
			"rent:2024-01-08:r1 to 2024-01-14 -10.00", "rent:2024-01-08:r2 to 2024-01-14 -4.50")},
		chapter{"the part of a charge that changed", append(week[:3:3], term("B", "170", rent.Weekly, "2024-01-04"), "2024-01-08"), append(two[:2:2],
			// 100*3/7 = 42.857 and 170 - 170*3/7 = 97.143
			"rent:2024-01-01:r1 to 2024-01-07 +40.00", "rent:2024-01-08:r1 to 2024-01-14 +70.00")},
		chapter{"what was raised when a term is changed to nought", append(week[:3:3], term("A", "0", rent.Weekly, "2024-01-01"), "2024-01-15"), append(two[:2:2],
			"rent:2024-01-01:r1 to 2024-01-07 -100.00", "rent:2024-01-08:r1 to 2024-01-14 -100.00")},
		chapter{"what was raised when no term covers the days any more", append(week[:3:3], term("A", "100", rent.Weekly, "2024-01-08"), "2024-01-08"), append(two[:2:2],
			"rent:2024-01-01:r1 to 2024-01-07 -100.00")},
		chapter{"days charged by the week from a term by the month", append(week[:3:3], term("A", "310", rent.Monthly, "2024-01-01"), "2024-01-15"), append(two[:2:2],
			"rent:2024-01-01:r1 to 2024-01-07 -30.00", "rent:2024-01-08:r1 to 2024-01-14 -30.00", "rent:2024-01-15 to 2024-01-31 +170.00")},
		chapter{"only charges whose value date the run reaches", append(week[:3:3], term("A", "90", rent.Weekly, "2024-01-01"), "2024-01-07", "2024-01-08"), append(two[:2:2],
			"rent:2024-01-01:r1 to 2024-01-07 -10.00", "rent:2024-01-08:r1 to 2024-01-14 -10.00")},
		chapter{"at the value date of the charge, in arrears too", []any{
			from("2024-01-01"), term("A", "100", rent.Weekly, "2024-01-01", arrears), "2024-01-07", term("A", "90", rent.Weekly, "2024-01-01"), "2024-01-07",
		}, []string{"rent:2024-01-01 to 2024-01-07 +100.00 on 2024-01-07", "rent:2024-01-01:r1 to 2024-01-07 -10.00 on 2024-01-07"}},
		chapter{"what an end of the tenancy leaves out, and no later day is charged", append(week[:3:3], lasting("2024-01-01", "2024-01-03"), "2024-03-01"), append(two[:2:2],
			"rent:2024-01-01:r1 to 2024-01-07 -57.14", "rent:2024-01-08:r1 to 2024-01-14 -100.00")},
		chapter{"back when the end is taken back", append(week[:3:3], lasting("2024-01-01", "2024-01-10"), "2024-01-08", lasting("2024-01-01", ""), "2024-01-15"), append(two[:2:2],
			"rent:2024-01-08:r1 to 2024-01-14 -57.14", "rent:2024-01-08:r2 to 2024-01-14 +57.14", "rent:2024-01-15 to 2024-01-21 +100.00")},
		chapter{"what a later start of the tenancy leaves out", append(week[:3:3], lasting("2024-01-03", ""), "2024-01-08"), append(two[:2:2],
			"rent:2024-01-01:r1 to 2024-01-07 -28.57")},
		chapter{"nothing, but charges the days that an earlier start brings", append(week[:3:3], lasting("2023-12-30", ""), term("A", "100", rent.Weekly, "2023-12-01"), "2024-01-08"), append(two[:2:2],
			"rent:2023-12-30 to 2023-12-31 +28.57")},
		chapter{"the old code in full when a term gets another, which is charged anew", append(week[:3:3], term("A", "100", rent.Weekly, "2024-01-01", coded("use")), "2024-01-01"), append(two[:2:2],
			"rent:2024-01-01:r1 to 2024-01-07 -100.00", "use:2024-01-01 to 2024-01-07 +100.00")},
	)
}

func TestAccount_Charge_fills_days_that_no_run_charged(t *testing.T) {
	t.Parallel()
	check(t,
		chapter{"between owned days, and in parts that add up to the whole", []any{
			from("2024-01-03"), lasting("2024-01-03", "2024-01-04"), term("A", "100", rent.Weekly, "2024-01-01"), "2024-01-07",
			lasting("2024-01-01", ""), "2024-01-07",
		}, []string{
			// 100*2/7 = 28.571, 100*4/7 = 57.143
			"rent:2024-01-03 to 2024-01-04 +28.57", "rent:2024-01-01 to 2024-01-02 +28.57", "rent:2024-01-05 to 2024-01-07 +42.86",
		}},
		chapter{"not because of charges by hand, which own no days", []any{
			from("2024-01-01"), term("A", "100", rent.Weekly, "2024-01-01"),
			rent.ChargeEntered{Charge: "X", Code: "rent", Amount: pounds("100"), ValueDate: date("2024-01-01"), PeriodFrom: date("2024-01-01"), PeriodTo: date("2024-01-07")},
			"2024-01-01", term("A", "110", rent.Weekly, "2024-01-01"), "2024-01-01",
		}, []string{"rent:2024-01-01 to 2024-01-07 +100.00", "rent:2024-01-01:r1 to 2024-01-07 +10.00"}},
		chapter{"of a term that was nought and no longer is", []any{
			from("2024-01-01"), term("A", "0", rent.Weekly, "2024-01-01"), "2024-01-01", term("A", "110", rent.Weekly, "2024-01-01"), "2024-01-01",
		}, []string{"rent:2024-01-01 to 2024-01-07 +110.00"}},
	)
}

func TestAccount_Charge_counts_52_or_53_Mondays_because_the_calendar_has_them(t *testing.T) {
	t.Parallel()
	s, err := tell(from("2001-04-02"), term("R", "100", rent.Weekly, "2001-04-02"), "2050-04-01")
	if err != nil {
		t.Fatal(err)
	}
	weeks := map[int]int{} // by rent year, which starts on the first Monday in April
	for _, fact := range s.facts {
		d := fact.(rent.ChargeRaised).ValueDate
		year, month, day := d.Date()
		if month < time.April || month == time.April && day < 8 && d.Weekday() != time.Monday {
			year--
		}
		weeks[year]++
	}
	var long []int
	for year := 2002; year < 2049; year++ {
		switch weeks[year] {
		case 53:
			long = append(long, year)
		case 52:
		default:
			t.Errorf("%d has %d weeks", year, weeks[year])
		}
	}
	// T5 of the worked cases.
	if diff := cmp.Diff([]int{2002, 2007, 2013, 2019, 2024, 2030, 2035, 2041, 2047}, long); diff != "" {
		t.Errorf("years of 53 weeks (-want +got)\n%s", diff)
	}
	year, err := tell(from("2024-04-01"), lasting("2024-04-01", "2025-04-06"), term("R", "130", rent.Weekly, "2024-04-01"), "2025-12-31")
	if err != nil || len(year.lines) != 53 || year.account.Balance() != pounds("6890") {
		t.Errorf("2024/25 has %d charges, %v in all, %v", len(year.lines), year.account.Balance(), err)
	}
}

func TestAccount_Charge_explains_a_charge(t *testing.T) {
	t.Parallel()
	s, err := tell(calendars("2023-01-01"), from("2024-01-01"), lasting("2024-01-01", "2024-01-03"),
		term("R", "100", rent.Weekly, "2024-01-01", rentFree, func(e *rent.TermSet) { e.Fund = "hra" }),
		term("S", "100", rent.Monthly, "2024-01-01", yearlyDays, coded("s")), term("W", "1", rent.Weekly, "2023-01-01", coded("w")),
		"2024-01-01")
	if err != nil {
		t.Fatal(err)
	}
	first, last := date("2024-01-01"), date("2024-01-03")
	want := []rent.Event{
		rent.ChargeRaised{
			Charge: "rent:2024-01-01", Code: "rent", Description: "Rent", Amount: pounds("42.86"), ValueDate: first,
			PeriodFrom: first, PeriodTo: last, Fund: "hra",
			Explanation: rent.Explanation{
				Term: "R", TermVersion: 3, Calendar: "free", CalendarVersion: 1, PeriodFrom: first, PeriodTo: date("2024-01-07"),
				CoveredFrom: first, CoveredTo: last, DaysCovered: 3, DaysInPeriod: 7, Basis: rent.PeriodDays,
				Rounding: "cumulative, half away from zero", PeriodAmount: pounds("100"), AmountBefore: "42.857143", AmountAfter: pounds("42.86"),
			},
		},
		rent.ChargeRaised{
			Charge: "s:2024-01-01", Code: "s", Description: "Rent", Amount: pounds("9.86"), ValueDate: first, PeriodFrom: first, PeriodTo: last,
			Explanation: rent.Explanation{
				Term: "S", TermVersion: 4, PeriodFrom: first, PeriodTo: date("2024-01-31"),
				CoveredFrom: first, CoveredTo: last, DaysCovered: 3, DaysInPeriod: 31, Basis: rent.YearlyDays,
				Rounding: "half away from zero", PeriodAmount: pounds("100"), AmountBefore: "9.863014", AmountAfter: pounds("9.86"),
			},
		},
		rent.ChargeRaised{
			Charge: "w:2024-01-01", Code: "w", Description: "Rent", Amount: pounds("0.43"), ValueDate: first, PeriodFrom: first, PeriodTo: last,
			Explanation: rent.Explanation{
				Term: "W", TermVersion: 5, PeriodFrom: first, PeriodTo: date("2024-01-07"),
				CoveredFrom: first, CoveredTo: last, DaysCovered: 3, DaysInPeriod: 7, Basis: rent.PeriodDays,
				Rounding: "cumulative, half away from zero", PeriodAmount: pounds("1"), AmountBefore: "0.428571", AmountAfter: pounds("0.43"),
			},
		},
	}
	if diff := cmp.Diff(want, s.facts); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAccount_Charge_explains_a_whole_period_by_the_whole_amount(t *testing.T) {
	t.Parallel()
	for _, proration := range []rent.Proration{rent.PeriodDays, rent.YearlyDays} {
		s, err := tell(from("2024-01-01"), term("R", "100", rent.Weekly, "2024-01-01", func(e *rent.TermSet) { e.Proration = proration }), "2024-01-01")
		if err != nil {
			t.Fatal(err)
		}
		why := s.facts[0].(rent.ChargeRaised).Explanation
		if why.Basis != proration || why.AmountBefore != "100.00" || why.AmountAfter != pounds("100") || why.DaysCovered != 7 {
			t.Errorf("%s: %+v", proration, why)
		}
	}
}

func TestAccount_Charge_explains_a_difference_by_both_terms(t *testing.T) {
	t.Parallel()
	s, err := tell(from("2024-01-01"), term("A", "100", rent.Weekly, "2024-01-01"), "2024-01-01", // versions 1, 2, 3
		calendars("2024-01-01"), term("B", "200", rent.Weekly, "2024-01-04", rentFree), "2024-01-01")
	if err != nil {
		t.Fatal(err)
	}
	first, last := date("2024-01-01"), date("2024-01-07")
	part := func(id domain.ID, version uint64, from, to domain.Date, days int64, whole, before, after string) rent.Explanation {
		return rent.Explanation{
			Term: id, TermVersion: version, PeriodFrom: first, PeriodTo: last, CoveredFrom: from, CoveredTo: to,
			DaysCovered: days, DaysInPeriod: 7, Basis: rent.PeriodDays, Rounding: "cumulative, half away from zero",
			PeriodAmount: pounds(whole), AmountBefore: before, AmountAfter: pounds(after),
		}
	}
	freePart := part("B", 4, first+3, last, 4, "200", "0.000000", "0")
	freePart.Calendar, freePart.CalendarVersion = "free", 1
	want := rent.ChargeCorrected{
		Correction: "rent:2024-01-01:r1", Corrects: "rent:2024-01-01", Kind: rent.KindCredit, Code: "rent", Description: "Rent",
		Amount: pounds("57.14"), ValueDate: first, PeriodFrom: first, PeriodTo: last,
		RaisedFor: rent.TermAt{Term: "A", Version: 2}, Raised: pounds("100"), Owed: pounds("42.86"),
		Parts: []rent.Explanation{part("A", 2, first, first+2, 3, "100", "42.857143", "42.86"), freePart},
	}
	if diff := cmp.Diff([]rent.Event{want}, s.facts[1:]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAccount_Charge_refuses(t *testing.T) {
	t.Parallel()
	type running = domaintest.Example[rent.Event, rent.Run]
	domaintest.Examples(t, rent.Account.Charge,
		running{Name: "an account nobody opened", When: rent.Run{Through: date("2024-01-01")}, Err: rent.ErrNotOpen},
		running{
			Name: "a calendar that does not exist", Given: []rent.Event{from("2024-01-01"), term("R", "1", rent.Weekly, "2024-01-01", rentFree)},
			When: rent.Run{Through: date("2024-01-01")}, Err: rent.ErrUnknownCalendar,
		},
		running{Name: "nothing when there is no term", Given: opening(), When: rent.Run{Through: date("2034-01-01")}},
		running{
			Name: "nothing before the tenancy starts", Given: []rent.Event{from("2024-01-01"), term("R", "1", rent.Weekly, "2024-01-01")},
			When: rent.Run{Through: date("2023-12-31")},
		},
	)
}

func TestAccount_names_the_calendars_that_a_run_needs(t *testing.T) {
	t.Parallel()
	other := func(e *rent.TermSet) { e.RentFreeCalendar = "other" }
	a := domain.Fold[rent.Account, rent.Event](from("2024-01-01"), term("A", "1", rent.Weekly, "2024-01-01", rentFree),
		term("B", "1", rent.Weekly, "2024-01-02", rentFree), term("C", "1", rent.Weekly, "2024-01-03", other), term("D", "1", rent.Weekly, "2024-01-04"))
	if diff := cmp.Diff([]domain.ID{"free", "other"}, a.Calendars()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCharge_by_hand_overlaps_a_term_of_its_code(t *testing.T) {
	t.Parallel()
	a := domain.Fold[rent.Account, rent.Event](from("2024-01-01"), term("A", "1", rent.Weekly, "2024-01-08", until("2024-01-14")),
		term("B", "1", rent.Weekly, "2024-02-01", coded("service")))
	for _, c := range []struct {
		code     rent.Code
		from, to string
		want     bool
	}{
		{"rent", "2024-01-01", "2024-01-08", true},
		{"rent", "2024-01-14", "2024-01-14", true},
		{"rent", "2024-01-15", "2024-01-31", false},
		{"rent", "2024-01-01", "2024-01-07", false},
		{"service", "2024-01-01", "2024-01-31", false},
		{"service", "2030-01-01", "2030-01-01", true},
	} {
		if got := (rent.Charge{Code: c.code, PeriodFrom: date(c.from), PeriodTo: date(c.to)}).Overlaps(a); got != c.want {
			t.Errorf("%s from %s to %s: want %v, got %v", c.code, c.from, c.to, c.want, got)
		}
	}
	if (rent.Charge{Code: "rent", PeriodFrom: date("2024-01-08")}).Overlaps(a) {
		t.Error("a charge without a period overlaps")
	}
}

// T8 and T9 of the worked cases: balances and statements by value date, whatever was recorded since.
func TestAccount_entries_give_the_balance_of_any_day(t *testing.T) {
	t.Parallel()
	known := []rent.Event{
		rent.ChargeEntered{Charge: "C", Amount: pounds("100"), ValueDate: date("2024-03-01")},
		rent.PaymentReceived{Payment: "P", Amount: pounds("100"), ValueDate: date("2024-03-05")},
	}
	bounced := append(known[:2:2], rent.PaymentReversed{Reversal: "P:reversal", Payment: "P", Amount: pounds("100"), ValueDate: date("2024-03-06")})
	backdated := append(bounced[:3:3], rent.AdjustmentMade{Adjustment: "A", Kind: rent.KindCredit, Amount: pounds("30"), ValueDate: date("2024-03-02")})
	for _, c := range []struct {
		history []rent.Event
		day     string
		want    int64
	}{
		{known, "2024-03-04", 10000},
		{known, "2024-03-06", 0},
		{bounced, "2024-03-05", 0},
		{bounced, "2024-03-06", 10000},
		{backdated, "2024-03-01", 10000},
		{backdated, "2024-03-02", 7000},
		{backdated, "2024-03-05", -3000},
		{backdated, "2024-03-06", 7000},
	} {
		var got int64
		for _, fact := range c.history {
			for _, e := range rent.Entries(fact) {
				if e.ValueDate <= date(c.day) {
					got += e.Signed()
				}
			}
		}
		if got != c.want {
			t.Errorf("%d facts known, on %s: want %d, got %d", len(c.history), c.day, c.want, got)
		}
	}
}
