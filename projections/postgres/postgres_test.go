package postgres_test

import (
	"testing"
	"time"

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
		url := pgtest.URL(t)
		return func(t *testing.T) database.Database { return open(t, url) }
	})
}

func open(t *testing.T, url string) *postgres.DB {
	t.Helper()
	address, err := pgdb.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), address, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return db
}
