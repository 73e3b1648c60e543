package projections

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"rentbook/eventstore"
)

var _ message.Subscriber = (*subscriber)(nil)

// batchEvents bounds a live batch: its transaction is some milliseconds.
const batchEvents = 500

// Under load a batch lingers for company: a page that several events change is written once for all
// of them. Not when the last batch was smaller than busyEvents, and not while a reader waits.
const (
	busyEvents = 16
	lingerMax  = 30 * time.Millisecond
)

// ahead is how many decoded events wait for the handler.
const ahead = 2 * batchEvents

// subscriber is Watermill's way to the log. One message is one ordered batch, which travels in the
// message's context; the next is sent only when it has been acknowledged, since Watermill's router
// starts a goroutine for each and would not keep their order. What is not acknowledged comes again,
// after a pause, from wherever the checkpoint is by then.
type subscriber struct {
	feed    feed
	log     eventstore.Log
	codec   *eventstore.Codec
	awaited *awaited
	pause   backOff
	logger  *slog.Logger

	life context.Context //nolint:containedctx // ends with Close
	end  context.CancelFunc
	work sync.WaitGroup
}

func (v *Views) subscriber(f feed) *subscriber {
	s := &subscriber{
		feed: f, log: v.config.Log, codec: v.config.Codec, awaited: &v.awaited, pause: v.pause, logger: v.config.Logger,
	}
	s.life, s.end = context.WithCancel(context.Background()) //nolint:forbidigo // Subscribe brings the caller's
	return s
}

// Subscribe starts the feed. The topic plays no part.
func (s *subscriber) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.life, cancel)
	out := make(chan *message.Message)
	s.work.Go(func() {
		defer close(out)
		defer cancel()
		defer stop()
		s.run(ctx, out)
	})
	return out, nil
}

// Close ends all subscriptions and waits for them.
func (s *subscriber) Close() error {
	s.end()
	s.work.Wait()
	return nil
}

// run starts a session after the other until the context ends.
func (s *subscriber) run(ctx context.Context, out chan<- *message.Message) {
	for failures := 0; ctx.Err() == nil; {
		delivered, err := s.session(ctx, out)
		switch {
		case ctx.Err() != nil:
			return
		case delivered:
			failures = 0
		}
		if err == nil {
			continue
		}
		failures++
		s.logger.Warn("views: a feed starts again", "feed", s.feed.name(), "failures", failures)
		if s.pause.wait(ctx, failures) != nil {
			return
		}
	}
}

// errNacked is a message that the handler could not carry out.
var errNacked = errors.New("not acknowledged")

// session follows the log from the checkpoint until something fails or the feed is done. delivered
// says whether any message was acknowledged.
func (s *subscriber) session(ctx context.Context, out chan<- *message.Message) (delivered bool, err error) {
	after, err := s.feed.start(ctx)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	events, ended := follow(ctx, s.log, s.codec, after)
	defer func() {
		cancel()
		ended()
	}()
	busy := false
	for !s.feed.done() {
		b, err := s.gather(ctx, events, after, busy)
		if err != nil {
			return delivered, err
		}
		if err := deliver(ctx, out, b); err != nil {
			return delivered, err
		}
		after, delivered, busy = b.last(), true, len(b.events) >= busyEvents
	}
	return delivered, nil
}

type batchKey struct{}

// deliver sends a batch and waits for the answer.
func deliver(ctx context.Context, out chan<- *message.Message, b batch) error {
	ctx, cancel := context.WithCancel(context.WithValue(ctx, batchKey{}, b))
	defer cancel()
	m := message.NewMessage(watermill.NewUUID(), nil)
	m.SetContext(ctx)
	select {
	case out <- m:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-m.Acked():
		return nil
	case <-m.Nacked():
		return errNacked
	case <-ctx.Done():
		return ctx.Err()
	}
}

// decoded is an event, or the error that the log ended with.
type decoded struct {
	event Event
	err   error
}

// follow reads and decodes ahead of the handler. The function it returns waits for it to end, which
// it does when the context ends.
func follow(
	ctx context.Context, log eventstore.Log, codec *eventstore.Codec, after int64,
) (<-chan decoded, func()) {
	events := make(chan decoded, ahead)
	var work sync.WaitGroup
	work.Go(func() {
		defer close(events)
		for r, err := range log.Follow(ctx, position(after)) {
			d := decoded{err: err}
			if err == nil {
				d.event = decode(ctx, codec, r)
			}
			select {
			case events <- d:
			case <-ctx.Done():
				return
			}
		}
	})
	return events, work.Wait
}

// gather waits for one event and takes what else is waiting. When the feed is busy it lingers for
// more.
func (s *subscriber) gather(ctx context.Context, events <-chan decoded, after int64, busy bool) (batch, error) {
	b := batch{after: after}
	var late <-chan time.Time
	for len(b.events) < batchEvents {
		d, waiting, err := s.next(ctx, events, len(b.events) == 0, late)
		if err != nil {
			return b, err
		}
		switch {
		case waiting == nothing && busy && late == nil && s.awaited.readers.Load() == 0:
			late = time.After(lingerMax)
			continue
		case waiting == nothing:
			return b, nil
		case d.err != nil && len(b.events) > 0:
			return b, nil // the next session meets the error again
		case d.err != nil:
			return b, d.err
		}
		b.events = append(b.events, d.event)
	}
	return b, nil
}

type waiting bool

const nothing waiting = false

// next is the next event. It waits for the first of a batch; for others only until it is late, or
// somebody is in a hurry.
func (s *subscriber) next(
	ctx context.Context, events <-chan decoded, first bool, late <-chan time.Time,
) (d decoded, some waiting, err error) {
	open := true
	switch {
	case first:
		select {
		case d, open = <-events:
		case <-ctx.Done():
			return d, nothing, ctx.Err()
		}
	case late == nil:
		select {
		case d, open = <-events:
		default:
			return d, nothing, nil
		}
	default:
		select {
		case d, open = <-events:
		case <-late:
			return d, nothing, nil
		case <-s.awaited.hurry.next():
			return d, nothing, nil
		case <-ctx.Done():
			return d, nothing, ctx.Err()
		}
	}
	if !open {
		d.err = errLogEnded
	}
	return d, !nothing, nil
}

var errLogEnded = errors.New("the log ended without saying why")
