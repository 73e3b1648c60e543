package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"zombiezen.com/go/sqlite"

	"rentbook/eventstore/sqlite/sqlitefile"
)

// discardOutdated removes views that an older version wrote in another format. Whoever still writes
// them keeps that from happening.
func discardOutdated(dir string) error {
	path := filepath.Join(dir, "views.db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	old, err := outdated(path)
	if err != nil || !old {
		return err
	}
	lock, err := sqlitefile.OpenLock(filepath.Join(dir, "views.lock"))
	if err != nil {
		return err
	}
	if held, err := lock.TryExclusive(); err != nil || !held {
		return errors.Join(err, lock.Close(), fmt.Errorf("%s is in use by an older version of rentbook: stop that first", path))
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if failed := os.Remove(path + suffix); !errors.Is(failed, fs.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	return errors.Join(err, lock.Close())
}

// outdated leaves files that are not the views' to whoever opens them next, to be refused.
func outdated(path string) (old bool, err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	if err != nil {
		return false, nil
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	kind, err := sqlitefile.Int(conn, "PRAGMA application_id")
	if err != nil || kind != applicationID {
		return false, nil
	}
	version, err := sqlitefile.Int(conn, "PRAGMA user_version")
	return err == nil && version < formatVersion, nil
}
