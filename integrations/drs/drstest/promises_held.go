package drstest

import (
	"fmt"
	"slices"
	"time"

	"rentbook/commands"
	"rentbook/domain"
)

func slotPromises() []promise {
	return []promise{
		{"slots are the contractor's, in range and the earliest first, and have room", func(s *scene) {
			first, second := s.window(s.Slot), s.window(s.Other)
			if second.From.Before(first.From) {
				first, second = second, first
			}
			from, to := first.From, second.From.Add(time.Minute)
			found := s.slots(from, to, 100)
			for i, w := range found {
				if w.Contractor != s.Contractor || w.Free < 1 || w.From.Before(from) || !w.From.Before(to) || !w.From.Before(w.To) {
					s.Errorf("got %+v, want a free window of %s from %v and before %v", w, s.Contractor, from, to)
				}
				if w.From.Location() != time.UTC || w.To.Location() != time.UTC {
					s.Errorf("%s: its times are not in UTC", w.ID)
				}
				if i > 0 && w.From.Before(found[i-1].From) {
					s.Errorf("%s comes behind %s", w.ID, found[i-1].ID)
				}
			}
			s.listed(found, first.ID, true)
			s.listed(found, second.ID, true)
			s.listed(s.slots(from, second.From, 100), second.ID, false)
			s.listed(s.slots(from.Add(time.Second), to, 100), first.ID, false)
		}},
		{"slots are at most as many as are wanted, the earliest of them", func(s *scene) {
			first, second := s.window(s.Slot), s.window(s.Other)
			if second.From.Before(first.From) {
				first, second = second, first
			}
			all := s.slots(first.From, second.From.Add(time.Minute), 100)
			for most := range len(all) + 2 {
				got := s.slots(first.From, second.From.Add(time.Minute), most)
				if want := all[:min(most, len(all))]; !slices.Equal(got, want) {
					s.Errorf("at most %d: got %v, want %v", most, got, want)
				}
			}
		}},
		{"a window without room is not listed", func(s *scene) {
			w := s.window(s.Slot)
			s.free(w, true)
			s.reserve(s.of("R1"))
			s.free(w, false)
		}},
	}
}

func (s *scene) listed(found []commands.Slot, slot domain.ID, want bool) {
	s.Helper()
	if got := slices.ContainsFunc(found, func(w commands.Slot) bool { return w.ID == slot }); got != want {
		s.Errorf("%s is listed: got %t, want %t", slot, got, want)
	}
}

func reservationPromises() []promise {
	return []promise{
		{"a reservation names its window and what is left of it", func(s *scene) {
			w := s.reserve(s.of("R1"))
			if w.ID != s.Slot || w.Contractor != s.Contractor || w.Free != 0 || !w.From.Before(w.To) {
				s.Errorf("got %+v, want %s of %s without room", w, s.Slot, s.Contractor)
			}
		}},
		{"the same reservation again is the same place", func(s *scene) {
			first := s.reserve(s.of("R1"))
			if again := s.reserve(s.of("R1")); again != first {
				s.Errorf("got %+v, want %+v", again, first)
			}
			s.cancel(s.of("R1"))
			s.free(first, true)
		}},
		{"a full window is gone, and so is one that never was", func(s *scene) {
			s.reserve(s.of("R1"))
			s.gone("reserve what another has", s.try(s.of("R2")))
			s.gone("reserve a window of another day", s.try(s.in("1999-01-01.0800-1200", "R1")))
		}},
		{"of many who reserve one place at once, one gets it", func(s *scene) {
			winner := make(chan domain.ID, rivals)
			got := s.atOnce(rivals, func(i int) error {
				repair := domain.ID(fmt.Sprintf("R%d", i))
				err := s.try(s.of(repair))
				if err == nil {
					winner <- repair
				}
				return err
			})
			if got != 1 {
				s.Fatalf("%d got it", got)
			}
			s.confirm(s.of(<-winner))
			s.gone("reserve what is won", s.try(s.of("R-late")))
		}},
		{"the same reservation made many times at once is one place", func(s *scene) {
			w := s.window(s.Slot)
			if got := s.atOnce(repeats, func(int) error { return s.try(s.of("R1")) }); got != repeats {
				s.Errorf("%d of %d succeeded", got, repeats)
			}
			s.cancel(s.of("R1"))
			s.free(w, true)
		}},
		{"a reservation that has ended frees its place", func(s *scene) {
			w := s.reserve(s.of("R1"))
			s.Expire()
			s.free(w, true)
			s.reserve(s.of("R2"))
			s.gone("reserve what was lost", s.try(s.of("R1")))
		}},
	}
}

func bookingPromises() []promise {
	return []promise{
		{"what is confirmed is firm, and confirming it again changes nothing", func(s *scene) {
			w := s.reserve(s.of("R1"))
			s.confirm(s.of("R1"))
			s.confirm(s.of("R1"))
			s.Expire()
			s.confirm(s.of("R1"))
			s.free(w, false)
		}},
		{"reserving what is firm leaves it firm", func(s *scene) {
			w := s.reserve(s.of("R1"))
			s.confirm(s.of("R1"))
			s.reserve(s.of("R1"))
			s.Expire()
			s.free(w, false)
		}},
		{"a reservation that has ended is confirmed while its place is free", func(s *scene) {
			w := s.reserve(s.of("R1"))
			s.Expire()
			s.confirm(s.of("R1"))
			s.confirm(s.of("R1"))
			s.free(w, false)
		}},
		{"a reservation that has ended is gone when somebody else reserved its place", func(s *scene) {
			s.reserve(s.of("R1"))
			s.Expire()
			s.reserve(s.of("R2"))
			s.gone("confirm what was lost", s.Scheduler.Confirm(s.ctx, s.of("R1")))
			s.confirm(s.of("R2"))
			s.gone("confirm it again", s.Scheduler.Confirm(s.ctx, s.of("R1")))
		}},
		{"what is cancelled is free, and cancelling it again changes nothing", func(s *scene) {
			w := s.reserve(s.of("R1"))
			s.cancel(s.of("R1"))
			s.cancel(s.of("R1"))
			s.free(w, true)
			s.reserve(s.of("R2"))
			s.confirm(s.of("R2"))
			s.cancel(s.of("R2"))
			s.cancel(s.of("R2"))
			s.free(w, true)
		}},
		{"cancelling what somebody else holds frees nothing", func(s *scene) {
			w := s.reserve(s.of("R1"))
			s.cancel(s.of("R2"))
			s.free(w, false)
			s.confirm(s.of("R1"))
			s.cancel(s.of("R2"))
			s.free(w, false)
		}},
	}
}

func movePromises() []promise {
	return []promise{
		{"what is rescheduled is firm in its new place, and the old one is free", func(s *scene) {
			old := s.reserve(s.of("R1"))
			s.confirm(s.of("R1"))
			place := s.reserve(s.in(s.Other, "R1"))
			s.reschedule(s.of("R1"), s.in(s.Other, "R1"))
			s.free(old, true)
			s.Expire()
			s.free(old, true)
			s.free(place, false)
		}},
		{"rescheduling again changes nothing, whoever has the old place", func(s *scene) {
			old := s.reserve(s.of("R1"))
			s.confirm(s.of("R1"))
			place := s.reserve(s.in(s.Other, "R1"))
			s.reschedule(s.of("R1"), s.in(s.Other, "R1"))
			s.reserve(s.of("R2"))
			s.confirm(s.of("R2"))
			s.reschedule(s.of("R1"), s.in(s.Other, "R1"))
			s.free(old, false)
			s.free(place, false)
		}},
		{"rescheduling to a place that is gone leaves everything as it was", func(s *scene) {
			old := s.reserve(s.of("R1"))
			s.confirm(s.of("R1"))
			place := s.reserve(s.in(s.Other, "R1"))
			s.Expire()
			s.reserve(s.in(s.Other, "R2"))
			s.gone("reschedule to what was lost", s.Scheduler.Reschedule(s.ctx, s.of("R1"), s.in(s.Other, "R1")))
			s.free(old, false)
			s.cancel(s.in(s.Other, "R2"))
			s.free(place, true)
		}},
		{"rescheduling to where it is keeps the place", func(s *scene) {
			w := s.reserve(s.of("R1"))
			s.confirm(s.of("R1"))
			s.reschedule(s.of("R1"), s.of("R1"))
			s.free(w, false)
		}},
	}
}
