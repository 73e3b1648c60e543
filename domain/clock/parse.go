package clock

import (
	"slices"
	"strings"

	"rentbook/domain"
)

// BytesMax is how large a policy may be.
const BytesMax = 1 << 20

const numberMax = 1_000_000

// Parse reads a policy, or says every mistake in it (Faults), up to a thousand.
func Parse(data []byte) (*Policy, error) {
	r := &reader{}
	if len(data) > BytesMax {
		r.fault(place{}, "is larger than %d bytes", BytesMax)
		return nil, r.sorted()
	}
	p := &Policy{}
	if root, ok := r.document(data); ok {
		p = r.policy(root)
	}
	if err := r.sorted(); err != nil {
		return nil, err
	}
	return p, nil
}

func (r *reader) policy(at place) *Policy {
	f := r.fields(at, "jurisdiction", "parameters", "calendars")
	r.required(at, f, "jurisdiction", "parameters", "calendars")
	p := &Policy{jurisdiction: r.word(f["jurisdiction"])}
	for _, entry := range r.entries(f["calendars"]) {
		p.calendars = append(p.calendars, r.calendar(entry))
	}
	r.names(p, f["jurisdiction"], p.jurisdiction)
	for _, entry := range r.entries(f["parameters"]) {
		p.parameters = append(p.parameters, r.parameter(entry, p))
	}
	slices.SortFunc(p.calendars, func(a, b Calendar) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(p.parameters, func(a, b Parameter) int { return strings.Compare(a.Name, b.Name) })
	return p
}

// names says that a calendar must exist.
func (r *reader) names(p *Policy, at place, calendar string) {
	known := slices.ContainsFunc(p.calendars, func(c Calendar) bool { return c.Name == calendar })
	if at.given() && !known {
		r.fault(at, "names no calendar of this policy")
	}
}

func (r *reader) parameter(at place, p *Policy) Parameter {
	if !isName(at.name) {
		r.fault(at, "is not a name of words with dots between")
	}
	f := r.fields(at, "clock", "versions")
	r.required(at, f, "versions")
	parameter := Parameter{Name: at.name, Clock: r.word(f["clock"])}
	if f["clock"].given() && !slices.Contains(Clocks(), parameter.Clock) {
		r.fault(f["clock"], "is not a clock; there are %s", strings.Join(Clocks(), ", "))
	}
	for _, item := range r.items(f["versions"]) {
		v := r.version(item, p)
		r.follows(item, parameter.Versions, v)
		r.clocked(at, item, f["clock"], v)
		parameter.Versions = append(parameter.Versions, v)
	}
	return parameter
}

// follows says that versions stand in order, do not overlap and are of one kind.
func (r *reader) follows(at place, before []Version, v Version) {
	if !v.To.IsZero() && v.To < v.From {
		r.fault(at, "ends before it begins")
	}
	if len(before) == 0 || v.From.IsZero() {
		return
	}
	last := before[len(before)-1]
	if v.From <= max(last.From, last.To) {
		r.fault(at, "begins on or before a day of the version above")
	}
	if v.value.kind != last.value.kind {
		r.fault(at, "is of another kind than the version above")
	}
}

// clocked says that a duration sets a clock, and nothing else does.
func (r *reader) clocked(parameter, at, clock place, v Version) {
	switch {
	case v.value.kind == "":
	case v.value.kind == duration && !clock.given():
		r.required(place{node: at.node, path: parameter.path}, nil, "clock")
	case v.value.kind != duration && clock.given():
		r.fault(clock, "is for durations only")
	}
}

func (r *reader) version(at place, p *Policy) Version {
	values := []string{"hours", "calendar_days", "working_days", "seasons", "number", "money", "words"}
	f := r.fields(at, append(values, "from", "to", "calendar", "paused_by", "source", "note")...)
	r.required(at, f, "from", "source")
	v := Version{
		From: r.date(f["from"]), To: r.date(f["to"]), Calendar: r.word(f["calendar"]),
		PausedBy: r.words(f["paused_by"]), Source: r.text(f["source"]), Note: r.text(f["note"]),
	}
	given := slices.DeleteFunc(values, func(name string) bool { return !f[name].given() })
	switch len(given) {
	case 0:
		r.fault(at, "has no value: hours, calendar_days, working_days, seasons, number, money or words")
	case 1:
		v.value = r.value(given[0], f[given[0]])
	default:
		r.fault(at, "has more than one value: %s", strings.Join(given, ", "))
	}
	v.Value = v.value.String()
	r.names(p, f["calendar"], v.Calendar)
	for _, name := range []string{"calendar", "paused_by"} {
		if f[name].given() && v.value.kind != duration {
			r.fault(f[name], "is for durations only")
		}
	}
	if f["calendar"].given() && v.value.kind == duration && !v.value.working() {
		r.fault(f["calendar"], "is for working days only")
	}
	return v
}

func (r *reader) value(name string, at place) value {
	switch name {
	case "number":
		return value{kind: number, number: r.number(at, 0, numberMax)}
	case "money":
		return value{kind: money, money: r.money(at)}
	case "words":
		return value{kind: words, words: r.words(at)}
	case "seasons":
		return value{kind: duration, seasons: r.seasons(at)}
	default:
		return value{kind: duration, seasons: []season{{from: 101, to: 1231, amount: r.number(at, 1, AmountMax), unit: Unit(name)}}}
	}
}

// seasons covers every day of a year that has a 29 February, and each once.
func (r *reader) seasons(at place) []season {
	before := len(r.faults)
	var seasons []season
	for _, item := range r.items(at) {
		seasons = append(seasons, r.season(item))
	}
	if len(r.faults) > before {
		return seasons
	}
	const leap = 2024
	for day := domain.NewDate(leap, 1, 1); day <= domain.NewDate(leap, 12, 31); day++ {
		holding := 0
		for _, s := range seasons {
			if s.holds(yearDayOf(day)) {
				holding++
			}
		}
		if holding != 1 {
			r.fault(at, "must have each day of the year in one season, but %s is in %d", day.String()[len("2024-"):], holding)
			return seasons
		}
	}
	return seasons
}

func (r *reader) season(at place) season {
	units := []string{string(Hours), string(CalendarDays), string(WorkingDays)}
	f := r.fields(at, append(units, "from", "to")...)
	r.required(at, f, "from", "to")
	s := season{from: r.yearDay(f["from"]), to: r.yearDay(f["to"])}
	given := slices.DeleteFunc(units, func(name string) bool { return !f[name].given() })
	if len(given) != 1 {
		r.fault(at, "needs one of hours, calendar_days, working_days")
		return s
	}
	s.unit, s.amount = Unit(given[0]), r.number(f[given[0]], 1, AmountMax)
	return s
}

func (r *reader) yearDay(at place) yearDay {
	text, ok := r.scalar(at, "a day of the year, as \"MM-DD\"", "!!str")
	if !ok {
		return 0
	}
	day, err := domain.ParseDate("2024-" + text)
	if err != nil {
		r.fault(at, "is not a day of the year, as \"MM-DD\"")
		return 0
	}
	return yearDayOf(day)
}

func (r *reader) calendar(at place) Calendar {
	if !isWord(at.name) {
		r.fault(at, "is not a word of a-z 0-9 _, the first a letter")
	}
	f := r.fields(at, "zone", "source", "years")
	r.required(at, f, "zone", "source", "years")
	c := Calendar{Name: at.name, Zone: r.text(f["zone"]), Source: r.text(f["source"])}
	if _, known := location(c.Zone); f["zone"].given() && !known {
		r.fault(f["zone"], "is not a time zone of the IANA")
	}
	for _, item := range r.items(f["years"]) {
		y := r.year(item)
		if n := len(c.Years); n > 0 && y.Year <= c.Years[n-1].Year {
			r.fault(item, "is not later than the year above")
		}
		c.Years = append(c.Years, y)
	}
	return c
}

func (r *reader) year(at place) Year {
	f := r.fields(at, "year", "computed", "source", "days")
	r.required(at, f, "year", "source", "days")
	y := Year{Year: r.number(f["year"], 1, 9999), Computed: r.flag(f["computed"]), Source: r.text(f["source"])}
	for _, item := range r.items(f["days"]) {
		h := r.holiday(item)
		if year, _, _ := h.Date.Date(); !h.Date.IsZero() && year != y.Year {
			r.fault(item, "is not in the year %d", y.Year)
		}
		if n := len(y.Days); n > 0 && h.Date <= y.Days[n-1].Date {
			r.fault(item, "is not later than the day above")
		}
		y.Days = append(y.Days, h)
	}
	return y
}

func (r *reader) holiday(at place) Holiday {
	f := r.fields(at, "date", "name")
	r.required(at, f, "date", "name")
	return Holiday{Date: r.date(f["date"]), Name: r.text(f["name"])}
}
