package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"rentbook/domain"
	"rentbook/projections"
)

// question is a statement that is asked for, and how many lines it has.
type question struct {
	account  string
	from, to domain.Date
	lines    int
}

// questions draws them. Each caller has a generator of its own, and two with the same seed ask the
// same.
type questions func() question

const statementDays = 31

// leaseQuestions are statements of 31 days, at any place in the life of any of so many leases; the
// range is drawn first, so that it has as many lines however many leases there are.
func leaseQuestions(leases int) func() questions {
	return func() questions {
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: any draw does
		life := leaseAt(0).dateOf(perLease-1) - leaseAt(0).startsOn
		return func() question {
			offset := domain.Date(random.IntN(int(life - statementDays)))
			a := leaseAt(random.IntN(leases))
			from := a.startsOn + offset
			to := from + statementDays - 1
			return question{a.id, from, to, a.lines(from, to)}
		}
	}
}

// sameLines is how many lines the statements have that are compared across accounts: those of one
// day on the longest.
const sameLines = 27

// longQuestions are statements of so many lines, at any place in a long account.
func longQuestions(entries int) func() questions {
	return func() questions {
		random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // G404: any draw does
		a := longAccount(entries)
		return func() question {
			for {
				first := random.IntN(entries-2*sameLines) + sameLines
				last := first + sameLines - 1
				if a.dateOf(first-1) < a.dateOf(first) && a.dateOf(last) < a.dateOf(last+1) {
					return question{a.id, a.dateOf(first), a.dateOf(last), sameLines}
				}
			}
		}
	}
}

// asking are clients that ask a server for statements: ours, or bare SQL in its place.
func (n *node) asking(address string, ask func() questions) workers {
	return func() (worker, error) {
		c, err := dial(address)
		if err != nil {
			return worker{}, err
		}
		next := ask()
		return worker{close: c.close, op: func(context.Context) error {
			q := next()
			c.out = append(c.out[:0], "GET /api/v1/accounts/"...)
			c.out = append(append(c.out, q.account...), "/statement?from="...)
			c.out = append(append(append(c.out, q.from.String()...), "&to="...), q.to.String()...)
			c.out = append(append(append(c.out, " HTTP/1.1\r\nHost: rentbook\r\nAuthorization: Bearer "...), n.token...), "\r\n\r\n"...)
			if err := c.want(200); err != nil {
				return err
			}
			return q.check(bytes.Count(c.body, []byte(`"entry":`)))
		}}, nil
	}
}

func (q question) check(lines int) error {
	if lines == q.lines {
		return nil
	}
	return fmt.Errorf("the statement of %s from %s to %s has %d lines, want %d", q.account, q.from, q.to, lines, q.lines)
}

// reading asks in this process, as the server does.
func (n *node) reading(ask func() questions) op {
	next := ask()
	return func(ctx context.Context) error {
		q := next()
		return n.views.Read(ctx, func(r *projections.Reader) error {
			s, err := r.Statement(q.account, q.from, q.to, r.Now())
			if err != nil {
				return err
			}
			lines := 0
			for _, err := range s.Lines {
				if err != nil {
					return err
				}
				lines++
			}
			return q.check(lines)
		})
	}
}

// readingSQL asks bare SQL in this process.
func (r *rawStatements) reading(ask func() questions) op {
	next := ask()
	return func(context.Context) error {
		q := next()
		lines, err := r.read(q)
		if err != nil {
			return err
		}
		return q.check(lines)
	}
}

// oneEach opens one client of each kind.
func oneEach(open ...workers) (ops []op, closeAll func() error, err error) {
	var closers []func() error
	closeAll = func() error {
		var errs []error
		for _, end := range closers {
			errs = append(errs, end())
		}
		return errors.Join(errs...)
	}
	for _, o := range open {
		w, err := o()
		if err != nil {
			return nil, nil, errors.Join(err, closeAll())
		}
		ops, closers = append(ops, w.op), append(closers, w.end)
	}
	return ops, closeAll, nil
}

// statementGoal is goal5 with its data in place.
type statementGoal struct {
	b                *bench
	many, small      *node
	sql              *floor
	closeSQL         func() error
	raw              *rawStatements
	inside, outside  *row
	tail, store, age *row
}

// goal5 is a statement against the same in bare SQL, and against itself on less data.
func goal5() *goal {
	g := &statementGoal{
		inside:  justShow("", "statement p50, in process / bare SQL in process"),
		outside: wantAtMost(2, "statement p50, HTTP / bare SQL behind net/http, 1 client"),
		tail:    wantAtMost(3, "statement p99, HTTP / bare SQL behind net/http, 16 clients"),
		store:   wantAtMost(1.2, "statement p50, store of 1.1M entries / of 1,000"),
		age:     wantAtMost(1.25, "statement p50, account of 100,000 entries / of 1,000"),
	}
	return &goal{name: "G5", rows: []*row{g.inside, g.outside, g.tail, g.store, g.age}, open: g.open}
}

const readers = 16

func (g *statementGoal) open(ctx context.Context, b *bench) (_ *measuring, err error) {
	g.b = b
	if g.many, err = b.manyEntries(ctx); err != nil {
		return nil, err
	}
	if g.small, err = b.smallEntries(ctx); err != nil {
		return nil, err
	}
	if g.raw, err = g.many.rawStatements(); err != nil {
		return nil, err
	}
	if g.sql, g.closeSQL, err = g.many.sqlServer(ctx, readers); err != nil {
		return nil, errors.Join(err, g.raw.close())
	}
	return &measuring{round: g.round, done: func(context.Context) error {
		g.many, g.small = nil, nil // and with them what they remember, once they are closed
		return errors.Join(g.sql.close(), g.closeSQL(), g.raw.close())
	}}, nil
}

func (g *statementGoal) round(ctx context.Context, say func(string, ...any)) error {
	leases := leaseQuestions(g.b.leases)
	inside, err := alternate(ctx, g.b.block/4, g.raw.reading(leases), g.many.reading(leases))
	if err != nil {
		return err
	}
	say("in process: SQL      %v", inside[0])
	say("            rentbook %v", inside[1])
	g.inside.add(inside[1].p50() / inside[0].p50())
	err = g.compare(ctx, say, g.outside, "31 days", []string{"SQL", "rentbook"},
		g.many.asking(g.sql.address, leases), g.many.asking(g.many.address, leases))
	if err != nil {
		return err
	}
	if err := g.compareTails(ctx, say, leases); err != nil {
		return err
	}
	few := leaseQuestions(min(len(g.small.leases), g.b.leases))
	err = g.compare(ctx, say, g.store, "store", []string{"small", "large"},
		g.small.asking(g.small.address, few), g.many.asking(g.many.address, leases))
	if err != nil {
		return err
	}
	return g.compare(ctx, say, g.age, "account", []string{"1,000", "100,000"},
		g.many.asking(g.many.address, longQuestions(medium)), g.many.asking(g.many.address, longQuestions(g.b.long)))
}

// compare is one client of each kind over HTTP, in turn.
func (g *statementGoal) compare(
	ctx context.Context, say func(string, ...any), r *row, what string, names []string, open ...workers,
) error {
	ops, closeAll, err := oneEach(open...)
	if err != nil {
		return err
	}
	s, err := alternate(ctx, g.b.block/4, ops...)
	if err := errors.Join(err, closeAll()); err != nil {
		return err
	}
	for i, name := range names {
		say("%s, HTTP: %-8s %v", what, name, s[i])
	}
	r.add(s[1].p50() / s[0].p50())
	return nil
}

func (g *statementGoal) compareTails(ctx context.Context, say func(string, ...any), ask func() questions) error {
	base, err := drive(ctx, readers, g.b.block/2, g.many.asking(g.sql.address, ask))
	if err != nil {
		return err
	}
	ours, err := drive(ctx, readers, g.b.block/2, g.many.asking(g.many.address, ask))
	if err != nil {
		return err
	}
	say("%d clients: SQL      %v", readers, base)
	say("            rentbook %v", ours)
	g.tail.add(ours.p99() / base.p99())
	return nil
}
