package projections

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"rentbook/domain"
	"rentbook/domain/calendar"
	"rentbook/domain/chargerun"
	"rentbook/domain/contractor"
	"rentbook/domain/hazard"
	"rentbook/domain/property"
	"rentbook/domain/rent"
	"rentbook/domain/repair"
	"rentbook/domain/tenancy"
	"rentbook/eventstore"
	"rentbook/eventstore/pgdb"
	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/eventstore/sqlite"
	"rentbook/projections/database"
	"rentbook/projections/postgres"
	viewsqlite "rentbook/projections/sqlite"
)

// TestMain runs everything on SQLite, then on PostgreSQL. It asks properties thirty times unless told
// otherwise (-rapid.checks): each of them fills and compares whole databases.
func TestMain(m *testing.M) {
	checks := "30"
	if !thorough {
		checks = "5"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		panic(err)
	}
	flag.String(onFlag, "", "the `database` to test on, sqlite or postgres; both if empty")
	flag.Parse()
	goleak.VerifyTestMain(suites{m})
}

// onFlag says which database the tests are on, and is set by TestMain for its two runs.
const onFlag = "on"

type suites struct{ *testing.M }

func (s suites) Run() int {
	if only := on(); only != "" {
		return pgtest.Main(s.M).Run()
	}
	code := s.onDatabase("sqlite", s.M)
	return max(code, s.onDatabase("postgres", pgtest.Main(s.M)))
}

func (suites) onDatabase(name string, m interface{ Run() int }) int {
	if err := flag.Set(onFlag, name); err != nil {
		panic(err)
	}
	if name == "postgres" { // tests wait for the server more than they do
		if err := flag.Set("test.parallel", "8"); err != nil {
			panic(err)
		}
	}
	if code := m.Run(); code != 0 {
		fmt.Println("the failures above are those on", name)
		return code
	}
	return 0
}

func on() string { return flag.Lookup(onFlag).Value.String() }

// patience bounds what a test waits for.
const patience = time.Minute

// scene is a log with facts in it, and views of it.
type scene struct {
	testing.TB

	dir    string
	url    string // of PostgreSQL
	log    *sqlite.Log
	keys   *keys
	codec  *eventstore.Codec
	mu     sync.Mutex
	streak map[eventstore.Stream]eventstore.Version
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{TB: t, dir: t.TempDir(), keys: &keys{}, streak: map[eventstore.Stream]eventstore.Version{}}
	s.codec = newCodec(s.keys)
	clock := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	log, err := sqlite.Open(t.Context(), s.dir, sqlite.Options{Now: func() time.Time {
		clock = clock.Add(time.Second) // the log has one writer
		return clock
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.log = log
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newCodec(k eventstore.Sealer) *eventstore.Codec {
	c := eventstore.NewCodec(k)
	eventstore.Register(c, eventstore.Identity{})
	eventstore.Register(c, property.Events()...)
	eventstore.Register(c, calendar.Events()...)
	eventstore.Register(c, tenancy.Events()...)
	eventstore.Register(c, rent.Events()...)
	eventstore.Register(c, chargerun.Events()...)
	eventstore.Register(c, contractor.Events()...)
	eventstore.Register(c, repair.Events()...)
	eventstore.Register(c, hazard.Events()...)
	return c
}

// given records facts on a stream.
func given[E eventstore.Named](s *scene, stream eventstore.Stream, facts ...E) eventstore.Position {
	s.Helper()
	var events []eventstore.Proposed
	for _, f := range facts {
		id := uuid.New()
		data, err := s.codec.Encode(stream, id, f)
		if err != nil {
			s.Fatal(err)
		}
		events = append(events, eventstore.Proposed{ID: id, Type: f.EventType(), Data: data, Metadata: eventstore.Metadata{
			Command: id, Correlation: id, Causation: id, Actor: eventstore.Actor{ID: "cli", Role: "operator"},
		}})
	}
	return s.append(stream, events...)
}

func (s *scene) append(stream eventstore.Stream, events ...eventstore.Proposed) eventstore.Position {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	commit, err := s.log.Append(context.WithoutCancel(s.Context()), stream, s.streak[stream], events...)
	if err != nil {
		s.Fatal(err)
	}
	s.streak[stream] = commit.Version
	return commit.Position
}

// database is the scene's, on whatever the tests are on.
func (s *scene) database() database.Database {
	s.Helper()
	if on() == "postgres" {
		return s.postgres()
	}
	db, err := viewsqlite.Open(s.dir)
	s.must(err)
	return db
}

func (s *scene) postgres() database.Database {
	s.Helper()
	if s.url == "" {
		s.url = pgtest.URL(s.TB)
	}
	address, err := pgdb.Parse(s.url)
	s.must(err)
	db, err := postgres.Open(s.Context(), address, time.Now)
	s.must(err)
	return db
}

// elsewhere is a scene with the same log and a database of its own.
func (s *scene) elsewhere() *scene {
	return &scene{TB: s.TB, dir: s.TempDir(), log: s.log, keys: s.keys, codec: s.codec, streak: s.streak}
}

// open is for quick tests: failures are tried again at once.
func (s *scene) open() *Views {
	s.Helper()
	v, err := Open(s.Context(), Config{Database: s.database(), Log: s.log, Codec: s.codec, LogID: "log", Rising: true})
	if err != nil {
		s.Fatal(err)
	}
	v.pause = backOff{first: time.Millisecond, most: 5 * time.Millisecond}
	s.Cleanup(func() { s.must(v.Close()) })
	return v
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// run runs views until the function it returns is called, or the test ends.
func (s *scene) run(v *Views) (stop func()) {
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan error, 1)
	go func() { ended <- v.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.Errorf("run: %v", err)
		}
	})
	s.Cleanup(stop)
	return stop
}

func (s *scene) catchUp(v *Views) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	s.must(v.CatchUp(ctx))
}

// waitFor waits until the views have seen all of the log.
func (s *scene) waitFor(v *Views) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	head, err := s.log.Head(ctx)
	s.must(err)
	s.must(v.WaitFor(ctx, head))
}

func (s *scene) read(v *Views, f func(*Reader) error) {
	s.Helper()
	s.must(v.Read(s.Context(), f))
}

// keys seals by writing backwards, and forgets on demand.
type keys struct {
	mu              sync.Mutex
	erased, missing map[string]bool
}

func (k *keys) Ensure(context.Context, ...string) error { return nil }

func (k *keys) Seal(_ string, _, plain []byte) ([]byte, error) { return backwards(plain), nil }

func (k *keys) Unseal(_ context.Context, key string, _, sealed []byte) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.erased[key]:
		return nil, eventstore.ErrErased
	case k.missing[key]:
		return nil, eventstore.ErrKeyMissing
	}
	return backwards(sealed), nil
}

func (k *keys) set(erased, missing map[string]bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.erased, k.missing = erased, missing
}

func backwards(b []byte) []byte {
	r := make([]byte, len(b))
	for i := range b {
		r[len(b)-1-i] = b[i]
	}
	return r
}

func gbp(minor int64) domain.Money { return domain.Money{Minor: minor, Currency: "GBP"} }

func date(s string) domain.Date {
	d, err := domain.ParseDate(s)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", s, err))
	}
	return d
}

func account(id string) eventstore.Stream { return eventstore.NewStream(rent.Category, id) }

func opened(on string) rent.AccountOpened {
	return rent.AccountOpened{StartsOn: date(on), Currency: "GBP"}
}

// raised is a charge of a run for one week.
func raised(on string, minor int64) rent.ChargeRaised {
	d := date(on)
	return rent.ChargeRaised{
		Charge: derivedID("rent", d), Code: "rent", Description: "Weekly rent", Amount: gbp(minor), ValueDate: d,
		PeriodFrom: d, PeriodTo: d + 6, Explanation: rent.Explanation{
			Term: "rent", TermVersion: 2, PeriodFrom: d, PeriodTo: d + 6, CoveredFrom: d, CoveredTo: d + 6,
			DaysCovered: 7, DaysInPeriod: 7, Basis: rent.PeriodDays, Rounding: "cumulative, half away from zero",
			PeriodAmount: gbp(minor), AmountBefore: gbp(minor).String(), AmountAfter: gbp(minor),
		},
	}
}

func paid(id, on string, minor int64) rent.PaymentReceived {
	return rent.PaymentReceived{
		Payment: domain.ID(id), Amount: gbp(minor), ValueDate: date(on), Method: "direct_debit",
		Reference: domain.NewPersonal("REF " + id),
	}
}

func newID() uuid.UUID { return uuid.New() }

// dump is everything in the tables, with names for the numbers that a rebuild may give otherwise.
func (s *scene) dump(v *Views) []string {
	s.Helper()
	var lines []string
	s.read(v, func(r *Reader) error {
		for _, query := range []string{
			`SELECT * FROM {properties} ORDER BY 1`, `SELECT * FROM {tenancies} ORDER BY 1`,
			`SELECT * FROM {tenants} ORDER BY 1, 2`, `SELECT * FROM {calendars} ORDER BY 1`,
			`SELECT * FROM {calendar_dates} ORDER BY 1, 2`, `SELECT * FROM {terms} ORDER BY 1, 2`,
			`SELECT * FROM {charge_runs} ORDER BY 1`, `SELECT * FROM {accounts} ORDER BY 1`,
			`SELECT a.account, value_date, position, line, entry, kind, code, fund, net, recorded_at, event,
				coalesce(e.description, w.description), corrects FROM {entries} e
				JOIN {entry_accounts} a ON a.number = e.account JOIN {entry_words} w ON w.number = e.words ORDER BY 3, 4`,
			`SELECT a.account, payment, reversal, position FROM {reversals} r JOIN {entry_accounts} a ON a.number = r.account ORDER BY 4`,
			`SELECT a.account, width, starts_on, net, first_position, last_position FROM {account_sums} s
				JOIN {entry_accounts} a ON a.number = s.account ORDER BY 1, 2, 3`,
			`SELECT x.position, x.part, x.period_from, x.covered_from, r.term, r.term_version, r.amount_before, r.amount_after
				FROM {explanations} x JOIN {explanation_rules} r ON r.number = x.rule ORDER BY 1, 2`,
			`SELECT position, s.stream, t.type, a.actor, a.role, recorded_at FROM {audit_events} e
				JOIN {audit_streams} s ON s.number = e.stream JOIN {audit_types} t ON t.number = e.type
				JOIN {audit_actors} a ON a.number = e.actor ORDER BY 1`,
			`SELECT * FROM {audit_marks} ORDER BY 1`, `SELECT * FROM {contractors} ORDER BY 1`,
			`SELECT * FROM {contractor_trades} ORDER BY 1, 2`, `SELECT * FROM {contractor_prices} ORDER BY 1, 2`,
			`SELECT * FROM {contractor_availability} ORDER BY 1`, `SELECT * FROM {repairs} ORDER BY 1`,
			`SELECT * FROM {repair_timeline} ORDER BY 1, 2`, `SELECT * FROM {repair_photos} ORDER BY 1, 2`,
			`SELECT * FROM {repair_visits} ORDER BY 1, 2`, `SELECT * FROM {hazards} ORDER BY 1`,
			`SELECT * FROM {hazard_timeline} ORDER BY 1, 2`, `SELECT * FROM {hazard_repairs} ORDER BY 1, 2`,
		} {
			s.must(r.tx.Query(query, func(row database.Row) error {
				line := strings.Fields(query)[1]
				for i := range 34 {
					line += "|" + row.Text(i)
				}
				lines = append(lines, line)
				return nil
			}))
		}
		return nil
	})
	return lines
}

// everything records one fact of each sort, and some more money.
func (s *scene) everything() {
	s.Helper()
	given[property.Event](s, "property-H1", property.Described{Kind: "home", Parent: "B1", Address: "1 High Street", Postcode: "AB1 2CD"})
	given[calendar.Event](s, "calendar-free", calendar.DatesSet{Dates: []domain.Date{date("2026-04-06"), date("2026-12-28")}})
	given[calendar.Event](s, "calendar-free", calendar.DateAdded{Date: date("2026-12-21")})
	given[rent.Event](s, account("T1"), opened("2026-01-05"), rent.TermSet{
		Term: "rent", Code: "rent", Description: "Weekly rent", Amount: gbp(10000), Period: rent.Weekly, Due: rent.InAdvance,
		Proration: rent.PeriodDays, From: date("2026-01-05"), RentFreeCalendar: "free", BenefitEligible: true,
	})
	given[tenancy.Event](s, "tenancy-T1", tenancy.Opened{Property: "H1", Kind: "secure", StartsOn: date("2026-01-05"), Currency: "GBP"})
	given[tenancy.Event](s, "tenancy-T1", tenancy.TenantSet{
		Person: "A1", Name: domain.NewPersonal("Ada"), Email: domain.NewPersonal("ada@example.org"), LiableFrom: date("2026-01-05"),
	})
	given[chargerun.Event](s, "chargeRun-R1", chargerun.Started{Through: date("2026-01-19")})
	given[rent.Event](s, account("T1"), raised("2026-01-05", 10000), raised("2026-01-12", 10000), raised("2026-01-19", 10000))
	given[rent.Event](s, account("T1"), paid("P1", "2026-01-13", 15000), rent.PaymentReversed{
		Reversal: "P1:reversal", Payment: "P1", Amount: gbp(15000), ValueDate: date("2026-01-20"), ReasonCode: "bounced", Fee: gbp(500),
	})
	half := raised("2026-01-05", 7000).Explanation
	half.CoveredFrom, half.DaysCovered = half.CoveredTo-2, 3
	given[rent.Event](s, account("T1"), rent.ChargeCorrected{
		Correction: "rent:2026-01-05:r1", Corrects: "rent:2026-01-05", Kind: rent.KindCredit, Code: "rent",
		Description: "Weekly rent", Amount: gbp(300), ValueDate: date("2026-01-05"), PeriodFrom: date("2026-01-05"),
		PeriodTo: date("2026-01-11"), Raised: gbp(10000), Owed: gbp(9700), Parts: []rent.Explanation{half, half},
	}, rent.ChargeEntered{
		Charge: "C1", Code: "other", Description: domain.NewPersonal("New key"), Amount: gbp(1250), ValueDate: date("2025-12-31"),
	}, rent.AdjustmentMade{
		Adjustment: "J1", Kind: rent.KindWriteOff, Amount: gbp(250), ValueDate: date("2026-02-11"),
		Reason: domain.NewPersonal("Goodwill"), Corrects: "C1", Fund: "main",
	}, rent.DatesChanged{StartsOn: date("2026-01-05"), EndsOn: date("2026-12-31")})
	given[tenancy.Event](s, "tenancy-T1", tenancy.Changed{
		Property: "H1", Kind: "secure", StartsOn: date("2026-01-05"), EndsOn: date("2026-12-31"),
	})
}
