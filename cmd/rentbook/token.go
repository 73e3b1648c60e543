package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"rentbook/commands"
	"rentbook/http/identity"
)

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token; it is printed alone, this once."`
	List   tokenListCommand   `cmd:"" help:"List tokens, without the tokens themselves."`
	Revoke tokenRevokeCommand `cmd:"" help:"Make a token good for nothing, at once."`
}

type tokenCreateCommand struct {
	Role       string   `required:"" enum:"tenant,contractor,auditor,manager,operator" help:"tenant, contractor, auditor, manager or operator."`
	Person     string   `placeholder:"ID" help:"The person whose token it is."`
	Tenancy    []string `placeholder:"ID" help:"A tenancy that a tenant may read; default: the person's."`
	Contractor string   `placeholder:"ID" help:"The contractor whose token it is."`
	Days       int      `default:"90" help:"How many days it is good for (${default})."`
}

// Run makes a token.
func (c *tokenCreateCommand) Run(ctx context.Context, g *globals) error {
	if c.Days < 1 {
		return fmt.Errorf("%w: --days is at least 1", errUsage)
	}
	tokens, err := g.openTokens(ctx)
	if err != nil {
		return err
	}
	defer tokens.Close() //nolint:errcheck // what counts is durable
	secret, token, err := tokens.Create(ctx, identity.NewToken{
		Role: commands.Role(c.Role), Person: c.Person, Tenancies: c.Tenancy, Contractor: c.Contractor, Days: c.Days,
	})
	if errors.Is(err, identity.ErrInvalid) {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(g.stderr, "%s, good until %s\n", token.ID, token.Expires.Format(time.DateOnly))
	_, _ = fmt.Fprintln(g.stdout, secret)
	return nil
}

type tokenListCommand struct{}

// Run lists tokens.
func (c *tokenListCommand) Run(ctx context.Context, g *globals) error {
	tokens, err := g.existingTokens(ctx)
	if err != nil {
		return err
	}
	defer tokens.Close() //nolint:errcheck // nothing was written
	list, err := tokens.List(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tROLE\tPERSON\tTENANCIES\tCONTRACTOR\tCREATED\tEXPIRES\tSTATE")
	for _, t := range list {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Role, t.Person, strings.Join(t.Tenancies, " "), t.Contractor,
			t.Created.Format(time.DateOnly), t.Expires.Format(time.DateOnly), tokenState(t))
	}
	return table.Flush()
}

func tokenState(t identity.Token) string {
	switch {
	case !t.Revoked.IsZero():
		return "revoked"
	case !t.Good(time.Now()):
		return "expired"
	}
	return "good"
}

type tokenRevokeCommand struct {
	ID string `arg:"" help:"The token's id, as listed."`
}

// Run revokes a token.
func (c *tokenRevokeCommand) Run(ctx context.Context, g *globals) error {
	tokens, err := g.existingTokens(ctx)
	if err != nil {
		return err
	}
	defer tokens.Close() //nolint:errcheck // what counts is durable
	if err := tokens.Revoke(ctx, c.ID); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(g.stdout, "%s is revoked\n", c.ID)
	return nil
}
