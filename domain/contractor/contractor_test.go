package contractor_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/contractor"
	"rentbook/domain/domaintest"
)

type (
	describing = domaintest.Example[contractor.Event, contractor.Description]
	pricing    = domaintest.Example[contractor.Event, contractor.Prices]
	opening    = domaintest.Example[contractor.Event, contractor.Availability]
)

func described() contractor.Described {
	return contractor.Described{
		Name: "Pipes & Sons Ltd", Trades: []string{"plumbing", "gas"}, Areas: []string{"E1", "postcode:LN1", "locality:Lincoln"},
		Capacity: 20, Email: domain.NewPersonal("jo@pipes.example"), Phone: domain.NewPersonal("01522 000000"),
	}
}

func pounds(minor int64) domain.Money { return domain.Money{Minor: minor, Currency: "GBP"} }

func pricesSet(contract domain.ID, from domain.Date, minor int64) contractor.PricesSet {
	return contractor.PricesSet{
		Contract: contract, From: from, Currency: "GBP",
		Prices: []contractor.Price{{Code: "N631321", Price: pounds(minor)}, {Code: "A100", Price: pounds(100)}},
	}
}

func availabilitySet() contractor.AvailabilitySet {
	return contractor.AvailabilitySet{
		Windows: []contractor.Window{
			{Day: "monday", From: "13:00", To: "17:00", Capacity: 2},
			{Day: "monday", From: "08:00", To: "12:00", Capacity: 3},
			{Day: "sunday", From: "00:30", To: "01:30", Capacity: 1},
		},
		Closed: []domain.Date{domain.NewDate(2026, 11, 30)},
		Opened: []contractor.Opening{{Date: domain.NewDate(2026, 11, 23), From: "18:00", To: "20:00", Capacity: 1}},
	}
}

func TestContractor_Describe(t *testing.T) {
	t.Parallel()
	row := func(name string, change func(*contractor.Described), err error) describing {
		d := described()
		change(&d)
		example := describing{Name: name, When: contractor.Description(d), Err: err}
		if err == nil {
			example.Then = []contractor.Event{d}
		}
		return example
	}
	again := row("describes it anew", func(d *contractor.Described) { d.Retired = true }, nil)
	again.Given = []contractor.Event{described()}
	domaintest.Examples(t, contractor.Contractor.Describe,
		row("records who the contractor is", func(*contractor.Described) {}, nil), again,
		row("needs neither areas nor a limit nor a mailbox", func(d *contractor.Described) {
			*d = contractor.Described{Name: "X", Trades: []string{"a"}}
		}, nil),
		row("refuses a contractor without a name", func(d *contractor.Described) { d.Name = "  " }, domain.ErrMissing.In("name")),
		row("refuses a contractor without a trade", func(d *contractor.Described) { d.Trades = nil }, domain.ErrMissing.In("trades")),
		row("refuses a trade that is no word", func(d *contractor.Described) { d.Trades = []string{"gas", "9gas"} }, contractor.ErrTrade),
		row("refuses a trade of 33 letters", func(d *contractor.Described) { d.Trades = []string{strings.Repeat("a", 33)} }, contractor.ErrTrade),
		row("takes a trade of 32", func(d *contractor.Described) { d.Trades = []string{strings.Repeat("a", 32)} }, nil),
		row("refuses an empty trade", func(d *contractor.Described) { d.Trades = []string{""} }, contractor.ErrTrade),
		row("refuses a trade twice", func(d *contractor.Described) { d.Trades = []string{"gas", "gas"} }, contractor.ErrTwice.In("trades")),
		row("refuses too many trades", func(d *contractor.Described) { d.Trades = make([]string, 101) }, domain.ErrTooLong.In("trades")),
		row("refuses an area that names nothing", func(d *contractor.Described) { d.Areas = []string{"postcode:"} }, contractor.ErrArea),
		row("refuses an area twice", func(d *contractor.Described) { d.Areas = []string{"E1", "E1"} }, contractor.ErrTwice.In("areas")),
		row("refuses too many areas", func(d *contractor.Described) { d.Areas = make([]string, 1001) }, domain.ErrTooLong.In("areas")),
		row("refuses less room than none", func(d *contractor.Described) { d.Capacity = -1 }, contractor.ErrCapacity),
	)
}

func TestContractor_SetPrices(t *testing.T) {
	t.Parallel()
	given := []contractor.Event{described()}
	row := func(name string, change func(*contractor.PricesSet), err error) pricing {
		p := pricesSet("2026", domain.NewDate(2026, 4, 1), 4210)
		change(&p)
		example := pricing{Name: name, Given: given, When: contractor.Prices(p), Err: err}
		if err == nil {
			example.Then = []contractor.Event{p}
		}
		return example
	}
	price := func(code string, money domain.Money) func(*contractor.PricesSet) {
		return func(p *contractor.PricesSet) { p.Prices = []contractor.Price{{Code: code, Price: money}} }
	}
	many := func(n int) func(*contractor.PricesSet) {
		return func(p *contractor.PricesSet) {
			p.Prices = nil
			for i := range n {
				p.Prices = append(p.Prices, contractor.Price{Code: fmt.Sprint(i), Price: pounds(1)})
			}
		}
	}
	again := row("sets another list under the same contract", func(p *contractor.PricesSet) { p.To = p.From }, nil)
	again.Given = append(again.Given, pricesSet("2026", domain.NewDate(2026, 4, 1), 1), pricesSet("2025", domain.NewDate(2025, 4, 1), 1))
	nobody := row("refuses prices of nobody", func(*contractor.PricesSet) {}, contractor.ErrUnknown)
	nobody.Given = nil
	domaintest.Examples(t, contractor.Contractor.SetPrices,
		row("records a price list", func(*contractor.PricesSet) {}, nil), again, nobody,
		row("refuses a list without a contract", func(p *contractor.PricesSet) { p.Contract = "" }, domain.ErrMissing.In("contract")),
		row("refuses a list without a first day", func(p *contractor.PricesSet) { p.From = 0 }, domain.ErrMissing.In("from")),
		row("refuses a last day before the first", func(p *contractor.PricesSet) { p.To = p.From - 1 }, domain.ErrDates.In("to")),
		row("refuses a currency that is none", func(p *contractor.PricesSet) { p.Currency = "XXX" }, domain.ErrCurrency.In("currency")),
		row("refuses a list without prices", func(p *contractor.PricesSet) { p.Prices = nil }, domain.ErrMissing.In("prices")),
		row("takes 5,000 prices", many(5000), nil),
		row("refuses 5,001", many(5001), domain.ErrTooLong.In("prices")),
		row("refuses a code twice", func(p *contractor.PricesSet) { p.Prices = append(p.Prices, p.Prices[0]) }, contractor.ErrTwice.In("prices")),
		row("refuses a code that is empty", price("", pounds(1)), contractor.ErrCode),
		row("refuses a code of 65 bytes", price(strings.Repeat("x", 65), pounds(1)), contractor.ErrCode),
		row("refuses a price in another currency", price("A", domain.Money{Minor: 1, Currency: "EUR"}), contractor.ErrOtherMoney),
		row("takes a price of nought", price("A", pounds(0)), nil),
		row("refuses a price below nought", price("A", pounds(-1)), contractor.ErrPrice),
		row("refuses a price too large to record", price("A", pounds(domain.MinorMax+1)), contractor.ErrPrice),
	)
}

func TestContractor_SetAvailability(t *testing.T) {
	t.Parallel()
	row := func(name string, change func(*contractor.AvailabilitySet), err error) opening {
		a := availabilitySet()
		change(&a)
		example := opening{Name: name, Given: []contractor.Event{described()}, When: contractor.Availability(a), Err: err}
		if err == nil {
			example.Then = []contractor.Event{a}
		}
		return example
	}
	window := func(day, from, to string, capacity int) func(*contractor.AvailabilitySet) {
		return func(a *contractor.AvailabilitySet) {
			a.Windows = append(a.Windows, contractor.Window{Day: day, From: from, To: to, Capacity: capacity})
		}
	}
	opened := func(day domain.Date, from, to string, capacity int) func(*contractor.AvailabilitySet) {
		return func(a *contractor.AvailabilitySet) {
			a.Opened = append(a.Opened, contractor.Opening{Date: day, From: from, To: to, Capacity: capacity})
		}
	}
	monday := domain.NewDate(2026, 11, 23)
	nobody := row("refuses windows of nobody", func(*contractor.AvailabilitySet) {}, contractor.ErrUnknown)
	nobody.Given = nil
	domaintest.Examples(t, contractor.Contractor.SetAvailability,
		row("records when the contractor can come", func(*contractor.AvailabilitySet) {}, nil), nobody,
		row("can be never", func(a *contractor.AvailabilitySet) { *a = contractor.AvailabilitySet{} }, nil),
		row("takes windows that touch", window("monday", "12:00", "13:00", 1), nil),
		row("takes the same hours on another day", window("tuesday", "08:00", "12:00", 1), nil),
		row("refuses an unknown weekday", window("Monday", "20:00", "21:00", 1), contractor.ErrWeekday),
		row("refuses a time that is none", window("friday", "8:00", "12:00", 1), contractor.ErrTimes.In("windows")),
		row("refuses the 25th hour", window("friday", "08:00", "24:01", 1), contractor.ErrTimes.In("windows")),
		row("refuses a window that ends as it starts", window("friday", "08:00", "08:00", 1), contractor.ErrTimes.In("windows")),
		row("refuses a window that ends before it starts", window("friday", "12:00", "08:00", 1), contractor.ErrTimes.In("windows")),
		row("refuses a window without room", window("friday", "08:00", "12:00", 0), contractor.ErrCapacity.In("windows")),
		row("refuses windows that overlap", window("monday", "11:59", "12:30", 1), contractor.ErrOverlap.In("windows")),
		row("refuses the same window twice", window("monday", "08:00", "12:00", 3), contractor.ErrOverlap.In("windows")),
		row("refuses an opening that overlaps a window", opened(monday, "16:00", "18:00", 1), contractor.ErrOverlap.In("opened")),
		row("refuses an opening that overlaps another", opened(monday, "19:00", "21:00", 1), contractor.ErrOverlap.In("opened")),
		row("refuses an opening on a closed day", opened(monday+7, "18:00", "19:00", 1), contractor.ErrOpenedClosed),
		row("refuses an opening on no day", opened(0, "18:00", "19:00", 1), domain.ErrDate.In("opened")),
		row("refuses an opening without times", opened(monday, "", "", 1), contractor.ErrTimes.In("opened")),
		row("refuses an opening without room", opened(monday, "20:00", "21:00", 0), contractor.ErrCapacity.In("opened")),
		row("refuses to be closed on no day", func(a *contractor.AvailabilitySet) { a.Closed = []domain.Date{0} }, domain.ErrDate.In("closed")),
		row("refuses too many windows", func(a *contractor.AvailabilitySet) { a.Windows = make([]contractor.Window, 101) }, domain.ErrTooLong.In("windows")),
		row("refuses too many closed days", func(a *contractor.AvailabilitySet) { a.Closed = make([]domain.Date, 1001) }, domain.ErrTooLong.In("closed")),
		row("refuses too many openings", func(a *contractor.AvailabilitySet) { a.Opened = make([]contractor.Opening, 1001) }, domain.ErrTooLong.In("opened")),
	)
}

func TestNouns_match_facts_that_say_the_same(t *testing.T) {
	t.Parallel()
	asked := contractor.Description(described())
	erased := described()
	erased.Email, erased.Phone = domain.Personal{Erased: true}, domain.Personal{Erased: true}
	if !asked.Matches(described()) || !asked.Matches(erased) || asked.Matches(availabilitySet()) {
		t.Error("the same contractor, erased or not, does not match, or windows do")
	}
	for name, change := range map[string]func(*contractor.Described){
		"name": func(d *contractor.Described) { d.Name = "Y" }, "trades": func(d *contractor.Described) { d.Trades = []string{"gas"} },
		"areas": func(d *contractor.Described) { d.Areas = nil }, "capacity": func(d *contractor.Described) { d.Capacity++ },
		"email": func(d *contractor.Described) { d.Email.Text = "" }, "phone": func(d *contractor.Described) { d.Phone.Text = "1" },
		"retired": func(d *contractor.Described) { d.Retired = true },
	} {
		other := described()
		change(&other)
		if asked.Matches(other) {
			t.Errorf("another %s matches", name)
		}
	}
	prices := contractor.Prices(pricesSet("2026", 5, 10))
	if !prices.Matches(pricesSet("2026", 5, 10)) || prices.Matches(pricesSet("2026", 5, 11)) || prices.Matches(pricesSet("2025", 5, 10)) ||
		prices.Matches(pricesSet("2026", 6, 10)) || prices.Matches(described()) {
		t.Error("prices match wrongly")
	}
	available := contractor.Availability(availabilitySet())
	if !available.Matches(availabilitySet()) || available.Matches(contractor.AvailabilitySet{}) || available.Matches(described()) {
		t.Error("availability matches wrongly")
	}
}

func TestContractor_knows_what_was_said_of_it_last(t *testing.T) {
	t.Parallel()
	var none contractor.Contractor
	if none.Exists() || none.Retired() || none.Version() != 0 {
		t.Error("a contractor nobody described exists")
	}
	anew := described()
	anew.Retired, anew.Trades, anew.Areas, anew.Capacity = true, []string{"roofing"}, nil, 0
	list := pricesSet("2026", 5, 10)
	c := domain.Fold[contractor.Contractor, contractor.Event](described(), list, availabilitySet(), pricesSet("2025", 4, 1), list, anew, availabilitySet())
	if !c.Exists() || !c.Retired() || !c.DoesTrade("roofing") || c.DoesTrade("gas") || len(c.Areas()) != 0 || c.Capacity() != 0 || c.Version() != 7 {
		t.Errorf("got %+v", c)
	}
	if diff := cmp.Diff([]string{"roofing"}, c.Trades()); diff != "" {
		t.Error(diff)
	}
	for name, got := range map[string][]uint64{
		"[1 6]": contractor.Description(anew).Recorded(c), "[2 5]": contractor.Prices(list).Recorded(c),
		"[4]": contractor.Prices(pricesSet("2025", 4, 1)).Recorded(c), "[3 7]": contractor.Availability{}.Recorded(c),
		"[]": contractor.Prices{Contract: "2024"}.Recorded(c),
	} {
		if fmt.Sprint(got) != name {
			t.Errorf("recorded at %v, want %s", got, name)
		}
	}
	if c.Weight() <= none.Weight() {
		t.Error("prices and windows weigh nothing")
	}
}

func TestContractor_PricesOn(t *testing.T) {
	t.Parallel()
	open := pricesSet("old", domain.NewDate(2025, 4, 1), 4000)
	year := pricesSet("year", domain.NewDate(2026, 4, 1), 4210)
	year.To = domain.NewDate(2027, 3, 31)
	year.Prices = year.Prices[:1]
	twin := pricesSet("twin", domain.NewDate(2025, 4, 1), 3900)
	twin.Prices = twin.Prices[:1]
	c := domain.Fold[contractor.Contractor, contractor.Event](described(), open, year, twin)
	for _, row := range []struct {
		name string
		on   domain.Date
		code string
		want string
	}{
		{"before any contract", domain.NewDate(2025, 3, 31), "N631321", " 0.00 false"},
		{"of two that began on one day the one set later", domain.NewDate(2025, 4, 1), "N631321", "twin 39.00 true"},
		{"the latest from", domain.NewDate(2026, 4, 1), "N631321", "year 42.10 true"},
		{"its last day", domain.NewDate(2027, 3, 31), "N631321", "year 42.10 true"},
		{"after it", domain.NewDate(2027, 4, 1), "N631321", "twin 39.00 true"},
		{"an older contract where the newer does not have the code", domain.NewDate(2026, 4, 1), "A100", "old 1.00 true"},
		{"a code of nobody's", domain.NewDate(2026, 4, 1), "Z", " 0.00 false"},
	} {
		price, contract, ok := c.PricesOn(row.on).Price(row.code)
		if got := fmt.Sprint(contract, " ", price, " ", ok); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
	c = c.Apply(open)
	if _, contract, _ := c.PricesOn(domain.NewDate(2025, 4, 1)).Price("N631321"); contract != "old" {
		t.Errorf("set again last, but the price is from %s", contract)
	}
}

func TestEvents_have_names_that_never_change_and_read_as_written(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range contractor.Events() {
		got = append(got, e.EventType())
	}
	want := []string{"contractor.described.v1", "contractor.prices-set.v1", "contractor.availability-set.v1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if key, fields := described().Personal(); key != "" || len(fields) != 2 {
		t.Errorf("sealed with %q: %v", key, fields)
	}
	for _, e := range []contractor.Event{described(), contractor.Described{Name: "X", Trades: []string{"a"}}, pricesSet("2026", 5, 10), availabilitySet(), contractor.AvailabilitySet{}} {
		data, err := json.Marshal(e)
		read := reflect.New(reflect.TypeOf(e))
		if err != nil || json.Unmarshal(data, read.Interface()) != nil || !cmp.Equal(e, read.Elem().Interface()) {
			t.Errorf("%s reads as %v", data, read.Elem())
		}
	}
}
