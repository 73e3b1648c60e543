package vault_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"zombiezen.com/go/sqlite"

	"rentbook/eventstore/pgdb"
	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/eventstore/sqlite/sqlitefile"
	"rentbook/eventstore/vault"
)

// place is where a vault is: in a folder, or in a database with its master key in the folder.
type place struct {
	dir     string
	address string
}

// everywhere runs a test on each storage.
func everywhere(t *testing.T, test func(*testing.T, place)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, place{dir: t.TempDir()})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, inPostgres(t))
	})
}

func inPostgres(t *testing.T) place {
	t.Helper()
	return place{dir: t.TempDir(), address: pgtest.URL(t)}
}

// alone is a place whose files hold nothing of other tests.
func (p place) alone(t *testing.T) place {
	t.Helper()
	if p.address != "" {
		p.address = pgtest.Start(t, pgtest.Options{Fast: true}).URL(t)
	}
	return p
}

func (p place) try(t testing.TB, o vault.Options) (*vault.Vault, error) {
	t.Helper()
	if p.address == "" {
		return vault.Open(t.Context(), p.dir, o)
	}
	return vault.OpenPostgres(t.Context(), p.parsed(t), p.dir, o)
}

func (p place) open(t testing.TB, o vault.Options) *vault.Vault {
	t.Helper()
	v, err := p.try(t, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return v
}

// found makes a vault that nobody has open.
func (p place) found(t testing.TB, o vault.Options) {
	t.Helper()
	v, err := p.try(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
}

func (p place) parsed(t testing.TB) pgdb.Address {
	t.Helper()
	a, err := pgdb.Parse(p.address)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (p place) connect(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := p.parsed(t).Connect(t.Context(), p.parsed(t).Vault())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// execute changes the tables behind the vault's back.
func (p place) execute(t testing.TB, statement string) {
	t.Helper()
	var err error
	if p.address == "" {
		var conn *sqlite.Conn
		if conn, err = sqlite.OpenConn(filepath.Join(p.dir, "vault.db"), sqlite.OpenReadWrite); err == nil {
			err = errors.Join(sqlitefile.Exec(conn, statement), conn.Close())
		}
	} else {
		conn := p.connect(t)
		_, err = conn.Exec(t.Context(), statement)
		err = errors.Join(err, conn.Close(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// forget loses every key.
func (p place) forget(t testing.TB) {
	t.Helper()
	if p.address == "" {
		p.execute(t, "DELETE FROM key")
	} else {
		p.execute(t, "DELETE FROM keys")
	}
}

// outdate makes what is there too new.
func (p place) outdate(t testing.TB) {
	t.Helper()
	if p.address == "" {
		p.execute(t, "PRAGMA user_version=2")
	} else {
		p.execute(t, "INSERT INTO vault_migrations (step) VALUES (99)")
	}
}

// wrapped reads the bytes to look for with the database's own means: opening SQLite's file itself
// would drop its locks.
func (p place) wrapped(t testing.TB, subject string) (wrapped []byte) {
	t.Helper()
	if p.address != "" {
		conn := p.connect(t)
		err := conn.QueryRow(t.Context(), "SELECT wrapped FROM keys WHERE subject = $1", subject).Scan(&wrapped)
		if err := errors.Join(err, conn.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
		return wrapped
	}
	conn, err := sqlite.OpenConn(filepath.Join(p.dir, "vault.db"), sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	stmt, err := conn.Prepare("SELECT wrapped FROM key WHERE subject = ?1")
	if err != nil {
		t.Fatal(err)
	}
	stmt.BindText(1, subject)
	if _, err := stmt.Step(); err != nil {
		t.Fatal(err)
	}
	wrapped = make([]byte, stmt.ColumnLen(0))
	stmt.ColumnBytes(0, wrapped)
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	return wrapped
}

// onDisk looks into every file of the vault; in PostgreSQL that leaves out the write-ahead log.
// Reading SQLite's database drops this process's locks on it, which harms nothing here: nobody else
// has it open.
func (p place) onDisk(t testing.TB, secret []byte) (found bool) {
	t.Helper()
	root := p.dir
	if p.address != "" {
		conn := p.connect(t)
		_, err := conn.Exec(t.Context(), "CHECKPOINT")
		if err == nil {
			err = conn.QueryRow(t.Context(), "SELECT current_setting('data_directory') || '/base'").Scan(&root)
		}
		if err := errors.Join(err, conn.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && entry.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		found = found || bytes.Contains(data, secret)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the server took it away
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
