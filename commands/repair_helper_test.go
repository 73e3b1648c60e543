package commands_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/contractor"
	"rentbook/domain/repair"
	"rentbook/domain/triage"
	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
)

// estate is books with homes, tenants and contractors, at a time that passes when it is told to. H1
// and H2 are in the block B1; P1 and P2 are joint tenants of H1 (T1), P3 is the tenant of H2 (T2). It
// begins on Monday 23 November 2026 at nine.
type estate struct {
	books
	now    *moving
	photos photos
	open   *openRepairs
}

// moving is a clock that moves when it is told to.
type moving struct {
	mu  sync.Mutex
	now time.Time
}

func (m *moving) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *moving) pass(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

func (m *moving) until(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = at
}

// instant is an instant of the days after the estate begins, in UTC, "11-24 08:30".
func instant(s string) time.Time {
	at, err := time.Parse("2006-01-02 15:04", "2026-"+s)
	if err != nil {
		panic(err)
	}
	return at
}

// photos are the uploaders of photos.
type photos map[domain.ID]string

func (p photos) UploadedBy(_ context.Context, photo domain.ID) (string, error) { return p[photo], nil }

func newEstate(t testing.TB) *estate {
	t.Helper()
	e := bareEstate(t)
	for _, c := range []struct{ id, trade string }{
		{"plumber", "plumbing"}, {"plumber2", "plumbing"}, {"heater", "heating"}, {"carpenter", "carpentry"}, {"electrician", "electrical"},
	} {
		e.hire(t, c.id, c.trade)
	}
	e.prices(t, "plumber", "40.00")
	return e
}

// bareEstate has nobody who could repair anything.
func bareEstate(t testing.TB) *estate {
	t.Helper()
	b := newBooks(t)
	e := &estate{books: b, now: &moving{now: instant("11-23 09:00")}, photos: photos{}, open: &openRepairs{log: b.log, vault: b.vault}}
	e.Handler = e.at(b.log, nil)
	for _, p := range []commands.PutProperty{
		{Property: "B1", Kind: "block", Address: "Harbour Court", Postcode: "LN1 1AA", Locality: "Lincoln"},
		{Property: "H1", Kind: "home", Parent: "B1", Address: "1 Harbour Court", Postcode: "LN1 1AA", Locality: "Lincoln"},
		{Property: "H2", Kind: "home", Parent: "B1", Address: "2 Harbour Court", Postcode: "LN1 1AA", Locality: "Lincoln"},
	} {
		_, err := e.PutProperty(t.Context(), manager(), p)
		check(t, err)
	}
	for _, c := range []commands.PutTenancy{
		{Tenancy: "T1", Property: "H1", Kind: "secure", StartsOn: "2026-01-01", Currency: "GBP"},
		{Tenancy: "T2", Property: "H2", Kind: "assured", StartsOn: "2026-01-01", Currency: "GBP"},
	} {
		_, err := e.PutTenancy(t.Context(), manager(), c)
		check(t, err)
	}
	for _, c := range []commands.PutTenant{
		{Tenancy: "T1", Person: "P1", Name: "Ada", LiableFrom: "2026-01-01"},
		{Tenancy: "T1", Person: "P2", Name: "Ben", LiableFrom: "2026-01-01"},
		{Tenancy: "T2", Person: "P3", Name: "Cy", LiableFrom: "2026-01-01"},
	} {
		_, err := e.PutTenant(t.Context(), manager(), c)
		check(t, err)
	}
	return e
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at is another handler of the estate, over a store that may misbehave, perhaps changed.
func (e *estate) at(store eventstore.Store, change func(*commands.Config)) *commands.Handler {
	c := commands.Config{
		Store: store, Log: e.log, Codec: commands.Codec(e.vault), Portfolio: scan{e.log}, Repairs: e.open, Photos: e.photos,
		Now: e.now.Now, Zone: time.UTC,
	}
	if change != nil {
		change(&c)
	}
	return commands.New(c)
}

// hire makes a contractor of one trade, who can come twice each weekday and has no prices.
func (e *estate) hire(t testing.TB, id, trade string) {
	t.Helper()
	_, err := e.PutContractor(t.Context(), manager(), commands.PutContractor{Contractor: id, Name: id + " Ltd", Trades: []string{trade}})
	check(t, err)
	_, err = e.PutAvailability(t.Context(), manager(), commands.PutAvailability{Contractor: id, Windows: weekly(1)})
	check(t, err)
}

// weekly are two windows of each weekday, for so many visits.
func weekly(capacity int) []contractor.Window {
	var windows []contractor.Window
	for _, day := range contractor.Weekdays()[:5] {
		windows = append(windows, contractor.Window{Day: day, From: "08:00", To: "12:00", Capacity: capacity},
			contractor.Window{Day: day, From: "12:00", To: "17:00", Capacity: capacity})
	}
	return windows
}

// prices gives a contractor one price for all codes of the tree, in a contract of its own.
func (e *estate) prices(t testing.TB, id, price string) {
	t.Helper()
	c := commands.PutPrices{Contractor: id, Contract: "at-" + price, From: "2026-01-01", Currency: "GBP"}
	for _, code := range triage.Default().Codes() {
		c.Prices = append(c.Prices, commands.CodePrice{Code: code.Code, Price: price})
	}
	_, err := e.PutPrices(t.Context(), manager(), c)
	check(t, err)
}

const (
	tuesday      = "2026-11-24.0800-1200"
	tuesdayLate  = "2026-11-24.1200-1700"
	wednesday    = "2026-11-25.0800-1200"
	wednesdayPM  = "2026-11-25.1200-1700"
	thursday     = "2026-11-26.0800-1200"
	soLong       = "the tap drips"
	plumber      = domain.ID("plumber")
	otherPlumber = domain.ID("plumber2")
)

func tenantIs(person string) commands.Meta {
	return commands.Meta{Actor: commands.Actor{ID: "session-" + person, Role: commands.RoleTenant, OnBehalfOf: person}}
}

func contractorIs(id domain.ID) commands.Meta {
	return commands.Meta{Actor: commands.Actor{ID: "token-" + string(id), Role: commands.RoleContractor, Contractor: id}}
}

func secondManager() commands.Meta {
	return commands.Meta{Actor: commands.Actor{ID: "token-9", Role: commands.RoleManager}}
}

func auditor() commands.Meta {
	return commands.Meta{Actor: commands.Actor{ID: "token-8", Role: commands.RoleAuditor}}
}

// way is the first way of the shipped tree whose outcome fits.
func way(t testing.TB, fits func(triage.Outcome) bool) triage.Leaf {
	t.Helper()
	for leaf := range triage.Default().Leaves() {
		if fits(leaf.Outcome) {
			return leaf
		}
	}
	t.Fatal("the tree has no such way")
	return triage.Leaf{}
}

// tap is a plumber's work without a danger.
func tap(t testing.TB) triage.Leaf {
	return way(t, func(o triage.Outcome) bool {
		return o.Kind == triage.Landlord && o.Trade == "plumbing" && o.Hazard == "" && len(o.SOR) == 1
	})
}

// report is the report of a way by tenancy T1.
func report(id string, leaf triage.Leaf) commands.ReportRepair {
	c := commands.ReportRepair{Repair: id, Tenancy: "T1", Path: leaf.Path, Description: soLong}
	if len(leaf.Answers) > 0 {
		c.Answers = map[string]string{}
	}
	for _, a := range leaf.Answers {
		c.Answers[a.Question] = a.Answer
	}
	return c
}

// mustReport reports, and once more.
func (e *estate) mustReport(t testing.TB, m commands.Meta, c commands.ReportRepair) commands.RepairReceipt {
	t.Helper()
	first, err := e.ReportRepair(t.Context(), m, c)
	if err != nil {
		t.Fatalf("report %s: %v", c.Repair, err)
	}
	again, err := e.ReportRepair(t.Context(), m, c)
	sameReceipt(t, "report "+c.Repair, first.Receipt, again.Receipt, err)
	return first
}

// mustAct acts, and once more, and tries another body under the same id.
func (e *estate) mustAct(t testing.TB, m commands.Meta, c commands.ActOnRepair) commands.RepairReceipt {
	t.Helper()
	first, err := e.ActOnRepair(t.Context(), m, c)
	if err != nil {
		t.Fatalf("%s %s: %v", c.Action, c.Repair, err)
	}
	if first.ID != domain.ID(c.Repair) || !first.Repair.Exists() {
		t.Fatalf("%s %s: answered with repair %q, %+v", c.Action, c.Repair, first.ID, first.Repair)
	}
	m.Expect = nil
	again, err := e.ActOnRepair(t.Context(), m, c)
	sameReceipt(t, c.Action+" "+c.Repair, first.Receipt, again.Receipt, err)
	c.Note += " and more"
	if _, err := e.ActOnRepair(t.Context(), m, c); !errors.Is(err, domain.ErrDifferent) {
		t.Errorf("%s %s with another body: got %v, want %v", c.Action, c.Repair, err, domain.ErrDifferent)
	}
	return first
}

func sameReceipt(t testing.TB, what string, first, again commands.Receipt, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s again: %v", what, err)
	}
	first.Replayed = true
	if diff := cmp.Diff(first, again); diff != "" {
		t.Fatalf("%s again (-want +got):\n%s", what, diff)
	}
}

// repair is the fold of a repair as the log has it.
func (e *estate) repair(t testing.TB, id domain.ID) repair.Repair {
	t.Helper()
	all, err := e.open.repairs(t.Context())
	check(t, err)
	return all[id].Repair
}

func wantState(t testing.TB, r repair.Repair, want repair.State) {
	t.Helper()
	if r.State != want {
		t.Fatalf("the repair is %s, want %s", r.State, want)
	}
}

// freeAt says whether a window of a contractor is offered.
func (e *estate) freeAt(t testing.TB, h *commands.Handler, of domain.ID, slot string) bool {
	t.Helper()
	found, err := h.Scheduler.Slots(t.Context(), commands.SlotsWanted{
		Contractor: of, From: e.now.Now(), To: e.now.Now().Add(28 * 24 * time.Hour), Most: 1000,
	})
	check(t, err)
	return slices.ContainsFunc(found, func(s commands.Slot) bool { return s.ID == domain.ID(slot) })
}

// openRepairs answers what commands ask across repairs by reading the log on.
type openRepairs struct {
	log   *sqlite.Log
	vault eventstore.Sealer

	mu          sync.Mutex
	after       eventstore.Position
	all         map[domain.ID]reportedRepair
	contractors []domain.ID
	resident    domain.ID // of every home
}

type reportedRepair struct {
	repair.Repair
	order int
}

func (o *openRepairs) repairs(ctx context.Context) (map[domain.ID]reportedRepair, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.readOn(ctx); err != nil {
		return nil, err
	}
	return maps.Clone(o.all), nil
}

func (o *openRepairs) readOn(ctx context.Context) error {
	head, err := o.log.Head(ctx)
	if err != nil {
		return err
	}
	if o.all == nil {
		o.all = map[domain.ID]reportedRepair{}
	}
	codec := commands.Codec(o.vault)
	for event, err := range eventstore.ReadTo(ctx, o.log, o.after, head) {
		if err != nil {
			return err
		}
		o.after = event.Position
		id := domain.ID(event.Stream.ID())
		switch event.Stream.Category() {
		case contractor.Category:
			if !slices.Contains(o.contractors, id) {
				o.contractors = append(o.contractors, id)
			}
		case repair.Category:
			fact, err := eventstore.Decode[repair.Event](ctx, codec, event)
			if err != nil {
				return err
			}
			was, known := o.all[id]
			if !known {
				was.order = len(o.all)
			}
			o.all[id] = reportedRepair{was.Apply(fact), was.order}
		}
	}
	return nil
}

func (o *openRepairs) Contractors(ctx context.Context) ([]commands.Load, error) {
	all, err := o.repairs(ctx)
	if err != nil {
		return nil, err
	}
	open := map[domain.ID]int{}
	for _, r := range all {
		if r.State.Class() == repair.Open {
			open[r.Contractor]++
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	var loads []commands.Load
	for _, id := range o.contractors {
		loads = append(loads, commands.Load{Contractor: id, Open: open[id]})
	}
	return loads, nil
}

func (o *openRepairs) OpenCommunal(ctx context.Context, property domain.ID, path []string) (domain.ID, error) {
	all, err := o.repairs(ctx)
	var found domain.ID
	for id, r := range all {
		if r.Communal && r.Property == property && r.State.Class() == repair.Open && slices.Equal(r.Path, path) &&
			(found == "" || r.order < all[found].order) {
			found = id
		}
	}
	return found, err
}

func (o *openRepairs) HasDuplicates(ctx context.Context, id domain.ID) (bool, error) {
	all, err := o.repairs(ctx)
	for _, r := range all {
		if r.Into == id {
			return true, err
		}
	}
	return false, err
}

func (o *openRepairs) TenancyAt(context.Context, domain.ID, domain.Date) (domain.ID, error) {
	return o.resident, nil
}

func (o *openRepairs) VisitsToRemind(ctx context.Context, from, to time.Time) ([]commands.VisitToRemind, error) {
	all, err := o.repairs(ctx)
	var near []commands.VisitToRemind
	for id, r := range all {
		if v, stands := r.Visit(); stands && !v.Reminded && !v.From.Before(from) && v.From.Before(to) {
			near = append(near, commands.VisitToRemind{Repair: id, Visit: v.ID})
		}
	}
	return near, err
}

// clocks are the names of clocks that have been started.
func clocks(runs []clock.Run) []string {
	var names []string
	for _, run := range runs {
		names = append(names, run.Target.Clock)
	}
	return names
}

func london(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	check(t, err)
	return zone
}

func idOf(s string) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(s)) }
