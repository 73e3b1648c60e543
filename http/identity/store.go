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

	// cachedMax bounds the tokens kept in memory; unknown ones are not kept at all.
	cachedMax = 10_000
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

const columns = `id, role, person, tenancies, contractor, created, expires, revoked`

type hash [32]byte

// Tokens is the file of tokens. It is safe for concurrent use, by several processes too.
type Tokens struct {
	now func() time.Time

	writing sync.Mutex
	writer  *sqlite.Conn

	reading sync.Mutex
	reader  *sqlite.Conn   // its data_version tells of every change made by another connection
	seen    int64          // the data_version that the cache is true of
	cached  map[hash]Token // it starts over when it is full
	asked   time.Time      // when data_version was asked for
}

// staleMax is how long an answer about changes may be used again. Asking takes some microseconds,
// more than all else about a token; no revocation comes to anybody's knowledge within so short a
// time. Those of this process count at once all the same.
const staleMax = time.Millisecond

// Open opens identity.db in a data directory, and makes it if it is not there. now is the clock
// that says when a token expires.
func Open(dir string, now func() time.Time) (*Tokens, error) {
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
	return &Tokens{now: now, writer: writer, reader: reader, cached: map[hash]Token{}}, nil
}

// Close closes the file.
func (t *Tokens) Close() error {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.reading.Lock()
	defer t.reading.Unlock()
	return errors.Join(t.reader.Close(), t.writer.Close())
}

// lookup asks the file whether anything changed before it believes the cache.
func (t *Tokens) lookup(ctx context.Context, key hash) (Token, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	if err := t.refresh(); err != nil {
		return Token{}, err
	}
	if token, ok := t.cached[key]; ok {
		return token, nil
	}
	tokens, err := query(ctx, t.reader, `SELECT `+columns+` FROM token WHERE hash = ?1`, key[:])
	switch {
	case err != nil:
		return Token{}, err
	case len(tokens) == 0:
		return Token{}, ErrUnknown
	}
	if len(t.cached) >= cachedMax {
		clear(t.cached)
	}
	t.cached[key] = tokens[0]
	return tokens[0], nil
}

// refresh drops what is remembered when somebody has changed the file since.
func (t *Tokens) refresh() error {
	now := t.now()
	if age := now.Sub(t.asked); age > 0 && age < staleMax { // a clock that stands still proves nothing
		return nil
	}
	version, err := sqlitefile.Int(t.reader, "PRAGMA data_version")
	if err != nil {
		return unavailable("look for changed tokens", err)
	}
	if version != t.seen {
		clear(t.cached)
		t.seen = version
	}
	t.asked = now
	return nil
}

// changed makes the next request ask.
func (t *Tokens) changed() {
	t.reading.Lock()
	defer t.reading.Unlock()
	t.asked = time.Time{}
}

// List is every token there ever was, the newest first.
func (t *Tokens) List(ctx context.Context) ([]Token, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	return query(ctx, t.reader, `SELECT `+columns+` FROM token ORDER BY created DESC, id`)
}

// Revoke ends a token at once. One that was revoked before stays as it is.
func (t *Tokens) Revoke(ctx context.Context, id string) error {
	return t.write(ctx, `UPDATE token SET revoked = iif(revoked = 0, ?2, revoked) WHERE id = ?1`, id, t.now().Unix())
}

func (t *Tokens) insert(ctx context.Context, n Token, key hash) error {
	tenancies, err := json.Marshal(n.Tenancies)
	if err != nil {
		return err
	}
	return t.write(ctx, `INSERT INTO token (`+columns+`, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8)`,
		n.ID, string(n.Role), n.Person, string(tenancies), n.Contractor, n.Created.Unix(), n.Expires.Unix(), key[:])
}

// write runs one statement that changes one token; ErrUnknown if there was none to change.
func (t *Tokens) write(ctx context.Context, statement string, args ...any) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	defer t.changed()
	defer t.writer.SetInterrupt(t.writer.SetInterrupt(ctx.Done()))
	err := sqlitex.Execute(t.writer, statement, &sqlitex.ExecOptions{Args: args})
	switch {
	case err != nil:
		return unavailable("write tokens", err)
	case t.writer.Changes() == 0:
		return ErrUnknown
	}
	return nil
}

func query(ctx context.Context, conn *sqlite.Conn, statement string, args ...any) ([]Token, error) {
	defer conn.SetInterrupt(conn.SetInterrupt(ctx.Done()))
	var tokens []Token
	err := sqlitex.Execute(conn, statement, &sqlitex.ExecOptions{
		Args: args,
		ResultFunc: func(row *sqlite.Stmt) error {
			token, err := scan(row)
			tokens = append(tokens, token)
			return err
		},
	})
	if err != nil {
		return nil, unavailable("read tokens", err)
	}
	return tokens, nil
}

func scan(row *sqlite.Stmt) (Token, error) {
	token := Token{
		ID: row.ColumnText(0), Role: commands.Role(row.ColumnText(1)), Person: row.ColumnText(2),
		Contractor: row.ColumnText(4), Created: instant(row.ColumnInt64(5)), Expires: instant(row.ColumnInt64(6)),
		Revoked: instant(row.ColumnInt64(7)),
	}
	return token, json.Unmarshal([]byte(row.ColumnText(3)), &token.Tenancies)
}

func instant(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// unavailable is a failure that may pass (a full disk, a lock held for too long) unless the file is
// damaged.
func unavailable(what string, err error) error {
	if sqlitefile.IsFull(err) || sqlitefile.IsBusy(err) {
		return fmt.Errorf("%s: %w: %w", what, eventstore.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
