package statement

import (
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"rentbook/projections"
)

// The text is for a terminal of 100 columns.
const (
	textWidth      = 98
	textDate       = 10 // 2006-01-02
	textGap        = 2
	textAmountMin  = 11
	textDetailsMin = 20 // for amounts so wide that only the terminal can wrap
)

// textColumns are the widths that depend on how large the amounts can be.
type textColumns struct{ details, amount int }

func (c textColumns) rule() string {
	amount := strings.Repeat("-", c.amount)
	gap := strings.Repeat(" ", textGap)
	return strings.Repeat("-", textDate) + gap + strings.Repeat("-", c.details) +
		strings.Repeat(gap+amount, 3) + "\n"
}

func columnsOf(s projections.Statement) textColumns {
	amount := max(textAmountMin, len(signed(widest(s), s.Currency.Scale(), "-")))
	details := textWidth - textDate - textGap - 3*(textGap+amount)
	return textColumns{details: max(textDetailsMin, details), amount: amount}
}

// textRow is one row of the table; debit, credit and balance are written already.
type textRow struct {
	date, details          string
	debit, credit, balance string
}

func writeText(w io.Writer, s projections.Statement) error {
	out, columns, scale := newOutput(w), columnsOf(s), s.Currency.Scale()
	amount := func(minor int64) string { return signed(minor, scale, "-") }
	out.buf = appendTextHead(out.buf, s)
	out.buf = appendTextRow(out.buf, columns, textRow{"Date", "Details", "Debit", "Credit", "Balance"})
	out.buf = append(out.buf, columns.rule()...)
	out.buf = appendTextRow(out.buf, columns,
		textRow{date: s.From.String(), details: "Opening balance", balance: amount(s.Opening)})
	for line, err := range checked(s) {
		if err != nil {
			return err
		}
		out.buf = appendTextLine(out.buf, columns, line, amount)
		if err := out.turn(); err != nil {
			return err
		}
	}
	out.buf = append(out.buf, columns.rule()...)
	out.buf = appendTextRow(out.buf, columns,
		textRow{s.To.String(), "Closing balance", amount(s.Debits), amount(s.Credits), amount(s.Closing)})
	out.buf = append(out.buf, "\n"+InWords(s.Closing, s.Currency)+".\n"...)
	return out.flush()
}

func appendTextHead(b []byte, s projections.Statement) []byte {
	known := "before the first event"
	if !s.KnownAt.Time.IsZero() {
		known = string(appendTime(nil, s.KnownAt.Time))
	}
	return append(b, "Statement of account\n\n"+
		"Account   "+clean(s.Account)+"\n"+
		"Currency  "+clean(string(s.Currency))+"\n"+
		"Days      "+s.From.String()+" to "+s.To.String()+"\n"+
		"Known at  position "+s.KnownAt.Position.String()+", "+known+"\n\n"...)
}

func appendTextLine(b []byte, c textColumns, l projections.Line, amount func(int64) string) []byte {
	row := textRow{date: l.ValueDate.String(), details: describe(l), balance: amount(l.Balance)}
	if l.Kind.Debit() {
		row.debit = amount(l.Amount)
	} else {
		row.credit = amount(l.Amount)
	}
	b = appendTextRow(b, c, row)
	for _, note := range wrap(textNote(l), textWidth-textDate-textGap, columnsWide) {
		b = append(b, strings.Repeat(" ", textDate+textGap)+note+"\n"...)
	}
	return b
}

// textNote stands below a line. The other side of a reversal is named by its entry, so these lines
// say their own name too: lines are not numbered, a stream cannot know what is still to come.
func textNote(l projections.Line) string {
	var notes []string
	if kind := kindNote(l); kind != "" {
		notes = append(notes, kind)
	}
	if l.Reverses != "" || l.ReversedBy != "" {
		notes = append(notes, "entry "+clean(l.Entry))
	}
	if l.Reverses != "" {
		notes = append(notes, "reverses "+clean(l.Reverses))
	}
	if l.ReversedBy != "" {
		notes = append(notes, "reversed by "+clean(l.ReversedBy))
	}
	return strings.Join(notes, ", ")
}

func appendTextRow(b []byte, c textColumns, r textRow) []byte {
	details := wrap(r.details, float64(c.details), columnsWide)
	b = padRight(b, r.date, textDate+textGap)
	b = padRight(b, details[0], c.details)
	b = padLeft(b, r.debit, textGap+c.amount)
	b = padLeft(b, r.credit, textGap+c.amount)
	b = padLeft(b, r.balance, textGap+c.amount)
	b = append(b, '\n')
	for _, more := range details[1:] {
		b = append(b, strings.Repeat(" ", textDate+textGap)+more+"\n"...)
	}
	return b
}

func columnsWide(s string) float64 { return float64(cells(s)) }

// cells is how many columns of the terminal a text takes; most texts are ASCII.
func cells(s string) int {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return uniseg.StringWidth(s)
		}
	}
	return len(s)
}

func padRight(b []byte, s string, width int) []byte {
	b = append(b, s...)
	for range width - cells(s) {
		b = append(b, ' ')
	}
	return b
}

func padLeft(b []byte, s string, width int) []byte {
	for range width - len(s) { // amounts and their heads are ASCII
		b = append(b, ' ')
	}
	return append(b, s...)
}
