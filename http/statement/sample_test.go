package statement_test

import (
	"bytes"
	"fmt"
	"iter"
	"testing"
	"time"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/http/statement"
	"rentbook/projections"
)

const account = "5d0f6c3a-8a1e-5c5b-9f0e-2f6f5a1c7b10"

// given is a statement over the lines, whose balances and totals it works out.
func given(opening int64, lines ...projections.Line) projections.Statement {
	s := projections.Statement{
		Account: account, Currency: "GBP",
		From: domain.NewDate(2026, time.April, 1), To: domain.NewDate(2026, time.June, 30),
		KnownAt: projections.KnownAt{
			Position: eventstore.PositionAt(48213),
			Time:     time.Date(2026, time.July, 2, 9, 12, 45, 123_456_789, time.UTC),
		},
		Opening: opening, Closing: opening,
	}
	for i := range lines {
		line := &lines[i]
		if line.Kind.Debit() {
			s.Debits += line.Amount
		} else {
			s.Credits += line.Amount
		}
		s.Closing = s.Opening + s.Debits - s.Credits
		line.Balance = s.Closing
	}
	s.Lines = each(lines)
	return s
}

func each(lines []projections.Line) iter.Seq2[projections.Line, error] {
	return func(yield func(projections.Line, error) bool) {
		for _, line := range lines {
			if !yield(line, nil) {
				return
			}
		}
	}
}

// entry is the nth line; its identifiers follow from n.
func entry(n int, kind rent.Kind, minor int64, code, description string) projections.Line {
	on := domain.NewDate(2026, time.April, 1+n*3)
	return projections.Line{
		Entry: entryID(n), ValueDate: on,
		RecordedAt: on.Time().Add(7*time.Hour + time.Duration(n)*time.Microsecond),
		Position:   eventstore.PositionAt(uint64(1000 + n)),
		Kind:       kind, Code: code, Description: description, Amount: minor,
		Event: fmt.Sprintf("0190d7c2-0000-5000-8000-%012d", n),
	}
}

func entryID(n int) string { return fmt.Sprintf("T%04d", 1000+n) }

// quarter is three months of an ordinary tenant: a reversed payment, a reversal of one made
// before, names from all over Europe, and a description that needs several lines.
func quarter() projections.Statement {
	lines := []projections.Line{
		entry(0, rent.KindCharge, 82_500, "rent", "Rent for April 2026"),
		entry(1, rent.KindPayment, 82_500, "direct_debit", "Direct debit, T1001/APR"),
		entry(2, rent.KindPaymentReversal, 82_500, "refused", "Direct debit returned unpaid by the bank"),
		entry(3, rent.KindCharge, 1_500, "fee", "Fee for a reversed payment"),
		entry(4, rent.KindPayment, 84_000, "bank_transfer", "Bank transfer from José & Eilidh Müller"),
		entry(5, rent.KindPaymentReversal, 6_000, "", "Payment reversed"),
		entry(10, rent.KindCharge, 82_500, "rent", "Rent for May 2026"),
		entry(11, rent.KindCredit, 1_500, "goodwill", "Fee taken back: the direct debit of 4 April had been "+
			"presented twice by our own bank, for which we are sorry; agreed by telephone with Łukasz Żółć on 3 May"),
		entry(12, rent.KindPayment, 41_250, "benefit", "Universal Credit, housing element"),
		entry(13, rent.KindPayment, 200_000, "standing_order", "Παπαδόπουλος, "+"Nguyễn, Ștefan"),
		entry(20, rent.KindCharge, 82_500, "rent", "Rent for June 2026"),
		entry(21, rent.KindWriteOff, 25, "", ""),
		entry(22, rent.KindRefund, 10_000, "refund", "Paid back to account ending 4471"),
	}
	lines[1].ReversedBy, lines[2].Reverses = lines[2].Entry, lines[1].Entry
	lines[5].Reverses = entryID(25)
	return given(6_234, lines...)
}

func written(t testing.TB, f statement.Format, s projections.Statement) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := statement.Write(&b, f, s); err != nil {
		t.Fatalf("write %s: %v", f, err)
	}
	return b.Bytes()
}
