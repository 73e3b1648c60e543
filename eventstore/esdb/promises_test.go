package esdb_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/esdb/esdbtest"
	"rentbook/eventstore/eventstoretest"
)

// TestMain lets many tests run at once: most of them wait for a server that does not answer. For the
// same reason there are fewer sequences of the model than rapid would try.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"test.parallel": "12", "rapid.checks": "5"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// serverVariable names a real server for the promises, as a connection string. It may be in use.
const serverVariable = "RENTBOOK_TEST_ESDB"

func TestPromises(t *testing.T) {
	t.Parallel()
	t.Run("double", func(t *testing.T) {
		t.Parallel()
		eventstoretest.Test(t, func(t testing.TB) eventstoretest.Log {
			return open(t, esdbtest.Start(t, esdbtest.Options{}).ConnectionString(), esdb.Options{})
		})
	})
	t.Run("shared double", func(t *testing.T) {
		t.Parallel()
		keep(t, esdbtest.Start(t, esdbtest.Options{}).ConnectionString())
	})
	t.Run("shared cluster with TLS, credentials and a prefix", func(t *testing.T) {
		t.Parallel()
		server := esdbtest.Start(t, esdbtest.Options{Nodes: 3, TLS: true, User: "admin", Password: "chan/ge,it"})
		keep(t, server.ConnectionString()+"&streamPrefix=book.")
		for _, e := range server.Events() {
			if !strings.HasPrefix(e.Stream, "book.") {
				t.Errorf("%s is not prefixed", e.Stream)
			}
		}
	})
	t.Run("double in use", func(t *testing.T) {
		t.Parallel()
		followEverything(t, open(t, esdbtest.Start(t, esdbtest.Options{StatsEvery: 1}).ConnectionString(), esdb.Options{}))
	})
	server := os.Getenv(serverVariable)
	if server == "" {
		t.Logf("the promises were kept with the double alone: %s names no server", serverVariable)
		return
	}
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		separator := "?"
		if strings.Contains(server, "?") {
			separator = "&"
		}
		keep(t, server+separator+"streamPrefix=test"+strings.ReplaceAll(uuid.NewString(), "-", "")+".")
		followEverything(t, open(t, server, esdb.Options{}))
	})
}

// followEverything asks for all streams but the server's own. Where another program writes an event of its
// own in between, which no log takes, it begins behind that.
func followEverything(t *testing.T, log *esdb.Log) {
	t.Helper()
	for range 20 {
		if found := followOwn(t, log); found {
			return
		}
	}
	t.Fatal("another program writes to this server all the time: give the test one that is less busy")
}

// followOwn says whether an event came that was appended for it, and not another program's.
func followOwn(t *testing.T, log *esdb.Log) bool {
	t.Helper()
	start, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	events := proposed(1)
	mustAppend(t, log, eventstore.NewStream("test"+strings.ReplaceAll(uuid.NewString(), "-", ""), "1"), 0, events...)
	for r, err := range log.Follow(t.Context(), start) {
		if err != nil && strings.Contains(err.Error(), "another program") {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.ID == events[0].ID {
			return true
		}
	}
	return false
}

// keep holds a server to the promises through one log and through reopened ones.
func keep(t *testing.T, server string) {
	t.Helper()
	shared := open(t, server, esdb.Options{})
	t.Run("promises", func(t *testing.T) {
		eventstoretest.Test(t, func(testing.TB) eventstoretest.Log { return shared })
	})
	t.Run("reopen", func(t *testing.T) {
		var last *esdb.Log
		eventstoretest.TestReopen(t, func(t testing.TB) eventstoretest.Log {
			if last != nil {
				if err := last.Close(); err != nil {
					t.Fatal(err)
				}
			}
			last = open(t, server, esdb.Options{})
			return last
		})
	})
}

func open(t testing.TB, server string, o esdb.Options) *esdb.Log {
	t.Helper()
	log, err := esdb.Open(t.Context(), server, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if n := log.Health().Abandoned; n != 0 {
			t.Errorf("%d calls of the client hang", n)
		}
	})
	return log
}

// openConnected is for tests that are short of patience.
func openConnected(t *testing.T, server *esdbtest.Server, o esdb.Options) *esdb.Log {
	t.Helper()
	log := open(t, server.ConnectionString(), o)
	eventually(t, "connected", func() bool { return log.Health().Connected })
	return log
}
