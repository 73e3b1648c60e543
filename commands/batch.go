package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"rentbook/domain"
	"rentbook/eventstore"
)

// batchMax is how many facts are recorded together: the log syncs once for all of them.
const batchMax = 1000

// batch decides on many nouns one after the other, each on what those before it amount to, and
// records the facts of all together, in order. It is for imports: one goroutine, one batch.
type batch struct {
	h       *Handler
	staged  []staged
	pending map[eventstore.Stream]*pending
	seen    map[eventstore.Stream]bool // read from the log since the batch began
}

// pending is a stream with facts that are not in the log yet.
type pending struct {
	base  uint64
	state weighed
	facts []eventstore.Named // after base
}

// staged is one noun's facts on their way into the log.
type staged struct {
	row     row
	meta    Meta
	stream  eventstore.Stream
	after   uint64
	command uuid.UUID
	facts   []eventstore.Named
	again   func(context.Context) (Receipt, error) // decide by itself, on the log as it is then
}

func newBatch(h *Handler) *batch {
	return &batch{h: h, pending: map[eventstore.Stream]*pending{}, seen: map[eventstore.Stream]bool{}}
}

func (b *batch) full() bool { return len(b.staged) >= batchMax }

// stage decides on a noun and keeps what the decision says for the next flush.
func stage[S state[S, E], E eventstore.Named, A noun[S, E]](
	ctx context.Context, b *batch, r row, m Meta, t target, decision func(S, A) ([]E, error), about A,
) error {
	v, err := considerIn(ctx, b, m, t, decision, about)
	if err != nil {
		return err
	}
	if len(v.facts) == 0 {
		return nil
	}
	s, err := stateIn[S, E](ctx, b, t.stream)
	if err != nil {
		return err
	}
	waiting, ok := b.pending[t.stream]
	if !ok {
		waiting = &pending{base: s.Version()}
		b.pending[t.stream] = waiting
	}
	item := staged{
		row: r, meta: m, stream: t.stream, after: s.Version(), command: t.commandAt(s.Version(), m.Expect),
		again: func(ctx context.Context) (Receipt, error) { return decide(ctx, b.h, m, t, decision, about) },
	}
	for _, fact := range v.facts {
		s = s.Apply(fact)
		item.facts = append(item.facts, fact)
		waiting.facts = append(waiting.facts, fact)
	}
	waiting.state = s
	b.staged = append(b.staged, item)
	return nil
}

// considerIn is the verdict on a noun, given all that is staged.
func considerIn[S state[S, E], E eventstore.Named, A noun[S, E]](
	ctx context.Context, b *batch, m Meta, t target, decision func(S, A) ([]E, error), about A,
) (verdict[E], error) {
	s, err := stateIn[S, E](ctx, b, t.stream)
	if err != nil {
		return verdict[E]{}, err
	}
	return judge(s, m, t, decision, about, func(version uint64) (fact E, err error) {
		if p := b.pending[t.stream]; p != nil && version > p.base {
			fact, _ = p.facts[version-p.base-1].(E)
			return fact, nil
		}
		return factAt[E](ctx, b.h, t.stream, version)
	})
}

// stateIn is the state of a stream with all that is staged. Each stream is read from the log once
// in an import: what is remembered from before may be out of date, and a refusal must not be.
func stateIn[S state[S, E], E eventstore.Named](ctx context.Context, b *batch, stream eventstore.Stream) (S, error) {
	if p := b.pending[stream]; p != nil {
		s, _ := p.state.(S)
		return s, nil
	}
	s, current, err := load[S, E](ctx, b.h, stream)
	if err == nil && !current && !b.seen[stream] {
		s, err = refresh[S, E](ctx, b.h, stream, s)
	}
	b.seen[stream] = true
	return s, err
}

// flush records what is staged, in order, and answers the items that must be decided again because
// somebody else appended to their stream.
func (b *batch) flush(ctx context.Context) (again []staged, err error) {
	if len(b.staged) == 0 {
		return nil, nil
	}
	appends, err := b.encode(ctx)
	if errors.Is(err, eventstore.ErrErased) { // one by one, each is refused or recorded for itself
		again = slices.Clone(b.staged)
		b.staged = b.staged[:0]
		clear(b.pending)
		return again, nil
	}
	if err != nil {
		return nil, err
	}
	for i, outcome := range b.h.Store.AppendEach(ctx, appends) {
		item := b.staged[i]
		switch {
		case outcome.Err == nil && !outcome.Commit.Repeated:
		case outcome.Err == nil, errors.Is(outcome.Err, eventstore.ErrConflict):
			b.h.states.forget(item.stream)
			delete(b.pending, item.stream)
			again = append(again, item)
		default:
			return nil, fmt.Errorf("append to %s: %w", item.stream, outcome.Err)
		}
	}
	for stream, p := range b.pending {
		b.h.states.put(stream, p.state)
	}
	b.staged = b.staged[:0]
	clear(b.pending)
	return again, nil
}

// encode seals and writes all facts, on every processor there is.
func (b *batch) encode(ctx context.Context) ([]eventstore.Append, error) {
	var keys []string
	for _, item := range b.staged {
		for _, fact := range item.facts {
			if key := eventstore.Key(item.stream, fact); key != "" {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	if err := b.h.Codec.EnsureKeys(ctx, slices.Compact(keys)...); err != nil {
		return nil, fmt.Errorf("make keys: %w", err)
	}
	appends := make([]eventstore.Append, len(b.staged))
	var group errgroup.Group
	share := len(b.staged)/runtime.GOMAXPROCS(0) + 1
	for part := range slices.Chunk(indices(len(b.staged)), share) {
		group.Go(func() error {
			for _, i := range part {
				var err error
				if appends[i], err = b.h.appendOf(b.staged[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return appends, group.Wait()
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func (h *Handler) appendOf(item staged) (eventstore.Append, error) {
	a := eventstore.Append{Stream: item.stream, After: eventstore.Version(item.after)}
	for i, fact := range item.facts {
		proposed, err := h.propose(item.meta, item.stream, item.command, i, fact)
		if err != nil {
			return a, err
		}
		a.Events = append(a.Events, proposed)
	}
	return a, nil
}

// DifferentError is another body under a known id. Recorded shows what is known, without what is
// personal.
type DifferentError struct{ Recorded string }

func (e *DifferentError) Error() string { return domain.ErrDifferent.Error() }

// Unwrap is the refusal.
func (e *DifferentError) Unwrap() error { return domain.ErrDifferent }

// different is the refusal of a body that is not the recorded one.
func different(recorded eventstore.Named) error {
	data, err := json.Marshal(recorded)
	if err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return err
	}
	if personal, ok := recorded.(eventstore.Personal); ok {
		_, names := personal.Personal()
		for _, name := range names {
			delete(fields, name)
		}
	}
	var shown []string
	for name, value := range fields {
		shown = append(shown, name+" "+strings.Trim(string(value), `"`))
	}
	slices.Sort(shown)
	return &DifferentError{Recorded: strings.Join(shown, ", ")}
}
