package sqlite

import (
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"

	"rentbook/eventstore"
)

// names remembers what the numbers in an event's row mean, for all readers. Committed numbers never
// change their meaning, so nothing here ever grows stale; it is only bounded.
type names struct {
	mu     sync.Mutex
	types  kept[int64, string]
	actors kept[int64, eventstore.Actor]
}

func newNames() *names {
	return &names{types: keep[int64, string](typesKept), actors: keep[int64, eventstore.Actor](actorsKept)}
}

// kept remembers so many things and starts over when there are more: what is asked for comes back
// at the price of one look, and nothing is spent on knowing what was used last.
type kept[K comparable, V any] struct {
	values map[K]V
	most   int
}

func keep[K comparable, V any](most int) kept[K, V] { return kept[K, V]{values: map[K]V{}, most: most} }

func (k kept[K, V]) get(key K) (V, bool) {
	v, ok := k.values[key]
	return v, ok
}

func (k kept[K, V]) put(key K, v V) {
	if len(k.values) >= k.most {
		clear(k.values)
	}
	k.values[key] = v
}

// shared is get and put for several goroutines.
func shared[K comparable, V any](mu *sync.Mutex, k kept[K, V], key K, find func() (V, error)) (V, error) {
	mu.Lock()
	v, ok := k.get(key)
	mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := find()
	if err == nil {
		mu.Lock()
		k.put(key, v)
		mu.Unlock()
	}
	return v, err
}

func (n *names) kind(conn *sqlite.Conn, id int64) (string, error) {
	return shared(&n.mu, n.types, id, func() (string, error) {
		return lookUp(conn, `SELECT name FROM type WHERE id = ?1`, id,
			func(stmt *sqlite.Stmt) string { return stmt.ColumnText(0) })
	})
}

func (n *names) actor(conn *sqlite.Conn, id int64) (eventstore.Actor, error) {
	return shared(&n.mu, n.actors, id, func() (eventstore.Actor, error) {
		return lookUp(conn, `SELECT actor, role, on_behalf_of FROM actor WHERE id = ?1`, id,
			func(stmt *sqlite.Stmt) eventstore.Actor {
				return eventstore.Actor{
					ID:         stmt.ColumnText(0),
					Role:       stmt.ColumnText(1),
					OnBehalfOf: stmt.ColumnText(2),
				}
			})
	})
}

// streams remembers the names of streams for one follower: a map of its own, because a whole log is
// read through it and a shared one would cost as much as the reading. It starts over when it is full.
type streams struct {
	kept[int64, eventstore.Stream]
}

func (known streams) name(conn *sqlite.Conn, id int64) (eventstore.Stream, error) {
	if s, ok := known.get(id); ok {
		return s, nil
	}
	s, err := lookUp(conn, `SELECT name FROM stream WHERE id = ?1`, id,
		func(stmt *sqlite.Stmt) eventstore.Stream { return eventstore.Stream(stmt.ColumnText(0)) })
	if err != nil {
		return "", err
	}
	known.put(id, s)
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
