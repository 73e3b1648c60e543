package sqlitefile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockPoll is how often a taken lock is asked for again. The kernel could wake us instead, but then
// no context could end the wait.
const lockPoll = 10 * time.Millisecond

// Lock is the operating system's lock on a file. It belongs to this Lock, not to the process: two of
// them exclude each other inside one process too. The kernel releases it when the process dies.
type Lock struct{ file *os.File }

// OpenLock opens the file of a lock and makes it if it is not there. Nothing is locked yet.
func OpenLock(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // our own data directory
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	return &Lock{file}, nil
}

// TryExclusive takes the lock alone if nobody else holds it, and says whether it did. If not, a share
// held before is lost: Linux gives up the old lock before it asks for the new one.
func (l *Lock) TryExclusive() (bool, error) { return l.try(unix.LOCK_EX) }

// Exclusive takes the lock alone, and waits for it until the context ends.
func (l *Lock) Exclusive(ctx context.Context) error { return l.wait(ctx, unix.LOCK_EX) }

// Shared takes the lock together with others, and waits for whoever holds it alone until the
// context ends. A lock held alone becomes shared; for a moment in between nobody holds it.
func (l *Lock) Shared(ctx context.Context) error { return l.wait(ctx, unix.LOCK_SH) }

// Unlock releases the lock and keeps its file open.
func (l *Lock) Unlock() error {
	if err := flock(l.file, unix.LOCK_UN); err != nil {
		return fmt.Errorf("unlock %s: %w", l.file.Name(), err)
	}
	return nil
}

// Close releases the lock.
func (l *Lock) Close() error { return l.file.Close() }

func (l *Lock) wait(ctx context.Context, how int) error {
	ticks := time.NewTicker(lockPoll)
	defer ticks.Stop()
	for {
		if held, err := l.try(how); held || err != nil {
			return err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", l.file.Name(), context.Cause(ctx))
		}
	}
}

func (l *Lock) try(how int) (bool, error) {
	err := flock(l.file, how|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", l.file.Name(), err)
	}
	return true, nil
}

// flock asks again when a signal interrupts it, as the Go runtime's own preemption does.
func flock(file *os.File, how int) error {
	for {
		if err := unix.Flock(int(file.Fd()), how); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
