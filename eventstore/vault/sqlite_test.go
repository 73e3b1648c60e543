package vault_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rentbook/eventstore/vault"
)

func TestOpen_FilesBelongToTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	seal(t, place{dir: dir}.open(t, vault.Options{}), "person-1", "x")
	for _, name := range []string{"vault.db", "vault.db-wal", "vault.db-shm", "master.key"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 4 {
		t.Errorf("drafts were left behind: %v", entries)
	}
}

func TestOpen_AnotherKindOfFile(t *testing.T) {
	t.Parallel()
	p := place{dir: t.TempDir()}
	p.found(t, vault.Options{})
	p.execute(t, "PRAGMA application_id=1")
	if _, err := p.try(t, vault.Options{}); err == nil || !strings.Contains(err.Error(), "of another kind") {
		t.Errorf("got %v, want an error that says so", err)
	}
}
