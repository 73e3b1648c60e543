package sqlitefile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"zombiezen.com/go/sqlite"

	"rentbook/eventstore/sqlite/sqlitefile"
)

func config(dir string) sqlitefile.Config {
	return sqlitefile.Config{
		Path:          filepath.Join(dir, "some.db"),
		ApplicationID: 0x52425831,
		Version:       3,
		Schema:        "CREATE TABLE thing (name TEXT) STRICT; INSERT INTO thing VALUES ('first');",
	}
}

func connect(t *testing.T, cfg sqlitefile.Config) *sqlite.Conn {
	t.Helper()
	conn, err := sqlitefile.OpenConn(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func number(t *testing.T, conn *sqlite.Conn, query string) int64 {
	t.Helper()
	n, err := sqlitefile.Int(conn, query)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenConn_SettingsHold(t *testing.T) {
	t.Parallel()
	cfg := config(t.TempDir())
	cfg.Synchronous = "NORMAL"
	cfg.Pragmas = []string{"cache_size=-123"}
	conn := connect(t, cfg)
	for query, want := range map[string]int64{
		"PRAGMA synchronous":                                   1,
		"PRAGMA cache_size":                                    -123,
		"PRAGMA user_version":                                  3,
		"PRAGMA application_id":                                0x52425831,
		"PRAGMA busy_timeout":                                  5000,
		"SELECT count(*) FROM thing":                           1,
		"SELECT count(*) FROM pragma_journal_mode":             1,
		"SELECT journal_mode = 'wal' FROM pragma_journal_mode": 1,
	} {
		if got := number(t, conn, query); got != want {
			t.Errorf("%s: got %d, want %d", query, got, want)
		}
	}
}

func TestOpenConn_IsFullyDurableUnlessToldOtherwise(t *testing.T) {
	t.Parallel()
	if got := number(t, connect(t, config(t.TempDir())), "PRAGMA synchronous"); got != 2 {
		t.Errorf("synchronous is %d, want 2 (FULL)", got)
	}
}

// Whoever opens a file that others are making sees it whole, and it is made once.
func TestOpenConn_CreatedByManyAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := number(t, connect(t, config(dir)), "SELECT count(*) FROM thing"); got != 1 {
				t.Errorf("the schema was run %d times, or not yet", got)
			}
		})
	}
	all.Wait()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.Contains(entry.Name(), ".new-") {
			t.Errorf("%s was left behind", entry.Name())
		}
	}
}

func TestOpenReaders_OnlyRead(t *testing.T) {
	t.Parallel()
	cfg := config(t.TempDir())
	connect(t, cfg)
	pool, err := sqlitefile.OpenReaders(cfg, 2)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := number(t, conn, "SELECT count(*) FROM thing"); got != 1 {
		t.Errorf("a reader sees %d things, want 1", got)
	}
	if err := sqlitefile.Exec(conn, "DELETE FROM thing"); sqlite.ErrCode(err).ToPrimary() != sqlite.ResultReadOnly {
		t.Errorf("a reader may write: %v", err)
	}
	pool.Put(conn)
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}

func TestCheckpoint(t *testing.T) {
	t.Parallel()
	cfg := config(t.TempDir())
	cfg.Pragmas = []string{"wal_autocheckpoint=0"}
	conn := connect(t, cfg)
	if err := sqlitefile.Exec(conn, "INSERT INTO thing VALUES ('second')"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mode string
		want sqlitefile.Checkpointed
	}{
		{sqlitefile.Look, sqlitefile.Checkpointed{Log: 1}},
		{sqlitefile.Passive, sqlitefile.Checkpointed{Log: 1, Moved: 1}},
		{sqlitefile.Truncate, sqlitefile.Checkpointed{}},
	} {
		if got, err := sqlitefile.Checkpoint(conn, c.mode); err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", c.mode, got, err, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code              sqlite.ResultCode
		fatal, full, busy bool
	}{
		{code: sqlite.ResultIOErrFsync, fatal: true},
		{code: sqlite.ResultIOErrDirFsync, fatal: true},
		{code: sqlite.ResultIOErrWrite, fatal: true},
		{code: sqlite.ResultIOErrRead, fatal: true},
		{code: sqlite.ResultIOErr, fatal: true},
		{code: sqlite.ResultCorrupt, fatal: true},
		{code: sqlite.ResultFull, full: true},
		{code: sqlite.ResultIOErrSHMSize, full: true},
		{code: sqlite.ResultBusy, busy: true},
		{code: sqlite.ResultBusySnapshot, busy: true},
		{code: sqlite.ResultIOErrNoMem},
		{code: sqlite.ResultConstraintUnique},
		{code: sqlite.ResultInterrupt},
		{code: sqlite.ResultOK},
	} {
		err := c.code.ToError()
		if err != nil {
			err = errors.Join(errors.New("wrapped"), err)
		}
		fatal, full, busy := sqlitefile.IsFatal(err), sqlitefile.IsFull(err), sqlitefile.IsBusy(err)
		if fatal != c.fatal || full != c.full || busy != c.busy {
			t.Errorf("%v: fatal %v, full %v, busy %v", c.code, fatal, full, busy)
		}
	}
}

func TestMakeFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	deep := filepath.Join(dir, "one", "two")
	for range 2 {
		if err := sqlitefile.MakeFolder(deep); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{deep, filepath.Dir(deep)} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != os.ModeDir|0o700 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sqlitefile.MakeFolder(file); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("make folder %s: got %v, want an error that says it is a file", file, err)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "some.lock")
	one, two := lock(t, path), lock(t, path)
	holds := func(held bool, err error) bool {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return held
	}
	if !holds(one.TryExclusive()) || holds(two.TryExclusive()) {
		t.Error("two hold it alone")
	}
	if err := one.Shared(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := two.Shared(t.Context()); err != nil {
		t.Fatal(err)
	}
	if holds(one.TryExclusive()) {
		t.Error("one holds it alone while another shares it")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := one.Exclusive(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("waited for it beyond the end of its context: %v", err)
	}
	if err := two.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := one.Exclusive(t.Context()); err != nil {
		t.Errorf("it is free: %v", err)
	}
}

func lock(t *testing.T, path string) *sqlitefile.Lock {
	t.Helper()
	l, err := sqlitefile.OpenLock(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// A copy made by SQLite itself comes without a write-ahead log, on which everything here rests.
func TestOpenConn_givesCopiesAWriteAheadLog(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	cfg := sqlitefile.Config{Path: filepath.Join(folder, "a.db"), ApplicationID: 7, Version: 1, Schema: "CREATE TABLE a (n INTEGER)"}
	conn, err := sqlitefile.OpenConn(cfg)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(folder, "b.db")
	if err := errors.Join(sqlitefile.Exec(conn, "VACUUM INTO '"+copied+"'"), conn.Close()); err != nil {
		t.Fatal(err)
	}
	cfg.Path = copied
	if conn, err = sqlitefile.OpenConn(cfg); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := os.Stat(copied + "-wal"); err != nil {
		t.Errorf("the copy has no write-ahead log: %v", err)
	}
}
