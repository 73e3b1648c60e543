package statement_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/http/statement"
	"rentbook/projections"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	want := map[statement.Format][2]string{
		statement.JSON: {"application/json", ".json"},
		statement.CSV:  {"text/csv; charset=utf-8; header=present", ".csv"},
		statement.Text: {"text/plain; charset=utf-8", ".txt"},
		statement.PDF:  {"application/pdf", ".pdf"},
	}
	for _, f := range statement.Formats() {
		parsed, err := statement.ParseFormat(string(f))
		if parsed != f || err != nil {
			t.Errorf("ParseFormat(%q) = %q, %v", f, parsed, err)
		}
		if got := [2]string{f.ContentType(), f.Suffix()}; got != want[f] {
			t.Errorf("%s: got %v, want %v", f, got, want[f])
		}
	}
	for _, s := range []string{"", "xml", "JSON", "json "} {
		if _, err := statement.ParseFormat(s); !errors.Is(err, statement.ErrFormat) {
			t.Errorf("ParseFormat(%q): want ErrFormat, got %v", s, err)
		}
	}
	if err := statement.Write(io.Discard, "xml", quarter()); !errors.Is(err, statement.ErrFormat) {
		t.Errorf("write xml: want ErrFormat, got %v", err)
	}
}

// samples are what the golden files show.
func samples() map[string]projections.Statement {
	yen := given(0, entry(0, rent.KindPayment, 1200, "cash", "現金"))
	yen.Currency = "JPY"
	dinar := given(-1, entry(0, rent.KindCharge, 1, "rent", "An amount below one"))
	dinar.Currency = "KWD"
	nothing := given(0)
	nothing.Lines, nothing.KnownAt = nil, projections.KnownAt{}
	later := given(-100, entry(0, rent.KindCharge, 98_765_432_109_876, "rent", "More than a column is wide"))
	later.KnownAt.Position = eventstore.Position{Commit: 12, Prepare: 5}
	return map[string]projections.Statement{
		"quarter": quarter(), "yen": yen, "dinar": dinar, "nothing": nothing, "later": later,
	}
}

func TestWrite_golden(t *testing.T) {
	t.Parallel()
	for name, s := range samples() {
		for _, f := range []statement.Format{statement.JSON, statement.CSV, statement.Text} {
			golden(t, name+f.Suffix(), written(t, f, s))
		}
		// Of a PDF its text and where it stands: how its bytes are compressed is up to the Go version.
		golden(t, name+".pdf.txt", []byte(outline(written(t, statement.PDF, s))))
	}
}

// golden compares with testdata/name. With RENTBOOK_GOLDEN=create it writes the file if there is
// none; to accept a change, delete the file first.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	want, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && os.Getenv("RENTBOOK_GOLDEN") == "create" {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil {
		t.Fatalf("%v (RENTBOOK_GOLDEN=create writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		closing  int64
		currency domain.Currency
		want     string
	}{
		{1234, "GBP", "You are £12.34 behind"},
		{-1234, "GBP", "You are £12.34 ahead"},
		{0, "GBP", "You owe nothing and nothing is owed to you"},
		{1, "EUR", "You are €0.01 behind"},
		{-123_456_789, "USD", "You are $1,234,567.89 ahead"},
		{123_450, "SEK", "You are 1,234.50 SEK behind"},
		{1200, "JPY", "You are 1,200 JPY behind"},
		{-1, "KWD", "You are 0.001 KWD ahead"},
		{99_999, "GBP", "You are £999.99 behind"},
		{100_000, "GBP", "You are £1,000.00 behind"},
		{-1 << 63, "GBP", "You are £92,233,720,368,547,758.08 ahead"},
	} {
		if got := statement.InWords(c.closing, c.currency); got != c.want {
			t.Errorf("InWords(%d, %s) = %q, want %q", c.closing, c.currency, got, c.want)
		}
	}
}

func TestWrite_refusesTotalsThatAreNotThose(t *testing.T) {
	t.Parallel()
	spoil := map[string]func(*projections.Statement){
		"opening":  func(s *projections.Statement) { s.Opening++ },
		"debits":   func(s *projections.Statement) { s.Debits++ },
		"credits":  func(s *projections.Statement) { s.Credits++ },
		"closing":  func(s *projections.Statement) { s.Closing++ },
		"no lines": func(s *projections.Statement) { s.Lines = nil },
		"a balance on the way": func(s *projections.Statement) {
			lines := collect(*s)
			lines[3].Balance++
			s.Lines = each(lines)
		},
	}
	for name, change := range spoil {
		for _, f := range statement.Formats() {
			s := quarter()
			change(&s)
			if err := statement.Write(io.Discard, f, s); !errors.Is(err, statement.ErrTotals) {
				t.Errorf("%s, %s: want ErrTotals, got %v", name, f, err)
			}
		}
	}
}

func collect(s projections.Statement) []projections.Line {
	var lines []projections.Line
	for line, err := range s.Lines {
		if err != nil {
			panic(err) // the lines of the samples have none
		}
		lines = append(lines, line)
	}
	return lines
}

var errBroken = errors.New("the connection broke")

// broken yields the lines of s and then an error, over and over for whoever would go on.
func broken(s projections.Statement) projections.Statement {
	lines := s.Lines
	s.Lines = func(yield func(projections.Line, error) bool) {
		lines(yield)
		for yield(projections.Line{}, errBroken) {
		}
	}
	return s
}

func TestWrite_returnsAnErrorMidway(t *testing.T) {
	t.Parallel()
	complete := map[statement.Format]string{
		statement.JSON: "]}", statement.CSV: "closing_balance", statement.Text: "Closing balance", statement.PDF: "%",
	}
	for _, f := range statement.Formats() {
		for _, s := range []projections.Statement{broken(given(0)), broken(quarter()), broken(many(2000))} {
			var b bytes.Buffer
			if err := statement.Write(&b, f, s); !errors.Is(err, errBroken) {
				t.Errorf("%s: want the lines' error, got %v", f, err)
			}
			if strings.Contains(b.String(), complete[f]) {
				t.Errorf("%s: what was written could be taken for a whole statement", f)
			}
		}
	}
}

// full takes some bytes and then no more.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return 0, io.ErrShortWrite
	}
	f.room -= len(p)
	return len(p), nil
}

func TestWrite_returnsTheWritersError(t *testing.T) {
	t.Parallel()
	for _, f := range statement.Formats() {
		for _, room := range []int{0, 34_000} {
			err := statement.Write(&full{room: room}, f, many(800))
			if !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("%s with room for %d bytes: want the writer's error, got %v", f, room, err)
			}
		}
	}
}

// many is n lines, made as they are asked for; the balance stays between nought and one pound.
func many(n int) projections.Statement {
	s := given(0)
	s.Debits = int64((n+1)/2) * 100
	s.Credits = int64(n/2) * 100
	s.Closing = s.Debits - s.Credits
	s.Lines = func(yield func(projections.Line, error) bool) {
		line := entry(0, rent.KindCharge, 100, "rent", "Rent for one day, with José")
		for i := range n {
			line.Entry = "T" + strconv.Itoa(i)
			line.Kind, line.Balance = rent.KindCharge, 100
			if i%2 == 1 {
				line.Kind, line.Balance = rent.KindPayment, 0
			}
			if !yield(line, nil) {
				return
			}
		}
	}
	return s
}

// meter counts, and notes the largest piece.
type meter struct{ written, largest int }

func (m *meter) Write(p []byte) (int, error) {
	m.written += len(p)
	m.largest = max(m.largest, len(p))
	return len(p), nil
}

// Up to a million lines: what has been made of a line is out before the next thousand are asked for.
func TestWrite_streams(t *testing.T) {
	t.Parallel()
	const every, pieceMax = 1000, 40 << 10
	for f, lines := range map[statement.Format]int{
		statement.JSON: 1_000_000, statement.CSV: 300_000, statement.Text: 100_000, // by what each costs
	} {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			var m meter
			s := many(lines)
			all, asked, before := s.Lines, 0, 0
			s.Lines = func(yield func(projections.Line, error) bool) {
				all(func(line projections.Line, err error) bool {
					if asked++; asked%every == 0 {
						if m.written == before {
							t.Errorf("nothing was written between lines %d and %d", asked-every, asked)
							return false
						}
						before = m.written
					}
					return yield(line, err)
				})
			}
			if err := statement.Write(&m, f, s); err != nil {
				t.Fatal(err)
			}
			if asked != lines || m.largest > pieceMax {
				t.Errorf("%d lines, largest piece %d bytes, want %d and at most %d", asked, m.largest, lines, pieceMax)
			}
		})
	}
}

func TestWrite_isTheSameBytesEveryTime(t *testing.T) {
	t.Parallel()
	for _, f := range statement.Formats() {
		first := written(t, f, quarter())
		others := make(chan []byte)
		for range 6 { // at once, for what the runs might share
			go func() { others <- written(t, f, quarter()) }()
		}
		for range 6 {
			if !bytes.Equal(first, <-others) {
				t.Errorf("%s: two runs differ", f)
			}
		}
	}
}

func TestText_isFitForATerminal(t *testing.T) {
	t.Parallel()
	evil := "\x1b[2J\x1b]0;owned\a Rent\r\n\u009b31m \u202edlog\u2066 a\u0008b \xff 家賃家賃家賃家賃家賃家賃家賃家賃家賃家賃家賃家賃家賃" +
		strings.Repeat("x", 100)
	line := entry(0, rent.Kind(evil), 1, evil, evil)
	line.Entry, line.Reverses, line.ReversedBy = evil, evil, evil
	s := given(0, line, entry(1, rent.KindCharge, 2, evil, ""))
	s.Account, s.Currency = evil, domain.Currency(evil)
	text := string(written(t, statement.Text, s))
	bad := func(r rune) bool {
		return r < ' ' && r != '\n' || r >= 0x7F && r < 0xA0 || r == '\u202e' || r == '\u2066'
	}
	if i := strings.IndexFunc(text, bad); i >= 0 {
		t.Errorf("control character at byte %d of %q", i, text)
	}
	if strings.Count(text, "x") < 300 {
		t.Errorf("a long word was cut:\n%s", text)
	}
}

func TestText_keepsToItsColumns(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(string(written(t, statement.Text, quarter()))) {
		line = strings.TrimSuffix(line, "\n")
		if n := len([]rune(line)); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.HasSuffix(line, " ") {
			t.Errorf("spaces at the end of %q", line)
		}
	}
	amounts := func(line string) bool { return strings.HasPrefix(line, "2026-") }
	for line := range strings.Lines(string(written(t, statement.Text, quarter()))) {
		if fields := slices.Collect(strings.FieldsSeq(line)); amounts(line) && len([]rune(line)) != 99 {
			t.Errorf("the balance %s does not stand in its column: %s", fields[len(fields)-1], line)
		}
	}
}
