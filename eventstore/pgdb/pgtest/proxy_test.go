package pgtest_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"rentbook/eventstore/pgdb/pgtest"
)

// proxied is a table, reached through a proxy and past it.
func proxied(t *testing.T) (p *pgtest.Proxy, direct *pgx.Conn) {
	t.Helper()
	address := pgtest.URL(t)
	direct = connect(t, address)
	execute(t, direct, "CREATE SCHEMA "+nameIn(t, address))
	execute(t, direct, "CREATE TABLE t (n int)")
	return pgtest.NewProxy(t, address), direct
}

func TestProxy_passes_everything_on(t *testing.T) {
	t.Parallel()
	p, direct := proxied(t)
	conn := connect(t, p.URL())
	execute(t, conn, "INSERT INTO t SELECT generate_series(1, 1000)")
	long := strings.Repeat("Zoë ", 1<<16)
	var back string
	if err := conn.QueryRow(t.Context(), "SELECT $1::text", long).Scan(&back); err != nil || back != long {
		t.Errorf("a long text came back as %d bytes: %v", len(back), err)
	}
	if n := number(t, direct, "SELECT count(*) FROM t"); n != 1000 {
		t.Errorf("%d rows arrived, want 1000", n)
	}
	if encrypting := strings.Replace(p.URL(), "sslmode=disable", "sslmode=prefer", 1); number(t, connect(t, encrypting), "SELECT 1") != 1 {
		t.Error("who would rather encrypt is not served")
	}
}

func TestProxy_loses_commits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		lose  func(*pgtest.Proxy, int)
		mode  pgx.QueryExecMode
		count int // rows when the second COMMIT of three is lost
	}{
		{"after it happened", (*pgtest.Proxy).CutAfterCommit, pgx.QueryExecModeSimpleProtocol, 2},
		{"after it happened, prepared", (*pgtest.Proxy).CutAfterCommit, pgx.QueryExecModeExec, 2},
		{"before it happened", (*pgtest.Proxy).CutBeforeCommit, pgx.QueryExecModeSimpleProtocol, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, direct := proxied(t)
			conn := connect(t, p.URL())
			c.lose(p, 2)
			for i := range 2 {
				execute(t, conn, "BEGIN")
				execute(t, conn, "INSERT INTO t VALUES (1)")
				if _, err := conn.Exec(t.Context(), "COMMIT", c.mode); (err != nil) != (i == 1) {
					t.Errorf("COMMIT %d: %v", i+1, err)
				}
			}
			if n := number(t, direct, "SELECT count(*) FROM t"); n != c.count {
				t.Errorf("%d rows, want %d", n, c.count)
			}
			execute(t, connect(t, p.URL()), "INSERT INTO t VALUES (1)")
		})
	}
}

func TestProxy_loses_answers(t *testing.T) {
	t.Parallel()
	p, direct := proxied(t)
	conn := connect(t, p.URL())
	p.CutAfter("INSERT", 1)
	execute(t, conn, "SELECT 1")
	if _, err := conn.Exec(t.Context(), "INSERT INTO t VALUES ($1)", 1); err == nil {
		t.Error("the answer arrived")
	}
	if n := number(t, direct, "SELECT count(*) FROM t"); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

func TestProxy_cuts_and_refuses(t *testing.T) {
	t.Parallel()
	p, _ := proxied(t)
	first, second := connect(t, p.URL()), connect(t, p.URL())
	p.Cut()
	for _, conn := range []*pgx.Conn{first, second} {
		if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
			t.Error("a connection was not cut")
		}
	}
	third := connect(t, p.URL())
	p.Refuse(true)
	if conn, err := pgx.Connect(t.Context(), p.URL()); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a connection was not refused")
	}
	execute(t, third, "SELECT 1")
	p.Refuse(false)
	execute(t, connect(t, p.URL()), "SELECT 1")
}
