package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// expected is what an independent calculation makes of a portfolio: day by day, in fractions, and
// in another language.
type expected struct {
	ChargeThrough string          `json:"charge_through"`
	Statements    []statementJSON `json:"statements"`
}

type statementJSON struct {
	Account        string     `json:"account"`
	Currency       string     `json:"currency"`
	From           string     `json:"from"`
	To             string     `json:"to"`
	OpeningBalance string     `json:"opening_balance"`
	ClosingBalance string     `json:"closing_balance"`
	TotalDebits    string     `json:"total_debits"`
	TotalCredits   string     `json:"total_credits"`
	Lines          []lineJSON `json:"lines"`
}

type lineJSON struct {
	ValueDate string  `json:"value_date"`
	Kind      string  `json:"kind"`
	Debit     *string `json:"debit"`
	Credit    *string `json:"credit"`
}

// TestPortfolio_StatementsMatchAnIndependentCalculation imports and charges a portfolio, and asks
// for each statement from the command line and from the API.
func TestPortfolio_StatementsMatchAnIndependentCalculation(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, fresh func() place) {
		matches(t, filepath.Join("testdata", "portfolio"), fresh())
		if folder := os.Getenv("RENTBOOK_TEST_PORTFOLIO"); folder != "" { // another one, of the same form
			matches(t, folder, fresh())
		}
	})
}

func matches(t *testing.T, folder string, data place) {
	t.Helper()
	var want expected
	text, err := os.ReadFile(filepath.Join(folder, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	data.must("import", filepath.Join(folder, "import"))
	data.must("charge", "--through", want.ChargeThrough)
	s := startServer(data)
	for _, w := range want.Statements {
		path := fmt.Sprintf("/api/v1/accounts/%s/statement?from=%s&to=%s", w.Account, w.From, w.To)
		fromAPI := s.get(path)
		fromCLI := data.must("statement", w.Account, "--from", w.From, "--to", w.To, "--format", "json")
		if diff := gocmp.Diff(fromCLI, string(fromAPI)); diff != "" {
			t.Errorf("%s %s to %s: command line and API differ:\n%s", w.Account, w.From, w.To, diff)
		}
		var got statementJSON
		if err := json.Unmarshal(fromAPI, &got); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(inAnyOrder(w), inAnyOrder(got)); diff != "" {
			t.Errorf("%s %s to %s (-want +got):\n%s", w.Account, w.From, w.To, diff)
		}
	}
	t.Logf("%d statements compared", len(want.Statements))
	if out := data.must("verify"); !strings.Contains(out, "agree") {
		t.Errorf("verify said %q", out)
	}
}

// inAnyOrder sorts the lines of each day.
func inAnyOrder(s statementJSON) statementJSON {
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	slices.SortFunc(s.Lines, func(a, b lineJSON) int {
		return cmp.Or(cmp.Compare(a.ValueDate, b.ValueDate), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(text(a.Debit), text(b.Debit)), cmp.Compare(text(a.Credit), text(b.Credit)))
	})
	if s.Lines == nil {
		s.Lines = []lineJSON{}
	}
	return s
}

// TestStatement_IsForEverWhatItWas takes a statement, then records a back-dated reversal and a
// retroactive rent change: as known then it is the same, byte for byte; as known now it has lines
// of their own.
func TestStatement_IsForEverWhatItWas(t *testing.T) {
	t.Parallel()
	everywhere(t, statementIsForEverWhatItWas)
}

func statementIsForEverWhatItWas(t *testing.T, fresh func() place) {
	data := fresh()
	data.must("import", portfolioFolder())
	data.must("charge", "--through", "2026-10-31")
	s := startServer(data)
	const path = "/api/v1/accounts/A-weekly/statement"
	const days = "?from=2025-01-01&to=2026-10-31"
	then := map[string][]byte{}
	var before struct {
		KnownAt struct{ Position, Time string } `json:"known_at"`
		Lines   []struct{ Entry string }        `json:"lines"`
	}
	first := s.get(path + ".json" + days)
	if err := json.Unmarshal(first, &before); err != nil {
		t.Fatal(err)
	}
	k := "&known_at=" + before.KnownAt.Position
	for _, suffix := range []string{".json", ".csv", ".pdf"} {
		then[suffix] = s.get(path + suffix + days + k)
	}

	s.put("/api/v1/accounts/A-weekly/payments/P040/reversal",
		map[string]any{"value_date": "2025-08-01", "reason_code": "DDICA-1", "fee": "7.50"})
	term := s.do("GET", "/api/v1/accounts/A-weekly/terms/R3", nil)
	var body map[string]any
	if err := json.Unmarshal(term.body, &body); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"account", "term", "currency", "version"} {
		delete(body, name)
	}
	body["amount"] = "117.00"
	s.put("/api/v1/accounts/A-weekly/terms/R3", body, "If-Match", term.header.Get("ETag"))
	position := s.write("POST", "/api/v1/charge-runs", map[string]any{"through": "2026-10-31"}, "Idempotency-Key", "again")

	for suffix, want := range then {
		if got := s.get(path+suffix+days+k, "Rentbook-Min-Position", position); !slices.Equal(got, want) {
			t.Errorf("%s: the statement as known then has changed", suffix)
		}
	}
	byTime := s.get(path + ".json" + days + "&known_at=" + before.KnownAt.Time)
	if !slices.Equal(byTime, first) || !slices.Equal(byTime, then[".json"]) {
		t.Error("the statement as known at that time has changed")
	}
	var now struct {
		Lines []struct{ Entry, Kind, Debit, Credit string } `json:"lines"`
	}
	if err := json.Unmarshal(s.get(path+".json"+days), &now); err != nil {
		t.Fatal(err)
	}
	added := map[string]int{}
	for _, line := range now.Lines {
		if !slices.ContainsFunc(before.Lines, func(l struct{ Entry string }) bool { return l.Entry == line.Entry }) {
			added[line.Kind]++
		}
	}
	// R3 charged 52 weeks, from 1 April 2025 (a Tuesday) to 31 March 2026: 53 charges, two of them in part.
	if diff := gocmp.Diff(map[string]int{"payment_reversal": 1, "charge": 1, "credit": 53}, added); diff != "" {
		t.Errorf("the lines added (-want +got):\n%s", diff)
	}
	var why struct {
		Difference struct {
			RaisedFor struct{ Term string } `json:"raised_for"`
			Raised    string
			Owed      string
		}
		Parts []struct{ Term string }
	}
	if err := json.Unmarshal(s.get("/api/v1/accounts/A-weekly/entries/rent:2025-04-07:r1/explanation"), &why); err != nil {
		t.Fatal(err)
	}
	if d := why.Difference; d.RaisedFor.Term != "R3" || d.Raised != "118.99" || d.Owed != "117.00" || len(why.Parts) != 1 {
		t.Errorf("the explanation of a difference: %+v", why)
	}
	if len(now.Lines) != len(before.Lines)+55 {
		t.Errorf("%d lines became %d: one was lost", len(before.Lines), len(now.Lines))
	}
}
