package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"iter"
	"time"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/sqlite"
)

// movedPositions is the table of positions, old and new, one event a line.
const movedPositions = "moved-positions.csv"

// mover copies one log to another. Each event keeps its stream, version, id, type, data, metadata and
// recorded time, and all keep their order; positions are new.
type mover struct {
	from *sqlite.Log
	to   *esdb.Log
}

// Bounds of one append: events of one stream that follow each other go together.
const (
	moveEvents = 200
	moveBytes  = 256 << 10
)

// copy goes on where an earlier attempt has ended.
func (m mover) copy(ctx context.Context, bar *progress) error {
	defer bar.end()
	after, err := m.resume(ctx)
	if err != nil {
		return err
	}
	head, err := m.from.Head(ctx)
	if err != nil {
		return err
	}
	var batch []esdb.Moved
	var at eventstore.Recorded // the first of the batch
	var bytes int
	send := func() error {
		if len(batch) == 0 {
			return nil
		}
		if _, err := m.to.AppendMoved(ctx, at.Stream, at.Version-1, batch); err != nil {
			return fmt.Errorf("move %s from version %d: %w; run the same move again to go on", at.Stream, at.Version, err)
		}
		bar.step(int64(batch[len(batch)-1].From.Commit), int64(head.Commit)) //nolint:gosec // counts of events
		batch, bytes = nil, 0
		return nil
	}
	for r, err := range eventstore.ReadTo(ctx, m.from, after, head) {
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if len(batch) == moveEvents || bytes+len(r.Data) > moveBytes || r.Stream != at.Stream {
			if err := send(); err != nil {
				return err
			}
		}
		if len(batch) == 0 {
			at = r
		}
		batch = append(batch, esdb.Moved{Proposed: r.Proposed, At: r.At, From: r.Position})
		bytes += len(r.Data)
	}
	return send()
}

// resume finds where the last event that has been moved stood, zero when there is none.
func (m mover) resume(ctx context.Context) (eventstore.Position, error) {
	last, from, err := m.to.LastMoved(ctx)
	if err != nil || last.Stream == "" {
		return eventstore.Position{}, err
	}
	if from.IsZero() {
		return from, fmt.Errorf("%s holds events that were not moved there, the last on %s: if this log has moved there, it has been "+
			"used since; if not, name a server without a log", m.to.Describe(), last.Stream)
	}
	for r, err := range m.from.Read(ctx, last.Stream, last.Version-1) {
		if err != nil {
			return eventstore.Position{}, fmt.Errorf("read the log: %w", err)
		}
		if r.ID == last.ID && r.Position == from {
			return from, nil
		}
		break
	}
	return eventstore.Position{}, fmt.Errorf("%s holds events of another log, the last on %s: name another server, or another streamPrefix", m.to.Describe(), last.Stream)
}

// moved is what a comparison came to.
type moved struct {
	events uint64
	digest []byte // SHA-256 of everything but positions
}

// compare reads both logs from beginning to end, and writes the table of positions.
func (m mover) compare(ctx context.Context, bar *progress, table string) (_ moved, err error) {
	defer bar.end()
	head, err := m.from.Head(ctx)
	if err != nil {
		return moved{}, err
	}
	end, err := m.to.Head(ctx)
	if err != nil {
		return moved{}, err
	}
	there, stop := iter.Pull2(eventstore.ReadTo(ctx, m.to, eventstore.Position{}, end))
	defer stop()
	report, old, fresh := moved{}, sha256.New(), sha256.New()
	err = writeWhole(table, func(out *bufio.Writer) error {
		_, _ = fmt.Fprintln(out, "old,new") // an error stays until Flush
		for want, err := range eventstore.ReadTo(ctx, m.from, eventstore.Position{}, head) {
			if err != nil {
				return fmt.Errorf("read the log: %w", err)
			}
			got, err, more := there()
			switch {
			case err != nil:
				return fmt.Errorf("read what was moved: %w", err)
			case !more:
				return fmt.Errorf("%d events were moved, and no more: the next is that at position %s", report.events, want.Position)
			}
			if err := errors.Join(digest(old, want), digest(fresh, got)); err != nil {
				return err
			}
			if report.digest = old.Sum(nil); string(report.digest) != string(fresh.Sum(nil)) {
				return fmt.Errorf("the event at position %s is not what was moved to position %s", want.Position, got.Position)
			}
			report.events++
			_, _ = fmt.Fprintf(out, "%s,%s\n", want.Position, got.Position)
			bar.step(int64(want.Position.Commit), int64(head.Commit)) //nolint:gosec // counts of events
		}
		extra, err, more := there()
		if err == nil && more {
			err = fmt.Errorf("behind what was moved there are other events, from position %s on: the log has been used since", extra.Position)
		}
		return err
	})
	return report, err
}

// digest adds an event, all but where it stands.
func digest(h hash.Hash, r eventstore.Recorded) error {
	metadata, err := json.Marshal(r.Metadata)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(h, "%q %d %s %q %s %x %x\n", r.Stream, r.Version, r.ID, r.Type,
		r.At.UTC().Format(time.RFC3339Nano), sha256.Sum256(metadata), sha256.Sum256(r.Data))
	return err
}
