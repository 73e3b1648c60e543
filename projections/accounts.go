package projections

import (
	"slices"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/projections/database"
)

// Account is a rent account.
type Account struct {
	ID               string
	Currency         domain.Currency
	StartsOn, EndsOn domain.Date // EndsOn is zero while there is no end
	Balance          int64       // minor units, whatever the value date
	Version          uint64      // of the stream
}

// accountView has one row for each rent account.
type accountView struct{}

func newAccountView() *accountView { return &accountView{} }

func (*accountView) Name() string     { return "accounts" }
func (*accountView) Tables() []string { return []string{"accounts"} }
func (*accountView) Forget()          {}

func (*accountView) Schema() []string {
	return []string{`
CREATE TABLE {accounts} (
	account   TEXT    NOT NULL PRIMARY KEY,
	currency  TEXT    NOT NULL,
	starts_on TEXT,
	ends_on   TEXT,
	balance   INTEGER NOT NULL, -- minor units; positive is owed
	version   INTEGER NOT NULL
) STRICT, WITHOUT ROWID`}
}

func (*accountView) Wants(eventType string) bool { return wantsPrefix(eventType, "rent.") }

// Apply adds up what the batch does to each account and writes each once.
func (*accountView) Apply(tx database.Tx, events []Event) error {
	changes := map[string]*accountChange{}
	for i := range events {
		fact, ok := events[i].Fact.(rent.Event)
		if !ok {
			continue
		}
		id := events[i].Stream.ID()
		c := changes[id]
		if c == nil {
			c = &accountChange{id: id}
			changes[id] = c
		}
		c.add(fact, &events[i])
	}
	for _, id := range sortedKeys(changes) {
		if err := changes[id].write(tx); err != nil {
			return err
		}
	}
	return nil
}

// accountChange is what a batch does to an account.
type accountChange struct {
	id               string
	dated            bool
	startsOn, endsOn domain.Date
	currency         domain.Currency
	net              int64
	version          int64
}

func (c *accountChange) add(fact rent.Event, e *Event) {
	c.version = int64(e.Version) //nolint:gosec // versions fit 63 bits
	switch f := fact.(type) {
	case rent.AccountOpened:
		c.dated, c.startsOn, c.endsOn, c.currency = true, f.StartsOn, f.EndsOn, f.Currency
	case rent.DatesChanged:
		c.dated, c.startsOn, c.endsOn = true, f.StartsOn, f.EndsOn
	}
	for _, line := range e.Entries {
		c.net += line.Signed()
	}
}

func (c *accountChange) write(tx database.Tx) error {
	err := tx.Exec(`INSERT INTO {accounts} (account, currency, balance, version) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account) DO UPDATE SET balance = {accounts}.balance + excluded.balance, version = excluded.version`,
		database.Text(c.id), database.Text(c.currency), database.Int(c.net), database.Int(c.version))
	if err != nil || !c.dated {
		return err
	}
	return tx.Exec(`UPDATE {accounts} SET starts_on = $2, ends_on = $3 WHERE account = $1`,
		database.Text(c.id), dateValue(c.startsOn), dateValue(c.endsOn))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

const accountColumns = `account, currency, starts_on, ends_on, balance, version`

func accountAt(r database.Row) Account {
	return Account{
		ID: r.Text(0), Currency: domain.Currency(r.Text(1)), StartsOn: dateAt(r, 2), EndsOn: dateAt(r, 3),
		Balance: r.Int(4), Version: version(r, 5),
	}
}

// Account is the account of a tenancy; ErrNotFound if it was never opened.
func (r *Reader) Account(id string) (Account, error) {
	return one(r, accountAt, `SELECT `+accountColumns+` FROM {accounts} WHERE account = $1`, database.Text(id))
}

// Accounts lists accounts by id, those after one.
func (r *Reader) Accounts(after string, limit int) ([]Account, error) {
	return all(r, accountAt, `SELECT `+accountColumns+` FROM {accounts} WHERE account > $1 ORDER BY account LIMIT $2`,
		database.Text(after), database.Int(limit))
}
