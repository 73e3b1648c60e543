package projections

import (
	"strings"
	"testing"

	"rentbook/projections/database"
)

func TestViews_Verify(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	s.charges("T2", 0, 60)
	v := s.open()
	s.catchUp(v)
	report, err := v.Verify(t.Context(), nil)
	s.must(err)
	if report.Difference != "" || report.Accounts != 2 || report.Entries != 69 {
		t.Errorf("a sound database: got %+v", report)
	}
	for _, damage := range []struct{ sql, want string }{
		{`UPDATE entries SET net = net + 1 WHERE entry = 'C1'`, "account T1"},
		{`UPDATE entries SET corrects = 'x' WHERE entry = 'P1:reversal'`, "entry P1:reversal at position 13 reads otherwise"},
		{`DELETE FROM entries WHERE entry = 'P1'`, "account T1"},
		{`UPDATE accounts SET balance = 0 WHERE account = 'T2'`, "account T2"},
		{`UPDATE account_sums SET net = 1 WHERE width = 2 AND starts_on = '2026-01-11'`, "the sum from 2026-01-11 is 1"},
		{`INSERT INTO accounts SELECT 'T3', currency, starts_on, ends_on, balance, version FROM accounts LIMIT 1`, "the views hold"},
	} {
		s.must(v.Rebuild(t.Context(), nil))
		s.must(v.db.Write(t.Context(), func(tx database.Tx) error { return tx.Exec(damage.sql) }))
		report, err := v.Verify(t.Context(), nil)
		s.must(err)
		if !strings.Contains(report.Difference, damage.want) {
			t.Errorf("%s: got %q, want %q in it", damage.sql, report.Difference, damage.want)
		}
	}
}
