package http

import (
	"errors"
	"time"

	"rentbook/domain"
	"rentbook/projections"
)

// knownAt is the point of the log that a query asks about: now, a position as in Rentbook-Position,
// or a time, which means the longest part of the log wholly recorded by then.
func (c *call) knownAt(v *projections.Reader, asked string) (projections.KnownAt, error) {
	k, err := v.KnownAt(asked, c.s.Now())
	switch {
	case errors.Is(err, projections.ErrBeyond):
		err = invalid("query.known_at", "lies beyond what has been recorded")
	case errors.Is(err, projections.ErrKnownAt), errors.Is(err, projections.ErrNotPast):
		err = invalid("query.known_at", err.Error())
	}
	return k, err
}

// date is a day in a query; no day is fine.
func date(name, asked string) (domain.Date, error) {
	if asked == "" {
		return 0, nil
	}
	day, err := domain.ParseDate(asked)
	if err != nil {
		return 0, invalid("query."+name, "is not a date that exists, as YYYY-MM-DD")
	}
	return day, nil
}

// days are the first and last day that a query asks about; either may be missing.
func days(from, to string) (first, last domain.Date, err error) {
	if first, err = date("from", from); err != nil {
		return 0, 0, err
	}
	if last, err = date("to", to); err != nil {
		return 0, 0, err
	}
	if !first.IsZero() && !last.IsZero() && last < first {
		return 0, 0, invalid("query.to", "is before from")
	}
	return first, last, nil
}

// instant is a time in a query; none is fine.
func instant(name, asked string) (time.Time, error) {
	if asked == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, asked)
	if err != nil {
		return time.Time{}, invalid("query."+name,
			"is not an RFC 3339 time with an offset, such as 2026-03-03T12:00:00Z; a + in a query is written %2B")
	}
	return at, nil
}
