package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"rentbook/projections/database"
	"rentbook/projections/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(dir, `CREATE TABLE things (number INTEGER PRIMARY KEY, name TEXT);
		CREATE TABLE things_7 (number INTEGER PRIMARY KEY, name TEXT);`)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func write(t *testing.T, db *sqlite.DB, f func(database.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// names reads all things, in a snapshot.
func names(t *testing.T, db *sqlite.DB) string {
	t.Helper()
	var all []string
	err := db.Read(t.Context(), func(tx database.Snapshot) error {
		return tx.Query(`SELECT number, name FROM {things} ORDER BY number`, func(r database.Row) error {
			all = append(all, fmt.Sprint(r.Int(0), r.Text(1)))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(all)
}

const insert = `INSERT INTO {things} (number, name) VALUES ($1, $2)`

// The driver would number parameters in the order in which they come.
func TestTransaction_parametersInAnyOrder(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	write(t, db, func(tx database.Tx) error {
		return tx.Exec(`INSERT INTO {things} (name, number) VALUES ($2, $1)`, database.Int(1), database.Text("one"))
	})
	if got := names(t, db); got != "[1one]" {
		t.Errorf("got %s", got)
	}
}

func TestTransaction_Try_undoesOnlyWhatFailed(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	failed := errors.New("failed")
	write(t, db, func(tx database.Tx) error {
		for i, fails := range []error{nil, failed, nil} {
			err := tx.Try(func() error {
				return errors.Join(tx.Exec(insert, database.Int(i), database.Null()), fails)
			})
			if !errors.Is(err, fails) {
				t.Errorf("try %d: got %v, want %v", i, err, fails)
			}
		}
		return nil
	})
	if got := names(t, db); got != "[0 2]" {
		t.Errorf("got %s", got)
	}
}

func TestTransaction_Beside(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	write(t, db, func(tx database.Tx) error {
		return errors.Join(
			tx.Exec(insert, database.Int(1), database.Text("live")),
			tx.Beside(7).Exec(insert, database.Int(1), database.Text("new")))
	})
	if got := names(t, db); got != "[1live]" {
		t.Errorf("got %s", got)
	}
}

// A statement can be used again while its own answer is read.
func TestTransaction_Query_nested(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	rows := 0
	write(t, db, func(tx database.Tx) error {
		err := errors.Join(tx.Exec(insert, database.Int(1), database.Null()), tx.Exec(insert, database.Int(2), database.Null()))
		const all = `SELECT number FROM {things}`
		return errors.Join(err, tx.Query(all, func(database.Row) error {
			return tx.Query(all, func(database.Row) error {
				rows++
				return nil
			})
		}))
	})
	if rows != 4 {
		t.Errorf("got %d rows, want 4", rows)
	}
}

// What fails, panics, or has ended before it began leaves nothing behind, and the next one works.
func TestDB_Write_undoes(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	failed := errors.New("failed")
	err := db.Write(t.Context(), func(tx database.Tx) error {
		return errors.Join(tx.Exec(insert, database.Int(1), database.Null()), failed)
	})
	if !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	err = db.Write(t.Context(), func(tx database.Tx) error {
		_ = tx.Exec(insert, database.Int(2), database.Null())
		panic("defect")
	})
	if err == nil {
		t.Error("a panic is no success")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Write(ended, func(database.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	write(t, db, func(tx database.Tx) error { return tx.Exec(insert, database.Int(3), database.Null()) })
	if got := names(t, db); got != "[3]" {
		t.Errorf("got %s", got)
	}
}

// A snapshot stays what it was while others write, and two databases of one folder take turns.
func TestDB_Read_isOneSnapshot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, other := open(t, dir), open(t, dir)
	err := db.Read(t.Context(), func(tx database.Snapshot) error {
		count := func() (n int64) {
			_ = tx.Query(`SELECT count(*) FROM {things}`, func(r database.Row) error {
				n = r.Int(0)
				return nil
			})
			return n
		}
		before := count()
		for i := range 10 {
			for _, d := range []*sqlite.DB{db, other} {
				write(t, d, func(tx database.Tx) error { return tx.Exec(`INSERT INTO {things} (name) VALUES ($1)`, database.Int(i)) })
			}
		}
		if after := count(); before != 0 || after != 0 {
			t.Errorf("counted %d, then %d", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRead_endedByItsContextLeavesNoTransactionBehind(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	for range 20 { // connections are used in turn
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Read(ctx, func(database.Snapshot) error {
			cancel()
			return ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("a read whose context ended: got %v", err)
		}
		if err := db.Read(t.Context(), func(database.Snapshot) error { return nil }); err != nil {
			t.Fatalf("the next read: %v", err)
		}
	}
}

func TestClose_refusesWhatWouldBeWrittenAfterwards(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.TempDir(), `CREATE TABLE things (number INTEGER PRIMARY KEY, name TEXT);`)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), func(database.Tx) error { return nil }); err == nil {
		t.Error("a write after Close was carried out")
	}
}
