package projections

import (
	"cmp"
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// statementView holds every entry of every account, in the order of statements, and sums of them.
//
// Entries are only ever added. What repeats in many of them is a number: the account, and the words
// (kind, code, description where it is not personal, fund). The id of a run's charge follows from
// its code and date and is not stored again. Sums per year and per ten days make an opening balance
// cost the same however long the account; the positions of a sum's first and last entry tell
// whether it is the same at an earlier point of the log.
type statementView struct {
	accounts dictionary[string]
	words    dictionary[words]
}

// words are what entries have in common.
type words struct {
	kind        rent.Kind
	code        rent.Code
	description string
	fund        string
}

func newStatementView() *statementView {
	return &statementView{
		accounts: dictionary[string]{
			last:   `SELECT coalesce(max(number), 0) FROM {entry_accounts}`,
			find:   `SELECT number FROM {entry_accounts} WHERE account = $1`,
			insert: `INSERT INTO {entry_accounts} (number, account) VALUES ($1, $2)`,
			values: func(id string) []database.Value { return []database.Value{database.Text(id)} },
		},
		words: dictionary[words]{
			last: `SELECT coalesce(max(number), 0) FROM {entry_words}`,
			find: `SELECT number FROM {entry_words}
				WHERE kind = $1 AND code = $2 AND description = $3 AND fund = $4`,
			insert: `INSERT INTO {entry_words} (number, kind, code, description, fund) VALUES ($1, $2, $3, $4, $5)`,
			values: func(w words) []database.Value {
				return []database.Value{
					database.Text(w.kind), database.Text(w.code), database.Text(w.description), database.Text(w.fund),
				}
			},
		},
	}
}

func (*statementView) Name() string { return "statement" }

func (*statementView) Tables() []string {
	return []string{"entries", "entry_accounts", "entry_words", "reversals", "account_sums"}
}

func (*statementView) Schema() []string {
	return []string{
		`CREATE TABLE {entry_accounts} (number INTEGER PRIMARY KEY, account TEXT NOT NULL UNIQUE) STRICT`,
		`CREATE TABLE {entry_words} (
	number      INTEGER PRIMARY KEY,
	kind        TEXT NOT NULL,
	code        TEXT NOT NULL,
	description TEXT NOT NULL,
	fund        TEXT NOT NULL,
	UNIQUE (kind, code, description, fund)
) STRICT`,
		`CREATE TABLE {entries} (
	account     INTEGER NOT NULL,
	value_date  TEXT    NOT NULL,
	position    INTEGER NOT NULL,
	line        INTEGER NOT NULL, -- of the event's entries, from 0
	entry       TEXT,             -- NULL where it is code:value_date
	words       INTEGER NOT NULL,
	net         INTEGER NOT NULL, -- minor units; a debit is positive
	recorded_at INTEGER NOT NULL, -- microseconds since 1970
	event       BLOB    NOT NULL,
	description TEXT,             -- what is personal; NULL is that of the words
	corrects    TEXT,             -- an entry; of a payment_reversal the payment it reverses
	PRIMARY KEY (account, value_date, position, line)
) STRICT, WITHOUT ROWID`,
		`CREATE UNIQUE INDEX {entries_by_entry} ON {entries} (account, entry) WHERE entry IS NOT NULL`,
		`CREATE TABLE {reversals} (
	account  INTEGER NOT NULL,
	payment  TEXT    NOT NULL,
	reversal TEXT    NOT NULL,
	position INTEGER NOT NULL,
	PRIMARY KEY (account, payment)
) STRICT, WITHOUT ROWID`,
		`CREATE TABLE {account_sums} (
	account        INTEGER NOT NULL,
	width          INTEGER NOT NULL, -- 1: a year; 2: ten days of a month
	starts_on      TEXT    NOT NULL,
	net            INTEGER NOT NULL,
	first_position INTEGER NOT NULL,
	last_position  INTEGER NOT NULL,
	PRIMARY KEY (account, width, starts_on)
) STRICT, WITHOUT ROWID`,
	}
}

func (*statementView) Wants(eventType string) bool { return wantsPrefix(eventType, "rent.") }

func (v *statementView) Forget() {
	v.accounts.forget()
	v.words.forget()
}

// row is an entry on its way into the tables.
type row struct {
	rent.Entry

	account  int64
	position int64
	line     int
	at       time.Time
	event    eventstore.Recorded
}

// Apply writes a batch in the order of the keys, which for large ones is much faster than in the
// order of the log.
func (v *statementView) Apply(tx database.Tx, events []Event) error {
	rows, err := v.rows(tx, events)
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b *row) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.ValueDate, b.ValueDate),
			cmp.Compare(a.position, b.position), cmp.Compare(a.line, b.line))
	})
	for _, r := range rows {
		if err := v.write(tx, r); err != nil {
			return err
		}
	}
	return writeSums(tx, rows)
}

func (v *statementView) rows(tx database.Tx, events []Event) ([]*row, error) {
	var rows []*row
	for i := range events {
		e := &events[i]
		if len(e.Entries) == 0 {
			continue
		}
		account, err := v.accounts.number(tx, e.Stream.ID())
		if err != nil {
			return nil, err
		}
		for line := range e.Entries {
			rows = append(rows, &row{
				Entry: e.Entries[line], account: account, position: number(e.Position), line: line,
				at: e.At, event: e.Recorded,
			})
		}
	}
	return rows, nil
}

// impersonal says whether the description of an entry of the type is the landlord's own text: that
// of a run's charge is its term's. The others are sealed in the log and kept apart from the words,
// so that erasing them touches one account alone.
func impersonal(e eventstore.Recorded) bool {
	return e.Type == rent.ChargeRaised{}.EventType() || e.Type == rent.ChargeCorrected{}.EventType()
}

func (v *statementView) write(tx database.Tx, r *row) error {
	w := words{kind: r.Kind, code: r.Code, fund: r.Fund}
	description := database.Null()
	if impersonal(r.event) {
		w.description = r.Description.Text
	} else {
		description = database.TextOrNull(r.Description.String())
	}
	n, err := v.words.number(tx, w)
	if err != nil {
		return err
	}
	err = tx.Exec(`INSERT INTO {entries} (account, value_date, position, line, entry, words, net, recorded_at,
			event, description, corrects)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		database.Int(r.account), dateValue(r.ValueDate), database.Int(r.position), database.Int(r.line),
		storedID(r.Entry), database.Int(n), database.Int(r.Signed()), database.Int(r.at.UnixMicro()),
		database.Bytes(r.event.ID[:]), description, database.TextOrNull(cmp.Or(r.Reverses, r.Corrects)))
	if err != nil || r.Reverses == "" {
		return err
	}
	return tx.Exec(`INSERT INTO {reversals} (account, payment, reversal, position) VALUES ($1, $2, $3, $4)`,
		database.Int(r.account), database.Text(r.Reverses), database.Text(r.ID), database.Int(r.position))
}

// storedID is NULL for the id that follows from code and value date, as that of most charges does.
func storedID(e rent.Entry) database.Value {
	if e.ID == derivedID(e.Code, e.ValueDate) {
		return database.Null()
	}
	return database.Text(e.ID)
}

func derivedID(code rent.Code, valueDate domain.Date) domain.ID {
	return domain.ID(code).Derive(valueDate.String())
}

// Widths of sums.
const (
	widthYear    = 1
	widthTenDays = 2
)

func yearOf(d domain.Date) domain.Date {
	year, _, _ := d.Date()
	return domain.NewDate(year, time.January, 1)
}

// tenDaysOf is the 1st, 11th or 21st of the month.
func tenDaysOf(d domain.Date) domain.Date {
	_, _, day := d.Date()
	start := min((day-1)/10, 2)*10 + 1
	return d - domain.Date(day-start)
}

// sum is a row of sums, or what a batch adds to it.
type sum struct {
	account     int64
	startsOn    domain.Date
	net         int64
	first, last int64
}

func (s *sum) add(r *row) {
	s.net += r.Signed()
	s.first, s.last = min(s.first, r.position), max(s.last, r.position)
}

// writeSums adds up sorted rows, so that each sum is written once.
func writeSums(tx database.Tx, rows []*row) error {
	if err := writeSumsOf(tx, rows, widthTenDays, tenDaysOf); err != nil {
		return err
	}
	return writeSumsOf(tx, rows, widthYear, yearOf)
}

func writeSumsOf(tx database.Tx, rows []*row, width int, startOf func(domain.Date) domain.Date) error {
	var s sum
	for i, r := range rows {
		start := startOf(r.ValueDate)
		if i == 0 || s.account != r.account || s.startsOn != start {
			if err := s.write(tx, width); err != nil {
				return err
			}
			s = sum{account: r.account, startsOn: start, first: r.position, last: r.position}
		}
		s.add(r)
	}
	return s.write(tx, width)
}

func (s *sum) write(tx database.Tx, width int) error {
	if s.last == 0 {
		return nil // the one before the first
	}
	return tx.Exec(`INSERT INTO {account_sums} (account, width, starts_on, net, first_position, last_position)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account, width, starts_on) DO UPDATE SET
			net = {account_sums}.net + excluded.net,
			last_position = excluded.last_position`,
		database.Int(s.account), database.Int(width), dateValue(s.startsOn), database.Int(s.net),
		database.Int(s.first), database.Int(s.last))
}
