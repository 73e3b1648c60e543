package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/eventstore/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main(m)) }

func seal(t testing.TB, v *vault.Vault, subject, plain string) []byte {
	t.Helper()
	if err := v.Ensure(t.Context(), subject); err != nil {
		t.Fatal(err)
	}
	sealed, err := v.Seal(subject, []byte("associated"), []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func unseals(t testing.TB, v *vault.Vault, subject string, sealed []byte, want string) {
	t.Helper()
	plain, err := v.Unseal(t.Context(), subject, []byte("associated"), sealed)
	if err != nil || string(plain) != want {
		t.Errorf("unseal for %s: got %q, %v, want %q", subject, plain, err, want)
	}
}

func fails(t testing.TB, v *vault.Vault, subject string, sealed []byte, want error) {
	t.Helper()
	if plain, err := v.Unseal(t.Context(), subject, []byte("associated"), sealed); !errors.Is(err, want) {
		t.Errorf("unseal for %s: got %q, %v, want %v", subject, plain, err, want)
	}
}

func TestVault_Seal(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		v := p.open(t, vault.Options{})
		sealed := seal(t, v, "person-1", "Zoë Example")
		if bytes.Contains(sealed, []byte("Example")) {
			t.Error("what was sealed can be read")
		}
		unseals(t, v, "person-1", sealed, "Zoë Example")
		unseals(t, v, "person-1", seal(t, v, "person-1", ""), "")

		if _, err := v.Unseal(t.Context(), "person-1", []byte("other"), sealed); err == nil {
			t.Error("unsealed with other associated data")
		}
		seal(t, v, "person-2", "x")
		if _, err := v.Unseal(t.Context(), "person-2", []byte("associated"), sealed); err == nil {
			t.Error("unsealed with another subject's key")
		}
		sealed[len(sealed)-1] ^= 1
		if _, err := v.Unseal(t.Context(), "person-1", []byte("associated"), sealed); err == nil {
			t.Error("unsealed after it was altered")
		}
		for _, junk := range [][]byte{nil, {}, {1}, {9, 9, 9}, make([]byte, 40)} {
			if _, err := v.Unseal(t.Context(), "person-1", []byte("associated"), junk); err == nil {
				t.Errorf("unsealed %x", junk)
			}
		}
	})
}

func TestVault_SealNeedsAKey(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		v := p.open(t, vault.Options{})
		if _, err := v.Seal("nobody", nil, nil); !errors.Is(err, vault.ErrKeyMissing) {
			t.Errorf("seal without a key: got %v, want %v", err, vault.ErrKeyMissing)
		}
		fails(t, v, "nobody", []byte{1}, vault.ErrKeyMissing)
	})
}

func TestVault_Reopen(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		first, err := p.try(t, vault.Options{})
		if err != nil {
			t.Fatal(err)
		}
		id, sealed := first.ID(), seal(t, first, "person-1", "kept")
		gone := seal(t, first, "person-2", "gone")
		if err := first.Destroy(t.Context(), "person-2"); err != nil {
			t.Fatal(err)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}

		second := p.open(t, vault.Options{})
		if second.ID() != id {
			t.Errorf("the vault is now called %s, was %s", second.ID(), id)
		}
		unseals(t, second, "person-1", sealed, "kept")
		fails(t, second, "person-2", gone, vault.ErrErased)
	})
}

func TestVault_Destroy(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		p = p.alone(t)
		v := p.open(t, vault.Options{})
		var subjects []string
		for i := range 500 { // several pages
			subjects = append(subjects, fmt.Sprintf("person-%d", i))
		}
		if err := v.Ensure(t.Context(), subjects...); err != nil {
			t.Fatal(err)
		}
		sealed := seal(t, v, "person-250", "secret")
		kept := seal(t, v, "person-251", "kept")
		wrapped := p.wrapped(t, "person-250")
		if !p.onDisk(t, wrapped) {
			t.Fatal("the test does not find a key that is there")
		}

		for range 2 {
			if err := v.Destroy(t.Context(), "person-250"); err != nil {
				t.Fatal(err)
			}
		}

		fails(t, v, "person-250", sealed, vault.ErrErased)
		unseals(t, v, "person-251", kept, "kept")
		if p.onDisk(t, wrapped) {
			t.Error("the destroyed key is still in the files")
		}
		if err := v.Ensure(t.Context(), "person-250"); !errors.Is(err, vault.ErrErased) {
			t.Errorf("make a destroyed key again: got %v, want %v", err, vault.ErrErased)
		}
		if err := v.Ensure(t.Context(), "person-250", "person-new"); !errors.Is(err, vault.ErrErased) {
			t.Errorf("make a destroyed key again: got %v, want %v", err, vault.ErrErased)
		}
		seal(t, v, "person-new", "the others have theirs")
	})
}

func TestVault_DestroyBeforeThereIsAKey(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		v := p.open(t, vault.Options{})
		if err := v.Destroy(t.Context(), "person-1"); err != nil {
			t.Fatal(err)
		}
		if err := v.Ensure(t.Context(), "person-1"); !errors.Is(err, vault.ErrErased) {
			t.Errorf("make a key whose subject is erased: got %v, want %v", err, vault.ErrErased)
		}
	})
}

// Keys are made before, between and after others are destroyed: no copy may stay behind in a page
// that was split or moved.
func TestVault_DestroysWithoutATrace(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		p = p.alone(t)
		v := p.open(t, vault.Options{})
		var destroyed [][]byte
		for round := range 10 {
			var subjects []string
			for i := range 60 {
				subjects = append(subjects, fmt.Sprintf("person-%d-%d", i*7919%60, round))
			}
			if err := v.Ensure(t.Context(), subjects...); err != nil {
				t.Fatal(err)
			}
			for _, subject := range subjects[:5] {
				destroyed = append(destroyed, p.wrapped(t, subject))
				if err := v.Destroy(t.Context(), subject); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, wrapped := range destroyed {
			if p.onDisk(t, wrapped) {
				t.Error("a destroyed key is still in the files")
			}
		}
	})
}

// Two handles behave as two processes do: SQLite locks them against each other.
func TestVault_SharedCreation(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		const handles = 4
		vaults := make([]*vault.Vault, handles)
		var all sync.WaitGroup
		for i := range vaults {
			all.Go(func() { vaults[i] = p.open(t, vault.Options{}) })
		}
		all.Wait()
		sealed := make([][]byte, handles)
		for i, v := range vaults {
			all.Go(func() { sealed[i] = seal(t, v, "person-1", "shared") })
		}
		all.Wait()
		for i, v := range vaults {
			if v.ID() != vaults[0].ID() {
				t.Errorf("handle %d calls the vault %s, the first %s", i, v.ID(), vaults[0].ID())
			}
			for _, s := range sealed {
				unseals(t, v, "person-1", s, "shared")
			}
		}
	})
}

func TestVault_DestructionIsNoticedElsewhere(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		clock := newClock()
		here, there := p.open(t, vault.Options{}), p.open(t, vault.Options{Now: clock.now})
		sealed := seal(t, here, "person-1", "secret")
		unseals(t, there, "person-1", sealed, "secret")
		if err := here.Destroy(t.Context(), "person-1"); err != nil {
			t.Fatal(err)
		}
		clock.pass(100 * time.Millisecond)
		fails(t, there, "person-1", sealed, vault.ErrErased)
		if err := there.Ensure(t.Context(), "person-1"); !errors.Is(err, vault.ErrErased) {
			t.Errorf("make a key that another process destroyed: got %v, want %v", err, vault.ErrErased)
		}
	})
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func TestVault_EnsureTogether(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		v := p.open(t, vault.Options{})
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				subject := fmt.Sprintf("person-%d", i%50)
				unseals(t, v, subject, seal(t, v, subject, "together"), "together")
			})
		}
		all.Wait()
	})
}

func TestVault_EnsureGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		v := p.open(t, vault.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := v.Ensure(ctx, "person-1"); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("ensure with a cancelled context: got %v", err)
		}
		seal(t, v, "person-1", "afterwards")
	})
}

func TestOpen_Refuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, p place) vault.Options
		says  string
	}{
		{"another master key", func(t *testing.T, p place) vault.Options {
			write(t, filepath.Join(p.dir, "master.key"), bytes.Repeat([]byte{7}, 32), 0o600)
			return vault.Options{}
		}, "does not belong to vault"},
		{"no master key any more", func(t *testing.T, p place) vault.Options {
			if err := os.Remove(filepath.Join(p.dir, "master.key")); err != nil {
				t.Fatal(err)
			}
			return vault.Options{}
		}, "is missing: put it back"},
		{"a master key others can read", func(t *testing.T, p place) vault.Options {
			if err := os.Chmod(filepath.Join(p.dir, "master.key"), 0o640); err != nil {
				t.Fatal(err)
			}
			return vault.Options{}
		}, "chmod 600"},
		{"a master key that is none", func(t *testing.T, p place) vault.Options {
			write(t, filepath.Join(p.dir, "master.key"), []byte("hunter2\n"), 0o600)
			return vault.Options{}
		}, "want 32 bytes in base64"},
		{"a given key that is none", func(*testing.T, place) vault.Options {
			return vault.Options{MasterKey: "hunter2"}
		}, "want 32 bytes in base64"},
		{"a given file that is not there", func(_ *testing.T, p place) vault.Options {
			return vault.Options{MasterKeyFile: filepath.Join(p.dir, "elsewhere.key")}
		}, "is missing: put it back"},
		{"a newer version", func(t *testing.T, p place) vault.Options {
			p.outdate(t)
			return vault.Options{}
		}, "written by a newer version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			everywhere(t, func(t *testing.T, p place) {
				p.found(t, vault.Options{})
				if _, err := p.try(t, c.spoil(t, p)); err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %v, want an error that says %q", err, c.says)
				}
			})
		})
	}
}

func TestOpen_MasterKeyFromElsewhere(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		path := filepath.Join(t.TempDir(), "k")
		write(t, path, bytes.Repeat([]byte{7}, 32), 0o600)
		const text = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="

		first := p.open(t, vault.Options{MasterKey: text})
		sealed := seal(t, first, "person-1", "kept")
		unseals(t, p.open(t, vault.Options{MasterKeyFile: path}), "person-1", sealed, "kept")
		if _, err := os.Stat(filepath.Join(p.dir, "master.key")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a master key was made though one was given: %v", err)
		}
	})
}

// A key without row or tombstone is damage, and is never read as erased.
func TestVault_MissingRowIsDamage(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		v, err := p.try(t, vault.Options{})
		if err != nil {
			t.Fatal(err)
		}
		sealed := seal(t, v, "person-1", "lost")
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
		p.forget(t)
		fails(t, p.open(t, vault.Options{}), "person-1", sealed, vault.ErrKeyMissing)
	})
}

func write(t *testing.T, path string, data []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
}
