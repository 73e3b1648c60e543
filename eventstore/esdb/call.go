package esdb

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// Bounds of one call, from when it could be sent, and again from each event that it brings: who says
// nothing for so long has lost the question. A server that cannot get an append replicated says so
// after two seconds.
const (
	appendMax = 3 * time.Second
	readMax   = 3 * time.Second
	unlimited = time.Duration(0) // of subscriptions
)

// graceMax is how long a call may take to come back when its context has ended. It takes
// microseconds, unless the client hangs.
const graceMax = 250 * time.Millisecond

// question is one call of the client, and the context that the client is given for it. The client
// asks a context for its deadline when it has got hold of a connection and before it sends
// anything, so that this tells both from each other.
type question struct {
	context.Context //nolint:containedctx // it is one

	client *es.Client
	limit  time.Duration
	cancel context.CancelFunc

	once    sync.Once
	arrived func()
	sent    atomic.Bool
	timer   *time.Timer // set on arrival, before anything that could come back
	late    atomic.Bool
}

// Deadline is what the client asks.
func (q *question) Deadline() (time.Time, bool) {
	q.once.Do(func() {
		q.sent.Store(true)
		q.arrived()
		if q.limit != unlimited {
			q.timer = time.AfterFunc(q.limit, func() {
				q.late.Store(true)
				q.cancel()
			})
		}
	})
	return q.Context.Deadline()
}

// alive is a sign of life of the server.
func (q *question) alive() {
	if q.timer != nil && q.timer.Stop() {
		q.timer.Reset(q.limit)
	}
}

type answer[T any] struct {
	value T
	sent  bool
	err   error
}

// do makes one call of the client. The call has a goroutine of its own, which is left behind if the
// call does not come back soon after the context has ended; what it still brings is dropped. A panic
// of the client is an error. Sent says whether the call got as far as to have a connection.
func do[T any](
	ctx context.Context, c *connection, limit time.Duration, call func(*question) (T, error),
) (value T, sent bool, err error) {
	if err := c.begin(); err != nil {
		return value, false, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q := &question{Context: ctx, client: c.client, limit: limit, cancel: cancel, arrived: c.arrive}
	back := make(chan answer[T], 1)
	var left atomic.Bool // by its caller, or by the goroutine, whoever is first
	go func() {
		r := guarded(q, call)
		if r.sent = q.sent.Load(); !r.sent {
			c.arrive()
		}
		c.leave()
		back <- r
		if left.Swap(true) {
			c.health.abandoned.Add(-1)
		}
	}()
	select {
	case r := <-back:
		return r.value, r.sent, r.err
	case <-ctx.Done():
	}
	grace := time.NewTimer(graceMax)
	defer grace.Stop()
	select {
	case r := <-back:
		return r.value, r.sent, r.err
	case <-grace.C:
	}
	c.health.abandoned.Add(1)
	if left.Swap(true) { // it came back just now
		c.health.abandoned.Add(-1)
		r := <-back
		return r.value, r.sent, r.err
	}
	return value, q.sent.Load(), errAbandoned
}

func guarded[T any](q *question, call func(*question) (T, error)) (r answer[T]) {
	defer func() {
		if p := recover(); p != nil {
			r.err = fmt.Errorf("%w: %v", errPanic, p)
		}
		if q.timer != nil {
			q.timer.Stop()
		}
		if r.err != nil && q.late.Load() {
			r.err = fmt.Errorf("%w: %w", errNoAnswer, r.err)
		}
	}()
	r.value, r.err = call(q)
	return r
}

// ask makes one call on a connection that was entered, and tells the connection what came of it.
func ask[T any](
	ctx context.Context, c *connection, limit time.Duration, call func(*question) (T, error),
) (value T, sent bool, err error) {
	value, sent, err = do(ctx, c, limit, call)
	c.learn(ctx.Err() == nil, err)
	return value, sent, err
}
