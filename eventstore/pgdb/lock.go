package pgdb

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// LockKey is the number that PostgreSQL knows a lock by.
func LockKey(schema, name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(schema + "\x00" + name)) // a hash never fails
	return int64(h.Sum64())                        //nolint:gosec // any 64 bits will do
}

// Lock is held by one session at a time, among all processes and machines. It lasts as long as its
// connection: PostgreSQL gives it to somebody else when that is lost, and Lost tells.
type Lock struct {
	address Address
	schema  string
	key     int64

	mu    sync.Mutex
	conn  *pgx.Conn
	tried time.Time
	held  *held
}

// held is one time of holding the lock.
type held struct {
	lost  chan struct{}
	quit  context.CancelFunc
	ended chan struct{}
}

// NewLock names a lock. Nobody is asked yet.
func NewLock(a Address, schema, name string) *Lock {
	return &Lock{address: a, schema: schema, key: LockKey(schema, name)}
}

// tryEvery is how often the server is asked for a lock that somebody else has.
const tryEvery = 100 * time.Millisecond

// Try takes the lock if nobody has it. A database that is not there is nobody who could give it:
// that is no error, and the next try may be better.
func (l *Lock) Try(ctx context.Context, now time.Time) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil || now.Sub(l.tried) < tryEvery {
		return false, nil
	}
	l.tried = now
	got, err := l.ask(ctx)
	if err != nil {
		l.drop()
		if err = Explain(ctx, err); errors.Is(err, ErrUnavailable) {
			return false, nil
		}
		return false, err
	}
	if got {
		l.watch()
	}
	return got, nil
}

// ask gives up a server that says nothing: the next try is a new connection.
func (l *Lock) ask(ctx context.Context) (got bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, silenceMax)
	defer cancel()
	if l.conn == nil {
		if l.conn, err = l.address.Connect(ctx, l.schema); err != nil {
			return false, err
		}
		if _, err := l.conn.Exec(ctx, `SET idle_session_timeout = 0`); err != nil { // whoever holds a lock is idle
			return false, err
		}
	}
	err = l.conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, l.key).Scan(&got)
	return got, err
}

// watch waits on the connection for the only thing that can come over it: its end.
func (l *Lock) watch() {
	ctx, quit := context.WithCancel(context.Background()) //nolint:forbidigo // until the lock is given back
	h := &held{lost: make(chan struct{}), quit: quit, ended: make(chan struct{})}
	l.held = h
	conn := l.conn
	go func() {
		defer close(h.ended)
		for {
			if _, err := conn.WaitForNotification(ctx); err != nil {
				if ctx.Err() == nil {
					close(h.lost)
				}
				return
			}
		}
	}()
}

// Lost is closed when the connection that held the lock has ended. It is nil while the lock is not
// held, and blocks for ever then.
func (l *Lock) Lost() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		return nil
	}
	return l.held.lost
}

// Unlock gives the lock back: nobody has it when this returns, if the server is there. That it ends the
// connection too makes it certain.
func (l *Lock) Unlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
	l.tried = time.Time{}
}

// drop ends the connection, and what waits on it.
func (l *Lock) drop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) //nolint:forbidigo // a courtesy to others
	defer cancel()
	if l.held != nil {
		l.held.quit()
		<-l.held.ended
		l.held = nil
		// A server notices the end of a connection some time later.
		_, _ = l.conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, l.key)
	}
	if l.conn != nil {
		_ = l.conn.Close(ctx)
		l.conn = nil
	}
}
