package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"rentbook/eventstore/esdb/esdbtest"
	"rentbook/eventstore/pgdb/pgtest"
)

// place is where a portal keeps what it knows, as flags.
type place struct {
	t          *testing.T
	dir        string
	eventStore string
	database   string
}

// files is a place without servers.
func files(t *testing.T) place { return place{t: t, dir: t.TempDir()} }

// everywhere runs a test on all four pairs of stores. EventStoreDB is the one that RENTBOOK_TEST_ESDB
// names, else a double in this process; PostgreSQL is the one that RENTBOOK_TEST_POSTGRES names, else a
// scratch one.
func everywhere(t *testing.T, test func(t *testing.T, fresh func() place)) {
	t.Helper()
	for _, c := range []struct {
		name                 string
		eventStore, database bool
	}{{"files", false, false}, {"EventStoreDB", true, false}, {"PostgreSQL", false, true}, {"both", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			test(t, func() place {
				p := files(t)
				if c.eventStore {
					p.eventStore = eventStore(t)
				}
				if c.database {
					p.database = pgtest.URL(t)
				}
				return p
			})
		})
	}
}

// eventStore is a server without any log of ours.
func eventStore(t *testing.T) string {
	if given := os.Getenv("RENTBOOK_TEST_ESDB"); given != "" { // others use it too: ours has names of its own
		separator := "?"
		if strings.Contains(given, "?") {
			separator = "&"
		}
		return given + separator + "streamPrefix=t" + strings.ReplaceAll(uuid.NewString(), "-", "") + "."
	}
	return esdbtest.Start(t, esdbtest.Options{}).ConnectionString()
}

// args are those of a command that is to work here.
func (p place) args(args ...string) []string {
	all := append(slices.Clone(args), "--data", p.dir)
	if p.eventStore != "" {
		all = append(all, "--eventstore", p.eventStore)
	}
	if p.database != "" {
		all = append(all, "--database", p.database)
	}
	return all
}

// has says whether a file is there.
func (p place) has(name string) bool {
	_, err := os.Stat(filepath.Join(p.dir, name))
	return err == nil
}

// must is what a command printed that had to succeed here.
func (p place) must(args ...string) string {
	p.t.Helper()
	return must(p.t, p.args(args...)...)
}

// portfolioFolder is the portfolio that most tests work with.
func portfolioFolder() string { return filepath.Join("testdata", "portfolio", "import") }
