package contractor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rentbook/domain"
)

// Job is a repair that looks for a contractor.
type Job struct {
	Trade string
	Codes []Line // of the schedule of rates
	Place Place
	On    domain.Date // whose prices hold
	Not   []domain.ID // contractors who handed it back
}

// Line is a code and how many of it; a quantity below one counts as one.
type Line struct {
	Code     string
	Quantity int
}

// Candidate is a contractor who may get it.
type Candidate struct {
	ID         domain.ID
	Contractor Contractor
	Open       int // orders that are open with them
}

// Choice is who gets it, and why.
type Choice struct {
	Contractor  domain.ID    // none: nobody fits
	Contract    domain.ID    // of all the prices; none if there are none, or they are of several
	Prices      []PricedLine // those there are, in the order of the job's codes
	Cost        domain.Money // zero unless every code has a price
	Explanation string
	Considered  []Considered // who fits, the best first; then who does not, by id
}

// PricedLine is a line at the price of a contract.
type PricedLine struct {
	Code     string
	Quantity int
	Price    domain.Money // of one
	Contract domain.ID
}

// Considered is what was thought of one candidate.
type Considered struct {
	ID   domain.ID
	Fits bool
	Why  string
}

// Route finds the contractor for a job. Who fits is not retired, has the trade, has not handed the
// job back, works where it is, and has room. Of those comes first
//
//   - who has a price for every code on that day,
//   - then whose prices cost less (costs in two currencies do not compare: by the currency's code),
//   - then whose area is the nearer one: the property itself, what it is part of from near to far,
//     a postcode, a locality, everywhere,
//   - then who has the smaller share of their capacity in use (without a limit, each open order
//     counts as a whole),
//   - then the first by id.
//
// The order of the candidates says nothing. The explanation names contractors, places and prices by
// their ids and codes, and nobody.
func Route(job Job, candidates []Candidate) Choice {
	var fitting []offer
	var others []Considered
	for _, c := range candidates {
		if why := c.unfit(job); why != "" {
			others = append(others, Considered{ID: c.ID, Why: why})
			continue
		}
		fitting = append(fitting, c.offer(job))
	}
	slices.SortFunc(fitting, offer.compare)
	slices.SortFunc(others, func(a, b Considered) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Why, b.Why))
	})
	return choose(job, fitting, others)
}

// unfit is why a candidate does not get the job; nothing when they may.
func (c Candidate) unfit(job Job) string {
	_, _, covered := c.nearest(job.Place)
	switch capacity := c.Contractor.Capacity(); {
	case !c.Contractor.Exists():
		return "is not known"
	case c.Contractor.Retired():
		return "is retired"
	case !c.Contractor.DoesTrade(job.Trade):
		return "does not do " + job.Trade
	case slices.Contains(job.Not, c.ID):
		return "has handed it back"
	case !covered:
		return "does not cover " + job.Place.String()
	case capacity > 0 && c.Open >= capacity:
		return fmt.Sprintf("has no room (%d of %d)", c.Open, capacity)
	}
	return ""
}

// nearest is the area of the candidate's that is nearest to the place.
func (c Candidate) nearest(p Place) (said string, near int, ok bool) {
	areas := c.Contractor.description.Areas
	if len(areas) == 0 {
		return "everywhere", nearEverywhere, true
	}
	near = nearEverywhere
	for _, text := range areas {
		area, err := ParseArea(text)
		if n, covers := area.covers(p); err == nil && covers && n < near {
			said, near, ok = area.String(), n, true
		}
	}
	return said, near, ok
}

// offer is what a fitting candidate offers.
type offer struct {
	candidate Candidate
	prices    []PricedLine
	unpriced  []string // codes
	cost      domain.Money
	area      string
	near      int
}

func (c Candidate) offer(job Job) offer {
	o := offer{candidate: c}
	o.area, o.near, _ = c.nearest(job.Place)
	tariff := c.Contractor.PricesOn(job.On)
	for _, line := range job.Codes {
		price, contract, ok := tariff.Price(line.Code)
		if ok {
			o.prices = append(o.prices, PricedLine{Code: line.Code, Quantity: max(line.Quantity, 1), Price: price, Contract: contract})
		} else {
			o.unpriced = append(o.unpriced, line.Code)
		}
	}
	if len(o.unpriced) == 0 {
		o.total()
	}
	return o
}

// total sums what can be summed: a sum of two currencies, or of more than can be recorded, is no
// cost, and the line where it ends is as good as one without a price.
func (o *offer) total() {
	var sum domain.Money
	for i, line := range o.prices {
		if i == 0 {
			sum.Currency = line.Price.Currency
		}
		if line.Price.Currency != sum.Currency || line.Price.Minor > (domain.MinorMax-sum.Minor)/int64(line.Quantity) {
			o.unpriced = append(o.unpriced, line.Code)
			return
		}
		sum.Minor += line.Price.Minor * int64(line.Quantity)
	}
	o.cost = sum
}

// priced says whether every code has a price.
func (o offer) priced() bool { return len(o.unpriced) == 0 }

// compare is the order of Route.
func (o offer) compare(other offer) int {
	return cmp.Or(
		cmp.Compare(min(len(o.unpriced), 1), min(len(other.unpriced), 1)),
		o.compareCost(other),
		cmp.Compare(o.near, other.near),
		o.compareLoad(other),
		cmp.Compare(o.candidate.ID, other.candidate.ID),
	)
}

func (o offer) compareCost(other offer) int {
	return cmp.Or(
		cmp.Compare(o.cost.Currency, other.cost.Currency),
		cmp.Compare(o.cost.Minor, other.cost.Minor),
	)
}

// compareLoad compares the fractions crosswise, so that no two contractors differ by a rounding.
func (o offer) compareLoad(other offer) int {
	of := func(c Candidate) int { return max(c.Contractor.Capacity(), 1) }
	return cmp.Compare(o.candidate.Open*of(other.candidate), other.candidate.Open*of(o.candidate))
}

// said bounds how many prices, and how many of those who do not fit, an explanation names.
const said = 5

func choose(job Job, fitting []offer, others []Considered) Choice {
	var choice Choice
	var sentences []string
	for i, o := range fitting {
		why := o.reasons(job)
		if i == 0 {
			choice.Contractor, choice.Contract = o.candidate.ID, o.contract()
			choice.Prices, choice.Cost = o.prices, o.cost
			sentences = append(sentences, fmt.Sprintf("%s: %s; %s.", o.candidate.ID, why, standing(fitting)))
		}
		choice.Considered = append(choice.Considered, Considered{ID: o.candidate.ID, Fits: true, Why: why})
	}
	choice.Considered = append(choice.Considered, others...)
	for i, c := range others {
		if i == said {
			sentences = append(sentences, fmt.Sprintf("%d more do not fit.", len(others)-said))
			break
		}
		sentences = append(sentences, fmt.Sprintf("%s %s.", c.ID, c.Why))
	}
	switch {
	case len(fitting) > 0:
		choice.Explanation = strings.Join(sentences, " ")
	case len(others) == 0:
		choice.Explanation = "Nobody fits: there are no contractors."
	default:
		choice.Explanation = "Nobody fits: " + strings.Join(sentences, " ")
	}
	return choice
}

// contract is that of all the prices, if it is one.
func (o offer) contract() domain.ID {
	var one domain.ID
	for i, line := range o.prices {
		if i > 0 && line.Contract != one {
			return ""
		}
		one = line.Contract
	}
	return one
}

// reasons are what speaks for the candidate: trade, area and prices.
func (o offer) reasons(job Job) string {
	reasons := []string{job.Trade, "covers " + o.area}
	for i, line := range o.prices {
		if i == said {
			reasons = append(reasons, fmt.Sprintf("%d more prices", len(o.prices)-said))
			break
		}
		at := line.Code + " at " + line.Price.String()
		if line.Quantity > 1 {
			at = fmt.Sprintf("%d %s", line.Quantity, at)
		}
		if i == 0 || line.Contract != o.prices[i-1].Contract {
			at = fmt.Sprintf("price list %s has %s", line.Contract, at)
		}
		reasons = append(reasons, at)
	}
	switch {
	case !o.priced():
		reasons = append(reasons, "no agreed price of "+o.unpriced[0])
	case len(o.prices) > 1 || len(o.prices) == 1 && o.prices[0].Quantity > 1:
		reasons = append(reasons, "together "+o.cost.String())
	}
	return strings.Join(reasons, ", ")
}

// standing says by which part of the rule the first came before the second.
func standing(fitting []offer) string {
	if len(fitting) == 1 {
		return "the only one that fits"
	}
	first, second := fitting[0], fitting[1]
	won := "first by id"
	switch {
	case first.priced() && !second.priced():
		won = "the only one with every price"
	case first.compareCost(second) != 0:
		won = "cheapest"
		if first.cost.Currency != second.cost.Currency {
			won = "first by currency"
		}
	case first.near != second.near:
		won = "nearest area"
	case first.compareLoad(second) != 0:
		won = "most room"
	}
	return fmt.Sprintf("%s of %d that fit", won, len(fitting))
}

// Offer is what a job costs with a candidate whom somebody has chosen. Nothing is explained.
func (c Candidate) Offer(job Job) Choice {
	o := c.offer(job)
	return Choice{Contractor: c.ID, Contract: o.contract(), Prices: o.prices, Cost: o.cost}
}
