package demo

import (
	"math/rand/v2"
	"time"

	"rentbook/domain"
)

// habit is how somebody pays. Its zero fields are the simple case: every charge in full, on its day.
type habit struct {
	method    string
	rhythm    rhythm
	late      int32       // days after the charge
	wavers    int32       // and up to so many more
	above     int64       // pays the part of each charge between these two per cent of it
	below     int64       // 0: 100
	wobbles   int         // pays up to so many per cent more or less, in whole pounds
	ahead     int64       // the first payment is so many more times as large
	gap       days        // nothing is paid for charges of these days
	extra     int64       // paid on top of each payment
	extraFrom domain.Date // from this day on
}

// days is a run of days, both ends included.
type days struct{ from, to domain.Date }

func (d days) holds(day domain.Date) bool { return d.from <= day && day <= d.to }

// rhythm says which charges are paid together.
type rhythm int

const (
	byDay       rhythm = iota // those of one day
	byMonth                   // those of a month, at its beginning
	byFourWeeks               // those of four weeks, after the last
)

func (r rhythm) of(day domain.Date) int {
	switch r {
	case byMonth:
		year, month, _ := day.Date()
		return year*12 + int(month)
	case byFourWeeks:
		return int(day-begins()) / 28
	case byDay:
	}
	return int(day)
}

// due is what has to be paid on a day.
type due struct {
	on    domain.Date
	minor int64
}

// payment is what somebody paid.
type payment struct {
	on     domain.Date
	minor  int64
	method string
}

// pay is what the habit makes of charges that are in the order of their days.
func (h habit) pay(charges []due, chance *rand.Rand) []payment {
	var payments []payment
	for len(charges) > 0 {
		n := 1
		for n < len(charges) && h.rhythm.of(charges[n].on) == h.rhythm.of(charges[0].on) {
			n++
		}
		if p := h.payTogether(charges[:n], chance); p.minor > 0 {
			if len(payments) == 0 {
				p.minor += p.minor * h.ahead
			}
			payments = append(payments, p)
		}
		charges = charges[n:]
	}
	return payments
}

// payTogether always asks chance the same number of times, so that changing one habit's amounts
// leaves its days alone.
func (h habit) payTogether(charges []due, chance *rand.Rand) payment {
	p := payment{method: h.method, on: charges[0].on}
	if h.rhythm == byFourWeeks {
		p.on = charges[len(charges)-1].on
	}
	p.on = h.workingDay(p.on + domain.Date(h.late+chance.Int32N(h.wavers+1)))
	for _, c := range charges {
		if !h.gap.holds(c.on) {
			p.minor += h.share(c.minor)
		}
	}
	if percent := int64(100 + chance.IntN(2*h.wobbles+1) - h.wobbles); h.wobbles > 0 {
		p.minor = p.minor * percent / 10_000 * 100
	}
	if h.extra > 0 && p.on >= h.extraFrom {
		p.minor += h.extra
	}
	return p
}

// share is the habit's part of a charge. Two habits that meet at a percentage pay the whole
// together, to the penny.
func (h habit) share(minor int64) int64 {
	below := h.below
	if below == 0 {
		below = 100
	}
	return domain.Part(minor, below, 100) - domain.Part(minor, h.above, 100)
}

// workingDay is the day itself, or the Monday after it where a bank has to do something.
func (h habit) workingDay(day domain.Date) domain.Date {
	if h.method == "cash" || h.method == "card" {
		return day
	}
	switch day.Weekday() {
	case time.Saturday:
		return day + 2
	case time.Sunday:
		return day + 1
	default:
		return day
	}
}
