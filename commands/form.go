package commands

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/domain/repair"
)

// wordMax bounds the landlord's own short words: kinds, codes, funds, postcodes.
const wordMax = 64

// form turns the text of a request into the nouns of the domain. It keeps the first refusal, with
// the name of the field.
type form struct{ err error }

func (f *form) refuse(field string, err error) {
	if f.err != nil {
		return
	}
	if refusal, ok := errors.AsType[*domain.Refusal](err); ok {
		err = refusal.In(field)
	}
	f.err = err
}

// id is a required id.
func (f *form) id(field, s string) domain.ID {
	id, err := domain.ParseID(s)
	if err != nil {
		f.refuse(field, err)
	}
	return id
}

func (f *form) idOrNone(field, s string) domain.ID {
	if s == "" {
		return ""
	}
	return f.id(field, s)
}

// entryID is the id of an entry, which may be a derived one.
func (f *form) entryID(field, s string) domain.ID {
	id, derived, _ := strings.Cut(s, ":")
	if derived != "" && !strings.ContainsFunc(derived, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return f.id(field, id).Derive(derived)
	}
	return f.idOrNone(field, s)
}

// date is a required date.
func (f *form) date(field, s string) domain.Date {
	if s == "" {
		f.refuse(field, domain.ErrMissing)
		return 0
	}
	d, err := domain.ParseDate(s)
	if err != nil {
		f.refuse(field, err)
	}
	return d
}

func (f *form) dateOrNone(field, s string) domain.Date {
	if s == "" {
		return 0
	}
	return f.date(field, s)
}

// instantOrNone is an instant with its offset, to the second.
func (f *form) instantOrNone(field, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	if err == nil && (at.Year() < 1900 || at.Year() > 9998) {
		err = domain.ErrDate
	}
	if err != nil {
		f.refuse(field, domain.ErrDate.Because("is not an instant such as 2026-11-23T09:30:00Z"))
	}
	return at.UTC().Truncate(time.Second)
}

// reason is a code, or a sentence. A sentence may be about somebody: it goes into the note, which is
// sealed, and the code is "other".
func (f *form) reason(reason, note string) (code string, sealed domain.Personal) {
	switch {
	case reason == "" || isReasonCode(reason):
		code = reason
	case note == "":
		code, note = "other", reason
	default:
		code, note = "other", reason+"\n"+note
	}
	return code, f.personal("note", note)
}

func isReasonCode(s string) bool {
	const most = 32
	return len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || 'z' < r) && (r < '0' || '9' < r) && r != '_' && r != '-'
	})
}

// linesMax and quantityMax bound the work of one order.
const (
	linesMax    = 50
	quantityMax = 10_000
)

// work is codes of the schedule of rates, one of each where no quantity is given.
func (f *form) work(lines []repair.Line) []repair.Line {
	if len(lines) > linesMax {
		f.refuse("sor", domain.ErrTooLong.Because("has more than 50 lines"))
	}
	var work []repair.Line
	for _, line := range lines {
		line.Code = f.given("sor", line.Code, wordMax)
		if !isCode(line.Code) {
			f.refuse("sor", domain.ErrWord.Because("has a code that is not 1 to 64 of A-Z a-z 0-9 . _ / -"))
		}
		if line.Quantity == 0 {
			line.Quantity = 1
		}
		if line.Quantity < 0 || line.Quantity > quantityMax {
			f.refuse("sor", domain.ErrAmount.Because("has a quantity that is not one of 1 to 10000"))
		}
		work = append(work, line)
	}
	return work
}

// isCode keeps sentences out of what is not sealed.
func isCode(s string) bool {
	const known = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-"
	return !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(known, r) })
}

// amount is a required amount.
func (f *form) amount(field, s string) domain.Amount {
	if s == "" {
		f.refuse(field, domain.ErrMissing)
		return domain.Amount{}
	}
	a, err := domain.ParseAmount(s)
	if err != nil {
		f.refuse(field, err)
	}
	return a
}

func (f *form) amountOrNone(field, s string) domain.Amount {
	if s == "" {
		return domain.Amount{}
	}
	return f.amount(field, s)
}

// currency is a required currency.
func (f *form) currency(field, s string) domain.Currency {
	if s == "" {
		f.refuse(field, domain.ErrMissing)
		return ""
	}
	c, err := domain.ParseCurrency(s)
	if err != nil {
		f.refuse(field, err)
	}
	return c
}

// text is plain text; only free text, which is longer than a word, may have more than one line.
func (f *form) text(field, s string, most int) string {
	if most > wordMax { // as pages and word processors send it
		s = strings.NewReplacer("\r\n", "\n", "\t", " ").Replace(s)
	}
	switch {
	case len(s) > most:
		f.refuse(field, domain.ErrTooLong)
	case !utf8.ValidString(s):
		f.refuse(field, domain.ErrText)
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && (r != '\n' || most <= wordMax) }):
		f.refuse(field, domain.ErrText)
	}
	return s
}

// word is a short word of the landlord's own.
func (f *form) word(field, s string) string { return f.text(field, s, wordMax) }

// given is text that must not be missing.
func (f *form) given(field, s string, most int) string {
	if strings.TrimSpace(s) == "" {
		f.refuse(field, domain.ErrMissing)
	}
	return f.text(field, s, most)
}

// personal is free text about a person.
func (f *form) personal(field, s string) domain.Personal {
	if strings.TrimSpace(s) == "" {
		s = ""
	}
	return domain.NewPersonal(f.text(field, s, domain.TextMax))
}

// code is a code, or another where none is given.
func (f *form) code(field, s string, otherwise rent.Code) rent.Code {
	if s == "" {
		return otherwise
	}
	return rent.Code(f.word(field, s))
}

// oneOf is one of the words known here; empty means the first.
func oneOf[W ~string](f *form, field, s string, words ...W) W {
	if s == "" {
		return words[0]
	}
	if !slices.Contains(words, W(s)) {
		f.refuse(field, notOneOf(words...))
	}
	return W(s)
}

func notOneOf[W ~string](words ...W) *domain.Refusal {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	return domain.ErrWord.Because("is not one of " + strings.Join(names, ", "))
}
