package eventstore

import "encoding/json"

// TimeFormat is how times are written everywhere: RFC 3339 in UTC, to the microsecond, of one
// width.
const TimeFormat = "2006-01-02T15:04:05.000000Z"

// shown is an event as people and programs outside see it.
type shown struct {
	Position    string          `json:"position"`
	Stream      Stream          `json:"stream"`
	Version     Version         `json:"version"`
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	RecordedAt  string          `json:"recorded_at"`
	Actor       shownActor      `json:"actor"`
	Correlation string          `json:"correlation"`
	Causation   string          `json:"causation"`
	Data        json.RawMessage `json:"data"`
}

type shownActor struct {
	Actor
	Authority string `json:"authority,omitempty"`
}

// MarshalJSON writes an event as it is shown wherever it is shown. Sealed fields stay as they are
// stored.
func (r Recorded) MarshalJSON() ([]byte, error) {
	return json.Marshal(shown{
		Position:    r.Position.String(),
		Stream:      r.Stream,
		Version:     r.Version,
		ID:          r.ID.String(),
		Type:        r.Type,
		RecordedAt:  r.At.UTC().Format(TimeFormat),
		Actor:       shownActor{Actor: r.Metadata.Actor, Authority: r.Metadata.Authority},
		Correlation: r.Metadata.Correlation.String(),
		Causation:   r.Metadata.Causation.String(),
		Data:        r.Data,
	})
}

// cloudEvent is an event in the JSON format of CloudEvents 1.0. What has no attribute there is an
// extension attribute; the sequence is the position.
type cloudEvent struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         Stream          `json:"subject"`
	Time            string          `json:"time"`
	DataContentType string          `json:"datacontenttype"`
	Sequence        string          `json:"sequence"`
	StreamVersion   Version         `json:"streamversion"`
	ActorID         string          `json:"actorid"`
	ActorRole       string          `json:"actorrole"`
	OnBehalfOf      string          `json:"onbehalfof,omitempty"`
	Authority       string          `json:"authority,omitempty"`
	Correlation     string          `json:"correlation"`
	Causation       string          `json:"causation"`
	Data            json.RawMessage `json:"data"`
}

// CloudEvent writes the event in the JSON format of CloudEvents 1.0, with the log as its source.
func (r Recorded) CloudEvent(log string) ([]byte, error) {
	return json.Marshal(cloudEvent{
		SpecVersion:     "1.0",
		ID:              r.ID.String(),
		Source:          "urn:uuid:" + log,
		Type:            r.Type,
		Subject:         r.Stream,
		Time:            r.At.UTC().Format(TimeFormat),
		DataContentType: "application/json",
		Sequence:        r.Position.String(),
		StreamVersion:   r.Version,
		ActorID:         r.Metadata.Actor.ID,
		ActorRole:       r.Metadata.Actor.Role,
		OnBehalfOf:      r.Metadata.Actor.OnBehalfOf,
		Authority:       r.Metadata.Authority,
		Correlation:     r.Metadata.Correlation.String(),
		Causation:       r.Metadata.Causation.String(),
		Data:            r.Data,
	})
}
