package statement_test

import (
	"io"
	"testing"

	"rentbook/http/statement"
)

// BenchmarkWrite reports the time per line of a long statement, and for the PDF and JSON that of
// a usual one.
func BenchmarkWrite(b *testing.B) {
	for _, f := range []statement.Format{statement.JSON, statement.CSV, statement.Text} {
		b.Run(string(f), func(b *testing.B) {
			const lines = 10_000
			s := many(lines)
			s.Lines = each(collect(s)) // so that making the lines is not what is measured
			b.ReportAllocs()
			for b.Loop() {
				if err := statement.Write(io.Discard, f, s); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/line")
		})
	}
	for _, f := range []statement.Format{statement.JSON, statement.PDF} {
		b.Run(string(f)+"-quarter", func(b *testing.B) {
			s := quarter()
			b.ReportAllocs()
			for b.Loop() {
				if err := statement.Write(io.Discard, f, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("pdf-longest", func(b *testing.B) {
		s := many(statement.PDFLinesMax)
		b.ReportAllocs()
		for b.Loop() {
			if err := statement.Write(io.Discard, statement.PDF, s); err != nil {
				b.Fatal(err)
			}
		}
	})
}
