package projections

import (
	"context"
	"iter"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/projections/database"
)

// Property is a home, a block or an estate as last described.
type Property struct {
	ID, Kind, Parent            string
	Address, Postcode, Locality string
	Version                     uint64 // of the event that last set it
}

// Tenancy is a tenancy as last set.
type Tenancy struct {
	ID, Property, Kind string
	StartsOn, EndsOn   domain.Date // EndsOn is zero while there is no end
	Currency           domain.Currency
	Version            uint64 // of the event that last set it
}

// Tenant is somebody liable under a tenancy, as last set.
type Tenant struct {
	Tenancy, Person                 string
	Name, DateOfBirth, Email, Phone domain.Personal
	LiableFrom, LiableTo            domain.Date // LiableTo is zero while there is no end
	Version                         uint64      // of the event that last set it
}

// Calendar is a named set of days.
type Calendar struct {
	ID      string
	Dates   []domain.Date // sorted
	Version uint64        // of the event that last set it
}

// Term is a rent term as last set.
type Term struct {
	rent.TermSet

	Account string
	Version uint64 // of the event that last set it
}

// Property is a property; ErrNotFound if nobody described it.
func (r *Reader) Property(id string) (Property, error) {
	return one(r, func(row database.Row) Property {
		return Property{
			ID: id, Kind: row.Text(0), Parent: row.Text(1), Address: row.Text(2), Postcode: row.Text(3),
			Locality: row.Text(4), Version: version(row, 5),
		}
	}, `SELECT kind, parent, address, postcode, locality, version FROM {properties} WHERE property = $1`, database.Text(id))
}

// Tenancy is a tenancy; ErrNotFound if it was never opened.
func (r *Reader) Tenancy(id string) (Tenancy, error) {
	return one(r, func(row database.Row) Tenancy {
		return Tenancy{
			ID: id, Property: row.Text(0), Kind: row.Text(1), StartsOn: dateAt(row, 2), EndsOn: dateAt(row, 3),
			Currency: domain.Currency(row.Text(4)), Version: version(row, 5),
		}
	}, `SELECT property, kind, starts_on, ends_on, currency, version FROM {tenancies} WHERE tenancy = $1`, database.Text(id))
}

const tenantColumns = `tenancy, person, name, date_of_birth, email, phone, liable_from, liable_to, version`

func tenantAt(row database.Row) Tenant {
	return Tenant{
		Tenancy: row.Text(0), Person: row.Text(1), Name: personalAt(row, 2), DateOfBirth: personalAt(row, 3),
		Email: personalAt(row, 4), Phone: personalAt(row, 5), LiableFrom: dateAt(row, 6), LiableTo: dateAt(row, 7),
		Version: version(row, 8),
	}
}

// Tenant is a tenant of a tenancy; ErrNotFound if the person never was one.
func (r *Reader) Tenant(tenancy, person string) (Tenant, error) {
	return one(r, tenantAt, `SELECT `+tenantColumns+` FROM {tenants} WHERE tenancy = $1 AND person = $2`,
		database.Text(tenancy), database.Text(person))
}

// Tenants lists the tenants of a tenancy, by the id of the person.
func (r *Reader) Tenants(tenancy string) ([]Tenant, error) {
	return all(r, tenantAt, `SELECT `+tenantColumns+` FROM {tenants} WHERE tenancy = $1 ORDER BY person`, database.Text(tenancy))
}

// Calendar is a calendar; ErrNotFound if it was never set.
func (r *Reader) Calendar(id string) (Calendar, error) {
	c, err := one(r, func(row database.Row) Calendar { return Calendar{ID: id, Version: version(row, 0)} },
		`SELECT version FROM {calendars} WHERE calendar = $1`, database.Text(id))
	if err != nil {
		return Calendar{}, err
	}
	c.Dates, err = all(r, func(row database.Row) domain.Date { return dateAt(row, 0) },
		`SELECT date FROM {calendar_dates} WHERE calendar = $1 ORDER BY date`, database.Text(id))
	return c, err
}

const termColumns = `account, term, code, description, amount, currency, period, charge_day, anchored_on, due, proration,
	starts_on, ends_on, benefit_eligible, fund, rent_free_calendar, version`

func termAt(row database.Row) Term {
	return Term{Account: row.Text(0), Version: version(row, 16), TermSet: rent.TermSet{
		Term: domain.ID(row.Text(1)), Code: rent.Code(row.Text(2)), Description: row.Text(3),
		Amount: domain.Money{Minor: row.Int(4), Currency: domain.Currency(row.Text(5))},
		Period: rent.Period(row.Text(6)), ChargeDay: rent.ChargeDay(row.Text(7)), AnchoredOn: dateAt(row, 8),
		Due: rent.Due(row.Text(9)), Proration: rent.Proration(row.Text(10)), From: dateAt(row, 11), To: dateAt(row, 12),
		BenefitEligible: row.Bool(13), Fund: row.Text(14), RentFreeCalendar: domain.ID(row.Text(15)),
	}}
}

// Term is a term of an account; ErrNotFound if it was never set.
func (r *Reader) Term(account, term string) (Term, error) {
	return one(r, termAt, `SELECT `+termColumns+` FROM {terms} WHERE account = $1 AND term = $2`,
		database.Text(account), database.Text(term))
}

// Terms lists the terms of an account, by id.
func (r *Reader) Terms(account string) ([]Term, error) {
	return all(r, termAt, `SELECT `+termColumns+` FROM {terms} WHERE account = $1 ORDER BY term`, database.Text(account))
}

// accountsPage bounds how many ids are read at once: a caller who does something with each must
// not hold a snapshot meanwhile.
const accountsPage = 1000

// AccountIDs yields the ids of all accounts in the log as it is when asked, in order. It brings the
// views there first.
func (v *Views) AccountIDs(ctx context.Context) iter.Seq2[domain.ID, error] {
	return func(yield func(domain.ID, error) bool) {
		if err := v.CatchUp(ctx); err != nil {
			yield("", err)
			return
		}
		for last := ""; ; {
			var page []Account
			err := v.Read(ctx, func(r *Reader) (err error) {
				page, err = r.Accounts(last, accountsPage)
				return err
			})
			if err != nil {
				yield("", err)
				return
			}
			for _, a := range page {
				if !yield(domain.ID(a.ID), nil) {
					return
				}
				last = a.ID
			}
			if len(page) < accountsPage {
				return
			}
		}
	}
}

// UnfinishedRun is the charge run through a day that was started last, if it is not finished;
// empty if there is none. It brings the views to the head of the log first.
func (v *Views) UnfinishedRun(ctx context.Context, through domain.Date) (domain.ID, error) {
	if err := v.CatchUp(ctx); err != nil {
		return "", err
	}
	var run domain.ID
	err := v.Read(ctx, func(r *Reader) error {
		found, err := one(r, func(row database.Row) domain.ID { return domain.ID(row.Text(0)) },
			`SELECT run FROM {charge_runs} WHERE through = $1 AND finished IS NULL ORDER BY started DESC LIMIT 1`,
			dateValue(through))
		if isNotFound(err) {
			return nil
		}
		run = found
		return err
	})
	return run, err
}
