package esdb

import (
	"context"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"

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
	patient, cancel := l.patient(ctx)
	defer cancel()
	var newest *es.RecordedEvent
	err := l.persist(patient, func(ctx context.Context, c *connection) (err error) {
		newest, _, err = last(ctx, c, eventstore.Position{}, l.owns)
		return err
	})
	if err != nil || newest == nil {
		return eventstore.Recorded{}, eventstore.Position{}, failed(ctx, "find the last event of the log", err)
	}
	event, origin, err := l.scope.decode(newest)
	return event, origin.from, err
}
