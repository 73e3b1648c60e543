package bench

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRun shows that every goal can be measured and is printed, and that what is acknowledged adds
// up. How fast anything is, is not its business.
func TestRun(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	o := Options{Out: &out, Dir: t.TempDir(), Quick: true}
	if testing.Short() {
		o.Only = []string{"g2", "G5", "charge"}
	}
	if err := Run(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	_, table, _ := strings.Cut(out.String(), "goal  ")
	wanted, err := chosen(o.Only)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(table, "\n")
	for _, g := range wanted {
		for _, r := range g.rows {
			if !slices.ContainsFunc(lines, func(line string) bool {
				return strings.HasPrefix(line, g.name+" ") && strings.Contains(line, r.what) && !strings.Contains(line, "FAILED")
			}) {
				t.Errorf("no row for %s, %s in\n%s", g.name, r.what, table)
			}
		}
	}
}

func TestRun_UnknownGoal(t *testing.T) {
	t.Parallel()
	err := Run(t.Context(), Options{Only: []string{"G1", "G99"}})
	if err == nil || !strings.Contains(err.Error(), `"G99"`) {
		t.Errorf("want the goal that does not exist, got %v", err)
	}
}

func TestRow(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		row  *row
		want string
	}{
		"reached":          {&row{sense: atLeast, bound: 0.5, values: []float64{0.4, 0.6, 0.5}}, "0.50\t0.40 to 0.60\tmet"},
		"not reached":      {&row{sense: atLeast, bound: 0.5, values: []float64{0.9, 0.4, 0.3}}, "0.40\t0.30 to 0.90\tMISSED"},
		"kept below":       {&row{sense: atMost, bound: 10, unit: " ms", values: []float64{9, 10}}, "9.50 ms\t9.00 ms to 10.00 ms\tmet"},
		"exceeded":         {&row{sense: atMost, bound: 400, unit: " B", values: []float64{401}}, "401 B\t401 B to 401 B\tMISSED"},
		"without a target": {&row{unit: "/s", values: []float64{7}}, "7/s\t7/s to 7/s\t-"},
		"not measured":     {&row{sense: atLeast}, "-\t-\tFAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.row.result(false); got != test.want {
				t.Errorf("want %q, got %q", test.want, got)
			}
		})
	}
}

func TestSample_Quantiles(t *testing.T) {
	t.Parallel()
	var s sample
	for i := range 101 {
		s.latencies = append(s.latencies, time.Duration(i)*time.Millisecond)
	}
	s.took = time.Second
	if s.p50() != 50 || s.p99() != 99 || s.rate() != 101 {
		t.Errorf("want 50, 99 and 101/s, got %v, %v and %v", s.p50(), s.p99(), s.rate())
	}
}

// The lines of a long account that are compared are as many as on any other.
func TestQuestions_SameLines(t *testing.T) {
	t.Parallel()
	for _, entries := range []int{1_000, 3_000, 100_000} {
		a := longAccount(entries)
		ask := longQuestions(entries)()
		for range 5 {
			q := ask()
			if n := a.lines(q.from, q.to); n != sameLines {
				t.Errorf("account of %d entries, %s to %s: want %d lines, got %d", entries, q.from, q.to, sameLines, n)
			}
		}
	}
}
