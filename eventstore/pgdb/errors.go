package pgdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"rentbook/eventstore"
)

// ErrUnavailable is a database that cannot do it now: it is down, starting, full or busy. The same
// again later may succeed. After a COMMIT it may have succeeded already: look before doing it again.
// It wraps eventstore.ErrUnavailable.
var ErrUnavailable = fmt.Errorf("PostgreSQL: %w", eventstore.ErrUnavailable)

// Explain says of an error whether it may go away by itself: then it wraps ErrUnavailable, or the
// error of the context that has ended. All others are defects or damage, and the same again would
// fail again. Errors of PostgreSQL can hold values of rows, which are personal: what is left is code
// and message without detail, and of wrong data the code alone.
func Explain(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	if p, ok := errors.AsType[*pgconn.PgError](err); ok {
		plain := &said{p.Code, p.Message}
		switch {
		case p.Code == "57014" && ctx.Err() != nil:
			return fmt.Errorf("%w: %w", plain, ctx.Err())
		case passes(p.Code):
			return fmt.Errorf("%w: %w", ErrUnavailable, plain)
		}
		return plain
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the database: %w", ctx.Err())
	}
	if isLink(err) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if strings.Contains(err.Error(), "unable to encode") { // pgx goes on to say what
		return errors.New("a value is not of the type of its column")
	}
	return err
}

// said is an error of PostgreSQL, as much of it as may be told.
type said struct{ code, message string }

func (s *said) Error() string {
	if strings.HasPrefix(s.code, "22") { // data exceptions quote the data
		return fmt.Sprintf("PostgreSQL: it cannot take a value (SQLSTATE %s)", s.code)
	}
	return fmt.Sprintf("PostgreSQL: %s (SQLSTATE %s)", s.message, s.code)
}

// Code is the SQLSTATE of an error, explained or not; empty if it is not PostgreSQL's.
func Code(err error) string {
	if s, ok := errors.AsType[*said](err); ok {
		return s.code
	}
	if p, ok := errors.AsType[*pgconn.PgError](err); ok {
		return p.Code
	}
	return ""
}

// passes lists the states of PostgreSQL's appendix A that say nothing about what was asked.
func passes(code string) bool {
	switch code {
	case "08P01", // a protocol that is not spoken: something stands between
		"58P01", "58P02": // a file that is missing, or there already: damage
		return false
	case "25006", // a standby took over: read-only
		"40000", "40001", "40003", "40P01", // rolled back, serialisation, who knows, deadlock
		"55P03",                            // lock_timeout
		"57014",                            // cancelled by an administrator, or a timeout
		"57P01", "57P02", "57P03", "57P05", // shut down, crashed, starting, idle for too long
		"25P03", "25P04", // idle in a transaction, or in one, for too long
		"55006": // a database that is being copied
		return true
	}
	// 08 connections, 53 resources, 58 the system below.
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") || strings.HasPrefix(code, "58")
}

// isLink says whether the connection, and not the statement, has failed.
func isLink(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || closed(err)
}

// closed knows the texts that have no type.
func closed(err error) bool {
	text := err.Error()
	for _, part := range []string{"conn closed", "unexpected EOF", "conn busy", "broken pipe", "connection reset", "closed pool"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return strings.HasSuffix(text, "EOF")
}

// Again runs what may be done twice, and runs it once more over a new connection if its own was lost:
// the server may have restarted. What it does must look first whether it is done already. The error
// is explained.
func Again(ctx context.Context, pool *pgxpool.Pool, do func() error) error {
	err := do()
	if err != nil && ctx.Err() == nil && isLost(err) {
		pool.Reset() // the others are as dead
		err = do()
	}
	return Explain(ctx, err)
}

// isLost says whether a connection ended under a statement. One that could not be made, or whose time
// was up, would fare no better at once.
func isLost(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if code := Code(err); code != "" {
		return strings.HasPrefix(code, "57P0") || strings.HasPrefix(code, "08")
	}
	return isLink(err)
}
