package esdb

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"rentbook/eventstore"
)

// appendsMax is how many streams AppendEach extends at the same time.
const appendsMax = 32

// AppendEach carries out several appends, those to one stream one after the other, those to
// different streams side by side.
func (l *Log) AppendEach(ctx context.Context, appends []eventstore.Append) []eventstore.Outcome {
	var streams [][]int // indices, by stream
	known := map[eventstore.Stream]int{}
	for i, a := range appends {
		n, there := known[a.Stream]
		if !there {
			n = len(streams)
			known[a.Stream] = n
			streams = append(streams, nil)
		}
		streams[n] = append(streams[n], i)
	}
	outcomes := make([]eventstore.Outcome, len(appends))
	var all errgroup.Group
	all.SetLimit(appendsMax)
	for _, indices := range streams {
		all.Go(func() error {
			l.appendInOrder(ctx, appends, outcomes, indices)
			return nil
		})
	}
	_ = all.Wait() // each outcome has its own error
	return outcomes
}

// appendInOrder carries out the appends to one stream. What comes behind one that failed, or found
// its ids there already, was decided on facts that may not be there, and might still fit by its
// version.
func (l *Log) appendInOrder(ctx context.Context, appends []eventstore.Append, outcomes []eventstore.Outcome, indices []int) {
	stopped := false
	for _, i := range indices {
		a, o := appends[i], &outcomes[i]
		if stopped {
			o.Err = fmt.Errorf("append to %s: one before it did not write: %w", a.Stream, eventstore.ErrConflict)
			continue
		}
		o.Commit, o.Err = l.Append(ctx, a.Stream, a.After, a.Events...)
		stopped = o.Err != nil || o.Commit.Repeated
	}
}
