package sqlitefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeFolder makes a folder only its owner can enter, and those above it, and makes their entries
// durable. A folder that is there stays as it is.
func MakeFolder(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("%s is a file: name a folder", path)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("make folder %s: %w", path, err)
	}
	parent := filepath.Dir(filepath.Clean(path))
	if err := MakeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make folder %s: %w", path, err)
	}
	return SyncFolder(parent)
}

// SyncFolder makes the entries of a folder durable: the names of the files made, linked or renamed
// in it.
func SyncFolder(path string) (err error) {
	folder, err := os.Open(path) //nolint:gosec // the path is the caller's own data directory
	if err != nil {
		return fmt.Errorf("sync folder %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("sync folder %s: %w", path, err)
	}
	return nil
}
