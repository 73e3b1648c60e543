package rent

import (
	"slices"

	"rentbook/domain"
)

// stretch is a run of days on which one term is in force.
type stretch struct {
	span
	*term
	schedule
}

func (t TermSet) days() span {
	if t.To.IsZero() {
		return span{from: t.From, to: forever}
	}
	return span{from: t.From, to: t.To}
}

// inForce cuts the tenancy's days by the term in force: of the terms that cover a day the one with
// the latest from, of two with the same the one set later. a.terms is in that order.
func (a Account) inForce(code Code) []stretch {
	tenancy := span{from: a.startsOn, to: forever}
	if !a.endsOn.IsZero() {
		tenancy.to = a.endsOn
	}
	var force []stretch
	var terms []term // of this code, so far
	for _, t := range a.terms {
		if t.Code != code {
			continue
		}
		t.AnchoredOn = anchorOf(t, terms) // later terms inherit it
		terms = append(terms, t)
		if days, ok := t.days().cut(tenancy); ok {
			force = overlay(force, stretch{span: days, term: &t, schedule: newSchedule(t.TermSet)})
		}
	}
	return force
}

// anchorOf is the term's own anchor, else that of the term with the next earlier from, else its
// own from.
func anchorOf(t term, earlier []term) domain.Date {
	if !t.AnchoredOn.IsZero() {
		return t.AnchoredOn
	}
	for _, e := range slices.Backward(earlier) {
		if e.From < t.From {
			return e.AnchoredOn
		}
	}
	return t.From
}

// overlay lays a stretch over others, which keep the days it does not cover.
func overlay(under []stretch, over stretch) []stretch {
	var all []stretch
	placed := false
	for _, u := range under {
		if before, ok := u.cut(span{from: u.from, to: over.from - 1}); ok {
			all = append(all, u.on(before))
		}
		if !placed && u.to >= over.from {
			all, placed = append(all, over), true
		}
		if after, ok := u.cut(span{from: over.to + 1, to: u.to}); ok {
			all = append(all, u.on(after))
		}
	}
	if !placed {
		all = append(all, over)
	}
	return all
}

func (s stretch) on(days span) stretch {
	s.span = days
	return s
}
