package projections

import (
	"cmp"
	"errors"
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
			into:   `{entry_accounts} (number, account)`,
			values: func(id string) []database.Value { return []database.Value{database.Text(id)} },
		},
		words: dictionary[words]{
			last: `SELECT coalesce(max(number), 0) FROM {entry_words}`,
			find: `SELECT number FROM {entry_words}
				WHERE kind = $1 AND code = $2 AND description = $3 AND fund = $4`,
			into: `{entry_words} (number, kind, code, description, fund)`,
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
		`CREATE TABLE {entry_accounts} (number BIGINT PRIMARY KEY, account TEXT NOT NULL UNIQUE)`,
		`CREATE TABLE {entry_words} (
	number      BIGINT PRIMARY KEY,
	kind        TEXT   NOT NULL,
	code        TEXT   NOT NULL,
	description TEXT   NOT NULL,
	fund        TEXT   NOT NULL,
	UNIQUE (kind, code, description, fund)
)`,
		`CREATE TABLE {entries} (
	account     BIGINT      NOT NULL,
	value_date  DATE        NOT NULL,
	position    BIGINT      NOT NULL,
	line        BIGINT      NOT NULL, -- of the event's entries, from 0
	entry       TEXT, -- NULL where it is code:value_date
	words       BIGINT      NOT NULL,
	net         BIGINT      NOT NULL, -- minor units; a debit is positive
	recorded_at TIMESTAMPTZ NOT NULL,
	event       UUID        NOT NULL,
	description TEXT, -- what is personal; NULL is that of the words
	corrects    TEXT, -- an entry; of a payment_reversal the payment it reverses
	PRIMARY KEY (account, value_date, position, line)
)`,
		`CREATE UNIQUE INDEX {entries_by_entry} ON {entries} (account, entry) WHERE entry IS NOT NULL`,
		`CREATE TABLE {reversals} (
	account  BIGINT NOT NULL,
	payment  TEXT   NOT NULL,
	reversal TEXT   NOT NULL,
	position BIGINT NOT NULL,
	PRIMARY KEY (account, payment)
)`,
		`CREATE TABLE {account_sums} (
	account        BIGINT NOT NULL,
	width          BIGINT NOT NULL, -- 1: a year; 2: ten days of a month
	starts_on      DATE   NOT NULL,
	net            BIGINT NOT NULL,
	first_position BIGINT NOT NULL,
	last_position  BIGINT NOT NULL,
	PRIMARY KEY (account, width, starts_on)
) CHANGING`,
	}
}

func (*statementView) Publications() []Publication {
	return []Publication{{"entries", `SELECT a.account, e.value_date, e.position, e.line,
		coalesce(e.entry, w.code || ':' || to_char(e.value_date, 'YYYY-MM-DD')) AS entry, w.kind, w.code,
		CASE WHEN e.net >= 0 THEN e.net END AS debit_minor, CASE WHEN e.net < 0 THEN -e.net END AS credit_minor,
		nullif(w.description, '') AS term_description, nullif(w.fund, '') AS fund,
		CASE WHEN w.kind = 'payment_reversal' THEN e.corrects END AS reverses,
		CASE WHEN w.kind <> 'payment_reversal' THEN e.corrects END AS corrects,
		v.reversal AS reversed_by, e.recorded_at, e.event
		FROM {entries} e JOIN {entry_accounts} a ON a.number = e.account JOIN {entry_words} w ON w.number = e.words
		LEFT JOIN {reversals} v ON v.account = e.account AND v.payment = e.entry AND w.kind = 'payment'`}}
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
	words    int64
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
	if err := insertEntries(tx, rows); err != nil {
		return err
	}
	return writeSums(tx, rows)
}

func (v *statementView) rows(tx database.Tx, events []Event) ([]*row, error) {
	var accounts []string
	var all []words
	var rows []*row
	for i := range events {
		e := &events[i]
		for line := range e.Entries {
			r := &row{Entry: e.Entries[line], position: number(e.Position), line: line, at: e.At, event: e.Recorded}
			rows, accounts, all = append(rows, r), append(accounts, e.Stream.ID()), append(all, wordsOf(r))
		}
	}
	if err := errors.Join(v.accounts.learn(tx, accounts), v.words.learn(tx, all)); err != nil {
		return nil, err
	}
	for i, r := range rows {
		r.account, r.words = v.accounts.known[accounts[i]], v.words.known[all[i]]
	}
	return rows, nil
}

func wordsOf(r *row) words {
	w := words{kind: r.Kind, code: r.Code, fund: r.Fund}
	if impersonal(r.event) {
		w.description = r.Description.Text
	}
	return w
}

// impersonal says whether the description of an entry of the type is the landlord's own text: that
// of a run's charge is its term's. The others are sealed in the log and kept apart from the words,
// so that erasing them touches one account alone.
func impersonal(e eventstore.Recorded) bool {
	return e.Type == rent.ChargeRaised{}.EventType() || e.Type == rent.ChargeCorrected{}.EventType()
}

func insertEntries(tx database.Tx, rows []*row) error {
	var values [11]database.Value
	err := tx.Insert(`{entries} (account, value_date, position, line, entry, words, net, recorded_at, event, description, corrects)`,
		len(rows), func(i int) []database.Value {
			rows[i].fill(&values)
			return values[:]
		})
	if err != nil {
		return err
	}
	var reversals []*row
	for _, r := range rows {
		if r.Reverses != "" {
			reversals = append(reversals, r)
		}
	}
	return tx.Insert(`{reversals} (account, payment, reversal, position)`, len(reversals), func(i int) []database.Value {
		r := reversals[i]
		return []database.Value{database.Int(r.account), database.Text(r.Reverses), database.Text(r.ID), database.Int(r.position)}
	})
}

func (r *row) fill(values *[11]database.Value) {
	description := database.Null()
	if !impersonal(r.event) {
		description = database.TextOrNull(r.Description.String())
	}
	*values = [11]database.Value{
		database.Int(r.account), dateValue(r.ValueDate), database.Int(r.position), database.Int(r.line),
		storedID(r.Entry), database.Int(r.words), database.Int(r.Signed()), database.Time(r.at),
		database.UUID(r.event.ID), description, database.TextOrNull(cmp.Or(r.Reverses, r.Corrects)),
	}
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
	width       int
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
	sums := append(sumsOf(rows, widthTenDays, tenDaysOf), sumsOf(rows, widthYear, yearOf)...)
	slices.SortFunc(sums, func(a, b sum) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.width, b.width), cmp.Compare(a.startsOn, b.startsOn))
	})
	var values [6]database.Value
	return tx.Merge(`{account_sums} (account, width, starts_on, net, first_position, last_position)`,
		`(account, width, starts_on) DO UPDATE SET net = {account_sums}.net + excluded.net, last_position = excluded.last_position`,
		len(sums), func(i int) []database.Value {
			s := &sums[i]
			values = [6]database.Value{
				database.Int(s.account), database.Int(s.width), dateValue(s.startsOn), database.Int(s.net),
				database.Int(s.first), database.Int(s.last),
			}
			return values[:]
		})
}

func sumsOf(rows []*row, width int, startOf func(domain.Date) domain.Date) (sums []sum) {
	for _, r := range rows {
		start := startOf(r.ValueDate)
		if n := len(sums); n == 0 || sums[n-1].account != r.account || sums[n-1].startsOn != start {
			sums = append(sums, sum{account: r.account, width: width, startsOn: start, first: r.position, last: r.position})
		}
		sums[len(sums)-1].add(r)
	}
	return sums
}
