package projections

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/projections/database"
)

// recoveryMax is how long the views may take to go on once PostgreSQL is back, or somebody else writes
// them.
const recoveryMax = 10 * time.Second

// as is the same scene as another process sees it, under a name that PostgreSQL knows its connections by.
func (s *scene) as(program string) *scene {
	u, err := url.Parse(s.url)
	s.must(err)
	query := u.Query()
	query.Set("application_name", query.Get("search_path")+"-"+program)
	u.RawQuery = query.Encode()
	other := s.elsewhere()
	other.url = u.String()
	return other
}

// program is the name that as gave.
func (s *scene) program() string {
	u, err := url.Parse(s.url)
	s.must(err)
	return u.Query().Get("application_name")
}

// name is that of the public schema.
func (s *scene) name() string {
	u, err := url.Parse(s.url)
	s.must(err)
	return u.Query().Get("search_path")
}

// direct is a connection past the views.
func (s *scene) direct() *pgx.Conn {
	s.Helper()
	conn, err := pgx.Connect(s.Context(), s.url)
	s.must(err)
	s.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server may be gone
	return conn
}

// ask is the only value of an answer.
func ask[T any](s *scene, conn *pgx.Conn, query string, args ...any) (value T) {
	s.Helper()
	if err := conn.QueryRow(s.Context(), query, args...).Scan(&value); err != nil {
		s.Fatalf("%s: %v", query, err)
	}
	return value
}

func (s *scene) execute(conn *pgx.Conn, statement string) {
	s.Helper()
	if _, err := conn.Exec(s.Context(), statement); err != nil {
		s.Fatalf("%s: %v", statement, err)
	}
}

// stored is what all views have seen, as the database has it.
func (s *scene) stored(conn *pgx.Conn) int64 {
	s.Helper()
	return ask[int64](s, conn, `SELECT min(position) FROM `+s.name()+`_views.checkpoints`)
}

// tenants are the accounts that traffic is about.
const tenants = 100

func openAccounts(s *scene) {
	s.Helper()
	for i := range tenants {
		given[rent.Event](s, account(fmt.Sprintf("T%03d", i)), opened("2026-01-05"))
	}
}

// traffic records n charges and payments on the accounts, and says so after each.
func traffic(s *scene, n int, recorded chan<- eventstore.Position) {
	defer close(recorded)
	for range n {
		i := rand.IntN(tenants)
		on := fmt.Sprintf("2026-%02d-%02d", 1+rand.IntN(12), 1+rand.IntN(28))
		var fact rent.Event = raised(on, 100+rand.Int64N(900))
		if rand.IntN(3) == 0 {
			fact = paid(newID().String(), on, 100+rand.Int64N(900))
		}
		recorded <- given(s, account(fmt.Sprintf("T%03d", i)), fact)
	}
}

// reach waits until the views have seen the log, however often the database is away meanwhile, and
// holds WaitFor to what the database has.
func (s *scene) reach(v *Views) {
	s.Helper()
	head, err := s.log.Head(s.Context())
	s.must(err)
	ctx, cancel := context.WithTimeout(s.Context(), recoveryMax)
	defer cancel()
	for {
		err := v.WaitFor(ctx, head)
		switch {
		case errors.Is(err, database.ErrUnavailable) && ctx.Err() == nil:
			continue
		case err != nil:
			s.Fatalf("%v after PostgreSQL came back: %v: %+v", recoveryMax, err, s.status(v))
		}
		break
	}
	conn, err := pgx.Connect(s.Context(), s.url)
	s.must(err)
	defer conn.Close(s.Context())
	if at := s.stored(conn); at < number(head) {
		s.Errorf("the wait for %s has ended, and the database is at %d", head, at)
	}
}

func (s *scene) verify(v *Views) {
	s.Helper()
	report, err := v.Verify(s.Context(), nil)
	s.must(err)
	if report.Difference != "" || report.Accounts == 0 {
		s.Errorf("verify: %+v", report)
	}
}

// goroutines counts those that the test has started, by a label that they inherit.
func goroutines(s *scene, label string) int {
	s.Helper()
	var out bytes.Buffer
	s.must(pprof.Lookup("goroutine").WriteTo(&out, 1))
	n := 0
	for group := range strings.SplitSeq(out.String(), "\n\n") {
		var these int
		if strings.Contains(group, `"test":"`+label+`"`) {
			_, err := fmt.Sscan(group[strings.LastIndexByte(group[:strings.IndexByte(group, '@')], '\n')+1:], &these)
			s.must(err)
		}
		n += these
	}
	return n
}

// A server that dies loses what was committed last, since nobody waits for the disk (here for ten
// seconds): what has been seen may not be there any more, and is seen again.
func TestPostgres_killed(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	pprof.SetGoroutineLabels(pprof.WithLabels(t.Context(), pprof.Labels("test", "killed")))
	c := pgtest.Start(t, pgtest.Options{Fast: true, Settings: map[string]string{"wal_writer_delay": "10s"}})
	s := newScene(t)
	s.url = c.URL(t)
	openAccounts(s)
	v := s.open()
	s.run(v)
	s.reach(v)
	early, lost := 0, 0
	for kill := range 20 {
		recorded := make(chan eventstore.Position)
		go traffic(s, 60, recorded)
		for range rand.IntN(60) {
			<-recorded
		}
		seen := int64(0)
		if kill%2 == 0 { // in the middle
			c.Kill()
			drain(recorded)
		} else { // at rest
			drain(recorded)
			s.reach(v)
			seen = v.seen.Load()
			c.Kill()
		}
		c.Restart(t)
		if at := s.stored(s.direct()); at < seen {
			lost++
		}
		s.reach(v)
		if kill == 2 {
			early = goroutines(s, "killed")
		}
	}
	if lost == 0 {
		t.Error("nothing was lost that had been committed: this shows nothing")
	}
	if late := goroutines(s, "killed"); late > early+10 || early == 0 {
		t.Errorf("there were %d goroutines, and are %d", early, late)
	}
	s.verify(v)
}

func drain[T any](values <-chan T) {
	for range values {
	}
}

func (s *scene) openCounting() (*Views, *atomic.Int64) {
	s.Helper()
	var n atomic.Int64
	v := s.open()
	v.config.Logger = slog.New(counting{slog.DiscardHandler, &n})
	return v, &n
}

type counting struct {
	slog.Handler

	n *atomic.Int64
}

func (c counting) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (c counting) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "views: ") {
		c.n.Add(1)
	}
	return nil
}

// A COMMIT whose answer is lost was carried out: whoever did not hear of it must look, and do nothing
// twice. (One that was not carried out looks the same.)
func TestPostgres_commitsUnheard(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	s := newScene(t)
	proxy := pgtest.NewProxy(t, pgtest.URL(t))
	s.url = proxy.URL()
	openAccounts(s)
	v, started := s.openCounting()
	s.run(v)
	s.reach(v)
	for range 50 {
		lose := proxy.CutAfterCommit
		if rand.IntN(4) == 0 {
			lose = proxy.CutBeforeCommit
		}
		lose(1)
		before := started.Load()
		recorded := make(chan eventstore.Position, 20)
		traffic(s, 1+rand.IntN(20), recorded)
		s.reach(v)
		if started.Load() == before {
			t.Error("no COMMIT was lost")
		}
	}
	s.verify(v)
}

func TestPostgres_commitsUnheardInRebuild(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	s := newScene(t)
	proxy := pgtest.NewProxy(t, pgtest.URL(t))
	s.url = proxy.URL()
	s.everything()
	openAccounts(s)
	recorded := make(chan eventstore.Position, 400)
	traffic(s, 400, recorded)
	v := s.open()
	s.catchUp(v)
	v.bulk = 40
	want := s.dump(v)
	for range 4 {
		lost := 0
		lose := func(uint64, uint64) {
			lost++
			proxy.CutBeforeCommit(0)
			proxy.CutAfterCommit(1 + rand.IntN(5)) // of five in each batch
			if rand.IntN(4) == 0 {
				proxy.CutAfterCommit(0)
				proxy.CutBeforeCommit(1 + rand.IntN(5))
			}
		}
		lose(0, 0)
		s.must(v.Rebuild(t.Context(), lose))
		if lost < 10 {
			t.Errorf("only %d COMMITs were lost", lost)
		}
		proxy.CutAfterCommit(0)
		proxy.CutBeforeCommit(0)
		if diff := cmp.Diff(want, s.dump(v)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	s.verify(v)
}

// terminate ends the connections of a program that a condition picks.
func (s *scene) terminate(conn *pgx.Conn, program, condition string) (n int) {
	s.Helper()
	return ask[int](s, conn, `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE application_name = $1 AND (`+condition+`)`, program)
}

func TestPostgres_connectionsEnd(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	s := newScene(t)
	s.url = pgtest.URL(t)
	openAccounts(s)
	views := s.as("views")
	v := views.open()
	views.run(v)
	s.reach(v)
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				err := v.Read(ctx, func(r *Reader) error {
					_, err := r.Accounts("", 1000)
					return err
				})
				if err != nil && !errors.Is(err, database.ErrUnavailable) && ctx.Err() == nil {
					t.Errorf("reading while connections end: %v", err)
				}
			}
		})
	}
	conn := s.direct()
	ended := 0
	for i := range 30 {
		recorded := make(chan eventstore.Position)
		go traffic(s, 20, recorded)
		for range rand.IntN(20) {
			<-recorded
		}
		condition := "random() < 0.5"
		switch i % 3 {
		case 1:
			condition = `query LIKE '%pg_try_advisory_lock%'`
		case 2:
			condition = `query NOT LIKE '%pg_try_advisory_lock%'`
		}
		ended += s.terminate(conn, views.program(), condition)
		drain(recorded)
		s.reach(v)
	}
	cancel()
	readers.Wait()
	if ended < 30 {
		t.Errorf("only %d connections were ended", ended)
	}
	s.verify(v)
}

// Readers who take their time use up all snapshots. Others wait no longer than they want to; who
// writes the views, and who waits for them, is not kept waiting.
func TestPostgres_snapshotsUsedUp(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	s := newScene(t)
	s.url = pgtest.URL(t)
	openAccounts(s)
	views := s.as("views")
	v := views.open()
	views.run(v)
	s.reach(v)
	release := s.occupy(v)
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := v.Read(ctx, func(*Reader) error { return nil })
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, database.ErrUnavailable) {
		t.Errorf("another read: got %v", err)
	}
	conn := s.direct()
	for range 3 {
		recorded := make(chan eventstore.Position, 20)
		traffic(s, 20, recorded)
		s.reach(v)
		if s.terminate(conn, views.program(), `query = 'COMMIT'`) == 0 {
			t.Error("nobody was writing")
		}
	}
}

// occupy takes all snapshots there are.
func (s *scene) occupy(v *Views) (release func()) {
	const all = 16
	held, over := make(chan struct{}), make(chan struct{})
	var readers sync.WaitGroup
	for range all {
		readers.Go(func() {
			err := v.Read(s.Context(), func(*Reader) error {
				held <- struct{}{}
				<-over
				return nil
			})
			if err != nil {
				s.Error(err)
			}
		})
	}
	for range all {
		<-held
	}
	return sync.OnceFunc(func() {
		close(over)
		readers.Wait()
	})
}

// Of two processes one writes. The other takes over when the first one ends, loses its connections, or
// the server falls between them.
func TestPostgres_twoProcesses(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Fast: true})
	s := newScene(t)
	s.url = c.URL(t)
	openAccounts(s)
	programs := []*scene{s.as("first"), s.as("second")}
	var views []*Views
	var stop []func()
	for _, p := range programs {
		v := p.open()
		views, stop = append(views, v), append(stop, p.run(v))
		s.reach(v)
	}
	for round := range 9 {
		recorded := make(chan eventstore.Position, 30)
		go traffic(s, 30, recorded)
		conn := s.direct()
		writing := 0
		if s.writer(conn) == programs[1].program() {
			writing = 1
		}
		switch round % 3 {
		case 0:
			stop[writing]()
			stop[writing] = programs[writing].run(views[writing])
		case 1:
			s.terminate(conn, programs[writing].program(), "true")
		case 2:
			c.Kill()
			c.Restart(t)
		}
		drain(recorded)
		for _, v := range views {
			s.reach(v)
		}
		if name := s.writer(s.direct()); !strings.HasPrefix(name, s.name()) {
			t.Errorf("round %d: %q writes", round, name)
		}
	}
	if diff := cmp.Diff(programs[0].dump(views[0]), programs[1].dump(views[1])); diff != "" {
		t.Errorf("the two answer differently:\n%s", diff)
	}
	s.verify(views[0])
}

// writer is the program that holds the lock. It waits for one.
func (s *scene) writer(conn *pgx.Conn) string {
	s.Helper()
	for deadline := time.Now().Add(recoveryMax); time.Now().Before(deadline); {
		// The lock of whoever has the turn to write is that of a transaction.
		rows, err := conn.Query(s.Context(), `SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE l.locktype = 'advisory' AND l.granted AND a.query LIKE '%pg_try_advisory_lock%'`)
		s.must(err)
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		s.must(err)
		if len(names) > 1 {
			s.Errorf("%q hold the lock", names)
		}
		if len(names) == 1 {
			return names[0]
		}
	}
	s.Fatal("nobody takes the lock")
	return ""
}
