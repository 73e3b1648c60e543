package demo_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Telling again reads each known row's event by itself, which the race detector turns into minutes;
// whether commands may run side by side is for the tests of package commands to find out.
func TestTell_again_records_nothing_and_answers_the_same(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.tell(t)
	recorded := len(w.events(t))
	if diff := cmp.Diff(first, w.tell(t)); diff != "" {
		t.Errorf("the highlights differ:\n%s", diff)
	}
	if again := len(w.events(t)); again != recorded {
		t.Errorf("want %d events, got %d", recorded, again)
	}
}
