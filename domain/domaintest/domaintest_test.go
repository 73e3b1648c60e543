package domaintest

import (
	"runtime"
	"testing"

	"rentbook/domain"
)

// tally counts, and can be told to break each promise.
type tally struct{ sum, version int }

func (c tally) Apply(n int) tally { return tally{sum: c.sum + n, version: c.version + 1} }

type amount struct{ n int }

var errNegative = &domain.Refusal{Code: "negative", Field: "n"}

func raiseTo(c tally, a amount) ([]int, error) {
	switch {
	case a.n < 0:
		return nil, errNegative
	case c.sum >= a.n:
		return nil, nil
	}
	return []int{a.n - c.sum}, nil
}

// known is an amount that claims to be recorded at a version, as a fact or not.
type known struct {
	amount
	version uint64
	matches bool
}

func (k known) Recorded(tally) []uint64 { return []uint64{k.version} }
func (k known) Matches(int) bool        { return k.matches }

// failed says whether a check fails.
func failed(run func(t testing.TB)) bool {
	probe := &probeT{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(probe)
	}()
	<-done
	return probe.failed
}

type probeT struct {
	testing.TB
	failed bool
}

func (p *probeT) Helper()               {}
func (p *probeT) Error(...any)          { p.failed = true }
func (p *probeT) Errorf(string, ...any) { p.failed = true }
func (p *probeT) Fatalf(string, ...any) { p.failed = true; runtime.Goexit() }

func TestExamples_holds_for_a_decision_that_is_pure_and_repeatable(t *testing.T) {
	t.Parallel()
	Examples(t, raiseTo,
		Example[int, amount]{Name: "records the difference", Given: []int{1}, When: amount{3}, Then: []int{2}},
		Example[int, amount]{Name: "says nothing when there is enough", Given: []int{3}, When: amount{3}},
		Example[int, amount]{Name: "refuses less than nothing", When: amount{-1}, Err: errNegative},
	)
}

func TestExamples_finds_every_broken_promise(t *testing.T) {
	t.Parallel()
	calls := 0
	row := Example[int, amount]{When: amount{3}, Then: []int{3}}
	knownRow := func(k known) Example[int, known] {
		return Example[int, known]{Given: []int{1}, When: k, Then: []int{2}}
	}
	raiseKnown := func(c tally, k known) ([]int, error) { return raiseTo(c, k.amount) }
	for name, run := range map[string]func(testing.TB){
		"other facts": func(t testing.TB) { check(t, raiseTo, Example[int, amount]{When: amount{3}, Then: []int{4}}) },
		"a refusal where facts were wanted": func(t testing.TB) {
			check(t, raiseTo, Example[int, amount]{When: amount{-1}, Then: []int{4}})
		},
		"facts where a refusal was wanted": func(t testing.TB) {
			check(t, raiseTo, Example[int, amount]{When: amount{3}, Err: errNegative})
		},
		"a refusal about another field": func(t testing.TB) {
			check(t, raiseTo, Example[int, amount]{When: amount{-1}, Err: errNegative.In("m")})
		},
		"another answer the second time": func(t testing.TB) {
			check(t, func(tally, amount) ([]int, error) {
				calls++
				if calls > 1 {
					return nil, nil
				}
				return []int{3}, nil
			}, row)
		},
		"more to say once it is recorded": func(t testing.TB) {
			check(t, func(_ tally, a amount) ([]int, error) { return []int{a.n}, nil }, row)
		},
		"a noun recorded as an older fact": func(t testing.TB) {
			check(t, raiseKnown, knownRow(known{amount: amount{3}, version: 1, matches: true}))
		},
		"a noun that does not know its fact": func(t testing.TB) {
			check(t, raiseKnown, knownRow(known{amount: amount{3}, version: 2}))
		},
	} {
		if !failed(run) {
			t.Errorf("not found: %s", name)
		}
	}
	if failed(func(t testing.TB) {
		check(t, raiseKnown, knownRow(known{amount: amount{3}, version: 2, matches: true}))
	}) {
		t.Error("a noun that knows its fact fails")
	}
}

type mutable struct{ seen *int }

func (m mutable) Apply(int) mutable {
	if m.seen == nil {
		m.seen = new(int)
	}
	return m
}

func TestExamples_finds_a_decision_that_changes_the_state(t *testing.T) {
	t.Parallel()
	if !failed(func(t testing.TB) {
		check(t, func(m mutable, _ amount) ([]int, error) {
			*m.seen++
			return nil, nil
		}, Example[int, amount]{Given: []int{1}})
	}) {
		t.Error("not found")
	}
}
