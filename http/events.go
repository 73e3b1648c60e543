package http

import (
	"encoding/json"
	"time"

	"rentbook/eventstore"
)

// event is a recorded event, wherever it is shown: sealed fields as they are stored.
type event struct {
	Position    string          `json:"position" example:"1042"`
	Stream      string          `json:"stream" example:"rentAccount-T1001"`
	Version     uint64          `json:"version" example:"3"`
	ID          string          `json:"id" format:"uuid"`
	Type        string          `json:"type" example:"rent.charge-entered.v1"`
	RecordedAt  string          `json:"recorded_at" format:"date-time"`
	Actor       actor           `json:"actor"`
	Correlation string          `json:"correlation" format:"uuid"`
	Causation   string          `json:"causation" format:"uuid"`
	Data        json.RawMessage `json:"data"`
}

type actor struct {
	ID         string `json:"id" doc:"Of a token or program"`
	Role       string `json:"role"`
	OnBehalfOf string `json:"on_behalf_of,omitempty"`
}

func eventOf(r eventstore.Recorded) event {
	return event{
		Position: r.Position.String(), Stream: string(r.Stream), Version: uint64(r.Version), ID: r.ID.String(),
		Type: r.Type, RecordedAt: timestamp(r.At), Actor: actor(r.Metadata.Actor),
		Correlation: r.Metadata.Correlation.String(), Causation: r.Metadata.Causation.String(), Data: r.Data,
	}
}

// cloudEvent is the same event as CloudEvents 1.0 has it; names of extensions are lower case
// letters and digits there.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject"`
	Time            string          `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Sequence        string          `json:"sequence"` // the position
	StreamVersion   string          `json:"streamversion"`
	Actor           string          `json:"actor"`
	ActorRole       string          `json:"actorrole"`
	OnBehalfOf      string          `json:"onbehalfof,omitempty"`
	Correlation     string          `json:"correlation"`
	Causation       string          `json:"causation"`
	Data            json.RawMessage `json:"data"`
}

func cloudEventOf(r eventstore.Recorded, log string) cloudEvent {
	e := eventOf(r)
	return cloudEvent{
		SpecVersion: "1.0", ID: e.ID, Source: "urn:uuid:" + log, Type: e.Type, Subject: e.Stream, Time: e.RecordedAt,
		DataContentType: "application/json", Sequence: e.Position, StreamVersion: version(e.Version),
		Actor: e.Actor.ID, ActorRole: e.Actor.Role, OnBehalfOf: e.Actor.OnBehalfOf,
		Correlation: e.Correlation, Causation: e.Causation, Data: e.Data,
	}
}

// timestamp is UTC with microseconds, as precise as the log keeps it, always as long.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
