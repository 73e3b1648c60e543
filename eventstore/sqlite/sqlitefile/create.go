package sqlitefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// create builds the database under a name of its own and links it into place once it is whole and
// on disk. Whoever comes second finds the first one's file: a link never replaces.
func (cfg Config) create() (err error) {
	folder, name := filepath.Split(cfg.Path)
	draft, err := newDraft(folder, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeDraft(draft)) }()

	if err := cfg.fill(draft); err != nil {
		return err
	}
	if err := syncFile(draft); err != nil {
		return err
	}
	if err := os.Link(draft, cfg.Path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncFolder(filepath.Dir(cfg.Path))
}

// newDraft makes an empty file only its owner can read, whatever the umask. SQLite gives the
// write-ahead log and its index the same rights.
func newDraft(folder, name string) (string, error) {
	file, err := os.CreateTemp(folder, name+".new-*")
	if err != nil {
		return "", err
	}
	err = file.Chmod(0o600)
	return file.Name(), errors.Join(err, file.Close())
}

// removeDraft takes the draft's own name away, and what SQLite may have left beside it.
func removeDraft(draft string) error {
	for _, suffix := range []string{"-journal", "-wal", "-shm"} {
		if err := os.Remove(draft + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Remove(draft)
}

// fill writes tables and identity with a rollback journal, whose commits report every error, and
// turns to the write-ahead log last.
func (cfg Config) fill(path string) (err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()

	cfg.Synchronous = "FULL"
	if err := cfg.prepare(conn); err != nil {
		return err
	}
	if err := sqlitex.ExecScript(conn, cfg.Schema); err != nil {
		return err
	}
	for _, setting := range []string{
		fmt.Sprintf("application_id=%d", cfg.ApplicationID),
		fmt.Sprintf("user_version=%d", cfg.Version),
		"journal_mode=WAL",
	} {
		if err := Exec(conn, "PRAGMA "+setting); err != nil {
			return err
		}
	}
	return nil
}

// syncFile may open the file only because SQLite has closed it.
func syncFile(path string) (err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the path is our own draft
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return file.Sync()
}
