package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/contractor"
	"rentbook/domain/diary"
	"rentbook/eventstore"
)

// ownDiary is the scheduler that comes with Rentbook: contractors say when they can come, and each of
// their days is a stream.
type ownDiary struct{ h *Handler }

var _ Scheduler = ownDiary{}

// slotsDaysMax bounds how far ahead slots are looked for.
const slotsDaysMax = 92

func (d ownDiary) Slots(ctx context.Context, w SlotsWanted) ([]Slot, error) {
	of, err := d.h.contractorOf(ctx, w.Contractor)
	if err != nil {
		return nil, err
	}
	var found []Slot
	first, last := d.h.day(w.From), min(d.h.day(w.To), d.h.day(d.h.Now())+slotsDaysMax)
	for day := first; day <= min(last, first+slotsDaysMax) && len(found) < w.Most; day++ {
		windows := of.Slots(day, d.h.local)
		if len(windows) == 0 {
			continue
		}
		taken, err := d.day(ctx, w.Contractor, day)
		if err != nil {
			return nil, err
		}
		for _, s := range windows {
			if s.From.Before(w.From) || !s.From.Before(w.To) || !s.From.After(d.h.Now()) {
				continue
			}
			free, err := d.free(ctx, w.Contractor, s, taken)
			if err != nil {
				return nil, err
			}
			if free > 0 {
				found = append(found, Slot{ID: s.ID, Contractor: w.Contractor, From: s.From, To: s.To, Free: free})
			}
		}
	}
	slices.SortFunc(found, func(a, b Slot) int { return a.From.Compare(b.From) })
	return found[:min(len(found), w.Most)], nil
}

// free is how many places are left, or will be once those that nobody needs any more are given back:
// what was interrupted must not hide a window from everybody.
func (d ownDiary) free(ctx context.Context, of domain.ID, s contractor.Slot, taken diary.Day) (int, error) {
	free := taken.Free(s.ID, s.Capacity, d.h.instant())
	if free > 0 {
		return free, nil
	}
	needed := 0
	for _, o := range taken.Occupants(s.ID) {
		booked := o.Lasts(d.h.instant())
		if o.Confirmed {
			var err error
			if booked, err = d.isBooked(ctx, Booking{Repair: o.Repair, Contractor: of, Slot: s.ID}); err != nil {
				return 0, err
			}
		}
		if booked {
			needed++
		}
	}
	return max(0, s.Capacity-needed), nil
}

func (d ownDiary) Reserve(ctx context.Context, b Booking, until time.Time) (Slot, error) {
	window, err := d.window(ctx, b)
	switch {
	case err != nil:
		return Slot{}, err
	case !window.From.After(d.h.Now()):
		return Slot{}, ErrSlotGone.Because("has begun already")
	case d.h.day(window.From) > d.h.day(d.h.Now())+slotsDaysMax:
		return Slot{}, ErrSlotGone.Because("is too far ahead")
	}
	day := d.h.day(window.From)
	defer d.h.diaries.lock(d.stream(b.Contractor, day)).Unlock()
	if err := d.tidy(ctx, b, window, day); err != nil {
		return Slot{}, err
	}
	err = decideDiary(ctx, d, b, nil, "hold", diary.Day.Hold, diary.Hold{
		Repair: b.Repair, Slot: b.Slot, Capacity: window.Capacity, Now: d.h.instant(), Until: until,
	})
	if err != nil {
		return Slot{}, err
	}
	taken, err := d.day(ctx, b.Contractor, day)
	return Slot{
		ID: b.Slot, Contractor: b.Contractor, From: window.From, To: window.To,
		Free: taken.Free(b.Slot, window.Capacity, d.h.instant()),
	}, err
}

// tidy settles what was interrupted between a diary and a repair: a hold that is over belongs to
// who booked it, or to nobody, and so does a place that a repair has given up.
func (d ownDiary) tidy(ctx context.Context, b Booking, window contractor.Slot, day domain.Date) error {
	taken, err := d.day(ctx, b.Contractor, day)
	if err != nil {
		return err
	}
	full := taken.Free(b.Slot, window.Capacity, d.h.instant()) == 0
	for _, o := range taken.Occupants(b.Slot) {
		own := o.Repair == b.Repair
		if own && !o.Confirmed || !own && o.Lasts(d.h.instant()) && (!o.Confirmed || !full) {
			continue
		}
		if err := d.tidyOne(ctx, Booking{Repair: o.Repair, Contractor: b.Contractor, Slot: b.Slot}, day); err != nil {
			return err
		}
	}
	return nil
}

// tidyOne gives the place to the repair whose visit is there, and takes it from one that has none. It
// takes it only as long as the day is as it was before the repair was asked: whoever was slow may
// have recorded and confirmed in between.
func (d ownDiary) tidyOne(ctx context.Context, b Booking, day domain.Date) error {
	taken, err := d.day(ctx, b.Contractor, day)
	if err != nil {
		return err
	}
	version := taken.Version()
	booked, err := d.isBooked(ctx, b)
	switch {
	case err != nil:
		return err
	case booked:
		err = d.Confirm(ctx, b)
	default:
		err = d.release(ctx, b, &version)
	}
	if errors.Is(err, ErrSlotGone) || errors.Is(err, domain.ErrStale) {
		return nil
	}
	return err
}

// isBooked says whether a repair has its visit there.
func (d ownDiary) isBooked(ctx context.Context, b Booking) (bool, error) {
	r, err := d.h.freshRepair(ctx, b.Repair)
	visit, stands := r.Visit()
	return stands && visit.Slot == b.Slot && visit.Contractor == b.Contractor, err
}

func (d ownDiary) Confirm(ctx context.Context, b Booking) error {
	window, err := d.window(ctx, b)
	if errors.Is(err, ErrSlotGone) {
		return d.keeps(ctx, b, err)
	}
	if err != nil {
		return err
	}
	return decideDiary(ctx, d, b, nil, "confirm", diary.Day.Confirm, diary.Confirm{
		Repair: b.Repair, Slot: b.Slot, Capacity: window.Capacity, Now: d.h.instant(),
	})
}

// keeps is nothing where a place is firm already, and why it is gone otherwise.
func (d ownDiary) keeps(ctx context.Context, b Booking, gone error) error {
	on, _, _, err := contractor.ParseSlot(b.Slot, d.h.local)
	if err != nil {
		return gone
	}
	taken, err := d.day(ctx, b.Contractor, on)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(taken.Occupants(b.Slot), func(o diary.Occupant) bool { return o.Repair == b.Repair && o.Confirmed }) {
		return nil
	}
	return gone
}

func (d ownDiary) Reschedule(ctx context.Context, from, to Booking) error {
	if err := d.Confirm(ctx, to); err != nil || from == to {
		return err
	}
	return d.Cancel(ctx, from)
}

func (d ownDiary) Cancel(ctx context.Context, b Booking) error {
	day, _, _, err := contractor.ParseSlot(b.Slot, d.h.local)
	if err != nil {
		return nil //nolint:nilerr // nobody has a place in what is no slot
	}
	for range diaryTriesMax { // unless the repair has taken the place again meanwhile
		taken, err := d.day(ctx, b.Contractor, day)
		if err != nil {
			return err
		}
		version := taken.Version()
		if booked, err := d.isBooked(ctx, b); booked || err != nil {
			return err
		}
		if err := d.release(ctx, b, &version); !errors.Is(err, domain.ErrStale) {
			return err
		}
	}
	return fmt.Errorf("release a place: %w", eventstore.ErrConflict)
}

// release gives a place back, perhaps only if the day is at a version.
func (d ownDiary) release(ctx context.Context, b Booking, expect *uint64) error {
	if _, _, _, err := contractor.ParseSlot(b.Slot, d.h.local); err != nil {
		return nil //nolint:nilerr // nobody has a place in what is no slot
	}
	return decideDiary(ctx, d, b, expect, "release", diary.Day.Release, diary.Release{Repair: b.Repair, Slot: b.Slot, Why: "given_up"})
}

// window is the contractor's window of a slot, as it is now. A place that is confirmed stays when the
// contractor changes the windows; one that is not has no room there.
func (d ownDiary) window(ctx context.Context, b Booking) (contractor.Slot, error) {
	of, err := d.h.contractorOf(ctx, b.Contractor)
	if err != nil {
		return contractor.Slot{}, err
	}
	if window, known := of.Slot(b.Slot, d.h.local); known {
		return window, nil
	}
	if _, _, _, err := contractor.ParseSlot(b.Slot, d.h.local); err != nil {
		return contractor.Slot{}, ErrSlotGone.Because(contractor.ErrSlot.Reason)
	}
	return contractor.Slot{}, ErrSlotGone.Because("is no window of the contractor")
}

func (d ownDiary) day(ctx context.Context, of domain.ID, on domain.Date) (diary.Day, error) {
	s, current, err := load[diary.Day, diary.Event](ctx, d.h, d.stream(of, on))
	if err == nil && !current {
		s, err = refresh[diary.Day, diary.Event](ctx, d.h, d.stream(of, on), s)
	}
	return s, err
}

func (d ownDiary) stream(of domain.ID, on domain.Date) eventstore.Stream {
	return eventstore.NewStream(diary.Category, string(diary.StreamID(of, on)))
}

// diaryTriesMax is higher than elsewhere: many may want one morning, from several processes.
const diaryTriesMax = 20

// decideDiary records what a diary decides, by the program itself. Somebody else's hand in the same
// day is no reason to give up: who is too late is told so by the decision.
func decideDiary[A noun[diary.Day, diary.Event]](
	ctx context.Context, d ownDiary, b Booking, expect *uint64, kind string, decision func(diary.Day, A) ([]diary.Event, error), about A,
) error {
	day, _, _, err := contractor.ParseSlot(b.Slot, d.h.local)
	if err != nil {
		return err
	}
	t := target{stream: d.stream(b.Contractor, day), kind: kind, id: b.Repair.Derive(string(b.Slot)), repeatable: true}
	for range diaryTriesMax {
		_, err = decide(ctx, d.h, Meta{Actor: system(), Expect: expect}, t, decision, about)
		if !errors.Is(err, eventstore.ErrConflict) {
			break
		}
	}
	if errors.Is(err, diary.ErrSlotGone) || errors.Is(err, diary.ErrHoldExpired) {
		return ErrSlotGone
	}
	return err
}
