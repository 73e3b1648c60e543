package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"rentbook/eventstore/pgdb"
)

const (
	// connectionsMax is few: keys are cached, and those who need new ones share a commit.
	connectionsMax = 4

	// askMax bounds one question to the database, connecting included.
	askMax = 10 * time.Second
)

// steps made the tables what they are. A new one is added at the end; none is ever changed.
func steps() []string {
	return []string{`
CREATE TABLE vault (
	one       boolean PRIMARY KEY DEFAULT true CHECK (one),
	id        uuid    NOT NULL,
	proof     bytea   NOT NULL, -- of the master key
	destroyed bigint  NOT NULL  -- how many keys
);

CREATE TABLE keys (
	subject text COLLATE "C" PRIMARY KEY,
	wrapped bytea NOT NULL -- all zero: destroyed
);
`}
}

// postgresKeys is a schema of PostgreSQL. What it commits is flushed before it returns, whatever the
// server's default (synchronous_commit): a key seals what the log will hold for ever. And what it
// reads was: nobody sees a commit before it is flushed.
//
// Whether a COMMIT whose connection was lost came to pass nobody knows, so every change looks first
// what is there, and is made so that it may be repeated.
type postgresKeys struct {
	rounds

	address pgdb.Address
	pool    *pgxpool.Pool
}

var _ storage = (*postgresKeys)(nil)

func openPostgres(ctx context.Context, address pgdb.Address) (*postgresKeys, error) {
	if err := address.Prepare(ctx, address.Vault()); err != nil {
		return nil, fmt.Errorf("the vault: %w", err)
	}
	if err := address.Migrate(ctx, address.Vault(), "vault", steps()); err != nil {
		return nil, fmt.Errorf("the vault: %w", err)
	}
	pool, err := address.Pool(ctx, address.Vault(), connectionsMax, pgdb.Settings{
		"synchronous_commit":                  "on",
		"default_transaction_isolation":       "read committed",
		"lock_timeout":                        "5s",
		"idle_in_transaction_session_timeout": "10s", // a process that hangs must not keep a key from all others
	})
	if err != nil {
		return nil, fmt.Errorf("the vault: %w", err)
	}
	return &postgresKeys{rounds: newRounds(), address: address, pool: pool}, nil
}

func (k *postgresKeys) close() error {
	pgdb.Close(k.pool)
	return nil
}

// ask does what may be done twice, each time with a bound of its own.
func (k *postgresKeys) ask(ctx context.Context, do func(context.Context) error) error {
	return pgdb.Again(ctx, k.pool, func() error {
		bounded, cancel := context.WithTimeout(ctx, askMax)
		defer cancel()
		return do(bounded)
	})
}

func (k *postgresKeys) read(ctx context.Context, do func(context.Context) error) error {
	if err := k.ask(ctx, do); err != nil {
		return fmt.Errorf("read the vault: %w", err)
	}
	return nil
}

func (k *postgresKeys) change(ctx context.Context, do func(context.Context, pgx.Tx) error) error {
	return k.ask(ctx, func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, k.pool, func(tx pgx.Tx) error { return do(ctx, tx) })
	})
}

func (k *postgresKeys) identity(ctx context.Context) (made *identity, err error) {
	err = k.read(ctx, func(ctx context.Context) error {
		made, err = findIdentity(ctx, k.pool)
		return err
	})
	return made, err
}

// querier is a pool, or a transaction of it.
type querier interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

func findIdentity(ctx context.Context, q querier) (*identity, error) {
	var made identity
	err := q.QueryRow(ctx, `SELECT id, proof FROM vault`).Scan(&made.id, &made.proof)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // a vault without one
	}
	return &made, err
}

// found lets one process at a time find that there is no vault, on whatever machine: each would make
// a master key of its own.
func (k *postgresKeys) found(ctx context.Context, fresh func() (identity, error)) (made *identity, err error) {
	err = k.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if made, err = k.begin(ctx, tx); err != nil || made != nil {
			return err
		}
		mine, err := fresh()
		if err != nil {
			return err
		}
		made = &mine
		return insertIdentity(ctx, tx, mine, 0)
	})
	return made, err
}

// begin is how a vault is made: alone, and not over the remains of another.
func (k *postgresKeys) begin(ctx context.Context, tx pgx.Tx) (*identity, error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, pgdb.LockKey(k.address.Vault(), "vault")); err != nil {
		return nil, err
	}
	made, err := findIdentity(ctx, tx)
	if err != nil || made != nil {
		return made, err
	}
	var remains bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM keys)`).Scan(&remains); err != nil {
		return nil, err
	}
	if remains {
		return nil, errors.New("the vault is damaged: there are keys, but nothing says which vault they belong to")
	}
	return nil, nil //nolint:nilnil // a vault without one
}

func insertIdentity(ctx context.Context, tx pgx.Tx, made identity, destroyed int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO vault (id, proof, destroyed) VALUES ($1, $2, $3)`, made.id, made.proof, destroyed)
	return err
}

func (k *postgresKeys) find(ctx context.Context, subject string) (wrapped []byte, err error) {
	err = k.read(ctx, func(ctx context.Context) error {
		return k.pool.QueryRow(ctx, `SELECT wrapped FROM keys WHERE subject = $1`, subject).Scan(&wrapped)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrKeyMissing
	}
	return wrapped, err
}

func (k *postgresKeys) destroyed(ctx context.Context) (count int64, err error) {
	err = k.read(ctx, func(ctx context.Context) error {
		return k.pool.QueryRow(ctx, `SELECT destroyed FROM vault`).Scan(&count)
	})
	return count, err
}

// ensure carries a round out on nobody's account: it does not end when the caller gives up who
// happens to have the turn.
func (k *postgresKeys) ensure(ctx context.Context, subjects []string, fresh func(string) ([]byte, error)) error {
	return k.share(ctx, subjects, func(r *round) error {
		return k.ask(context.WithoutCancel(ctx), func(ctx context.Context) error { return k.add(ctx, r, fresh) })
	})
}

// add looks, inserts what is missing, and looks again where another process was faster. The subjects
// are in order, so that two who insert the same ones do not wait for each other.
func (k *postgresKeys) add(ctx context.Context, r *round, fresh func(string) ([]byte, error)) error {
	missing, err := k.look(ctx, r, slices.Compact(slices.Sorted(slices.Values(r.subjects))))
	if err != nil || len(missing) == 0 {
		return err
	}
	wrapped := make([][]byte, len(missing))
	for i, subject := range missing {
		if wrapped[i], err = fresh(subject); err != nil {
			return err
		}
	}
	rows, err := k.pool.Query(ctx, `INSERT INTO keys (subject, wrapped) SELECT * FROM unnest($1::text[], $2::bytea[])
		ON CONFLICT (subject) DO NOTHING RETURNING subject`, missing, wrapped)
	if err != nil {
		return err
	}
	added, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(added) == len(missing) {
		return err
	}
	missing, err = k.look(ctx, r, missing)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("the vault is damaged: the key of %s can be neither found nor inserted", missing[0])
	}
	return err
}

// look notes which subjects have tombstones and answers those that have nothing.
func (k *postgresKeys) look(ctx context.Context, r *round, subjects []string) (missing []string, err error) {
	rows, err := k.pool.Query(ctx, `SELECT subject, wrapped FROM keys WHERE subject = ANY ($1)`, subjects)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanKey)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(found))
	for _, row := range found {
		known[row.subject] = true
		r.erased[row.subject] = isTombstone(row.wrapped)
	}
	return slices.DeleteFunc(slices.Clone(subjects), func(s string) bool { return known[s] }), nil
}

func scanKey(row pgx.CollectableRow) (k wrappedKey, err error) {
	err = row.Scan(&k.subject, &k.wrapped)
	return k, err
}

// destroy writes the tombstone, then has the table written anew without what was overwritten. It
// does the second even if the first was done before: that time it may have been in somebody's way.
func (k *postgresKeys) destroy(ctx context.Context, subject string) error {
	err := k.change(ctx, func(ctx context.Context, tx pgx.Tx) error { return buryIn(ctx, tx, subject) })
	if err != nil {
		return err
	}
	return k.vacuum(ctx)
}

func (k *postgresKeys) vacuum(ctx context.Context) error {
	if err := k.address.Vacuum(ctx, k.address.Vault(), "keys"); err != nil {
		return fmt.Errorf("the key is destroyed, but a copy is still in the table's file: destroy it again "+
			"once no long transaction runs in the database: %w", err)
	}
	return nil
}

func buryIn(ctx context.Context, tx pgx.Tx, subject string) error {
	buried, err := tx.Exec(ctx, `INSERT INTO keys (subject, wrapped) VALUES ($1, $2)
		ON CONFLICT (subject) DO UPDATE SET wrapped = excluded.wrapped WHERE keys.wrapped <> excluded.wrapped`,
		subject, make([]byte, wrappedBytes))
	if err != nil || buried.RowsAffected() == 0 {
		return err
	}
	counted, err := tx.Exec(ctx, `UPDATE vault SET destroyed = destroyed + 1`)
	if err == nil && counted.RowsAffected() != 1 {
		err = errors.New("the vault is damaged: it does not say which it is")
	}
	return err
}

func (k *postgresKeys) contents(ctx context.Context) (c contents, err error) {
	err = pgdb.Again(ctx, k.pool, func() error {
		options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
		return pgx.BeginTxFunc(ctx, k.pool, options, func(tx pgx.Tx) error {
			made, err := findIdentity(ctx, tx)
			if err != nil {
				return err
			}
			c = contents{identity: *made}
			if err := tx.QueryRow(ctx, `SELECT destroyed FROM vault`).Scan(&c.destroyed); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, `SELECT subject, wrapped FROM keys`)
			if err == nil {
				c.keys, err = pgx.CollectRows(rows, scanKey)
			}
			return err
		})
	})
	if err != nil {
		return contents{}, fmt.Errorf("read the vault: %w", err)
	}
	return c, nil
}
