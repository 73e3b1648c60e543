package esdb

import (
	"context"
	"time"

	"rentbook/eventstore"
)

// Moved is an event of another log on its way into this one. It keeps the time when it was first
// recorded. An event without that is a new one.
type Moved struct {
	eventstore.Proposed
	At   time.Time
	From eventstore.Position // where it stood
}

// AppendMoved is Append for events of another log.
func (l *Log) AppendMoved(
	ctx context.Context, s eventstore.Stream, after eventstore.Version, events []Moved,
) (eventstore.Commit, error) {
	r, err := l.newRequest(s, after, events)
	if err != nil {
		return eventstore.Commit{}, err
	}
	return r.carryOut(ctx)
}

// LastMoved is the last event of the log, and where it stood in the log from which it was moved,
// zero if it was not. The Recorded is zero while the log has no events.
func (l *Log) LastMoved(ctx context.Context) (eventstore.Recorded, eventstore.Position, error) {
	newest, _, err := l.newest(ctx, eventstore.Position{})
	if err != nil || newest == nil {
		return eventstore.Recorded{}, eventstore.Position{}, l.failed(ctx, "find the last event of the log", err)
	}
	event, origin, err := l.scope.decode(newest)
	return event, origin.from, err
}
