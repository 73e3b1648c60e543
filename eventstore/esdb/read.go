package esdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore"
)

// pageMax is how many events of a stream are asked for at once.
const pageMax = feedMax

// Read yields the events of a stream after a version. A read that is cut short goes on where it
// was, as long as that does not take longer than the log's patience. A stream that does not begin
// with its first event, or has gaps, is damaged.
func (l *Log) Read(
	ctx context.Context, s eventstore.Stream, after eventstore.Version,
) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) {
		what := fmt.Sprintf("read %s", s)
		l.feed(ctx, what, yield, func(ctx context.Context, f *feed) error {
			if !l.scope.has(s) {
				return errNotOfScope
			}
			p := pages{log: l, name: l.scope.name(s), first: behind(after), feed: f}
			for !p.over {
				if err := p.read(ctx); err != nil {
					return err
				}
			}
			return errEnd
		})
	}
}

// errEnd is behind the last event of a stream.
var errEnd = errors.New("there are no more events")

// feed yields what a reader puts into its feed, then the error with which it ends, unless that
// is errEnd. It does not return before the reader has.
func (l *Log) feed(
	ctx context.Context, what string, yield func(eventstore.Recorded, error) bool, read func(context.Context, *feed) error,
) {
	reading, cancel := context.WithCancel(ctx)
	f, ended := newFeed(), make(chan struct{})
	go func() {
		defer close(ended)
		f.close(read(reading, f))
	}()
	defer func() {
		cancel()
		<-ended
	}()
	if err := l.deliver(ctx, f, yield); err != nil {
		yield(eventstore.Recorded{}, l.failed(ctx, what, err))
	}
}

// deliver returns the error to yield last, nil if there is none.
func (l *Log) deliver(ctx context.Context, f *feed, yield func(eventstore.Recorded, error) bool) error {
	var batch []*es.RecordedEvent
	for {
		clear(batch)
		var err error
		if batch, err = f.take(ctx, batch[:0]); err != nil {
			if errors.Is(err, errEnd) {
				return nil
			}
			return err
		}
		for i, e := range batch {
			if err := ctx.Err(); err != nil {
				return err
			}
			r, _, err := l.scope.decode(e)
			if err != nil {
				return err
			}
			if i == len(batch)-1 {
				l.known.raise(r.Position)
			}
			if !yield(r, nil) {
				return nil
			}
		}
	}
}

// pages reads a stream, a page at a time.
type pages struct {
	log   *Log
	name  string
	first uint64 // revision
	over  bool
	feed  *feed
}

// next is the revision of the event that is to be put into the feed.
func (p *pages) next() uint64 {
	put, _ := p.feed.last()
	return p.first + put
}

// read brings one page, or the part of it that came before something went wrong. No call is open
// while the one who reads is busy with the page before.
func (p *pages) read(ctx context.Context) error {
	if err := p.feed.empty(ctx); err != nil {
		return err
	}
	patient, cancel := p.log.patient(ctx)
	defer cancel()
	return p.log.persist(patient, func(ctx context.Context, c *connection) error {
		from := p.next()
		_, _, err := ask(ctx, c, readMax, func(q *question) (struct{}, error) {
			return struct{}{}, p.page(q, from)
		})
		if judge(err) == missing {
			err = nil
		}
		read := p.next() - from
		if err == nil {
			p.over = read < pageMax
		} else if read > 0 && !definite(err) {
			return nil
		}
		return err
	})
}

func (p *pages) page(q *question, next uint64) error {
	return readStream(q, p.name, next, pageMax, func(e *es.RecordedEvent) error {
		if e.EventNumber != next {
			return gap(p.name, next, e.EventNumber)
		}
		next++
		return p.feed.add(q, e)
	})
}

func gap(name string, want, got uint64) error {
	return fmt.Errorf("%w: %s has version %d where version %d belongs: somebody truncated or deleted it on the server",
		errDamaged, name, versionOf(got), versionOf(want))
}

// readStream takes events of a stream from a revision on, and no more than so many.
func readStream(q *question, name string, from, count uint64, take func(*es.RecordedEvent) error) error {
	stream, err := q.client.ReadStream(q, name, es.ReadStreamOptions{From: es.Revision(from)}, count)
	if err != nil {
		return err
	}
	defer stream.Close()
	return receive(q, stream, take)
}

// errEnough ends a reading that has what it wants.
var errEnough = errors.New("enough")

func receive(q *question, stream *es.ReadStream, take func(*es.RecordedEvent) error) error {
	for {
		event, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		q.alive()
		if err := take(event.OriginalEvent()); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// readSome is a small part of a stream, empty for one that does not exist.
func readSome(ctx context.Context, c *connection, name string, from, count uint64) ([]*es.RecordedEvent, error) {
	events, _, err := ask(ctx, c, readMax, func(q *question) (events []*es.RecordedEvent, err error) {
		err = readStream(q, name, from, count, func(e *es.RecordedEvent) error {
			events = append(events, e)
			return nil
		})
		return events, err
	})
	if judge(err) == missing {
		return nil, nil
	}
	return events, err
}

// readVersion is at which version a stream is.
func readVersion(ctx context.Context, c *connection, name string) (eventstore.Version, error) {
	version, _, err := ask(ctx, c, readMax, func(q *question) (v eventstore.Version, err error) {
		stream, err := q.client.ReadStream(q, name, es.ReadStreamOptions{Direction: es.Backwards, From: es.End{}}, 1)
		if err != nil {
			return 0, err
		}
		defer stream.Close()
		err = receive(q, stream, func(e *es.RecordedEvent) error {
			v = versionOf(e.EventNumber)
			return nil
		})
		return v, err
	})
	if judge(err) == missing {
		return 0, nil
	}
	return version, err
}
