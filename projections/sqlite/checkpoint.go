package sqlite

import (
	"sync"

	"zombiezen.com/go/sqlite"

	"rentbook/eventstore/sqlite/sqlitefile"
)

// checkpoints moves the write-ahead log into the file.
type checkpoints struct {
	conn *sqlite.Conn
	due  chan struct{}
	done sync.WaitGroup
	once sync.Once
}

const (
	// passivePages is how many pages wait in the write-ahead log before the background moves them;
	// restartPages is from which size on the writer moves the remainder itself, so that its next
	// write starts the write-ahead log over.
	passivePages = 1000
	restartPages = 8000
)

func newCheckpoints(conn *sqlite.Conn) *checkpoints {
	c := &checkpoints{conn: conn, due: make(chan struct{}, 1)}
	c.done.Go(c.run)
	return c
}

// after is called by the writer between two transactions.
func (c *checkpoints) after(conn *sqlite.Conn) error {
	log, err := sqlitefile.Checkpoint(conn, sqlitefile.Look)
	if err != nil {
		return harmless(err)
	}
	if log.Log >= restartPages {
		_, err = sqlitefile.Checkpoint(conn, sqlitefile.Passive)
		return harmless(err)
	}
	if log.Log-log.Moved >= passivePages {
		select {
		case c.due <- struct{}{}:
		default:
		}
	}
	return nil
}

func (c *checkpoints) run() {
	for range c.due {
		// Whatever is in the way, the writer meets it too and reports it.
		_, _ = sqlitefile.Checkpoint(c.conn, sqlitefile.Passive)
	}
}

// close leaves a small write-ahead log behind, as a courtesy to whoever copies the file.
func (c *checkpoints) close() error {
	c.once.Do(func() { close(c.due) })
	c.done.Wait()
	c.conn.SetBusyTimeout(0)
	_, _ = sqlitefile.Checkpoint(c.conn, sqlitefile.Truncate)
	return c.conn.Close()
}

func harmless(err error) error {
	if sqlitefile.IsBusy(err) || sqlitefile.IsFull(err) {
		return nil
	}
	return err
}
