// Package pgtest gives tests a PostgreSQL.
//
// It is the server that RENTBOOK_TEST_POSTGRES names, or a scratch one: made in a temporary folder
// when a test first asks, reached through a socket in it, shared by all tests of the binary, and
// gone with the binary however that ends. Every test has schemas of its own. Tests that kill the
// server Start one of their own; tests that lose the network put a Proxy before it. Without a
// PostgreSQL on the machine tests fail, and say what to install.
//
// The one rule: nothing is left behind, neither a schema nor a process nor a folder.
package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// variable names a server to test on, as postgres://user:password@host/database.
const variable = "RENTBOOK_TEST_POSTGRES"

// dropMax bounds how long a test may keep others from dropping its schemas.
const dropMax = 10 * time.Second

// shared is the server of this test binary.
var shared struct {
	sync.Mutex

	cluster *Cluster
	err     error // why there is none
}

// URL is the address of a PostgreSQL, with a search_path that names schemas of this test alone. They
// are dropped when it ends; whoever still holds a lock on them by then makes it fail.
//
// The scratch server is fast, not safe: what it was told last does not survive its crash.
func URL(t testing.TB) string {
	t.Helper()
	base := os.Getenv(variable)
	if base == "" {
		base = sharedCluster(t).url()
	}
	return fresh(t, base)
}

// fresh adds the name of new schemas to an address.
func fresh(t testing.TB, base string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		t.Fatalf("%s: want postgres://user:password@host/database", variable) // and no word of the password
	}
	name := freshName()
	query := u.Query()
	query.Set("search_path", name)
	u.RawQuery = query.Encode()
	t.Cleanup(func() {
		if err := drop(u.String(), name); err != nil {
			t.Errorf("drop the schemas of the test: %v", err)
		}
	})
	return u.String()
}

func freshName() string {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // ends the program rather than fail
	return "test_" + hex.EncodeToString(random)
}

func drop(address, name string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*dropMax)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, fmt.Sprintf(`SET lock_timeout = %d; SET client_min_messages = error;
		DROP SCHEMA IF EXISTS %[2]s, %[2]s_views, %[2]s_vault, %[2]s_verify CASCADE`, dropMax.Milliseconds(), name))
	return err
}

func sharedCluster(t testing.TB) *Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = create(Options{Fast: true})
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster
}

// Tests are those of a binary.
type Tests struct{ m *testing.M }

// Main is for TestMain, which then leaves nothing for others to clean up, nor for goleak to find:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m).Run()) }
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main(m)) }
func Main(m *testing.M) Tests { return Tests{m} }

// Run runs the tests, and stops the server that they shared.
func (t Tests) Run() int {
	code := t.m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster != nil {
		shared.cluster.remove()
		shared.cluster = nil
	}
	return code
}
