package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// goal14 is what a charge takes on disk: in the log and in all views, write-ahead logs moved and
// emptied; keys are per account and not counted.
func goal14() *goal {
	byHand := wantAtMost(400, "charge by hand, log and all views").in(" B")
	byRun := wantAtMost(400, "charge raised by a run, with its explanation").in(" B")
	return &goal{name: "G14", rows: []*row{byHand, byRun}, roundsMax: 1, open: func(_ context.Context, b *bench) (*measuring, error) {
		return &measuring{round: func(ctx context.Context, say func(string, ...any)) error {
			for _, side := range []struct {
				name string
				row  *row
				make func(context.Context) (*node, error)
				fill func(context.Context, *node) (int64, error)
			}{
				{"by hand", byHand, b.alone, func(ctx context.Context, n *node) (int64, error) {
					return int64(b.disk), n.enterMany(ctx, b.disk)
				}},
				{"by a run", byRun, b.tenancies, func(ctx context.Context, n *node) (int64, error) {
					return n.chargeAll(ctx, b)
				}},
			} {
				charges, log, views, err := b.grow(ctx, side.make, side.fill)
				if err != nil {
					return err
				}
				say("%d charges %s: log %.0f B, views %.0f B each", charges, side.name,
					float64(log)/float64(charges), float64(views)/float64(charges))
				side.row.add(float64(log+views) / float64(charges))
			}
			return nil
		}}, nil
	}}
}

func (n *node) enterMany(ctx context.Context, charges int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(clients)
	for range charges {
		group.Go(func() error {
			account, _ := n.next()
			return n.enter(ctx, account, n.today)
		})
	}
	return group.Wait()
}

// grow says by how many bytes a store grows. It is closed before it is measured, which moves and
// empties the write-ahead logs.
func (b *bench) grow(
	ctx context.Context, create func(context.Context) (*node, error), fill func(context.Context, *node) (int64, error),
) (charges, log, views int64, err error) {
	n, err := create(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(n.dir)) }()
	if err := errors.Join(n.views.CatchUp(ctx), n.close()); err != nil {
		return 0, 0, 0, err
	}
	logBefore, viewsBefore, err := n.sizes()
	if err != nil {
		return 0, 0, 0, err
	}
	again, err := openNode(ctx, n.dir, 0)
	if err != nil {
		return 0, 0, 0, err
	}
	again.leases = n.leases
	again.counter.Store(n.counter.Load()) // ids that were not given before
	charges, err = fill(ctx, again)
	if err := errors.Join(err, again.views.CatchUp(ctx), again.close()); err != nil {
		return 0, 0, 0, err
	}
	log, views, err = n.sizes()
	return charges, log - logBefore, views - viewsBefore, err
}

func (n *node) sizes() (log, views int64, err error) {
	for file, size := range map[string]*int64{"log.db": &log, "views.db": &views} {
		for _, suffix := range []string{"", "-wal"} {
			info, err := os.Stat(filepath.Join(n.dir, file+suffix))
			switch {
			case errors.Is(err, os.ErrNotExist):
			case err != nil:
				return 0, 0, fmt.Errorf("size: %w", err)
			default:
				*size += info.Size()
			}
		}
	}
	return log, views, nil
}
