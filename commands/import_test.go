package commands_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/eventstore"
)

type files map[string]string

// imported imports the files in their order and answers what was refused and noted.
func imported(t *testing.T, h *commands.Handler, f files) (commands.ImportResult, []string) {
	t.Helper()
	result, lines, err := importing(t.Context(), h, f)
	if err != nil {
		t.Fatal(err)
	}
	return result, lines
}

func importing(ctx context.Context, h *commands.Handler, f files) (commands.ImportResult, []string, error) {
	folder, names := fstest.MapFS{}, []string(nil)
	for _, name := range commands.ImportNames() {
		if text, ok := f[name]; ok {
			folder[name] = &fstest.MapFile{Data: []byte(text)}
			names = append(names, name)
		}
	}
	var said []string
	result, err := h.Import(ctx, manager(), commands.Import{
		Files: folder, Names: names,
		Refused: func(l commands.ImportLine) { said = append(said, l.String()) },
		Noted:   func(l commands.ImportLine) { said = append(said, "note: "+l.String()) },
	})
	return result, said, err
}

func street() files {
	return files{
		"properties.csv": "\ufeffproperty_ref,kind,parent_ref,address,postcode\r\nH1,home,B1,1 Harbour Lane,LN1 1AA\r\nB1,block,,Harbour Lane,LN1 1AA\r\n",
		"tenancies.csv":  "currency,tenancy_ref,property_ref,kind,starts_on,ends_on\nGBP,T1,H1,assured,2026-01-01,\nGBP,T2,H1,lodger,2026-01-01,2026-06-30\n",
		"tenants.csv":    "tenancy_ref,person_ref,name,liable_from\nT1,P1,\"O'Neill, Amara\",2026-01-01\n",
		"calendars.csv":  "calendar,date\nfree,2026-12-21\nfree,2026-12-28\n",
		"terms.csv":      "tenancy_ref,term_ref,code,description,amount,period,from,benefit_eligible,rent_free_calendar\nT1,R1,rent,Rent,100.5,weekly,2026-01-01,true,free\n",
		"transactions.csv": "tenancy_ref,transaction_ref,value_date,kind,code,description,amount,method,reverses_ref,period_from,period_to\n" +
			"T1,P1,2025-12-30,payment,DD,early,81.66,direct_debit,,,\n" +
			"T1,X1,2026-01-05,payment_reversal,ARUDD-0,bounced,81.66,,P1,,\n" +
			"T1,C1,2026-02-01,charge,,key,12,,,,\n" +
			"T2,W1,2027-01-01,write_off,,gone,3.00,,,,\n",
	}
}

func TestImport_AgainAddsNothing(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	first, said := imported(t, b.Handler, street())
	if diff := cmp.Diff(commands.ImportResult{Recorded: 12}, first); diff != "" || said != nil {
		t.Fatalf("said %q; result (-want +got):\n%s", said, diff)
	}
	events := len(b.events(t))
	second, said := imported(t, b.over(b.log), street())
	if diff := cmp.Diff(commands.ImportResult{Known: 12}, second); diff != "" || said != nil {
		t.Errorf("said %q; result of the second import (-want +got):\n%s", said, diff)
	}
	if now := len(b.events(t)); now != events {
		t.Errorf("the second import added %d events", now-events)
	}
	for _, r := range b.events(t) {
		if r.Type == "rent.payment-received.v1" &&
			!strings.HasPrefix(r.Metadata.Authority, "imported, as found in transactions.csv line 2, file digest sha256:") {
			t.Errorf("the payment's authority is %q", r.Metadata.Authority)
		}
	}
}

func TestImport_OverOneThatWasInterruptedIsTheSameAsOne(t *testing.T) {
	t.Parallel()
	clean := newBooks(t)
	imported(t, clean.Handler, street())
	want := clean.contents(t)
	for kept := range len(want) + 1 {
		b := newBooks(t)
		_, _, err := importing(t.Context(), b.over(&cut{Store: b.log, left: kept}), street())
		if kept < len(want) && !errors.Is(err, eventstore.ErrUnavailable) {
			t.Fatalf("cut after %d events: got %v, want %v", kept, err, eventstore.ErrUnavailable)
		}
		imported(t, b.over(b.log), street())
		equal(t, want, b.contents(t))
	}
}

// cut is a store that records so many events more and then nothing.
type cut struct {
	eventstore.Store
	left int
}

func (c *cut) AppendEach(ctx context.Context, appends []eventstore.Append) []eventstore.Outcome {
	kept := min(c.left, len(appends))
	c.left -= kept
	outcomes := c.Store.AppendEach(ctx, appends[:kept])
	for range len(appends) - kept {
		outcomes = append(outcomes, eventstore.Outcome{Err: eventstore.ErrUnavailable})
	}
	return outcomes
}

func TestImport_BesideAnotherWriterDecidesAgain(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	f := street()
	transactions := f["transactions.csv"]
	delete(f, "transactions.csv")
	imported(t, b.Handler, f)
	raced := &race{Store: b.log, first: func() {
		c := payment("OTHER", "5.00")
		if _, err := b.over(b.log).ReceivePayment(t.Context(), manager(), c); err != nil {
			t.Error(err)
		}
	}}
	result, said := imported(t, b.over(raced), files{"transactions.csv": transactions})
	if diff := cmp.Diff(commands.ImportResult{Recorded: 4}, result); diff != "" || said != nil {
		t.Errorf("said %q; result (-want +got):\n%s", said, diff)
	}
	want := []string{
		"rent.account-opened.v1", "rent.term-set.v1", "rent.payment-received.v1", // the other one
		"rent.payment-received.v1", "rent.payment-reversed.v1", "rent.charge-entered.v1",
	}
	if diff := cmp.Diff(want, b.types(t, "rentAccount-T1")); diff != "" {
		t.Errorf("the account's events (-want +got):\n%s", diff)
	}
}

// race lets somebody else in just before the first batch is recorded.
type race struct {
	eventstore.Store
	first func()
}

func (r *race) AppendEach(ctx context.Context, appends []eventstore.Append) []eventstore.Outcome {
	if r.first != nil {
		r.first()
		r.first = nil
	}
	return r.Store.AppendEach(ctx, appends)
}

func TestImport_RefusesRowsAloneAndTheSameOnesEachTime(t *testing.T) {
	t.Parallel()
	const head = "tenancy_ref,transaction_ref,value_date,kind,amount,reverses_ref\n"
	rows := map[string]string{
		"T1,A1,2026-01-05,payment_reversal,5.00,A2":      `reverses_ref "A2": comes before what it refers to`,
		"T1,A2,2026-01-04,payment,5.00,":                 "",
		"T1,A3,2026-01-05,payment_reversal,4.00,A2":      `amount "4.00": is not the amount of the payment; a reversal is of the whole`,
		"T1,A4,2026-01-05,payment_reversal,5.00,A2":      "",
		"T1,A5,2026-01-06,payment_reversal,5.00,A2":      `reverses_ref "A2": the payment has been reversed already`,
		"T1,A6,2026-01-06,payment,5.00,A2":               `reverses_ref "A2": is for reversals and adjustments only`,
		"T1,A7,2026-01-06,payment,0.00,":                 `amount "0.00": is nought; an entry is of a positive amount`,
		"T1,A8,2026-01-06,payment,5.00":                  "has 5 fields, the header has 6",
		"T1,A2,2026-01-04,payment,6.00,":                 `transaction_ref A2 is known with other content; here: tenancy_ref T1, transaction_ref A2, value_date 2026-01-04, kind payment, amount 6.00; recorded: amount {"amount":"5.00","currency":"GBP"}, payment A2, value_date 2026-01-04`,
		"T1,A9,2026-01-06,credit,5.00,nothing":           `reverses_ref "nothing": there is no such entry on this account`,
		"T1,B1,0000-01-06,payment,5.00,":                 `value_date "0000-01-06": is not a date that exists, as YYYY-MM-DD`,
		"T1,B2,2026-01-06,payment,99999999999999999999,": `amount "99999999999999999999": is more than can be recorded`,
		"T1,B3,2026-01-06,,5.00,":                        "kind: is not one of charge, payment, payment_reversal, credit, debit, write_off, write_on, refund",
	}
	order := []string{"A1", "A2,2026-01-04,payment,5", "A3", "A4", "A5", "A6", "A7", "A8", "A2,2026-01-04,payment,6", "A9", "B1", "B2", "B3"}
	text, want := head, []string(nil)
	for i, start := range order {
		for row, refusal := range rows {
			if strings.HasPrefix(row, "T1,"+start) {
				text += row + "\n"
				if refusal != "" {
					want = append(want, fmt.Sprintf("transactions.csv:%d: %s", i+2, refusal))
				}
			}
		}
	}
	b := newBooks(t)
	b.mustOpen(t)
	for _, time := range []string{"first", "second"} {
		_, said := imported(t, b.Handler, files{"transactions.csv": text})
		if diff := cmp.Diff(want, said); diff != "" {
			t.Errorf("refused the %s time (-want +got):\n%s", time, diff)
		}
	}
	if diff := cmp.Diff([]string{"rent.account-opened.v1", "rent.payment-received.v1", "rent.payment-reversed.v1"},
		b.types(t, "rentAccount-T1")); diff != "" {
		t.Errorf("the account's events (-want +got):\n%s", diff)
	}
}

func TestImport_RefusesAFileByItsHeader(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ header, want string }{
		{"calendar,date,colour", `calendars.csv:1: has an unknown column "colour"`},
		{"calendar", `calendars.csv:1: has no column "date"`},
		{"calendar,date,date", `calendars.csv:1: has the column "date" twice`},
		{"", "calendars.csv:1: has no header row"},
		{"\"calendar,date", "calendars.csv:1: has a header row that is not CSV"},
	} {
		b := newBooks(t)
		result, said := imported(t, b.Handler, files{"calendars.csv": row.header + "\nfree,2026-01-01\n"})
		if row.header == "" {
			result, said = imported(t, b.Handler, files{"calendars.csv": ""})
		}
		if diff := cmp.Diff([]string{row.want}, said); diff != "" || result.Recorded != 0 {
			t.Errorf("%q recorded %d rows and said (-want +got):\n%s", row.header, result.Recorded, diff)
		}
	}
}

func TestImport_NotesAChargeThatARunWillRaiseToo(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	f := street()
	f["transactions.csv"] = "tenancy_ref,transaction_ref,value_date,kind,code,amount,period_from,period_to\n" +
		"T1,C1,2026-02-01,charge,rent,100.50,2026-02-02,2026-02-08\n" +
		"T1,C2,2026-02-01,charge,water,10.00,2026-02-02,2026-02-08\n"
	_, said := imported(t, b.Handler, f)
	want := []string{"note: transactions.csv:2: transaction_ref C1 covers days that a term with code rent charges too; a charge run will charge them again"}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}
