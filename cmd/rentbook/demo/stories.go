package demo

import "rentbook/domain/rent"

// Story is what an account of the demo is an example of.
type Story string

// The stories. The first seven are told through commands after the import, the others are in the
// files.
const (
	Corrected     Story = "corrected"
	Bounced       Story = "bounced"
	PaidByMistake Story = "paid-by-mistake"
	PaidElsewhere Story = "paid-elsewhere"
	WrittenOff    Story = "written-off"
	Goodwill      Story = "goodwill"
	Refunded      Story = "refunded"

	GrowingArrears Story = "growing-arrears"
	SteadyArrears  Story = "steady-arrears"
	RepaymentPlan  Story = "repayment-plan"
	InCredit       Story = "in-credit"
	Benefit        Story = "benefit"
	LongYear       Story = "long-year"
	RentFree       Story = "rent-free"
	Joint          Story = "joint"
	PartPeriods    Story = "part-periods"
	MonthEnd       Story = "month-end"
	Fortnight      Story = "fortnight"
	InArrears      Story = "in-arrears"
	Quarter        Story = "quarter"
	GroundRent     Story = "ground-rent"
	Euro           Story = "euro"
)

// besides is what else the books have of a lease before anything is told.
func (t tenancy) besides() []transaction {
	switch t.story {
	case SteadyArrears:
		return []transaction{{
			ref: "BF2024", on: begins() - 1, kind: rent.KindDebit, code: "brought_forward", minor: 21860,
			description: "Balance brought forward from the old system",
		}}
	case GrowingArrears:
		return []transaction{{
			ref: "C2026-1", on: on(2026, 5, 14), kind: rent.KindCharge, code: "court_costs", minor: 40400,
			description: "Court fee for the possession claim",
		}}
	case InCredit:
		return t.bouncedCheque()
	default:
		return nil
	}
}

// bouncedCheque is a reversal that comes with the import: the file says what it reverses.
func (t tenancy) bouncedCheque() []transaction {
	cheque := transaction{
		ref: "CQ000184", on: on(2025, 2, 6), kind: rent.KindPayment, minor: 20000, method: "cheque",
		reference: "Cheque 000184",
	}
	back := transaction{
		ref: "CQ000184-R", on: on(2025, 2, 13), kind: rent.KindPaymentReversal, code: "refer_to_drawer", minor: 20000,
		description: "Cheque returned unpaid", reverses: cheque.ref,
	}
	return []transaction{cheque, back}
}
