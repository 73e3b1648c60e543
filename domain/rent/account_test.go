package rent_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/domaintest"
	"rentbook/domain/rent"
)

func date(s string) domain.Date {
	d, err := domain.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func amount(s string) domain.Amount {
	a, err := domain.ParseAmount(s)
	if err != nil {
		panic(err)
	}
	return a
}

func pounds(s string) domain.Money {
	m, err := amount(s).In("GBP")
	if err != nil {
		panic(err)
	}
	return m
}

func text(s string) domain.Personal { return domain.NewPersonal(s) }

func opened() rent.AccountOpened {
	return rent.AccountOpened{StartsOn: date("2024-01-01"), Currency: "GBP"}
}

// opening has no history but that the account is open.
func opening() []rent.Event { return []rent.Event{opened()} }

type (
	openings    = domaintest.Example[rent.Event, rent.Opening]
	settings    = domaintest.Example[rent.Event, rent.Term]
	enterings   = domaintest.Example[rent.Event, rent.Charge]
	receivings  = domaintest.Example[rent.Event, rent.Payment]
	reversings  = domaintest.Example[rent.Event, rent.Reversal]
	adjustments = domaintest.Example[rent.Event, rent.Adjustment]
)

func TestAccount_Open(t *testing.T) {
	t.Parallel()
	ends := rent.Opening{StartsOn: date("2024-01-01"), EndsOn: date("2024-06-30"), Currency: "GBP"}
	domaintest.Examples(t, rent.Account.Open,
		openings{Name: "opens an account", When: rent.Opening(opened()), Then: opening()},
		openings{Name: "says nothing when it is open with these days", Given: opening(), When: rent.Opening(opened())},
		openings{
			Name: "records other days of an account that is open", Given: opening(), When: ends,
			Then: []rent.Event{rent.DatesChanged{StartsOn: date("2024-01-01"), EndsOn: date("2024-06-30")}},
		},
		openings{
			Name: "can take an end back", When: rent.Opening(opened()),
			Given: []rent.Event{opened(), rent.DatesChanged{StartsOn: date("2024-01-01"), EndsOn: date("2024-06-30")}},
			Then:  []rent.Event{rent.DatesChanged{StartsOn: date("2024-01-01")}},
		},
		openings{
			Name: "may be for one day", When: rent.Opening{StartsOn: date("2024-01-01"), EndsOn: date("2024-01-01"), Currency: "EUR"},
			Then: []rent.Event{rent.AccountOpened{StartsOn: date("2024-01-01"), EndsOn: date("2024-01-01"), Currency: "EUR"}},
		},
		openings{
			Name: "refuses an end before the start", Err: domain.ErrDates.In("ends_on"),
			When: rent.Opening{StartsOn: date("2024-01-02"), EndsOn: date("2024-01-01"), Currency: "GBP"},
		},
		openings{
			Name: "refuses no start", When: rent.Opening{Currency: "GBP"}, Err: domain.ErrDate.In("starts_on"),
		},
		openings{
			Name: "refuses a start whose period could begin before there were days", Err: domain.ErrDate.In("starts_on"),
			When: rent.Opening{StartsOn: date("0001-12-31"), Currency: "GBP"},
		},
		openings{
			Name: "refuses a currency that does not exist", Err: domain.ErrCurrency.In("currency"),
			When: rent.Opening{StartsOn: date("2024-01-01"), Currency: "GBX"},
		},
		openings{
			Name: "refuses another currency", Given: opening(), Err: rent.ErrFixedCurrency,
			When: rent.Opening{StartsOn: date("2024-01-01"), Currency: "EUR"},
		},
	)
}

// termSet is a weekly rent of 100 pounds from the day the account was opened.
func termSet(changes ...func(*rent.TermSet)) rent.TermSet {
	e := rent.TermSet{
		Term: "R1", Code: "rent", Description: "Rent", Amount: pounds("100"), Period: rent.Weekly,
		Due: rent.InAdvance, Proration: rent.PeriodDays, From: date("2024-01-01"),
	}
	for _, change := range changes {
		change(&e)
	}
	return e
}

func termAsked(changes ...func(*rent.Term)) rent.Term {
	t := rent.Term{
		ID: "R1", Code: "rent", Description: "Rent", Amount: amount("100"), Period: rent.Weekly,
		Due: rent.InAdvance, Proration: rent.PeriodDays, From: date("2024-01-01"),
	}
	for _, change := range changes {
		change(&t)
	}
	return t
}

func TestAccount_SetTerm(t *testing.T) {
	t.Parallel()
	domaintest.Examples(t, rent.Account.SetTerm,
		settings{Name: "records a term", Given: opening(), When: termAsked(), Then: []rent.Event{termSet()}},
		settings{
			Name: "records all of a term", Given: opening(),
			When: termAsked(func(t *rent.Term) {
				t.Period, t.ChargeDay, t.AnchoredOn, t.Due = rent.Quarterly, "31", date("2023-03-01"), rent.InArrears
				t.Proration, t.To, t.BenefitEligible = rent.YearlyDays, date("2024-01-01"), true
				t.Fund, t.RentFreeCalendar = "hra", "xmas"
			}),
			Then: []rent.Event{termSet(func(e *rent.TermSet) {
				e.Period, e.ChargeDay, e.AnchoredOn, e.Due = rent.Quarterly, "31", date("2023-03-01"), rent.InArrears
				e.Proration, e.To, e.BenefitEligible = rent.YearlyDays, date("2024-01-01"), true
				e.Fund, e.RentFreeCalendar = "hra", "xmas"
			})},
		},
		settings{
			Name:  "records what a term reads from here on",
			Given: []rent.Event{opened(), termSet()}, When: termAsked(func(t *rent.Term) { t.Amount = amount("110.5") }),
			Then: []rent.Event{termSet(func(e *rent.TermSet) { e.Amount = pounds("110.50") })},
		},
		settings{
			Name: "may be of nothing", Given: opening(), When: termAsked(func(t *rent.Term) { t.Amount = amount("0") }),
			Then: []rent.Event{termSet(func(e *rent.TermSet) { e.Amount = pounds("0.00") })},
		},
		settings{
			Name: "may start before the tenancy does", Given: opening(), When: termAsked(func(t *rent.Term) { t.From = date("2000-01-01") }),
			Then: []rent.Event{termSet(func(e *rent.TermSet) { e.From = date("2000-01-01") })},
		},
		settings{Name: "refuses an account nobody opened", When: termAsked(), Err: rent.ErrNotOpen},
	)
}

func TestAccount_SetTerm_refuses_what_no_charge_can_follow_from(t *testing.T) {
	t.Parallel()
	refused := func(name string, err error, change func(*rent.Term)) settings {
		return settings{Name: name, Given: opening(), When: termAsked(change), Err: err}
	}
	domaintest.Examples(t, rent.Account.SetTerm,
		refused("no code", rent.ErrCode, func(t *rent.Term) { t.Code = "" }),
		refused("a code that an id cannot have", rent.ErrCode, func(t *rent.Term) { t.Code = "Ground rent" }),
		refused("a code that is too long", rent.ErrCode, func(t *rent.Term) { t.Code = "a23456789012345678901234567890123" }),
		refused("an end before the start", domain.ErrDates.In("to"), func(t *rent.Term) { t.To = date("2023-12-31") }),
		refused("more decimals than the currency has", domain.ErrDecimals.In("amount"), func(t *rent.Term) { t.Amount = amount("1.005") }),
		refused("an amount without bounds", domain.ErrTooLarge.In("amount"), func(t *rent.Term) { t.Amount = amount("100000000000.01") }),
		refused("no period", domain.ErrWord.In("period"), func(t *rent.Term) { t.Period = "" }),
		refused("a period that nobody knows", domain.ErrWord.In("period"), func(t *rent.Term) { t.Period = "daily" }),
		refused("a due that nobody knows", domain.ErrWord.In("due"), func(t *rent.Term) { t.Due = "later" }),
		refused("a proration that nobody knows", domain.ErrWord.In("proration"), func(t *rent.Term) { t.Proration = "365" }),
		refused("a day of the month for weeks", rent.ErrChargeDay, func(t *rent.Term) { t.ChargeDay = "1" }),
		refused("a weekday written otherwise", rent.ErrChargeDay, func(t *rent.Term) { t.ChargeDay = "Monday" }),
		refused("a weekday for months", rent.ErrChargeDay, func(t *rent.Term) { t.Period, t.ChargeDay = rent.Monthly, "monday" }),
		refused("day 0", rent.ErrChargeDay, func(t *rent.Term) { t.Period, t.ChargeDay = rent.Monthly, "0" }),
		refused("day 32", rent.ErrChargeDay, func(t *rent.Term) { t.Period, t.ChargeDay = rent.Yearly, "32" }),
		refused("day 01", rent.ErrChargeDay, func(t *rent.Term) { t.Period, t.ChargeDay = rent.Quarterly, "01" }),
		refused("day +1", rent.ErrChargeDay, func(t *rent.Term) { t.Period, t.ChargeDay = rent.Quarterly, "+1" }),
	)
}

func entered() rent.ChargeEntered {
	return rent.ChargeEntered{Charge: "C1", Code: "other", Amount: pounds("12.50"), ValueDate: date("2024-03-01"), Description: text("Lock")}
}

func TestAccount_Enter(t *testing.T) {
	t.Parallel()
	lock := rent.Charge{ID: "C1", Code: "other", Amount: amount("12.5"), ValueDate: date("2024-03-01"), Description: text("Lock")}
	with := func(change func(*rent.Charge)) rent.Charge {
		c := lock
		change(&c)
		return c
	}
	domaintest.Examples(t, rent.Account.Enter,
		enterings{Name: "records a charge by hand", Given: opening(), When: lock, Then: []rent.Event{entered()}},
		enterings{
			Name: "may be for a day before the tenancy", Given: opening(),
			When: rent.Charge{ID: "C2", Code: "x y", Amount: amount("1"), ValueDate: date("2020-01-01"), PeriodFrom: date("2020-01-01")},
			Then: []rent.Event{rent.ChargeEntered{
				Charge: "C2", Code: "x y", Amount: pounds("1"), ValueDate: date("2020-01-01"), PeriodFrom: date("2020-01-01"),
			}},
		},
		enterings{Name: "refuses an account nobody opened", When: lock, Err: rent.ErrNotOpen},
		enterings{Name: "refuses nothing", Given: opening(), When: with(func(c *rent.Charge) { c.Amount = amount("0.00") }), Err: rent.ErrNothing},
		enterings{
			Name: "refuses more decimals than the currency has", Given: opening(), Err: domain.ErrDecimals.In("amount"),
			When: with(func(c *rent.Charge) { c.Amount = amount("0.001") }),
		},
		enterings{
			Name: "refuses a period that ends before it starts", Given: opening(), Err: domain.ErrDates.In("period_to"),
			When: with(func(c *rent.Charge) { c.PeriodFrom, c.PeriodTo = date("2024-03-02"), date("2024-03-01") }),
		},
	)
}

func received() rent.PaymentReceived {
	return rent.PaymentReceived{
		Payment: "P1", Amount: pounds("100"), ValueDate: date("2024-03-05"), Method: "direct_debit",
		Reference: text("T1001/MAR"), Payer: text("A. O'Neill"),
	}
}

func TestAccount_Receive(t *testing.T) {
	t.Parallel()
	march := rent.Payment{
		ID: "P1", Amount: amount("100"), ValueDate: date("2024-03-05"), Method: "direct_debit",
		Reference: text("T1001/MAR"), Payer: text("A. O'Neill"),
	}
	with := func(change func(*rent.Payment)) rent.Payment {
		p := march
		change(&p)
		return p
	}
	domaintest.Examples(t, rent.Account.Receive,
		receivings{Name: "records a payment", Given: opening(), When: march, Then: []rent.Event{received()}},
		receivings{Name: "refuses an account nobody opened", When: march, Err: rent.ErrNotOpen},
		receivings{Name: "refuses nothing", Given: opening(), When: with(func(p *rent.Payment) { p.Amount = domain.Amount{} }), Err: rent.ErrNothing},
		receivings{
			Name: "refuses an amount without bounds", Given: opening(), Err: domain.ErrTooLarge.In("amount"),
			When: with(func(p *rent.Payment) { p.Amount = amount("9223372036854775807") }),
		},
		receivings{
			Name: "refuses a period that ends before it starts", Given: opening(), Err: domain.ErrDates.In("period_to"),
			When: with(func(p *rent.Payment) { p.PeriodFrom, p.PeriodTo = date("2024-03-02"), date("2024-03-01") }),
		},
	)
}

func reversed() rent.PaymentReversed {
	return rent.PaymentReversed{
		Reversal: "P1:reversal", Payment: "P1", Amount: pounds("100"), ValueDate: date("2024-03-06"), ReasonCode: "ARUDD-0",
	}
}

func TestAccount_Reverse(t *testing.T) {
	t.Parallel()
	paid := []rent.Event{opened(), entered(), received()}
	bounce := rent.Reversal{ID: "P1:reversal", Payment: "P1", ValueDate: date("2024-03-06"), ReasonCode: "ARUDD-0"}
	with := func(change func(*rent.Reversal)) rent.Reversal {
		r := bounce
		change(&r)
		return r
	}
	sameDay, fee := reversed(), reversed()
	sameDay.ValueDate, fee.Fee = date("2024-03-05"), pounds("15")
	domaintest.Examples(t, rent.Account.Reverse,
		reversings{Name: "takes a payment back", Given: paid, When: bounce, Then: []rent.Event{reversed()}},
		reversings{
			Name: "may be of the day of the payment", Given: paid, Then: []rent.Event{sameDay},
			When: with(func(r *rent.Reversal) { r.ValueDate = date("2024-03-05") }),
		},
		reversings{Name: "may bring a fee", Given: paid, When: with(func(r *rent.Reversal) { r.Fee = amount("15") }), Then: []rent.Event{fee}},
		reversings{
			Name: "may repeat the amount", Given: paid, When: with(func(r *rent.Reversal) { r.Amount = amount("100.00") }),
			Then: []rent.Event{reversed()},
		},
		reversings{
			Name: "refuses another amount than the payment's", Given: paid, Err: rent.ErrReversedAmount,
			When: with(func(r *rent.Reversal) { r.Amount = amount("99.99") }),
		},
		reversings{
			Name: "refuses the amount of nought", Given: paid, Err: rent.ErrReversedAmount,
			When: with(func(r *rent.Reversal) { r.Amount = amount("0.00") }),
		},
		reversings{
			Name: "refuses a fee with more decimals than the currency", Given: paid, Err: domain.ErrDecimals.In("fee"),
			When: with(func(r *rent.Reversal) { r.Fee = amount("0.001") }),
		},
		reversings{
			Name: "refuses a second time", Given: append(slices.Clip(paid), reversed()), Err: rent.ErrAlreadyReversed,
			When: with(func(r *rent.Reversal) { r.ID = "again" }),
		},
		reversings{
			Name: "refuses a day before the payment", Given: paid, Err: rent.ErrReversedBefore,
			When: with(func(r *rent.Reversal) { r.ValueDate = date("2024-03-04") }),
		},
		reversings{
			Name: "refuses a payment that is not there", Given: paid, Err: rent.ErrUnknownPayment,
			When: with(func(r *rent.Reversal) { r.Payment = "P2" }),
		},
		reversings{
			Name: "refuses an entry that is no payment", Given: paid, Err: rent.ErrUnknownPayment,
			When: with(func(r *rent.Reversal) { r.Payment = "C1" }),
		},
		reversings{
			Name: "refuses to reverse a reversal", Given: append(slices.Clip(paid), reversed()), Err: rent.ErrUnknownPayment,
			When: with(func(r *rent.Reversal) { r.Payment, r.ID = "P1:reversal", "again" }),
		},
		reversings{
			Name: "refuses a period that ends before it starts", Given: paid, Err: domain.ErrDates.In("period_to"),
			When: with(func(r *rent.Reversal) { r.PeriodFrom, r.PeriodTo = date("2024-03-02"), date("2024-03-01") }),
		},
		reversings{Name: "refuses an account nobody opened", When: bounce, Err: rent.ErrNotOpen},
	)
}

func TestAccount_Adjust(t *testing.T) {
	t.Parallel()
	credit := rent.Adjustment{ID: "A1", Kind: rent.KindCredit, Amount: amount("5"), ValueDate: date("2024-03-01"), Reason: text("Goodwill")}
	made := rent.AdjustmentMade{Adjustment: "A1", Kind: rent.KindCredit, Amount: pounds("5"), ValueDate: date("2024-03-01"), Reason: text("Goodwill")}
	rows := []adjustments{
		{Name: "refuses an account nobody opened", When: credit, Err: rent.ErrNotOpen},
	}
	add := func(name string, err error, change func(*rent.Adjustment)) {
		j := credit
		change(&j)
		rows = append(rows, adjustments{Name: name, Given: []rent.Event{opened(), entered()}, When: j, Err: err})
	}
	for _, kind := range rent.Adjustments() {
		j, e := credit, made
		j.Kind, e.Kind = kind, kind
		rows = append(rows, adjustments{Name: "records a " + string(kind), Given: opening(), When: j, Then: []rent.Event{e}})
	}
	corrects, corrected := credit, made
	corrects.Corrects, corrected.Corrects = "C1", "C1"
	rows = append(rows, adjustments{
		Name: "may name the entry that it corrects", Given: []rent.Event{opened(), entered()}, When: corrects, Then: []rent.Event{corrected},
	})
	add("refuses to correct an entry that is not there", rent.ErrUnknownEntry, func(j *rent.Adjustment) { j.Corrects = "C2" })
	add("refuses nothing", rent.ErrNothing, func(j *rent.Adjustment) { j.Amount = amount("0") })
	add("refuses a payment, which can be reversed", domain.ErrWord.In("kind"), func(j *rent.Adjustment) { j.Kind = rent.KindPayment })
	add("refuses a charge", domain.ErrWord.In("kind"), func(j *rent.Adjustment) { j.Kind = rent.KindCharge })
	add("refuses a reversal", domain.ErrWord.In("kind"), func(j *rent.Adjustment) { j.Kind = rent.KindPaymentReversal })
	add("refuses no kind", domain.ErrWord.In("kind"), func(j *rent.Adjustment) { j.Kind = "" })
	add("refuses a period that ends before it starts", domain.ErrDates.In("period_to"), func(j *rent.Adjustment) {
		j.PeriodFrom, j.PeriodTo = date("2024-03-02"), date("2024-03-01")
	})
	domaintest.Examples(t, rent.Account.Adjust, rows...)
}

// TestNouns_match has, for each noun, the fact it becomes and facts that another noun of the same id
// would have become.
func TestNouns_match_the_fact_they_become_and_no_other(t *testing.T) {
	t.Parallel()
	type noun interface{ Matches(rent.Event) bool }
	charge := rent.Charge{ID: "X", Code: "other", Amount: amount("5"), ValueDate: 9, Description: text("d"), Reference: text("r")}
	payment := rent.Payment{ID: "X", Amount: amount("5"), ValueDate: 9, Payer: text("p"), Instruction: text("i"), Reference: text("r"), Description: text("d")}
	reversal := rent.Reversal{ID: "X", Payment: "P", ValueDate: 9, Reason: text("w"), Reference: text("r"), Amount: amount("5"), Fee: amount("1")}
	adjustment := rent.Adjustment{ID: "X", Kind: rent.KindDebit, Amount: amount("5"), ValueDate: 9, Reason: text("w"), Reference: text("r")}
	five, gone := pounds("5"), domain.Personal{Erased: true}
	enteredX := rent.ChargeEntered{Charge: "X", Code: "other", Amount: five, ValueDate: 9, Description: text("d"), Reference: text("r")}
	receivedX := rent.PaymentReceived{
		Payment: "X", Amount: five, ValueDate: 9, Payer: text("p"), Instruction: text("i"), Reference: text("r"), Description: text("d"),
	}
	reversedX := rent.PaymentReversed{Reversal: "X", Payment: "P", Amount: five, ValueDate: 9, Reason: text("w"), Reference: text("r"), Fee: pounds("1")}
	madeX := rent.AdjustmentMade{Adjustment: "X", Kind: rent.KindDebit, Amount: five, ValueDate: 9, Reason: text("w"), Reference: text("r")}
	facts := []rent.Event{enteredX, receivedX, reversedX, madeX, termSet()}
	for i, n := range []noun{charge, payment, reversal, adjustment, termAsked()} {
		for j, fact := range facts {
			if got := n.Matches(fact); got != (i == j) {
				t.Errorf("%T matches %T: %v", n, fact, got)
			}
		}
	}
	erased := func(n noun, fact rent.Event) {
		if !n.Matches(fact) {
			t.Errorf("%T does not match what erasure left of it", n)
		}
	}
	enteredX.Description, enteredX.Reference = gone, gone
	receivedX.Payer, receivedX.Instruction, receivedX.Reference, receivedX.Description = gone, gone, gone, gone
	reversedX.Reason, reversedX.Reference = gone, gone
	madeX.Reason, madeX.Reference = gone, gone
	erased(charge, enteredX)
	erased(payment, receivedX)
	erased(reversal, reversedX)
	erased(adjustment, madeX)
}

func TestNouns_do_not_match_a_fact_that_differs_in_anything(t *testing.T) {
	t.Parallel()
	type noun interface{ Matches(rent.Event) bool }
	charge := rent.Charge{ID: "C1", Code: "other", Amount: amount("12.50"), ValueDate: date("2024-03-01"), Description: text("Lock")}
	payment := rent.Payment{
		ID: "P1", Amount: amount("100"), ValueDate: date("2024-03-05"), Method: "direct_debit",
		Reference: text("T1001/MAR"), Payer: text("A. O'Neill"),
	}
	bounce := rent.Reversal{ID: "P1:reversal", Payment: "P1", ValueDate: date("2024-03-06"), ReasonCode: "ARUDD-0"}
	if !charge.Matches(entered()) || !payment.Matches(received()) || !bounce.Matches(reversed()) {
		t.Fatal("the same does not match")
	}
	differ := func(name string, n noun, fact rent.Event) {
		if n.Matches(fact) {
			t.Errorf("another %s matches", name)
		}
	}
	c := entered()
	c.Amount.Minor++
	differ("amount of a charge", charge, c)
	c = entered()
	c.Description.Text = "Key"
	differ("description of a charge", charge, c)
	p := received()
	p.ValueDate++
	differ("date of a payment", payment, p)
	p = received()
	p.Instruction = text("March rent")
	differ("instruction with a payment", payment, p)
	r := reversed()
	r.Fee = pounds("1")
	differ("fee of a reversal", bounce, r)
	r = reversed()
	r.Reason = text("why")
	differ("reason of a reversal", bounce, r)
	bounce.Amount = amount("99")
	differ("amount of a reversal", bounce, reversed())
	differ("code of a term", termAsked(), termSet(func(e *rent.TermSet) { e.Code = "service" }))
	differ("currency's decimals of a term", termAsked(func(t *rent.Term) { t.Amount = amount("100.00") }),
		termSet(func(e *rent.TermSet) { e.Amount = domain.Money{Minor: 100, Currency: "JPY"} }))
}

func TestAccount_knows_every_entry_by_its_id_whatever_its_kind(t *testing.T) {
	t.Parallel()
	fee := reversed()
	fee.Fee = pounds("15")
	a := domain.Fold[rent.Account, rent.Event](opened(), termSet(), entered(), received(), fee,
		rent.AdjustmentMade{Adjustment: "A1", Kind: rent.KindRefund, Amount: pounds("1")}, termSet())
	for id, want := range map[domain.ID]uint64{"C1": 3, "P1": 4, "P1:reversal": 5, "P1:fee": 5, "A1": 6} {
		for name, got := range map[string][]uint64{
			"charge": rent.Charge{ID: id}.Recorded(a), "payment": rent.Payment{ID: id}.Recorded(a),
			"reversal": rent.Reversal{ID: id}.Recorded(a), "adjustment": rent.Adjustment{ID: id}.Recorded(a),
		} {
			if diff := cmp.Diff([]uint64{want}, got); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", name, id, diff)
			}
		}
	}
	if diff := cmp.Diff([]uint64{2, 7}, termAsked().Recorded(a)); diff != "" {
		t.Errorf("term (-want +got):\n%s", diff)
	}
	if rent.Charge.Recorded(rent.Charge{ID: "no"}, a) != nil || rent.Charge.Recorded(rent.Charge{ID: "C1"}, rent.Account{}) != nil {
		t.Error("it knows an entry that is not there")
	}
	if a.Version() != 7 || !a.IsOpen() || a.Currency() != "GBP" || (rent.Account{}).IsOpen() || a.Weight() <= (rent.Account{}).Weight() {
		t.Errorf("version %d, open %v, currency %s, weight %d", a.Version(), a.IsOpen(), a.Currency(), a.Weight())
	}
}
