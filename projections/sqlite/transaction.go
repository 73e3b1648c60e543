package sqlite

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"

	"rentbook/eventstore/sqlite/sqlitefile"
	"rentbook/projections/database"
)

var _ database.Tx = (*transaction)(nil)

// transaction is one on a connection, for the tables of one generation.
type transaction struct {
	conn       *sqlite.Conn
	generation int64
	prepared   map[string]*statement // by the text of the views
	beside     *transaction
}

type statement struct {
	*sqlite.Stmt

	busy bool // somebody steps through its answer
}

// Exec carries out one statement.
func (t *transaction) Exec(query string, args ...database.Value) error {
	return t.Query(query, func(database.Row) error { return nil }, args...)
}

// Query steps through an answer.
func (t *transaction) Query(query string, each func(database.Row) error, args ...database.Value) (err error) {
	stmt, release, err := t.prepare(query)
	if err != nil {
		return fmt.Errorf("prepare %s: %w", query, err)
	}
	defer func() {
		if ended := release(); err == nil { // after a failed step, a reset repeats its error
			err = ended
		}
	}()
	for i := range args {
		bind(stmt, i+1, &args[i])
	}
	for {
		found, err := stmt.Step()
		if err != nil || !found {
			return err
		}
		if err := each(row{stmt}); err != nil {
			return err
		}
	}
}

func bind(stmt *sqlite.Stmt, i int, v *database.Value) {
	switch v.Kind {
	case database.KindNull:
		stmt.BindNull(i)
	case database.KindInt:
		stmt.BindInt64(i, v.Int)
	case database.KindText:
		stmt.BindText(i, v.Text)
	case database.KindBytes:
		stmt.BindBytes(i, []byte(v.Text))
	}
}

// prepare remembers statements by the text the views use, so that it is rewritten once. A
// statement whose answer is just being stepped through gets a double.
func (t *transaction) prepare(query string) (*sqlite.Stmt, func() error, error) {
	known, ok := t.prepared[query]
	if !ok {
		stmt, err := t.conn.Prepare(rewrite(query, t.generation))
		if err != nil {
			return nil, nil, err
		}
		if t.prepared == nil {
			t.prepared = map[string]*statement{}
		}
		known = &statement{Stmt: stmt}
		t.prepared[query] = known
	}
	if known.busy {
		double, _, err := t.conn.PrepareTransient(rewrite(query, t.generation))
		return double, func() error { return double.Finalize() }, err
	}
	known.busy = true
	return known.Stmt, func() error {
		known.busy = false
		return known.Reset()
	}, nil
}

// Try is a savepoint.
func (t *transaction) Try(f func() error) error {
	if err := sqlitefile.Exec(t.conn, "SAVEPOINT try"); err != nil {
		return err
	}
	err := f()
	if err != nil {
		if t.conn.AutocommitEnabled() { // SQLite has given up the whole transaction
			return fmt.Errorf("%w: %w", database.ErrUnavailable, err)
		}
		err = errors.Join(err, sqlitefile.Exec(t.conn, "ROLLBACK TO try"))
	}
	return errors.Join(err, sqlitefile.Exec(t.conn, "RELEASE try"))
}

// Beside is the transaction on the tables of another generation.
func (t *transaction) Beside(generation int64) database.Tx {
	if t.generation == generation {
		return t
	}
	if t.beside == nil || t.beside.generation != generation {
		t.beside = &transaction{conn: t.conn, generation: generation}
	}
	return t.beside
}

// row is a row of SQLite's.
type row struct{ stmt *sqlite.Stmt }

func (r row) Int(column int) int64   { return r.stmt.ColumnInt64(column) }
func (r row) Text(column int) string { return r.stmt.ColumnText(column) }
func (r row) Null(column int) bool   { return r.stmt.ColumnIsNull(column) }

func (r row) Bytes(column int) []byte {
	b := make([]byte, r.stmt.ColumnLen(column))
	r.stmt.ColumnBytes(column, b)
	return b
}

// rewrite is the one place where the views' SQL becomes SQLite's. The driver takes $2 for a name
// and numbers such names in the order in which they come, so "$2 … $1" would silently swap two
// arguments: ?2 and ?1 are numbers. {entries} becomes entries, or entries_7 in generation 7.
func rewrite(query string, generation int64) string {
	suffix := ""
	if generation > 0 {
		suffix = "_" + strconv.FormatInt(generation, 10)
	}
	return strings.NewReplacer("$", "?", "{", "", "}", suffix).Replace(query)
}
