package statement_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/http/statement"
	"rentbook/projections"
)

// figures are the numbers of a statement as plain decimals, "" for the unused side of a line.
type figures struct {
	opening, debits, credits, closing string
	lines                             [][3]string
}

func TestWrite_theSameNumbersInAllFormats(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anyStatement().Draw(t, "statement")
		want := expected(s)
		withPDF := rapid.IntRange(0, 4).Draw(t, "with PDF") == 0 // it costs as much as a thousand of the others
		for f, read := range map[statement.Format]func(*rapid.T, []byte) figures{
			statement.JSON: readJSON, statement.CSV: readCSV, statement.Text: readText, statement.PDF: readPDF,
		} {
			if f == statement.PDF && !withPDF {
				continue
			}
			var b bytes.Buffer
			if err := statement.Write(&b, f, s); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			got := read(t, b.Bytes())
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(figures{})); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", f, diff)
			}
		}
	})
}

func anyStatement() *rapid.Generator[projections.Statement] {
	return rapid.Custom(func(t *rapid.T) projections.Statement {
		lines := rapid.SliceOfN(anyLine(), 0, 30).Draw(t, "lines")
		s := given(rapid.Int64Range(-domain.MinorMax, domain.MinorMax).Draw(t, "opening"), lines...)
		s.Currency = rapid.SampledFrom([]domain.Currency{"GBP", "JPY", "KWD", "SEK"}).Draw(t, "currency")
		return s
	})
}

func anyLine() *rapid.Generator[projections.Line] {
	return rapid.Custom(func(t *rapid.T) projections.Line {
		small, large := rapid.Int64Range(1, 300), rapid.Int64Range(1, domain.MinorMax)
		description := rapid.StringMatching(`[A-Za-z ,"'(=+@-][A-Za-z ,"')\n-]{0,90}`).Draw(t, "description")
		l := entry(rapid.IntRange(0, 30).Draw(t, "day"), rapid.SampledFrom(rent.Kinds()).Draw(t, "kind"),
			rapid.OneOf(small, large).Draw(t, "amount"), "code", description)
		l.ReversedBy = rapid.SampledFrom([]string{"", "", "Txyz"}).Draw(t, "reversed by")
		return l
	})
}

// expected comes from domain.Money, which the formats do not use.
func expected(s projections.Statement) figures {
	amount := func(minor int64) string { return domain.Money{Minor: minor, Currency: s.Currency}.String() }
	f := figures{amount(s.Opening), amount(s.Debits), amount(s.Credits), amount(s.Closing), nil}
	for _, line := range collect(s) {
		sides := [3]string{amount(line.Amount), "", amount(line.Balance)}
		if !line.Kind.Debit() {
			sides[0], sides[1] = sides[1], sides[0]
		}
		f.lines = append(f.lines, sides)
	}
	return f
}

// document is the JSON of design.md in a struct, the oracle of what is appended by hand.
type document struct {
	Account  string `json:"account"`
	Currency string `json:"currency"`
	From     string `json:"from"`
	To       string `json:"to"`
	KnownAt  struct {
		Position string  `json:"position"`
		Time     *string `json:"time"`
	} `json:"known_at"`
	Opening string         `json:"opening_balance"`
	Debits  string         `json:"total_debits"`
	Credits string         `json:"total_credits"`
	Closing string         `json:"closing_balance"`
	Lines   []documentLine `json:"lines"`
}

type documentLine struct {
	Entry       string  `json:"entry"`
	ValueDate   string  `json:"value_date"`
	RecordedAt  string  `json:"recorded_at"`
	Position    string  `json:"position"`
	Kind        string  `json:"kind"`
	Code        string  `json:"code"`
	Description string  `json:"description"`
	Debit       *string `json:"debit"`
	Credit      *string `json:"credit"`
	Balance     string  `json:"balance"`
	Reverses    *string `json:"reverses"`
	ReversedBy  *string `json:"reversed_by"`
	Event       string  `json:"event"`
}

func documentOf(s projections.Statement) document {
	want := expected(s)
	d := document{
		Account: s.Account, Currency: string(s.Currency), From: s.From.String(), To: s.To.String(),
		Opening: want.opening, Debits: want.debits, Credits: want.credits, Closing: want.closing,
		Lines: []documentLine{},
	}
	d.KnownAt.Position = s.KnownAt.Position.String()
	if !s.KnownAt.Time.IsZero() {
		d.KnownAt.Time = new(stamp(s.KnownAt.Time))
	}
	for _, l := range collect(s) {
		sides := want.lines[len(d.Lines)]
		d.Lines = append(d.Lines, documentLine{
			l.Entry, l.ValueDate.String(), stamp(l.RecordedAt), l.Position.String(), string(l.Kind), l.Code,
			l.Description, orNull(sides[0]), orNull(sides[1]), sides[2], orNull(l.Reverses), orNull(l.ReversedBy), l.Event,
		})
	}
	return d
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func encoded(t testing.TB, s projections.Statement) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(documentOf(s)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJSON_isWhatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	for name, s := range samples() {
		if s.Lines == nil {
			s.Lines = each(nil)
		}
		if diff := cmp.Diff(encoded(t, s), string(written(t, statement.JSON, s))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{"", "plain", "José", "\x00\x1f\x7f\"\\/<>&\b\f\n\r\t", "\u2028\u2029", "\xff\xc3(\xed\xa0\x80", "😀\uFFFD"} {
		f.Add(s, int64(1), int64(0), uint64(1), uint64(2))
	}
	f.Fuzz(func(t *testing.T, text string, amount, at int64, commit, prepare uint64) {
		line := entry(0, rent.Kind(text), amount%domain.MinorMax, text, text)
		line.Entry, line.Reverses, line.Event = text, text, text
		line.Position = eventstore.Position{Commit: commit, Prepare: prepare}
		line.RecordedAt = time.UnixMicro(at % (200 * 365 * 24 * 3600 * 1e6))
		s := given(amount%domain.MinorMax, line)
		s.Account = text
		got := written(t, statement.JSON, s)
		if !json.Valid(got) {
			t.Fatalf("not JSON: %q", got)
		}
		if want := encoded(t, s); want != string(got) {
			t.Fatalf("want %q, got %q", want, got)
		}
	})
}

func readJSON(t *rapid.T, data []byte) figures {
	var d document
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	f := figures{d.Opening, d.Debits, d.Credits, d.Closing, nil}
	for _, l := range d.Lines {
		sides := [3]string{"", "", l.Balance}
		if l.Debit != nil {
			sides[0] = *l.Debit
		}
		if l.Credit != nil {
			sides[1] = *l.Credit
		}
		f.lines = append(f.lines, sides)
	}
	return f
}

// readCSV adds the columns up, as a spreadsheet would over the whole column.
func readCSV(t *rapid.T, data []byte) figures {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows = rows[1:]
	last := len(rows) - 1
	var debits, credits int64
	f := figures{opening: rows[0][6], closing: rows[last][6]}
	if rows[0][1] != "opening_balance" || rows[last][1] != "closing_balance" {
		t.Fatalf("the first and last rows are %v and %v", rows[0], rows[last])
	}
	for i, row := range rows {
		debits, credits = debits+minorOf(row[4]), credits+minorOf(row[5])
		if i > 0 && i < last {
			f.lines = append(f.lines, [3]string{row[4], row[5], row[6]})
		}
	}
	money := func(minor int64) string {
		return domain.Money{Minor: minor, Currency: domain.Currency(rows[0][7])}.String()
	}
	f.debits, f.credits = money(debits), money(credits)
	return f
}

func minorOf(amount string) int64 {
	n, _ := strconv.ParseInt(strings.Replace(amount, ".", "", 1), 10, 64)
	return n
}

// readText goes by columns: an amount belongs to the head it ends below.
func readText(_ *rapid.T, data []byte) figures {
	_, table, _ := strings.Cut(string(data), "Date  ")
	head, rest, _ := strings.Cut("Date  "+table, "\n")
	debit := strings.Index(head, "Debit") + len("Debit")
	credit := strings.Index(head, "Credit") + len("Credit")
	var f figures
	dated := regexp.MustCompile(`^\d{4}-\d\d-\d\d  `)
	var rows [][3]string
	for line := range strings.Lines(rest) {
		if !dated.MatchString(line) {
			continue
		}
		column := func(from, to int) string {
			return strings.ReplaceAll(strings.TrimSpace(line[from:to]), ",", "")
		}
		width := credit - debit
		rows = append(rows, [3]string{
			column(debit-width+2, debit), column(debit, credit), column(credit, len(line)),
		})
	}
	last := len(rows) - 1
	f.opening, f.lines = rows[0][2], rows[1:last]
	f.debits, f.credits, f.closing = rows[last][0], rows[last][1], rows[last][2]
	if len(f.lines) == 0 {
		f.lines = nil
	}
	return f
}

// readPDF goes by the order of drawing within a row: number, date, amount, balance, details.
func readPDF(t *rapid.T, data []byte) figures {
	amount := regexp.MustCompile(`^\x{2212}?[\d,]+(\.\d+)?$`)
	plain := func(p piece) string {
		if !amount.MatchString(p.text) {
			t.Fatalf("%+v is not an amount", p)
		}
		return strings.NewReplacer(",", "", "\u2212", "-").Replace(p.text)
	}
	all := pieces(data)
	var f figures
	var debitHead piece
	for i, p := range all {
		switch {
		case p.text == "Debit" && p.x > 200:
			debitHead = p
		case p.text == "Opening balance" && debitHead.text != "":
			f.opening = plain(all[i-1])
		case strings.HasPrefix(p.text, "Totals"): // the rest may stand on the next line
			f.debits, f.credits, f.closing = plain(all[i-3]), plain(all[i-2]), plain(all[i-1])
		case p.text == strconv.Itoa(len(f.lines)+1) && p.x < 60 && debitHead.text != "":
			sides := [3]string{"", "", plain(all[i+3])}
			side := 0
			if all[i+2].x > debitHead.x+24 { // beyond where the column of debits ends
				side = 1
			}
			sides[side] = plain(all[i+2])
			f.lines = append(f.lines, sides)
		}
	}
	return f
}
