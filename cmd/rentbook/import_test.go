package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// estate writes a portfolio of n tenancies with 30 payments each, and a reversal in every tenth.
func estate(t *testing.T, n int) string {
	t.Helper()
	var properties, tenancies, tenants, terms, transactions strings.Builder
	properties.WriteString("property_ref,kind,address,postcode\n")
	tenancies.WriteString("tenancy_ref,property_ref,kind,starts_on,currency\n")
	tenants.WriteString("tenancy_ref,person_ref,name,liable_from\n")
	terms.WriteString("tenancy_ref,term_ref,code,description,amount,period,from\n")
	transactions.WriteString("tenancy_ref,transaction_ref,value_date,kind,amount,method,reference,reverses_ref\n")
	for i := range n {
		fmt.Fprintf(&properties, "H%d,home,%d Harbour Lane,LN1 1AA\n", i, i)
		fmt.Fprintf(&tenancies, "T%d,H%d,assured,2024-01-01,GBP\n", i, i)
		fmt.Fprintf(&tenants, "T%d,P%d,Tenant %d,2024-01-01\n", i, i, i)
		fmt.Fprintf(&terms, "T%d,R1,rent,Rent,%d.50,weekly,2024-01-01\n", i, 90+i%40)
		for p := range 30 {
			fmt.Fprintf(&transactions, "T%d,T%d-%d,2024-%02d-%02d,payment,%d.25,card,RB%d,\n", i, i, p, 1+p/3, 1+p%28, 50+p, i)
		}
		if i%10 == 0 {
			fmt.Fprintf(&transactions, "T%d,T%d-X,2024-12-01,payment_reversal,50.25,,,T%d-0\n", i, i, i)
		}
	}
	return folderOf(t, map[string]string{
		"properties.csv": properties.String(), "tenancies.csv": tenancies.String(), "tenants.csv": tenants.String(),
		"terms.csv": terms.String(), "transactions.csv": transactions.String(),
	})
}

// folderOf writes files into a folder.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// TestImport_KilledAtAnyMoment kills the import at random moments and runs it again, until it is
// through: the log has the same content as that of one clean run.
func TestImport_KilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	everywhere(t, importKilledAtAnyMoment)
}

func importKilledAtAnyMoment(t *testing.T, fresh func() place) {
	folder := estate(t, 60)
	clean := fresh()
	began := time.Now()
	if out, err := program(t.Context(), clean.args("import", folder)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	took := time.Since(began)
	want := content(clean)

	killsWanted := 20
	if (clean.eventStore == "") != (clean.database == "") { // each server alone has nothing that both have not
		killsWanted = 5
	}
	kills, seed := 0, rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for kills < killsWanted {
		data := fresh()
		for range 8 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(took))))
			err := program(ctx, data.args("import", folder)...).Run()
			cancel()
			if err == nil {
				break
			}
			kills++
		}
		code, _, stderr := rentbook(t, data.args("import", folder)...)
		if code != exitDone {
			t.Fatalf("seed %d: the last import ended with %d\n%s", seed, code, stderr)
		}
		if got := content(data); !slices.Equal(want, got) {
			t.Fatalf("seed %d: after %d kills the log has %d events, want the same %d", seed, kills, len(got), len(want))
		}
	}
	t.Logf("%d kills (seed %d), a clean import took %v", kills, seed, took)
}

// Bad rows are refused alone, with file, line and reason, the same on every run; the others land.
func TestImport_RefusesTheSameRowsEverywhere(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, fresh func() place) {
		data := fresh()
		data.must("import", portfolioFolder())
		bad := folderOf(t, map[string]string{
			"calendars.csv": "calendar,date\nbad,2026-02-30\nbad,2026-03-02\n",
			"transactions.csv": "tenancy_ref,transaction_ref,value_date,kind,amount,method,reverses_ref\n" +
				"A-weekly,BAD1,2026-05-01,payment,-1.00,card,\nA-weekly,GOOD1,2026-05-01,payment,1.00,card,\n" +
				"NOBODY,BAD2,2026-05-01,payment,1.00,card,\nA-weekly,BAD3,2026-05-01,payment_reversal,1.00,,NOPE\n",
		})
		var before string
		for run, counts := range []string{"2 rows recorded, 0 known already, 4 refused", "0 rows recorded, 2 known already, 4 refused"} {
			code, stdout, stderr := rentbook(t, data.args("import", bad, "--log-level", "error")...)
			if code != exitRefused || !strings.Contains(stdout, counts) {
				t.Errorf("run %d: exit %d, %q, want %q", run, code, stdout, counts)
			}
			for _, line := range []string{"calendars.csv:2: ", "transactions.csv:2: ", "transactions.csv:4: ", "transactions.csv:5: "} {
				if !strings.Contains(stderr, line) {
					t.Errorf("run %d: no %q in\n%s", run, line, stderr)
				}
			}
			if run > 0 && stderr != before {
				t.Errorf("the second run said\n%s\nthe first\n%s", stderr, before)
			}
			before = stderr
		}
	})
}
