// Package postgres keeps the views in PostgreSQL, for several processes at once and for other programs
// that read them (docs/views.md).
//
// A writing transaction takes an advisory lock first, so that writers take turns as they do in one
// file, whatever process they are in. What a view writes travels in batches: statements wait until
// somebody asks a question, and are sent with it; many rows of one table go as COPY. A reader sees one
// snapshot. It locks a small table in passing, which whoever renames tables locks alone: names and
// rows are then of the same moment.
//
// Commits here need not survive a crash of the server, since the log has everything: the views go back
// to an older checkpoint, and on from there. A rebuild's do, since it does not look back.
//
// The one rule: this is the only package of the projections that knows pgx.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"rentbook/eventstore/pgdb"
	"rentbook/projections/database"
)

var _ database.Database = (*DB)(nil)

const (
	// readersMax is how many snapshots may be open at once, askersMax how many single questions beside
	// them; writersMax how many connections write, of which one at a time has the turn.
	readersMax = 16
	askersMax  = 2
	writersMax = 3

	// turnMax is how long a writer waits for its turn, or for a table, as PostgreSQL writes it.
	turnMax = "10s"

	// renameMax is how long to wait for readers when tables are renamed: others queue up meanwhile.
	renameMax = "300ms"
)

// DB is the views' part of a database.
type DB struct {
	address pgdb.Address
	schema  string
	public  string // the schema of publications; none in a scratch
	now     func() time.Time
	readers *pgxpool.Pool
	askers  *pgxpool.Pool
	writers *pgxpool.Pool
	turn    int64             // the advisory lock of whoever writes
	names   *strings.Replacer // of live tables
}

// Open connects, and makes the schemas that are not there. now is the clock that paces how often a lock
// is asked for.
func Open(ctx context.Context, a pgdb.Address, now func() time.Time) (*DB, error) {
	return open(ctx, &DB{address: a, schema: a.Views(), public: a.Public(), now: now})
}

func open(ctx context.Context, d *DB) (_ *DB, err error) {
	schemas := []string{d.schema}
	if d.public != "" {
		schemas = append(schemas, d.public)
	}
	if err := d.address.Prepare(ctx, schemas...); err != nil {
		return nil, unavailable(err)
	}
	d.turn, d.names = pgdb.LockKey(d.schema, "write"), namesOf(0)
	defer func() {
		if err != nil {
			d.closePools()
		}
	}()
	d.writers, err = d.address.Pool(ctx, d.schema, writersMax, pgdb.Settings{
		"lock_timeout": turnMax, "idle_in_transaction_session_timeout": "15s", "statement_timeout": "0",
	})
	if err != nil {
		return nil, err
	}
	reading := pgdb.Settings{
		"default_transaction_read_only": "on", "idle_in_transaction_session_timeout": "0", "statement_timeout": "0",
	}
	if d.readers, err = d.address.Pool(ctx, d.schema, readersMax, reading); err != nil {
		return nil, err
	}
	if d.askers, err = d.address.Pool(ctx, d.schema, askersMax, reading); err != nil {
		return nil, err
	}
	return d, d.Write(ctx, func(tx database.Tx) error {
		return tx.Exec(`CREATE TABLE IF NOT EXISTS names_gate (one BIGINT PRIMARY KEY)`)
	})
}

// Close waits for whoever reads or writes.
func (d *DB) Close() error {
	d.closePools()
	return nil
}

func (d *DB) closePools() {
	pgdb.Close(d.readers, d.askers, d.writers)
}

// Read shows f one snapshot. LOCK comes before the first question: only then is the snapshot no older
// than the names of its tables.
func (d *DB) Read(ctx context.Context, f func(database.Snapshot) error) error {
	return reach(ctx, d.readers, func(conn *pgx.Conn) (begun bool, err error) {
		err = simple(ctx, conn, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE names_gate IN ACCESS SHARE MODE`)
		if err != nil {
			return false, err
		}
		err = f(newTransaction(ctx, d, conn))
		ended := simple(context.WithoutCancel(ctx), conn, `ROLLBACK`)
		if err == nil && !conn.IsClosed() {
			err = ended
		}
		return true, err
	})
}

// Ask has connections of its own, and needs no transaction.
func (d *DB) Ask(ctx context.Context, query string, each func(database.Row) error, args ...database.Value) error {
	return reach(ctx, d.askers, func(conn *pgx.Conn) (begun bool, err error) {
		err = newTransaction(ctx, d, conn).Query(query, func(r database.Row) error {
			begun = true
			return each(r)
		}, args...)
		return begun, err
	})
}

// reach does something on a connection. If that turns out to have ended before anything began, as all
// do when the server is restarted, it does it on a new one.
func reach(ctx context.Context, pool *pgxpool.Pool, do func(*pgx.Conn) (begun bool, err error)) error {
	stale, err := once(ctx, pool, do)
	if stale {
		pool.Reset() // the others are as old
		_, err = once(ctx, pool, do)
	}
	return explain(ctx, err)
}

// once gives the connection back even if do panics; what is left open on it ends with it then.
func once(ctx context.Context, pool *pgxpool.Pool, do func(*pgx.Conn) (begun bool, err error)) (stale bool, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return false, fmt.Errorf("read views: %w", err)
	}
	defer conn.Release()
	begun, err := do(conn.Conn())
	return err != nil && !begun && conn.Conn().IsClosed() && ctx.Err() == nil, err
}

// Write takes its turn before f reads anything, so that what f reads stays true until it commits. An
// error can mean that the commit was carried out all the same, when the connection ended just then:
// whoever tries again reads the checkpoint first.
func (d *DB) Write(ctx context.Context, f func(database.Tx) error) error {
	return d.write(ctx, "off", f)
}

func (d *DB) write(ctx context.Context, synchronous string, f func(database.Tx) error) error {
	conn, err := d.writers.Acquire(ctx)
	if err != nil {
		return explain(ctx, fmt.Errorf("write views: %w", err))
	}
	defer conn.Release()
	tx := newTransaction(ctx, d, conn.Conn())
	tx.begin(synchronous)
	err = carryOut(tx, f)
	if err == nil {
		err = tx.flush()
	}
	if err != nil {
		return explain(ctx, errors.Join(err, rollback(ctx, conn.Conn())))
	}
	return explain(ctx, commit(ctx, conn.Conn()))
}

// carryOut turns a panic of f into an error.
func carryOut(tx *transaction, f func(database.Tx) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f(tx)
}

// commit notices a transaction that could only be rolled back, which PostgreSQL does not call an error.
func commit(ctx context.Context, conn *pgx.Conn) error {
	results, err := conn.PgConn().Exec(ctx, `COMMIT`).ReadAll()
	if err == nil && results[0].CommandTag.String() != "COMMIT" {
		err = errors.New("write views: an error was passed over, so nothing could be committed")
	}
	return err
}

// rollback succeeds with a connection that has ended: then there is nothing to roll back.
func rollback(ctx context.Context, conn *pgx.Conn) error {
	err := simple(context.WithoutCancel(ctx), conn, `ROLLBACK`)
	if conn.IsClosed() {
		return nil
	}
	return err
}

// simple carries out statements that have no parameters, in one round trip.
func simple(ctx context.Context, conn *pgx.Conn, statements string) error {
	_, err := conn.PgConn().Exec(ctx, statements).ReadAll()
	return err
}

// Build is the same as Write, but for what a crash may take: memory is the server's own affair.
func (d *DB) Build(context.Context) (database.Writer, func() error, error) {
	return builder{d}, func() error { return nil }, nil
}

type builder struct{ db *DB }

func (b builder) Write(ctx context.Context, f func(database.Tx) error) error {
	return b.db.write(ctx, "on", f)
}

// Lock is an advisory lock, held by a connection of its own.
func (d *DB) Lock(name string) (database.Lock, error) {
	return &lock{pgdb.NewLock(d.address, d.schema, name), d.now}, nil
}

type lock struct {
	*pgdb.Lock

	now func() time.Time
}

func (l *lock) Try(ctx context.Context) (bool, error) { return l.Lock.Try(ctx, l.now()) }

func (l *lock) Unlock() error {
	l.Lock.Unlock()
	return nil
}

func (l *lock) Close() error { return l.Unlock() }

// Scratch is a schema of its own. The caller holds a lock: there is one scratch at a time.
func (d *DB) Scratch(ctx context.Context) (database.Database, error) {
	s := &DB{address: d.address, schema: d.address.Public() + "_verify", now: d.now}
	if err := s.drop(ctx); err != nil { // of somebody who was killed
		return nil, err
	}
	db, err := open(ctx, s)
	if err != nil {
		return nil, errors.Join(err, s.drop(ctx))
	}
	return scratch{db, ctx}, nil
}

type scratch struct {
	*DB

	ctx context.Context //nolint:containedctx // Close has none, and clears up even if this one has ended
}

func (s scratch) Close() error {
	return errors.Join(s.DB.Close(), s.drop(context.WithoutCancel(s.ctx)))
}

func (d *DB) drop(ctx context.Context) error {
	conn, err := d.address.Connect(ctx, d.schema)
	if err != nil {
		return unavailable(err)
	}
	err = simple(ctx, conn, `SET client_min_messages = warning; DROP SCHEMA IF EXISTS `+pgx.Identifier{d.schema}.Sanitize()+` CASCADE`)
	return explain(ctx, errors.Join(err, conn.Close(ctx)))
}

// explain marks the errors that may go away by themselves.
func explain(ctx context.Context, err error) error { return unavailable(pgdb.Explain(ctx, err)) }

func unavailable(err error) error {
	if errors.Is(err, pgdb.ErrUnavailable) && !errors.Is(err, database.ErrUnavailable) {
		return fmt.Errorf("%w: %w", database.ErrUnavailable, err)
	}
	return err
}
