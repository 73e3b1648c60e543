package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// clients is how many callers there are where group commit is to show.
const clients = 64

// goal1 is charges over HTTP against a server that stores nothing.
func goal1() *goal {
	ratio := wantAtLeast(0.50, "charges/s over HTTP, 64 clients / HTTP floor")
	lag := justShow(" ms", "views behind at its end")
	return &goal{name: "G1", rows: []*row{ratio, lag}, open: func(ctx context.Context, b *bench) (*measuring, error) {
		n, floor, err := b.floorBesideFew(ctx)
		if err != nil {
			return nil, err
		}
		return &measuring{
			round: func(ctx context.Context, say func(string, ...any)) error {
				base, err := drive(ctx, clients, b.block, floor.on(n))
				if err != nil {
					return err
				}
				ours, behind, err := n.chargeBlock(ctx, clients, b.block)
				if err != nil {
					return err
				}
				say("floor    %v", base)
				say("rentbook %v; views %.0f ms behind", ours, millis(behind))
				ratio.add(ours.rate() / base.rate())
				lag.add(millis(behind))
				return nil
			},
			done: func(ctx context.Context) error { return errors.Join(n.verify(ctx), floor.close()) },
		}, nil
	}}
}

func (b *bench) floorBesideFew(ctx context.Context) (*node, *floor, error) {
	n, err := b.fewEntries(ctx)
	if err != nil {
		return nil, nil, err
	}
	floor, err := chargeFloor(ctx, n)
	return n, floor, err
}

// chargeBlock charges over HTTP for a while, and says how long the views took to follow.
func (n *node) chargeBlock(ctx context.Context, clients int, d time.Duration) (sample, time.Duration, error) {
	s, err := drive(ctx, clients, d, n.charging)
	if err != nil {
		return s, 0, err
	}
	behind, err := n.lag(ctx)
	return s, behind, err
}

// goal2 is one client alone: the price of a sync and little else.
func goal2() *goal {
	ratio := wantAtMost(1, "p50 of a charge, 1 client / (floor + 1.5 x driver's insert)")
	return &goal{name: "G2", rows: []*row{ratio}, open: func(ctx context.Context, b *bench) (*measuring, error) {
		n, floor, err := b.floorBesideFew(ctx)
		if err != nil {
			return nil, err
		}
		raw, err := b.newRawLog(ctx, b.leases, sampleData())
		if err != nil {
			return nil, err
		}
		return &measuring{
			round: func(ctx context.Context, say func(string, ...any)) error {
				base, err := drive(ctx, 1, b.block/2, floor.on(n))
				if err != nil {
					return err
				}
				row, err := drive(ctx, 1, b.block/2, raw.inserting(1))
				if err != nil {
					return err
				}
				ours, _, err := n.chargeBlock(ctx, 1, b.block/2)
				if err != nil {
					return err
				}
				say("floor    %v", base)
				say("driver   %v", row)
				say("rentbook %v", ours)
				ratio.add(ours.p50() / (base.p50() + 1.5*row.p50()))
				return nil
			},
			done: func(ctx context.Context) error { return errors.Join(n.verify(ctx), floor.close(), raw.close()) },
		}, nil
	}}
}

// goal7 is charges on a store with a history against one without.
func goal7() *goal {
	ratio := wantAtLeast(0.9, "charges/s at 1.1M entries / without entries")
	return &goal{name: "G7", rows: []*row{ratio}, open: func(ctx context.Context, b *bench) (*measuring, error) {
		few, err := b.fewEntries(ctx)
		if err != nil {
			return nil, err
		}
		many, err := b.manyEntries(ctx)
		if err != nil {
			return nil, err
		}
		return &measuring{
			round: func(ctx context.Context, say func(string, ...any)) error {
				empty, _, err := few.chargeBlock(ctx, clients, b.block)
				if err != nil {
					return err
				}
				large, behind, err := many.chargeBlock(ctx, clients, b.block)
				if err != nil {
					return err
				}
				say("without entries %v", empty)
				say("1.1 million     %v; views %.0f ms behind", large, millis(behind))
				ratio.add(large.rate() / empty.rate())
				return nil
			},
			done: func(ctx context.Context) error { return errors.Join(few.verify(ctx), many.verify(ctx)) },
		}, nil
	}}
}

// goalSlowSync shows that callers share a sync: on a disk that takes two milliseconds more for each,
// what the disk allows is one batch of all callers per sync.
func goalSlowSync() *goal {
	inside := wantAtLeast(0.8, "commands/s, sync 2 ms slower / min(quick, 64/(2 ms + batch))")
	outside := wantAtLeast(0.8, "the same over HTTP, views following")
	return &goal{name: "slow-sync", rows: []*row{inside, outside}, open: func(ctx context.Context, b *bench) (*measuring, error) {
		n, err := b.fewEntries(ctx)
		if err != nil {
			return nil, err
		}
		alone, err := b.alone(ctx)
		if err != nil {
			return nil, err
		}
		raw, err := b.newRawLog(ctx, b.leases, sampleData())
		if err != nil {
			return nil, errors.Join(err, alone.close())
		}
		raw.sleep = 0
		return &measuring{
			round: func(ctx context.Context, say func(string, ...any)) error {
				rows, err := raw.rowsPerSecond(ctx, b.block/2, clients)
				if err != nil {
					return err
				}
				batch := time.Duration(clients / rows * float64(time.Second))
				say("driver   %.0f rows/s in batches of %d: %v a batch, its own sync included", rows, clients, batch.Round(time.Microsecond))
				for _, side := range []struct {
					name string
					row  *row
					node *node
					open workers
				}{{"commands", inside, alone, alone.entering}, {"HTTP", outside, n, n.charging}} {
					ratio, err := b.slowly(ctx, side.node, side.open, batch, func(format string, args ...any) {
						say("%-8s "+format, append([]any{side.name}, args...)...)
					})
					if err != nil {
						return err
					}
					side.row.add(ratio)
				}
				return nil
			},
			done: func(ctx context.Context) error {
				return errors.Join(n.verify(ctx), alone.verify(ctx), alone.close(), raw.close())
			},
		}, nil
	}}
}

// slowly measures one side with quick and with slow syncs. The sleep counts as long as it was: the
// kernel wakes us late when it is busy.
func (b *bench) slowly(
	ctx context.Context, n *node, open workers, batch time.Duration, say func(string, ...any),
) (ratio float64, err error) {
	before := n.sleep.Swap(0)
	defer n.sleep.Store(before)
	quickly, err := drive(ctx, clients, b.block/2, open)
	if err != nil {
		return 0, err
	}
	if _, err := n.lag(ctx); err != nil {
		return 0, err
	}
	n.sleep.Store(int64(slower))
	commits, slept := n.commits.Load(), n.slept.Load()
	slow, err := drive(ctx, clients, b.block, open)
	if err != nil {
		return 0, err
	}
	commits, slept = n.commits.Load()-commits, n.slept.Load()-slept
	if commits == 0 {
		return 0, fmt.Errorf("nothing was committed in %v", b.block)
	}
	sync := time.Duration(slept / commits)
	limit := min(quickly.rate(), clients/(sync+batch).Seconds())
	say("quick %.0f/s; slow %v, %.1f a commit, slept %v each; limit %.0f/s", quickly.rate(), slow,
		float64(len(slow.latencies))/float64(commits), sync.Round(time.Microsecond), limit)
	_, err = n.lag(ctx)
	return slow.rate() / limit, err
}
