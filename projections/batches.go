package projections

import (
	"context"
	"iter"
	"sync"

	"rentbook/eventstore"
)

// batches reads and decodes the events after one position up to another, while the caller works on
// the batch before. An error comes last and once.
func (v *Views) batches(ctx context.Context, after, last int64, size int) iter.Seq2[batch, error] {
	return func(yield func(batch, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		read := make(chan batch)
		var failed error
		var work sync.WaitGroup
		work.Go(func() {
			defer close(read)
			failed = v.readBatches(ctx, batch{after: after}, last, size, read)
		})
		defer work.Wait()
		defer cancel()
		for b := range read {
			if !yield(b, nil) {
				return
			}
		}
		if failed != nil { // written before read was closed
			yield(batch{}, failed)
		}
	}
}

func (v *Views) readBatches(ctx context.Context, b batch, last int64, size int, out chan<- batch) error {
	send := func() error {
		select {
		case out <- b:
			b = batch{after: b.last(), events: make([]Event, 0, size)}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for r, err := range eventstore.ReadTo(ctx, v.config.Log, position(b.after), position(last)) {
		if err != nil {
			return err
		}
		if b.events = append(b.events, decode(ctx, v.config.Codec, r)); len(b.events) == size {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if len(b.events) == 0 {
		return nil
	}
	return send()
}
