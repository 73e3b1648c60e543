package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// StreamIdentity holds the first event of every log; its type is TypeStarted.
const (
	StreamIdentity = Stream("log-identity")
	TypeStarted    = "log.started.v1"
)

// Identity is what the first event of a log says: which log this is, and which vault holds the
// keys of its personal data. Views, vaults and checkpoints that belong to another log are refused.
type Identity struct {
	Log   string `json:"log"`
	Vault string `json:"vault"`
}

// EventType is the stored name.
func (Identity) EventType() string { return TypeStarted }

// ErrForeign is something that belongs to another log.
var ErrForeign = errors.New("it belongs to another log")

// Identify reads who the log is. A log without events is started for the vault given; one that was
// started with another vault is ErrForeign.
func Identify(ctx context.Context, store Store, vault string) (Identity, error) {
	known, err := identity(ctx, store)
	if err == nil && known == (Identity{}) {
		if err = start(ctx, store, Identity{Log: fresh(), Vault: vault}); err == nil || errors.Is(err, ErrConflict) {
			known, err = identity(ctx, store) // whoever was first
		}
	}
	switch {
	case err != nil:
		return Identity{}, fmt.Errorf("identify the log: %w", err)
	case known == (Identity{}): // a node that has not got it yet
		return Identity{}, fmt.Errorf("identify the log: what was just recorded cannot be read: %w", ErrUnavailable)
	case known.Vault != vault:
		return Identity{}, fmt.Errorf("the log was written with vault %s, this is vault %s: %w; "+
			"put back the vault and master key that were kept beside this log", known.Vault, vault, ErrForeign)
	}
	return known, nil
}

func identity(ctx context.Context, store Store) (Identity, error) {
	for r, err := range store.Read(ctx, StreamIdentity, 0) {
		if err != nil {
			return Identity{}, err
		}
		var known Identity
		if err := json.Unmarshal(r.Data, &known); err != nil {
			return Identity{}, err
		}
		return known, nil
	}
	return Identity{}, nil
}

// fresh names a log: the only id here that follows from nothing.
func fresh() string { return uuid.NewString() } //nolint:forbidigo // see above

func start(ctx context.Context, store Store, i Identity) error {
	data, err := json.Marshal(i)
	if err != nil {
		return err
	}
	id := uuid.MustParse(i.Log)
	_, err = store.Append(ctx, StreamIdentity, 0, Proposed{
		ID: id, Type: TypeStarted, Data: data,
		Metadata: Metadata{Command: id, Correlation: id, Causation: id, Actor: Actor{ID: "rentbook", Role: "system"}},
	})
	return err
}
