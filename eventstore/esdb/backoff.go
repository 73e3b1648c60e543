package esdb

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff waits longer from one failure to the next, never quite as long as the others who failed
// at the same moment.
type backoff struct {
	first, most time.Duration
	next        time.Duration
}

// wait says whether it is time to try again; it is not when the context has ended.
func (b *backoff) wait(ctx context.Context) bool {
	b.next = min(max(b.next, b.first), b.most)
	half := b.next / 2
	timer := time.NewTimer(half + rand.N(half+1)) //nolint:gosec // chance keeps callers apart, nothing depends on it
	defer timer.Stop()
	b.next *= 2
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (b *backoff) reset() { b.next = 0 }
