// Package sqlitefile opens the SQLite files of Rentbook: the log, the vault, the views, the
// accounts of those who sign in.
//
// SQLite alone is not careful enough for books. It drops the error of a folder that could not be
// synced, a database created by two processes at once can be seen half made, its files get the
// rights of the umask, and it reads any file whose first bytes look right. Here a new file is built
// under another name and linked into place when it is whole, belongs to its owner alone, and is
// opened only if it is of the kind and the version asked for.
//
// The one rule: never open a database file with os.Open while it may be in use. POSIX drops the
// locks of a whole process when any descriptor of the file is closed, SQLite's included.
package sqlitefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// BusyTimeoutDefault is how long a connection waits for another one's lock unless told otherwise.
const BusyTimeoutDefault = 5 * time.Second

// libraryMin is SQLite 3.51.3. Older ones can lose commits when a checkpoint races with the restart
// of the write-ahead log (fixed in 3.51.3, see sqlite.org/wal.html#walresetbug).
const libraryMin = 3_051_003

// Config says which file is meant and how its connections behave.
type Config struct {
	Path          string
	ApplicationID int32  // the kind of file; not zero
	Version       int32  // the version of its tables; not zero
	Schema        string // run once, when the file is made

	Synchronous string        // "FULL" (if empty) or "NORMAL", for what can be rebuilt
	BusyTimeout time.Duration // BusyTimeoutDefault if zero
	Pragmas     []string      // further settings of each connection: "cache_size=-8192"
}

// OpenConn opens a connection that reads and writes, and makes the file if it is not there. The
// folder must exist (see MakeFolder).
func OpenConn(cfg Config) (*sqlite.Conn, error) {
	if err := checkLibrary(sqlite.VersionNumber); err != nil {
		return nil, err
	}
	if err := cfg.ensure(); err != nil {
		return nil, err
	}
	if err := checkWritable(cfg.Path); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(cfg.Path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, cfg.explain(err)
	}
	if err := cfg.ready(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// OpenReaders opens a pool of connections that only read. OpenConn comes first: it makes the file
// and checks it.
func OpenReaders(cfg Config, connections int) (*sqlitex.Pool, error) {
	pool, err := sqlitex.NewPool(cfg.Path, sqlitex.PoolOptions{
		Flags:       sqlite.OpenReadOnly,
		PoolSize:    connections,
		PrepareConn: cfg.prepare,
	})
	if err != nil {
		return nil, cfg.explain(err)
	}
	return pool, nil
}

// ready prepares a fresh connection, checks what it opened, and makes the write-ahead log's own
// directory entry durable: the first read has created that file.
func (cfg Config) ready(conn *sqlite.Conn) error {
	if err := cfg.prepare(conn); err != nil {
		return cfg.explain(err)
	}
	if err := cfg.verify(conn); err != nil {
		return err
	}
	// A copy that SQLite has made of a file (VACUUM INTO) has no write-ahead log until it is asked for.
	if err := Exec(conn, "PRAGMA journal_mode=WAL"); err != nil {
		return cfg.explain(err)
	}
	if _, err := Int(conn, "PRAGMA user_version"); err != nil { // the read that creates it
		return cfg.explain(err)
	}
	return SyncFolder(filepath.Dir(cfg.Path))
}

func (cfg Config) prepare(conn *sqlite.Conn) error {
	timeout := cfg.BusyTimeout
	if timeout == 0 {
		timeout = BusyTimeoutDefault
	}
	conn.SetBusyTimeout(timeout)
	synchronous := cfg.Synchronous
	if synchronous == "" {
		synchronous = "FULL"
	}
	settings := append([]string{"synchronous=" + synchronous, "temp_store=MEMORY"}, cfg.Pragmas...)
	for _, setting := range settings {
		if err := Exec(conn, "PRAGMA "+setting); err != nil {
			return err
		}
	}
	return nil
}

// verify refuses a file of another kind or version: guessing would write into somebody else's data.
func (cfg Config) verify(conn *sqlite.Conn) error {
	kind, err := Int(conn, "PRAGMA application_id")
	if err != nil {
		return cfg.explain(err)
	}
	version, err := Int(conn, "PRAGMA user_version")
	if err != nil {
		return cfg.explain(err)
	}
	switch {
	case kind != int64(cfg.ApplicationID):
		return fmt.Errorf("%s was not made by this program or is of another kind: move it away, "+
			"or name another data directory", cfg.Path)
	case version > int64(cfg.Version):
		return fmt.Errorf("%s was written by a newer version of rentbook (format %d, this one knows %d): "+
			"install that version", cfg.Path, version, cfg.Version)
	case version < int64(cfg.Version):
		return fmt.Errorf("%s was written by an older version of rentbook (format %d, this one needs %d): "+
			"open it with the version that wrote it", cfg.Path, version, cfg.Version)
	}
	return nil
}

// explain turns what SQLite says about a file it cannot open into what to do about it.
func (cfg Config) explain(err error) error {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultNotADB, sqlite.ResultCorrupt:
		return fmt.Errorf("%s is damaged or not a database: restore it from a backup: %w", cfg.Path, err)
	case sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultCantOpen:
		return fmt.Errorf("%s cannot be opened for writing: check its owner, its rights and those of "+
			"its folder: %w", cfg.Path, err)
	case sqlite.ResultBusy:
		return fmt.Errorf("%s is held by another process: try again: %w", cfg.Path, err)
	default:
		return fmt.Errorf("open %s: %w", cfg.Path, err)
	}
}

// checkWritable asks before SQLite does, which would silently open a protected file for reading
// only and fail at the first commit.
func checkWritable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file: move it away, or name another data directory", path)
	}
	for _, p := range []string{filepath.Dir(path), path} {
		if err := unix.Access(p, unix.W_OK); err != nil {
			return fmt.Errorf("%s cannot be written: check its owner and its rights: %w", p, err)
		}
	}
	return nil
}

func checkLibrary(number int) error {
	if number >= libraryMin {
		return nil
	}
	return fmt.Errorf("this program was built with SQLite %d.%d.%d, which can lose commits: "+
		"build it with 3.51.3 or newer", number/1_000_000, number/1_000%1_000, number%1_000)
}

// ensure makes the file if it is not there.
func (cfg Config) ensure() error {
	_, err := os.Stat(cfg.Path)
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open %s: %w", cfg.Path, err)
	}
	if err := cfg.create(); err != nil {
		return fmt.Errorf("create %s: %w", cfg.Path, err)
	}
	return nil
}
