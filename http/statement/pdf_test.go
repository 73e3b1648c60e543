package statement_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"rentbook/domain/rent"
	"rentbook/http/statement"
	"rentbook/projections"
)

// piece is a text on a page of a PDF; x and y are in points from the lower left.
type piece struct {
	page int
	x, y float64
	text string
}

// pieces reads the texts of a PDF as fpdf writes them, in the order they were drawn.
func pieces(pdf []byte) []piece {
	var found []piece
	page := 0
	shown := regexp.MustCompile(`(?s)BT ([\d.-]+) ([\d.-]+) Td \(((?:\\.|[^\\)])*)\)\s*Tj ET`)
	for _, content := range streams(pdf) {
		matches := shown.FindAllSubmatch(content, -1)
		if matches == nil {
			continue
		}
		page++
		for _, m := range matches {
			x, _ := strconv.ParseFloat(string(m[1]), 64)
			y, _ := strconv.ParseFloat(string(m[2]), 64)
			found = append(found, piece{page, x, y, decoded(m[3])})
		}
	}
	return found
}

func streams(pdf []byte) [][]byte {
	var all [][]byte
	for {
		_, after, ok := bytes.Cut(pdf, []byte("\nstream\n"))
		if !ok {
			return all
		}
		pdf = after
		if r, err := zlib.NewReader(bytes.NewReader(pdf)); err == nil {
			content, _ := io.ReadAll(r)
			all = append(all, content)
		}
	}
}

// decoded undoes the escapes of a PDF string and reads UTF-16.
func decoded(b []byte) string {
	var raw []byte
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' {
			i++
			if b[i] == 'r' {
				raw = append(raw, '\r')
				continue
			}
		}
		raw = append(raw, b[i])
	}
	units := make([]uint16, 0, len(raw)/2)
	for i := 0; i+1 < len(raw); i += 2 {
		units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
	}
	return string(utf16.Decode(units))
}

// outline is the texts of a PDF with their places in whole points.
func outline(pdf []byte) string {
	var b strings.Builder
	for _, p := range pieces(pdf) {
		fmt.Fprintf(&b, "%d %3.0f %3.0f %s\n", p.page, p.x, p.y, p.text)
	}
	return b.String()
}

// words is all text of a PDF, spaces as they come.
func words(pdf []byte) string {
	var b strings.Builder
	for _, p := range pieces(pdf) {
		b.WriteString(p.text + " ")
	}
	return b.String()
}

func TestPDF_refusesMoreLinesThanItsLimit(t *testing.T) {
	t.Parallel()
	var m meter
	asked := 0
	s := many(1_000_000)
	all := s.Lines
	s.Lines = func(yield func(projections.Line, error) bool) {
		all(func(line projections.Line, err error) bool { asked++; return yield(line, err) })
	}
	err := statement.Write(&m, statement.PDF, s)
	if !errors.Is(err, statement.ErrTooManyLines) || m.written > 0 {
		t.Errorf("want ErrTooManyLines and no byte, got %v and %d", err, m.written)
	}
	if asked > statement.PDFLinesMax+1 {
		t.Errorf("asked for %d lines", asked)
	}
}

func TestPDF_asManyLinesAsItsLimit(t *testing.T) {
	t.Parallel()
	var m meter
	if err := statement.Write(&m, statement.PDF, many(statement.PDFLinesMax)); err != nil {
		t.Error(err)
	}
}

func TestPDF_headsAndFeetOfEachPage(t *testing.T) {
	t.Parallel()
	pdf := written(t, statement.PDF, many(450))
	all := pieces(pdf)
	pages := all[len(all)-1].page
	text := words(pdf)
	for page := 1; page <= pages; page++ {
		if want := fmt.Sprintf("Page %d of %d ", page, pages); strings.Count(text, want) != 1 {
			t.Errorf("want %q once", want)
		}
	}
	for _, each := range []string{"Statement of account ", "Balance ", "Details ", account, "1 April 2026 to 30 June 2026 "} {
		if n := strings.Count(text, each); n != pages {
			t.Errorf("%q is on %d of %d pages", each, n, pages)
		}
	}
	if n := strings.Count(text, "Brought forward "); n != pages-1 {
		t.Errorf("%d of %d pages bring a balance forward", n, pages-1)
	}
}

func TestPDF_staysInsideItsMargins(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Mmmmmm ", 900) + strings.Repeat("W", 500)
	line := entry(2, rent.KindCharge, 1, "rent", long)
	lines := []projections.Line{line}
	for i := range 90 {
		lines = append(lines, entry(i, rent.KindPayment, 1, "cash", strings.Repeat("word ", i)))
	}
	// No account holds that much; its amounts still must not run into each other.
	for _, p := range pieces(written(t, statement.PDF, given(1<<62, lines...))) {
		if p.x < 56 || p.x > 540 || p.y < 34 || p.y > 790 {
			t.Fatalf("outside the margins: %+v", p)
		}
		if p.y < 70 && p.y > 48 {
			t.Fatalf("a row runs into the foot of the page: %+v", p)
		}
	}
}

func TestPDF_cutsNothingOff(t *testing.T) {
	t.Parallel()
	numbered := make([]string, 2000) // higher than two pages
	for i := range numbered {
		numbered[i] = "n" + strconv.Itoa(i)
	}
	word := strings.Repeat("0123456789", 50)
	awkward := `{nb} (bracket) \back\ "quote" Ŝ ) (`
	pdf := written(t, statement.PDF, given(0,
		entry(0, rent.KindCharge, 1, "rent", strings.Join(numbered, " ")),
		entry(1, rent.KindCharge, 1, "rent", word),
		entry(2, rent.KindCharge, 1, "rent", awkward),
	))
	text := words(pdf)
	for _, n := range numbered {
		if !strings.Contains(text, n+" ") {
			t.Fatalf("%s is missing", n)
		}
	}
	if !strings.Contains(strings.ReplaceAll(text, " ", ""), word) {
		t.Error("a long word lost something")
	}
	if !strings.Contains(text, awkward) {
		t.Errorf("%q has changed", awkward)
	}
}

func TestPDF_names(t *testing.T) {
	t.Parallel()
	var lines []projections.Line
	names := map[string]string{
		"José":                "José",
		"Jose\u0301":          "José", // as macOS writes it
		"Eilidh Müller":       "Eilidh Müller",
		"Łukasz Żółć":         "Łukasz Żółć",
		"Ștefan Țurcanu":      "Ștefan Țurcanu",
		"Παπαδόπουλος":        "Παπαδόπουλος",
		"Шевченко":            "Шевченко",
		"Siôn Ŵyn":            "Siôn Ŵyn",
		"Nguyễn Đức":          "Nguyên Đuc",
		"Zoe\u0332":           "Zoe",
		"王 🏠":                 "? ?",
		"a\u202egnp\u0007":    "agnp",
		"1\u00a0000\u2028end": "1 000 end",
	}
	for name := range names {
		lines = append(lines, entry(0, rent.KindCharge, 1, "rent", name))
	}
	text := words(written(t, statement.PDF, given(0, lines...)))
	for name, want := range names {
		if !strings.Contains(text, " "+want+" ") {
			t.Errorf("%q: want %q in %q", name, want, text)
		}
	}
}

func TestPDF_metadata(t *testing.T) {
	t.Parallel()
	pdf := written(t, statement.PDF, quarter())
	for _, want := range []string{
		"/Lang (en-GB)", "/CreationDate (D:20260702091245)", "/ModDate (D:20260702091245)", "/Title (\xfe\xff\x00S\x00t",
	} {
		if !bytes.Contains(pdf, []byte(want)) {
			t.Errorf("want %q", want)
		}
	}
	early := samples()["nothing"]
	if pdf := written(t, statement.PDF, early); !bytes.Contains(pdf, []byte("/CreationDate (D:20260630000000)")) {
		t.Error("a statement without a time is not dated by its last day")
	}
}
