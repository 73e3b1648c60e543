package projections

import (
	"context"
	"errors"
	"fmt"

	"rentbook/projections/database"
)

// discard drops what former rebuilds have left: tables they replaced, and tables they never
// finished. One transaction each keeps them short.
func (r *rebuild) discard(ctx context.Context) error {
	var names []string
	err := r.persist(ctx, func() error {
		return r.writer.Write(ctx, func(tx database.Tx) (err error) {
			if err = r.abandon(tx); err != nil {
				return err
			}
			names = nil
			return tx.Query(`SELECT name FROM discarded_tables ORDER BY name`, func(row database.Row) error {
				names = append(names, row.Text(0))
				return nil
			})
		})
	})
	if err != nil {
		return fmt.Errorf("discard old tables: %w", err)
	}
	for _, name := range names {
		if err := persist(ctx, dropTries, func() error { return r.drop(ctx, name) }); err != nil {
			return fmt.Errorf("discard %s: %w", name, err)
		}
	}
	return nil
}

// dropTries are some two seconds.
const dropTries = 7

// discardLater leaves tables that somebody is reading to the next rebuild: this one has succeeded.
func (r *rebuild) discardLater(ctx context.Context) error {
	err := r.discard(ctx)
	if errors.Is(err, database.ErrUnavailable) {
		r.config.Logger.Warn("views: old tables are in use, and dropped by the next rebuild")
		return nil
	}
	return err
}

func (r *rebuild) drop(ctx context.Context, table string) error {
	return r.writer.Write(ctx, func(tx database.Tx) error {
		if err := tx.Drop(table); err != nil {
			return err
		}
		return tx.Exec(`DELETE FROM discarded_tables WHERE name = $1`, database.Text(table))
	})
}

// abandon lists the tables of rebuilds that have ended early. Nobody else rebuilds now.
func (r *rebuild) abandon(tx database.Tx) error {
	left := map[string]int64{}
	err := tx.Query(`SELECT view, generation FROM rebuilds`, func(row database.Row) error {
		left[row.Text(0)] = row.Int(1)
		return nil
	})
	if err != nil {
		return err
	}
	for _, view := range r.views() {
		generation, ok := left[view.Name()]
		for _, table := range view.Tables() {
			if !ok {
				break
			}
			err := tx.Exec(`INSERT INTO discarded_tables (name) VALUES ($1) ON CONFLICT DO NOTHING`,
				database.Text(beside(table, generation)))
			if err != nil {
				return err
			}
		}
	}
	return tx.Exec(`DELETE FROM rebuilds`)
}
