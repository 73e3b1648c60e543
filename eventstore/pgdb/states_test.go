package pgdb_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"rentbook/eventstore/pgdb"
	"rentbook/eventstore/pgdb/pgtest"
)

// What passes by itself was rolled back, or nobody knows; the same again may succeed. What does not is
// final: a defect, damage, or a refusal.
func TestExplain_states(t *testing.T) {
	t.Parallel()
	for code, passes := range map[string]bool{
		// rolled back for sure
		"40001": true, "40P01": true, "40000": true, "55P03": true, "57014": true, "53100": true, "53200": true, "53300": true,
		"53400": true, "25006": true, "55006": true, "57P03": true, "58030": true, "58000": true,
		// nobody knows: the connection ended
		"08000": true, "08001": true, "08003": true, "08004": true, "08006": true, "08007": true, "40003": true, "57P01": true,
		"57P02": true, "57P05": true, "25P03": true, "25P04": true,
		// final
		"08P01": false, "0A000": false, "22001": false, "22003": false, "22007": false, "22P02": false, "22021": false,
		"23502": false, "23505": false, "23514": false, "25P02": false, "26000": false, "28000": false, "28P01": false,
		"3D000": false, "3F000": false, "40002": false, "42501": false, "42601": false, "42703": false, "42P01": false,
		"54000": false, "55000": false, "57P04": false, "58P01": false, "XX000": false, "XX001": false, "XX002": false,
	} {
		inner := &pgconn.PgError{Code: code, Message: "said"}
		err := pgdb.Explain(t.Context(), fmt.Errorf("somewhere: %w", inner))
		if errors.Is(err, pgdb.ErrUnavailable) != passes || pgdb.Code(err) != code || pgdb.Code(inner) != code {
			t.Errorf("%s: got %v with code %q, want it to pass: %v", code, err, pgdb.Code(err), passes)
		}
		if again := pgdb.Explain(t.Context(), err); again.Error() != err.Error() || pgdb.Code(again) != code {
			t.Errorf("%s, explained twice: %v", code, again)
		}
		if ended, cancel := context.WithCancel(t.Context()); code == "57014" {
			cancel()
			if err := pgdb.Explain(ended, inner); !errors.Is(err, context.Canceled) || errors.Is(err, pgdb.ErrUnavailable) {
				t.Errorf("cancelled by its caller: %v", err)
			}
		} else {
			cancel()
		}
	}
	for err, passes := range map[error]bool{
		io.ErrUnexpectedEOF: true, &net.OpError{Op: "write", Err: errors.New("broken pipe")}: true, pgconn.ErrConnClosed: true,
		errors.New("a defect"): false, pgx.ErrNoRows: false,
	} {
		if got := pgdb.Explain(t.Context(), err); errors.Is(got, pgdb.ErrUnavailable) != passes || pgdb.Code(got) != "" {
			t.Errorf("%v: got %v", err, got)
		}
	}
	if err := pgdb.Explain(t.Context(), nil); err != nil {
		t.Errorf("no error: got %v", err)
	}
}

// Whatever goes wrong with a row, nothing of it is in the text.
func TestExplain_saysNothingOfRows(t *testing.T) {
	t.Parallel()
	a := parse(t, pgtest.URL(t))
	if err := a.Prepare(t.Context(), a.Public()); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, a, a.Public())
	_, err := conn.Exec(t.Context(), `CREATE TABLE people (name text PRIMARY KEY, age int NOT NULL CHECK (age < 200), born date, short varchar(3));
		INSERT INTO people VALUES ('Ada', 1)`)
	if err != nil {
		t.Fatal(err)
	}
	for statement, args := range map[string][]any{
		`INSERT INTO people VALUES ($1, 1)`:                                    {"Ada"},
		`INSERT INTO people (name) VALUES ($1)`:                                {"Ada Lovelace"},
		`INSERT INTO people VALUES ($1, 777)`:                                  {"Ada Lovelace"},
		`INSERT INTO people VALUES ('x', $1::text::int)`:                       {"Ada"},
		`INSERT INTO people VALUES ('x', $1)`:                                  {"Ada"},
		`INSERT INTO people VALUES ('x', 1, $1::text::date)`:                   {"Ada"},
		`INSERT INTO people VALUES ('x', 1, NULL, $1)`:                         {"Ada Lovelace"},
		`SELECT $1::text::uuid`:                                                {"Ada"},
		`SELECT $1::text::json`:                                                {"{Ada"},
		`SELECT $1::text::int`:                                                 {"77777777777"},
		`SELECT convert_from(convert_to($1, 'UTF8') || '\xff'::bytea, 'UTF8')`: {"Ada"},
		`SELECT lo_get($1::text::oid)`:                                         {"Ada"},
		`SELECT $1::bigint`:                                                    {"Ada"},
		`SELECT $1::timestamptz`:                                               {map[string]string{"Ada": "Ada"}},
	} {
		_, err := conn.Exec(t.Context(), statement, args...)
		err = pgdb.Explain(t.Context(), err)
		if err == nil || errors.Is(err, pgdb.ErrUnavailable) {
			t.Errorf("%s: got %v", statement, err)
			continue
		}
		for _, personal := range []string{"Ada", "777"} {
			if strings.Contains(err.Error(), personal) {
				t.Errorf("%s: it says %q", statement, err)
			}
		}
	}
}

// Each of these is told in a sentence, and none tells the password.
func TestAddress_thatWillNotDo(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, pgtest.Options{Fast: true})
	base, err := url.Parse(c.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	_, err = connect(t, parse(t, base.String()), "public").Exec(t.Context(),
		`CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(u *url.URL, query url.Values)) string {
		u, query := *base, base.Query()
		u.User = url.UserPassword("postgres", "hunter2")
		change(&u, query)
		u.RawQuery = query.Encode()
		return u.String()
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := taken.Addr().String()
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct{ address, want string }{
		{"postgres:/hunter2", "a database is named as postgres://user:password@host:5432/database"},
		{"hunter2", "a database is named as postgres://user:password@host:5432/database"},
		{"postgres://someone:hunter2", "cannot be read: invalid port"},
		{"postgres://someone:hunt%zzer2@h/d", "cannot be read: failed to parse as URL (invalid percent-encoded token in password)"},
		{"postgres://someone:12/hunter2@h/d", "an @ too many: in a password, write %40 for @"},
		{"postgres://someone:hunter2@h/d?sslmode=maybe", "cannot be read: failed to configure TLS (sslmode is invalid)"},
		{"postgres://h/d?password=hunter2&sslmode=maybe", "cannot be read: failed to configure TLS (sslmode is invalid)"},
		{"postgres://someone:hunter2@h/d?sslmode=verify-full&sslrootcert=/none", "unable to read CA file: open /none"},
		{"postgres://someone:hunter2@h/d?connect_timeout=soon", "invalid connect_timeout"},
		{"postgres://someone:hunter2@h/d?default_query_exec_mode=simple_protocol", "rentbook needs sessions and prepared statements"},
		{"postgres://someone:hunter2@h/d?search_path=A", `search_path "A": want one name`},
		{with(func(u *url.URL, _ url.Values) { u.Path = "/latin" }), "encoded in LATIN1: want one made with ENCODING 'UTF8'"},
		{with(func(u *url.URL, _ url.Values) { u.Path = "/none" }), `database "none" does not exist (SQLSTATE 3D000)`},
		{with(func(u *url.URL, _ url.Values) { u.User = url.UserPassword("none", "hunter2") }), `role "none" does not exist`},
		{with(func(_ *url.URL, query url.Values) { query.Set("host", "/none") }), "no such file or directory"},
		{with(func(u *url.URL, query url.Values) { query.Del("host"); u.Host = nobody }), "connection refused"},
		{with(func(u *url.URL, query url.Values) { query.Del("host"); u.Host = "no-such-host.invalid" }), "no-such-host.invalid"},
		{with(func(_ *url.URL, query url.Values) { query.Set("no_such_setting", "1") }), `unrecognized configuration parameter "no_such_setting"`},
	} {
		a, err := pgdb.Parse(bad.address)
		if err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			err = a.Prepare(ctx, a.Public())
			cancel()
		}
		if err == nil || !strings.Contains(err.Error(), bad.want) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s:\ngot  %v\nwant %s", bad.address, err, bad.want)
		}
	}
}

// Whoever asks right after a lock was given back gets it.
func TestLock_isFreeAtOnce(t *testing.T) {
	t.Parallel()
	a := parse(t, pgtest.URL(t))
	for range 50 {
		l := pgdb.NewLock(a, a.Views(), "views")
		if got, err := l.Try(t.Context(), time.Now()); err != nil || !got {
			t.Fatalf("nobody has the lock, and it cannot be had: %v", err)
		}
		l.Unlock()
	}
}
