package sqlite

import (
	"fmt"

	lru "github.com/hashicorp/golang-lru/v2"
	"zombiezen.com/go/sqlite"

	"rentbook/eventstore"
)

// names remembers what the numbers in an event's row mean, for all readers. Committed numbers never
// change their meaning, so nothing here ever grows stale; it is only bounded.
type names struct {
	types  *lru.Cache[int64, string]
	actors *lru.Cache[int64, eventstore.Actor]
}

func newNames() *names {
	return &names{types: newCache[string](typesKept), actors: newCache[eventstore.Actor](actorsKept)}
}

func newCache[V any](size int) *lru.Cache[int64, V] {
	cache, err := lru.New[int64, V](size)
	if err != nil {
		panic(err) // a size of zero
	}
	return cache
}

func (n *names) kind(conn *sqlite.Conn, id int64) (string, error) {
	if name, ok := n.types.Get(id); ok {
		return name, nil
	}
	name, err := lookUp(conn, `SELECT name FROM type WHERE id = ?1`, id,
		func(stmt *sqlite.Stmt) string { return stmt.ColumnText(0) })
	if err == nil {
		n.types.Add(id, name)
	}
	return name, err
}

func (n *names) actor(conn *sqlite.Conn, id int64) (eventstore.Actor, error) {
	if actor, ok := n.actors.Get(id); ok {
		return actor, nil
	}
	actor, err := lookUp(conn, `SELECT actor, role, on_behalf_of FROM actor WHERE id = ?1`, id,
		func(stmt *sqlite.Stmt) eventstore.Actor {
			return eventstore.Actor{
				ID:         stmt.ColumnText(0),
				Role:       stmt.ColumnText(1),
				OnBehalfOf: stmt.ColumnText(2),
			}
		})
	if err == nil {
		n.actors.Add(id, actor)
	}
	return actor, err
}

// streams remembers the names of streams for one follower: a map of its own, because a whole log is
// read through it and a shared one would cost as much as the reading. It starts over when it is full.
type streams map[int64]eventstore.Stream

func (known streams) name(conn *sqlite.Conn, id int64) (eventstore.Stream, error) {
	if s, ok := known[id]; ok {
		return s, nil
	}
	s, err := lookUp(conn, `SELECT name FROM stream WHERE id = ?1`, id,
		func(stmt *sqlite.Stmt) eventstore.Stream { return eventstore.Stream(stmt.ColumnText(0)) })
	if err != nil {
		return "", err
	}
	if len(known) >= streamsKept {
		clear(known)
	}
	known[id] = s
	return s, nil
}

// memo remembers a few names for one loop, without a lock. Neighbours in a log have much in common.
type memo[V any] [16]struct {
	id    int64
	value V
}

func (m *memo[V]) get(
	conn *sqlite.Conn, id int64, find func(*sqlite.Conn, int64) (V, error),
) (_ V, err error) {
	e := &m[id%int64(len(m))]
	if e.id == id {
		return e.value, nil
	}
	e.id = 0 // numbers count from one
	if e.value, err = find(conn, id); err == nil {
		e.id = id
	}
	return e.value, err
}

func lookUp[V any](conn *sqlite.Conn, query string, id int64, scan func(*sqlite.Stmt) V) (V, error) {
	var value V
	found := false
	err := one(conn, query,
		func(stmt *sqlite.Stmt) { stmt.BindInt64(1, id) },
		func(stmt *sqlite.Stmt) { value, found = scan(stmt), true })
	if err == nil && !found {
		err = fmt.Errorf("the log is damaged: number %d, which an event names, is not there (%s)", id, query)
	}
	return value, err
}
