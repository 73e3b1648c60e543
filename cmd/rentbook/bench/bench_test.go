package bench

import (
	"strings"
	"testing"
)

// TestRun shows that everything can be measured and is printed; how fast is not its business.
func TestRun(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := Run(t.Context(), Options{Out: &out, Dir: t.TempDir(), Quick: true}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	t.Log(out.String())
}
