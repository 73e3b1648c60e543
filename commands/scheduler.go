package commands

import (
	"context"
	"time"

	"rentbook/domain"
)

// Slot is a window in a contractor's diary. Its id says which: "2026-11-23.0800-1200", the day and
// the local times.
type Slot struct {
	ID         domain.ID
	Contractor domain.ID
	From, To   time.Time // UTC
	Free       int       // how many more visits fit
}

// SlotsWanted asks for free windows, the earliest first.
type SlotsWanted struct {
	Repair     domain.ID
	Contractor domain.ID
	Trade      string
	Priority   string
	From, To   time.Time // windows that begin from From and before To
	Most       int
}

// Booking is a repair's place in a diary. The same booking again is the same place.
type Booking struct {
	Repair     domain.ID
	Contractor domain.ID
	Slot       domain.ID
	Trade      string
	Priority   string
}

// Scheduler keeps the diaries of contractors: Rentbook's own, or a system outside. A place is
// reserved, recorded on the repair, and then confirmed, so that whatever fails in between leaves a
// reservation that ends by itself, and never a visit that nobody knows of.
//
// Whoever is too late gets ErrSlotGone. A system that is away is eventstore.ErrUnavailable. Every
// method may be repeated.
type Scheduler interface {
	// Slots checks availability.
	Slots(ctx context.Context, w SlotsWanted) ([]Slot, error)
	// Reserve holds a place until an instant.
	Reserve(ctx context.Context, b Booking, until time.Time) (Slot, error)
	// Confirm makes a reserved place firm. ErrSlotGone is a conflict: the reservation ended, and
	// somebody else has the place.
	Confirm(ctx context.Context, b Booking) error
	// Reschedule moves a firm booking to the place of another that has been reserved, and confirms that.
	Reschedule(ctx context.Context, from, to Booking) error
	// Cancel gives a place back, reserved or firm. One that is not held is no error.
	Cancel(ctx context.Context, b Booking) error
}

// ErrSlotGone is a window that has no room any more, or never had any.
var ErrSlotGone = &domain.Refusal{
	Class: domain.Conflicting, Code: "diary.slot-gone", Reason: "has no room any more", Field: "slot",
}
