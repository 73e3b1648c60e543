package demo

import (
	"cmp"
	"slices"
	"strconv"

	"rentbook/domain"
)

// tables are the files in the order in which they are read.
func (p portfolio) tables() []table {
	return []table{
		properties(), p.tenancies(), p.tenants(), calendars(), p.terms(), p.transactions(),
	}
}

func (p portfolio) tenancies() table {
	rows := [][]string{{"tenancy_ref", "property_ref", "kind", "starts_on", "ends_on", "currency"}}
	for _, t := range p.all {
		rows = append(rows, []string{
			t.ref(), t.home, t.kind, t.from.String(), t.to.String(), string(t.currency()),
		})
	}
	return table{"tenancies.csv", rows}
}

func (p portfolio) tenants() table {
	rows := [][]string{{
		"tenancy_ref", "person_ref", "name", "date_of_birth", "email", "phone", "liable_from", "liable_to",
	}}
	for _, t := range p.all {
		for _, who := range t.tenants {
			rows = append(rows, []string{
				t.ref(), who.ref, who.name, who.born.String(), who.email, who.phone,
				t.from.String(), who.liableTo.String(),
			})
		}
	}
	return table{"tenants.csv", rows}
}

func calendars() table {
	rows := [][]string{{"calendar", "date"}}
	for _, day := range rentFreeWeeks() {
		rows = append(rows, []string{rentFree, day.String()})
	}
	return table{"calendars.csv", rows}
}

func (p portfolio) terms() table {
	rows := [][]string{{
		"tenancy_ref", "term_ref", "code", "description", "amount", "period", "charge_day", "anchored_on", "due",
		"proration", "from", "to", "benefit_eligible", "fund", "rent_free_calendar",
	}}
	for _, tenancy := range p.all {
		for _, t := range tenancy.keyed() {
			rows = append(rows, []string{
				tenancy.ref(), string(t.Term), string(t.Code), t.Description, t.Amount.String(), string(t.Period),
				string(t.ChargeDay), t.AnchoredOn.String(), string(t.Due), string(t.Proration), t.From.String(),
				t.To.String(), strconv.FormatBool(t.BenefitEligible), t.Fund, string(t.RentFreeCalendar),
			})
		}
	}
	return table{"terms.csv", rows}
}

// transactions are in the order of their days, as a cash book has them.
func (p portfolio) transactions() table {
	type line struct {
		on  domain.Date
		row []string
	}
	var lines []line
	for _, tenancy := range p.all {
		for _, t := range tenancy.history {
			lines = append(lines, line{t.on, []string{
				tenancy.ref(), t.ref, t.on.String(), string(t.kind), t.code, t.description,
				tenancy.money(t.minor).String(), t.method, t.reference, t.reverses,
			}})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.on, b.on) })
	rows := [][]string{{
		"tenancy_ref", "transaction_ref", "value_date", "kind", "code", "description", "amount", "method",
		"reference", "reverses_ref",
	}}
	for _, l := range lines {
		rows = append(rows, l.row)
	}
	return table{"transactions.csv", rows}
}
