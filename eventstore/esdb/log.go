// Package esdb keeps the log in EventStoreDB or KurrentDB, 23.10 or later, a single node or a
// cluster.
//
// An append is sent again, unchanged, until it is known what became of it, and is then read back:
// what is acknowledged was seen in the stream, at the position given. Readers and followers go on
// where they were when a connection fails. What the client does wrong (it can die, hang, panic and
// lose answers) is contained here: every call has a goroutine of its own and can be left behind,
// and a connection is used until the first doubt and then replaced by a new one, made by one
// goroutine and tried before anybody else may use it.
//
// Several books can share one server under different streamPrefixes. Streams that are not the
// log's are not seen; links are not resolved, and neither projections nor persistent subscriptions
// of the server are used.
//
// The one rule: this is the only package that imports the client.
package esdb

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore"
)

var (
	_ eventstore.Store = (*Log)(nil)
	_ eventstore.Log   = (*Log)(nil)
)

// Options are what a log needs from its surroundings. All may be left empty.
type Options struct {
	// Logger hears of connections made and lost; nobody does if nil.
	Logger *slog.Logger

	// Now is the clock of Health; the machine's if nil. Events are dated by the server.
	Now func() time.Time

	// Categories are those of the log's streams, besides that of its identity. If there are none,
	// all streams are the log's but those of the server itself.
	Categories []string

	// Patience is how long a request waits for a server that is away or does not answer for
	// certain; 10 seconds if zero. Followers wait for ever.
	Patience time.Duration
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the one place where the clock of a log is chosen
	}
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	return o
}

// Log is a log on a server. It is safe for use by many goroutines.
type Log struct {
	options    Options
	server     server
	scope      scope
	health     *health
	known      known // the log's own last event, at least
	looked     known // how far Head has looked through the server's log
	supervisor *supervisor

	life    context.Context // ends when the log is closed
	end     context.CancelCauseFunc
	work    sync.WaitGroup
	closing sync.Once
}

// Open prepares the use of a server. It fails if the connection string is wrong, not if the server
// cannot be reached: that may pass, and Health tells.
func Open(ctx context.Context, connectionString string, options Options) (*Log, error) {
	s, err := parse(connectionString)
	if err != nil {
		return nil, fmt.Errorf("the connection string of the event store: %w", err)
	}
	o := options.withDefaults()
	l := &Log{options: o, server: s, scope: newScope(s.prefix, o.Categories)}
	l.health = &health{now: o.Now, logger: o.Logger, server: s.String(), secrets: s.secrets(), state: Health{Since: o.Now()}}
	l.life, l.end = context.WithCancelCause(context.WithoutCancel(ctx))
	l.supervisor = newSupervisor(l.life, l.health, s)
	l.work.Go(l.supervisor.run)
	return l, nil
}

// Close lets the appends under way come to an end and ends everything else with an error. Close
// twice is once. It fails if the client does not come back from a call.
func (l *Log) Close() error {
	var err error
	l.closing.Do(func() {
		l.end(errClosed)
		l.work.Wait()
		l.health.ended()
		err = l.supervisor.drain()
	})
	return err
}

// Check says what is wrong with a connection string. It connects to nobody.
func Check(connectionString string) error {
	_, err := parse(connectionString)
	return err
}

// Health says how the log stands to its server.
func (l *Log) Health() Health { return l.health.get() }

// Describe says where the log is, without credentials.
func (l *Log) Describe() string { return l.server.String() }

// Origin names the place that positions belong to: after the log has been restored or moved it is
// another. It is empty while the log has no events.
func (l *Log) Origin(ctx context.Context) (string, error) {
	patient, cancel := l.patient(ctx)
	defer cancel()
	var first []*es.RecordedEvent
	err := l.persist(patient, func(ctx context.Context, c *connection) (err error) {
		first, err = readSome(ctx, c, l.scope.name(eventstore.StreamIdentity), 0, 1)
		return err
	})
	if err == nil && len(first) > 0 && first[0].EventNumber != 0 {
		err = gap(l.scope.name(eventstore.StreamIdentity), 0, first[0].EventNumber)
	}
	if err != nil || len(first) == 0 {
		return "", l.failed(ctx, "find the beginning of the log", err)
	}
	return positionOf(first[0]).String() + "@" + first[0].CreatedDate.UTC().Format(time.RFC3339Nano), nil
}
