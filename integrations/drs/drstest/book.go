package drstest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"rentbook/commands"
	"rentbook/domain"
)

var (
	errGone    = errors.New("slot-gone")
	errNotHeld = errors.New("not-held")
	errInvalid = errors.New("invalid")
)

// key names a booking.
type key struct{ repair, contractor, slot domain.ID }

func keyOf(b commands.Booking) key { return key{b.Repair, b.Contractor, b.Slot} }

// book is what the simulator knows. Its server guards it.
type book struct {
	now       func() time.Time
	zone      *time.Location
	made      Diary
	diaries   map[domain.ID][]Window
	held      map[key]*Held
	overrides int
}

func newBook(o Options) book {
	b := book{now: o.Now, zone: o.Zone, made: o.Diary, diaries: map[domain.ID][]Window{}, held: map[key]*Held{}}
	if b.now == nil {
		b.now = time.Now
	}
	if b.zone == nil {
		b.zone = time.UTC
	}
	if b.made == nil {
		b.made = func(domain.ID, time.Time, time.Time) []Window { return nil }
	}
	return b
}

// expire drops the reservations that have ended.
func (b *book) expire() {
	now := b.now()
	for k, h := range b.held {
		if !h.Firm && !now.Before(h.Until) {
			delete(b.held, k)
		}
	}
}

// id is the day and the local times of a window, "2026-11-23.0800-1200".
func (b *book) id(w Window) domain.ID {
	from, to := w.From.In(b.zone), w.To.In(b.zone)
	return domain.ID(fmt.Sprintf("%s.%02d%02d-%02d%02d", from.Format(time.DateOnly), from.Hour(), from.Minute(), to.Hour(), to.Minute()))
}

// windows are those of a contractor that begin from one instant and before another, and have not
// begun yet.
func (b *book) windows(contractor domain.ID, from, to time.Time) []Window {
	all, own := b.diaries[contractor]
	if !own {
		all = b.made(contractor, from, to)
	}
	now := b.now()
	outside := func(w Window) bool { return w.From.Before(from) || !w.From.Before(to) || !now.Before(w.From) }
	fitting := slices.DeleteFunc(slices.Clone(all), outside)
	slices.SortFunc(fitting, func(v, w Window) int { return v.From.Compare(w.From) })
	return fitting
}

// window is the one of an id. Where there is none, nothing fits.
func (b *book) window(contractor, slot domain.ID) (Window, error) {
	day, err := time.ParseInLocation(time.DateOnly, string(slot[:min(len(slot), len(time.DateOnly))]), b.zone)
	if err != nil {
		return Window{}, errGone
	}
	for _, w := range b.windows(contractor, day, day.AddDate(0, 0, 1)) {
		if b.id(w) == slot {
			return w, nil
		}
	}
	return Window{}, errGone
}

func (b *book) free(contractor domain.ID, w Window) int {
	taken, slot := 0, b.id(w)
	for k := range b.held {
		if k.contractor == contractor && k.slot == slot {
			taken++
		}
	}
	return max(0, w.Capacity-taken)
}

func (b *book) check(w commands.SlotsWanted) []commands.Slot {
	b.expire()
	found := []commands.Slot{}
	for _, window := range b.windows(w.Contractor, w.From, w.To) {
		if len(found) == w.Most {
			break
		}
		if s := b.show(w.Contractor, window); s.Free > 0 {
			found = append(found, s)
		}
	}
	return found
}

func (b *book) show(contractor domain.ID, w Window) commands.Slot {
	return commands.Slot{ID: b.id(w), Contractor: contractor, From: w.From, To: w.To, Free: b.free(contractor, w)}
}

func (b *book) reserve(booking commands.Booking, until time.Time) (commands.Slot, error) {
	b.expire()
	if !b.now().Before(until) {
		return commands.Slot{}, errInvalid
	}
	w, err := b.take(booking)
	if err != nil {
		return commands.Slot{}, err
	}
	if h := b.held[keyOf(booking)]; until.After(h.Until) {
		h.Until = until
	}
	return b.show(booking.Contractor, w), nil
}

// take finds or makes the place of a booking.
func (b *book) take(booking commands.Booking) (Window, error) {
	w, err := b.window(booking.Contractor, booking.Slot)
	if err != nil {
		return Window{}, err
	}
	if b.held[keyOf(booking)] == nil {
		if b.free(booking.Contractor, w) == 0 {
			return Window{}, errGone
		}
		b.held[keyOf(booking)] = &Held{Booking: booking}
	}
	return w, nil
}

func (b *book) confirm(booking commands.Booking) error {
	b.expire()
	if b.overrides > 0 {
		b.overrides--
		b.override(booking)
	}
	if h := b.held[keyOf(booking)]; h == nil {
		if _, err := b.take(booking); err != nil {
			return err
		}
	}
	h := b.held[keyOf(booking)]
	h.Firm, h.Until = true, time.Time{}
	return nil
}

// override gives the whole window of a booking to others.
func (b *book) override(booking commands.Booking) {
	w, err := b.window(booking.Contractor, booking.Slot)
	if err != nil {
		return
	}
	for k := range b.held {
		if k.contractor == booking.Contractor && k.slot == booking.Slot {
			delete(b.held, k)
		}
	}
	for n := range w.Capacity {
		others := commands.Booking{Repair: domain.ID(fmt.Sprintf("office-%d", n+1)), Contractor: booking.Contractor, Slot: booking.Slot}
		b.held[keyOf(others)] = &Held{Booking: others, Firm: true}
	}
}

func (b *book) reschedule(from, to commands.Booking) error {
	if err := b.confirm(to); err != nil {
		return err
	}
	if keyOf(from) != keyOf(to) {
		delete(b.held, keyOf(from))
	}
	return nil
}

func (b *book) cancel(booking commands.Booking) error {
	b.expire()
	if b.held[keyOf(booking)] == nil {
		return errNotHeld
	}
	delete(b.held, keyOf(booking))
	return nil
}
