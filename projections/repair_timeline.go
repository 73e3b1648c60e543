package projections

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// RepairLine is one fact in the timeline of a repair.
type RepairLine struct {
	Repair             string // of a duplicate's timeline: whose line it is
	Position           eventstore.Position
	At, RecordedAt     time.Time // when it counts, and when Rentbook was told
	State              string    // after it
	Event              string    // the stored name
	Text               string    // in plain words, without anything personal
	Said               domain.Personal
	ActorID, ActorRole string
	Clocks             []ClockEffect
	Photos             []string
}

// ClockEffect is what a fact did to a clock.
type ClockEffect struct {
	Clock  string    `json:"clock"`
	Effect string    `json:"effect"`
	DueAt  time.Time `json:"due_at,omitzero"` // as it is then; zero while a pause moves it
}

// The effects on clocks.
const (
	EffectStarted      = "started"
	EffectPaused       = "paused"
	EffectResumed      = "resumed"
	EffectMet          = "met"
	EffectRunningAgain = "running_again" // it was met, or had ended, and is not any more
	EffectStopped      = "stopped"       // it ended with the repair, unmet
	EffectChanged      = "changed"       // there is another target
)

// clockChange is a ClockEffect with the clock.
type clockChange struct {
	ClockEffect

	run clock.Run
}

// clockEffects are what a fact did to clocks, where they end with what they belong to.
func clockEffects(before, after []clock.Run, ended, ends bool) (effects []clockChange) {
	if ended == ends && sameRuns(before, after) {
		return nil
	}
	for i, was := range before {
		if _, is := counterpart(before, i, after); !is && was.MetAt.IsZero() {
			effects = append(effects, clockChange{ClockEffect{Clock: was.Target.Clock, Effect: EffectStopped}, was})
		}
	}
	for i, now := range after {
		was, known := counterpart(after, i, before)
		if what := clockEffect(was, now, known); what != "" {
			effects = append(effects, effectAt(what, now))
			continue
		}
		switch {
		case !now.MetAt.IsZero() || ended == ends:
		case ends:
			effects = append(effects, effectAt(EffectStopped, now))
		default:
			effects = append(effects, effectAt(EffectRunningAgain, now))
		}
	}
	return effects
}

// sameRuns says that nobody touched the clocks: what changes them makes others.
func sameRuns(a, b []clock.Run) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// counterpart is the clock that the ith of some is among others: the first of its name, or the second.
func counterpart(runs []clock.Run, i int, others []clock.Run) (clock.Run, bool) {
	nth := 0
	for _, run := range runs[:i] {
		if run.Target.Clock == runs[i].Target.Clock {
			nth++
		}
	}
	for _, run := range others {
		if run.Target.Clock != runs[i].Target.Clock {
			continue
		}
		if nth == 0 {
			return run, true
		}
		nth--
	}
	return clock.Run{}, false
}

func effectAt(what string, run clock.Run) clockChange {
	e := clockChange{ClockEffect{Clock: run.Target.Clock, Effect: what}, run}
	if due, settled := run.Due(); settled {
		e.DueAt = due
	}
	return e
}

// clockEffect is what became of one clock; nothing if it goes on as it was.
func clockEffect(was, now clock.Run, known bool) string {
	switch {
	case !known || was.StartedAt.IsZero():
		return EffectStarted
	case !sameTarget(was.Target, now.Target) || !was.StartedAt.Equal(now.StartedAt):
		return EffectChanged
	case was.MetAt.IsZero() && !now.MetAt.IsZero():
		return EffectMet
	case !was.MetAt.IsZero() && now.MetAt.IsZero():
		return EffectRunningAgain
	}
	wasDue, ran := was.Due()
	due, runs := now.Due()
	switch {
	case ran && !runs:
		return EffectPaused
	case !ran && runs:
		return EffectResumed
	case ran && runs && !wasDue.Equal(due):
		return EffectChanged
	}
	return ""
}

func sameTarget(a, b clock.Target) bool {
	return a.Parameter == b.Parameter && a.Amount == b.Amount && a.Unit == b.Unit && a.Zone == b.Zone &&
		a.Calendar == b.Calendar && a.HolidaysTo == b.HolidaysTo && slices.Equal(a.Holidays, b.Holidays) &&
		slices.Equal(a.PausedBy, b.PausedBy)
}

// zones remembers those that were asked for: they come from files.
type zones map[string]*time.Location

// of is the zone that says which day it is for some clocks; nil if none does.
func (z *zones) of(runs []clock.Run) *time.Location {
	for _, run := range runs {
		if zone := z.named(run.Target.Zone); zone != nil {
			return zone
		}
	}
	return nil
}

func (z *zones) named(name string) *time.Location {
	if zone, known := (*z)[name]; known {
		return zone
	}
	if *z == nil {
		*z = zones{}
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" { // the machine's own would be another tomorrow
		zone = nil
	}
	(*z)[name] = zone
	return zone
}

// timelineRow is a fact on its way into a timeline.
type timelineRow struct {
	of           string // a repair, or a hazard
	event        *Event
	told         told
	role         string // of who did it
	state, class string
	into         domain.ID // of a merge

	clocks, photos database.Value // JSON
}

// add writes a line's lists.
func (l *timelineRow) add(effects []clockChange) (err error) {
	var shown []ClockEffect
	for _, e := range effects {
		shown = append(shown, e.ClockEffect)
	}
	if l.clocks, err = jsonOrNull(shown); err != nil {
		return err
	}
	l.photos, err = jsonOrNull(l.told.photos)
	return err
}

const (
	timelineOthers  = `at, recorded_at, state, class, event, text, said, actor_id, actor_role, clocks, photos`
	timelineColumns = `position, ` + timelineOthers
)

// timelineSchema is a table of lines; more are columns of its own.
func timelineSchema(table, of, more string) string {
	return `CREATE TABLE {` + table + `} (
	` + of + ` TEXT NOT NULL,
	position    BIGINT      NOT NULL,
	at          TIMESTAMPTZ NOT NULL, -- when it counts
	recorded_at TIMESTAMPTZ NOT NULL,
	state       TEXT        NOT NULL, -- after it
	class       TEXT        NOT NULL,
	event       TEXT        NOT NULL, -- stored name
	text        TEXT        NOT NULL, -- nothing personal
	said        TEXT, -- what is personal; NULL once erased, empty where nothing was said
	actor_id    TEXT        NOT NULL,
	actor_role  TEXT        NOT NULL,
	clocks      TEXT, -- JSON
	photos      TEXT, -- JSON` + more + `
	PRIMARY KEY (` + of + `, position)
)`
}

func (l *timelineRow) values() []database.Value {
	e := l.event
	return []database.Value{
		database.Text(l.of), database.Int(number(e.Position)), database.Time(l.told.at), database.Time(e.At),
		database.Text(l.state), database.Text(l.class), database.Text(e.Type), database.Text(l.told.text + "."),
		personalValue(joined(l.told.said)), database.Text(e.Metadata.Actor.ID), database.Text(l.role),
		l.clocks, l.photos,
	}
}

// joined is what one fact says in several places. They are sealed together, and erased together.
func joined(parts []domain.Personal) domain.Personal {
	var texts []string
	for _, p := range parts {
		if p.Erased {
			return p
		}
		if p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	return domain.NewPersonal(strings.Join(texts, "\n"))
}

// jsonOrNull is a list, or no value where it is empty.
func jsonOrNull[T any](list []T) (database.Value, error) {
	if len(list) == 0 {
		return database.Null(), nil
	}
	return jsonValue(list)
}

func jsonValue(v any) (database.Value, error) {
	data, err := json.Marshal(v)
	return database.Text(string(data)), err
}
