// Package pgdb reaches PostgreSQL for the vault, the views and the tokens.
//
// One database holds three schemas: NAME is what other programs may read, NAME_views are the tables
// of the views, NAME_vault are keys and tokens. NAME is rentbook, or what search_path in the address
// says, so that several books can share a database. Schemas are made when they are first needed.
//
// The one rule: what an error of PostgreSQL means is decided here (see Explain).
package pgdb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// nameDefault is what the schemas are called after unless the address says otherwise.
const nameDefault = "rentbook"

const (
	// connectMax bounds one attempt to connect, unless the address says otherwise.
	connectMax = 5 * time.Second

	// versionMin is PostgreSQL 15, as server_version_num has it.
	versionMin = 150_000
)

// Address is a database as `--database` names it.
type Address struct {
	config *pgxpool.Config
	name   string
}

// nameValid keeps names of schemas plain, and short enough for PostgreSQL's 63 bytes with what is
// added to them.
var nameValid = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)

// Parse reads an address: postgres://user:password@host:5432/database?sslmode=verify-full, or
// with host=/run/postgresql for a socket. It connects to nobody. Its errors hold no password.
func Parse(address string) (Address, error) {
	if !strings.HasPrefix(address, "postgres://") && !strings.HasPrefix(address, "postgresql://") {
		return Address{}, errors.New("a database is named as postgres://user:password@host:5432/database")
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return Address{}, fmt.Errorf("the address of the database cannot be read: %s", reason(err))
	}
	a := Address{config: config, name: nameDefault}
	params := config.ConnConfig.RuntimeParams
	if path, given := params["search_path"]; given {
		a.name = path
	}
	switch c := config.ConnConfig; {
	case strings.Contains(c.Host+c.Database, "@"):
		return Address{}, errors.New("the address of the database has an @ too many: in a password, " +
			"write %40 for @, %2F for /, %3A for :, %3F for ? and %23 for #")
	case !nameValid.MatchString(a.name):
		return Address{}, fmt.Errorf("search_path %q: want one name of at most 40 lower-case letters, digits and _", a.name)
	case c.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement:
		return Address{}, errors.New("default_query_exec_mode: rentbook needs sessions and prepared statements; " +
			"name the server itself, not what pools its connections")
	case c.ConnectTimeout == 0:
		c.ConnectTimeout = connectMax
	}
	config.ConnConfig.DialFunc = dialer().DialContext
	for param, value := range defaults() {
		if _, given := params[param]; !given {
			params[param] = value
		}
	}
	return a, nil
}

// reason is what the driver says of an address, without the address: no mask finds every password.
func reason(err error) string {
	text := err.Error()
	return strings.TrimPrefix(text[strings.LastIndexByte(text, '`')+1:], ": ")
}

// silenceMax is how long either side waits for a word from the other. A machine that has died must not
// keep its locks for hours, nor a server that has died its clients: each notices within ten seconds
// that the other is gone.
const silenceMax = 7 * time.Second

// dialer is for our side. What was sent and is not acknowledged is no matter of keepalive.
func dialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 3 * time.Second, Interval: 2 * time.Second, Count: 2},
		Control:         unansweredMax,
	}
}

// defaults are parameters of sessions; most are for the server's side.
func defaults() map[string]string {
	return map[string]string{
		"tcp_keepalives_idle": "3", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "2",
		"tcp_user_timeout": strconv.FormatInt(silenceMax.Milliseconds(), 10),
		"application_name": "rentbook",
	}
}

// Public is the schema that other programs may read.
func (a Address) Public() string { return a.name }

// Views is the schema of the views' tables.
func (a Address) Views() string { return a.name + "_views" }

// Vault is the schema of keys and tokens.
func (a Address) Vault() string { return a.name + "_vault" }

// String says where the database is, without who connects.
func (a Address) String() string {
	c := a.config.ConnConfig
	where := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	if strings.HasPrefix(c.Host, "/") {
		where = c.Host
	}
	return fmt.Sprintf("%s at %s, schema %s", c.Database, where, a.name)
}

// Settings are parameters of a session: {"synchronous_commit": "off"}.
type Settings map[string]string

// Pool opens a pool of connections whose tables are those of one schema. It connects to nobody yet.
func (a Address) Pool(ctx context.Context, schema string, connections int32, settings Settings) (*pgxpool.Pool, error) {
	config := a.config.Copy()
	config.MaxConns = connections
	config.MinConns = 0
	config.ConnConfig.RuntimeParams["search_path"] = schema
	maps.Copy(config.ConnConfig.RuntimeParams, settings)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", a, err)
	}
	return pool, nil
}

// Connect opens one connection, for what belongs to a session: locks, notifications.
func (a Address) Connect(ctx context.Context, schema string) (*pgx.Conn, error) {
	config := a.config.ConnConfig.Copy()
	config.RuntimeParams["search_path"] = schema
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, Explain(ctx, err)
	}
	return conn, nil
}

// Prepare checks that the server will do, and makes schemas that are not there.
func (a Address) Prepare(ctx context.Context, schemas ...string) (err error) {
	conn, err := a.Connect(ctx, a.name)
	if err != nil {
		return fmt.Errorf("open %s: %w", a, err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if err := check(ctx, conn); err != nil {
		return fmt.Errorf("open %s: %w", a, err)
	}
	for _, schema := range schemas {
		if err := makeSchema(ctx, conn, schema); err != nil {
			return fmt.Errorf("open %s: make schema %s: %w", a, schema, Explain(ctx, err))
		}
	}
	return nil
}

func check(ctx context.Context, conn *pgx.Conn) error {
	var version int
	var encoding string
	var standby bool
	const query = `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), pg_is_in_recovery()`
	if err := conn.QueryRow(ctx, query).Scan(&version, &encoding, &standby); err != nil {
		return Explain(ctx, err)
	}
	return suits(version, encoding, standby)
}

// suits says what is wrong with a server.
func suits(version int, encoding string, standby bool) error {
	switch {
	case version < versionMin:
		return fmt.Errorf("the server is PostgreSQL %d: want 15 or later", version/10_000)
	case encoding != "UTF8":
		return fmt.Errorf("the database is encoded in %s: want one made with ENCODING 'UTF8'", encoding)
	case standby:
		return errors.New("the server is a standby: name the primary")
	}
	return nil
}

// makeSchema looks first: a role that may not make schemas can use those an administrator made.
func makeSchema(ctx context.Context, conn *pgx.Conn, schema string) error {
	var known bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, schema).Scan(&known)
	if err != nil || known {
		return err
	}
	// IF NOT EXISTS is not safe against two who come at once; the loser finds what the winner made.
	_, err = conn.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+quote(schema))
	if code := Code(err); code == "42P06" || code == "23505" {
		return nil
	}
	return err
}

func quote(name string) string {
	return pgx.Identifier{name}.Sanitize()
}
