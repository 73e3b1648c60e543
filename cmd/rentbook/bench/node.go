package bench

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
	"rentbook/eventstore/vault"
	"rentbook/http"
	"rentbook/http/identity"
	"rentbook/projections"
	"rentbook/projections/database"
	viewsqlite "rentbook/projections/sqlite"
)

// node is a data directory of its own, wired as cmd/rentbook wires one: the log, the vault of its
// keys, the views, the commands over them; when it serves, the API on a port of loopback, with the
// views following.
type node struct {
	dir      string
	vault    *vault.Vault
	log      store
	gaps     bool // between the positions of the log
	identity eventstore.Identity
	codec    *eventstore.Codec
	views    *projections.Views
	commands *commands.Handler
	logger   *slog.Logger
	logged   *os.File

	address string // of the API
	token   string
	end     context.CancelFunc
	serving sync.WaitGroup
	ended   error

	leases  []string // the accounts that are charged
	today   string
	counter atomic.Int64 // charges asked for

	expected // what must be in it

	sleep   atomic.Int64 // nanoseconds that every sync takes longer
	slept   atomic.Int64
	commits atomic.Int64
}

// expected is what the log and the views must come to.
type expected struct {
	events atomic.Int64
	owed   atomic.Int64 // by all accounts together, in minor units
}

func (b *bench) newNode(ctx context.Context) (*node, error) {
	return openNode(ctx, b.folder(), b.sleep)
}

func openNode(ctx context.Context, dir string, sleep time.Duration) (*node, error) {
	return openNodeOn(ctx, dir, sleep, elsewhere{})
}

// elsewhere is what a node has in place of what is embedded.
type elsewhere struct {
	log   func(context.Context) (store, error) // its positions have gaps
	views func(context.Context) (database.Database, error)
}

// store is a log that is closed with its node.
type store interface {
	eventstore.Store
	eventstore.Log
	Close() error
}

func openNodeOn(ctx context.Context, dir string, sleep time.Duration, e elsewhere) (_ *node, err error) {
	n := &node{dir: dir, today: time.Now().UTC().Format(time.DateOnly)}
	n.sleep.Store(int64(sleep))
	defer func() {
		if err != nil {
			err = errors.Join(err, n.close())
		}
	}()
	if err := n.openLogger(); err != nil {
		return nil, err
	}
	if n.vault, err = vault.Open(ctx, dir, vault.Options{}); err != nil {
		return nil, err
	}
	if err := n.openLog(ctx, e); err != nil {
		return nil, err
	}
	if n.identity, err = eventstore.Identify(ctx, n.log, n.vault.ID()); err != nil {
		return nil, err
	}
	n.codec = commands.Codec(n.vault)
	if n.views, err = n.openViews(ctx, e); err != nil {
		return nil, err
	}
	n.commands = commands.New(commands.Config{
		Store: n.log, Log: n.log, Codec: n.codec, Portfolio: portfolio{n.views}, Now: time.Now, Zone: time.UTC,
	})
	recorded, err := n.recorded(ctx)
	n.events.Store(recorded)
	return n, err
}

func (n *node) openLog(ctx context.Context, e elsewhere) error {
	if n.gaps = e.log != nil; n.gaps {
		log, err := e.log(ctx)
		n.log = log
		return err
	}
	log, err := sqlite.Open(ctx, n.dir, sqlite.Options{BeforeSync: n.beforeSync, Logger: n.logger})
	if err == nil {
		n.log = log
	}
	return err
}

func (n *node) openViews(ctx context.Context, e elsewhere) (*projections.Views, error) {
	if e.views == nil {
		e.views = func(context.Context) (database.Database, error) { return viewsqlite.Open(n.dir) }
	}
	db, err := e.views(ctx)
	if err != nil {
		return nil, err
	}
	return projections.Open(ctx, projections.Config{
		Database: db, Log: n.log, Codec: n.codec, LogID: n.identity.Log, Logger: n.logger,
	})
}

// recorded is how many events the log holds.
func (n *node) recorded(ctx context.Context) (events int64, err error) {
	head, err := n.log.Head(ctx)
	if err != nil || !n.gaps {
		return int64(head.Commit), err //nolint:gosec // G115: few events
	}
	for _, err := range eventstore.ReadTo(ctx, n.log, eventstore.Position{}, head) {
		if err != nil {
			return 0, err
		}
		events++
	}
	return events, nil
}

// openLogger writes what a server writes, to a file: it is part of what a request costs.
func (n *node) openLogger() (err error) {
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return err
	}
	n.logged, err = os.Create(filepath.Join(n.dir, "server.log"))
	n.logger = slog.New(slog.NewJSONHandler(n.logged, &slog.HandlerOptions{Level: slog.LevelInfo}))
	return err
}

// beforeSync counts commits, and makes the disk slow where that is asked for.
func (n *node) beforeSync() {
	n.commits.Add(1)
	if d := time.Duration(n.sleep.Load()); d > 0 {
		began := time.Now()
		time.Sleep(d)
		n.slept.Add(int64(time.Since(began)))
	}
}

// portfolio lets commands ask the views.
type portfolio struct{ views *projections.Views }

func (p portfolio) Accounts(ctx context.Context) iter.Seq2[domain.ID, error] {
	return p.views.AccountIDs(ctx)
}

func (p portfolio) UnfinishedRun(ctx context.Context, through domain.Date) (domain.ID, error) {
	return p.views.UnfinishedRun(ctx, through)
}

// follow lets the views follow the log until the node is closed.
func (n *node) follow(ctx context.Context) context.Context {
	ctx, n.end = context.WithCancel(ctx)
	n.serving.Go(func() { n.finish(n.views.Run(ctx)) })
	return ctx
}

// serve does so too, and answers requests.
func (n *node) serve(ctx context.Context) error {
	ctx = n.follow(ctx)
	tokens, err := identity.Open(n.dir, time.Now)
	if err != nil {
		return err
	}
	if n.token, _, err = tokens.Create(ctx, identity.NewToken{Role: commands.RoleOperator}); err != nil {
		return errors.Join(err, tokens.Close())
	}
	server, err := http.New(ctx, http.Config{
		Commands: n.commands, Views: n.views, Store: n.log, Log: n.log, LogID: n.identity.Log, Identity: tokens,
		Logger: n.logger, Now: time.Now, Zone: time.UTC, Version: "bench",
	})
	if err != nil {
		return errors.Join(err, tokens.Close())
	}
	listener, err := listen(ctx)
	if err != nil {
		return errors.Join(err, tokens.Close())
	}
	n.address = listener.Addr().String()
	n.serving.Go(func() { n.finish(errors.Join(server.Serve(ctx, listener, "", ""), tokens.Close())) })
	return nil
}

func listen(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", "127.0.0.1:0")
}

// finish keeps why the views or the server ended, if not because they were told to.
func (n *node) finish(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		n.ended = err
	}
}

func (n *node) close() error {
	if n.end != nil {
		n.end()
	}
	n.serving.Wait()
	errs := []error{n.ended}
	if n.views != nil {
		errs = append(errs, n.views.Close())
	}
	if n.log != nil {
		errs = append(errs, n.log.Close())
	}
	if n.vault != nil {
		errs = append(errs, n.vault.Close())
	}
	if n.logged != nil {
		errs = append(errs, n.logged.Close())
	}
	return errors.Join(errs...)
}

// verify counts: the log holds what was acknowledged, and the balances add up to it.
func (n *node) verify(ctx context.Context) error {
	recorded, err := n.recorded(ctx)
	if err != nil {
		return err
	}
	if recorded != n.events.Load() {
		return fmt.Errorf("%d events were acknowledged, the log holds %d", n.events.Load(), recorded)
	}
	if err := n.views.CatchUp(ctx); err != nil {
		return err
	}
	owed := int64(0)
	err = n.views.Read(ctx, func(r *projections.Reader) (err error) {
		owed, err = owedByAll(r)
		return err
	})
	if err == nil && owed != n.owed.Load() {
		err = fmt.Errorf("the charges and payments acknowledged come to %d, the balances to %d", n.owed.Load(), owed)
	}
	return err
}

func owedByAll(r *projections.Reader) (owed int64, err error) {
	const page = 1000
	for after := ""; ; {
		accounts, err := r.Accounts(after, page)
		if err != nil {
			return 0, err
		}
		for _, a := range accounts {
			owed += a.Balance
		}
		if len(accounts) < page {
			return owed, nil
		}
		after = accounts[page-1].ID
	}
}

// lag is how long the views take to get to where the log ends now.
func (n *node) lag(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	err := n.views.CatchUp(ctx)
	return time.Since(began), err
}
