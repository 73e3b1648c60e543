package projections

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rentbook/domain/clock"
	"rentbook/domain/hazard"
	"rentbook/domain/property"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// board records open repairs, and twice as many that have ended, in a thousand homes of a hundred blocks.
func board(s *scene, open int) {
	s.Helper()
	var appends []eventstore.Append
	flush := func() {
		for _, o := range s.log.AppendEach(s.Context(), appends) {
			s.must(o.Err)
		}
		appends = appends[:0]
	}
	for i := range 1100 {
		described := property.Described{Kind: "home", Parent: "", Address: "1 High Street", Postcode: "AB1 2CD"}
		id := fmt.Sprintf("H%d", i)
		if i < 1000 {
			described.Parent = propertyID(i / 10)
		} else {
			id, described.Kind = string(propertyID(i-1000)), "block"
		}
		stream := eventstore.NewStream(property.Category, id)
		appends = append(appends, eventstore.Append{Stream: stream, Events: s.plain(stream, described)})
	}
	flush()
	draw := chance(1)
	for i, opened, ended := 0, 0, 0; opened < open || ended < 2*open; i++ {
		l := newLife(fmt.Sprintf("R%06d", i), time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(i)*7*time.Minute), 1000, draw)
		ends := i%3 > 0 && ended < 2*open || opened >= open
		for n := 0; n < 8 || ends && n < 30 && l.State.Class() == "open"; n++ {
			l.step()
		}
		if l.State.Class() == "open" {
			if opened++; opened > open {
				continue
			}
		} else if ended++; ended > 2*open {
			continue
		}
		stream := repairStream(l.id)
		appends = append(appends, eventstore.Append{Stream: stream, Events: s.proposed(stream, l.facts, l.by)})
		if len(appends) == 1000 {
			flush()
		}
	}
	flush()
}

// plain is a fact as it is recorded, on a stream of its own.
func (s *scene) plain(stream eventstore.Stream, fact eventstore.Named) []eventstore.Proposed {
	s.Helper()
	id := newID()
	data, err := s.codec.Encode(stream, id, fact)
	s.must(err)
	return []eventstore.Proposed{{ID: id, Type: fact.EventType(), Data: data, Metadata: eventstore.Metadata{
		Command: id, Correlation: id, Causation: id, Actor: eventstore.Actor{ID: "cli", Role: "operator"},
	}}}
}

// boardOf is how many repairs are open in benchmarks.
const boardOf = 10_000

// boardFilters are lists that people ask for.
func boardFilters() map[string]RepairFilter {
	now, yes := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), true
	return map[string]RepairFilter{
		"all":             {},
		"open":            {When: WhenOpen},
		"past":            {When: WhenPast},
		"new":             {When: WhenNew},
		"upcoming":        {When: WhenUpcoming, Now: now},
		"overdue":         {When: WhenOverdue, Now: now},
		"contractor":      {Contractor: "C3"},
		"contractor_open": {Contractor: "C3", When: WhenOpen},
		"tenancy":         {Tenancies: []string{"T3"}},
		"tenant":          {Tenancies: []string{"T3"}, CommunalAt: []string{"H3", "B0"}},
		"block":           {Block: "B0"},
		"block_open":      {Block: "B0", When: WhenOpen},
		"state":           {State: "on_hold"},
		"priority":        {Priority: "emergency", When: WhenOpen},
		"trade":           {Trade: "roofing", When: WhenOpen},
		"communal":        {Communal: &yes, When: WhenOpen},
		"resolved":        {Class: "resolved"},
		"emergencies":     {Priority: "emergency", Trade: "roofing", When: WhenOverdue, Now: now},
		"no_duplicates":   {HideMerged: true},
	}
}

// A page of each list, as a multiple of what the database alone takes for the same SQL.
func BenchmarkRepairList(b *testing.B) {
	s := newScene(b)
	board(s, boardOf)
	v := s.open()
	s.catchUp(v)
	s.analyse(v)
	filters := boardFilters()
	for _, name := range sortedKeys(filters) {
		q, err := filters[name].query(repairColumns)
		s.must(err)
		s.compareList(b, v, name, q, func(r *Reader) int {
			found, _, err := r.Repairs(filters[name])
			s.must(err)
			return len(found)
		})
	}
}

// The board of hazards, the same way.
func BenchmarkHazardBoard(b *testing.B) {
	s := newScene(b)
	var appends []eventstore.Append
	for i := range boardOf {
		stream := eventstore.NewStream(hazard.Category, fmt.Sprintf("Z%05d", i))
		appends = append(appends, eventstore.Append{Stream: stream, Events: s.plain(stream, hazard.Recognised{
			Property: propertyID(i), Kind: "fire", Grade: hazard.Grades()[i%2], AwareAt: at(1, 0).Add(time.Duration(i*7919%boardOf) * time.Minute),
			Channel: hazard.Portal, Targets: []clock.Target{days(clock.Investigate, 10), hours(clock.EmergencyMakeSafe, 24)},
		})})
	}
	for chunk := range slices.Chunk(appends, 1000) {
		for _, o := range s.log.AppendEach(b.Context(), chunk) {
			s.must(o.Err)
		}
	}
	v := s.open()
	s.catchUp(v)
	s.analyse(v)
	for name, f := range map[string]HazardFilter{"open": {Open: true}, "emergencies": {Open: true, Grade: "emergency"}} {
		q, err := f.query(hazardColumns)
		s.must(err)
		s.compareList(b, v, name, q, func(r *Reader) int {
			found, _, err := r.Hazards(f)
			s.must(err)
			return len(found)
		})
	}
}

// compareList asks for a list in two ways, first for the raw rows. The first of each is not counted: it
// prepares statements, and what it reads is remembered, as it is while a server runs.
func (s *scene) compareList(b *testing.B, v *Views, name string, q listQuery, list func(*Reader) int) {
	columns := strings.Count(q.sql[:strings.Index(q.sql, ", sorts")], ",") + 2
	b.Run(name, func(b *testing.B) {
		var raw, whole, first time.Duration
		rows, texts := 0, 0
		once := func(r *Reader) (time.Duration, time.Duration) {
			began := time.Now()
			s.must(r.tx.Query(q.sql, func(row database.Row) error {
				for column := range columns {
					texts += len(row.Text(column))
				}
				return nil
			}, q.args...))
			between := time.Now()
			rows = list(r)
			return between.Sub(began), time.Since(between)
		}
		s.must(v.Read(b.Context(), func(r *Reader) error {
			_, first = once(r)
			return nil
		}))
		for b.Loop() {
			s.must(v.Read(b.Context(), func(r *Reader) error {
				alone, all := once(r)
				raw, whole = raw+alone, whole+all
				return nil
			}))
		}
		b.ReportMetric(float64(whole)/float64(raw), "x_raw")
		b.ReportMetric(float64(first.Microseconds()), "first-us")
		b.ReportMetric(float64(raw.Microseconds())/float64(b.N), "raw-us")
		b.ReportMetric(float64(rows), "rows")
		b.ReportMetric(0, "ns/op")
	})
}

// analyse lets PostgreSQL look at the tables, as autovacuum does after a while.
func (s *scene) analyse(v *Views) {
	s.Helper()
	if on() == "postgres" {
		s.must(v.db.Write(s.Context(), func(tx database.Tx) error { return tx.Exec(`ANALYSE`) }))
	}
}
