package projections

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"rentbook/eventstore"
)

// Errors of a known at.
var (
	// ErrKnownAt is text that is neither a position nor a time.
	ErrKnownAt = errors.New("is neither a position of the log (N or N-N) nor a time with its offset (2026-03-03T09:00:00Z)")
	// ErrNotPast is a time that has not passed: what will be known then is not known now.
	ErrNotPast = errors.New("is not in the past")
)

// KnownAt reads a known at: nothing means now, as of this snapshot; else a position of the log or
// a time of the past, RFC 3339 with its offset.
func (r *Reader) KnownAt(text string, now time.Time) (KnownAt, error) {
	if text == "" {
		return r.Now(), nil
	}
	if p, err := eventstore.ParsePosition(text); err == nil {
		return r.At(p)
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case err != nil && strings.Contains(text, " "):
		return KnownAt{}, fmt.Errorf("%w; a + in a query is written %%2B", ErrKnownAt)
	case err != nil:
		return KnownAt{}, ErrKnownAt
	case !t.Before(now):
		return KnownAt{}, ErrNotPast
	}
	return r.AtTime(t)
}
