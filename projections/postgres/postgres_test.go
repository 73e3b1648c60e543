package postgres_test

import (
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"rentbook/eventstore/pgdb"
	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/projections/database"
	"rentbook/projections/database/databasetest"
	"rentbook/projections/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main(m)) }

func TestDatabase(t *testing.T) {
	t.Parallel()
	databasetest.Test(t, func(t *testing.T) databasetest.Place {
		at := pgtest.URL(t)
		return func(t *testing.T) database.Database { return open(t, at) }
	})
}

func open(t *testing.T, at string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), parse(t, at), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// Connections that ended while nobody used them, as all do when the server is restarted, are no reason
// for a reader to fail.
func TestDB_readsThoughItsConnectionsHaveEnded(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set("application_name", query.Get("search_path"))
	address.RawQuery = query.Encode()
	db := open(t, address.String())
	defer db.Close()
	const ending = `SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 10000)) FROM pg_stat_activity
		WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()`
	ended := func(r database.Row) error {
		if r.Int(0) == 0 {
			t.Error("no connection was ended")
		}
		return nil
	}
	for range 5 {
		var all sync.WaitGroup
		inside, over := make(chan struct{}), make(chan struct{})
		for range 4 { // at once, so that there are several connections
			all.Go(func() {
				err := db.Read(t.Context(), func(database.Snapshot) error {
					inside <- struct{}{}
					<-over
					return nil
				})
				if err != nil {
					t.Errorf("a read: %v", err)
				}
			})
		}
		for range 4 {
			<-inside
		}
		close(over)
		all.Wait()
		if err := db.Ask(t.Context(), ending, ended); err != nil {
			t.Errorf("a question: %v", err)
		}
		if err := db.Read(t.Context(), func(tx database.Snapshot) error { return tx.Query(ending, ended) }); err != nil {
			t.Errorf("another read: %v", err)
		}
	}
}

// A server that takes no more connections is one that is not available now.
func TestDB_whenTheServerIsFull(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Fast: true, Settings: map[string]string{"max_connections": "8"}})
	at := c.URL(t)
	db := open(t, at)
	defer db.Close()
	c.Restart(t) // so that the pools have to connect again
	var others []*pgx.Conn
	for {
		conn, err := pgx.Connect(t.Context(), at)
		if err != nil {
			break
		}
		others = append(others, conn)
	}
	nothing := func(database.Tx) error { return nil }
	for what, err := range map[string]error{
		"write": db.Write(t.Context(), nothing),
		"read":  db.Read(t.Context(), func(database.Snapshot) error { return nil }),
		"ask":   db.Ask(t.Context(), `SELECT 1`, func(database.Row) error { return nil }),
	} {
		if !errors.Is(err, database.ErrUnavailable) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := postgres.Open(t.Context(), parse(t, at), time.Now); !errors.Is(err, database.ErrUnavailable) {
		t.Errorf("open: got %v", err)
	}
	for _, conn := range others {
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for err := database.ErrUnavailable; err != nil; { // the server notices that they have gone
		if err = db.Write(t.Context(), nothing); err != nil && !errors.Is(err, database.ErrUnavailable) {
			t.Fatal(err)
		}
	}
}

func parse(t *testing.T, at string) pgdb.Address {
	t.Helper()
	address, err := pgdb.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	return address
}
