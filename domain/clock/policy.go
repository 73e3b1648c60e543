package clock

import (
	"cmp"
	_ "embed" // of the shipped policy
	"fmt"
	"slices"
	"strings"
	"time"

	"rentbook/domain"
)

// Refusals of a policy.
var (
	ErrNoParameter = &domain.Refusal{Class: domain.Unknown, Code: "clock.no-parameter", Reason: "is not a parameter of the policy"}
	ErrNotInForce  = &domain.Refusal{Class: domain.Conflicting, Code: "clock.not-in-force", Reason: "was not in force"}
	ErrWrongKind   = &domain.Refusal{Code: "clock.wrong-kind", Reason: "is a parameter of another kind"}
	ErrZone        = &domain.Refusal{Code: "clock.zone", Reason: "is not a time zone of the IANA"}
)

//go:embed policy.yaml
var shipped string

// DefaultYAML is the policy that is shipped, to print and to edit.
func DefaultYAML() []byte { return []byte(shipped) }

// Default is the policy that is shipped, read anew: ask once and keep it.
func Default() *Policy {
	p, err := Parse(DefaultYAML())
	if err != nil {
		panic(err) // the file is part of the program, and tested
	}
	return p
}

// Policy is parameters and calendars. It does not change, and can be used by many at once.
type Policy struct {
	jurisdiction string
	parameters   []Parameter // by name
	calendars    []Calendar  // by name
}

// Parameter is one number of the policy, through time.
type Parameter struct {
	Name     string
	Clock    string    // of a duration: which clock it sets
	Versions []Version // by their first day
}

// Version is a number in force from a day. Without To, it is until the next version begins.
type Version struct {
	From, To domain.Date
	Value    string // as one reads it: "28 calendar days"
	Calendar string // of working days: as named, or empty for that of the jurisdiction
	PausedBy []string
	Source   string
	Note     string

	value value
}

// Jurisdiction is the calendar of every parameter that does not name one.
func (p *Policy) Jurisdiction() string { return p.jurisdiction }

// Target is a duration as the version in force on the day law has it, applied to a start: the
// season and the holidays are those at the start, in the zone, or without one in that of the
// jurisdiction. It refuses with ErrNoParameter, ErrNotInForce, ErrWrongKind and ErrZone.
func (p *Policy) Target(name string, law domain.Date, start time.Time, zone string) (Target, error) {
	parameter, version, err := p.inForce(name, law, duration)
	if err != nil {
		return Target{}, err
	}
	if zone == "" {
		home, _ := p.Calendar(p.jurisdiction)
		zone = home.Zone
	}
	where, known := location(zone)
	if !known {
		return Target{}, ErrZone.Because(fmt.Sprintf("%q is not a time zone of the IANA", zone))
	}
	day := domain.DateOf(start.In(where))
	s := version.value.at(day)
	t := Target{
		Clock: parameter.Clock, Parameter: version.id(name), Amount: s.amount, Unit: s.unit, Zone: zone,
		PausedBy: slices.Clone(version.PausedBy), Source: version.Source,
	}
	if s.unit == WorkingDays {
		t.Calendar = cmp.Or(version.Calendar, p.jurisdiction)
	}
	return p.holidays(t, day), nil
}

// Again is the same target from a later start, with the holidays as this policy has them: the
// second contractor has the period of the first, whatever the season by then (domain.md R8.3).
func (p *Policy) Again(t Target, start time.Time) Target {
	zone, _ := location(t.Zone)
	t.PausedBy = slices.Clone(t.PausedBy)
	return p.holidays(t, domain.DateOf(start.In(zone)))
}

// holidays is the target with those of its calendar that a clock started on the day may meet: a
// third of a year, or three times its days and a month.
func (p *Policy) holidays(t Target, day domain.Date) Target {
	t.Holidays, t.HolidaysTo, t.Computed = nil, 0, false
	if t.Unit == WorkingDays {
		c, _ := p.Calendar(t.Calendar)
		t.Holidays, t.HolidaysTo, t.Computed = c.window(day, day+domain.Date(max(120, 30+3*t.amount())))
	}
	return t
}

// id names a version of a parameter: "priority.normal@2024-01-01".
func (v Version) id(name string) string { return name + "@" + v.From.String() }

// Number is a plain number as it stood on a day, and the version that says so.
func (p *Policy) Number(name string, law domain.Date) (n int, parameter string, err error) {
	_, version, err := p.inForce(name, law, number)
	if err != nil {
		return 0, "", err
	}
	return version.value.number, version.id(name), nil
}

// Money is an amount as it stood on a day, and the version that says so.
func (p *Policy) Money(name string, law domain.Date) (m domain.Money, parameter string, err error) {
	_, version, err := p.inForce(name, law, money)
	if err != nil {
		return domain.Money{}, "", err
	}
	return version.value.money, version.id(name), nil
}

// Words is a list of words as it stood on a day, and the version that says so.
func (p *Policy) Words(name string, law domain.Date) (list []string, parameter string, err error) {
	_, version, err := p.inForce(name, law, words)
	if err != nil {
		return nil, "", err
	}
	return slices.Clone(version.value.words), version.id(name), nil
}

func (p *Policy) inForce(name string, law domain.Date, wanted kind) (Parameter, Version, error) {
	i, known := slices.BinarySearchFunc(p.parameters, name, func(q Parameter, name string) int { return strings.Compare(q.Name, name) })
	if !known {
		return Parameter{}, Version{}, ErrNoParameter.Because(fmt.Sprintf("%q is not a parameter of the policy", name))
	}
	parameter := p.parameters[i]
	for _, v := range slices.Backward(parameter.Versions) {
		if v.From > law {
			continue
		}
		if !v.To.IsZero() && v.To < law {
			break
		}
		if v.value.kind != wanted {
			return Parameter{}, Version{}, ErrWrongKind.Because(fmt.Sprintf("%q is a parameter of the kind %s, not %s", name, v.value.kind, wanted))
		}
		return parameter, v, nil
	}
	return Parameter{}, Version{}, ErrNotInForce.Because(fmt.Sprintf("%q was not in force on %s", name, law))
}

// Parameters lists everything, by name.
func (p *Policy) Parameters() []Parameter {
	list := slices.Clone(p.parameters)
	for i := range list {
		list[i].Versions = slices.Clone(list[i].Versions)
		for j := range list[i].Versions {
			v := &list[i].Versions[j]
			v.PausedBy = slices.Clone(v.PausedBy)
		}
	}
	return list
}
