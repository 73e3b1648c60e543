package clock

import (
	"fmt"
	"strings"
	"time"

	"rentbook/domain"
)

// lateDaysMax bounds the days that are paid for; the most that is owed is reached long before.
const lateDaysMax = 10_000

// Compensation is what a council tenant is owed when the second contractor is late as well, as it
// stood when it was applied (Policy.Compensation). It is part of stored facts.
type Compensation struct {
	First      domain.Money `json:"first"`
	PerDay     domain.Money `json:"per_day"`
	Most       domain.Money `json:"most"`
	Parameters []string     `json:"parameters"`
}

// Compensation is the amounts in force on a day.
func (p *Policy) Compensation(law domain.Date) (Compensation, error) {
	var c Compensation
	for _, part := range []struct {
		name string
		into *domain.Money
	}{{"first", &c.First}, {"per_day", &c.PerDay}, {"most", &c.Most}} {
		amount, parameter, err := p.Money("right_to_repair.compensation."+part.name, law)
		if err != nil {
			return Compensation{}, err
		}
		*part.into = amount
		c.Parameters = append(c.Parameters, parameter)
	}
	if c.PerDay.Currency != c.First.Currency || c.Most.Currency != c.First.Currency {
		return Compensation{}, domain.ErrCurrency.Because("the parts of the compensation are of different currencies")
	}
	return c, nil
}

// For is what is owed when the repair is so many days later than the end of the second period:
// nothing unless it is late.
func (c Compensation) For(days int) domain.Money {
	owed := domain.Money{Currency: c.First.Currency}
	if days > 0 {
		owed.Minor = min(c.First.Minor+int64(min(days, lateDaysMax))*c.PerDay.Minor, c.Most.Minor)
	}
	return owed
}

// RightToRepair is a qualifying repair of a council tenant (SI 1994/133; domain.md R8.3). The first
// contractor has the prescribed period. Once that is missed, the tenant can have a second contractor
// instructed, who has the same period again. When that is missed too, compensation is owed, for each
// day until the repair is done up to a bound; not when the tenant gave no access.
type RightToRepair struct {
	First        Run
	Second       Run // the zero Run until a second contractor was instructed (Policy.Again)
	Compensation Compensation
	NoAccess     bool
}

// RightToRepairReading is where such a repair stands.
type RightToRepairReading struct {
	First, Second Reading
	DaysLate      int // after the day on which the second period ended
	Compensation  domain.Money
	Explanation   string
}

// At reads both periods, and what is owed by then.
func (r RightToRepair) At(now time.Time) RightToRepairReading {
	reading := RightToRepairReading{First: r.First.At(now), Second: r.Second.At(now), Compensation: r.Compensation.For(0)}
	if reading.Second.Breached {
		reading.DaysLate = r.daysLate(reading.Second, now)
	}
	if reading.First.Breached && reading.Second.Breached && !r.NoAccess {
		reading.Compensation = r.Compensation.For(reading.DaysLate)
	}
	reading.Explanation = r.explain(reading)
	return reading
}

func (r RightToRepair) daysLate(second Reading, now time.Time) int {
	zone, _ := location(r.Second.Target.Zone)
	until := second.MetAt
	if until.IsZero() {
		until = now
	}
	return int(domain.DateOf(until.In(zone)) - domain.DateOf(second.DueAt.In(zone)))
}

func (r RightToRepair) explain(reading RightToRepairReading) string {
	switch {
	case !reading.First.Breached:
		return "The first period is not missed: nothing is owed."
	case reading.Second.StartedAt.IsZero():
		return "The first period is missed; the tenant can have a second contractor instructed, who has the same period again."
	case !reading.Second.Breached:
		return "The first period is missed, the second is not: nothing is owed."
	case r.NoAccess:
		return "Both periods are missed, but there was no access: nothing is owed."
	}
	c := r.Compensation
	return fmt.Sprintf("Both periods are missed, the second by %s: %s %s and %s for each of the days, at most %s, is %s (%s).",
		plural(reading.DaysLate, "day"), c.First, c.First.Currency, c.PerDay, c.Most, reading.Compensation, strings.Join(c.Parameters, ", "))
}
