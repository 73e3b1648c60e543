package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite/sqlitefile"
)

// Bounds of what the writer remembers; a stream is about 200 bytes.
const (
	streamsKept = 64 << 10
	typesKept   = 1 << 10
	actorsKept  = 16 << 10
)

// writer is the one goroutine of a process that appends. What it remembers of the log (the head of
// each stream, the numbers of names, the last position and time) holds only until another process
// has committed or a transaction of its own was undone.
//
// Between two requests nobody touches its connection.
type writer struct {
	log      *Log
	conn     *sqlite.Conn
	commit   func() error
	finished chan struct{} // closed when the queue is closed and empty
	took     time.Duration // the last commit, sync included

	seen    int64 // PRAGMA data_version: changes when somebody else has committed
	last    mark
	streams kept[eventstore.Stream, head]
	types   kept[string, int64]
	actors  kept[eventstore.Actor, int64]
}

// mark is where the log ends.
type mark struct {
	known    bool
	position int64
	at       int64 // microseconds
}

// head is where a stream ends; the id is zero while it has no event.
type head struct {
	id      int64
	version eventstore.Version
}

func newWriter(l *Log, conn *sqlite.Conn) *writer {
	w := &writer{
		log:      l,
		conn:     conn,
		commit:   func() error { return sqlitefile.Exec(conn, "COMMIT") },
		finished: make(chan struct{}),
	}
	w.forget()
	return w
}

// forget drops whatever may no longer be so.
func (w *writer) forget() {
	w.last = mark{}
	w.streams = keep[eventstore.Stream, head](streamsKept)
	w.types = keep[string, int64](typesKept)
	w.actors = keep[eventstore.Actor, int64](actorsKept)
}

func (w *writer) run() {
	defer close(w.finished)
	var batch []*request
	for {
		batch = w.log.queue.take(batch[:0])
		if len(batch) == 0 {
			return
		}
		w.answer(batch, w.transact(batch))
		w.log.queue.gather(len(batch), w.took)
		clear(batch)
	}
}

func (w *writer) answer(batch []*request, err error) {
	for _, r := range batch {
		if err != nil {
			r.outcomes = r.failed(err)
		}
		close(r.answered)
	}
}

// transact carries out a batch in one transaction, with one sync for all. A request that is refused
// or repeated writes nothing and leaves the others alone; an error of the storage undoes them all.
func (w *writer) transact(batch []*request) error {
	if err := context.Cause(w.log.life); err != nil {
		return err
	}
	if err := w.log.checkpoints.finish(w.conn); err != nil {
		return w.log.judge(err)
	}
	if err := w.begin(); err != nil {
		return w.undo(err)
	}
	before := w.last.position
	if err := w.record(batch); err != nil {
		return w.undo(err)
	}
	if w.last.position == before {
		return w.undo(nil)
	}
	began := w.log.options.Now()
	w.log.options.BeforeSync()
	if err := w.commit(); err != nil {
		return w.undo(fmt.Errorf("commit: %w", err))
	}
	w.took = w.log.options.Now().Sub(began)
	w.log.news.announce()
	w.log.checkpoints.wrote(w.last.position - before)
	return nil
}

// begin takes the write lock of all processes, and only then asks whether another one has written:
// from here to the commit nobody can.
func (w *writer) begin() error {
	if err := sqlitefile.Exec(w.conn, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	seen, err := sqlitefile.Int(w.conn, "PRAGMA data_version")
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if seen != w.seen {
		w.forget()
		w.seen = seen
	}
	if w.last.known {
		return nil
	}
	w.last, err = findLast(w.conn)
	return err
}

// undo ends the transaction without a trace, and answers what its failure means.
func (w *writer) undo(err error) error {
	if !w.conn.AutocommitEnabled() { // SQLite may have undone it already
		err = errors.Join(err, sqlitefile.Exec(w.conn, "ROLLBACK"))
	}
	if err == nil {
		return nil
	}
	w.forget()
	return w.log.judge(err)
}

func (w *writer) record(batch []*request) error {
	now := w.log.options.Now().UnixMicro()
	for _, r := range batch {
		if err := w.recordEach(r, now); err != nil {
			return fmt.Errorf("record: %w", err)
		}
	}
	return nil
}

// recordEach passes over what was refused before, and what comes behind one on its stream that did not write.
func (w *writer) recordEach(r *request, now int64) (err error) {
	r.outcomes = make([]eventstore.Outcome, len(r.appends))
	behind := failures{}
	for i, a := range r.appends {
		outcome := eventstore.Outcome{Err: cmp.Or(r.refused[i], behind.refuse(a.Stream))}
		if outcome.Err == nil {
			if outcome, err = w.append(a, now); err != nil {
				return err
			}
		}
		behind.add(a.Stream, outcome)
		r.outcomes[i] = outcome
	}
	return nil
}

// append answers an outcome of its own, or an error that ends the whole transaction.
func (w *writer) append(a eventstore.Append, now int64) (eventstore.Outcome, error) {
	h, err := w.head(a.Stream)
	if err != nil {
		return eventstore.Outcome{}, err
	}
	if h.version == a.After {
		return w.insert(h, a, now)
	}
	commit, repeated, err := findRepeat(w.conn, h, a)
	if err != nil || repeated {
		return eventstore.Outcome{Commit: commit}, err
	}
	conflict := &eventstore.ConflictError{Stream: a.Stream, Want: a.After, Got: h.version}
	return eventstore.Outcome{Err: conflict}, nil
}

func (w *writer) head(s eventstore.Stream) (head, error) {
	if h, ok := w.streams.get(s); ok {
		return h, nil
	}
	return findHead(w.conn, s)
}

func (w *writer) insert(h head, a eventstore.Append, now int64) (_ eventstore.Outcome, err error) {
	if h.id == 0 {
		if h.id, err = insertStream(w.conn, a.Stream); err != nil {
			return eventstore.Outcome{}, err
		}
	}
	for i := range a.Events {
		h.version++
		// Recorded times strictly rise, whatever the clocks of the machine or of its processes do.
		w.last.position, w.last.at = w.last.position+1, max(now, w.last.at+1)
		if err := w.insertEvent(h, a.Stream, &a.Events[i]); err != nil {
			return eventstore.Outcome{}, err
		}
	}
	w.streams.put(a.Stream, h)
	return eventstore.Outcome{Commit: commitAt(h.version, w.last.position)}, nil
}

func (w *writer) insertEvent(h head, s eventstore.Stream, e *eventstore.Proposed) error {
	kind, err := w.typeOf(e.Type)
	if err != nil {
		return err
	}
	actor, err := w.actorOf(e.Metadata.Actor)
	if err != nil {
		return err
	}
	return insertEvent(w.conn, row{w.last, h, s, kind, actor}, e)
}

func (w *writer) typeOf(name string) (int64, error) {
	if id, ok := w.types.get(name); ok {
		return id, nil
	}
	id, err := findOrInsertType(w.conn, name)
	if err == nil {
		w.types.put(name, id)
	}
	return id, err
}

func (w *writer) actorOf(a eventstore.Actor) (int64, error) {
	if id, ok := w.actors.get(a); ok {
		return id, nil
	}
	id, err := findOrInsertActor(w.conn, a)
	if err == nil {
		w.actors.put(a, id)
	}
	return id, err
}

func commitAt(v eventstore.Version, position int64) eventstore.Commit {
	return eventstore.Commit{Version: v, Position: positionAt(position)}
}

//nolint:gosec // row ids are positive
func positionAt(rowID int64) eventstore.Position { return eventstore.PositionAt(uint64(rowID)) }
