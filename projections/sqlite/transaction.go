package sqlite

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

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
	case database.KindInt, database.KindTime, database.KindBool:
		stmt.BindInt64(i, v.Int)
	case database.KindText, database.KindDate:
		stmt.BindText(i, v.Text)
	case database.KindBytes, database.KindUUID:
		stmt.BindBytes(i, []byte(v.Text))
	}
}

// Insert repeats one prepared statement: nothing is faster here.
func (t *transaction) Insert(into string, n int, row func(int) []database.Value) error {
	return t.insert(into, "", n, row)
}

// Merge is the same, with a clause more.
func (t *transaction) Merge(into, conflict string, n int, row func(int) []database.Value) error {
	return t.insert(into, " ON CONFLICT "+conflict, n, row)
}

func (t *transaction) insert(into, clause string, n int, row func(int) []database.Value) error {
	query := ""
	for i := range n {
		values := row(i)
		if query == "" {
			query = insertion(into, len(values)) + clause
		}
		if err := t.Exec(query, values...); err != nil {
			return err
		}
	}
	return nil
}

func insertion(into string, columns int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO ")
	b.WriteString(into)
	b.WriteString(" VALUES (")
	for i := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteByte(')')
	return b.String()
}

// QueryEach repeats one prepared statement too.
func (t *transaction) QueryEach(
	query string, n int, args func(int) []database.Value, each func(int, database.Row) error,
) error {
	for i := range n {
		if err := t.Query(query, func(r database.Row) error { return each(i, r) }, args(i)...); err != nil {
			return err
		}
	}
	return nil
}

// Drop is a statement as any other.
func (t *transaction) Drop(table string) error { return t.Exec(`DROP TABLE IF EXISTS ` + table) }

// Rename is a statement as any other: readers have snapshots of the schema too.
func (t *transaction) Rename(renames ...database.Renaming) error {
	for _, r := range renames {
		if err := t.Exec(`ALTER TABLE ` + r.From + ` RENAME TO ` + r.To); err != nil {
			return err
		}
	}
	return nil
}

// Publish does nothing: nobody else should read this file while it is in use, and the views of SQLite
// would follow a table that is renamed.
func (*transaction) Publish(string, string) error { return nil }

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

func (r row) Int(column int) int64      { return r.stmt.ColumnInt64(column) }
func (r row) Text(column int) string    { return r.stmt.ColumnText(column) }
func (r row) Date(column int) string    { return r.stmt.ColumnText(column) }
func (r row) Bool(column int) bool      { return r.stmt.ColumnInt64(column) == 1 }
func (r row) Null(column int) bool      { return r.stmt.ColumnIsNull(column) }
func (r row) Time(column int) time.Time { return time.UnixMicro(r.stmt.ColumnInt64(column)).UTC() }

func (r row) UUID(column int) (id [16]byte) {
	r.stmt.ColumnBytes(column, id[:])
	return id
}

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
	query = strings.NewReplacer("$", "?", "{", "", "}", suffix).Replace(query)
	if strings.HasPrefix(strings.TrimSpace(query), "CREATE TABLE") {
		query = rewriteTable(query)
	}
	return query
}

// rewriteTable gives a table SQLite's types, which it is then held to, and keeps its rows in the order
// of the primary key.
func rewriteTable(query string) string {
	query = strings.NewReplacer("BIGINT", "INTEGER", "BOOLEAN", "INTEGER", "TIMESTAMPTZ", "INTEGER", "DATE", "TEXT",
		"UUID", "BLOB", "BYTEA", "BLOB", ") CHANGING", ")").Replace(query)
	if strings.Contains(query, "INTEGER PRIMARY KEY") { // that is the rowid
		return query + " STRICT"
	}
	return query + " STRICT, WITHOUT ROWID"
}
