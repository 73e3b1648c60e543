// Package bench measures this program against what the machine can do, side by side in one run:
// `rentbook bench` and `make bench`.
//
// A figure alone says little: on a machine that does other things too it is twice as good the next
// minute. So every target is a ratio of two sides measured in turn (goal.go), round by round, and
// what is judged is the median of the rounds' ratios. The sides are what the machine can do without
// us (a server that stores nothing: floor.go; the bare SQLite driver: raw.go, sql.go) and what we do
// (node.go, wired as cmd/rentbook wires it), or the same of ours under two conditions.
//
// The load generator, the floor and the server share one process and its processors, over loopback
// and connections that stay open, with the same client for both sides. All latencies are kept, every
// answer is looked at, and what was acknowledged is counted again in the log and in the views.
//
// The one rule: no figure without the other side measured beside it.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options say what is measured and how.
type Options struct {
	Out      io.Writer
	Dir      string   // scratch folder, on the disk to be measured; a temporary one if empty
	Only     []string // names of goals, in any case; all if empty
	Rounds   int      // 5 if zero
	Quick    bool     // little data, short blocks, one round: shows that it runs, not how fast
	SlowSync bool     // two milliseconds more for every sync of a log, ours and the driver's
	Progress func(goal string, round, rounds int)
}

const roundsDefault = 5

// slower is what the slow-sync mode adds to every sync: an ordinary disk instead of a quick one.
const slower = 2 * time.Millisecond

// Run measures, and prints figures as it goes and the table last. A target that is missed is no
// error; a side that could not be measured, or did not count up, is one.
func Run(ctx context.Context, o Options) error {
	goals, err := chosen(o.Only)
	if err != nil {
		return err
	}
	b, err := newBench(o)
	if err != nil {
		return err
	}
	err = b.run(ctx, goals)
	return errors.Join(err, b.close())
}

// chosen are the goals asked for, in their own order.
func chosen(only []string) ([]*goal, error) {
	all := goals()
	if len(only) == 0 {
		return all, nil
	}
	known := func(name string) func(*goal) bool {
		return func(g *goal) bool { return strings.EqualFold(g.name, name) }
	}
	for _, name := range only {
		if !slices.ContainsFunc(all, known(name)) {
			return nil, fmt.Errorf("there is no goal %q: want some of %s", name, strings.Join(Names(), ", "))
		}
	}
	return slices.DeleteFunc(all, func(g *goal) bool {
		return !slices.ContainsFunc(only, func(name string) bool { return strings.EqualFold(g.name, name) })
	}), nil
}

// goals are all there are, in the order of performance.md, but for G8, which needs the large store
// to itself.
func goals() []*goal {
	return []*goal{
		goal1(), goal2(), goal3(), goal4(), goal5(), goal6(), goal7(), goal10(), goal8(), goal14(),
		goalImport(), goalCharge(), goalSlowSync(),
	}
}

// Names lists the goals.
func Names() []string {
	var names []string
	for _, g := range goals() {
		names = append(names, g.name)
	}
	return names
}

// bench is one run.
type bench struct {
	Options
	scale

	dir     string // ours, removed at the end
	folders int
	sleep   time.Duration // what every sync of a log takes longer

	few, many, small *node   // made when first asked for
	nodes            []*node // these, to be closed
}

// scale is how much data and for how long.
type scale struct {
	block  time.Duration // one side, once
	leases int
	filler int // accounts besides
	long   int // entries of the longest account
	bulk   imported
	disk   int // charges whose bytes are counted
}

func full() scale {
	return scale{
		block: 2 * time.Second, leases: 10_000, filler: 6_000, long: 100_000, disk: 100_000,
		bulk: imported{tenancies: 600, transactions: 100},
	}
}

func quick() scale {
	return scale{
		block: 200 * time.Millisecond, leases: 200, filler: 50, long: 3_000, disk: 1_000,
		bulk: imported{tenancies: 20, transactions: 50},
	}
}

func newBench(o Options) (*bench, error) {
	b := &bench{Options: o, scale: full()}
	if o.Quick {
		b.scale, b.Rounds = quick(), 1
	}
	if b.Rounds == 0 {
		b.Rounds = roundsDefault
	}
	if o.SlowSync {
		b.sleep = slower
	}
	if b.Progress == nil {
		b.Progress = func(string, int, int) {}
	}
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return nil, err
		}
	}
	var err error
	b.dir, err = os.MkdirTemp(o.Dir, "rentbook-bench-")
	return b, err
}

func (b *bench) close() error { return errors.Join(b.closeStores(), os.RemoveAll(b.dir)) }

// closeStores ends the stores that goals share. Who needs one after this makes a new one.
func (b *bench) closeStores() error {
	var errs []error
	for _, n := range b.nodes {
		errs = append(errs, n.close())
	}
	b.nodes, b.few, b.many, b.small = nil, nil, nil, nil
	return errors.Join(errs...)
}

// folder is a new one in the scratch folder.
func (b *bench) folder() string {
	b.folders++
	return filepath.Join(b.dir, fmt.Sprintf("%02d", b.folders))
}

func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.Out, format+"\n", args...) }

func (b *bench) run(ctx context.Context, goals []*goal) error {
	if err := b.sayConditions(); err != nil {
		return err
	}
	var errs []error
	for _, g := range goals {
		if err := b.measure(ctx, g); err != nil {
			g.failed = true
			errs = append(errs, fmt.Errorf("%s: %w", g.name, err))
			b.say("%s FAILED: %v", g.name, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	b.say("")
	return errors.Join(append(errs, printTable(b.Out, goals))...)
}

// measure runs the rounds of a goal.
func (b *bench) measure(ctx context.Context, g *goal) (err error) {
	b.say("\n%s", g.name)
	m, err := g.open(ctx, b)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close(ctx)) }()
	rounds := b.Rounds
	if g.roundsMax > 0 {
		rounds = min(rounds, g.roundsMax)
	}
	for round := 1; round <= rounds; round++ {
		b.Progress(g.name, round, rounds)
		said := fmt.Sprintf("  round %d: ", round)
		say := func(format string, args ...any) {
			b.say("%s%s", said, fmt.Sprintf(format, args...))
			said = strings.Repeat(" ", len(said))
		}
		if err := m.round(ctx, say); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	return nil
}
