package statement_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"unicode/utf8"

	"rentbook/domain/rent"
	"rentbook/http/statement"
)

func TestCSV_noFormulas(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Rent":                            "Rent",
		"":                                "",
		"=1+1":                            "'=1+1",
		`=HYPERLINK("http://x","y")`:      `'=HYPERLINK("http://x","y")`,
		"+44 131 496 0000":                "'+44 131 496 0000",
		"-12.50 agreed":                   "'-12.50 agreed",
		"@SUM(A1)":                        "'@SUM(A1)",
		"\tRent":                          "'\tRent",
		"\rRent":                          "'\rRent",
		"\nRent":                          "'\nRent",
		"  =1+1":                          "'  =1+1",
		" \t =1+1":                        "' \t =1+1",
		"\u00a0=1+1":                      "'\u00a0=1+1",
		"\ufeff=1+1":                      "'\ufeff=1+1",
		"＝1+1":                            "'＝1+1",
		"\x00=1+1":                        "'\x00=1+1",
		"Rent = 5":                        "Rent = 5",
		"'=1+1":                           "'=1+1",
		`,=1+1`:                           `,=1+1`,
		`"=1+1"`:                          `"=1+1"`,
		" Rent ":                          " Rent ",
		"one\ntwo, \"three\"; four\rfive": "one\ntwo, \"three\"; four\rfive",
		"\xffnot UTF-8":                   "\uFFFDnot UTF-8",
		"José, Łukasz, Παπαδόπουλος, 家賃 😀": "José, Łukasz, Παπαδόπουλος, 家賃 😀",
	} {
		line := entry(0, rent.Kind(text), 1250, text, text)
		line.Entry, line.Reverses, line.ReversedBy, line.Event = text, text, text, text
		s := given(-2500, line) // a kind nobody knows is a credit
		s.Account = text
		data := written(t, statement.CSV, s)
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for _, column := range []int{1, 2, 3, 8, 9, 10, 13, 14} {
			if got := rows[2][column]; got != want {
				t.Errorf("column %d: %q is written %q, want %q", column, text, got, want)
			}
		}
		if rows[1][6] != "-25.00" || rows[2][6] != "-37.50" || rows[2][5] != "12.50" {
			t.Errorf("numbers were altered: %v", rows)
		}
		if !utf8.Valid(data) || bytes.HasPrefix(data, []byte("\uFEFF")) {
			t.Errorf("%q: not UTF-8 without a byte order mark", text)
		}
	}
}

func TestCSV_lines(t *testing.T) {
	t.Parallel()
	data := string(written(t, statement.CSV, quarter()))
	if lone := strings.Count(data, "\n") - strings.Count(data, "\r\n"); lone != 0 || !strings.HasSuffix(data, "\r\n") {
		t.Errorf("%d lines do not end in CRLF", lone)
	}
	if want := 1 + 1 + len(collect(quarter())) + 1; strings.Count(data, "\r\n") != want {
		t.Errorf("%d rows, want %d", strings.Count(data, "\r\n"), want)
	}
}
