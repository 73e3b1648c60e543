package bench

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// readersBeside is how many clients read while others write.
const readersBeside = 4

// goal6 is statements and charges at once, on the large store: reading must not wait for writing,
// nor writing for a checkpoint.
func goal6() *goal {
	slowdown := wantAtMost(3, "statement p99 beside half the write load / idle")
	tail := wantAtMost(10, "statement p99 beside it").in(" ms")
	charge := wantAtMost(5, "charge p99 / p50 meanwhile")
	return &goal{name: "G6", rows: []*row{slowdown, tail, charge}, open: func(ctx context.Context, b *bench) (*measuring, error) {
		n, err := b.manyEntries(ctx)
		if err != nil {
			return nil, err
		}
		statements := n.asking(n.address, leaseQuestions(b.leases))
		return &measuring{
			round: func(ctx context.Context, say func(string, ...any)) error {
				alone, _, err := n.chargeBlock(ctx, clients, b.block/2)
				if err != nil {
					return err
				}
				idle, err := drive(ctx, readersBeside, b.block/2, statements)
				if err != nil {
					return err
				}
				reads, writes, err := together(ctx, b, n, alone.rate()/2, statements)
				if err != nil {
					return err
				}
				say("charges alone     %v", alone)
				say("statements idle   %v", idle)
				say("statements beside %v", reads)
				say("charges, paced    %v (wanted %.0f/s)", writes, alone.rate()/2)
				slowdown.add(reads.p99() / idle.p99())
				tail.add(reads.p99())
				charge.add(writes.p99() / writes.p50())
				_, err = n.lag(ctx)
				return err
			},
			done: n.verify,
		}, nil
	}}
}

func together(ctx context.Context, b *bench, n *node, rate float64, statements workers) (reads, writes sample, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		reads, err = drive(ctx, readersBeside, b.block, statements)
		return err
	})
	group.Go(func() (err error) {
		writes, err = driveAt(ctx, clients, b.block, rate, n.charging)
		return err
	})
	err = group.Wait()
	return reads, writes, err
}
