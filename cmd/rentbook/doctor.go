package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite/lib"

	"rentbook/eventstore/esdb"
)

type doctorCommand struct{}

// Run says how the installation is. It exits 1 when something needs attention.
func (c *doctorCommand) Run(ctx context.Context, g *globals) error {
	table := tabwriter.NewWriter(g.stdout, 0, 0, 2, ' ', 0)
	say := func(what, format string, args ...any) {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", what, fmt.Sprintf(format, args...))
	}
	say("version", "%s, SQLite %s", version(), sqlite3.SQLITE_VERSION)
	say("data directory", "%s, %s free", g.Data, free(g.Data))
	say("time zone", "%s, today is %s", g.TimeZone, time.Now().In(g.TimeZone.Location).Format(time.DateOnly))
	if away := c.servers(ctx, g, say); away {
		_ = table.Flush()
		return errSaid
	}
	n, err := g.existing(ctx)
	if err != nil {
		_ = table.Flush()
		return err
	}
	defer n.close() //nolint:errcheck // nothing was written
	ill, err := c.examine(ctx, g, n, say)
	_ = table.Flush()
	if err != nil {
		return err
	}
	if ill {
		_, _ = fmt.Fprintln(g.stderr, "rentbook: something needs attention")
		return errSaid
	}
	return nil
}

// reachMax is how long doctor waits for a server.
const reachMax = 5 * time.Second

// servers asks each server on its own, so that one that is away does not hide the other.
func (c *doctorCommand) servers(ctx context.Context, g *globals, say func(what, format string, args ...any)) (away bool) {
	tell := func(what string, where fmt.Stringer, ask func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, reachMax)
		defer cancel()
		if err := ask(ctx); err != nil {
			away = true
			say(what, "%s, NOT REACHABLE: %v", where, err)
			return
		}
		say(what, "%s, reachable", where)
	}
	if g.EventStore != "" {
		l, err := g.openEventStore(ctx, slog.New(slog.DiscardHandler))
		if err != nil {
			say("EventStoreDB", "%v", err)
			return true
		}
		defer l.Close() //nolint:errcheck // nothing was written
		tell("EventStoreDB", described{l}, func(ctx context.Context) error {
			_, err := l.Head(ctx)
			return err
		})
	}
	if g.Database != "" {
		address, err := g.address()
		if err != nil {
			say("PostgreSQL", "%v", err)
			return true
		}
		tell("PostgreSQL", address, func(ctx context.Context) error { return address.Prepare(ctx) })
	}
	return away
}

// described is a log as its own description.
type described struct{ *esdb.Log }

func (d described) String() string { return d.Describe() }

func (c *doctorCommand) examine(
	ctx context.Context, g *globals, n *node, say func(what, format string, args ...any),
) (ill bool, err error) {
	head, err := n.log.Head(ctx)
	if err != nil {
		return false, err
	}
	say("log", "%s, head at position %s", n.identity.Log, head)
	say("vault", "%s, belongs to the log", n.vault.ID())
	tokens, err := g.openTokens(ctx)
	if err != nil {
		return false, err
	}
	defer tokens.Close() //nolint:errcheck // nothing was written
	list, err := tokens.List(ctx)
	if err != nil {
		return false, err
	}
	good := 0
	for _, t := range list {
		if t.Good(time.Now()) {
			good++
		}
	}
	say("tokens", "%d good, %d expired or revoked", good, len(list)-good)
	status, err := n.views.Status(ctx)
	if err != nil {
		return false, err
	}
	for _, s := range status {
		switch {
		case s.Stopped:
			ill = true
			say("view "+s.Name, "STOPPED at position %s: %s", s.StoppedAt, s.Code)
		case s.Rebuilding:
			say("view "+s.Name, "being rebuilt, %d events behind", s.Behind)
		default:
			say("view "+s.Name, "at position %s, %d events behind", s.Position, s.Behind)
		}
	}
	return ill, nil
}

// free is the space left beside the data.
func free(dir string) string {
	var stat unix.Statfs_t
	if _, err := os.Stat(dir); err != nil {
		return "not there yet; unknown space"
	}
	if err := unix.Statfs(dir, &stat); err != nil {
		return "unknown space"
	}
	return fmt.Sprintf("%.1f GiB", float64(stat.Bavail)*float64(stat.Bsize)/(1<<30))
}
