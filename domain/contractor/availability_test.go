package contractor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/contractor"
)

func london(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func said(slots []contractor.Slot) string {
	var lines []string
	for _, s := range slots {
		lines = append(lines, fmt.Sprintf("%s %s-%s %d", s.ID, s.From.Format("2006-01-02T15:04Z07:00"), s.To.Format("15:04Z07:00"), s.Capacity))
	}
	return strings.Join(lines, "; ")
}

func TestContractor_Slots(t *testing.T) {
	t.Parallel()
	c := domain.Fold[contractor.Contractor, contractor.Event](described(), availabilitySet())
	for _, row := range []struct {
		name string
		on   domain.Date
		want string
	}{
		{
			"windows of the weekday and what was opened besides, in order", domain.NewDate(2026, 11, 23),
			"2026-11-23.0800-1200 2026-11-23T08:00Z-12:00Z 3; 2026-11-23.1300-1700 2026-11-23T13:00Z-17:00Z 2; 2026-11-23.1800-2000 2026-11-23T18:00Z-20:00Z 1",
		},
		{
			"eight in the morning of a summer's day is seven in UTC", domain.NewDate(2026, 7, 6),
			"2026-07-06.0800-1200 2026-07-06T07:00Z-11:00Z 3; 2026-07-06.1300-1700 2026-07-06T12:00Z-16:00Z 2",
		},
		{"none on a closed day", domain.NewDate(2026, 11, 30), ""},
		{"none on a day without windows", domain.NewDate(2026, 11, 24), ""},
		{"none on no day", 0, ""},
		{
			"in spring a window ends when the hour that is left out begins", domain.NewDate(2026, 3, 29),
			"2026-03-29.0030-0130 2026-03-29T00:30Z-01:00Z 1",
		},
		{
			"in autumn a window ends at the first of two half past ones", domain.NewDate(2026, 10, 25),
			"2026-10-25.0030-0130 2026-10-24T23:30Z-00:30Z 1",
		},
	} {
		if got := said(c.Slots(row.on, london(t))); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
	gone := domain.Fold[contractor.Contractor, contractor.Event](described(), contractor.AvailabilitySet{
		Windows: []contractor.Window{{Day: "sunday", From: "01:00", To: "02:00", Capacity: 1}},
	})
	if got := said(gone.Slots(domain.NewDate(2026, 3, 29), london(t))); got != "" {
		t.Errorf("a window in the hour that is left out is %s", got)
	}
	if got := said(gone.Slots(domain.NewDate(2026, 10, 25), london(t))); got != "2026-10-25.0100-0200 2026-10-25T00:00Z-02:00Z 1" {
		t.Errorf("a window over the hour that comes twice is %s", got)
	}
}

func TestContractor_Slot_is_found_by_its_id_while_there_is_one(t *testing.T) {
	t.Parallel()
	c := domain.Fold[contractor.Contractor, contractor.Event](described(), availabilitySet())
	if s, ok := c.Slot("2026-11-23.1300-1700", london(t)); !ok || s.Capacity != 2 {
		t.Errorf("got %v, %v", s, ok)
	}
	for _, id := range []domain.ID{"2026-11-30.1300-1700", "2026-11-23.1300-1800", "x"} {
		if _, ok := c.Slot(id, london(t)); ok {
			t.Errorf("%s is a slot", id)
		}
	}
}

func TestParseSlot(t *testing.T) {
	t.Parallel()
	for _, id := range []domain.ID{
		"", "2026-11-23", "2026-11-23.", "2026-11-23.0800", "2026-11-23.0800-1200x", "2026-11-23.1200-0800", "2026-11-23.0800-0800",
		"2026-11-23.0800_1200", "2026-02-30.0800-1200", "2026-11-23.0860-1200", "2026-11-23.2400-2500", "2026-11-23.08:0-1200", "2026-11-23.0800-1200.1",
	} {
		if _, _, _, err := contractor.ParseSlot(id, time.UTC); err == nil {
			t.Errorf("%q is read as a slot", id)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom([]string{"Europe/London", "Europe/Brussels", "UTC", "Australia/Lord_Howe", "America/Havana"}).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		from := rapid.IntRange(0, 1438).Draw(t, "from")
		to := rapid.IntRange(from+1, 1439).Draw(t, "to")
		day := domain.NewDate(2026, 1, 1) + domain.Date(rapid.IntRange(0, 800).Draw(t, "day"))
		hhmm := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
		c := domain.Fold[contractor.Contractor, contractor.Event](described(), contractor.AvailabilitySet{
			Opened: []contractor.Opening{{Date: day, From: hhmm(from), To: hhmm(to), Capacity: 1}},
		})
		for _, s := range c.Slots(day, zone) {
			if _, err := domain.ParseID(string(s.ID)); err != nil {
				t.Fatalf("%s is no id", s.ID)
			}
			readDay, readFrom, readTo, err := contractor.ParseSlot(s.ID, zone)
			if err != nil || readDay != day || !readFrom.Equal(s.From) || !readTo.Equal(s.To) || s.From.Location() != time.UTC {
				t.Fatalf("%v is read as %v %v %v %v", s, readDay, readFrom, readTo, err)
			}
			if !s.From.Before(s.To) || s.To.Sub(s.From) > time.Duration(to-from)*time.Minute+time.Hour {
				t.Fatalf("%v is too long, or no time at all", s)
			}
			if wall := s.From.In(zone); domain.DateOf(wall) != day || wall.Hour()*60+wall.Minute() < from {
				t.Fatalf("%v begins at %v, on another day or too early", s, wall)
			}
		}
	})
}
