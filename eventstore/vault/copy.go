package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"rentbook/eventstore/pgdb"
)

// IsEmpty says whether a database holds no vault yet. It makes none, nor a schema.
func IsEmpty(ctx context.Context, address pgdb.Address) (empty bool, err error) {
	conn, err := address.Connect(ctx, address.Vault())
	if err != nil {
		return false, fmt.Errorf("the vault: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	table := pgx.Identifier{address.Vault(), "vault"}.Sanitize()
	var known bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&known); err != nil {
		return false, fmt.Errorf("the vault: %w", pgdb.Explain(ctx, err))
	}
	if !known {
		return true, nil
	}
	if err := conn.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM `+table+`)`).Scan(&empty); err != nil {
		return false, fmt.Errorf("the vault: %w", pgdb.Explain(ctx, err))
	}
	return empty, nil
}

// Copy puts a vault into a database that has none: its name, the proof of its master key, every key
// and every tombstone, all or nothing. The master key itself stays where it is; the copy needs the
// same one. Nothing is copied that is not counted again afterwards.
//
// Copying again adds what the vault has got since. A database that holds another vault, or keys that
// this vault does not have, is refused and left as it is.
func Copy(ctx context.Context, from *Vault, to pgdb.Address) error {
	all, err := from.keys.contents(ctx)
	if err != nil {
		return fmt.Errorf("copy the vault: %w", err)
	}
	copied, err := openPostgres(ctx, to)
	if err != nil {
		return fmt.Errorf("copy the vault: %w", err)
	}
	if err := copied.fill(ctx, all); err != nil {
		return errors.Join(fmt.Errorf("copy the vault to %s: %w", to, err), copied.close())
	}
	return copied.close()
}

// fill has no bound but the caller's: there may be many keys.
func (k *postgresKeys) fill(ctx context.Context, all contents) error {
	var buried int64 // keys that were copied before they were destroyed
	err := pgdb.Again(ctx, k.pool, func() error {
		return pgx.BeginFunc(ctx, k.pool, func(tx pgx.Tx) (err error) {
			if err := k.adopt(ctx, tx, all); err != nil {
				return err
			}
			if err := bring(ctx, tx, all); err != nil {
				return err
			}
			if buried, err = merge(ctx, tx); err != nil {
				return err
			}
			return count(ctx, tx, all)
		})
	})
	if err != nil || buried == 0 {
		return err
	}
	return k.vacuum(ctx)
}

// adopt makes the database a copy of this vault and of no other.
func (k *postgresKeys) adopt(ctx context.Context, tx pgx.Tx, all contents) error {
	made, err := k.begin(ctx, tx)
	if err != nil {
		return err
	}
	if made == nil {
		return insertIdentity(ctx, tx, all.identity, all.destroyed)
	}
	if made.id != all.id || !bytes.Equal(made.proof, all.proof) {
		return fmt.Errorf("the database holds vault %s already, not %s: name another database, or another search_path", made.id, all.id)
	}
	_, err = tx.Exec(ctx, `UPDATE vault SET destroyed = $1`, all.destroyed)
	return err
}

// bring sends the keys to a table of their own, which goes with the transaction.
func bring(ctx context.Context, tx pgx.Tx, all contents) error {
	if _, err := tx.Exec(ctx, `LOCK TABLE keys IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE brought (LIKE keys INCLUDING INDEXES) ON COMMIT DROP`); err != nil {
		return err
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"brought"}, []string{"subject", "wrapped"},
		pgx.CopyFromSlice(len(all.keys), func(i int) ([]any, error) {
			return []any{all.keys[i].subject, all.keys[i].wrapped}, nil
		}))
	return err
}

// merge adds the keys that are new. A key is never changed, but for one that was destroyed since.
func merge(ctx context.Context, tx pgx.Tx) (buried int64, err error) {
	tombstone := make([]byte, wrappedBytes)
	var foreign int64
	err = tx.QueryRow(ctx, `SELECT count(*) FROM keys LEFT JOIN brought USING (subject)
		WHERE brought.wrapped IS NULL OR brought.wrapped NOT IN (keys.wrapped, $1)`, tombstone).Scan(&foreign)
	if err != nil {
		return 0, err
	}
	if foreign > 0 {
		return 0, fmt.Errorf("the copy in the database has gone its own way: %d of its keys are new, or destroyed only there", foreign)
	}
	done, err := tx.Exec(ctx, `UPDATE keys SET wrapped = brought.wrapped FROM brought
		WHERE brought.subject = keys.subject AND brought.wrapped <> keys.wrapped`)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO keys SELECT subject, wrapped FROM brought ON CONFLICT DO NOTHING`)
	return done.RowsAffected(), err
}

// count makes sure that all is there.
func count(ctx context.Context, tx pgx.Tx, all contents) error {
	var keys, tombstones int64
	err := tx.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE wrapped = $1) FROM keys`, make([]byte, wrappedBytes)).
		Scan(&keys, &tombstones)
	if err != nil {
		return err
	}
	if want := int64(len(all.keys)); keys != want || tombstones != all.tombstones() {
		return fmt.Errorf("%d keys arrived, %d of them destroyed; want %d and %d", keys, tombstones, want, all.tombstones())
	}
	return nil
}
