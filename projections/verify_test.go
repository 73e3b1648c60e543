package projections

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rentbook/domain/rent"
	"rentbook/projections/database"
)

func TestViews_Verify(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	s.charges("T2", 0, 60)
	s.works()
	v := s.open()
	s.catchUp(v)
	report, err := v.Verify(t.Context(), nil)
	s.must(err)
	if report.Difference != "" || report.Accounts != 2 || report.Entries != 69 || report.Repairs != 2 || report.Hazards != 1 {
		t.Errorf("a sound database: got %+v", report)
	}
	for i, damage := range []struct{ sql, want string }{
		{`UPDATE entries SET net = net + 1 WHERE entry = 'C1'`, "account T1"},
		{`UPDATE entries SET corrects = 'x' WHERE entry = 'P1:reversal'`, "entry P1:reversal at position 13 reads otherwise"},
		{`DELETE FROM entries WHERE entry = 'P1'`, "account T1"},
		{`UPDATE accounts SET balance = 0 WHERE account = 'T2'`, "account T2"},
		{`UPDATE account_sums SET net = 1 WHERE width = 2 AND starts_on = '2026-01-11'`, "the sum from 2026-01-11 is 1"},
		{`INSERT INTO accounts SELECT 'T3', currency, starts_on, ends_on, balance, version FROM accounts LIMIT 1`, "the views hold"},
		{`DELETE FROM reversals`, "table reversals: the row of T1, P1, which the log gives, is not there"},
		{`UPDATE reversals SET reversal = 'x'`, "table reversals: the row of T1, P1 reads otherwise"},
		{`UPDATE entries SET corrects = 'x' WHERE entry = 'J1'`, "table entries: the row of T1, 2026-02-11, 16, 0 reads otherwise"},
		{`UPDATE entries SET corrects = '' WHERE entry = 'C1'`, "table entries: the row of T1, 2025-12-31, 15, 0 reads otherwise"},
		{`UPDATE audit_events SET recorded_at = (SELECT min(recorded_at) FROM audit_events) WHERE position > 10`, "table audit_events: the row of 11 reads otherwise"},
		{`UPDATE audit_events SET actor = 99 WHERE position = 3`, "where the log gives the row of 3 there is that of 4"},
		{`UPDATE audit_actors SET actor = 'x'`, "table audit_actors: the row of somebody reads otherwise"},
		{`UPDATE audit_streams SET stream = 'x' WHERE stream = 'property-H1'`, "table audit_streams"},
		{`UPDATE audit_types SET type = 'x' WHERE type LIKE 'property.%'`, "table audit_types"},
		{`INSERT INTO audit_marks SELECT 5, recorded_at FROM audit_events WHERE position = 5`, "table audit_marks: the row of 5 is not what the log gives"},
		{`UPDATE terms SET amount = amount + 1`, "table terms: the row of T1, rent reads otherwise"},
		{`DELETE FROM tenancies`, "table tenancies: the row of T1, which"},
		{`UPDATE properties SET postcode = 'x'`, "table properties: the row of H1 reads otherwise"},
		{`UPDATE tenants SET name = 'x'`, "table tenants: the row of T1, A1 reads otherwise"},
		{`UPDATE tenants SET phone = NULL`, "table tenants: the row of T1, A1 reads otherwise"},
		{`DELETE FROM explanations`, "table explanations: the row of 9, 0, which"},
		{`UPDATE explanations SET rule = 1 WHERE part = 1`, "table explanations: the row of 14, 1 reads otherwise"},
		{`UPDATE explanation_rules SET term_version = 9 WHERE number = 1`, "table explanation_rules"},
		{`DELETE FROM charge_runs`, "table charge_runs: the row of R1, which"},
		{`UPDATE calendars SET version = 9`, "table calendars: the row of free reads otherwise"},
		{`DELETE FROM calendar_dates WHERE date = '2026-12-28'`, "table calendar_dates: the row of free, 2026-12-28, which"},
		{`INSERT INTO entry_accounts VALUES (99, 'T3')`, "table entry_accounts: the row of T3 is not what the log gives"},
		{`INSERT INTO entry_words VALUES (99, 'payment', 'secret', 'secret', 'x')`, "table entry_words"},
		{`UPDATE repairs SET snapshot = '{}' WHERE repair = 'R1'`, "table repairs: the row of R1 reads otherwise"},
		{`UPDATE repairs SET contact = NULL WHERE repair = 'R1'`, "table repairs: the row of R1 reads otherwise"},
		{`DELETE FROM repair_timeline WHERE event = 'repair.noted.v1'`, "table repair_timeline: where the log gives the row of R1, "},
		{`UPDATE repair_timeline SET said = '' WHERE event = 'repair.noted.v1'`, "table repair_timeline: the row of R1, "},
		{`DELETE FROM repair_photos`, "table repair_photos: the row of F1, R1, which"},
		{`UPDATE repair_visits SET status = 'x'`, "table repair_visits: the row of R1, 1 reads otherwise"},
		{`UPDATE hazards SET next_due_at = NULL`, "table hazards: the row of Z1 reads otherwise"},
		{`UPDATE hazard_timeline SET text = 'x'`, "table hazard_timeline: the row of Z1, "},
		{`DELETE FROM hazard_repairs`, "table hazard_repairs: the row of Z1, R2, which"},
		{`UPDATE contractors SET phone = NULL`, "table contractors: the row of C1 reads otherwise"},
		{`DELETE FROM contractor_trades WHERE trade = 'heating'`, "table contractor_trades: where the log gives the row of C1, heating"},
		{`UPDATE contractor_prices SET prices = '[]'`, "table contractor_prices: the row of C1, K1 reads otherwise"},
		{`UPDATE contractor_availability SET version = 9`, "table contractor_availability: the row of C1 reads otherwise"},
	} {
		if !thorough && i%6 > 0 {
			continue
		}
		s.must(v.db.Write(t.Context(), func(tx database.Tx) error { return tx.Exec(damage.sql) }))
		report, err := v.Verify(t.Context(), nil)
		s.must(err)
		if !strings.Contains(report.Difference, damage.want) {
			t.Errorf("%s: got %q, want %q in it", damage.sql, report.Difference, damage.want)
		}
		s.must(v.Rebuild(t.Context(), nil, viewOf(damage.sql)))
	}
	report, err = v.Verify(t.Context(), nil)
	if err != nil || report.Difference != "" {
		t.Errorf("repaired: got %+v, %v", report, err)
	}
}

// viewOf is the view whose table a statement writes.
func viewOf(sql string) string {
	words := strings.Fields(sql)
	all := contents()
	i := slices.IndexFunc(all, func(c content) bool { return slices.Contains(words[1:3], c.table) })
	return all[i].view
}

// No table of a view, and no column but the numbers of dictionaries, is left out of the comparison;
// and none but the few rules are sorted for it.
func TestContents_haveEverything(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.open()
	compared := map[string]content{}
	for _, c := range contents() {
		compared[c.view+" "+c.table] = c
	}
	numbers := []string{"number", "words", "rule", "stream", "type", "actor"}
	s.read(v, func(r *Reader) error {
		for _, view := range newViews() {
			for _, table := range view.Tables() {
				c, ok := compared[view.Name()+" "+table]
				if !ok {
					t.Errorf("view %s: nobody looks at table %s", view.Name(), table)
				}
				columns := map[string]bool{}
				for _, column := range c.columns() {
					columns[column[strings.LastIndexByte(column, '.')+1:]] = true
				}
				s.must(r.tx.Query(columnsQuery(), func(row database.Row) error {
					if name := row.Text(0); !columns[name] && !slices.Contains(numbers, name) {
						t.Errorf("table %s: nobody looks at column %s", table, name)
					}
					return nil
				}, database.Text(table)))
				if on() == "postgres" {
					continue // whose planner goes by the size of tables
				}
				s.must(r.tx.Query(`EXPLAIN QUERY PLAN `+c.query(), func(row database.Row) error {
					if step := row.Text(3); strings.Contains(step, "TEMP B-TREE") && table != "explanation_rules" {
						t.Errorf("table %s: %s", table, step)
					}
					return nil
				}))
			}
		}
		return nil
	})
}

func columnsQuery() string {
	if on() == "postgres" {
		return `SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema AND table_name = $1`
	}
	return `SELECT name FROM pragma_table_info($1)`
}

func TestViews_Verify_besideAWriter(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	v, other := s.open(), s.open()
	s.run(v)
	s.waitFor(v)
	given[rent.Event](s, account("T2"), opened("2026-01-01"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.charges("T2", 0, 300)
	}()
	for writing := true; writing; {
		select {
		case <-done:
			writing = false
		default:
		}
		report, err := other.Verify(t.Context(), nil)
		s.must(err)
		if report.Difference != "" {
			t.Errorf("beside a writer: %s", report.Difference)
		}
	}
	if _, err := os.Stat(filepath.Join(s.dir, "views.scratch")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what verify worked with is still there: %v", err)
	}
}
