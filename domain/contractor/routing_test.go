package contractor_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/contractor"
)

var april = domain.NewDate(2026, 4, 15)

// plumber is a candidate by its trade, areas and capacity; the price of N631321 in pence, if any.
func plumber(id domain.ID, areas []string, capacity, open int, price int64) contractor.Candidate {
	facts := []contractor.Event{contractor.Described{Name: "X", Trades: []string{"plumbing"}, Areas: areas, Capacity: capacity}}
	if price > 0 {
		facts = append(facts, contractor.PricesSet{
			Contract: "2026", From: domain.NewDate(2026, 4, 1), Currency: "GBP",
			Prices: []contractor.Price{{Code: "N631321", Price: pounds(price)}},
		})
	}
	return contractor.Candidate{ID: id, Contractor: domain.Fold[contractor.Contractor](facts...), Open: open}
}

func tap() contractor.Job {
	return contractor.Job{
		Trade: "plumbing", Codes: []contractor.Line{{Code: "N631321", Quantity: 1}}, On: april,
		Place: contractor.Place{Property: "H1", Above: []domain.ID{"B1", "E1"}, Postcode: "LN1 3AB", Locality: "Lincoln"},
	}
}

func TestRoute_explains_the_choice(t *testing.T) {
	t.Parallel()
	job := tap()
	got := contractor.Route(job, []contractor.Candidate{
		plumber("C4", []string{"postcode:LN1"}, 0, 0, 5000),
		plumber("C1", nil, 20, 20, 1),
		plumber("C2", []string{"postcode:LN1"}, 20, 3, 4210),
		plumber("C3", []string{"postcode:LN10"}, 0, 0, 1),
	})
	want := "C2: plumbing, covers postcode LN1, price list 2026 has N631321 at 42.10; cheapest of 2 that fit. C1 has no room (20 of 20). C3 does not cover LN1."
	if got.Explanation != want {
		t.Errorf("explanation\n got %s\nwant %s", got.Explanation, want)
	}
	if got.Contractor != "C2" || got.Contract != "2026" || got.Cost != pounds(4210) || len(got.Prices) != 1 {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff([]domain.ID{"C2", "C4", "C1", "C3"}, ids(got.Considered)); diff != "" {
		t.Error(diff)
	}
}

func ids(considered []contractor.Considered) []domain.ID {
	var ids []domain.ID
	for _, c := range considered {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestRoute_says_why_nobody_fits(t *testing.T) {
	t.Parallel()
	job := tap()
	job.Not = []domain.ID{"C3"}
	retired := contractor.Candidate{ID: "C5", Contractor: domain.Fold[contractor.Contractor, contractor.Event](
		contractor.Described{Name: "X", Trades: []string{"plumbing"}, Retired: true})}
	roofer := contractor.Candidate{ID: "C6", Contractor: domain.Fold[contractor.Contractor, contractor.Event](
		contractor.Described{Name: "X", Trades: []string{"roofing"}})}
	got := contractor.Route(job, []contractor.Candidate{
		roofer, retired, plumber("C3", nil, 0, 0, 0), plumber("C2", []string{"E9"}, 0, 0, 0), plumber("C1", nil, 1, 1, 0), {ID: "C4"},
	})
	want := "Nobody fits: C1 has no room (1 of 1). C2 does not cover LN1. C3 has handed it back. C4 is not known. C5 is retired. 1 more do not fit."
	if got.Explanation != want || got.Contractor != "" || len(got.Considered) != 6 || got.Considered[5].Why != "does not do plumbing" {
		t.Errorf("got %+v", got)
	}
	if got := contractor.Route(job, nil); got.Explanation != "Nobody fits: there are no contractors." || got.Contractor != "" {
		t.Errorf("of nobody: %+v", got)
	}
}

func TestRoute_goes_by_prices_then_cost_then_area_then_room_then_id(t *testing.T) {
	t.Parallel()
	near := []string{"postcode:LN1"}
	other := domain.Fold[contractor.Contractor, contractor.Event](
		contractor.Described{Name: "X", Trades: []string{"plumbing"}},
		contractor.PricesSet{Contract: "e", From: 1, Currency: "EUR", Prices: []contractor.Price{{Code: "N631321", Price: domain.Money{Minor: 9000, Currency: "EUR"}}}},
	)
	for _, row := range []struct {
		name          string
		first, second contractor.Candidate
		won           string
	}{
		{"every price before the nearer area", plumber("Z", nil, 0, 9, 9999), plumber("A", near, 0, 0, 0), "the only one with every price of 2"},
		{"the lower cost before the nearer area", plumber("Z", nil, 0, 9, 4209), plumber("A", near, 0, 0, 4210), "cheapest of 2"},
		{"costs in two currencies by the currency", contractor.Candidate{ID: "Z", Contractor: other}, plumber("A", near, 0, 0, 1), "first by currency of 2"},
		{"the property before what it is part of", plumber("Z", []string{"E1", "H1"}, 0, 9, 1), plumber("A", []string{"B1"}, 0, 0, 1), "nearest area of 2"},
		{"the nearer of what it is part of", plumber("Z", []string{"B1"}, 0, 9, 1), plumber("A", []string{"E1"}, 0, 0, 1), "nearest area of 2"},
		{"what it is part of before a postcode", plumber("Z", []string{"E1"}, 0, 9, 1), plumber("A", near, 0, 0, 1), "nearest area of 2"},
		{"a postcode before a locality", plumber("Z", near, 0, 9, 1), plumber("A", []string{"locality:lincoln"}, 0, 0, 1), "nearest area of 2"},
		{"a locality before everywhere", plumber("Z", []string{"locality:Lincoln"}, 0, 9, 1), plumber("A", nil, 0, 0, 1), "nearest area of 2"},
		{"the smaller share of the capacity", plumber("Z", near, 100, 30, 1), plumber("A", near, 3, 1, 1), "most room of 2"},
		{"a third is less than one order without a limit", plumber("Z", near, 3, 1, 1), plumber("A", near, 0, 1, 1), "most room of 2"},
		{"without a limit the fewer orders", plumber("Z", near, 0, 1, 1), plumber("A", near, 0, 2, 1), "most room of 2"},
		{"the first by id", plumber("A", near, 4, 1, 1), plumber("Z", near, 8, 2, 1), "first by id of 2"},
	} {
		got := contractor.Route(tap(), []contractor.Candidate{row.second, row.first})
		if got.Contractor != row.first.ID || !strings.Contains(got.Explanation, row.won+" that fit.") {
			t.Errorf("%s: %+v", row.name, got)
		}
	}
	if got := contractor.Route(tap(), []contractor.Candidate{plumber("A", near, 0, 0, 0)}); got.Explanation !=
		"A: plumbing, covers postcode LN1, no agreed price of N631321; the only one that fits." || got.Cost != (domain.Money{}) {
		t.Errorf("without a price: %+v", got)
	}
}

func TestRoute_sums_the_prices_of_all_codes(t *testing.T) {
	t.Parallel()
	set := func(contract domain.ID, code string, m domain.Money) contractor.Event {
		return contractor.PricesSet{Contract: contract, From: 1, Currency: m.Currency, Prices: []contractor.Price{{Code: code, Price: m}}}
	}
	route := func(prices ...contractor.Event) contractor.Choice {
		job := tap()
		job.Codes = []contractor.Line{{Code: "A", Quantity: 3}, {Code: "B"}}
		facts := append([]contractor.Event{contractor.Described{Name: "X", Trades: []string{"plumbing"}}}, prices...)
		return contractor.Route(job, []contractor.Candidate{{ID: "C", Contractor: domain.Fold[contractor.Contractor](facts...)}})
	}
	two := route(set("k", "A", pounds(100)), set("l", "B", pounds(7)))
	if two.Cost != pounds(307) || two.Contract != "" ||
		!strings.Contains(two.Explanation, "price list k has 3 A at 1.00, price list l has B at 0.07, together 3.07;") {
		t.Errorf("two contracts: %+v", two)
	}
	if got := route(set("k", "A", pounds(100))); got.Cost != (domain.Money{}) || len(got.Prices) != 1 || got.Contract != "k" {
		t.Errorf("half priced: %+v", got)
	}
	if got := route(set("k", "A", pounds(100)), set("l", "B", domain.Money{Minor: 1, Currency: "EUR"})); got.Cost != (domain.Money{}) {
		t.Errorf("two currencies: %+v", got)
	}
	if got := route(set("k", "A", pounds(domain.MinorMax/2)), set("l", "B", pounds(7))); got.Cost != (domain.Money{}) {
		t.Errorf("too much to record: %+v", got)
	}
}

func TestRoute_says_no_more_than_five_prices(t *testing.T) {
	t.Parallel()
	var codes []contractor.Line
	set := contractor.PricesSet{Contract: "k", From: 1, Currency: "GBP"}
	for _, code := range "ABCDEFG" {
		codes = append(codes, contractor.Line{Code: string(code)})
		set.Prices = append(set.Prices, contractor.Price{Code: string(code), Price: pounds(100)})
	}
	job := contractor.Job{Trade: "plumbing", Codes: codes, On: april}
	c := contractor.Candidate{ID: "C", Contractor: domain.Fold[contractor.Contractor, contractor.Event](
		contractor.Described{Name: "X", Trades: []string{"plumbing"}}, set)}
	got := contractor.Route(job, []contractor.Candidate{c})
	want := "C: plumbing, covers everywhere, price list k has A at 1.00, B at 1.00, C at 1.00, D at 1.00, E at 1.00, 2 more prices, together 7.00; the only one that fits."
	if got.Explanation != want || len(got.Prices) != 7 {
		t.Errorf("got %+v", got)
	}
	offer := c.Offer(job)
	if diff := cmp.Diff(contractor.Choice{Contractor: "C", Contract: "k", Prices: got.Prices, Cost: pounds(700)}, offer); diff != "" {
		t.Errorf("of a contractor whom somebody chose:\n%s", diff)
	}
}

func TestRoute_knows_what_a_postcode_begins_with(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		area, postcode string
		want           bool
	}{
		{"LN1", "LN1 3AB", true},
		{"ln1", "ln13ab", true},
		{"LN1", "LN10 5AA", false},
		{"LN1", "LN105AA", false},
		{"LN", "LN10 5AA", true},
		{"L", "LN1 3AB", false},
		{"L", "L1 1AA", true},
		{"EC1", "EC1A 1BB", true},
		{"LN1 3", "LN1 3AB", true},
		{"LN1 3", "LN1 4AB", false},
		{"LN1 3AB", "LN13AB", true},
		{"LN13AB", "LN1 3AB", true},
		{"LN1", "", false},
		{"10", "1000", true},
		{"1000", "1000", true},
		{"1001", "1000", false},
		{"1012", "1012 AB", true},
	} {
		job := tap()
		job.Place = contractor.Place{Property: "H1", Postcode: row.postcode}
		got := contractor.Route(job, []contractor.Candidate{plumber("C", []string{"postcode:" + row.area}, 0, 0, 0)})
		if (got.Contractor != "") != row.want {
			t.Errorf("postcode:%s and %q: %s", row.area, row.postcode, got.Explanation)
		}
	}
}

func TestParseArea_refuses_what_names_nothing(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", ":", "postcode:", "postcode: ", "postcode:LN-1", "locality:", "county:Kent", "a b", strings.Repeat("a", 65), "locality:" + strings.Repeat("a", 80)} {
		if _, err := contractor.ParseArea(s); err == nil {
			t.Errorf("%q is an area", s)
		}
	}
	for s, want := range map[string]string{"E1": "E1", "postcode: ln1  3 ": "postcode LN1 3", "locality: Lincoln": "locality Lincoln"} {
		if area, err := contractor.ParseArea(s); err != nil || area.String() != want {
			t.Errorf("%q: %v, %v", s, area, err)
		}
	}
}

// anyCandidate may fit tap or not, for any of the reasons.
func anyCandidate(t *rapid.T, id domain.ID) contractor.Candidate {
	areas := rapid.SliceOfN(rapid.SampledFrom([]string{"H1", "B1", "E1", "E2", "postcode:LN1", "postcode:LN2", "locality:Lincoln"}), 0, 2).Draw(t, "areas")
	facts := []contractor.Event{contractor.Described{
		Name: "X", Trades: []string{rapid.SampledFrom([]string{"plumbing", "plumbing", "plumbing", "gas"}).Draw(t, "trade")}, Areas: areas,
		Capacity: rapid.IntRange(0, 4).Draw(t, "capacity"), Retired: rapid.IntRange(0, 9).Draw(t, "retired") == 0,
	}}
	for i := range rapid.IntRange(0, 3).Draw(t, "lists") {
		from := april + domain.Date(rapid.IntRange(-2, 2).Draw(t, "from"))
		facts = append(facts, contractor.PricesSet{
			Contract: domain.ID(fmt.Sprint("K", i)), From: from, Currency: "GBP",
			Prices: []contractor.Price{{Code: rapid.SampledFrom([]string{"N631321", "A"}).Draw(t, "code"), Price: pounds(rapid.Int64Range(0, 3).Draw(t, "price"))}},
		})
	}
	return contractor.Candidate{ID: id, Contractor: domain.Fold[contractor.Contractor](facts...), Open: rapid.IntRange(0, 4).Draw(t, "open")}
}

// fits is the first half of the rule, said another way.
func fits(job contractor.Job, c contractor.Candidate) bool {
	k := c.Contractor
	here := []string{string(job.Place.Property), "B1", "E1", "postcode:LN1", "locality:Lincoln"}
	covers := len(k.Areas()) == 0 || slices.ContainsFunc(k.Areas(), func(a string) bool { return slices.Contains(here, a) })
	return !k.Retired() && k.DoesTrade(job.Trade) && covers && !slices.Contains(job.Not, c.ID) && (k.Capacity() == 0 || c.Open < k.Capacity())
}

func TestRoute_does_not_depend_on_the_order_and_chooses_who_fits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		job := tap()
		if rapid.Bool().Draw(t, "two codes") {
			job.Codes = append(job.Codes, contractor.Line{Code: "A", Quantity: rapid.IntRange(0, 3).Draw(t, "quantity")})
		}
		var candidates []contractor.Candidate
		for i := range rapid.IntRange(0, 8).Draw(t, "candidates") {
			candidates = append(candidates, anyCandidate(t, domain.ID(fmt.Sprint("C", i))))
			if rapid.IntRange(0, 5).Draw(t, "handed back") == 0 {
				job.Not = append(job.Not, candidates[i].ID)
			}
		}
		got := contractor.Route(job, candidates)
		shuffled := slices.Clone(candidates)
		seed := rapid.Uint64().Draw(t, "seed")
		rand.New(rand.NewPCG(seed, seed)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if diff := cmp.Diff(got, contractor.Route(job, shuffled)); diff != "" {
			t.Fatalf("another order, another choice:\n%s", diff)
		}
		fitting := 0
		for _, c := range candidates {
			at := slices.IndexFunc(got.Considered, func(o contractor.Considered) bool { return o.ID == c.ID })
			if at < 0 || got.Considered[at].Fits != fits(job, c) || got.Considered[at].Why == "" {
				t.Fatalf("%s is considered as %v", c.ID, got.Considered)
			}
			if fits(job, c) {
				fitting++
				cheaper(t, job, got, c)
			}
			if got.Contractor == c.ID && !fits(job, c) {
				t.Fatalf("%s was chosen and does not fit", c.ID)
			}
		}
		if (got.Contractor == "") != (fitting == 0) || len(got.Considered) != len(candidates) {
			t.Fatalf("%d fit, chosen is %q", fitting, got.Contractor)
		}
	})
}

// cheaper holds that nobody who fits and has every price costs less than the one chosen.
func cheaper(t *rapid.T, job contractor.Job, got contractor.Choice, c contractor.Candidate) {
	var sum int64
	for _, line := range job.Codes {
		price, _, ok := c.Contractor.PricesOn(job.On).Price(line.Code)
		if !ok {
			return
		}
		sum += price.Minor * int64(max(line.Quantity, 1))
	}
	if len(got.Prices) != len(job.Codes) || sum < got.Cost.Minor {
		t.Fatalf("%s costs %d, chosen %s costs %v", c.ID, sum, got.Contractor, got.Cost)
	}
}
