package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"rentbook/commands"
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
type viewed struct{ *projections.Views }

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

// listener is one client. It goes at its own pace, and keeps nothing for later.
type listener struct {
	*live
	feed    *feed
	w       http.ResponseWriter
	control *http.ResponseController
	secret  string
	token   identity.Token
	at      eventstore.Position // what is up to here has been sent, or is not the client's to see
	told    eventstore.Position // the last id sent
	ticks   <-chan time.Time
	due     bool     // the token must be found again before anything else is sent
	quiet   int      // ticks since something was sent
	mine    []string // own tenancies of a tenant's person, once listed
	listed  bool
}

// How a client is lost, or not let in.
var (
	errEnded = fmt.Errorf("live changes have ended: %w", eventstore.ErrUnavailable)
	errSlow  = errors.New("the client reads too slowly")
	errGone  = errors.New("the client is gone")
)

func (l *listener) run(ctx context.Context, fromNow bool) error {
	ticker := time.NewTicker(l.confirmEvery)
	defer ticker.Stop()
	l.ticks = ticker.C
	err := l.write(l.greeting(fromNow))
	for {
		switch {
		case errors.Is(err, errSlow):
			return err
		case ctx.Err() != nil, errors.Is(err, errGone), errors.Is(err, identity.ErrUnknown):
			return nil
		case passing(err): // whose it is cannot be told now, so it waits
			l.rest(ctx)
		case err != nil:
			return err
		}
		err = l.step(ctx)
	}
}

// passing says that the same may succeed later.
func passing(err error) bool {
	if err == nil {
		return false
	}
	code, _, _ := status(err)
	return code == http.StatusServiceUnavailable
}

func (l *listener) rest(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-l.ticks:
		l.due = true
	}
}

// greeting is the first that is sent. Clients that lose a server do not all come back at once.
func (l *listener) greeting(fromNow bool) []byte {
	const least, spread = 1000, 4000   // milliseconds
	retry := least + rand.IntN(spread) //nolint:gosec // it spreads load, it guards nothing
	hello := fmt.Appendf(nil, "retry: %d\n\n", retry)
	if fromNow {
		hello = fmt.Appendf(hello, "id: %s\nevent: ready\ndata: {\"position\":%q}\n\n", l.at, l.at.String())
	}
	return hello
}

// step does the next thing that there is to do, or waits for it.
func (l *listener) step(ctx context.Context) error {
	if err := l.confirm(ctx); err != nil {
		return err
	}
	n := l.feed.after(l.at)
	switch {
	case n.behind:
		return l.catchUp(ctx, n.head)
	case len(n.changes) > 0:
		err := l.findToken(ctx) // one that was revoked hears nothing more
		if err == nil {
			err = l.deliver(ctx, n.changes)
		}
		if err == nil && len(n.changes) < liveBatch {
			rest(ctx, liveGather)
		}
		return err
	}
	select {
	case <-ctx.Done():
	case <-l.ticks:
		l.due = true
	case <-n.coming:
	}
	return nil
}

// confirm finds the token again when it is time to, and gives a sign of life.
func (l *listener) confirm(ctx context.Context) error {
	if l.ticked(); !l.due {
		return nil
	}
	if l.quiet++; l.quiet >= liveBeats {
		if err := l.write(l.beat()); err != nil {
			return err
		}
	}
	return l.findToken(ctx)
}

func (l *listener) findToken(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, liveAskMax)
	defer cancel()
	token, err := l.find(asking, l.secret)
	if err == nil {
		l.token, l.due = token, false
	}
	return err
}

func (l *listener) ticked() bool {
	select {
	case <-l.ticks:
		l.due = true
	default:
	}
	return l.due
}

// beat is a comment. It has the id of what was left out since the last message, so that a client
// who comes back need not be taken through all of that again.
func (l *listener) beat() []byte {
	if l.at == l.told {
		return []byte(":\n\n")
	}
	l.told = l.at
	return fmt.Appendf(nil, ":\nid: %s\n\n", l.at)
}

// catchUp reads from the log what is not kept any more, a part at a time, and sends it. It leaves
// off when the token must be found again: the next step goes on from there.
func (l *listener) catchUp(ctx context.Context, last eventstore.Position) error {
	missed, err := l.missed(ctx, last)
	if err != nil {
		return err
	}
	whole := len(missed) < liveKept
	for batch := range slices.Chunk(missed, liveBatch) {
		if err := l.deliver(ctx, batch); err != nil || l.ticked() {
			return err
		}
	}
	if whole {
		l.at = last
	}
	return nil
}

// missed are the next changes up to a position. While the client takes them, others read.
func (l *listener) missed(ctx context.Context, last eventstore.Position) (missed []change, err error) {
	ctx, cancel := context.WithTimeout(ctx, liveAskMax)
	defer cancel()
	select {
	case l.reading <- struct{}{}:
		defer func() { <-l.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for r, err := range eventstore.ReadTo(ctx, l.log, l.at, last) {
		if err != nil {
			return nil, fmt.Errorf("read the log: %w", err)
		}
		if missed = append(missed, changeOf(r)); len(missed) == liveKept {
			break
		}
	}
	return missed, nil
}

// deliver sends what of the changes is the client's to see.
func (l *listener) deliver(ctx context.Context, changes []change) error {
	var out []byte
	var failed error
	at, told := l.at, l.told
	for _, c := range changes {
		sees, err := l.sees(ctx, c)
		if err != nil {
			failed = err
			break
		}
		if at = c.position; sees {
			told, out = at, c.message(out)
		}
	}
	if out != nil {
		if err := l.write(out); err != nil {
			return err
		}
	}
	l.at, l.told = at, told
	return failed
}

// message adds a change as it is sent.
func (c change) message(to []byte) []byte {
	position := c.position.String()
	data, err := json.Marshal(struct {
		Position   string `json:"position"`
		Stream     string `json:"stream"`
		Type       string `json:"type"`
		RecordedAt string `json:"recorded_at"`
	}{position, string(c.stream), c.kind, timestamp(c.at)})
	if err != nil {
		panic(err) // strings
	}
	return fmt.Appendf(to, "id: %s\nevent: change\ndata: %s\n\n", position, data)
}

// write sends to a client who has some time to take it. Between two messages there is no deadline:
// with HTTP/2 it would end a stream in which nothing happens.
func (l *listener) write(b []byte) error {
	began := l.now()
	_ = l.control.SetReadDeadline(time.Time{})
	_ = l.control.SetWriteDeadline(began.Add(l.slowMax))
	if l.hub.life.Err() != nil { // looked at after the deadline was moved: stop has moved it before
		return errGone
	}
	_, err := l.w.Write(b)
	if err == nil {
		err = l.control.Flush()
	}
	switch {
	case err == nil:
		l.quiet = 0
		if l.hub.life.Err() == nil {
			_ = l.control.SetWriteDeadline(time.Time{})
		}
		return nil
	case errors.Is(err, http.ErrNotSupported):
		return fmt.Errorf("send live changes: %w", err)
	case l.hub.life.Err() != nil:
		return errGone
	case errors.Is(err, os.ErrDeadlineExceeded), l.now().Sub(began) >= l.slowMax:
		return errSlow
	}
	return errGone
}

// sees says whether a change is the client's to see: staff see all, tenants what is about their own
// tenancies, homes and repairs, contractors what is about themselves and the repairs assigned to
// them. It is asked when the change is sent, and answered as things are then.
func (l *listener) sees(ctx context.Context, c change) (bool, error) {
	switch {
	case staff.has(l.token.Role):
		return true, nil
	case l.token.Role == commands.RoleTenant:
		return l.tenantSees(ctx, c.stream)
	case l.token.Role == commands.RoleContractor && l.token.Contractor != "":
		return l.contractorSees(ctx, c.stream)
	}
	return false, nil
}

func (l *listener) contractorSees(ctx context.Context, stream eventstore.Stream) (bool, error) {
	switch stream.Category() {
	case contractorStreams:
		return stream.ID() == l.token.Contractor, nil
	case diaryStreams:
		whose, _, _ := strings.Cut(stream.ID(), ":")
		return whose == l.token.Contractor, nil
	case repairStreams:
		of, err := l.feed.nouns.of(ctx, stream)
		return err == nil && of.contractor == l.token.Contractor, err
	}
	return false, nil
}

func (l *listener) tenantSees(ctx context.Context, stream eventstore.Stream) (bool, error) {
	switch stream.Category() {
	case tenancyStreams, accountStreams:
		return l.own(ctx, stream.ID())
	case propertyStreams:
		return l.inOwnHome(ctx, func(home string) (bool, error) { return home == stream.ID(), nil })
	case repairStreams:
		return l.seesRepair(ctx, stream)
	}
	return false, nil
}

// seesRepair is true for the repair of an own tenancy, and for a communal one of something that an
// own home is part of.
func (l *listener) seesRepair(ctx context.Context, stream eventstore.Stream) (bool, error) {
	of, err := l.feed.nouns.of(ctx, stream)
	if err != nil {
		return false, err
	}
	if of.tenancy != "" {
		if own, err := l.own(ctx, of.tenancy); own || err != nil {
			return own, err
		}
	}
	if !of.communal || of.at == "" {
		return false, nil
	}
	return l.inOwnHome(ctx, func(home string) (bool, error) { return l.within(ctx, home, of.at) })
}

// own says whether a tenancy is the tenant's own, as ownTenancy does. Who listens to what is
// remembered for all, and asked once for each tenancy: a thousand tenants hear of every charge.
func (l *listener) own(ctx context.Context, id string) (bool, error) {
	if len(l.token.Tenancies) > 0 {
		return ownNamed(l.token, id) == nil, nil
	}
	let, err := l.feed.nouns.of(ctx, eventstore.NewStream(tenancyStreams, id))
	if err != nil {
		return false, err
	}
	own := slices.Contains(let.persons, l.token.Person)
	if own && l.listed && !slices.Contains(l.mine, id) {
		l.mine = append(l.mine, id)
	}
	return own, nil
}

// ownTenancies lists them. Once listed, they only become more, and the client has been through
// every change that makes them so (own).
func (l *listener) ownTenancies(ctx context.Context) ([]string, error) {
	if len(l.token.Tenancies) > 0 {
		return l.token.Tenancies, nil
	}
	if l.listed {
		return l.mine, nil
	}
	mine, err := l.views.tenanciesOf(ctx, l.token)
	if err != nil {
		return nil, fmt.Errorf("find own tenancies: %w", err)
	}
	l.mine, l.listed = mine, true
	return mine, nil
}

// inOwnHome says whether something is true of the home of an own tenancy.
func (l *listener) inOwnHome(ctx context.Context, is func(home string) (bool, error)) (bool, error) {
	mine, err := l.ownTenancies(ctx)
	if err != nil {
		return false, err
	}
	for _, id := range mine {
		let, err := l.feed.nouns.of(ctx, eventstore.NewStream(tenancyStreams, id))
		if err != nil {
			return false, err
		}
		if let.property == "" {
			continue
		}
		if found, err := is(let.property); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// within says whether a home is a property or part of it.
func (l *listener) within(ctx context.Context, home, property string) (bool, error) {
	for range aboveMax {
		if home == property || home == "" {
			return home == property, nil
		}
		of, err := l.feed.nouns.of(ctx, eventstore.NewStream(propertyStreams, home))
		if err != nil {
			return false, err
		}
		home = of.property
	}
	return false, nil
}
