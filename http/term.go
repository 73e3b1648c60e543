package http

import (
	"rentbook/commands"
	"rentbook/domain"
	"rentbook/projections"
)

type term struct {
	Code             string      `json:"code" pattern:"^[a-z0-9_-]{1,32}$" example:"rent"`
	Description      string      `json:"description" maxLength:"500" example:"Rent"`
	Amount           string      `json:"amount" pattern:"^[0-9]+([.][0-9]+)?$" patternDescription:"a plain decimal such as 450.00" example:"450.00"`
	Period           string      `json:"period" enum:"weekly,fortnightly,four_weekly,monthly,quarterly,yearly"`
	ChargeDay        string      `json:"charge_day,omitempty" doc:"A weekday's name for periods of weeks (monday unless given), 1 to 31 for periods of months (1 unless given)" example:"1"`
	AnchoredOn       domain.Date `json:"anchored_on,omitzero" doc:"Periods longer than a week or month are counted from the first charge day on or after this day"`
	Due              string      `json:"due,omitempty" enum:"in_advance,in_arrears" doc:"in_advance unless given"`
	Proration        string      `json:"proration,omitempty" enum:"period_days,yearly_days" doc:"How part of a period is charged; period_days unless given"`
	From             domain.Date `json:"from"`
	To               domain.Date `json:"to,omitzero" doc:"The last day"`
	BenefitEligible  bool        `json:"benefit_eligible,omitempty"`
	Fund             string      `json:"fund,omitempty" maxLength:"64"`
	RentFreeCalendar string      `json:"rent_free_calendar,omitempty" doc:"A calendar; periods that start on its days are not charged"`
}

type getTerm struct {
	Account string `path:"account" example:"T1001"`
	Term    string `path:"term" example:"R1"`
}

type putTerm struct {
	Account string `path:"account" example:"T1001"`
	Term    string `path:"term" example:"R1"`
	Conditional
	Body term
}

func (p *putTerm) command() commands.PutTerm {
	b := &p.Body
	return commands.PutTerm{
		Account: p.Account, Term: p.Term, Code: b.Code, Description: b.Description, Amount: b.Amount,
		Period: b.Period, ChargeDay: b.ChargeDay, AnchoredOn: b.AnchoredOn.String(), Due: b.Due, Proration: b.Proration,
		From: b.From.String(), To: b.To.String(),
		BenefitEligible: b.BenefitEligible, Fund: b.Fund, RentFreeCalendar: b.RentFreeCalendar,
	}
}

func (s *Server) term(_ *call, v *projections.Reader, q *getTerm) (term, string, error) {
	t, err := v.Term(q.Account, q.Term)
	return term{
		Code: string(t.Code), Description: t.Description, Amount: t.Amount.String(),
		Period: string(t.Period), ChargeDay: string(t.ChargeDay), AnchoredOn: t.AnchoredOn,
		Due: string(t.Due), Proration: string(t.Proration), From: t.From, To: t.To,
		BenefitEligible: t.BenefitEligible, Fund: t.Fund, RentFreeCalendar: string(t.RentFreeCalendar),
	}, version(t.Version), err
}
