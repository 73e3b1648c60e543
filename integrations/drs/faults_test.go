package drs_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/eventstore"
	"rentbook/integrations/drs"
	"rentbook/integrations/drs/drstest"
)

// How often a question is put, and how long the client waits in between.
const (
	attemptsMax = 3
	waitsMax    = 300 * time.Millisecond
)

func TestFaults_ThatPassAreNotNoticed(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name     string
		fault    drstest.Fault
		times    int // that it happens
		attempts int // until it has passed
	}{
		{"502", drstest.Status(http.StatusBadGateway), 2, 3},
		{"503", drstest.Status(http.StatusServiceUnavailable), 2, 3},
		{"504", drstest.Status(http.StatusGatewayTimeout), 2, 3},
		{"an answer that was lost", drstest.Lost(), 2, 3},
		{"a slow answer", drstest.Slow(drs.TimeoutDefault - time.Second), 1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, c, requests := inProcess(t, 0)
			asked := 0
			for _, o := range operations() {
				s.Fail(f.times, f.fault)
				if err := o.ask(t.Context(), c); err != nil {
					t.Errorf("%s: %s: %v", f.name, o.name, err)
				}
				if diff := cmp.Diff(o.booked, s.Bookings()); diff != "" {
					t.Errorf("%s: booked after %s (-want +got):\n%s", f.name, o.name, diff)
				}
				asked += f.attempts
			}
			if *requests != asked {
				t.Errorf("%s: got %d requests, want %d", f.name, *requests, asked)
			}
		})
	}
}

func TestFaults_ThatStayAreUnavailable(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name     string
		fault    drstest.Fault
		attempts int
		longest  time.Duration
	}{
		{"500", drstest.Status(http.StatusInternalServerError), 1, 0},
		{"502", drstest.Status(http.StatusBadGateway), attemptsMax, waitsMax},
		{"503", drstest.Status(http.StatusServiceUnavailable), attemptsMax, waitsMax},
		{"504", drstest.Status(http.StatusGatewayTimeout), attemptsMax, waitsMax},
		{"every answer is lost", drstest.Lost(), attemptsMax, waitsMax},
		{"hangs", drstest.Hang(), 1, drs.TimeoutDefault},
		{"slower than anybody waits", drstest.Slow(time.Hour), 1, drs.TimeoutDefault},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, c, requests := inProcess(t, 0)
			for _, o := range operations() {
				*requests = 0
				begin := time.Now()
				s.Fail(f.attempts, f.fault)
				err := o.ask(t.Context(), c)
				if !errors.Is(err, eventstore.ErrUnavailable) || !strings.HasPrefix(err.Error(), o.name+": ") {
					t.Errorf("%s: %s: got %v, want %v", f.name, o.name, err, eventstore.ErrUnavailable)
				}
				if *requests != f.attempts {
					t.Errorf("%s: %s: got %d attempts, want %d", f.name, o.name, *requests, f.attempts)
				}
				if took := time.Since(begin); took > f.longest {
					t.Errorf("%s: %s: took %v, want at most %v", f.name, o.name, took, f.longest)
				}
			}
		})
	}
}

// One limit holds for all attempts together: the last of them gets what is left.
func TestTimeout_HoldsForAllAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, c, requests := inProcess(t, 2*time.Second)
		s.Fail(1, drstest.Status(http.StatusServiceUnavailable))
		s.Fail(1, drstest.Hang())
		begin := time.Now()
		if err := c.Confirm(t.Context(), first); !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("got %v, want %v", err, eventstore.ErrUnavailable)
		}
		if took := time.Since(begin); took != 2*time.Second || *requests != 2 {
			t.Errorf("took %v and %d attempts, want 2s and 2", took, *requests)
		}
	})
}

// Whoever asked has gone: that is no failure of the scheduler.
func TestCaller_WhoHasGone(t *testing.T) {
	t.Parallel()
	for _, fault := range []drstest.Fault{drstest.Hang(), drstest.Status(http.StatusServiceUnavailable)} {
		synctest.Test(t, func(t *testing.T) {
			s, c, _ := inProcess(t, 0)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			s.Fail(attemptsMax, fault)
			begin := time.Now()
			err := c.Confirm(ctx, first)
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("got %v, want %v alone", err, context.DeadlineExceeded)
			}
			if took := time.Since(begin); took != 50*time.Millisecond {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestOverride_IsAConflict(t *testing.T) {
	t.Parallel()
	s := simulator(t, drstest.Options{})
	c := client(t, drs.Options{URL: s.URL})
	office := drstest.Held{Booking: commands.Booking{Repair: "office-1", Contractor: contractor, Slot: morning}, Firm: true}

	if _, err := c.Reserve(t.Context(), first, until); err != nil {
		t.Fatal(err)
	}
	s.OverrideConfirms(1)
	if err := c.Confirm(t.Context(), first); !errors.Is(err, commands.ErrSlotGone) {
		t.Errorf("confirm: got %v, want %v", err, commands.ErrSlotGone)
	}
	if diff := cmp.Diff([]drstest.Held{office}, s.Bookings()); diff != "" {
		t.Errorf("bookings (-want +got):\n%s", diff)
	}

	if err := c.Confirm(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	third := first
	third.Slot = "2026-11-23.1200-1700"
	s.OverrideConfirms(1)
	if err := c.Reschedule(t.Context(), second, third); !errors.Is(err, commands.ErrSlotGone) {
		t.Errorf("reschedule: got %v, want %v", err, commands.ErrSlotGone)
	}
	if !slices.Contains(s.Bookings(), drstest.Held{Booking: second, Firm: true}) {
		t.Errorf("what could not be moved is lost: %v", s.Bookings())
	}
}

// The same over a network: connections that break, hang or are refused, and what is left of them.
func TestFaults_OfANetwork(t *testing.T) {
	t.Parallel()
	s := simulator(t, drstest.Options{})
	c := client(t, drs.Options{URL: s.URL})
	for _, o := range operations() {
		s.Fail(2, drstest.Lost())
		if err := o.ask(t.Context(), c); err != nil {
			t.Errorf("%s: %v", o.name, err)
		}
		if diff := cmp.Diff(o.booked, s.Bookings()); diff != "" {
			t.Errorf("booked after %s (-want +got):\n%s", o.name, diff)
		}
	}
	s.Fail(1, drstest.Hang())
	hasty := client(t, drs.Options{URL: s.URL, Timeout: 20 * time.Millisecond})
	if err := hasty.Confirm(t.Context(), first); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("hanging: got %v, want %v", err, eventstore.ErrUnavailable)
	}

	var listen net.ListenConfig
	nobody, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	refused := client(t, drs.Options{URL: "http://" + nobody.Addr().String()})
	if err := refused.Confirm(t.Context(), first); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("connection refused: got %v, want %v", err, eventstore.ErrUnavailable)
	}
}

// An answer that ends too early was cut by the network, and is asked for again. One that arrived whole
// is what the scheduler says.
func TestAnswer_ThatIsCut(t *testing.T) {
	t.Parallel()
	s := simulator(t, drstest.Options{})
	c := client(t, drs.Options{URL: s.URL})
	s.Fail(2, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"slots":[`)
			panic(http.ErrAbortHandler)
		})
	})
	if found, err := c.Slots(t.Context(), wanted); err != nil || len(found) != 3 {
		t.Errorf("got %v, %v, want three slots", found, err)
	}
	for _, fault := range []drstest.Fault{drstest.Malformed(), drstest.Oversized()} {
		s.Fail(1, fault)
		if found, err := c.Slots(t.Context(), wanted); !errors.Is(err, drs.ErrAnswer) {
			t.Errorf("got %v, %v, want %v", found, err, drs.ErrAnswer)
		}
	}
}
