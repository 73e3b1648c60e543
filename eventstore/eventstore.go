// Package eventstore is the port to the log: what can be read and appended, and under which
// promises.
//
// A log is many streams. A stream is the life of one thing (an account, a tenancy), its version
// the number of its events. Every event also has a position in the log as a whole, and position is
// the only order there is: nothing is ever ordered by clock time. Events are appended at an exact
// version ("any" cannot be spelled), carry ids that follow from the command, and are never changed
// or removed. Implementations: sqlite (embedded), esdb (EventStoreDB). The promises are numbered
// tests in eventstoretest; an implementation is what passes them.
//
// The one rule: this package knows bytes and names, never what they mean.
package eventstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Stream names one stream: a category, one dash, an id ("rentAccount-T1001"). The category holds
// no dash; the id may.
type Stream string

// NewStream joins a category and an id.
func NewStream(category, id string) Stream { return Stream(category + "-" + id) }

// Category is what stands before the first dash.
func (s Stream) Category() string {
	category, _, _ := strings.Cut(string(s), "-")
	return category
}

// ID is what stands after the first dash.
func (s Stream) ID() string {
	_, id, _ := strings.Cut(string(s), "-")
	return id
}

// Version counts the events of a stream: 0 is a stream nobody wrote to, n the version of its nth
// event.
type Version uint64

// Position is a place in the whole log. Positions rise strictly in the order of the log; they may
// have gaps. The zero Position stands before the first event. EventStoreDB needs both numbers; in
// the embedded log they are equal.
type Position struct{ Commit, Prepare uint64 }

// PositionAt is the position whose numbers are both n.
func PositionAt(n uint64) Position { return Position{Commit: n, Prepare: n} }

// Compare is negative, zero or positive as p stands before, at or after q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Commit, q.Commit), cmp.Compare(p.Prepare, q.Prepare))
}

// IsZero says whether p stands before the first event.
func (p Position) IsZero() bool { return p == Position{} }

// String is "N", or "N-N" where the two numbers differ.
func (p Position) String() string {
	commit := strconv.FormatUint(p.Commit, 10)
	if p.Prepare == p.Commit {
		return commit
	}
	return commit + "-" + strconv.FormatUint(p.Prepare, 10)
}

// ParsePosition reads what String writes.
func ParsePosition(s string) (Position, error) {
	commit, prepare, both := strings.Cut(s, "-")
	c, err := parseNumber(commit)
	if err != nil {
		return Position{}, fmt.Errorf("%q is not a position: want N or N-N", s)
	}
	if !both {
		return PositionAt(c), nil
	}
	p, err := parseNumber(prepare)
	if err != nil || p > c {
		return Position{}, fmt.Errorf("%q is not a position: want N or N-N", s)
	}
	return Position{Commit: c, Prepare: p}, nil
}

// parseNumber takes digits only, and only what fits a database's signed 64 bits.
func parseNumber(s string) (uint64, error) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, errors.New("not a number")
	}
	return strconv.ParseUint(s, 10, 63)
}

// Actor is who caused an event. ID is an account, token or program name ("cli"), never a person's
// name.
type Actor struct {
	ID         string `json:"id"`
	Role       string `json:"role"`
	OnBehalfOf string `json:"on_behalf_of,omitempty"`
}

// Metadata says where an event comes from. It holds no personal data.
type Metadata struct {
	Command     uuid.UUID // the command that was carried out
	Correlation uuid.UUID // the conversation it belongs to; often the command itself
	Causation   uuid.UUID // what brought the command about; often the command itself
	Actor       Actor
	Authority   string // the rule, file or decision relied on; may be empty
}

// Proposed is an event on its way into the log.
type Proposed struct {
	ID       uuid.UUID
	Type     string // stored name, "rent.charge-raised.v1"
	Data     []byte // JSON
	Metadata Metadata
}

// Recorded is an event in the log.
type Recorded struct {
	Proposed
	Stream   Stream
	Version  Version
	Position Position
	At       time.Time // when it was recorded, UTC
}

// Commit says where an append ended: the version and position of its last event. Repeated is true
// when events of the same ids stood there before. They were not written again, and ids do not say
// what is in them: who must know reads them.
type Commit struct {
	Version  Version
	Position Position
	Repeated bool
}

// Append is one append among several.
type Append struct {
	Stream Stream
	After  Version
	Events []Proposed
}

// Outcome is what became of one append among several.
type Outcome struct {
	Commit Commit
	Err    error
}

// Store reads and extends single streams.
type Store interface {
	// Read yields the events of a stream after a version, in order. A stream nobody wrote to is
	// empty. An error comes last and once; leaving the loop early is no failure.
	Read(ctx context.Context, s Stream, after Version) iter.Seq2[Recorded, error]

	// Append records events right after a version, all or none, durably before it returns. The
	// same events (same ids, order and number) at the same version again succeed with the first
	// commit, marked as repeated, and change nothing. Otherwise a version that is not the stream's is a
	// *ConflictError, nothing to append is ErrEmpty, too much at once ErrTooLarge, and a store that
	// cannot be written wraps ErrUnavailable. Where the answer can get lost, a store says
	// ErrUnknownOutcome.
	Append(ctx context.Context, s Stream, after Version, events ...Proposed) (Commit, error)

	// AppendEach carries out several appends as Append does, and answers one outcome for each. Those
	// to different streams stand or fall alone; behind one that failed or was repeated, the
	// others of its stream are not attempted and wrap ErrConflict, because they were decided on
	// what it would have recorded. Appends to one stream happen in the order given; the embedded log keeps the order
	// of all.
	AppendEach(ctx context.Context, appends []Append) []Outcome
}

// Log reads every stream in the order things happened.
type Log interface {
	// Follow yields the events after a position whose stream has one of the prefixes (every
	// event if none is given), in order, and waits for more until ctx ends; then it yields the
	// context's error, last and once.
	Follow(ctx context.Context, after Position, prefixes ...string) iter.Seq2[Recorded, error]

	// Head is the position of the last event, zero while there is none.
	Head(ctx context.Context) (Position, error)
}

// ReadTo yields the events after one position up to and including another, which must not lie
// beyond the head.
func ReadTo(ctx context.Context, log Log, after, last Position) iter.Seq2[Recorded, error] {
	return func(yield func(Recorded, error) bool) {
		if last.Compare(after) <= 0 {
			return
		}
		for event, err := range log.Follow(ctx, after) {
			if err == nil && event.Position.Compare(last) > 0 {
				return
			}
			if !yield(event, err) || err != nil || event.Position == last {
				return
			}
		}
	}
}

// Errors of a store. What else it returns is a defect or damage.
var (
	ErrConflict    = errors.New("the stream has moved on")
	ErrEmpty       = errors.New("nothing to append")
	ErrUnavailable = errors.New("the store is not available")

	// ErrTooLarge is an append of more events or bytes than the store takes at once. Nothing was
	// recorded; the same append will never succeed.
	ErrTooLarge = errors.New("too much for one append")

	// ErrUnknownOutcome is an append whose answer was lost: the events may be recorded, or come to
	// be, or not. It is not ErrUnavailable, which says that they are not. Repeating the same append
	// finds out: it succeeds, marked as repeated if they were recorded before, or is a conflict, and
	// then they were not.
	ErrUnknownOutcome = errors.New("it is not known whether the events were recorded")
)

// ConflictError says at which version an append was wanted and at which the stream is.
type ConflictError struct {
	Stream    Stream
	Want, Got Version
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s: %v: want version %d, got %d", e.Stream, ErrConflict, e.Want, e.Got)
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }
