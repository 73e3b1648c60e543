package commands

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rentbook/domain"
	"rentbook/domain/rent"
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
