package domain_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rentbook/domain"
)

func money(minor int64, c domain.Currency) domain.Money {
	return domain.Money{Minor: minor, Currency: c}
}

func parse(s string, c domain.Currency) (domain.Money, error) {
	amount, err := domain.ParseAmount(s)
	if err != nil {
		return domain.Money{}, err
	}
	return amount.In(c)
}

// currencies has one of each scale.
func currencies() *rapid.Generator[domain.Currency] {
	return rapid.SampledFrom([]domain.Currency{"JPY", "GBP", "EUR", "KWD"})
}

func TestMoney_reads_as_it_was_written(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := money(rapid.Int64Range(0, domain.MinorMax).Draw(t, "minor"), currencies().Draw(t, "currency"))
		if got, err := parse(m.String(), m.Currency); err != nil || got != m {
			t.Fatalf("%q reads as %v, %v, want %v", m.String(), got, err, m)
		}
		exact, ok := new(big.Rat).SetString(m.String())
		scale := new(big.Rat).SetInt64(int64(math.Pow10(m.Currency.Scale())))
		if !ok || exact.Mul(exact, scale).Cmp(new(big.Rat).SetInt64(m.Minor)) != 0 {
			t.Fatalf("%d minor units of %s print as %q", m.Minor, m.Currency, m.String())
		}
	})
}

func TestMoney_prints_with_the_scale_of_its_currency(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]domain.Money{
		"450.00":               money(45000, "GBP"),
		"0.05":                 money(5, "GBP"),
		"-3.50":                money(-350, "EUR"),
		"-0.01":                money(-1, "USD"),
		"0.00":                 money(0, "GBP"),
		"450":                  money(450, "JPY"),
		"-7":                   money(-7, "JPY"),
		"1.005":                money(1005, "KWD"),
		"0.005":                money(5, "KWD"),
		"92233720368547758.07": money(math.MaxInt64, "GBP"),
		// The least one has no positive counterpart.
		"-92233720368547758.08": money(math.MinInt64, "GBP"),
	} {
		if got := m.String(); got != want {
			t.Errorf("want %s, got %s", want, got)
		}
	}
}

func TestMoney_that_is_equal_compares_equal_however_it_was_written(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"450", "450.0", "450.00", "0450.00"} {
		if got, err := parse(s, "GBP"); err != nil || got != money(45000, "GBP") {
			t.Errorf("%q reads as %v, %v", s, got, err)
		}
	}
}

func TestMoney_survives_JSON_whatever_its_size_or_sign(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// Sums and differences may be more than one amount may be.
		m := money(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "minor"), currencies().Draw(t, "currency"))
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back domain.Money
		if err := json.Unmarshal(data, &back); err != nil || back != m {
			t.Fatalf("%s reads as %v, %v, want %v", data, back, err, m)
		}
	})
}

func TestMoney_in_JSON_is_a_decimal_string_and_its_currency(t *testing.T) {
	t.Parallel()
	if data, err := json.Marshal(money(45000, "GBP")); err != nil || string(data) != `{"amount":"450.00","currency":"GBP"}` {
		t.Errorf("got %s, %v", data, err)
	}
	for text, want := range map[string]error{
		`{"amount":"450.001","currency":"GBP"}`:             domain.ErrDecimals,
		`{"amount":"450","currency":"QQQ"}`:                 domain.ErrCurrency,
		`{"amount":"--1","currency":"GBP"}`:                 domain.ErrAmount,
		`{"amount":"","currency":"GBP"}`:                    domain.ErrAmount,
		`{"amount":"9223372036854775807","currency":"GBP"}`: domain.ErrTooLarge,
	} {
		before := money(1, "EUR")
		got := before
		if err := json.Unmarshal([]byte(text), &got); !errors.Is(err, want) || got != before {
			t.Errorf("%s: want %v, got %v, %v", text, want, got, err)
		}
	}
	var m domain.Money
	if err := json.Unmarshal([]byte(`{"amount":450,"currency":"GBP"}`), &m); err == nil {
		t.Error("a number is not an amount: it may have been through a float")
	}
}

func TestParseAmount_refuses_what_is_not_a_plain_decimal(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", " ", "-1", "-0", "-0.00", "+1", "1e3", "1E3", "NaN", "Inf", "inf", "0x10", "1_000", "1,000.00", "1,5",
		" 1", "1 ", "1.", ".5", ".", "1.2.3", "1..2", "1.-5", "£1", "1 000", "١", "１", "1\x00", "1\n", "ten",
	} {
		if got, err := domain.ParseAmount(s); !errors.Is(err, domain.ErrAmount) || got != (domain.Amount{}) {
			t.Errorf("ParseAmount(%q): want %v, got %v, %v", s, domain.ErrAmount, got, err)
		}
	}
}

func TestAmount_may_have_fewer_decimals_than_the_currency_but_not_more(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text     string
		currency domain.Currency
		minor    int64
		err      error
	}{
		{"450", "JPY", 450, nil},
		{"450.0", "JPY", 0, domain.ErrDecimals},
		{"450", "GBP", 45000, nil},
		{"450.5", "GBP", 45050, nil},
		{"450.555", "GBP", 0, domain.ErrDecimals},
		{"450.000", "GBP", 0, domain.ErrDecimals},
		{"450.5", "KWD", 450500, nil},
		{"450.5555", "KWD", 0, domain.ErrDecimals},
		{"1", "XXX", 0, domain.ErrCurrency},
		{"100000000000.00", "GBP", domain.MinorMax, nil},
		{"100000000000.01", "GBP", 0, domain.ErrTooLarge},
		{"92233720368547758.08", "GBP", 0, domain.ErrTooLarge},
		{"9223372036854775807", "GBP", 0, domain.ErrTooLarge},
		{"922337203685477581", "KWD", 0, domain.ErrTooLarge},
		{strings.Repeat("9", 200), "GBP", 0, domain.ErrTooLarge},
		{strings.Repeat("0", 200) + "1.00", "GBP", 100, nil},
	} {
		want := money(c.minor, c.currency)
		if c.err != nil {
			want = domain.Money{}
		}
		if got, err := parse(c.text, c.currency); !errors.Is(err, c.err) || got != want {
			t.Errorf("%s %s: want %v, %v, got %v, %v", c.text, c.currency, want, c.err, got, err)
		}
	}
}

func TestAmount_of_nought_is_an_amount(t *testing.T) {
	t.Parallel()
	nought, err := domain.ParseAmount("0.00")
	if err != nil || !nought.IsZero() || !nought.IsGiven() {
		t.Errorf("0.00 reads as %v, %v", nought, err)
	}
	if none := (domain.Amount{}); !none.IsZero() || none.IsGiven() {
		t.Error("no amount says that it is given")
	}
}

func TestPart_rounds_half_away_from_zero(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ minor, n, d, want int64 }{
		{5, 1, 2, 3},
		{-5, 1, 2, -3},
		{5, -1, 2, -3},
		{4, 1, 8, 1},
		{3, 1, 8, 0},
		{-4, 1, 8, -1},
		{-3, 1, 8, 0},
		{10, 1, 3, 3},
		{20, 1, 3, 7},
		{0, 1, 3, 0},
		{7, 0, 3, 0},
		{7, 3, 3, 7},
		{1, 1, 2, 1},
		{2, 1, 2, 1},
		{domain.MinorMax, 365, 365, domain.MinorMax},
	} {
		if got := domain.Part(c.minor, c.n, c.d); got != c.want {
			t.Errorf("%d * %d / %d: want %d, got %d", c.minor, c.n, c.d, c.want, got)
		}
	}
}

func TestPart_is_the_nearest_whole_number_up_to_the_largest_amount_and_longest_period(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// 52 times the amount and 28 days of 365 is the most that yearly_days asks for.
		minor := rapid.Int64Range(-52*domain.MinorMax, 52*domain.MinorMax).Draw(t, "minor")
		n, d := rapid.Int64Range(0, 366).Draw(t, "n"), rapid.Int64Range(1, 366).Draw(t, "d")
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(minor), big.NewInt(n)), big.NewInt(d))
		off := new(big.Rat).Sub(new(big.Rat).SetInt64(domain.Part(minor, n, d)), exact)
		half := big.NewRat(1, 2)
		switch distance := new(big.Rat).Abs(off); {
		case distance.Cmp(half) > 0:
			t.Fatalf("%s is rounded by %s", exact, off)
		case distance.Cmp(half) == 0 && off.Sign() != exact.Sign():
			t.Fatalf("%s is rounded towards zero", exact)
		}
	})
}

func TestPart_of_adjoining_parts_adds_up_to_the_whole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		minor := rapid.Int64Range(-domain.MinorMax, domain.MinorMax).Draw(t, "minor")
		d := rapid.Int64Range(1, 366).Draw(t, "days")
		var sum, before int64
		for before < d {
			cut := rapid.Int64Range(before+1, d).Draw(t, "cut")
			sum += domain.Part(minor, cut, d) - domain.Part(minor, before, d)
			before = cut
		}
		if sum != minor {
			t.Fatalf("the parts add up to %d, want %d", sum, minor)
		}
	})
}

func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"450.00", "1.", ".5", "-1", "+1", "1e3", "NaN", "1,000.00", " 1", "0", "00.000", "9223372036854775808"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		amount, err := domain.ParseAmount(s)
		if err != nil {
			if !errors.Is(err, domain.ErrAmount) && !errors.Is(err, domain.ErrTooLarge) {
				t.Errorf("ParseAmount(%q): %v", s, err)
			}
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok || exact.Sign() < 0 || strings.ContainsAny(s, "+-eE_/xX") {
			t.Fatalf("ParseAmount(%q) accepts what is not a plain decimal", s)
		}
		if amount.IsZero() != (exact.Sign() == 0) {
			t.Errorf("ParseAmount(%q).IsZero() is %v", s, amount.IsZero())
		}
		for _, c := range []domain.Currency{"JPY", "GBP", "KWD"} {
			m, err := amount.In(c)
			scaled := new(big.Rat).Mul(exact, new(big.Rat).SetInt64(int64(math.Pow10(c.Scale()))))
			if err == nil && scaled.Cmp(new(big.Rat).SetInt64(m.Minor)) != 0 {
				t.Errorf("%q as %s is %v", s, c, m)
			}
		}
	})
}
