package domain

import "time"

// Date is a day of the calendar, without a time zone. The zero Date is no date; Date(1) is
// 1 January of the year 1. Dates compare with <.
type Date int32

const day = 24 * time.Hour

func epoch() time.Time { return time.Date(1, time.January, 1, 0, 0, 0, 0, time.UTC) }

// NewDate is a day; days and months beyond their range count on, as in time.Date.
func NewDate(year int, month time.Month, dayOfMonth int) Date {
	return DateOf(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC))
}

// DateOf is the day on which t falls, in t's own location.
func DateOf(t time.Time) Date {
	year, month, d := t.Date()
	utc := time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
	return Date((utc.Unix()-epoch().Unix())/int64(day/time.Second)) + 1
}

// ParseDate reads YYYY-MM-DD and nothing else; a day that does not exist is ErrDate.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return 0, ErrDate
	}
	return DateOf(t), nil
}

// Time is midnight UTC at the beginning of the day.
func (d Date) Time() time.Time {
	return time.Unix(epoch().Unix()+int64(d-1)*int64(day/time.Second), 0).UTC()
}

// Date is the year, month and day.
func (d Date) Date() (year int, month time.Month, dayOfMonth int) { return d.Time().Date() }

// Weekday is the day of the week. Day 1, the first of January of year 1, is a Monday.
func (d Date) Weekday() time.Weekday { return time.Weekday(d % 7) }

// IsZero says that there is no date.
func (d Date) IsZero() bool { return d == 0 }

// String is YYYY-MM-DD, or nothing for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// MarshalText writes YYYY-MM-DD.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD; empty is no date.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	parsed, err := ParseDate(string(text))
	*d = parsed
	return err
}
