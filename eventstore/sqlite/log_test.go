package sqlite_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"rentbook/eventstore/eventstoretest"
	"rentbook/eventstore/sqlite"
)

// TestMain plays another process when a test has started the binary as one.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := play(role, os.Getenv(folderVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func TestLog(t *testing.T) {
	t.Parallel()
	eventstoretest.Test(t, func(t testing.TB) eventstoretest.Log { return open(t, t.TempDir(), sqlite.Options{}) })
}

func TestLog_Shared(t *testing.T) {
	t.Parallel()
	shared := open(t, t.TempDir(), sqlite.Options{})
	eventstoretest.Test(t, func(testing.TB) eventstoretest.Log { return shared })
}

func TestLog_Reopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var last *sqlite.Log
	eventstoretest.TestReopen(t, func(t testing.TB) eventstoretest.Log {
		if last != nil {
			if err := last.Close(); err != nil {
				t.Fatal(err)
			}
		}
		last = open(t, dir, sqlite.Options{})
		return last
	})
}

func open(t testing.TB, dir string, o sqlite.Options) *sqlite.Log {
	t.Helper()
	log, err := sqlite.Open(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return log
}
