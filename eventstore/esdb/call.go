package esdb

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// graceMax is how long a call may take to come back when its context has ended. It takes
// microseconds, unless the client hangs.
const graceMax = 250 * time.Millisecond

// arrival is the context given to the client. The client asks a context for its deadline when it
// has got hold of a connection and before it sends anything, so that the question tells both from
// each other.
type arrival struct {
	context.Context //nolint:containedctx // it is one

	once     sync.Once
	happened atomic.Bool
	tell     func()
}

// Deadline is the question.
func (a *arrival) Deadline() (time.Time, bool) {
	a.once.Do(func() {
		a.happened.Store(true)
		a.tell()
	})
	return a.Context.Deadline()
}

type answer[T any] struct {
	value T
	sent  bool
	err   error
}

// do makes one call of the client. The call has a goroutine of its own, which is left behind if the call does not come back soon after the context has ended;
// what it still brings is dropped. A panic of the client is an error. Sent says whether the call got
// as far as to have a connection; arrived, if not nil, is told then.
func do[T any](
	ctx context.Context, c *connection, arrived func(), call func(context.Context, *es.Client) (T, error),
) (value T, sent bool, err error) {
	if err := c.begin(); err != nil {
		return value, false, err
	}
	a := &arrival{Context: ctx, tell: func() {
		c.arrive()
		if arrived != nil {
			arrived()
		}
	}}
	back := make(chan answer[T], 1)
	var left atomic.Bool // by its caller, or by the goroutine, whoever is first
	go func() {
		r := guarded(a, c, call)
		if r.sent = a.happened.Load(); !r.sent {
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
	return value, a.happened.Load(), errAbandoned
}

func guarded[T any](a *arrival, c *connection, call func(context.Context, *es.Client) (T, error)) (r answer[T]) {
	defer func() {
		if p := recover(); p != nil {
			r.err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	r.value, r.err = call(a, c.client)
	return r
}

// Bounds of one call: who has not answered by then has lost the question. A server that cannot get
// an append replicated says so after two seconds.
const (
	appendMax = 3 * time.Second
	readMax   = 5 * time.Second
)

// ask makes one call on a connection that was entered, and tells the connection what came of it.
func ask[T any](
	ctx context.Context, c *connection, limit time.Duration, call func(context.Context, *es.Client) (T, error),
) (value T, sent bool, err error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	value, sent, err = do(limited, c, nil, call)
	c.learn(ctx.Err() == nil, err)
	return value, sent, err
}
