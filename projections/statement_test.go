package projections

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain/rent"
)

func collect(t testing.TB, s Statement) []Line {
	t.Helper()
	var lines []Line
	for l, err := range s.Lines {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

func TestReader_Statement(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	given[rent.Event](s, account("T1"), opened("2026-01-05"),
		raised("2026-01-05", 10000), raised("2026-01-12", 10000), paid("P1", "2026-01-13", 15000))
	before := given[rent.Event](s, account("T1"), raised("2026-01-19", 10000))
	given[rent.Event](s, account("T1"), rent.PaymentReversed{
		Reversal: "P1:reversal", Payment: "P1", Amount: gbp(15000), ValueDate: date("2026-01-20"), Fee: gbp(500),
	})
	v := s.open()
	s.catchUp(v)

	s.read(v, func(r *Reader) error {
		st, err := r.Statement("T1", date("2026-01-12"), date("2026-01-20"), r.Now())
		s.must(err)
		if st.Opening != 10000 || st.Debits != 20000+15000+500 || st.Credits != 15000 || st.Closing != 30500 {
			t.Errorf("totals: got %+v", st)
		}
		lines := collect(t, st)
		want := [][]any{
			{"rent:2026-01-12", int64(20000), "", ""},
			{"P1", int64(5000), "", "P1:reversal"},
			{"rent:2026-01-19", int64(15000), "", ""},
			{"P1:reversal", int64(30000), "P1", ""},
			{"P1:fee", int64(30500), "", ""},
		}
		var got [][]any
		for _, l := range lines {
			got = append(got, []any{l.Entry, l.Balance, l.Reverses, l.ReversedBy})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
		then, err := r.At(before)
		s.must(err)
		st, err = r.Statement("T1", date("2026-01-12"), date("2026-01-20"), then)
		s.must(err)
		lines = collect(t, st)
		if st.Closing != 15000 || len(lines) != 3 || lines[1].ReversedBy != "" {
			t.Errorf("before the reversal was recorded: got %+v %+v", st, lines)
		}
		x, err := r.Explanation("T1", "rent:2026-01-19")
		s.must(err)
		if x.Source.Position != before || x.Line.Balance != 15000 || len(x.Parts) != 1 ||
			x.Parts[0] != raised("2026-01-19", 10000).Explanation {
			t.Errorf("explanation: got %+v", x)
		}
		return nil
	})
}

// The calendar ends with the year 9999, and sums are found there too.
func TestReader_Balance_onTheLastDays(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	given[rent.Event](s, account("T1"), opened("2026-01-05"), paid("P1", "2026-01-05", 1), paid("P2", "9998-12-31", 20),
		paid("P3", "9999-12-10", 300), paid("P4", "9999-12-30", 4000), paid("P5", "9999-12-31", 50000))
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		for on, want := range map[string]int64{
			"2026-01-04": 0, "9998-12-30": -1, "9998-12-31": -21, "9999-12-30": -4321, "9999-12-31": -54321,
		} {
			got, err := r.Balance("T1", date(on), r.Now())
			s.must(err)
			st, err := r.Statement("T1", date(on), date(on), r.Now())
			s.must(err)
			if got != want || st.Closing != want {
				t.Errorf("on %s: balance %d, closing %d, want %d", on, got, st.Closing, want)
			}
		}
		return nil
	})
}
