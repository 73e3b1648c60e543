// Package vault keeps the keys that seal personal data, apart from the log.
//
// The log is never edited, so what must be forgettable stands in it sealed, with a key that belongs
// to one subject: a person, an account. The keys are here, each wrapped by one master key that is
// not kept with them. Destroying a subject's key makes everything sealed with it unreadable, in every
// copy of the log, and leaves a tombstone: such a field reads as erased. A key that is missing
// without a tombstone is damage, and never read as erased.
//
// A vault is a SQLite file or a schema of PostgreSQL. A key is committed before Ensure returns, and
// so before anything is sealed with it. A destroyed key is overwritten where it stood. What was
// copied before is out of our reach: backups, what a disk keeps of freed blocks, and with PostgreSQL
// its write-ahead log until the segment is used again, the archive of that log, and standbys until
// they follow. All of these hold keys wrapped by the master key, which must not be kept with them.
//
// The one rule: a key is never changed and never made twice.
package vault

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"rentbook/eventstore"
	"rentbook/eventstore/pgdb"
	"rentbook/eventstore/sqlite/sqlitefile"
)

// Errors of a vault. What else it returns is damage or a defect.
var (
	ErrErased     = eventstore.ErrErased
	ErrKeyMissing = eventstore.ErrKeyMissing
)

const (
	// cachedMax bounds the keys kept ready in memory, at about 1.5 kB each.
	cachedMax = 20_000

	// staleMax is how long a process may go on using a key that another one has destroyed.
	staleMax = 100 * time.Millisecond

	readersMax = 4

	// sealing is the first byte of everything sealed: AES-256-GCM, nonce first, tag last.
	sealing = 1
)

// Options are what a vault needs from its surroundings. All may be left empty.
type Options struct {
	// MasterKey is the master key itself, 32 bytes in base64, as an environment variable gives it.
	MasterKey string

	// MasterKeyFile holds the master key. If both are empty the key is in master.key beside the
	// vault, and is made with it.
	MasterKeyFile string

	// Now is the clock that says when to look for keys others have destroyed; the machine's if nil.
	Now func() time.Time

	// Fatal is called once, when the storage has failed and the process should end. The vault
	// makes and destroys no keys from then on. PostgreSQL sees to its storage itself.
	Fatal func(error)
}

// Vault is an open vault. It is safe for use by many goroutines, and several processes may have the
// same one open.
type Vault struct {
	id      uuid.UUID
	master  *subtle.AESGCM
	options Options
	keys    storage
	life    context.Context // never ends; for what has no context of its own

	checked atomic.Int64  // when somebody last asked whether the cache is right, in nanoseconds
	asking  chan struct{} // whose turn it is to ask
	asked   atomic.Int64  // how often that ended
	failed  error         // how it ended last; of whoever has the turn

	mu     sync.Mutex     // of the cache, together with what it is true of
	cache  map[string]key // it starts over when it is full
	erased int64          // how many keys had been destroyed when the cache was begun
	epoch  int64          // how often something was taken from the cache because it was destroyed
}

// key seals and unseals for one subject; the zero key is a tombstone.
type key struct{ *subtle.AESGCM }

// Open opens the vault in a folder, and makes both if they are not there.
func Open(ctx context.Context, dir string, options Options) (*Vault, error) {
	if err := sqlitefile.MakeFolder(dir); err != nil {
		return nil, err
	}
	keys, err := openSQLite(filepath.Join(dir, "vault.db"), options.Fatal)
	if err != nil {
		return nil, err
	}
	return open(ctx, keys, dir, options)
}

// OpenPostgres opens the vault in a database, and makes it if there is none. The master key is in
// the folder unless the options give it. It is made there for a new vault only: for one that exists
// a second key could open nothing, and the error says how to give the first.
func OpenPostgres(ctx context.Context, address pgdb.Address, dir string, options Options) (*Vault, error) {
	keys, err := openPostgres(ctx, address)
	if err != nil {
		return nil, err
	}
	v, err := open(ctx, keys, dir, options)
	if errors.Is(err, errMasterMissing) {
		err = fmt.Errorf("%w, or give the key with --master-key or RENTBOOK_MASTER_KEY_VALUE", err)
	}
	return v, err
}

func open(ctx context.Context, keys storage, dir string, options Options) (*Vault, error) {
	if options.Now == nil {
		options.Now = time.Now //nolint:forbidigo // the one place where the clock of a vault is chosen
	}
	v := &Vault{options: options, keys: keys, asking: make(chan struct{}, 1), cache: map[string]key{}, life: context.WithoutCancel(ctx)}
	if err := v.unlock(ctx, dir); err != nil {
		return nil, errors.Join(err, keys.close())
	}
	return v, nil
}

// Close closes the vault. Nothing may be under way.
func (v *Vault) Close() error { return v.keys.close() }

// ID names this vault; the log it belongs to holds the same name.
func (v *Vault) ID() string { return v.id.String() }

// Seal encrypts with the key of a subject, which Ensure has made. What is associated must be given
// again to unseal.
func (v *Vault) Seal(subject string, associated, plain []byte) ([]byte, error) {
	k, err := v.key(v.life, subject)
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", subject, err)
	}
	sealed, err := k.Encrypt(plain, associated)
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", subject, err)
	}
	return append([]byte{sealing}, sealed...), nil
}

// Unseal decrypts what Seal made. The error wraps ErrErased when the key was destroyed, in this
// process or, at most 100 ms ago, unnoticed in another; it wraps ErrKeyMissing when there never was
// one here, which is damage.
func (v *Vault) Unseal(ctx context.Context, subject string, associated, sealed []byte) ([]byte, error) {
	k, err := v.key(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("unseal for %s: %w", subject, err)
	}
	if len(sealed) == 0 || sealed[0] != sealing {
		return nil, fmt.Errorf("unseal for %s: sealed in a way this version does not know", subject)
	}
	plain, err := k.Decrypt(sealed[1:], associated)
	if err != nil {
		return nil, fmt.Errorf("unseal for %s: altered, or sealed with another key: %w", subject, err)
	}
	return plain, nil
}

// Destroy destroys the key of a subject for good, and returns when it is gone from the files. A
// subject that has no key gets a tombstone too. Destroying twice is once. If somebody who reads is in
// the way, the key is destroyed, but a copy of it stays in the files; the error says so and wraps
// eventstore.ErrUnavailable. Destroying again then removes the copy.
func (v *Vault) Destroy(ctx context.Context, subject string) error {
	err := v.keys.destroy(ctx, subject)
	v.mu.Lock()
	v.epoch++ // whoever is just loading the key must not keep it
	delete(v.cache, subject)
	v.mu.Unlock()
	if err != nil {
		return fmt.Errorf("destroy the key of %s: %w", subject, err)
	}
	return nil
}

// Ensure makes the keys that are missing and returns when they are on disk. Callers who come at once
// share one commit. The error wraps ErrErased when the key of one of the subjects was destroyed; the
// others have theirs.
func (v *Vault) Ensure(ctx context.Context, subjects ...string) error {
	if err := v.refresh(ctx); err != nil {
		return fmt.Errorf("ensure keys: %w", err)
	}
	missing := slices.DeleteFunc(slices.Clone(subjects), func(subject string) bool {
		k, ok := v.cached(subject)
		return ok && k.AESGCM != nil
	})
	if len(missing) == 0 {
		return nil
	}
	if err := v.keys.ensure(ctx, missing, v.wrapNew); err != nil {
		return fmt.Errorf("ensure keys: %w", err)
	}
	return nil
}

// key finds the key of a subject.
func (v *Vault) key(ctx context.Context, subject string) (key, error) {
	if err := v.refresh(ctx); err != nil {
		return key{}, err
	}
	k, ok := v.cached(subject)
	if !ok {
		var err error
		if k, err = v.load(ctx, subject); err != nil {
			return key{}, err
		}
	}
	if k.AESGCM == nil {
		return key{}, ErrErased
	}
	return k, nil
}

func (v *Vault) cached(subject string) (key, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	k, ok := v.cache[subject]
	return k, ok
}

// load reads a key, and keeps it ready unless a key was destroyed meanwhile: it may have been this
// one.
func (v *Vault) load(ctx context.Context, subject string) (key, error) {
	v.mu.Lock()
	epoch := v.epoch
	v.mu.Unlock()
	wrapped, err := v.keys.find(ctx, subject)
	if err != nil {
		return key{}, err
	}
	k, err := v.unwrap(subject, wrapped)
	if err != nil {
		return key{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.epoch == epoch {
		if len(v.cache) >= cachedMax {
			clear(v.cache)
		}
		v.cache[subject] = k
	}
	return k, nil
}

// refresh makes sure that the cache is right, or was at most 100 ms ago. One caller asks, and those
// who come meanwhile share the answer, unless it is too old for them. Without an answer nobody goes
// on: a key may have been destroyed.
func (v *Vault) refresh(ctx context.Context) error {
	now, asked := v.options.Now().UnixNano(), v.asked.Load()
	if v.fresh(now) {
		return nil
	}
	select {
	case v.asking <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-v.asking }()
	meanwhile := v.asked.Load() - asked // all but the first of these were begun after we came
	switch {
	case meanwhile > 0 && v.failed != nil:
		return v.failed
	case meanwhile > 1 || v.fresh(now):
		return nil
	}
	err := v.ask(ctx)
	if ctx.Err() == nil { // else it failed for us alone
		v.failed = err
		v.asked.Add(1)
	}
	return err
}

func (v *Vault) fresh(now int64) bool {
	age := now - v.checked.Load()
	return age >= 0 && age < int64(staleMax)
}

// ask empties the cache when a key was destroyed.
func (v *Vault) ask(ctx context.Context) error {
	now := v.options.Now().UnixNano()
	erased, err := v.keys.destroyed(ctx)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.erased != erased {
		v.erased = erased
		v.epoch++
		clear(v.cache)
	}
	v.checked.Store(now)
	return nil
}
