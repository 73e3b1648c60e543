package esdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rentbook/eventstore"
)

// Waits between two attempts of a request on a connection that works.
const (
	retryFirst = 20 * time.Millisecond
	retryMost  = time.Second
)

// failuresMax is after how many failures in a row a connection is given up that otherwise works:
// another node may do better.
const failuresMax = 3

// persist tries until it succeeds, or fails for good, or the context ends; the last is
// ErrUnavailable.
func (l *Log) persist(ctx context.Context, try func(context.Context, *connection) error) error {
	pause := backoff{first: retryFirst, most: retryMost}
	var last error
	for failures := 1; ; failures++ {
		c, err := l.supervisor.enterSoon(ctx)
		if err != nil {
			return err
		}
		last = try(ctx, c)
		c.leave()
		if last == nil || definite(last) {
			return last
		}
		if failures%failuresMax == 0 && judge(last) == unknown && !errors.Is(last, errBehind) {
			c.breakWith(last)
		}
		if !pause.wait(ctx) {
			return fmt.Errorf("%w: %s", eventstore.ErrUnavailable, l.health.because(last))
		}
	}
}

// patient bounds what somebody waits for.
func (l *Log) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, l.options.Patience)
}

// failed is the error of a request that recorded nothing: that of the caller's context, if it has
// ended, and else what went wrong.
func (l *Log) failed(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		if errors.Is(ended, context.DeadlineExceeded) && !l.Health().Connected {
			return fmt.Errorf("%s: %s: %w", what, l.health.why(), ended)
		}
		return fmt.Errorf("%s: %w", what, ended)
	}
	return fmt.Errorf("%s: %w", what, explain(err))
}
