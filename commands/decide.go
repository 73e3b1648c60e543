package commands

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"rentbook/domain"
	"rentbook/eventstore"
)

// namespace is that of all ids derived here. It never changes: ids of events depend on it.
var namespace = uuid.MustParse("5f0c8a1e-6f0b-5d52-9c39-2f8a4b7d1e60") //nolint:gochecknoglobals // a constant

// state is what a stream's history amounts to.
type state[S state[S, E], E any] interface {
	domain.State[S, E]
	Version() uint64
	Weight() int
}

// noun is what a decision is about. It knows at which versions a state has it recorded, oldest
// first, and whether a fact says the same.
type noun[S any, E any] interface {
	Recorded(S) []uint64
	Matches(E) bool
}

// target is where a command's noun belongs.
type target struct {
	stream     eventstore.Stream
	kind       string
	id         domain.ID
	changeable bool // money never changes; properties, tenancies, tenants, terms and calendars do
	repeatable bool // may be decided any number of times: each version decided at is another command
}

// command is the id of carrying this out, the same whenever and by whomever it is asked again:
// UUIDv5 of (stream, kind, id), and for a change also the version it is a change to.
func (t target) command(expect *uint64) uuid.UUID {
	name := string(t.stream) + "\n" + t.kind + "\n" + string(t.id)
	if expect != nil && t.changeable {
		name += "\n" + strconv.FormatUint(*expect, 10)
	}
	return uuid.NewSHA1(namespace, []byte(name))
}

// commandAt is the command decided at a version of the stream.
func (t target) commandAt(version uint64, expect *uint64) uuid.UUID {
	command := t.command(expect)
	if t.repeatable {
		return uuid.NewSHA1(command, []byte("at "+strconv.FormatUint(version, 10)))
	}
	return command
}

// attemptsMax bounds how often a decision starts over because somebody else was faster.
const attemptsMax = 3

// decide reads a stream, lets the decision look at what it amounts to, and records what the
// decision says. What was recorded before is answered as it was the first time. When someone else
// was faster it starts over, unless the caller insisted on a version of the stream.
func decide[S state[S, E], E eventstore.Named, A noun[S, E]](
	ctx context.Context, h *Handler, m Meta, t target, decision func(S, A) ([]E, error), about A,
) (Receipt, error) {
	defer h.streams.lock(t.stream).Unlock()
	for attempt := 1; ; attempt++ {
		receipt, err := decideOnce(ctx, h, m, t, decision, about)
		if !errors.Is(err, eventstore.ErrConflict) || attempt == attemptsMax {
			return receipt, err
		}
		h.states.forget(t.stream)
	}
}

func decideOnce[S state[S, E], E eventstore.Named, A noun[S, E]](
	ctx context.Context, h *Handler, m Meta, t target, decision func(S, A) ([]E, error), about A,
) (Receipt, error) {
	s, v, err := consider(ctx, h, m, t, decision, about)
	switch {
	case err != nil:
		return Receipt{}, err
	case len(v.facts) == 0:
		return replayed(ctx, h, t.stream, v.recorded)
	}
	return record(ctx, h, m, t, s, v.facts)
}

// replayed is the receipt of the command whose first fact is at a version: where its last one is, as
// it was answered the first time.
func replayed(ctx context.Context, h *Handler, stream eventstore.Stream, version uint64) (Receipt, error) {
	receipt := Receipt{Version: version, Replayed: true}
	var command uuid.UUID
	for recorded, err := range h.Store.Read(ctx, stream, eventstore.Version(max(version, 1)-1)) {
		if err != nil {
			return receipt, fmt.Errorf("read %s at %d: %w", stream, version, err)
		}
		if command != uuid.Nil && recorded.Metadata.Command != command {
			return receipt, nil
		}
		command = recorded.Metadata.Command
		receipt.Position, receipt.Version = recorded.Position, uint64(recorded.Version)
	}
	if command == uuid.Nil {
		return receipt, fmt.Errorf("read %s at %d: there is no such event", stream, version)
	}
	return receipt, nil
}

// consider is the verdict on a noun, and the state it is about. A state that was remembered may be
// behind the log, so the log is asked again before anything is refused or found needless.
func consider[S state[S, E], E eventstore.Named, A noun[S, E]](
	ctx context.Context, h *Handler, m Meta, t target, decision func(S, A) ([]E, error), about A,
) (S, verdict[E], error) {
	factAt := func(version uint64) (E, error) { return factAt[E](ctx, h, t.stream, version) }
	s, current, err := load[S, E](ctx, h, t.stream)
	if err != nil {
		return s, verdict[E]{}, err
	}
	v, err := judge(s, m, t, decision, about, factAt)
	if !current && (refused(err) || err == nil && v.nothing()) {
		if s, err = refresh[S, E](ctx, h, t.stream, s); err != nil {
			return s, verdict[E]{}, err
		}
		v, err = judge(s, m, t, decision, about, factAt)
	}
	return s, v, err
}

// verdict is either facts to record or the version at which they have been recorded.
type verdict[E any] struct {
	recorded uint64
	facts    []E
	decided  bool // by the decision; otherwise what is recorded was recognised
}

// nothing says that the decision saw nothing to record.
func (v verdict[E]) nothing() bool { return v.decided && len(v.facts) == 0 }

// judge says what is to be done about a noun, given a state. factAt reads one recorded fact.
func judge[S state[S, E], E eventstore.Named, A noun[S, E]](
	s S, m Meta, t target, decision func(S, A) ([]E, error), about A, factAt func(uint64) (E, error),
) (verdict[E], error) {
	known := about.Recorded(s)
	candidate, otherwise := uint64(0), error(nil)
	switch {
	case len(known) > 0 && (m.Expect == nil || !t.changeable):
		candidate, otherwise = known[0], domain.ErrDifferent // the first body again, or another one
	case m.Expect != nil && t.changeable:
		candidate, otherwise = changed(known, *m.Expect)
	case m.Expect != nil && *m.Expect != s.Version():
		return verdict[E]{}, domain.ErrStale
	}
	if candidate > 0 {
		fact, err := factAt(candidate)
		if err != nil {
			return verdict[E]{}, err
		}
		if about.Matches(fact) {
			return verdict[E]{recorded: candidate}, nil
		}
		if otherwise == domain.ErrDifferent { //nolint:errorlint // the sentinel itself, from above
			otherwise = different(fact)
		}
	}
	if otherwise != nil {
		return verdict[E]{}, otherwise
	}
	facts, err := decision(s, about)
	return verdict[E]{recorded: s.Version(), facts: facts, decided: true}, err
}

// changed says which recorded fact a change to the version expected would be a repetition of, and
// what it is otherwise: nil if the version is the current one, so that there is a change to record.
func changed(known []uint64, expected uint64) (candidate uint64, otherwise error) {
	for i, version := range known {
		switch {
		case version != expected:
		case i == len(known)-1:
			return version, nil
		default:
			return known[i+1], domain.ErrStale
		}
	}
	return 0, domain.ErrStale
}

func refused(err error) bool {
	_, ok := errors.AsType[*domain.Refusal](err)
	return ok
}

// load is the state of a stream. Only a stream that is not remembered is read; current says whether
// it was.
func load[S state[S, E], E eventstore.Named](
	ctx context.Context, h *Handler, stream eventstore.Stream,
) (s S, current bool, err error) {
	if known, ok := h.states.get(stream); ok {
		if s, ok = known.(S); ok {
			return s, false, nil
		}
	}
	s, err = refresh[S, E](ctx, h, stream, s)
	return s, true, err
}

// refresh folds what has been recorded since.
func refresh[S state[S, E], E eventstore.Named](
	ctx context.Context, h *Handler, stream eventstore.Stream, s S,
) (S, error) {
	for recorded, err := range h.Store.Read(ctx, stream, eventstore.Version(s.Version())) {
		if err != nil {
			return s, fmt.Errorf("read %s: %w", stream, err)
		}
		fact, err := eventstore.Decode[E](ctx, h.Codec, recorded)
		if err != nil {
			return s, err
		}
		s = s.Apply(fact)
	}
	if s.Version() > 0 {
		h.states.put(stream, s)
	}
	return s, nil
}

// record appends facts to the stream whose state is s.
func record[S state[S, E], E eventstore.Named](
	ctx context.Context, h *Handler, m Meta, t target, s S, facts []E,
) (Receipt, error) {
	command := t.commandAt(s.Version(), m.Expect)
	proposed := make([]eventstore.Proposed, len(facts))
	for i, fact := range facts {
		if err := h.ensureKey(ctx, t.stream, fact); err != nil {
			return Receipt{}, err
		}
		var err error
		if proposed[i], err = h.propose(m, t.stream, command, i, fact); err != nil {
			return Receipt{}, err
		}
	}
	commit, err := h.Store.Append(ctx, t.stream, eventstore.Version(s.Version()), proposed...)
	if err != nil {
		return Receipt{}, fmt.Errorf("append to %s: %w", t.stream, err)
	}
	if commit.Repeated { // by an attempt whose answer was lost, or by somebody else: perhaps with another body
		return Receipt{}, fmt.Errorf("append to %s: recorded before: %w", t.stream, eventstore.ErrConflict)
	}
	for _, fact := range facts {
		s = s.Apply(fact)
	}
	h.states.put(t.stream, s)
	return Receipt{Position: commit.Position, Version: uint64(commit.Version)}, nil
}

func (h *Handler) ensureKey(ctx context.Context, stream eventstore.Stream, fact eventstore.Named) error {
	key := eventstore.Key(stream, fact)
	if key == "" {
		return nil
	}
	switch err := h.Codec.EnsureKeys(ctx, key); {
	case errors.Is(err, eventstore.ErrErased):
		return ErrErased
	case err != nil:
		return fmt.Errorf("make the key of %s: %w", stream.Category(), err)
	}
	return nil
}

// ErrErased is a fact about somebody whose personal data has been erased: it could not be sealed.
var ErrErased = &domain.Refusal{
	Class: domain.Conflicting, Code: "erased", Reason: "has been erased; nothing personal can be recorded any more",
}

// propose is a fact on its way into the log. Its id follows from the command and its place among
// the command's facts.
func (h *Handler) propose(
	m Meta, stream eventstore.Stream, command uuid.UUID, index int, fact eventstore.Named,
) (eventstore.Proposed, error) {
	id := uuid.NewSHA1(command, []byte(strconv.Itoa(index)))
	data, err := h.Codec.Encode(stream, id, fact)
	if err != nil {
		return eventstore.Proposed{}, err
	}
	return eventstore.Proposed{
		ID: id, Type: fact.EventType(), Data: data,
		Metadata: eventstore.Metadata{
			Command:     command,
			Correlation: orElse(m.Correlation, command),
			Causation:   orElse(m.Causation, command),
			Actor:       eventstore.Actor{ID: m.Actor.ID, Role: string(m.Actor.Role), OnBehalfOf: m.Actor.OnBehalfOf},
			Authority:   m.Authority,
		},
	}, nil
}

func orElse(id, other uuid.UUID) uuid.UUID {
	if id == uuid.Nil {
		return other
	}
	return id
}

// readOne is the event at a version.
func readOne(ctx context.Context, h *Handler, stream eventstore.Stream, version uint64) (eventstore.Recorded, error) {
	for recorded, err := range h.Store.Read(ctx, stream, eventstore.Version(version-1)) {
		if err != nil {
			return recorded, fmt.Errorf("read %s at %d: %w", stream, version, err)
		}
		return recorded, nil
	}
	return eventstore.Recorded{}, fmt.Errorf("read %s at %d: there is no such event", stream, version)
}

// factAt is the fact recorded at a version.
func factAt[E eventstore.Named](ctx context.Context, h *Handler, stream eventstore.Stream, version uint64) (fact E, err error) {
	recorded, err := readOne(ctx, h, stream, version)
	if err != nil {
		return fact, err
	}
	return eventstore.Decode[E](ctx, h.Codec, recorded)
}
