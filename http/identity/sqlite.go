package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"rentbook/commands"
	"rentbook/eventstore"
	"rentbook/eventstore/sqlite/sqlitefile"
)

const (
	applicationID = 0x52424944 // "RBID"
	schemaVersion = 1

	// sqliteStaleMax spares the few microseconds that asking takes, more than all else about a
	// token; no revocation comes to anybody's knowledge within so short a time.
	sqliteStaleMax = time.Millisecond
)

const schema = `
CREATE TABLE token (
	id         TEXT    PRIMARY KEY,
	hash       BLOB    NOT NULL UNIQUE, -- SHA-256 of the token
	role       TEXT    NOT NULL,
	person     TEXT    NOT NULL,
	tenancies  TEXT    NOT NULL, -- a JSON array
	contractor TEXT    NOT NULL,
	created    INTEGER NOT NULL, -- seconds since 1970, as are the others
	expires    INTEGER NOT NULL,
	revoked    INTEGER NOT NULL  -- 0: it was not
) STRICT, WITHOUT ROWID;
`

const columns = `id, role, person, tenancies, contractor, created, expires, revoked, hash`

// sqliteTokens is a file of tokens.
type sqliteTokens struct {
	writing sync.Mutex
	writer  *sqlite.Conn

	reading sync.Mutex
	reader  *sqlite.Conn // its data_version tells of every change made by another connection
}

var _ storage = (*sqliteTokens)(nil)

func openSQLite(dir string) (*sqliteTokens, error) {
	if err := sqlitefile.MakeFolder(dir); err != nil {
		return nil, err
	}
	cfg := sqlitefile.Config{
		Path: filepath.Join(dir, "identity.db"), ApplicationID: applicationID, Version: schemaVersion, Schema: schema,
	}
	writer, err := sqlitefile.OpenConn(cfg)
	if err != nil {
		return nil, err
	}
	cfg.Pragmas = []string{"query_only=ON"}
	reader, err := sqlitefile.OpenConn(cfg)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	return &sqliteTokens{writer: writer, reader: reader}, nil
}

func (t *sqliteTokens) close() error {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.reading.Lock()
	defer t.reading.Unlock()
	return errors.Join(t.reader.Close(), t.writer.Close())
}

func (t *sqliteTokens) changes(context.Context) (int64, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	version, err := sqlitefile.Int(t.reader, "PRAGMA data_version")
	if err != nil {
		return 0, unavailable("look for changed tokens", err)
	}
	return version, nil
}

func (t *sqliteTokens) find(ctx context.Context, key hash) (Token, error) {
	found, err := t.query(ctx, `SELECT `+columns+` FROM token WHERE hash = ?1`, key[:])
	switch {
	case err != nil:
		return Token{}, err
	case len(found) == 0:
		return Token{}, ErrUnknown
	}
	return found[0].Token, nil
}

func (t *sqliteTokens) all(ctx context.Context) ([]record, error) {
	return t.query(ctx, `SELECT `+columns+` FROM token ORDER BY created DESC, id`)
}

func (t *sqliteTokens) revoke(ctx context.Context, id string, at time.Time) error {
	return t.write(ctx, func() error {
		err := t.change(`UPDATE token SET revoked = iif(revoked = 0, ?2, revoked) WHERE id = ?1`, id, at.Unix())
		if err == nil && t.writer.Changes() == 0 {
			err = ErrUnknown
		}
		return err
	})
}

func (t *sqliteTokens) put(ctx context.Context, records ...record) error {
	return t.write(ctx, func() error {
		for _, r := range records {
			if err := t.putOne(r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *sqliteTokens) putOne(r record) error {
	tenancies, err := json.Marshal(r.Tenancies)
	if err != nil {
		return err
	}
	err = t.change(`INSERT INTO token (`+columns+`) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
		ON CONFLICT (id) DO UPDATE SET revoked = iif(revoked = 0, excluded.revoked, revoked) WHERE hash = excluded.hash`,
		r.ID, string(r.Role), r.Person, string(tenancies), r.Contractor, seconds(r.Created), seconds(r.Expires), seconds(r.Revoked), r.hash[:])
	if err == nil && t.writer.Changes() == 0 {
		err = errAnother(r.ID)
	}
	return err
}

func (t *sqliteTokens) change(statement string, args ...any) error {
	return sqlitex.Execute(t.writer, statement, &sqlitex.ExecOptions{Args: args})
}

// write runs one transaction.
func (t *sqliteTokens) write(ctx context.Context, change func() error) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	defer t.writer.SetInterrupt(t.writer.SetInterrupt(ctx.Done()))
	err := func() (err error) {
		end, err := sqlitex.ImmediateTransaction(t.writer)
		if err != nil {
			return err
		}
		defer end(&err)
		return change()
	}()
	if err != nil && !errors.Is(err, ErrUnknown) {
		return unavailable("write tokens", err)
	}
	return err
}

func (t *sqliteTokens) query(ctx context.Context, statement string, args ...any) (records []record, err error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	defer t.reader.SetInterrupt(t.reader.SetInterrupt(ctx.Done()))
	err = sqlitex.Execute(t.reader, statement, &sqlitex.ExecOptions{
		Args: args,
		ResultFunc: func(row *sqlite.Stmt) error {
			r, err := scan(row)
			records = append(records, r)
			return err
		},
	})
	if err != nil {
		return nil, unavailable("read tokens", err)
	}
	return records, nil
}

func scan(row *sqlite.Stmt) (record, error) {
	r := record{Token: Token{
		ID: row.ColumnText(0), Role: commands.Role(row.ColumnText(1)), Person: row.ColumnText(2),
		Contractor: row.ColumnText(4), Created: instant(row.ColumnInt64(5)), Expires: instant(row.ColumnInt64(6)),
		Revoked: instant(row.ColumnInt64(7)),
	}}
	row.ColumnBytes(8, r.hash[:])
	return r, json.Unmarshal([]byte(row.ColumnText(3)), &r.Tenancies)
}

func instant(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func seconds(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Unix()
}

// unavailable is a failure that may pass (a full disk, a lock held for too long) unless the file is
// damaged.
func unavailable(what string, err error) error {
	if sqlitefile.IsFull(err) || sqlitefile.IsBusy(err) {
		return fmt.Errorf("%s: %w: %w", what, eventstore.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
