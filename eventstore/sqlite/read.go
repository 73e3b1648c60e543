package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"rentbook/eventstore"
)

// Bounds of a page: the events read in one go, their bytes, and the rows looked at when most of them
// belong to other streams.
const (
	pageEventsMin = 16 // the first page of a stream: often one event is all that is wanted
	pageEventsMax = 512
	pageBytesMax  = 1 << 20
	pageRowsMax   = 16 << 10
)

// page is what one short read of the log brought, and what the next one can use of it.
type page struct {
	events []eventstore.Recorded
	bytes  int
	rows   int
	most   int   // how many events it may have
	last   int64 // the position of the last row looked at
	full   bool  // there may be more

	types  memo[string]
	actors memo[eventstore.Actor]
}

func (p *page) reset() {
	clear(p.events)
	p.events, p.bytes, p.rows, p.full = p.events[:0], 0, 0, false
}

func (p *page) complete() bool {
	return len(p.events) == p.most || p.bytes >= pageBytesMax || p.rows == pageRowsMax
}

// Read yields the events of a stream after a version, a page at a time; no connection is held while
// the caller works.
func (l *Log) Read(
	ctx context.Context, s eventstore.Stream, after eventstore.Version,
) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		p := page{most: pageEventsMin}
		for {
			err := l.view(ctx, func(conn *sqlite.Conn) error { return l.readStream(conn, &p, s, after) })
			if !deliver(ctx, &p, err, yield) || !p.full {
				return
			}
			after = p.events[len(p.events)-1].Version
			p.most = min(8*p.most, pageEventsMax)
		}
	}
}

// deliver yields a page, then the error that came after it, and says whether to go on.
func deliver(ctx context.Context, p *page, err error, yield func(eventstore.Recorded, error) bool) bool {
	for i := range p.events {
		if ended := ctx.Err(); ended != nil {
			err = ended
			break
		}
		if !yield(p.events[i], nil) {
			return false
		}
	}
	if err != nil {
		yield(eventstore.Recorded{}, err)
	}
	return err == nil
}

// Head is the position of the last event.
func (l *Log) Head(ctx context.Context) (eventstore.Position, error) {
	var last mark
	err := l.view(ctx, func(conn *sqlite.Conn) (err error) {
		last, err = findLast(conn)
		return err
	})
	return positionAt(last.position), err
}

// view lends a connection for one short read.
func (l *Log) view(ctx context.Context, read func(*sqlite.Conn) error) error {
	if err := context.Cause(l.life); err != nil {
		return err
	}
	conn, err := l.readers.Take(ctx)
	if err != nil {
		return l.explain(ctx, err)
	}
	defer l.readers.Put(conn)
	return l.explain(ctx, read(conn))
}

// explain says that a read was cut short by its context, or by the end of the log, where SQLite only
// knows that it was interrupted.
func (l *Log) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := cmp.Or(ctx.Err(), context.Cause(l.life)); cause != nil {
		return fmt.Errorf("read the log: %w", cause)
	}
	return fmt.Errorf("read the log: %w", l.judge(err))
}

const columns = `position, stream, version, type, actor, at, ids, authority, data, checksum`

func (l *Log) readStream(conn *sqlite.Conn, p *page, s eventstore.Stream, after eventstore.Version) error {
	stmt, err := conn.Prepare(`SELECT ` + columns + ` FROM event
		WHERE stream = (SELECT id FROM stream WHERE name = ?1) AND version > ?2 ORDER BY version`)
	if err != nil {
		return err
	}
	stmt.BindText(1, string(s))
	stmt.BindInt64(2, integer(after))
	only := func(int64) (eventstore.Stream, bool, error) { return s, true, nil }
	if err := (reader{conn, stmt, l.names, only}).fill(p); err != nil {
		return err
	}
	for i := range p.events {
		if after++; p.events[i].Version != after {
			return fmt.Errorf("the log is damaged: version %d of %s is not there", after, s)
		}
	}
	return nil
}

func (l *Log) readAll(conn *sqlite.Conn, p *page, known streams, prefixes []string) error {
	stmt, err := conn.Prepare(`SELECT ` + columns + ` FROM event WHERE position > ?1 ORDER BY position`)
	if err != nil {
		return err
	}
	stmt.BindInt64(1, p.last)
	matching := func(id int64) (eventstore.Stream, bool, error) {
		s, err := known.name(conn, id)
		return s, wanted(s, prefixes), err
	}
	before := p.last
	if err := (reader{conn, stmt, l.names, matching}).fill(p); err != nil {
		return err
	}
	if gap := p.last - before - int64(p.rows); gap != 0 {
		return fmt.Errorf("the log is damaged: between positions %d and %d, %d events are not there", before, p.last, gap)
	}
	return nil
}

func wanted(s eventstore.Stream, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(string(s), prefix) {
			return true
		}
	}
	return len(prefixes) == 0
}

// reader steps through rows of events. Its stream says which stream a number means, and whether its
// events are wanted.
type reader struct {
	conn   *sqlite.Conn
	stmt   *sqlite.Stmt
	names  *names
	stream func(id int64) (s eventstore.Stream, wanted bool, err error)
}

// fill takes rows until the page is complete or there are no more.
func (r reader) fill(p *page) error {
	p.reset()
	for !p.complete() {
		found, err := r.stmt.Step()
		if err != nil {
			return err
		}
		if !found {
			return r.stmt.Reset()
		}
		if err := r.take(p); err != nil {
			return errors.Join(err, r.stmt.Reset())
		}
	}
	p.full = true
	return r.stmt.Reset()
}

// take reads a row; of one that is not wanted nothing but its stream.
func (r reader) take(p *page) error {
	p.rows++
	p.last = r.stmt.ColumnInt64(0)
	s, wanted, err := r.stream(r.stmt.ColumnInt64(1))
	if err != nil || !wanted {
		return err
	}
	p.events = append(p.events, eventstore.Recorded{Stream: s, Position: positionAt(p.last)})
	return r.scan(p, &p.events[len(p.events)-1])
}

func (r reader) scan(p *page, e *eventstore.Recorded) (err error) {
	e.Version = version(r.stmt.ColumnInt64(2))
	if e.Type, err = p.types.get(r.conn, r.stmt.ColumnInt64(3), r.names.kind); err != nil {
		return err
	}
	if e.Metadata.Actor, err = p.actors.get(r.conn, r.stmt.ColumnInt64(4), r.names.actor); err != nil {
		return err
	}
	e.At = time.UnixMicro(r.stmt.ColumnInt64(5)).UTC()
	var ids [idsBoth]byte
	unpackIDs(ids[:r.stmt.ColumnBytes(6, ids[:])], &e.Proposed)
	if r.stmt.ColumnLen(7) > 0 {
		e.Metadata.Authority = r.stmt.ColumnText(7)
	}
	e.Data = make([]byte, r.stmt.ColumnLen(8))
	p.bytes += r.stmt.ColumnBytes(8, e.Data)
	return sound(e, r.stmt.ColumnInt64(9))
}
