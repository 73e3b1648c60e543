package http

import (
	"context"
	"errors"
	"net/http"
	"time"

	"rentbook/domain"
	"rentbook/domain/contractor"
	"rentbook/domain/diary"
	properties "rentbook/domain/property"
	"rentbook/domain/rent"
	"rentbook/domain/repair"
	tenancies "rentbook/domain/tenancy"
	"rentbook/eventstore"
	"rentbook/http/identity"
	"rentbook/projections"
)

// Live changes: a stream of server-sent events that says what has changed and nothing else. A
// client that is told of a change asks for the thing again, and sees the change.
//
// What is not the client's to see is left out. The ids are positions in the log, which tell that
// something happened in between, but not what or to whom; every other answer tells that too.

const typeEventStream = "text/event-stream"

// followers are who may listen.
const followers = parties

// Times of a live stream.
const (
	liveConfirmEvery = 5 * time.Second       // a token that was revoked is heard of by then
	liveBeats        = 3                     // confirmations in silence before a sign of life
	liveGather       = 50 * time.Millisecond // for more, after a change: what comes together goes out together
	liveSlowMax      = silenceMax            // for a client to take what it is sent
	liveFarewell     = time.Second           // for a client to hear of the end
)

// The categories of streams that others than staff hear of.
const (
	accountStreams    = rent.Category
	tenancyStreams    = tenancies.Category
	propertyStreams   = properties.Category
	repairStreams     = repair.Category
	contractorStreams = contractor.Category
	diaryStreams      = diary.Category // "diary-C1:2026-04-01"
)

// aboveMax is how many properties there may be above a home; as many as commands look through.
const aboveMax = 20

// owners says whose a repair is now; projections.ErrNotFound if there is none.
type owners interface {
	repairOwner(ctx context.Context, id string) (repairOwner, error)
}

type repairOwner struct {
	tenancy, at string // where it is
	contractor  string // assigned to it now
	communal    bool
}

// lookups are what is asked of the views.
type lookups interface {
	owners

	WaitFor(ctx context.Context, p eventstore.Position) error
	// level is how far the views are.
	level(ctx context.Context) (eventstore.Position, error)
	// letting is the home of a tenancy and the persons who are or were its tenants.
	letting(ctx context.Context, tenancy string) (home string, persons []string, err error)
	// parent is what a property is part of, if anything.
	parent(ctx context.Context, property string) (string, error)
	// tenanciesOf are a tenant's own.
	tenanciesOf(ctx context.Context, t identity.Token) ([]string, error)
}

// viewed are the lookups of a server.
type viewed struct {
	*projections.Views

	today func() domain.Date // nil: whoever was ever a tenant counts
}

// repairOwner leaves out the contractor while somebody must approve the work: until then they may
// not see it (repairSeen).
func (v viewed) repairOwner(ctx context.Context, id string) (of repairOwner, err error) {
	err = v.Read(ctx, func(r *projections.Reader) error {
		found, err := r.Repair(id)
		of = repairOwner{
			tenancy: string(found.Tenancy), at: string(found.Property), contractor: string(found.Contractor), communal: found.Communal,
		}
		if found.State == repair.StateAwaitingApproval {
			of.contractor = ""
		}
		return err
	})
	return of, err
}

func (v viewed) level(ctx context.Context) (at eventstore.Position, err error) {
	err = v.Read(ctx, func(r *projections.Reader) error {
		at = r.Position()
		return nil
	})
	return at, err
}

func (v viewed) letting(ctx context.Context, id string) (home string, persons []string, err error) {
	err = v.Read(ctx, func(r *projections.Reader) error {
		let, err := r.Tenancy(id)
		if err != nil {
			return err
		}
		tenants, err := r.Tenants(id)
		for i := range tenants {
			if last := tenants[i].LiableTo; v.today != nil && !last.IsZero() && last < v.today() {
				continue // has left
			}
			persons = append(persons, tenants[i].Person)
		}
		home = let.Property
		return err
	})
	return home, persons, err
}

func (v viewed) parent(ctx context.Context, id string) (parent string, err error) {
	err = v.Read(ctx, func(r *projections.Reader) error {
		p, err := r.Property(id)
		parent = p.Parent
		return err
	})
	return parent, err
}

func (v viewed) tenanciesOf(ctx context.Context, t identity.Token) (mine []string, err error) {
	err = v.Read(ctx, func(r *projections.Reader) (err error) {
		mine, err = ownTenancies(r, t)
		return err
	})
	return mine, err
}

// live is all streams of a server.
type live struct {
	hub     *hub
	log     eventstore.Log
	views   lookups
	find    func(ctx context.Context, secret string) (identity.Token, error)
	now     func() time.Time
	reading chan struct{} // has one token for each client that reads the log

	confirmEvery, slowMax time.Duration
}

// newLive is the streams of a server. They end with stop, not with the context.
func newLive(ctx context.Context, c Config, views lookups, m liveMetrics) *live {
	l := &live{
		log: c.Log, views: views, find: c.Identity.Find, now: c.Now, reading: make(chan struct{}, liveReadersMax),
		confirmEvery: liveConfirmEvery, slowMax: liveSlowMax,
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	l.hub = &hub{
		life: life, end: end, metrics: m, byToken: map[string]int{},
		follow: func() *feed { return newFeed(c.Log, views, c.Logger) },
	}
	return l
}

// stop ends all streams at once, even those that wait for a slow client, and lets no other in. The
// clients come back and go on where they were.
func (l *live) stop() { l.hub.end() }

type getEvents struct {
	LastEventID string `header:"Last-Event-ID" doc:"Changes after this position, the id of the last message; from now on unless given" example:"1042"`
	After       string `query:"after" doc:"The same, for clients that cannot send the header at first; the header counts more" example:"1042"`
}

// position is where to go on; nil if nowhere was said.
func (q *getEvents) position() (*eventstore.Position, error) {
	switch {
	case q.LastEventID != "":
		p, err := eventstore.ParsePosition(q.LastEventID)
		if err != nil {
			return nil, malformed("header.Last-Event-ID", "is not a position: N or N-N")
		}
		return &p, nil
	case q.After != "":
		p, err := eventstore.ParsePosition(q.After)
		if err != nil {
			return nil, malformed("query.after", "is not a position: N or N-N")
		}
		return &p, nil
	}
	return nil, nil //nolint:nilnil // that is the answer
}

// events sends the changes until the client goes, its token ends or the server stops.
func (l *live) events(c *call, q *getEvents) error {
	if _, ok := negotiate(c.r.Header, typeEventStream); !ok {
		return errNoFormat
	}
	asked, err := q.position()
	if err != nil {
		return err
	}
	feed, err := l.hub.enter(c.token.ID)
	if err != nil {
		return err
	}
	defer l.hub.leave(c.token.ID)
	control := http.NewResponseController(c)
	ctx, done := l.untilStopped(c.r.Context(), control)
	defer done()
	at, err := l.start(ctx, feed, asked)
	switch {
	case err != nil && l.hub.life.Err() != nil:
		return errEnded
	case err != nil:
		return err
	}
	c.at(at)
	header := c.Header()
	header["Content-Type"] = []string{typeEventStream}
	header["Vary"] = []string{"Accept"}
	header["X-Accel-Buffering"] = []string{"no"} // nginx would keep it all
	listening := &listener{live: l, feed: feed, w: c, control: control, secret: bearer(c.r.Header), token: c.token, at: at, told: at}
	err = listening.run(ctx, asked == nil)
	if errors.Is(err, errSlow) {
		c.failure = err
		l.hub.metrics.dropped.Inc()
		return nil
	}
	return err
}

// untilStopped is a context that ends with the client or with all streams; then what is being
// written to the client is given up.
func (l *live) untilStopped(ctx context.Context, control *http.ResponseController) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	gaveUp := make(chan struct{})
	forget := context.AfterFunc(l.hub.life, func() {
		defer close(gaveUp)
		cancel()
		_ = control.SetWriteDeadline(time.Unix(1, 0))
	})
	return ctx, func() {
		cancel()
		if !forget() {
			<-gaveUp
			_ = control.SetWriteDeadline(l.now().Add(liveFarewell))
		}
	}
}

// start is where a client goes on. It may have seen more of the log than the views.
func (l *live) start(ctx context.Context, f *feed, asked *eventstore.Position) (eventstore.Position, error) {
	waiting, cancel := context.WithTimeout(ctx, positionWaitMax)
	defer cancel()
	head, err := f.begins(waiting)
	switch {
	case err != nil && ctx.Err() == nil:
		return head, projections.ErrBehind
	case err != nil || asked == nil:
		return head, err
	case asked.Compare(head) <= 0:
		return *asked, nil
	}
	last, err := l.log.Head(ctx)
	if err == nil && asked.Compare(last) > 0 {
		err = projections.ErrBeyond
	}
	return *asked, err
}
