package projections

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// Statement is what an account owed and paid over some days, as known at some point of the log.
// Amounts are in minor units of the currency; a positive balance is owed.
type Statement struct {
	Account  string
	Currency domain.Currency
	From, To domain.Date // both days included
	KnownAt  KnownAt
	Opening  int64 // everything with a value date before From
	Debits   int64
	Credits  int64
	Closing  int64                  // Opening + Debits - Credits
	Lines    iter.Seq2[Line, error] // ordered by value date, position, index in the event
}

// KnownAt is a point of the log: nothing recorded after it plays a part.
type KnownAt struct {
	Position eventstore.Position
	Time     time.Time // when the event at the position was recorded; zero before the first
}

// Line is one entry on a statement.
type Line struct {
	Entry       string
	ValueDate   domain.Date
	RecordedAt  time.Time
	Position    eventstore.Position
	Kind        rent.Kind
	Code        string
	Description string
	Amount      int64 // minor units, positive; Kind says whether debit or credit
	Balance     int64 // after this line
	Fund        string
	Reverses    string
	ReversedBy  string
	Event       string
}

// Statement is the account's statement from one day to another as known at k. Its lines are read
// while they are iterated, inside the snapshot. The account must exist now; what it was before it
// was opened is zeros.
func (r *Reader) Statement(account string, from, to domain.Date, k KnownAt) (Statement, error) {
	a, err := r.Account(account)
	if err != nil {
		return Statement{}, err
	}
	s := Statement{Account: account, Currency: a.Currency, From: from, To: to, KnownAt: k, Lines: noLines}
	n, err := r.accountNumber(account)
	if isNotFound(err) {
		return s, nil // nothing has ever been entered
	}
	if err != nil {
		return Statement{}, err
	}
	known := number(k.Position)
	if s.Opening, err = r.opening(n, from, known); err != nil {
		return Statement{}, err
	}
	if err := r.totals(&s, n, known); err != nil {
		return Statement{}, err
	}
	s.Lines = r.lines(n, s)
	return s, nil
}

func noLines(func(Line, error) bool) {}

// Balance is everything with a value date up to and including a day, as known at k.
func (r *Reader) Balance(account string, on domain.Date, k KnownAt) (int64, error) {
	n, err := r.accountNumber(account)
	if isNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return r.opening(n, on+1, number(k.Position))
}

func (r *Reader) accountNumber(account string) (int64, error) {
	return one(r, func(row database.Row) int64 { return row.Int(0) },
		`SELECT number FROM {entry_accounts} WHERE account = $1`, database.Text(account))
}

// opening is the balance at the beginning of a day: the years before it, the ten days before it in
// its year, and the entries since they began.
func (r *Reader) opening(account int64, day domain.Date, known int64) (int64, error) {
	year, tenDays := yearOf(day), tenDaysOf(day)
	years, err := r.sums(sumRange{account, widthYear, 1, year}, known)
	if err != nil {
		return 0, err
	}
	parts, err := r.sums(sumRange{account, widthTenDays, year, tenDays}, known)
	if err != nil {
		return 0, err
	}
	rest, err := r.net(account, tenDays, day, known)
	return years + parts + rest, err
}

// sumRange are the sums of one width that start on or after from and before to. The day after the last one
// of the year 9999 is never asked for: SQLite takes it for an early one.
type sumRange struct {
	account  int64
	width    int
	from, to domain.Date
}

// sums adds up sums as known at an earlier point too: one whose entries were all recorded by then
// counts as it is, one of which none was counts nothing, and one of which some were is looked at
// more closely.
func (r *Reader) sums(of sumRange, known int64) (int64, error) {
	if of.from >= of.to {
		return 0, nil
	}
	var net int64
	var mixed []domain.Date
	err := r.tx.Query(`SELECT starts_on, net, first_position, last_position FROM {account_sums}
		WHERE account = $1 AND width = $2 AND starts_on >= $3 AND starts_on <= $4`,
		func(row database.Row) error {
			switch {
			case row.Int(3) <= known:
				net += row.Int(1)
			case row.Int(2) <= known:
				mixed = append(mixed, dateAt(row, 0))
			}
			return nil
		},
		database.Int(of.account), database.Int(of.width), dateValue(of.from), dateValue(of.to-1))
	if err != nil {
		return 0, fmt.Errorf("read sums: %w", err)
	}
	for _, start := range mixed {
		part, err := r.mixed(of, start, known)
		if err != nil {
			return 0, err
		}
		net += part
	}
	return net, nil
}

func (r *Reader) mixed(of sumRange, start domain.Date, known int64) (int64, error) {
	if of.width == widthYear {
		return r.sums(sumRange{of.account, widthTenDays, start, yearOf(start + 366)}, known)
	}
	return r.net(of.account, start, tenDaysAfter(start), known)
}

// tenDaysAfter is the next start of ten days.
func tenDaysAfter(start domain.Date) domain.Date {
	_, _, day := start.Date()
	if day < 21 {
		return start + 10
	}
	return tenDaysOf(start + 11) // the 21st has at most ten days after it
}

// net adds up entries from one day to before another.
func (r *Reader) net(account int64, from, before domain.Date, known int64) (int64, error) {
	if from >= before {
		return 0, nil
	}
	return one(r, func(row database.Row) int64 { return row.Int(0) },
		`SELECT CAST(coalesce(sum(net), 0) AS BIGINT) FROM {entries}
		WHERE account = $1 AND value_date >= $2 AND value_date <= $3 AND position <= $4`,
		database.Int(account), dateValue(from), dateValue(before-1), database.Int(known))
}

func (r *Reader) totals(s *Statement, account, known int64) error {
	err := r.tx.Query(`SELECT CAST(coalesce(sum(CASE WHEN net > 0 THEN net ELSE 0 END), 0) AS BIGINT),
			CAST(coalesce(sum(CASE WHEN net < 0 THEN -net ELSE 0 END), 0) AS BIGINT) FROM {entries}
		WHERE account = $1 AND value_date >= $2 AND value_date <= $3 AND position <= $4`,
		func(row database.Row) error {
			s.Debits, s.Credits = row.Int(0), row.Int(1)
			return nil
		},
		database.Int(account), dateValue(s.From), dateValue(s.To), database.Int(known))
	if err != nil {
		return fmt.Errorf("read totals: %w", err)
	}
	s.Closing = s.Opening + s.Debits - s.Credits
	return nil
}

// lineColumns want the point of knowledge as $3. A payment knows of its reversal only if that had
// been recorded by then.
const lineColumns = `e.position, e.line, e.value_date, e.entry, e.net, e.recorded_at, e.event,
	coalesce(e.description, w.description), e.corrects, w.kind, w.code, w.fund,
	CASE WHEN w.kind = 'payment' THEN (SELECT v.reversal FROM {reversals} v
		WHERE v.account = e.account AND v.payment = e.entry AND v.position <= $3) END`

// statementLine is a line and what only some want of it.
type statementLine struct {
	Line

	index    int64
	net      int64
	corrects string
}

func lineAt(row database.Row) statementLine {
	l := statementLine{index: row.Int(1), net: row.Int(4), corrects: row.Text(8)}
	l.Line = Line{
		Position: position(row.Int(0)), ValueDate: dateAt(row, 2), Entry: row.Text(3), RecordedAt: row.Time(5),
		Event: uuid.UUID(row.UUID(6)).String(), Description: row.Text(7), Kind: rent.Kind(row.Text(9)), Code: row.Text(10),
		Fund: row.Text(11), ReversedBy: row.Text(12), Amount: max(l.net, -l.net),
	}
	if l.Kind == rent.KindPaymentReversal {
		l.Reverses, l.corrects = l.corrects, ""
	}
	if row.Null(3) {
		l.Entry = string(derivedID(rent.Code(l.Code), l.ValueDate))
	}
	return l
}

// errEnough ends an answer that nobody wants the rest of.
var errEnough = errors.New("enough")

// lines are those of a statement, read as they are iterated.
func (r *Reader) lines(account int64, s Statement) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		balance := s.Opening
		err := r.tx.Query(`SELECT `+lineColumns+` FROM {entries} e JOIN {entry_words} w ON w.number = e.words
			WHERE e.account = $1 AND e.value_date >= $2 AND e.value_date <= $4 AND e.position <= $3
			ORDER BY e.value_date, e.position, e.line`,
			func(row database.Row) error {
				l := lineAt(row)
				balance += l.net
				l.Balance = balance
				if !yield(l.Line, nil) {
					return errEnough
				}
				return nil
			},
			database.Int(account), dateValue(s.From), database.Int(number(s.KnownAt.Position)), dateValue(s.To))
		if err != nil && !errors.Is(err, errEnough) {
			yield(Line{}, fmt.Errorf("read lines: %w", err))
		}
	}
}
