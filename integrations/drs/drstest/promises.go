package drstest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"rentbook/commands"
	"rentbook/domain"
)

// patience bounds each test: a promise that takes this long is broken.
const patience = time.Minute

// How many ask at once: for one place, and for the same.
const (
	rivals  = 100
	repeats = 10
)

// Fixture is a scheduler with a diary that nobody else writes to.
type Fixture struct {
	Scheduler  commands.Scheduler
	Contractor domain.ID
	// Slot and Other are windows of the contractor that begin at different times, both to come. One
	// visit fits each, and none is booked.
	Slot, Other domain.ID
	// Until is until when a place is reserved now: a while from the scheduler's time.
	Until func() time.Time
	// Expire lets the scheduler's time pass whatever Until has said, and reach neither window.
	Expire func()
	// Record tells a repair of its booking, as Rentbook does before it confirms one; the same again
	// is nothing new. It is nil where the scheduler knows no repairs.
	Record func(commands.Booking)
}

// Promises holds a scheduler to what commands.Scheduler promises. It calls open once for each
// promise; what it opens, the test's cleanup closes.
func Promises(t *testing.T, open func(testing.TB) Fixture) {
	t.Helper()
	all := append(append(slotPromises(), reservationPromises()...), append(bookingPromises(), movePromises()...)...)
	for i, p := range all {
		t.Run(fmt.Sprintf("%d %s", i+1, p.says), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			t.Cleanup(cancel)
			p.test(&scene{t, ctx, open(t)})
		})
	}
}

type promise struct {
	says string
	test func(*scene)
}

// scene is one promise's scheduler.
type scene struct {
	testing.TB

	ctx context.Context //nolint:containedctx // of one test
	Fixture
}

// of is a booking of a repair in Slot.
func (s *scene) of(repair domain.ID) commands.Booking { return s.in(s.Slot, repair) }

func (s *scene) in(slot, repair domain.ID) commands.Booking {
	return commands.Booking{Repair: repair, Contractor: s.Contractor, Slot: slot, Trade: "plumbing", Priority: "urgent"}
}

func (s *scene) try(b commands.Booking) error {
	_, err := s.Scheduler.Reserve(s.ctx, b, s.Until())
	return err
}

func (s *scene) reserve(b commands.Booking) commands.Slot {
	s.Helper()
	slot, err := s.Scheduler.Reserve(s.ctx, b, s.Until())
	if err != nil {
		s.Fatalf("reserve %s for %s: %v", b.Slot, b.Repair, err)
	}
	return slot
}

func (s *scene) record(b commands.Booking) {
	if s.Record != nil {
		s.Record(b)
	}
}

func (s *scene) confirm(b commands.Booking) {
	s.Helper()
	s.record(b)
	if err := s.Scheduler.Confirm(s.ctx, b); err != nil {
		s.Fatalf("confirm %s for %s: %v", b.Slot, b.Repair, err)
	}
}

func (s *scene) reschedule(from, to commands.Booking) {
	s.Helper()
	s.record(to)
	if err := s.Scheduler.Reschedule(s.ctx, from, to); err != nil {
		s.Fatalf("reschedule %s from %s to %s: %v", to.Repair, from.Slot, to.Slot, err)
	}
}

func (s *scene) cancel(b commands.Booking) {
	s.Helper()
	if err := s.Scheduler.Cancel(s.ctx, b); err != nil {
		s.Fatalf("cancel %s for %s: %v", b.Slot, b.Repair, err)
	}
}

func (s *scene) gone(what string, err error) {
	s.Helper()
	if !errors.Is(err, commands.ErrSlotGone) {
		s.Fatalf("%s: got %v, want %v", what, err, commands.ErrSlotGone)
	}
}

func (s *scene) slots(from, to time.Time, most int) []commands.Slot {
	s.Helper()
	found, err := s.Scheduler.Slots(s.ctx, commands.SlotsWanted{
		Repair: "R0", Contractor: s.Contractor, Trade: "plumbing", Priority: "urgent", From: from, To: to, Most: most,
	})
	if err != nil {
		s.Fatalf("slots: %v", err)
	}
	return found
}

// window is what is known about a free slot. Whoever asks holds it for a moment.
func (s *scene) window(slot domain.ID) commands.Slot {
	s.Helper()
	w := s.reserve(s.in(slot, "R-window"))
	s.cancel(s.in(slot, "R-window"))
	return w
}

// free must be what the scheduler says of a window, by listing it and by letting somebody have it.
func (s *scene) free(w commands.Slot, want bool) {
	s.Helper()
	listed := false
	for _, found := range s.slots(w.From, w.From.Add(time.Minute), 100) {
		listed = listed || found.ID == w.ID
	}
	if listed != want {
		s.Fatalf("%s is listed as free: got %t, want %t", w.ID, listed, want)
	}
	other := s.in(w.ID, "R-free")
	err := s.try(other)
	if !want {
		s.gone("reserve a window without room", err)
		return
	}
	if err != nil {
		s.Fatalf("reserve a window with room: %v", err)
	}
	s.cancel(other)
}

// atOnce makes n calls together and counts those that succeeded. The others must say that the place is
// gone.
func (s *scene) atOnce(n int, call func(int) error) (succeeded int) {
	s.Helper()
	outcomes := make([]error, n)
	start := make(chan struct{})
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() {
			<-start
			outcomes[i] = call(i)
		})
	}
	close(start)
	calls.Wait()
	for _, err := range outcomes {
		if err == nil {
			succeeded++
			continue
		}
		s.gone("whoever was too late", err)
	}
	return succeeded
}
