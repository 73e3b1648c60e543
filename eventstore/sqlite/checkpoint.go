package sqlite

import (
	"sync/atomic"

	"zombiezen.com/go/sqlite"

	"rentbook/eventstore/sqlite/sqlitefile"
)

const (
	// checkEvery is after how many events the size of the write-ahead log is looked at.
	checkEvery = 256

	// passivePages is how many pages (of 4 KiB) wait in the write-ahead log before a checkpoint
	// beside the commits moves them.
	passivePages = 1024

	// restartPages bounds the write-ahead log. SQLite starts it over only when a writer finds every
	// page moved and nobody reading from it; beside a busy writer a checkpoint never gets to the
	// very last page. So from this size on the writer moves the small remainder itself, between two
	// commits. Done for each commit instead, that would be the stall of 40 ms that this avoids.
	restartPages = 16 << 10
)

// checkpoints moves the write-ahead log into the database beside the commits.
type checkpoints struct {
	conn    *sqlite.Conn
	passive int           // passivePages; a test needs fewer
	most    int           // restartPages; a test needs fewer
	due     chan struct{} // holds one token when it is time to look
	since   int64         // events since the last look; the writer's
	restart atomic.Bool   // the writer is to move the remainder
}

// wrote counts what the writer has committed.
func (c *checkpoints) wrote(events int64) {
	if c.since += events; c.since < checkEvery {
		return
	}
	c.since = 0
	select {
	case c.due <- struct{}{}:
	default:
	}
}

// finish moves the remainder on the writer's own connection, if the log has grown that far. Its next
// write then starts the write-ahead log over, unless a reader still needs it; then later.
func (c *checkpoints) finish(conn *sqlite.Conn) error {
	if !c.restart.Swap(false) {
		return nil
	}
	_, err := sqlitefile.Checkpoint(conn, sqlitefile.Passive)
	return unlessHarmless(err)
}

// step moves what has piled up, and asks the writer for the rest when the log has grown too far.
func (c *checkpoints) step() error {
	log, err := sqlitefile.Checkpoint(c.conn, sqlitefile.Look)
	if err != nil {
		return unlessHarmless(err)
	}
	if log.Log-log.Moved >= c.passive {
		if log, err = sqlitefile.Checkpoint(c.conn, sqlitefile.Passive); err != nil {
			return unlessHarmless(err)
		}
	}
	if log.Log >= c.most {
		c.restart.Store(true)
	}
	return nil
}

// unlessHarmless drops the error of a checkpoint that was only in nobody's way: the pages stay in
// the write-ahead log until there is room, or until nobody is busy.
func unlessHarmless(err error) error {
	if sqlitefile.IsBusy(err) || sqlitefile.IsFull(err) {
		return nil
	}
	return err
}

// checkpoint runs until the log ends. An error that is left is one of the storage.
func (l *Log) checkpoint() {
	for {
		select {
		case <-l.life.Done():
			return
		case <-l.checkpoints.due:
		}
		if err := l.checkpoints.step(); err != nil {
			_ = l.fail(err)
			return
		}
	}
}
