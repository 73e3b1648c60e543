package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"rentbook/eventstore"
)

// feeds are the common one, and one for each view.
func (v *Views) feeds() (*common, []*alone) {
	all := &common{Views: v, appliers: appliers(v.views())}
	var own []*alone
	for _, a := range appliers(v.views()) {
		own = append(own, &alone{Views: v, applier: a})
	}
	return all, own
}

// Run follows the log until the context ends, which is no error. While another process writes the
// views, it waits to take over.
func (v *Views) Run(ctx context.Context) error {
	for {
		if err := v.writing.take(ctx); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // no error, as promised
			}
			return err
		}
		if err := v.runHeld(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		v.config.Logger.Warn("views: the lock is lost, and asked for again")
	}
}

// runHeld writes the views until the context ends or the lock is lost.
func (v *Views) runHeld(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	lost := v.writing.lost()
	watch.Go(func() {
		select {
		case <-lost:
			cancel()
		case <-ctx.Done():
		}
	})
	defer func() { err = errors.Join(err, v.writing.release()) }()
	defer watch.Wait()
	defer cancel()
	router, err := message.NewRouter(message.RouterConfig{}, quiet(v.config.Logger))
	if err != nil {
		return fmt.Errorf("run views: %w", err)
	}
	all, own := v.feeds()
	v.route(router, all)
	for _, f := range own {
		v.route(router, f)
	}
	if err := router.Run(ctx); err != nil {
		return fmt.Errorf("run views: %w", err)
	}
	return nil
}

func (v *Views) route(router *message.Router, f feed) {
	router.AddConsumerHandler(f.name(), f.name(), v.subscriber(f), func(m *message.Message) error {
		b, ok := m.Context().Value(batchKey{}).(batch)
		if !ok {
			return errors.New("a message without a batch")
		}
		return f.handle(m.Context(), b)
	})
}

// quiet passes on what Watermill has to complain about, and keeps its chatter for debugging.
func quiet(logger *slog.Logger) watermill.LoggerAdapter {
	return watermill.NewSlogLoggerWithLevelMapping(logger, map[slog.Level]slog.Level{
		slog.LevelInfo:  slog.LevelDebug,
		slog.LevelError: slog.LevelWarn,
	})
}

// catchUpEvents bounds a batch when nobody waits for the transactions in between.
const catchUpEvents = 4000

// CatchUp brings all views that run to the head of the log as it is now, and those that have stopped
// too if they can go on. If another process, or Run, writes the views, it waits for that one to get
// there. ErrBehind is a wait that the context ended, ErrStopped views that have all stopped.
func (v *Views) CatchUp(ctx context.Context) error {
	head, err := v.config.Log.Head(ctx)
	if err != nil {
		return fmt.Errorf("catch up: %w", err)
	}
	for {
		held, err := v.writing.try(ctx)
		switch {
		case err != nil:
			return err
		case held:
			err = v.drainMoving(ctx, head)
			return errors.Join(err, v.writing.release())
		}
		if err := v.waitWhileHeld(ctx, head); !errors.Is(err, errHandOver) {
			return err
		}
	}
}

// errHandOver is a wait for somebody who has stopped writing.
var errHandOver = errors.New("nobody writes the views any more")

// waitWhileHeld waits in short turns, to take over when the holder ends.
func (v *Views) waitWhileHeld(ctx context.Context, head eventstore.Position) error {
	turn, cancel := context.WithTimeout(ctx, 5*pollEvery)
	defer cancel()
	err := v.WaitFor(turn, head)
	if err != nil && turn.Err() != nil && ctx.Err() == nil {
		return errHandOver
	}
	return err
}

// drainMoving starts over when a rebuild puts other tables in place meanwhile.
func (v *Views) drainMoving(ctx context.Context, head eventstore.Position) error {
	for rebuilt := 0; ; rebuilt++ {
		err := v.drain(ctx, head)
		if !errors.Is(err, errMoved) || rebuilt == attemptsMax {
			return err
		}
	}
}

// drain gives the events up to the head to the same feeds that Run uses, without the router: there
// is an end to it, and the caller waits.
func (v *Views) drain(ctx context.Context, head eventstore.Position) error {
	all, own := v.feeds()
	points, err := v.checkpoints(ctx)
	if err != nil {
		return err
	}
	if at, ok := level(points, v.apart.holds); ok {
		if err := v.drainFeed(ctx, all, at, head); err != nil {
			return err
		}
	}
	for _, f := range own {
		if err := v.drainAlone(ctx, f, head); err != nil {
			return err
		}
	}
	_, err = v.look(ctx, number(head))
	return err
}

// drainAlone tries as often as it takes to tell a bad event from bad luck.
func (v *Views) drainAlone(ctx context.Context, f *alone, head eventstore.Position) error {
	for failures := 0; ; {
		points, err := v.checkpoints(ctx)
		if err != nil {
			return err
		}
		at := points[f.name()].position
		if !f.needs(points) && at >= number(head) {
			return nil
		}
		if points[f.name()].code == codeOtherShape {
			if err := v.Rebuild(ctx, nil, f.name()); err != nil {
				return err
			}
			continue
		}
		err = v.drainFeed(ctx, f, at, head)
		switch {
		case !isFailure(err):
			return err
		case failures >= attemptsMax, points[f.name()].stopped():
			return nil // whoever asks it will hear that it has stopped
		}
		failures++
		if err := v.pause.wait(ctx, failures); err != nil {
			return fmt.Errorf("%w: %w", ErrBehind, err)
		}
	}
}

func (v *Views) drainFeed(ctx context.Context, f feed, after int64, head eventstore.Position) error {
	for b, err := range v.batches(ctx, after, number(head), catchUpEvents) {
		if err == nil {
			err = f.handle(ctx, b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
