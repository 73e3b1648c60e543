package statement

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"

	"rentbook/domain"
)

// A4 portrait, in millimetres.
const (
	left         = 20.0
	right        = 190.0
	contentWidth = right - left
	marginTop    = 20.0
	pageBottom   = 272.0 // where rows end
	footerTop    = 279.0
)

// paper is a PDF and the height reached on its page.
type paper struct {
	pdf    *fpdf.Fpdf
	glyphs *sfnt.Font
	buffer sfnt.Buffer
	y      float64
}

const family = "go"

// newPaper gives fpdf copies of the fonts, since they are shared by all requests and it does not
// promise to leave them alone. The Go fonts have Latin, Greek and Cyrillic (WGL4), come under the BSD
// licence of golang.org/x/image, and their figures are all of one width.
func newPaper() (*paper, error) {
	glyphs, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetCatalogSort(true) // otherwise fonts come in the random order of a map
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetMargins(left, marginTop, left)
	pdf.SetCellMargin(0)
	pdf.AddUTF8FontFromBytes(family, "", bytes.Clone(goregular.TTF))
	pdf.AddUTF8FontFromBytes(family, "B", bytes.Clone(gobold.TTF))
	return &paper{pdf: pdf, glyphs: glyphs}, pdf.Error()
}

func (p *paper) use(s style) {
	weight := ""
	if s.bold {
		weight = "B"
	}
	p.pdf.SetFont(family, weight, s.size)
	p.pdf.SetTextColor(s.colour.r, s.colour.g, s.colour.b)
}

// write writes a text at x, wrapped, and moves down below it.
func (p *paper) write(s style, x, width float64, text string) {
	for _, line := range p.wrap(s, p.printable(text), width) {
		p.pdf.SetXY(x, p.y)
		p.pdf.CellFormat(width, s.leading, line, "", 0, "L", false, 0, "")
		p.y += s.leading
	}
}

// right writes a text that ends at x and stays on the line.
func (p *paper) right(s style, x float64, text string) {
	p.use(s)
	p.pdf.SetXY(0, p.y)
	p.pdf.CellFormat(x, s.leading, text, "", 0, "R", false, 0, "")
}

func (p *paper) width(s style, text string) float64 {
	p.use(s)
	return p.pdf.GetStringWidth(text)
}

func (p *paper) wrap(s style, text string, width float64) []string {
	p.use(s)
	return wrap(text, width, p.pdf.GetStringWidth)
}

// rule draws a line to the right margin.
func (p *paper) rule(from float64, c colour) {
	p.pdf.SetDrawColor(c.r, c.g, c.b)
	p.pdf.SetLineWidth(0.2)
	p.pdf.Line(from, p.y, right, p.y)
}

func (p *paper) box(x, y, width, height float64, c colour) {
	p.pdf.SetFillColor(c.r, c.g, c.b)
	p.pdf.Rect(x, y, width, height, "F")
}

// minus is the true sign: as wide as a figure, and read aloud as "minus".
const minus = "\u2212"

// money is an amount with its currency: "−£1,234.50".
func (p *paper) money(minor int64, currency domain.Currency) string {
	text := p.printable(worded(magnitude(minor), currency))
	if minor < 0 {
		return minus + text
	}
	return text
}

// printable makes a text one the fonts have every character of. A letter they lack loses its
// marks one by one (Nguyễn becomes Nguyên), anything else shows as a question mark rather than as
// a gap that nobody notices.
func (p *paper) printable(s string) string {
	s = clean(s)
	if tidy(s) {
		return s
	}
	var b strings.Builder
	for _, r := range norm.NFC.String(s) {
		switch {
		case p.has(r):
			b.WriteRune(r)
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf): // marks and joiners without a letter of their own
		default:
			b.WriteRune(p.plainer(r))
		}
	}
	return b.String()
}

func (p *paper) plainer(r rune) rune {
	parts := []rune(norm.NFD.String(string(r)))
	for n := len(parts) - 1; n > 0; n-- {
		fewer := norm.NFC.String(string(parts[:n]))
		if r, size := utf8.DecodeRuneInString(fewer); size == len(fewer) && p.has(r) {
			return r
		}
	}
	return '?'
}

func (p *paper) has(r rune) bool {
	glyph, err := p.glyphs.GlyphIndex(&p.buffer, r)
	return err == nil && glyph != 0 && r <= 0xFFFF // fpdf knows no character beyond
}
