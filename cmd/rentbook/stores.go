package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rentbook/commands"
	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/pgdb"
	"rentbook/eventstore/sqlite"
	"rentbook/eventstore/sqlite/sqlitefile"
	"rentbook/eventstore/vault"
	"rentbook/http/identity"
	"rentbook/projections/database"
	"rentbook/projections/postgres"
	viewsqlite "rentbook/projections/sqlite"
)

// stores are flags that say where everything is kept. Without them it is in files of the data
// directory.
type stores struct {
	Data       string `type:"path" placeholder:"DIR" help:"Data directory (default: ./rentbook-data; for demo: a temporary one)."`
	EventStore string `name:"eventstore" placeholder:"URL" help:"EventStoreDB that holds the log: esdb://user:password@host:2113."`
	Database   string `placeholder:"URL" help:"PostgreSQL that holds views, keys and tokens: postgres://user:password@host/database."`
	MasterKey  string `placeholder:"FILE" type:"path" help:"File with the master key of the vault (default: master.key in the data directory)."`
}

// log is the log, wherever it is.
type log interface {
	eventstore.Store
	eventstore.Log
	Close() error
}

// check refuses addresses that cannot be meant, before anything is opened.
func (s *stores) check() error {
	if s.EventStore != "" {
		if err := esdb.Check(s.EventStore); err != nil {
			return fmt.Errorf("%w: --eventstore: %w", errUsage, err)
		}
	}
	if s.Database != "" {
		_, err := s.address()
		return err
	}
	return nil
}

// mustMean refuses an address that was given and is empty, as an unset variable in a script gives it: without
// one everything would go to files.
func mustMean(args []string) error {
	for _, name := range []string{"eventstore", "database"} {
		value, given := os.LookupEnv("RENTBOOK_" + strings.ToUpper(name))
		for i, arg := range args {
			switch {
			case arg == "--"+name+"=":
				value, given = "", true
			case arg == "--"+name && i+1 < len(args):
				value, given = args[i+1], true
			}
		}
		if given && value == "" {
			return fmt.Errorf("%w: --%s is given, and empty", errUsage, name)
		}
	}
	return nil
}

// places says where things are, for people to read. It holds no passwords.
func (s *stores) places() string {
	text := s.Data
	if s.EventStore != "" {
		text = "the log in EventStoreDB, the rest in " + s.Data
	}
	if a, err := pgdb.Parse(s.Database); err == nil && s.EventStore != "" {
		return "the log in EventStoreDB, the rest in PostgreSQL " + a.String()
	} else if err == nil {
		return "the log in " + s.Data + ", the rest in PostgreSQL " + a.String()
	}
	return text
}

func (s *stores) openLog(ctx context.Context, logger *slog.Logger, fatal func(error)) (log, error) {
	if s.EventStore != "" {
		l, err := s.openEventStore(ctx, logger)
		if err != nil {
			return nil, err // not a log that is nil
		}
		return l, nil
	}
	if err := s.notMoved(); err != nil {
		return nil, err
	}
	if s.Database == "" && s.has("views.db") && !s.has("log.db") { // before an empty one is put in its place
		return nil, errors.New("there are views but no log.db: put back the log that belongs to them, or take another folder")
	}
	l, err := sqlite.Open(ctx, s.Data, sqlite.Options{Fatal: fatal, Logger: logger})
	if err != nil {
		return nil, err
	}
	if err := s.notMoved(); err != nil { // while this waited to open it
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// notElsewhere refuses to begin another log beside one that is here.
func (s *stores) notElsewhere(head eventstore.Position) error {
	if s.EventStore == "" || !head.IsZero() || !s.has("log.db") || s.has(movedLog) {
		return nil
	}
	return fmt.Errorf("there is a log in %s, and none in EventStoreDB: move it with `rentbook move --from sqlite:%s --to URL`, "+
		"or name another --data to begin a new one", filepath.Join(s.Data, "log.db"), s.Data)
}

func (s *stores) openEventStore(ctx context.Context, logger *slog.Logger) (*esdb.Log, error) {
	l, err := esdb.Open(ctx, s.EventStore, esdb.Options{Logger: logger, Now: time.Now, Categories: commands.Categories()})
	if err != nil {
		return nil, fmt.Errorf("--eventstore: %w", err)
	}
	return l, nil
}

// openVault refuses to make an empty vault for a log that has one elsewhere.
func (s *stores) openVault(ctx context.Context, begun bool, fatal func(error)) (*vault.Vault, error) {
	options := vault.Options{MasterKeyFile: s.MasterKey, MasterKey: os.Getenv("RENTBOOK_MASTER_KEY_VALUE"), Fatal: fatal}
	if s.Database == "" {
		if begun && !s.has("vault.db") {
			return nil, errors.New("there is a log but no vault.db: put back the vault that belongs to it, from a backup" + s.movedVault())
		}
		return vault.Open(ctx, s.Data, options)
	}
	address, err := s.address()
	if err != nil {
		return nil, err
	}
	if begun {
		empty, err := vault.IsEmpty(ctx, address)
		switch {
		case err != nil:
			return nil, err
		case empty && s.has("vault.db"):
			return nil, fmt.Errorf("the keys of this log are still in %s, and the database has none: move them with "+
				"`rentbook move --from sqlite:%s --database URL`, with --to URL if the log moves too", filepath.Join(s.Data, "vault.db"), s.Data)
		case empty:
			return nil, errors.New("there is a log, but the database has no keys for it: put back the database that belongs to it, from a backup")
		}
	}
	return vault.OpenPostgres(ctx, address, s.Data, options)
}

// openDatabase opens the tables of the views.
func (s *stores) openDatabase(ctx context.Context) (database.Database, error) {
	if s.Database == "" {
		db, err := viewsqlite.Open(s.Data)
		if err != nil {
			return nil, fmt.Errorf("open views: %w; views can always be rebuilt: move views.db away and start again", err)
		}
		return db, nil
	}
	address, err := s.address()
	if err != nil {
		return nil, err
	}
	return postgres.Open(ctx, address, time.Now)
}

// tokens are the opened tokens.
type tokens struct {
	*identity.Tokens

	lock *sqlitefile.Lock // shared: nobody can move the tokens away meanwhile
}

// Close closes the tokens.
func (t *tokens) Close() error {
	err := t.Tokens.Close()
	if t.lock != nil {
		err = errors.Join(err, t.lock.Close())
	}
	return err
}

// openTokens opens the tokens.
func (s *stores) openTokens(ctx context.Context) (*tokens, error) {
	if s.Database == "" {
		return s.openTokenFile(ctx)
	}
	address, err := s.address()
	if err != nil {
		return nil, err
	}
	t, err := identity.OpenPostgres(ctx, address, time.Now)
	return &tokens{Tokens: t}, err
}

func (s *stores) openTokenFile(ctx context.Context) (_ *tokens, err error) {
	if err := sqlitefile.MakeFolder(s.Data); err != nil {
		return nil, err
	}
	t := &tokens{}
	if t.lock, err = sqlitefile.OpenLock(filepath.Join(s.Data, tokenLock)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.lock.Close())
		}
	}()
	waiting, cancel := context.WithTimeout(ctx, moveMax)
	defer cancel()
	if err := t.lock.Shared(waiting); err != nil {
		return nil, fmt.Errorf("the tokens are being moved: %w", err)
	}
	if s.has(movedNames) || s.has(movedKeys) {
		return nil, errors.New("the tokens were moved into a database: name it with --database")
	}
	t.Tokens, err = identity.Open(s.Data, time.Now)
	return t, err
}

// tokenLock is shared by whoever has the tokens open, and held alone by who moves them.
const tokenLock = "identity.lock"

// moveMax is how long to wait for them.
const moveMax = 5 * time.Second

// existingTokens opens the tokens that somebody has made.
func (s *stores) existingTokens(ctx context.Context) (*tokens, error) {
	if s.Database == "" && !s.has(movedNames) && !s.has(movedKeys) {
		if err := s.mustExist("identity.db", "make a token with `rentbook token create`"); err != nil {
			return nil, err
		}
	}
	return s.openTokens(ctx)
}

func (s *stores) address() (pgdb.Address, error) {
	address, err := pgdb.Parse(s.Database)
	if err != nil {
		return address, fmt.Errorf("%w: --database: %w", errUsage, err)
	}
	return address, nil
}

// mustHaveLog says what to do when no log has been begun.
func (s *stores) mustHaveLog(ctx context.Context) (err error) {
	const advice = "begin one with `rentbook import` or `rentbook serve`"
	if s.EventStore == "" {
		if err := s.notMoved(); err != nil {
			return err
		}
		return s.mustExist("log.db", "name its folder with --data, or "+advice)
	}
	l, err := s.openEventStore(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	head, err := l.Head(ctx)
	if err == nil && head.IsZero() {
		return fmt.Errorf("there is no log in %s; %s", l.Describe(), advice)
	}
	return err
}

// mustExist says what to do when a file is not there.
func (s *stores) mustExist(name, advice string) error {
	if !s.has(name) {
		return fmt.Errorf("there is no %s in %s; %s", name, s.Data, advice)
	}
	return nil
}

func (s *stores) has(name string) bool {
	_, err := os.Stat(filepath.Join(s.Data, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// What `rentbook move` leaves in the data directory.
const (
	movedLog   = "log.moved"      // says where the log is now
	movedKeys  = "vault.db.moved" // the keys as they were
	movedNames = "identity.db.moved"
)

// notMoved keeps a log that has moved from being written in two places.
func (s *stores) notMoved() error {
	text, err := os.ReadFile(filepath.Join(s.Data, movedLog))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%s (%s)", text, filepath.Join(s.Data, movedLog))
}

func (s *stores) movedVault() string {
	if s.has(movedKeys) {
		return "; it was moved into a database: name that with --database"
	}
	return ""
}

// health says whether a log on other machines can be reached; nil for one that is here.
func (n *node) health() func() (connected bool, reason string) {
	l, ok := n.log.(*esdb.Log)
	if !ok {
		return nil
	}
	return func() (bool, string) {
		h := l.Health()
		if h.Connected {
			return true, ""
		}
		return false, "unreachable" // why is for doctor and the log of the process: it names machines
	}
}
