package commands

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/eventstore"
)

// docs/events.md is written by this test from the facts themselves: go test ./commands -run
// Catalogue -update.
var updateCatalogue = flag.Bool("update", false, "write docs/events.md anew")

const catalogue = "../docs/events.md"

const catalogueHead = `<!-- Written by go test ./commands -run Catalogue -update. Do not edit. -->

# Events

Every fact that Rentbook records, as it stands in the log. A name and its form never change: what must
change becomes a new event with a new name, and what was recorded under the old one is read for ever.
The examples come from the golden files in [commands/testdata/events](../commands/testdata/events), which pin every byte.

Amounts are decimals with the scale of their currency, dates are ` + "`YYYY-MM-DD`" + `, both days of a period included,
instants are RFC 3339 in UTC, to the second.
A sealed field is encrypted with the key named; once that key has been destroyed it reads as erased.
Position, stream, version, time, actor, command, correlation, causation and authority of an event are kept beside it.

| event | stream | when |
| --- | --- | --- |
`

func TestCatalogue(t *testing.T) {
	t.Parallel()
	want := writeCatalogue(t)
	if *updateCatalogue {
		if err := os.WriteFile(catalogue, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/events.md is not current; run go test ./commands -run Catalogue -update (-want +got):\n%s", diff)
	}
}

func writeCatalogue(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	out.WriteString(catalogueHead)
	for _, g := range goldens() {
		name := g.full.EventType()
		anchor := strings.ReplaceAll(name, ".", "")
		fmt.Fprintf(&out, "| [`%s`](#%s) | `%s` | %s |\n", name, anchor, shape(string(g.stream)), g.when)
	}
	for _, g := range goldens() {
		writeEvent(t, &out, g)
	}
	return out.Bytes()
}

func writeEvent(t *testing.T, out *bytes.Buffer, g golden) {
	t.Helper()
	name := g.full.EventType()
	full := readGoldenFile(t, name+".json")
	fmt.Fprintf(out, "\n## %s\n\n%s\nOn `%s`.", name, g.when, shape(string(g.stream)))
	if fact, ok := g.full.(eventstore.Personal); ok {
		key, fields := fact.Personal()
		owner := "the key of its stream"
		if key != "" {
			owner = "the key of `" + shape(key) + "`"
		}
		if len(fields) == 0 {
			fmt.Fprintf(out, " Makes %s.", owner)
		} else {
			fmt.Fprintf(out, " Sealed with %s: %s.", owner, quoted(fields))
		}
	}
	if g.least != nil {
		fmt.Fprintf(out, " May be left out: %s.", quoted(leftOut(t, full, readGoldenFile(t, name+".minimal.json"))))
	}
	sealed := regexp.MustCompile(`"sealed": "[^"]*"`)
	fmt.Fprintf(out, "\n\n```json\n%s```\n", sealed.ReplaceAll(full, []byte(`"sealed": "…"`)))
}

// shape is a stream or key without its id, unless there is only one.
func shape(name string) string {
	if name == string(eventstore.StreamIdentity) {
		return name
	}
	return eventstore.Stream(name).Category() + "-{id}"
}

// leftOut lists the fields that only the complete file has, in its order.
func leftOut(t *testing.T, full, least []byte) []string {
	t.Helper()
	var there map[string]json.RawMessage
	if err := json.Unmarshal(least, &there); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, member := range regexp.MustCompile(`(?m)^  "([a-z_]+)":`).FindAllSubmatch(full, -1) {
		if name := string(member[1]); there[name] == nil {
			names = append(names, name)
		}
	}
	return names
}

func quoted(names []string) string {
	marked := slices.Clone(names)
	for i, name := range marked {
		marked[i] = "`" + name + "`"
	}
	return strings.Join(marked, ", ")
}

func readGoldenFile(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(goldenDir, file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
