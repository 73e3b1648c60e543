package projections

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"

	"rentbook/domain"
	"rentbook/domain/hazard"
	"rentbook/domain/rent"
	"rentbook/domain/repair"
	"rentbook/eventstore"
	"rentbook/projections/database"
)

// Report is what Verify found.
type Report struct {
	Position   eventstore.Position // what was checked up to
	Events     uint64
	Accounts   uint64
	Entries    uint64
	Repairs    uint64
	Hazards    uint64
	Difference string // the first one, a sentence; empty if there is none
}

// Verify reads the whole log up to where the views are, checks that it is in order, folds it with
// arithmetic of its own, and compares the result with what the views answer: each account, each
// line of its statement, each balance. Then it compares every row of every table with views built
// anew, which takes the room of another views.db. progress may be nil; it hears of events. What it
// finds is no error; an error is that it could not look.
func (v *Views) Verify(ctx context.Context, progress func(done, total uint64)) (_ Report, err error) {
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	t, err := v.newTwin(ctx)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	l := newLedger()
	l.rising = v.config.Rising
	var report Report
	err = v.Read(ctx, func(r *Reader) error {
		report.Position = r.Position()
		err := r.levelled()
		if err == nil {
			err = l.readLog(ctx, v, t, reading{r.seen, progress})
		}
		if err == nil {
			err = l.compare(r)
		}
		if errors.Is(err, errLineDiffers) {
			err = l.locate(ctx, v, r)
		}
		if err == nil {
			err = t.compare(r)
		}
		return err
	})
	report.Events, report.Entries, report.Accounts = l.events, l.entries, uint64(len(l.accounts))
	report.Repairs, report.Hazards = l.streams(repair.Category), l.streams(hazard.Category)
	if d, ok := errors.AsType[*difference](err); ok {
		report.Difference, err = d.says, nil
	}
	return report, err
}

// difference is a finding.
type difference struct{ says string }

func (d *difference) Error() string { return d.says }

func differs(format string, args ...any) error { return &difference{fmt.Sprintf(format, args...)} }

// levelled wants all views in the same place: only then do they show the same log.
func (r *Reader) levelled() error {
	points, err := r.views.points(r.tx.Query)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(points) {
		switch c := points[name]; {
		case c.stopped():
			return differs("view %s has stopped at position %d (%s)", name, c.stoppedAt, c.code)
		case c.position != r.seen:
			return fmt.Errorf("view %s is at position %d, another at %d: let them catch up and verify again: %w",
				name, c.position, r.seen, ErrBehind)
		}
	}
	return nil
}

// ledger is the log folded anew. Lines are kept as sums of their hashes, so that a log of any
// length fits; which line it is that differs is for a second look to find.
type ledger struct {
	rising   bool // the log promises it of recorded times
	seed     maphash.Seed
	versions map[eventstore.Stream]eventstore.Version
	accounts map[string]*balanceSheet
	last     eventstore.Recorded
	events   uint64
	entries  uint64
	suspect  string // the account whose lines differ
}

type balanceSheet struct {
	currency         domain.Currency
	startsOn, endsOn domain.Date
	version          uint64
	minor            int64
	lines            uint64
	hashes           uint64
}

func newLedger() *ledger {
	return &ledger{
		seed: maphash.MakeSeed(), versions: map[eventstore.Stream]eventstore.Version{},
		accounts: map[string]*balanceSheet{},
	}
}

// reading says how far to read, and whom to tell.
type reading struct {
	last     int64
	progress func(done, total uint64)
}

// readLog reads once for the ledger and for the twin.
func (l *ledger) readLog(ctx context.Context, v *Views, t *twin, until reading) error {
	total := position(until.last).Commit
	for b, err := range v.batches(ctx, 0, until.last, rebuildEvents) {
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		for i := range b.events {
			if err := l.add(&b.events[i]); err != nil {
				return err
			}
		}
		if err := t.add(ctx, b); err != nil {
			return err
		}
		until.progress(position(b.last()).Commit, total)
	}
	return nil
}

func (l *ledger) add(e *Event) error {
	if err := l.inOrder(e); err != nil {
		return err
	}
	l.events++
	l.last, l.versions[e.Stream] = e.Recorded, e.Version
	fact, ok := e.Fact.(rent.Event)
	if !ok {
		return nil
	}
	a := l.accounts[e.Stream.ID()]
	if a == nil {
		a = &balanceSheet{}
		l.accounts[e.Stream.ID()] = a
	}
	a.version = uint64(e.Version)
	switch f := fact.(type) {
	case rent.AccountOpened:
		a.currency, a.startsOn, a.endsOn = f.Currency, f.StartsOn, f.EndsOn
	case rent.DatesChanged:
		a.startsOn, a.endsOn = f.StartsOn, f.EndsOn
	}
	for _, line := range linesOf(e) {
		l.entries++
		a.lines++
		a.hashes += l.hash(line)
		a.minor += effect(line)
	}
	return nil
}

// streams counts those of a category.
func (l *ledger) streams(category string) (n uint64) {
	for stream := range l.versions {
		if stream.Category() == category {
			n++
		}
	}
	return n
}

// inOrder holds the log to its promises.
func (l *ledger) inOrder(e *Event) error {
	switch {
	case e.Position.Compare(l.last.Position) <= 0 && l.events > 0:
		return differs("the event at position %s comes after that at %s", e.Position, l.last.Position)
	case l.rising && !e.At.After(l.last.At) && l.events > 0:
		return differs("the event at position %s was recorded no later than the one before it, at %s", e.Position, l.last.Position)
	case e.Version != l.versions[e.Stream]+1:
		return differs("stream %s goes from version %d to %d at position %s", e.Stream, l.versions[e.Stream], e.Version, e.Position)
	case e.Err != nil:
		return differs("the event at position %s cannot be read (%s)", e.Position, codeOf(&undecodable{e.Position, e.Err}))
	}
	return nil
}

// linesOf are the lines a statement should have of an event, without balances.
func linesOf(e *Event) []Line {
	var lines []Line
	for _, entry := range e.Entries {
		lines = append(lines, Line{
			Entry: string(entry.ID), ValueDate: entry.ValueDate, RecordedAt: e.At, Position: e.Position, Kind: entry.Kind,
			Code: string(entry.Code), Description: entry.Description.String(), Amount: entry.Amount.Minor, Fund: entry.Fund,
			Reverses: string(entry.Reverses), Event: e.ID.String(),
		})
	}
	return lines
}

// effect says again, apart from the domain, which kinds are debits.
func effect(l Line) int64 {
	switch l.Kind {
	case "charge", "payment_reversal", "debit", "write_on", "refund":
		return l.Amount
	case "payment", "credit", "write_off":
		return -l.Amount
	}
	return 0
}

func (l *ledger) hash(line Line) uint64 {
	line.Balance, line.ReversedBy = 0, "" // these follow from other lines
	return maphash.Comparable(l.seed, line)
}

// errLineDiffers is a difference that is not located yet.
var errLineDiffers = errors.New("a line differs")

// compare goes through all accounts of the log, then looks for others.
func (l *ledger) compare(r *Reader) error {
	for _, id := range sortedKeys(l.accounts) {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if err := l.compareAccount(r, id); err != nil {
			return err
		}
	}
	var rows int64
	for _, query := range []string{`SELECT count(*) FROM {accounts}`, `SELECT count(*) FROM {entries}`} {
		n, err := one(r, func(row database.Row) int64 { return row.Int(0) }, query)
		if err != nil {
			return err
		}
		rows += n
	}
	if want := int64(len(l.accounts)) + int64(l.entries); rows != want { //nolint:gosec // a count of rows
		return differs("the views hold %d accounts and entries, the log %d", rows, want)
	}
	return nil
}

func (l *ledger) compareAccount(r *Reader, id string) error {
	want := l.accounts[id]
	got, err := r.Account(id)
	if isNotFound(err) {
		return differs("account %s is in the log and not in view accounts", id)
	}
	if err != nil {
		return err
	}
	wanted := Account{id, want.currency, want.startsOn, want.endsOn, want.minor, want.version}
	if got != wanted {
		return differs("account %s: view accounts has %+v, the log gives %+v", id, got, wanted)
	}
	return l.compareLines(r, id, want)
}

// compareLines reads the whole statement, and the sums that openings come from.
func (l *ledger) compareLines(r *Reader, id string, want *balanceSheet) error {
	s, err := r.Statement(id, 1, domain.NewDate(9999, 12, 31), r.Now())
	if err != nil {
		return err
	}
	var got balanceSheet
	sums := map[sumKey]sum{}
	for line, err := range s.Lines {
		if err != nil {
			return err
		}
		got.lines++
		got.hashes += l.hash(line)
		if got.minor += effect(line); got.minor != line.Balance {
			return differs("account %s: the balance after %s is %d, the lines give %d", id, line.Entry, line.Balance, got.minor)
		}
		addTo(sums, line)
	}
	switch {
	case got.lines != want.lines || got.hashes != want.hashes:
		l.suspect = id
		return errLineDiffers
	case s.Closing != want.minor:
		return differs("account %s: the statement closes with %d, the log gives %d", id, s.Closing, want.minor)
	}
	return compareSums(r, id, sums)
}

// sumKey names a sum as its row does.
type sumKey struct {
	width    int64
	startsOn string
}

// addTo counts a line in its year and its ten days, told from the digits of its date.
func addTo(sums map[sumKey]sum, line Line) {
	digits := line.ValueDate.String()
	tenDays := map[byte]string{'0': "01", '1': "11", '2': "21", '3': "21"}[digits[8]]
	switch digits[8:] {
	case "10":
		tenDays = "01"
	case "20":
		tenDays = "11"
	}
	at := number(line.Position)
	for _, key := range []sumKey{{widthYear, digits[:4] + "-01-01"}, {widthTenDays, digits[:8] + tenDays}} {
		s, known := sums[key]
		if !known {
			s.first = at
		}
		sums[key] = sum{net: s.net + effect(line), first: min(s.first, at), last: max(s.last, at)}
	}
}

func compareSums(r *Reader, id string, want map[sumKey]sum) error {
	account, err := r.accountNumber(id)
	if err != nil && !isNotFound(err) {
		return err
	}
	rows := 0
	err = r.tx.Query(`SELECT width, starts_on, net, first_position, last_position FROM {account_sums} WHERE account = $1`,
		func(row database.Row) error {
			rows++
			key := sumKey{row.Int(0), row.Date(1)}
			if got := (sum{net: row.Int(2), first: row.Int(3), last: row.Int(4)}); got != want[key] {
				return differs("account %s: the sum from %s is %d, the lines give %d", id, key.startsOn, got.net, want[key].net)
			}
			return nil
		}, database.Int(account))
	if err == nil && rows != len(want) {
		err = differs("account %s has %d sums, the lines give %d", id, rows, len(want))
	}
	return err
}

// locate reads the log once more for the lines of one account.
func (l *ledger) locate(ctx context.Context, v *Views, r *Reader) error {
	want, got := map[string]Line{}, map[string]Line{}
	for b, err := range v.batches(ctx, 0, r.seen, catchUpEvents) {
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		for i := range b.events {
			if b.events[i].Stream.ID() != l.suspect {
				continue
			}
			for _, line := range linesOf(&b.events[i]) {
				want[line.Entry] = line
			}
		}
	}
	s, err := r.Statement(l.suspect, 1, domain.NewDate(9999, 12, 31), r.Now())
	if err != nil {
		return err
	}
	for line, err := range s.Lines {
		if err != nil {
			return err
		}
		line.Balance, line.ReversedBy = 0, ""
		got[line.Entry] = line
	}
	return firstDifference(l.suspect, want, got)
}

func firstDifference(account string, want, got map[string]Line) error {
	var lines []Line
	for _, all := range []map[string]Line{want, got} {
		for _, line := range all {
			if want[line.Entry] != got[line.Entry] {
				lines = append(lines, line)
			}
		}
	}
	if len(lines) == 0 {
		return differs("account %s: an entry is in view statement twice", account)
	}
	first := slices.MinFunc(lines, func(a, b Line) int {
		return cmp.Or(a.Position.Compare(b.Position), cmp.Compare(a.Entry, b.Entry))
	})
	_, inLog := want[first.Entry]
	_, inView := got[first.Entry]
	switch {
	case !inView:
		return differs("account %s: entry %s at position %s is not in view statement", account, first.Entry, first.Position)
	case !inLog:
		return differs("account %s: entry %s at position %s is in view statement and not in the log", account, first.Entry, first.Position)
	}
	return differs("account %s: entry %s at position %s reads otherwise in view statement", account, first.Entry, first.Position)
}
