package esdbtest

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Method is a kind of call. Reading and subscribing are one RPC and two methods here.
type Method string

// Methods. AnyMethod is for faults only.
const (
	AnyMethod Method = ""
	Append    Method = "append"
	Delete    Method = "delete"
	Tombstone Method = "tombstone"
	Read      Method = "read"
	Subscribe Method = "subscribe"
	Gossip    Method = "gossip"
	Features  Method = "features"
)

// Methods are all there are.
func Methods() []Method {
	return []Method{Append, Delete, Tombstone, Read, Subscribe, Gossip, Features}
}

// Kind is what goes wrong.
type Kind string

// Faults that end a call without its work being done; of a read or subscription, after the number of
// events that the fault says (of which a client may miss the last ones when the connection is cut).
const (
	Cut              Kind = "cut"                // the connection breaks
	Hang             Kind = "hang"               // no answer, ever; a subscription stays open and silent
	Unavailable      Kind = "unavailable"        // Unavailable, "Server Is Not Ready"
	TimedOut         Kind = "timed-out"          // Aborted, "Operation timed out"
	SlowConsumer     Kind = "slow-consumer"      // Aborted, as up to 23.10 when a subscriber does not keep up
	AccessDenied     Kind = "access-denied"      // PermissionDenied
	Unauthenticated  Kind = "unauthenticated"    // Unauthenticated
	NotLeader        Kind = "not-leader"         // with the end point of a leader
	NotLeaderUnknown Kind = "not-leader-unknown" // without: nobody knows who leads
	TooLarge         Kind = "too-large"          // the append is said to be larger than allowed
)

// Faults of writes that were carried out (or found to be repeated).
const (
	LoseReply         Kind = "lose-reply"          // the connection breaks before the answer
	NeverReply        Kind = "never-reply"         // no answer
	LateReply         Kind = "late-reply"          // the answer comes after Delay
	TimedOutCommitted Kind = "timed-out-committed" // Aborted, "Operation timed out"
)

// Faults that go along with a call that is otherwise as it should be.
const (
	Delay Kind = "delay" // nothing is done before Delay is over; a write then is, whether or not the client waits
	Gap   Kind = "gap"   // an append leaves N bytes of the log unused before its first event

	Control Kind = "control" // a message that the client's ReadStream panics about
	Twice   Kind = "twice"   // every event is delivered twice
	Again   Kind = "again"   // the last N events delivered are delivered once more, in order

	CheckpointPrepareZero Kind = "checkpoint-prepare-zero" // checkpoints are the place behind a record, prepare 0
	CheckpointLower       Kind = "checkpoint-lower"        // every checkpoint is followed by that of the first event
	CheckpointExtra       Kind = "checkpoint-extra"        // every event delivered is followed by its checkpoint

	VersionSuffix Kind = "version-suffix" // the version is a pre-release, which the client takes for an error
)

// Kinds are all there are.
func Kinds() []Kind {
	return append(ending(),
		LoseReply, NeverReply, LateReply, TimedOutCommitted,
		Delay, Gap, Control, Twice, Again, CheckpointPrepareZero, CheckpointLower, CheckpointExtra, VersionSuffix)
}

// Fault is something that goes wrong in calls. What has no meaning for a kind is ignored.
type Fault struct {
	On    Method
	Kind  Kind
	Skip  int // so many calls that fit pass unharmed first
	Times int // so many calls are struck, 0 for all
	// Match says whether a call fits by its stream, "$all" for all, empty for gossip and features.
	Match func(stream string) bool
	// Node strikes calls to one node only: its index plus one.
	Node int

	// Early strikes before the events of an append have been read, so that the client, still
	// sending, does not learn the reason; and before the confirmation of a subscription.
	Early bool
	// After is how many events a read or subscription delivers first.
	After int
	// Delay of Delay and LateReply.
	Delay time.Duration
	// N of Gap and Again.
	N int
	// Leader is the end point that NotLeader names, "host:port"; empty for the one that leads.
	Leader string
	// Notify is called each time the fault strikes, by the call that is struck, before it is.
	Notify func()
}

// faults are those injected and not yet removed.
type faults struct {
	mu       sync.Mutex
	injected []*injected
	changed  chan struct{} // closed when one is injected; nil while nobody waits
	version  atomic.Uint64
	fired    map[Kind]int
}

type injected struct {
	Fault
	faults *faults
	serial uint64
	seen   int // calls that fit
	struck int // calls
}

// Inject makes something go wrong from now on, also in subscriptions that are running, until it is
// removed or was done the number of times wanted.
func (s *Server) Inject(f Fault) (remove func()) {
	fs := &s.faults
	fs.mu.Lock()
	defer fs.mu.Unlock()
	i := &injected{Fault: f, faults: fs, serial: fs.version.Add(1)}
	fs.injected = append(fs.injected, i)
	if fs.changed != nil {
		close(fs.changed)
		fs.changed = nil
	}
	return func() {
		fs.mu.Lock()
		defer fs.mu.Unlock()
		fs.injected = slices.DeleteFunc(fs.injected, func(other *injected) bool { return other == i })
	}
}

// Fired is how many calls faults have struck: those of the kinds, or all.
func (s *Server) Fired(kinds ...Kind) int {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	n := 0
	for kind, fired := range s.faults.fired {
		if len(kinds) == 0 || slices.Contains(kinds, kind) {
			n += fired
		}
	}
	return n
}

// armed is a fault that a call fits.
type armed struct {
	*injected
	after  int  // events delivered when it is due
	struck bool // in this call
}

// arm finds the faults newer than a version that a call fits, and counts the call for each.
func (fs *faults) arm(c *call) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.injected {
		if f.serial <= c.faultsVersion || !f.fits(c) {
			continue
		}
		if f.seen++; f.seen > f.Skip {
			after := c.delivered + f.After
			if f.Kind == Twice || f.Kind == CheckpointExtra {
				after++ // they go with the events behind those
			}
			c.armed = append(c.armed, &armed{injected: f, after: after})
		}
	}
	c.faultsVersion = fs.version.Load()
}

func (f *injected) fits(c *call) bool {
	return (f.On == AnyMethod || f.On == c.method) &&
		(f.Node == 0 || f.Node == c.life.node.index+1) &&
		(f.Match == nil || f.Match(c.stream))
}

// news is closed when a fault newer than the version is injected.
func (fs *faults) news(version uint64) <-chan struct{} {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.version.Load() > version {
		c := make(chan struct{})
		close(c)
		return c
	}
	if fs.changed == nil {
		fs.changed = make(chan struct{})
	}
	return fs.changed
}

// claim says whether a fault may strike now, once per call.
func (a *armed) claim() bool {
	if a.struck {
		return true
	}
	a.faults.mu.Lock()
	over := a.Times > 0 && a.injected.struck >= a.Times || !slices.Contains(a.faults.injected, a.injected)
	if !over {
		a.injected.struck++
		if a.faults.fired == nil {
			a.faults.fired = map[Kind]int{}
		}
		a.faults.fired[a.Kind]++
	}
	a.faults.mu.Unlock()
	if over {
		return false
	}
	a.struck = true
	if a.Notify != nil {
		a.Notify()
	}
	return true
}
