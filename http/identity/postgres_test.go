package identity_test

import (
	"errors"
	"strings"
	"testing"

	"rentbook/commands"
	"rentbook/eventstore"
	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/http/identity"
)

// execute changes the tables behind everybody's back, and reads a number.
func (p place) execute(t testing.TB, statement string) (n int) {
	t.Helper()
	conn, err := p.parsed(t).Connect(t.Context(), p.parsed(t).Vault())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.QueryRow(t.Context(), statement).Scan(&n), conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	return n
}

// A COMMIT whose answer is lost may have come to pass or not; the caller need not know.
func TestPostgres_lost_commits(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*pgtest.Proxy, int){
		"after it happened":  (*pgtest.Proxy).CutAfterCommit,
		"before it happened": (*pgtest.Proxy).CutBeforeCommit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := pgtest.NewProxy(t, pgtest.URL(t))
			tokens := place{address: proxy.URL()}.open(t, noon)
			lose(proxy, 1)
			secret, made, err := tokens.Create(t.Context(), identity.NewToken{Role: commands.RoleAuditor})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tokens.Find(t.Context(), secret); err != nil {
				t.Error(err)
			}
			lose(proxy, 1)
			if err := tokens.Revoke(t.Context(), made.ID); err != nil {
				t.Error(err)
			}
			if _, err := tokens.Find(t.Context(), secret); !errors.Is(err, identity.ErrUnknown) {
				t.Errorf("after it was revoked: %v, want ErrUnknown", err)
			}
			if list, err := tokens.List(t.Context()); err != nil || len(list) != 1 {
				t.Errorf("%d tokens were made, %v", len(list), err)
			}
		})
	}
}

func TestPostgres_unavailable(t *testing.T) {
	t.Parallel()
	proxy := pgtest.NewProxy(t, pgtest.URL(t))
	p := place{address: proxy.URL()}
	tokens := p.open(t, noon)
	secret, made, err := tokens.Create(t.Context(), identity.NewToken{Role: commands.RoleAuditor})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Find(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	proxy.Refuse(true)
	proxy.Cut()
	_, found := tokens.Find(t.Context(), secret)
	_, _, create := tokens.Create(t.Context(), identity.NewToken{Role: commands.RoleAuditor})
	_, list := tokens.List(t.Context())
	_, open := p.try(t, noon)
	for what, err := range map[string]error{
		"find": found, "create": create, "list": list, "revoke": tokens.Revoke(t.Context(), made.ID), "open": open,
	} {
		if !errors.Is(err, eventstore.ErrUnavailable) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want ErrUnavailable", what, err)
		}
	}
	proxy.Refuse(false)
	if _, err := tokens.Find(t.Context(), secret); err != nil {
		t.Errorf("once it is back: %v", err)
	}
}

func TestPostgres_holds_no_token(t *testing.T) {
	t.Parallel()
	p := place{address: pgtest.URL(t)}
	secret, _, err := p.open(t, noon).Create(t.Context(), identity.NewToken{Role: commands.RoleOperator})
	if err != nil {
		t.Fatal(err)
	}
	secret = strings.TrimPrefix(secret, identity.Prefix)
	if n := p.execute(t, "SELECT count(*) FROM tokens WHERE tokens::text LIKE '%"+secret+"%'"); n != 0 {
		t.Error("the table holds the token")
	}
	if n := p.execute(t, "SELECT count(*) FROM tokens WHERE length(hash) = 32"); n != 1 {
		t.Error("the table does not hold its hash")
	}
}

func TestCopy_refuses_another_token_of_the_same_id(t *testing.T) {
	t.Parallel()
	from, there := place{dir: t.TempDir()}, place{address: pgtest.URL(t)}
	tokens, other := from.open(t, noon), there.open(t, noon)
	for range 2 {
		if _, _, err := tokens.Create(t.Context(), identity.NewToken{Role: commands.RoleAuditor}); err != nil {
			t.Fatal(err)
		}
	}
	if err := identity.Copy(t.Context(), tokens, other); err != nil {
		t.Fatal(err)
	}
	there.execute(t, "WITH spoilt AS (UPDATE tokens SET hash = sha256(hash) WHERE id = (SELECT min(id) FROM tokens) RETURNING 1) SELECT count(*) FROM spoilt")
	if err := identity.Copy(t.Context(), tokens, other); err == nil || !strings.Contains(err.Error(), "is another token there") {
		t.Errorf("got %v, want an error that says so", err)
	}
}
