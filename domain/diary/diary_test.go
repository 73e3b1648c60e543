package diary_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/diary"
	"rentbook/domain/domaintest"
)

type (
	holding    = domaintest.Example[diary.Event, diary.Hold]
	confirming = domaintest.Example[diary.Event, diary.Confirm]
	releasing  = domaintest.Example[diary.Event, diary.Release]
)

const morning domain.ID = "2026-11-23.0800-1200"

func at(minutes int) time.Time {
	return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func held(repair domain.ID, until int) diary.SlotHeld {
	return diary.SlotHeld{Repair: repair, Slot: morning, Until: at(until)}
}

func confirmed(repair domain.ID) diary.SlotConfirmed {
	return diary.SlotConfirmed{Repair: repair, Slot: morning}
}

func released(repair domain.ID) diary.SlotReleased {
	return diary.SlotReleased{Repair: repair, Slot: morning, Why: "rebooked"}
}

func hold(repair domain.ID, capacity, now, until int) diary.Hold {
	return diary.Hold{Repair: repair, Slot: morning, Capacity: capacity, Now: at(now), Until: at(until)}
}

func confirm(repair domain.ID, capacity, now int) diary.Confirm {
	return diary.Confirm{Repair: repair, Slot: morning, Capacity: capacity, Now: at(now)}
}

func given(facts ...diary.Event) []diary.Event { return facts }

func TestDay_Hold(t *testing.T) {
	t.Parallel()
	elsewhere := diary.SlotConfirmed{Repair: "R9", Slot: "2026-11-23.1300-1700"}
	sloppy := hold("R1", 1, 0, 10)
	sloppy.Until = sloppy.Until.Add(time.Millisecond).In(time.FixedZone("CET", 3600))
	domaintest.Examples(t, diary.Day.Hold,
		holding{Name: "takes a free place", When: hold("R1", 1, 0, 10), Then: given(held("R1", 10))},
		holding{Name: "is held until a whole second of UTC", When: sloppy, Then: given(held("R1", 10))},
		holding{Name: "leaves other slots alone", Given: given(elsewhere), When: hold("R1", 1, 0, 10), Then: given(held("R1", 10))},
		holding{
			Name:  "takes the second place of two",
			Given: given(held("R1", 10)), When: hold("R2", 2, 5, 15), Then: given(held("R2", 15)),
		},
		holding{Name: "refuses a place that is held", Given: given(held("R1", 10)), When: hold("R2", 1, 9, 19), Err: diary.ErrSlotGone},
		holding{Name: "refuses a place that is confirmed", Given: given(confirmed("R1")), When: hold("R2", 1, 900, 910), Err: diary.ErrSlotGone},
		holding{
			Name:  "takes a place whose hold is over at that instant",
			Given: given(held("R1", 10)), When: hold("R2", 1, 10, 20), Then: given(held("R2", 20)),
		},
		holding{
			Name:  "takes a place that was released",
			Given: given(confirmed("R1"), released("R1")), When: hold("R2", 1, 0, 10), Then: given(held("R2", 10)),
		},
		holding{Name: "refuses a slot without places", When: hold("R1", 0, 0, 10), Err: diary.ErrSlotGone},
		holding{Name: "says nothing of a hold that lasts as long", Given: given(held("R1", 10)), When: hold("R1", 1, 5, 10)},
		holding{Name: "says nothing of a minute more", Given: given(held("R1", 10)), When: hold("R1", 1, 5, 11)},
		holding{Name: "never shortens a hold", Given: given(held("R1", 10)), When: hold("R1", 1, 5, 6)},
		holding{
			Name:  "holds for longer, whatever places there are now",
			Given: given(held("R1", 10), confirmed("R2")), When: hold("R1", 1, 5, 15), Then: given(held("R1", 15)),
		},
		holding{Name: "says nothing of a confirmed place", Given: given(confirmed("R1")), When: hold("R1", 1, 5, 15)},
		holding{
			Name:  "holds again what was over, if there is room",
			Given: given(held("R1", 10)), When: hold("R1", 1, 20, 30), Then: given(held("R1", 30)),
		},
		holding{
			Name:  "refuses to hold again what was over and is taken",
			Given: given(held("R1", 10), held("R2", 30)), When: hold("R1", 1, 20, 30), Err: diary.ErrSlotGone,
		},
		holding{Name: "refuses a hold that is over already", When: hold("R1", 1, 10, 10), Err: diary.ErrUntil},
	)
}

func TestDay_Confirm(t *testing.T) {
	t.Parallel()
	domaintest.Examples(t, diary.Day.Confirm,
		confirming{Name: "gives the place that is held", Given: given(held("R1", 10)), When: confirm("R1", 1, 9), Then: given(confirmed("R1"))},
		confirming{
			Name:  "keeps the promise of a hold where the slot has become smaller",
			Given: given(held("R1", 10), confirmed("R2")), When: confirm("R1", 1, 9), Then: given(confirmed("R1")),
		},
		confirming{Name: "says nothing of what is confirmed", Given: given(held("R1", 10), confirmed("R1")), When: confirm("R1", 1, 900)},
		confirming{
			Name:  "gives a place whose hold is over while nobody else needs it",
			Given: given(held("R1", 10)), When: confirm("R1", 1, 10), Then: given(confirmed("R1")),
		},
		confirming{
			Name:  "refuses a place whose hold is over and which somebody else holds",
			Given: given(held("R1", 10), held("R2", 30)), When: confirm("R1", 1, 20), Err: diary.ErrHoldExpired,
		},
		confirming{Name: "gives a place that was never held while there is room", When: confirm("R1", 1, 0), Then: given(confirmed("R1"))},
		confirming{Name: "refuses a place that was never held and is taken", Given: given(confirmed("R2")), When: confirm("R1", 1, 0), Err: diary.ErrHoldExpired},
		confirming{Name: "refuses a place that was released and is taken", Given: given(held("R1", 99), released("R1"), held("R2", 99)), When: confirm("R1", 1, 0), Err: diary.ErrHoldExpired},
	)
}

func TestDay_Release(t *testing.T) {
	t.Parallel()
	release := diary.Release(released("R1"))
	domaintest.Examples(t, diary.Day.Release,
		releasing{Name: "gives a held place back", Given: given(held("R1", 10)), When: release, Then: given(released("R1"))},
		releasing{Name: "gives a confirmed place back", Given: given(confirmed("R1"), confirmed("R2")), When: release, Then: given(released("R1"))},
		releasing{Name: "says nothing where nothing is held", Given: given(confirmed("R2")), When: release},
		releasing{Name: "says nothing the second time", Given: given(held("R1", 10), released("R1")), When: release},
		releasing{Name: "wants to know why", Given: given(held("R1", 10)), When: diary.Release{Repair: "R1", Slot: morning}, Err: domain.ErrMissing.In("why")},
	)
}

func TestDay_shows_who_has_which_place(t *testing.T) {
	t.Parallel()
	day := domain.Fold[diary.Day, diary.Event](
		held("R2", 10), confirmed("R1"), diary.SlotHeld{Repair: "R3", Slot: "2026-11-23.1300-1700", Until: at(10)}, held("R2", 12),
	)
	want := []diary.Occupant{{Repair: "R1", Confirmed: true}, {Repair: "R2", Until: at(12)}}
	if diff := cmp.Diff(want, day.Occupants(morning)); diff != "" {
		t.Error(diff)
	}
	for now, want := range map[int]int{11: 1, 12: 2} {
		if got := day.Free(morning, 3, at(now)); got != want {
			t.Errorf("free after %d minutes: %d, want %d", now, got, want)
		}
	}
	if day.Free(morning, 0, at(0)) != 0 || day.Free("x", 3, at(0)) != 3 || day.Occupants("x") != nil {
		t.Error("a slot without places or without occupants is counted wrongly")
	}
	if day.Version() != 4 || day.Weight() <= (diary.Day{}).Weight() {
		t.Error("the version is not the number of facts, or occupants weigh nothing")
	}
	if got := diary.StreamID("C1", domain.NewDate(2026, 11, 23)); got != "C1:2026-11-23" {
		t.Errorf("the stream is %s", got)
	}
}

func TestNouns_can_be_asked_any_number_of_times(t *testing.T) {
	t.Parallel()
	day := domain.Fold[diary.Day, diary.Event](held("R1", 10), confirmed("R1"), released("R1"))
	if (diary.Hold{}).Recorded(day) != nil || (diary.Confirm{}).Recorded(day) != nil || (diary.Release{}).Recorded(day) != nil {
		t.Error("a noun takes itself for recorded")
	}
	if (diary.Hold{}).Matches(held("R1", 10)) || (diary.Confirm{}).Matches(confirmed("R1")) || (diary.Release{}).Matches(released("R1")) {
		t.Error("a noun takes a fact for itself")
	}
}

func TestDay_Hold_of_a_hundred_has_as_many_winners_as_places(t *testing.T) {
	t.Parallel()
	for capacity := range 5 {
		var day diary.Day
		won := 0
		for i := range 100 {
			facts, err := day.Hold(hold(domain.ID(fmt.Sprint("R", i)), capacity, 0, 10))
			if err != nil && !errors.Is(err, diary.ErrSlotGone) {
				t.Fatal(err)
			}
			for _, fact := range facts {
				day = day.Apply(fact)
				won++
			}
		}
		if won != capacity || day.Free(morning, capacity, at(0)) != 0 {
			t.Errorf("%d of %d places were won", won, capacity)
		}
	}
}

// model is who has a place, as a list and an hourglass would have it.
type model struct {
	until     map[domain.ID]int
	confirmed map[domain.ID]bool
}

func (m model) has(repair domain.ID, now int) bool {
	return m.confirmed[repair] || m.until[repair] > now
}

func (m model) lasting(now int) int {
	n := 0
	for i := range 6 {
		if m.has(domain.ID(fmt.Sprint("R", i)), now) {
			n++
		}
	}
	return n
}

func TestDay_never_has_more_occupants_than_places(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(0, 3).Draw(t, "capacity")
		m := model{until: map[domain.ID]int{}, confirmed: map[domain.ID]bool{}}
		var day diary.Day
		now := 0
		for range rapid.IntRange(1, 40).Draw(t, "operations") {
			now += rapid.IntRange(0, 6).Draw(t, "minutes")
			repair := domain.ID(fmt.Sprint("R", rapid.IntRange(0, 5).Draw(t, "repair")))
			had, room := m.has(repair, now), m.lasting(now) < capacity
			var facts []diary.Event
			var err error
			wanted := had || room
			switch rapid.IntRange(0, 4).Draw(t, "operation") {
			case 0, 1:
				until := now + rapid.IntRange(1, 10).Draw(t, "until")
				if facts, err = day.Hold(hold(repair, capacity, now, until)); err == nil && len(facts) > 0 {
					m.until[repair] = until
				}
			case 2, 3:
				if facts, err = day.Confirm(confirm(repair, capacity, now)); err == nil {
					m.confirmed[repair] = true
				}
			default:
				wanted = true
				facts, err = day.Release(diary.Release(released(repair)))
				delete(m.until, repair)
				delete(m.confirmed, repair)
			}
			if (err == nil) != wanted || len(facts) > 1 {
				t.Fatalf("at %d for %s: %v, %v; want success: %v", now, repair, facts, err, wanted)
			}
			for _, fact := range facts {
				day = day.Apply(fact)
			}
			for later := range 12 { // at any time from now on
				lasting := m.lasting(now + later)
				if free := day.Free(morning, capacity, at(now+later)); lasting > capacity || free != capacity-lasting {
					t.Fatalf("at %d: %d free, %d of %d taken", now+later, free, lasting, capacity)
				}
			}
		}
	})
}

func TestEvents_have_names_that_never_change_and_read_as_written(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range diary.Events() {
		got = append(got, e.EventType())
	}
	if diff := cmp.Diff([]string{"diary.slot-held.v1", "diary.slot-confirmed.v1", "diary.slot-released.v1"}, got); diff != "" {
		t.Error(diff)
	}
	for _, e := range given(held("R1", 10), confirmed("R1"), released("R1")) {
		data, err := json.Marshal(e)
		read := reflect.New(reflect.TypeOf(e))
		if err != nil || json.Unmarshal(data, read.Interface()) != nil || !cmp.Equal(e, read.Elem().Interface()) {
			t.Errorf("%s reads as %v", data, read.Elem())
		}
	}
}
