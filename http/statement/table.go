package statement

import (
	"strconv"
	"strings"

	"rentbook/projections"
)

// Widths in millimetres; the amounts' depends on how large they can be, the details have the rest.
const (
	numberWidth  = 10.0
	dateWidth    = 22.0
	amountMin    = 24.0
	amountGap    = 4.0
	detailsMin   = 20.0
	rowPad       = 1.25
	remarkHeight = 8.0
	highest      = 200.0 // a row up to here is kept on one page; it fits below any page's heads
)

// table is the lines on paper, over as many pages as they take.
type table struct {
	*paper
	s       projections.Statement
	amount  float64 // width of each of the three columns of amounts
	details float64
	balance int64 // after the last line drawn
}

// row is one row of the table, each cell text already.
type row struct {
	style                        style
	number, date                 string
	details, notes               []string
	debit, credit, balanceAmount string
}

func newTable(p *paper, s projections.Statement) *table {
	t := &table{paper: p, s: s, balance: s.Opening}
	t.amount = max(amountMin, p.width(totalStyle(), t.number(widest(s)))+amountGap)
	t.details = max(detailsMin, contentWidth-numberWidth-dateWidth-3*t.amount)
	t.heads()
	opening := t.row(rowStyle(), shortDate(s.From), "Opening balance", s.Opening)
	t.draw(opening)
	return t
}

func (t *table) number(minor int64) string { return signed(minor, t.s.Currency.Scale(), minus) }

func (t *table) row(st style, date, details string, balance int64) row {
	return row{
		style: st, date: date, balanceAmount: t.number(balance),
		details: t.wrap(st, t.printable(details), t.details),
	}
}

// lines numbers the lines, so that a reversal can say which line it takes back.
func (t *table) lines(lines []projections.Line) {
	places := make(map[string]int, len(lines))
	for i, line := range lines {
		places[line.Entry] = i
	}
	for i, line := range lines {
		r := t.row(rowStyle(), shortDate(line.ValueDate), describe(line), line.Balance)
		r.number = strconv.Itoa(i + 1)
		if line.Kind.Debit() {
			r.debit = t.number(line.Amount)
		} else {
			r.credit = t.number(line.Amount)
		}
		r.notes = t.wrap(noteStyle(), t.printable(note(line, lines, places)), t.details)
		t.draw(r)
		t.balance = line.Balance
	}
}

// note stands below a line and says what its columns do not.
func note(l projections.Line, lines []projections.Line, places map[string]int) string {
	var notes []string
	if kind := kindNote(l); kind != "" {
		notes = append(notes, kind)
	}
	refer := func(words, entry string) {
		if entry == "" {
			return
		}
		if i, here := places[entry]; here {
			notes = append(notes, words+" line "+strconv.Itoa(i+1)+" of "+shortDate(lines[i].ValueDate))
			return
		}
		notes = append(notes, words+" entry "+clean(entry)+", outside these days")
	}
	refer("Reverses", l.Reverses)
	refer("Reversed by", l.ReversedBy)
	return strings.Join(notes, " \u00B7 ")
}

// closing is the last row: the totals under their columns. The remark below must find room too.
func (t *table) closing() {
	r := t.row(totalStyle(), shortDate(t.s.To), "Totals and closing balance", t.s.Closing)
	r.debit, r.credit = t.number(t.s.Debits), t.number(t.s.Credits)
	t.room(r.height() + remarkHeight)
	t.rule(left, ink())
	t.draw(r)
	t.rule(left, ink())
}

func (r row) height() float64 {
	return 2*rowPad + float64(max(1, len(r.details)))*r.style.leading + float64(len(r.notes))*noteStyle().leading
}

// draw keeps a row on one page, unless it is higher than a page.
func (t *table) draw(r row) {
	t.room(min(r.height(), highest))
	t.y += rowPad
	t.cells(r)
	x := left + numberWidth + dateWidth
	for i, line := range r.details {
		if i > 0 {
			t.room(r.style.leading)
		}
		t.write(r.style, x, contentWidth, line)
	}
	for _, note := range r.notes {
		t.room(noteStyle().leading)
		t.write(noteStyle(), x, contentWidth, note)
	}
	t.y += rowPad
	t.rule(left, hairline())
}

// cells writes all but the details, on the row's first line.
func (t *table) cells(r row) {
	y := t.y
	if r.number != "" {
		number := noteStyle()
		number.leading = r.style.leading
		t.write(number, left, numberWidth, r.number)
		t.y = y
	}
	t.write(r.style, left+numberWidth, dateWidth, r.date)
	t.y = y
	t.right(r.style, right-2*t.amount, r.debit)
	t.right(r.style, right-t.amount, r.credit)
	t.right(r.style, right, r.balanceAmount)
}

// room begins another page when there is no room left for height.
func (t *table) room(height float64) {
	if t.y+height <= pageBottom {
		return
	}
	t.pdf.AddPage()
	t.y = marginTop
	t.write(strongStyle(), left, contentWidth, "Statement of account")
	account := t.wrap(quietStyle(), t.printable("Account "+t.s.Account), contentWidth)
	t.write(quietStyle(), left, contentWidth, account[0]) // page 1 has all of it
	t.write(quietStyle(), left, contentWidth, days(t.s))
	t.y += 4
	t.heads()
	t.draw(t.row(rowStyle(), "", "Brought forward", t.balance))
}

func (t *table) heads() {
	y := t.y
	for _, head := range []struct {
		x    float64
		text string
	}{{left, "Line"}, {left + numberWidth, "Date"}, {left + numberWidth + dateWidth, "Details"}} {
		t.y = y
		t.write(headStyle(), head.x, contentWidth, head.text)
	}
	below := t.y
	t.y = y
	t.right(headStyle(), right-2*t.amount, "Debit")
	t.right(headStyle(), right-t.amount, "Credit")
	t.right(headStyle(), right, "Balance")
	t.y = below + 1.5
	t.rule(left, ink())
}
