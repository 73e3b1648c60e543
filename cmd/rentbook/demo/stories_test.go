package demo_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"rentbook/cmd/rentbook/demo"
	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/domain/tenancy"
	"rentbook/eventstore"
)

// scene is an account of the demo as the log has it: what a highlight is held against.
type scene struct {
	demo.Highlight
	lines    []line // by value date
	tenants  []tenancy.TenantSet
	currency domain.Currency
	moved    [2]domain.Date // in, out
	told     demo.Highlights
}

// line is an entry, the fact it is from and where that is.
type line struct {
	rent.Entry
	fact rent.Event
	at   eventstore.Position
}

func (w world) scene(t *testing.T, events []eventstore.Recorded, told demo.Highlights, h demo.Highlight) scene {
	t.Helper()
	s := scene{Highlight: h, told: told}
	for _, r := range events {
		if r.Stream == eventstore.NewStream(rent.Category, h.Account) {
			fact := decode[rent.Event](t, w, r)
			if opened, ok := fact.(rent.AccountOpened); ok {
				s.currency, s.moved = opened.Currency, [2]domain.Date{opened.StartsOn, opened.EndsOn}
			}
			for _, e := range rent.Entries(fact) {
				s.lines = append(s.lines, line{Entry: e, fact: fact, at: r.Position})
			}
		}
		if r.Stream == eventstore.NewStream(tenancy.Category, h.Account) {
			if set, ok := decode[tenancy.Event](t, w, r).(tenancy.TenantSet); ok {
				s.tenants = append(s.tenants, set)
			}
		}
	}
	slices.SortStableFunc(s.lines, func(a, b line) int { return cmp.Compare(a.ValueDate, b.ValueDate) })
	return s
}

func decode[E eventstore.Named](t *testing.T, w world, r eventstore.Recorded) E {
	t.Helper()
	fact, err := eventstore.Decode[E](t.Context(), w.handler.Codec, r)
	if err != nil {
		t.Fatal(err)
	}
	return fact
}

// balance is what is owed at the end of a day, in minor units.
func (s scene) balance(on domain.Date) int64 {
	var sum int64
	for _, l := range s.lines {
		if l.ValueDate <= on {
			sum += l.Signed()
		}
	}
	return sum
}

// knownAt is the balance of everything recorded up to a position.
func (s scene) knownAt(p eventstore.Position) int64 {
	var sum int64
	for _, l := range s.lines {
		if l.at.Compare(p) <= 0 {
			sum += l.Signed()
		}
	}
	return sum
}

// shown are the lines of the highlight's statement that satisfy a condition.
func (s scene) shown(wanted func(line) bool) []line {
	var shown []line
	for _, l := range s.lines {
		if s.From <= l.ValueDate && l.ValueDate <= s.To && wanted(l) {
			shown = append(shown, l)
		}
	}
	return shown
}

func (s scene) entry(t *testing.T, id domain.ID) line {
	t.Helper()
	at := slices.IndexFunc(s.lines, func(l line) bool { return l.ID == id })
	if at < 0 {
		t.Fatalf("%s has no entry %s", s.Account, id)
	}
	return s.lines[at]
}

func date(year int, month time.Month, day int) domain.Date { return domain.NewDate(year, month, day) }

func code(c rent.Code) func(line) bool {
	return func(l line) bool { return l.Code == c && l.Kind == rent.KindCharge }
}

// isTrue says for each story whether the account bears its sentence out.
func isTrue() map[demo.Story]func(*testing.T, scene) bool {
	return map[demo.Story]func(*testing.T, scene) bool{
		demo.Corrected:      corrected,
		demo.Bounced:        bounced,
		demo.PaidByMistake:  paidByMistake,
		demo.PaidElsewhere:  paidElsewhere,
		demo.WrittenOff:     settled(rent.KindWriteOff),
		demo.Refunded:       settled(rent.KindRefund),
		demo.Goodwill:       goodwill,
		demo.GrowingArrears: growing,
		demo.SteadyArrears:  steady,
		demo.RepaymentPlan:  planned,
		demo.InCredit:       inCredit,
		demo.Benefit:        benefit,
		demo.Joint:          joint,
		demo.Euro:           func(_ *testing.T, s scene) bool { return s.currency == "EUR" && len(s.tenants) == 2 },
		demo.LongYear:       func(_ *testing.T, s scene) bool { return len(s.shown(code("rent"))) == 53 },
		demo.RentFree:       rentFree,
		demo.PartPeriods:    partPeriods,
		demo.MonthEnd:       monthEnd,
		demo.Fortnight:      fortnight,
		demo.InArrears:      inArrears,
		demo.Quarter:        func(_ *testing.T, s scene) bool { return len(s.shown(code("rent"))) == 11 && s.owesNothing() },
		demo.GroundRent:     groundRent,
	}
}

func TestTell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	told := w.tell(t)
	events := w.events(t)
	for _, h := range told.Accounts {
		t.Run(string(h.Story)+" is true of its account", func(t *testing.T) {
			t.Parallel()
			w.scene(t, events, told, h).check(t)
		})
	}
	t.Run("each story has an account", func(t *testing.T) {
		t.Parallel()
		for story := range isTrue() {
			if told.About(story).Story != story {
				t.Errorf("no account is about %s", story)
			}
		}
		if want := len(isTrue()); len(told.Accounts) != want {
			t.Errorf("want %d stories, got %d", want, len(told.Accounts))
		}
	})
	t.Run("the portfolio as a whole is believable", func(t *testing.T) {
		t.Parallel()
		believable(t, w, events)
	})
}

// check holds a highlight against its account: its sentence, its statement and its entry.
func (s scene) check(t *testing.T) {
	t.Helper()
	bearsOut, known := isTrue()[s.Story]
	if !known || !bearsOut(t, s) {
		t.Errorf("it is not so: %s (%s to %s; owes %d)", s, s.From, s.To, s.balance(s.To))
	}
	if s.Entry != "" && len(s.shown(func(l line) bool { return string(l.ID) == s.Entry })) != 1 {
		t.Errorf("%s from %s to %s does not show %s", s.Account, s.From, s.To, s.Entry)
	}
	if len(s.shown(func(line) bool { return true })) == 0 || s.Text == "" {
		t.Errorf("%s from %s to %s shows nothing, %q", s.Account, s.From, s.To, s.Text)
	}
}

func (s scene) owesNothing() bool { return s.balance(s.To) == 0 }

// corrected: thirty weeks were 3.60 too high each; then every one of them has a line of its own.
func corrected(_ *testing.T, s scene) bool {
	credits := s.shown(func(l line) bool { return l.Kind == rent.KindCredit && l.Amount.Minor == 360 && l.Corrects != "" })
	return s.knownAt(s.told.Before.Position) == 10800 && s.knownAt(s.told.After.Position) == 0 &&
		len(credits) == 30 && strings.Contains(s.Text, "arrears of 108.00 ") && s.told.Before.At.Before(s.told.After.At) && s.owesNothing()
}

func bounced(t *testing.T, s scene) bool {
	fee := s.entry(t, domain.ID(s.Entry))
	reversed, ok := fee.fact.(rent.PaymentReversed)
	paid := s.entry(t, reversed.Payment)
	again := s.shown(func(l line) bool {
		return l.Code == "card" && l.ValueDate > reversed.ValueDate && l.Amount.Minor == paid.Amount.Minor+fee.Amount.Minor
	})
	_, month, _ := paid.ValueDate.Date()
	return ok && paid.Code == "direct_debit" && month == time.June && reversed.ValueDate > paid.ValueDate &&
		len(again) == 1 && s.owesNothing()
}

func paidByMistake(t *testing.T, s scene) bool {
	out := s.entry(t, domain.ID(s.Entry))
	in := s.entry(t, out.Corrects)
	return in.ValueDate == date(2026, time.August, 3) && in.Amount == out.Amount && out.Kind == rent.KindDebit &&
		s.balance(in.ValueDate) == -in.Amount.Minor && s.owesNothing()
}

func paidElsewhere(t *testing.T, s scene) bool {
	in := s.entry(t, domain.ID(s.Entry))
	missed := s.entry(t, "rent:2026-08-01")
	return in.Kind == rent.KindCredit && in.Amount == missed.Amount && s.owesNothing()
}

func settled(k rent.Kind) func(*testing.T, scene) bool {
	return func(t *testing.T, s scene) bool {
		last := s.entry(t, domain.ID(s.Entry))
		owedBefore := s.balance(last.ValueDate - 1)
		return last.Kind == k && s.moved[1] > 0 && last.ValueDate > s.moved[1] && owedBefore == -last.Signed() &&
			last.Amount.Minor > 10_000 && s.owesNothing()
	}
}

func goodwill(t *testing.T, s scene) bool {
	given := s.entry(t, domain.ID(s.Entry))
	return given.Kind == rent.KindCredit && s.balance(s.To) == -given.Amount.Minor
}

func growing(_ *testing.T, s scene) bool {
	fees := s.shown(code("court_costs"))
	return s.balance(date(2025, time.March, 31)) > 0 &&
		s.balance(date(2026, time.March, 31)) > s.balance(date(2025, time.March, 31))+50_000 &&
		s.balance(s.To) > s.balance(date(2026, time.March, 31))+fees[0].Amount.Minor && len(fees) == 1
}

func steady(_ *testing.T, s scene) bool {
	for month := range 24 { // at the end of a Sunday, when the week's rent has come
		d := date(2024, time.November, 3) + domain.Date(28*month)
		if s.balance(d) != s.balance(s.To) {
			return false
		}
	}
	return s.balance(s.To) > 6*11_000
}

func planned(_ *testing.T, s scene) bool {
	before, worst, now := s.balance(date(2025, time.May, 31)), s.balance(date(2025, time.September, 7)), s.balance(s.To)
	return before == 0 && worst > 100_000 && 0 < now && now < worst-80_000
}

func inCredit(t *testing.T, s scene) bool {
	cheque, back := s.entry(t, "CQ000184"), s.entry(t, "CQ000184-R")
	return back.Reverses == cheque.ID && s.balance(s.To) < -20_000
}

func benefit(_ *testing.T, s scene) bool {
	paid := s.shown(func(l line) bool { return l.Code == "benefit" })
	for i := 1; i < len(paid); i++ {
		if paid[i].ValueDate-paid[i-1].ValueDate != 28 {
			return false
		}
	}
	// What is owed at the end is what benefit has not paid yet.
	return len(paid) > 24 && s.balance(s.To) > 0 && s.balance(s.To) < 4*14_000
}

func joint(_ *testing.T, s scene) bool {
	var left int
	for _, who := range s.tenants {
		if who.LiableTo > 0 {
			left++
		}
	}
	return len(s.tenants) == 3 && left == 1
}

func rentFree(_ *testing.T, s scene) bool {
	free := map[domain.Date]bool{date(2025, time.December, 22): true, date(2025, time.December, 29): true}
	charged := s.shown(func(l line) bool { return code("rent")(l) && free[l.ValueDate] })
	service := s.shown(func(l line) bool { return code("service")(l) && free[l.ValueDate] })
	return len(charged) == 0 && len(service) == 2 && service[0].Fund == "service"
}

func partPeriods(_ *testing.T, s scene) bool {
	charges := s.shown(code("rent"))
	first, _ := charges[0].fact.(rent.ChargeRaised)
	last, _ := charges[len(charges)-1].fact.(rent.ChargeRaised)
	whole := func(e rent.Explanation) bool { return e.DaysCovered == e.DaysInPeriod || e.Basis != rent.YearlyDays }
	return first.PeriodFrom == s.moved[0] && last.PeriodTo == s.moved[1] &&
		!whole(first.Explanation) && !whole(last.Explanation) && s.owesNothing()
}

func monthEnd(_ *testing.T, s scene) bool {
	var starts []string
	for _, l := range s.shown(code("rent")) {
		starts = append(starts, l.ValueDate.String()[5:])
	}
	return strings.Join(starts, " ") == "01-31 02-28 03-31 04-01 04-30"
}

func fortnight(t *testing.T, s scene) bool {
	before, _ := s.entry(t, "rent:2025-03-31").fact.(rent.ChargeRaised)
	after, _ := s.entry(t, "rent:2025-04-07").fact.(rent.ChargeRaised)
	return before.Explanation.DaysCovered == 7 && before.Explanation.DaysInPeriod == 14 &&
		after.Explanation.PeriodFrom == before.Explanation.PeriodFrom && after.Amount.Minor > before.Amount.Minor &&
		s.owesNothing()
}

func inArrears(_ *testing.T, s scene) bool {
	for _, l := range s.shown(code("rent")) {
		if l.ValueDate != l.PeriodTo {
			return false
		}
	}
	return len(s.shown(func(l line) bool { return l.Code == "benefit" })) > 24 && s.owesNothing()
}

func groundRent(_ *testing.T, s scene) bool {
	charges := s.shown(code("rent"))
	return len(charges) == 3 && charges[2].ValueDate == date(2026, time.June, 24) && s.owesNothing()
}

// believable wants most accounts clear, some in arrears and credit, and nobody beyond belief.
func believable(t *testing.T, w world, events []eventstore.Recorded) {
	t.Helper()
	accounts, actors := map[eventstore.Stream]rent.Account{}, map[string]bool{}
	for _, r := range events {
		actors[r.Metadata.Actor.ID] = true
		if r.Stream.Category() == rent.Category {
			accounts[r.Stream] = accounts[r.Stream].Apply(decode[rent.Event](t, w, r))
		}
	}
	var owing, even, ahead int
	for stream, account := range accounts {
		switch minor := account.Balance().Minor; {
		case minor > 500_000 || minor < -200_000:
			t.Errorf("%s owes %s", stream, account.Balance())
		case minor > 0:
			owing++
		case minor < 0:
			ahead++
		default:
			even++
		}
	}
	if len(accounts) != 60 || owing < 10 || ahead < 4 || even < 25 {
		t.Errorf("of %d accounts %d owe, %d are in credit and %d are clear", len(accounts), owing, ahead, even)
	}
	if len(actors) < 8 {
		t.Errorf("only %d people had a hand in it", len(actors))
	}
}
