// Package drstest holds what a scheduler of appointments promises, as tests, and a simulator of one
// that speaks the protocol of package drs.
//
// The simulator has diaries, reservations that end by themselves, firm bookings, and the mishaps of
// a system somewhere else, to be switched on: it does not answer, loses what it said, talks
// nonsense, or gives a place away over the head of whoever reserved it. It is a http.Handler, and
// needs no test around it; package server runs it.
//
// The one rule: the simulator knows the protocol from PROTOCOL.md and shares no code of it with the
// client, so that a mistake is one side's alone.
package drstest

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"rentbook/commands"
	"rentbook/domain"
)

// Window is a stretch of a diary in which Capacity visits fit.
type Window struct {
	From, To time.Time
	Capacity int
}

// Diary makes up the windows of a contractor that begin from one instant and before another.
type Diary func(contractor domain.ID, from, to time.Time) []Window

// Options of a simulator. All of them may be left out.
type Options struct {
	Now   func() time.Time // time.Now
	Zone  *time.Location   // of the ids of slots; UTC
	Token string           // who does not send it is refused
	Diary Diary            // of contractors without a diary of their own
}

// Server is a simulator.
type Server struct {
	URL string // where it is, if New started it

	token string
	mux   *http.ServeMux

	mu     sync.Mutex
	book   book
	faults []Fault
}

// NewServer makes a simulator without windows.
func NewServer(o Options) *Server {
	s := &Server{token: o.Token, mux: http.NewServeMux(), book: newBook(o)}
	s.routes()
	return s
}

// New starts a simulator on the loopback interface until the test is over.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s := NewServer(o)
	listening := httptest.NewServer(s)
	t.Cleanup(func() {
		listening.CloseClientConnections() // some may hang, as they were told to
		listening.Close()
	})
	s.URL = listening.URL
	return s
}

// SetSlots replaces the windows of a contractor. What is booked stays booked.
func (s *Server) SetSlots(contractor domain.ID, windows ...Window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.book.diaries[contractor] = slices.Clone(windows)
}

// Held is a place in a diary.
type Held struct {
	commands.Booking

	Firm  bool
	Until time.Time // of a reservation
}

// Bookings are the places that are held now, by contractor, slot and repair.
func (s *Server) Bookings() []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.book.expire()
	var all []Held
	for _, h := range s.book.held {
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b Held) int {
		return cmp.Or(cmp.Compare(a.Contractor, b.Contractor), cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Repair, b.Repair))
	})
	return all
}

// OverrideConfirms makes the next n confirmations find that somebody else has the whole window: the
// office took it, and asked nobody. A rescheduling confirms as well.
func (s *Server) OverrideConfirms(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.book.overrides = n
}

// Fail makes a fault befall each of the next n requests, after those that are under way already.
func (s *Server) Fail(n int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, slices.Repeat([]Fault{f}, n)...)
}

func (s *Server) nextFault() (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) == 0 {
		return nil, false
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	return f, true
}

// Weekdays is a diary of Mondays to Fridays, from 8 to 12 and from 12 to 17 o'clock, in which so many
// visits fit each time.
func Weekdays(zone *time.Location, capacity int) Diary {
	return func(_ domain.ID, from, to time.Time) []Window {
		var windows []Window
		year, month, day := from.In(zone).Date()
		for n := range daysMax {
			midnight := time.Date(year, month, day+n, 0, 0, 0, 0, zone)
			if !midnight.Before(to) {
				break
			}
			if midnight.Weekday() == time.Saturday || midnight.Weekday() == time.Sunday {
				continue
			}
			at := func(hour int) time.Time { return time.Date(year, month, day+n, hour, 0, 0, 0, zone) }
			windows = append(windows, Window{at(8), at(12), capacity}, Window{at(12), at(17), capacity})
		}
		return windows
	}
}

// daysMax is how far ahead a diary reaches that somebody asks for without an end.
const daysMax = 400
