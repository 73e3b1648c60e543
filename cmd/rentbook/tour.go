package main

import (
	"fmt"
	"io"
	"net/url"

	"rentbook/cmd/rentbook/demo"
	"rentbook/commands"
)

// tour prints what to try in a demo: commands that work when pasted.
type tour struct {
	demo.Highlights
	url     string
	data    string
	secrets map[commands.Role]string
}

func (t tour) print(out io.Writer) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	corrected, bounced := t.About(demo.Corrected), t.About(demo.Bounced)
	say("\nRentbook's demo: a made-up landlord with two years behind him. The API is at %s/api/v1,", t.url)
	say("described at %s/docs. Nothing is kept after you press Ctrl-C, unless you named a folder.", t.url)
	say("\nWhat is there to see:\n")
	for _, h := range t.Accounts {
		say("  %s", h)
	}
	say("\nIn another terminal. What the tenant of %s was told on %s, before a wrong rent was put right:\n",
		corrected.Account, t.Before.At.UTC().Format("2 January 2006 at 15:04:05"))
	t.curl(say, commands.RoleTenant, statementPath(corrected)+"&known_at="+t.Before.Position.String())
	say("\nThe same days as they are known now. The correction has lines of its own; the old ones stay:\n")
	t.curl(say, commands.RoleTenant, statementPath(corrected))
	say("\nWhy one of those lines is what it is, down to its event:\n")
	t.curl(say, commands.RoleTenant, "/accounts/"+corrected.Account+"/entries/"+corrected.Entry+"/explanation")
	say("\nA bounced direct debit, its reversal and its fee, as the manager sees it:\n")
	t.curl(say, commands.RoleManager, statementPath(bounced))
	say("\nA payment. Send it twice: it is recorded once (the second answer says Idempotent-Replayed: true):\n")
	say("  curl -i -X PUT -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \\\n"+
		"    -d '{\"amount\":\"25.00\",\"value_date\":\"2026-10-30\",\"method\":\"card\"}' \\\n"+
		"    '%s/api/v1/accounts/%s/payments/DEMO-1'", t.secrets[commands.RoleManager], t.url, bounced.Account)
	say("\nEverything that ever happened on that account, as the auditor sees it (what is personal stays sealed):\n")
	t.curl(say, commands.RoleAuditor, "/streams/rentAccount-"+bounced.Account)
	t.printRepairs(say)
	say("\nAnd beside the running server, from the command line:\n")
	say("  go run ./cmd/rentbook statement %s --from %s --to %s --data %s", bounced.Account, bounced.From, bounced.To, t.data)
	say("  go run ./cmd/rentbook verify --data %s\n", t.data)
}

func (t tour) printRepairs(say func(string, ...any)) {
	account, visit := t.About(demo.Corrected).Account, t.Repairs.Visit
	say("\nRepairs. The stories count back from the day on which the demo was started:\n")
	for _, h := range t.Repairs.All {
		say("  %s", h)
	}
	say("\nThe whole story of one, as its tenant sees it:\n")
	t.curl(say, commands.RoleTenant, "/repairs/"+demo.WholeStory+"/timeline")
	say("\nHow another one stands. Under actions is what its tenant may do about it now:\n")
	t.curl(say, commands.RoleTenant, "/repairs/"+visit.Repair)
	say("\nWhere %s is expected on the day of that visit, as the contractor sees it:\n", visit.Contractor)
	t.curl(say, commands.RoleContractor, "/contractors/"+visit.Contractor+"/diary?date="+visit.On.String())
	say("\nThe board of hazards, what is due next first:\n")
	t.curl(say, commands.RoleManager, "/hazards?open=true")
	say("\nHow well repairs were done, by the record alone:\n")
	t.curl(say, commands.RoleManager, "/performance?from="+t.Repairs.From.String()+"&to="+t.Repairs.To.String())
	say("\nMoney and repairs of %s in one order, from the correction of its rent on:\n", account)
	t.curl(say, commands.RoleTenant, "/tenancies/"+account+"/timeline?limit=200&after="+t.Before.Position.String())
}

func statementPath(h demo.Highlight) string {
	days := url.Values{"from": {h.From.String()}, "to": {h.To.String()}}
	return "/accounts/" + h.Account + "/statement.csv?" + days.Encode()
}

func (t tour) curl(say func(string, ...any), role commands.Role, path string) {
	say("  curl -s -H 'Authorization: Bearer %s' \\\n    '%s/api/v1%s'", t.secrets[role], t.url, path)
}
