package projections

import (
	"context"
	"encoding/json"
	"errors"

	"rentbook/domain"
	"rentbook/domain/contractor"
	"rentbook/projections/database"
)

// contractorView has contractors, their prices and when they can come, each as it was last set.
type contractorView struct{}

func newContractorView() *contractorView { return &contractorView{} }

func (*contractorView) Name() string { return "contractors" }

func (*contractorView) Tables() []string {
	return []string{"contractors", "contractor_trades", "contractor_prices", "contractor_availability"}
}

func (*contractorView) Schema() []string {
	return []string{
		`CREATE TABLE {contractors} (
	contractor TEXT    NOT NULL PRIMARY KEY,
	name       TEXT    NOT NULL, -- of a company
	trades     TEXT    NOT NULL, -- JSON, in the order given
	areas      TEXT, -- JSON
	capacity   BIGINT  NOT NULL, -- most open orders at once; 0: no limit
	retired    BOOLEAN NOT NULL,
	email      TEXT, -- what is personal is NULL once erased, empty where it was never given
	phone      TEXT,
	version    BIGINT  NOT NULL -- of the event that last set it
)`,
		`CREATE TABLE {contractor_trades} (contractor TEXT NOT NULL, trade TEXT NOT NULL, PRIMARY KEY (contractor, trade))`,
		`CREATE TABLE {contractor_prices} (
	contractor TEXT   NOT NULL,
	contract   TEXT   NOT NULL,
	starts_on  DATE   NOT NULL,
	ends_on    DATE,
	currency   TEXT   NOT NULL,
	prices     TEXT   NOT NULL, -- JSON, in the order given
	version    BIGINT NOT NULL,
	PRIMARY KEY (contractor, contract)
)`,
		`CREATE TABLE {contractor_availability} (
	contractor   TEXT   NOT NULL PRIMARY KEY,
	availability TEXT   NOT NULL, -- JSON
	version      BIGINT NOT NULL
)`,
	}
}

func (*contractorView) Publications() []Publication {
	return []Publication{
		{"contractors", `SELECT contractor, name, capacity, retired FROM {contractors}`},
		{"contractor_trades", `SELECT contractor, trade FROM {contractor_trades}`},
		{"contracts", `SELECT contractor, contract, starts_on, ends_on, currency FROM {contractor_prices}`},
	}
}

func (*contractorView) Wants(eventType string) bool { return wantsPrefix(eventType, "contractor.") }

func (*contractorView) Forget() {}

// Apply writes facts one by one: what is set is far rarer than what happens to repairs.
func (v *contractorView) Apply(tx database.Tx, events []Event) error {
	for i := range events {
		if err := v.apply(tx, &events[i]); err != nil {
			return err
		}
	}
	return nil
}

func (*contractorView) apply(tx database.Tx, e *Event) error {
	id, at := database.Text(e.Stream.ID()), database.Int(e.Version)
	switch f := e.Fact.(type) {
	case contractor.Described:
		return describeContractor(tx, id, at, f)
	case contractor.PricesSet:
		prices, err := jsonValue(f.Prices)
		if err != nil {
			return err
		}
		return tx.Exec(upsert("contractor_prices", "contractor contract", "starts_on ends_on currency prices version"),
			id, database.Text(f.Contract), dateValue(f.From), dateValue(f.To), database.Text(f.Currency), prices, at)
	case contractor.AvailabilitySet:
		availability, err := jsonValue(f)
		if err != nil {
			return err
		}
		return tx.Exec(upsert("contractor_availability", "contractor", "availability version"), id, availability, at)
	}
	return nil
}

func describeContractor(tx database.Tx, id, at database.Value, f contractor.Described) error {
	trades, err := jsonValue(f.Trades)
	areas, err2 := jsonOrNull(f.Areas)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	err = tx.Exec(upsert("contractors", "contractor", "name trades areas capacity retired email phone version"),
		id, database.Text(f.Name), trades, areas, database.Int(f.Capacity), database.Bool(f.Retired), personalValue(f.Email),
		personalValue(f.Phone), at)
	if err != nil {
		return err
	}
	if err := tx.Exec(`DELETE FROM {contractor_trades} WHERE contractor = $1`, id); err != nil {
		return err
	}
	for _, trade := range f.Trades {
		err := tx.Exec(`INSERT INTO {contractor_trades} (contractor, trade) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, database.Text(trade))
		if err != nil {
			return err
		}
	}
	return nil
}

// Contractor is a contractor as last described.
type Contractor struct {
	contractor.Described

	ID      string
	Version uint64 // of the event that last set it
}

const contractorColumns = `contractor, name, trades, areas, capacity, retired, email, phone, version`

// readContractors reads rows whose lists may be no JSON: then something else than the view wrote them.
func readContractors(r *Reader, query string, args ...database.Value) ([]Contractor, error) {
	var found []Contractor
	err := r.tx.Query(query, func(row database.Row) error {
		c := Contractor{ID: row.Text(0), Version: version(row, 8), Described: contractor.Described{
			Name: row.Text(1), Capacity: int(row.Int(4)), Retired: row.Bool(5), Email: personalAt(row, 6), Phone: personalAt(row, 7),
		}}
		err := errors.Join(readList(row, 2, &c.Trades), readList(row, 3, &c.Areas))
		found = append(found, c)
		return err
	}, args...)
	return found, err
}

// Contractor is a contractor; ErrNotFound if nobody described it.
func (r *Reader) Contractor(id string) (Contractor, error) {
	found, err := readContractors(r, `SELECT `+contractorColumns+` FROM {contractors} WHERE contractor = $1`, database.Text(id))
	if err != nil {
		return Contractor{}, err
	}
	if len(found) == 0 {
		return Contractor{}, ErrNotFound
	}
	return found[0], nil
}

// Contractors lists contractors by id, those after one.
func (r *Reader) Contractors(after string, most int) ([]Contractor, error) {
	return readContractors(r, `SELECT `+contractorColumns+` FROM {contractors} WHERE contractor > $1 ORDER BY contractor LIMIT $2`,
		database.Text(after), database.Int(most))
}

// ContractorPrices are the prices of a contract as last set.
type ContractorPrices struct {
	contractor.PricesSet

	Version uint64 // of the event that last set it
}

// ContractorPrices lists the prices of a contractor's contracts, by id of the contract.
func (r *Reader) ContractorPrices(id string) ([]ContractorPrices, error) {
	var found []ContractorPrices
	err := r.tx.Query(`SELECT contract, starts_on, ends_on, currency, prices, version FROM {contractor_prices}
		WHERE contractor = $1 ORDER BY contract`, func(row database.Row) error {
		p := ContractorPrices{Version: version(row, 5), PricesSet: contractor.PricesSet{
			Contract: domain.ID(row.Text(0)), From: dateAt(row, 1), To: dateAt(row, 2), Currency: domain.Currency(row.Text(3)),
		}}
		err := readList(row, 4, &p.Prices)
		found = append(found, p)
		return err
	}, database.Text(id))
	return found, err
}

// ContractorAvailability is when a contractor can come, as last set.
type ContractorAvailability struct {
	contractor.AvailabilitySet

	Version uint64 // of the event that last set it
}

// ContractorAvailability is when a contractor can come; ErrNotFound if nobody said so.
func (r *Reader) ContractorAvailability(id string) (ContractorAvailability, error) {
	a, found := ContractorAvailability{}, false
	err := r.tx.Query(`SELECT availability, version FROM {contractor_availability} WHERE contractor = $1`, func(row database.Row) error {
		found, a.Version = true, version(row, 1)
		return json.Unmarshal([]byte(row.Text(0)), &a.AvailabilitySet)
	}, database.Text(id))
	if err == nil && !found {
		err = ErrNotFound
	}
	return a, err
}

// ContractorLoad is how many repairs are open with a contractor.
type ContractorLoad struct {
	ID   domain.ID
	Open int
}

// Contractors lists every contractor that was ever described, by id, with its load. It brings the
// views to the head of the log first.
func (v *Views) Contractors(ctx context.Context) ([]ContractorLoad, error) {
	if err := v.CatchUp(ctx); err != nil {
		return nil, err
	}
	var found []ContractorLoad
	err := v.Read(ctx, func(r *Reader) (err error) {
		found, err = all(r, func(row database.Row) ContractorLoad { return ContractorLoad{domain.ID(row.Text(0)), int(row.Int(1))} },
			`SELECT c.contractor, (SELECT count(*) FROM {repairs} r WHERE r.class = 'open' AND r.contractor = c.contractor)
			FROM {contractors} c ORDER BY c.contractor`)
		return err
	})
	return found, err
}
