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
	"rentbook/eventstore"
	"rentbook/http/identity"
)

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
