package sqlitefile

import (
	"strings"
	"testing"
)

func TestCheckLibrary(t *testing.T) {
	t.Parallel()
	for number, fine := range map[int]bool{3_051_002: false, 3_007_000: false, 3_051_003: true, 3_054_001: true} {
		err := checkLibrary(number)
		if fine != (err == nil) {
			t.Errorf("SQLite %d: %v", number, err)
		}
		if !fine && !strings.Contains(err.Error(), "3.51.3 or newer") {
			t.Errorf("SQLite %d: %v does not say what to do", number, err)
		}
	}
}
