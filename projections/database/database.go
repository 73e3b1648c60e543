// Package database is what views ask of the database that holds their tables.
//
// One SQL text serves every database wherever the dialects allow. Parameters are written $1, $2 …
// and may be used in any order and more than once. A table is written {entries}: the live one is
// called entries, the one that a rebuild fills beside it entries_7. Index names are written
// {entries_by_entry} too.
//
// The one rule: views know no driver.
package database

import (
	"context"
	"errors"
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
)

// Value is a parameter of a statement.
type Value struct {
	Kind Kind
	Int  int64
	Text string // text, or bytes
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

// Row is a row of an answer; columns count from 0. It is valid until the function it was given to
// returns.
type Row interface {
	Int(column int) int64
	Text(column int) string // empty for no value
	Bytes(column int) []byte
	Null(column int) bool
}

// Snapshot is one consistent state of all tables.
type Snapshot interface {
	// Query calls each for every row, until there are no more or it returns an error, which Query
	// returns as it is.
	Query(query string, each func(Row) error, args ...Value) error
}

// Tx is a transaction that writes.
type Tx interface {
	Snapshot

	// Exec carries out one statement that answers nothing.
	Exec(query string, args ...Value) error

	// Try carries out f in a savepoint. If f fails, what it did is undone and its error returned;
	// the rest of the transaction stands.
	Try(f func() error) error

	// Beside is this transaction on the tables of another generation; 0 are the live ones.
	Beside(generation int64) Tx
}

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

	// Build is a writer for large amounts, which takes turns with Write. release ends it.
	Build(ctx context.Context) (w Writer, release func() error, err error)

	// Lock tries to become the one process that writes the live tables, Unlock stops being it.
	// What names the lock: another one may serve another purpose.
	Lock(name string) (Lock, error)

	Close() error
}

// Lock excludes other processes, and other users in the same one.
type Lock interface {
	Try() (bool, error)
	Unlock() error
	Close() error
}
