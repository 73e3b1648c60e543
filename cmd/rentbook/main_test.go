package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"rentbook/eventstore/pgdb/pgtest"
)

// asProgram makes a run of the test binary a run of the program: tests that kill it need a process
// of their own.
const asProgram = "RENTBOOK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(process(os.Args[1:]))
	}
	os.Exit(pgtest.Main(m).Run())
}

// program is the command line in a process of its own.
func program(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, os.Args[0], args...)
	command.Env = append(os.Environ(), asProgram+"=1")
	return command
}

// rentbook runs the command line in this process.
func rentbook(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, said bytes.Buffer
	code = run(t.Context(), args, &out, &said, func(code int) { t.Errorf("the program ended with %d", code) })
	return code, out.String(), said.String()
}

// must is what a command printed that had to succeed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := rentbook(t, args...)
	if code != exitDone {
		t.Fatalf("rentbook %s: exit %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// content is the log as `export` has it, without what two logs of the same content may differ in:
// the first event, recorded times, positions, correlation and sealed bytes.
func content(p place) []string {
	t := p.t
	t.Helper()
	var lines []string
	for line := range strings.Lines(p.must("export")) {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"recorded_at", "position", "correlation"} {
			delete(event, name)
		}
		unseal(event["data"])
		kept, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(kept))
	}
	if len(lines) == 0 {
		return nil
	}
	lines = lines[1:]
	if p.eventStore != "" { // rows of one file are in order there for each stream
		slices.Sort(lines)
	}
	return lines
}

func unseal(value any) {
	object, ok := value.(map[string]any)
	if !ok {
		return
	}
	for _, inner := range object {
		unseal(inner)
	}
	if _, ok := object["sealed"]; ok {
		object["sealed"] = "…"
	}
}
