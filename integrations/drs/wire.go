package drs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"rentbook/commands"
	"rentbook/domain"
)

// ErrAnswer is an answer that is none to the question: another status, another form, another window
// or contractor than was asked for. Repeating the question does not help; somebody has to look at the
// scheduler or at where Rentbook expects it.
var ErrAnswer = errors.New("the scheduler's answer cannot be used")

// windowMax is the longest window there is. What claims to be longer is a mistake in a date.
const windowMax = 24 * time.Hour

// wireBooking is a booking as it is sent. Its fields are those of commands.Booking, so that a field
// which is added there does not compile until somebody has decided whether it may be sent.
type wireBooking struct {
	Repair     domain.ID `json:"repair"`
	Contractor domain.ID `json:"contractor"`
	Slot       domain.ID `json:"slot"`
	Trade      string    `json:"trade"`
	Priority   string    `json:"priority"`
}

type aboutOne struct {
	Booking wireBooking `json:"booking"`
}

type reservation struct {
	Booking wireBooking `json:"booking"`
	Until   time.Time   `json:"until"`
}

type move struct {
	From wireBooking `json:"from"`
	To   wireBooking `json:"to"`
}

type availability struct {
	Repair     domain.ID `json:"repair"`
	Contractor domain.ID `json:"contractor"`
	Trade      string    `json:"trade"`
	Priority   string    `json:"priority"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Most       int       `json:"most"`
}

func questionOf(w commands.SlotsWanted) availability {
	q := availability(w)
	q.From, q.To = q.From.UTC(), q.To.UTC()
	return q
}

type wireSlot struct {
	ID         domain.ID `json:"id"`
	Contractor domain.ID `json:"contractor"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Free       int       `json:"free"`
}

// SlotID is the id of a window: its day and its local times, "2026-11-23.0800-1200".
func SlotID(from, to time.Time, zone *time.Location) domain.ID {
	return domain.ID(from.In(zone).Format("2006-01-02.1504") + to.In(zone).Format("-1504"))
}

// readSlots believes an answer to what was wanted only if all of its windows are.
func (c *Client) readSlots(body []byte, w commands.SlotsWanted) ([]commands.Slot, error) {
	var a struct {
		Slots []wireSlot `json:"slots"`
	}
	if err := decode(body, &a); err != nil {
		return nil, fmt.Errorf("%s: %w", opCheck, err)
	}
	if a.Slots == nil || len(a.Slots) > w.Most {
		return nil, nonsense(opCheck, "no windows, or more than were asked for")
	}
	found := make([]commands.Slot, len(a.Slots))
	seen := map[domain.ID]bool{}
	for i, s := range a.Slots {
		var err error
		if found[i], err = c.slot(opCheck, s, w.Contractor); err != nil {
			return nil, err
		}
		switch {
		case s.From.Before(w.From) || !s.From.Before(w.To):
			return nil, nonsense(opCheck, "a window out of range")
		case s.Free < 1:
			return nil, nonsense(opCheck, "a window without room")
		case seen[s.ID]:
			return nil, nonsense(opCheck, "a window twice")
		case i > 0 && s.From.Before(found[i-1].From):
			return nil, nonsense(opCheck, "windows out of order")
		}
		seen[s.ID] = true
	}
	return found, nil
}

func (c *Client) readReserved(body []byte, b commands.Booking) (commands.Slot, error) {
	var a struct {
		Slot wireSlot `json:"slot"`
	}
	if err := decode(body, &a); err != nil {
		return commands.Slot{}, fmt.Errorf("%s: %w", opReserve, err)
	}
	if a.Slot.ID != b.Slot {
		return commands.Slot{}, nonsense(opReserve, "another window than the one asked for")
	}
	return c.slot(opReserve, a.Slot, b.Contractor)
}

// slot is a window that makes sense: the contractor's, with an end behind its beginning, and an id
// that says the same as its times. That also finds out if both sides mean different time zones.
func (c *Client) slot(op operation, s wireSlot, contractor domain.ID) (commands.Slot, error) {
	long := s.To.Sub(s.From)
	switch {
	case s.Contractor != contractor:
		return commands.Slot{}, nonsense(op, "a window of another contractor")
	case long <= 0 || long > windowMax:
		return commands.Slot{}, nonsense(op, "a window that ends before it begins, or lasts longer than a day")
	case s.ID != SlotID(s.From, s.To, c.zone):
		return commands.Slot{}, nonsense(op, "a window whose id and times differ in "+c.zone.String())
	case s.Free < 0:
		return commands.Slot{}, nonsense(op, "less than no room")
	}
	return commands.Slot{ID: s.ID, Contractor: s.Contractor, From: s.From.UTC(), To: s.To.UTC(), Free: s.Free}, nil
}

func nonsense(op operation, what string) error { return fmt.Errorf("%s: %w: %s", op, ErrAnswer, what) }

// notHeld says whether a 404 comes from the scheduler. One of a proxy, or of an address that is not
// the scheduler's, must not pass for a visit that nobody will make.
func notHeld(body []byte) bool {
	var a struct {
		Code string `json:"code"`
	}
	return decode(body, &a) == nil && a.Code == "not-held"
}

// decode takes one JSON value of known fields and nothing behind it. What a decoder says may quote
// the answer, and is dropped.
func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%w: it is not the JSON of the protocol", ErrAnswer)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows its JSON", ErrAnswer)
	}
	return nil
}
