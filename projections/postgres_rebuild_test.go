package projections

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"rentbook/eventstore"
	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/projections/database"
)

// Beside a writer and rebuilds, whoever reads sees a whole table: our own readers, and other programs
// that come by the publications.
func TestPostgres_rebuildBesideReaders(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	s := newScene(t)
	s.url = pgtest.URL(t)
	openAccounts(s)
	v, other := s.open(), s.open()
	s.run(v)
	s.reach(v)
	ctx, cancel := context.WithCancel(t.Context())
	var beside sync.WaitGroup
	beside.Go(func() {
		for ctx.Err() == nil {
			if err := v.Read(t.Context(), wholeTables(t)); err != nil {
				t.Errorf("our reader: %v", err)
			}
		}
	})
	for range 2 {
		conn := s.direct()
		beside.Go(func() {
			for last := int64(0); ctx.Err() == nil; {
				last = s.wholePublications(conn, last)
			}
		})
	}
	for range 3 {
		recorded := make(chan eventstore.Position)
		go traffic(s, 100, recorded)
		s.must(other.Rebuild(t.Context(), nil))
		s.must(v.Rebuild(t.Context(), nil, "statement"))
		drain(recorded)
		s.reach(v)
	}
	cancel()
	beside.Wait()
	s.verify(v)
}

// wholeTables wants every account to be there, and the balances of one view to be the sums of the other.
func wholeTables(t *testing.T) func(*Reader) error {
	return func(r *Reader) error {
		accounts, err := r.Accounts("", 1000)
		if err != nil {
			return err
		}
		if len(accounts) != tenants {
			t.Errorf("our reader sees %d accounts", len(accounts))
		}
		for _, a := range accounts[:10] {
			sum, err := r.Balance(a.ID, date("9999-12-31"), r.Now())
			if err != nil {
				return err
			}
			if sum != a.Balance {
				t.Errorf("our reader: account %s says %d, its entries %d", a.ID, a.Balance, sum)
			}
		}
		return nil
	}
}

// wholePublications wants the same in one statement, and no fewer entries than the last time.
func (s *scene) wholePublications(conn *pgx.Conn, last int64) (entries int64) {
	var balances, sum int64
	err := conn.QueryRow(s.Context(), `SELECT (SELECT coalesce(sum(balance_minor), 0)::bigint FROM accounts),
		(SELECT coalesce(sum(coalesce(debit_minor, 0) - coalesce(credit_minor, 0)), 0)::bigint FROM entries),
		(SELECT count(*) FROM entries)`).Scan(&balances, &sum, &entries)
	switch {
	case err != nil:
		s.Errorf("another program: %v", err)
	case balances != sum || entries < last:
		s.Errorf("another program sees balances of %d, entries of %d, and %d of them after %d", balances, sum, entries, last)
	}
	return entries
}

// A reader that takes its time keeps a rebuild from putting its tables in place, and nobody else from
// reading: those who read meanwhile wait for a moment at most. Once it is gone the rebuild succeeds.
func TestPostgres_rebuildBesideASlowReader(t *testing.T) {
	if on() == "sqlite" {
		return
	}
	t.Parallel()
	for name, occupy := range map[string]func(*scene, *Views) (end func()){
		"of ours": func(s *scene, v *Views) func() {
			held, over, ended := make(chan struct{}), make(chan struct{}), make(chan error)
			go func() {
				ended <- v.Read(s.Context(), func(r *Reader) error {
					_, err := r.Accounts("", 1)
					close(held)
					<-over
					return err
				})
			}()
			<-held
			return func() {
				close(over)
				s.must(<-ended)
			}
		},
		"of another program": func(s *scene, _ *Views) func() {
			conn := s.direct()
			s.execute(conn, `BEGIN; SELECT FROM entries LIMIT 1`)
			return func() { s.execute(conn, `COMMIT`) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.url = pgtest.URL(t)
			openAccounts(s)
			v := s.open()
			s.catchUp(v)
			other := s.as("rebuild")
			rebuilding := other.open()
			end := occupy(s, v)
			ended := make(chan error, 1)
			go func() { ended <- rebuilding.Rebuild(t.Context(), nil) }()
			conn := s.direct()
			s.untilWaiting(conn, other.program())
			for range 20 {
				began := time.Now()
				s.must(v.Read(t.Context(), wholeTables(t)))
				s.wholePublications(conn, 0)
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("somebody else had to wait for %v", took)
				}
			}
			select {
			case err := <-ended:
				t.Fatalf("the rebuild has ended though somebody still reads: %v", err)
			default:
			}
			end()
			s.must(<-ended)
			s.verify(v)
		})
	}
}

// untilWaiting returns when a program waits for a lock.
func (s *scene) untilWaiting(conn *pgx.Conn, program string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	for waiting := false; !waiting; {
		err := conn.QueryRow(ctx, `SELECT count(*) > 0 FROM pg_stat_activity
			WHERE application_name = $1 AND wait_event_type = 'Lock' AND wait_event = 'relation'`, program).Scan(&waiting)
		s.must(err)
	}
}

// A database that has lost what a rebuild had committed, as an older copy of it has, is noticed. The
// live tables stay, and the next rebuild succeeds.
func TestViews_Rebuild_losesWhatItWrote(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	v := s.open()
	s.catchUp(v)
	want := s.dump(v)
	v.bulk = 5
	for _, lost := range []struct {
		statement string
		atLast    bool // when the new tables are to be put in place
	}{
		{`UPDATE rebuilds SET position = 0 WHERE view = 'statement'`, false},
		{`UPDATE rebuilds SET position = position - 1`, true},
		{`UPDATE rebuilds SET generation = generation - 1`, false},
	} {
		write := func(statement string) {
			s.must(v.db.Write(t.Context(), func(tx database.Tx) error { return tx.Exec(statement) }))
		}
		lose := sync.OnceFunc(func() { write(lost.statement) })
		err := v.Rebuild(t.Context(), func(done, total uint64) {
			if !lost.atLast || done == total {
				lose()
			}
		})
		if !errors.Is(err, errLost) {
			t.Errorf("%s: got %v", lost.statement, err)
		}
		write(`UPDATE rebuilds SET generation = (SELECT max(generation) + 1 FROM checkpoints)`) // as it was
	}
	if diff := cmp.Diff(want, s.dump(v)); diff != "" {
		t.Errorf("the live tables (-want +got):\n%s", diff)
	}
	s.must(v.Rebuild(t.Context(), nil))
	s.verify(v)
}

// A feed that starts again may find less than it wrote, numbers of dictionaries among it.
func TestFeeds_forgetWhatMayBeLost(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	v := s.open()
	head, err := s.log.Head(t.Context())
	s.must(err)
	all, _ := v.feeds()
	var want []string
	for range 2 {
		after, err := all.start(t.Context())
		s.must(err)
		for b, err := range v.batches(t.Context(), after, number(head), 5) {
			s.must(err)
			s.must(all.handle(t.Context(), b))
		}
		got := s.dump(v)
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("written again (-want +got):\n%s", diff)
		}
		s.must(v.db.Write(t.Context(), func(tx database.Tx) error {
			err := tx.Exec(`UPDATE checkpoints SET position = 0`)
			for _, view := range newViews() {
				for _, table := range view.Tables() {
					err = errors.Join(err, tx.Exec(`DELETE FROM {`+table+`}`))
				}
			}
			return err
		}))
	}
}
