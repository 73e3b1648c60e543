// Package database is what views ask of the database that holds their tables.
//
// One SQL text serves every database. It is what SQLite and PostgreSQL have in common, and:
//
//   - Parameters are written $1, $2 … and may be used in any order and more than once.
//   - A table is written {entries}: the live one is called entries, the one that a rebuild fills
//     beside it entries_7. Index names are written {entries_by_entry} too.
//   - A table whose rows are changed again and again is made with CREATE TABLE … CHANGING: a database that
//     keeps the old row beside the new one leaves room for it.
//   - Columns are BIGINT, TEXT (which sorts by its bytes), DATE, TIMESTAMPTZ (to the microsecond),
//     BOOLEAN, UUID or BYTEA; every table has a primary key. A number that is added up is cast:
//     CAST(sum(net) AS BIGINT).
//
// The one rule: views know no driver.
package database

import (
	"context"
	"errors"
	"time"
)

// ErrUnavailable is a database that cannot do it now: the disk is full, somebody holds the lock for
// too long, the storage fails. The same again later may succeed.
var ErrUnavailable = errors.New("the database is not available")

// Kind says which of its fields a Value means.
type Kind uint8

// The kinds of values.
const (
	KindNull Kind = iota
	KindInt
	KindText
	KindBytes
	KindDate
	KindTime
	KindBool
	KindUUID
)

// Value is a parameter of a statement, or what goes into a column.
type Value struct {
	Kind Kind
	Int  int64  // a number, microseconds since 1970, or 1 for true
	Text string // text, YYYY-MM-DD, or bytes
}

// Null is no value.
func Null() Value { return Value{} }

// Int is a whole number.
func Int[N ~int | ~int32 | ~int64 | ~uint64](n N) Value { return Value{Kind: KindInt, Int: int64(n)} }

// Text is text.
func Text[S ~string](s S) Value { return Value{Kind: KindText, Text: string(s)} }

// TextOrNull is text, or no value where there is none.
func TextOrNull[S ~string](s S) Value {
	if s == "" {
		return Null()
	}
	return Text(s)
}

// Bytes are bytes.
func Bytes(b []byte) Value { return Value{Kind: KindBytes, Text: string(b)} }

// Date is a day, given as YYYY-MM-DD, or no value where there is none.
func Date(iso string) Value {
	if iso == "" {
		return Null()
	}
	return Value{Kind: KindDate, Text: iso}
}

// Time is an instant, to the microsecond.
func Time(t time.Time) Value { return Value{Kind: KindTime, Int: t.UnixMicro()} }

// Bool is true or false.
func Bool(b bool) Value {
	v := Value{Kind: KindBool}
	if b {
		v.Int = 1
	}
	return v
}

// UUID is an id of 16 bytes.
func UUID(id [16]byte) Value { return Value{Kind: KindUUID, Text: string(id[:])} }

// Row is a row of an answer; columns count from 0. It is valid until the function it was given to
// returns. No value reads as the zero of what is asked for.
type Row interface {
	Int(column int) int64
	Text(column int) string // of any kind of column: equal for equal values
	Bytes(column int) []byte
	Date(column int) string // YYYY-MM-DD
	Time(column int) time.Time
	Bool(column int) bool
	UUID(column int) [16]byte
	Null(column int) bool
}

// Snapshot is one consistent state of all tables.
type Snapshot interface {
	// Query calls each for every row, until there are no more or it returns an error, which Query
	// returns as it is. Until it has returned, nothing else can be asked of the same snapshot.
	Query(query string, each func(Row) error, args ...Value) error
}

// Tx is a transaction that writes.
type Tx interface {
	Snapshot

	// Exec carries out one statement that answers nothing. A database far away may keep it until the
	// next Query, or the end of the innermost Try or of the transaction, which then return its error.
	Exec(query string, args ...Value) error

	// Insert adds n rows to a table: Insert("{entries} (account, net)", n, row), where row(i) are the
	// values of the ith, good until it is called again.
	Insert(into string, n int, row func(i int) []Value) error

	// Merge is Insert for rows of which no two have the same key. Where a row of that key is there,
	// conflict says what becomes of it: "(account) DO UPDATE SET net = {sums}.net + excluded.net".
	Merge(into, conflict string, n int, row func(i int) []Value) error

	// QueryEach asks the same n times, with args(i) the ith time, good until it is called again.
	QueryEach(query string, n int, args func(i int) []Value, each func(i int, r Row) error) error

	// Drop removes a table if it is there, and what of it is still published.
	Drop(table string) error

	// Rename gives tables other names, one after the other. Who reads sees all renames of a transaction
	// or none.
	Rename(renames ...Renaming) error

	// Publish offers the answer to a query under a name to other programs, where the database has
	// a place for that. A name that was published before gets the new query.
	Publish(name, query string) error

	// Try carries out f in a savepoint. If f fails, what it did is undone and its error returned;
	// the rest of the transaction stands.
	Try(f func() error) error

	// Beside is this transaction on the tables of another generation; 0 are the live ones.
	Beside(generation int64) Tx
}

// Renaming is a table's name and the next one.
type Renaming struct{ From, To string }

// Writer carries out transactions, one at a time.
type Writer interface {
	// Write commits what f did, unless it fails: then nothing of it is left.
	Write(ctx context.Context, f func(Tx) error) error
}

// Database holds the tables of the views.
type Database interface {
	Writer

	// Read shows f one snapshot.
	Read(ctx context.Context, f func(Snapshot) error) error

	// Ask is one Query about tables that are never renamed. However many snapshots are open, it need
	// not wait for their end.
	Ask(ctx context.Context, query string, each func(Row) error, args ...Value) error

	// Build is a writer for large amounts, which takes turns with Write. What it has written survives
	// a crash. release ends it.
	Build(ctx context.Context) (w Writer, release func() error, err error)

	// Lock names a lock that one process at a time can hold.
	Lock(name string) (Lock, error)

	// Scratch is a database of its own, empty, that is gone once it is closed.
	Scratch(ctx context.Context) (Database, error)

	Close() error
}

// Lock excludes other processes, and other users in the same one.
type Lock interface {
	Try(ctx context.Context) (bool, error)
	Unlock() error
	Close() error

	// Lost is closed when a lock that was taken has been lost without Unlock, as when the connection to
	// the database ends: somebody else may have it. It is asked for anew after each Try.
	Lost() <-chan struct{}
}
