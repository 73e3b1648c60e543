package bench

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"rentbook/domain"
)

// imported is how large a portfolio is that is brought in as CSV files: tenancies, each with a
// weekly term, and so many transactions each.
type imported struct{ tenancies, transactions int }

func (i imported) rows() int { return i.tenancies * i.transactions }

// weeks is how long the terms have been running: two years.
const weeks = 104

// lastDay is the Sunday before this week.
func lastDay() domain.Date {
	today := domain.DateOf(time.Now().UTC())
	return today - domain.Date((today.Weekday()+6)%7) - 1
}

func firstDay() domain.Date { return lastDay() + 1 - weeks*7 }

func (i imported) write(folder string) error {
	return errors.Join(
		writeCSV(folder, "properties.csv", "property_ref,kind,address,postcode", 1, func(int) []string {
			return []string{"H1", "estate", "Quay Street", "ZZ1 1ZZ"}
		}),
		writeCSV(folder, "tenancies.csv", "tenancy_ref,property_ref,kind,starts_on,currency", i.tenancies, func(n int) []string {
			return []string{tenancy(n), "H1", "secure", firstDay().String(), "GBP"}
		}),
		writeCSV(folder, "terms.csv", "tenancy_ref,term_ref,code,description,amount,period,from", i.tenancies, func(n int) []string {
			return []string{tenancy(n), "R1", "rent", "Rent", "112.50", "weekly", firstDay().String()}
		}),
		writeCSV(folder, "transactions.csv", "tenancy_ref,transaction_ref,value_date,kind,code,description,amount,method,reference",
			i.rows(), i.transaction))
}

// transaction is a row: by date, as a housing system exports them; charges and payments in turn.
func (i imported) transaction(n int) []string {
	week, who := n/i.tenancies, tenancy(n%i.tenancies)
	ref, day := "X"+strconv.Itoa(n), (firstDay() + domain.Date(week*7)).String()
	if week%2 == 0 {
		return []string{who, ref, day, "charge", "service", "Service charge", "12.34", "", ""}
	}
	return []string{who, ref, day, "payment", "", "", "12.34", "direct_debit", "DD " + who}
}

func tenancy(n int) string { return fmt.Sprintf("T%05d", n) }

func writeCSV(folder, name, header string, rows int, row func(int) []string) (err error) {
	file, err := os.Create(filepath.Join(folder, name)) //nolint:gosec // our own scratch folder
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := fmt.Fprintln(file, header); err != nil {
		return err
	}
	out := csv.NewWriter(file)
	for n := range rows {
		if err := out.Write(row(n)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
