package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	driver "zombiezen.com/go/sqlite"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
	"rentbook/eventstore/sqlite/sqlitefile"
)

// body has the size of a charge with its explanation.
var body = slices.Repeat([]byte(`{"amount":"450.00"}`), 11)

func proposed() eventstore.Proposed {
	command := uuid.New()
	return eventstore.Proposed{
		ID: uuid.New(), Type: "rent.charge-raised.v1", Data: body,
		Metadata: eventstore.Metadata{
			Command: command, Correlation: command, Causation: command,
			Actor: eventstore.Actor{ID: "cli", Role: "manager"},
		},
	}
}

// The limit: the same row and index through the driver, in one connection.
func BenchmarkDriver(b *testing.B) {
	for _, batch := range []int{1, 64} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			conn := driverFile(b, b.TempDir())
			b.ResetTimer()
			for i := 0; i < b.N; i += batch {
				insertRaw(b, conn, i, batch)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func driverFile(b *testing.B, dir string) *driver.Conn {
	b.Helper()
	conn, err := sqlitefile.OpenConn(sqlitefile.Config{
		Path: filepath.Join(dir, "raw.db"), ApplicationID: 1, Version: 1,
		Schema: `CREATE TABLE event (position INTEGER PRIMARY KEY, stream INTEGER, version INTEGER,
			type INTEGER, actor INTEGER, at INTEGER, ids BLOB, authority TEXT, data BLOB) STRICT;
			CREATE UNIQUE INDEX event_of_stream ON event (stream, version)`,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}

func insertRaw(b *testing.B, conn *driver.Conn, from, batch int) {
	b.Helper()
	ids := make([]byte, 32)
	err := sqlitefile.Exec(conn, "BEGIN IMMEDIATE")
	for i := from; i < from+batch && err == nil; i++ {
		stmt, prepared := conn.Prepare(`INSERT INTO event (stream, version, type, actor, at, ids, data)
			VALUES (?1, ?2, 1, 1, ?3, ?4, ?5)`)
		if prepared != nil {
			b.Fatal(prepared)
		}
		stmt.BindInt64(1, int64(i%64))
		stmt.BindInt64(2, int64(i))
		stmt.BindInt64(3, 1_780_000_000_000_000+int64(i))
		stmt.BindBytes(4, ids)
		stmt.BindBytes(5, body)
		_, err = stmt.Step()
	}
	if err = errors.Join(err, sqlitefile.Exec(conn, "COMMIT")); err != nil {
		b.Fatal(err)
	}
}

// One caller: the price of a sync.
func BenchmarkAppend(b *testing.B) { appendTo(b, 1, 1, 0) }

// 64 callers, each with a stream of its own: what group commit makes of it.
func BenchmarkAppend_64Callers(b *testing.B) { appendTo(b, 64, 1, 0) }

// 64 callers, an ordinary disk: a sync takes 2 ms.
func BenchmarkAppend_64CallersSlowSync(b *testing.B) { appendTo(b, 64, 1, 2*time.Millisecond) }

// 64 callers over 10,000 streams: the index is written all over.
func BenchmarkAppend_64CallersManyStreams(b *testing.B) { appendTo(b, 64, 10_000/64, 0) }

// One caller with batches of 64.
func BenchmarkAppend_Batch64(b *testing.B) {
	log := open(b, b.TempDir(), sqlite.Options{})
	b.ResetTimer()
	for i := 0; i < b.N; i += 64 {
		events := make([]eventstore.Proposed, 64)
		for j := range events {
			events[j] = proposed()
		}
		if _, err := log.Append(b.Context(), "bench-1", eventstore.Version(i), events...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func appendTo(b *testing.B, callers, streams int, slower time.Duration) {
	b.Helper()
	commits := 0
	log := open(b, b.TempDir(), sqlite.Options{BeforeSync: func() { commits++; time.Sleep(slower) }})
	latencies := make([][]time.Duration, callers)
	var left atomic.Int64
	left.Store(int64(b.N))
	b.ResetTimer()
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := 0; left.Add(-1) >= 0; i++ {
				stream := eventstore.NewStream("bench", fmt.Sprintf("%d-%d", c, i%streams))
				began := time.Now()
				_, err := log.Append(b.Context(), stream, eventstore.Version(i/streams), proposed())
				if err != nil {
					b.Error(err)
					return
				}
				latencies[c] = append(latencies[c], time.Since(began))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	report(b, slices.Concat(latencies...), log)
	b.ReportMetric(float64(b.N)/float64(commits), "events/commit")
}

func report(b *testing.B, latencies []time.Duration, log *sqlite.Log) {
	b.Helper()
	slices.Sort(latencies)
	at := func(q float64) float64 {
		return float64(latencies[int(q*float64(len(latencies)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(0.999), "p999-ms")
	b.ReportMetric(at(1), "max-ms")
	size, err := log.Size()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/float64(b.N), "disk-B/event")
}

func filled(b *testing.B, events, streams int) *sqlite.Log {
	b.Helper()
	log := open(b, b.TempDir(), sqlite.Options{})
	appends := make([]eventstore.Append, events)
	for i := range appends {
		appends[i] = eventstore.Append{
			Stream: eventstore.NewStream("bench", fmt.Sprintf("T%d", 10_000+i%streams)),
			After:  eventstore.Version(i / streams), Events: []eventstore.Proposed{proposed()},
		}
	}
	for _, outcome := range log.AppendEach(b.Context(), appends) {
		if outcome.Err != nil {
			b.Fatal(outcome.Err)
		}
	}
	return log
}

// The whole log in order.
func BenchmarkFollow(b *testing.B) {
	const events = 200_000
	log := filled(b, events, 10_000)
	b.ResetTimer()
	for range b.N {
		n := 0
		for _, err := range eventstore.ReadTo(b.Context(), log, eventstore.Position{}, eventstore.PositionAt(events)) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != events {
			b.Fatalf("%d events", n)
		}
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
}

// One stream of 20 events among many.
func BenchmarkRead(b *testing.B) {
	log := filled(b, 200_000, 10_000)
	b.ResetTimer()
	for i := range b.N {
		readStream(b.Context(), b, log, eventstore.NewStream("bench", fmt.Sprintf("T%d", 10_000+i*7919%10_000)))
	}
}

func readStream(ctx context.Context, b *testing.B, log *sqlite.Log, s eventstore.Stream) {
	b.Helper()
	n := 0
	for _, err := range log.Read(ctx, s, 0) {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != 20 {
		b.Fatalf("%s has %d events", s, n)
	}
}
