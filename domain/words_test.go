package domain_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
)

func TestCurrency_has_the_decimals_of_ISO_4217(t *testing.T) {
	t.Parallel()
	// On HUF, UZS, IDR and ISK the tables of CLDR and ISO differ.
	for code, want := range map[string]int{
		"GBP": 2, "EUR": 2, "USD": 2, "HUF": 2, "UZS": 2, "IDR": 2, "AED": 2, "ZWG": 2, "XCG": 2,
		"JPY": 0, "ISK": 0, "BIF": 0, "XPF": 0, "BHD": 3, "KWD": 3, "TND": 3,
	} {
		c, err := domain.ParseCurrency(code)
		if err != nil || !c.Known() || c.Scale() != want {
			t.Errorf("%s: want %d decimals, got %d, %v", code, want, c.Scale(), err)
		}
	}
}

func TestParseCurrency_refuses_what_rent_is_not_paid_in(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		"", "GB", "GBPX", "gbp", "Gbp", " GBP", "GBP ", "   ", "AED AFN", "P B", "XAU", "XXX", "XTS", "CLF", "DEM", "£", "BIF\x00",
	} {
		if got, err := domain.ParseCurrency(code); !errors.Is(err, domain.ErrCurrency) || got != "" {
			t.Errorf("ParseCurrency(%q): want %v, got %q, %v", code, domain.ErrCurrency, got, err)
		}
	}
}

func TestParseID_accepts_references_of_other_systems_and_nothing_that_a_stream_name_or_URL_could_trip_over(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a", "Z", "0", "T1001", "T-10.01_~x", strings.Repeat("x", 64), "018f3c1e-7b1a-7c3e-9f00-5a1b2c3d4e5f"} {
		if got, err := domain.ParseID(s); err != nil || string(got) != s {
			t.Errorf("ParseID(%q): got %q, %v", s, got, err)
		}
	}
	if _, err := domain.ParseID(""); !errors.Is(err, domain.ErrMissing) {
		t.Errorf("no id: want %v, got %v", domain.ErrMissing, err)
	}
	for _, s := range []string{
		".", "..", "-a", "_a", "~a", ".a", "a b", " a", "a ", "a/b", "a:b", "a%b", "a\x00", "é", "a\u200b", "a\n", "$all", strings.Repeat("x", 65),
	} {
		if got, err := domain.ParseID(s); !errors.Is(err, domain.ErrID) || got != "" {
			t.Errorf("ParseID(%q): want %v, got %q, %v", s, domain.ErrID, got, err)
		}
	}
}

func TestID_that_is_derived_cannot_be_chosen_by_a_caller(t *testing.T) {
	t.Parallel()
	derived := domain.ID("P1").Derive("reversal")
	if derived != "P1:reversal" {
		t.Errorf("got %q", derived)
	}
	if _, err := domain.ParseID(string(derived)); !errors.Is(err, domain.ErrID) {
		t.Errorf("want %v, got %v", domain.ErrID, err)
	}
}

func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"T1001", "", "-", "a:b", "a-b", "é", strings.Repeat("x", 65), "a\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := domain.ParseID(s)
		if err != nil {
			if id != "" || !errors.Is(err, domain.ErrID) && !errors.Is(err, domain.ErrMissing) {
				t.Errorf("ParseID(%q) = %q, %v", s, id, err)
			}
			return
		}
		const first = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		if string(id) != s || len(s) > domain.IDMax || !strings.Contains(first, s[:1]) || strings.Trim(s, first+"._~-") != "" {
			t.Errorf("ParseID accepts %q", s)
		}
	})
}

type person struct {
	Name  domain.Personal `json:"name"`
	Email domain.Personal `json:"email,omitzero"`
}

func TestPersonal_is_a_string_in_JSON_and_null_once_erased(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]person{
		`{"name":"Amara O'Neill","email":"a@tenant.example"}`: {domain.NewPersonal("Amara O'Neill"), domain.NewPersonal("a@tenant.example")},
		`{"name":"José \"Pepe\"\n"}`:                          {Name: domain.NewPersonal("José \"Pepe\"\n")},
		`{"name":null,"email":null}`:                          {domain.Personal{Erased: true}, domain.Personal{Erased: true}},
		`{"name":""}`:                                         {},
		`{"name":"null"}`:                                     {Name: domain.NewPersonal("null")},
	} {
		data, err := json.Marshal(p)
		if err != nil || string(data) != want {
			t.Errorf("want %s, got %s, %v", want, data, err)
		}
		var back person
		if err := json.Unmarshal([]byte(want), &back); err != nil || back != p {
			t.Errorf("back from %s (-want +got): %v\n%s", want, err, cmp.Diff(p, back))
		}
	}
	p := domain.NewPersonal("before")
	if err := json.Unmarshal([]byte(`7`), &p); err == nil {
		t.Error("a number reads as text")
	}
}

func TestPersonal_survives_JSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := domain.NewPersonal(rapid.String().Draw(t, "text"))
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := domain.Personal{Erased: true}
		if err := json.Unmarshal(data, &got); err != nil || got != want {
			t.Fatalf("%s reads as %v, %v, want %v", data, got, err, want)
		}
	})
}

func TestPersonal_that_is_erased_matches_any_text_but_not_none(t *testing.T) {
	t.Parallel()
	text, other, none, erased := domain.NewPersonal("Ann"), domain.NewPersonal("Bob"), domain.Personal{}, domain.Personal{Erased: true}
	for _, c := range []struct {
		asked, recorded domain.Personal
		want            bool
	}{
		{text, text, true},
		{text, other, false},
		{text, none, false},
		{none, text, false},
		{none, none, true},
		{text, erased, true},
		{other, erased, true},
		{none, erased, false},
	} {
		if got := c.asked.Matches(c.recorded); got != c.want {
			t.Errorf("%q asked, %q recorded: want %v, got %v", c.asked, c.recorded, c.want, got)
		}
	}
	if erased.String() != "[erased]" || text.String() != "Ann" {
		t.Errorf("they print as %q and %q", erased, text)
	}
}

func TestRefusal_is_told_by_its_code_whatever_it_says_and_about_which_field(t *testing.T) {
	t.Parallel()
	err := domain.ErrDates.In("ends_on").Because("is too early")
	if !errors.Is(err, domain.ErrDates) || errors.Is(err, domain.ErrDate) || errors.Is(err, errors.ErrUnsupported) {
		t.Error("it is mistaken for another")
	}
	if got := err.Error(); got != "ends_on: is too early" {
		t.Errorf("it reads %q", got)
	}
	if domain.ErrDates.Field != "" || domain.ErrDates.Error() != "ends before it starts" {
		t.Errorf("the sentinel has changed: %v", domain.ErrDates)
	}
}

type names []string

func (n names) Apply(name string) names { return append(slices.Clip(n), name) }

func TestFold_replays_a_history_in_order_onto_the_zero_state(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(names{"a", "b"}, domain.Fold[names]("a", "b")); diff != "" {
		t.Error(diff)
	}
	if got := domain.Fold[names, string](); got != nil {
		t.Errorf("no history gives %v", got)
	}
}
