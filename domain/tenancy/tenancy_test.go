package tenancy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/domaintest"
	"rentbook/domain/tenancy"
)

type (
	setting    = domaintest.Example[tenancy.Event, tenancy.Particulars]
	setTenants = domaintest.Example[tenancy.Event, tenancy.Tenant]
)

func opened() tenancy.Opened {
	return tenancy.Opened{Property: "H1", Kind: "assured", StartsOn: domain.NewDate(2024, 1, 1), Currency: "GBP"}
}

func changed() tenancy.Changed {
	return tenancy.Changed{Property: "H1", Kind: "secure", StartsOn: domain.NewDate(2024, 1, 1), EndsOn: domain.NewDate(2024, 12, 31)}
}

// particulars are those of changed, in a currency.
func particulars(c domain.Currency) tenancy.Particulars {
	e := changed()
	return tenancy.Particulars{Property: e.Property, Kind: e.Kind, StartsOn: e.StartsOn, EndsOn: e.EndsOn, Currency: c}
}

func tenantSet() tenancy.TenantSet {
	return tenancy.TenantSet{
		Person: "P1", Name: domain.NewPersonal("Amara O'Neill"), Email: domain.NewPersonal("a@tenant.example"),
		DateOfBirth: domain.NewPersonal("1952-04-13"), LiableFrom: domain.NewDate(2024, 1, 1),
	}
}

func TestTenancy_Set(t *testing.T) {
	t.Parallel()
	oneDay := opened()
	oneDay.EndsOn = oneDay.StartsOn
	backwards := oneDay
	backwards.EndsOn--
	domaintest.Examples(t, tenancy.Tenancy.Set,
		setting{Name: "opens a tenancy", When: tenancy.Particulars(opened()), Then: []tenancy.Event{opened()}},
		setting{Name: "may be of one day", When: tenancy.Particulars(oneDay), Then: []tenancy.Event{oneDay}},
		setting{Name: "refuses an end before the start", When: tenancy.Particulars(backwards), Err: domain.ErrDates.In("ends_on")},
		setting{
			Name:  "gives the particulars anew",
			Given: []tenancy.Event{opened()}, When: particulars("GBP"), Then: []tenancy.Event{changed()},
		},
		setting{
			Name: "can go back to the first particulars", Given: []tenancy.Event{opened(), changed()},
			When: tenancy.Particulars(opened()),
			Then: []tenancy.Event{tenancy.Changed{Property: "H1", Kind: "assured", StartsOn: domain.NewDate(2024, 1, 1)}},
		},
		setting{
			Name:  "refuses another currency",
			Given: []tenancy.Event{opened()}, When: particulars("EUR"), Err: tenancy.ErrFixedCurrency,
		},
	)
}

func TestParticulars_match_facts_that_say_the_same(t *testing.T) {
	t.Parallel()
	first, second := tenancy.Particulars(opened()), particulars("GBP")
	euros := first
	euros.Currency = "EUR"
	if !first.Matches(opened()) || euros.Matches(opened()) || first.Matches(changed()) {
		t.Error("the first particulars match wrongly")
	}
	if !second.Matches(changed()) || second.Matches(opened()) || second.Matches(tenantSet()) {
		t.Error("the second particulars match wrongly")
	}
}

func TestTenancy_SetTenant(t *testing.T) {
	t.Parallel()
	left := tenantSet()
	left.LiableTo = domain.NewDate(2024, 6, 30)
	backwards := left
	backwards.LiableTo = left.LiableFrom - 1
	other := tenantSet()
	other.Person = "P2"
	domaintest.Examples(t, tenancy.Tenancy.SetTenant,
		setTenants{
			Name:  "records who a tenant is",
			Given: []tenancy.Event{opened()}, When: tenancy.Tenant(tenantSet()), Then: []tenancy.Event{tenantSet()},
		},
		setTenants{
			Name:  "records a joint tenant",
			Given: []tenancy.Event{opened(), tenantSet()}, When: tenancy.Tenant(other), Then: []tenancy.Event{other},
		},
		setTenants{
			Name:  "records that a tenant has left",
			Given: []tenancy.Event{opened(), tenantSet(), other}, When: tenancy.Tenant(left), Then: []tenancy.Event{left},
		},
		setTenants{
			Name:  "refuses an end of liability before its beginning",
			Given: []tenancy.Event{opened()}, When: tenancy.Tenant(backwards), Err: domain.ErrDates.In("liable_to"),
		},
		setTenants{Name: "refuses a tenancy nobody opened", When: tenancy.Tenant(tenantSet()), Err: tenancy.ErrNotOpen},
	)
}

func TestTenant_matches_what_is_left_of_the_same_tenant(t *testing.T) {
	t.Parallel()
	asked := tenancy.Tenant(tenantSet())
	changes := map[string]func(*tenancy.TenantSet){
		"person": func(e *tenancy.TenantSet) { e.Person = "P2" },
		"name":   func(e *tenancy.TenantSet) { e.Name.Text = "Bob" },
		"birth":  func(e *tenancy.TenantSet) { e.DateOfBirth.Text = "1952-04-14" },
		"email":  func(e *tenancy.TenantSet) { e.Email.Text = "" },
		"phone":  func(e *tenancy.TenantSet) { e.Phone.Text = "7" },
		"from":   func(e *tenancy.TenantSet) { e.LiableFrom++ },
		"to":     func(e *tenancy.TenantSet) { e.LiableTo = e.LiableFrom },
	}
	for name, change := range changes {
		recorded := tenantSet()
		change(&recorded)
		if asked.Matches(recorded) {
			t.Errorf("another %s matches", name)
		}
	}
	erased := tenantSet()
	gone := domain.Personal{Erased: true}
	erased.Name, erased.DateOfBirth, erased.Email = gone, gone, gone
	if !asked.Matches(tenantSet()) || !asked.Matches(erased) || asked.Matches(opened()) {
		t.Error("the same tenant, erased or not, does not match, or an opening does")
	}
}

func TestTenantSet_seals_every_personal_field_with_the_key_of_the_person(t *testing.T) {
	t.Parallel()
	key, fields := tenantSet().Personal()
	if key != "person-P1" || len(fields) != 4 {
		t.Errorf("got %s, %v", key, fields)
	}
}

func TestTenancy_knows_the_versions_that_set_each_tenant(t *testing.T) {
	t.Parallel()
	other := tenantSet()
	other.Person = "P2"
	base := domain.Fold[tenancy.Tenancy, tenancy.Event](opened(), tenantSet(), other, changed())
	after := base.Apply(tenantSet())
	asked := tenancy.Tenant(tenantSet())
	if got := asked.Recorded(after); len(got) != 2 || got[0] != 2 || got[1] != 5 {
		t.Errorf("after: %v, want [2 5]", got)
	}
	if got := asked.Recorded(base); len(got) != 1 || got[0] != 2 {
		t.Errorf("before: %v, want [2]", got)
	}
	if got := tenancy.Particulars(opened()).Recorded(after); len(got) != 2 || got[0] != 1 || got[1] != 4 {
		t.Errorf("particulars: %v, want [1 4]", got)
	}
	var none tenancy.Tenancy
	if none.IsOpen() || asked.Recorded(none) != nil || after.Version() != 5 || after.Weight() <= none.Weight() {
		t.Error("a tenancy nobody opened is open, knows tenants or weighs as much as another")
	}
}

func TestEvents_have_names_that_never_change(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range tenancy.Events() {
		got = append(got, e.EventType())
	}
	if diff := cmp.Diff([]string{"tenancy.opened.v1", "tenancy.changed.v1", "tenancy.tenant-set.v1"}, got); diff != "" {
		t.Error(diff)
	}
}
