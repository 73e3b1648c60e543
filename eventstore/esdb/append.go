package esdb

import (
	"context"
	"errors"
	"fmt"
	"io"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"rentbook/eventstore"
)

// Bounds of one append. A server takes 1 MiB unless told otherwise, and counts each event's data,
// metadata and type (two bytes a letter). It must not be left to the server to refuse more: it ends
// the call while the client still sends, and the client then loses the reason.
const (
	eventsMax = 4000
	bytesMax  = 1<<20 - 16<<10
)

// Append records events right after a version, all or none. An attempt whose answer was lost is
// repeated until it is known what became of it, or the log's patience or the context ends; that is
// ErrUnknownOutcome then, together with the context's error. ErrUnavailable says that nothing was
// ever sent.
func (l *Log) Append(
	ctx context.Context, s eventstore.Stream, after eventstore.Version, events ...eventstore.Proposed,
) (eventstore.Commit, error) {
	moved := make([]Moved, len(events))
	for i, e := range events {
		moved[i].Proposed = e
	}
	return l.AppendMoved(ctx, s, after, moved)
}

// request is one append on its way to the server.
type request struct {
	log    *Log
	stream eventstore.Stream
	name   string
	after  eventstore.Version
	events []es.EventData
	token  uuid.UUID // of this call

	doubtful bool // an attempt did not say what became of it
	recorded bool // an attempt did
	cut      bool // an attempt was ended by the server while events were still being sent
}

func (l *Log) newRequest(s eventstore.Stream, after eventstore.Version, events []Moved) (*request, error) {
	if err := l.check(s, events); err != nil {
		return nil, fmt.Errorf("append to %s: %w", s, err)
	}
	r := &request{
		log: l, stream: s, name: l.scope.name(s), after: after, events: make([]es.EventData, len(events)),
		token: uuid.New(), //nolint:forbidigo // tells this call from every other; no event's id depends on it
	}
	bytes := 0
	for i, e := range events {
		data, err := encode(e, r.token)
		if err != nil {
			return nil, err
		}
		r.events[i] = data
		bytes += len(data.Data) + len(data.Metadata) + 2*len(data.EventType)
	}
	if len(events) > eventsMax || bytes > bytesMax {
		return nil, fmt.Errorf("append to %s: %w: %d events of %d bytes, of at most %d and %d",
			s, eventstore.ErrTooLarge, len(events), bytes, eventsMax, bytesMax)
	}
	return r, nil
}

var (
	errNameless   = errors.New("an event without id or type")
	errTwice      = errors.New("two events with the same id")
	errNoStream   = errors.New("want a category, a dash and an id")
	errNotOfScope = errors.New("its category is not one of the log's")
)

func (l *Log) check(s eventstore.Stream, events []Moved) error {
	ids := make(map[uuid.UUID]bool, len(events))
	for _, e := range events {
		if e.ID == uuid.Nil || e.Type == "" {
			return errNameless
		}
		if ids[e.ID] {
			return errTwice // the server would take one of them for a repetition
		}
		ids[e.ID] = true
	}
	switch {
	case len(events) == 0:
		return eventstore.ErrEmpty
	case s.Category() == "" || s.ID() == "":
		return errNoStream
	case !l.scope.has(s):
		return errNotOfScope
	}
	return nil
}

// carryOut tries until it is known what became of the events.
func (r *request) carryOut(ctx context.Context) (commit eventstore.Commit, err error) {
	if err := ctx.Err(); err != nil {
		return eventstore.Commit{}, r.failed(ctx, err)
	}
	patient, cancel := r.log.patient(ctx)
	defer cancel()
	err = r.log.persist(patient, func(ctx context.Context, c *connection) (err error) {
		commit, err = r.try(ctx, c)
		return err
	})
	if err != nil {
		return eventstore.Commit{}, r.failed(ctx, err)
	}
	r.log.known.raise(commit.Position)
	return commit, nil
}

func (r *request) try(ctx context.Context, c *connection) (eventstore.Commit, error) {
	if !r.recorded {
		err := r.send(ctx, c)
		if judge(err) == conflicting {
			return r.examine(ctx, c)
		}
		if err != nil {
			return eventstore.Commit{}, err
		}
		r.recorded = true
	}
	return r.settle(ctx, c)
}

// send makes one attempt. All attempts are the same to the last byte.
func (r *request) send(ctx context.Context, c *connection) error {
	_, sent, err := ask(ctx, c, appendMax, func(q *question) (*es.WriteResult, error) {
		return q.client.AppendToStream(q, r.name, es.AppendToStreamOptions{ExpectedRevision: expected(r.after)}, r.events...)
	})
	if sent && judge(err) == unknown {
		r.doubtful = true
		r.cut = errors.Is(err, io.EOF)
	}
	return err
}

// settle reads the last of the events that were recorded. What an append answers does not say
// whether they stood there before, nor where.
func (r *request) settle(ctx context.Context, c *connection) (eventstore.Commit, error) {
	at := behind(r.after) + uint64(len(r.events)) - 1
	last, err := readSome(ctx, c, r.name, at, 1)
	switch {
	case err != nil:
		return eventstore.Commit{}, err
	case len(last) == 0:
		return eventstore.Commit{}, errBehind
	case last[0].EventNumber != at:
		return eventstore.Commit{}, gap(r.name, at, last[0].EventNumber)
	case last[0].EventID != r.events[len(r.events)-1].EventID:
		return eventstore.Commit{}, fmt.Errorf("%w: version %d of %s is event %s, where the server said it has recorded %s",
			errDamaged, versionOf(at), r.stream, last[0].EventID, r.events[len(r.events)-1].EventID)
	}
	return r.commit(last[0])
}

// commit is where the append ended, at an event that has the id of its last.
func (r *request) commit(last *es.RecordedEvent) (eventstore.Commit, error) {
	event, origin, err := r.log.scope.decode(last)
	if err != nil {
		return eventstore.Commit{}, err
	}
	return eventstore.Commit{
		Version: event.Version, Position: event.Position, Repeated: origin.append != r.token,
	}, nil
}

// examine finds out what stands where the events were to go: they themselves, by an attempt whose
// answer was lost, or those of somebody else. The server compares ids, too, so that a conflict is
// one even after an attempt in doubt; this is for the server that has forgotten.
func (r *request) examine(ctx context.Context, c *connection) (eventstore.Commit, error) {
	there, err := readSome(ctx, c, r.name, behind(r.after), uint64(len(r.events)))
	if err != nil {
		return eventstore.Commit{}, err
	}
	if len(there) > 0 && there[0].EventNumber != behind(r.after) {
		return eventstore.Commit{}, gap(r.name, behind(r.after), there[0].EventNumber)
	}
	same := 0
	for same < len(there) && there[same].EventID == r.events[same].EventID {
		same++
	}
	if same == len(r.events) {
		return r.commit(there[same-1])
	}
	got, err := readVersion(ctx, c, r.name)
	switch {
	case err != nil:
		return eventstore.Commit{}, err
	case got == r.after:
		return eventstore.Commit{}, errBehind // there must be something in the way
	}
	return eventstore.Commit{}, &eventstore.ConflictError{Stream: r.stream, Want: r.after, Got: got}
}

// failed says what is known of the events when they could not be appended.
func (r *request) failed(ctx context.Context, err error) error {
	what := fmt.Sprintf("append to %s", r.stream)
	switch {
	case errors.Is(err, eventstore.ErrConflict):
		return err
	case !r.doubtful && !r.recorded || errors.Is(err, errDamaged):
		return r.log.failed(ctx, what, err)
	}
	text := r.log.health.clean(reason(err))
	if r.cut {
		text += " (the server ended the calls while events were still being sent: does its MaxAppendSize allow for them?)"
	}
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s: %w: %s: %w", what, eventstore.ErrUnknownOutcome, text, ended)
	}
	return fmt.Errorf("%s: %w: %s", what, eventstore.ErrUnknownOutcome, text)
}
