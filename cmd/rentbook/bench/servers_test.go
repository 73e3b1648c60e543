// What views on PostgreSQL and a log on EventStoreDB cost, against what those servers cost without us:
//
//	go test ./cmd/rentbook/bench -run '^$' -bench Servers -benchtime 1x -timeout 30m
//
// -servers.events says how many events the views are built from, -servers.rounds how often everything
// is measured; one of the goals G9, G5, G13 and G12 alone is -bench Servers/G9. PostgreSQL is a scratch
// cluster on the disk of the temporary folder, with fsync on, and pgbench comes from where the server
// comes from. EventStoreDB is the test double of esdbtest as a process of its own: what it costs to
// talk to one is real, what it costs to store is not.
//
// As in `rentbook bench` both sides are measured in turn, what is judged is the median of the rounds,
// and a goal that is missed fails nothing; rows that are not the same and events that are not there do.

package bench

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"rentbook/domain"
	"rentbook/eventstore/pgdb"
	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/projections/database"
	"rentbook/projections/postgres"
)

var (
	serversEvents = flag.Int("servers.events", 1_000_000, "BenchmarkServers: `events` that views are built from")
	serversRounds = flag.Int("servers.rounds", 3, "BenchmarkServers: how often everything is measured")
)

func BenchmarkServers(b *testing.B) {
	s := newServers(b, Options{Out: os.Stdout, Rounds: *serversRounds}, pgtest.Options{Settings: map[string]string{
		"shared_buffers": "1GB", // as in performance.md
	}})
	s.events = *serversEvents
	s.say("") // behind the name of the benchmark
	if err := s.sayServers(b.Context()); err != nil {
		b.Fatal(err)
	}
	var measured []*serverGoal
	for _, g := range s.goals() {
		b.Run(g.name, func(b *testing.B) {
			measured = append(measured, g)
			for b.Loop() {
				if err := s.measure(b.Context(), &g.goal); err != nil {
					g.failed = true
					b.Fatal(err)
				}
			}
			b.ReportMetric(0, "ns/op") // of all rounds, which says nothing
			for _, c := range g.lines {
				b.ReportMetric(median(c.values), c.metric)
			}
		})
	}
	s.say("")
	if err := printComparisons(os.Stdout, measured); err != nil {
		b.Fatal(err)
	}
}

// TestServers shows that all of it can be measured and comes out right.
func TestServers(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := newServers(t, Options{Out: &out, Quick: true}, pgtest.Options{Fast: true})
	s.thorough = true
	goals := s.goals()
	for _, g := range goals {
		if err := s.measure(t.Context(), &g.goal); err != nil {
			t.Fatalf("%s: %v\n%s", g.name, err, &out)
		}
		for _, c := range g.lines {
			if len(c.values) != 1 || c.values[0] <= 0 {
				t.Errorf("%s, %s: want a ratio, got %v", g.name, c.what, c.values)
			}
		}
	}
	if err := printComparisons(&out, goals); err != nil {
		t.Fatal(err)
	}
	t.Log(out.String())
}

func TestComparison(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	c := compare(wantAtLeast(0.5, "ours / theirs"), "ours/theirs", " rows/s")
	c.add(400, 1000)
	c.add(900, 1000)
	c.add(700, 1000)
	if err := printComparisons(&out, []*serverGoal{{goal: goal{name: "G0"}, lines: []*comparison{c}}}); err != nil {
		t.Fatal(err)
	}
	want := "G0    ours / theirs  0.70   0.40 to 0.90 in 3     >= 0.50  met  700 against 1000 rows/s"
	if !slices.Contains(strings.Split(out.String(), "\n"), want) {
		t.Errorf("want the line\n%s\nin\n%s", want, &out)
	}
}

// servers is a bench with a PostgreSQL beside it, and with doubles of EventStoreDB where they are
// wanted.
type servers struct {
	*bench

	tb       testing.TB
	cluster  *pgtest.Cluster
	anywhere place // in the cluster
	parent   int   // process of the cluster, of which all others are children
	events   int
	thorough bool   // compare everything, however long that takes
	program  string // of the double, once it was built
	kept     *kept
}

func newServers(tb testing.TB, o Options, p pgtest.Options) *servers {
	tb.Helper()
	o.Dir = tb.TempDir()
	cluster := pgtest.Start(tb, p) // ends after what uses it
	b, err := newBench(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := b.close(); err != nil {
			tb.Error(err)
		}
	})
	b.leases /= 5 // each is opened with a call of its own where the log is not embedded
	s := &servers{bench: b, tb: tb, cluster: cluster, events: 2_000}
	if s.anywhere, err = s.newPlace(); err != nil {
		tb.Fatal(err)
	}
	if s.parent, err = s.anywhere.process(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

// sayServers prints what the figures depend on.
func (s *servers) sayServers(ctx context.Context) error {
	syncing, err := timeSync(filepath.Join(s.dir, "sync"))
	if err != nil {
		return err
	}
	var version, fsync, buffers, wal string
	err = s.anywhere.with(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT current_setting('server_version'), current_setting('fsync'),
			current_setting('shared_buffers'), current_setting('max_wal_size')`).Scan(&version, &fsync, &buffers, &wal)
	})
	if err != nil {
		return err
	}
	s.say("CPU        %s, %d used by Go; generators and servers share them", cpu(), runtime.GOMAXPROCS(0))
	s.say("load       %s when it began", loadAverage())
	s.say("disk       %s: fdatasync of 8 kB, preallocated, %.0f us (median)", s.dir, float64(syncing.Nanoseconds())/1000)
	s.say("Go         %s", runtime.Version())
	s.say("PostgreSQL %s, fsync=%s, shared_buffers=%s, max_wal_size=%s, over its socket", version, fsync, buffers, wal)
	s.say("views      as they are opened: what follows the log may be lost in a crash; on SQLite journal_mode=WAL, synchronous=NORMAL")
	s.say("log        SQLite, journal_mode=WAL, synchronous=FULL; or the double of EventStoreDB, in memory, a process of its own")
	s.say("rounds     %d, blocks of %v", s.Rounds, s.block)
	return nil
}

func (s *servers) goals() []*serverGoal {
	return []*serverGoal{s.copyGoal(), s.statementGoal(), s.appendGoal(), s.chargeGoal()}
}

// serverGoal is a goal with its ratios.
type serverGoal struct {
	goal

	lines []*comparison
}

func (s *servers) newGoal(name string, open func(context.Context) (*measuring, error), lines ...*comparison) *serverGoal {
	return &serverGoal{goal{name: name, open: func(ctx context.Context, _ *bench) (*measuring, error) { return open(ctx) }}, lines}
}

// comparison is a ratio and what it is one of.
type comparison struct {
	*row

	metric       string // what go test is to call it
	of           string // the unit of both sides
	ours, theirs []float64
}

func compare(r *row, metric, of string) *comparison {
	return &comparison{row: r, metric: metric, of: of}
}

func (c *comparison) add(ours, theirs float64) {
	c.ours, c.theirs = append(c.ours, ours), append(c.theirs, theirs)
	c.row.add(ours / theirs)
}

func (c *comparison) sides() string {
	show := func(values []float64) string { return (&row{unit: c.of}).show(median(values)) }
	return strings.TrimSuffix(show(c.ours), c.of) + " against " + show(c.theirs)
}

func printComparisons(out io.Writer, goals []*serverGoal) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "goal\tmeasured\tratio\tmin to max in rounds\ttarget\t\tmedians")
	for _, g := range goals {
		for _, c := range g.lines {
			if g.failed || len(c.values) == 0 {
				_, _ = fmt.Fprintf(table, "%s\t%s\t-\t-\t%s\tFAILED\t-\n", g.name, c.what, c.target())
				continue
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s to %s in %d\t%s\t%s\t%s\n", g.name, c.what, c.show(median(c.values)),
				c.show(slices.Min(c.values)), c.show(slices.Max(c.values)), len(c.values), c.target(), c.verdict(), c.sides())
		}
	}
	return table.Flush()
}

// place is a part of the cluster for one set of views.
type place struct {
	url      string
	location pgdb.Address
}

func (s *servers) newPlace() (place, error) {
	url := s.cluster.URL(s.tb)
	location, err := pgdb.Parse(url)
	return place{url, location}, err
}

func (p place) open(ctx context.Context) (database.Database, error) {
	db, err := postgres.Open(ctx, p.location, time.Now)
	if err != nil {
		return nil, err
	}
	return db, nil
}

// with does something on a connection to the tables of the views.
func (p place) with(ctx context.Context, do func(*pgx.Conn) error) error {
	conn, err := p.location.Connect(ctx, p.location.Views())
	if err != nil {
		return err
	}
	return errors.Join(do(conn), conn.Close(context.WithoutCancel(ctx)))
}

func (p place) exec(ctx context.Context, statements ...string) error {
	return p.with(ctx, func(conn *pgx.Conn) error {
		for _, statement := range statements {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

// drop makes room.
func (p place) drop(ctx context.Context) error {
	var all []string
	for _, schema := range []string{p.location.Public(), p.location.Views(), p.copies()} {
		all = append(all, `DROP SCHEMA IF EXISTS `+schema+` CASCADE`)
	}
	return p.exec(ctx, append([]string{`SET client_min_messages = warning`}, all...)...)
}

// settle has the server write down what it still holds, so that it does not do so while the next side
// is measured.
func (p place) settle(ctx context.Context) error { return p.exec(ctx, `CHECKPOINT`) }

// process is the number of the server's first.
func (p place) process(ctx context.Context) (pid int, err error) {
	var file string
	err = p.with(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT current_setting('data_directory') || '/postmaster.pid'`).Scan(&file)
	})
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(line)
}

// serverTime is how much processor time PostgreSQL has had; none where the system does not tell.
func (s *servers) serverTime() (total time.Duration) {
	const tick = time.Second / 100 // what Linux counts in
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if err != nil || len(fields) < 15 {
			continue
		}
		counted := fields[11:13] // in user and in system mode
		switch {
		case pid == s.parent:
			counted = fields[11:15] // and those of children that have ended
		case fields[1] != strconv.Itoa(s.parent):
			continue
		}
		for _, ticks := range counted {
			n, _ := strconv.Atoi(ticks)
			total += time.Duration(n) * tick
		}
	}
	return total
}

// The log that views are built from: leases of two years, each with its weekly rent and a payment of
// it in turn, begun over the first of these years.
const (
	weeksOfLife = 104
	perLife     = 2 * weeksOfLife
)

func lifeAt(i int) account {
	a := leaseAt(i)
	a.entries = perLife
	a.startsOn = domain.NewDate(2022, time.January, 3) + domain.Date(i%52*7)
	return a
}

func (s *servers) lives() []account {
	all := make([]account, max(2, s.events/(1+perLife)))
	for i := range all {
		all[i] = lifeAt(i)
	}
	return all
}

// kept is a node with that log. Its own views are on PostgreSQL, and empty at first.
type kept struct {
	*node
	place

	recorder *recorder
}

func (s *servers) theLog(ctx context.Context) (*kept, error) {
	if s.kept != nil {
		return s.kept, nil
	}
	p, err := s.newPlace()
	if err != nil {
		return nil, err
	}
	k := &kept{place: p, recorder: &recorder{}}
	k.node, err = openNodeOn(ctx, s.folder(), 0, elsewhere{views: func(ctx context.Context) (db database.Database, err error) {
		k.recorder.Database, err = p.open(ctx)
		return k.recorder, err
	}})
	if err != nil {
		return nil, err
	}
	s.nodes = append(s.nodes, k.node) // closed with the bench, whatever happens
	began := time.Now()
	if err := k.fill(ctx, s.lives()); err != nil {
		return nil, err
	}
	s.say("  (made a log of %d events in %.1f s)", k.events.Load(), time.Since(began).Seconds())
	s.kept = k
	return k, nil
}
