package commands_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/domain/repair"
	"rentbook/eventstore"
	"rentbook/integrations/drs/drstest"
)

// visits is a scheduler that is used as commands use it: what is reserved is recorded on the repair
// before it is confirmed, and off it before it is given back. Rentbook's own diary believes repairs.
type visits struct {
	commands.Scheduler

	e  *estate
	mu sync.Mutex
}

func (v *visits) Reserve(ctx context.Context, b commands.Booking, until time.Time) (commands.Slot, error) {
	return v.Scheduler.Reserve(ctx, b, until)
}

func (v *visits) Confirm(ctx context.Context, b commands.Booking) error {
	if err := v.record(ctx, b.Repair, func(r repair.Repair) []repair.Event { return booking(r, b) }); err != nil {
		return err
	}
	err := v.Scheduler.Confirm(ctx, b)
	if errors.Is(err, commands.ErrSlotGone) {
		err = errors.Join(err, v.record(ctx, b.Repair, losing))
	}
	return err
}

func (v *visits) Reschedule(ctx context.Context, from, to commands.Booking) error {
	var old []repair.Event
	err := v.record(ctx, from.Repair, func(r repair.Repair) []repair.Event {
		old = booking(repair.Repair{}, from)
		return booking(r, to)
	})
	if err != nil {
		return err
	}
	err = v.Scheduler.Reschedule(ctx, from, to)
	if errors.Is(err, commands.ErrSlotGone) { // this promise is of the diary: the visit goes back by hand
		err = errors.Join(err, v.record(ctx, from.Repair, func(repair.Repair) []repair.Event { return old }))
	}
	return err
}

func (v *visits) Cancel(ctx context.Context, b commands.Booking) error {
	err := v.record(ctx, b.Repair, func(r repair.Repair) []repair.Event {
		if visit, stands := r.Visit(); stands && visit.Slot == b.Slot {
			return []repair.Event{repair.Cancelled{By: repair.Tenant}}
		}
		return nil
	})
	return errors.Join(err, v.Scheduler.Cancel(ctx, b))
}

func booking(r repair.Repair, b commands.Booking) []repair.Event {
	if visit, stands := r.Visit(); stands && visit.Slot == b.Slot {
		return nil
	}
	return []repair.Event{
		repair.Cancelled{By: repair.Tenant}, // whatever stood
		repair.VisitBooked{Visit: domain.ID("V-" + string(b.Slot)), Contractor: b.Contractor, Slot: b.Slot},
	}
}

func losing(repair.Repair) []repair.Event { return []repair.Event{repair.VisitLost{}} }

func (v *visits) record(ctx context.Context, id domain.ID, decide func(repair.Repair) []repair.Event) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	stream, codec := eventstore.NewStream(repair.Category, string(id)), commands.Codec(v.e.vault)
	var r repair.Repair
	for event, err := range v.e.log.Read(ctx, stream, 0) {
		if err != nil {
			return err
		}
		fact, err := eventstore.Decode[repair.Event](ctx, codec, event)
		if err != nil {
			return err
		}
		r = r.Apply(fact)
	}
	return v.e.append(ctx, stream, r.Version(), decide(r)...)
}

// append records facts past all decisions.
func (e *estate) append(ctx context.Context, stream eventstore.Stream, after uint64, facts ...repair.Event) error {
	if len(facts) == 0 {
		return nil
	}
	var proposed []eventstore.Proposed
	for i, fact := range facts {
		id := idOf(fmt.Sprintf("%s %d %d", stream, after, i))
		data, err := commands.Codec(e.vault).Encode(stream, id, fact)
		if err != nil {
			return err
		}
		proposed = append(proposed, eventstore.Proposed{ID: id, Type: fact.EventType(), Data: data, Metadata: eventstore.Metadata{Command: id}})
	}
	_, err := e.log.Append(ctx, stream, eventstore.Version(after), proposed...)
	return err
}

// The diary that comes with Rentbook keeps what every scheduler promises.
func TestOwnDiary(t *testing.T) {
	t.Parallel()
	drstest.Promises(t, func(t testing.TB) drstest.Fixture {
		e := newEstate(t)
		return drstest.Fixture{
			Scheduler: &visits{Scheduler: e.Scheduler, e: e}, Contractor: plumber, Slot: tuesday, Other: wednesday,
			Until:  func() time.Time { return e.now.Now().Add(15 * time.Minute) },
			Expire: func() { e.now.pass(20 * time.Minute) },
		}
	})
}

// many are reported repairs, all with the plumber.
func (e *estate) many(t testing.TB, n int) []string {
	t.Helper()
	leaf, ids := tap(t), make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("R%d", i+1)
		_, err := e.ReportRepair(t.Context(), manager(), report(ids[i], leaf))
		check(t, err)
	}
	return ids
}

func TestBook_OfAHundredAtOnceOneWinsAndTheOthersHearOfThreeMore(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	processes := []*commands.Handler{e.Handler, e.at(e.log, nil)}
	ids := e.many(t, 100)
	outcomes := make([]error, len(ids))
	var group sync.WaitGroup
	start := make(chan struct{})
	for i, id := range ids {
		group.Go(func() {
			<-start
			_, outcomes[i] = processes[i%2].ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: id, ID: "B-" + id, Action: "book", Slot: tuesday})
		})
	}
	close(start)
	group.Wait()
	won := 0
	for i, err := range outcomes {
		if err == nil {
			won++
			wantState(t, e.repair(t, domain.ID(ids[i])), repair.StateScheduled)
			continue
		}
		wantState(t, e.repair(t, domain.ID(ids[i])), repair.StateRaised)
		gone, ok := errors.AsType[*commands.SlotGoneError](err)
		if !ok || len(gone.Next) != 3 {
			t.Fatalf("%s: got %v (%+v)", ids[i], err, gone)
		}
		for _, s := range gone.Next {
			if s.ID == tuesday || s.Free < 1 || s.Contractor != plumber || !s.From.After(e.now.Now()) {
				t.Errorf("%s is offered %+v", ids[i], s)
			}
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
	e.whole(t)
	loser := ids[0]
	if outcomes[0] == nil {
		loser = ids[1]
	}
	gone, _ := errors.AsType[*commands.SlotGoneError](outcomes[1])
	if gone == nil {
		gone, _ = errors.AsType[*commands.SlotGoneError](outcomes[0])
	}
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: loser, ID: "B-next", Action: "book", Slot: string(gone.Next[0].ID)})
	e.whole(t)
}

func TestHold_EndsByItself(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	ids := e.many(t, 2)
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: ids[0], ID: "A1", Action: "hold_slot", Slot: tuesday})
	book := commands.ActOnRepair{Repair: ids[1], ID: "A1", Action: "book", Slot: tuesday}
	e.now.pass(14 * time.Minute)
	if _, err := e.ActOnRepair(t.Context(), manager(), book); !errors.Is(err, commands.ErrSlotGone) {
		t.Fatalf("within its time: got %v, want %v", err, commands.ErrSlotGone)
	}
	e.now.pass(2 * time.Minute)
	e.free(t, plumber, tuesday, true)
	e.mustAct(t, manager(), book)
	late := commands.ActOnRepair{Repair: ids[0], ID: "A2", Action: "book", Slot: tuesday}
	if _, err := e.ActOnRepair(t.Context(), manager(), late); !errors.Is(err, commands.ErrSlotGone) {
		t.Fatalf("who held it before: got %v, want %v", err, commands.ErrSlotGone)
	}
	e.whole(t)
}

func TestHold_AnotherSlotGivesUpTheFirst(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	id := e.many(t, 1)[0]
	for i, slot := range []string{tuesday, wednesday, thursday} {
		e.mustAct(t, manager(), commands.ActOnRepair{Repair: id, ID: fmt.Sprint("A", i), Action: "hold_slot", Slot: slot})
	}
	e.free(t, plumber, tuesday, true)
	e.free(t, plumber, wednesday, true)
	e.free(t, plumber, thursday, false)
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: id, ID: "B", Action: "book", Slot: tuesday})
	e.free(t, plumber, thursday, true)
	e.whole(t)
}

func TestBook_WhatGivesAVisitUpFreesItsPlace(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]commands.ActOnRepair{
		"a cancellation":     {Action: "cancel", Reason: "no_need"},
		"a hold":             {Action: "hold", Reason: "parts"},
		"a hand-back":        {Action: "hand_back", Reason: "no_time"},
		"another contractor": {Action: "assign", Contractor: string(otherPlumber)},
		"another time":       {Action: "rebook", Slot: thursday},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEstate(t)
			id := e.many(t, 1)[0]
			e.mustAct(t, manager(), commands.ActOnRepair{Repair: id, ID: "A1", Action: "book", Slot: tuesday})
			e.free(t, plumber, tuesday, false)
			act.Repair, act.ID = id, "A2"
			e.mustAct(t, manager(), act)
			e.free(t, plumber, tuesday, true)
			e.whole(t)
		})
	}
}

// Wherever a process stops between the diary and the repair, no window is lost and none is given
// twice: after the same request again, and after somebody else's.
func TestBook_AnInterruptionLosesNothing(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"book", "rebook", "cancel"} {
		for _, lost := range []bool{false, true} { // nothing was appended; or it was, and the answer is lost
			for n := 1; n <= 4; n++ {
				for _, others := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, append %d, answer lost %t, others next %t", action, n, lost, others), func(t *testing.T) {
						t.Parallel()
						interrupt(t, action, n, lost, others)
					})
				}
			}
		}
	}
}

var errStopped = errors.New("the process stopped")

func interrupt(t *testing.T, action string, n int, lost, others bool) {
	t.Helper()
	e := newEstate(t)
	ids := e.many(t, 2)
	act := commands.ActOnRepair{Repair: ids[0], ID: "A2", Action: action, Slot: tuesday, Reason: "r"}
	if action != "book" {
		e.mustAct(t, manager(), commands.ActOnRepair{Repair: ids[0], ID: "A1", Action: "book", Slot: tuesday})
		act.Slot = thursday
	}
	if action == "cancel" {
		act.Slot = ""
	}
	appends := 0
	stop := func(eventstore.Stream) error {
		if appends++; appends == n {
			return errStopped
		}
		if appends > n {
			return eventstore.ErrUnavailable // a process that has stopped appends nothing more
		}
		return nil
	}
	store := &flaky{Store: e.log, before: stop}
	if lost {
		store = &flaky{Store: e.log, after: func(s eventstore.Stream) error { return stop(s) }, before: func(eventstore.Stream) error {
			if appends >= n {
				return eventstore.ErrUnavailable
			}
			return nil
		}}
	}
	_, err := e.at(store, nil).ActOnRepair(t.Context(), manager(), act)
	if appends >= n && err == nil {
		t.Error("what was interrupted was answered as done")
	}
	again := e.at(e.log, nil) // the next process
	if others {
		e.now.pass(20 * time.Minute)
		for _, slot := range []string{tuesday, thursday} {
			_, err := again.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: ids[1], ID: "O-" + slot, Action: "book", Slot: slot})
			if err == nil {
				_, err = again.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: ids[1], ID: "C-" + slot, Action: "hold", Reason: "parts"})
				check(t, err)
				_, err = again.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: ids[1], ID: "S-" + slot, Action: "resume"})
				check(t, err)
			} else if !errors.Is(err, commands.ErrSlotGone) {
				t.Fatal(err)
			}
		}
	}
	if _, err := again.ActOnRepair(t.Context(), manager(), act); err != nil {
		t.Fatalf("the same again: %v", err)
	}
	e.whole(t)
	visit, stands := e.repair(t, domain.ID(ids[0])).Visit()
	for _, slot := range []string{tuesday, thursday} {
		if got, want := e.freeAt(t, again, plumber, slot), !stands || visit.Slot != domain.ID(slot); got != want {
			t.Errorf("%s is free: got %t, want %t (the visit is at %q)", slot, got, want, visit.Slot)
		}
	}
}

// Nobody repeats what was interrupted: the window is offered to others, and theirs.
func TestBook_AnInterruptionThatNobodyRepeatsHidesNoWindow(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"rebook", "cancel"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			e := newEstate(t)
			ids := e.many(t, 2)
			e.mustAct(t, manager(), commands.ActOnRepair{Repair: ids[0], ID: "A1", Action: "book", Slot: tuesday})
			recorded := false
			store := &flaky{Store: e.log, before: func(s eventstore.Stream) error {
				if s.Category() == repair.Category {
					recorded = true
				} else if recorded {
					return errStopped
				}
				return nil
			}}
			act := commands.ActOnRepair{Repair: ids[0], ID: "A2", Action: action, Reason: "r"}
			if action == "rebook" {
				act.Slot = thursday
			}
			if _, err := e.at(store, nil).ActOnRepair(t.Context(), manager(), act); !errors.Is(err, errStopped) {
				t.Fatalf("got %v, want %v", err, errStopped)
			}
			e.now.pass(time.Hour)
			e.free(t, plumber, tuesday, true)
			e.mustAct(t, manager(), commands.ActOnRepair{Repair: ids[1], ID: "A1", Action: "book", Slot: tuesday})
			if action == "rebook" { // whose visit is on Thursday, though its place was never confirmed
				_, err := e.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: ids[1], ID: "A2", Action: "rebook", Slot: thursday})
				if !errors.Is(err, commands.ErrSlotGone) {
					t.Errorf("a window that is taken by a visit: got %v, want %v", err, commands.ErrSlotGone)
				}
			}
			e.whole(t)
		})
	}
}

func TestBook_WindowsThatChangeLaterKeepWhatIsBooked(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	ids := e.many(t, 3)
	book := commands.ActOnRepair{Repair: ids[0], ID: "A1", Action: "book", Slot: tuesday}
	e.mustAct(t, manager(), book)
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: ids[1], ID: "A1", Action: "hold_slot", Slot: tuesdayLate})
	two := uint64(2)
	m := manager()
	m.Expect = &two
	_, err := e.PutAvailability(t.Context(), m, commands.PutAvailability{Contractor: string(plumber), Windows: weekly(1)[4:]}) // from Wednesday
	check(t, err)
	e.mustAct(t, manager(), book) // which is there already
	wantState(t, e.repair(t, domain.ID(ids[0])), repair.StateScheduled)
	for i, slot := range []string{tuesday, tuesdayLate} {
		_, err := e.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: ids[i+1], ID: "A2", Action: "book", Slot: slot})
		if !errors.Is(err, commands.ErrSlotGone) {
			t.Errorf("%s is no window any more: got %v, want %v", slot, err, commands.ErrSlotGone)
		}
	}
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: ids[0], ID: "A2", Action: "rebook", Slot: wednesday})
	e.whole(t)
}

func TestBook_WhatIsNoWindowIsGoneAsWell(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	id := e.many(t, 1)[0]
	for _, slot := range []string{"x", "2026-11-24.0900-1200", "2026-11-22.0800-1200", "2026-11-23.0800-1200", "2026-11-28.0800-1200"} {
		_, err := e.ActOnRepair(t.Context(), manager(), commands.ActOnRepair{Repair: id, ID: "A-" + slot, Action: "book", Slot: slot})
		gone, ok := errors.AsType[*commands.SlotGoneError](err)
		if !ok || len(gone.Next) != 3 {
			t.Errorf("%s: got %v (%+v)", slot, err, gone)
			continue
		}
		next, err := e.Slots(t.Context(), tenantIs("P1").Actor, id, e.now.Now(), 3)
		if diff := cmp.Diff(next, gone.Next); diff != "" || err != nil || next[0].ID != "2026-11-23.1200-1700" {
			t.Errorf("%s: what is offered instead (-want +got):\n%s\n%v", slot, diff, err)
		}
	}
}

// What is repeated long after it was done takes nothing that the repair has come to have since.
func TestRebook_RepeatedLaterLeavesWhatIsHeldSince(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	id := e.many(t, 1)[0]
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: id, ID: "A1", Action: "book", Slot: tuesday})
	rebook := commands.ActOnRepair{Repair: id, ID: "A2", Action: "rebook", Slot: wednesday}
	e.mustAct(t, manager(), rebook)
	e.mustAct(t, manager(), commands.ActOnRepair{Repair: id, ID: "A3", Action: "hold_slot", Slot: tuesday})
	e.mustAct(t, manager(), rebook)
	e.free(t, plumber, tuesday, false)
	e.free(t, plumber, wednesday, false)
	e.whole(t)
}
