package main

import (
	"context"

	"rentbook/cmd/rentbook/bench"
)

type benchCommand struct {
	Only     []string `placeholder:"GOAL" help:"Only these goals (G1, G2, …, import, charge, slow-sync)."`
	Rounds   int      `default:"5" help:"Interleaved rounds (${default})."`
	Quick    bool     `help:"Little data and short blocks: shows that it runs, not how fast."`
	SlowSync bool     `help:"Two milliseconds for every sync, as on an ordinary disk."`
	Dir      string   `type:"path" placeholder:"DIR" help:"Scratch folder on the disk to measure (default: a temporary one)."`
}

// Run measures.
func (c *benchCommand) Run(ctx context.Context, g *globals) error {
	return bench.Run(ctx, bench.Options{
		Out: g.stdout, Dir: c.Dir, Only: c.Only, Rounds: c.Rounds, Quick: c.Quick, SlowSync: c.SlowSync,
	})
}
