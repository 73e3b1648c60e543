package bench

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	eventlog "rentbook/eventstore/sqlite"
)

// sampleData is as large as a charge by hand is in the log: its text is sealed there.
func sampleData() []byte {
	sealed := `{"sealed":"` + strings.Repeat("A", 80) + `"}`
	data, err := json.Marshal(map[string]any{
		"charge": "E1234567", "code": chargeCode, "description": json.RawMessage(sealed), "value_date": "2026-05-02",
		"amount": domain.Money{Minor: chargeMinor, Currency: "GBP"},
	})
	if err != nil {
		panic(err) // nothing in it can fail
	}
	return data
}

// goal3 is what is left of the driver's speed inside this process.
func goal3() *goal {
	plain := wantAtLeast(0.8, "plain append, 64 callers / driver at the same batch")
	command := justShow("", "command, 64 callers / driver (target is a peer's)")
	rate := justShow("/s", "commands in process")
	return &goal{name: "G3", rows: []*row{plain, command, rate}, open: func(ctx context.Context, b *bench) (*measuring, error) {
		n, err := b.alone(ctx)
		if err != nil {
			return nil, err
		}
		raw, err := b.newRawLog(ctx, b.leases, sampleData())
		if err != nil {
			return nil, errors.Join(err, n.close())
		}
		plainly, err := b.newPlainLog(ctx)
		if err != nil {
			return nil, errors.Join(err, n.close(), raw.close())
		}
		return &measuring{
			round: func(ctx context.Context, say func(string, ...any)) error {
				_, ratio, err := b.besideDriver(ctx, raw, "append", plainly.appending, &plainly.commits, say)
				if err != nil {
					return err
				}
				plain.add(ratio)
				s, ratio, err := b.besideDriver(ctx, raw, "command", n.entering, &n.commits, say)
				command.add(ratio)
				rate.add(s.rate())
				return err
			},
			done: func(ctx context.Context) error {
				return errors.Join(n.verify(ctx), n.close(), plainly.close(ctx), raw.close())
			},
		}, nil
	}}
}

// alone is a node with leases whose views do not follow and which serves nobody.
func (b *bench) alone(ctx context.Context) (*node, error) {
	n, err := b.newNode(ctx)
	if err != nil {
		return nil, err
	}
	all := accounts(b.leases, 0)
	for i := range all {
		all[i].entries = 0
		n.leases = append(n.leases, all[i].id)
	}
	sleep := n.sleep.Swap(0)
	defer n.sleep.Store(sleep)
	if err := n.fill(ctx, all); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, n.warm(ctx)
}

// besideDriver measures ours, then the driver with as many rows a transaction as ours had.
func (b *bench) besideDriver(
	ctx context.Context, raw *rawLog, name string, open workers, counter *atomic.Int64, say func(string, ...any),
) (sample, float64, error) {
	commits := counter.Load()
	ours, err := drive(ctx, clients, b.block, open)
	if err != nil {
		return ours, 0, err
	}
	commits = max(1, counter.Load()-commits)
	batch := max(1, (len(ours.latencies)+int(commits)/2)/int(commits))
	rows, err := raw.rowsPerSecond(ctx, b.block, batch)
	say("%-8s %v", name, ours)
	say("driver   %.0f rows/s in batches of %d", rows, batch)
	return ours, ours.rate() / rows, err
}

// plainLog is a log without anything around it.
type plainLog struct {
	log      *eventlog.Log
	commits  atomic.Int64
	appended atomic.Int64
	callers  []*plainCaller
	turn     atomic.Int64
}

// plainCaller appends ready-made events to streams of its own.
type plainCaller struct {
	streams  []eventstore.Stream
	versions []eventstore.Version
	next     int
}

// newPlainLog has as many streams as there are leases, each with an event in it.
func (b *bench) newPlainLog(ctx context.Context) (_ *plainLog, err error) {
	p := &plainLog{}
	beforeSync := func() {
		p.commits.Add(1)
		time.Sleep(b.sleep)
	}
	if p.log, err = eventlog.Open(ctx, b.folder(), eventlog.Options{BeforeSync: beforeSync}); err != nil {
		return nil, err
	}
	for i := range clients {
		c := &plainCaller{}
		var first []eventstore.Append
		for j := range max(1, b.leases/clients) {
			c.streams = append(c.streams, eventstore.NewStream("plain", fmt.Sprintf("%d-%d", i, j)))
			c.versions = append(c.versions, 1)
			first = append(first, eventstore.Append{Stream: c.streams[j], Events: []eventstore.Proposed{p.event()}})
		}
		if err := appendAll(ctx, p.log, first); err != nil {
			return nil, errors.Join(err, p.log.Close())
		}
		p.callers = append(p.callers, c)
	}
	return p, nil
}

func (p *plainLog) event() eventstore.Proposed {
	id := uuid.UUID{6: 0x80, 8: 0x80}
	binary.BigEndian.PutUint32(id[12:], uint32(p.appended.Add(1))) //nolint:gosec // G115: a count
	return proposed(id, rent.ChargeEntered{}.EventType(), sampleData())
}

func (p *plainLog) appending() (worker, error) {
	c := p.callers[p.turn.Add(1)%clients]
	return worker{op: func(ctx context.Context) error {
		i := c.next % len(c.streams)
		c.next++
		_, err := p.log.Append(ctx, c.streams[i], c.versions[i], p.event())
		c.versions[i]++
		return err
	}}, nil
}

// close counts what was acknowledged.
func (p *plainLog) close(ctx context.Context) error {
	head, err := p.log.Head(ctx)
	if err == nil && head.Commit != uint64(p.appended.Load()) { //nolint:gosec // G115: a count
		err = fmt.Errorf("%d events were acknowledged, the log holds %s", p.appended.Load(), head)
	}
	return errors.Join(err, p.log.Close())
}

// goal4 and goal10: the length of an account's history, and where in it a charge goes, cost a
// charge nothing.

func goal4() *goal {
	ratio := wantAtMost(1.1, "p50 of a charge, account of 100,000 entries / of 10")
	return alternating("G4", ratio, func(b *bench, n *node) (a, other side) {
		return side{"10 entries     ", longAccount(short).id, n.today}, side{"100,000 entries", longAccount(b.long).id, n.today}
	})
}

func goal10() *goal {
	ratio := wantAtMost(1.2, "p50 of a charge ten years back / dated today")
	return alternating("G10", ratio, func(b *bench, n *node) (a, other side) {
		long := longAccount(b.long)
		return side{"dated today   ", long.id, n.today}, side{"ten years back", long.id, (long.startsOn - 1).String()}
	})
}

// side is a charge that is compared with another.
type side struct{ name, account, valueDate string }

func alternating(name string, ratio *row, sides func(*bench, *node) (a, other side)) *goal {
	return &goal{name: name, rows: []*row{ratio}, open: func(ctx context.Context, b *bench) (*measuring, error) {
		n, err := b.manyEntries(ctx)
		if err != nil {
			return nil, err
		}
		first, second := sides(b, n)
		ops := make([]op, 0, 2)
		for _, s := range []side{first, second} {
			charge := func(ctx context.Context) error { return n.enter(ctx, s.account, s.valueDate) }
			if err := charge(ctx); err != nil { // the account is read from the log once
				return nil, err
			}
			ops = append(ops, charge)
		}
		return &measuring{
			round: func(ctx context.Context, say func(string, ...any)) error {
				s, err := alternate(ctx, b.block/2, ops...)
				if err != nil {
					return err
				}
				say("%s %v", first.name, s[0])
				say("%s %v", second.name, s[1])
				ratio.add(s[1].p50() / s[0].p50())
				_, err = n.lag(ctx)
				return err
			},
			done: n.verify,
		}, nil
	}}
}
