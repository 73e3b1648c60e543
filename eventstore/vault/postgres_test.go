package vault_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rentbook/eventstore"
	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/eventstore/vault"
)

// number asks the database behind the vault's back.
func (p place) number(t testing.TB, query string) (n int) {
	t.Helper()
	conn := p.connect(t)
	if err := errors.Join(conn.QueryRow(t.Context(), query).Scan(&n), conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return n
}

// elsewhere is the same database seen from another machine.
func (p place) elsewhere(t testing.TB) place {
	t.Helper()
	return place{dir: filepath.Join(t.TempDir(), "new"), address: p.address}
}

func (p place) masterKeyIsThere(t testing.TB) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(p.dir, "master.key"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func TestOpenPostgres_NeverMakesASecondMasterKey(t *testing.T) {
	t.Parallel()
	p := inPostgres(t)
	p.found(t, vault.Options{})
	there := p.elsewhere(t)
	_, err := there.try(t, vault.Options{})
	if err == nil || !strings.Contains(err.Error(), "--master-key or RENTBOOK_MASTER_KEY_VALUE") {
		t.Errorf("without the master key: %v, want an error that says how to give it", err)
	}
	if there.masterKeyIsThere(t) {
		t.Error("a second master key was made")
	}
	key, err := os.ReadFile(filepath.Join(p.dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	sealed := seal(t, p.open(t, vault.Options{}), "person-1", "kept")
	unseals(t, there.open(t, vault.Options{MasterKey: string(key)}), "person-1", sealed, "kept")
}

func TestOpenPostgres_OneOfManyMachinesMakesTheVault(t *testing.T) {
	t.Parallel()
	p := inPostgres(t)
	machines := make([]place, 4)
	opened := make([]*vault.Vault, len(machines))
	var all sync.WaitGroup
	for i := range machines {
		machines[i] = p.elsewhere(t)
		all.Go(func() { opened[i], _ = machines[i].try(t, vault.Options{}) })
	}
	all.Wait()
	made := 0
	for i, v := range opened {
		if v == nil {
			continue
		}
		made++
		if !machines[i].masterKeyIsThere(t) {
			t.Error("the vault has no master key")
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	}
	keys := 0
	for _, m := range machines {
		if m.masterKeyIsThere(t) {
			keys++
		}
	}
	if made != 1 || keys != 1 {
		t.Errorf("%d machines made the vault and %d a master key, want 1 and 1", made, keys)
	}
}

func TestOpenPostgres_RefusesTheRemainsOfAVault(t *testing.T) {
	t.Parallel()
	p := inPostgres(t)
	v := p.open(t, vault.Options{})
	seal(t, v, "person-1", "x")
	p.execute(t, "DELETE FROM vault")
	if _, err := p.try(t, vault.Options{}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("keys without a vault: %v, want damage", err)
	}
}

// A COMMIT whose answer is lost may have come to pass or not; both ways there is one key, one
// tombstone and one vault, and the caller need not know.
func TestPostgres_LostCommits(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*pgtest.Proxy, int){
		"after it happened":  (*pgtest.Proxy).CutAfterCommit,
		"before it happened": (*pgtest.Proxy).CutBeforeCommit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := inPostgres(t)
			proxy := pgtest.NewProxy(t, direct.address)
			p := place{dir: direct.dir, address: proxy.URL()}
			lose(proxy, 2) // the first makes the tables
			v := p.open(t, vault.Options{})
			if n := direct.number(t, "SELECT count(*) FROM vault"); n != 1 {
				t.Errorf("%d vaults were made", n)
			}
			proxy.CutAfter("INSERT", 1)
			sealed := seal(t, v, "person-1", "secret")
			wrapped := direct.wrapped(t, "person-1")
			if err := v.Ensure(t.Context(), "person-1"); err != nil || !bytes.Equal(wrapped, direct.wrapped(t, "person-1")) {
				t.Errorf("the key was made twice: %v", err)
			}
			lose(proxy, 1)
			if err := v.Destroy(t.Context(), "person-1"); err != nil {
				t.Fatal(err)
			}
			fails(t, v, "person-1", sealed, vault.ErrErased)
			if n := direct.number(t, "SELECT destroyed FROM vault"); n != 1 {
				t.Errorf("%d keys count as destroyed, want 1", n)
			}
		})
	}
}

// The server's default gives up what it was told last; a key must not go with it.
func TestPostgres_KeysSurviveTheServer(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Fast: true})
	p := place{dir: t.TempDir(), address: c.URL(t)}
	v := p.open(t, vault.Options{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()

	type secret struct {
		subject string
		sealed  []byte
	}
	secrets := make(chan secret, 1<<16)
	acknowledged := make(chan struct{}, 1<<16)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				subject := fmt.Sprintf("person-%d-%d", worker, i)
				if err := v.Ensure(ctx, subject); err != nil {
					if ctx.Err() == nil && !errors.Is(err, eventstore.ErrUnavailable) {
						t.Errorf("ensure while the server is killed: %v", err)
					}
					continue
				}
				if sealed, err := v.Seal(subject, []byte("associated"), []byte(subject)); err == nil {
					secrets <- secret{subject, sealed}
				}
				select {
				case acknowledged <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 10 {
		for range 50 {
			<-acknowledged
		}
		c.Kill()
		c.Restart(t)
	}
	stop()
	all.Wait()
	close(secrets)
	again := p.open(t, vault.Options{})
	for s := range secrets {
		unseals(t, again, s.subject, s.sealed, s.subject)
	}
	if n := p.number(t, "SELECT count(*) FROM keys WHERE length(wrapped) <> 60"); n != 0 {
		t.Errorf("%d keys are not whole", n)
	}
}

func TestPostgres_Unavailable(t *testing.T) {
	t.Parallel()
	proxied := inPostgres(t)
	proxy := pgtest.NewProxy(t, proxied.address)
	proxied.address = proxy.URL()
	clock := newClock()
	v := proxied.open(t, vault.Options{Now: clock.now})
	sealed := seal(t, v, "person-1", "secret")
	unseals(t, v, "person-1", sealed, "secret")

	proxy.Refuse(true)
	proxy.Cut()
	unseals(t, v, "person-1", sealed, "secret") // looked up a moment ago
	clock.pass(100 * time.Millisecond)
	for range 2 {
		fails(t, v, "person-1", sealed, eventstore.ErrUnavailable) // it may have been destroyed
	}
	if err := v.Ensure(t.Context(), "person-2"); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("ensure: %v, want ErrUnavailable", err)
	}
	if err := v.Destroy(t.Context(), "person-2"); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("destroy: %v, want ErrUnavailable", err)
	}
	if _, err := proxied.try(t, vault.Options{}); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("open: %v, want ErrUnavailable", err)
	}
	proxy.Refuse(false)
	unseals(t, v, "person-1", sealed, "secret")
	seal(t, v, "person-2", "not destroyed after all")
}

// A backup that runs may still read the row as it was; the key reads as erased all the same.
func TestPostgres_DestroyWhileSomebodyReads(t *testing.T) {
	t.Parallel()
	p := inPostgres(t).alone(t)
	v := p.open(t, vault.Options{})
	sealed := seal(t, v, "person-1", "secret")
	wrapped := p.wrapped(t, "person-1")
	backup := p.connect(t)
	if _, err := backup.Exec(t.Context(), "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class LIMIT 1"); err != nil {
		t.Fatal(err)
	}
	if err := v.Destroy(t.Context(), "person-1"); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("destroy: %v, want ErrUnavailable", err)
	}
	fails(t, v, "person-1", sealed, vault.ErrErased)
	if !p.onDisk(t, wrapped) {
		t.Error("the test does not find the copy that was said to be there")
	}
	if err := backup.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := v.Destroy(t.Context(), "person-1"); err != nil {
		t.Errorf("destroy again: %v", err)
	}
	if p.onDisk(t, wrapped) {
		t.Error("the destroyed key is still in the files")
	}
}

// The role that runs Rentbook owns its database, and may do nothing else.
func TestPostgres_NeedsNoSuperuser(t *testing.T) {
	t.Parallel()
	p := inPostgres(t).alone(t)
	for _, statement := range []string{
		"CREATE ROLE plain LOGIN", "CREATE DATABASE books OWNER plain", "REVOKE ALL ON DATABASE books FROM PUBLIC",
	} {
		conn := p.connect(t)
		_, err := conn.Exec(t.Context(), statement)
		if err := errors.Join(err, conn.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	p.address = strings.Replace(p.address, "postgres@/postgres?", "plain@/books?", 1)
	from := place{dir: p.dir}.open(t, vault.Options{})
	sealed := seal(t, from, "person-1", "secret")
	if err := vault.Copy(t.Context(), from, p.parsed(t)); err != nil {
		t.Fatal(err)
	}
	v := p.open(t, vault.Options{})
	unseals(t, v, "person-1", sealed, "secret")
	if err := v.Destroy(t.Context(), "person-1"); err != nil {
		t.Error(err)
	}
}

// Many handles want the same new keys in different orders.
func TestPostgres_EnsureByManyProcesses(t *testing.T) {
	t.Parallel()
	p := inPostgres(t)
	const handles, subjects = 4, 200
	sealed := make([][]byte, handles)
	vaults := make([]*vault.Vault, handles)
	for i := range vaults {
		vaults[i] = p.open(t, vault.Options{})
	}
	var all sync.WaitGroup
	for i, v := range vaults {
		all.Go(func() {
			names := make([]string, subjects)
			for n := range names {
				names[n] = fmt.Sprintf("person-%d", (n*(2*i+1)+i)%subjects)
			}
			if err := v.Ensure(t.Context(), names...); err != nil {
				t.Error(err)
			}
			sealed[i] = seal(t, v, "person-7", "shared")
		})
	}
	all.Wait()
	for _, v := range vaults {
		for _, s := range sealed {
			unseals(t, v, "person-7", s, "shared")
		}
	}
	if n := p.number(t, "SELECT count(*) FROM keys"); n != subjects {
		t.Errorf("%d keys, want %d", n, subjects)
	}
}

func TestIsEmpty(t *testing.T) {
	t.Parallel()
	p := inPostgres(t)
	empty := func(want bool) {
		t.Helper()
		if got, err := vault.IsEmpty(t.Context(), p.parsed(t)); err != nil || got != want {
			t.Errorf("is the vault empty: %v, %v, want %v", got, err, want)
		}
	}
	empty(true)
	if n := p.number(t, "SELECT count(*) FROM pg_namespace WHERE nspname = '"+p.parsed(t).Vault()+"'"); n != 0 {
		t.Error("asking made a schema")
	}
	p.found(t, vault.Options{MasterKey: masterKey(7)})
	empty(false)
	p.execute(t, "DELETE FROM vault")
	empty(true)
}

func masterKey(b byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{b}, 32))
}
