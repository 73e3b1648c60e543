package main

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	nethttp "net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, "import", "--data", data, filepath.Join("testdata", "portfolio", "import"))
	bad := folderOf(t, map[string]string{"calendars.csv": "calendar,date\nfree,2026-02-30\nfree,2026-03-02\n"})
	for name, row := range map[string]struct {
		args []string
		code int
		said string
	}{
		"help":                        {[]string{"--help"}, exitDone, ""},
		"an unknown command":          {[]string{"frobnicate"}, exitUsage, "frobnicate"},
		"a missing flag":              {[]string{"charge", "--data", data}, exitUsage, "--through"},
		"no such account":             {[]string{"statement", "NOPE", "--data", data, "--from", "2026-01-01", "--to", "2026-01-31"}, exitRefused, "there is no account NOPE"},
		"no such date":                {[]string{"statement", "A-weekly", "--data", data, "--from", "2026-02-30", "--to", "2026-03-31"}, exitUsage, `--from "2026-02-30" is not a date that exists`},
		"a range backwards":           {[]string{"statement", "A-weekly", "--data", data, "--from", "2026-02-02", "--to", "2026-02-01"}, exitUsage, "--to is before --from"},
		"a known at beyond the log":   {[]string{"statement", "A-weekly", "--data", data, "--from", "2026-02-01", "--to", "2026-02-01", "--known-at", "99999"}, exitRefused, "--known-at"},
		"a known at in the future":    {[]string{"statement", "A-weekly", "--data", data, "--from", "2026-02-01", "--to", "2026-02-01", "--known-at", "2999-01-01T00:00:00Z"}, exitRefused, "is not in the past"},
		"a charge far ahead":          {[]string{"charge", "--data", data, "--through", "2999-01-01"}, exitRefused, "400 days"},
		"a refused row":               {[]string{"import", "--data", data, bad}, exitRefused, `calendars.csv:2: date "2026-02-30": is not a date that exists`},
		"a folder with nothing in it": {[]string{"import", "--data", data, t.TempDir()}, exitRefused, "holds none of"},
		"no such path":                {[]string{"import", "--data", data, "/no/such/path"}, exitRefused, "no such file"},
		"no log":                      {[]string{"verify", "--data", t.TempDir()}, exitRefused, "there is no log.db in"},
		"no such stream":              {[]string{"history", "rentAccount-NOPE", "--data", data}, exitRefused, "nothing is recorded"},
		"another host without TLS":    {[]string{"serve", "--data", data, "--addr", "0.0.0.0:0"}, exitUsage, "--tls-cert"},
		"an unknown view":             {[]string{"rebuild", "--data", data, "nope"}, exitUsage, "nope"},
		"an unknown zone":             {[]string{"doctor", "--data", data, "--time-zone", "Mars/Olympus"}, exitUsage, "Mars/Olympus"},
		"a demo in a folder of use":   {[]string{"demo", "--data", data}, exitRefused, "is not empty"},
		"a token for no role":         {[]string{"token", "create", "--data", data, "--role", "king"}, exitUsage, "king"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := rentbook(t, row.args...)
			if code != row.code || !strings.Contains(stderr, row.said) {
				t.Errorf("exit %d, want %d, and a word of %q:\n%s", code, row.code, row.said, stderr)
			}
		})
	}
}

func TestHistoryAndExport_ShowEveryEvent(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, "import", "--data", data, filepath.Join("testdata", "portfolio", "import"))
	history := must(t, "history", "rentAccount-A-weekly", "--data", data)
	if !strings.Contains(history, "by cli (operator), imported, as found in tenancies.csv line 2, file digest sha256:") {
		t.Errorf("the history does not say where its first event comes from:\n%.400s", history)
	}
	all := strings.Count(must(t, "export", "--data", data), "\n")
	after := must(t, "export", "--data", data, "--after", "3", "--format", "cloudevents")
	if got := strings.Count(after, "\n"); got != all-3 {
		t.Errorf("%d events after position 3 of %d", got, all)
	}
	var event map[string]any
	first, _, _ := strings.Cut(after, "\n")
	if err := json.Unmarshal([]byte(first), &event); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"specversion", "id", "source", "type", "subject", "time", "sequence", "data"} {
		if event[name] == nil {
			t.Errorf("a CloudEvent without %s: %s", name, first)
		}
	}
	if strings.Contains(must(t, "export", "--data", data), "Björn") {
		t.Error("the export shows a name")
	}
}

func TestTokens_WorkUntilTheyAreRevoked(t *testing.T) {
	t.Parallel()
	everywhere(t, tokensWorkUntilTheyAreRevoked)
}

func tokensWorkUntilTheyAreRevoked(t *testing.T, fresh func() place) {
	data := fresh()
	data.must("import", portfolioFolder())
	s := startServer(data)
	s.token = strings.TrimSpace(data.must("token", "create", "--role", "auditor"))
	s.get("/api/v1/accounts/A-weekly")
	list := data.must("token", "list")
	id := regexp.MustCompile(`token-\w+`).FindString(strings.Split(list, "auditor")[0][strings.LastIndex(strings.Split(list, "auditor")[0], "\n"):])
	if strings.Contains(list, s.token) || id == "" {
		t.Fatalf("the list shows a token, or none at all:\n%s", list)
	}
	data.must("token", "revoke", id)
	if a := s.do("GET", "/api/v1/accounts/A-weekly", nil); a.status != nethttp.StatusUnauthorized {
		t.Errorf("a revoked token: %d", a.status)
	}
}

func TestDataDirectory_RefusesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("testdata", "portfolio", "import")
	mine, other := t.TempDir(), t.TempDir()
	must(t, "import", "--data", mine, folder)
	must(t, "import", "--data", other, folder)
	must(t, "verify", "--data", mine)
	must(t, "verify", "--data", other)

	t.Run("the views of another log", func(t *testing.T) {
		data := copyOf(t, mine)
		replace(t, filepath.Join(other, "views.db"), filepath.Join(data, "views.db"))
		refused(t, data, "views.db")
	})
	t.Run("the vault of another log", func(t *testing.T) {
		data := copyOf(t, mine)
		replace(t, filepath.Join(other, "vault.db"), filepath.Join(data, "vault.db"))
		replace(t, filepath.Join(other, "master.key"), filepath.Join(data, "master.key"))
		refused(t, data, "it belongs to another log")
	})
	t.Run("another master key", func(t *testing.T) {
		data := copyOf(t, mine)
		replace(t, filepath.Join(other, "master.key"), filepath.Join(data, "master.key"))
		refused(t, data, "master key")
	})
	t.Run("a log that is shorter than its views", func(t *testing.T) {
		data := copyOf(t, mine)
		must(t, "charge", "--data", mine, "--through", "2026-10-31")
		must(t, "verify", "--data", mine)
		replace(t, filepath.Join(mine, "views.db"), filepath.Join(data, "views.db"))
		refused(t, data, "views.db")
	})
	t.Run("no vault", func(t *testing.T) {
		data := copyOf(t, mine)
		if err := os.Remove(filepath.Join(data, "vault.db")); err != nil {
			t.Fatal(err)
		}
		refused(t, data, "no vault.db")
	})
	t.Run("no log", func(t *testing.T) {
		data := copyOf(t, mine)
		if err := os.Remove(filepath.Join(data, "log.db")); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := rentbook(t, "import", "--data", data, folder)
		if _, err := os.Stat(filepath.Join(data, "log.db")); code != exitRefused || err == nil || !strings.Contains(stderr, "no log.db") {
			t.Errorf("exit %d, log.db: %v\n%s", code, err, stderr)
		}
	})
	t.Run("a file that is no database", func(t *testing.T) {
		data := copyOf(t, mine)
		if err := os.WriteFile(filepath.Join(data, "log.db"), bytes.Repeat([]byte("no database "), 999), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, data, "log.db")
	})
	t.Run("a file where a folder should be", func(t *testing.T) {
		code, _, stderr := rentbook(t, "import", "--data", filepath.Join(mine, "log.db"), folder)
		if code != exitRefused || !strings.Contains(stderr, "log.db") {
			t.Errorf("exit %d:\n%s", code, stderr)
		}
	})
}

// refused wants the data directory to be refused with a sentence.
func refused(t *testing.T, data, word string) {
	t.Helper()
	code, _, stderr := rentbook(t, "verify", "--data", data)
	if code != exitRefused || !strings.Contains(stderr, word) {
		t.Errorf("exit %d, want 1 and a word of %q:\n%s", code, word, stderr)
	}
	t.Log(strings.TrimSpace(stderr))
}

// copyOf copies a data directory that nobody has open.
func copyOf(t *testing.T, data string) string {
	t.Helper()
	folder := t.TempDir()
	entries, err := os.ReadDir(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		replace(t, filepath.Join(data, entry.Name()), filepath.Join(folder, entry.Name()))
	}
	return folder
}

func replace(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDemo_ItsCommandsWorkWhenPasted runs what the demo prints.
func TestDemo_ItsCommandsWorkWhenPasted(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	demo := program(ctx, "demo", "--addr", "127.0.0.1:0", "--log-level", "error")
	demo.Cancel = func() error { return demo.Process.Signal(unix.SIGTERM) }
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	tour := readUntil(t, out, "rentbook verify")
	calls := regexp.MustCompile(`curl -s -H 'Authorization: Bearer (\S+)' \\\n\s+'(http\S+)'`).FindAllStringSubmatch(tour, -1)
	if len(calls) < 11 {
		t.Fatalf("the demo prints %d calls:\n%s", len(calls), tour)
	}
	want := map[string][]string{ // in what the calls about repairs answer
		"/repairs/R1/timeline":      {"Nobody let the contractor in", "The tenant disputes", "Confirmed fixed by the tenant, rated 4 of 5."},
		"/repairs/R2":               {`"state":"scheduled"`, `"action":"rebook"`, `"action":"cancel"`},
		"/contractors/C1/diary":     {`"repair":"R2"`, "Flat 3, Alder House"},
		"/hazards":                  {`"hazard":"HZ1"`, `"hazard":"R29:hazard"`, `"clock":"investigate"`},
		"/performance":              {`"completed":7`, `"reopened":{"count":1`, `"recalled":{"count":1`},
		"/tenancies/T1003/timeline": {`"kind":"rent"`, `"kind":"repair"`, `"repair":"R1"`, `"repair":"R2"`},
	}
	for _, call := range calls {
		s := server{t: t, token: call[1]}
		body := s.get(call[2])
		if len(body) < 100 {
			t.Errorf("%s answers %q", call[2], body)
		}
		_, path, _ := strings.Cut(call[2], "/api/v1")
		path, _, _ = strings.Cut(path, "?")
		for _, part := range want[path] {
			if !strings.Contains(string(body), part) {
				t.Errorf("%s answers without %s: %s", call[2], part, body)
			}
		}
		delete(want, path)
	}
	if len(want) > 0 {
		t.Errorf("the demo prints no call of %v", slices.Sorted(maps.Keys(want)))
	}
	folder := regexp.MustCompile(`verify --data (\S+)`).FindStringSubmatch(tour)[1]
	if out := must(t, "verify", "--data", folder); !strings.Contains(out, "agree") {
		t.Errorf("verify beside the demo said %q", out)
	}
	stop()
	_ = demo.Wait()
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the demo left %s behind: %v", folder, err)
	}
}

func readUntil(t *testing.T, out interface{ Read([]byte) (int, error) }, word string) string {
	t.Helper()
	var all []byte
	part := make([]byte, 4096)
	for !bytes.Contains(all, []byte(word)) {
		n, err := out.Read(part)
		all = append(all, part[:n]...)
		if err != nil {
			t.Fatalf("the output ended with %v:\n%s", err, all)
		}
	}
	return string(all)
}
