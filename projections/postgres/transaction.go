package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"rentbook/eventstore/pgdb"
	"rentbook/projections/database"
)

var _ database.Tx = (*transaction)(nil)

// transaction is one on a connection, for the tables of one generation. What it is told to do waits in
// a batch until somebody needs to know how it went.
type transaction struct {
	*session

	names *strings.Replacer // of its tables
}

// session is what the transactions of all generations share.
type session struct {
	ctx     context.Context //nolint:containedctx // a transaction is a call in progress, and lives no longer
	db      *DB
	conn    *pgx.Conn
	waiting pgx.Batch
	asking  bool // somebody is being given an answer
	hurried bool // waits for locks are short
	gate    bool // readers are kept out
}

func newTransaction(ctx context.Context, db *DB, conn *pgx.Conn) *transaction {
	return &transaction{session: &session{ctx: ctx, db: db, conn: conn}, names: db.names}
}

// begin waits for the turn, once something is sent.
func (s *session) begin(synchronous string) {
	s.waiting.Queue(`BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`)
	s.waiting.Queue(`SELECT pg_advisory_xact_lock($1), set_config('synchronous_commit', $2, true)`, s.db.turn, synchronous)
}

// waitingMax bounds what waits.
const waitingMax = 2000

// Exec lets a statement wait. One without parameters, which may make the table of the next, is carried
// out at once: pgx has the server prepare all of a batch before any of it.
func (t *transaction) Exec(query string, args ...database.Value) error {
	if len(args) == 0 {
		return t.atOnce(t.rewrite(query))
	}
	return t.wait(t.rewrite(query), values(args)...)
}

func (s *session) wait(statement string, args ...any) error {
	s.waiting.Queue(statement, args...)
	if s.waiting.Len() < waitingMax {
		return nil
	}
	return s.flush()
}

func (s *session) atOnce(statements string) error {
	if err := s.flush(); err != nil {
		return err
	}
	return simple(s.ctx, s.conn, statements)
}

// flush sends what waits.
func (s *session) flush() error {
	if s.waiting.Len() == 0 {
		return nil
	}
	return s.send(0, nil)
}

// send sends what waits in one go, and gives the answers to the last questions among it to be read.
func (s *session) send(questions int, read func(pgx.BatchResults) error) (err error) {
	if s.asking {
		return errAsking
	}
	s.asking = true
	defer func() { s.asking = false }()
	batch := s.waiting
	s.waiting = pgx.Batch{}
	results := s.conn.SendBatch(s.ctx, &batch)
	defer func() {
		if ended := results.Close(); err == nil {
			err = ended
		}
	}()
	for range batch.Len() - questions {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	if questions == 0 {
		return nil
	}
	return read(results)
}

// errAsking is a second question before the answer to the first has been read.
var errAsking = errors.New("the answer to another question is still being read")

// Query gives an answer row by row, as it comes.
func (t *transaction) Query(query string, each func(database.Row) error, args ...database.Value) error {
	query = t.rewrite(query)
	if t.waiting.Len() > 0 {
		t.waiting.Queue(query, values(args)...)
		return t.send(1, func(results pgx.BatchResults) error {
			rows, err := results.Query()
			return answer(rows, err, each)
		})
	}
	if t.asking {
		return errAsking
	}
	t.asking = true
	defer func() { t.asking = false }()
	rows, err := t.conn.Query(t.ctx, query, values(args)...)
	return answer(rows, err, each)
}

func answer(rows pgx.Rows, err error, each func(database.Row) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	r := row{fields: rows.FieldDescriptions()}
	for rows.Next() {
		r.raw = rows.RawValues()
		if err := each(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// QueryEach asks all of it together.
func (t *transaction) QueryEach(
	query string, n int, args func(int) []database.Value, each func(int, database.Row) error,
) error {
	query = t.rewrite(query)
	for from := 0; from < n; from += waitingMax {
		to := min(n, from+waitingMax)
		for i := from; i < to; i++ {
			t.waiting.Queue(query, values(args(i))...)
		}
		err := t.send(to-from, func(results pgx.BatchResults) error {
			for i := from; i < to; i++ {
				rows, err := results.Query()
				if err := answer(rows, err, func(r database.Row) error { return each(i, r) }); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// copyMin is from how many rows on COPY is worth its round trips.
const copyMin = 200

// Insert copies many rows, and lets few wait.
func (t *transaction) Insert(into string, n int, row func(int) []database.Value) error {
	if n < copyMin {
		return t.insert(into, "", n, row)
	}
	if err := t.flush(); err != nil {
		return err
	}
	if t.asking {
		return errAsking
	}
	rows := &copying{n: n, row: row}
	_, err := t.conn.PgConn().CopyFrom(t.ctx, rows, t.rewrite(`COPY `+into+` FROM STDIN (FORMAT binary)`))
	return err
}

// Merge cannot copy: that knows no conflicts.
func (t *transaction) Merge(into, conflict string, n int, row func(int) []database.Value) error {
	return t.insert(into, ` ON CONFLICT `+conflict, n, row)
}

// insertMax bounds the rows of one statement.
const insertMax = 2000

// insert has many rows in one statement, as an array of each column.
func (t *transaction) insert(into, clause string, n int, row func(int) []database.Value) error {
	for from := 0; from < n; from += insertMax {
		var c columns
		for i := from; i < min(n, from+insertMax); i++ {
			c.add(row(i))
		}
		if err := t.wait(t.rewrite(`INSERT INTO `+into+c.query()+clause), c.args()...); err != nil {
			return err
		}
	}
	return nil
}

// hurry makes waits for locks short from now on.
func (t *transaction) hurry() error {
	if t.hurried {
		return nil
	}
	t.hurried = true
	return t.atOnce(`SET LOCAL lock_timeout = '` + renameMax + `'`)
}

// Rename waits for readers first, and keeps them out until the transaction ends.
func (t *transaction) Rename(renames ...database.Renaming) error {
	if err := t.hurry(); err != nil {
		return err
	}
	var statements strings.Builder
	if !t.gate {
		statements.WriteString(`LOCK TABLE names_gate IN ACCESS EXCLUSIVE MODE; `)
		t.gate = true
	}
	for _, r := range renames {
		statements.WriteString(`ALTER TABLE ` + r.From + ` RENAME TO ` + r.To + `; `)
	}
	return t.atOnce(statements.String())
}

// Drop takes along what somebody has built on the table: a view of PostgreSQL would keep it.
func (t *transaction) Drop(table string) error {
	if err := t.hurry(); err != nil {
		return err
	}
	return t.atOnce(`DROP TABLE IF EXISTS ` + table + ` CASCADE`)
}

// Publish makes a view of PostgreSQL. One whose columns have changed is made anew, and what others have
// built on it goes with it; who may read it then is up to default privileges.
func (t *transaction) Publish(name, query string) error {
	if t.db.public == "" {
		return nil
	}
	if err := t.hurry(); err != nil {
		return err
	}
	full := pgx.Identifier{t.db.public, name}.Sanitize()
	body := ` AS ` + t.rewrite(query)
	err := t.atOnce(`SAVEPOINT publish; CREATE OR REPLACE VIEW ` + full + body + `; RELEASE publish`)
	if pgdb.Code(err) != "42P16" { // invalid_table_definition
		return err
	}
	return t.atOnce(`ROLLBACK TO publish; DROP VIEW ` + full + ` CASCADE; CREATE VIEW ` + full + body)
}

// Try is a savepoint.
func (t *transaction) Try(f func() error) error {
	if err := t.atOnce(`SAVEPOINT try`); err != nil { // what waited is not f's
		return explain(t.ctx, err)
	}
	err := f()
	if err == nil {
		err = t.flush()
	}
	if err == nil {
		return t.wait(`RELEASE try`)
	}
	t.waiting = pgx.Batch{}
	err = explain(t.ctx, err)
	if t.conn.IsClosed() {
		return err
	}
	if failed := simple(t.ctx, t.conn, `ROLLBACK TO try; RELEASE try`); failed != nil {
		return fmt.Errorf("%w: %w", err, explain(t.ctx, failed))
	}
	return err
}

// Beside is the transaction on the tables of another generation.
func (t *transaction) Beside(generation int64) database.Tx {
	return &transaction{session: t.session, names: namesOf(generation)}
}

// namesOf writes the names of tables: {entries} becomes entries, or entries_7 in generation 7.
func namesOf(generation int64) *strings.Replacer {
	suffix := ""
	if generation > 0 {
		suffix = "_" + strconv.FormatInt(generation, 10)
	}
	return strings.NewReplacer("{", "", "}", suffix)
}

// rewrite is the one place where the views' SQL becomes PostgreSQL's. Text sorts by its bytes.
func (t *transaction) rewrite(query string) string {
	query = t.names.Replace(query)
	if strings.HasPrefix(strings.TrimSpace(query), "CREATE TABLE") {
		query = strings.NewReplacer("TEXT", `TEXT COLLATE "C"`, ") CHANGING", ") WITH (fillfactor = 60)").Replace(query)
	}
	return query
}
