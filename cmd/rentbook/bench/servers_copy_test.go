package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"rentbook/eventstore"
	"rentbook/projections"
	"rentbook/projections/database"
	viewsqlite "rentbook/projections/sqlite"
)

// copyGoal is views built from the whole log on PostgreSQL against COPY of the rows they come to, and
// against the same views on SQLite. COPY has the rows ready-made, in binary, table after table on one
// connection, and survives a crash, as a rebuild does.
func (s *servers) copyGoal() *serverGoal {
	g := copyGoal{
		servers: s,
		rebuild: compare(wantAtLeast(0.5, "rebuild / COPY, then indexes"), "rebuild/copy-then-index", " rows/s"),
		work: compare(justShow("", "the same in processor time, the server's included"),
			"rebuild/copy-then-index-cpu", " rows/s"),
		catchUp: compare(justShow("", "catch-up / COPY, then indexes"), "catch-up/copy-then-index", " rows/s"),
		indexedRebuild: compare(justShow("", "rebuild / COPY into tables with indexes"),
			"rebuild/copy-into-indexes", " rows/s"),
		indexedCatchUp: compare(justShow("", "catch-up / COPY into tables with indexes"),
			"catch-up/copy-into-indexes", " rows/s"),
		sqliteRebuild: compare(justShow("", "rebuild, PostgreSQL / SQLite"), "rebuild/sqlite", " events/s"),
		sqliteCatchUp: compare(justShow("", "catch-up, PostgreSQL / SQLite"), "catch-up/sqlite", " events/s"),
	}
	return s.newGoal("G9", g.open, g.rebuild, g.work, g.catchUp, g.indexedRebuild, g.indexedCatchUp, g.sqliteRebuild, g.sqliteCatchUp)
}

type copyGoal struct {
	*servers

	rebuild, work, catchUp         *comparison
	indexedRebuild, indexedCatchUp *comparison
	sqliteRebuild, sqliteCatchUp   *comparison
}

func (g *copyGoal) open(ctx context.Context) (*measuring, error) {
	k, err := g.theLog(ctx)
	if err != nil {
		return nil, err
	}
	return &measuring{round: func(ctx context.Context, say func(string, ...any)) error { return g.round(ctx, k.node, say) }}, nil
}

// built is how long it took to build views, both ways.
type built struct{ catchUp, rebuild effort }

func (g *copyGoal) round(ctx context.Context, n *node, say func(string, ...any)) (err error) {
	p, err := g.newPlace()
	if err != nil {
		return err
	}
	d, err := newDump(p, g.folder())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(d.folder)) }()
	ours, err := g.build(ctx, n, p.open, func() error { return d.take(ctx) })
	if err != nil {
		return err
	}
	indexed, err := g.copyBack(ctx, d, true)
	if err != nil {
		return err
	}
	bare, err := g.copyBack(ctx, d, false)
	if err != nil {
		return err
	}
	if err := p.drop(ctx); err != nil { // before the server begins to clean up by itself
		return err
	}
	sqlite, err := g.build(ctx, n, func(context.Context) (database.Database, error) { return viewsqlite.Open(g.folder()) }, nil)
	if err != nil {
		return err
	}
	say("COPY of %d rows, %d MB", d.rows, d.bytes>>20)
	say("into tables with indexes %v", indexed)
	say("then indexes             %v", bare)
	say("PostgreSQL, catch-up     %v", ours.catchUp)
	say("PostgreSQL, rebuild      %v", ours.rebuild)
	say("SQLite, catch-up         %v", sqlite.catchUp)
	say("SQLite, rebuild          %v", sqlite.rebuild)
	events, rows := float64(n.events.Load()), float64(d.rows)
	for _, side := range []struct {
		line         *comparison
		what         float64
		ours, theirs time.Duration
	}{
		{g.rebuild, rows, ours.rebuild.took, bare.took},
		{g.work, rows, ours.rebuild.work(), bare.work()},
		{g.catchUp, rows, ours.catchUp.took, bare.took},
		{g.indexedRebuild, rows, ours.rebuild.took, indexed.took},
		{g.indexedCatchUp, rows, ours.catchUp.took, indexed.took},
		{g.sqliteRebuild, events, ours.rebuild.took, sqlite.rebuild.took},
		{g.sqliteCatchUp, events, ours.catchUp.took, sqlite.catchUp.took},
	} {
		side.line.add(side.what/side.ours.Seconds(), side.what/side.theirs.Seconds())
	}
	return nil
}

// build builds views from nothing and once more, makes sure of them each time, and closes them.
// between may be nil.
func (g *copyGoal) build(
	ctx context.Context, n *node, open func(context.Context) (database.Database, error), between func() error,
) (took built, err error) {
	db, err := open(ctx)
	if err != nil {
		return took, err
	}
	v, err := projections.Open(ctx, projections.Config{
		Database: db, Log: n.log, Codec: n.codec, LogID: n.identity.Log, Rising: true, Logger: n.logger,
	})
	if err != nil {
		return took, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if took.catchUp, err = g.timed(ctx, func() error { return v.CatchUp(ctx) }); err != nil {
		return took, err
	}
	if err := g.check(ctx, n, v); err != nil {
		return took, err
	}
	if between != nil {
		if err := between(); err != nil {
			return took, err
		}
	}
	if took.rebuild, err = g.timed(ctx, func() error { return v.Rebuild(ctx, nil) }); err != nil {
		return took, err
	}
	return took, g.check(ctx, n, v)
}

// effort is what something took. On a machine that does other things too the clock says little.
type effort struct{ took, cpu, server time.Duration }

// work is the time of processors, ours and PostgreSQL's. Where the system does not tell, it is as
// good as none.
func (e effort) work() time.Duration { return max(e.cpu+e.server, time.Microsecond) }

func (e effort) String() string {
	return fmt.Sprintf("%6.2f s, processors: ours %.2f s, PostgreSQL's %.2f s", e.took.Seconds(), e.cpu.Seconds(), e.server.Seconds())
}

// timed measures what PostgreSQL may play a part in.
func (s *servers) timed(ctx context.Context, do func() error) (e effort, err error) {
	if err := s.anywhere.settle(ctx); err != nil {
		return e, err
	}
	began, cpu, server := time.Now(), processTime(), s.serverTime()
	err = do()
	return effort{time.Since(began), processTime() - cpu, s.serverTime() - server}, err
}

// check holds views against what was recorded.
func (s *servers) check(ctx context.Context, n *node, v *projections.Views) error {
	if s.thorough {
		report, err := v.Verify(ctx, nil)
		if err == nil && (report.Difference != "" || report.Events != uint64(n.events.Load())) {
			err = fmt.Errorf("the views are not what the log gives: %+v", report)
		}
		return err
	}
	return v.Read(ctx, func(r *projections.Reader) error {
		owed, err := owedByAll(r)
		if err == nil && (owed != n.owed.Load() || r.Position() != eventstore.PositionAt(uint64(n.events.Load()))) {
			err = fmt.Errorf("the views come to %d at %s, the log to %d at %d", owed, r.Position(), n.owed.Load(), n.events.Load())
		}
		return err
	})
}

// dump is the rows of views, in files.
type dump struct {
	place

	folder string
	tables []dumped
	rows   int64
	bytes  int64
}

// dumped is a table.
type dumped struct {
	name    string
	indexes []string // statements that make them, that of the primary key among them
	rows    int64
	digest  string
}

func newDump(p place, folder string) (*dump, error) {
	return &dump{place: p, folder: folder}, os.MkdirAll(folder, 0o700)
}

// copies is the schema that rows are copied back to.
func (p place) copies() string { return p.location.Public() + "_copy" }

func (d *dump) file(t dumped) string { return filepath.Join(d.folder, t.name) }

// take writes all rows to files, in the order in which the views wrote them.
func (d *dump) take(ctx context.Context) error {
	return d.with(ctx, func(conn *pgx.Conn) error {
		if err := d.list(ctx, conn); err != nil {
			return err
		}
		for i := range d.tables {
			if err := d.takeTable(ctx, conn, &d.tables[i]); err != nil {
				return fmt.Errorf("dump %s: %w", d.tables[i].name, err)
			}
		}
		return nil
	})
}

// list finds the tables of views, among which are a few of the views' own bookkeeping.
func (d *dump) list(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT tablename, array(SELECT indexdef FROM pg_indexes i
			WHERE i.schemaname = t.schemaname AND i.tablename = t.tablename ORDER BY indexname)
		FROM pg_tables t WHERE schemaname = $1 ORDER BY tablename`, d.location.Views())
	if err != nil {
		return err
	}
	d.tables, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t dumped, err error) {
		return t, row.Scan(&t.name, &t.indexes)
	})
	return err
}

func (d *dump) takeTable(ctx context.Context, conn *pgx.Conn, t *dumped) (err error) {
	file, err := os.Create(d.file(*t))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	tag, err := conn.PgConn().CopyTo(ctx, file, `COPY `+d.location.Views()+`.`+t.name+` TO STDOUT (FORMAT binary)`)
	if err != nil {
		return err
	}
	t.rows = tag.RowsAffected()
	d.rows += t.rows
	if info, err := file.Stat(); err == nil {
		d.bytes += info.Size()
	}
	t.digest, err = digest(ctx, conn, d.location.Views(), *t)
	return err
}

// digest is the same for the same rows, whatever their order.
func digest(ctx context.Context, conn *pgx.Conn, schema string, t dumped) (sum string, err error) {
	err = conn.QueryRow(ctx, `SELECT count(*) || ' rows, ' || coalesce(sum(hashtextextended(t::text, 0)), 0)
		FROM `+schema+`.`+t.name+` t`).Scan(&sum)
	return sum, err
}

// copyBack fills fresh tables from the files, and says what that and the indexes took, made before or
// afterwards.
func (g *copyGoal) copyBack(ctx context.Context, d *dump, indexesFirst bool) (took effort, err error) {
	if err := d.makeTables(ctx, indexesFirst); err != nil {
		return took, err
	}
	err = d.with(ctx, func(conn *pgx.Conn) error {
		took, err = g.timed(ctx, func() error {
			for _, t := range d.tables {
				if err := d.copyTable(ctx, conn, t, indexesFirst); err != nil {
					return fmt.Errorf("copy %s: %w", t.name, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		return d.compare(ctx, conn)
	})
	return took, err
}

// makeTables makes the tables that rows are copied back to, in place of those of the time before.
func (d *dump) makeTables(ctx context.Context, indexes bool) error {
	fresh := d.copies()
	statements := []string{`SET client_min_messages = warning`, `DROP SCHEMA IF EXISTS ` + fresh + ` CASCADE`, `CREATE SCHEMA ` + fresh}
	for _, t := range d.tables {
		statements = append(statements, `CREATE TABLE `+fresh+`.`+t.name+` (LIKE `+d.location.Views()+`.`+t.name+`)`)
		if indexes {
			statements = append(statements, d.indexesOf(t)...)
		}
	}
	return d.exec(ctx, statements...)
}

// indexesOf make the indexes of a table for its copy.
func (d *dump) indexesOf(t dumped) []string {
	var all []string
	for _, statement := range t.indexes {
		all = append(all, strings.Replace(statement, " ON "+d.location.Views()+".", " ON "+d.copies()+".", 1))
	}
	return all
}

func (d *dump) copyTable(ctx context.Context, conn *pgx.Conn, t dumped, indexed bool) (err error) {
	file, err := os.Open(d.file(t))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := conn.PgConn().CopyFrom(ctx, file, `COPY `+d.copies()+`.`+t.name+` FROM STDIN (FORMAT binary)`); err != nil || indexed {
		return err
	}
	for _, statement := range d.indexesOf(t) {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// compare makes sure that the copies hold what the views held.
func (d *dump) compare(ctx context.Context, conn *pgx.Conn) error {
	for _, t := range d.tables {
		got, err := digest(ctx, conn, d.copies(), t)
		if err != nil {
			return err
		}
		if got != t.digest {
			return fmt.Errorf("the copy of %s holds %s, the views held %s", t.name, got, t.digest)
		}
	}
	return nil
}
