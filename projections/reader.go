package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rentbook/eventstore"
	"rentbook/projections/database"
)

// Reader answers from one snapshot of all views. It is for one goroutine, and good until the
// function it was given to returns; so are the lines of its statements. What needs a view that has
// stopped answers ErrStopped.
type Reader struct {
	ctx   context.Context //nolint:containedctx // a Reader is a call in progress, and lives no longer
	views *Views
	log   eventstore.Log
	tx    database.Snapshot
	seen  int64 // the lowest position of the views that run
	now   KnownAt
}

// Read shows f one consistent snapshot of all views. It keeps the write-ahead log from shrinking:
// f should not wait for anybody.
func (v *Views) Read(ctx context.Context, f func(*Reader) error) error {
	return v.db.Read(ctx, func(tx database.Snapshot) error {
		r := &Reader{ctx: ctx, views: v, log: v.config.Log, tx: tx}
		if err := r.locate(); err != nil {
			return err
		}
		return f(r)
	})
}

func (r *Reader) locate() error {
	points, err := r.views.points(r.tx.Query)
	if err != nil {
		return fmt.Errorf("read views: %w", err)
	}
	r.seen, r.tx = lowest(points), guard(r.tx, points)
	r.now, err = r.at(r.seen)
	if errors.Is(err, ErrStopped) {
		r.now, err = KnownAt{Position: r.Position()}, nil
	}
	return err
}

// guarded is a snapshot that refuses questions to views that have stopped: what their tables say is
// old.
type guarded struct {
	database.Snapshot

	stopped []stoppedView
}

type stoppedView struct {
	checkpoint

	tables []string // as queries name them
}

func guard(tx database.Snapshot, points map[string]checkpoint) database.Snapshot {
	g := guarded{Snapshot: tx}
	for _, c := range points {
		if c.stopped() {
			g.stopped = append(g.stopped, stoppedView{c, tablesOf(c.view)})
		}
	}
	if g.stopped == nil {
		return tx
	}
	return g
}

func tablesOf(view string) []string {
	var tables []string
	for _, v := range newViews() {
		if v.Name() != view {
			continue
		}
		for _, table := range v.Tables() {
			tables = append(tables, "{"+table+"}")
		}
	}
	return tables
}

func (g guarded) Query(query string, each func(database.Row) error, args ...database.Value) error {
	for _, s := range g.stopped {
		if slices.ContainsFunc(s.tables, func(table string) bool { return strings.Contains(query, table) }) {
			return s.refusal()
		}
	}
	return g.Snapshot.Query(query, each, args...)
}

// Position is what the snapshot has seen: every view that runs all events up to it.
func (r *Reader) Position() eventstore.Position { return position(r.seen) }

// Now is the position of the last event seen, and its time, which is zero while the audit is
// stopped.
func (r *Reader) Now() KnownAt { return r.now }

// At is the last event at or before a position; ErrBeyond if the snapshot has not seen that far.
func (r *Reader) At(p eventstore.Position) (KnownAt, error) {
	if number(p) > r.seen {
		return KnownAt{}, fmt.Errorf("position %s: %w", p, ErrBeyond)
	}
	return r.at(number(p))
}

func (r *Reader) at(n int64) (KnownAt, error) {
	k, err := one(r, knownAt, `SELECT position, recorded_at FROM {audit_events}
		WHERE position <= $1 ORDER BY position DESC LIMIT 1`, database.Int(n))
	if errors.Is(err, ErrNotFound) {
		return KnownAt{}, nil // before the first event
	}
	return k, err
}

func knownAt(row database.Row) KnownAt {
	return KnownAt{Position: position(row.Int(0)), Time: row.Time(1)}
}

// one is the only row of an answer; ErrNotFound if there is none.
func one[T any](r *Reader, scan func(database.Row) T, query string, args ...database.Value) (T, error) {
	var found T
	err := ErrNotFound
	failed := r.tx.Query(query, func(row database.Row) error {
		found, err = scan(row), nil
		return nil
	}, args...)
	if failed != nil {
		return found, fmt.Errorf("read views: %w", failed)
	}
	return found, err
}

// all are the rows of an answer.
func all[T any](r *Reader, scan func(database.Row) T, query string, args ...database.Value) ([]T, error) {
	var found []T
	err := r.tx.Query(query, func(row database.Row) error {
		found = append(found, scan(row))
		return nil
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("read views: %w", err)
	}
	return found, nil
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }

// sourceMax bounds how long a log that is away keeps a snapshot open.
const sourceMax = 2 * time.Second

// source reads the event at a position from the log.
func (r *Reader) source(at eventstore.Position) (Source, error) {
	before, err := r.at(number(at) - 1)
	if err != nil {
		return Source{}, err
	}
	ctx, cancel := context.WithTimeout(r.ctx, sourceMax)
	defer cancel()
	for e, err := range eventstore.ReadTo(ctx, r.log, before.Position, at) {
		if err != nil && ctx.Err() != nil && r.ctx.Err() == nil {
			return Source{}, fmt.Errorf("read the source event: %w", eventstore.ErrUnavailable)
		}
		if err != nil {
			return Source{}, fmt.Errorf("read the source event: %w", err)
		}
		if e.Position == at {
			return Source{
				Position: at, Stream: e.Stream, Version: uint64(e.Version), ID: e.ID.String(), Type: e.Type, Actor: e.Metadata.Actor,
			}, nil
		}
	}
	return Source{}, fmt.Errorf("the event at %s: %w", at, ErrNotFound)
}
