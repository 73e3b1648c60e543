package projections

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rentbook/domain/rent"
	"rentbook/eventstore"
)

// Event is a recorded event as views get it: decoded once for all of them.
type Event struct {
	eventstore.Recorded // without Data

	Fact    eventstore.Named // nil if it could not be decoded
	Entries []rent.Entry     // what it puts on an account
	Err     error            // why it could not be decoded
}

// decode never fails: whether an event that cannot be read matters is for each view to say.
func decode(ctx context.Context, codec *eventstore.Codec, r eventstore.Recorded) Event {
	e := Event{Recorded: r}
	e.Data = nil // its bytes are the largest part of it, and done with
	if r.Position.Commit != r.Position.Prepare {
		e.Err = fmt.Errorf("%s: views want positions whose two numbers are equal", r.Position)
		return e
	}
	e.Fact, e.Err = eventstore.Decode[eventstore.Named](ctx, codec, r)
	if fact, ok := e.Fact.(rent.Event); ok {
		e.Entries = rent.Entries(fact)
	}
	return e
}

// number is a position as tables hold it. An event's two numbers are equal (see decode).
func number(p eventstore.Position) int64 { return int64(p.Commit) } //nolint:gosec // positions fit 63 bits

func position(n int64) eventstore.Position {
	return eventstore.PositionAt(uint64(n)) //nolint:gosec // tables hold no negative ones
}

// Codes of a stopped view. They are stable, and say nothing of what the event holds.
const (
	codeUnknownType = "unknown-type"
	codeUndecodable = "undecodable"
	codeKeyMissing  = "key-missing"
	codeApplyFailed = "apply-failed"
	codeOtherShape  = "other-shape" // its tables are those of another version, until it is rebuilt
)

// undecodable is an event that a view needs and cannot read.
type undecodable struct {
	at  eventstore.Position
	err error
}

func (u *undecodable) Error() string { return fmt.Sprintf("event at %s: %v", u.at, u.err) }
func (u *undecodable) Unwrap() error { return u.err }

// codeOf is what a stopped view says of an error.
func codeOf(err error) string {
	var u *undecodable
	switch {
	case errors.Is(err, eventstore.ErrUnknownType):
		return codeUnknownType
	case errors.Is(err, eventstore.ErrKeyMissing):
		return codeKeyMissing
	case errors.As(err, &u):
		return codeUndecodable
	}
	return codeApplyFailed
}

// readable says whether a view can read all it needs of the events. What type an unknown event has
// says nothing of what it means, so every view that reads facts needs those.
func readable(v View, events []Event) error {
	for i := range events {
		e := &events[i]
		if e.Err == nil {
			continue
		}
		if v.Wants(e.Type) || (v.Wants(anyType) && errors.Is(e.Err, eventstore.ErrUnknownType)) {
			return &undecodable{at: e.Position, err: e.Err}
		}
	}
	return nil
}

// anyType stands for the types that are not known.
const anyType = "?"

// wantsPrefix is how most views say which events they need to read.
func wantsPrefix(eventType string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(eventType, p) {
			return true
		}
	}
	return eventType == anyType
}
