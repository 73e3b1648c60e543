package rent

import (
	"time"

	"rentbook/domain"
)

// forever is the last day of what has no end.
const forever domain.Date = 1 << 30

// earliest is where a tenancy may start, 1 January of the year 2: the period that holds a day starts up
// to a year before it, and there is no day before the year 1.
const earliest domain.Date = 366

// span is a run of days, both ends included.
type span struct{ from, to domain.Date }

func (s span) days() int64 { return int64(s.to-s.from) + 1 }

func (s span) cut(other span) (span, bool) {
	both := span{from: max(s.from, other.from), to: min(s.to, other.to)}
	return both, both.from <= both.to
}

// schedule cuts the calendar into the periods of a term, in both directions.
type schedule struct {
	period  Period
	weekday time.Weekday // where week-based periods start
	day     int          // where month-based periods start; the last day of a month without it
	anchor  domain.Date
}

// newSchedule wants a term whose anchor is settled.
func newSchedule(t TermSet) schedule {
	weekday, _ := t.ChargeDay.weekday()
	day, _ := t.ChargeDay.dayOfMonth()
	return schedule{period: t.Period, weekday: weekday, day: day, anchor: t.AnchoredOn}
}

// holding is the period that a day lies in.
func (s schedule) holding(d domain.Date) span {
	if s.period.weeks() > 0 {
		return s.weeksHolding(d)
	}
	return s.monthsHolding(d)
}

func (s schedule) weeksHolding(d domain.Date) span {
	length := 7 * s.period.weeks()
	first := s.anchor + domain.Date((s.weekday-s.anchor.Weekday()+7)%7)
	start := first + domain.Date(floorDivide(int(d-first), length)*length)
	return span{from: start, to: start + domain.Date(length) - 1}
}

func (s schedule) monthsHolding(d domain.Date) span {
	length := s.period.months()
	first := s.monthOf(s.anchor)
	if s.startIn(first) < s.anchor {
		first++
	}
	month := first + floorDivide(s.monthOf(d)-first, length)*length
	if s.startIn(month) > d { // d lies in the first month of a period, before its charge day
		month -= length
	}
	return span{from: s.startIn(month), to: s.startIn(month+length) - 1}
}

// monthOf counts months from year 0.
func (s schedule) monthOf(d domain.Date) int {
	year, month, _ := d.Date()
	return year*12 + int(month) - 1
}

// startIn is the charge day of a month.
func (s schedule) startIn(month int) domain.Date {
	year, m := month/12, time.Month(month%12+1)
	last := domain.NewDate(year, m+1, 0)
	return min(domain.NewDate(year, m, 1)+domain.Date(s.day-1), last)
}

func floorDivide(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// holdsLeapDay says whether a 29 February lies in the days.
func (s span) holdsLeapDay() bool {
	fromYear, _, _ := s.from.Date()
	toYear, _, _ := s.to.Date()
	for year := fromYear; year <= toYear; year++ {
		leap := domain.NewDate(year, time.February, 29)
		_, month, _ := leap.Date()
		if month == time.February && s.from <= leap && leap <= s.to {
			return true
		}
	}
	return false
}
