// Package databasetest are the promises of the database that holds the views' tables, as tests that run
// on every implementation.
package databasetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rentbook/projections/database"
)

// Place opens one and the same database as often as it is asked.
type Place func(t *testing.T) database.Database

// Test runs the promises. fresh names a database that nobody has used.
func Test(t *testing.T, fresh func(t *testing.T) Place) {
	t.Helper()
	for _, p := range []struct {
		name string
		test func(*testing.T, Place)
	}{
		{"parameters in any order", parametersInAnyOrder},
		{"values come back as they went in", valuesComeBack},
		{"few rows and many", fewAndMany},
		{"merge adds or changes", merges},
		{"many questions at once", questionsAtOnce},
		{"a question beside all snapshots", asksBesideSnapshots},
		{"try undoes only what failed", tryUndoes},
		{"try undoes what the database refuses", tryUndoesRefusals},
		{"beside", besideOthers},
		{"write undoes", writeUndoes},
		{"an error that is passed over commits nothing", passedOver},
		{"read is one snapshot", oneSnapshot},
		{"read sees all renames or none", renames},
		{"read ended by its context", readEnded},
		{"read that panics", readPanics},
		{"writers take turns", writersTakeTurns},
		{"locks exclude", locksExclude},
		{"a scratch is gone once it is closed", scratchIsGone},
		{"what is asked may be anything", anyText},
		{"close refuses what would be written afterwards", closeRefuses},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.test(t, fresh(t))
		})
	}
}

// open opens the database, with two tables in it.
func open(t *testing.T, place Place) database.Database {
	t.Helper()
	db := place(t)
	write(t, db, func(tx database.Tx) error {
		const table = `CREATE TABLE IF NOT EXISTS {things} (number BIGINT PRIMARY KEY, name TEXT)`
		return errors.Join(tx.Exec(table), tx.Beside(7).Exec(table))
	})
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func write(t *testing.T, db database.Writer, f func(database.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// names reads all things, in a snapshot.
func names(t *testing.T, db database.Database) string {
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

func wants(t *testing.T, db database.Database, want string) {
	t.Helper()
	if got := names(t, db); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

const insert = `INSERT INTO {things} (number, name) VALUES ($1, $2)`

func parametersInAnyOrder(t *testing.T, place Place) {
	db := open(t, place)
	write(t, db, func(tx database.Tx) error {
		return tx.Exec(`INSERT INTO {things} (name, number) VALUES ($2, $1)`, database.Int(1), database.Text("one"))
	})
	wants(t, db, "[1one]")
}

// everyKind is one row with a value of every kind, and one without any.
func everyKind() [2][]database.Value {
	at := time.Date(2026, 3, 29, 1, 2, 3, 456_789_000, time.UTC)
	id := [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}
	return [2][]database.Value{
		{
			database.Int(1), database.Int(-9_007_199_254_740_993), database.Text("Zoë's \"rent\"\n\u2028"),
			database.Date("0001-01-01"), database.Time(at), database.Bool(true), database.UUID(id), database.Bytes([]byte{0, 255}),
		},
		{
			database.Int(2), database.Null(), database.Null(), database.Null(), database.Null(), database.Null(),
			database.Null(), database.Null(),
		},
	}
}

func valuesComeBack(t *testing.T, place Place) {
	db := open(t, place)
	rows := everyKind()
	write(t, db, func(tx database.Tx) error {
		return tx.Exec(`CREATE TABLE kinds (key BIGINT PRIMARY KEY, n BIGINT, text TEXT, day DATE, at TIMESTAMPTZ, yes BOOLEAN,
			id UUID, raw BYTEA)`)
	})
	for _, many := range []int{1, 200} { // one way to write, and the other
		write(t, db, func(tx database.Tx) error {
			return errors.Join(tx.Exec(`DELETE FROM kinds`),
				tx.Insert(`kinds (key, n, text, day, at, yes, id, raw)`, 2*many, func(i int) []database.Value {
					rows[i%2][0] = database.Int(i)
					return rows[i%2]
				}))
		})
		var got string
		err := db.Read(t.Context(), func(tx database.Snapshot) error {
			return tx.Query(`SELECT key, n, text, day, at, yes, id, raw FROM kinds WHERE key < 2 ORDER BY key`, func(r database.Row) error {
				got += fmt.Sprintf("%d %d %q %s %s %t %x %x %t;", r.Int(0), r.Int(1), r.Text(2), r.Date(3),
					r.Time(4).Format(time.RFC3339Nano), r.Bool(5), r.UUID(6), r.Bytes(7), r.Null(7))
				if r.Null(1) && (r.Text(3) != "" || r.Text(6) != "") {
					t.Error("no value reads as some text")
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		first, second, _ := strings.Cut(got, ";")
		want := `0 -9007199254740993 "Zoë's \"rent\"\n\u2028" 0001-01-01 2026-03-29T01:02:03.456789Z true ` +
			`000102030405060708090a0b0c0d0eff 00ff false`
		if first != want || !strings.HasPrefix(second, `1 0 ""  `) {
			t.Errorf("%d rows:\ngot  %s\nwant %s", 2*many, got, want)
		}
	}
}

func fewAndMany(t *testing.T, place Place) {
	db := open(t, place)
	write(t, db, func(tx database.Tx) error {
		next := 0
		for _, n := range []int{0, 1, 5, 5000, 3} {
			err := tx.Insert(`{things} (number, name)`, n, func(i int) []database.Value {
				return []database.Value{database.Int(next + i), database.Text("thing")}
			})
			if err != nil {
				return err
			}
			next += n
		}
		var found int64
		err := tx.Query(`SELECT CAST(sum(number) AS BIGINT) FROM {things}`, func(r database.Row) error {
			found = r.Int(0)
			return nil
		})
		if found != 5008*5009/2 {
			t.Errorf("the numbers add up to %d", found)
		}
		return err
	})
}

// Few rows and many, new ones and known ones, with values of every kind and without any.
func merges(t *testing.T, place Place) {
	db := open(t, place)
	rows := everyKind()
	write(t, db, func(tx database.Tx) error {
		return tx.Exec(`CREATE TABLE {kinds} (key BIGINT PRIMARY KEY, n BIGINT, text TEXT, day DATE, at TIMESTAMPTZ, yes BOOLEAN,
			id UUID, raw BYTEA) CHANGING`)
	})
	total := func() (keys, n, texts, days int64) {
		err := db.Read(t.Context(), func(tx database.Snapshot) error {
			return tx.Query(`SELECT count(*), CAST(coalesce(sum(n + 9007199254740993), 0) AS BIGINT), count(text), count(raw)
				FROM {kinds} WHERE day IS NULL OR day = $1`, func(r database.Row) error {
				keys, n, texts, days = r.Int(0), r.Int(1), r.Int(2), r.Int(3)
				return nil
			}, database.Date("0001-01-01"))
		})
		if err != nil {
			t.Fatal(err)
		}
		return keys, n, texts, days
	}
	merge := func(from, to, kind int) {
		write(t, db, func(tx database.Tx) error {
			return tx.Merge(`{kinds} (key, n, text, day, at, yes, id, raw)`,
				`(key) DO UPDATE SET n = {kinds}.n + 1, text = excluded.text`, to-from, func(i int) []database.Value {
					row := rows[kind%2]
					if kind > 1 {
						row = rows[i%2]
					}
					row[0] = database.Int(from + i)
					return row
				})
		})
	}
	merge(0, 0, 0)
	merge(0, 3, 0)
	merge(1, 4, 1) // no value of any kind: 1 and 2 change, 3 is new
	merge(4, 5004, 2)
	if keys, n, texts, raws := total(); keys != 5004 || n != 2 || texts != 2501 || raws != 2503 {
		t.Errorf("there are %d keys, %d changes, %d texts and %d with bytes", keys, n, texts, raws)
	}
}

func questionsAtOnce(t *testing.T, place Place) {
	db := open(t, place)
	write(t, db, func(tx database.Tx) error {
		if err := tx.Exec(insert, database.Int(7), database.Text("seven")); err != nil { // which may be waiting
			return err
		}
		for _, n := range []int{0, 1, 5000} {
			found := map[int]string{}
			err := tx.QueryEach(`SELECT name FROM {things} WHERE number = $1`, n, func(i int) []database.Value {
				return []database.Value{database.Int(i + 7)}
			}, func(i int, r database.Row) error {
				found[i] += r.Text(0)
				return nil
			})
			if err != nil {
				return err
			}
			if want := min(n, 1); len(found) != want || n > 0 && found[0] != "seven" {
				t.Errorf("%d questions: the answers are %v", n, found)
			}
		}
		failed := errors.New("failed")
		err := tx.QueryEach(`SELECT name FROM {things} WHERE number = $1`, 3, func(int) []database.Value {
			return []database.Value{database.Int(7)}
		}, func(int, database.Row) error { return failed })
		if !errors.Is(err, failed) {
			t.Errorf("got %v", err)
		}
		return tx.Exec(insert, database.Int(8), database.Null())
	})
	wants(t, db, "[7seven 8]")
}

func asksBesideSnapshots(t *testing.T, place Place) {
	db := open(t, place)
	write(t, db, func(tx database.Tx) error { return tx.Exec(insert, database.Int(1), database.Text("one")) })
	const more = 40 // than any pool has
	held, over := make(chan struct{}, more), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range more {
		readers.Go(func() {
			_ = db.Read(ctx, func(database.Snapshot) error {
				held <- struct{}{}
				<-over
				return nil
			})
		})
	}
	<-held
	for range 5 {
		asked := ""
		err := db.Ask(t.Context(), `SELECT name FROM {things} WHERE number = $1`, func(r database.Row) error {
			asked += r.Text(0)
			return nil
		}, database.Int(1))
		if err != nil || asked != "one" {
			t.Errorf("got %q, %v", asked, err)
		}
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := db.Ask(ended, `SELECT 1`, func(database.Row) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("asked too late: got %v", err)
	}
	cancel()
	close(over)
	readers.Wait()
}

func tryUndoes(t *testing.T, place Place) {
	db := open(t, place)
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
	wants(t, db, "[0 2]")
}

func tryUndoesRefusals(t *testing.T, place Place) {
	db := open(t, place)
	write(t, db, func(tx database.Tx) error {
		if err := tx.Exec(insert, database.Int(1), database.Text("first")); err != nil {
			return err
		}
		for range 2 {
			err := tx.Try(func() error {
				return errors.Join(
					tx.Exec(insert, database.Int(2), database.Text("second")),
					tx.Exec(insert, database.Int(1), database.Text("first again")))
			})
			if err == nil {
				t.Error("a key twice is no success")
			}
			if errors.Is(err, database.ErrUnavailable) {
				t.Errorf("a key twice will be so for ever: got %v", err)
			}
		}
		return tx.Exec(insert, database.Int(3), database.Text("third"))
	})
	wants(t, db, "[1first 3third]")
}

func besideOthers(t *testing.T, place Place) {
	db := open(t, place)
	write(t, db, func(tx database.Tx) error {
		return errors.Join(
			tx.Exec(insert, database.Int(1), database.Text("live")),
			tx.Beside(7).Exec(insert, database.Int(1), database.Text("new")))
	})
	wants(t, db, "[1live]")
}

// What fails, panics, or has ended before it began leaves nothing behind, and the next one works.
func writeUndoes(t *testing.T, place Place) {
	db := open(t, place)
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
	wants(t, db, "[3]")
}

func passedOver(t *testing.T, place Place) {
	db := open(t, place)
	err := db.Write(t.Context(), func(tx database.Tx) error {
		err := tx.Query(`SELECT number FROM {no_such_table}`, func(database.Row) error { return nil })
		if err == nil {
			t.Error("a table that is not there could be read")
		}
		return err
	})
	if err == nil || errors.Is(err, database.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	write(t, db, func(tx database.Tx) error { return tx.Exec(insert, database.Int(1), database.Null()) })
}

// A snapshot stays what it was while others write, and two users of one database take turns.
func oneSnapshot(t *testing.T, place Place) {
	db, other := open(t, place), open(t, place)
	err := db.Read(t.Context(), func(tx database.Snapshot) error {
		count := func() (n int64) {
			_ = tx.Query(`SELECT count(*) FROM {things}`, func(r database.Row) error {
				n = r.Int(0)
				return nil
			})
			return n
		}
		before := count()
		for i := range 5 {
			for j, d := range []database.Database{db, other} {
				write(t, d, func(tx database.Tx) error { return tx.Exec(insert, database.Int(2*i+j), database.Null()) })
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

// renames puts other tables in place again and again, as a rebuild does, beside readers. Each table
// holds the number that the checkpoint beside it says.
func renames(t *testing.T, place Place) {
	db := open(t, place)
	write(t, db, func(tx database.Tx) error {
		return errors.Join(tx.Exec(`CREATE TABLE marks (mark BIGINT PRIMARY KEY)`), tx.Exec(`INSERT INTO marks (mark) VALUES (0)`),
			tx.Exec(insert, database.Int(0), database.Null()))
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		defer cancel()
		var err error
		for n := 1; n <= 20 && err == nil; n++ {
			err = rename(ctx, db, n)
		}
		ended <- err
	}()
	for reads := 0; ctx.Err() == nil || reads < 20; reads++ {
		err := db.Read(t.Context(), func(tx database.Snapshot) error {
			var mark, number int64
			err := tx.Query(`SELECT mark FROM marks`, func(r database.Row) error {
				mark = r.Int(0)
				return nil
			})
			err = errors.Join(err, tx.Query(`SELECT number FROM {things}`, func(r database.Row) error {
				number = r.Int(0)
				return nil
			}))
			if mark != number {
				t.Errorf("the table is %d, the mark %d", number, mark)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func rename(ctx context.Context, db database.Database, n int) error {
	for {
		err := db.Write(context.WithoutCancel(ctx), func(tx database.Tx) error {
			const table = `CREATE TABLE {things} (number BIGINT PRIMARY KEY, name TEXT)`
			next := int64(100 + n)
			aside := fmt.Sprintf("things_before_%d", n)
			return errors.Join(
				tx.Beside(next).Exec(table), tx.Beside(next).Exec(insert, database.Int(n), database.Null()),
				tx.Rename(database.Renaming{From: "things", To: aside}),
				tx.Rename(database.Renaming{From: fmt.Sprintf("things_%d", next), To: "things"}),
				tx.Exec(`UPDATE marks SET mark = $1`, database.Int(n)), tx.Drop(aside), tx.Drop("no_such_table"))
		})
		if !errors.Is(err, database.ErrUnavailable) { // readers were in the way
			return err
		}
	}
}

func readEnded(t *testing.T, place Place) {
	db := open(t, place)
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

// A reader that panics, again and again, uses nothing up.
func readPanics(t *testing.T, place Place) {
	db := open(t, place)
	for range 20 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was kept from its caller")
				}
			}()
			_ = db.Read(t.Context(), func(tx database.Snapshot) error {
				return tx.Query(`SELECT count(*) FROM {things}`, func(database.Row) error { panic("defect") })
			})
		}()
	}
	wants(t, db, "[]")
}

// Many who read a number and write the next lose nothing.
func writersTakeTurns(t *testing.T, place Place) {
	dbs := []database.Database{open(t, place), open(t, place)}
	write(t, dbs[0], func(tx database.Tx) error { return tx.Exec(insert, database.Int(0), database.Null()) })
	ended := make(chan error, 8)
	for i := range 8 {
		go func() {
			var err error
			for j := 0; j < 10 && err == nil; j++ {
				err = dbs[i%2].Write(t.Context(), func(tx database.Tx) error {
					var n int64
					err := tx.Query(`SELECT number FROM {things}`, func(r database.Row) error {
						n = r.Int(0)
						return nil
					})
					return errors.Join(err, tx.Exec(`UPDATE {things} SET number = $1`, database.Int(n+1)))
				})
			}
			ended <- err
		}()
	}
	for range 8 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	wants(t, dbs[0], "[80]")
}

func locksExclude(t *testing.T, place Place) {
	one, another := open(t, place), open(t, place)
	lock := func(db database.Database, name string) database.Lock {
		l, err := db.Lock(name)
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
	first, second, other := lock(one, "a"), lock(another, "a"), lock(another, "b")
	try := func(l database.Lock, want bool) {
		t.Helper()
		if got, err := l.Try(t.Context()); err != nil || got != want {
			t.Errorf("try: got %v, %v, want %v", got, err, want)
		}
	}
	try(first, true)
	try(second, false)
	try(other, true)
	if err := first.Unlock(); err != nil {
		t.Fatal(err)
	}
	for held := false; !held; { // a database far away is not asked at every turn
		var err error
		if held, err = second.Try(t.Context()); err != nil || t.Context().Err() != nil {
			t.Fatalf("the lock was given back, and cannot be had: %v", err)
		}
	}
	try(first, false)
	select {
	case <-second.Lost():
		t.Error("a lock that is held is lost")
	default:
	}
}

func scratchIsGone(t *testing.T, place Place) {
	db := open(t, place)
	for range 2 {
		scratch, err := db.Scratch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		write(t, scratch, func(tx database.Tx) error {
			return errors.Join(tx.Exec(`CREATE TABLE {things} (number BIGINT PRIMARY KEY, name TEXT)`),
				tx.Publish("things", `SELECT number FROM {things}`))
		})
		wants(t, scratch, "[]")
		if err := scratch.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func anyText(t *testing.T, place Place) {
	db := open(t, place)
	err := db.Read(t.Context(), func(tx database.Snapshot) error {
		for _, text := range []string{"a\x00b", "\xff\xfe", "'; DROP TABLE things; --"} {
			err := tx.Query(`SELECT number FROM {things} WHERE name = $1`, func(database.Row) error {
				t.Errorf("found %q", text)
				return nil
			}, database.Text(text))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func closeRefuses(t *testing.T, place Place) {
	db := place(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), func(database.Tx) error { return nil }); err == nil {
		t.Error("a write after Close was carried out")
	}
}
