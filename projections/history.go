package projections

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rentbook/domain"
	"rentbook/projections/database"
)

// EntryQuery asks for entries of one account, as known now, oldest first: by value date, position,
// index in the event.
type EntryQuery struct {
	Account  string
	Kinds    []string    // any if empty
	From, To domain.Date // both included; zero is no bound
	Fund     string      // any if empty
	Text     string      // in the description or the entry's id, whatever the case
	After    string      // the next of the page before; empty for the first
	Limit    int
}

// ErrCursor is a cursor that no page ended with.
var ErrCursor = errors.New("it is not a cursor given here")

// Entries is one page of an account's history. Each line's balance is that of the account after
// it, whatever was asked for. next is empty on the last page.
func (r *Reader) Entries(q EntryQuery) (lines []Line, next string, err error) {
	p := page{EntryQuery: q, text: strings.ToLower(q.Text)}
	if p.after, err = parseEntryKey(q.After); err != nil {
		return nil, "", err
	}
	account, err := r.accountNumber(q.Account)
	if isNotFound(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	// The balance needs whole days: a page begins on the day of its cursor, or where asked to.
	start := max(q.From, p.after.valueDate)
	if p.balance, err = r.opening(account, max(start, 1), r.seen); err != nil {
		return nil, "", err
	}
	err = r.tx.Query(`SELECT `+lineColumns+` FROM {entries} e JOIN {entry_words} w ON w.number = e.words
		WHERE e.account = $1 AND e.value_date >= $2 AND e.position <= $3 ORDER BY e.value_date, e.position, e.line`,
		func(row database.Row) error { return p.take(lineAt(row)) },
		database.Int(account), dateValue(max(start, 1)), r.nowValue())
	if err != nil && !errors.Is(err, errEnough) {
		return nil, "", fmt.Errorf("read entries: %w", err)
	}
	return p.lines, p.next, nil
}

func (r *Reader) nowValue() database.Value { return database.Int(r.seen) }

// page fills with the lines asked for. What is asked for is looked at here rather than in SQL: the
// rows of one account are few, and the running balance needs them all.
type page struct {
	EntryQuery

	text    string
	after   entryKey
	balance int64
	last    entryKey
	lines   []Line
	next    string
}

func (p *page) take(l statementLine) error {
	p.balance += l.net
	l.Balance = p.balance
	key := entryKey{l.ValueDate, number(l.Position), l.index}
	switch {
	case !p.To.IsZero() && l.ValueDate > p.To:
		return errEnough
	case !p.after.before(key) || !p.wants(l.Line):
		return nil
	case len(p.lines) == p.Limit:
		p.next = p.last.String()
		return errEnough
	}
	p.lines, p.last = append(p.lines, l.Line), key
	return nil
}

func (p *page) wants(l Line) bool {
	return (len(p.Kinds) == 0 || slices.Contains(p.Kinds, string(l.Kind))) &&
		(p.Fund == "" || p.Fund == l.Fund) &&
		(p.text == "" || strings.Contains(strings.ToLower(l.Description), p.text) ||
			strings.Contains(strings.ToLower(l.Entry), p.text))
}

// withBalance gives a line that was found alone its balance.
func (r *Reader) withBalance(account int64, l statementLine, err error) (statementLine, error) {
	if err != nil {
		return l, err
	}
	opening, err := r.opening(account, l.ValueDate, r.seen)
	if err != nil {
		return l, err
	}
	onDay, err := one(r, func(row database.Row) int64 { return row.Int(0) },
		`SELECT CAST(sum(net) AS BIGINT) FROM {entries} WHERE account = $1 AND value_date = $2 AND position <= $5
			AND (position < $3 OR position = $3 AND line <= $4)`,
		database.Int(account), dateValue(l.ValueDate), database.Int(number(l.Position)), database.Int(l.index), r.nowValue())
	l.Balance = opening + onDay
	return l, err
}

// entryKey is where an entry stands among those of its account.
type entryKey struct {
	valueDate domain.Date
	position  int64
	index     int64
}

func (k entryKey) before(other entryKey) bool {
	switch {
	case k.valueDate != other.valueDate:
		return k.valueDate < other.valueDate
	case k.position != other.position:
		return k.position < other.position
	}
	return k.index < other.index
}

func (k entryKey) String() string {
	return k.valueDate.String() + "." + strconv.FormatInt(k.position, 10) + "." + strconv.FormatInt(k.index, 10)
}

// parseEntryKey reads what String writes. Nothing stands before everything.
func parseEntryKey(s string) (entryKey, error) {
	if s == "" {
		return entryKey{index: -1}, nil
	}
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return entryKey{}, ErrCursor
	}
	valueDate, err := domain.ParseDate(parts[0])
	at, err2 := strconv.ParseInt(parts[1], 10, 64)
	index, err3 := strconv.ParseInt(parts[2], 10, 64)
	if errors.Join(err, err2, err3) != nil {
		return entryKey{}, ErrCursor
	}
	return entryKey{valueDate, at, index}, nil
}
