package calendar_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/calendar"
	"rentbook/domain/domaintest"
)

const (
	monday  = domain.Date(738_885) // any three days will do
	tuesday = monday + 1
	friday  = monday + 4
)

func dates(t testing.TB, days ...domain.Date) calendar.Dates {
	t.Helper()
	d, err := calendar.NewDates(days)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func set(days ...domain.Date) calendar.Event { return calendar.DatesSet{Dates: days} }

type (
	setting = domaintest.Example[calendar.Event, calendar.Dates]
	adding  = domaintest.Example[calendar.Event, domain.Date]
)

func TestCalendar_Set(t *testing.T) {
	t.Parallel()
	domaintest.Examples(t, calendar.Calendar.Set,
		setting{
			Name: "records the days in order and each once",
			When: dates(t, friday, monday, friday), Then: []calendar.Event{set(monday, friday)},
		},
		setting{
			Name:  "replaces what was there",
			Given: []calendar.Event{set(monday)}, When: dates(t, tuesday), Then: []calendar.Event{set(tuesday)},
		},
		setting{
			Name: "can be of no days", Given: []calendar.Event{set(monday)},
			When: dates(t), Then: []calendar.Event{calendar.DatesSet{Dates: []domain.Date{}}},
		},
	)
}

func TestCalendar_Add(t *testing.T) {
	t.Parallel()
	full := calendar.DatesSet{}
	for d := range domain.Date(calendar.DatesMax) {
		full.Dates = append(full.Dates, monday+d)
	}
	domaintest.Examples(t, calendar.Calendar.Add,
		adding{Name: "starts a calendar", When: monday, Then: []calendar.Event{calendar.DateAdded{Date: monday}}},
		adding{
			Name:  "records one day more",
			Given: []calendar.Event{set(monday)}, When: tuesday, Then: []calendar.Event{calendar.DateAdded{Date: tuesday}},
		},
		adding{Name: "says nothing of a day that is there", Given: []calendar.Event{set(monday, tuesday)}, When: tuesday},
		adding{Name: "says nothing of a day that was added", Given: []calendar.Event{calendar.DateAdded{Date: monday}}, When: monday},
		adding{
			Name:  "says nothing of a day that was added and has been taken out since",
			Given: []calendar.Event{calendar.DateAdded{Date: monday}, set(friday)}, When: monday,
		},
		adding{
			Name: "refuses a day more than a calendar holds", Given: []calendar.Event{full},
			When: monday - 1, Err: domain.ErrTooLong.In("dates"),
		},
	)
}

func TestNewDates_refuses_more_days_than_a_calendar_holds(t *testing.T) {
	t.Parallel()
	if _, err := calendar.NewDates(make([]domain.Date, calendar.DatesMax+1)); !errors.Is(err, domain.ErrTooLong) {
		t.Errorf("want %v, got %v", domain.ErrTooLong, err)
	}
}

func TestNewDates_leaves_the_days_it_was_given_as_they_were(t *testing.T) {
	t.Parallel()
	given := []domain.Date{friday, monday}
	dates(t, given...)
	if diff := cmp.Diff([]domain.Date{friday, monday}, given); diff != "" {
		t.Error(diff)
	}
}

func TestCalendar_of_no_days_is_an_empty_list_in_JSON(t *testing.T) {
	t.Parallel()
	facts, err := calendar.Calendar{}.Set(dates(t))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := json.Marshal(facts[0]); err != nil || string(data) != `{"dates":[]}` {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestDates_match_the_same_days_only(t *testing.T) {
	t.Parallel()
	d := dates(t, monday, friday)
	if !d.Matches(set(monday, friday)) || d.Matches(set(monday)) || d.Matches(calendar.DateAdded{Date: monday}) {
		t.Error("they do not")
	}
}

func TestCalendar_holds_the_days_last_set_and_those_added_since(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) domain.Date {
			return monday + domain.Date(rapid.IntRange(0, 20).Draw(t, "day"))
		}), 0, 12)
		var c calendar.Calendar
		want := map[domain.Date]bool{}
		for range rapid.IntRange(0, 8).Draw(t, "facts") {
			if rapid.Bool().Draw(t, "set") {
				all, err := calendar.NewDates(days.Draw(t, "days"))
				if err != nil {
					t.Fatal(err)
				}
				facts, err := c.Set(all)
				if err != nil {
					t.Fatal(err)
				}
				clear(want)
				for _, d := range facts[0].(calendar.DatesSet).Dates {
					want[d] = true
				}
				c = c.Apply(facts[0])
				continue
			}
			added := monday + domain.Date(rapid.IntRange(0, 20).Draw(t, "added"))
			c = c.Apply(calendar.DateAdded{Date: added})
			want[added] = true
		}
		for d := monday - 1; d <= monday+21; d++ {
			if c.Holds(d) != want[d] {
				t.Fatalf("%v: want %v, got %v", d, want[d], c.Holds(d))
			}
		}
	})
}

func TestEvents_have_names_that_never_change(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range calendar.Events() {
		got = append(got, e.EventType())
	}
	if diff := cmp.Diff([]string{"calendar.dates-set.v1", "calendar.date-added.v1"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestCalendar_keeps_its_earlier_states_apart(t *testing.T) {
	t.Parallel()
	base := domain.Fold[calendar.Calendar](set(monday, friday))
	one, two := base.Apply(calendar.DateAdded{Date: tuesday}), base.Apply(calendar.DateAdded{Date: friday + 1})
	if base.Holds(tuesday) || base.Holds(friday+1) || two.Holds(tuesday) || one.Holds(friday+1) || !one.Holds(friday) {
		t.Error("adding a day changes another state")
	}
	if base.Version() != 1 || one.Version() != 2 || !base.Exists() || (calendar.Calendar{}).Exists() || one.Weight() <= base.Weight() {
		t.Errorf("versions %d and %d, weights %d and %d", base.Version(), one.Version(), base.Weight(), one.Weight())
	}
}
