package property_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/domaintest"
	"rentbook/domain/property"
)

type describing = domaintest.Example[property.Event, property.Description]

func TestProperty_Describe(t *testing.T) {
	t.Parallel()
	home := property.Described{Kind: "home", Parent: "B1", Address: "1 Canal Row", Postcode: "LN1 1QX", Locality: "north"}
	moved := home
	moved.Parent = "B2"
	domaintest.Examples(t, property.Property.Describe,
		describing{Name: "records what a property is", When: property.Description(home), Then: []property.Event{home}},
		describing{
			Name:  "records what it is from here on",
			Given: []property.Event{home}, When: property.Description(moved), Then: []property.Event{moved},
		},
		describing{
			Name:  "can go back to what it was",
			Given: []property.Event{home, moved}, When: property.Description(home), Then: []property.Event{home},
		},
	)
}

func TestDescription_matches_the_same_description_only(t *testing.T) {
	t.Parallel()
	home := property.Described{Kind: "home", Address: "1 Canal Row", Postcode: "LN1 1QX"}
	other := home
	other.Locality = "north"
	if d := property.Description(home); !d.Matches(home) || d.Matches(other) {
		t.Error("it does not")
	}
}

func TestProperty_exists_once_described_and_counts_its_facts(t *testing.T) {
	t.Parallel()
	var none property.Property
	p := domain.Fold[property.Property, property.Event](property.Described{}, property.Described{})
	if none.Exists() || none.Version() != 0 || !p.Exists() || p.Version() != 2 {
		t.Errorf("none %v, %d; described twice %v, %d", none.Exists(), none.Version(), p.Exists(), p.Version())
	}
	if p.Weight() <= none.Weight() {
		t.Error("history weighs nothing")
	}
}

func TestProperty_keeps_its_earlier_states_apart(t *testing.T) {
	t.Parallel()
	var d property.Description
	base := domain.Fold[property.Property, property.Event](property.Described{}, property.Described{}, property.Described{})
	one := base.Apply(property.Described{})
	_ = one.Apply(property.Described{}).Apply(property.Described{})
	two := base.Apply(property.Described{})
	if got := d.Recorded(base); len(got) != 3 {
		t.Errorf("the first state now has %v", got)
	}
	if a, b := d.Recorded(one), d.Recorded(two); a[3] != 4 || b[3] != 4 {
		t.Errorf("got %v and %v", a, b)
	}
}

func TestKinds_are_those_of_the_import(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff([]string{"home", "block", "estate"}, property.Kinds()); diff != "" {
		t.Error(diff)
	}
}

func TestEvents_have_names_that_never_change(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range property.Events() {
		got = append(got, e.EventType())
	}
	if diff := cmp.Diff([]string{"property.described.v1"}, got); diff != "" {
		t.Error(diff)
	}
}
