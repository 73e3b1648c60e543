package photos

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite/sqlitefile"
)

const (
	draftPrefix = ".tmp-"

	// draftAgeMax is when a draft has surely been left behind: writing one takes seconds.
	draftAgeMax = 24 * time.Hour
)

// disk writes files that are there completely and for good, or not at all. A failed sync is final.
type disk struct {
	write func(file *os.File, content []byte) error // tests put a full disk here
	sync  func(file *os.File) error                 // and a failing one here

	failed *failure
}

type failure struct {
	mu  sync.Mutex
	err error
}

func newDisk() disk {
	return disk{
		write: func(file *os.File, content []byte) error {
			_, err := file.Write(content)
			return err
		},
		sync:   (*os.File).Sync,
		failed: &failure{},
	}
}

// makeFolders makes those that are missing, and their entries durable, even if another process has
// just made them.
func makeFolders(dir string, names []string) error {
	for _, name := range names {
		err := os.Mkdir(filepath.Join(dir, name), 0o700)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return sqlitefile.SyncFolder(dir)
}

// place writes a file under another name, and links it into place when it is on disk. The error wraps
// fs.ErrExist if there is one already: a link never replaces. What a crash leaves behind is removed
// by a later call in the same folder.
func (d disk) place(path string, content []byte) error {
	if err := d.failure(); err != nil {
		return err
	}
	folder := filepath.Dir(path)
	draft, written, err := d.draft(folder, content)
	if err != nil {
		return outOfSpace(err)
	}
	err = os.Link(draft, path)
	_ = os.Remove(draft) // in vain, it is swept away tomorrow
	if err != nil {
		return outOfSpace(err)
	}
	sweep(folder, written.Add(-draftAgeMax))
	return d.syncFolder(folder)
}

// draft tells when it was written by the clock of the disk, which is the one that drafts are aged by.
func (d disk) draft(folder string, content []byte) (name string, written time.Time, err error) {
	file, err := os.CreateTemp(folder, draftPrefix+"*")
	if err != nil {
		return "", time.Time{}, err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			_ = os.Remove(file.Name()) // in vain, it is swept away tomorrow
		}
	}()
	if err := file.Chmod(0o600); err != nil { // whatever the umask
		return "", time.Time{}, err
	}
	if err := d.write(file, content); err != nil {
		return "", time.Time{}, err
	}
	if err := d.synced(d.sync(file)); err != nil {
		return "", time.Time{}, err
	}
	info, err := file.Stat()
	if err != nil {
		return "", time.Time{}, err
	}
	return file.Name(), info.ModTime(), nil
}

// read reads at most so many bytes of a file.
func (d disk) read(path string, bytesMax int64) (content []byte, err error) {
	file, err := os.Open(path) //nolint:gosec // the folder is ours, the name is checked to be an id
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(io.LimitReader(file, bytesMax))
}

func (d disk) syncFolder(path string) (err error) {
	folder, err := os.Open(path) //nolint:gosec // a folder of our own
	if err != nil {
		return fmt.Errorf("sync folder %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	return d.synced(d.sync(folder))
}

// synced remembers that a sync has failed: trying again would succeed without the lost pages.
func (d disk) synced(err error) error {
	if err == nil {
		return nil
	}
	d.failed.mu.Lock()
	defer d.failed.mu.Unlock()
	if d.failed.err == nil {
		d.failed.err = fmt.Errorf("%w: %w", ErrStorage, err)
	}
	return d.failed.err
}

// failure is what ended this disk, if something has.
func (d disk) failure() error {
	d.failed.mu.Lock()
	defer d.failed.mu.Unlock()
	return d.failed.err
}

// sweep removes drafts that a crash has left behind. It is housekeeping: whatever is in its way
// concerns nobody.
func sweep(folder string, before time.Time) {
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), draftPrefix) {
			continue
		}
		if info, err := entry.Info(); err == nil && info.ModTime().Before(before) {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}

// outOfSpace names a full disk, or a quota: no fault of the request, and it may pass. A failed sync is
// final whatever its cause.
func outOfSpace(err error) error {
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
	if !full || errors.Is(err, ErrStorage) {
		return err
	}
	return fmt.Errorf("%w: the disk of the photos is full: %w", eventstore.ErrUnavailable, err)
}
