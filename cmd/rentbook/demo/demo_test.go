package demo_test

import (
	"context"
	"encoding/csv"
	"io/fs"
	"iter"
	"reflect"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/cmd/rentbook/demo"
	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
	"rentbook/eventstore/vault"
)

// world is a fresh log and a handler on it.
type world struct {
	log     *sqlite.Log
	handler *commands.Handler
}

func newWorld(tb testing.TB) world {
	tb.Helper()
	return newWorldAt(tb, time.Date(2026, time.November, 22, 9, 0, 0, 0, time.UTC))
}

// newWorldAt is one in which it is always the same instant.
func newWorldAt(tb testing.TB, now time.Time) world {
	tb.Helper()
	dir := tb.TempDir()
	log, err := sqlite.Open(tb.Context(), dir, sqlite.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	keys, err := vault.Open(tb.Context(), dir, vault.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := log.Close(); err != nil {
			tb.Error(err)
		}
		if err := keys.Close(); err != nil {
			tb.Error(err)
		}
	})
	if _, err := eventstore.Identify(tb.Context(), log, keys.ID()); err != nil {
		tb.Fatal(err)
	}
	codec := commands.Codec(keys)
	return world{log: log, handler: commands.New(commands.Config{
		Store: log, Log: log, Codec: codec, Portfolio: portfolio{log}, Repairs: &works{log: log, codec: codec},
		Now: func() time.Time { return now }, Zone: time.UTC,
	})}
}

func (w world) tell(tb testing.TB) demo.Highlights {
	tb.Helper()
	told, err := demo.Tell(tb.Context(), w.handler, commands.Meta{
		Actor: commands.Actor{ID: "cli", Role: commands.RoleOperator},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return told
}

// events is all that the log holds after the event that names it.
func (w world) events(tb testing.TB) []eventstore.Recorded {
	tb.Helper()
	var all []eventstore.Recorded
	for r, err := range everything(tb.Context(), w.log) {
		if err != nil {
			tb.Fatal(err)
		}
		if r.Stream != eventstore.StreamIdentity {
			all = append(all, r)
		}
	}
	return all
}

func everything(ctx context.Context, log eventstore.Log) iter.Seq2[eventstore.Recorded, error] {
	head, err := log.Head(ctx)
	if err != nil {
		return func(yield func(eventstore.Recorded, error) bool) { yield(eventstore.Recorded{}, err) }
	}
	return eventstore.ReadTo(ctx, log, eventstore.Position{}, head)
}

// portfolio lists the accounts as a view would.
type portfolio struct{ log eventstore.Log }

func (p portfolio) Accounts(ctx context.Context) iter.Seq2[domain.ID, error] {
	return func(yield func(domain.ID, error) bool) {
		for r, err := range everything(ctx, p.log) {
			if opened := r.Type == (rent.AccountOpened{}).EventType(); !opened && err == nil {
				continue
			}
			if !yield(domain.ID(r.Stream.ID()), err) {
				return
			}
		}
	}
}

func (portfolio) UnfinishedRun(context.Context, domain.Date) (domain.ID, error) { return "", nil }

// plain is what is the same in two logs with the same content: position aside, which side by side
// charging decides, and with what was sealed in clear.
type plain struct {
	ID        string
	Type      string
	Command   string
	Causation string
	Actor     eventstore.Actor
	Authority string
	Fact      eventstore.Named
}

func (w world) plain(tb testing.TB) map[eventstore.Stream][]plain {
	tb.Helper()
	streams := map[eventstore.Stream][]plain{}
	for _, r := range w.events(tb) {
		fact, err := eventstore.Decode[eventstore.Named](tb.Context(), w.handler.Codec, r)
		if err != nil {
			tb.Fatal(err)
		}
		streams[r.Stream] = append(streams[r.Stream], plain{
			ID: r.ID.String(), Type: r.Type, Command: r.Metadata.Command.String(),
			Causation: r.Metadata.Causation.String(), Actor: r.Metadata.Actor, Authority: r.Metadata.Authority, Fact: fact,
		})
	}
	return streams
}

func TestTell_is_the_same_every_time(t *testing.T) {
	t.Parallel()
	one, other := newWorld(t), newWorld(t)
	first, second := one.tell(t), other.tell(t)
	compare(t, one.plain(t), other.plain(t))
	first.Before.At, first.After.At = second.Before.At, second.After.At
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the highlights differ:\n%s", diff)
	}
}

// compare looks for the difference only where there is one: looking takes long.
func compare(t *testing.T, want, got map[eventstore.Stream][]plain) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("want %d streams, got %d", len(want), len(got))
	}
	for stream := range want {
		if !reflect.DeepEqual(want[stream], got[stream]) {
			t.Errorf("%s differs (-want +got):\n%s", stream, cmp.Diff(want[stream], got[stream]))
		}
	}
}

func TestTell_is_refused_to_who_may_not_write(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := demo.Tell(t.Context(), w.handler, commands.Meta{
		Actor: commands.Actor{ID: "auditor", Role: commands.RoleAuditor},
	})
	if err == nil || len(w.events(t)) > 0 {
		t.Errorf("want a refusal and no events, got %v", err)
	}
}

func TestFiles_describe_a_portfolio_worth_looking_at(t *testing.T) {
	t.Parallel()
	files, err := demo.Files(demo.Until())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file        string
		least, most int
	}{
		{"properties.csv", 50, 60},
		{"tenancies.csv", 55, 65},
		{"tenants.csv", 70, 100},
		{"calendars.csv", 4, 10},
		{"terms.csv", 150, 400},
		{"transactions.csv", 3000, 6000},
	} {
		if n := len(readFile(t, files, c.file)); n < c.least || n > c.most {
			t.Errorf("%s: want %d to %d rows, got %d", c.file, c.least, c.most, n)
		}
	}
	if err := fstest.TestFS(files, commands.ImportNames()...); err != nil {
		t.Error(err)
	}
	transactions := readFile(t, files, "transactions.csv")
	first, last := transactions[0]["value_date"], transactions[len(transactions)-1]["value_date"]
	if first > "2024-04-05" || last < "2026-10-28" || last > demo.Until().String() {
		t.Errorf("the history goes from %s to %s", first, last)
	}
	distinct(t, files, "tenancies.csv", map[string]int{"kind": 6, "currency": 2, "property_ref": 50})
	distinct(t, files, "terms.csv", map[string]int{"period": 6, "due": 2, "proration": 2, "fund": 2})
	distinct(t, files, "transactions.csv", map[string]int{"method": 8, "kind": 4})
}

// distinct wants a column to have exactly so many values that are not empty. The method of
// transactions includes none, of those that are no payments.
func distinct(t *testing.T, files fs.FS, name string, columns map[string]int) {
	t.Helper()
	for column, want := range columns {
		values := map[string]bool{}
		for _, row := range readFile(t, files, name) {
			values[row[column]] = true
		}
		if len(values) != want {
			t.Errorf("%s: want %d values of %s, got %v", name, want, column, values)
		}
	}
}

func TestFiles_hold_no_money_after_the_day_given(t *testing.T) {
	t.Parallel()
	until := domain.NewDate(2025, time.March, 31)
	files, err := demo.Files(until)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range readFile(t, files, "transactions.csv") {
		if row["value_date"] > until.String() {
			t.Fatalf("%s of %s is of %s", row["transaction_ref"], row["tenancy_ref"], row["value_date"])
		}
	}
}

func TestFiles_name_nobody_who_could_be_reached(t *testing.T) {
	t.Parallel()
	files, err := demo.Files(demo.Until())
	if err != nil {
		t.Fatal(err)
	}
	phones := map[string]bool{}
	for _, row := range readFile(t, files, "tenants.csv") {
		phone, host := row["phone"], row["email"][len(row["email"])-len("@tenant.example"):]
		if phone[:9] != "07700 900" || host != "@tenant.example" {
			t.Errorf("%s can be reached at %s, %s", row["person_ref"], phone, row["email"])
		}
		if phones[phone] {
			t.Errorf("%s has somebody else's telephone", row["person_ref"])
		}
		phones[phone] = true
	}
}

// readFile is a file's rows by column.
func readFile(t *testing.T, files fs.FS, name string) []map[string]string {
	t.Helper()
	file, err := files.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var rows []map[string]string
	for _, record := range records[1:] {
		row := map[string]string{}
		for i, value := range record {
			row[records[0][i]] = value
		}
		rows = append(rows, row)
	}
	return rows
}

// The benchmark includes opening the log; what it tells is all a demo does before it serves.
func BenchmarkTell(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		b.StartTimer()
		w.tell(b)
		b.StopTimer()
		b.ReportMetric(float64(len(w.events(b))), "events")
		b.StartTimer()
	}
}
