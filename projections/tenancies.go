package projections

import (
	"strconv"
	"strings"

	"rentbook/domain"
	"rentbook/domain/calendar"
	"rentbook/domain/chargerun"
	"rentbook/domain/property"
	"rentbook/domain/rent"
	"rentbook/domain/tenancy"
	"rentbook/projections/database"
)

// tenancyView has everything that is set rather than entered: properties, tenancies, tenants,
// calendars, terms and charge runs, each as it was last set.
type tenancyView struct{}

func newTenancyView() *tenancyView { return &tenancyView{} }

func (*tenancyView) Name() string { return "tenancies" }

func (*tenancyView) Tables() []string {
	return []string{"properties", "tenancies", "tenants", "calendars", "calendar_dates", "terms", "charge_runs"}
}

func (*tenancyView) Schema() []string {
	return []string{
		`CREATE TABLE {properties} (
	property TEXT   NOT NULL PRIMARY KEY,
	kind     TEXT   NOT NULL,
	parent   TEXT,
	address  TEXT   NOT NULL,
	postcode TEXT   NOT NULL,
	locality TEXT,
	version  BIGINT NOT NULL -- of the event that last set it
)`,
		`CREATE INDEX {properties_by_parent} ON {properties} (parent)`,
		`CREATE TABLE {tenancies} (
	tenancy   TEXT   NOT NULL PRIMARY KEY,
	property  TEXT   NOT NULL,
	kind      TEXT   NOT NULL,
	starts_on DATE   NOT NULL,
	ends_on   DATE,
	currency  TEXT   NOT NULL,
	version   BIGINT NOT NULL
)`,
		`CREATE TABLE {tenants} (
	tenancy       TEXT   NOT NULL,
	person        TEXT   NOT NULL,
	name          TEXT, -- what is personal is NULL once erased, empty where it was never given
	date_of_birth TEXT,
	email         TEXT,
	phone         TEXT,
	liable_from   DATE   NOT NULL,
	liable_to     DATE,
	version       BIGINT NOT NULL,
	PRIMARY KEY (tenancy, person)
)`,
		`CREATE TABLE {calendars} (calendar TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)`,
		`CREATE TABLE {calendar_dates} (
	calendar TEXT NOT NULL,
	date     DATE NOT NULL,
	PRIMARY KEY (calendar, date)
)`,
		`CREATE TABLE {terms} (
	account            TEXT    NOT NULL,
	term               TEXT    NOT NULL,
	code               TEXT    NOT NULL,
	description        TEXT    NOT NULL,
	amount             BIGINT  NOT NULL, -- minor units
	currency           TEXT    NOT NULL,
	period             TEXT    NOT NULL,
	charge_day         TEXT,
	anchored_on        DATE,
	due                TEXT    NOT NULL,
	proration          TEXT    NOT NULL,
	starts_on          DATE    NOT NULL,
	ends_on            DATE,
	benefit_eligible   BOOLEAN NOT NULL,
	fund               TEXT,
	rent_free_calendar TEXT,
	version            BIGINT  NOT NULL,
	PRIMARY KEY (account, term)
)`,
		`CREATE TABLE {charge_runs} (
	run      TEXT   NOT NULL PRIMARY KEY,
	through  DATE   NOT NULL,
	started  BIGINT NOT NULL, -- position
	finished BIGINT -- position; NULL until then
)`,
	}
}

func (*tenancyView) Publications() []Publication {
	return []Publication{
		{"properties", `SELECT property, kind, parent, address, postcode, locality FROM {properties}`},
		{"tenancies", `SELECT tenancy, property, kind, starts_on, ends_on, currency FROM {tenancies}`},
		{"tenants", `SELECT tenancy, person, liable_from, liable_to FROM {tenants}`},
		{"calendar_dates", `SELECT calendar, date FROM {calendar_dates}`},
		{"terms", `SELECT account, term, code, description, amount AS amount_minor, currency, period, charge_day, anchored_on,
			due, proration, starts_on, ends_on, benefit_eligible, fund, rent_free_calendar FROM {terms}`},
		{"charge_runs", `SELECT run, through, started AS started_position, finished AS finished_position FROM {charge_runs}`},
	}
}

func (*tenancyView) Wants(eventType string) bool {
	return wantsPrefix(eventType, "property.", "tenancy.", "calendar.", "charge-run.", "rent.term-set.")
}

func (*tenancyView) Forget() {}

// Apply writes facts one by one: what is set is far rarer than what is entered.
func (v *tenancyView) Apply(tx database.Tx, events []Event) error {
	for i := range events {
		if err := v.apply(tx, &events[i]); err != nil {
			return err
		}
	}
	return nil
}

func (*tenancyView) apply(tx database.Tx, e *Event) error {
	id, at := database.Text(e.Stream.ID()), database.Int(e.Version)
	switch f := e.Fact.(type) {
	case property.Described:
		return describe(tx, id, at, f)
	case tenancy.Opened:
		return open(tx, id, at, f)
	case tenancy.Changed:
		return tx.Exec(`UPDATE {tenancies} SET property = $2, kind = $3, starts_on = $4, ends_on = $5, version = $6
			WHERE tenancy = $1`,
			id, database.Text(f.Property), database.Text(f.Kind), dateValue(f.StartsOn), dateValue(f.EndsOn), at)
	case tenancy.TenantSet:
		return setTenant(tx, id, at, f)
	case calendar.DatesSet:
		return setCalendar(tx, id, at, f.Dates, true)
	case calendar.DateAdded:
		return setCalendar(tx, id, at, []domain.Date{f.Date}, false)
	case rent.TermSet:
		return setTerm(tx, id, at, f)
	case chargerun.Started:
		return tx.Exec(`INSERT INTO {charge_runs} (run, through, started) VALUES ($1, $2, $3)`,
			id, dateValue(f.Through), database.Int(number(e.Position)))
	case chargerun.Finished:
		return tx.Exec(`UPDATE {charge_runs} SET finished = $2 WHERE run = $1`, id, database.Int(number(e.Position)))
	}
	return nil
}

// upsert is SQL that writes a row whatever was there: keys and columns apart by spaces.
func upsert(table, keys, columns string) string {
	key, column := strings.Fields(keys), strings.Fields(columns)
	all := append(key, column...)
	var values, sets []string
	for i := range all {
		values = append(values, "$"+strconv.Itoa(i+1))
	}
	for _, c := range column {
		sets = append(sets, c+" = excluded."+c)
	}
	return "INSERT INTO {" + table + "} (" + strings.Join(all, ", ") + ") VALUES (" + strings.Join(values, ", ") +
		") ON CONFLICT (" + strings.Join(key, ", ") + ") DO UPDATE SET " + strings.Join(sets, ", ")
}

func describe(tx database.Tx, id, at database.Value, f property.Described) error {
	return tx.Exec(upsert("properties", "property", "kind parent address postcode locality version"),
		id, database.Text(f.Kind), database.TextOrNull(f.Parent), database.Text(f.Address), database.Text(f.Postcode),
		database.TextOrNull(f.Locality), at)
}

func open(tx database.Tx, id, at database.Value, f tenancy.Opened) error {
	return tx.Exec(upsert("tenancies", "tenancy", "property kind starts_on ends_on currency version"),
		id, database.Text(f.Property), database.Text(f.Kind), dateValue(f.StartsOn), dateValue(f.EndsOn),
		database.Text(f.Currency), at)
}

func setTenant(tx database.Tx, id, at database.Value, f tenancy.TenantSet) error {
	return tx.Exec(upsert("tenants", "tenancy person", "name date_of_birth email phone liable_from liable_to version"),
		id, database.Text(f.Person), personalValue(f.Name), personalValue(f.DateOfBirth), personalValue(f.Email),
		personalValue(f.Phone), dateValue(f.LiableFrom), dateValue(f.LiableTo), at)
}

func setCalendar(tx database.Tx, id, at database.Value, dates []domain.Date, whole bool) error {
	if err := tx.Exec(upsert("calendars", "calendar", "version"), id, at); err != nil {
		return err
	}
	if whole {
		if err := tx.Exec(`DELETE FROM {calendar_dates} WHERE calendar = $1`, id); err != nil {
			return err
		}
	}
	for _, d := range dates {
		err := tx.Exec(`INSERT INTO {calendar_dates} (calendar, date) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, dateValue(d))
		if err != nil {
			return err
		}
	}
	return nil
}

func setTerm(tx database.Tx, id, at database.Value, f rent.TermSet) error {
	return tx.Exec(upsert("terms", "account term", `code description amount currency period charge_day anchored_on due
			proration starts_on ends_on benefit_eligible fund rent_free_calendar version`),
		id, database.Text(f.Term), database.Text(f.Code), database.Text(f.Description), database.Int(f.Amount.Minor),
		database.Text(f.Amount.Currency), database.Text(f.Period), database.TextOrNull(f.ChargeDay), dateValue(f.AnchoredOn),
		database.Text(f.Due), database.Text(f.Proration), dateValue(f.From), dateValue(f.To), database.Bool(f.BenefitEligible),
		database.TextOrNull(f.Fund), database.TextOrNull(f.RentFreeCalendar), at)
}
