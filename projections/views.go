// Package projections is what was recorded, arranged for reading: the views.
//
// A view is some tables, what events put into them, and the questions they answer, each in a file
// of its own: tenancies, accounts, statement (entries.go, statement.go), explanations, contractors,
// repairs (repairs.go, repair_*.go), hazards (hazards.go, hazard_*.go), audit. A runner follows the
// log and gives every event, decoded once, to all views in one transaction that also holds their
// checkpoints (runner.go); an event that a view cannot take stops that view and no other. A rebuild
// fills new tables beside the live ones and puts them in place at once.
//
// The views can be thrown away at any time: everything in them comes from the log.
//
// The one rule: a view shows all of what the log says up to its checkpoint, or nothing.
package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rentbook/domain/hazard"
	"rentbook/domain/repair"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// Sentinels.
var (
	// ErrNotFound is something that no event tells of.
	ErrNotFound = errors.New("there is no such thing")
	// ErrBehind is a wait that ended before the views had seen what was asked for.
	ErrBehind = errors.New("the views are behind the log")
	// ErrStopped is a question to a view that could not take an event, until it has caught up.
	ErrStopped = fmt.Errorf("it answers nothing until it has caught up: %w", ErrBehind)
	// ErrUnavailable is a database that cannot answer now.
	ErrUnavailable = database.ErrUnavailable
	// ErrBeyond is a point of the log that the snapshot has not reached.
	ErrBeyond = errors.New("it lies beyond what has been recorded")
)

// Config is what views work with.
type Config struct {
	Database database.Database // of the views alone, and closed with them
	Log      eventstore.Log
	Codec    *eventstore.Codec
	LogID    string // names the log and the place of its positions: views of another one are refused
	// Rising says that the log's recorded times strictly rise, and Verify is to hold it to that.
	Rising  bool
	Logger  *slog.Logger          // nobody hears if nil
	Metrics prometheus.Registerer // may be nil
}

// Views are all views of one log. They are safe for concurrent use.
type Views struct {
	config  Config
	db      database.Database
	writing *hold // whoever writes the live tables
	apart   apart
	news    news
	awaited awaited
	seen    atomic.Int64 // what this process last knew the views that run to have seen; now it may be less
	pause   backOff
	bulk    int           // events in a batch of a rebuild
	views   func() []View // fresh ones; tests put faults between
	shapes  map[string]string
	metrics *metrics

	repairs snapshots[repair.Repair]
	hazards snapshots[hazard.Hazard]
}

// Open opens the views in a database, and makes them if they are not there. Views of another log,
// or ahead of this one's head, are refused. The database is closed if it fails.
func Open(ctx context.Context, c Config) (_ *Views, err error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	v := &Views{
		config: c, db: c.Database, pause: backOffDefault(), bulk: rebuildEvents, views: newViews, apart: newApart(),
		shapes: map[string]string{},
	}
	for _, view := range newViews() {
		v.shapes[view.Name()] = shape(view)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.Close())
		}
	}()
	lock, err := v.db.Lock("views.lock")
	if err != nil {
		return nil, err
	}
	v.writing = newHold(lock)
	if err := v.prepareAll(ctx); err != nil {
		return nil, err
	}
	return v, v.register()
}

// prepareAll looks at the head of the log again when a view has seen more: while this waited for its turn,
// others have recorded and written.
func (v *Views) prepareAll(ctx context.Context) error {
	var ahead *aheadError
	for {
		head, err := v.config.Log.Head(ctx)
		if err != nil {
			return fmt.Errorf("open views: %w", err)
		}
		if ahead != nil && number(head) < ahead.position {
			ahead.head = number(head)
			return ahead
		}
		err = persist(ctx, prepareTries, func() error {
			return v.db.Write(ctx, func(tx database.Tx) error { return v.prepare(tx, number(head)) })
		})
		if ok := errors.As(err, &ahead); !ok {
			return err
		}
	}
}

// aheadError is views that have seen more than there is.
type aheadError struct{ position, head int64 }

func (e *aheadError) Error() string {
	return fmt.Sprintf("the views have seen the log up to %d, it ends at %d: the log is older than its views; "+
		"put back the newer log, or do away with the views (views.db, or their schemas in PostgreSQL): "+
		"they are built anew from this one", e.position, e.head)
}

// prepareTries are some five seconds: what is published can only be changed while nobody reads it.
const prepareTries = 9

// prepare checks whose views these are and makes the tables of new ones.
func (v *Views) prepare(tx database.Tx, head int64) error {
	if err := migrate(tx); err != nil {
		return err
	}
	if err := v.identify(tx); err != nil {
		return err
	}
	points, err := v.points(tx.Query)
	if err != nil {
		return err
	}
	for _, view := range v.views() {
		c, known := points[view.Name()]
		switch {
		case !known:
			err = create(tx, view)
		case c.position > head:
			err = &aheadError{c.position, head}
		case c.shape == v.shapes[view.Name()] && c.published != published(view):
			err = publish(tx, view)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *Views) identify(tx database.Tx) error {
	known := ""
	err := tx.Query(`SELECT log FROM identity`, func(r database.Row) error {
		known = r.Text(0)
		return nil
	})
	switch {
	case err != nil:
		return err
	case known == "":
		return tx.Exec(`INSERT INTO identity (log) VALUES ($1)`, database.Text(v.config.LogID))
	case known != v.config.LogID:
		return fmt.Errorf("the views are of log %s, this is log %s: %w; do away with the views (views.db, or their "+
			"schemas in PostgreSQL): they are built anew from this log", known, v.config.LogID, eventstore.ErrForeign)
	}
	return nil
}

// create makes a new view's tables as the first generation, so that all are made the same way.
func create(tx database.Tx, view View) error {
	const first = 1
	for _, statement := range view.Schema() {
		if err := tx.Beside(first).Exec(statement); err != nil {
			return fmt.Errorf("create view %s: %w", view.Name(), err)
		}
	}
	var renames []database.Renaming
	for _, table := range view.Tables() {
		renames = append(renames, database.Renaming{From: beside(table, first), To: table})
	}
	if err := tx.Rename(renames...); err != nil {
		return err
	}
	err := tx.Exec(`INSERT INTO checkpoints (view, position, generation, shape, tables, published)
		VALUES ($1, 0, $2, $3, $4, '')`, database.Text(view.Name()), database.Int(first), database.Text(shape(view)), tablesValue(view))
	if err != nil {
		return err
	}
	return publish(tx, view)
}

// Close ends everything. Run, CatchUp and Rebuild have ended before.
func (v *Views) Close() error {
	v.unregister()
	var err error
	if v.writing != nil {
		err = v.writing.close()
	}
	return errors.Join(err, v.db.Close())
}

// pollEvery is how often to look for what another process has written, or whether it has ended.
const pollEvery = 20 * time.Millisecond

// WaitFor waits until every view that runs has seen the event at p. ErrBehind is a wait that the
// context ended, ErrStopped views that have all stopped. It asks the database even for what this
// process has written: a server that crashed may have come back with less.
func (v *Views) WaitFor(ctx context.Context, p eventstore.Position) error {
	if done, err := v.look(ctx, number(p)); done || err != nil {
		return err
	}
	v.awaited.begin()
	defer v.awaited.end()
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	for {
		news := v.news.next() // before looking: what comes in between is not missed
		if done, err := v.look(ctx, number(p)); done || err != nil {
			return err
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return fmt.Errorf("%w: %w", ErrBehind, ctx.Err())
			case <-ticks.C:
				waiting = false
			case <-news:
				waiting = v.seen.Load() < number(p)
				news = v.news.next()
			}
		}
	}
}

// look asks the database, where other processes write too.
func (v *Views) look(ctx context.Context, want int64) (done bool, err error) {
	points, err := v.checkpoints(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return false, fmt.Errorf("%w: %w", ErrBehind, err)
		}
		return false, err
	}
	if lowest(points) >= want {
		return true, nil
	}
	return false, stoppedAll(points)
}

// checkpoints are those of now. However many read the views, it is not kept waiting.
func (v *Views) checkpoints(ctx context.Context) (map[string]checkpoint, error) {
	return v.points(func(query string, each func(database.Row) error, args ...database.Value) error {
		return v.db.Ask(ctx, query, each, args...)
	})
}
