package statement

import (
	"io"

	"rentbook/projections"
)

// writePDF lays the statement out in memory: its head has the totals, its notes refer to other
// lines, and a refusal must come before the first byte.
func writePDF(w io.Writer, s projections.Statement) error {
	lines, err := gather(s)
	if err != nil {
		return err
	}
	p, err := newPaper()
	if err != nil {
		return err
	}
	p.describe(s)
	p.pdf.AddPage()
	p.y = marginTop
	p.front(s)
	t := newTable(p, s)
	t.lines(lines)
	t.closing()
	p.remark("Debits add to what you owe, credits take from it. A balance with a minus sign is in your favour.")
	p.footers(s)
	return p.pdf.Output(w)
}

func gather(s projections.Statement) ([]projections.Line, error) {
	var lines []projections.Line
	for line, err := range checked(s) {
		if err != nil {
			return nil, err
		}
		if len(lines) == PDFLinesMax {
			return nil, ErrTooManyLines
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// describe sets what readers and search engines are told. A statement from before the first event
// has no time to be dated by and takes its last day.
func (p *paper) describe(s projections.Statement) {
	dated := s.KnownAt.Time.UTC()
	if s.KnownAt.Time.IsZero() {
		dated = s.To.Time()
	}
	p.pdf.SetCreationDate(dated)
	p.pdf.SetModificationDate(dated)
	p.pdf.SetTitle("Statement of account "+clean(s.Account)+", "+days(s), true)
	p.pdf.SetSubject(InWords(s.Closing, s.Currency), true)
	p.pdf.SetCreator("Rentbook", true)
	p.pdf.SetLang("en-GB")
}

func days(s projections.Statement) string { return longDate(s.From) + " to " + longDate(s.To) }

// front is what a reader wants first: whose account, which days, and where they stand.
func (p *paper) front(s projections.Statement) {
	p.write(titleStyle(), left, contentWidth, "Statement of account")
	p.y += 1.5
	p.write(subtitleStyle(), left, contentWidth, days(s))
	p.y += 5
	top := p.y
	p.facts(s)
	below := p.y
	p.y = top
	p.summary(s)
	p.y = max(p.y, below) + 5
	p.verdict(s)
	p.y += 7
}

// facts stand on the left.
func (p *paper) facts(s projections.Statement) {
	const width = 82
	for _, fact := range [][]string{
		{"Account", clean(s.Account)},
		{"Currency", clean(string(s.Currency))},
		{"As known on", knownAt(s.KnownAt.Time), "position " + s.KnownAt.Position.String() + " of the log"},
	} {
		p.write(labelStyle(), left, width, fact[0])
		for _, value := range fact[1:] {
			p.write(bodyStyle(), left, width, value)
		}
		p.y += 2
	}
}

// summary stands on the right, as a sum: opening, plus debits, less credits, closing.
func (p *paper) summary(s projections.Statement) {
	const x, width = left + 88, contentWidth - 88
	item := func(st style, label string, minor int64) {
		y := p.y
		p.write(st, x, width, label)
		below := p.y
		p.y = y
		amount := p.money(minor, s.Currency)
		if p.width(st, label)+4+p.width(st, amount) > width {
			p.y = below // an amount too wide to stand beside its label
		}
		p.right(st, x+width, amount)
		p.y = max(p.y, below) + 1.6
	}
	p.y++
	item(bodyStyle(), "Opening balance", s.Opening)
	item(bodyStyle(), "Plus debits", s.Debits)
	item(bodyStyle(), "Less credits", s.Credits)
	p.rule(x, ink())
	p.y += 1.8
	item(strongStyle(), "Closing balance", s.Closing)
}

// verdict is the answer to the tenant's question, in words.
func (p *paper) verdict(s projections.Statement) {
	const pad, bar = 5, 1.4
	words := p.wrap(verdictStyle(), p.printable(InWords(s.Closing, s.Currency)+"."), contentWidth-2*pad)
	height := float64(len(words))*verdictStyle().leading + quietStyle().leading + 2*pad
	p.box(left, p.y, contentWidth, height, tint())
	p.box(left, p.y, bar, height, accent())
	p.y += pad
	for _, line := range words {
		p.write(verdictStyle(), left+pad, contentWidth, line)
	}
	p.write(quietStyle(), left+pad, contentWidth, "At the end of "+longDate(s.To)+".")
	p.y += pad
}

// remark ends the table.
func (p *paper) remark(text string) {
	p.y += 3
	p.write(quietStyle(), left, contentWidth, text)
}

// footers come last, when the number of pages is known. fpdf's own alias for it is of no use: it
// would replace the same characters in a description, and breaks right alignment.
func (p *paper) footers(s projections.Statement) {
	pages := p.pdf.PageCount()
	for page := 1; page <= pages; page++ {
		p.pdf.SetPage(page)
		p.y = footerTop
		p.rule(left, hairline())
		p.y = footerTop + 2.5
		p.write(noteStyle(), left, contentWidth,
			"Known at position "+s.KnownAt.Position.String()+", "+knownAt(s.KnownAt.Time))
		p.y = footerTop + 2.5
		p.right(noteStyle(), right, pageOf(page, pages))
	}
}
