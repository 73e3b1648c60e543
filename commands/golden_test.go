package commands

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"rentbook/domain"
	"rentbook/domain/calendar"
	"rentbook/domain/chargerun"
	"rentbook/domain/property"
	"rentbook/domain/rent"
	"rentbook/domain/tenancy"
	"rentbook/eventstore"
)

// What is stored is a contract. A file under testdata/events pins the bytes of a fact for ever; it is
// made once (go test ./commands -run Golden -create) and never written again, by hand or by this
// test. A fact that must change gets a new name, an upcaster and files of its own.
var createGolden = flag.Bool("create", false, "create the golden files that are missing; none is overwritten")

const goldenDir = "testdata/events"

// golden is a fact in all its parts, and with none that may be left out.
type golden struct {
	when   string // it happens, for docs/events.md
	stream eventstore.Stream
	full   eventstore.Named
	least  eventstore.Named // nil: no part may be left out
}

func goldens() []golden {
	return slices.Concat(goldensOfHomes(), goldensOfAccounts(), goldensOfCharges(), goldensOfEntries(),
		goldensOfReports(), goldensOfOrders(), goldensOfVisits(), goldensOfWork(), goldensOfEnds(),
		goldensOfHazards(), goldensOfHazardWork(), goldensOfContractors(), goldensOfDiaries())
}

func goldensOfHomes() []golden {
	return []golden{
		{
			when:   "The first event of every log: which log it is, and which vault holds the keys to it.",
			stream: eventstore.StreamIdentity,
			full: eventstore.Identity{
				Log: "0f8fad5b-d9cb-469f-a165-70867728950e", Vault: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
			},
		},
		{
			when:   "Somebody says what a home, block or estate is, the first time or another.",
			stream: "property-14-mill-lane",
			full: property.Described{
				Kind: "home", Parent: "mill-lane", Address: "14 Mill Lane", Postcode: "LS6 3AB", Locality: "Leeds",
			},
			least: property.Described{Kind: "home", Address: "14 Mill Lane", Postcode: "LS6 3AB"},
		},
		{
			when:   "A calendar is given as a whole.",
			stream: "calendar-rent-free-2026",
			full:   calendar.DatesSet{Dates: []domain.Date{goldenDay("2026-12-21"), goldenDay("2026-12-28")}},
		},
		{
			when:   "A file brings one more day of a calendar.",
			stream: "calendar-rent-free-2026",
			full:   calendar.DateAdded{Date: goldenDay("2026-12-28")},
		},
		{
			when:   "A tenancy begins to exist; its rent account is open by then.",
			stream: "tenancy-T1001",
			full: tenancy.Opened{
				Property: "14-mill-lane", Kind: "assured", StartsOn: goldenDay("2026-04-06"), EndsOn: goldenDay("2027-04-04"),
				Currency: "GBP",
			},
			least: tenancy.Opened{Property: "14-mill-lane", Kind: "assured", StartsOn: goldenDay("2026-04-06"), Currency: "GBP"},
		},
		{
			when:   "The particulars of a tenancy are given anew.",
			stream: "tenancy-T1001",
			full: tenancy.Changed{
				Property: "14-mill-lane", Kind: "assured", StartsOn: goldenDay("2026-04-06"), EndsOn: goldenDay("2027-04-04"),
			},
			least: tenancy.Changed{Property: "14-mill-lane", Kind: "assured", StartsOn: goldenDay("2026-04-06")},
		},
		{
			when:   "Somebody is a tenant, the first time or with other details.",
			stream: "tenancy-T1001",
			full: tenancy.TenantSet{
				Person: "P2001", Name: goldenText("Ada Example"), DateOfBirth: goldenText("1985-12-10"),
				Email: goldenText("ada@example.org"), Phone: goldenText("+44 20 7946 0958"),
				LiableFrom: goldenDay("2026-04-06"), LiableTo: goldenDay("2027-04-04"),
			},
			least: tenancy.TenantSet{Person: "P2001", Name: goldenText("Ada Example"), LiableFrom: goldenDay("2026-04-06")},
		},
	}
}

func goldensOfAccounts() []golden {
	return []golden{
		{
			when:   "The account of a tenancy is opened, before the tenancy itself.",
			stream: goldenAccount,
			full:   rent.AccountOpened{StartsOn: goldenDay("2026-04-06"), EndsOn: goldenDay("2027-04-04"), Currency: "GBP"},
			least:  rent.AccountOpened{StartsOn: goldenDay("2026-04-06"), Currency: "GBP"},
		},
		{
			when:   "The tenancy has other days than the account knew.",
			stream: goldenAccount,
			full:   rent.DatesChanged{StartsOn: goldenDay("2026-04-06"), EndsOn: goldenDay("2027-04-04")},
			least:  rent.DatesChanged{StartsOn: goldenDay("2026-04-06")},
		},
		{
			when:   "A rent term is set, the first time or another. The latest reading counts.",
			stream: goldenAccount,
			full: rent.TermSet{
				Term: "rent-2026", Code: "rent", Description: "Rent", Amount: goldenPounds(112_50), Period: rent.Weekly,
				ChargeDay: "monday", AnchoredOn: goldenDay("2026-04-06"), Due: rent.InAdvance, Proration: rent.PeriodDays,
				From: goldenDay("2026-04-06"), To: goldenDay("2027-04-04"), BenefitEligible: true, Fund: "housing",
				RentFreeCalendar: "rent-free-2026",
			},
			least: rent.TermSet{
				Term: "rent-2026", Code: "rent", Description: "Rent", Amount: goldenPounds(112_50), Period: rent.Weekly,
				Due: rent.InAdvance, Proration: rent.PeriodDays, From: goldenDay("2026-04-06"),
			},
		},
	}
}

func goldensOfCharges() []golden {
	worked := rent.Explanation{
		Term: "rent-2026", TermVersion: 2, Calendar: "rent-free-2026", CalendarVersion: 1,
		PeriodFrom: goldenDay("2026-04-06"), PeriodTo: goldenDay("2026-04-12"),
		CoveredFrom: goldenDay("2026-04-08"), CoveredTo: goldenDay("2026-04-12"), DaysCovered: 5, DaysInPeriod: 7,
		Basis: rent.PeriodDays, Rounding: "cumulative, half away from zero",
		PeriodAmount: goldenPounds(112_50), AmountBefore: "80.357143", AmountAfter: goldenPounds(80_36),
	}
	plain := worked
	plain.Calendar, plain.CalendarVersion = "", 0
	return []golden{
		{
			when:   "A charge run begins.",
			stream: "chargeRun-2026-04",
			full:   chargerun.Started{Through: goldenDay("2026-04-30")},
		},
		{
			when:   "A charge run has charged every account.",
			stream: "chargeRun-2026-04",
			full: chargerun.Finished{Raised: 5, Totals: []chargerun.Total{
				{Debit: goldenPounds(417_86), Credit: goldenPounds(16_07)},
			}},
		},
		{
			when:   "A charge run raises what a term gives for days that no run has charged yet.",
			stream: goldenAccount,
			full: rent.ChargeRaised{
				Charge: "rent:2026-04-08", Code: "rent", Description: "Rent", Amount: goldenPounds(80_36),
				ValueDate: goldenDay("2026-04-08"), PeriodFrom: goldenDay("2026-04-08"), PeriodTo: goldenDay("2026-04-12"),
				Fund: "housing", Explanation: worked,
			},
			least: rent.ChargeRaised{
				Charge: "rent:2026-04-08", Code: "rent", Description: "Rent", Amount: goldenPounds(80_36),
				ValueDate: goldenDay("2026-04-08"), PeriodFrom: goldenDay("2026-04-08"), PeriodTo: goldenDay("2026-04-12"),
				Explanation: plain,
			},
		},
		{
			when: "A charge run finds that the terms, calendars or days of the tenancy now give something else " +
				"for days that were charged, and raises the difference.",
			stream: goldenAccount,
			full: rent.ChargeCorrected{
				Correction: "rent:2026-04-06:r1", Corrects: "rent:2026-04-06", Kind: rent.KindCredit, Code: "rent",
				Description: "Rent", Amount: goldenPounds(32_14), ValueDate: goldenDay("2026-04-06"),
				PeriodFrom: goldenDay("2026-04-06"), PeriodTo: goldenDay("2026-04-12"), Fund: "housing",
				RaisedFor: rent.TermAt{Term: "rent-2026", Version: 2}, Raised: goldenPounds(112_50), Owed: goldenPounds(80_36),
				Parts: []rent.Explanation{worked},
			},
			least: rent.ChargeCorrected{
				Correction: "rent:2026-04-06:r1", Corrects: "rent:2026-04-06", Kind: rent.KindCredit, Code: "rent",
				Description: "Rent", Amount: goldenPounds(112_50), ValueDate: goldenDay("2026-04-06"),
				PeriodFrom: goldenDay("2026-04-06"), PeriodTo: goldenDay("2026-04-12"),
				RaisedFor: rent.TermAt{Term: "rent-2026", Version: 2}, Raised: goldenPounds(112_50), Owed: goldenPounds(0),
				Parts: []rent.Explanation{},
			},
		},
	}
}

func goldensOfEntries() []golden {
	return []golden{
		{
			when:   "A charge is entered by hand, or imported.",
			stream: goldenAccount,
			full: rent.ChargeEntered{
				Charge: "C1", Code: "repairs", Description: goldenText("Lost keys"), Amount: goldenPounds(25_00),
				ValueDate: goldenDay("2026-05-02"), PeriodFrom: goldenDay("2026-05-01"), PeriodTo: goldenDay("2026-05-31"),
				Fund: "housing", Method: "other", Reference: goldenText("WO-77"),
			},
			least: rent.ChargeEntered{Charge: "C1", Code: "repairs", Amount: goldenPounds(25_00), ValueDate: goldenDay("2026-05-02")},
		},
		{
			when:   "Money came in.",
			stream: goldenAccount,
			full: rent.PaymentReceived{
				Payment: "P1", Amount: goldenPounds(450_00), ValueDate: goldenDay("2026-04-10"), Method: "direct_debit",
				Reference: goldenText("T1001/APR"), Payer: goldenText("A Example"), Instruction: goldenText("DD-1"),
				Code: "payment", Description: goldenText("April"), PeriodFrom: goldenDay("2026-04-06"), PeriodTo: goldenDay("2026-05-03"),
				Fund: "housing",
			},
			least: rent.PaymentReceived{Payment: "P1", Amount: goldenPounds(450_00), ValueDate: goldenDay("2026-04-10")},
		},
		{
			when:   "A payment is taken back as a whole, once; perhaps with a fee.",
			stream: goldenAccount,
			full: rent.PaymentReversed{
				Reversal: "P1:reversal", Payment: "P1", Amount: goldenPounds(450_00), ValueDate: goldenDay("2026-04-14"),
				ReasonCode: "refer-to-payer", Reason: goldenText("Account closed"), Fee: goldenPounds(8_00),
				Method: "direct_debit", Reference: goldenText("ARUDD 14 April"),
				PeriodFrom: goldenDay("2026-04-06"), PeriodTo: goldenDay("2026-05-03"), Fund: "housing",
			},
			least: rent.PaymentReversed{
				Reversal: "P1:reversal", Payment: "P1", Amount: goldenPounds(450_00), ValueDate: goldenDay("2026-04-14"),
			},
		},
		{
			when:   "A credit, debit, write-off, write-on or refund is made.",
			stream: goldenAccount,
			full: rent.AdjustmentMade{
				Adjustment: "A1", Kind: rent.KindCredit, Amount: goldenPounds(12_00), ValueDate: goldenDay("2026-05-05"),
				Code: "goodwill", Reason: goldenText("Heating was off"), Corrects: "rent:2026-04-27", Method: "other",
				Reference: goldenText("CASE-9"), PeriodFrom: goldenDay("2026-04-27"), PeriodTo: goldenDay("2026-05-03"), Fund: "housing",
			},
			least: rent.AdjustmentMade{Adjustment: "A1", Kind: rent.KindWriteOff, Amount: goldenPounds(12_00), ValueDate: goldenDay("2026-05-05")},
		},
	}
}

const goldenAccount eventstore.Stream = "rentAccount-T1001"

func TestGolden(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, g := range goldens() {
		name := g.full.EventType()
		known[name+".json"] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkGolden(t, g.stream, name+".json", g.full)
			checkComplete(t, reflect.ValueOf(g.full), name)
		})
		if g.least == nil {
			if part := optional(reflect.TypeOf(g.full)); part != "" {
				t.Errorf("%s: %s may be left out, so there must be a minimal file", name, part)
			}
			continue
		}
		known[name+".minimal.json"] = true
		t.Run(name+" minimal", func(t *testing.T) {
			t.Parallel()
			checkGolden(t, g.stream, name+".minimal.json", g.least)
			checkMinimal(t, reflect.ValueOf(g.least), name)
		})
	}
	for _, name := range Codec(goldenSealer{}).Types() {
		if !known[name+".json"] {
			t.Errorf("%s: no golden file; add it to goldens, then run go test ./commands -run Golden -create", name)
		}
	}
	for _, file := range goldenFiles(t) {
		if !known[file] {
			t.Errorf("%s: nobody knows this event any more; what was recorded under its name cannot be read", file)
		}
	}
}

// checkGolden says whether a fact is stored as the file has it, and the file read as the fact. The
// bytes are those in the log but for white space.
func checkGolden(t *testing.T, stream eventstore.Stream, file string, want eventstore.Named) {
	t.Helper()
	codec := Codec(goldenSealer{})
	stored, err := codec.Encode(stream, goldenID(file), want)
	if err != nil {
		t.Fatal(err)
	}
	pinned := readGolden(t, file, stored)
	if diff := cmp.Diff(string(indentedJSON(t, pinned)), string(indentedJSON(t, stored))); diff != "" {
		t.Errorf("the stored form has changed (-pinned +now):\n%s", diff)
	}
	fact, err := eventstore.Decode[eventstore.Named](t.Context(), codec, eventstore.Recorded{
		Stream:   stream,
		Proposed: eventstore.Proposed{ID: goldenID(file), Type: want.EventType(), Data: pinned},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, fact); diff != "" {
		t.Errorf("the file reads as something else (-want +got):\n%s", diff)
	}
	again, err := codec.Encode(stream, goldenID(file), fact)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, pinned) {
		t.Errorf("what was read is stored as %s, it was %s", again, pinned)
	}
}

// readGolden is a golden file without its white space. Only a missing file is written, when asked to.
func readGolden(t *testing.T, file string, stored []byte) []byte {
	t.Helper()
	path := filepath.Join(goldenDir, file)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && *createGolden {
		data = indentedJSON(t, stored)
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return compact.Bytes()
}

func goldenFiles(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

func indentedJSON(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	return append(out.Bytes(), '\n')
}

// checkComplete wants every field of a fact to say something: what is zero in the complete file is
// not pinned by it.
func checkComplete(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	eachField(v, path, func(name string, field reflect.Value, _ bool) {
		if field.IsZero() {
			t.Errorf("%s is zero in the complete fact", name)
		}
	})
}

// checkMinimal wants nothing in a fact that may be left out.
func checkMinimal(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	eachField(v, path, func(name string, field reflect.Value, optional bool) {
		if optional && !field.IsZero() {
			t.Errorf("%s may be left out, and is there in the minimal fact", name)
		}
	})
}

// eachField visits the stored fields of a fact and of the structures in it.
func eachField(v reflect.Value, path string, visit func(name string, field reflect.Value, optional bool)) {
	if _, whole := reflect.TypeAssert[json.Marshaler](v); whole {
		return
	}
	switch v.Kind() { //nolint:exhaustive // the others have no fields
	case reflect.Pointer:
		if !v.IsNil() {
			eachField(v.Elem(), path, visit)
		}
	case reflect.Slice:
		for _, element := range v.Seq2() {
			eachField(element, path, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			tag := v.Type().Field(i).Tag.Get("json")
			name, options, _ := strings.Cut(tag, ",")
			if v.Type().Field(i).Anonymous { // its fields are stored as if they were the fact's own
				eachField(v.Field(i), path, visit)
				continue
			}
			visit(path+"."+name, v.Field(i), strings.HasPrefix(options, "omit"))
			eachField(v.Field(i), path+"."+name, visit)
		}
	}
}

// optional is the first part of a fact that may be left out, if there is one.
func optional(t reflect.Type) string {
	for field := range t.Fields() {
		if name, options, _ := strings.Cut(field.Tag.Get("json"), ","); strings.HasPrefix(options, "omit") {
			return name
		}
		if field.Anonymous {
			if name := optional(field.Type); name != "" {
				return name
			}
		}
	}
	return ""
}

// goldenID is the event id in a golden file, to which sealed fields are bound.
func goldenID(file string) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("rentbook/golden/"+file))
}

// goldenSealer seals with a checksum instead of a key, the same each time, so that golden files pin
// which fields are sealed, with whose key, and what they are bound to.
type goldenSealer struct{}

func (goldenSealer) Ensure(context.Context, ...string) error { return nil }

func (goldenSealer) Seal(key string, associated, plain []byte) ([]byte, error) {
	sum := sha256.Sum256(slices.Concat([]byte(key), []byte{0}, associated, []byte{0}, plain))
	return append(sum[:8], plain...), nil
}

func (s goldenSealer) Unseal(_ context.Context, key string, associated, sealed []byte) ([]byte, error) {
	if len(sealed) < 8 {
		return nil, errors.New("too short to be sealed")
	}
	again, err := s.Seal(key, associated, sealed[8:])
	if err == nil && !bytes.Equal(again, sealed) {
		err = errors.New("sealed with another key, or moved from another event or field")
	}
	return sealed[8:], err
}

func goldenDay(s string) domain.Date {
	d, err := domain.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func goldenPounds(pence int64) domain.Money { return domain.Money{Minor: pence, Currency: "GBP"} }

func goldenText(s string) domain.Personal { return domain.NewPersonal(s) }
