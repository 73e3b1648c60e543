package projections

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"rentbook/projections/database"
)

// migrations make the tables that are not a view's own, one step after the other; a step that has
// been released never changes. The tables of a view are no matter for them: a view whose tables are to
// look otherwise is rebuilt.
//
// A checkpoint commits with the rows of its view, so the two cannot disagree.
func migrations() []string {
	return []string{
		`CREATE TABLE identity (
	log TEXT NOT NULL PRIMARY KEY -- the log the views are of
)`,
		`CREATE TABLE checkpoints (
	view         TEXT   NOT NULL PRIMARY KEY,
	position     BIGINT NOT NULL, -- the view has seen every event up to it
	generation   BIGINT NOT NULL, -- rises when a rebuild puts other tables in place
	shape        TEXT   NOT NULL, -- what the tables look like
	tables       TEXT   NOT NULL, -- their names, apart by spaces
	published    TEXT   NOT NULL, -- what is offered to other programs
	stopped_at   BIGINT NOT NULL DEFAULT 0, -- position of the event that stopped the view
	stopped_code TEXT   NOT NULL DEFAULT '' -- why; empty while it runs
)`,
		`CREATE TABLE rebuilds (
	view       TEXT   NOT NULL PRIMARY KEY,
	generation BIGINT NOT NULL,
	position   BIGINT NOT NULL -- the new tables have every event up to it
)`,
		`CREATE TABLE discarded_tables (name TEXT NOT NULL PRIMARY KEY)`,
		`CREATE TABLE generations (last BIGINT NOT NULL PRIMARY KEY)`, // see newGeneration
		`INSERT INTO generations (last) VALUES (1)`,
	}
}

// migrate carries out the steps that are missing. The transaction keeps others out.
func migrate(tx database.Tx) error {
	err := tx.Exec(`CREATE TABLE IF NOT EXISTS migrations (step BIGINT PRIMARY KEY)`)
	if err != nil {
		return fmt.Errorf("migrate views: %w", err)
	}
	done := int64(0)
	err = tx.Query(`SELECT coalesce(max(step), 0) FROM migrations`, func(r database.Row) error {
		done = r.Int(0)
		return nil
	})
	if err != nil {
		return fmt.Errorf("migrate views: %w", err)
	}
	steps := migrations()
	if done > int64(len(steps)) {
		return errors.New("the views were written by a newer version of rentbook: install that version")
	}
	for i := int(done); i < len(steps); i++ {
		err := errors.Join(tx.Exec(steps[i]), tx.Exec(`INSERT INTO migrations (step) VALUES ($1)`, database.Int(i+1)))
		if err != nil {
			return fmt.Errorf("migrate views: step %d: %w", i+1, err)
		}
	}
	return nil
}

// errMoved is a batch that does not begin where the view is: somebody else wrote, or it came twice.
var errMoved = errors.New("the checkpoint has moved")

// checkpoint is how far a view is.
type checkpoint struct {
	view       string
	position   int64
	generation int64
	shape      string
	tables     []string
	published  string
	stoppedAt  int64
	code       string
}

func (c checkpoint) stopped() bool { return c.code != "" }

// query is that of a snapshot or a transaction.
type query func(query string, each func(database.Row) error, args ...database.Value) error

// points are how far all views are. One whose tables this version cannot read counts as stopped; for
// other processes, which may be of the version that made them, it is not.
func (v *Views) points(ask query) (map[string]checkpoint, error) {
	all := map[string]checkpoint{}
	err := ask(`SELECT view, position, generation, shape, tables, published, stopped_at, stopped_code FROM checkpoints`,
		func(r database.Row) error {
			c := checkpoint{
				r.Text(0), r.Int(1), r.Int(2), r.Text(3), strings.Fields(r.Text(4)), r.Text(5), r.Int(6), r.Text(7),
			}
			if known, ok := v.shapes[c.view]; ok && c.shape != known {
				c.stoppedAt, c.code = c.position, codeOtherShape
			}
			all[c.view] = c
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", err)
	}
	return all, nil
}

// refusal is what a stopped view answers.
func (c checkpoint) refusal() error {
	return fmt.Errorf("view %s has stopped at %d (%s): %w", c.view, c.stoppedAt, c.code, ErrStopped)
}

// advance moves the checkpoints of views from one position to another, if all still are where they were
// read. A view that was stopped stays so until it has caught up (see resume).
func advance(tx database.Tx, from, to int64, points ...checkpoint) error {
	args := []database.Value{database.Int(from), database.Int(to)}
	var views []string
	for _, c := range points {
		n := len(args)
		views = append(views, fmt.Sprintf("(view = $%d AND generation = $%d)", n+1, n+2))
		args = append(args, database.Text(c.view), database.Int(c.generation))
	}
	moved := 0
	err := tx.Query(`UPDATE checkpoints SET position = $2 WHERE position = $1 AND (`+strings.Join(views, " OR ")+`) RETURNING view`,
		func(database.Row) error {
			moved++
			return nil
		}, args...)
	if err == nil && moved < len(points) {
		err = errMoved
	}
	return err
}

// stop records which event stopped the view.
func (c checkpoint) stop(tx database.Tx, at int64, code string) error {
	return tx.Exec(`UPDATE checkpoints SET stopped_at = $2, stopped_code = $3 WHERE view = $1`,
		database.Text(c.view), database.Int(at), database.Text(code))
}

// resume says that the view runs again.
func (c checkpoint) resume(tx database.Tx) error {
	return tx.Exec(`UPDATE checkpoints SET stopped_at = 0, stopped_code = '' WHERE view = $1`, database.Text(c.view))
}

// lowest is what all views have seen that run; none running, what all have seen.
func lowest(points map[string]checkpoint) int64 {
	all, running := int64(math.MaxInt64), int64(math.MaxInt64)
	for _, c := range points {
		all = min(all, c.position)
		if !c.stopped() {
			running = min(running, c.position)
		}
	}
	switch {
	case running < math.MaxInt64:
		return running
	case all < math.MaxInt64:
		return all
	}
	return 0
}

// stoppedAll is the refusal of one of the views if none of them runs.
func stoppedAll(points map[string]checkpoint) error {
	var refusal error
	for _, c := range points {
		if !c.stopped() {
			return nil
		}
		refusal = c.refusal()
	}
	return refusal
}

// level is where most of the views are that run, and the farthest such place if there are several:
// one feed serves all that are there. It is not there when no view runs.
func level(points map[string]checkpoint, apart func(view string) bool) (at int64, ok bool) {
	views := map[int64]int{}
	for _, c := range points {
		if c.stopped() || apart(c.view) {
			continue
		}
		views[c.position]++
		if n := views[c.position]; !ok || n > views[at] || (n == views[at] && c.position > at) {
			at, ok = c.position, true
		}
	}
	return at, ok
}
