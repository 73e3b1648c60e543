package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"rentbook/eventstore"
	"rentbook/eventstore/sqlite"
)

// TestLog_NoticesAByteThatIsNotWhatWasRecorded changes one byte of an event in the file: SQLite
// itself would not notice.
func TestLog_NoticesAByteThatIsNotWhatWasRecorded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := open(t, dir, sqlite.Options{})
	id := uuid.MustParse("0198a1de-0000-7000-8000-000000000001")
	_, err := log.Append(t.Context(), "test-1", 0, eventstore.Proposed{
		ID: id, Type: "test.happened.v1", Data: []byte(`{"amount":"450.00"}`),
		Metadata: eventstore.Metadata{Command: id, Correlation: id, Causation: id, Authority: "a letter"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "log.db")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{{"450.00", "950.00"}, {"a letter", "a Letter"}} {
		damaged := bytes.Replace(whole, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(damaged, whole) {
			t.Fatalf("%q is not in the file", change[0])
		}
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		log := open(t, dir, sqlite.Options{})
		var failed error
		for _, err := range log.Read(t.Context(), "test-1", 0) {
			failed = err
		}
		if failed == nil || !strings.Contains(failed.Error(), "the event at position 1 is not what was recorded") {
			t.Errorf("%q became %q: got %v", change[0], change[1], failed)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
