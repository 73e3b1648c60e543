package sqlite

import (
	"time"

	"github.com/google/uuid"
	"zombiezen.com/go/sqlite"

	"rentbook/eventstore"
)

// The statements of the writer, one function each. They run inside its transaction.

func findLast(conn *sqlite.Conn) (mark, error) {
	m := mark{known: true}
	err := one(conn, `SELECT position, at FROM event ORDER BY position DESC LIMIT 1`,
		func(*sqlite.Stmt) {},
		func(s *sqlite.Stmt) { m.position, m.at = s.ColumnInt64(0), s.ColumnInt64(1) })
	return m, err
}

func findHead(conn *sqlite.Conn, s eventstore.Stream) (h head, err error) {
	err = one(conn, `SELECT id, (SELECT max(version) FROM event WHERE stream = id) FROM stream WHERE name = ?1`,
		func(stmt *sqlite.Stmt) { stmt.BindText(1, string(s)) },
		func(stmt *sqlite.Stmt) { h = head{stmt.ColumnInt64(0), version(stmt.ColumnInt64(1))} })
	return h, err
}

// findRepeat says whether the events stand in the stream already, right where they were to go. Ids
// decide: the bytes of sealed data differ each time they are sealed.
func findRepeat(conn *sqlite.Conn, h head, a eventstore.Append) (eventstore.Commit, bool, error) {
	n := eventstore.Version(len(a.Events))
	if h.version < n || h.version-n < a.After {
		return eventstore.Commit{}, false, nil
	}
	stmt, err := conn.Prepare(`SELECT position, ids FROM event WHERE stream = ?1 AND version > ?2
		ORDER BY version LIMIT ?3`)
	if err != nil {
		return eventstore.Commit{}, false, err
	}
	stmt.BindInt64(1, h.id)
	stmt.BindInt64(2, integer(a.After))
	stmt.BindInt64(3, integer(n))
	position, same, err := compareIDs(stmt, a.Events)
	if err != nil || !same {
		return eventstore.Commit{}, false, err
	}
	commit := commitAt(a.After+n, position)
	commit.Repeated = true
	return commit, true, nil
}

// compareIDs steps through one row for each event and answers the position of the last.
func compareIDs(stmt *sqlite.Stmt, events []eventstore.Proposed) (position int64, same bool, err error) {
	for i := range events {
		found, err := stmt.Step()
		if err != nil {
			return 0, false, err
		}
		var id uuid.UUID
		stmt.ColumnBytes(1, id[:])
		if !found || id != events[i].ID {
			return 0, false, stmt.Reset()
		}
		position = stmt.ColumnInt64(0)
	}
	return position, true, stmt.Reset()
}

func insertStream(conn *sqlite.Conn, s eventstore.Stream) (int64, error) {
	return insert(conn, `INSERT INTO stream (name) VALUES (?1)`,
		func(stmt *sqlite.Stmt) { stmt.BindText(1, string(s)) })
}

func findOrInsertType(conn *sqlite.Conn, name string) (int64, error) {
	return findOrInsert(conn, `SELECT id FROM type WHERE name = ?1`, `INSERT INTO type (name) VALUES (?1)`,
		func(stmt *sqlite.Stmt) { stmt.BindText(1, name) })
}

func findOrInsertActor(conn *sqlite.Conn, a eventstore.Actor) (int64, error) {
	return findOrInsert(conn,
		`SELECT id FROM actor WHERE actor = ?1 AND role = ?2 AND on_behalf_of = ?3`,
		`INSERT INTO actor (actor, role, on_behalf_of) VALUES (?1, ?2, ?3)`,
		func(stmt *sqlite.Stmt) {
			stmt.BindText(1, a.ID)
			stmt.BindText(2, a.Role)
			stmt.BindText(3, a.OnBehalfOf)
		})
}

// row is what an event's row holds besides the event.
type row struct {
	mark
	head
	stream eventstore.Stream
	kind   int64
	actor  int64
}

func insertEvent(conn *sqlite.Conn, r row, e *eventstore.Proposed) error {
	stmt, err := conn.Prepare(`INSERT INTO event
		(position, stream, version, type, actor, at, checksum, ids, authority, data)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?10, ?7, ?8, ?9)`)
	if err != nil {
		return err
	}
	var ids [idsBoth]byte
	stmt.BindInt64(1, r.position)
	stmt.BindInt64(2, r.id)
	stmt.BindInt64(3, integer(r.version))
	stmt.BindInt64(4, r.kind)
	stmt.BindInt64(5, r.actor)
	stmt.BindInt64(6, r.at)
	stmt.BindBytes(7, packIDs(&ids, e))
	if e.Metadata.Authority != "" {
		stmt.BindText(8, e.Metadata.Authority)
	}
	stmt.BindBytes(9, e.Data)
	stmt.BindInt64(10, checksum(&eventstore.Recorded{
		Proposed: *e, Stream: r.stream, Version: r.version, Position: positionAt(r.position), At: time.UnixMicro(r.at),
	}))
	_, err = stmt.Step()
	return err
}

// Lengths of the ids of an event: with its own and its command's, and with all four.
const (
	idsOwn  = 2 * len(uuid.UUID{})
	idsBoth = 4 * len(uuid.UUID{})
)

func packIDs(buf *[idsBoth]byte, e *eventstore.Proposed) []byte {
	m := &e.Metadata
	ids := append(append(buf[:0], e.ID[:]...), m.Command[:]...)
	if m.Correlation == m.Command && m.Causation == m.Command {
		return ids
	}
	return append(append(ids, m.Correlation[:]...), m.Causation[:]...)
}

func unpackIDs(ids []byte, e *eventstore.Proposed) {
	m := &e.Metadata
	copy(e.ID[:], ids[0:16])
	copy(m.Command[:], ids[16:32])
	m.Correlation, m.Causation = m.Command, m.Command
	if len(ids) == idsBoth {
		copy(m.Correlation[:], ids[32:48])
		copy(m.Causation[:], ids[48:64])
	}
}

// one runs a query that answers at most one row.
func one(conn *sqlite.Conn, query string, bind, scan func(*sqlite.Stmt)) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	bind(stmt)
	found, err := stmt.Step()
	if err != nil {
		return err
	}
	if found {
		scan(stmt)
	}
	return stmt.Reset()
}

func insert(conn *sqlite.Conn, query string, bind func(*sqlite.Stmt)) (int64, error) {
	if err := one(conn, query, bind, func(*sqlite.Stmt) {}); err != nil {
		return 0, err
	}
	return conn.LastInsertRowID(), nil
}

func findOrInsert(conn *sqlite.Conn, find, add string, bind func(*sqlite.Stmt)) (id int64, err error) {
	err = one(conn, find, bind, func(stmt *sqlite.Stmt) { id = stmt.ColumnInt64(0) })
	if err != nil || id != 0 {
		return id, err
	}
	return insert(conn, add, bind)
}

// integer and version translate what SQLite keeps as 64 signed bits. A version counts rows.

func integer(v eventstore.Version) int64 { return int64(min(v, 1<<62)) }

func version(n int64) eventstore.Version { return eventstore.Version(n) } //nolint:gosec // counts rows
