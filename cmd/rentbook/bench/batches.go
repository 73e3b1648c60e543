package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"rentbook/commands"
	"rentbook/eventstore"
	eventlog "rentbook/eventstore/sqlite"
)

// goalImport and goalCharge are work in bulk against appending the same events, ready-made, in
// batches of 500.

const rawBatch = 500

func goalImport() *goal {
	ratio := wantAtLeast(0.3, "import, events/s / appended ready-made")
	rate := justShow("/s", "rows imported")
	return inBulk("import", ratio, rate, func(ctx context.Context, b *bench, n *node) error {
		result, err := n.load(ctx, "transactions.csv")
		if err == nil && result.Recorded != b.bulk.rows() {
			err = fmt.Errorf("%d rows were recorded, want %d", result.Recorded, b.bulk.rows())
		}
		return err
	})
}

func goalCharge() *goal {
	ratio := wantAtLeast(0.3, "charge run, events/s / appended ready-made")
	rate := justShow("/s", "charges raised")
	return inBulk("charge", ratio, rate, func(ctx context.Context, b *bench, n *node) error {
		_, err := n.chargeAll(ctx, b)
		return err
	})
}

// chargeAll runs a charge run, and makes sure that it raised what two years of weeks are.
func (n *node) chargeAll(ctx context.Context, b *bench) (raised int64, err error) {
	result, err := n.commands.RunCharges(ctx, meta(), commands.RunCharges{Through: lastDay().String()})
	if want := int64(b.bulk.tenancies * weeks); err == nil && result.Raised != want {
		err = fmt.Errorf("%d charges were raised, want %d", result.Raised, want)
	}
	return result.Raised, err
}

// inBulk measures work on a fresh store of tenancies with terms, then appends what it recorded to a
// fresh log.
func inBulk(name string, ratio, rate *row, work func(context.Context, *bench, *node) error) *goal {
	return &goal{name: name, rows: []*row{ratio, rate}, open: func(_ context.Context, b *bench) (*measuring, error) {
		return &measuring{round: func(ctx context.Context, say func(string, ...any)) error {
			events, ours, ready, err := b.measureBulk(ctx, work)
			if err != nil {
				return err
			}
			say("ready-made: %d events, %.0f/s", events, float64(events)/ready.Seconds())
			say("%s: %.0f/s", name, float64(events)/ours.Seconds())
			ratio.add(ready.Seconds() / ours.Seconds())
			rate.add(float64(events) / ours.Seconds())
			return nil
		}}, nil
	}}
}

// measureBulk is one round.
func (b *bench) measureBulk(
	ctx context.Context, work func(context.Context, *bench, *node) error,
) (events int, ours, ready time.Duration, err error) {
	n, err := b.tenancies(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	defer func() { err = errors.Join(err, n.close(), os.RemoveAll(n.dir)) }()
	before, err := n.log.Head(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	began := time.Now()
	if err := work(ctx, b, n); err != nil {
		return 0, 0, 0, err
	}
	ours = time.Since(began)
	appends, err := n.recordedAfter(ctx, before)
	if err != nil {
		return 0, 0, 0, err
	}
	ready, err = b.appendReady(ctx, appends)
	return len(appends), ours, ready, err
}

// tenancies is a store of tenancies with weekly terms, which serves nobody; its views are up to
// date.
func (b *bench) tenancies(ctx context.Context) (*node, error) {
	n, err := b.newNode(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.bulk.write(n.dir); err != nil {
		return nil, errors.Join(err, n.close())
	}
	sleep := n.sleep.Swap(0)
	defer n.sleep.Store(sleep)
	if _, err := n.load(ctx, "properties.csv", "tenancies.csv", "terms.csv"); err != nil {
		return nil, errors.Join(err, n.close())
	}
	if err := n.views.CatchUp(ctx); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// load imports files of the node's folder. No row may be refused.
func (n *node) load(ctx context.Context, names ...string) (commands.ImportResult, error) {
	var refused error
	result, err := n.commands.Import(ctx, meta(), commands.Import{
		Files: os.DirFS(n.dir), Names: names,
		Refused: func(l commands.ImportLine) { refused = errors.New(l.String()) },
	})
	return result, errors.Join(err, refused)
}

// recordedAfter are the events after a position, ready to be appended to another log.
func (n *node) recordedAfter(ctx context.Context, after eventstore.Position) ([]eventstore.Append, error) {
	head, err := n.log.Head(ctx)
	if err != nil {
		return nil, err
	}
	versions := map[eventstore.Stream]eventstore.Version{}
	var appends []eventstore.Append
	for r, err := range eventstore.ReadTo(ctx, n.log, after, head) {
		if err != nil {
			return nil, err
		}
		appends = append(appends, eventstore.Append{
			Stream: r.Stream, After: versions[r.Stream], Events: []eventstore.Proposed{r.Proposed},
		})
		versions[r.Stream]++
	}
	return appends, nil
}

func (b *bench) appendReady(ctx context.Context, appends []eventstore.Append) (_ time.Duration, err error) {
	dir := b.folder()
	log, err := eventlog.Open(ctx, dir, eventlog.Options{BeforeSync: func() { time.Sleep(b.sleep) }})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, log.Close(), os.RemoveAll(dir)) }()
	began := time.Now()
	for chunk := range slices.Chunk(appends, rawBatch) {
		if err := appendAll(ctx, log, chunk); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}
