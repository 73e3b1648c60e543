package pgdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// vacuumTries is how often Vacuum tries, with a pause that doubles from vacuumPause: some six
	// seconds in all. Transactions that are longer are somebody's backup or report.
	vacuumTries = 8
	vacuumPause = 50 * time.Millisecond

	// vacuumLock bounds how long one try keeps others waiting that want the table.
	vacuumLock = time.Second
)

// Vacuum writes a table anew without what was deleted or overwritten, and returns when the file that
// held it is gone. (A plain VACUUM leaves bytes behind in the free space of a page.) The table is
// locked meanwhile. A transaction in the same database that is older than the change may still read
// what was there; if one lasts, the error wraps ErrUnavailable.
func (a Address) Vacuum(ctx context.Context, schema, table string) (err error) {
	config := a.config.ConnConfig.Copy()
	config.RuntimeParams["search_path"] = schema
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(vacuumLock.Milliseconds())
	var said []string
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.SeverityUnlocalized == "INFO" && n.Detail != "" {
			said = append(said, n.Detail)
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Explain(ctx, err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	for try := range vacuumTries {
		if try > 0 {
			if err := pause(ctx, vacuumPause<<(try-1)); err != nil {
				return err
			}
		}
		said = nil
		if _, err = conn.Exec(ctx, `VACUUM (FULL, VERBOSE) `+quote(table)); err == nil {
			err = swept(said)
		}
		if err = Explain(ctx, err); !errors.Is(err, ErrUnavailable) || conn.IsClosed() {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("vacuum %s.%s: %w", schema, table, err)
	}
	return nil
}

// swept reads the only place where PostgreSQL says what it had to leave: "1 dead row versions cannot
// be removed yet." Whatever the language, that is the first number.
func swept(said []string) error {
	if len(said) != 1 {
		return errors.New("not done: the table belongs to another role")
	}
	for _, c := range said[0] {
		switch {
		case c == '0':
			return nil
		case c >= '1' && c <= '9':
			return fmt.Errorf("%w: somebody may still read what was overwritten", ErrUnavailable)
		}
	}
	return errors.New("PostgreSQL does not say what it left")
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
