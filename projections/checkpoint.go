package projections

import (
	"errors"
	"fmt"
	"math"

	"rentbook/projections/database"
)

// schema are the tables that are not a view's own. A checkpoint commits with the rows of its view,
// so the two cannot disagree.
const schema = `
CREATE TABLE identity (
	log TEXT NOT NULL -- the log the views are of
) STRICT;

CREATE TABLE checkpoints (
	view         TEXT    NOT NULL PRIMARY KEY,
	position     INTEGER NOT NULL, -- the view has seen every event up to it
	generation   INTEGER NOT NULL, -- rises when a rebuild puts other tables in place
	stopped_at   INTEGER NOT NULL DEFAULT 0, -- position of the event that stopped the view
	stopped_code TEXT    NOT NULL DEFAULT '' -- why; empty while it runs
) STRICT;

CREATE TABLE rebuilds (
	view       TEXT    NOT NULL PRIMARY KEY,
	generation INTEGER NOT NULL,
	position   INTEGER NOT NULL
) STRICT;

CREATE TABLE discarded_tables (name TEXT NOT NULL PRIMARY KEY) STRICT;
`

// errMoved is a batch that does not begin where the view is: somebody else wrote, or it came twice.
var errMoved = errors.New("the checkpoint has moved")

// checkpoint is how far a view is.
type checkpoint struct {
	view       string
	position   int64
	generation int64
	stoppedAt  int64
	code       string
}

func (c checkpoint) stopped() bool { return c.code != "" }

func checkpoints(tx database.Snapshot) (map[string]checkpoint, error) {
	all := map[string]checkpoint{}
	err := tx.Query(`SELECT view, position, generation, stopped_at, stopped_code FROM checkpoints`,
		func(r database.Row) error {
			all[r.Text(0)] = checkpoint{r.Text(0), r.Int(1), r.Int(2), r.Int(3), r.Text(4)}
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

// advance moves the checkpoint to a position if it still is where it was read. A view that was
// stopped stays so until it has caught up (see resume).
func (c checkpoint) advance(tx database.Tx, to int64) error {
	moved := errMoved
	err := tx.Query(`UPDATE checkpoints SET position = $4
		WHERE view = $1 AND position = $2 AND generation = $3 RETURNING position`,
		func(database.Row) error {
			moved = nil
			return nil
		},
		database.Text(c.view), database.Int(c.position), database.Int(c.generation), database.Int(to))
	return errors.Join(err, moved)
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
