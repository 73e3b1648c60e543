package main

import (
	"context"
	"fmt"
	"io"

	"rentbook/commands"
)

type chargeCommand struct {
	Through string `required:"" placeholder:"DATE" help:"Charge what is due up to and including this day (YYYY-MM-DD)."`
	DryRun  bool   `help:"Work it out and record nothing."`
}

// Run raises what is due on all accounts.
func (c *chargeCommand) Run(ctx context.Context, g *globals) error {
	if _, err := dateFlag("through", c.Through); err != nil {
		return err
	}
	n, err := g.existing(ctx)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // what counts is durable
	if err := n.catchUp(ctx, g); err != nil {
		return err
	}
	bar := g.progress("charge")
	result, err := n.commands.RunCharges(ctx, cliMeta(), commands.RunCharges{
		Through: c.Through, DryRun: c.DryRun,
		Progress: func(done, total int) { bar.step(int64(done), int64(total)) },
	})
	bar.end()
	if err != nil {
		return err
	}
	printRun(g.stdout, result)
	return nil
}

func printRun(out io.Writer, r commands.ChargeRunResult) {
	verb := "raised"
	if r.Run == "" {
		verb = "would be raised"
	}
	_, _ = fmt.Fprintf(out, "%d entries %s through %s\n", r.Raised, verb, r.Through)
	for _, t := range r.Totals {
		_, _ = fmt.Fprintf(out, "%s: debit %s, credit %s\n", t.Debit.Currency, t.Debit, t.Credit)
	}
}
