package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"rentbook/commands"
	"rentbook/eventstore/pgdb"
)

const (
	connectionsMax = 4

	// askMax bounds one question to the database, connecting included.
	askMax = 10 * time.Second

	// postgresStaleMax is how long a process may go on using a token that another one has revoked:
	// asking takes a fraction of a millisecond, of the server's time too.
	postgresStaleMax = 20 * time.Millisecond
)

// steps made the tables what they are. A new one is added at the end; none is ever changed.
func steps() []string {
	return []string{`
CREATE TABLE tokens (
	id         text COLLATE "C" PRIMARY KEY,
	hash       bytea       NOT NULL UNIQUE, -- SHA-256 of the token
	role       text        NOT NULL,
	person     text        NOT NULL,
	tenancies  text[]      NOT NULL,
	contractor text        NOT NULL,
	created    timestamptz NOT NULL,
	expires    timestamptz NOT NULL,
	revoked    timestamptz -- NULL: it was not
);

CREATE TABLE token_changes (
	one   boolean PRIMARY KEY DEFAULT true CHECK (one),
	count bigint  NOT NULL
);

INSERT INTO token_changes (count) VALUES (0);
`}
}

const postgresColumns = `id, hash, role, person, tenancies, contractor, created, expires, revoked`

// postgresTokens are tables beside those of the vault. Each change is counted in its transaction, and
// the count is all that other processes ask for. A change may be repeated, since nobody knows whether
// a COMMIT came to pass whose connection was lost.
type postgresTokens struct{ pool *pgxpool.Pool }

var _ storage = (*postgresTokens)(nil)

func openPostgres(ctx context.Context, address pgdb.Address) (*postgresTokens, error) {
	if err := address.Prepare(ctx, address.Vault()); err != nil {
		return nil, fmt.Errorf("the tokens: %w", err)
	}
	if err := address.Migrate(ctx, address.Vault(), "token", steps()); err != nil {
		return nil, fmt.Errorf("the tokens: %w", err)
	}
	pool, err := address.Pool(ctx, address.Vault(), connectionsMax, pgdb.Settings{
		"synchronous_commit":                  "on", // what is revoked stays so
		"default_transaction_isolation":       "read committed",
		"lock_timeout":                        "5s",
		"idle_in_transaction_session_timeout": "10s",
	})
	if err != nil {
		return nil, fmt.Errorf("the tokens: %w", err)
	}
	return &postgresTokens{pool}, nil
}

func (t *postgresTokens) close() error {
	pgdb.Close(t.pool)
	return nil
}

// ask does what may be done twice, each time with a bound of its own.
func (t *postgresTokens) ask(ctx context.Context, what string, do func(context.Context) error) error {
	err := pgdb.Again(ctx, t.pool, func() error {
		bounded, cancel := context.WithTimeout(ctx, askMax)
		defer cancel()
		return do(bounded)
	})
	if err != nil && !errors.Is(err, ErrUnknown) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return err
}

func (t *postgresTokens) changes(ctx context.Context) (count int64, err error) {
	err = t.ask(ctx, "look for changed tokens", func(ctx context.Context) error {
		return t.pool.QueryRow(ctx, `SELECT count FROM token_changes`).Scan(&count)
	})
	return count, err
}

func (t *postgresTokens) find(ctx context.Context, key hash) (Token, error) {
	found, err := t.query(ctx, `SELECT `+postgresColumns+` FROM tokens WHERE hash = $1`, key[:])
	switch {
	case err != nil:
		return Token{}, err
	case len(found) == 0:
		return Token{}, ErrUnknown
	}
	return found[0].Token, nil
}

func (t *postgresTokens) all(ctx context.Context) ([]record, error) {
	return t.query(ctx, `SELECT `+postgresColumns+` FROM tokens ORDER BY created DESC, id`)
}

func (t *postgresTokens) query(ctx context.Context, query string, args ...any) (records []record, err error) {
	err = t.ask(ctx, "read tokens", func(ctx context.Context) error {
		rows, err := t.pool.Query(ctx, query, args...)
		if err == nil {
			records, err = pgx.CollectRows(rows, scanRow)
		}
		return err
	})
	return records, err
}

func (t *postgresTokens) revoke(ctx context.Context, id string, at time.Time) error {
	return t.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `UPDATE tokens SET revoked = coalesce(revoked, $2) WHERE id = $1`, id, at)
		if err == nil && done.RowsAffected() == 0 {
			err = ErrUnknown
		}
		return err
	})
}

func (t *postgresTokens) put(ctx context.Context, records ...record) error {
	return t.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		for _, r := range records {
			if err := putIn(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

func putIn(ctx context.Context, tx pgx.Tx, r record) error {
	var revoked *time.Time
	if !r.Revoked.IsZero() {
		revoked = &r.Revoked
	}
	done, err := tx.Exec(ctx, `INSERT INTO tokens (`+postgresColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET revoked = coalesce(tokens.revoked, excluded.revoked) WHERE tokens.hash = excluded.hash`,
		r.ID, r.hash[:], string(r.Role), r.Person, append([]string{}, r.Tenancies...), r.Contractor, r.Created, r.Expires, revoked)
	if err == nil && done.RowsAffected() == 0 {
		err = errAnother(r.ID)
	}
	return err
}

func (t *postgresTokens) write(ctx context.Context, change func(context.Context, pgx.Tx) error) error {
	return t.ask(ctx, "write tokens", func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
			if err := change(ctx, tx); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `UPDATE token_changes SET count = count + 1`)
			return err
		})
	})
}

func scanRow(row pgx.CollectableRow) (r record, err error) {
	var key []byte
	var role string
	var revoked *time.Time
	err = row.Scan(&r.ID, &key, &role, &r.Person, &r.Tenancies, &r.Contractor, &r.Created, &r.Expires, &revoked)
	if err != nil {
		return record{}, err
	}
	copy(r.hash[:], key)
	r.Role, r.Created, r.Expires = commands.Role(role), r.Created.UTC(), r.Expires.UTC()
	if revoked != nil {
		r.Revoked = revoked.UTC()
	}
	if len(r.Tenancies) == 0 {
		r.Tenancies = nil
	}
	return r, nil
}
