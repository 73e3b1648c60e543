package esdb

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"

	"rentbook/eventstore"
)

// Follow yields the events after a position, and waits for more. It goes on by itself after every
// failure that may pass, for ever, from the last event it got. Checkpoints of the server are not
// used: they have been wrong (too far once a subscription is live, prepare 0), and all they spare is
// looking through other people's events once more.
func (l *Log) Follow(
	ctx context.Context, after eventstore.Position, prefixes ...string,
) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		l.feed(ctx, "follow the log", yield, func(ctx context.Context, feed *feed) error {
			f := &follower{log: l, after: after, from: after, names: l.scope.followed(prefixes), feed: feed}
			return f.run(ctx)
		})
	}
}

// Bounds of what the server looks through before it says how far it is, and of the waits between
// two subscriptions.
const (
	searchWindow   = 1000
	subscribeFirst = 50 * time.Millisecond
	subscribeMost  = 2 * time.Second
)

// follower subscribes, again and again.
type follower struct {
	log   *Log
	names []string // prefixes of the streams' names on the server
	feed  *feed
	after eventstore.Position // the last event put into the feed, or where it all began
	from  eventstore.Position // where to subscribe: the same, or lower if the server knows no such place

	skipped known        // how far the events from there to after have come
	signs   atomic.Int64 // of life
}

// run returns when the context has ended, the log is closed, or the server refuses for good.
func (f *follower) run(ctx context.Context) error {
	if len(f.names) == 0 {
		return f.wait(ctx)
	}
	pause := backoff{first: subscribeFirst, most: subscribeMost}
	for {
		c, err := f.log.supervisor.enter(ctx)
		if err != nil {
			return err
		}
		err = f.subscribe(ctx, c)
		c.leave()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case statusOf(err).Code() == codes.InvalidArgument && !f.from.IsZero():
			// No event ends there in this database: take all and skip those up to it.
			f.from = eventstore.Position{}
			continue
		case definite(err):
			return err
		}
		if _, last := f.feed.last(); last.Compare(f.after) > 0 {
			f.after, f.from = last, last
			pause.reset()
		} else if skipped := f.skipped.get(); skipped.Compare(f.from) > 0 {
			f.from = skipped
			pause.reset()
		}
		pause.wait(ctx)
	}
}

// wait is for events of streams that there cannot be.
func (f *follower) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-f.log.life.Done():
		return context.Cause(f.log.life)
	}
}

// subscribe follows until something goes wrong.
func (f *follower) subscribe(ctx context.Context, c *connection) error {
	session, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(c.life, func() { cancel(context.Cause(c.life)) })
	defer stop()

	watched := make(chan struct{})
	go func() {
		defer close(watched)
		f.watch(session, cancel)
	}()
	after, from := f.after, f.from
	_, _, err := do(session, c, unlimited, func(q *question) (struct{}, error) {
		return struct{}{}, f.receive(q, after, from)
	})
	if session.Err() != nil && !errors.Is(err, errAbandoned) {
		err = context.Cause(session)
	}
	c.learn(session.Err() == nil, err)
	cancel(nil)
	<-watched
	return err
}

func (f *follower) receive(q *question, after, from eventstore.Position) error {
	options := es.SubscribeToAllOptions{
		From: es.Start{}, Filter: filter(f.names), MaxSearchWindow: searchWindow, CheckpointInterval: 1,
	}
	if !from.IsZero() {
		options.From = es.Position{Commit: from.Commit, Prepare: from.Prepare}
	}
	subscription, err := q.client.SubscribeToAll(q, options)
	if err != nil {
		return err
	}
	defer func() { _ = subscription.Close() }() // never an error
	for {
		message := subscription.Recv()
		f.signs.Add(1)
		if message.SubscriptionDropped != nil {
			return message.SubscriptionDropped.Error
		}
		if message.EventAppeared == nil {
			continue
		}
		e := message.EventAppeared.OriginalEvent()
		switch at := positionOf(e); {
		case at.Compare(after) <= 0:
			f.skipped.raise(at)
		case f.wants(e.StreamID):
			if err := f.feed.add(q, e); err != nil {
				return err
			}
			after = at
		}
	}
}

func (f *follower) wants(name string) bool {
	for _, prefix := range f.names {
		if strings.HasPrefix(name, prefix) {
			return f.log.owns(name)
		}
	}
	return false
}

// lookEvery is how often to look whether a subscription that brings nothing should have. With two
// looks for certainty, one that died unnoticed is replaced after six seconds at most.
const lookEvery = 2 * time.Second

// watch ends a session in which nothing arrives although there are events.
func (f *follower) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	w := watcher{follower: f}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		if w.dead(ctx) {
			cancel(errSilent)
			return
		}
	}
}

type watcher struct {
	*follower
	seen   int64               // signs of life at the last look
	top    eventstore.Position // how far the log was looked through
	missed bool                // an event was found there that has not come
}

// dead says whether the subscription is.
func (w *watcher) dead(ctx context.Context) bool {
	if signs := w.signs.Load(); signs != w.seen || w.feed.full() {
		w.seen, w.missed = signs, false
		return false
	}
	if w.missed {
		return true
	}
	c, err := w.log.supervisor.enter(ctx)
	if err != nil {
		return false
	}
	defer c.leave()
	received := w.after
	if _, last := w.feed.last(); last.Compare(received) > 0 {
		received = last
	}
	if w.top.Compare(received) < 0 {
		w.top = received
	}
	found, top, err := last(ctx, c, w.top, w.wants)
	if err == nil {
		w.top, w.missed = top, found != nil
	}
	return false
}
