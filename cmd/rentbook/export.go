package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"rentbook/eventstore"
)

type historyCommand struct {
	Stream string `arg:"" help:"The stream, such as rentAccount-T1001."`
	Format string `default:"text" enum:"text,ndjson" help:"text or ndjson (${default})."`
}

// Run shows a stream.
func (c *historyCommand) Run(ctx context.Context, g *globals) error {
	n, err := g.existing(ctx)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	out := bufio.NewWriter(g.stdout)
	events := 0
	for r, err := range n.log.Read(ctx, eventstore.Stream(c.Stream), 0) {
		if err != nil {
			return err
		}
		events++
		if err := c.show(out, r); err != nil {
			return err
		}
	}
	if events == 0 {
		return fmt.Errorf("nothing is recorded on a stream %s", c.Stream)
	}
	return out.Flush()
}

func (c *historyCommand) show(out *bufio.Writer, r eventstore.Recorded) error {
	if c.Format == "ndjson" {
		return writeLine(out, r.MarshalJSON)
	}
	actor := r.Metadata.Actor.ID + " (" + r.Metadata.Actor.Role + ")"
	if r.Metadata.Causation != r.Metadata.Command {
		actor += ", caused by " + r.Metadata.Causation.String()
	}
	if r.Metadata.Authority != "" {
		actor += ", " + r.Metadata.Authority
	}
	_, err := fmt.Fprintf(out, "%d  position %s  %s  %s\n    by %s\n    %s\n", r.Version, r.Position,
		r.At.UTC().Format(eventstore.TimeFormat), r.Type, actor, strings.TrimSpace(string(r.Data)))
	return err
}

type exportCommand struct {
	After  string `default:"0" placeholder:"POSITION" help:"Begin behind this position (${default})."`
	Format string `default:"ndjson" enum:"ndjson,cloudevents" help:"ndjson or cloudevents (${default})."`
}

// Run writes the log up to its head.
func (c *exportCommand) Run(ctx context.Context, g *globals) error {
	after, err := eventstore.ParsePosition(c.After)
	if err != nil {
		return fmt.Errorf("%w: --after: %w", errUsage, err)
	}
	n, err := g.existing(ctx)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	head, err := n.log.Head(ctx)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(g.stdout, 1<<16)
	for r, err := range eventstore.ReadTo(ctx, n.log, after, head) {
		if err != nil {
			return err
		}
		write := r.MarshalJSON
		if c.Format == "cloudevents" {
			write = func() ([]byte, error) { return r.CloudEvent(n.identity.Log) }
		}
		if err := writeLine(out, write); err != nil {
			return err
		}
	}
	return out.Flush()
}

func writeLine(out *bufio.Writer, write func() ([]byte, error)) error {
	line, err := write()
	if err != nil {
		return err
	}
	_, _ = out.Write(line) // an error stays until Flush
	return out.WriteByte('\n')
}
