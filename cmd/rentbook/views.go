package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rentbook/projections"
)

type rebuildCommand struct {
	Views []string `arg:"" optional:"" name:"view" help:"Views to rebuild (all): ${views}."`
}

// Run rebuilds views beside the live ones.
func (c *rebuildCommand) Run(ctx context.Context, g *globals) error {
	names := c.Views
	if len(names) == 0 {
		names = projections.Names()
	}
	for _, name := range names {
		if !slices.Contains(projections.Names(), name) {
			return fmt.Errorf("%w: there is no view %q: want some of %s", errUsage, name, strings.Join(projections.Names(), ", "))
		}
	}
	n, err := g.existing(ctx)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // what counts is durable
	bar := g.progress("rebuild")
	err = n.views.Rebuild(ctx, func(done, total uint64) { bar.step(int64(done), int64(total)) }, names...) //nolint:gosec // G115: counts of events
	bar.end()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(g.stdout, "rebuilt: %s\n", strings.Join(names, ", "))
	return nil
}

type verifyCommand struct{}

// Run checks the log and the views against each other.
func (c *verifyCommand) Run(ctx context.Context, g *globals) error {
	n, err := g.existing(ctx)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	if err := n.catchUp(ctx, g); err != nil {
		return err
	}
	bar := g.progress("verify")
	report, err := n.views.Verify(ctx, func(done, total uint64) { bar.step(int64(done), int64(total)) }) //nolint:gosec // G115: counts of events
	bar.end()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(g.stdout, "checked %d events up to position %s: %d accounts, %d entries\n",
		report.Events, report.Position, report.Accounts, report.Entries)
	if report.Difference != "" {
		return fmt.Errorf("difference: %s", report.Difference)
	}
	_, _ = fmt.Fprintln(g.stdout, "log and views agree")
	return nil
}
