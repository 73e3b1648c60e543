package vault

import (
	"context"

	"github.com/google/uuid"
)

// storage keeps wrapped keys and knows nothing of how they are wrapped. What it answers is durable.
// An error that may pass wraps eventstore.ErrUnavailable; after one, a change may have been made all
// the same, and every method may be called again.
type storage interface {
	// identity is nil for a vault that has none yet.
	identity(ctx context.Context) (*identity, error)

	// found gives the vault a fresh identity unless it has one by now, and answers what it has.
	found(ctx context.Context, fresh func() (identity, error)) (*identity, error)

	// find answers a tombstone for a key that was destroyed, and ErrKeyMissing for one that is not
	// there.
	find(ctx context.Context, subject string) ([]byte, error)

	// destroyed counts the keys that were; a change of it is all that other processes see.
	destroyed(ctx context.Context) (int64, error)

	// ensure adds fresh keys for the subjects that have none. The error wraps ErrErased when one of
	// them has a tombstone; the others then have keys.
	ensure(ctx context.Context, subjects []string, fresh func(string) ([]byte, error)) error

	// destroy writes a tombstone over a key, or where there is none, and does all it can to leave
	// no other copy.
	destroy(ctx context.Context, subject string) error

	// contents is everything, as of one moment.
	contents(ctx context.Context) (contents, error)

	close() error
}

// identity is the name of a vault and the proof of its master key.
type identity struct {
	id    uuid.UUID
	proof []byte
}

// contents are all that a vault holds.
type contents struct {
	identity

	destroyed int64
	keys      []wrappedKey
}

type wrappedKey struct {
	subject string
	wrapped []byte
}

func (c contents) tombstones() (count int64) {
	for _, k := range c.keys {
		if isTombstone(k.wrapped) {
			count++
		}
	}
	return count
}

// wrappedBytes is the length of a wrapped key: nonce, key, tag.
const wrappedBytes = 12 + keyBytes + 16

func isTombstone(wrapped []byte) bool {
	var sum byte
	for _, b := range wrapped {
		sum |= b
	}
	return sum == 0
}
