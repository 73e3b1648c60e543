package vault_test

import (
	"fmt"
	"strings"
	"testing"

	"rentbook/eventstore/vault"
)

func TestCopy(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		from := p.open(t, vault.Options{MasterKey: masterKey(7)})
		var subjects []string
		for i := range 300 {
			subjects = append(subjects, fmt.Sprintf("person-%d", i))
		}
		if err := from.Ensure(t.Context(), subjects...); err != nil {
			t.Fatal(err)
		}
		kept, gone, later := seal(t, from, "person-1", "kept"), seal(t, from, "person-2", "gone"), seal(t, from, "person-3", "gone later")
		for _, subject := range []string{"person-2", "never had a key"} {
			if err := from.Destroy(t.Context(), subject); err != nil {
				t.Fatal(err)
			}
		}

		copied := inPostgres(t)
		for range 2 {
			if err := vault.Copy(t.Context(), from, copied.parsed(t)); err != nil {
				t.Fatal(err)
			}
		}

		to := copied.open(t, vault.Options{MasterKey: masterKey(7)})
		if to.ID() != from.ID() {
			t.Errorf("the copy is called %s, not %s", to.ID(), from.ID())
		}
		unseals(t, to, "person-1", kept, "kept")
		unseals(t, from, "person-1", seal(t, to, "person-1", "with the same key"), "with the same key")
		fails(t, to, "person-2", gone, vault.ErrErased)
		fails(t, to, "never had a key", gone, vault.ErrErased)
		fails(t, to, "nobody", gone, vault.ErrKeyMissing)
		if n := copied.number(t, "SELECT count(*) FROM keys"); n != 301 {
			t.Errorf("%d keys were copied, want 301", n)
		}
		if n := copied.number(t, "SELECT destroyed FROM vault"); n != 2 {
			t.Errorf("%d keys count as destroyed, want 2", n)
		}

		added := seal(t, from, "person-new", "new")
		if err := from.Destroy(t.Context(), "person-3"); err != nil {
			t.Fatal(err)
		}
		if err := vault.Copy(t.Context(), from, copied.parsed(t)); err != nil {
			t.Fatal(err)
		}
		again := copied.open(t, vault.Options{MasterKey: masterKey(7)})
		unseals(t, again, "person-new", added, "new")
		fails(t, again, "person-3", later, vault.ErrErased)
	})
}

func TestCopy_Refuses(t *testing.T) {
	t.Parallel()
	source := place{dir: t.TempDir()}
	from := source.open(t, vault.Options{})
	seal(t, from, "person-1", "x")

	t.Run("another vault", func(t *testing.T) {
		t.Parallel()
		p := inPostgres(t)
		other := p.open(t, vault.Options{})
		sealed := seal(t, other, "person-1", "another's")
		refuses(t, from, p, "holds vault "+other.ID()+" already")
		unseals(t, p.open(t, vault.Options{}), "person-1", sealed, "another's")
	})
	for name, spoil := range map[string]func(*testing.T, *vault.Vault){
		"a key that is new there": func(t *testing.T, v *vault.Vault) { seal(t, v, "person-2", "x") },
		"a key destroyed there": func(t *testing.T, v *vault.Vault) {
			if err := v.Destroy(t.Context(), "person-1"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := inPostgres(t)
			p.dir = source.dir
			if err := vault.Copy(t.Context(), from, p.parsed(t)); err != nil {
				t.Fatal(err)
			}
			spoil(t, p.open(t, vault.Options{}))
			refuses(t, from, p, "gone its own way")
		})
	}
	t.Run("keys of nobody", func(t *testing.T) {
		t.Parallel()
		p := inPostgres(t)
		seal(t, p.open(t, vault.Options{}), "person-1", "x")
		p.execute(t, "DELETE FROM vault")
		refuses(t, from, p, "damaged")
	})
}

func refuses(t *testing.T, from *vault.Vault, to place, says string) {
	t.Helper()
	before := to.number(t, "SELECT hashtext(string_agg(subject || wrapped::text, '' ORDER BY subject)) FROM keys")
	if err := vault.Copy(t.Context(), from, to.parsed(t)); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want an error that says %q", err, says)
	}
	if after := to.number(t, "SELECT hashtext(string_agg(subject || wrapped::text, '' ORDER BY subject)) FROM keys"); after != before {
		t.Error("what was refused was changed")
	}
}
