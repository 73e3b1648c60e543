package esdbtest

import (
	"context"
	"slices"
	"time"

	"google.golang.org/grpc/peer"
)

// methodCount is how many Methods there are.
const methodCount = 7

// Calls is how many calls of a method came in so far; AnyMethod for all.
func (s *Server) Calls(m Method) int {
	n := 0
	for i := range s.nodes {
		n += s.CallsAt(i, m)
	}
	return n
}

// CallsAt is Calls for one node.
func (s *Server) CallsAt(node int, m Method) int {
	n := 0
	for i, method := range Methods() {
		if m == AnyMethod || m == method {
			n += int(s.nodes[node].calls[i].Load())
		}
	}
	return n
}

// cutDelay is what a break of the line leaves to events that were sent before it; grpc-go does not
// tell when they are on the wire.
const cutDelay = 10 * time.Millisecond

// call is one RPC under way, and what goes wrong with it.
type call struct {
	ctx    context.Context
	life   *life
	method Method
	stream string

	armed         []*armed
	faultsVersion uint64
	delivered     int // events
}

func (l *life) call(ctx context.Context, m Method, stream string) *call {
	l.node.calls[slices.Index(Methods(), m)].Add(1)
	c := &call{ctx: ctx, life: l, method: m, stream: stream}
	l.server.faults.arm(c)
	return c
}

// strike is the first fault of the kinds that is due, nil for none.
func (c *call) strike(early bool, kinds ...Kind) *armed {
	for _, a := range c.armed {
		if a.Early == early && slices.Contains(kinds, a.Kind) && a.after <= c.delivered && a.claim() {
			return a
		}
	}
	return nil
}

// strikeOnce is strike for what happens once in a call.
func (c *call) strikeOnce(early bool, k Kind) *armed {
	a := c.strike(early, k)
	if a != nil {
		c.armed = slices.DeleteFunc(c.armed, func(other *armed) bool { return other == a })
	}
	return a
}

// faultsChanged finds out about faults injected since, and says whether there are any.
func (c *call) faultsChanged() bool {
	if c.life.server.faults.version.Load() == c.faultsVersion {
		return false
	}
	c.life.server.faults.arm(c)
	return true
}

// ending are the kinds that end a call without its work being done.
func ending() []Kind {
	return []Kind{
		Cut, Hang, Unavailable, TimedOut, SlowConsumer, AccessDenied, Unauthenticated, NotLeader, NotLeaderUnknown, TooLarge,
	}
}

// interrupt waits out delays and then says how the call ends before its time, nil if it does not.
func (c *call) interrupt(early bool) error {
	if len(c.armed) == 0 {
		return nil
	}
	if a := c.strikeOnce(early, Delay); a != nil {
		c.sleep(a.Delay)
	}
	if a := c.strike(early, ending()...); a != nil {
		return c.end(a)
	}
	return nil
}

// end ends a call as a fault wants it.
func (c *call) end(a *armed) error {
	switch a.Kind {
	case Cut, LoseReply:
		if c.delivered > 0 {
			c.sleep(cutDelay)
		}
		if p, ok := peer.FromContext(c.ctx); ok {
			c.life.conns.cut(p.Addr.String())
		}
		return errNotReady()
	case Hang, NeverReply:
		<-c.ctx.Done()
		return c.ctx.Err()
	case TimedOut, TimedOutCommitted:
		return errTimedOut("Operation timed out: Forward timeout")
	case SlowConsumer:
		return errTimedOut("Operation timed out: Consumer too slow to handle event while live. Client resubscription required.")
	case AccessDenied:
		return errAccessDenied(c.ctx)
	case Unauthenticated:
		return errUnauthenticated()
	case NotLeader:
		leader := a.Leader
		if leader == "" {
			leader = c.life.server.Addrs()[c.life.server.Leader()]
		}
		return errNotLeader(c.ctx, leader)
	case NotLeaderUnknown:
		return errNoLeaderInfo()
	case TooLarge:
		return errTooLarge(c.ctx, c.life.server.options.MaxAppendSize)
	default:
		return errNotReady()
	}
}

// sleep waits, as long as the server runs. That the client goes away does not shorten the wait of a
// write: it is carried out then, as by a server to which it came late.
func (c *call) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	gone := c.ctx.Done()
	if c.writes() {
		gone = nil
	}
	select {
	case <-timer.C:
	case <-gone:
	case <-c.life.stopped:
	}
}

func (c *call) writes() bool {
	return c.method == Append || c.method == Delete || c.method == Tombstone
}
