package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rentbook/eventstore/esdb/esdbtest"
	"rentbook/eventstore/pgdb/pgtest"
)

// moved is a folder with a past, and the statement of an account at a time in it.
type movable struct {
	place

	time, statement string
}

func newMovable(t *testing.T) movable {
	t.Helper()
	p := files(t)
	p.must("import", portfolioFolder())
	var known struct {
		KnownAt struct{ Position, Time string } `json:"known_at"`
	}
	ask := []string{"statement", "A-weekly", "--from", "2025-01-01", "--to", "2026-10-31", "--format", "json"}
	if err := json.Unmarshal([]byte(p.must(ask...)), &known); err != nil {
		t.Fatal(err)
	}
	p.must("charge", "--through", "2026-10-31")
	p.must("token", "create", "--role", "auditor")
	m := movable{place: p, time: known.KnownAt.Time}
	m.statement = m.then(p)
	return m
}

var positions = regexp.MustCompile(`"position": ?"\d+"`)

// then is the statement as known at the time, without positions.
func (m movable) then(p place) string {
	m.t.Helper()
	text := p.must("statement", "A-weekly", "--from", "2025-01-01", "--to", "2026-10-31", "--known-at", m.time, "--format", "json")
	return positions.ReplaceAllString(text, `"position":""`)
}

// events is the log without positions.
func events(p place) string { return positions.ReplaceAllString(p.must("export"), `"position":""`) }

// What was moved is the same log: ids, order, metadata, sealed bytes, recorded times, and what was known
// when. The folder is closed afterwards, and another move finds everything done.
func TestMove_KeepsEverythingButPositions(t *testing.T) {
	t.Parallel()
	for _, with := range []string{"EventStoreDB", "PostgreSQL", "both"} {
		t.Run(with, func(t *testing.T) {
			t.Parallel()
			m := newMovable(t)
			want, tokens := events(m.place), m.must("token", "list")
			args := []string{"move", "--from", "sqlite:" + m.dir}
			to := place{t: t, dir: m.dir}
			if with != "PostgreSQL" {
				to.eventStore = eventStore(t)
				args = append(args, "--to", to.eventStore)
			}
			if with != "EventStoreDB" {
				to.database = pgtest.URL(t)
				args = append(args, "--database", to.database)
				code, _, stderr := rentbook(t, to.args("verify")...)
				if with == "PostgreSQL" && (code != exitRefused || !strings.Contains(stderr, "rentbook move")) {
					t.Errorf("keys in a file, the rest in a database: exit %d\n%s", code, stderr)
				}
			}
			for range 2 {
				must(t, args...)
			}
			if diff := gocmp.Diff(want, events(to)); diff != "" {
				t.Errorf("the log (-before +after):\n%.2000s", diff)
			}
			if got := m.then(to); got != m.statement {
				t.Errorf("as known then:\n%s", gocmp.Diff(m.statement, got))
			}
			if got := to.must("token", "list"); got != tokens {
				t.Errorf("tokens:\n%s", gocmp.Diff(tokens, got))
			}
			if out := to.must("verify"); !strings.Contains(out, "agree") {
				t.Errorf("verify said %q", out)
			}
			if code, _, stderr := rentbook(t, m.args("verify")...); code != exitRefused || !strings.Contains(stderr, "moved") {
				t.Errorf("the folder left behind: exit %d\n%s", code, stderr)
			}
			if with != "PostgreSQL" {
				m.tableOfPositions(to, strings.Count(want, "\n"))
			}
		})
	}
}

// tableOfPositions wants each old position beside the new one of the same event.
func (m movable) tableOfPositions(to place, want int) {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.dir, movedPositions))
	if err != nil {
		m.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var fresh []string
	for line := range strings.Lines(to.must("export")) {
		fresh = append(fresh, regexp.MustCompile(`"position": ?"(\d+)"`).FindStringSubmatch(line)[1])
	}
	if len(lines) != want+1 || len(fresh) != want {
		m.t.Fatalf("%d lines and %d events, want %d events", len(lines), len(fresh), want)
	}
	for i, position := range fresh {
		if _, got, _ := strings.Cut(lines[i+1], ","); got != position {
			m.t.Fatalf("line %d is %q, the event stands at %s", i+2, lines[i+1], position)
		}
	}
}

// A move that is killed goes on where it was.
func TestMove_KilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	m := newMovable(t)
	want := events(m.place)
	kills, seed := 0, rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for kills < 10 {
		to := place{t: t, dir: copyOf(t, m.dir), eventStore: eventStore(t)}
		args := []string{"move", "--from", "sqlite:" + to.dir, "--to", to.eventStore}
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(time.Second))))
			err := program(ctx, args...).Run()
			cancel()
			if err == nil {
				break
			}
			kills++
		}
		must(t, args...)
		if diff := gocmp.Diff(want, events(to)); diff != "" {
			t.Fatalf("seed %d, after %d kills (-before +after):\n%.2000s", seed, kills, diff)
		}
	}
	t.Logf("%d kills (seed %d)", kills, seed)
}

// A server that answers late, loses answers or goes away in the middle costs time, and nothing else.
func TestMove_ThroughOutages(t *testing.T) {
	t.Parallel()
	m := newMovable(t)
	want := events(m.place)
	store := esdbtest.Start(t, esdbtest.Options{})
	store.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.LoseReply, Skip: 3, Times: 2})
	store.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.TimedOutCommitted, Skip: 12, Times: 2})
	must(t, "move", "--from", "sqlite:"+m.dir, "--to", store.ConnectionString())
	if diff := gocmp.Diff(want, events(place{t: t, dir: m.dir, eventStore: store.ConnectionString()})); diff != "" {
		t.Errorf("the log (-before +after):\n%.2000s", diff)
	}
	if store.Fired() != 4 {
		t.Errorf("%d faults, want 4", store.Fired())
	}
}

func TestMove_Refuses(t *testing.T) {
	t.Parallel()
	m, other := newMovable(t), files(t)
	other.eventStore = eventStore(t)
	other.must("import", portfolioFolder())
	for name, row := range map[string]struct {
		args []string
		code int
		said string
	}{
		"no source":         {[]string{"--to", other.eventStore}, exitUsage, "--from"},
		"another source":    {[]string{"--from", "esdb://x", "--to", other.eventStore}, exitUsage, "sqlite:"},
		"nowhere":           {[]string{"--from", "sqlite:" + m.dir}, exitUsage, "where to"},
		"no log":            {[]string{"--from", "sqlite:" + t.TempDir(), "--to", other.eventStore}, exitRefused, "there is no log.db"},
		"a log of others":   {[]string{"--from", "sqlite:" + m.dir, "--to", other.eventStore}, exitRefused, "not moved there"},
		"credentials":       {[]string{"--from", "sqlite:" + m.dir, "--to", "esdb://u:secret@h?tls=false"}, exitRefused, "tls=false"},
		"an address":        {[]string{"--from", "sqlite:" + m.dir, "--to", "http://h"}, exitRefused, "esdb://"},
		"another database":  {[]string{"--from", "sqlite:" + m.dir, "--database", "mysql://h"}, exitUsage, "postgres://"},
		"a password spoken": {[]string{"--from", "sqlite:" + m.dir, "--database", "postgres://u:secret@h:x/d"}, exitUsage, "--database"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := rentbook(t, append([]string{"move"}, row.args...)...)
			if code != row.code || !strings.Contains(stderr, row.said) || strings.Contains(stderr, "secret") {
				t.Errorf("exit %d, want %d and a word of %q:\n%s", code, row.code, row.said, stderr)
			}
		})
	}
	t.Run("a folder in use", func(t *testing.T) {
		startServer(m.place)
		code, _, stderr := rentbook(t, "move", "--from", "sqlite:"+m.dir, "--to", eventStore(t))
		if code != exitRefused || !strings.Contains(stderr, "stop it first") {
			t.Errorf("exit %d\n%s", code, stderr)
		}
	})
}

// A log that has moved stays closed, whatever another move meets.
func TestMove_StaysMoved(t *testing.T) {
	t.Parallel()
	m := newMovable(t)
	store := esdbtest.Start(t, esdbtest.Options{})
	args := []string{"move", "--from", "sqlite:" + m.dir, "--to", store.ConnectionString()}
	must(t, args...)
	table, err := os.ReadFile(filepath.Join(m.dir, movedPositions))
	if err != nil {
		t.Fatal(err)
	}
	to := place{t: t, dir: m.dir, eventStore: store.ConnectionString()}
	to.must("charge", "--through", "2026-12-31") // the new log goes on
	for _, away := range []bool{false, true} {
		if away {
			store.Stop()
		}
		if code, _, stderr := rentbook(t, args...); code != exitRefused {
			t.Errorf("moved again, server away %t: exit %d\n%s", away, code, stderr)
		}
		if code, _, stderr := rentbook(t, m.args("charge", "--through", "2026-12-31")...); code != exitRefused || !strings.Contains(stderr, "has moved to") {
			t.Errorf("the old log was opened: exit %d\n%s", code, stderr)
		}
	}
	if got, err := os.ReadFile(filepath.Join(m.dir, movedPositions)); err != nil || string(got) != string(table) {
		t.Errorf("the table of positions has changed: %v", err)
	}
}

// Nobody can make keys or tokens in the files while they are moved.
func TestMove_OfKeysAloneWantsTheFolderAlone(t *testing.T) {
	t.Parallel()
	m := newMovable(t)
	database := pgtest.URL(t)
	startServer(m.place)
	if code, _, stderr := rentbook(t, "move", "--from", "sqlite:"+m.dir, "--database", database); code != exitRefused || !strings.Contains(stderr, "stop it first") {
		t.Errorf("beside a server: exit %d\n%s", code, stderr)
	}
	if !m.has("vault.db") {
		t.Error("the keys were moved all the same")
	}
}
