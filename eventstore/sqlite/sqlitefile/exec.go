package sqlitefile

import (
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Exec runs one statement that answers nothing, or whose answer does not matter.
func Exec(conn *sqlite.Conn, query string) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	for {
		row, err := stmt.Step()
		if err != nil {
			return err
		}
		if !row {
			return stmt.Reset()
		}
	}
}

// Int runs one statement that answers one number.
func Int(conn *sqlite.Conn, query string) (int64, error) {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return 0, err
	}
	return sqlitex.ResultInt64(stmt)
}

// Checkpointed is what a checkpoint came to.
type Checkpointed struct {
	Busy       bool // somebody was in the way
	Log, Moved int  // pages in the write-ahead log, and how many of them are in the database too
}

// Modes of a checkpoint. Look only counts; Passive moves what it can and waits for nobody; Truncate
// moves all, waits up to the busy timeout, and empties the write-ahead log.
const (
	Look     = "PRAGMA wal_checkpoint(NOOP)"
	Passive  = "PRAGMA wal_checkpoint(PASSIVE)"
	Truncate = "PRAGMA wal_checkpoint(TRUNCATE)"
)

// Checkpoint moves pages from the write-ahead log to the database; mode is one of the above.
func Checkpoint(conn *sqlite.Conn, mode string) (Checkpointed, error) {
	stmt, err := conn.Prepare(mode)
	if err != nil {
		return Checkpointed{}, err
	}
	if _, err := stmt.Step(); err != nil {
		return Checkpointed{}, err
	}
	done := Checkpointed{
		Busy:  stmt.ColumnBool(0),
		Log:   stmt.ColumnInt(1),
		Moved: stmt.ColumnInt(2),
	}
	return done, stmt.Reset()
}

// IsBusy says whether another connection held a lock for too long.
func IsBusy(err error) bool { return sqlite.ErrCode(err).ToPrimary() == sqlite.ResultBusy }

// IsFull says whether the disk, or a bound on the file, left no room. The index of the write-ahead
// log reports a full disk as an error of its own.
func IsFull(err error) bool {
	code := sqlite.ErrCode(err)
	return code.ToPrimary() == sqlite.ResultFull || code == sqlite.ResultIOErrSHMSize
}

// IsFatal says whether the storage itself failed, or what is stored is damaged. After a failed sync
// the kernel may already have dropped the pages that were not written: going on would build on data
// that is not there.
func IsFatal(err error) bool {
	switch code := sqlite.ErrCode(err); code {
	case sqlite.ResultIOErrNoMem, sqlite.ResultIOErrSHMSize:
		return false
	default:
		return code.ToPrimary() == sqlite.ResultIOErr || code.ToPrimary() == sqlite.ResultCorrupt
	}
}
