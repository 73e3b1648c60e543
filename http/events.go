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
	Authority  string `json:"authority,omitempty" doc:"The file, rule or decision relied on"`
}

// eventOf describes the same JSON that eventstore.Recorded writes of itself.
func eventOf(r eventstore.Recorded) event {
	by := r.Metadata.Actor
	return event{
		Position: r.Position.String(), Stream: string(r.Stream), Version: uint64(r.Version), ID: r.ID.String(),
		Type: r.Type, RecordedAt: timestamp(r.At),
		Actor:       actor{ID: by.ID, Role: by.Role, OnBehalfOf: by.OnBehalfOf, Authority: r.Metadata.Authority},
		Correlation: r.Metadata.Correlation.String(), Causation: r.Metadata.Causation.String(), Data: r.Data,
	}
}

// timestamp is UTC with microseconds, as precise as the log keeps it, always as long.
func timestamp(t time.Time) string { return t.UTC().Format(eventstore.TimeFormat) }
