// Package projections is what was recorded, arranged for reading: the views.
//
// A view is some tables, what events put into them, and the questions they answer, each in a file
// of its own: tenancies, accounts, statement (entries.go, statement.go), explanations, audit. A
// runner follows the log and gives every event, decoded once, to all views in one transaction that
// also holds their checkpoints (runner.go); an event that a view cannot take stops that view and no
// other. A rebuild fills new tables beside the live ones and puts them in place at once.
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

	"rentbook/eventstore"
	"rentbook/projections/database"
	"rentbook/projections/sqlite"
)

// Sentinels.
var (
	// ErrNotFound is something that no event tells of.
	ErrNotFound = errors.New("there is no such thing")
	// ErrBehind is a wait that ended before the views had seen what was asked for.
	ErrBehind = errors.New("the views are behind the log")
	// ErrStopped is a question to a view that could not take an event, until it has caught up.
	ErrStopped = fmt.Errorf("it answers nothing until it has caught up: %w", ErrBehind)
	// ErrBeyond is a point of the log that the snapshot has not reached.
	ErrBeyond = errors.New("it lies beyond what has been recorded")
)

// Config is what views work with.
type Config struct {
	Dir     string // data directory: views.db and views.lock are in it
	Log     eventstore.Log
	Codec   *eventstore.Codec
	LogID   string                // eventstore.Identity.Log: views of another log are refused
	Logger  *slog.Logger          // nobody hears if nil
	Metrics prometheus.Registerer // may be nil
}

// Views are all views of one data directory. They are safe for concurrent use.
type Views struct {
	config  Config
	db      database.Database
	writing *hold // whoever writes the live tables
	apart   apart
	news    news
	awaited awaited
	seen    atomic.Int64 // what all views that run have seen, as far as this process knows
	pause   backOff
	views   func() []View // fresh ones; tests put faults between
	metrics *metrics
}

// Open opens the views of a directory, and makes them if they are not there. Views of another log,
// or ahead of this one's head, are refused.
func Open(ctx context.Context, c Config) (_ *Views, err error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	db, err := sqlite.Open(c.Dir, schema)
	if err != nil {
		return nil, fmt.Errorf("open views: %w; views can always be rebuilt: move views.db away and start again", err)
	}
	v := &Views{config: c, db: db, pause: backOffDefault(), views: newViews, apart: newApart()}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.Close())
		}
	}()
	lock, err := db.Lock("views.lock")
	if err != nil {
		return nil, err
	}
	v.writing = newHold(lock)
	head, err := c.Log.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("open views: %w", err)
	}
	if err := db.Write(ctx, func(tx database.Tx) error { return v.prepare(tx, number(head)) }); err != nil {
		return nil, err
	}
	return v, v.register()
}

// prepare checks whose views these are and makes the tables of new ones.
func (v *Views) prepare(tx database.Tx, head int64) error {
	if err := v.identify(tx); err != nil {
		return err
	}
	points, err := checkpoints(tx)
	if err != nil {
		return err
	}
	for _, view := range v.views() {
		c, known := points[view.Name()]
		switch {
		case !known:
			err = create(tx, view)
		case c.position > head:
			err = fmt.Errorf("the views have seen the log up to %d, it ends at %d: the log is older than its views; "+
				"put back the newer log, or move views.db away to rebuild them from this one", c.position, head)
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
		return fmt.Errorf("the views are of log %s, this is log %s: %w; move views.db away to rebuild them from this log",
			known, v.config.LogID, eventstore.ErrForeign)
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
	for _, table := range view.Tables() {
		if err := rename(tx, beside(table, first), table); err != nil {
			return err
		}
	}
	return tx.Exec(`INSERT INTO checkpoints (view, position, generation) VALUES ($1, 0, $2)`,
		database.Text(view.Name()), database.Int(first))
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
// context ended, ErrStopped views that have all stopped.
func (v *Views) WaitFor(ctx context.Context, p eventstore.Position) error {
	if v.seen.Load() >= number(p) {
		return nil
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
				if v.seen.Load() >= number(p) {
					return nil
				}
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

func (v *Views) checkpoints(ctx context.Context) (points map[string]checkpoint, err error) {
	err = v.db.Read(ctx, func(tx database.Snapshot) (err error) {
		points, err = checkpoints(tx)
		return err
	})
	return points, err
}
