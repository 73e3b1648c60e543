package identity_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rentbook/commands"
	"rentbook/http/identity"
)

func open(t testing.TB, dir string, now func() time.Time) *identity.Tokens {
	t.Helper()
	tokens, err := identity.Open(dir, now)
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
	dir := t.TempDir()
	here, elsewhere := open(t, dir, noon), open(t, dir, noon)

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
}

func TestTokens_a_token_expires(t *testing.T) {
	t.Parallel()
	now := noon()
	tokens := open(t, t.TempDir(), func() time.Time { return now })
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
}

func TestTokens_the_file_holds_no_token(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tokens := open(t, dir, noon)
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
	tokens := open(t, t.TempDir(), noon)
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
}

func BenchmarkTokens_Find(b *testing.B) {
	tokens := open(b, b.TempDir(), noon)
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
