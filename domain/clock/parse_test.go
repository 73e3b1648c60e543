package clock_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain/clock"
)

// of is a policy whose one parameter begins on line 3; its clock is on line 4, its version on line 6.
func of(clockName, version string) string {
	text := "  a.b:\n"
	if clockName != "" {
		text += "    clock: " + clockName + "\n"
	} else {
		text += "    # of no clock\n"
	}
	return policyOf(text + "    versions:\n" + version)
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	const v = "parameters.a.b.versions[0]"
	number := func(fields string) string { return of("", "      - {from: 2024-01-01, source: s, "+fields+"}\n") }
	duration := func(fields string) string {
		return of("completion", "      - {from: 2024-01-01, source: s, "+fields+"}\n")
	}
	seasons := func(list string) string { return duration("seasons: [" + list + "]") }
	fine := policyOf("  a.b:\n    versions: [{from: 2024-01-01, source: s, number: 1}]\n")
	for _, row := range []struct {
		name, text string
		want       clock.Fault
	}{
		{"nothing", "", clock.Fault{1, "policy", "is empty"}},
		{"a word", "policy", clock.Fault{1, "policy", "is not a mapping"}},
		{"broken YAML", "jurisdiction: [\n", clock.Fault{1, "policy", "did not find expected node content"}},
		{"two documents", fine + "---\na: 1\n", clock.Fault{16, "policy", "is a second document"}},
		{"too much", strings.Repeat("#", clock.BytesMax+1), clock.Fault{1, "policy", "is larger than 1048576 bytes"}},
		{"an unknown field", fine + "more: 1\n", clock.Fault{16, "more", "is not a field known here; there are jurisdiction, parameters, calendars"}},
		{"a field twice", fine + "jurisdiction: here\n", clock.Fault{16, "jurisdiction", "is there twice"}},
		{"an anchor", number("number: &n 1"), clock.Fault{6, "policy", "has an alias or an anchor"}},
		{"a merge", strings.Replace(fine, "{from", "{<<: {number: 1}, from", 1), clock.Fault{4, v + ".<<", "is not a field known here; there are hours, calendar_days, working_days, seasons, number, money, words, from, to, calendar, paused_by, source, note"}},
		{"a jurisdiction without a calendar", strings.Replace(fine, "jurisdiction: here", "jurisdiction: nowhere", 1), clock.Fault{1, "jurisdiction", "names no calendar of this policy"}},
		{"a name of other letters", strings.Replace(fine, "a.b:", "A.b:", 1), clock.Fault{4, "parameters.A.b", "is not a name of words with dots between"}},

		{"no versions", policyOf("  a.b: {}\n"), clock.Fault{3, "parameters.a.b.versions", "is required"}},
		{"an empty list of versions", policyOf("  a.b: {versions: []}\n"), clock.Fault{3, "parameters.a.b.versions", "is an empty list"}},
		{"versions that are no list", policyOf("  a.b: {versions: 1}\n"), clock.Fault{3, "parameters.a.b.versions", "is not a list"}},
		{"no source", of("", "      - {from: 2024-01-01, number: 1}\n"), clock.Fault{6, v + ".source", "is required"}},
		{"an empty source", of("", "      - {from: 2024-01-01, number: 1, source: ' '}\n"), clock.Fault{6, v + ".source", "is empty"}},
		{"no first day", of("", "      - {source: s, number: 1}\n"), clock.Fault{6, v + ".from", "is required"}},
		{"a day that does not exist", of("", "      - {from: 2023-02-29, source: s, number: 1}\n"), clock.Fault{6, v + ".from", "is not a date that exists, as YYYY-MM-DD"}},
		{"an instant", of("", "      - {from: 2023-02-28T00:00:00Z, source: s, number: 1}\n"), clock.Fault{6, v + ".from", "is not a date that exists, as YYYY-MM-DD"}},
		{"an end before the beginning", number("to: 2023-12-31, number: 1"), clock.Fault{6, v, "ends before it begins"}},
		{"no value", number("note: n"), clock.Fault{6, v, "has no value: hours, calendar_days, working_days, seasons, number, money or words"}},
		{"two values", number("number: 1, money: 1.00 GBP"), clock.Fault{6, v, "has more than one value: number, money"}},
		{"an unknown clock", of("cuckoo", "      - {from: 2024-01-01, source: s, hours: 1}\n"), clock.Fault{4, "parameters.a.b.clock", "is not a clock; there are completion, make_safe, right_to_repair, emergency_make_safe, investigate, summary, safety_work, preventive_work"}},
		{"a duration without a clock", number("hours: 1"), clock.Fault{6, "parameters.a.b.clock", "is required"}},
		{"a clock without a duration", duration("number: 1"), clock.Fault{4, "parameters.a.b.clock", "is for durations only"}},

		{"a number that is none", number("number: many"), clock.Fault{6, v + ".number", "is not a whole number"}},
		{"a fraction", number("number: 1.5"), clock.Fault{6, v + ".number", "is not a whole number"}},
		{"a number in quotes", number(`number: "15"`), clock.Fault{6, v + ".number", "is not a whole number"}},
		{"a number in octal", number("number: 0o17"), clock.Fault{6, v + ".number", "is not a plain whole number from 0 to 1000000"}},
		{"a number with a sign", number("number: +1"), clock.Fault{6, v + ".number", "is not a plain whole number from 0 to 1000000"}},
		{"a negative number", number("number: -1"), clock.Fault{6, v + ".number", "is not a plain whole number from 0 to 1000000"}},
		{"no hours", duration("hours: 0"), clock.Fault{6, v + ".hours", "is not a plain whole number from 1 to 8784"}},
		{"too many days", duration("working_days: 8785"), clock.Fault{6, v + ".working_days", "is not a plain whole number from 1 to 8784"}},
		{"money without a currency", number(`money: "250.00"`), clock.Fault{6, v + ".money", "is not a currency of ISO 4217"}},
		{"money with too many decimals", number("money: 250.001 GBP"), clock.Fault{6, v + ".money", "has more decimals than the currency"}},
		{"money that is none", number("money: ten GBP"), clock.Fault{6, v + ".money", "is not a plain positive decimal such as 450.00"}},
		{"money as a number", number("money: 10"), clock.Fault{6, v + ".money", "is not an amount such as 250.00 GBP"}},
		{"words that are no list", number("words: damp"), clock.Fault{6, v + ".words", "is not a list"}},
		{"a word of other letters", number("words: [ok, Damp]"), clock.Fault{6, v + ".words[1]", "is not a word of a-z 0-9 _, the first a letter"}},
		{"a word twice", number("words: [damp, damp]"), clock.Fault{6, v + ".words[1]", "is there twice"}},
		{"a word that is a truth", number("words: [true]"), clock.Fault{6, v + ".words[0]", "is not a word"}},
		{"pauses of a number", number("number: 1, paused_by: [access]"), clock.Fault{6, v + ".paused_by", "is for durations only"}},
		{"a calendar of a number", number("number: 1, calendar: here"), clock.Fault{6, v + ".calendar", "is for durations only"}},
		{"a calendar of hours", duration("hours: 1, calendar: here"), clock.Fault{6, v + ".calendar", "is for working days only"}},
		{"a calendar that is not there", duration("working_days: 1, calendar: nowhere"), clock.Fault{6, v + ".calendar", "names no calendar of this policy"}},

		{"a year with a gap", seasons(`{from: "11-01", to: "04-30", hours: 1}, {from: "05-02", to: "10-31", hours: 2}`), clock.Fault{6, v + ".seasons", "must have each day of the year in one season, but 05-01 is in 0"}},
		{"a year without its leap day", seasons(`{from: "03-01", to: "02-28", hours: 1}`), clock.Fault{6, v + ".seasons", "must have each day of the year in one season, but 02-29 is in 0"}},
		{"seasons that overlap", seasons(`{from: "11-01", to: "05-01", hours: 1}, {from: "05-01", to: "10-31", hours: 2}`), clock.Fault{6, v + ".seasons", "must have each day of the year in one season, but 05-01 is in 2"}},
		{"a season without a value", seasons(`{from: "01-01", to: "12-31"}`), clock.Fault{6, v + ".seasons[0]", "needs one of hours, calendar_days, working_days"}},
		{"a season without an end", seasons(`{from: "01-01", hours: 1}`), clock.Fault{6, v + ".seasons[0].to", "is required"}},
		{"a season on a day that does not exist", seasons(`{from: "01-01", to: "11-31", hours: 1}`), clock.Fault{6, v + ".seasons[0].to", `is not a day of the year, as "MM-DD"`}},
		{"a season without quotes or month", seasons(`{from: 1, to: "12-31", hours: 1}`), clock.Fault{6, v + ".seasons[0].from", `is not a day of the year, as "MM-DD"`}},

		{"a calendar in no zone", strings.Replace(fine, "Europe/Brussels", "Europe/Atlantis", 1), clock.Fault{12, "calendars.there.zone", "is not a time zone of the IANA"}},
		{"a calendar without a source", strings.Replace(fine, "    source: s\n", "", 1), clock.Fault{7, "calendars.here.source", "is required"}},
		{"a year without a source", strings.Replace(fine, "{year: 2026, source: s,", "{year: 2026,", 1), clock.Fault{10, "calendars.here.years[0].source", "is required"}},
		{"a day of another year", strings.Replace(fine, "2026-05-04", "2027-05-04", 1), clock.Fault{10, "calendars.here.years[0].days[0]", "is not in the year 2026"}},
		{"a day without a name", strings.Replace(fine, ", name: n", "", 1), clock.Fault{10, "calendars.here.years[0].days[0].name", "is required"}},
		{"a day twice", strings.Replace(fine, "[{date: 2026-05-04, name: n}]", "[{date: 2026-05-04, name: n}, {date: 2026-05-04, name: n}]", 1), clock.Fault{10, "calendars.here.years[0].days[1]", "is not later than the day above"}},
		{"a year that is perhaps computed", strings.Replace(fine, "source: s, days", "computed: maybe, source: s, days", 1), clock.Fault{10, "calendars.here.years[0].computed", "is not true or false"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p, err := clock.Parse([]byte(row.text))
			faults, ok := errors.AsType[clock.Faults](err)
			if !ok || p != nil {
				t.Fatalf("want faults, got %v, %v", p, err)
			}
			if diff := cmp.Diff(clock.Faults{row.want}, faults); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParse_says_every_mistake_with_its_line(t *testing.T) {
	t.Parallel()
	_, err := clock.Parse([]byte(`jurisdiction: here
parameters:
  hold:
    versions:
      - from: 2024-01-01
        number: 15
      - from: 2024-01-01
        money: 1.00 GBP
        source: s
        sauce: s
  safe:
    versions:
      - from: 2024-13-01
        hours: none
        source: s
calendars:
  here:
    zone: Europe/London
    source: s
    years:
      - year: 2026
        source: s
        days: [{date: 2026-05-04, name: n}]
      - year: 2025
        days: [{date: 2025-05-05, name: n}]
`))
	want := `line 5: parameters.hold.versions[0].source: is required
line 7: parameters.hold.versions[1]: begins on or before a day of the version above
line 7: parameters.hold.versions[1]: is of another kind than the version above
line 10: parameters.hold.versions[1].sauce: is not a field known here; there are hours, calendar_days, working_days, seasons, number, money, words, from, to, calendar, paused_by, source, note
line 13: parameters.safe.versions[0].from: is not a date that exists, as YYYY-MM-DD
line 13: parameters.safe.clock: is required
line 14: parameters.safe.versions[0].hours: is not a whole number
line 24: calendars.here.years[1].source: is required
line 24: calendars.here.years[1]: is not later than the year above`
	if err == nil {
		t.Fatal("want faults")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParse_stops_saying_more_at_a_thousand_mistakes(t *testing.T) {
	t.Parallel()
	_, err := clock.Parse([]byte(policyOf("  a: {versions: [" + strings.Repeat("1, ", 5000) + "]}\n")))
	if faults, _ := errors.AsType[clock.Faults](err); len(faults) != 1000 {
		t.Errorf("got %d", len(faults))
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "a", "a: &a [*a]", "? [a]\n: b", "---\n---\n", "a: !!binary x", "<<: {}", "\xff", "{", "a: |\n  b", "jurisdiction: ~",
		policyOf("  a: {clock: summary, versions: [{from: 2024-01-01, source: s, working_days: 1}]}\n"),
		policyOf("  a: {versions: [{from: 2024-01-01, source: s, words: [a, b]}]}\n"),
		policyOf("  a: {clock: summary, versions: [{from: 2024-01-01, source: s, seasons: [{from: \"03-01\", to: \"02-29\", hours: 1}]}]}\n"),
		string(clock.DefaultYAML()),
	} {
		f.Add([]byte(seed))
	}
	start := local(f, "2026-03-02 09:00")
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := clock.Parse(data)
		if err != nil {
			if faults, ok := errors.AsType[clock.Faults](err); !ok || len(faults) == 0 || p != nil {
				t.Fatalf("got %v, %v", p, err)
			}
			return
		}
		for _, parameter := range p.Parameters() {
			for _, v := range parameter.Versions {
				if v.Source == "" || v.Value == "" {
					t.Fatalf("%s has no source or value: %+v", parameter.Name, v)
				}
				if parameter.Clock == "" {
					continue
				}
				target, err := p.Target(parameter.Name, v.From, start, "")
				if err != nil {
					t.Fatal(err)
				}
				clock.Run{Target: target, StartedAt: start}.At(start)
			}
		}
	})
}
