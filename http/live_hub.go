package http

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sort"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rentbook/eventstore"
)

// Bounds of live changes.
const (
	liveClientsMax = 1000
	liveTokenMax   = 10   // clients of one token
	liveKept       = 1024 // changes kept for all clients; who is further behind reads the log
	liveBatch      = 64   // changes sent at a time
	liveReadersMax = 4    // clients that read the log at a time
	liveNounsMax   = 4096 // nouns remembered; then they are asked anew

	liveWaitMax  = 10 * time.Second // for the views to see a change, until it is said that they are slow
	liveAskMax   = 5 * time.Second  // for one answer of the views
	livePauseMax = 5 * time.Second  // before the log is followed anew
)

// hub counts who listens. While anybody does, one feed follows the log for all of them; it starts
// with the first and has ended when the last has left. The zero hub does not work.
type hub struct {
	life    context.Context //nolint:containedctx // of all streams: it ends with the server, and no call's does that
	end     context.CancelFunc
	follow  func() *feed
	metrics liveMetrics

	mu      sync.Mutex
	feed    *feed // nil while nobody listens
	clients int
	byToken map[string]int
}

// liveMetrics count who listens.
type liveMetrics struct {
	clients prometheus.Gauge
	dropped prometheus.Counter
}

func newLiveMetrics(r *prometheus.Registry) liveMetrics {
	m := liveMetrics{
		clients: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "rentbook_live_clients", Help: "Clients that follow live changes.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "rentbook_live_dropped_total", Help: "Clients of live changes that read too slowly and were cut off.",
		}),
	}
	r.MustRegister(m.clients, m.dropped)
	return m
}

// enter lets a client of a token in. Who has been let in must leave.
func (h *hub) enter(token string) (*feed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.life.Err() != nil:
		return nil, errEnded
	case h.clients >= liveClientsMax:
		return nil, tooManyStreams("Too many clients follow live changes. Ask again later.")
	case h.byToken[token] >= liveTokenMax:
		return nil, tooManyStreams("Too many clients follow live changes with this token. End one of them.")
	}
	if h.feed == nil {
		h.feed = h.follow()
		h.feed.start(h.life)
	}
	h.clients++
	h.byToken[token]++
	h.metrics.clients.Set(float64(h.clients))
	return h.feed, nil
}

func tooManyStreams(detail string) error {
	const after = "5" // seconds
	return newProblem(http.StatusServiceUnavailable, "too-many-streams", detail).with("Retry-After", after)
}

// leave lets a client go. The last one waits until the feed has ended.
func (h *hub) leave(token string) {
	h.mu.Lock()
	h.clients--
	if h.byToken[token]--; h.byToken[token] == 0 {
		delete(h.byToken, token)
	}
	h.metrics.clients.Set(float64(h.clients))
	var last *feed
	if h.clients == 0 {
		last, h.feed = h.feed, nil
	}
	h.mu.Unlock()
	if last != nil {
		last.stop()
	}
}

// change says that something has changed, not what. The client asks for it again.
type change struct {
	position eventstore.Position
	stream   eventstore.Stream
	kind     string // type of the event
	at       time.Time
}

func changeOf(r eventstore.Recorded) change {
	return change{position: r.Position, stream: r.Stream, kind: r.Type, at: r.At}
}

// feed follows the log and keeps the last changes. A change is in it once the views have seen it:
// who asks again because of it sees it.
type feed struct {
	log    eventstore.Log
	views  lookups
	logger *slog.Logger
	nouns  *nouns

	cancel context.CancelFunc
	begun  chan struct{} // closed once head is known
	ended  chan struct{}
	level  eventstore.Position // the views have been there; of the following goroutine alone

	mu     sync.Mutex
	ring   []change
	oldest int                 // index of the oldest, once the ring is full
	floor  eventstore.Position // every change after it up to head is in the ring
	head   eventstore.Position // everything up to it may be sent
	coming chan struct{}       // closed by the next change
}

func newFeed(log eventstore.Log, views lookups, logger *slog.Logger) *feed {
	return &feed{
		log: log, views: views, logger: logger, nouns: &nouns{views: views, known: map[eventstore.Stream]*noun{}},
		begun: make(chan struct{}), ended: make(chan struct{}), coming: make(chan struct{}),
	}
}

func (f *feed) start(ctx context.Context) {
	ctx, f.cancel = context.WithCancel(ctx)
	go func() {
		defer close(f.ended)
		f.run(ctx)
	}()
}

func (f *feed) stop() {
	f.cancel()
	<-f.ended
}

// run follows the log from where the views are. When that ends it goes on from the last change,
// after a pause.
func (f *feed) run(ctx context.Context) {
	pause := pauses{}
	for !f.begin(ctx) {
		if !pause.wait(ctx) {
			return
		}
	}
	for {
		for r, err := range f.log.Follow(ctx, f.head) {
			if err != nil {
				f.complain(ctx, "live changes: the log cannot be followed", err)
				break
			}
			if !f.seen(ctx, r.Position) {
				return
			}
			f.publish(changeOf(r))
			pause = pauses{}
		}
		if !pause.wait(ctx) {
			return
		}
	}
}

// begin starts where the views are: what they have not seen is still to be sent.
func (f *feed) begin(ctx context.Context) bool {
	asking, cancel := context.WithTimeout(ctx, liveAskMax)
	defer cancel()
	at, err := f.views.level(asking)
	if err != nil {
		f.complain(ctx, "live changes: the views cannot be asked", err)
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.level, f.floor, f.head = at, at, at
	close(f.begun)
	return true
}

// seen waits until the views have seen a position, however long that takes. It asks them once for
// all that they have taken in one go.
func (f *feed) seen(ctx context.Context, p eventstore.Position) bool {
	pause := pauses{}
	for p.Compare(f.level) > 0 {
		err := f.reach(ctx, p)
		if err == nil {
			continue
		}
		f.complain(ctx, "live changes: the views do not get on", err)
		if !pause.wait(ctx) {
			return false
		}
	}
	return true
}

func (f *feed) reach(ctx context.Context, p eventstore.Position) error {
	waiting, cancel := context.WithTimeout(ctx, liveWaitMax)
	defer cancel()
	if err := f.views.WaitFor(waiting, p); err != nil {
		return err
	}
	f.level = p
	if at, err := f.views.level(waiting); err == nil && at.Compare(p) > 0 {
		f.level = at
	}
	return nil
}

func (f *feed) complain(ctx context.Context, message string, err error) {
	if ctx.Err() == nil {
		f.logger.WarnContext(ctx, message, "error", err.Error())
	}
}

// publish makes a change known to all. What was remembered about the thing is forgotten before
// anybody can ask about it.
func (f *feed) publish(c change) {
	f.nouns.forget(c.stream)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ring) < liveKept {
		f.ring = append(f.ring, c)
	} else {
		f.floor = f.ring[f.oldest].position
		f.ring[f.oldest] = c
		f.oldest = (f.oldest + 1) % liveKept
	}
	f.head = c.position
	close(f.coming)
	f.coming = make(chan struct{})
}

// begins is where a client starts that has seen nothing yet: everything after it will be sent.
func (f *feed) begins(ctx context.Context) (eventstore.Position, error) {
	select {
	case <-f.begun:
	case <-ctx.Done():
		return eventstore.Position{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head, nil
}

// news is what there is for a client.
type news struct {
	changes []change            // the next ones
	behind  bool                // they are not here any more: read the log up to head
	head    eventstore.Position // everything up to it may be sent
	coming  <-chan struct{}     // closed when there is more
}

// after is the news after a position.
func (f *feed) after(p eventstore.Position) news {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := news{head: f.head, coming: f.coming}
	if n.behind = p.Compare(f.floor) < 0; n.behind {
		return n
	}
	next := sort.Search(len(f.ring), func(i int) bool { return f.kept(i).position.Compare(p) > 0 })
	for i := next; i < len(f.ring) && len(n.changes) < liveBatch; i++ {
		n.changes = append(n.changes, f.kept(i))
	}
	return n
}

// kept is the nth change that is kept, from the oldest on.
func (f *feed) kept(n int) change { return f.ring[(f.oldest+n)%len(f.ring)] }

// pauses grow from one to the next.
type pauses struct{ last time.Duration }

// wait is false if the context ended.
func (p *pauses) wait(ctx context.Context) bool {
	const first = 50 * time.Millisecond
	p.last = min(max(first, 2*p.last), livePauseMax)
	return rest(ctx, p.last)
}

// rest is false if the context ended meanwhile.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// nouns remembers whose a thing is, for all clients, until something happens to that thing. It is
// true of a moment at or after the last change that was published.
type nouns struct {
	views lookups

	mu    sync.Mutex
	known map[eventstore.Stream]*noun
}

// noun is what decides who may see the changes of a thing. What does not exist is nobody's.
type noun struct {
	asking chan struct{} // whoever is first asks, the others wait
	known  bool

	repairOwner

	persons  []string // tenants of a tenancy
	property string   // of a tenancy; what a property is part of
}

func (n *nouns) forget(stream eventstore.Stream) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.known, stream)
}

func (n *nouns) entry(stream eventstore.Stream) *noun {
	n.mu.Lock()
	defer n.mu.Unlock()
	found := n.known[stream]
	if found == nil {
		if len(n.known) >= liveNounsMax {
			clear(n.known)
		}
		found = &noun{asking: make(chan struct{}, 1)}
		n.known[stream] = found
	}
	return found
}

// of is what is known about the thing of a stream.
func (n *nouns) of(ctx context.Context, stream eventstore.Stream) (*noun, error) {
	found := n.entry(stream)
	ctx, cancel := context.WithTimeout(ctx, liveAskMax)
	defer cancel()
	select {
	case found.asking <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-found.asking }()
	if found.known {
		return found, nil
	}
	err := n.ask(ctx, stream, found)
	if err != nil && !isNotFound(err) {
		return nil, fmt.Errorf("find out whose it is: %w", err)
	}
	found.known = true
	return found, nil
}

func (n *nouns) ask(ctx context.Context, stream eventstore.Stream, into *noun) (err error) {
	switch stream.Category() {
	case tenancyStreams:
		into.property, into.persons, err = n.views.letting(ctx, stream.ID())
	case propertyStreams:
		into.property, err = n.views.parent(ctx, stream.ID())
	case repairStreams:
		into.repairOwner, err = n.views.repairOwner(ctx, stream.ID())
	}
	return err
}
