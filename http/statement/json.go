package statement

import (
	"io"

	"rentbook/projections"
)

// writeJSON appends by hand: a statement is the API's most frequent answer, and encoding/json
// takes some ten times as long and allocates for every line.
func writeJSON(w io.Writer, s projections.Statement) error {
	out, scale := newOutput(w), s.Currency.Scale()
	out.buf = appendHead(out.buf, s, scale)
	first := true
	for line, err := range checked(s) {
		if err != nil {
			return err
		}
		if !first {
			out.buf = append(out.buf, ',')
		}
		first = false
		out.buf = appendLine(out.buf, line, scale)
		if err := out.turn(); err != nil {
			return err
		}
	}
	out.buf = append(out.buf, "]}\n"...)
	return out.flush()
}

func appendHead(b []byte, s projections.Statement, scale int) []byte {
	b = appendQuoted(append(b, `{"account":`...), s.Account)
	b = appendQuoted(append(b, `,"currency":`...), string(s.Currency))
	b = appendDate(append(b, `,"from":"`...), s.From)
	b = appendDate(append(b, `","to":"`...), s.To)
	b = appendPosition(append(b, `","known_at":{"position":"`...), s.KnownAt.Position)
	b = append(b, `","time":`...)
	if s.KnownAt.Time.IsZero() {
		b = append(b, "null"...)
	} else {
		b = append(appendTime(append(b, '"'), s.KnownAt.Time), '"')
	}
	b = appendAmount(append(b, `},"opening_balance":"`...), s.Opening, scale)
	b = appendAmount(append(b, `","total_debits":"`...), s.Debits, scale)
	b = appendAmount(append(b, `","total_credits":"`...), s.Credits, scale)
	b = appendAmount(append(b, `","closing_balance":"`...), s.Closing, scale)
	return append(b, `","lines":[`...)
}

func appendLine(b []byte, l projections.Line, scale int) []byte {
	b = appendQuoted(append(b, `{"entry":`...), l.Entry)
	b = appendDate(append(b, `,"value_date":"`...), l.ValueDate)
	b = appendTime(append(b, `","recorded_at":"`...), l.RecordedAt)
	b = appendPosition(append(b, `","position":"`...), l.Position)
	b = appendQuoted(append(b, `","kind":`...), string(l.Kind))
	b = appendQuoted(append(b, `,"code":`...), l.Code)
	b = appendQuoted(append(b, `,"description":`...), l.Description)
	if l.Kind.Debit() {
		b = appendAmount(append(b, `,"debit":"`...), l.Amount, scale)
		b = append(b, `","credit":null`...)
	} else {
		b = appendAmount(append(b, `,"debit":null,"credit":"`...), l.Amount, scale)
		b = append(b, '"')
	}
	b = appendAmount(append(b, `,"balance":"`...), l.Balance, scale)
	b = appendOptional(append(b, `","reverses":`...), l.Reverses)
	b = appendOptional(append(b, `,"reversed_by":`...), l.ReversedBy)
	b = appendQuoted(append(b, `,"event":`...), l.Event)
	return append(b, '}')
}

// appendOptional appends null for no text.
func appendOptional(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendQuoted(b, s)
}
