package sqlite_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
	driver "zombiezen.com/go/sqlite"

	"rentbook/eventstore/sqlite/sqlitefile"
	"rentbook/projections/database"
	"rentbook/projections/database/databasetest"
	"rentbook/projections/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDatabase(t *testing.T) {
	t.Parallel()
	databasetest.Test(t, func(t *testing.T) databasetest.Place {
		dir := t.TempDir()
		return func(t *testing.T) database.Database { return open(t, dir) }
	})
}

func open(t *testing.T, dir string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func closed(t *testing.T, db *sqlite.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// Views of an older format are thrown away, and built anew from the log; files of another kind are
// refused and stay as they are.
func TestOpen_discardsWhatAnOlderVersionWrote(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "views.db")
	closed(t, open(t, dir))
	execute(t, path, `CREATE TABLE things (name TEXT)`, `PRAGMA user_version = 1`)

	db := open(t, dir)
	err := db.Write(t.Context(), func(tx database.Tx) error { return tx.Exec(`CREATE TABLE things (number BIGINT PRIMARY KEY)`) })
	if err != nil {
		t.Errorf("what the older version wrote is still there: %v", err)
	}
	closed(t, db)

	execute(t, path, `PRAGMA application_id = 1`, `PRAGMA user_version = 1`)
	if _, err := sqlite.Open(dir); err == nil {
		t.Error("another kind of file was opened")
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Error("another kind of file was thrown away")
	}
}

func execute(t *testing.T, path string, statements ...string) {
	t.Helper()
	conn, err := driver.OpenConn(path, driver.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		err = errors.Join(err, sqlitefile.Exec(conn, s))
	}
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
}
