package projections

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/property"
	"rentbook/domain/rent"
	"rentbook/domain/repair"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// homes describes ten homes H0 to H9 in the block B0 of the estate E0, and some elsewhere.
func (s *scene) homes() {
	s.Helper()
	describe := func(id, kind, parent string) {
		given[property.Event](s, eventstore.NewStream(property.Category, id), property.Described{
			Kind: kind, Parent: domain.ID(parent), Address: "1 High Street", Postcode: "AB1 2CD",
		})
	}
	describe("E0", "estate", "")
	describe("B0", "block", "E0")
	describe("B1", "block", "")
	describe("H10", "home", "B1")
	for i := range 10 {
		describe(fmt.Sprintf("H%d", i), "home", []string{"B0", "", "B1"}[i%3])
	}
}

// within says whether one of those homes is in a block, as homes has it.
func within(id, block string) bool {
	above := map[string]string{"B0": "E0"}
	for i := range 10 {
		above[fmt.Sprintf("H%d", i)] = []string{"B0", "", "B1"}[i%3]
	}
	for at := id; at != ""; at = above[at] {
		if at == block {
			return true
		}
	}
	return false
}

// wants is a filter as one says it.
func wants(f RepairFilter, l *life) bool {
	own := slices.Contains(f.Tenancies, string(l.Tenancy)) || l.Communal && slices.Contains(f.CommunalAt, string(l.Property))
	is := func(wanted, got string) bool { return wanted == "" || wanted == got }
	return (f.Tenancies == nil && f.CommunalAt == nil || own) &&
		is(f.Contractor, string(l.Contractor)) && is(f.State, string(l.State)) && is(f.Class, string(l.State.Class())) &&
		is(f.Priority, string(l.Priority)) && is(f.Trade, l.Trade) && (f.Communal == nil || *f.Communal == l.Communal) &&
		(!f.HideMerged || l.Into == "") && (f.Block == "" || within(string(l.Property), f.Block)) && wantsWhen(f, l)
}

func wantsWhen(f RepairFilter, l *life) bool {
	open := l.State.Class() == repair.Open
	visit, stands := l.Visit()
	switch f.When {
	case WhenNew:
		return slices.Contains([]repair.State{
			repair.StateReported, repair.StateTriaged, repair.StateAwaitingApproval, repair.StateRaised,
		}, l.State)
	case WhenOpen:
		return open
	case WhenPast:
		return !open
	case WhenOverdue:
		c, known := l.Clock(clock.Completion)
		return open && known && c.MetAt.IsZero() && c.At(f.Now).Breached
	case WhenUpcoming:
		return stands && visit.Status == repair.VisitIsBooked && visit.To.After(f.Now)
	}
	return true
}

// listed are the ids that a list should have, in its order.
func listed(f RepairFilter, all []*life) []string {
	var found []*life
	for _, l := range all {
		if wants(f, l) {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b *life) int {
		switch f.When {
		case WhenOverdue:
			ca, _ := a.Clock(clock.Completion)
			cb, _ := b.Clock(clock.Completion)
			return cmp.Or(ca.At(f.Now).DueAt.Compare(cb.At(f.Now).DueAt), cmp.Compare(a.id, b.id))
		case WhenUpcoming:
			va, _ := a.Visit()
			vb, _ := b.Visit()
			return cmp.Or(va.From.Compare(vb.From), cmp.Compare(a.id, b.id))
		}
		return -cmp.Or(a.ReportedAt.Compare(b.ReportedAt), cmp.Compare(a.id, b.id))
	})
	ids := []string{}
	for _, l := range found {
		ids = append(ids, l.id)
	}
	return ids
}

func drawFilter(rt *rapid.T, now time.Time) RepairFilter {
	some := func(label string, values ...string) string {
		return rapid.SampledFrom(append(make([]string, 2*len(values)), values...)).Draw(rt, label)
	}
	f := RepairFilter{
		Contractor: some("contractor", "C0", "C1"), Block: some("block", "E0", "B0", "B1", "H3", "X"),
		State: some("state", "triaged", "scheduled", "on_hold", "duplicate"), Class: some("class", "open", "resolved", "closed-unresolved"),
		When: rapid.SampledFrom(append(Whens(), "", "", "")).Draw(rt, "when"), Priority: some("priority", "emergency", "urgent"),
		Trade: some("trade", "plumbing"), HideMerged: rapid.Bool().Draw(rt, "hide"), Now: now,
	}
	switch rapid.IntRange(0, 5).Draw(rt, "whose") {
	case 0:
		f.Tenancies = []string{"T1", "T2"}
	case 1:
		f.CommunalAt = []string{"B0"}
	case 2:
		f.Tenancies, f.CommunalAt = []string{"T3"}, []string{"B0", "H3"}
	case 3:
		if rapid.Bool().Draw(rt, "nothing") {
			f.Tenancies, f.CommunalAt = []string{}, nil
		}
	}
	if n := rapid.IntRange(0, 4).Draw(rt, "communal"); n < 2 {
		f.Communal = new(bool)
		*f.Communal = n == 1
	}
	return f
}

// Every list has what one would find by looking at each repair, page by page.
func TestReader_Repairs(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.homes()
	all := s.lives(60, 700, chance(7))
	v := s.open()
	s.catchUp(v)
	now := all[0].now
	for _, l := range all {
		if l.now.After(now) {
			now = l.now
		}
	}
	for _, later := range []time.Duration{0, -40 * 24 * time.Hour} { // most visits are over by the first
		f := RepairFilter{When: WhenUpcoming, Now: now.Add(later)}
		s.lists(v, f, all, 3)
	}
	for _, when := range append(Whens(), "") {
		f := RepairFilter{When: when, Now: now}
		if ids := s.lists(v, f, all, 7); len(ids) == 0 && when != WhenUpcoming {
			t.Errorf("the list of what is %q is empty, which shows nothing", when)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		for range 20 {
			s.lists(v, drawFilter(rt, now), all, rapid.IntRange(1, 9).Draw(rt, "most"))
		}
	})
	s.read(v, func(r *Reader) error {
		if _, _, err := r.Repairs(RepairFilter{When: "later"}); !errors.Is(err, ErrFilter) {
			t.Errorf("a list that there is not: got %v", err)
		}
		for _, cursor := range []string{"due.1.R1", "reported.R1", "reported.x.R1", "reported.1"} {
			if _, _, err := r.Repairs(RepairFilter{After: cursor}); !errors.Is(err, ErrCursor) {
				t.Errorf("the cursor %q: got %v", cursor, err)
			}
		}
		return nil
	})
}

// lists reads a list page by page and compares it with what it should be.
func (s *scene) lists(v *Views, f RepairFilter, all []*life, most int) (ids []string) {
	s.Helper()
	ids = []string{}
	s.read(v, func(r *Reader) error {
		f.Most = most
		for {
			page, next, err := r.Repairs(f)
			s.must(err)
			for _, found := range page {
				ids = append(ids, found.ID)
			}
			if next == "" {
				return nil
			}
			if len(page) != most {
				s.Fatalf("a page of %d, want %d", len(page), most)
			}
			f.After = next
		}
	})
	if diff := gocmp.Diff(listed(f, all), ids); diff != "" {
		s.Fatalf("%+v (-want +got):\n%s", f, diff)
	}
	return ids
}

// A duplicate's timeline has what happens to the other repair while it is one, as known at each point.
func TestReader_RepairTimeline_ofDuplicates(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	note := func(id string) {
		given[repair.Event](s, repairStream(id), repair.Noted{Step: repair.Step{At: at(3, 9), Note: secret("note")}})
	}
	for _, id := range []string{"R1", "R2", "R3"} { // 1, 2, 3
		given[repair.Event](s, repairStream(id), repair.Reported{At: at(2, 9), Property: "H1", Path: []string{"hall"}, Tree: "1"})
	}
	note("R2")                                                                                      // 4
	given[repair.Event](s, "repair-R1", repair.Merged{Step: repair.Step{At: at(3, 9)}, Into: "R2"}) // 5
	note("R2")                                                                                      // 6
	given[repair.Event](s, "repair-R2", repair.Merged{Step: repair.Step{At: at(3, 9)}, Into: "R3"}) // 7
	note("R3")                                                                                      // 8
	given[repair.Event](s, "repair-R3", repair.Merged{Step: repair.Step{At: at(3, 9)}, Into: "R1"}) // 9: a circle
	given[repair.Event](s, "repair-R1", repair.Parted{Step: repair.Step{At: at(3, 9)}, From: "R2"}) // 10
	note("R2")                                                                                      // 11
	note("R3")                                                                                      // 12
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		for known, want := range map[int64]string{
			1: "R1@1", 4: "R1@1", 6: "R1@1 R1@5 R2@6", 8: "R1@1 R1@5 R2@6 R2@7 R3@8",
			0: "R1@1 R1@5 R2@6 R2@7 R3@8 R3@9 R1@10",
		} {
			lines, err := r.RepairTimeline("R1", position(known))
			s.must(err)
			got := ""
			for _, l := range lines {
				got += fmt.Sprintf(" %s@%d", l.Repair, number(l.Position))
			}
			if got != " "+want {
				t.Errorf("known at %d: got%s, want %s", known, got, want)
			}
		}
		if _, err := r.RepairTimeline("R3", position(2)); !errors.Is(err, ErrNotFound) {
			t.Errorf("before the report: got %v", err)
		}
		merged, err := r.MergedInto("R3")
		s.must(err)
		if diff := gocmp.Diff([]string{"R2"}, merged); diff != "" {
			t.Errorf("merged into R3: %s", diff)
		}
		return nil
	})
}

// Money and repairs of a tenancy are in the order of the log, and pages lose nothing.
func TestReader_TenancyTimeline(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	s.works()
	given[rent.Event](s, account("T1"), paid("P7", "2026-01-02", 100)) // recorded last, counts first
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		whole, err := r.TenancyTimeline("T1", eventstore.Position{}, 1000)
		s.must(err)
		if n := len(whole); n != 10+38 || whole[n-1].Rent == nil || whole[n-1].Rent.Entry != "P7" || whole[n-1].On != date("2026-01-02") {
			t.Errorf("got %d items, the last %+v", n, whole[n-1])
		}
		if !slices.IsSortedFunc(whole, func(a, b TimelineItem) int { return a.Position.Compare(b.Position) }) {
			t.Error("they are not in the order of the log")
		}
		for most := 1; most < 12; most++ {
			var paged []TimelineItem
			for after := (eventstore.Position{}); ; after = paged[len(paged)-1].Position {
				page, err := r.TenancyTimeline("T1", after, most)
				s.must(err)
				paged = append(paged, page...)
				if len(page) < most {
					break
				}
			}
			if diff := gocmp.Diff(whole, paged); diff != "" {
				t.Fatalf("in pages of %d (-whole +paged):\n%s", most, diff)
			}
		}
		return nil
	})
}

// What somebody wrote reads as erased once the key is gone and the views are built again.
func TestReader_Repair_erased(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	s.works()
	v := s.open()
	s.catchUp(v)
	check := func(when string, repairs, contacts, hazards bool) {
		t.Helper()
		s.read(v, func(r *Reader) error {
			one, err := r.Repair("R1")
			s.must(err)
			lines, err := r.RepairTimeline("R1", eventstore.Position{})
			s.must(err)
			danger, err := r.Hazard("Z1")
			s.must(err)
			company, err := r.Contractor("C1")
			s.must(err)
			if one.Description.Erased != repairs || one.Availability.Erased != repairs || lines[0].Said.Erased != repairs ||
				one.Contact.Erased != contacts || danger.Description.Erased != hazards || company.Email.Erased != hazards {
				t.Errorf("%s: got %+v, %+v, %+v, %+v", when, one, lines[0], danger.Description, company.Email)
			}
			return nil
		})
	}
	check("before", false, false, false)
	s.keys.set(map[string]bool{"person-P1": true}, nil)
	given[repair.Event](s, "repair-R1", repair.Noted{Step: repair.Step{At: at(10, 9), Note: secret("late")}})
	s.catchUp(v)
	check("until it is rebuilt", false, false, false)
	s.must(v.Rebuild(t.Context(), nil))
	check("the contact", false, true, false)
	s.keys.set(map[string]bool{"repair-R1": true, "hazard-Z1": true, "contractor-C1": true}, nil)
	s.must(v.Rebuild(t.Context(), nil))
	check("all but the contact", true, false, true)
}

// Every list is found by an index that has it in its order. What must be sorted is what a place, a
// tenancy or a step has, not all that there is. PostgreSQL goes by the size of tables, and is not asked.
func TestReader_Repairs_byIndex(t *testing.T) {
	if on() == "postgres" {
		return
	}
	t.Parallel()
	s := newScene(t)
	v := s.open()
	sorted := []string{"block", "block_open", "tenant", "new", "emergencies"}
	s.read(v, func(r *Reader) error {
		for name, f := range boardFilters() {
			q, err := f.query(repairColumns)
			s.must(err)
			s.must(r.tx.Query(`EXPLAIN QUERY PLAN `+q.sql, func(row database.Row) error {
				step := row.Text(3)
				if strings.Contains(step, "TEMP B-TREE") && !slices.Contains(sorted, name) ||
					strings.HasPrefix(step, "SCAN repairs") && !strings.Contains(step, "INDEX") {
					t.Errorf("%s: %s", name, step)
				}
				return nil
			}, q.args...))
		}
		return nil
	})
}
