package rent_test

import (
	"testing"

	"rentbook/domain/rent"
)

// tenYears is a weekly rent with a new term each April.
func tenYears() rent.Account {
	a := rent.Account{}.Apply(from("2016-04-04"))
	for _, first := range []string{
		"2016-04-04", "2017-04-03", "2018-04-02", "2019-04-01", "2020-04-06", "2021-04-05", "2022-04-04", "2023-04-03", "2024-04-01", "2025-04-07",
	} {
		a = a.Apply(term(first, "130", rent.Weekly, first))
	}
	return a
}

func BenchmarkAccount_Charge_ten_years_of_weeks(b *testing.B) {
	a, run := tenYears(), rent.Run{Through: date("2026-03-31")}
	raised := 0
	for b.Loop() {
		facts, err := a.Charge(run)
		if err != nil {
			b.Fatal(err)
		}
		raised += len(facts)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(raised), "ns/charge")
}

func BenchmarkAccount_Charge_nothing_after_ten_years(b *testing.B) {
	a, run := tenYears(), rent.Run{Through: date("2026-03-31")}
	facts, err := a.Charge(run)
	if err != nil {
		b.Fatal(err)
	}
	for _, fact := range facts {
		a = a.Apply(fact)
	}
	b.ReportAllocs()
	for b.Loop() {
		if more, err := a.Charge(run); err != nil || len(more) > 0 {
			b.Fatalf("it raises %d more, %v", len(more), err)
		}
	}
}

func BenchmarkAccount_Apply_ten_years_of_charges(b *testing.B) {
	opened := tenYears()
	facts, err := opened.Charge(rent.Run{Through: date("2026-03-31")})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		a := opened
		for _, fact := range facts {
			a = a.Apply(fact)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(facts)), "ns/fact")
}
