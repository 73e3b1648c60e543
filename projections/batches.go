package projections

import (
	"context"
	"iter"
	"runtime"
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
	var read []eventstore.Recorded
	send := func() error {
		b.events = decodeAll(ctx, v.config.Codec, read)
		clear(read) // the bytes are the largest part of events, and done with
		read = read[:0]
		select {
		case out <- b:
			b = batch{after: b.last()}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for r, err := range eventstore.ReadTo(ctx, v.config.Log, position(b.after), position(last)) {
		if err != nil {
			return err
		}
		if read = append(read, r); len(read) == size {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if len(read) == 0 {
		return nil
	}
	return send()
}

// decodeAll decodes side by side what is read in order: nothing that views do with events takes longer.
func decodeAll(ctx context.Context, codec *eventstore.Codec, read []eventstore.Recorded) []Event {
	events := make([]Event, len(read))
	share := len(read)/runtime.GOMAXPROCS(0) + 1
	var work sync.WaitGroup
	for from := 0; from < len(read); from += share {
		work.Go(func() {
			for i := from; i < min(from+share, len(read)); i++ {
				events[i] = decode(ctx, codec, read[i])
			}
		})
	}
	work.Wait()
	return events
}
