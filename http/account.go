package http

import (
	"encoding/base64"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/projections"
)

// Bounds of a page.
const (
	pageDefault = 50
	pageMax     = 200
)

// Paged is the part of a query that asks for a page.
type Paged struct {
	Cursor string `query:"cursor" doc:"The next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (p Paged) after() (string, error) {
	after, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil && p.Cursor != "" {
		_, err = domain.ParseID(string(after)) // what is put into cursors looks like one
	}
	if err != nil {
		return "", invalid("query.cursor", "is not a cursor that was given out here")
	}
	return string(after), nil
}

func cursor(after string) string { return base64.RawURLEncoding.EncodeToString([]byte(after)) }

type balance struct {
	Account  string          `json:"account" example:"T1001"`
	Currency domain.Currency `json:"currency" example:"GBP"`
	On       domain.Date     `json:"on"`
	Balance  string          `json:"balance" doc:"Positive is owed, negative is credit" example:"450.00"`
	Position string          `json:"position" doc:"Known at this position" example:"1042"`
}

type getAccount struct {
	Account string `path:"account" example:"T1001"`
}

type getBalance struct {
	Account string `path:"account" example:"T1001"`
	On      string `query:"on" format:"date" doc:"Entries that count up to and including this day; today unless given"`
	KnownAt string `query:"known_at" doc:"As it was known at this position (N or N-N) or RFC 3339 time; now unless given" example:"2026-03-03T12:00:00Z"`
}

// account is the balance today. Its version is that of the account's stream, to be used in If-Match
// on what is put on the account. The balance changes from one day to the next while the version stays,
// so it is never "not modified".
func (s *Server) account(c *call, v *projections.Reader, q *getAccount) (balance, string, error) {
	c.r.Header.Del("If-None-Match")
	found, err := v.Account(q.Account)
	if err != nil {
		return balance{}, "", err
	}
	shown, err := balanceOf(v, found, s.today(), v.Now())
	return shown, version(found.Version), err
}

func (s *Server) balance(c *call, v *projections.Reader, q *getBalance) (balance, string, error) {
	found, err := v.Account(q.Account)
	if err != nil {
		return balance{}, "", err
	}
	on, err := date("on", q.On)
	if err != nil {
		return balance{}, "", err
	}
	if on.IsZero() {
		on = s.today()
	}
	k, err := c.knownAt(v, q.KnownAt)
	if err != nil {
		return balance{}, "", err
	}
	shown, err := balanceOf(v, found, on, k)
	return shown, k.Position.String() + "." + on.String(), err
}

func balanceOf(v *projections.Reader, a projections.Account, on domain.Date, k projections.KnownAt) (balance, error) {
	minor, err := v.Balance(a.ID, on, k)
	return balance{
		Account: a.ID, Currency: a.Currency, On: on, Position: k.Position.String(),
		Balance: domain.Money{Minor: minor, Currency: a.Currency}.String(),
	}, err
}

type listAccounts struct{ Paged }

type accountsPage struct {
	Accounts []balance `json:"accounts" nullable:"false"`
	Next     string    `json:"next,omitempty" doc:"The cursor of the next page; absent on the last"`
}

func (s *Server) accounts(c *call, v *projections.Reader, q *listAccounts) (accountsPage, string, error) {
	after, err := q.after()
	if err != nil {
		return accountsPage{}, "", err
	}
	found, err := c.accountsAfter(v, after, q.Limit+1)
	if err != nil {
		return accountsPage{}, "", err
	}
	page := accountsPage{Accounts: []balance{}}
	for _, a := range found[:min(len(found), q.Limit)] {
		shown, err := balanceOf(v, a, s.today(), v.Now())
		if err != nil {
			return page, "", err
		}
		page.Accounts = append(page.Accounts, shown)
	}
	if len(found) > q.Limit {
		page.Next = cursor(found[q.Limit-1].ID)
	}
	return page, "", nil
}

// accountsAfter are those the caller may see.
func (c *call) accountsAfter(v *projections.Reader, after string, limit int) ([]projections.Account, error) {
	if c.token.Role != commands.RoleTenant {
		return v.Accounts(after, limit)
	}
	mine, err := ownTenancies(v, c.token)
	if err != nil {
		return nil, err
	}
	var accounts []projections.Account
	for _, id := range mine {
		if id <= after || len(accounts) == limit {
			continue
		}
		account, err := v.Account(id)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}
