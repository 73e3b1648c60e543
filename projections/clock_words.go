package projections

import (
	"strings"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// place is where something is, which says what time it is there.
type place struct{ zone *time.Location } // nil: not known

func until(d domain.Date) string {
	if d.IsZero() {
		return ""
	}
	return " until " + d.Time().Format(dayLayout)
}

const (
	dayLayout     = "2 January 2006"
	instantLayout = "Mon 2 Jan 2006, 15:04"
)

// window is "Mon 23 Nov 2026, 08:00 to 12:00" where the repair is.
func (w place) window(from, to time.Time) string {
	to = to.In(w.local())
	end := to.Format("15:04")
	if from = from.In(w.local()); domain.DateOf(from) != domain.DateOf(to) {
		end = to.Format(instantLayout)
	}
	return from.Format(instantLayout) + " to " + end + w.doubt()
}

func (w place) local() *time.Location {
	if w.zone == nil {
		return time.UTC
	}
	return w.zone
}

// doubt says which time it is where that is not known.
func (w place) doubt() string {
	if w.zone == nil {
		return " UTC"
	}
	return ""
}

// clocks is what became of clocks, and why one stopped: "due 30 March 2026; the make safe clock goes on".
func (w place) clocks(effects []clockChange, why string) string {
	var said strings.Builder
	for _, e := range effects {
		said.WriteString("; ")
		said.WriteString(w.clock(e, why))
	}
	return said.String()
}

func (w place) clock(e clockChange, why string) string {
	name := "the " + strings.ReplaceAll(e.Clock, "_", " ") + " clock "
	due := ""
	if !e.DueAt.IsZero() {
		due = "due " + w.due(e.run.Target.Unit, e.DueAt)
	}
	switch e.Effect {
	case EffectStarted, EffectChanged:
		switch {
		case due == "":
			return name + e.Effect
		case e.Clock == clock.Completion:
			return due
		}
		return strings.ReplaceAll(e.Clock, "_", " ") + " " + due
	case EffectPaused:
		return name + "stopped (" + why + ")"
	case EffectResumed, EffectRunningAgain:
		if due == "" {
			return name + "runs on"
		}
		return name + "runs on, " + due
	case EffectMet:
		if !e.DueAt.IsZero() && e.run.MetAt.After(e.DueAt) {
			return name + "is met, late"
		}
		return name + "is met"
	}
	return name + "has ended"
}

// due is a day where days count, and an instant where hours do.
func (w place) due(unit clock.Unit, at time.Time) string {
	if unit == clock.Hours {
		return at.In(w.local()).Format(instantLayout) + w.doubt()
	}
	return at.In(w.local()).Format(dayLayout)
}
