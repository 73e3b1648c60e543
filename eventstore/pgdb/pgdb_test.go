package pgdb_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"rentbook/eventstore"
	"rentbook/eventstore/pgdb"
	"rentbook/eventstore/pgdb/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main(m)) }

func parse(t testing.TB, address string) pgdb.Address {
	t.Helper()
	a, err := pgdb.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func connect(t testing.TB, a pgdb.Address, schema string) *pgx.Conn {
	t.Helper()
	conn, err := a.Connect(t.Context(), schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // it may be cut already
	return conn
}

func pool(t testing.TB, a pgdb.Address, settings pgdb.Settings) *pgxpool.Pool {
	t.Helper()
	p, err := a.Pool(t.Context(), a.Public(), 3, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestParse(t *testing.T) {
	t.Parallel()
	a := parse(t, "postgres://someone:hunter2@db.example/books?search_path=flats")
	if got := []string{a.Public(), a.Views(), a.Vault()}; strings.Join(got, " ") != "flats flats_views flats_vault" {
		t.Errorf("the schemas are %q", got)
	}
	if got := a.String(); got != "books at db.example:5432, schema flats" {
		t.Errorf("it is called %q", got)
	}
	for _, address := range []string{
		"", "rentbook.db", "mysql://h/d", "postgres://someone:hunter2@h:port/d",
		"postgres://someone:hunter2@h/d?search_path=a,b", "postgres://someone:hunter2@h/d?search_path=" + strings.Repeat("a", 41),
	} {
		if _, err := pgdb.Parse(address); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want an error without the password", address, err)
		}
	}
}

func TestAddress_Prepare(t *testing.T) {
	t.Parallel()
	a := parse(t, pgtest.URL(t))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := a.Prepare(t.Context(), a.Public(), a.Vault()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestAddress_Migrate(t *testing.T) {
	t.Parallel()
	a := parse(t, pgtest.URL(t))
	if err := a.Prepare(t.Context(), a.Public()); err != nil {
		t.Fatal(err)
	}
	steps := []string{`CREATE TABLE t (n int)`, `INSERT INTO t VALUES (1)`}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := a.Migrate(t.Context(), a.Public(), "part", steps); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	steps = append(steps, `INSERT INTO t VALUES (2)`)
	if err := a.Migrate(t.Context(), a.Public(), "part", steps); err != nil {
		t.Fatal(err)
	}
	if err := a.Migrate(t.Context(), a.Public(), "part", append(steps, `DELETE FROM t`, `no SQL`)); err == nil {
		t.Error("a step that fails does not fail")
	}
	var rows int
	if err := connect(t, a, a.Public()).QueryRow(t.Context(), `SELECT count(*) FROM t`).Scan(&rows); err != nil || rows != 2 {
		t.Errorf("the steps left %d rows, %v, want each taken once and what failed taken back", rows, err)
	}
	if err := a.Migrate(t.Context(), a.Public(), "part", steps[:1]); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("tables of a newer version: %v", err)
	}
}

func TestAddress_Vacuum(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Fast: true})
	a := parse(t, c.URL(t))
	if err := a.Prepare(t.Context(), a.Public()); err != nil {
		t.Fatal(err)
	}
	conn, reader := connect(t, a, a.Public()), connect(t, a, a.Public())
	for _, statement := range []string{`CREATE TABLE t AS SELECT 1 AS n`, `UPDATE t SET n = 2`} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Vacuum(t.Context(), a.Public(), "t"); err != nil {
		t.Error(err)
	}
	if err := a.Vacuum(t.Context(), a.Public(), "none"); err == nil || errors.Is(err, pgdb.ErrUnavailable) {
		t.Errorf("a table that is not there: %v", err)
	}

	if _, err := reader.Exec(t.Context(), `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `UPDATE t SET n = 3`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Vacuum(ctx, a.Public(), "t"); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
	if err := a.Vacuum(t.Context(), a.Public(), "t"); !errors.Is(err, pgdb.ErrUnavailable) {
		t.Errorf("while somebody may read the old row: %v, want ErrUnavailable", err)
	}
	if _, err := reader.Exec(t.Context(), `COMMIT`); err != nil {
		t.Fatal(err)
	}
	if err := a.Vacuum(t.Context(), a.Public(), "t"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Fast: true})
	a := parse(t, c.URL(t))
	conn := connect(t, a, a.Public())

	_, err := conn.Exec(t.Context(), `SELECT 1/0`)
	if err := pgdb.Explain(t.Context(), err); errors.Is(err, pgdb.ErrUnavailable) {
		t.Errorf("a defect is called unavailable: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = connect(t, a, a.Public()).Exec(ctx, `SELECT pg_sleep(60)`)
	if err := pgdb.Explain(ctx, err); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pgdb.ErrUnavailable) {
		t.Errorf("a caller that has waited long enough: %v", err)
	}
	c.Kill()
	_, err = conn.Exec(t.Context(), `SELECT 1`)
	if err := pgdb.Explain(t.Context(), err); !errors.Is(err, pgdb.ErrUnavailable) || !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("a lost connection: %v", err)
	}
	if _, err := a.Connect(t.Context(), a.Public()); !errors.Is(err, pgdb.ErrUnavailable) {
		t.Errorf("no server: %v", err)
	}
}

func TestAgain(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Fast: true})
	a := parse(t, c.URL(t))
	p := pool(t, a, nil)
	ask := func() error { return p.Ping(t.Context()) }
	for name, end := range map[string]func(){"killed": c.Kill, "stopped": c.Stop} {
		held := p.AcquireAllIdle(t.Context())
		for range 3 - len(held) { // several connections, which all die
			conn, err := p.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, conn)
		}
		for _, conn := range held {
			conn.Release()
		}
		end()
		if err := pgdb.Again(t.Context(), p, ask); !errors.Is(err, pgdb.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
		c.Restart(t)
		if err := pgdb.Again(t.Context(), p, ask); err != nil {
			t.Errorf("after it was %s and started again: %v", name, err)
		}
	}
	calls := 0
	defect := func() error { calls++; return &pgconn.PgError{Code: "42601"} }
	if err := pgdb.Again(t.Context(), p, defect); err == nil || calls != 1 {
		t.Errorf("a defect was tried %d times: %v", calls, err)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Fast: true})
	a := parse(t, c.URL(t))
	now := time.Now()
	one, two := pgdb.NewLock(a, a.Views(), "views"), pgdb.NewLock(a, a.Views(), "views")
	defer one.Unlock()
	defer two.Unlock()
	try := func(l *pgdb.Lock, want bool) {
		t.Helper()
		now = now.Add(time.Second)
		if got, err := l.Try(t.Context(), now); err != nil || got != want {
			t.Errorf("try: %v, %v, want %v", got, err, want)
		}
	}
	try(one, true)
	try(two, false)
	one.Unlock()
	for got := false; !got; { // the server takes a moment to see that a connection is closed
		now = now.Add(time.Second)
		var err error
		if got, err = two.Try(t.Context(), now); err != nil {
			t.Fatal(err)
		}
	}
	lost := two.Lost()
	c.Kill()
	<-lost
	try(one, false) // nobody is there to give it
	two.Unlock()
	c.Restart(t)
	try(one, true)
}
