package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/eventstore/vault"
	"rentbook/projections"
)

// node is everything opened: the log, the vault of its keys, the views, and the commands over them.
type node struct {
	log      log
	vault    *vault.Vault
	views    *projections.Views
	identity eventstore.Identity
	codec    *eventstore.Codec
	photos   photoStore
	commands *commands.Handler
	logger   *slog.Logger
	metrics  *prometheus.Registry
	now      func() time.Time
}

// create opens everything, making what is not there.
func (g *globals) create(ctx context.Context) (*node, error) {
	n := &node{
		logger:  slog.New(slog.NewJSONHandler(g.stderr, &slog.HandlerOptions{Level: g.LogLevel})),
		metrics: prometheus.NewRegistry(),
		now:     time.Now,
	}
	if err := n.open(ctx, g); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", g.places(), err), n.close())
	}
	return n, nil
}

// existing opens everything, for a log that has been begun.
func (g *globals) existing(ctx context.Context) (*node, error) {
	if err := g.mustHaveLog(ctx); err != nil {
		return nil, err
	}
	return g.create(ctx)
}

// open goes from what everything else belongs to to what can be built anew: the log, its vault, the
// views.
func (n *node) open(ctx context.Context, g *globals) (err error) {
	fatal := func(err error) {
		n.logger.Error("storage failed; the process stops", "error", err)
		g.exit(exitStorage)
	}
	if n.log, err = g.openLog(ctx, n.logger, fatal); err != nil {
		return err
	}
	head, err := n.log.Head(ctx)
	if err != nil {
		return err
	}
	if err := g.notElsewhere(head); err != nil {
		return err
	}
	if n.vault, err = g.openVault(ctx, !head.IsZero(), fatal); err != nil {
		return err
	}
	if n.identity, err = eventstore.Identify(ctx, n.log, n.vault.ID()); err != nil {
		return err
	}
	n.codec = commands.Codec(n.vault)
	if n.views, err = n.openViews(ctx, g); err != nil {
		return err
	}
	config := commands.Config{
		Store: n.log, Log: n.log, Codec: n.codec, Portfolio: portfolio{n.views}, Repairs: portfolio{n.views},
		Now: n.now, Zone: g.TimeZone.Location,
	}
	if g.repairs != nil {
		if n.photos, err = g.openPhotos(n.vault, n.logger, fatal); err != nil {
			return err
		}
		config.Photos = n.photos
		if err := g.repairs.configure(&config); err != nil {
			return err
		}
	}
	n.commands = commands.New(config)
	return nil
}

// openViews tells views of the same log elsewhere apart: their positions are others.
func (n *node) openViews(ctx context.Context, g *globals) (*projections.Views, error) {
	id := n.identity.Log
	if origin, ok := n.log.(interface {
		Origin(ctx context.Context) (string, error)
	}); ok {
		where, err := origin.Origin(ctx)
		switch {
		case err != nil:
			return nil, err
		case where == "": // a node that has not got it yet
			return nil, fmt.Errorf("the beginning of the log cannot be read: %w", eventstore.ErrUnavailable)
		}
		id += "@" + where
	}
	db, err := g.openDatabase(ctx)
	if err != nil {
		return nil, err
	}
	return projections.Open(ctx, projections.Config{
		Database: db, Log: n.log, Codec: n.codec, LogID: id, Rising: g.EventStore == "", Logger: n.logger, Metrics: n.metrics,
	})
}

// close gives everything back, the last opened first.
func (n *node) close() error {
	var errs []error
	if n.views != nil {
		errs = append(errs, n.views.Close())
	}
	if n.log != nil {
		errs = append(errs, n.log.Close())
	}
	if n.vault != nil {
		errs = append(errs, n.vault.Close())
	}
	return errors.Join(errs...)
}

// portfolio lets commands ask the views, which it brings up to date with the log first.
type portfolio struct{ views *projections.Views }

func (p portfolio) Accounts(ctx context.Context) iter.Seq2[domain.ID, error] {
	return p.views.AccountIDs(ctx)
}

func (p portfolio) UnfinishedRun(ctx context.Context, through domain.Date) (domain.ID, error) {
	return p.views.UnfinishedRun(ctx, through)
}

// catchUp brings the views to the head of the log, or waits for the process that is doing so.
func (n *node) catchUp(ctx context.Context, g *globals) error {
	ctx, cancel := context.WithTimeout(ctx, g.Wait)
	defer cancel()
	if err := n.views.CatchUp(ctx); err != nil {
		return fmt.Errorf("bring the views up to date: %w; `rentbook doctor` says more", err)
	}
	return nil
}

// cliMeta is who the command line is.
func cliMeta() commands.Meta {
	return commands.Meta{Actor: commands.Actor{ID: "cli", Role: commands.RoleOperator}}
}
