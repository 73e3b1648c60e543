package esdb

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore"
)

// Waits between two attempts to connect, and how many answers a connection must have brought for
// the next wait to be short again.
const (
	connectFirst = 100 * time.Millisecond
	connectMost  = 2 * time.Second
	answersMin   = 20
)

// beatEvery is how long a connection may be silent before somebody asks whether it still is one, so
// that an outage is known before the first who needs the server runs into it.
const beatEvery = 3 * time.Second

// supervisor keeps one connection in use. Only its own goroutine makes connections, and it alone
// makes the first call on each; everybody else waits until that has succeeded.
type supervisor struct {
	config es.Configuration
	health *health
	alone  bool // there is one server to connect to, under one name
	life   context.Context

	current atomic.Pointer[connection]
	old     []*connection // that were used, and perhaps still are; only run knows them
	futile  atomic.Bool   // no connection ever worked, and the last attempt says that none will

	mu     sync.Mutex
	usable chan struct{} // closed when there is news; nil while nobody waits
}

func newSupervisor(life context.Context, h *health, s server) *supervisor {
	return &supervisor{config: *s.config, health: h, alone: s.scheme == schemeNode && len(s.hosts) == 1, life: life}
}

// run connects, looks after the connection and replaces it, until the log is closed.
func (s *supervisor) run() {
	pause := backoff{first: connectFirst, most: connectMost}
	for s.life.Err() == nil {
		c, err := newConnection(s.life, s.health, s.config)
		if err != nil {
			s.health.failed(err) // the configuration was checked; nothing else is
			pause.wait(s.life)
			continue
		}
		if err = c.probe(s.life); err == nil {
			s.old = append(slices.DeleteFunc(s.old, (*connection).isClosed), c)
			err = s.use(c, &pause)
		} else if s.life.Err() == nil {
			s.health.failed(err)
			s.despair(err)
		}
		c.replace(fmt.Errorf("%w: %w", errReplaced, err))
		pause.wait(s.life)
	}
}

// despair ends the waits of those who need not wait if the last attempt to connect says that no
// other will succeed either. Of several nodes one that fits may only be away.
func (s *supervisor) despair(err error) {
	futile := len(s.old) == 0 && s.alone && mismatched(err)
	s.futile.Store(futile)
	if futile {
		s.announce()
	}
}

// closeMax bounds the wait for calls that are under way.
const closeMax = appendMax + graceMax

// drain waits for the last users of all connections, after run has returned. Whoever only tried to
// connect is not waited for.
func (s *supervisor) drain() error {
	timer := time.NewTimer(closeMax)
	defer timer.Stop()
	for _, c := range s.old {
		select {
		case <-c.closed:
		case <-timer.C:
			return errAbandoned
		}
	}
	return nil
}

// use lets everybody use a connection that works, until it does not.
func (s *supervisor) use(c *connection, pause *backoff) error {
	s.futile.Store(false)
	s.current.Store(c)
	defer s.current.Store(nil)
	for {
		if !c.resume() {
			return errBroken
		}
		s.health.connected()
		s.announce()
		if err := s.watch(c); err != nil {
			if c.answers.Load() >= answersMin {
				pause.reset()
			}
			return err
		}
	}
}

// watch returns nil when the connection has been checked, and an error when it is to be replaced.
func (s *supervisor) watch(c *connection) error {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for answers := c.answers.Load(); ; {
		select {
		case <-s.life.Done():
			return context.Cause(s.life)
		case <-c.alarm:
		case <-beat.C:
			if now := c.answers.Load(); now != answers {
				answers = now
				continue
			}
		}
		if c.isBroken() {
			return errBroken
		}
		err := c.probe(s.life)
		if err != nil && s.life.Err() == nil {
			c.breakWith(err)
		}
		return err
	}
}

// enter is the connection to use, which must be left. Without one it waits until there is, or the
// context ends.
func (s *supervisor) enter(ctx context.Context) (*connection, error) {
	return s.enterWhile(ctx, func() bool { return true })
}

// enterSoon is enter for those who do not wait for somebody to mend the server or its address.
func (s *supervisor) enterSoon(ctx context.Context) (*connection, error) {
	return s.enterWhile(ctx, func() bool { return !s.futile.Load() })
}

func (s *supervisor) enterWhile(ctx context.Context, hopeful func() bool) (*connection, error) {
	for {
		next := s.next()
		if c := s.current.Load(); c != nil && c.enter() {
			return c, nil
		}
		if !hopeful() {
			return nil, fmt.Errorf("%w: %s", eventstore.ErrUnavailable, s.health.why())
		}
		select {
		case <-next:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %s", eventstore.ErrUnavailable, s.health.why())
		case <-s.life.Done():
			return nil, context.Cause(s.life)
		}
	}
}

// next is closed when a connection becomes usable after this call, or it is certain that none will.
func (s *supervisor) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.usable == nil {
		s.usable = make(chan struct{})
	}
	return s.usable
}

func (s *supervisor) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.usable != nil {
		close(s.usable)
		s.usable = nil
	}
}
