package rent_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rentbook/domain"
	"rentbook/domain/rent"
)

func TestKind_says_which_entries_increase_what_the_tenant_owes(t *testing.T) {
	t.Parallel()
	want := map[rent.Kind]int64{
		"charge": 1, "payment_reversal": 1, "debit": 1, "write_on": 1, "refund": 1, "payment": -1, "credit": -1, "write_off": -1,
	}
	for _, kind := range rent.Kinds() {
		if got := (rent.Entry{Kind: kind, Amount: pounds("0.01")}).Signed(); got != want[kind] {
			t.Errorf("%s: want %d, got %d", kind, want[kind], got)
		}
	}
	if len(rent.Kinds()) != len(want) {
		t.Errorf("there are %d kinds, want %d", len(rent.Kinds()), len(want))
	}
}

func TestEntries_show_what_a_fact_puts_on_the_account(t *testing.T) {
	t.Parallel()
	day := date("2024-03-05")
	for name, c := range map[string]struct {
		fact rent.Event
		want []rent.Entry
	}{
		"a charge by hand": {entered(), []rent.Entry{{
			ID: "C1", Kind: rent.KindCharge, Code: "other", Description: text("Lock"), Amount: pounds("12.50"), ValueDate: date("2024-03-01"),
		}}},
		"a payment, its method for a code and a description": {received(), []rent.Entry{{
			ID: "P1", Kind: rent.KindPayment, Code: "direct_debit", Description: text("Direct debit, T1001/MAR"), Amount: pounds("100"), ValueDate: day,
		}}},
		"an imported payment as found": {
			rent.PaymentReceived{Payment: "P2", Amount: pounds("1"), ValueDate: day, Code: "DD", Description: text("Thanks"), Method: "cash"},
			[]rent.Entry{{ID: "P2", Kind: rent.KindPayment, Code: "DD", Description: text("Thanks"), Amount: pounds("1"), ValueDate: day}},
		},
		"a payment of which only the sum is known": {
			rent.PaymentReceived{Payment: "P3", Amount: pounds("1"), ValueDate: day},
			[]rent.Entry{{ID: "P3", Kind: rent.KindPayment, Description: text("Payment"), Amount: pounds("1"), ValueDate: day}},
		},
		"a payment by a method in another alphabet": {
			rent.PaymentReceived{Payment: "P4", Amount: pounds("1"), ValueDate: day, Method: "überweisung"},
			[]rent.Entry{{ID: "P4", Kind: rent.KindPayment, Code: "überweisung", Description: text("Überweisung"), Amount: pounds("1"), ValueDate: day}},
		},
		"a payment whose texts were erased": {
			rent.PaymentReceived{Payment: "P5", Amount: pounds("1"), ValueDate: day, Description: domain.Personal{Erased: true}},
			[]rent.Entry{{ID: "P5", Kind: rent.KindPayment, Description: domain.Personal{Erased: true}, Amount: pounds("1"), ValueDate: day}},
		},
		"a reversal and its fee": {
			rent.PaymentReversed{Reversal: "P1:reversal", Payment: "P1", Amount: pounds("100"), ValueDate: day, Fee: pounds("15"), Fund: "hra"},
			[]rent.Entry{
				{
					ID: "P1:reversal", Kind: rent.KindPaymentReversal, Description: text("Payment reversed"), Amount: pounds("100"),
					ValueDate: day, Fund: "hra", Reverses: "P1",
				},
				{
					ID: "P1:fee", Kind: rent.KindCharge, Code: "fee", Description: text("Fee for a reversed payment"), Amount: pounds("15"),
					ValueDate: day, Fund: "hra", Corrects: "P1",
				},
			},
		},
		"a reversal in the landlord's words": {
			rent.PaymentReversed{Reversal: "R", Payment: "P1", Amount: pounds("100"), ValueDate: day, Reason: text("Bounced")},
			[]rent.Entry{{ID: "R", Kind: rent.KindPaymentReversal, Description: text("Bounced"), Amount: pounds("100"), ValueDate: day, Reverses: "P1"}},
		},
		"an adjustment, its kind for a code": {
			rent.AdjustmentMade{Adjustment: "A1", Kind: rent.KindWriteOff, Amount: pounds("1"), ValueDate: day, Corrects: "C1", Reason: text("Small")},
			[]rent.Entry{{ID: "A1", Kind: rent.KindWriteOff, Code: "write_off", Description: text("Small"), Amount: pounds("1"), ValueDate: day, Corrects: "C1"}},
		},
		"nothing for a term":        {termSet(), nil},
		"nothing for an opening":    {opened(), nil},
		"nothing for other dates":   {rent.DatesChanged{}, nil},
		"the days of a charge run":  {rent.ChargeRaised{Charge: "rent:2024-03-05", Code: "rent", Description: "Rent", Amount: pounds("9"), ValueDate: day, PeriodFrom: day, PeriodTo: day + 6, Fund: "hra"}, []rent.Entry{{ID: "rent:2024-03-05", Kind: rent.KindCharge, Code: "rent", Description: text("Rent"), Amount: pounds("9"), ValueDate: day, PeriodFrom: day, PeriodTo: day + 6, Fund: "hra"}}},
		"a difference, as a credit": {rent.ChargeCorrected{Correction: "rent:2024-03-05:r1", Corrects: "rent:2024-03-05", Kind: rent.KindCredit, Code: "rent", Amount: pounds("9"), ValueDate: day}, []rent.Entry{{ID: "rent:2024-03-05:r1", Kind: rent.KindCredit, Code: "rent", Amount: pounds("9"), ValueDate: day, Corrects: "rent:2024-03-05"}}},
	} {
		if diff := cmp.Diff(c.want, rent.Entries(c.fact)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEvents_seal_every_text_that_may_be_about_a_person(t *testing.T) {
	t.Parallel()
	type personal interface {
		Personal() (key string, fields []string)
	}
	for _, e := range rent.Events() {
		var want []string
		kind := reflect.TypeOf(e)
		for field := range kind.Fields() {
			if field.Type == reflect.TypeFor[domain.Personal]() {
				name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				want = append(want, name)
			}
		}
		var got []string
		if p, ok := e.(personal); ok {
			var key string
			if key, got = p.Personal(); key != "" {
				t.Errorf("%s has the key %q, want the stream's own", e.EventType(), key)
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", e.EventType(), diff)
		}
	}
}

func TestEvents_have_names_that_never_change(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range rent.Events() {
		got = append(got, e.EventType())
	}
	want := []string{
		"rent.account-opened.v1", "rent.dates-changed.v1", "rent.term-set.v1", "rent.charge-raised.v1", "rent.charge-corrected.v1",
		"rent.charge-entered.v1", "rent.payment-received.v1", "rent.payment-reversed.v1", "rent.adjustment-made.v1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
