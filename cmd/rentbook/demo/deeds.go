package demo

import (
	"context"

	"rentbook/commands"
	"rentbook/domain/rent"
)

// deed is something that somebody does to an account.
type deed struct {
	account   string
	actor     string
	authority string
	act       act
}

// act is a command that is ready to be carried out.
type act func(ctx context.Context, h *commands.Handler, m commands.Meta) (commands.Receipt, error)

// deeds are the stories that need commands, the correction excepted.
func (p portfolio) deeds() []deed {
	var all []deed
	for _, story := range [][]deed{p.bounce(), p.misdirect(), p.settle()} {
		all = append(all, story...)
	}
	return all
}

// bouncedFee is allowed here: the tenancy is a secure one, and the Tenant Fees Act 2019, which
// forbids such a fee, is about assured shorthold tenancies and licences.
const bouncedFee = 800

// bounce is a direct debit of June that came back, and the card payment that made up for it.
func (p portfolio) bounce() []deed {
	t := p.with(Bounced)
	debit := t.paidIn(days{on(2026, 6, 1), on(2026, 6, 30)})
	back := commands.ReversePayment{
		Account: t.ref(), Payment: debit.ref, ValueDate: (debit.on + 4).String(),
		ReasonCode: "refer_to_payer", Fee: t.money(bouncedFee).String(),
	}
	again := commands.ReceivePayment{
		Account: t.ref(), Payment: "CARD-7731", ValueDate: (debit.on + 18).String(), Method: "card",
		Amount: t.money(debit.minor + bouncedFee).String(), Reference: "Rent " + t.ref(),
	}
	return []deed{
		t.deed("bank-feed", "returned direct debits", reverse(back)),
		t.deed("card-terminal", "", receive(again)),
	}
}

// misdirect is a rent that was paid with another tenancy's reference. It counts for the right
// tenant from the day it came.
func (p portfolio) misdirect() []deed {
	wrong, right := p.with(PaidByMistake), p.with(PaidElsewhere)
	amount := right.money(right.charged(days{on(2026, 8, 1), on(2026, 8, 1)})).String()
	const payment, came, found = "BT-20260803", "2026-08-03", "2026-08-19"
	const authority = "bank's trace of 19 August 2026"
	return []deed{
		wrong.deed("bank-feed", "bank statement of 3 August 2026", receive(commands.ReceivePayment{
			Account: wrong.ref(), Payment: payment, Amount: amount, ValueDate: came, Method: "bank_transfer",
			Reference: "Rent " + wrong.ref(), Payer: right.tenants[0].name,
		})),
		wrong.deed("income-officer", authority, adjust(commands.MakeAdjustment{
			Account: wrong.ref(), Adjustment: "MOVED-OUT", Kind: string(rent.KindDebit), Amount: amount, ValueDate: found,
			Reason: "Paid with this reference by mistake, moved to " + right.ref(), Corrects: payment,
		})),
		right.deed("income-officer", authority, adjust(commands.MakeAdjustment{
			Account: right.ref(), Adjustment: "MOVED-IN", Kind: string(rent.KindCredit), Amount: amount, ValueDate: came,
			Reason: "Rent paid on 3 August with the reference of " + wrong.ref(),
		})),
	}
}

// goodwill is what the council thinks nine days without a lift are worth.
const goodwill = 6000

// settle is what is written off, paid back and given.
func (p portfolio) settle() []deed {
	gone, credit, given := p.with(WrittenOff), p.with(Refunded), p.with(Goodwill)
	return []deed{
		gone.deed("head-of-income", "write-off list of March 2026, line 4", adjust(commands.MakeAdjustment{
			Account: gone.ref(), Adjustment: "WO-2026-04", Kind: string(rent.KindWriteOff), ValueDate: "2026-03-31",
			Amount: gone.money(gone.owed()).String(), Reason: "Former tenant's debt, gone away, not worth a claim",
		})),
		credit.deed("cash-office", "former tenant's request", adjust(commands.MakeAdjustment{
			Account: credit.ref(), Adjustment: "RF-2024-31", Kind: string(rent.KindRefund),
			ValueDate: (credit.to + 16).String(), Amount: credit.money(-credit.owed()).String(),
			Reason: "Credit of a former tenancy paid back",
		})),
		given.deed("housing-officer", "complaints procedure, stage one", adjust(commands.MakeAdjustment{
			Account: given.ref(), Adjustment: "GW-2026-12", Kind: string(rent.KindCredit), ValueDate: "2026-07-10",
			Amount: given.money(goodwill).String(), Reason: "Lift out of order for nine days",
		})),
	}
}

func (t tenancy) deed(actor, authority string, a act) deed {
	return deed{account: t.ref(), actor: actor, authority: authority, act: a}
}

func receive(c commands.ReceivePayment) act {
	return func(ctx context.Context, h *commands.Handler, m commands.Meta) (commands.Receipt, error) {
		return h.ReceivePayment(ctx, m, c)
	}
}

func reverse(c commands.ReversePayment) act {
	return func(ctx context.Context, h *commands.Handler, m commands.Meta) (commands.Receipt, error) {
		return h.ReversePayment(ctx, m, c)
	}
}

func adjust(c commands.MakeAdjustment) act {
	return func(ctx context.Context, h *commands.Handler, m commands.Meta) (commands.Receipt, error) {
		return h.MakeAdjustment(ctx, m, c)
	}
}

// correction is the last rent term as it was keyed and as it should have been.
func (t tenancy) correction() (wrong, right commands.PutTerm) {
	keyed, terms := t.keyed(), t.terms()
	last := t.lastRent(terms)
	return t.putTerm(keyed[last]), t.putTerm(terms[last])
}

func (t tenancy) putTerm(s rent.TermSet) commands.PutTerm {
	return commands.PutTerm{
		Account: t.ref(), Term: string(s.Term), Code: string(s.Code), Description: s.Description,
		Amount: s.Amount.String(), Period: string(s.Period), ChargeDay: string(s.ChargeDay),
		AnchoredOn: s.AnchoredOn.String(), Due: string(s.Due), Proration: string(s.Proration),
		From: s.From.String(), To: s.To.String(), BenefitEligible: s.BenefitEligible, Fund: s.Fund,
		RentFreeCalendar: string(s.RentFreeCalendar),
	}
}
