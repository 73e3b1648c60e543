package pgtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"rentbook/eventstore/pgdb/pgtest"
)

const roleVariable = "RENTBOOK_TEST_ROLE"

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main(m)) }

func connect(t testing.TB, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // it may be cut already
	return conn
}

func execute(t testing.TB, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func number(t testing.TB, conn *pgx.Conn, query string) (n int) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func nameIn(t testing.TB, address string) string {
	t.Helper()
	config, err := pgconn.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	return config.RuntimeParams["search_path"]
}

func TestURL_leaves_no_schema_behind(t *testing.T) {
	t.Parallel()
	var names []string
	for range 2 {
		t.Run("a test with schemas", func(t *testing.T) {
			address := pgtest.URL(t)
			conn, name := connect(t, address), nameIn(t, address)
			names = append(names, name)
			for _, schema := range []string{name, name + "_views", name + "_vault"} {
				execute(t, conn, "CREATE SCHEMA "+schema+" CREATE TABLE filled (n int)")
			}
			execute(t, conn, "INSERT INTO filled VALUES (2)")
		})
	}
	if len(names) != 2 || names[0] == names[1] {
		t.Errorf("two tests have the names %q", names)
	}
	conn := connect(t, pgtest.URL(t))
	for _, name := range names {
		if n := number(t, conn, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE '"+name+"%'"); n != 0 {
			t.Errorf("%d schemas of %s were left behind", n, name)
		}
	}
	if n := number(t, conn, "SELECT (current_setting('server_encoding') = 'UTF8')::int"); n != 1 {
		t.Error("the server's encoding is not UTF8")
	}
}

func TestCluster_keeps_what_was_committed_through_kills(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Settings: map[string]string{"max_connections": "20"}})
	address := c.URL(t)
	execute(t, connect(t, address), "CREATE TABLE public.kept (n int)")
	for i, end := range []func(){c.Kill, c.Stop, c.Kill, func() {}} {
		conn := connect(t, address)
		execute(t, conn, "INSERT INTO public.kept VALUES (1)")
		end()
		c.Restart(t)
		if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
			t.Error("a connection outlived its server")
		}
		if n := number(t, connect(t, address), "SELECT count(*) FROM public.kept"); n != i+1 {
			t.Errorf("after %d restarts %d rows are left", i+1, n)
		}
	}
	if n := number(t, connect(t, address), "SELECT (current_setting('fsync') = 'on')::int"); n != 1 {
		t.Error("a server that is to be killed runs without fsync")
	}
}

func TestCluster_says_why_it_does_not_start(t *testing.T) {
	t.Parallel()
	failed := &recorder{TB: t}
	var all sync.WaitGroup
	all.Go(func() { // Fatal ends the goroutine
		pgtest.Start(failed, pgtest.Options{Settings: map[string]string{"no_such_setting": "1"}})
	})
	all.Wait()
	if !strings.Contains(failed.said, `configuration parameter "no_such_setting"`) {
		t.Errorf("the test failed with %q", failed.said)
	}
}

// recorder is a test that only remembers why it failed.
type recorder struct {
	testing.TB

	said string
}

func (r *recorder) Fatal(args ...any) {
	r.said = fmt.Sprint(args...)
	runtime.Goexit()
}

// A test binary that is killed can do nothing any more; its server must go all the same. What it
// started inherits a pipe, which ends when the last of them does.
func TestCluster_goes_with_a_killed_test_binary(t *testing.T) {
	t.Parallel()
	alive, inherited, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	binary := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestRole$")
	binary.Env = append(os.Environ(), roleVariable+"=victim")
	binary.ExtraFiles = []*os.File{inherited}
	out, err := binary.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(binary.Start(), inherited.Close()); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the test binary said %q: %v", line, err)
	}
	folder := strings.TrimSpace(line)
	if _, err := os.Stat(folder); err != nil {
		t.Fatal(err)
	}

	if err := binary.Process.Kill(); err != nil {
		t.Fatal(err)
	}

	if err := alive.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := alive.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("a process still runs: %v", err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of the server is still there: %v", err)
	}
	if err := binary.Wait(); err == nil {
		t.Error("the test binary was not killed")
	}
}

// TestRole is what another test starts this binary for.
func TestRole(t *testing.T) {
	if os.Getenv(roleVariable) != "victim" {
		return
	}
	c := pgtest.Start(t, pgtest.Options{Fast: true})
	config, err := pgconn.ParseConfig(c.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(config.Host)
	select {} // until it is killed
}
