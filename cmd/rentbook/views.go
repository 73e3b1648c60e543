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
