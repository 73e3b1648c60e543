package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "zombiezen.com/go/sqlite"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
	"rentbook/eventstore/sqlite/sqlitefile"
)

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string) string
		says  string
	}{
		{"a folder that is a file", func(t *testing.T, dir string) string {
			return overwrite(t, filepath.Join(dir, "file"), "x", 0)
		}, "is a file: name a folder"},
		{"a log that is a folder", func(t *testing.T, dir string) string {
			if err := os.MkdirAll(filepath.Join(dir, "new", "log.db"), 0o700); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(dir, "new")
		}, "is not a regular file"},
		{"a spoilt header", func(t *testing.T, dir string) string {
			overwrite(t, filepath.Join(dir, "log.db"), "not a database at all", 0)
			return dir
		}, "is damaged or not a database: restore it"},
		{"a spoilt schema", func(t *testing.T, dir string) string {
			overwrite(t, filepath.Join(dir, "log.db"), strings.Repeat("x", 900), 100)
			return dir
		}, "is damaged or not a database: restore it"},
		{"an empty file", func(t *testing.T, dir string) string {
			if err := os.Truncate(filepath.Join(dir, "log.db"), 0); err != nil {
				t.Fatal(err)
			}
			return dir
		}, "of another kind"},
		{"a newer version", func(t *testing.T, dir string) string {
			return execute(t, dir, "PRAGMA user_version=2")
		}, "written by a newer version"},
		{"an older version", func(t *testing.T, dir string) string {
			return execute(t, dir, "PRAGMA user_version=0")
		}, "written by an older version"},
		{"another kind of file", func(t *testing.T, dir string) string {
			return execute(t, dir, "PRAGMA application_id=1")
		}, "of another kind"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l, err := sqlite.Open(t.Context(), dir, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			_, err = sqlite.Open(t.Context(), c.spoil(t, dir), sqlite.Options{})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error that says %q", err, c.says)
			}
		})
	}
}

// overwrite writes over part of a file nobody has open.
func overwrite(t *testing.T, path, text string, at int64) string {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt([]byte(text), at)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func execute(t *testing.T, dir, statement string) string {
	t.Helper()
	conn, err := driver.OpenConn(filepath.Join(dir, "log.db"), driver.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(sqlitefile.Exec(conn, statement), conn.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpen_WaitsForWhoeverIsFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := sqlitefile.OpenLock(filepath.Join(dir, "log.lock"))
	if err != nil {
		t.Fatal(err)
	}
	if held, err := first.TryExclusive(); !held || err != nil {
		t.Fatalf("lock: %v, %v", held, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := sqlite.Open(ctx, dir, sqlite.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("open while another process is first: got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir, sqlite.Options{})
}

func TestOpen_FilesBelongToTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "newer")
	l := open(t, dir, sqlite.Options{})
	if _, err := l.Append(t.Context(), "s-1", 0, proposed()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		".": 0o700 | os.ModeDir, "..": 0o700 | os.ModeDir,
		"log.db": 0o600, "log.db-wal": 0o600, "log.db-shm": 0o600, "log.lock": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 4 {
		t.Errorf("drafts were left behind: %v", entries)
	}
}

func TestLog_RecordedTimesRise(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 4, 1, 9, 0, 0, 999_999_999, time.UTC)
	steps := []time.Duration{0, 0, -time.Hour, time.Minute, 0}
	l := open(t, t.TempDir(), sqlite.Options{Now: func() time.Time { return start.Add(steps[0]) }})
	for i := range steps {
		if _, err := l.Append(t.Context(), "s-1", eventstore.Version(2*i), proposed(), proposed()); err != nil {
			t.Fatal(err)
		}
		start = start.Add(steps[i])
	}
	var last time.Time
	for e, err := range l.Read(t.Context(), "s-1", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if !e.At.After(last) || e.At.Nanosecond()%1000 != 0 {
			t.Errorf("version %d was recorded at %v, the one before at %v", e.Version, e.At, last)
		}
		last = e.At
	}
}

func TestLog_CloseTwiceIsOnce(t *testing.T) {
	t.Parallel()
	l, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Error(err)
	}
}

func TestLog_CloseEndsFollowers(t *testing.T) {
	t.Parallel()
	l, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), "s-1", 0, proposed()); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	var last error
	for _, err := range l.Follow(t.Context(), eventstore.Position{}) {
		if last = err; err == nil {
			go func() { closed <- l.Close() }()
		}
	}
	if !errors.Is(last, eventstore.ErrUnavailable) {
		t.Errorf("the follower ended with %v, want %v", last, eventstore.ErrUnavailable)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
