// Package domaintest checks decisions by example. Together the rows of a decision are its
// specification; go test -v prints their names.
//
// The one rule: a row names a rule, and a decision that holds the rule is pure and can be repeated.
package domaintest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
)

// Example is one row: given these facts, when this is asked, then these facts follow, or a refusal.
type Example[E, A any] struct {
	Name  string
	Given []E
	When  A
	Then  []E
	Err   error
}

// recorder is a noun that knows whether a state has it recorded already.
type recorder[S, E any] interface {
	Recorded(s S) []uint64
	Matches(fact E) bool
}

// Examples runs the rows. On every row it also checks that deciding changed nothing, that deciding
// twice says the same, and that what was decided need not be decided again: the noun recognises
// itself in the recorded fact, or the decision has nothing more to say.
func Examples[S domain.State[S, E], E, A any](t *testing.T, decision func(S, A) ([]E, error), examples ...Example[E, A]) {
	t.Helper()
	for _, example := range examples {
		t.Run(example.Name, func(t *testing.T) {
			t.Parallel()
			check(t, decision, example)
		})
	}
}

func check[S domain.State[S, E], E, A any](t testing.TB, decision func(S, A) ([]E, error), example Example[E, A]) {
	t.Helper()
	given := domain.Fold[S](example.Given...)
	got, err := decision(given, example.When)
	if !errors.Is(err, example.Err) {
		t.Fatalf("refusal: want %v, got %v", example.Err, err)
	}
	if want, ok := errors.AsType[*domain.Refusal](example.Err); ok && want.Field != field(err) {
		t.Errorf("the refusal is about the field %q, want %q", field(err), want.Field)
	}
	if diff := cmp.Diff(example.Then, got); diff != "" {
		t.Fatalf("facts (-want +got):\n%s", diff)
	}
	again, err := decision(given, example.When)
	if diff := cmp.Diff(got, again); diff != "" || !errors.Is(err, example.Err) {
		t.Errorf("deciding twice on one state differs, %v (-first +second):\n%s", err, diff)
	}
	if !reflect.DeepEqual(domain.Fold[S](example.Given...), given) {
		t.Error("deciding has changed the state")
	}
	if len(got) > 0 {
		checkRepeated(t, decision, example)
	}
}

// checkRepeated wants a noun that has become a fact to be known as one.
func checkRepeated[S domain.State[S, E], E, A any](t testing.TB, decision func(S, A) ([]E, error), example Example[E, A]) {
	t.Helper()
	history := append(append([]E{}, example.Given...), example.Then...)
	after := domain.Fold[S](history...)
	var versions []uint64
	noun, ok := any(example.When).(recorder[S, E])
	if ok {
		versions = noun.Recorded(after)
	}
	if len(versions) == 0 {
		if more, err := decision(after, example.When); err != nil || len(more) > 0 {
			t.Errorf("deciding again on what was decided says %v, %v, want nothing", more, err)
		}
		return
	}
	last := versions[len(versions)-1]
	if last <= uint64(len(example.Given)) || last > uint64(len(history)) {
		t.Fatalf("recorded at version %d, want one of the new facts (%d to %d)", last, len(example.Given)+1, len(history))
	}
	if !noun.Matches(history[last-1]) {
		t.Errorf("what was asked does not match the fact that was recorded for it: %v", history[last-1])
	}
}

func field(err error) string {
	if refusal, ok := errors.AsType[*domain.Refusal](err); ok {
		return refusal.Field
	}
	return ""
}
