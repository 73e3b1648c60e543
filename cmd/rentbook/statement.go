package main

import (
	"context"
	"errors"
	"fmt"

	"rentbook/domain"
	"rentbook/http/statement"
	"rentbook/projections"
)

type statementCommand struct {
	Account string `arg:"" help:"The account."`
	From    string `required:"" placeholder:"DATE" help:"First day (YYYY-MM-DD)."`
	To      string `required:"" placeholder:"DATE" help:"Last day, included."`
	KnownAt string `placeholder:"K" help:"As known then: a position of the log, or a time with offset (default: now)."`
	Format  string `default:"text" enum:"json,csv,text,pdf" help:"json, csv, text or pdf (${default})."`
}

// Run writes a statement.
func (c *statementCommand) Run(ctx context.Context, g *globals) error {
	from, err := dateFlag("from", c.From)
	if err != nil {
		return err
	}
	to, err := dateFlag("to", c.To)
	if err != nil {
		return err
	}
	if to < from {
		return fmt.Errorf("%w: --to is before --from", errUsage)
	}
	format, err := statement.ParseFormat(c.Format)
	if err != nil {
		return err
	}
	n, err := g.existing(ctx)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	if err := n.catchUp(ctx, g); err != nil {
		return err
	}
	return n.views.Read(ctx, func(r *projections.Reader) error {
		known, err := r.KnownAt(c.KnownAt, n.now())
		if err != nil {
			if errors.Is(err, projections.ErrKnownAt) {
				return fmt.Errorf("%w: --known-at %q %w", errUsage, c.KnownAt, err)
			}
			return fmt.Errorf("--known-at %s %w", c.KnownAt, err)
		}
		if _, err := r.Account(c.Account); errors.Is(err, projections.ErrNotFound) {
			return fmt.Errorf("there is no account %s", c.Account)
		}
		s, err := r.Statement(c.Account, from, to, known)
		if err != nil {
			return err
		}
		return statement.Write(g.stdout, format, s)
	})
}

func dateFlag(name, value string) (domain.Date, error) {
	date, err := domain.ParseDate(value)
	if err != nil {
		return 0, fmt.Errorf("%w: --%s %q %w", errUsage, name, value, err)
	}
	return date, nil
}
