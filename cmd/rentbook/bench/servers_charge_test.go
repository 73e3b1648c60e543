package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"rentbook/commands"
	"rentbook/eventstore/esdb"
)

// chargeGoal is charges over HTTP, with views on PostgreSQL that follow, against bare inserts of one
// row as large, each committed by itself and synced. With the log on the double a charge is synced by
// nobody: a real server is needed for durable figures.
func (s *servers) chargeGoal() *serverGoal {
	g := pgChargeGoal{
		servers: s,
		embedded: compare(wantAtLeast(0.4, "durable charges, 64 clients, log embedded / single inserts in pgbench"),
			"charge-embedded/pgbench-insert", "/s"),
		double: compare(justShow("", "charges, 64 clients, log on the double (not durable) / the same"),
			"charge-double/pgbench-insert", "/s"),
	}
	return s.newGoal("G12", g.open, g.embedded, g.double)
}

type pgChargeGoal struct {
	*servers

	embedded, double *comparison

	there       *double // the process
	near, far   *node
	rows        place
	transaction load
	inserted    int
}

func (g *pgChargeGoal) open(ctx context.Context) (_ *measuring, err error) {
	if g.there, err = g.newDouble(ctx); err != nil {
		return nil, err
	}
	m := &measuring{round: g.round, done: g.done}
	if err := g.prepare(ctx); err != nil {
		return nil, errors.Join(err, g.close())
	}
	return m, nil
}

func (g *pgChargeGoal) prepare(ctx context.Context) (err error) {
	if g.near, err = g.charged(ctx, nil); err != nil {
		return err
	}
	g.far, err = g.charged(ctx, func(ctx context.Context) (store, error) {
		log, err := esdb.Open(ctx, g.there.address, esdb.Options{Now: time.Now, Categories: commands.Categories()})
		if err != nil {
			return nil, err
		}
		return log, nil
	})
	if err != nil {
		return err
	}
	if g.rows, err = g.newPlace(); err != nil {
		return err
	}
	g.transaction = load{clients: clients, script: script{
		text:      "\\set drawn random(0, " + fmt.Sprint(g.leases-1) + ")\nINSERT INTO charges (account, data) VALUES (:drawn, :data);\n",
		variables: map[string]string{"data": string(sampleData())},
	}}
	return g.rows.exec(ctx, `CREATE SCHEMA `+g.rows.location.Views(),
		`CREATE TABLE charges (position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account BIGINT NOT NULL, data TEXT NOT NULL)`)
}

// charged is a node of leases without entries that serves, with views on PostgreSQL.
func (g *pgChargeGoal) charged(ctx context.Context, log func(context.Context) (store, error)) (*node, error) {
	p, err := g.newPlace()
	if err != nil {
		return nil, err
	}
	n, err := openNodeOn(ctx, g.folder(), 0, elsewhere{log: log, views: p.open})
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*node, error) { return nil, errors.Join(err, n.close()) }
	all := accounts(g.leases, 0)
	for i := range all {
		all[i].entries = 0
		n.leases = append(n.leases, all[i].id)
	}
	if err := n.fill(ctx, all); err != nil {
		return fail(err)
	}
	if err := n.views.CatchUp(ctx); err != nil {
		return fail(err)
	}
	if err := n.serve(ctx); err != nil {
		return fail(err)
	}
	if err := n.warm(ctx); err != nil {
		return fail(err)
	}
	return n, nil
}

func (g *pgChargeGoal) round(ctx context.Context, say func(string, ...any)) error {
	if err := g.anywhere.settle(ctx); err != nil {
		return err
	}
	inserts, said, err := g.beside(func() (sample, error) {
		l, err := g.pgbench(ctx, g.rows, g.transaction)
		g.inserted += l.transactions
		return l.sample, err
	})
	if err != nil {
		return err
	}
	say("pgbench, single inserts %s", said)
	for _, side := range []struct {
		what string
		node *node
		line *comparison
	}{{"log embedded           ", g.near, g.embedded}, {"log on the double      ", g.far, g.double}} {
		var behind time.Duration
		ours, said, err := g.beside(func() (s sample, err error) {
			s, behind, err = side.node.chargeBlock(ctx, clients, g.block)
			return s, err
		})
		if err != nil {
			return err
		}
		say("%s %s; views %.0f ms behind", side.what, said, millis(behind))
		side.line.add(ours.rate(), inserts.rate())
	}
	return nil
}

// done counts what was acknowledged.
func (g *pgChargeGoal) done(ctx context.Context) error {
	return errors.Join(g.near.verify(ctx), g.far.verify(ctx), g.verifyRows(ctx), g.close())
}

func (g *pgChargeGoal) close() error {
	var errs []error
	for _, n := range []*node{g.near, g.far} {
		if n != nil {
			errs = append(errs, n.close())
		}
	}
	return errors.Join(append(errs, g.there.close())...)
}

// verifyRows counts inserts.
func (g *pgChargeGoal) verifyRows(ctx context.Context) error {
	return g.rows.with(ctx, func(conn *pgx.Conn) error {
		var rows int
		err := conn.QueryRow(ctx, `SELECT count(*) FROM charges`).Scan(&rows)
		if err == nil && rows != g.inserted {
			err = fmt.Errorf("pgbench says it has inserted %d rows, there are %d", g.inserted, rows)
		}
		return err
	})
}
