package vault

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite/sqlitefile"
)

// write waits for the turn, runs one transaction, and then what must come after its commit.
func (k *sqliteKeys) write(ctx context.Context, change func() error, then ...func() error) error {
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-k.turn }()
	if err := k.transact(change); err != nil {
		return err
	}
	for _, step := range then {
		if err := step(); err != nil {
			return k.judge(err)
		}
	}
	return nil
}

// transact commits a change durably, or leaves no trace of it.
func (k *sqliteKeys) transact(change func() error) error {
	k.mu.Lock()
	failed := k.failed
	k.mu.Unlock()
	if failed != nil {
		return failed
	}
	if err := sqlitefile.Exec(k.conn, "BEGIN IMMEDIATE"); err != nil {
		return k.judge(err)
	}
	err := change()
	if err == nil {
		err = sqlitefile.Exec(k.conn, "COMMIT")
	}
	if !k.conn.AutocommitEnabled() {
		err = errors.Join(err, sqlitefile.Exec(k.conn, "ROLLBACK"))
	}
	if err != nil {
		return k.judge(err)
	}
	return k.checkpoint()
}

// checkpoint runs here and not inside SQLite's commit, which would drop its error: after a failed
// sync, a second one succeeds without having written anything.
func (k *sqliteKeys) checkpoint() error {
	if k.commits++; k.commits < checkpointEvery {
		return nil
	}
	k.commits = 0
	_, err := sqlitefile.Checkpoint(k.conn, sqlitefile.Passive)
	if sqlitefile.IsFatal(err) {
		return k.judge(err)
	}
	return nil // the pages stay in the write-ahead log until the next time
}

// judge says what an error of SQLite means, and stops writing for good if the storage has failed.
func (k *sqliteKeys) judge(err error) error {
	switch {
	case sqlitefile.IsFatal(err):
		return k.fail(fmt.Errorf("%w: the storage of the vault failed: %w", eventstore.ErrUnavailable, err))
	case sqlitefile.IsFull(err):
		return fmt.Errorf("%w: the disk is full: %w", eventstore.ErrUnavailable, err)
	case sqlitefile.IsBusy(err):
		return fmt.Errorf("%w: another process holds the vault: %w", eventstore.ErrUnavailable, err)
	default:
		return err
	}
}

func (k *sqliteKeys) fail(err error) error {
	k.mu.Lock()
	first := k.failed == nil
	if first {
		k.failed = err
	}
	k.mu.Unlock()
	if first && k.fatal != nil {
		k.fatal(err)
	}
	return err
}

// read runs one query on a connection of its own.
func (k *sqliteKeys) read(ctx context.Context, text, subject string, scan func(*sqlite.Stmt)) error {
	conn, err := k.readers.Take(ctx)
	if err == nil {
		defer k.readers.Put(conn)
		err = query(conn, text, func(stmt *sqlite.Stmt) { bindSubject(stmt, subject) }, scan)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("read the vault: %w", ctx.Err())
	default:
		return fmt.Errorf("read the vault: %w", k.judge(err))
	}
}

func bindSubject(stmt *sqlite.Stmt, subject string) {
	if stmt.BindParamCount() == 1 {
		stmt.BindText(1, subject)
	}
}

func findKey(conn *sqlite.Conn, subject string) (wrapped []byte, err error) {
	err = query(conn, `SELECT wrapped FROM key WHERE subject = ?1`,
		func(stmt *sqlite.Stmt) { bindSubject(stmt, subject) },
		func(stmt *sqlite.Stmt) { wrapped = column(stmt, 0) })
	return wrapped, err
}

func insertKey(conn *sqlite.Conn, subject string, wrapped []byte) error {
	return query(conn, `INSERT INTO key (subject, wrapped) VALUES (?1, ?2)`, func(stmt *sqlite.Stmt) {
		stmt.BindText(1, subject)
		stmt.BindBytes(2, wrapped)
	}, ignore)
}

// query runs a statement that answers at most one row.
func query(conn *sqlite.Conn, text string, bind, scan func(*sqlite.Stmt)) error {
	stmt, err := conn.Prepare(text)
	if err != nil {
		return err
	}
	bind(stmt)
	found, err := stmt.Step()
	if err != nil {
		return err
	}
	if found {
		scan(stmt)
	}
	return stmt.Reset()
}

func ignore(*sqlite.Stmt) {}

// column is never nil, so that a row without bytes is not taken for no row.
func column(stmt *sqlite.Stmt, i int) []byte {
	value := make([]byte, stmt.ColumnLen(i))
	stmt.ColumnBytes(i, value)
	return value
}
