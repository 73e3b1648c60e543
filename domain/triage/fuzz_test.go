package triage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain/triage"
)

// FuzzParse wants no panic, faults for what is refused, and a way to every leaf of what is not.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(ending("outcome: emergency, trade: general, advice: A, hazard: gas")))
	f.Add([]byte(fault(row(4)...)))
	f.Add([]byte("a: &a [*a]\n--- \n# c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := triage.Parse(data)
		if err != nil {
			checkFaults(t, err)
			return
		}
		n := 0
		for leaf := range tree.Leaves() {
			if n++; n > 200 {
				break
			}
			step := walk(t, tree, leaf.Path, answers(leaf.Answers))
			if diff := cmp.Diff(&leaf.Outcome, step.Outcome); diff != "" {
				t.Fatalf("%v:\n%s", leaf.Path, diff)
			}
		}
		if n == 0 {
			t.Error("a tree without outcome")
		}
	})
}

func checkFaults(t *testing.T, err error) {
	t.Helper()
	for _, fault := range faults(t, err) {
		if fault.Line < 1 || fault.Text == "" {
			t.Errorf("%+v says too little", fault)
		}
	}
}

// FuzzImport wants no panic, and that what is accepted loses nothing.
func FuzzImport(f *testing.F) {
	f.Add([]byte(`{"a":{"b":{"c":"D","e":null}}}`))
	f.Add([]byte(`{"a":{"b":["c",{"d":1}],"b":1}}`))
	for _, mapping := range mappings(f) {
		f.Add(mapping)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, _, err := triage.Import(data, options); err != nil {
			checkFaults(t, err)
			return
		}
		roundTrip(t, data)
	})
}
