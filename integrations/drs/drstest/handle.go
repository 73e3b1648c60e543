package drstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"rentbook/commands"
	"rentbook/domain"
)

const questionBytesMax = 64 << 10

type booking struct {
	Repair     domain.ID `json:"repair"`
	Contractor domain.ID `json:"contractor"`
	Slot       domain.ID `json:"slot"`
	Trade      *string   `json:"trade"`
	Priority   *string   `json:"priority"`
}

func (b booking) complete() bool {
	return b.Repair != "" && b.Contractor != "" && b.Slot != "" && b.Trade != nil && b.Priority != nil
}

func (b booking) noun() commands.Booking {
	return commands.Booking{Repair: b.Repair, Contractor: b.Contractor, Slot: b.Slot, Trade: *b.Trade, Priority: *b.Priority}
}

type slot struct {
	ID         domain.ID `json:"id"`
	Contractor domain.ID `json:"contractor"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Free       int       `json:"free"`
}

func shown(s commands.Slot) slot { return slot{s.ID, s.Contractor, s.From.UTC(), s.To.UTC(), s.Free} }

type question interface{ complete() bool }

type checkQuestion struct {
	Repair     domain.ID `json:"repair"`
	Contractor domain.ID `json:"contractor"`
	Trade      *string   `json:"trade"`
	Priority   *string   `json:"priority"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Most       int       `json:"most"`
}

func (q checkQuestion) complete() bool {
	return q.Repair != "" && q.Contractor != "" && q.Trade != nil && q.Priority != nil && q.From.Before(q.To) && q.Most > 0
}

type reserveQuestion struct {
	Booking booking   `json:"booking"`
	Until   time.Time `json:"until"`
}

func (q reserveQuestion) complete() bool { return q.Booking.complete() && !q.Until.IsZero() }

type bookingQuestion struct {
	Booking booking `json:"booking"`
}

func (q bookingQuestion) complete() bool { return q.Booking.complete() }

type moveQuestion struct {
	From booking `json:"from"`
	To   booking `json:"to"`
}

func (q moveQuestion) complete() bool { return q.From.complete() && q.To.complete() }

func (s *Server) routes() {
	s.mux.Handle("POST /v1/check", operation(s, func(q checkQuestion) (any, error) {
		found := s.book.check(commands.SlotsWanted{
			Repair: q.Repair, Contractor: q.Contractor, Trade: *q.Trade, Priority: *q.Priority, From: q.From, To: q.To, Most: q.Most,
		})
		slots := make([]slot, len(found))
		for i, f := range found {
			slots[i] = shown(f)
		}
		return map[string]any{"slots": slots}, nil
	}))
	s.mux.Handle("POST /v1/reserve", operation(s, func(q reserveQuestion) (any, error) {
		reserved, err := s.book.reserve(q.Booking.noun(), q.Until)
		return map[string]any{"slot": shown(reserved)}, err
	}))
	s.mux.Handle("POST /v1/confirm", operation(s, func(q bookingQuestion) (any, error) {
		return nil, s.book.confirm(q.Booking.noun())
	}))
	s.mux.Handle("POST /v1/reschedule", operation(s, func(q moveQuestion) (any, error) {
		return nil, s.book.reschedule(q.From.noun(), q.To.noun())
	}))
	s.mux.Handle("POST /v1/cancel", operation(s, func(q bookingQuestion) (any, error) {
		return nil, s.book.cancel(q.Booking.noun())
	}))
}

// operation carries out one question at a time, and answers nothing but 204 where there is nothing to
// tell.
func operation[Q question](s *Server, carryOut func(Q) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q Q
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&q); err != nil || !q.complete() || r.Header.Get("Content-Type") != "application/json" {
			fail(w, errInvalid)
			return
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			fail(w, errInvalid)
			return
		}
		s.mu.Lock()
		told, err := carryOut(q)
		s.mu.Unlock()
		switch {
		case err != nil:
			fail(w, err)
		case told == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			say(w, http.StatusOK, told)
		}
	})
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	switch {
	case errors.Is(err, errGone):
		status = http.StatusConflict
	case errors.Is(err, errNotHeld):
		status = http.StatusNotFound
	}
	say(w, status, map[string]string{"code": err.Error()})
}

func say(w http.ResponseWriter, status int, what any) {
	text, err := json.Marshal(what)
	if err != nil {
		panic(err) // the simulator's own types
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // nobody listens any more, perhaps
}

// ServeHTTP answers a request, or lets the next fault do so.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The server notices that a client has gone once the body is read: a fault that waits needs that.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, questionBytesMax))
	if err != nil {
		fail(w, errInvalid)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	carryOut := http.Handler(http.HandlerFunc(s.admit))
	if fault, due := s.nextFault(); due {
		carryOut = fault(carryOut)
	}
	carryOut.ServeHTTP(w, r)
}

func (s *Server) admit(w http.ResponseWriter, r *http.Request) {
	if s.token != "" && r.Header.Get("Authorization") != "Bearer "+s.token {
		say(w, http.StatusUnauthorized, map[string]string{"code": "unauthorised"})
		return
	}
	s.mux.ServeHTTP(w, r)
}
