package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	eventlog "rentbook/eventstore/sqlite"
)

// rawLog is the bare driver writing the rows of a log: the same tables and index, one connection,
// one goroutine, statements prepared once, SQLite's own checkpoints. Nothing is looked up and
// nobody waits for anybody.
type rawLog struct {
	conn     *sqlite.Conn
	insert   *sqlite.Stmt
	begin    *sqlite.Stmt
	commit   *sqlite.Stmt
	sleep    time.Duration
	data     []byte
	position int64
	versions []int64 // by stream
}

// newRawLog makes the tables with the log's own code, and then leaves it alone.
func (b *bench) newRawLog(ctx context.Context, streams int, data []byte) (*rawLog, error) {
	dir := b.folder()
	made, err := eventlog.Open(ctx, dir, eventlog.Options{})
	if err != nil {
		return nil, err
	}
	if err := made.Close(); err != nil {
		return nil, err
	}
	conn, err := sqlite.OpenConn(filepath.Join(dir, "log.db"), sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	r := &rawLog{conn: conn, data: data, versions: make([]int64, streams), sleep: b.sleep}
	if err := r.prepare(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return r, nil
}

func (r *rawLog) prepare() (err error) {
	for _, setting := range []string{"synchronous=FULL", "temp_store=MEMORY", "cache_size=-32768", "wal_autocheckpoint=1000"} {
		if err := sqlitex.ExecuteTransient(r.conn, "PRAGMA "+setting, nil); err != nil {
			return err
		}
	}
	fill := fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < %d)
		INSERT INTO stream (id, name) SELECT i+1, printf('rentAccount-L%%06d', i) FROM n`, len(r.versions)-1)
	if err := sqlitex.ExecuteTransient(r.conn, fill, nil); err != nil {
		return err
	}
	if r.begin, err = r.conn.Prepare("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if r.commit, err = r.conn.Prepare("COMMIT"); err != nil {
		return err
	}
	r.insert, err = r.conn.Prepare(`INSERT INTO event
		(position, stream, version, type, actor, at, checksum, ids, data) VALUES (?1, ?2, ?3, 1, 1, ?4, 0, ?5, ?6)`)
	return err
}

func (r *rawLog) close() error { return r.conn.Close() }

// append writes one transaction.
func (r *rawLog) append(batch int) error {
	if err := step(r.begin); err != nil {
		return err
	}
	for range batch {
		if err := r.one(); err != nil {
			return err
		}
	}
	if r.sleep > 0 {
		time.Sleep(r.sleep)
	}
	return step(r.commit)
}

func (r *rawLog) one() error {
	r.position++
	stream := r.position * 7919 % int64(len(r.versions))
	r.versions[stream]++
	var ids [32]byte
	binary.BigEndian.PutUint64(ids[8:], uint64(r.position)) //nolint:gosec // G115: a count
	r.insert.BindInt64(1, r.position)
	r.insert.BindInt64(2, stream+1)
	r.insert.BindInt64(3, r.versions[stream])
	r.insert.BindInt64(4, time.Now().UnixMicro())
	r.insert.BindBytes(5, ids[:])
	r.insert.BindBytes(6, r.data)
	return step(r.insert)
}

func step(stmt *sqlite.Stmt) error {
	if _, err := stmt.Step(); err != nil {
		return err
	}
	return stmt.Reset()
}

// inserting is the driver with so many rows a transaction.
func (r *rawLog) inserting(batch int) workers {
	return func() (worker, error) {
		return worker{op: func(context.Context) error { return r.append(batch) }}, nil
	}
}

// rowsPerSecond measures it.
func (r *rawLog) rowsPerSecond(ctx context.Context, d time.Duration, batch int) (float64, error) {
	s, err := drive(ctx, 1, d, r.inserting(batch))
	return s.rate() * float64(batch), err
}
