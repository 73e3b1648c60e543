package main

import (
	"strings"
	"testing"

	"rentbook/eventstore/esdb/esdbtest"
	"rentbook/eventstore/pgdb/pgtest"
)

// A log that is here is never passed over for an empty one elsewhere, nor is an address that came out empty.
func TestStores_Refuse(t *testing.T) {
	here := files(t)
	here.must("import", portfolioFolder())
	store, database := eventStore(t), pgtest.URL(t)
	for name, row := range map[string]struct {
		args []string
		code int
		said string
	}{
		"a log here, none there":     {[]string{"import", portfolioFolder(), "--eventstore", store}, exitRefused, "rentbook move --from sqlite:"},
		"keys here, none there":      {[]string{"verify", "--database", database}, exitRefused, "rentbook move --from sqlite:"},
		"no address":                 {[]string{"verify", "--database", ""}, exitUsage, "--database is given, and empty"},
		"no event store":             {[]string{"verify", "--eventstore="}, exitUsage, "--eventstore is given, and empty"},
		"another kind of database":   {[]string{"verify", "--database", "mysql://h/d"}, exitUsage, "postgres://"},
		"another kind of log":        {[]string{"verify", "--eventstore", "kurrentdb://h"}, exitUsage, "esdb://"},
		"credentials without TLS":    {[]string{"verify", "--eventstore", "esdb://u:secret@h?tls=false"}, exitUsage, "tls=false"},
		"a misspelt option":          {[]string{"verify", "--eventstore", "esdb://h?tsl=false"}, exitUsage, "tsl"},
		"a password in a bad string": {[]string{"verify", "--database", "postgres://u:secret@h:port/d"}, exitUsage, "--database"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := rentbook(t, append(row.args, "--data", here.dir)...)
			if code != row.code || !strings.Contains(stderr, row.said) || strings.Contains(stderr, "secret") {
				t.Errorf("exit %d, want %d and a word of %q:\n%s", code, row.code, row.said, stderr)
			}
		})
	}
	t.Setenv("RENTBOOK_DATABASE", "")
	if code, _, stderr := rentbook(t, "verify", "--data", here.dir); code != exitUsage || !strings.Contains(stderr, "empty") {
		t.Errorf("an empty variable: exit %d\n%s", code, stderr)
	}
}

// Doctor looks at every server, says which are away and why, and readiness does too, without waiting.
func TestDoctor_TellsWhichServerIsAway(t *testing.T) {
	t.Parallel()
	cluster, store := pgtest.Start(t, pgtest.Options{Fast: true}), esdbtest.Start(t, esdbtest.Options{})
	p := files(t)
	p.eventStore, p.database = store.ConnectionString(), cluster.URL(t)
	p.must("import", portfolioFolder())
	if out := p.must("doctor"); strings.Count(out, ", reachable") != 2 {
		t.Errorf("doctor said %s", out)
	}
	s := startServer(p)
	s.get("/readyz")
	store.Stop()
	cluster.Stop()
	code, out, _ := rentbook(t, p.args("doctor")...)
	if code != exitRefused || strings.Count(out, "NOT REACHABLE") != 2 {
		t.Errorf("with both away: exit %d\n%s", code, out)
	}
	a := s.do("GET", "/readyz", nil)
	if a.status != 503 || !strings.Contains(string(a.body), `"database":{"connected":false`) {
		t.Errorf("with both away: %d %s", a.status, a.body)
	}
	if err := store.Resume(); err != nil {
		t.Fatal(err)
	}
	cluster.Restart(t)
	s.get("/readyz")
}
