package projections

import (
	"errors"
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
	account   TEXT   NOT NULL PRIMARY KEY,
	currency  TEXT   NOT NULL,
	starts_on DATE,
	ends_on   DATE,
	balance   BIGINT NOT NULL, -- minor units; positive is owed
	version   BIGINT NOT NULL
) CHANGING`}
}

func (*accountView) Publications() []Publication {
	return []Publication{{"accounts", `SELECT account, currency, starts_on, ends_on, balance AS balance_minor FROM {accounts}`}}
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
	var dated, undated []*accountChange
	for _, id := range sortedKeys(changes) {
		if c := changes[id]; c.dated {
			dated = append(dated, c)
		} else {
			undated = append(undated, c)
		}
	}
	return errors.Join(mergeAccounts(tx, dated, `, starts_on = excluded.starts_on, ends_on = excluded.ends_on`),
		mergeAccounts(tx, undated, ""))
}

// mergeAccounts writes changes that have all the same to set.
func mergeAccounts(tx database.Tx, changes []*accountChange, set string) error {
	var values [6]database.Value
	return tx.Merge(`{accounts} (account, currency, starts_on, ends_on, balance, version)`,
		`(account) DO UPDATE SET balance = {accounts}.balance + excluded.balance, version = excluded.version`+set,
		len(changes), func(i int) []database.Value {
			c := changes[i]
			values = [6]database.Value{
				database.Text(c.id), database.Text(c.currency), dateValue(c.startsOn), dateValue(c.endsOn),
				database.Int(c.net), database.Int(c.version),
			}
			return values[:]
		})
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
