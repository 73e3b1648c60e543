package esdb

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"rentbook/eventstore"
)

// metadata is what stands beside an event on the server. The first two names are a convention of
// the server, which other tools know.
type metadata struct {
	Correlation uuid.UUID        `json:"$correlationId"`
	Causation   uuid.UUID        `json:"$causationId"`
	Command     uuid.UUID        `json:"command"`
	Actor       eventstore.Actor `json:"actor"`
	Authority   string           `json:"authority,omitempty"`

	// Append is the call of Append that wrote the event, the same in all its attempts. It tells
	// what a call wrote from what stood there before under the same ids.
	Append uuid.UUID `json:"append"`

	// Of an event that was moved here from another log: when it was first recorded, and where.
	RecordedAt string `json:"recorded_at,omitempty"`
	MovedFrom  string `json:"moved_from,omitempty"`
}

func encode(e Moved, token uuid.UUID) (es.EventData, error) {
	m := metadata{
		Correlation: e.Metadata.Correlation, Causation: e.Metadata.Causation, Command: e.Metadata.Command,
		Actor: e.Metadata.Actor, Authority: e.Metadata.Authority, Append: token,
	}
	if !e.At.IsZero() {
		m.RecordedAt = e.At.UTC().Format(time.RFC3339Nano)
		m.MovedFrom = e.From.String()
	}
	encoded, err := json.Marshal(m)
	if err != nil {
		return es.EventData{}, fmt.Errorf("encode the metadata of event %s: %w", e.ID, err)
	}
	return es.EventData{
		EventID: e.ID, EventType: e.Type, ContentType: es.ContentTypeJson, Data: e.Data, Metadata: encoded,
	}, nil
}

// origin is what the server keeps about an event and the port has no place for.
type origin struct {
	append uuid.UUID
	from   eventstore.Position // in the log it was moved from; zero for one that was not
}

// decode is the event that the server recorded. The client ends the process if an event comes
// without the time when it was created; that cannot be caught, and no server has been seen to do it.
func (s scope) decode(e *es.RecordedEvent) (eventstore.Recorded, origin, error) {
	r, o, err := s.recorded(e)
	if err != nil {
		return eventstore.Recorded{}, origin{}, fmt.Errorf("%w: event %d of %s at %s: %w", errDamaged,
			versionOf(e.EventNumber), r.Stream, r.Position, err)
	}
	return r, o, nil
}

var (
	errNotOurs    = errors.New("its metadata is not that of an event of this program: another program wrote to a stream of the log")
	errNoPosition = errors.New("the server does not say where it stands: it is too old, 23.10 will do")
	errTombstone  = errors.New("it is the mark of a stream that somebody deleted for good")
)

func (s scope) recorded(e *es.RecordedEvent) (eventstore.Recorded, origin, error) {
	stream, _ := s.stream(e.StreamID)
	r := eventstore.Recorded{
		Proposed: eventstore.Proposed{ID: e.EventID, Type: e.EventType, Data: e.Data},
		Stream:   stream, Version: versionOf(e.EventNumber), Position: positionOf(e),
		At: e.CreatedDate.UTC().Truncate(time.Microsecond),
	}
	var m metadata
	switch err := json.Unmarshal(e.UserMetadata, &m); {
	case e.EventType == "$streamDeleted":
		return r, origin{}, errTombstone
	case err != nil:
		return r, origin{}, fmt.Errorf("%w: %w", errNotOurs, err)
	case m.Append == uuid.Nil:
		return r, origin{}, errNotOurs
	case e.Position.Commit == math.MaxUint64:
		return r, origin{}, errNoPosition
	}
	r.Metadata = eventstore.Metadata{
		Command: m.Command, Correlation: m.Correlation, Causation: m.Causation,
		Actor: m.Actor, Authority: m.Authority,
	}
	o := origin{append: m.Append}
	if m.RecordedAt == "" {
		return r, o, nil
	}
	at, err := time.Parse(time.RFC3339Nano, m.RecordedAt)
	if err != nil {
		return r, origin{}, fmt.Errorf("%w: %w", errNotOurs, err)
	}
	r.At = at.UTC().Truncate(time.Microsecond)
	if o.from, err = eventstore.ParsePosition(m.MovedFrom); err != nil {
		return r, origin{}, fmt.Errorf("%w: %w", errNotOurs, err)
	}
	return r, o, nil
}

func positionOf(e *es.RecordedEvent) eventstore.Position {
	return eventstore.Position{Commit: e.Position.Commit, Prepare: e.Position.Prepare}
}
