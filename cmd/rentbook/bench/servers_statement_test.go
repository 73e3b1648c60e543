package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rentbook/domain"
	"rentbook/projections/database"
)

// statementGoal is a statement of a year over HTTP against its own SQL: what one asks the database,
// word by word and in the same transaction, asked by pgbench for an account drawn anew each time.
func (s *servers) statementGoal() *serverGoal {
	g := pgStatementGoal{
		servers: s,
		alone: compare(wantAtMost(2, "statement p50, HTTP / its SQL in pgbench, 1 client"),
			"p50-http/pgbench-c1", " ms"),
		aloneTail: compare(justShow("", "statement p99, the same"), "p99-http/pgbench-c1", " ms"),
		crowd: compare(justShow("", fmt.Sprintf("statement p50, HTTP / its SQL in pgbench, %d clients", readers)),
			"p50-http/pgbench-c16", " ms"),
		crowdTail: compare(wantAtMost(3, "statement p99, the same"), "p99-http/pgbench-c16", " ms"),
	}
	return s.newGoal("G5", g.open, g.alone, g.aloneTail, g.crowd, g.crowdTail)
}

type pgStatementGoal struct {
	*servers

	alone, aloneTail *comparison
	crowd, crowdTail *comparison

	log    *kept
	script script
}

func (g *pgStatementGoal) open(ctx context.Context) (_ *measuring, err error) {
	if g.log, err = g.theLog(ctx); err != nil {
		return nil, err
	}
	if err := g.log.views.CatchUp(ctx); err != nil {
		return nil, err
	}
	// The server would do so itself, some time in the next minute.
	if err := g.log.exec(ctx, `VACUUM ANALYSE`); err != nil {
		return nil, err
	}
	if g.log.address == "" {
		if err := g.log.serve(ctx); err != nil {
			return nil, err
		}
	}
	if g.script, err = g.learn(ctx); err != nil {
		return nil, err
	}
	// Each connection of the views' prepares the statements once.
	_, err = drive(ctx, readers, g.block/2, g.log.asking(g.log.address, g.years()))
	return &measuring{round: g.round}, err
}

func (g *pgStatementGoal) round(ctx context.Context, say func(string, ...any)) error {
	for _, c := range []struct {
		clients     int
		median, p99 *comparison
	}{{1, g.alone, g.aloneTail}, {readers, g.crowd, g.crowdTail}} {
		ours, oursSaid, err := g.beside(func() (sample, error) {
			return drive(ctx, c.clients, g.block, g.log.asking(g.log.address, g.years()))
		})
		if err != nil {
			return err
		}
		theirs, theirsSaid, err := g.beside(func() (sample, error) {
			l, err := g.pgbench(ctx, g.log.place, load{script: g.script, clients: c.clients, readOnly: true})
			return l.sample, err
		})
		if err != nil {
			return err
		}
		say("%2d clients: HTTP    %s", c.clients, oursSaid)
		say("            pgbench %s", theirsSaid)
		c.median.add(ours.p50(), theirs.p50())
		c.p99.add(ours.p99(), theirs.p99())
	}
	return nil
}

// year is that of the statements: the one in which all leases run.
func year() (from, to domain.Date) {
	return domain.NewDate(2023, time.January, 2), domain.NewDate(2024, time.January, 1)
}

// years are questions about any of the leases.
func (s *servers) years() func() questions {
	from, to := year()
	var all []question
	for _, a := range s.lives() {
		all = append(all, question{a.id, from, to, a.lines(from, to)})
	}
	var seed atomic.Uint64
	return func() questions {
		random := rand.New(rand.NewPCG(5, seed.Add(1)))
		return func() question { return all[random.IntN(len(all))] }
	}
}

// learn asks for two statements, and makes a script of what they asked the database.
func (g *pgStatementGoal) learn(ctx context.Context) (script, error) {
	ask := g.years()()
	first := ask()
	second := ask()
	for second.account == first.account {
		second = ask()
	}
	var asked [2][]asked
	for i, q := range []question{first, second} {
		w, err := g.log.asking(g.log.address, func() questions { return func() question { return q } })()
		if err != nil {
			return script{}, err
		}
		asked[i], err = g.log.recorder.record(q.account, func() error { return w.op(ctx) })
		if err := errors.Join(err, w.end()); err != nil {
			return script{}, err
		}
	}
	return generalise(asked[0], asked[1], len(g.lives()))
}

// recorder is a database that can be overheard.
type recorder struct {
	database.Database

	mu        sync.Mutex
	listening bool
	heard     [][]asked // in each snapshot
}

// asked is one question.
type asked struct {
	query string
	args  []database.Value
}

// record is what one snapshot was asked of which an account was part.
func (r *recorder) record(account string, do func() error) ([]asked, error) {
	r.mu.Lock()
	r.listening, r.heard = true, nil
	r.mu.Unlock()
	err := do()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listening = false
	if err != nil {
		return nil, err
	}
	for _, all := range r.heard { // those who follow the log may have asked something, too
		for _, a := range all {
			for _, arg := range a.args {
				if arg == database.Text(account) {
					return all, nil
				}
			}
		}
	}
	return nil, fmt.Errorf("nobody asked the views about %s", account)
}

// Read is that of the database.
func (r *recorder) Read(ctx context.Context, f func(database.Snapshot) error) error {
	r.mu.Lock()
	listening := r.listening
	r.mu.Unlock()
	if !listening {
		return r.Database.Read(ctx, f)
	}
	o := overheard{}
	err := r.Database.Read(ctx, func(s database.Snapshot) error {
		o.Snapshot = s
		return f(&o)
	})
	r.mu.Lock()
	r.heard = append(r.heard, o.all)
	r.mu.Unlock()
	return err
}

type overheard struct {
	database.Snapshot

	all []asked
}

func (o *overheard) Query(query string, each func(database.Row) error, args ...database.Value) error {
	o.all = append(o.all, asked{query, args})
	return o.Snapshot.Query(query, each, args...)
}

// script is what each client of pgbench does again and again.
type script struct {
	text      string
	variables map[string]string
}

// The variables of a script that are not the same each time: an account is drawn, and its number is
// what the database answers to findNumber.
const (
	drawnAccount = `'L' || lpad(CAST(:drawn AS TEXT), 6, '0')`
	drawnNumber  = `:number`
	findNumber   = `SELECT number FROM `
)

// generalise makes a script of what was asked for two accounts. What was the same for both is a
// parameter all the same, as it was then.
func generalise(first, second []asked, accounts int) (script, error) {
	s := script{variables: map[string]string{}}
	if len(first) != len(second) {
		return s, fmt.Errorf("one statement is %d questions and another %d", len(first), len(second))
	}
	var text strings.Builder
	// A statement begins with two of these in one message, which pgbench can send as a pipeline only.
	_, _ = fmt.Fprintf(&text, "\\set drawn random(0, %d)\n\\startpipeline\n"+
		"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\nLOCK TABLE names_gate IN ACCESS SHARE MODE;\n\\endpipeline\n", accounts-1)
	for i, a := range first {
		if a.query != second[i].query {
			return s, fmt.Errorf("one statement asks %s and another %s", a.query, second[i].query)
		}
		query := strings.NewReplacer("{", "", "}", "").Replace(a.query)
		for n := len(a.args); n > 0; n-- { // $12 before $1
			to, err := s.argument(i, n, a.args[n-1], second[i].args[n-1])
			if err != nil {
				return s, fmt.Errorf("%s: %w", a.query, err)
			}
			query = strings.ReplaceAll(query, "$"+strconv.Itoa(n), to)
		}
		end := ";\n"
		if strings.HasPrefix(query, findNumber) {
			end = " \\gset\n"
		}
		text.WriteString(query + end)
	}
	text.WriteString("ROLLBACK;\n")
	s.text = text.String()
	return s, nil
}

// argument is what stands in the script for an argument, given as it was for two accounts.
func (s *script) argument(query, n int, first, second database.Value) (string, error) {
	switch {
	case first != second && first.Kind == database.KindText:
		return drawnAccount, nil
	case first != second && first.Kind == database.KindInt:
		return drawnNumber, nil
	case first != second:
		return "", fmt.Errorf("$%d differs from account to account", n)
	}
	name := fmt.Sprintf("q%d_%d", query, n)
	switch first.Kind {
	case database.KindText, database.KindDate:
		s.variables[name] = first.Text
	case database.KindInt:
		s.variables[name] = strconv.FormatInt(first.Int, 10)
	default:
		return "", fmt.Errorf("$%d is of kind %d, which pgbench is not told how to send", n, first.Kind)
	}
	return ":" + name, nil
}
