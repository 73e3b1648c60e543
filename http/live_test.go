package http

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
	"rentbook/eventstore/vault"
	"rentbook/http/identity"
	"rentbook/projections"
	viewsqlite "rentbook/projections/sqlite"
)

// message is one message of a stream, or a sign of life.
type message struct {
	ID, Event, Data string
	Comment         bool
}

func messageOf(block string) message {
	var m message
	for line := range strings.SplitSeq(block, "\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			m.ID = value
		case "event":
			m.Event = value
		case "data":
			m.Data = value
		case "":
			m.Comment = true
		}
	}
	return m
}

// stream is the stream that a message tells of.
func (m message) stream() string {
	var said struct{ Stream string }
	_ = json.Unmarshal([]byte(m.Data), &said)
	return said.Stream
}

// memoryLog is a log in memory.
type memoryLog struct {
	mu      sync.Mutex
	events  []eventstore.Recorded
	coming  chan struct{}
	follows int
	failing error // the end of whoever follows
}

func (l *memoryLog) add(streams ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range streams {
		l.events = append(l.events, eventstore.Recorded{
			Proposed: eventstore.Proposed{Type: "test.changed.v1", Data: []byte(`{"name":"Canary"}`)},
			Stream:   eventstore.Stream(s), Position: eventstore.PositionAt(uint64(len(l.events) + 1)),
			At: time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC),
		})
	}
	l.wake()
}

func (l *memoryLog) wake() {
	close(l.coming)
	l.coming = make(chan struct{})
}

// fail ends whoever follows, and lets nobody follow until it is told nil.
func (l *memoryLog) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failing = err
	l.wake()
}

func (l *memoryLog) followed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.follows
}

func (l *memoryLog) Head(context.Context) (eventstore.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return eventstore.PositionAt(uint64(len(l.events))), nil
}

func (l *memoryLog) next(after uint64) (eventstore.Recorded, bool, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after >= uint64(len(l.events)) || l.failing != nil {
		return eventstore.Recorded{}, false, l.coming, l.failing
	}
	return l.events[after], true, nil, nil
}

func (l *memoryLog) Follow(ctx context.Context, after eventstore.Position, _ ...string) iter.Seq2[eventstore.Recorded, error] {
	l.mu.Lock()
	l.follows++
	l.mu.Unlock()
	return func(yield func(eventstore.Recorded, error) bool) {
		at := after.Commit
		for {
			r, found, coming, err := l.next(at)
			if err != nil {
				yield(r, err)
				return
			}
			if found {
				if at = r.Position.Commit; !yield(r, nil) {
					return
				}
				continue
			}
			select {
			case <-coming:
			case <-ctx.Done():
				yield(r, ctx.Err())
				return
			}
		}
	}
}

// memoryViews are level with the log unless they are held.
type memoryViews struct {
	log *memoryLog

	mu      sync.Mutex
	held    *eventstore.Position
	free    chan struct{} // closed when they are not held
	homes   map[string]string
	tenants map[string][]string
	parents map[string]string
	repairs map[string]repairOwner
	failing error
	asked   int
}

func (v *memoryViews) hold() {
	at, _ := v.log.Head(context.Background())
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held, v.free = &at, make(chan struct{})
}

func (v *memoryViews) release() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = nil
	close(v.free)
}

func (v *memoryViews) change(f func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f()
}

func (v *memoryViews) level(ctx context.Context) (eventstore.Position, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held != nil {
		return *v.held, nil
	}
	return v.log.Head(ctx)
}

func (v *memoryViews) WaitFor(ctx context.Context, p eventstore.Position) error {
	v.mu.Lock()
	held, free := v.held, v.free
	v.mu.Unlock()
	if held == nil || p.Compare(*held) <= 0 {
		return nil
	}
	select {
	case <-free:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", projections.ErrBehind, ctx.Err())
	}
}

func (v *memoryViews) letting(_ context.Context, id string) (string, []string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	home, there := v.homes[id]
	if !there && v.failing == nil {
		return "", nil, projections.ErrNotFound
	}
	return home, v.tenants[id], v.failing
}

func (v *memoryViews) parent(_ context.Context, id string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.parents[id], v.failing
}

func (v *memoryViews) tenanciesOf(_ context.Context, t identity.Token) (mine []string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, persons := range v.tenants {
		if slices.Contains(persons, t.Person) {
			mine = append(mine, id)
		}
	}
	return mine, v.failing
}

func (v *memoryViews) repairOwner(_ context.Context, id string) (repairOwner, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	of, there := v.repairs[id]
	if !there && v.failing == nil {
		return of, projections.ErrNotFound
	}
	return of, v.failing
}

// memoryTokens are found until they are revoked.
type memoryTokens struct {
	mu      sync.Mutex
	byName  map[string]identity.Token
	failing error
}

func (m *memoryTokens) find(_ context.Context, secret string) (identity.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, there := m.byName[secret]
	if !there && m.failing == nil {
		return t, identity.ErrUnknown
	}
	return t, m.failing
}

func (m *memoryTokens) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// stage is live changes with everything around them in memory.
type stage struct {
	t      testing.TB
	live   *live
	log    *memoryLog
	views  *memoryViews
	tokens *memoryTokens
	counts *prometheus.Registry
}

// newStage has tenancies T1 (of P1, home H1 in block B1 on estate E1) and T2 (of P2, home H2), and
// repairs: R1 of T1 with contractor C1, R2 of T2 with C2, R3 communal on the estate.
func newStage(t testing.TB) *stage {
	t.Helper()
	log := &memoryLog{coming: make(chan struct{})}
	s := &stage{
		t: t, log: log, counts: prometheus.NewRegistry(),
		views: &memoryViews{
			log: log, homes: map[string]string{"T1": "H1", "T2": "H2"}, tenants: map[string][]string{"T1": {"P1"}, "T2": {"P2"}},
			parents: map[string]string{"H1": "B1", "B1": "E1"},
			repairs: map[string]repairOwner{
				"R1": {tenancy: "T1", at: "H1", contractor: "C1"}, "R2": {tenancy: "T2", at: "H2", contractor: "C2"},
				"R3": {at: "E1", communal: true},
			},
		},
		tokens: &memoryTokens{byName: map[string]identity.Token{
			"manager":    {ID: "token-1", Role: commands.RoleManager},
			"tenant":     {ID: "token-2", Role: commands.RoleTenant, Tenancies: []string{"T1"}},
			"person":     {ID: "token-3", Role: commands.RoleTenant, Person: "P1"},
			"other":      {ID: "token-4", Role: commands.RoleTenant, Person: "P2"},
			"contractor": {ID: "token-5", Role: commands.RoleContractor, Contractor: "C1"},
			"nobody":     {ID: "token-6", Role: commands.RoleContractor},
			"auditor":    {ID: "token-7", Role: commands.RoleAuditor},
		}},
	}
	s.live = newLive(t.Context(), s.config(), s.views, newLiveMetrics(s.counts))
	s.live.find = s.tokens.find
	return s
}

func (s *stage) config() Config {
	return Config{Log: s.log, Identity: &identity.Tokens{}, Logger: slog.New(slog.DiscardHandler), Now: time.Now}
}

// count is a metric's value.
func count(t testing.TB, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("%s is not counted", name)
	return 0
}

// client is one that listens.
type client struct {
	t     testing.TB
	leave context.CancelFunc
	ended chan error // how the handler ended

	mu       sync.Mutex
	header   http.Header
	got      bytes.Buffer
	arrived  chan struct{}
	stuck    bool
	deadline time.Time
	moved    chan struct{} // closed when the deadline is moved
}

// listen connects; after is the id of the last message, empty for none.
func (s *stage) listen(who, after string) *client {
	s.t.Helper()
	return s.listenAs(who, after, false)
}

func (s *stage) listenAs(who, after string, stuck bool) *client {
	s.t.Helper()
	ctx, leave := context.WithCancel(s.t.Context())
	c := &client{
		t: s.t, leave: leave, ended: make(chan error, 1), header: http.Header{}, arrived: make(chan struct{}, 1), stuck: stuck,
		moved: make(chan struct{}),
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events", nil)
	r.Header.Set("Authorization", "Bearer "+who)
	token, err := s.tokens.find(ctx, who)
	if err != nil {
		s.t.Fatal(err)
	}
	asked := &call{ResponseWriter: c, s: &Server{Config: s.config()}, r: r, token: token}
	go func() { c.ended <- s.live.events(asked, &getEvents{LastEventID: after}) }()
	return c
}

func (c *client) Header() http.Header { return c.header }
func (c *client) WriteHeader(int)     {}
func (c *client) FlushError() error   { return nil }

func (c *client) SetReadDeadline(time.Time) error { return nil }

func (c *client) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	close(c.moved)
	c.moved = make(chan struct{})
	return nil
}

// Write takes everything, or nothing until the deadline while the client is stuck.
func (c *client) Write(b []byte) (int, error) {
	for {
		c.mu.Lock()
		if !c.stuck {
			c.got.Write(b)
			c.mu.Unlock()
			select {
			case c.arrived <- struct{}{}:
			default:
			}
			return len(b), nil
		}
		left, moved := time.Until(c.deadline), c.moved
		c.mu.Unlock()
		if left <= 0 {
			return 0, os.ErrDeadlineExceeded
		}
		select {
		case <-time.After(left):
		case <-moved:
		}
	}
}

// next is the next message that is not the hint when to come back.
func (c *client) next() message {
	c.t.Helper()
	for {
		c.mu.Lock()
		block, rest, whole := strings.Cut(c.got.String(), "\n\n")
		if whole {
			c.got.Reset()
			c.got.WriteString(rest)
		}
		c.mu.Unlock()
		switch {
		case whole && strings.HasPrefix(block, "retry: "):
		case whole:
			return messageOf(block)
		default:
			<-c.arrived
		}
	}
}

// hears takes messages until it has one of each stream, in this order and no others.
func (c *client) hears(streams ...string) (last message) {
	c.t.Helper()
	for _, want := range streams {
		last = c.next()
		for last.Comment {
			last = c.next()
		}
		if last.stream() != want {
			c.t.Fatalf("heard %+v, want a change of %s", last, want)
		}
	}
	return last
}

// end leaves and says how the handler ended.
func (c *client) end() error {
	c.leave()
	return <-c.ended
}

func (c *client) wantEnd(t testing.TB, want error) {
	t.Helper()
	if err := <-c.ended; !errors.Is(err, want) {
		t.Errorf("it ended with %v, want %v", err, want)
	}
	c.leave()
}

func TestLive_says_from_where_on_it_tells_and_then_what_changes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.log.add("tenancy-T1", "tenancy-T2")
		c := s.listen("manager", "")
		got := []message{c.next()}
		s.log.add("property-H1", "calendar-free")
		got = append(got, c.next(), c.next())
		want := []message{
			{ID: "2", Event: "ready", Data: `{"position":"2"}`},
			{ID: "3", Event: "change", Data: `{"position":"3","stream":"property-H1","type":"test.changed.v1","recorded_at":"2026-04-01T12:00:00.000000Z"}`},
			{ID: "4", Event: "change", Data: `{"position":"4","stream":"calendar-free","type":"test.changed.v1","recorded_at":"2026-04-01T12:00:00.000000Z"}`},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		for name, value := range map[string]string{
			"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Rentbook-Position": "2",
		} {
			if c.header.Get(name) != value {
				t.Errorf("%s: %q, want %q", name, c.header.Get(name), value)
			}
		}
		if err := c.end(); err != nil {
			t.Error(err)
		}
		if s.live.hub.feed != nil || count(t, s.counts, "rentbook_live_clients") != 0 {
			t.Error("the last has left and the feed goes on")
		}
	})
}

func TestLive_each_hears_of_their_own(t *testing.T) {
	t.Parallel()
	all := []string{
		"tenancy-T1", "tenancy-T2", "rentAccount-T1", "rentAccount-T2", "property-H1", "property-H2", "property-B1",
		"repair-R1", "repair-R2", "repair-R3", "repair-R9", "contractor-C1", "contractor-C11", "contractor-C2", "diary-C1:2026-04-01",
		"diary-C11:2026-04-01", "hazard-Z1", "calendar-free", "chargeRun-1", "T1", "tenancy-",
	}
	for who, want := range map[string][]string{
		"manager":    all,
		"auditor":    all,
		"tenant":     {"tenancy-T1", "rentAccount-T1", "property-H1", "repair-R1", "repair-R3"},
		"person":     {"tenancy-T1", "rentAccount-T1", "property-H1", "repair-R1", "repair-R3"},
		"other":      {"tenancy-T2", "rentAccount-T2", "property-H2", "repair-R2"},
		"contractor": {"repair-R1", "contractor-C1", "diary-C1:2026-04-01"},
		"nobody":     nil,
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				live, late := s.listen(who, ""), s.listen(who, "0")
				live.next()
				s.log.add(all...)
				for _, c := range []*client{live, late} {
					c.hears(want...)
					if beat := c.next(); !beat.Comment || beat.Data != "" { // and then nothing
						t.Errorf("heard %+v besides", beat)
					}
					if err := c.end(); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// What belongs to whom may change while somebody listens. It counts from the change on that says so.
func TestLive_who_hears_follows_what_changes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		person, contractor := s.listen("person", ""), s.listen("contractor", "")
		person.next()
		contractor.next()
		s.log.add("property-H1", "property-H2", "rentAccount-T2", "repair-R2", "repair-R1")
		person.hears("property-H1", "repair-R1")
		contractor.hears("repair-R1")
		s.views.change(func() {
			s.views.tenants["T2"] = []string{"P2", "P1"}
			s.views.repairs["R1"] = repairOwner{tenancy: "T1", at: "H1", contractor: "C2"}
			s.views.repairs["R2"] = repairOwner{tenancy: "T2", at: "H2", contractor: "C1"}
		})
		s.log.add("tenancy-T2", "property-H2", "rentAccount-T2", "repair-R1", "repair-R2")
		person.hears("tenancy-T2", "property-H2", "rentAccount-T2", "repair-R1", "repair-R2")
		contractor.hears("repair-R2")
		s.views.change(func() { s.views.homes["T1"] = "H3" })
		s.log.add("tenancy-T1", "property-H1", "property-H3")
		person.hears("tenancy-T1", "property-H3")
		_, _ = person.end(), contractor.end()
	})
}

// Whose a tenancy is, is asked once for all who listen, until it changes.
func TestLive_asks_once_for_all(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		var clients []*client
		for range liveTokenMax {
			clients = append(clients, s.listen("person", ""), s.listen("other", ""))
		}
		for _, c := range clients {
			c.next()
		}
		for range 20 {
			s.log.add("rentAccount-T1", "rentAccount-T2")
		}
		for i, c := range clients {
			for range 20 {
				c.hears(fmt.Sprintf("rentAccount-T%d", 1+i%2))
			}
		}
		if s.views.asked != 2 {
			t.Errorf("asked %d times about two tenancies", s.views.asked)
		}
		for _, c := range clients {
			_ = c.end()
		}
	})
}

func TestLive_a_change_is_sent_once_the_views_have_seen_it(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.log.add("tenancy-T1")
		s.views.hold()
		s.log.add("property-H1")
		c, ahead := s.listen("manager", ""), s.listen("manager", "2")
		if ready := c.next(); ready.ID != "1" {
			t.Errorf("it starts at %s: what the views have not seen would be missed", ready.ID)
		}
		for range 4 { // a minute, longer than the views are waited for at a time
			if beat := c.next(); !beat.Comment || beat.ID != "" {
				t.Fatalf("heard %+v before the views", beat)
			}
		}
		s.views.release()
		c.hears("property-H1")
		s.log.add("property-H2")
		c.hears("property-H2")
		ahead.hears("property-H2")
		_, _ = c.end(), ahead.end()
	})
}

func TestLive_gives_a_sign_of_life(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		c := s.listen("tenant", "")
		c.next()
		began := time.Now()
		if beat := c.next(); !beat.Comment || beat.ID != "" || time.Since(began) != 15*time.Second {
			t.Errorf("heard %+v after %v", beat, time.Since(began))
		}
		s.log.add("tenancy-T2", "calendar-free") // not the tenant's
		if beat := c.next(); (beat != message{ID: "2", Comment: true}) || time.Since(began) != 30*time.Second {
			t.Errorf("heard %+v after %v", beat, time.Since(began))
		}
		if beat := c.next(); (beat != message{Comment: true}) {
			t.Errorf("heard %+v", beat)
		}
		_ = c.end()
	})
}

func TestLive_ends_when_the_token_does(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		c, other := s.listen("tenant", ""), s.listen("manager", "")
		c.next()
		other.next()
		began := time.Now()
		s.tokens.change(func() { delete(s.tokens.byName, "tenant") })
		c.wantEnd(t, nil)
		if took := time.Since(began); took > liveConfirmEvery {
			t.Errorf("that took %v", took)
		}
		s.log.add("tenancy-T1")
		other.hears("tenancy-T1")
		_ = other.end()
	})
}

// While it cannot be told who somebody is, or whose a thing is, nothing is sent and nothing lost.
func TestLive_waits_for_what_it_must_know(t *testing.T) {
	t.Parallel()
	away := fmt.Errorf("%w: down", projections.ErrUnavailable)
	for name, break_ := range map[string]func(*stage, error){
		"tokens": func(s *stage, err error) { s.tokens.change(func() { s.tokens.failing = err }) },
		"views":  func(s *stage, err error) { s.views.change(func() { s.views.failing = err }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				c := s.listen("person", "")
				c.next()
				break_(s, away)
				c.next() // a sign of life: it has been looked at since
				s.log.add("tenancy-T1", "property-H1", "rentAccount-T1")
				for range 3 {
					if beat := c.next(); !beat.Comment {
						t.Fatalf("heard %+v", beat)
					}
				}
				break_(s, nil)
				c.hears("tenancy-T1", "property-H1", "rentAccount-T1")
				_ = c.end()
			})
		})
	}
}

func TestLive_the_log_ends_and_comes_back(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		c := s.listen("manager", "")
		c.next()
		for i := range 5 {
			s.log.add(fmt.Sprintf("property-H%d", 2*i))
			synctest.Wait()
			s.log.fail(eventstore.ErrUnavailable)
			synctest.Wait()
			s.log.add(fmt.Sprintf("property-H%d", 2*i+1))
			c.hears(fmt.Sprintf("property-H%d", 2*i))
			s.log.fail(nil)
			c.hears(fmt.Sprintf("property-H%d", 2*i+1))
		}
		_ = c.end()
	})
}

func TestLive_a_slow_client_is_dropped_and_holds_up_nobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		slow, quick := s.listen("tenant", ""), s.listen("manager", "")
		last := slow.next()
		quick.next()
		slow.mu.Lock()
		slow.stuck = true
		slow.mu.Unlock()
		began := time.Now()
		s.log.add("tenancy-T1")
		for i := range 3 * liveKept {
			s.log.add(fmt.Sprintf("property-H%d", i))
		}
		quick.hears("tenancy-T1")
		for i := range 3 * liveKept {
			quick.hears(fmt.Sprintf("property-H%d", i))
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the quick client waited %v", took)
		}
		slow.wantEnd(t, nil)
		if took := time.Since(began); took > liveSlowMax+time.Second {
			t.Errorf("the slow client was kept for %v", took)
		}
		if n := count(t, s.counts, "rentbook_live_dropped_total"); n != 1 {
			t.Errorf("%v were dropped", n)
		}
		again := s.listen("tenant", last.ID)
		again.hears("tenancy-T1", "property-H1")
		_, _ = again.end(), quick.end()
	})
}

func TestLive_who_is_far_behind_reads_the_log(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		keeper := s.listen("manager", "")
		keeper.next()
		const many = 3*liveKept + 7
		for i := range many {
			s.log.add(fmt.Sprintf("property-H%d", i))
			keeper.hears(fmt.Sprintf("property-H%d", i))
		}
		before := s.log.followed()
		near := s.listen("auditor", fmt.Sprint(many-liveKept))
		near.hears(fmt.Sprintf("property-H%d", many-liveKept))
		if read := s.log.followed() - before; read != 0 {
			t.Errorf("what was kept was read from the log %d times", read)
		}
		for _, from := range []int{0, 1, liveKept, many - liveKept - 1} {
			far := s.listen("auditor", fmt.Sprint(from))
			for i := from; i < many; i++ {
				far.hears(fmt.Sprintf("property-H%d", i))
			}
			s.log.add("calendar-free")
			far.hears(slices.Repeat([]string{"calendar-free"}, s.added()-many)...)
			_ = far.end()
		}
		if s.log.followed() == before {
			t.Error("nobody read the log")
		}
		_, _ = near.end(), keeper.end()
	})
}

// added is how many events there are.
func (s *stage) added() int {
	head, _ := s.log.Head(s.t.Context())
	return int(head.Commit)
}

// losses is how a client loses its connection again and again, and what happens meanwhile.
type losses struct {
	who         string
	keeper      bool // somebody else listens all the time
	connections []connection
}

type connection struct {
	before, meanwhile []string // streams that change
	flood             bool     // more changes than are kept, before
	lasts             time.Duration
	arrives           int // of a thousand parts of what was sent
}

func drawLosses(rt *rapid.T) losses {
	streams := rapid.SliceOfN(rapid.SampledFrom(lossStreams()), 0, 5)
	d := losses{who: rapid.SampledFrom([]string{"manager", "tenant", "person", "contractor"}).Draw(rt, "who"), keeper: rapid.Bool().Draw(rt, "keeper")}
	for range rapid.IntRange(1, 6).Draw(rt, "connections") {
		d.connections = append(d.connections, connection{
			before: streams.Draw(rt, "before"), meanwhile: streams.Draw(rt, "meanwhile"), flood: rapid.IntRange(0, 5).Draw(rt, "flood") == 5,
			lasts:   time.Duration(rapid.IntRange(0, 20_000).Draw(rt, "milliseconds")) * time.Millisecond,
			arrives: rapid.IntRange(0, 1000).Draw(rt, "arrives"),
		})
	}
	return d
}

func lossStreams() []string {
	return []string{"tenancy-T1", "tenancy-T2", "rentAccount-T1", "repair-R1", "repair-R2", "property-H1", "contractor-C1", "calendar-free"}
}

// seenBy are those of them that somebody hears of.
func seenBy(who string) []string {
	switch who {
	case "manager":
		return lossStreams()
	case "contractor":
		return []string{"repair-R1", "contractor-C1"}
	}
	return []string{"tenancy-T1", "rentAccount-T1", "repair-R1", "property-H1"}
}

// hear is what the client hears of in the end, beside what it should have.
func (d losses) hear(t *testing.T) (got, want []string) {
	s := newStage(t)
	if d.keeper {
		keeper := s.listen("auditor", "")
		keeper.next()
		defer keeper.end() //nolint:errcheck // seen elsewhere
	}
	last := "0"
	take := func(m message) {
		if m.Event == "change" {
			got = append(got, m.ID+" "+m.stream())
		}
		if m.ID != "" {
			last = m.ID
		}
	}
	for _, connected := range d.connections {
		s.log.add(connected.before...)
		for i := 0; connected.flood && i < liveKept+50; i++ {
			s.log.add(lossStreams()[i%len(lossStreams())])
		}
		c := s.listen(d.who, last)
		s.log.add(connected.meanwhile...)
		<-time.After(connected.lasts)
		if err := c.end(); err != nil && !errors.Is(err, context.Canceled) { // perhaps it had not begun
			t.Error(err)
		}
		blocks := strings.SplitAfter(c.got.String()[:c.got.Len()*connected.arrives/1000], "\n\n")
		for _, block := range blocks[:len(blocks)-1] {
			take(messageOf(strings.TrimSuffix(block, "\n\n")))
		}
	}
	s.log.add("repair-R1") // all of them hear of it
	c := s.listen(d.who, last)
	for end := fmt.Sprintf("%d repair-R1", s.added()); len(got) == 0 || got[len(got)-1] != end; {
		take(c.next())
	}
	if err := c.end(); err != nil {
		t.Error(err)
	}
	for _, e := range s.log.events {
		if slices.Contains(seenBy(d.who), string(e.Stream)) {
			want = append(want, e.Position.String()+" "+string(e.Stream))
		}
	}
	return got, want
}

// TestLive_nothing_is_lost_or_repeated: a client that loses its connection at any byte, and comes
// back with the last id it got, hears of every change that is its own, once and in order.
func TestLive_nothing_is_lost_or_repeated(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		d := drawLosses(rt)
		var got, want []string
		synctest.Test(t, func(t *testing.T) { got, want = d.hear(t) })
		if d := cmp.Diff(want, got); d != "" {
			rt.Fatal(d)
		}
	})
}

func TestLive_refuses_more_than_it_can_serve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		var clients []*client
		listen := func(who string) {
			c := s.listen(who, "")
			c.next()
			clients = append(clients, c)
		}
		refused := func(who string) {
			t.Helper()
			c := s.listen(who, "")
			p, ok := errors.AsType[*Problem](<-c.ended)
			if !ok || p.Status != http.StatusServiceUnavailable || p.GetHeaders().Get("Retry-After") == "" {
				t.Errorf("one too many: %+v", p)
			}
			c.leave()
		}
		for range liveTokenMax {
			listen("tenant")
		}
		refused("tenant")
		_ = clients[0].end()
		listen("tenant")
		for i := range liveClientsMax/liveTokenMax - 1 {
			name := fmt.Sprintf("another-%d", i)
			s.tokens.change(func() { s.tokens.byName[name] = identity.Token{ID: name, Role: commands.RoleAuditor} })
			for range liveTokenMax {
				listen(name)
			}
		}
		refused("manager")
		if n := count(t, s.counts, "rentbook_live_clients"); n != liveClientsMax {
			t.Errorf("%v listen", n)
		}
		for _, c := range clients[1:] {
			_ = c.end()
		}
		listen("manager")
		_ = clients[len(clients)-1].end()
	})
}

func TestLive_stop_ends_all_at_once(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		idle, stuck := s.listen("manager", ""), s.listenAs("tenant", "0", true)
		idle.next()
		synctest.Wait()
		began := time.Now()
		s.live.stop()
		idle.wantEnd(t, nil)
		stuck.wantEnd(t, nil)
		if took := time.Since(began); took != 0 {
			t.Errorf("that took %v", took)
		}
		if n := count(t, s.counts, "rentbook_live_dropped_total"); n != 0 {
			t.Errorf("%v were dropped for being slow", n)
		}
		s.listen("manager", "").wantEnd(t, eventstore.ErrUnavailable)
	})
}

// house is the real thing in a temporary directory: tenancies T1 of P1 in H1 and T2 of P2 in H2.
type house struct {
	t      testing.TB
	server *Server
	live   *live
	log    *sqlite.Log
	ids    *identity.Tokens
	url    string
	web    *http.Client
	tokens map[string]string
	byName map[string]identity.Token
	counts *prometheus.Registry
	etags  map[string]string // of what was put, by path
}

type houseAccounts struct{ *projections.Views }

func (a houseAccounts) Accounts(ctx context.Context) iter.Seq2[domain.ID, error] {
	return a.AccountIDs(ctx)
}

// livePath is where the streams of these tests are, whether or not the server has them too.
const livePath = "/live-changes"

func newHouse(t testing.TB) *house {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
	h := &house{t: t, tokens: map[string]string{}, byName: map[string]identity.Token{}, counts: prometheus.NewRegistry(), etags: map[string]string{}}
	ctx, dir := t.Context(), t.TempDir()
	keys, err := vault.Open(ctx, dir, vault.Options{})
	h.check(err)
	t.Cleanup(func() { h.check(keys.Close()) })
	h.log, err = sqlite.Open(ctx, dir, sqlite.Options{})
	h.check(err)
	t.Cleanup(func() { h.check(h.log.Close()) })
	id, err := eventstore.Identify(ctx, h.log, keys.ID())
	h.check(err)
	codec := commands.Codec(keys)
	database, err := viewsqlite.Open(dir)
	h.check(err)
	views, err := projections.Open(ctx, projections.Config{Database: database, Log: h.log, Codec: codec, LogID: id.Log})
	h.check(err)
	t.Cleanup(func() { h.check(views.Close()) })
	h.run(views)
	h.ids, err = identity.Open(dir, time.Now)
	h.check(err)
	t.Cleanup(func() { h.check(h.ids.Close()) })
	config := Config{
		Commands: commands.New(commands.Config{
			Store: h.log, Log: h.log, Codec: codec, Portfolio: houseAccounts{views}, Now: time.Now, Zone: time.UTC,
		}),
		Views: views, Store: h.log, Log: h.log, LogID: id.Log, Identity: h.ids, Logger: slog.New(slog.DiscardHandler),
		Now: time.Now, Zone: time.UTC, Version: "test",
	}
	h.server, err = New(ctx, config)
	h.check(err)
	h.live = newLive(ctx, config, viewed{views, nil}, newLiveMetrics(h.counts))
	stream(h.server, livePath, "Live changes", followers, []string{typeEventStream}, h.live.events)
	h.furnish()
	return h
}

func (h *house) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) run(views *projections.Views) {
	ctx, stop := context.WithCancel(context.WithoutCancel(h.t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = views.Run(ctx)
	}()
	h.t.Cleanup(func() {
		stop()
		<-ended
	})
}

func (h *house) furnish() {
	for name, asked := range map[string]identity.NewToken{
		"manager":    {Role: commands.RoleManager},
		"tenant":     {Role: commands.RoleTenant, Person: "P1"},
		"other":      {Role: commands.RoleTenant, Tenancies: []string{"T2"}},
		"contractor": {Role: commands.RoleContractor, Contractor: "C1"},
	} {
		var err error
		h.tokens[name], h.byName[name], err = h.ids.Create(h.t.Context(), asked)
		h.check(err)
	}
	for _, step := range [][2]string{
		{"/properties/H1", `{"kind":"home","address":"1 Mill Lane","postcode":"LS1 4AP"}`},
		{"/properties/H2", `{"kind":"home","address":"2 Mill Lane","postcode":"LS1 4AP"}`},
		{"/tenancies/T1", `{"property":"H1","kind":"assured","starts_on":"2026-01-01","currency":"GBP"}`},
		{"/tenancies/T2", `{"property":"H2","kind":"assured","starts_on":"2026-01-01","currency":"GBP"}`},
		{"/tenancies/T1/tenants/P1", `{"name":"Ada Canary","liable_from":"2026-01-01"}`},
		{"/tenancies/T2/tenants/P2", `{"name":"Bo Canary","liable_from":"2026-01-01"}`},
	} {
		h.put(step[0], step[1])
	}
}

// put writes as a manager, and is the position of what was written.
func (h *house) put(path, body string) string {
	h.t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(h.t.Context(), http.MethodPut, base+path, strings.NewReader(body))
	r.Header.Set("Content-Type", typeJSON)
	r.Header.Set("Authorization", "Bearer "+h.tokens["manager"])
	if tag := h.etags[path]; tag != "" {
		r.Header.Set("If-Match", tag)
	}
	if h.server.ServeHTTP(w, r); w.Code != http.StatusCreated {
		h.t.Fatalf("put %s: %d %s", path, w.Code, w.Body)
	}
	h.etags[path] = w.Header().Get("ETag")
	return w.Header().Get("Rentbook-Position")
}

// listenOn serves on a port of its own until the test ends.
func (h *house) listenOn(change func(*http.Server)) *http.Server {
	h.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(h.t.Context(), "tcp", "127.0.0.1:0")
	h.check(err)
	server := &http.Server{Handler: h.server, ReadTimeout: readMax, WriteTimeout: writeMax, ReadHeaderTimeout: readHeaderMax}
	if change != nil {
		change(server)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	h.url = "http://" + listener.Addr().String() + base
	h.web = &http.Client{Transport: &http.Transport{}}
	h.t.Cleanup(func() {
		h.live.stop()
		h.web.CloseIdleConnections()
		h.check(server.Close())
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			h.t.Error(err)
		}
	})
	return server
}

func (h *house) request(who, path string, headers ...string) *http.Response {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.url+path, nil)
	h.check(err)
	r.Header.Set("Authorization", "Bearer "+h.tokens[who])
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	response, err := h.web.Do(r)
	h.check(err)
	return response
}

// wire is a stream over a connection.
type wire struct {
	t    testing.TB
	body io.ReadCloser
	in   *bufio.Reader
}

func (h *house) listen(who string, headers ...string) *wire {
	h.t.Helper()
	response := h.request(who, livePath, headers...)
	if response.StatusCode != http.StatusOK || response.Header.Get("Cache-Control") != "no-store" {
		h.t.Fatalf("listen as %s: %d %v", who, response.StatusCode, response.Header)
	}
	w := &wire{t: h.t, body: response.Body, in: bufio.NewReader(response.Body)}
	h.t.Cleanup(func() { _ = w.body.Close() })
	return w
}

func (w *wire) next() message {
	w.t.Helper()
	var block strings.Builder
	for {
		line, err := w.in.ReadString('\n')
		if err != nil {
			w.t.Fatal(err)
		}
		if line != "\n" {
			block.WriteString(line)
			continue
		}
		if said := block.String(); !strings.HasPrefix(said, "retry: ") {
			return messageOf(strings.TrimSuffix(said, "\n"))
		}
		block.Reset()
	}
}

// hears takes the next message, which must be of a stream.
func (w *wire) hears(stream string) message {
	w.t.Helper()
	m := w.next()
	for m.Comment {
		m = w.next()
	}
	if m.stream() != stream {
		w.t.Fatalf("heard %+v, want a change of %s", m, stream)
	}
	return m
}

//nolint:paralleltest // goroutines are counted
func TestLive_a_write_is_heard_of_by_its_tenant_and_no_other(t *testing.T) {
	h := newHouse(t)
	h.listenOn(nil)
	mine, other, manager, contractor := h.listen("tenant"), h.listen("other"), h.listen("manager"), h.listen("contractor")
	for _, w := range []*wire{mine, other, manager, contractor} {
		if m := w.next(); m.Event != "ready" {
			t.Errorf("heard %+v first", m)
		}
	}
	charge := `{"code":"repairs","description":"Canary","amount":"15.00","value_date":"2026-01-10"}`
	at := h.put("/accounts/T1/charges/KEY-1", charge)
	m := mine.hears("rentAccount-T1")
	if m.ID != at || m.Event != "change" || strings.Contains(m.Data, "Canary") || strings.Contains(m.Data, "15.00") {
		t.Errorf("heard %+v, want a change at %s and nothing of what it is", m, at)
	}
	manager.hears("rentAccount-T1")
	for i := range 20 { // whoever is told of a change sees it
		h.put("/properties/H1", fmt.Sprintf(`{"kind":"home","address":"%d Mill Lane","postcode":"LS1 4AP"}`, i))
		mine.hears("property-H1")
		response := h.request("tenant", "/properties/H1")
		body, err := io.ReadAll(response.Body)
		h.check(errors.Join(err, response.Body.Close()))
		if !strings.Contains(string(body), fmt.Sprintf(`"%d Mill Lane"`, i)) {
			t.Fatalf("told of change %d and saw %s", i, body)
		}
		manager.hears("property-H1")
	}
	h.put("/accounts/T2/charges/KEY-1", charge)
	other.hears("rentAccount-T2") // and nothing before
	manager.hears("rentAccount-T2")
	h.put("/tenancies/T1", `{"property":"H1","kind":"secure","starts_on":"2026-01-01","currency":"GBP"}`)
	mine.hears("tenancy-T1") // by now it has been through the charge that is not its own
	h.put("/tenancies/T2/tenants/P1", `{"name":"Ada Canary","liable_from":"2026-02-01"}`)
	mine.hears("tenancy-T2") // the person has moved in there too
	h.put("/accounts/T2/charges/KEY-2", charge)
	mine.hears("rentAccount-T2")
}

//nolint:paralleltest // goroutines are counted
func TestLive_goes_on_where_the_client_was(t *testing.T) {
	h := newHouse(t)
	h.listenOn(nil)
	w := h.listen("tenant")
	start := w.next().ID
	h.put("/properties/H1", `{"kind":"home","address":"9 Mill Lane","postcode":"LS1 4AP"}`)
	last := w.hears("property-H1").ID
	h.check(w.body.Close())
	h.put("/properties/H2", `{"kind":"home","address":"8 Mill Lane","postcode":"LS1 4AP"}`)
	h.put("/tenancies/T1", `{"property":"H1","kind":"secure","starts_on":"2026-01-01","currency":"GBP"}`)
	h.listen("tenant", "Last-Event-ID: "+last).hears("tenancy-T1")
	again := h.listen("tenant", "Last-Event-ID: "+start, "Accept: text/event-stream")
	again.hears("property-H1")
	again.hears("tenancy-T1")
	for path, want := range map[string]int{
		livePath + "?after=" + last: http.StatusOK, livePath + "?after=x": http.StatusBadRequest,
		livePath + "?after=9999": http.StatusUnprocessableEntity, livePath + "?since=1": http.StatusUnprocessableEntity,
	} {
		response := h.request("tenant", path)
		h.check(response.Body.Close())
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, response.StatusCode, want)
		}
	}
	for header, want := range map[string]int{
		"Last-Event-ID: 9999": http.StatusUnprocessableEntity, "Last-Event-ID: 1-2-3": http.StatusBadRequest,
		"Last-Event-ID: -1": http.StatusBadRequest, "Accept: application/json": http.StatusNotAcceptable,
		"Accept: text/*": http.StatusOK, "Authorization: Bearer rb_x": http.StatusUnauthorized,
	} {
		response := h.request("tenant", livePath, header)
		h.check(response.Body.Close())
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", header, response.StatusCode, want)
		}
	}
}

//nolint:paralleltest // goroutines are counted
func TestLive_a_revoked_token_hears_no_more(t *testing.T) {
	h := newHouse(t)
	h.live.confirmEvery = 10 * time.Millisecond
	h.listenOn(nil)
	w := h.listen("tenant")
	w.next()
	h.check(h.ids.Revoke(t.Context(), h.byName["tenant"].ID))
	rest, err := io.ReadAll(w.in)
	if err != nil || strings.Contains(string(rest), "change") {
		t.Errorf("it ended with %v after %q", err, rest)
	}
}

// A stream lasts longer than any other answer may take.
//
//nolint:paralleltest // goroutines are counted
func TestLive_outlives_the_bounds_of_a_request(t *testing.T) {
	for name, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.live.confirmEvery = 50 * time.Millisecond
			server := httptest.NewUnstartedServer(h.server)
			const most = 400 * time.Millisecond
			server.Config.ReadTimeout, server.Config.WriteTimeout = most, most
			server.EnableHTTP2 = two
			server.StartTLS()
			t.Cleanup(server.Close)
			t.Cleanup(h.live.stop)
			h.url, h.web = server.URL+base, server.Client()
			response := h.request("tenant", livePath)
			defer response.Body.Close()
			if response.Proto != name {
				t.Fatalf("it is %s", response.Proto)
			}
			w := &wire{t: t, body: response.Body, in: bufio.NewReader(response.Body)}
			w.next()
			for began := time.Now(); time.Since(began) < 3*most; {
				if m := w.next(); !m.Comment {
					t.Errorf("heard %+v", m)
				}
			}
			h.put("/properties/H1", `{"kind":"home","address":"9 Mill Lane","postcode":"LS1 4AP"}`)
			w.hears("property-H1")
		})
	}
}

// A client that takes nothing at all is cut off; until then it costs the others nothing.
//
//nolint:paralleltest // goroutines are counted
func TestLive_over_the_wire_a_stuck_client_is_dropped(t *testing.T) {
	h := newHouse(t)
	h.live.slowMax = 100 * time.Millisecond
	const little = 4 << 10
	h.listenOn(func(s *http.Server) {
		s.ConnState = func(c net.Conn, state http.ConnState) {
			if tcp, ok := c.(*net.TCPConn); ok && state == http.StateNew {
				_ = tcp.SetWriteBuffer(little)
			}
		}
	})
	stuck, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimSuffix(strings.TrimPrefix(h.url, "http://"), base))
	h.check(err)
	defer stuck.Close()
	if tcp, ok := stuck.(*net.TCPConn); ok {
		h.check(tcp.SetReadBuffer(little))
	}
	quick := h.listen("manager")
	quick.next()
	// All of the log from the first event on, as often as it takes: a query, a header and no reading.
	_, err = fmt.Fprintf(stuck, "GET %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", base, livePath, h.tokens["manager"])
	h.check(err)
	for i := 0; count(t, h.counts, "rentbook_live_dropped_total") == 0; i++ {
		h.put("/properties/H1", fmt.Sprintf(`{"kind":"home","address":"%d Mill Lane","postcode":"LS1 4AP"}`, i))
		quick.hears("property-H1")
	}
}

// A thousand idle clients are to fit into 100 MiB, with the net/http around them and, here, the
// other ends of their connections too.
//
//nolint:paralleltest // memory is measured
func TestLive_an_idle_client_costs_little_and_ends_with_the_server(t *testing.T) {
	h := newHouse(t)
	server := h.listenOn(nil)
	memory := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	address := strings.TrimSuffix(strings.TrimPrefix(h.url, "http://"), base)
	const clients, each = 200, 100 << 10
	h.byToken(clients)
	before := memory()
	connections := make([]net.Conn, clients)
	for i := range connections {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		h.check(err)
		t.Cleanup(func() { _ = c.Close() })
		_, err = fmt.Fprintf(c, "GET %s%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", base, livePath, h.tokens[fmt.Sprint(i/liveTokenMax)])
		h.check(err)
		connections[i] = c
	}
	until := func(c net.Conn, text string) {
		var got []byte
		for one := make([]byte, 1); !bytes.HasSuffix(got, []byte(text)); got = append(got, one[0]) {
			if _, err := c.Read(one); err != nil {
				t.Fatalf("%v after %q", err, got)
			}
		}
	}
	for _, c := range connections {
		until(c, "event: ready")
	}
	if used := memory() - before; used > clients*each {
		t.Errorf("%d KiB for each idle client", used/clients>>10)
	} else {
		t.Logf("%d KiB for each idle client", used/clients>>10)
	}
	h.put("/properties/H1", `{"kind":"home","address":"9 Mill Lane","postcode":"LS1 4AP"}`)
	for _, c := range connections {
		until(c, "event: change")
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Shutdown(context.WithoutCancel(t.Context())) }()
	h.live.stop()
	for _, c := range connections {
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Error(err)
		}
	}
	h.check(<-ended)
}

// byToken makes tokens for so many clients, named by numbers.
func (h *house) byToken(clients int) {
	h.t.Helper()
	for i := range clients / liveTokenMax {
		var err error
		h.tokens[fmt.Sprint(i)], _, err = h.ids.Create(h.t.Context(), identity.NewToken{Role: commands.RoleAuditor})
		h.check(err)
	}
}
