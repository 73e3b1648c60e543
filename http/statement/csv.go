package statement

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"rentbook/projections"
)

// The columns: what people read first, what scripts match on last. Account and currency are on every
// row so that several files can be laid end to end.
const csvHeader = "value_date,kind,code,description,debit,credit,balance,currency," +
	"entry,reverses,reversed_by,recorded_at,position,event,account\r\n"

// The kinds of the first and last row; rent.Kind has neither.
const (
	csvOpening = "opening_balance"
	csvClosing = "closing_balance"
)

// writeCSV writes RFC 4180: CRLF, a header, then one row each for the opening balance, the lines
// and the closing balance. The first and last have no debit and no credit, so the columns
// can be summed; their position and time are those of known at. A file without its last row is
// not complete. encoding/csv is not used because its CRLF mode drops carriage returns from texts.
func writeCSV(w io.Writer, s projections.Statement) error {
	out := newOutput(w)
	out.buf = append(out.buf, csvHeader...)
	out.buf = appendBalanceRow(out.buf, s, csvOpening)
	for line, err := range checked(s) {
		if err != nil {
			return err
		}
		out.buf = appendRow(out.buf, line, s)
		if err := out.turn(); err != nil {
			return err
		}
	}
	out.buf = appendBalanceRow(out.buf, s, csvClosing)
	return out.flush()
}

func appendBalanceRow(b []byte, s projections.Statement, kind string) []byte {
	date, minor, description := s.From, s.Opening, "Opening balance"
	if kind == csvClosing {
		date, minor, description = s.To, s.Closing, "Closing balance"
	}
	b = appendDate(b, date)
	b = append(append(b, ','), kind...)
	b = append(append(b, ",,"...), description...)
	b = appendAmount(append(b, ",,,"...), minor, s.Currency.Scale())
	b = appendCell(append(b, ','), string(s.Currency))
	b = append(b, ",,,,"...)
	if !s.KnownAt.Time.IsZero() {
		b = appendTime(b, s.KnownAt.Time)
	}
	b = appendPosition(append(b, ','), s.KnownAt.Position)
	b = appendCell(append(b, ",,"...), s.Account)
	return append(b, "\r\n"...)
}

func appendRow(b []byte, l projections.Line, s projections.Statement) []byte {
	scale := s.Currency.Scale()
	b = appendDate(b, l.ValueDate)
	b = appendCell(append(b, ','), string(l.Kind))
	b = appendCell(append(b, ','), l.Code)
	b = appendCell(append(b, ','), l.Description)
	b = append(b, ',')
	if l.Kind.Debit() {
		b = append(appendAmount(b, l.Amount, scale), ',')
	} else {
		b = appendAmount(append(b, ','), l.Amount, scale)
	}
	b = appendAmount(append(b, ','), l.Balance, scale)
	b = appendCell(append(b, ','), string(s.Currency))
	b = appendCell(append(b, ','), l.Entry)
	b = appendCell(append(b, ','), l.Reverses)
	b = appendCell(append(b, ','), l.ReversedBy)
	b = appendTime(append(b, ','), l.RecordedAt)
	b = appendPosition(append(b, ','), l.Position)
	b = appendCell(append(b, ','), l.Event)
	b = appendCell(append(b, ','), s.Account)
	return append(b, "\r\n"...)
}

// appendCell appends a text: never for a number, whose minus sign is no formula.
func appendCell(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if formula(s) {
		s = "'" + s
	}
	if s == "" || !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// formula says whether a spreadsheet might carry the text out instead of showing it (OWASP, "CSV
// Injection"). Some skip what is not seen before looking; some, set to Japanese, take
// the wide forms of the four signs as well.
func formula(s string) bool {
	if s == "" {
		return false
	}
	if s[0] == '\t' || s[0] == '\r' || s[0] == '\n' {
		return true
	}
	seen := strings.TrimLeftFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf)
	})
	first, _ := utf8.DecodeRuneInString(seen)
	return strings.ContainsRune("=+-@＝＋－＠", first) && seen != ""
}
