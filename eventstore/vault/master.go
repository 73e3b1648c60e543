package vault

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"

	"rentbook/eventstore/sqlite/sqlitefile"
)

// keyBytes is the length of every key: AES-256.
const keyBytes = 32

var errMasterMissing = errors.New("the master key of the vault, is missing")

// unlock finds the master key, and makes sure that it is the one this vault was made with.
func (v *Vault) unlock(ctx context.Context, dir string) error {
	made, err := v.keys.identity(ctx)
	if err == nil && made == nil {
		made, err = v.keys.found(ctx, func() (identity, error) { return v.first(dir) })
	}
	if err == nil && v.master == nil {
		err = v.take(dir, false)
	}
	if err != nil {
		return err
	}
	v.id = made.id
	if _, err := v.master.Decrypt(made.proof, v.bound("")); err != nil {
		return fmt.Errorf("the master key does not belong to vault %s: put back the one it was made with", v.id)
	}
	return nil
}

// first gives a new vault its name and a proof of its master key, which is made if there is none.
// Whoever comes second gets the first one's.
func (v *Vault) first(dir string) (identity, error) {
	if err := v.take(dir, true); err != nil {
		return identity{}, err
	}
	var err error
	if v.id, err = uuid.NewRandom(); err != nil { //nolint:forbidigo // a vault is made once, by nobody's command
		return identity{}, fmt.Errorf("name the vault: %w", err)
	}
	proof, err := v.master.Encrypt(nil, v.bound(""))
	if err != nil {
		return identity{}, fmt.Errorf("prove the master key: %w", err)
	}
	return identity{v.id, proof}, nil
}

func (v *Vault) take(dir string, founding bool) error {
	master, err := v.options.master(dir, founding)
	if err != nil {
		return err
	}
	if v.master, err = subtle.NewAESGCM(master); err != nil {
		return fmt.Errorf("master key: %w", err)
	}
	return nil
}

// wrapNew makes a key and wraps it.
func (v *Vault) wrapNew(subject string) ([]byte, error) {
	var fresh [keyBytes]byte
	_, _ = rand.Read(fresh[:]) // ends the program rather than fail
	return v.master.Encrypt(fresh[:], v.bound(subject))
}

// unwrap answers the zero key for a tombstone.
func (v *Vault) unwrap(subject string, wrapped []byte) (key, error) {
	if isTombstone(wrapped) {
		return key{}, nil
	}
	plain, err := v.master.Decrypt(wrapped, v.bound(subject))
	if err != nil {
		return key{}, fmt.Errorf("the vault is damaged: the key of %s cannot be unwrapped: %w", subject, err)
	}
	sealer, err := subtle.NewAESGCM(plain)
	return key{sealer}, err
}

// bound ties what the master key wraps to this vault and to one subject, so that a wrapped key moved
// to another row opens nothing.
func (v *Vault) bound(subject string) []byte {
	return []byte("rentbook vault " + v.id.String() + " " + subject)
}

// master reads the master key. It is made only for a vault that is being made: for one that exists,
// another key could not open anything.
func (o Options) master(dir string, founding bool) ([]byte, error) {
	if o.MasterKey != "" {
		return parseMaster("the given master key", []byte(o.MasterKey))
	}
	path := o.MasterKeyFile
	if path == "" {
		path = filepath.Join(dir, "master.key")
	}
	text, err := readMaster(path)
	if errors.Is(err, fs.ErrNotExist) && founding && o.MasterKeyFile == "" {
		if err := makeMaster(dir, path); err != nil {
			return nil, fmt.Errorf("make %s: %w", path, err)
		}
		text, err = readMaster(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s, %w: put it back", path, errMasterMissing)
	}
	if err != nil {
		return nil, err
	}
	return parseMaster(path, text)
}

func parseMaster(name string, text []byte) ([]byte, error) {
	if len(text) == keyBytes {
		return text, nil
	}
	master, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(master) != keyBytes {
		return nil, fmt.Errorf("%s is not a master key: want 32 bytes in base64", name)
	}
	return master, nil
}

// masterBytesMax bounds what is read of a file that may be anything.
const masterBytesMax = 1 << 10

// readMaster refuses a key that others can read: they can read every sealed field.
func readMaster(path string) (_ []byte, err error) {
	file, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others than its owner (mode %04o): chmod 600 it", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(file, masterBytesMax))
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	return text, nil
}

// makeMaster writes a new key under another name and links it into place when it is on disk. Whoever
// comes second leaves the first one's.
func makeMaster(dir, path string) (err error) {
	if err := sqlitefile.MakeFolder(dir); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, "master.key.new-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	var fresh [keyBytes]byte
	_, _ = rand.Read(fresh[:]) // ends the program rather than fail
	_, err = file.WriteString(base64.StdEncoding.EncodeToString(fresh[:]) + "\n")
	if err := errors.Join(err, file.Chmod(0o600), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return sqlitefile.SyncFolder(dir)
}
