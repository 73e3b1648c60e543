package projections

import (
	"iter"
	"time"

	"rentbook/domain"
	"rentbook/domain/rent"
	"rentbook/eventstore"
)

// Statement is what an account owed and paid over some days, as known at some point of the log.
// Amounts are in minor units of the currency; a positive balance is owed.
type Statement struct {
	Account  string
	Currency domain.Currency
	From, To domain.Date // both days included
	KnownAt  KnownAt
	Opening  int64 // everything with a value date before From
	Debits   int64
	Credits  int64
	Closing  int64                  // Opening + Debits - Credits
	Lines    iter.Seq2[Line, error] // ordered by value date, position, index in the event
}

// KnownAt is a point of the log: nothing recorded after it plays a part.
type KnownAt struct {
	Position eventstore.Position
	Time     time.Time // when the event at the position was recorded; zero before the first
}

// Line is one entry on a statement.
type Line struct {
	Entry       string
	ValueDate   domain.Date
	RecordedAt  time.Time
	Position    eventstore.Position
	Kind        rent.Kind
	Code        string
	Description string
	Amount      int64 // minor units, positive; Kind says whether debit or credit
	Balance     int64 // after this line
	Fund        string
	Reverses    string
	ReversedBy  string
	Event       string
}
