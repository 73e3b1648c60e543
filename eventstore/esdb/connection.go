package esdb

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
)

// connection is one client, used for one connection and then thrown away: what the client does by
// itself about a broken one loses goroutines, connections and callers.
//
// A client keeps its connection in a goroutine that each call asks for it. A call that ends with
// Unavailable tells it to look for another node; the next call then makes it do so, and if it finds
// none it is gone, and whoever asks it later hangs for ever. Therefore a call that is about to tell
// it so first closes the way in, and waits for those who are still on their way to the connection
// that there is. Nobody asks after that, and when the last call has ended the client is closed.
type connection struct {
	client *es.Client
	health *health

	life  context.Context // of what is read through it; ends when it is replaced
	end   context.CancelCauseFunc
	alarm chan struct{} // holds one token when somebody should look after it

	closed chan struct{} // closed with it

	answers atomic.Int64 // signs of life

	mu       sync.Mutex // what follows
	arriving int        // calls that have not got hold of the connection yet
	users    int        // who must leave before it can be closed, those included
	arrived  chan struct{}
	paused   bool // to be checked before anybody else may use it
	broken   bool // no call may be made any more
	replaced bool // to be closed by the last user
}

func newConnection(life context.Context, h *health, config es.Configuration) (*connection, error) {
	c := &connection{health: h, alarm: make(chan struct{}, 1), closed: make(chan struct{}), paused: true}
	c.life, c.end = context.WithCancelCause(life)
	config.Logger = c.hear
	client, err := es.NewClient(&config)
	if err != nil {
		return nil, err
	}
	c.client = client
	return c, nil
}

// breaking is what the client says just before it gives up a connection, on the goroutine of the
// call that failed. It says the same about other failures, for which it does not.
const breaking = "unexpected exception: %v"

// hear is the client's logger. What it hears is told on when the connection fails, not before:
// half of what the client calls an error is none.
func (c *connection) hear(level es.LogLevel, format string, args ...any) {
	if format == breaking && len(args) == 1 {
		if err, ok := args[0].(error); ok && statusOf(err).Code() == codes.Unavailable {
			c.give(err)
		}
		return
	}
	if level != es.LogWarn || len(args) != 2 {
		return
	}
	node, named := args[0].(string)
	if err, failed := args[1].(error); named && failed {
		c.health.warned(node, err)
	}
}

// arrivalMax bounds the wait for calls that are on their way to the connection: they only need to
// be told by a goroutine that has nothing else to do.
const arrivalMax = time.Second

// give lets nobody in any more, and returns when no call is on its way to the connection.
func (c *connection) give(err error) {
	c.breakWith(err)
	c.mu.Lock()
	if c.arriving == 0 {
		c.mu.Unlock()
		return
	}
	if c.arrived == nil {
		c.arrived = make(chan struct{})
	}
	arrived := c.arrived
	c.mu.Unlock()
	timer := time.NewTimer(arrivalMax)
	defer timer.Stop()
	select {
	case <-arrived:
	case <-timer.C:
	}
}

// breakWith ends the use of the connection.
func (c *connection) breakWith(err error) {
	c.mu.Lock()
	first := !c.broken && !c.replaced // what becomes of it later says nothing about the one in use
	c.broken = true
	c.mu.Unlock()
	if first {
		c.health.failed(err)
	}
	c.look()
}

// suspect lets nobody in until it is known whether the connection works.
func (c *connection) suspect() {
	c.mu.Lock()
	c.paused = true
	c.mu.Unlock()
	c.look()
}

func (c *connection) look() {
	select {
	case c.alarm <- struct{}{}:
	default:
	}
}

// resume lets everybody in again, unless the connection is broken.
func (c *connection) resume() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paused = false
	return !c.broken
}

func (c *connection) isBroken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

// enter admits somebody with calls to make, who must leave.
func (c *connection) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused || c.broken || c.replaced {
		return false
	}
	c.users++
	return true
}

// begin admits a call of somebody who has entered, or of the supervisor. It must leave, too.
func (c *connection) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		return errBroken
	}
	c.arriving++
	c.users++
	return nil
}

// arrive is when a call has got hold of the connection.
func (c *connection) arrive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.arriving--; c.arriving == 0 && c.arrived != nil {
		close(c.arrived)
		c.arrived = nil
	}
}

func (c *connection) leave() {
	c.mu.Lock()
	c.users--
	last := c.replaced && c.users == 0
	c.mu.Unlock()
	if last {
		c.close()
	}
}

// replace ends what is read through the connection, and closes it when the last user has left.
func (c *connection) replace(cause error) {
	c.mu.Lock()
	c.replaced = true
	last := c.users == 0
	c.mu.Unlock()
	c.end(cause)
	if last {
		c.close()
	}
}

func (c *connection) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

func (c *connection) close() {
	_ = c.client.Close() // never an error
	close(c.closed)
}

// learn draws conclusions from how a call ended: from its error, and from whether its caller was
// still waiting for it.
func (c *connection) learn(awaited bool, err error) {
	if err == nil {
		c.answers.Add(1)
		return
	}
	if e, ok := errors.AsType[*es.Error](err); ok {
		switch e.Code() {
		case es.ErrorCodeConnectionClosed:
			c.breakWith(err)
			return
		case es.ErrorCodeNotLeader: // it has connected to the one that leads
			c.suspect()
			return
		default:
		}
	}
	switch code := statusOf(err).Code(); {
	case errors.Is(err, errAbandoned):
		c.breakWith(err)
	case code == codes.Unavailable, awaited && (code == codes.DeadlineExceeded || code == codes.Canceled):
		c.suspect()
	case code == codes.NotFound: // this node does not lead, and does not know who does
		c.breakWith(err)
	case definite(err):
		c.answers.Add(1)
	}
}

// probeMax bounds the answer to the smallest question there is, once it could be asked.
const probeMax = 2 * time.Second

// probe finds out whether the server answers. A refusal is an answer: it is up to those refused.
func (c *connection) probe(ctx context.Context) error {
	_, _, err := do(ctx, c, probeMax, func(q *question) (struct{}, error) {
		stream, err := q.client.ReadAll(q, es.ReadAllOptions{Direction: es.Backwards, From: es.End{}}, 1)
		if err != nil {
			return struct{}{}, err
		}
		defer stream.Close()
		if _, err = stream.Recv(); errors.Is(err, io.EOF) {
			err = nil
		}
		return struct{}{}, err
	})
	if err != nil && !definite(err) {
		return err
	}
	c.answers.Add(1)
	return nil
}
