package http

import (
	"rentbook/commands"
	"rentbook/domain"
)

type charge struct {
	Code        string      `json:"code" maxLength:"64" example:"repairs"`
	Description string      `json:"description" maxLength:"500" example:"Replacement key"`
	Amount      string      `json:"amount" pattern:"^[0-9]+([.][0-9]+)?$" patternDescription:"a plain decimal such as 450.00" example:"15.00"`
	ValueDate   domain.Date `json:"value_date" doc:"The day it counts"`
	PeriodFrom  domain.Date `json:"period_from,omitzero"`
	PeriodTo    domain.Date `json:"period_to,omitzero"`
	Fund        string      `json:"fund,omitempty" maxLength:"64"`
}

type putCharge struct {
	Account string `path:"account" example:"T1001"`
	Charge  string `path:"charge" example:"KEY-1"`
	Conditional
	Body charge
}

func (p *putCharge) command() commands.EnterCharge {
	b := &p.Body
	return commands.EnterCharge{
		Account: p.Account, Charge: p.Charge, Code: b.Code, Description: b.Description, Amount: b.Amount,
		ValueDate: b.ValueDate.String(), PeriodFrom: b.PeriodFrom.String(), PeriodTo: b.PeriodTo.String(), Fund: b.Fund,
	}
}

type payment struct {
	Amount      string      `json:"amount" pattern:"^[0-9]+([.][0-9]+)?$" patternDescription:"a plain decimal such as 450.00" example:"450.00"`
	ValueDate   domain.Date `json:"value_date" doc:"The day it counts"`
	Method      string      `json:"method" enum:"direct_debit,card,bank_transfer,standing_order,cash,cheque,benefit,other"`
	Reference   string      `json:"reference,omitempty" maxLength:"500"`
	Payer       string      `json:"payer,omitempty" maxLength:"500"`
	Instruction string      `json:"instruction,omitempty" maxLength:"500"`
}

type putPayment struct {
	Account string `path:"account" example:"T1001"`
	Payment string `path:"payment" example:"PAY-1"`
	Conditional
	Body payment
}

func (p *putPayment) command() commands.ReceivePayment {
	b := &p.Body
	return commands.ReceivePayment{
		Account: p.Account, Payment: p.Payment, Amount: b.Amount, ValueDate: b.ValueDate.String(),
		Method: b.Method, Reference: b.Reference, Payer: b.Payer, Instruction: b.Instruction,
	}
}

type reversal struct {
	ValueDate  domain.Date `json:"value_date" doc:"Not before the payment's"`
	ReasonCode string      `json:"reason_code" minLength:"1" maxLength:"64" example:"returned"`
	Fee        string      `json:"fee,omitempty" pattern:"^[0-9]+([.][0-9]+)?$" patternDescription:"a plain decimal such as 450.00" doc:"Charged on the same day, with code fee" example:"8.00"`
}

type putReversal struct {
	Account string `path:"account" example:"T1001"`
	Payment string `path:"payment" example:"PAY-1"`
	Conditional
	Body reversal
}

func (p *putReversal) command() commands.ReversePayment {
	b := &p.Body
	return commands.ReversePayment{
		Account: p.Account, Payment: p.Payment, ValueDate: b.ValueDate.String(), ReasonCode: b.ReasonCode, Fee: b.Fee,
	}
}

type adjustment struct {
	Kind      string      `json:"kind" enum:"credit,debit,write_off,write_on,refund"`
	Amount    string      `json:"amount" pattern:"^[0-9]+([.][0-9]+)?$" patternDescription:"a plain decimal such as 450.00" example:"20.00"`
	ValueDate domain.Date `json:"value_date" doc:"The day it counts"`
	Reason    string      `json:"reason" minLength:"1" maxLength:"500" example:"Goodwill"`
	Corrects  string      `json:"corrects,omitempty" doc:"The entry this corrects" example:"rent:2026-04-06"`
}

type putAdjustment struct {
	Account    string `path:"account" example:"T1001"`
	Adjustment string `path:"adjustment" example:"ADJ-1"`
	Conditional
	Body adjustment
}

func (p *putAdjustment) command() commands.MakeAdjustment {
	b := &p.Body
	return commands.MakeAdjustment{
		Account: p.Account, Adjustment: p.Adjustment, Kind: b.Kind, Amount: b.Amount,
		ValueDate: b.ValueDate.String(), Reason: b.Reason, Corrects: b.Corrects,
	}
}
