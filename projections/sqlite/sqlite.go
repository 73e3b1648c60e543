// Package sqlite keeps the views in one SQLite file, views.db: the embedded default.
//
// Readers and the writer have connections of their own. The write-ahead log is moved into the file
// beside them, and only when it has grown far by the writer itself, so that neither stalls. The
// file is synced less often than the log's: views can be rebuilt.
//
// The one rule: this is the only package of the projections that knows the driver.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"rentbook/eventstore/sqlite/sqlitefile"
	"rentbook/projections/database"
)

var _ database.Database = (*DB)(nil)

const (
	applicationID = 0x52425657 // "RBVW"
	formatVersion = 2

	// readersMax is how many snapshots may be open at once; askersMax how many single questions beside
	// them.
	readersMax = 16
	askersMax  = 2

	// busyMax is how long to wait for the transaction of another process; a rebuild's take a
	// fraction of a second.
	busyMax = 10 * time.Second
)

// DB is the views' database of one folder.
type DB struct {
	dir     string
	live    *writer
	turn    chan struct{} // holds the token of whoever writes
	closed  bool          // only looked at by who has the turn
	readers *sqlitex.Pool
	askers  *sqlitex.Pool
	moving  *checkpoints

	snapshots sync.Map // *sqlite.Conn to its *transaction
}

// Open opens the database in a folder, and makes both if they are not there. A file whose format is
// older is thrown away: all that is in it comes from the log.
func Open(dir string) (_ *DB, err error) {
	if err := sqlitefile.MakeFolder(dir); err != nil {
		return nil, err
	}
	if err := discardOutdated(dir); err != nil {
		return nil, err
	}
	d := &DB{dir: dir, turn: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if d.live, err = d.newWriter(d.config("cache_size=-16384")); err != nil {
		return nil, err
	}
	conn, err := sqlitefile.OpenConn(d.config("cache_size=-1024"))
	if err != nil {
		return nil, err
	}
	d.moving = newCheckpoints(conn)
	if d.askers, err = sqlitefile.OpenReaders(d.config("cache_size=-256", "query_only=ON"), askersMax); err != nil {
		return nil, err
	}
	d.readers, err = sqlitefile.OpenReaders(d.config("cache_size=-8192", "query_only=ON"), readersMax)
	return d, err
}

func (d *DB) config(pragmas ...string) sqlitefile.Config {
	return sqlitefile.Config{
		Path:          filepath.Join(d.dir, "views.db"),
		ApplicationID: applicationID,
		Version:       formatVersion,
		Synchronous:   "NORMAL",
		BusyTimeout:   busyMax,
		Pragmas:       append(pragmas, "wal_autocheckpoint=0"),
	}
}

// errClosed is a write after Close.
var errClosed = errors.New("the views are closed")

// Close waits for whoever writes: a handler may still be about to commit what its router no longer
// waits for. Nothing is written afterwards.
func (d *DB) Close() error {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	d.closed = true
	var errs []error
	for _, pool := range []*sqlitex.Pool{d.readers, d.askers} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	if d.moving != nil {
		errs = append(errs, d.moving.close())
	}
	if d.live != nil {
		errs = append(errs, d.live.close())
	}
	return errors.Join(errs...)
}

// Read shows f one snapshot.
func (d *DB) Read(ctx context.Context, f func(database.Snapshot) error) (err error) {
	conn, err := d.readers.Take(ctx)
	if err != nil {
		return fmt.Errorf("read views: %w", err)
	}
	defer d.readers.Put(conn)
	if err := sqlitefile.Exec(conn, "BEGIN"); err != nil {
		return explain(ctx, err)
	}
	defer func() { // even if f panics
		conn.SetInterrupt(nil) // a context that ended meanwhile must not keep the transaction from ending
		if ended := sqlitefile.Exec(conn, "ROLLBACK"); err == nil {
			err = ended
		}
		err = explain(ctx, err)
	}()
	return f(d.snapshot(conn))
}

// Ask has connections of its own.
func (d *DB) Ask(ctx context.Context, query string, each func(database.Row) error, args ...database.Value) error {
	conn, err := d.askers.Take(ctx)
	if err != nil {
		return fmt.Errorf("ask views: %w", err)
	}
	defer d.askers.Put(conn)
	return explain(ctx, d.snapshot(conn).Query(query, each, args...))
}

// snapshot keeps what was prepared on a connection.
func (d *DB) snapshot(conn *sqlite.Conn) *transaction {
	if known, ok := d.snapshots.Load(conn); ok {
		return known.(*transaction)
	}
	t := &transaction{conn: conn}
	d.snapshots.Store(conn, t)
	return t
}

// Write carries out one transaction on the live tables.
func (d *DB) Write(ctx context.Context, f func(database.Tx) error) error { return d.live.Write(ctx, f) }

// Build opens a connection of its own: its cache is large, and goes with it.
func (d *DB) Build(context.Context) (database.Writer, func() error, error) {
	w, err := d.newWriter(d.config("cache_size=-32768"))
	if err != nil {
		return nil, nil, err
	}
	return w, w.close, nil
}

// Lock is a file beside the database.
func (d *DB) Lock(name string) (database.Lock, error) {
	file, err := sqlitefile.OpenLock(filepath.Join(d.dir, name))
	if err != nil {
		return nil, err
	}
	return lock{file}, nil
}

type lock struct{ *sqlitefile.Lock }

func (l lock) Try(context.Context) (bool, error) { return l.TryExclusive() }

// Lost blocks for ever: the system keeps a file's lock as long as the process lives.
func (lock) Lost() <-chan struct{} { return nil }

// Scratch is a folder inside this one. The caller holds a lock: there is one scratch at a time.
func (d *DB) Scratch(context.Context) (database.Database, error) {
	folder := filepath.Join(d.dir, "views.scratch")
	if err := os.RemoveAll(folder); err != nil { // of somebody who was killed
		return nil, err
	}
	db, err := Open(folder)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return scratch{db, folder}, nil
}

type scratch struct {
	*DB

	folder string
}

func (s scratch) Close() error { return errors.Join(s.DB.Close(), os.RemoveAll(s.folder)) }

// writer is one connection that writes. All writers of a process take turns, so that none of them
// has to poll for SQLite's lock.
type writer struct {
	db   *DB
	conn *sqlite.Conn
	tx   *transaction
}

func (d *DB) newWriter(cfg sqlitefile.Config) (*writer, error) {
	conn, err := sqlitefile.OpenConn(cfg)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(0) // see begin
	return &writer{db: d, conn: conn, tx: &transaction{conn: conn}}, nil
}

func (w *writer) close() error { return w.conn.Close() }

// Write takes its turn and SQLite's lock before f reads anything, so that what f reads stays true
// until it commits.
func (w *writer) Write(ctx context.Context, f func(database.Tx) error) error {
	select {
	case w.db.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("write views: %w", ctx.Err())
	}
	defer func() { <-w.db.turn }()
	if w.db.closed {
		return errClosed
	}
	if err := w.begin(ctx); err != nil {
		return explain(ctx, err)
	}
	err := w.carryOut(f)
	if err == nil {
		err = sqlitefile.Exec(w.conn, "COMMIT")
	}
	if err != nil {
		return explain(ctx, errors.Join(err, w.rollback()))
	}
	return explain(ctx, w.db.moving.after(w.conn))
}

// begin asks for SQLite's lock every millisecond while another process has it. SQLite's own wait
// looks ever more rarely, and would never get in beside a rebuild.
func (w *writer) begin(ctx context.Context) error {
	ticks := time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	for waited := time.Duration(0); ; waited += time.Millisecond {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("write views: %w", err)
		}
		err := sqlitefile.Exec(w.conn, "BEGIN IMMEDIATE")
		if !sqlitefile.IsBusy(err) || waited >= busyMax {
			return err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
		}
	}
}

// carryOut turns a panic of f into an error: the connection must not be left inside a transaction.
func (w *writer) carryOut(f func(database.Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f(w.tx)
}

func (w *writer) rollback() error {
	if w.conn.AutocommitEnabled() {
		return nil // SQLite has done so itself, as after a full disk
	}
	return sqlitefile.Exec(w.conn, "ROLLBACK")
}

// explain marks the errors that may go away by themselves.
func explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case sqlite.ErrCode(err).ToPrimary() == sqlite.ResultInterrupt && ctx.Err() != nil:
		return fmt.Errorf("views: %w", ctx.Err())
	case sqlitefile.IsBusy(err), sqlitefile.IsFull(err), sqlitefile.IsFatal(err):
		return fmt.Errorf("%w: %w", database.ErrUnavailable, err)
	}
	return err
}
