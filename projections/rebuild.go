package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rentbook/projections/database"
)

const (
	// rebuildEvents bounds a batch of a rebuild: large, since rows sorted by key are written much
	// faster the more there are of each account; some 50 MB with the batch read ahead.
	rebuildEvents = 15_000

	// breather is how long a rebuild leaves the database to others after each transaction. A writer
	// in another process asks for SQLite's lock every millisecond.
	breather = 3 * time.Millisecond

	// switchEvents bounds what the last transaction applies before it puts the new tables in place, and
	// restMax how long it waits to read that: it keeps all writers out.
	switchEvents = 500
	restMax      = 3 * time.Second
)

// Rebuild fills new tables for the views named (all if none is) from the log, beside the live ones
// and beside whoever writes those, and puts them in place at once. progress may be nil; it hears of
// events. A rebuild that ends early leaves the live tables as they were; the next one clears up
// after it. One rebuild runs at a time.
func (v *Views) Rebuild(ctx context.Context, progress func(done, total uint64), names ...string) (err error) {
	views, err := v.named(names)
	if err != nil {
		return err
	}
	lock, err := v.db.Lock("views.rebuild.lock")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := v.mustHold(ctx, lock, "the views are being rebuilt already: wait for that to end"); err != nil {
		return err
	}
	w, release, err := v.db.Build(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	r := rebuild{Views: v, writer: w, appliers: appliers(views), progress: progress}
	if r.progress == nil {
		r.progress = func(uint64, uint64) {}
	}
	return r.run(ctx)
}

// mustHold takes a lock, or says that somebody has it. A database that is not there has no say in that.
func (v *Views) mustHold(ctx context.Context, lock database.Lock, held string) error {
	ok, err := lock.Try(ctx)
	if ok || err != nil {
		return err
	}
	if _, err := v.checkpoints(ctx); err != nil {
		return err
	}
	return errors.New(held)
}

func (v *Views) named(names []string) ([]View, error) {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			return nil, fmt.Errorf("there is no view %q: want some of %s", name, strings.Join(Names(), ", "))
		}
	}
	return slices.DeleteFunc(v.views(), func(view View) bool {
		return len(names) > 0 && !slices.Contains(names, view.Name())
	}), nil
}

// rebuild is one under way. All its views are at the same position.
type rebuild struct {
	*Views

	writer     database.Writer
	appliers   []*applier
	generation int64
	position   int64
	progress   func(done, total uint64)
	crowded    bool // somebody writes the live tables
}

func (r *rebuild) run(ctx context.Context) error {
	if err := r.discardLater(ctx); err != nil {
		return err
	}
	if err := r.persist(ctx, func() error { return r.begin(ctx) }); err != nil {
		return err
	}
	if err := r.lookAround(ctx); err != nil {
		return err
	}
	for {
		if err := r.fillOn(ctx); err != nil {
			return err
		}
		placed := false
		err := persist(ctx, placeTries, func() (err error) {
			placed, err = r.place(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if placed {
			return r.discardLater(ctx)
		}
	}
}

// placeTries are some ten minutes: a report or a backup that is being read keeps the names of tables as they
// are, and what was filled is too good to be thrown away for it.
const placeTries = 300

// lookAround finds out whether somebody writes the live tables.
func (r *rebuild) lookAround(ctx context.Context) error {
	free, err := r.writing.try(ctx)
	if free {
		err = r.writing.release()
	}
	r.crowded = !free
	return err
}

// begin makes the new tables, with a generation that no tables ever had, unless an attempt whose
// outcome nobody heard of has made them.
func (r *rebuild) begin(ctx context.Context) error {
	return r.writer.Write(ctx, func(tx database.Tx) error {
		at, err := r.positions(tx)
		if err != nil || len(at) > 0 {
			return err
		}
		if r.generation, err = newGeneration(tx); err != nil {
			return err
		}
		for _, a := range r.appliers {
			a.generation = r.generation
			for _, statement := range a.Schema() {
				if err := tx.Beside(r.generation).Exec(statement); err != nil {
					return fmt.Errorf("rebuild %s: %w", a.Name(), err)
				}
			}
			err := tx.Exec(`INSERT INTO rebuilds (view, generation, position) VALUES ($1, $2, 0)`,
				database.Text(a.Name()), database.Int(r.generation))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// newGeneration is a number that no tables were ever made with, not even by a rebuild that has been cleared
// away: one that has lost its lock and does not know it finds nothing to write to.
func newGeneration(tx database.Tx) (generation int64, err error) {
	err = tx.Query(`UPDATE generations SET last = last + 1 RETURNING last`, func(row database.Row) error {
		generation = row.Int(0)
		return nil
	})
	return generation, err
}

// fill brings the new tables to the head of the log, or near it: what has been recorded meanwhile
// is for the next round.
func (r *rebuild) fill(ctx context.Context) error {
	head, err := r.config.Log.Head(ctx)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	for b, err := range r.batches(ctx, r.position, number(head), r.bulk) {
		if err != nil {
			return fmt.Errorf("rebuild: %w", err)
		}
		if err := r.write(ctx, b); err != nil {
			return err
		}
		r.position = b.last()
		r.progress(position(r.position).Commit, head.Commit)
	}
	return nil
}

// fillOn reads again what could not be unsealed because the vault was away.
func (r *rebuild) fillOn(ctx context.Context) error {
	for failures := 1; ; failures++ {
		at := r.position
		err := r.fill(ctx)
		if r.position > at {
			failures = 1
		}
		if !errors.Is(err, errSealed) || failures == outageTries {
			return err
		}
		if err := (backOff{20 * time.Millisecond, 2 * time.Second}).wait(ctx, failures); err != nil {
			return err
		}
	}
}

// errSealed is an event whose key cannot be had at the moment.
var errSealed = errors.New("the vault is away")

// write has a transaction for each view, so that none is long. Nobody reads the new tables before
// all of them are level.
func (r *rebuild) write(ctx context.Context, b batch) error {
	for _, a := range r.appliers {
		if err := r.persist(ctx, func() error { return r.writeOne(ctx, a, b) }); err != nil {
			return err
		}
		if r.crowded {
			if err := (backOff{breather, breather}).wait(ctx, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeOne moves the new tables of a view on, unless they have the batch: an attempt whose outcome nobody
// heard of may have succeeded.
func (r *rebuild) writeOne(ctx context.Context, a *applier, b batch) error {
	err := r.writer.Write(ctx, func(tx database.Tx) error {
		at, err := r.positions(tx)
		switch position, begun := at[a.Name()]; {
		case err != nil:
			return err
		case begun && position == b.last():
			a.Forget() // what was written is there; what an attempt remembers may be of another one
			return nil
		case !begun || position != b.after:
			return errLost
		}
		if err := r.apply(tx, a, b); err != nil {
			return err
		}
		return tx.Exec(`UPDATE rebuilds SET position = $2 WHERE view = $1`, database.Text(a.Name()), database.Int(b.last()))
	})
	if err != nil {
		a.Forget()
	}
	return err
}

// errLost is a database that has come back with less than was committed, as from an older copy.
var errLost = errors.New("the database has lost what the rebuild had written: start it again")

// positions are how far the new tables of each view are, as the database has it.
func (r *rebuild) positions(tx database.Tx) (map[string]int64, error) {
	at := map[string]int64{}
	err := tx.Query(`SELECT view, position FROM rebuilds WHERE generation = $1`, func(row database.Row) error {
		at[row.Text(0)] = row.Int(1)
		return nil
	}, database.Int(r.generation))
	return at, err
}

// outageTries are about a minute.
const outageTries = 36

func (r *rebuild) persist(ctx context.Context, do func() error) error {
	return persist(ctx, outageTries, do)
}

// persist tries again while the database cannot do it: a server that is started anew, or readers that
// will not let go of a table.
func persist(ctx context.Context, times int, do func() error) error {
	for failures := 1; ; failures++ {
		err := do()
		if !errors.Is(err, database.ErrUnavailable) || failures == times {
			return err
		}
		if err := (backOff{20 * time.Millisecond, 2 * time.Second}).wait(ctx, failures); err != nil {
			return err
		}
	}
}

func (r *rebuild) apply(tx database.Tx, a *applier, b batch) error {
	u, ok := errors.AsType[*undecodable](readable(a, b.events))
	switch {
	case !ok:
	case transient(u):
		return fmt.Errorf("rebuild: %w: %w", errSealed, u.err)
	default:
		return fmt.Errorf("rebuild: %w", &failure{view: a.Name(), at: number(u.at), code: codeOf(u)})
	}
	if err := a.Apply(tx.Beside(r.generation), b.events); err != nil {
		return fmt.Errorf("rebuild %s after %d: %w", a.Name(), b.after, err)
	}
	return nil
}

// place puts the new tables where the live ones were, if the new ones lack little of what those
// have seen. The transaction keeps whoever writes the live ones out, and the new generation makes it
// look again.
func (r *rebuild) place(ctx context.Context) (placed bool, err error) {
	err = r.writer.Write(ctx, func(tx database.Tx) error {
		placed = false
		points, err := r.points(tx.Query)
		if err != nil {
			return err
		}
		if placed = r.isPlaced(points); placed {
			return nil
		}
		at, err := r.positions(tx)
		if err != nil {
			return err
		}
		for _, a := range r.appliers {
			if position, begun := at[a.Name()]; !begun || position != r.position {
				return errLost
			}
		}
		rest, err := r.rest(ctx, points)
		if err != nil || len(rest.events) > switchEvents {
			return err
		}
		if err := r.placeAll(tx, points, rest); err != nil {
			return err
		}
		placed = true
		return nil
	})
	if err != nil || !placed { // what the views remember of it has been undone
		for _, a := range r.appliers {
			a.Forget()
		}
		return false, err
	}
	r.news.announce()
	return true, nil
}

// isPlaced says whether an attempt whose outcome nobody heard of has succeeded.
func (r *rebuild) isPlaced(points map[string]checkpoint) bool {
	return points[r.appliers[0].Name()].generation == r.generation
}

// farthest is what the live tables of any view have seen, which the new ones must not lack: a view
// that had stopped counts again from then on.
func farthest(points map[string]checkpoint) int64 {
	var last int64
	for _, c := range points {
		last = max(last, c.position)
	}
	return last
}

// rest are the events that the live tables have seen and the new ones have not, or the first of them
// when there are too many to hold up a transaction.
func (r *rebuild) rest(ctx context.Context, points map[string]checkpoint) (batch, error) {
	all := batch{after: r.position}
	reading, cancel := context.WithTimeout(ctx, restMax)
	defer cancel()
	for b, err := range r.batches(reading, r.position, farthest(points), switchEvents) {
		if err != nil && reading.Err() != nil && ctx.Err() == nil {
			return all, fmt.Errorf("rebuild: %w: the log does not answer", database.ErrUnavailable)
		}
		if err != nil {
			return all, fmt.Errorf("rebuild: %w", err)
		}
		if all.events = append(all.events, b.events...); len(all.events) > switchEvents {
			break
		}
	}
	return all, nil
}

// placeAll keeps out other programs, which come by the publications, before it keeps out readers, and
// both only once all is written.
func (r *rebuild) placeAll(tx database.Tx, points map[string]checkpoint, rest batch) error {
	var renames []database.Renaming
	for _, a := range r.appliers {
		if len(rest.events) > 0 {
			if err := r.apply(tx, a, rest); err != nil {
				return err
			}
		}
		more, err := r.placeOne(tx, a, points[a.Name()], rest.last())
		if err != nil {
			return err
		}
		renames = append(renames, more...)
	}
	for _, a := range r.appliers {
		if err := publish(tx.Beside(r.generation), a); err != nil {
			return err
		}
	}
	return tx.Rename(renames...)
}

// placeOne does all but the renames, and says which those are. The live tables may be those of another
// version.
func (r *rebuild) placeOne(tx database.Tx, a *applier, live checkpoint, last int64) (renames []database.Renaming, err error) {
	for _, table := range live.tables {
		aside := table + "_before_" + strconv.FormatInt(r.generation, 10)
		renames = append(renames, database.Renaming{From: table, To: aside})
		if err := tx.Exec(`INSERT INTO discarded_tables (name) VALUES ($1)`, database.Text(aside)); err != nil {
			return nil, err
		}
	}
	for _, table := range a.Tables() {
		renames = append(renames, database.Renaming{From: beside(table, r.generation), To: table})
	}
	err = tx.Exec(`UPDATE checkpoints
		SET position = $2, generation = $3, shape = $4, tables = $5, stopped_at = 0, stopped_code = '' WHERE view = $1`,
		database.Text(a.Name()), database.Int(last), database.Int(r.generation), database.Text(shape(a)), tablesValue(a))
	if err != nil {
		return nil, err
	}
	return renames, tx.Exec(`DELETE FROM rebuilds WHERE view = $1`, database.Text(a.Name()))
}

// beside is the name of a table that is not live.
func beside(table string, generation int64) string {
	return table + "_" + strconv.FormatInt(generation, 10)
}
