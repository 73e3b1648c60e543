package http

import (
	"context"
	"encoding/json"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/projections"
)

type listEntries struct {
	Account string `path:"account" example:"T1001"`
	Kind    string `query:"kind" enum:"charge,payment,payment_reversal,credit,debit,write_off,write_on,refund"`
	From    string `query:"from" format:"date" doc:"Value date, this day included"`
	To      string `query:"to" format:"date" doc:"Value date, this day included"`
	Fund    string `query:"fund"`
	Text    string `query:"q" maxLength:"100" doc:"In the description or the entry's id"`
	Paged
}

type entriesPage struct {
	Account  string          `json:"account" example:"T1001"`
	Currency domain.Currency `json:"currency" example:"GBP"`
	Entries  []entry         `json:"entries" nullable:"false"`
	Next     string          `json:"next,omitempty" doc:"The cursor of the next page; absent on the last"`
}

// entry is a line of an account outside of a statement, which alone has balances.
type entry struct {
	Entry       string      `json:"entry" example:"rent:2026-04-06"`
	ValueDate   domain.Date `json:"value_date"`
	RecordedAt  string      `json:"recorded_at" format:"date-time"`
	Position    string      `json:"position" example:"1042"`
	Kind        rent.Kind   `json:"kind" example:"charge"`
	Code        string      `json:"code" example:"rent"`
	Description string      `json:"description" example:"Rent"`
	Debit       *string     `json:"debit" doc:"null for a credit" example:"450.00"`
	Credit      *string     `json:"credit" doc:"null for a debit"`
	Fund        string      `json:"fund,omitempty"`
	Reverses    *string     `json:"reverses"`
	ReversedBy  *string     `json:"reversed_by"`
	Event       string      `json:"event" format:"uuid"`
}

func entryOf(l projections.Line, currency domain.Currency) entry {
	shown := entry{
		Entry: l.Entry, ValueDate: l.ValueDate, RecordedAt: timestamp(l.RecordedAt), Position: l.Position.String(),
		Kind: l.Kind, Code: l.Code, Description: l.Description, Fund: l.Fund,
		Reverses: optional(l.Reverses), ReversedBy: optional(l.ReversedBy), Event: l.Event,
	}
	amount := domain.Money{Minor: l.Amount, Currency: currency}.String()
	if l.Kind.Debit() {
		shown.Debit = &amount
	} else {
		shown.Credit = &amount
	}
	return shown
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (s *Server) entries(_ *call, v *projections.Reader, q *listEntries) (entriesPage, string, error) {
	account, err := v.Account(q.Account)
	if err != nil {
		return entriesPage{}, "", err
	}
	asked := projections.EntryQuery{Account: q.Account, Fund: q.Fund, Text: q.Text, Limit: q.Limit}
	if asked.From, asked.To, err = days(q.From, q.To); err != nil {
		return entriesPage{}, "", err
	}
	if asked.After, err = q.after(); err != nil {
		return entriesPage{}, "", err
	}
	if q.Kind != "" {
		asked.Kinds = []string{q.Kind}
	}
	lines, next, err := v.Entries(asked)
	page := entriesPage{Account: account.ID, Currency: account.Currency, Entries: []entry{}}
	for _, line := range lines {
		page.Entries = append(page.Entries, entryOf(line, account.Currency))
	}
	if next != "" {
		page.Next = cursor(next)
	}
	return page, "", err
}

type getExplanation struct {
	Account string `path:"account" example:"T1001"`
	Entry   string `path:"entry" example:"rent:2026-04-06"`
}

// explanation leads from a line down to its source.
type explanation struct {
	Account  string          `json:"account" example:"T1001"`
	Currency domain.Currency `json:"currency" example:"GBP"`
	Line     entry           `json:"line"`
	Corrects *string         `json:"corrects" doc:"The entry this one corrects"`
	Parts    []part          `json:"parts" nullable:"false" doc:"How a charge was worked out from the terms in force; empty when none covers its days any more"`
	Instead  *correction     `json:"difference,omitempty" doc:"What a difference is the difference to"`
	Source   event           `json:"source" doc:"The event that put it on the account"`
}

// correction is what runs had raised for the days of a difference, from which term, and what the
// terms give for them now.
type correction struct {
	RaisedFor rent.TermAt `json:"raised_for" doc:"The term that the corrected charge was raised from"`
	Raised    string      `json:"raised" example:"128.40"`
	Owed      string      `json:"owed" example:"124.80"`
}

// correctionOf reads it from the event, none of which is sealed.
func correctionOf(r eventstore.Recorded) (*correction, error) {
	var fact rent.ChargeCorrected
	if r.Type != fact.EventType() {
		return nil, nil //nolint:nilnil // most lines are no difference
	}
	err := json.Unmarshal(r.Data, &fact)
	return &correction{RaisedFor: fact.RaisedFor, Raised: fact.Raised.String(), Owed: fact.Owed.String()}, err
}

// part is how the charge for some days follows from one term.
type part struct {
	Term            domain.ID      `json:"term" example:"R1"`
	TermVersion     uint64         `json:"term_version"`
	Calendar        domain.ID      `json:"calendar,omitempty"`
	CalendarVersion uint64         `json:"calendar_version,omitempty"`
	PeriodFrom      domain.Date    `json:"period_from"`
	PeriodTo        domain.Date    `json:"period_to"`
	CoveredFrom     domain.Date    `json:"covered_from"`
	CoveredTo       domain.Date    `json:"covered_to"`
	DaysCovered     int64          `json:"days_covered"`
	DaysInPeriod    int64          `json:"days_in_period"`
	Basis           rent.Proration `json:"basis"`
	Rounding        string         `json:"rounding"`
	PeriodAmount    string         `json:"period_amount" doc:"Of the whole period" example:"450.00"`
	AmountBefore    string         `json:"amount_before" doc:"Of the covered days, before rounding"`
	AmountAfter     string         `json:"amount_after"`
}

func partOf(e rent.Explanation) part {
	return part{
		Term: e.Term, TermVersion: e.TermVersion, Calendar: e.Calendar, CalendarVersion: e.CalendarVersion,
		PeriodFrom: e.PeriodFrom, PeriodTo: e.PeriodTo, CoveredFrom: e.CoveredFrom, CoveredTo: e.CoveredTo,
		DaysCovered: e.DaysCovered, DaysInPeriod: e.DaysInPeriod, Basis: e.Basis, Rounding: e.Rounding,
		PeriodAmount: e.PeriodAmount.String(), AmountBefore: e.AmountBefore, AmountAfter: e.AmountAfter.String(),
	}
}

func (s *Server) explanation(c *call, v *projections.Reader, q *getExplanation) (explanation, string, error) {
	account, err := v.Account(q.Account)
	if err != nil {
		return explanation{}, "", err
	}
	found, err := v.Explanation(q.Account, q.Entry)
	if err != nil {
		return explanation{}, "", err
	}
	source, err := s.recorded(c.r.Context(), found.Source)
	if err != nil {
		return explanation{}, "", err
	}
	instead, err := correctionOf(source)
	shown := explanation{
		Account: account.ID, Currency: account.Currency, Line: entryOf(found.Line, account.Currency),
		Corrects: optional(found.Corrects), Parts: []part{}, Instead: instead, Source: eventOf(source),
	}
	for _, p := range found.Parts {
		shown.Parts = append(shown.Parts, partOf(p))
	}
	return shown, "", err
}

// recorded is the event that a view names, from the log itself.
func (s *Server) recorded(ctx context.Context, from projections.Source) (eventstore.Recorded, error) {
	for found, err := range s.Store.Read(ctx, from.Stream, eventstore.Version(from.Version-1)) {
		return found, err
	}
	return eventstore.Recorded{}, errNotThere
}
