// Package sqlite keeps the log in one SQLite file: the embedded default.
//
// All appends of a process go through one writer, which commits together what waits together: one
// sync for many callers. Readers have connections of their own, read in short pages and hold none
// while their caller works, so that a slow reader never keeps the write-ahead log from shrinking.
// Checkpoints run beside the commits. Several processes may use one folder at once; SQLite puts
// their appends in order, and followers in another process look for news every few milliseconds.
//
// The first process to open a log finishes the write-ahead log a crash may have left, and syncs it,
// before it answers anything: what it then reads as recorded is on disk. A failed sync ends the log:
// the kernel may have dropped what it could not write, so nothing after it can be believed.
//
// The one rule: what was acknowledged is on disk.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite/sqlitefile"
)

var (
	_ eventstore.Store = (*Log)(nil)
	_ eventstore.Log   = (*Log)(nil)
)

// ErrInUse is a log that another process has open.
var ErrInUse = errors.New("another process is using the log: stop it first")

// errClosed is the cause of everything refused after Close.
var errClosed = fmt.Errorf("%w: the log is closed", eventstore.ErrUnavailable)

// Options are what a log needs from its surroundings. All may be left empty.
type Options struct {
	// Now is the clock of recorded times; the machine's if nil.
	Now func() time.Time

	// Fatal is called once, when the storage has failed and the process should end. The log
	// refuses everything from then on.
	Fatal func(error)

	// Alone keeps everybody else out for as long as the log is open, and refuses with ErrInUse while
	// somebody else has it open.
	Alone bool

	// BeforeSync is called before each commit that writes, on the writer's goroutine. Benchmarks
	// make the disk slow with it.
	BeforeSync func()

	// Logger hears of a full disk and of failed storage; nobody does if nil.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the one place where the clock of a log is chosen
	}
	if o.Fatal == nil {
		o.Fatal = func(error) {}
	}
	if o.BeforeSync == nil {
		o.BeforeSync = func() {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Log is a log in a folder. It is safe for use by many goroutines.
type Log struct {
	path    string
	options Options
	lock    *sqlitefile.Lock // shared with the other processes that have the log open
	readers *sqlitex.Pool
	names   *names
	news    news
	queue   queue
	writer  *writer

	checkpoints checkpoints
	poller      *sqlite.Conn

	life context.Context // ends when the log is closed or its storage has failed; the cause says which
	end  context.CancelCauseFunc
	work sync.WaitGroup

	failing sync.Once
	closing sync.Once
}

// Open opens the log in a folder, and makes both if they are not there. The context bounds the wait
// for another process that is just opening the log.
func Open(ctx context.Context, dir string, options Options) (*Log, error) {
	if err := sqlitefile.MakeFolder(dir); err != nil {
		return nil, err
	}
	l := &Log{path: filepath.Join(dir, "log.db"), options: options.withDefaults(), names: newNames()}
	l.queue.wake = make(chan struct{}, 1)
	l.news.awaited = make(chan struct{}, 1)
	l.checkpoints.due = make(chan struct{}, 1)
	l.checkpoints.passive, l.checkpoints.most = passivePages, restartPages
	l.life, l.end = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := l.open(ctx); err != nil {
		l.end(err)
		return nil, errors.Join(err, l.release())
	}
	l.work.Go(l.writer.run)
	l.work.Go(l.checkpoint)
	l.work.Go(l.poll)
	return l, nil
}

// open takes the lock before it touches the file. Whoever is first finishes the write-ahead log and
// only then lets others in.
func (l *Log) open(ctx context.Context) (err error) {
	if l.lock, err = sqlitefile.OpenLock(filepath.Join(filepath.Dir(l.path), "log.lock")); err != nil {
		return err
	}
	first, err := l.alone(ctx)
	if err != nil {
		return err
	}
	if !first {
		if err := l.lock.Shared(ctx); err != nil {
			return err
		}
	}
	if err := l.connect(); err != nil {
		return err
	}
	if !first {
		return nil
	}
	if err := l.recover(); err != nil || l.options.Alone {
		return err
	}
	return l.lock.Shared(ctx)
}

// aloneMax gives a command that is just ending the time to do so.
const aloneMax = time.Second

// alone says whether nobody else has the log open.
func (l *Log) alone(ctx context.Context) (bool, error) {
	if !l.options.Alone {
		return l.lock.TryExclusive()
	}
	waiting, cancel := context.WithTimeout(ctx, aloneMax)
	defer cancel()
	if err := l.lock.Exclusive(waiting); err != nil {
		if waiting.Err() != nil && ctx.Err() == nil {
			return false, fmt.Errorf("%s: %w", l.path, ErrInUse)
		}
		return false, err
	}
	return true, nil
}

func (l *Log) connect() error {
	conn, err := sqlitefile.OpenConn(writing(l.path))
	if err != nil {
		return err
	}
	l.writer = newWriter(l, conn)
	if l.checkpoints.conn, err = sqlitefile.OpenConn(writing(l.path)); err != nil {
		return err
	}
	if l.poller, err = sqlitefile.OpenConn(polling(l.path)); err != nil {
		return err
	}
	l.readers, err = sqlitefile.OpenReaders(reading(l.path), readersMax)
	return err
}

// recover moves a write-ahead log left by a crash into the database and syncs both. Its last commits
// may never have been synced: a power cut could still undo what this process would call recorded.
func (l *Log) recover() error {
	done, err := sqlitefile.Checkpoint(l.writer.conn, sqlitefile.Truncate)
	switch {
	case err != nil:
		return fmt.Errorf("finish the write-ahead log of %s: %w", l.path, err)
	case done.Busy:
		return fmt.Errorf("%w: another program is using %s: stop it and try again",
			eventstore.ErrUnavailable, l.path)
	}
	return nil
}

// Close carries out the appends already under way, then ends everything else. Followers end with an
// error. Close twice is once.
func (l *Log) Close() error {
	var err error
	l.closing.Do(func() {
		l.queue.close()
		<-l.writer.finished
		l.end(errClosed)
		l.work.Wait()
		err = l.release()
	})
	return err
}

// release closes what was opened. The last checkpoint is a courtesy: the next Open makes good for
// one that fails.
func (l *Log) release() error {
	var errs []error
	if l.readers != nil {
		errs = append(errs, l.readers.Close())
	}
	if l.poller != nil {
		errs = append(errs, l.poller.Close())
	}
	if l.checkpoints.conn != nil {
		l.checkpoints.conn.SetBusyTimeout(0)
		_, _ = sqlitefile.Checkpoint(l.checkpoints.conn, sqlitefile.Truncate)
		errs = append(errs, l.checkpoints.conn.Close())
	}
	if l.writer != nil {
		errs = append(errs, l.writer.conn.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	return errors.Join(errs...)
}

// Size is the number of bytes the log takes on disk, its write-ahead log included.
func (l *Log) Size() (int64, error) {
	var total int64
	for _, path := range []string{l.path, l.path + "-wal"} {
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("size of the log: %w", err)
		}
		total += info.Size()
	}
	return total, nil
}

// fail ends the log after its storage has failed. Only the first failure is reported.
func (l *Log) fail(err error) error {
	failed := fmt.Errorf("%w: the storage failed, the outcome is unknown and the log has stopped: %w", eventstore.ErrUnavailable, err)
	l.failing.Do(func() {
		l.end(failed)
		l.options.Logger.Error("storage failed, the log has stopped", "file", l.path, "error", err)
		l.options.Fatal(failed)
	})
	return failed
}

// judge translates an error of SQLite into one of the store, and ends the log if it must.
func (l *Log) judge(err error) error {
	switch {
	case sqlitefile.IsFatal(err):
		return l.fail(err)
	case sqlitefile.IsFull(err):
		l.options.Logger.Warn("the disk is full", "file", l.path, "error", err)
		return fmt.Errorf("%w: the disk is full: %w", eventstore.ErrUnavailable, err)
	case sqlitefile.IsBusy(err):
		return fmt.Errorf("%w: another process holds the log: %w", eventstore.ErrUnavailable, err)
	default:
		return err
	}
}
