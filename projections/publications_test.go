package projections

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/domain/tenancy"
	"rentbook/eventstore/pgdb"
	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/projections/database"
)

// canary is in all that is personal.
const canary = "CANARY"

// canaries records facts with everything personal that there is.
func (s *scene) canaries() {
	secret := func(what string) domain.Personal { return domain.NewPersonal(canary + " " + what) }
	given[rent.Event](s, account("T9"), opened("2026-01-05"))
	given[tenancy.Event](s, "tenancy-T9",
		tenancy.Opened{Property: "H1", Kind: "secure", StartsOn: date("2026-01-05"), Currency: "GBP"},
		tenancy.TenantSet{
			Person: "A9", Name: secret("name"), DateOfBirth: secret("day"), Email: secret("address"), Phone: secret("number"),
			LiableFrom: date("2026-01-05"),
		})
	given[rent.Event](s, account("T9"),
		rent.ChargeEntered{
			Charge: "C9", Code: "other", Amount: gbp(1), ValueDate: date("2026-01-06"), Description: secret("key"), Reference: secret("ref"),
		},
		rent.PaymentReceived{
			Payment: "P9", Amount: gbp(200), ValueDate: date("2026-01-07"), Method: "cash", Reference: secret("ref"),
			Payer: secret("payer"), Instruction: secret("instruction"), Description: secret("description"),
		},
		rent.PaymentReceived{
			Payment: "Q9", Amount: gbp(300), ValueDate: date("2026-01-07"), Method: "cash", Reference: secret("ref"),
		},
		rent.PaymentReversed{
			Reversal: "R9", Payment: "P9", Amount: gbp(200), ValueDate: date("2026-01-08"), ReasonCode: "bounced",
			Reason: secret("reason"), Reference: secret("ref"), Fee: gbp(5),
		},
		rent.AdjustmentMade{
			Adjustment: "J9", Kind: rent.KindCredit, Amount: gbp(1), ValueDate: date("2026-01-09"), Reason: secret("reason"),
			Reference: secret("ref"), Corrects: "C9",
		})
}

// reporter is a connection of a role that was made as docs/views.md says.
func (s *scene) reporter() *pgx.Conn {
	s.Helper()
	role := s.name() + "_reporting"
	owner := s.direct()
	user := ask[string](s, owner, `SELECT current_user`)
	statements := regexp.MustCompile(`\brentbook\b`).ReplaceAllString(documented(s, "sql role")[0], s.name())
	statements = strings.ReplaceAll(statements, "FOR ROLE "+s.name(), "FOR ROLE "+user)
	s.execute(owner, regexp.MustCompile(`\breporting\b`).ReplaceAllString(statements, role))
	s.Cleanup(func() { // before the schemas are dropped
		ctx := context.WithoutCancel(s.Context())
		conn, err := pgx.Connect(ctx, s.url)
		s.must(err)
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, `DROP OWNED BY `+role+`; DROP ROLE `+role)
		s.must(err)
	})
	conn := s.direct()
	s.execute(conn, `SET ROLE `+role+`; SET search_path = `+s.name())
	return conn
}

// documented are the blocks of a language in docs/views.md.
func documented(t testing.TB, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/views.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(text), "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "\n```")
		blocks = append(blocks, block)
	}
	return blocks
}

// Who may read the publications reads those, with their types, and nothing personal; nothing else at
// all; and the same after a rebuild.
func TestPostgres_publications(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	s := newScene(t)
	s.url = pgtest.URL(t)
	s.everything()
	s.works()
	s.canaries()
	v := s.open()
	s.catchUp(v)
	conn := s.reporter()
	s.readsPublications(conn)
	s.readsNothingElse(conn)

	s.must(v.Rebuild(t.Context(), nil))
	given[rent.Event](s, account("T9"), paid("P10", "2026-02-01", 777))
	s.catchUp(v)
	s.readsPublications(conn)
	s.readsNothingElse(conn)
	if n := ask[int64](s, conn, `SELECT credit_minor FROM entries WHERE entry = 'P10'`); n != 777 {
		t.Errorf("what was recorded after the rebuild reads %d", n)
	}
	old := `SELECT count(*) FROM pg_tables WHERE schemaname = '` + s.name() + `_views' AND tablename ~ '_([0-9]|before_)'`
	if n := ask[int](s, s.direct(), old); n > 0 {
		t.Errorf("%d tables that were replaced are still there", n)
	}
}

func (s *scene) readsPublications(conn *pgx.Conn) {
	s.Helper()
	var account, entry, kind string
	var day, recorded time.Time
	var at, debit int64
	var reversedBy *string
	err := conn.QueryRow(s.Context(), `SELECT account, value_date, position, entry, kind, debit_minor, reversed_by, recorded_at
		FROM entries WHERE account = 'T1' AND entry = 'rent:2026-01-12'`).Scan(
		&account, &day, &at, &entry, &kind, &debit, &reversedBy, &recorded)
	if err != nil || day.Format(time.DateOnly) != "2026-01-12" || debit != 10000 || kind != "charge" || reversedBy != nil ||
		recorded.Year() != 2026 || at < 1 {
		s.Errorf("a charge reads %s %s %v %d %d %v: %v", account, entry, day, at, debit, recorded, err)
	}
	if by := ask[string](s, conn, `SELECT reversed_by FROM entries WHERE entry = 'P9'`); by != "R9" {
		s.Errorf("a payment that was taken back was so by %q", by)
	}
	sum := `SELECT sum(coalesce(debit_minor, 0) - coalesce(credit_minor, 0))::bigint FROM entries WHERE account = 'T1'`
	if sum, balance := ask[int64](s, conn, sum), ask[int64](s, conn, `SELECT balance_minor FROM accounts WHERE account = 'T1'`); sum != balance {
		s.Errorf("the entries come to %d, the balance is %d", sum, balance)
	}
	for _, view := range newViews() {
		for _, p := range view.Publications() {
			if n := ask[int](s, conn, `SELECT count(*) FROM `+p.Name); n == 0 {
				s.Errorf("publication %s is empty, which shows nothing", p.Name)
			}
			if n := ask[int](s, conn, `SELECT count(*) FROM `+p.Name+` AS p WHERE p::text LIKE '%`+canary+`%'`); n > 0 {
				s.Errorf("publication %s: something personal is in %d rows", p.Name, n)
			}
		}
	}
	if n := ask[int](s, s.direct(), `SELECT count(*) FROM `+s.name()+`_views.tenants AS p WHERE p::text LIKE '%`+canary+`%'`); n != 1 {
		s.Error("the canaries are nowhere, so this shows nothing")
	}
}

func (s *scene) readsNothingElse(conn *pgx.Conn) {
	s.Helper()
	s.execute(s.direct(), `CREATE SCHEMA IF NOT EXISTS `+s.name()+`_vault; CREATE TABLE IF NOT EXISTS `+s.name()+`_vault.keys (key text)`)
	for _, statement := range []string{
		`SELECT FROM ` + s.name() + `_views.tenants`, `SELECT FROM ` + s.name() + `_views.checkpoints`,
		`SELECT FROM ` + s.name() + `_vault.keys`, `DELETE FROM calendar_dates`, `UPDATE accounts SET balance_minor = 0`,
		`CREATE TABLE ` + s.name() + `.mine (n int)`,
	} {
		if _, err := conn.Exec(s.Context(), statement); pgdb.Code(err) != "42501" { // insufficient_privilege
			s.Errorf("%s: got %v", statement, err)
		}
	}
}

// revised offers the accounts in a version of its own.
type revised struct {
	View

	queries []Publication
}

func (r revised) Publications() []Publication { return r.queries }

func (s *scene) openRevised(queries ...Publication) *Views {
	s.Helper()
	v := s.open()
	v.views = func() []View {
		all := newViews()
		for i := range all {
			if all[i].Name() == "accounts" {
				all[i] = revised{all[i], queries}
			}
		}
		return all
	}
	return v
}

// A version that publishes something else does so when it opens, or when it rebuilds the view,
// whatever others have built on what there was; and nothing keeps a table that was replaced.
func TestPostgres_publicationsChange(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	s := newScene(t)
	s.url = pgtest.URL(t)
	s.everything()
	v := s.open()
	s.catchUp(v)
	conn := s.direct()
	publish := func(v *Views) {
		t.Helper()
		s.must(v.db.Write(t.Context(), func(tx database.Tx) error { return v.prepare(tx, 1<<40) }))
	}
	columns := func(want ...string) {
		t.Helper()
		rows, err := conn.Query(t.Context(), `SELECT column_name::text FROM information_schema.columns
			WHERE table_schema = $1 AND table_name = 'accounts' ORDER BY ordinal_position`, s.name())
		s.must(err)
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		s.must(err)
		if !slices.Equal(got, want) {
			t.Errorf("published are the columns %q, want %q", got, want)
		}
	}
	columns("account", "currency", "starts_on", "ends_on", "balance_minor")
	s.execute(conn, `CREATE VIEW theirs AS SELECT account FROM accounts`)

	more := s.openRevised(Publication{"accounts", `SELECT account, currency, starts_on, ends_on, balance AS balance_minor, version FROM {accounts}`})
	publish(more)
	columns("account", "currency", "starts_on", "ends_on", "balance_minor", "version")
	if n := ask[int](s, conn, `SELECT count(*) FROM theirs`); n != 1 {
		t.Error("somebody's view is gone though it need not be")
	}
	publish(more) // nothing to do
	others := s.openRevised(Publication{"accounts", `SELECT balance::text AS balance, account FROM {accounts}`})
	publish(others)
	columns("balance", "account")
	none := s.openRevised()
	s.must(none.Rebuild(t.Context(), nil, "accounts"))
	columns()
	s.must(none.Rebuild(t.Context(), nil)) // what the first one left would be in its way
	if n := ask[int](s, conn, `SELECT count(*) FROM pg_tables WHERE schemaname = $1 AND tablename LIKE 'accounts_%'`, s.name()+"_views"); n > 0 {
		t.Error("a table that was replaced is still there")
	}
	s.must(v.Rebuild(t.Context(), nil))
	columns("account", "currency", "starts_on", "ends_on", "balance_minor")
}

// docs/views.md has every publication, with its columns and their types, and its examples work.
func TestPostgres_documentation(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	s := newScene(t)
	s.url = pgtest.URL(t)
	s.everything()
	s.works()
	v := s.open()
	s.catchUp(v)
	rows, err := s.direct().Query(t.Context(), `SELECT table_name || '.' || column_name || ' ' || data_type
		FROM information_schema.columns WHERE table_schema = $1 ORDER BY table_name, ordinal_position`, s.name())
	s.must(err)
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	s.must(err)
	if diff := cmp.Diff(columns, documentedColumns(t)); diff != "" {
		t.Errorf("docs/views.md (-is +says):\n%s", diff)
	}
	conn := s.reporter()
	examples := documented(t, "sql")
	if len(examples) < 6 {
		t.Errorf("there are %d examples", len(examples))
	}
	for _, example := range examples {
		rows, err := conn.Query(t.Context(), example)
		s.must(err)
		found, err := pgx.CollectRows(rows, pgx.RowToMap)
		if err != nil || len(found) == 0 {
			t.Errorf("%s\ngives %d rows: %v", example, len(found), err)
		}
	}
	statement := examples[slices.IndexFunc(examples, func(e string) bool { return strings.Contains(e, "OVER") })]
	closing := `SELECT balance_minor::bigint FROM (` + strings.TrimSuffix(statement, ";") + `) AS s ORDER BY value_date DESC LIMIT 1`
	if n := ask[int64](s, conn, closing); n != 31200 {
		t.Errorf("the statement ends with %d", n)
	}
}

// documentedColumns are "table.column type" in the order of the tables' names.
func documentedColumns(t testing.TB) (columns []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/views.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([a-z ]+) \\| \\S.* \\|$")
	tables := map[string][]string{}
	for _, part := range strings.Split(string(text), "\n### ")[1:] {
		table, body, _ := strings.Cut(part, "\n")
		body, _, _ = strings.Cut(body, "\n## ")
		for _, match := range row.FindAllStringSubmatch(body, -1) {
			tables[table] = append(tables[table], table+"."+match[1]+" "+match[2])
		}
	}
	for _, table := range sortedKeys(tables) {
		columns = append(columns, tables[table]...)
	}
	return columns
}

// What cannot be published while somebody reads it does not keep the program from starting.
func TestPostgres_publishesBesideReaders(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	s := newScene(t)
	s.url = pgtest.URL(t)
	s.everything()
	v := s.open()
	s.catchUp(v)
	s.must(v.db.Write(t.Context(), func(tx database.Tx) error {
		return tx.Exec(`UPDATE checkpoints SET published = 'old' WHERE view = 'accounts'`)
	}))
	conn := s.direct()
	s.execute(conn, `BEGIN; SELECT FROM accounts`)
	other := s.as("other")
	opened := make(chan error, 1)
	go func() {
		o, err := Open(t.Context(), Config{Database: other.database(), Log: s.log, Codec: s.codec, LogID: "log"})
		if err == nil {
			err = o.Close()
		}
		opened <- err
	}()
	s.untilWaiting(s.direct(), other.program())
	s.execute(conn, `COMMIT`)
	if err := <-opened; err != nil {
		t.Errorf("opened beside a reader: %v", err)
	}
}
