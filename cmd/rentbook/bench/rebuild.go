package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"time"

	"zombiezen.com/go/sqlite"

	"rentbook/domain/rent"
	"rentbook/eventstore"
)

// goal8 is a rebuild of the statements against reading, decoding and adding up the same events.
func goal8() *goal {
	ratio := wantAtLeast(0.30, "rebuild of statements / bare read + decode + fold")
	rate := justShow("/s", "events rebuilt")
	memory := wantAtMost(256, "memory on top while rebuilding").in(" MiB")
	return &goal{name: "G8", rows: []*row{ratio, rate, memory}, roundsMax: 3, open: func(ctx context.Context, b *bench) (*measuring, error) {
		n, err := b.manyAlone(ctx)
		if err != nil {
			return nil, err
		}
		return &measuring{
			round: func(ctx context.Context, say func(string, ...any)) error {
				folded, err := n.fold(ctx)
				if err != nil {
					return err
				}
				events := float64(n.events.Load())
				took, grown, err := n.rebuild(ctx, "statement")
				if err != nil {
					return err
				}
				say("bare read + decode + fold: %.0f events/s", events/folded.Seconds())
				say("rebuild: %.0f events/s, %.1f s, %d MiB on top", events/took.Seconds(), took.Seconds(), grown>>20)
				ratio.add(folded.Seconds() / took.Seconds())
				rate.add(events / took.Seconds())
				memory.add(float64(grown >> 20))
				return nil
			},
			done: func(ctx context.Context) error { return errors.Join(n.verify(ctx), n.close()) },
		}, nil
	}}
}

// manyAlone is the large store, opened anew with all others closed, as `rentbook rebuild` finds it:
// what others remember is not to count as memory of the rebuild.
func (b *bench) manyAlone(ctx context.Context) (*node, error) {
	many, err := b.manyEntries(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.closeStores(); err != nil {
		return nil, err
	}
	n, err := openNode(ctx, many.dir, b.sleep)
	if err == nil {
		n.owed.Store(many.owed.Load())
	}
	return n, err
}

// fold reads the log with the bare driver, decodes every event of an account with the codec, and
// adds up balances: one goroutine, nothing written. The balances must come out right.
func (n *node) fold(ctx context.Context) (_ time.Duration, err error) {
	conn, err := sqlite.OpenConn(filepath.Join(n.dir, "log.db"), sqlite.OpenReadOnly)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	began := time.Now()
	streams, err := names(conn, "SELECT id, name FROM stream")
	if err != nil {
		return 0, err
	}
	types, err := names(conn, "SELECT id, name FROM type")
	if err != nil {
		return 0, err
	}
	stmt, err := conn.Prepare("SELECT stream, type, ids, data FROM event ORDER BY position")
	if err != nil {
		return 0, err
	}
	balances := map[eventstore.Stream]int64{}
	for {
		found, err := stmt.Step()
		if err != nil {
			return 0, err
		}
		if !found {
			break
		}
		r := eventstore.Recorded{Stream: eventstore.Stream(streams[stmt.ColumnInt64(0)])}
		r.Type = types[stmt.ColumnInt64(1)]
		stmt.ColumnBytes(2, r.ID[:])
		r.Data = make([]byte, stmt.ColumnLen(3))
		stmt.ColumnBytes(3, r.Data)
		if r.Stream.Category() != rent.Category {
			continue
		}
		fact, err := eventstore.Decode[rent.Event](ctx, n.codec, r)
		if err != nil {
			return 0, err
		}
		for _, e := range rent.Entries(fact) {
			balances[r.Stream] += e.Signed()
		}
	}
	took := time.Since(began)
	owed := int64(0)
	for _, balance := range balances {
		owed += balance
	}
	if owed != n.owed.Load() {
		return 0, fmt.Errorf("the events add up to %d, want %d", owed, n.owed.Load())
	}
	return took, stmt.Reset()
}

func names(conn *sqlite.Conn, query string) (map[int64]string, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return nil, err
	}
	known := map[int64]string{}
	for {
		found, err := stmt.Step()
		if err != nil {
			return nil, err
		}
		if !found {
			return known, stmt.Reset()
		}
		known[stmt.ColumnInt64(0)] = stmt.ColumnText(1)
	}
}

// rebuild rebuilds views, and says by how much the process grew meanwhile.
func (n *node) rebuild(ctx context.Context, views ...string) (took time.Duration, grown uint64, err error) {
	debug.FreeOSMemory()
	before, peak := resident(), make(chan uint64)
	stop := make(chan struct{})
	go func() {
		most := before
		for ticks := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-ticks.C:
				most = max(most, resident())
			case <-stop:
				ticks.Stop()
				peak <- most
				return
			}
		}
	}()
	began := time.Now()
	err = n.views.Rebuild(ctx, nil, views...)
	took = time.Since(began)
	close(stop)
	return took, <-peak - before, err
}
