package http

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"iter"

	"rentbook/eventstore"
	"rentbook/projections"
)

const (
	typeJSON        = "application/json"
	typeLines       = "application/x-ndjson"
	typeCloudEvents = "application/cloudevents-batch+json"
)

type getStream struct {
	Stream string `path:"stream" example:"rentAccount-T1001"`
}

// stream writes every event of one stream, straight from the log.
func (s *Server) stream(c *call, q *getStream) error {
	mediaType, ok := negotiate(c.r.Header, typeJSON, typeLines, typeCloudEvents)
	if !ok {
		return errNoFormat
	}
	c.Header()["Vary"] = []string{"Accept"}
	head, err := s.Log.Head(c.r.Context())
	if err != nil {
		return err
	}
	c.at(head)
	out := c.events(mediaType)
	for recorded, err := range s.Store.Read(c.r.Context(), eventstore.Stream(q.Stream), 0) {
		if err == nil {
			err = out.write(recorded)
		}
		if err != nil {
			return err
		}
	}
	if out.written == 0 {
		return projections.ErrNotFound
	}
	return out.close()
}

type listEvents struct {
	After  string `query:"after" doc:"Events after this position; from the first unless given" example:"1042"`
	Stream string `query:"stream" doc:"Of this stream; ending in a dash, of this category" example:"rentAccount-T1001"`
	Type   string `query:"type" example:"rent.payment-received.v1"`
	Actor  string `query:"actor" doc:"The id of a token or program" example:"cli"`
	From   string `query:"from" doc:"Recorded at or after this RFC 3339 time"`
	To     string `query:"to" doc:"Recorded before this RFC 3339 time"`
	Limit  int    `query:"limit" minimum:"1" doc:"At most so many; all up to the head unless given"`
}

// query is what the views are asked.
func (q *listEvents) query() (asked projections.EventQuery, err error) {
	asked = projections.EventQuery{Stream: q.Stream, Type: q.Type, Actor: q.Actor}
	if q.After != "" {
		if asked.After, err = eventstore.ParsePosition(q.After); err != nil {
			return asked, invalid("query.after", "is not a position: N or N-N")
		}
	}
	if asked.From, err = instant("from", q.From); err != nil {
		return asked, err
	}
	asked.To, err = instant("to", q.To)
	return asked, err
}

// auditEvents writes the log up to its head, or what of it was asked for.
func (s *Server) auditEvents(c *call, q *listEvents) error {
	asked, err := q.query()
	if err != nil {
		return err
	}
	mediaType, ok := negotiate(c.r.Header, typeLines, typeJSON, typeCloudEvents)
	if !ok {
		return errNoFormat
	}
	c.Header()["Vary"] = []string{"Accept"}
	found, err := s.eventsOf(c, asked)
	if err != nil {
		return err
	}
	out := c.events(mediaType)
	for recorded, err := range found {
		if err == nil {
			err = out.write(recorded)
		}
		if err != nil {
			return err
		}
		if out.written == q.Limit {
			break
		}
	}
	return out.close()
}

// eventsOf reads the log itself when everything is asked for, and goes by the index otherwise. It
// ends where the log or the index ended when it was asked.
func (s *Server) eventsOf(c *call, asked projections.EventQuery) (iter.Seq2[eventstore.Recorded, error], error) {
	ctx := c.r.Context()
	if asked == (projections.EventQuery{After: asked.After}) {
		head, err := s.Log.Head(ctx)
		c.at(head)
		return eventstore.ReadTo(ctx, s.Log, asked.After, head), err
	}
	var last eventstore.Position
	err := s.Views.Read(ctx, func(v *projections.Reader) error {
		last = v.Position()
		return nil
	})
	c.at(last)
	return s.indexed(ctx, asked, last), err
}

// indexMax is how many positions are taken from the index at a time.
const indexMax = 1000

func (s *Server) indexed(
	ctx context.Context, asked projections.EventQuery, last eventstore.Position,
) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		asked.Limit = indexMax
		for {
			var positions []eventstore.Position
			err := s.Views.Read(ctx, func(v *projections.Reader) (err error) {
				positions, err = v.Events(asked)
				return err
			})
			for recorded, err := range eventsAt(ctx, s.Log, positions, err) {
				if err == nil && recorded.Position.Compare(last) > 0 {
					return
				}
				if !yield(recorded, err) || err != nil {
					return
				}
			}
			if len(positions) < indexMax {
				return
			}
			asked.After = positions[len(positions)-1]
		}
	}
}

var errNotThere = errors.New("the log does not have an event that a view names")

// eventsAt reads the events at some positions, neighbours in one go.
func eventsAt(
	ctx context.Context, log eventstore.Log, positions []eventstore.Position, err error,
) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		if err != nil {
			yield(eventstore.Recorded{}, err)
			return
		}
		for len(positions) > 0 {
			first := positions[0]
			for recorded, err := range log.Follow(ctx, before(first)) {
				if err == nil && recorded.Position != positions[0] {
					break // a gap
				}
				positions = positions[1:]
				if !yield(recorded, err) || err != nil {
					return
				}
				if len(positions) == 0 {
					return
				}
			}
			if positions[0] == first {
				yield(eventstore.Recorded{}, errNotThere)
				return
			}
		}
	}
}

// before is a position right before another, so that following it begins with that one.
func before(p eventstore.Position) eventstore.Position {
	if p.Prepare == p.Commit {
		return eventstore.PositionAt(p.Commit - 1)
	}
	p.Prepare--
	return p
}

// events writes recorded events in one of the types.
type events struct {
	out     *bufio.Writer
	encoder *json.Encoder
	kind    string
	log     string
	written int
}

func (c *call) events(mediaType string) *events {
	c.Header()["Content-Type"] = []string{mediaType}
	const gathered = 32 << 10 // an error before that much is still a problem, not a cut connection
	out := bufio.NewWriterSize(&patient{Writer: c, c: c}, gathered)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return &events{out: out, encoder: encoder, kind: mediaType, log: c.s.LogID}
}

// write writes one event, on a line of its own.
func (e *events) write(r eventstore.Recorded) error {
	separator := ""
	switch {
	case e.kind == typeLines:
	case e.written == 0:
		separator = "["
	default:
		separator = ","
	}
	e.written++
	if _, err := e.out.WriteString(separator); err != nil {
		return err
	}
	if e.kind == typeCloudEvents {
		line, err := r.CloudEvent(e.log)
		if err != nil {
			return err
		}
		return e.encoder.Encode(json.RawMessage(line))
	}
	return e.encoder.Encode(r)
}

// close writes what an array ends with. What ends without it is not whole.
func (e *events) close() error {
	if e.kind != typeLines {
		end := "]\n"
		if e.written == 0 {
			end = "[]\n"
		}
		if _, err := e.out.WriteString(end); err != nil {
			return err
		}
	}
	return e.out.Flush()
}

func isNotFound(err error) bool { return errors.Is(err, projections.ErrNotFound) }
