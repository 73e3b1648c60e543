package demo_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/cmd/rentbook/demo"
	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/contractor"
	"rentbook/domain/hazard"
	"rentbook/domain/repair"
	"rentbook/domain/triage"
	"rentbook/eventstore"
)

// works is what a view would know of repairs, read on from where it was read to.
type works struct {
	log         eventstore.Log
	codec       *eventstore.Codec
	after       eventstore.Position
	contractors []domain.ID
	order       []domain.ID
	repairs     map[domain.ID]repair.Repair
}

func (w *works) HasDuplicates(ctx context.Context, id domain.ID) (bool, error) {
	err := w.readOn(ctx)
	for _, r := range w.repairs {
		if r.Into == id {
			return true, err
		}
	}
	return false, err
}

func (w *works) TenancyAt(context.Context, domain.ID, domain.Date) (domain.ID, error) { return "", nil }

func (w *works) readOn(ctx context.Context) error {
	head, err := w.log.Head(ctx)
	if err != nil {
		return err
	}
	if w.repairs == nil {
		w.repairs = map[domain.ID]repair.Repair{}
	}
	for r, err := range eventstore.ReadTo(ctx, w.log, w.after, head) {
		if err != nil {
			return err
		}
		w.after = r.Position
		id := domain.ID(r.Stream.ID())
		switch r.Stream.Category() {
		case contractor.Category:
			if !slices.Contains(w.contractors, id) {
				w.contractors = append(w.contractors, id)
			}
		case repair.Category:
			fact, err := eventstore.Decode[repair.Event](ctx, w.codec, r)
			if err != nil {
				return err
			}
			if !w.repairs[id].Exists() {
				w.order = append(w.order, id)
			}
			w.repairs[id] = w.repairs[id].Apply(fact)
		}
	}
	return nil
}

func (w *works) Contractors(ctx context.Context) ([]commands.Load, error) {
	if err := w.readOn(ctx); err != nil {
		return nil, err
	}
	open := map[domain.ID]int{}
	for _, r := range w.repairs {
		if r.State.Class() == repair.Open {
			open[r.Contractor]++
		}
	}
	var loads []commands.Load
	for _, id := range w.contractors {
		loads = append(loads, commands.Load{Contractor: id, Open: open[id]})
	}
	return loads, nil
}

func (w *works) OpenCommunal(ctx context.Context, property domain.ID, path []string) (domain.ID, error) {
	err := w.readOn(ctx)
	for _, id := range w.order {
		r := w.repairs[id]
		if r.Communal && r.Property == property && r.State.Class() == repair.Open && slices.Equal(r.Path, path) {
			return id, err
		}
	}
	return "", err
}

func (*works) VisitsToRemind(context.Context, time.Time, time.Time) ([]commands.VisitToRemind, error) {
	return nil, nil
}

// repairs are all repairs as the log has them, and the facts of each by name.
func (w world) repairs(t *testing.T) (map[domain.ID]repair.Repair, map[domain.ID][]string) {
	t.Helper()
	states, facts, last := map[domain.ID]repair.Repair{}, map[domain.ID][]string{}, map[domain.ID]time.Time{}
	for _, r := range w.events(t) {
		if r.Stream.Category() == repair.Category {
			id := domain.ID(r.Stream.ID())
			fact := decode[repair.Event](t, w, r)
			states[id] = states[id].Apply(fact)
			facts[id] = append(facts[id], r.Type)
			if when := atOf(t, fact); !when.IsZero() {
				if when.Before(last[id]) {
					t.Errorf("%s: %s is of %s, before what was told before it", id, r.Type, when)
				}
				last[id] = when
			}
		}
	}
	return states, facts
}

// ended are the repairs, each where its story says that it ends.
func (w world) ended(t *testing.T, told demo.Highlights) (map[domain.ID]repair.Repair, map[domain.ID][]string) {
	t.Helper()
	states, facts := w.repairs(t)
	for _, h := range told.Repairs.All {
		r := states[domain.ID(h.Repair)]
		if r.State != h.State || string(r.Tenancy) != h.Tenancy || h.Text == "" {
			t.Errorf("%s is not so: it is %s, of %s", h, r.State, r.Tenancy)
		}
	}
	if len(told.Repairs.All) != len(states) || len(states) < 25 {
		t.Errorf("of %d repairs %d are told of", len(states), len(told.Repairs.All))
	}
	return states, facts
}

// atOf is when a fact counts; zero for one that does not say.
func atOf(t *testing.T, fact repair.Event) time.Time {
	t.Helper()
	var when struct{ At time.Time }
	encoded, err := json.Marshal(fact)
	if err == nil {
		err = json.Unmarshal(encoded, &when)
	}
	if err != nil {
		t.Fatal(err)
	}
	return when.At
}

func TestTell_repairs_end_as_promised(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	told := w.tell(t)
	states, facts := w.ended(t, told)
	seen := map[repair.State]bool{}
	for _, r := range states {
		seen[r.State] = true
	}
	for _, want := range []repair.State{
		repair.StateTriaged, repair.StateAwaitingApproval, repair.StateRaised, repair.StateAccepted, repair.StateScheduled,
		repair.StateNoAccess, repair.StateOnHold, repair.StateMadeSafe, repair.StateCompleted, repair.StateConfirmed, repair.StateDisputed,
		repair.StateClosed, repair.StateCancelled, repair.StateNotResponsible, repair.StateDuplicate,
	} {
		if !seen[want] {
			t.Errorf("none is %s", want)
		}
	}
	for id, want := range map[domain.ID]string{
		"R1": "access-failed disputed reopened confirmed", "R5": "disputed reopened", "R13": "waiting-for-parts",
		"R14": "variation-requested", "R15": "visit-missed", "R20": "approval-requested approved visit-booked", "R21": "nobody-fits",
		"R22": "assigned handed-back assigned accepted",
	} {
		if got := strings.Join(facts[id], " "); !holdsInOrder(got, strings.Fields(want)) {
			t.Errorf("%s: want %s in %s", id, want, got)
		}
	}
}

func holdsInOrder(all string, parts []string) bool {
	for _, part := range parts {
		_, rest, found := strings.Cut(all, "repair."+part+".v1")
		if !found {
			return false
		}
		all = rest
	}
	return true
}

func TestTell_repairs_belong_together(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	told := w.tell(t)
	r, _ := w.repairs(t)
	now := w.handler.Now()
	visit, stands := r[demo.Scheduled].Visit()
	for rule, holds := range map[string]bool{
		"the visit of the tour is to come": stands && visit.From.After(now) && string(visit.Contractor) == told.Repairs.Visit.Contractor &&
			domain.DateOf(visit.From.In(w.handler.Local())) == told.Repairs.Visit.On,
		"the tour's tenant has two of them": r[demo.WholeStory].Tenancy == r[demo.Scheduled].Tenancy &&
			string(r[demo.Scheduled].Tenancy) == told.About(demo.Corrected).Account,
		"two are the same lift":                     r["R27"].Into == "R26" && r["R28"].Into == "R26" && r["R26"].Communal && r["R26"].Property == "B2",
		"a recall is linked both ways":              r["R10"].RecallOf == "R9" && slices.Contains(r["R9"].Links, "R10"),
		"what is handed back goes to the next firm": slices.Equal(r["R22"].HandedBack, []domain.ID{"C1"}) && r["R22"].Contractor == "C6",
		"nobody goes to Belgium":                    r["R21"].Contractor == "" && strings.HasPrefix(r["R21"].Routing, "Nobody fits"),
		"an approval is for more than the limit":    r["R19"].Cost.Minor > 50000 && r["R20"].Cost.Minor > 50000,
		"whose repair it is not gets advice":        r["R24"].Advice != "" && r["R25"].Advice != "",
		"a leaseholder is told so":                  r["R25"].Outcome == repair.OutcomeLeaseholder && r["R24"].Outcome == repair.OutcomeTenant,
		"more work waits for an answer":             r["R14"].Variation != nil,
		"mould is a hazard":                         r["R29"].Hazard == "R29:hazard",
	} {
		if !holds {
			t.Errorf("it is not so: %s", rule)
		}
	}
	for id, state := range r {
		if state.ReportedAt.After(now) || state.LastAt.After(now) || state.ReportedAt.Before(told.Repairs.From.Time()) {
			t.Errorf("%s is of %s to %s", id, state.ReportedAt, state.LastAt)
		}
	}
}

func TestTell_has_two_hazards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tell(t)
	states := map[string]hazard.Hazard{}
	for _, r := range w.events(t) {
		if r.Stream.Category() == hazard.Category {
			states[r.Stream.ID()] = states[r.Stream.ID()].Apply(decode[hazard.Event](t, w, r))
		}
	}
	mould, panel := states["R29:hazard"], states[demo.Panel]
	if len(states) != 2 || mould.State != hazard.StateRecognised || mould.Channel != hazard.Portal || mould.Kind != "damp_mould" {
		t.Errorf("there are %d hazards; the mould is %+v", len(states), mould)
	}
	if panel.State != hazard.StateSafe || panel.Channel != hazard.Call || panel.InvestigatedAt.IsZero() || panel.SummarySentAt.IsZero() {
		t.Errorf("the panel is %+v", panel)
	}
}

func TestTell_contractors_do_every_trade_at_known_prices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.tell(t)
	firms := map[string]contractor.Contractor{}
	for _, r := range w.events(t) {
		if r.Stream.Category() == contractor.Category {
			firms[r.Stream.ID()] = firms[r.Stream.ID()].Apply(decode[contractor.Event](t, w, r))
		}
	}
	today := w.handler.Today()
	for _, code := range triage.Default().Codes() {
		if !slices.ContainsFunc(slices.Collect(maps.Values(firms)), func(c contractor.Contractor) bool {
			_, _, priced := c.PricesOn(today).Price(code.Code)
			return priced && c.DoesTrade(code.Trade)
		}) {
			t.Errorf("nobody does %s at a price", code.Code)
		}
	}
	known := map[string]bool{}
	for _, code := range triage.Default().Codes() {
		known[code.Trade] = true
	}
	for id, c := range firms {
		for _, trade := range c.Trades() {
			if !known[trade] {
				t.Errorf("%s does %s, of which there is no code", id, trade)
			}
		}
	}
}

// The days are those of the telling; what happened, in which order and to what is not.
func TestTell_repairs_are_the_same_on_every_day(t *testing.T) {
	t.Parallel()
	var want []string
	for _, now := range []string{
		"2026-11-22T09:00:00Z", // a Sunday
		"2026-11-25T14:37:21Z", // a Wednesday
		"2026-12-26T00:00:05Z", // holidays
		"2027-03-29T07:59:59Z", // the clocks have just gone forward
		"2026-11-27T17:00:00Z", // a Friday, when the last window is over
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorldAt(t, at)
		w.tell(t)
		var got []string
		for _, r := range w.events(t) {
			switch category := r.Stream.Category(); category {
			case contractor.Category, repair.Category, hazard.Category:
				got = append(got, string(r.Stream.ID())+" "+r.Type)
			case "diary": // whose streams are days
				got = append(got, r.Type)
			}
		}
		if want == nil {
			want = got
		}
		if len(got) < 200 {
			t.Errorf("told at %s there are %d facts", now, len(got))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("told at %s it differs (-want +got):\n%s", now, diff)
		}
	}
}

// failing knows nothing any more after some questions.
type failing struct {
	*works

	left int
}

func (f *failing) Contractors(ctx context.Context) ([]commands.Load, error) {
	if f.left--; f.left < 0 {
		return nil, errors.New("the views are gone")
	}
	return f.works.Contractors(ctx)
}

// Whatever was told on the first day stays as it was told then.
func TestTell_goes_on_on_another_day_where_it_was_interrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.handler.Config
	config.Scheduler, config.Repairs = nil, &failing{&works{log: w.log, codec: config.Codec}, 12}
	_, err := demo.Tell(t.Context(), commands.New(config), commands.Meta{Actor: commands.Actor{ID: "cli", Role: commands.RoleOperator}})
	if err == nil {
		t.Fatal("it was not interrupted")
	}
	before := w.events(t)
	later := w.handler.Now().Add(30 * time.Hour)
	config = w.handler.Config
	config.Scheduler, config.Now = nil, func() time.Time { return later }
	w.handler = commands.New(config)
	states, _ := w.ended(t, w.tell(t))
	if after := w.events(t); len(states) < 25 || len(after) <= len(before) {
		t.Errorf("there are %d repairs, and %d events after %d", len(states), len(after), len(before))
	}
}
