package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Who may import whom. A pattern that ends in "/..." is a package and all below it; of several that
// fit, the longest counts. A package that none of them knows has no place yet.
func layers() map[string][]string {
	return map[string][]string{
		"domain":     nil,
		"domain/...": {"domain"},

		"domain/repair": {"domain", "domain/clock"},
		"domain/hazard": {"domain", "domain/clock"},

		"eventstore":          nil,
		"eventstore/...":      {"eventstore", "eventstore/sqlite/sqlitefile", "eventstore/pgdb"},
		"eventstore/esdb":     {"eventstore"},
		"eventstore/esdb/...": {"eventstore", "eventstore/esdb/..."},

		"commands": {"domain/...", "eventstore"},

		"projections":          {"domain/...", "eventstore", "projections/database"},
		"projections/database": nil,

		"projections/database/databasetest": {"projections/database"},

		"projections/sqlite":   {"projections/database", "eventstore/sqlite/sqlitefile"},
		"projections/postgres": {"projections/database", "eventstore/pgdb"},

		"http":           {"commands", "projections", "domain/...", "eventstore", "http/..."},
		"http/identity":  {"commands", "domain", "eventstore", "eventstore/sqlite/sqlitefile", "eventstore/pgdb"},
		"http/statement": {"projections", "domain/...", "eventstore"},

		"integrations/photos":             {"domain", "eventstore", "eventstore/sqlite/sqlitefile"},
		"integrations/drs":                {"commands", "domain", "eventstore"},
		"integrations/drs/drstest":        {"commands", "domain"},
		"integrations/drs/drstest/server": {"integrations/drs/drstest"},

		"cmd/rentbook": {
			"domain/...", "commands", "eventstore/...", "projections/...", "http/...", "integrations/...", "cmd/rentbook/...",
		},
		"cmd/rentbook/demo":  {"domain/...", "commands", "eventstore"},
		"cmd/rentbook/bench": {"domain/...", "commands", "eventstore/...", "projections/...", "http/..."},
	}
}

// Who may import what others wrote. Everything else from outside is free.
func drivers() map[string][]string {
	return map[string][]string{
		"zombiezen.com/go/sqlite": {
			"eventstore/sqlite", "eventstore/sqlite/sqlitefile", "eventstore/vault", "projections/sqlite", "http/identity",
			"cmd/rentbook/bench", // what the driver alone can do is what the log is measured against
		},
		"github.com/EventStore/EventStore-Client-Go": {"eventstore/esdb"},
		"google.golang.org/grpc":                     {"eventstore/esdb"},
		"github.com/jackc/pgx": {
			"eventstore/pgdb", "eventstore/vault", "projections/postgres", "http/identity",
		},
		"modernc.org":                        {"cmd/rentbook"}, // pinned beside the driver; doctor names its version
		"github.com/tink-crypto/tink-go":     {"eventstore/vault"},
		"github.com/ThreeDotsLabs":           {"projections"},
		"github.com/danielgtaylor/huma":      {"http"},
		"github.com/go-chi/chi":              {"http"},
		"codeberg.org/go-pdf/fpdf":           {"http/statement"},
		"github.com/alecthomas/kong":         {"cmd/rentbook"},
		"github.com/schollz/progressbar":     {"cmd/rentbook"},
		"github.com/prometheus":              {"projections", "http", "cmd/rentbook/..."},
		"net/http":                           {"http/...", "cmd/rentbook/...", "integrations/..."},
		"go.yaml.in/yaml/v3":                 {"domain/clock", "domain/triage"},
		"github.com/arran4/golang-ical":      {"http"},
		"golang.org/x/image":                 {"integrations/photos", "http/statement"},
		"database/sql":                       nil, // the drivers' own interfaces are faster
		"github.com/shopspring/decimal":      nil, // docs/decisions/0003
		"github.com/stretchr/testify":        nil,
		"github.com/benbjohnson/immutable":   {"domain/..."},
		"github.com/golang/groupcache":       {"commands"},
		"golang.org/x/sys":                   {"eventstore/sqlite/sqlitefile", "eventstore/pgdb", "cmd/rentbook/..."},
		"rentbook/domain/domaintest":         nil,
		"rentbook/eventstore/eventstoretest": nil,
	}
}

// Nothing in the domain knows time of day, chance, storage or context. (The clock itself, time.Now,
// is the linter's business: dates need package time.)
func impure() []string {
	return []string{
		"context", "crypto", "database", "github.com/google/uuid", "io", "log", "math/rand", "net", "os", "sync",
	}
}

const module = "rentbook/"

func TestLayers(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		may, known := ruleFor(name)
		if !known {
			t.Errorf("%s has no place in the table of layers", name)
			continue
		}
		for _, path := range p.Imports {
			if inner, ours := strings.CutPrefix(path, module); ours && !fitsAny(inner, may) {
				t.Errorf("%s must not import %s", name, inner)
			}
		}
	}
}

func TestDrivers(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, path := range p.Imports {
			for driver, may := range drivers() {
				if within(path, driver) && !fitsAny(name, may) && !isTestHelp(name) {
					t.Errorf("%s must not import %s", name, path)
				}
			}
			if within(name, "domain") && !isTestHelp(name) && slices.ContainsFunc(impure(), func(i string) bool { return within(path, i) }) {
				t.Errorf("%s must not import %s: a decision knows nothing but what it is given", name, path)
			}
		}
	}
}

// TestBinary keeps out of the program what only tests need: it would bring their flags along.
func TestBinary(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t, "-deps", ".") {
		if within(p.ImportPath, "testing") || strings.HasPrefix(p.ImportPath, module) && isTestHelp(p.ImportPath) {
			t.Errorf("the program links %s", p.ImportPath)
		}
	}
}

// listed is a package as go list tells of it; Imports are those of what is not a test.
type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T, args ...string) []listed {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...)
	if args[0] == "./..." {
		list.Dir = "../.."
	}
	out, err := list.Output()
	if err != nil {
		exit, _ := errors.AsType[*exec.ExitError](err)
		t.Fatalf("go list: %v\n%s", err, exit.Stderr)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatal("go list found nothing")
	}
	return all
}

// ruleFor is the longest pattern that fits.
func ruleFor(name string) (may []string, known bool) {
	longest := -1
	for pattern, allowed := range layers() {
		length := len(strings.TrimSuffix(pattern, "/...")) * 2
		if pattern == name {
			length++ // its own rule, before that of all below
		}
		if fits(name, pattern) && length > longest {
			longest, may = length, allowed
		}
	}
	return may, longest >= 0
}

func fitsAny(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(name, p) })
}

func fits(name, pattern string) bool {
	above, all := strings.CutSuffix(pattern, "/...")
	return name == above || all && within(name, above)
}

// within says whether a path is another one or below it.
func within(path, above string) bool {
	return path == above || strings.HasPrefix(path, above+"/")
}

// isTestHelp says whether a package is for tests: its name, or that of one above, ends as that of
// httptest does.
func isTestHelp(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(name string) bool { return strings.HasSuffix(name, "test") })
}

func TestRuleFor(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"domain":                       "[]",
		"domain/rent":                  "[domain]",
		"eventstore/sqlite/sqlitefile": "[eventstore eventstore/sqlite/sqlitefile eventstore/pgdb]",
		"elsewhere":                    "none",
	} {
		got := "none"
		if may, known := ruleFor(name); known {
			got = fmt.Sprint(may)
		}
		if got != want {
			t.Errorf("the rule for %s: want %s, got %s", name, want, got)
		}
	}
}
