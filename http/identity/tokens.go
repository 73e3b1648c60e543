package identity

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"rentbook/eventstore/pgdb"
)

// cachedMax bounds the tokens kept in memory; unknown ones are not kept at all.
const cachedMax = 10_000

type hash [32]byte

// record is a token as it is stored.
type record struct {
	Token

	hash hash
}

// storage keeps tokens. What it answers is durable. An error that may pass wraps
// eventstore.ErrUnavailable; after one, a change may have been made all the same, and every method
// may be called again.
type storage interface {
	// changes is another number after every change, whoever made it.
	changes(ctx context.Context) (int64, error)

	// find is ErrUnknown for a token that never was; one that was revoked is found.
	find(ctx context.Context, key hash) (Token, error)

	// all is every token, the newest first.
	all(ctx context.Context) ([]record, error)

	// put adds tokens, all or none. Of one that is there it takes over that it was revoked, unless
	// it was before; another one of the same id is an error.
	put(ctx context.Context, records ...record) error

	// revoke is ErrUnknown for an id that never was.
	revoke(ctx context.Context, id string, at time.Time) error

	close() error
}

// Tokens are the tokens of a file or a database. It is safe for concurrent use, by several processes
// too.
type Tokens struct {
	storage  storage
	now      func() time.Time
	staleMax time.Duration // how long an answer about changes may be used again

	asking chan struct{} // whose turn it is to ask whether anything changed
	asked  atomic.Int64  // how often that ended
	failed error         // how it ended last; of whoever has the turn

	mu      sync.Mutex
	checked time.Time      // when somebody last asked
	seen    int64          // the number of changes that the cache is true of
	cached  map[hash]Token // it starts over when it is full
	epoch   int64          // how often the cache was emptied: who has read a token before must not put it there
}

// Open opens identity.db in a data directory, and makes it if it is not there. now is the clock
// that says when a token expires.
func Open(dir string, now func() time.Time) (*Tokens, error) {
	tokens, err := openSQLite(dir)
	if err != nil {
		return nil, err
	}
	return open(tokens, now, sqliteStaleMax), nil
}

// OpenPostgres opens the tokens in a database, and makes their tables if they are not there.
func OpenPostgres(ctx context.Context, address pgdb.Address, now func() time.Time) (*Tokens, error) {
	tokens, err := openPostgres(ctx, address)
	if err != nil {
		return nil, err
	}
	return open(tokens, now, postgresStaleMax), nil
}

func open(s storage, now func() time.Time, staleMax time.Duration) *Tokens {
	return &Tokens{storage: s, now: now, staleMax: staleMax, asking: make(chan struct{}, 1), cached: map[hash]Token{}}
}

// Close closes the file, or the connections. Nothing may be under way.
func (t *Tokens) Close() error { return t.storage.close() }

// List is every token there ever was, the newest first.
func (t *Tokens) List(ctx context.Context) ([]Token, error) {
	records, err := t.storage.all(ctx)
	if err != nil {
		return nil, err
	}
	tokens := make([]Token, len(records))
	for i, r := range records {
		tokens[i] = r.Token
	}
	return tokens, nil
}

// Revoke ends a token at once: in this process from now on, in others within 20 ms. One that was
// revoked before stays as it is.
func (t *Tokens) Revoke(ctx context.Context, id string) error {
	defer t.forget() // after an error too: nobody knows what came to pass
	return t.storage.revoke(ctx, id, t.now().UTC().Truncate(time.Second))
}

// lookup asks whether anything changed before it believes the cache.
func (t *Tokens) lookup(ctx context.Context, key hash) (Token, error) {
	if err := t.refresh(ctx); err != nil {
		return Token{}, err
	}
	t.mu.Lock()
	token, known := t.cached[key]
	epoch := t.epoch
	t.mu.Unlock()
	if known {
		return token, nil
	}
	token, err := t.storage.find(ctx, key)
	if err != nil {
		return Token{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch == epoch {
		if len(t.cached) >= cachedMax {
			clear(t.cached)
		}
		t.cached[key] = token
	}
	return token, nil
}

// refresh makes sure that the cache is right, or was staleMax ago. One caller asks, and those who come
// meanwhile share the answer, unless it is too old for them.
func (t *Tokens) refresh(ctx context.Context) error {
	now, asked := t.now(), t.asked.Load()
	if t.fresh(now) {
		return nil
	}
	select {
	case t.asking <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t.asking }()
	meanwhile := t.asked.Load() - asked // all but the first of these were begun after we came
	switch {
	case meanwhile > 0 && t.failed != nil:
		return t.failed
	case meanwhile > 1 || t.fresh(now):
		return nil
	}
	err := t.ask(ctx)
	if ctx.Err() == nil { // else it failed for us alone
		t.failed = err
		t.asked.Add(1)
	}
	return err
}

// fresh says whether the last answer is of use. A clock that stands still proves nothing.
func (t *Tokens) fresh(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	age := now.Sub(t.checked)
	return age > 0 && age < t.staleMax
}

// ask drops what is remembered when something has changed.
func (t *Tokens) ask(ctx context.Context) error {
	now := t.now()
	changes, err := t.storage.changes(ctx)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if changes != t.seen {
		t.seen = changes
		t.epoch++
		clear(t.cached)
	}
	t.checked = now
	return nil
}

// forget drops what is remembered.
func (t *Tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epoch++
	clear(t.cached)
}
