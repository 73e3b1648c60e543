package projections

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/hazard"
	"rentbook/domain/rent"
	"rentbook/domain/repair"
	"rentbook/eventstore"
)

// foldJSON is a state as a view keeps it.
func foldJSON(s testing.TB, state any) string {
	s.Helper()
	data, err := json.Marshal(state)
	if err != nil {
		s.Fatal(err)
	}
	return string(data)
}

// However its facts came, a repair reads as the domain folds it, at each step; and the last line of its
// timeline says the same.
func TestReader_Repair_isTheFold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := newScene(t)
		given[rent.Event](s, account("T1"), opened("2026-01-05"))
		v := s.open()
		draw := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "n") }
		all := s.lives(rapid.IntRange(1, 4).Draw(rt, "repairs"), 0, draw)
		for range rapid.IntRange(1, 8).Draw(rt, "rounds") {
			for range 1 + draw(3) {
				l := all[draw(len(all))]
				before := len(l.facts)
				l.step()
				s.live(l, before)
			}
			s.catchUp(v)
			s.read(v, func(r *Reader) error {
				for _, l := range all {
					s.isTheFold(r, l)
				}
				return nil
			})
		}
		s.verify(v)
	})
}

func (s *scene) isTheFold(r *Reader, l *life) {
	s.Helper()
	got, err := r.Repair(l.id)
	s.must(err)
	want := domain.Fold[repair.Repair](l.facts...)
	if diff := cmp.Diff(foldJSON(s, want), foldJSON(s, got.Repair)); diff != "" {
		s.Fatalf("repair %s after %s (-want +got):\n%s", l.id, l.facts[len(l.facts)-1].EventType(), diff)
	}
	lines, err := r.RepairTimeline(l.id, r.Position())
	s.must(err)
	var own []RepairLine
	for _, line := range lines {
		if line.Repair == l.id {
			own = append(own, line)
		}
	}
	last := own[len(own)-1]
	if len(own) != len(l.facts) || last.State != string(got.State) || last.Position != got.Position || got.Version != uint64(len(l.facts)) {
		s.Fatalf("repair %s: %d lines for %d facts, the last says %q, the repair is %q", l.id, len(own), len(l.facts), last.State, got.State)
	}
	for i, line := range own {
		if line.Event != l.facts[i].EventType() || line.ActorRole != l.roleOf(i) || line.ActorID != l.by[i].ID {
			s.Fatalf("repair %s, line %d: got %+v", l.id, i, line)
		}
	}
}

// Each fact has words, which are these, and nothing personal is among them. What is personal is beside
// them.
func TestReader_RepairTimeline_says(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	facts, says := everyRepairFact()
	for i, e := range repair.Events() {
		if i >= len(facts) || e.EventType() != facts[i].EventType() {
			t.Fatalf("there is no example of %s", e.EventType())
		}
	}
	by := make([]eventstore.Actor, len(facts))
	for i := range by {
		by[i] = eventstore.Actor{ID: "token-1", Role: "manager"}
	}
	s.append("repair-R1", s.proposed("repair-R1", facts, by)...)
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		lines, err := r.RepairTimeline("R1", eventstore.Position{})
		s.must(err)
		for i, line := range lines {
			if line.Text != says[i] {
				t.Errorf("%s says\n%s, want\n%s", line.Event, line.Text, says[i])
			}
			_, contact := facts[i].(repair.ContactGiven) // has a column of its own
			want := strings.Contains(foldJSON(t, facts[i]), canary) && !contact
			if strings.Contains(line.Text, canary) || strings.Contains(line.Said.Text, canary) != want {
				t.Errorf("%s says %q and %q", line.Event, line.Text, line.Said.Text)
			}
		}
		return nil
	})
}

func TestReader_HazardTimeline_says(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	facts, says := everyHazardFact()
	for i, e := range hazard.Events() {
		if i >= len(facts) || e.EventType() != facts[i].EventType() {
			t.Fatalf("there is no example of %s", e.EventType())
		}
		v := facts[i]
		proposed := eventstore.Proposed{ID: newID(), Type: v.EventType()}
		var err error
		proposed.Data, err = s.codec.Encode("hazard-Z1", proposed.ID, v)
		s.must(err)
		proposed.Metadata = eventstore.Metadata{
			Command: proposed.ID, Correlation: proposed.ID, Causation: proposed.ID, Actor: eventstore.Actor{ID: "token-1", Role: "manager"},
		}
		s.append("hazard-Z1", proposed)
	}
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		lines, err := r.HazardTimeline("Z1", eventstore.Position{})
		s.must(err)
		for i, line := range lines {
			if line.Text != says[i] || strings.Contains(line.Text, canary) {
				t.Errorf("%s says\n%s, want\n%s", line.Event, line.Text, says[i])
			}
		}
		h, err := r.Hazard("Z1")
		s.must(err)
		if diff := cmp.Diff(foldJSON(t, domain.Fold[hazard.Hazard](facts...)), foldJSON(t, h.Hazard)); diff != "" {
			t.Errorf("the hazard (-want +got):\n%s", diff)
		}
		return nil
	})
}

// A fact cannot be refused, whatever came before it: not even one that stands alone.
func TestViews_takeFactsThatStandAlone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	given[rent.Event](s, account("T1"), opened("2026-01-05"))
	repairs, _ := everyRepairFact()
	for i, fact := range repairs {
		given(s, repairStream(fmt.Sprintf("X%d", i)), fact)
	}
	hazards, _ := everyHazardFact()
	for i, fact := range hazards {
		given(s, eventstore.NewStream(hazard.Category, fmt.Sprintf("X%d", i)), fact)
	}
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		for i, fact := range repairs {
			found, err := r.Repair(fmt.Sprintf("X%d", i))
			if err != nil || found.Version != 1 {
				t.Errorf("%s alone: got %+v, %v", fact.EventType(), found, err)
			}
		}
		all, _, err := r.Repairs(RepairFilter{})
		s.must(err)
		if len(all) != len(repairs) {
			t.Errorf("got %d repairs, want %d", len(all), len(repairs))
		}
		return nil
	})
	s.verify(v)
}
