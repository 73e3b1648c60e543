package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"rentbook/domain"
)

// rawStatements is a statement in bare SQL on the tables of the views, as known now: the account's
// number, its opening balance from the sums, its lines. No account row, no known at, no totals, no
// layers.
type rawStatements struct {
	conn                                *sqlite.Conn
	begin, number, opening, lines, done *sqlite.Stmt
	out                                 []byte
}

const (
	openingSQL = `SELECT
	(SELECT coalesce(sum(net), 0) FROM account_sums WHERE account = ?1 AND width = 1 AND starts_on < ?2) +
	(SELECT coalesce(sum(net), 0) FROM account_sums WHERE account = ?1 AND width = 2 AND starts_on >= ?2 AND starts_on < ?3) +
	(SELECT coalesce(sum(net), 0) FROM entries WHERE account = ?1 AND value_date >= ?3 AND value_date < ?4)`

	linesSQL = `SELECT e.entry, e.value_date, e.recorded_at, e.position, w.kind, w.code, coalesce(e.description, w.description),
		e.net, e.corrects, e.event, CASE WHEN w.kind = 'payment' THEN
			(SELECT v.reversal FROM reversals v WHERE v.account = e.account AND v.payment = e.entry) END
	FROM entries e JOIN entry_words w ON w.number = e.words
	WHERE e.account = ?1 AND e.value_date >= ?2 AND e.value_date <= ?3 ORDER BY e.value_date, e.position, e.line`
)

func (n *node) rawStatements() (*rawStatements, error) {
	conn, err := sqlite.OpenConn(filepath.Join(n.dir, "views.db"), sqlite.OpenReadOnly)
	if err != nil {
		return nil, err
	}
	r := &rawStatements{conn: conn}
	if err := sqlitex.ExecuteTransient(conn, "PRAGMA cache_size=-8192", nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	for sql, stmt := range map[string]**sqlite.Stmt{
		"BEGIN": &r.begin, "ROLLBACK": &r.done, openingSQL: &r.opening, linesSQL: &r.lines,
		"SELECT number FROM entry_accounts WHERE account = ?1": &r.number,
	} {
		if *stmt, err = conn.Prepare(sql); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return r, nil
}

func (r *rawStatements) close() error { return r.conn.Close() }

// read reads one statement as JSON into out, and says how many lines it has.
func (r *rawStatements) read(q question) (lines int, err error) {
	if err := step(r.begin); err != nil {
		return 0, err
	}
	r.number.BindText(1, q.account)
	number, err := sqlitex.ResultInt64(r.number)
	if err != nil {
		return 0, errors.Join(err, step(r.done))
	}
	year, tenDays := parts(q.from)
	r.opening.BindInt64(1, number)
	r.opening.BindText(2, year)
	r.opening.BindText(3, tenDays)
	r.opening.BindText(4, q.from.String())
	balance, err := sqlitex.ResultInt64(r.opening)
	if err == nil {
		lines, err = r.write(number, balance, q)
	}
	return lines, errors.Join(err, step(r.done))
}

// parts are the first days of the year and of the ten days that a day is in.
func parts(d domain.Date) (year, tenDays string) {
	text := d.String()
	_, _, day := d.Date()
	return text[:4] + "-01-01", text[:8] + []string{"01", "11", "21", "21"}[(day-1)/10]
}

func (r *rawStatements) write(number, balance int64, q question) (lines int, err error) {
	s := r.lines
	s.BindInt64(1, number)
	s.BindText(2, q.from.String())
	s.BindText(3, q.to.String())
	r.out = append(r.out[:0], `{"account":"`...)
	r.out = append(r.out, q.account...)
	r.out = strconv.AppendInt(append(r.out, `","opening_balance":`...), balance, 10)
	r.out = append(r.out, `,"lines":[`...)
	for ; ; lines++ {
		found, err := s.Step()
		if err != nil {
			return 0, err
		}
		if !found {
			r.out = append(r.out, `{}]}`...)
			return lines, s.Reset()
		}
		net := s.ColumnInt64(7)
		balance += net
		r.out = append(r.out, `{"entry":"`...)
		r.out = append(r.out, s.ColumnText(0)...)
		for i, name := range []string{"value_date", "recorded_at", "position", "kind", "code", "description"} {
			r.out = append(append(append(r.out, `","`...), name...), `":"`...)
			if i == 1 {
				r.out = time.UnixMicro(s.ColumnInt64(2)).UTC().AppendFormat(r.out, time.RFC3339Nano)
				continue
			}
			r.out = append(r.out, s.ColumnText(i+1)...)
		}
		r.out = strconv.AppendInt(append(r.out, `","amount":`...), net, 10)
		r.out = strconv.AppendInt(append(r.out, `,"balance":`...), balance, 10)
		r.out = append(append(r.out, `,"reverses":"`...), s.ColumnText(8)...)
		r.out = append(append(r.out, `","reversed_by":"`...), s.ColumnText(10)...)
		var event [16]byte
		s.ColumnBytes(9, event[:])
		r.out = fmt.Appendf(append(r.out, `","event":"`...), "%x", event)
		r.out = append(r.out, `"},`...)
	}
}

// sqlServer is the bare SQL behind bare net/http: what a statement costs at least once it is asked
// for over a socket. (The limit in performance.md is PostgreSQL's, which has a socket too.)
func (n *node) sqlServer(ctx context.Context, connections int) (*floor, func() error, error) {
	pool := make(chan *rawStatements, connections)
	closeAll := func() error {
		var errs []error
		for len(pool) > 0 {
			errs = append(errs, (<-pool).close())
		}
		return errors.Join(errs...)
	}
	for range connections {
		r, err := n.rawStatements()
		if err != nil {
			return nil, nil, errors.Join(err, closeAll())
		}
		pool <- r
	}
	server, err := newFloor(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := parseQuestion(r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		raw := <-pool
		defer func() { pool <- raw }()
		if _, err := raw.read(q); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header()["Content-Type"] = []string{"application/json"}
		_, _ = w.Write(raw.out)
	}))
	return server, closeAll, err
}

func parseQuestion(r *http.Request) (q question, err error) {
	const before, behind = len("/api/v1/accounts/"), len("/statement")
	if len(r.URL.Path) <= before+behind {
		return q, errors.New("no account")
	}
	q.account = r.URL.Path[before : len(r.URL.Path)-behind]
	values := r.URL.Query()
	if q.from, err = domain.ParseDate(values.Get("from")); err != nil {
		return q, err
	}
	q.to, err = domain.ParseDate(values.Get("to"))
	return q, err
}
