package projections

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/contractor"
	"rentbook/domain/hazard"
	"rentbook/domain/property"
	"rentbook/domain/repair"
	"rentbook/eventstore"
)

// What commands ask, asked again of every repair.
func TestViews_ports(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, id := range []string{"C1", "C3", "C9"} {
		given(s, eventstore.NewStream(contractor.Category, id), plumbers()...)
	}
	all := s.lives(40, 300, chance(11))
	v := s.open() // the ports bring it to the head themselves
	loads, err := v.Contractors(t.Context())
	s.must(err)
	want := []ContractorLoad{{"C1", 0}, {"C3", 0}, {"C9", 0}}
	oldest := map[string]*life{}
	var visits []VisitToRemind
	from, to := at(5, 0), at(20, 0)
	for _, l := range all {
		open := l.State.Class() == repair.Open
		for i := range want {
			if open && l.Contractor == want[i].ID {
				want[i].Open++
			}
		}
		key := string(l.Property) + pathValue(l.Path)
		if open && l.Communal && (oldest[key] == nil || l.ReportedAt.Before(oldest[key].ReportedAt)) {
			oldest[key] = l
		}
		visit, stands := l.Visit()
		if stands && visit.Status == repair.VisitIsBooked && !visit.Reminded && !visit.From.Before(from) && visit.From.Before(to) {
			visits = append(visits, VisitToRemind{domain.ID(l.id), visit.ID, visit.From})
		}
	}
	if diff := gocmp.Diff(want, loads); diff != "" || want[0].Open == 0 {
		t.Errorf("contractors (-want +got):\n%s", diff)
	}
	for _, path := range [][]string{{"stairs", "light"}, {"stairs", "door"}} {
		found, err := v.OpenCommunal(t.Context(), "B0", path)
		s.must(err)
		var want domain.ID
		if l := oldest["B0"+pathValue(path)]; l != nil {
			want = domain.ID(l.id)
		}
		if found != want || (path[1] == "light") != (found != "") {
			t.Errorf("open communal repair of %v: got %q, want %q", path, found, want)
		}
	}
	slices.SortFunc(visits, func(a, b VisitToRemind) int { return a.From.Compare(b.From) })
	got, err := v.VisitsToRemind(t.Context(), from, to, 100)
	s.must(err)
	if diff := gocmp.Diff(visits, got); diff != "" || len(got) < 2 {
		t.Errorf("visits to remind (-want +got):\n%s", diff)
	}
	if got, err = v.VisitsToRemind(t.Context(), from, to, 1); err != nil || len(got) != 1 || got[0] != visits[0] {
		t.Errorf("the first to remind: got %v, %v", got, err)
	}
}

// A day is that of where the repair is, and visits that were moved are where they were moved to.
func TestReader_Diary(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	late := time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC) // half past midnight in London
	step := repair.Step{At: at(2, 9)}
	given[repair.Event](s, "repair-R1",
		repair.Reported{At: at(2, 9), Property: "H1", Path: []string{"hall"}, Tree: "1"},
		repair.Triaged{Step: step, Outcome: repair.OutcomeLandlord, Targets: []clock.Target{days(clock.Completion, 28)}},
		repair.VisitBooked{Step: step, Visit: "V1", Contractor: "C1", Slot: "S1", From: late.Add(-240 * time.Hour), To: late},
		repair.VisitRearranged{Step: step, Visit: "V1", By: repair.Tenant, Slot: "S2", From: late, To: late.Add(time.Hour)})
	given[repair.Event](s, "repair-R2",
		repair.Reported{At: at(2, 9), Property: "H1", Path: []string{"hall"}, Tree: "1"},
		repair.VisitBooked{Step: step, Visit: "V2", Contractor: "C1", Slot: "S1", From: late.Add(-time.Hour), To: late},
		repair.VisitLost{At: at(2, 9), Visit: "V2", Slot: "S1"},
		repair.Assigned{Step: step, Contractor: "C1"},
		repair.VisitStarted{Step: repair.Step{At: late.Add(2 * time.Hour)}})
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		for days, want := range map[string]string{
			"2026-07-01 2026-07-01": "R2/1 lost", "2026-07-02 2026-07-02": "R1/1 booked, R2/2 attending",
			"2026-07-01 2026-07-02": "R2/1 lost, R1/1 booked, R2/2 attending", "2026-06-21 2026-06-22": "",
		} {
			visits, err := r.Diary("C1", date(days[:10]), date(days[11:]))
			s.must(err)
			got := ""
			for _, visit := range visits {
				got += fmt.Sprintf(", %s/%d %s", visit.Repair, visit.Number, visit.Status)
			}
			if got != "" {
				got = got[2:]
			}
			if got != want {
				t.Errorf("%s: got %q, want %q", days, got, want)
			}
		}
		return nil
	})
}

// The days of visits follow the zone that a later triage gives, in whichever batch it comes.
func TestViews_visitsFollowTheZone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	late := time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC)
	v := s.open()
	given[repair.Event](s, "repair-R1",
		repair.Reported{At: at(2, 9), Property: "H1", Path: []string{"hall"}, Tree: "1"},
		repair.VisitBooked{Step: repair.Step{At: at(2, 9)}, Visit: "V1", Contractor: "C1", From: late, To: late.Add(time.Hour)})
	s.catchUp(v)
	given[repair.Event](s, "repair-R1", repair.Triaged{
		Step: repair.Step{At: at(2, 9)}, Outcome: repair.OutcomeLandlord, Targets: []clock.Target{days(clock.Completion, 28)},
	})
	s.catchUp(v)
	before := s.dump(v)
	s.must(v.Rebuild(t.Context(), nil))
	if diff := gocmp.Diff(before, s.dump(v)); diff != "" {
		t.Errorf("after a rebuild:\n%s", diff)
	}
}

// Performance is counted again from the repairs themselves.
func TestReader_Performance(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	all := s.lives(80, 600, chance(5))
	for i, l := range all {
		if before := len(l.facts); i%4 > 0 {
			l.finish()
			if l.State == repair.StateCompleted && i%8 == 1 {
				l.act(repair.Recall, repair.Manager, "token-manager")
			}
			s.live(l, before)
		}
	}
	v := s.open()
	s.catchUp(v)
	zone, err := time.LoadLocation("Europe/London")
	s.must(err)
	now := at(30, 0)
	for _, days := range [][2]domain.Date{{date("2026-11-01"), date("2027-12-31")}, {date("2026-11-10"), date("2026-11-20")}, {1, 2}} {
		want := Performance{From: days[0], To: days[1]}
		var took []time.Duration
		for _, l := range all {
			countPerformance(&want, l, now, zone, &took)
		}
		slices.Sort(took)
		if n := len(took); n > 0 {
			var sum time.Duration
			for _, d := range took {
				sum += d
			}
			want.MeanToFix, want.MedianToFix = sum/time.Duration(n), (took[(n-1)/2]+took[n/2])/2
		}
		s.read(v, func(r *Reader) error {
			got, err := r.Performance(days[0], days[1], now, zone)
			s.must(err)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if days[1] > date("2027-01-01") && (got.Emergency.Of == 0 || got.NonEmergency.Of == 0 || got.NoAccess == 0 ||
				got.FirstVisit.Count == 0 || got.FirstVisit.Count == got.FirstVisit.Of || got.Overdue == 0) {
				t.Errorf("too little to show anything: %+v", got)
			}
			return nil
		})
	}
}

// countPerformance is what one repair adds.
func countPerformance(p *Performance, l *life, now time.Time, zone *time.Location, took *[]time.Duration) {
	in := func(at time.Time) bool {
		day := domain.DateOf(at.In(zone))
		return p.From <= day && day <= p.To
	}
	attended := 0
	for _, visit := range l.Visits {
		if visit.Status == repair.VisitAttended {
			attended++
		}
		if visit.Status == repair.VisitNoAccess && in(visit.From) {
			p.NoAccess++
		}
	}
	completion, known := l.Clock(clock.Completion)
	if l.State.Class() == repair.Open {
		p.Open++
		if known && completion.MetAt.IsZero() && completion.At(now).Breached {
			p.Overdue++
		}
	}
	if l.State.Class() != repair.Resolved || !in(l.CompletedAt) || !l.Outcome.Ours() {
		return
	}
	recalled := slices.ContainsFunc(l.facts, func(e repair.Event) bool { _, is := e.(repair.Recalled); return is })
	p.Completed++
	*took = append(*took, l.CompletedAt.Sub(l.ReportedAt))
	if known {
		share := &p.NonEmergency
		if l.Priority == repair.Emergency {
			share = &p.Emergency
		}
		share.add(!completion.At(now.AddDate(10, 0, 0)).Breached)
	}
	p.FirstVisit.add(attended == 1 && l.Reopened == 0 && !recalled)
	p.StraightThrough.add(!l.ByHand)
	p.Reopened.add(l.Reopened > 0)
	p.Recalled.add(recalled)
}

func TestDurations(t *testing.T) {
	t.Parallel()
	if m := mean(nil) + median(nil); m != 0 {
		t.Errorf("of nothing: %s", m)
	}
	years := []time.Duration{1 << 62, 1 << 62, 1<<62 + 3}
	if m := mean(years); m != 1<<62+1 {
		t.Errorf("mean of 146 years: %s", m)
	}
	if m := median([]time.Duration{5, 1, 1 << 62, 9}); m != 7 {
		t.Errorf("median: %d", m)
	}
}

// What was set of a contractor reads as it was set last.
func TestReader_Contractor(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	facts := plumbers()
	prices := facts[1].(contractor.PricesSet)
	prices.Contract, prices.To = "K0", 0
	second := facts[0].(contractor.Described)
	second.Trades, second.Areas, second.Retired = []string{"roofing"}, nil, true
	given(s, "contractor-C1", append(facts, prices, second)...)
	given(s, "contractor-C2", facts[0])
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		got, err := r.Contractor("C1")
		s.must(err)
		if diff := gocmp.Diff(Contractor{ID: "C1", Version: 5, Described: second}, got); diff != "" {
			t.Errorf("the contractor (-want +got):\n%s", diff)
		}
		list, err := r.ContractorPrices("C1")
		s.must(err)
		if diff := gocmp.Diff([]ContractorPrices{{prices, 4}, {facts[1].(contractor.PricesSet), 2}}, list); diff != "" {
			t.Errorf("its prices (-want +got):\n%s", diff)
		}
		when, err := r.ContractorAvailability("C1")
		s.must(err)
		if diff := gocmp.Diff(ContractorAvailability{facts[2].(contractor.AvailabilitySet), 3}, when); diff != "" {
			t.Errorf("its availability (-want +got):\n%s", diff)
		}
		all, err := r.Contractors("", 10)
		s.must(err)
		rest, err := r.Contractors("C1", 10)
		s.must(err)
		if len(all) != 2 || len(rest) != 1 || rest[0].ID != "C2" || rest[0].Trades[1] != "heating" {
			t.Errorf("all: got %+v, after the first %+v", all, rest)
		}
		if _, err := r.Contractor("C3"); !errors.Is(err, ErrNotFound) {
			t.Errorf("no contractor: got %v", err)
		}
		if _, err := r.ContractorAvailability("C2"); !errors.Is(err, ErrNotFound) {
			t.Errorf("no availability: got %v", err)
		}
		return nil
	})
}

// The board has what is due first before what is due later, and what has no duty left at the end.
func TestReader_Hazards(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.homes()
	var all []hazard.Hazard
	for i := range 12 {
		facts := []hazard.Event{hazard.Recognised{
			Property: domain.ID(fmt.Sprintf("H%d", i%4)), Tenancy: domain.ID(fmt.Sprintf("T%d", i%4)), Kind: "fire",
			Grade: hazard.Grades()[i%2], AwareAt: at(1+i*7%12, 9), Channel: hazard.Portal, Description: secret("smoke"),
			Targets: []clock.Target{days(clock.Investigate, 10), hours(clock.EmergencyMakeSafe, 24*(1+i%3))},
		}}
		if i%3 == 0 {
			facts = append(facts, hazard.WorkCompleted{Step: hazard.Step{At: at(20, 9)}})
		}
		if i%3 == 1 {
			facts = append(facts, hazard.Investigated{Step: hazard.Step{At: at(20, 9)}, Finding: hazard.None},
				hazard.Closed{Step: hazard.Step{At: at(20, 10)}})
		}
		given(s, eventstore.NewStream(hazard.Category, fmt.Sprintf("Z%02d", i)), facts...)
		all = append(all, domain.Fold[hazard.Hazard](facts...))
	}
	v := s.open()
	s.catchUp(v)
	for _, f := range []HazardFilter{
		{},
		{Open: true},
		{Open: true, Grade: "emergency"},
		{State: "closed"},
		{Block: "E0"},
		{Block: "B1", Open: true},
		{Tenancies: []string{"T1", "T2"}, Open: true},
		{Tenancies: []string{}},
		{Grade: "significant", State: "recognised"},
	} {
		s.hazards(v, f, all)
	}
}

func (s *scene) hazards(v *Views, f HazardFilter, all []hazard.Hazard) {
	s.Helper()
	want, got := []string{}, []string{}
	for i, h := range all {
		id := fmt.Sprintf("Z%02d", i)
		if (f.Grade == "" || f.Grade == string(h.Grade)) && (f.State == "" || f.State == string(h.State)) &&
			(f.Block == "" || within(string(h.Property), f.Block)) && (!f.Open || h.State != hazard.StateClosed) &&
			(f.Tenancies == nil || slices.Contains(f.Tenancies, string(h.Tenancy))) {
			want = append(want, id)
		}
	}
	slices.SortFunc(want, func(a, b string) int {
		var i, j int
		_, _ = fmt.Sscanf(a+" "+b, "Z%d Z%d", &i, &j)
		if !f.Open {
			return all[j].AwareAt.Compare(all[i].AwareAt)
		}
		first := func(h hazard.Hazard) time.Time {
			due := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
			for _, reading := range h.Readings(at(30, 0)) {
				if reading.MetAt.IsZero() && reading.DueAt.Before(due) {
					due = reading.DueAt
				}
			}
			return due
		}
		if c := first(all[i]).Compare(first(all[j])); c != 0 {
			return c
		}
		return i - j
	})
	s.read(v, func(r *Reader) error {
		for f.Most = 2; ; {
			page, next, err := r.Hazards(f)
			s.must(err)
			for _, h := range page {
				got = append(got, h.ID)
			}
			if f.After = next; next == "" {
				return nil
			}
		}
	})
	if diff := gocmp.Diff(want, got); diff != "" {
		s.Errorf("%+v (-want +got):\n%s", f, diff)
	}
}

func TestReader_PropertiesAbove(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.homes()
	for id, parent := range map[string]string{"X1": "X2", "X2": "X3", "X3": "X1"} { // commands refuse it; a log may say anything
		given[property.Event](s, eventstore.NewStream(property.Category, id), property.Described{Kind: "home", Parent: domain.ID(parent), Address: "1 High Street", Postcode: "AB1 2CD"})
	}
	s.works()
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		for id, want := range map[string][]string{
			"H0": {"H0", "B0", "E0"}, "H1": {"H1"}, "E0": {"E0"}, "nowhere": {"nowhere"}, "X1": {"X1", "X2", "X3"},
		} {
			got, err := r.PropertiesAbove(id)
			s.must(err)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", id, diff)
			}
		}
		photos, err := r.RepairOfPhoto("F1")
		s.must(err)
		linked, err := r.HazardsOfRepair("R2")
		s.must(err)
		unlinked, err := r.HazardsOfRepair("R1")
		s.must(err)
		if !slices.Equal(photos, []string{"R1"}) || !slices.Equal(linked, []string{"Z1"}) || len(unlinked) != 0 {
			t.Errorf("got %v, %v, %v", photos, linked, unlinked)
		}
		if _, _, err := r.Repairs(RepairFilter{Block: "X1"}); err != nil {
			t.Errorf("a ring of properties: %v", err)
		}
		return nil
	})
}
