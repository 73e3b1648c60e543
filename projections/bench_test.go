package projections

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// portfolio records accounts with some years of weekly charges and payments, in the order of
// charge runs: a week of all accounts after the other.
func portfolio(s *scene, accounts, weeks int) (events int) {
	s.Helper()
	var appends []eventstore.Append
	flush := func() {
		for _, o := range s.log.AppendEach(s.Context(), appends) {
			s.must(o.Err)
		}
		appends = appends[:0]
	}
	add := func(stream eventstore.Stream, facts ...rent.Event) {
		a := eventstore.Append{Stream: stream, After: s.streak[stream]}
		for _, f := range facts {
			id := uuid.New()
			data, err := s.codec.Encode(stream, id, f)
			s.must(err)
			a.Events = append(a.Events, eventstore.Proposed{ID: id, Type: f.EventType(), Data: data, Metadata: eventstore.Metadata{
				Command: id, Correlation: id, Causation: id, Actor: eventstore.Actor{ID: "cli", Role: "operator"},
			}})
		}
		s.streak[stream] += eventstore.Version(len(facts))
		events += len(facts)
		if appends = append(appends, a); len(appends) == 1000 {
			flush()
		}
	}
	for i := range accounts {
		add(account(fmt.Sprintf("T%05d", i)), opened("2020-01-06"))
	}
	start := date("2020-01-06")
	for w := range weeks {
		on := (start + domain.Date(7*w)).String()
		for i := range accounts {
			stream := account(fmt.Sprintf("T%05d", i))
			add(stream, raised(on, 10000))
			if w%2 == 1 {
				add(stream, paid(fmt.Sprintf("P%06d", w*1000000+i), on, 20000))
			}
		}
	}
	flush()
	return events
}

func BenchmarkRebuild(b *testing.B) {
	s := newScene(b)
	total := portfolio(s, 4000, 20)
	v := s.open()
	for b.Loop() {
		began := cpu()
		for batch, err := range v.batches(b.Context(), 0, int64(total), catchUpEvents) {
			_, _ = batch, err
		}
		raw := cpu() - began
		began, wall := cpu(), time.Now()
		s.must(v.Rebuild(b.Context(), nil))
		rebuilt := cpu() - began
		took := time.Since(wall).Seconds()
		b.ReportMetric(float64(total)/took, "events/s")
		b.ReportMetric(float64(total)/raw.Seconds(), "raw_events/cpu-s")
		b.ReportMetric(float64(total)/rebuilt.Seconds(), "events/cpu-s")
		b.ReportMetric(raw.Seconds()/rebuilt.Seconds(), "x_raw")
		if on() == "postgres" {
			b.ReportMetric(s.copyAgain().Seconds()/took, "x_copy")
		}
	}
	s.sizes(v, total)
}

// copyAgain is how long PostgreSQL alone takes for the rows of all views: each table is copied into an
// empty one like it, with its indexes.
func (s *scene) copyAgain() (took time.Duration) {
	s.Helper()
	ctx := s.Context()
	conn, err := pgx.Connect(ctx, s.url)
	s.must(err)
	defer func() { s.must(conn.Close(ctx)) }()
	exec := func(statement string) {
		_, err := conn.Exec(ctx, statement)
		s.must(err)
	}
	exec(`SELECT set_config('search_path', current_setting('search_path') || '_views', false)`)
	exec(`SET synchronous_commit = off`)
	for _, view := range newViews() {
		for _, table := range view.Tables() {
			var rows bytes.Buffer
			_, err := conn.PgConn().CopyTo(ctx, &rows, `COPY `+table+` TO STDOUT (FORMAT binary)`)
			s.must(err)
			began := time.Now()
			exec(`CREATE TABLE again (LIKE ` + table + ` INCLUDING ALL)`)
			_, err = conn.PgConn().CopyFrom(ctx, &rows, `COPY again FROM STDIN (FORMAT binary)`)
			s.must(err)
			took += time.Since(began)
			exec(`DROP TABLE again`)
		}
	}
	return took
}

// cpu is the processor time used so far: on a busy machine it says more than the clock.
func cpu() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// sizes logs how many bytes the tables take for each event.
func (s *scene) sizes(v *Views, events int) {
	s.Helper()
	s.read(v, func(r *Reader) error {
		query := `SELECT name, sum(pgsize), sum(unused), sum(ncell) FROM dbstat GROUP BY name ORDER BY 2 DESC`
		if on() == "postgres" {
			query = `SELECT relname::text, pg_relation_size(oid), 0, reltuples::bigint FROM pg_class
				WHERE relnamespace = current_schema::regnamespace ORDER BY 2 DESC`
		}
		return r.tx.Query(query,
			func(row database.Row) error {
				if row.Int(1) > 100_000 {
					s.Logf("%-28s %6.1f B/event, %4.1f %% unused, %d cells", row.Text(0), float64(row.Int(1))/float64(events),
						100*float64(row.Int(2))/float64(row.Int(1)), row.Int(3))
				}
				return nil
			})
	})
}

func BenchmarkCatchUp(b *testing.B) {
	s := newScene(b)
	total := portfolio(s, 2000, 10)
	for b.Loop() {
		v, err := Open(b.Context(), Config{Database: s.elsewhere().database(), Log: s.log, Codec: s.codec, LogID: "log"})
		s.must(err)
		began := cpu()
		s.must(v.CatchUp(b.Context()))
		b.ReportMetric(float64(total)/(cpu()-began).Seconds(), "catchup_events/cpu-s")
		s.must(v.Close())
		v, err = Open(b.Context(), Config{Database: s.elsewhere().database(), Log: s.log, Codec: s.codec, LogID: "log"})
		s.must(err)
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error, 1)
		began = cpu()
		go func() { ended <- v.Run(ctx) }()
		head, err := s.log.Head(ctx)
		s.must(err)
		s.must(v.WaitFor(ctx, head))
		b.ReportMetric(float64(total)/(cpu()-began).Seconds(), "run_events/cpu-s")
		cancel()
		s.must(<-ended)
		s.must(v.Close())
	}
}

func BenchmarkStatement(b *testing.B) {
	s := newScene(b)
	portfolio(s, 200, 260)
	v := s.open()
	s.catchUp(v)
	for _, days := range []int{31, 365} {
		b.Run(fmt.Sprintf("%d_days", days), func(b *testing.B) {
			n, lines := 0, 0
			began := cpu()
			for b.Loop() {
				n++
				s.must(v.Read(b.Context(), func(r *Reader) error {
					from := date("2022-03-01") + domain.Date(n*37%700)
					st, err := r.Statement(fmt.Sprintf("T%05d", n*7919%200), from, from+domain.Date(days)-1, r.Now())
					s.must(err)
					for _, err := range st.Lines {
						s.must(err)
						lines++
					}
					return nil
				}))
			}
			b.ReportMetric(float64(lines)/float64(n), "lines/op")
			b.ReportMetric(float64((cpu()-began).Microseconds())/float64(n), "cpu-us/op")
		})
	}
}
