package pgdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Migrate takes the steps that a schema's tables of one part have not taken yet, all in one
// transaction, while no other process does. Which were taken is in the table PART_migrations. Steps
// are only ever added at the end; tables with more steps than are known here were made by a newer
// version, and are refused.
func (a Address) Migrate(ctx context.Context, schema, part string, steps []string) (err error) {
	conn, err := a.Connect(ctx, schema)
	if err != nil {
		return fmt.Errorf("open %s: %w", a, err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	m := migration{table: quote(part + "_migrations"), lock: LockKey(schema, part+"_migrations")}
	if err := m.run(ctx, conn, steps); err != nil {
		return fmt.Errorf("bring schema %s of %s up to date: %w", schema, a, Explain(ctx, err))
	}
	return nil
}

type migration struct {
	table string
	lock  int64
}

// run looks before it changes anything: a role that may only use the tables can use them.
func (m migration) run(ctx context.Context, conn *pgx.Conn, steps []string) error {
	var known bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, m.table).Scan(&known); err != nil {
		return err
	}
	if known {
		if taken, err := m.taken(ctx, conn, steps); err != nil || taken == len(steps) {
			return err
		}
	}
	return pgx.BeginFunc(ctx, conn, func(pgx.Tx) error { return m.take(ctx, conn, steps) })
}

// take asks again what was taken: by now it may have been another process. It asks the table, since
// what a session knows of the catalogue may be older than the lock.
func (m migration) take(ctx context.Context, conn *pgx.Conn, steps []string) error {
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, m.lock); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, `CREATE TABLE IF NOT EXISTS `+m.table+` (step integer PRIMARY KEY, taken_at timestamptz NOT NULL DEFAULT now())`)
	if err != nil {
		return err
	}
	taken, err := m.taken(ctx, conn, steps)
	if err != nil {
		return err
	}
	for i := taken; i < len(steps); i++ {
		if _, err := conn.Exec(ctx, steps[i]); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		if _, err := conn.Exec(ctx, `INSERT INTO `+m.table+` (step) VALUES ($1)`, i+1); err != nil {
			return err
		}
	}
	return nil
}

// taken counts the steps that were.
func (m migration) taken(ctx context.Context, conn *pgx.Conn, steps []string) (count int, err error) {
	err = conn.QueryRow(ctx, `SELECT count(*) FROM `+m.table).Scan(&count)
	if err == nil && count > len(steps) {
		err = fmt.Errorf("written by a newer version of rentbook: %s holds %d steps, this version knows %d", m.table, count, len(steps))
	}
	return count, err
}
