package statement

import (
	"strconv"
	"strings"
	"time"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/projections"
)

// InWords says what a closing balance means to the tenant: "You are £12.34 behind". A positive
// balance is owed.
func InWords(closing int64, currency domain.Currency) string {
	amount := worded(magnitude(closing), currency)
	switch {
	case closing > 0:
		return "You are " + amount + " behind"
	case closing < 0:
		return "You are " + amount + " ahead"
	}
	return "You owe nothing and nothing is owed to you"
}

// worded is an amount as people write it: "£1,234.50", or "1,234.50 SEK".
func worded(minor uint64, currency domain.Currency) string {
	number := grouped(minor, currency.Scale())
	switch currency {
	case "GBP":
		return "£" + number
	case "EUR":
		return "€" + number
	case "USD":
		return "$" + number
	}
	return number + " " + clean(string(currency))
}

// grouped is an amount with thousands separators: "1,234.50".
func grouped(minor uint64, scale int) string {
	digits := string(appendPadded(nil, minor, scale+1))
	whole, fraction := digits[:len(digits)-scale], digits[len(digits)-scale:]
	var b strings.Builder
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(whole[i])
	}
	if scale > 0 {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// signed is grouped with the given minus before what is below nought.
func signed(minor int64, scale int, minus string) string {
	if minor < 0 {
		return minus + grouped(magnitude(minor), scale)
	}
	return grouped(magnitude(minor), scale)
}

// widest is an amount at least as wide as any on the statement. Columns must be set before
// the lines have been seen; no balance on the way can be further out than this.
func widest(s projections.Statement) int64 {
	opening := int64(min(magnitude(s.Opening), 1<<62))
	return -opening - min(max(s.Debits, s.Credits), 1<<62)
}

// longDate is "1 April 2026".
func longDate(d domain.Date) string { return dateIn(d, "2 January 2006") }

// shortDate is "1 Apr 2026".
func shortDate(d domain.Date) string { return dateIn(d, "2 Jan 2006") }

func dateIn(d domain.Date, layout string) string {
	if d.IsZero() {
		return ""
	}
	return d.Time().Format(layout)
}

// knownAt says up to where the log was read: "2 July 2026, 09:12:45 UTC".
func knownAt(t time.Time) string {
	if t.IsZero() {
		return "before the first event"
	}
	return t.UTC().Format("2 January 2006, 15:04:05 UTC")
}

// pageOf is "Page 1 of 3".
func pageOf(page, pages int) string {
	return "Page " + strconv.Itoa(page) + " of " + strconv.Itoa(pages)
}

// kindWords is what a kind is called on paper.
func kindWords(k rent.Kind) string {
	switch k {
	case rent.KindCharge:
		return "Charge"
	case rent.KindPayment:
		return "Payment"
	case rent.KindPaymentReversal:
		return "Payment reversal"
	case rent.KindCredit:
		return "Credit"
	case rent.KindDebit:
		return "Debit"
	case rent.KindWriteOff:
		return "Write-off"
	case rent.KindWriteOn:
		return "Write-on"
	case rent.KindRefund:
		return "Refund"
	}
	return clean(string(k))
}

// describe is what a line is about. A line without a description is named by its kind and code.
func describe(l projections.Line) string {
	if text := clean(l.Description); text != "" {
		return text
	}
	if code := clean(l.Code); code != "" && code != string(l.Kind) {
		return kindWords(l.Kind) + ": " + code
	}
	return kindWords(l.Kind)
}

// kindNote names the kinds that neither the column of the amount nor anything else on the line
// gives away.
func kindNote(l projections.Line) string {
	known := l.Kind == rent.KindCharge || l.Kind == rent.KindPayment || l.Reverses != ""
	if words := kindWords(l.Kind); !known && words != describe(l) {
		return words
	}
	return ""
}
