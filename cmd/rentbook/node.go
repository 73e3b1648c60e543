package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
	"rentbook/eventstore/vault"
	"rentbook/projections"
)

// node is the opened data directory: the log, the vault of its keys, the views, and the commands
// over them.
type node struct {
	log      *sqlite.Log
	vault    *vault.Vault
	views    *projections.Views
	identity eventstore.Identity
	codec    *eventstore.Codec
	commands *commands.Handler
	logger   *slog.Logger
	metrics  *prometheus.Registry
	now      func() time.Time
}

// create opens the data directory, making it if it is not there.
func (g *globals) create(ctx context.Context) (*node, error) {
	n := &node{
		logger:  slog.New(slog.NewJSONHandler(g.stderr, &slog.HandlerOptions{Level: g.LogLevel})),
		metrics: prometheus.NewRegistry(),
		now:     time.Now,
	}
	if err := n.open(ctx, g); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", g.Data, err), n.close())
	}
	return n, nil
}

// existing opens a data directory that must be there.
func (g *globals) existing(ctx context.Context) (*node, error) {
	if err := g.mustExist("log.db", "name its folder with --data, or begin one with `rentbook import` or `rentbook serve`"); err != nil {
		return nil, err
	}
	return g.create(ctx)
}

// mustExist says what to do when a file is not there.
func (g *globals) mustExist(name, advice string) error {
	if !g.has(name) {
		return fmt.Errorf("there is no %s in %s; %s", name, g.Data, advice)
	}
	return nil
}

func (g *globals) has(name string) bool {
	_, err := os.Stat(filepath.Join(g.Data, name))
	return !errors.Is(err, fs.ErrNotExist)
}

func (n *node) open(ctx context.Context, g *globals) (err error) {
	if g.has("views.db") && !g.has("log.db") { // before an empty one is put in its place
		return errors.New("there are views but no log.db: put back the log that belongs to them, or take another folder")
	}
	fatal := func(err error) {
		n.logger.Error("storage failed; the process stops", "error", err)
		g.exit(exitStorage)
	}
	if n.log, err = sqlite.Open(ctx, g.Data, sqlite.Options{Fatal: fatal, Logger: n.logger}); err != nil {
		return err
	}
	head, err := n.log.Head(ctx)
	if err != nil {
		return err
	}
	if !head.IsZero() && !g.has("vault.db") {
		return errors.New("there is a log but no vault.db: put back the vault that belongs to it, from a backup")
	}
	options := vault.Options{MasterKeyFile: g.MasterKey, MasterKey: os.Getenv("RENTBOOK_MASTER_KEY_VALUE"), Fatal: fatal}
	if n.vault, err = vault.Open(ctx, g.Data, options); err != nil {
		return err
	}
	if n.identity, err = eventstore.Identify(ctx, n.log, n.vault.ID()); err != nil {
		return err
	}
	n.codec = commands.Codec(n.vault)
	n.views, err = projections.Open(ctx, projections.Config{
		Dir: g.Data, Log: n.log, Codec: n.codec, LogID: n.identity.Log, Logger: n.logger, Metrics: n.metrics,
	})
	if err != nil {
		return err
	}
	n.commands = commands.New(commands.Config{
		Store: n.log, Log: n.log, Codec: n.codec, Portfolio: portfolio{n.views}, Now: n.now, Zone: g.TimeZone.Location,
	})
	return nil
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
