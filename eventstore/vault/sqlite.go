package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite/sqlitefile"
)

const (
	applicationID = 0x52425654 // "RBVT"
	schemaVersion = 1

	// checkpointEvery is after how many commits the write-ahead log is moved into the database.
	checkpointEvery = 256
)

// schema never moves a wrapped key: rows are only added at the end, and a tombstone is written over
// the key in place, with as many bytes. SQLite leaves copies behind of what it moves between pages.
const schema = `
CREATE TABLE vault (
	one       INTEGER PRIMARY KEY CHECK (one = 1),
	id        BLOB    NOT NULL,
	proof     BLOB    NOT NULL, -- of the master key
	destroyed INTEGER NOT NULL  -- how many keys
) STRICT;

CREATE TABLE key (
	number  INTEGER PRIMARY KEY,
	subject TEXT NOT NULL UNIQUE,
	wrapped BLOB NOT NULL       -- all zero: destroyed
) STRICT;
`

// sqliteKeys is the file of a vault. One caller at a time has the turn to write; readers need none.
type sqliteKeys struct {
	rounds

	path    string
	conn    *sqlite.Conn // of whoever has the turn
	commits int          // since the last checkpoint; of whoever has the turn
	readers *sqlitex.Pool
	fatal   func(error)

	mu     sync.Mutex
	failed error // of the storage; nothing is written after it
}

var _ storage = (*sqliteKeys)(nil)

func openSQLite(path string, fatal func(error)) (_ *sqliteKeys, err error) {
	config := sqlitefile.Config{
		Path:          path,
		ApplicationID: applicationID,
		Version:       schemaVersion,
		Schema:        schema,
		Pragmas:       []string{"wal_autocheckpoint=0", "secure_delete=ON", "cache_size=-4096"},
	}
	k := &sqliteKeys{rounds: newRounds(), path: path, fatal: fatal}
	if k.conn, err = sqlitefile.OpenConn(config); err != nil {
		return nil, err
	}
	// What a crash left in the write-ahead log may never have been synced; a key that is handed out
	// must be on disk. If another process is in the way, it has done this.
	if _, err = sqlitefile.Checkpoint(k.conn, sqlitefile.Truncate); err != nil {
		err = fmt.Errorf("finish the write-ahead log of %s: %w", path, err)
	} else {
		k.readers, err = sqlitefile.OpenReaders(config, readersMax)
	}
	if err != nil {
		return nil, errors.Join(err, k.conn.Close())
	}
	return k, nil
}

func (k *sqliteKeys) close() error {
	k.turn <- struct{}{}
	errs := []error{k.readers.Close()}
	k.conn.SetBusyTimeout(0)
	_, _ = sqlitefile.Checkpoint(k.conn, sqlitefile.Truncate) // a courtesy; the next open makes good for it
	return errors.Join(append(errs, k.conn.Close())...)
}

func (k *sqliteKeys) identity(ctx context.Context) (found *identity, err error) {
	err = k.read(ctx, `SELECT id, proof FROM vault`, "", func(stmt *sqlite.Stmt) {
		found = &identity{proof: column(stmt, 1)}
		stmt.ColumnBytes(0, found.id[:])
	})
	return found, err
}

func (k *sqliteKeys) found(ctx context.Context, fresh func() (identity, error)) (*identity, error) {
	made, err := fresh()
	if err != nil {
		return nil, err
	}
	err = k.write(ctx, func() error {
		return query(k.conn, `INSERT INTO vault (one, id, proof, destroyed) VALUES (1, ?1, ?2, 0) ON CONFLICT DO NOTHING`,
			func(stmt *sqlite.Stmt) {
				stmt.BindBytes(1, made.id[:])
				stmt.BindBytes(2, made.proof)
			}, ignore)
	})
	if err != nil {
		return nil, err
	}
	return k.identity(ctx)
}

func (k *sqliteKeys) find(ctx context.Context, subject string) (wrapped []byte, err error) {
	err = k.read(ctx, `SELECT wrapped FROM key WHERE subject = ?1`, subject,
		func(stmt *sqlite.Stmt) { wrapped = column(stmt, 0) })
	if err == nil && wrapped == nil {
		return nil, ErrKeyMissing
	}
	return wrapped, err
}

func (k *sqliteKeys) destroyed(ctx context.Context) (count int64, err error) {
	err = k.read(ctx, `SELECT destroyed FROM vault`, "",
		func(stmt *sqlite.Stmt) { count = stmt.ColumnInt64(0) })
	return count, err
}

func (k *sqliteKeys) ensure(ctx context.Context, subjects []string, fresh func(string) ([]byte, error)) error {
	return k.share(ctx, subjects, func(r *round) error {
		return k.transact(func() error { return k.add(r, fresh) })
	})
}

// add runs in a transaction that keeps other processes out: what it does not find, nobody has.
func (k *sqliteKeys) add(r *round, fresh func(string) ([]byte, error)) error {
	for _, subject := range r.subjects {
		wrapped, err := findKey(k.conn, subject)
		if err != nil {
			return err
		}
		if wrapped != nil {
			r.erased[subject] = isTombstone(wrapped)
			continue
		}
		if wrapped, err = fresh(subject); err != nil {
			return err
		}
		if err := insertKey(k.conn, subject, wrapped); err != nil {
			return err
		}
	}
	return nil
}

// destroy writes the tombstone, then takes the key out of the write-ahead log. It does the second
// even if the first was done before: that time it may have been in somebody's way.
func (k *sqliteKeys) destroy(ctx context.Context, subject string) error {
	return k.write(ctx, func() error { return bury(k.conn, subject) }, k.truncate)
}

// truncate waits for readers; all of ours are short.
func (k *sqliteKeys) truncate() error {
	done, err := sqlitefile.Checkpoint(k.conn, sqlitefile.Truncate)
	if err == nil && done.Busy {
		return fmt.Errorf("%w: the key is destroyed, but another program that is reading %s keeps a copy in "+
			"its write-ahead log: stop it and destroy the key again", eventstore.ErrUnavailable, k.path)
	}
	return err
}

// bury writes over the key in place.
func bury(conn *sqlite.Conn, subject string) error {
	wrapped, err := findKey(conn, subject)
	switch {
	case err != nil:
		return err
	case wrapped == nil:
		err = insertKey(conn, subject, make([]byte, wrappedBytes))
	case isTombstone(wrapped):
		return nil
	default:
		err = query(conn, `UPDATE key SET wrapped = ?2 WHERE subject = ?1`, func(stmt *sqlite.Stmt) {
			stmt.BindText(1, subject)
			stmt.BindBytes(2, make([]byte, len(wrapped)))
		}, ignore)
	}
	if err != nil {
		return err
	}
	return sqlitefile.Exec(conn, `UPDATE vault SET destroyed = destroyed + 1`)
}

// contents reads within one transaction, so that nothing changes between its queries.
func (k *sqliteKeys) contents(ctx context.Context) (c contents, err error) {
	conn, err := k.readers.Take(ctx)
	if err != nil {
		return contents{}, fmt.Errorf("read the vault: %w", err)
	}
	defer k.readers.Put(conn)
	if err := sqlitefile.Exec(conn, "BEGIN"); err != nil {
		return contents{}, fmt.Errorf("read the vault: %w", k.judge(err))
	}
	defer func() { err = errors.Join(err, sqlitefile.Exec(conn, "ROLLBACK")) }()
	err = query(conn, `SELECT id, proof, destroyed FROM vault`, ignore, func(stmt *sqlite.Stmt) {
		stmt.ColumnBytes(0, c.id[:])
		c.proof, c.destroyed = column(stmt, 1), stmt.ColumnInt64(2)
	})
	if err == nil {
		err = sqlitex.Execute(conn, `SELECT subject, wrapped FROM key`, &sqlitex.ExecOptions{
			ResultFunc: func(stmt *sqlite.Stmt) error {
				c.keys = append(c.keys, wrappedKey{stmt.ColumnText(0), column(stmt, 1)})
				return nil
			},
		})
	}
	if err != nil {
		return contents{}, fmt.Errorf("read the vault: %w", k.judge(err))
	}
	return c, nil
}
