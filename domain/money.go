package domain

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// MinorMax bounds an amount that comes in, in minor units (a hundred thousand million pounds): products
// with the days of a year stay inside 64 bits, and so do sums of half a million such entries.
const MinorMax = 10_000_000_000_000

// Money is an exact amount of one currency, in its minor units (pence, cents). The scale is the
// currency's own (ISO 4217), so 450 and 450.00 cannot differ, and Money compares with ==.
type Money struct {
	Minor    int64
	Currency Currency
}

// String is the amount with the scale of its currency, without the currency: "450.00", "-3.50".
func (m Money) String() string {
	scale := m.Currency.Scale()
	sign, n := "", uint64(m.Minor) //nolint:gosec // G115: the sign is taken care of in the next line
	if m.Minor < 0 {
		sign, n = "-", uint64(-m.Minor)
	}
	digits := strconv.FormatUint(n, 10)
	if scale == 0 {
		return sign + digits
	}
	if pad := scale + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	return sign + digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

type moneyJSON struct {
	Amount   string   `json:"amount"`
	Currency Currency `json:"currency"`
}

// MarshalJSON writes {"amount":"450.00","currency":"GBP"}.
func (m Money) MarshalJSON() ([]byte, error) {
	return []byte(`{"amount":"` + m.String() + `","currency":"` + string(m.Currency) + `"}`), nil
}

// UnmarshalJSON reads what MarshalJSON writes. MinorMax is not asked for here: the totals of a run
// and the difference for a whole year may be more, and what has been recorded must stay readable.
func (m *Money) UnmarshalJSON(data []byte) error {
	var raw moneyJSON
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	digits, negative := strings.CutPrefix(raw.Amount, "-")
	amount, err := ParseAmount(digits)
	if err != nil {
		return err
	}
	parsed, err := amount.scaledTo(raw.Currency)
	if err != nil {
		return err
	}
	if negative {
		parsed.Minor = -parsed.Minor
	}
	*m = parsed
	return nil
}

// Amount is a plain decimal, zero or more, whose currency is not known yet.
type Amount struct {
	digits   int64 // the number without its point
	decimals int   // how many of the digits stand behind it
	given    bool
}

// ParseAmount reads digits with at most one point between them: no sign, exponent, space or
// thousands separator.
func ParseAmount(s string) (Amount, error) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || (point && fraction == "") || !onlyDigits(whole) || !onlyDigits(fraction) {
		return Amount{}, ErrAmount
	}
	digits, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil {
		return Amount{}, ErrTooLarge
	}
	return Amount{digits: digits, decimals: len(fraction), given: true}, nil
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// IsZero says whether the amount is nought.
func (a Amount) IsZero() bool { return a.digits == 0 }

// IsGiven says whether there is an amount at all; nought is one.
func (a Amount) IsGiven() bool { return a.given }

// In is the amount as money. More decimals than the currency has are ErrDecimals, even zeros:
// who writes 1.000 pounds may have meant something else.
func (a Amount) In(c Currency) (Money, error) {
	m, err := a.scaledTo(c)
	if err == nil && m.Minor > MinorMax {
		return Money{}, ErrTooLarge
	}
	return m, err
}

func (a Amount) scaledTo(c Currency) (Money, error) {
	if !c.Known() {
		return Money{}, ErrCurrency
	}
	minor := a.digits
	missing := c.Scale() - a.decimals
	if missing < 0 {
		return Money{}, ErrDecimals
	}
	for range missing {
		if minor > math.MaxInt64/10 {
			return Money{}, ErrTooLarge
		}
		minor *= 10
	}
	return Money{Minor: minor, Currency: c}, nil
}

// Part is n/d of a number of minor units, rounded half away from zero. It wants d > 0.
func Part(minor, n, d int64) int64 {
	product := minor * n
	if product < 0 {
		return -((-product*2 + d) / (2 * d))
	}
	return (product*2 + d) / (2 * d)
}
