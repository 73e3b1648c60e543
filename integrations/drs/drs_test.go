package drs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/integrations/drs"
	"rentbook/integrations/drs/drstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	contractor = domain.ID("C1")
	morning    = domain.ID("2026-11-23.0800-1200")
	afternoon  = domain.ID("2026-11-24.1200-1700")
)

var (
	start  = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	until  = start.Add(15 * time.Minute)
	wanted = commands.SlotsWanted{
		Repair: "R1", Contractor: contractor, Trade: "plumbing", Priority: "urgent",
		From: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), Most: 20,
	}
	// first and second are of the same repair.
	first = commands.Booking{
		Repair: "R1", Contractor: contractor, Slot: morning, Trade: "plumbing", Priority: "urgent",
	}
	second = commands.Booking{
		Repair: "R1", Contractor: contractor, Slot: afternoon, Trade: "plumbing", Priority: "urgent",
	}
)

// clock stands still until it is set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func diary() []drstest.Window {
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	return []drstest.Window{
		{From: at(24, 12), To: at(24, 17), Capacity: 1},
		{From: at(23, 8), To: at(23, 12), Capacity: 1},
		{From: at(23, 12), To: at(23, 17), Capacity: 3},
	}
}

func simulator(t testing.TB, o drstest.Options) *drstest.Server {
	if o.Now == nil {
		o.Now = (&clock{now: start}).Now
	}
	s := drstest.New(t, o)
	s.SetSlots(contractor, diary()...)
	return s
}

func client(t testing.TB, o drs.Options) *drs.Client {
	t.Helper()
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	c, err := drs.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// carrier carries requests as a function does.
type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

var errCut = errors.New("the connection was cut")

// within carries requests to a handler without a network, so that time can be simulated.
func within(h http.Handler) carrier {
	return func(r *http.Request) (w *http.Response, err error) {
		defer func() {
			if recover() != nil { // http.ErrAbortHandler
				w, err = nil, errCut
				if r.Context().Err() != nil {
					err = r.Context().Err()
				}
			}
		}()
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		return recorder.Result(), nil
	}
}

// counted counts the requests that a carrier is given.
func counted(c carrier, count *int) carrier {
	return func(r *http.Request) (*http.Response, error) {
		*count++
		return c(r)
	}
}

// inProcess is a simulator and a client of it without a network. It counts the requests.
func inProcess(t testing.TB, timeout time.Duration) (s *drstest.Server, c *drs.Client, requests *int) {
	s = drstest.NewServer(drstest.Options{Now: (&clock{now: start}).Now})
	s.SetSlots(contractor, diary()...)
	requests = new(int)
	return s, client(t, drs.Options{
		URL: "http://localhost", Timeout: timeout, HTTP: &http.Client{Transport: counted(within(s), requests)},
	}), requests
}

// operation is a call, and what is booked when all up to it were carried out.
type operation struct {
	name   string
	ask    func(context.Context, commands.Scheduler) error
	booked []drstest.Held
}

// operations are all there is to ask, in an order in which each succeeds.
func operations() []operation {
	return []operation{
		{"check", func(ctx context.Context, s commands.Scheduler) error {
			_, err := s.Slots(ctx, wanted)
			return err
		}, nil},
		{"reserve", func(ctx context.Context, s commands.Scheduler) error {
			_, err := s.Reserve(ctx, first, until)
			return err
		}, []drstest.Held{{Booking: first, Until: until}}},
		{"confirm", func(ctx context.Context, s commands.Scheduler) error {
			return s.Confirm(ctx, first)
		}, []drstest.Held{{Booking: first, Firm: true}}},
		{"reschedule", func(ctx context.Context, s commands.Scheduler) error {
			return s.Reschedule(ctx, first, second)
		}, []drstest.Held{{Booking: second, Firm: true}}},
		{"cancel", func(ctx context.Context, s commands.Scheduler) error {
			return s.Cancel(ctx, second)
		}, nil},
	}
}

func TestPromises(t *testing.T) {
	t.Parallel()
	open := func(t testing.TB, carry func(http.RoundTripper) http.RoundTripper) drstest.Fixture {
		now := &clock{now: start}
		s := simulator(t, drstest.Options{Now: now.Now, Token: "secret"})
		transport := &http.Transport{MaxIdleConnsPerHost: 8}
		c := client(t, drs.Options{
			URL: s.URL, Token: "secret", Timeout: time.Minute, HTTP: &http.Client{Transport: carry(transport)},
		})
		t.Cleanup(transport.CloseIdleConnections)
		return drstest.Fixture{
			Scheduler: c, Contractor: contractor, Slot: morning, Other: afternoon,
			Until:  func() time.Time { return now.Now().Add(15 * time.Minute) },
			Expire: func() { now.pass(15 * time.Minute) },
		}
	}
	t.Run("simulator", func(t *testing.T) {
		t.Parallel()
		drstest.Promises(t, func(t testing.TB) drstest.Fixture {
			return open(t, func(under http.RoundTripper) http.RoundTripper { return under })
		})
	})
	t.Run("simulator, and the first answer to every call is lost", func(t *testing.T) {
		t.Parallel()
		drstest.Promises(t, func(t testing.TB) drstest.Fixture {
			return open(t, func(under http.RoundTripper) http.RoundTripper { return lossy(under) })
		})
	})
}

// lossy loses the first answer to every call. All attempts of a call share its context.
func lossy(under http.RoundTripper) carrier {
	var calls sync.Map
	return func(r *http.Request) (*http.Response, error) {
		w, err := under.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if _, lost := calls.LoadOrStore(r.Context(), true); lost {
			return w, nil
		}
		_, _ = io.Copy(io.Discard, w.Body)
		return nil, errors.Join(errCut, w.Body.Close())
	}
}

// What is sent is what PROTOCOL.md shows, to the byte, and nothing more.
func TestRequests_AreThoseOfTheProtocol(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := string(text)
	s := drstest.NewServer(drstest.Options{Now: (&clock{now: start}).Now})
	s.SetSlots(contractor, diary()[1])
	var sent []string
	c := client(t, drs.Options{URL: "https://drs.example/base/", HTTP: &http.Client{
		Transport: carrier(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			path, below := strings.CutPrefix(r.URL.String(), "https://drs.example/base")
			if !below {
				t.Errorf("sent to %s", r.URL)
			}
			sent = append(sent, r.Method+" "+path+"\n"+string(body)+"\n```")
			r.URL.Path, r.Body = path, io.NopCloser(bytes.NewReader(body))
			w, err := within(s)(r)
			if err != nil {
				return nil, err
			}
			answer, err := io.ReadAll(w.Body)
			if err != nil {
				return nil, err
			}
			if w.StatusCode == http.StatusOK {
				sent = append(sent, "```\n200\n"+string(answer)+"\n```")
			}
			w.Body = io.NopCloser(bytes.NewReader(answer))
			return w, nil
		}),
	}})
	for _, o := range operations() {
		if err := o.ask(t.Context(), c); err != nil && !errors.Is(err, commands.ErrSlotGone) { // there is one window only
			t.Errorf("%s: %v", o.name, err)
		}
	}
	if len(sent) != 7 {
		t.Errorf("got %d requests and answers, want 7", len(sent))
	}
	for _, message := range sent {
		if !strings.Contains(documented, message) {
			t.Errorf("PROTOCOL.md does not show\n%s", message)
		}
	}
}
