package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rentbook/commands"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/sqlite"
	"rentbook/eventstore/sqlite/sqlitefile"
	"rentbook/eventstore/vault"
	"rentbook/http/identity"
)

type moveCommand struct {
	From string `required:"" placeholder:"sqlite:DIR" help:"The data directory to move out of."`
	To   string `placeholder:"URL" help:"EventStoreDB that is to hold the log; without it the log stays, and keys and tokens move into --database."`
}

// Run moves what a data directory holds. Keys come before the events that need them. Nobody else can have
// the folder open meanwhile, and afterwards it is closed. What was done is found done by another run.
func (c *moveCommand) Run(ctx context.Context, g *globals) (err error) {
	dir, ok := strings.CutPrefix(c.From, "sqlite:")
	switch {
	case !ok || dir == "":
		return fmt.Errorf("%w: --from is sqlite: and a data directory, such as sqlite:./rentbook-data", errUsage)
	case c.To == "" && g.Database == "":
		return fmt.Errorf("%w: say where to: --to for the log, --database for keys and tokens, or both", errUsage)
	case g.EventStore != "":
		return fmt.Errorf("%w: --to says where the log moves; --eventstore has no part in it", errUsage)
	}
	source := stores{Data: dir, MasterKey: g.MasterKey}
	if err := source.mustExist("log.db", "it is what --from names"); err != nil {
		return err
	}
	from, err := sqlite.Open(ctx, dir, sqlite.Options{Alone: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if g.Database != "" {
		if err := c.moveKeys(ctx, g, source); err != nil {
			return err
		}
	}
	if c.To != "" {
		if err := c.moveLog(ctx, g, source, from); err != nil {
			return err
		}
	}
	c.advise(g, dir)
	return nil
}

// moveKeys moves keys and tokens into the database, and puts their files aside: a key that is destroyed
// later must not live on in one of them.
func (c *moveCommand) moveKeys(ctx context.Context, g *globals, source stores) error {
	if source.has("vault.db") {
		if err := copyVault(ctx, g, source); err != nil {
			return fmt.Errorf("move the keys: %w", err)
		}
		if err := setAside(source.Data, "vault.db", movedKeys); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(g.stdout, "the keys are in the database")
	} else if !source.has(movedKeys) {
		return fmt.Errorf("there is no vault.db in %s: put back the vault that belongs to the log", source.Data)
	}
	if source.has("identity.db") {
		if err := copyTokens(ctx, g, source); err != nil {
			return fmt.Errorf("move the tokens: %w", err)
		}
		_, _ = fmt.Fprintln(g.stdout, "the tokens are in the database")
	}
	return nil
}

func copyVault(ctx context.Context, g *globals, source stores) (err error) {
	from, err := source.openVault(ctx, true, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	address, err := g.address()
	if err != nil {
		return err
	}
	return vault.Copy(ctx, from, address)
}

func copyTokens(ctx context.Context, g *globals, source stores) (err error) {
	lock, err := sqlitefile.OpenLock(filepath.Join(source.Data, tokenLock))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	waiting, cancel := context.WithTimeout(ctx, moveMax)
	defer cancel()
	if err := lock.Exclusive(waiting); err != nil {
		return fmt.Errorf("somebody is using the tokens: %w", err)
	}
	from, err := identity.Open(source.Data, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := g.openTokens(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := identity.Copy(ctx, from, to.Tokens); err != nil {
		return err
	}
	return setAside(source.Data, "identity.db", movedNames) // while nobody else has it open
}

// setAside gives a database file another name.
func setAside(dir, name, aside string) error {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		err := os.Rename(filepath.Join(dir, name+suffix), filepath.Join(dir, aside+suffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// moveLog copies the log, compares the two, and closes the old one. A log that has moved before is compared
// again, and stays closed whatever comes of it.
func (c *moveCommand) moveLog(ctx context.Context, g *globals, source stores, from *sqlite.Log) (err error) {
	to, err := esdb.Open(ctx, c.To, esdb.Options{Now: time.Now, Categories: commands.Categories()})
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	m := mover{from: from, to: to}
	if err := m.copy(ctx, g.progress("move")); err != nil {
		return err
	}
	report, err := m.compare(ctx, g.progress("compare"), filepath.Join(source.Data, movedPositions))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(g.stdout, "%d events moved to %s, the same in both, digest sha256:%x\n",
		report.events, to.Describe(), report.digest)
	word := "this log has moved to " + to.Describe() + ": name it with --eventstore; the copy here stays as it was"
	err = writeWhole(filepath.Join(source.Data, movedLog), func(out *bufio.Writer) error {
		_, err := out.WriteString(word)
		return err
	})
	if err != nil {
		return err
	}
	return discardViews(source.Data)
}

// writeWhole writes a file that is there whole, on disk, or not at all.
func writeWhole(path string, write func(*bufio.Writer) error) (err error) {
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(draft.Name())
		}
	}()
	out := bufio.NewWriter(draft)
	if err := errors.Join(write(out), out.Flush(), draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err := os.Rename(draft.Name(), path); err != nil {
		return err
	}
	return sqlitefile.SyncFolder(filepath.Dir(path))
}

// discardViews removes views of the old positions.
func discardViews(dir string) error {
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(filepath.Join(dir, "views.db"+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// advise says how to go on, and what to do with what is left.
func (c *moveCommand) advise(g *globals, dir string) {
	flags := "--data " + dir
	if c.To != "" {
		flags += " --eventstore URL"
	}
	if g.Database != "" {
		flags += " --database URL"
	}
	_, _ = fmt.Fprintf(g.stderr, "From now on: rentbook serve %s, with the addresses just given; views are built anew at the first start.\n", flags)
	if g.Database != "" {
		_, _ = fmt.Fprintf(g.stderr, "%s and %s in %s are what was moved. Delete them once a backup of the database exists: "+
			"keys that are destroyed later would live on in them. master.key stays where it is.\n", movedKeys, movedNames, dir)
	}
	if c.To != "" {
		_, _ = fmt.Fprintf(g.stderr, "%s says which old position is which new one.\n", filepath.Join(dir, movedPositions))
	}
}
