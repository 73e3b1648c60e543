package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"rentbook/cmd/rentbook/demo"
	"rentbook/commands"
	"rentbook/http/identity"
)

type demoCommand struct {
	Addr string `default:"127.0.0.1:8080" help:"Address to listen on (${default})."`
}

// Run tells the demo's story into an empty data directory and serves it.
func (c *demoCommand) Run(ctx context.Context, g *globals) error {
	serve := serveCommand{Addr: c.Addr}
	if err := serve.safe(); err != nil {
		return err
	}
	remove, err := g.demoFolder()
	if err != nil {
		return err
	}
	defer remove()
	g.repairs = &serve.repairOptions
	n, err := g.create(ctx)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // a demo
	highlights, err := demo.Tell(ctx, n.commands, cliMeta())
	if err != nil {
		return err
	}
	if err := n.catchUp(ctx, g); err != nil {
		return err
	}
	secrets, err := demoTokens(ctx, g, highlights)
	if err != nil {
		return err
	}
	return serve.serve(ctx, g, n, func(url string) {
		tour{Highlights: highlights, url: url, data: g.Data, secrets: secrets}.print(g.stdout)
	})
}

// demoFolder makes a temporary data directory, unless one was named; that must be empty.
func (g *globals) demoFolder() (remove func(), err error) {
	if g.Data == "" {
		g.Data, err = os.MkdirTemp("", "rentbook-demo-")
		folder := g.Data
		return func() { _ = os.RemoveAll(folder) }, err
	}
	entries, err := os.ReadDir(g.Data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty; a demo wants an empty folder, or none for a temporary one", g.Data)
	}
	return func() {}, nil
}

// demoTokens makes a token for each role that has something to see.
func demoTokens(ctx context.Context, g *globals, h demo.Highlights) (map[commands.Role]string, error) {
	tokens, err := g.openTokens(ctx)
	if err != nil {
		return nil, err
	}
	defer tokens.Close() //nolint:errcheck // a demo
	secrets := map[commands.Role]string{}
	for _, role := range commands.Roles() {
		asked := identity.NewToken{Role: role, Days: 1}
		switch role {
		case commands.RoleTenant:
			asked.Tenancies = []string{h.About(demo.Corrected).Account}
		case commands.RoleContractor:
			asked.Contractor = h.Repairs.Visit.Contractor
		default: // sees everything
		}
		if secrets[role], _, err = tokens.Create(ctx, asked); err != nil {
			return nil, err
		}
	}
	return secrets, nil
}
