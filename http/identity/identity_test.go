package identity_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rentbook/commands"
	"rentbook/eventstore/pgdb"
	"rentbook/eventstore/pgdb/pgtest"
	"rentbook/http/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main(m)) }

// place is where tokens are: in a folder or in a database.
type place struct {
	dir     string
	address string
}

// everywhere runs a test on each storage.
func everywhere(t *testing.T, test func(*testing.T, place)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, place{dir: t.TempDir()})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, place{address: pgtest.URL(t)})
	})
}

// another is a place of the same kind.
func (p place) another(t testing.TB) place {
	t.Helper()
	if p.address == "" {
		return place{dir: t.TempDir()}
	}
	return place{address: pgtest.URL(t)}
}

func (p place) try(t testing.TB, now func() time.Time) (*identity.Tokens, error) {
	t.Helper()
	if p.address == "" {
		return identity.Open(p.dir, now)
	}
	return identity.OpenPostgres(t.Context(), p.parsed(t), now)
}

func (p place) parsed(t testing.TB) pgdb.Address {
	t.Helper()
	a, err := pgdb.Parse(p.address)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (p place) open(t testing.TB, now func() time.Time) *identity.Tokens {
	t.Helper()
	tokens, err := p.try(t, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tokens.Close(); err != nil {
			t.Error(err)
		}
	})
	return tokens
}

func noon() time.Time { return time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC) }

func TestTokens_a_token_is_found_until_it_is_revoked(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		here, elsewhere := p.open(t, noon), p.open(t, noon)

		secret, made, err := here.Create(t.Context(), identity.NewToken{Role: commands.RoleTenant, Tenancies: []string{"T1"}})
		if err != nil {
			t.Fatal(err)
		}
		found, err := here.Find(t.Context(), secret)
		if err != nil || found.ID != made.ID || found.Role != commands.RoleTenant || found.Tenancies[0] != "T1" {
			t.Fatalf("got %+v, %v", found, err)
		}
		if want := noon().AddDate(0, 0, 90); !found.Expires.Equal(want) {
			t.Errorf("it expires %v, want %v", found.Expires, want)
		}
		if err := elsewhere.Revoke(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := here.Find(t.Context(), secret); !errors.Is(err, identity.ErrUnknown) {
			t.Errorf("after another process revoked it: %v, want ErrUnknown at once", err)
		}
		if list, err := here.List(t.Context()); err != nil || len(list) != 1 || list[0].Revoked.IsZero() {
			t.Errorf("the list shows %+v, %v, want one revoked token", list, err)
		}
	})
}

func TestTokens_a_token_expires(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		now := noon()
		tokens := p.open(t, func() time.Time { return now })
		secret, _, err := tokens.Create(t.Context(), identity.NewToken{Role: commands.RoleAuditor, Days: 2})
		if err != nil {
			t.Fatal(err)
		}
		now = noon().Add(48*time.Hour - time.Second)
		if _, err := tokens.Find(t.Context(), secret); err != nil {
			t.Errorf("a second before: %v", err)
		}
		now = noon().Add(48 * time.Hour)
		if _, err := tokens.Find(t.Context(), secret); !errors.Is(err, identity.ErrUnknown) {
			t.Errorf("on time: %v, want ErrUnknown", err)
		}
	})
}

func TestTokens_the_file_holds_no_token(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tokens := place{dir: dir}.open(t, noon)
	secret, _, err := tokens.Create(t.Context(), identity.NewToken{Role: commands.RoleOperator})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), strings.TrimPrefix(secret, identity.Prefix)) {
			t.Errorf("%s holds the token", file)
		}
	}
}

func TestTokens_what_makes_no_sense_is_refused(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		tokens := p.open(t, noon)
		for name, asked := range map[string]identity.NewToken{
			"no role":                      {},
			"the system is no token":       {Role: "system"},
			"a tenant of nothing":          {Role: commands.RoleTenant},
			"a manager of one tenancy":     {Role: commands.RoleManager, Tenancies: []string{"T1"}},
			"an auditor as contractor":     {Role: commands.RoleAuditor, Contractor: "C1"},
			"an id that is none":           {Role: commands.RoleTenant, Person: "../etc"},
			"for ever":                     {Role: commands.RoleAuditor, Days: identity.DaysMax + 1},
			"for less than no time at all": {Role: commands.RoleAuditor, Days: -1},
		} {
			if _, _, err := tokens.Create(t.Context(), asked); !errors.Is(err, identity.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", name, err)
			}
		}
		for _, secret := range []string{"", "rb_", "rb_" + strings.Repeat("A", 43), strings.Repeat("A", 46)} {
			if _, err := tokens.Find(t.Context(), secret); !errors.Is(err, identity.ErrUnknown) {
				t.Errorf("find %q: %v, want ErrUnknown", secret, err)
			}
		}
		if err := tokens.Revoke(t.Context(), "token-0"); !errors.Is(err, identity.ErrUnknown) {
			t.Errorf("revoke nothing: %v, want ErrUnknown", err)
		}
	})
}

// What a token says comes back as it was made, from whichever storage.
func TestTokens_nothing_is_lost(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		tokens := p.open(t, noon)
		for _, asked := range []identity.NewToken{
			{Role: commands.RoleTenant, Person: "P1", Tenancies: []string{"T1", "T2"}},
			{Role: commands.RoleTenant, Person: "P1"},
			{Role: commands.RoleContractor, Contractor: "C1", Days: 7},
		} {
			secret, made, err := tokens.Create(t.Context(), asked)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // from the storage, then perhaps from memory
				found, err := tokens.Find(t.Context(), secret)
				if diff := cmp.Diff(made, found); err != nil || diff != "" {
					t.Errorf("find: %v, %s", err, diff)
				}
			}
			if list, err := p.open(t, noon).List(t.Context()); err != nil || !slices.ContainsFunc(list, func(l identity.Token) bool { return cmp.Equal(l, made) }) {
				t.Errorf("the list shows %+v, %v, not %+v", list, err, made)
			}
		}
	})
}

// A revocation counts at once where it is made, and 20 ms later everywhere.
func TestTokens_a_revocation_is_noticed_in_time(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		var clock atomic.Int64
		now := func() time.Time { return noon().Add(time.Duration(clock.Load())) }
		here, there := p.open(t, now), p.open(t, now)
		secret, made, err := here.Create(t.Context(), identity.NewToken{Role: commands.RoleAuditor})
		if err != nil {
			t.Fatal(err)
		}
		for _, tokens := range []*identity.Tokens{here, there} {
			clock.Add(int64(time.Microsecond))
			if _, err := tokens.Find(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
		}
		if err := here.Revoke(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		clock.Add(int64(time.Microsecond))
		if _, err := here.Find(t.Context(), secret); !errors.Is(err, identity.ErrUnknown) {
			t.Errorf("where it was revoked: %v, want ErrUnknown at once", err)
		}
		clock.Add(int64(20 * time.Millisecond))
		if _, err := there.Find(t.Context(), secret); !errors.Is(err, identity.ErrUnknown) {
			t.Errorf("elsewhere: %v, want ErrUnknown after 20 ms", err)
		}
		first, err := here.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		clock.Add(int64(time.Hour))
		if err := there.Revoke(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		if again, err := here.List(t.Context()); err != nil || !cmp.Equal(first, again) {
			t.Errorf("revoked again it is %+v, %v, was %+v", again, err, first)
		}
	})
}

// Many requests at once, while tokens come and go: whoever asks after a revocation has returned is
// told.
func TestTokens_used_by_many(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		here, there := p.open(t, time.Now), p.open(t, time.Now)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 10 {
					secret, made, err := there.Create(t.Context(), identity.NewToken{Role: commands.RoleAuditor})
					if err != nil {
						t.Error(err)
						return
					}
					for range 10 {
						if _, err := here.Find(t.Context(), secret); err != nil {
							t.Errorf("find: %v", err)
						}
					}
					if err := here.Revoke(t.Context(), made.ID); err != nil {
						t.Error(err)
					}
					if _, err := here.Find(t.Context(), secret); !errors.Is(err, identity.ErrUnknown) {
						t.Errorf("after it was revoked: %v, want ErrUnknown", err)
					}
				}
			})
		}
		all.Wait()
	})
}

func TestCopy(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, p place) {
		everywhere(t, func(t *testing.T, other place) {
			from, to := p.another(t).open(t, noon), other.open(t, noon)
			secret, made, err := from.Create(t.Context(), identity.NewToken{Role: commands.RoleTenant, Tenancies: []string{"T1"}})
			if err != nil {
				t.Fatal(err)
			}
			gone, revoked, err := from.Create(t.Context(), identity.NewToken{Role: commands.RoleManager})
			if err != nil {
				t.Fatal(err)
			}
			own, _, err := to.Create(t.Context(), identity.NewToken{Role: commands.RoleOperator})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := identity.Copy(t.Context(), from, to); err != nil {
					t.Fatal(err)
				}
			}
			if found, err := to.Find(t.Context(), secret); err != nil || !cmp.Equal(found, made) {
				t.Errorf("the copy is %+v, %v, want %+v", found, err, made)
			}
			if _, err := to.Find(t.Context(), own); err != nil {
				t.Errorf("a token that was there: %v", err)
			}
			if _, err := to.Find(t.Context(), gone); err != nil {
				t.Errorf("before it is revoked: %v", err)
			}
			if err := errors.Join(from.Revoke(t.Context(), revoked.ID), to.Revoke(t.Context(), made.ID)); err != nil {
				t.Fatal(err)
			}
			if err := identity.Copy(t.Context(), from, to); err != nil {
				t.Fatal(err)
			}
			for _, ended := range []string{gone, secret} {
				if _, err := to.Find(t.Context(), ended); !errors.Is(err, identity.ErrUnknown) {
					t.Errorf("a token revoked on either side: %v, want ErrUnknown", err)
				}
			}
			if list, err := to.List(t.Context()); err != nil || len(list) != 3 {
				t.Errorf("%d tokens, %v, want 3", len(list), err)
			}
		})
	})
}

func BenchmarkTokens_Find(b *testing.B) {
	tokens := place{dir: b.TempDir()}.open(b, noon)
	secret, _, err := tokens.Create(b.Context(), identity.NewToken{Role: commands.RoleOperator})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tokens.Find(b.Context(), secret); err != nil {
			b.Fatal(err)
		}
	}
}
