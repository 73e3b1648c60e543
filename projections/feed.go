package projections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rentbook/projections/database"
)

// batch is a run of events on its way to the views, with the position before the first.
type batch struct {
	after  int64
	events []Event
}

func (b batch) last() int64 {
	if len(b.events) == 0 {
		return b.after
	}
	return number(b.events[len(b.events)-1].Position)
}

// upTo is the beginning of the batch that does not reach beyond a position.
func (b batch) upTo(last int64) batch {
	n := len(b.events)
	for n > 0 && number(b.events[n-1].Position) > last {
		n--
	}
	return batch{b.after, b.events[:n]}
}

// feed gives events to views. There is one for all that are level, and one for each view while it
// is behind, new, or stopped.
type feed interface {
	name() string
	// start is where the feed goes on. It waits until there is something for it to do.
	start(ctx context.Context) (int64, error)
	// handle carries out one batch, all of it or nothing, unless it returns an error.
	handle(ctx context.Context, b batch) error
	// done says that there is nothing more to do for now.
	done() bool
}

// applier is a view with the generation of the tables that it remembers.
type applier struct {
	View

	generation int64
}

// apply carries out events on the view.
func (a *applier) apply(tx database.Tx, c checkpoint, b batch) error {
	if a.generation != c.generation {
		a.Forget()
		a.generation = c.generation
	}
	if err := readable(a, b.events); err != nil {
		return err
	}
	return a.Apply(tx, b.events)
}

// try applies events and moves the checkpoint, all or nothing.
func (a *applier) try(tx database.Tx, c checkpoint, b batch) error {
	err := tx.Try(func() error {
		if err := a.apply(tx, c, b); err != nil {
			return err
		}
		return advance(tx, c.position, b.last(), c)
	})
	if err != nil {
		a.Forget()
	}
	return err
}

func appliers(views []View) []*applier {
	var all []*applier
	for _, v := range views {
		all = append(all, &applier{View: v})
	}
	return all
}

// common is the feed of all views that are level.
type common struct {
	*Views

	appliers []*applier
}

func (c *common) name() string { return "level" }
func (c *common) done() bool   { return false }

// start forgets what was written: a server that crashed may have lost it, though it had been committed.
func (c *common) start(ctx context.Context) (int64, error) {
	c.forget()
	for {
		news := c.news.next()
		points, err := c.checkpoints(ctx)
		if err != nil {
			return 0, err
		}
		if at, ok := level(points, c.apart.holds); ok {
			return at, nil
		}
		if err := idle(ctx, news); err != nil {
			return 0, err
		}
	}
}

// idleMin is how long a feed that is not needed leaves the checkpoints alone: under load there is
// news many times a second, and six feeds would ask each time.
const idleMin = 100 * time.Millisecond

func idle(ctx context.Context, news <-chan struct{}) error {
	timer := time.NewTimer(idleMin)
	defer timer.Stop()
	for range 2 { // news and the time, in any order
		select {
		case <-news:
			news = nil
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// handle gives the batch to every view that is where it begins: to all together, and if that fails to
// one after the other. A view that fails then is left to its own feed; the others go on.
func (c *common) handle(ctx context.Context, b batch) error {
	points, err := c.write(ctx, b, c.together)
	if err != nil && !transient(err) {
		points, err = c.write(ctx, b, c.oneByOne)
	}
	if err != nil {
		return fmt.Errorf("views after %d: %w", b.after, err)
	}
	c.wrote(points)
	return nil
}

// write carries out the batch on the views that are level.
func (c *common) write(
	ctx context.Context, b batch, apply func(database.Tx, []*applier, map[string]checkpoint, batch) error,
) (points map[string]checkpoint, err error) {
	err = c.db.Write(ctx, func(tx database.Tx) (err error) {
		if points, err = c.points(tx.Query); err != nil {
			return err
		}
		if at, ok := level(points, c.apart.holds); !ok || at != b.after {
			return errMoved
		}
		return apply(tx, c.at(b.after, points), points, b)
	})
	if err != nil {
		c.forget()
	}
	return points, err
}

func (c *common) forget() {
	for _, a := range c.appliers {
		a.Forget()
	}
}

// at are the views at a position.
func (c *common) at(position int64, points map[string]checkpoint) (all []*applier) {
	for _, a := range c.appliers {
		point, known := points[a.Name()]
		if known && point.position == position && !point.stopped() && !c.apart.holds(a.Name()) {
			all = append(all, a)
		}
	}
	return all
}

// together has no savepoints: far away, each costs several round trips.
func (c *common) together(tx database.Tx, views []*applier, points map[string]checkpoint, b batch) error {
	var moving []checkpoint
	for _, a := range views {
		if err := a.apply(tx, points[a.Name()], b); err != nil {
			return err
		}
		moving = append(moving, points[a.Name()])
	}
	if err := advance(tx, b.after, b.last(), moving...); err != nil {
		return err
	}
	for _, point := range moving {
		point.position = b.last()
		points[point.view] = point
	}
	return nil
}

func (c *common) oneByOne(tx database.Tx, views []*applier, points map[string]checkpoint, b batch) error {
	for _, a := range views {
		point := points[a.Name()]
		err := a.try(tx, point, b)
		switch {
		case err == nil:
			point.position = b.last()
			points[a.Name()] = point
		case transient(err):
			return err
		default:
			c.apart.set(a.Name(), true)
		}
	}
	return nil
}

// wrote tells those who wait.
func (v *Views) wrote(points map[string]checkpoint) {
	v.seen.Store(lowest(points))
	v.news.announce()
}

// attemptsMax is how often an event is tried before it stops its view.
const attemptsMax = 3

// alone is the feed of one view that is not level.
type alone struct {
	*Views

	applier  *applier
	attempts int   // in a row, of the event at failedAt
	failedAt int64 // 0 if the last batch succeeded
	level    bool  // the view has caught up
}

func (a *alone) name() string { return a.applier.Name() }
func (a *alone) done() bool   { return a.level }

// start waits until the view needs it. A view ahead of the others, as after a rebuild, waits for
// them to come by.
func (a *alone) start(ctx context.Context) (int64, error) {
	a.applier.Forget() // as for the common feed
	for {
		news := a.news.next()
		points, err := a.checkpoints(ctx)
		if err != nil {
			return 0, err
		}
		point := points[a.name()]
		if point.code == codeOtherShape {
			if err := a.Rebuild(ctx, nil, a.name()); err != nil {
				return 0, err
			}
			continue
		}
		if a.needs(points) {
			a.level = false
			return point.position, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

func (a *alone) needs(points map[string]checkpoint) bool {
	point := points[a.name()]
	at, ok := level(points, a.apart.holds)
	return point.stopped() || a.apart.holds(a.name()) || !ok || point.position < at
}

// handle brings the view nearer to the others, never beyond. When a batch fails, its events go one
// by one, to find the one that does.
func (a *alone) handle(ctx context.Context, b batch) error {
	var points map[string]checkpoint
	var failed *failure
	err := a.db.Write(ctx, func(tx database.Tx) (err error) {
		failed = nil
		if points, err = a.points(tx.Query); err != nil {
			return err
		}
		if points[a.name()].position != b.after {
			return errMoved
		}
		failed, err = a.approach(tx, points, b)
		return err
	})
	if err != nil {
		a.applier.Forget()
		return fmt.Errorf("view %s after %d: %w", a.name(), b.after, err)
	}
	a.wrote(points)
	if failed != nil {
		return failed
	}
	a.attempts, a.failedAt = 0, 0
	return nil
}

// approach applies what the view lacks. An error undoes it; a failure does not.
func (a *alone) approach(tx database.Tx, points map[string]checkpoint, b batch) (*failure, error) {
	others := func(view string) bool { return view == a.name() || a.apart.holds(view) }
	at, ok := level(points, others)
	if ok {
		b = b.upTo(at)
	}
	failed, err := a.applyEach(tx, points, b)
	if failed != nil || err != nil {
		return failed, err
	}
	if !ok || points[a.name()].position >= at {
		a.apart.set(a.name(), false)
		a.level = true
		return nil, a.resume(tx, points)
	}
	return nil, nil //nolint:nilnil // no failure and no error: all is well
}

// resume lets a stopped view answer again. Only once it is level: on its way there it would take
// what all views have seen back into the past.
func (a *alone) resume(tx database.Tx, points map[string]checkpoint) error {
	point := points[a.name()]
	if !point.stopped() || point.position < point.stoppedAt {
		return nil
	}
	point.stoppedAt, point.code = 0, ""
	points[a.name()] = point
	return point.resume(tx)
}

func (a *alone) applyEach(tx database.Tx, points map[string]checkpoint, b batch) (*failure, error) {
	if len(b.events) == 0 {
		return nil, nil //nolint:nilnil // as above
	}
	err := a.applyOne(tx, points, b)
	if err == nil || transient(err) {
		return nil, err
	}
	for i := range b.events {
		one := batch{points[a.name()].position, b.events[i : i+1]}
		if err := a.applyOne(tx, points, one); transient(err) {
			return nil, err
		} else if err != nil {
			return a.fail(tx, points, one, err)
		}
	}
	return nil, nil //nolint:nilnil // what failed together went well one by one
}

func (a *alone) applyOne(tx database.Tx, points map[string]checkpoint, b batch) error {
	point := points[a.name()]
	if err := a.applier.try(tx, point, b); err != nil {
		return err
	}
	point.position = b.last()
	points[a.name()] = point
	return nil
}

// fail counts the failure, and stops the view when it was one too many.
func (a *alone) fail(tx database.Tx, points map[string]checkpoint, b batch, err error) (*failure, error) {
	failed := &failure{view: a.name(), at: b.last(), code: codeOf(err)}
	if a.failedAt != failed.at {
		a.failedAt, a.attempts = failed.at, 0
	}
	a.attempts++
	a.apart.set(a.name(), true)
	point := points[a.name()]
	if a.attempts < attemptsMax || point.stoppedAt == failed.at {
		return failed, nil
	}
	point.stoppedAt, point.code = failed.at, failed.code
	points[a.name()] = point
	a.config.Logger.Error("a view has stopped", "view", failed.view, "position", failed.at, "code", failed.code)
	return failed, point.stop(tx, failed.at, failed.code)
}

// failure is an event that a view could not take. Its text holds nothing of the event.
type failure struct {
	view string
	at   int64
	code string
}

func (f *failure) Error() string {
	return fmt.Sprintf("view %s cannot take the event at %d (%s)", f.view, f.at, f.code)
}

func isFailure(err error) bool {
	var f *failure
	return errors.As(err, &f)
}
