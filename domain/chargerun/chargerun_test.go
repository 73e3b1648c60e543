package chargerun_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rentbook/domain"
	"rentbook/domain/chargerun"
	"rentbook/domain/domaintest"
)

type (
	starting  = domaintest.Example[chargerun.Event, chargerun.Start]
	finishing = domaintest.Example[chargerun.Event, chargerun.Result]
)

func started() chargerun.Started {
	return chargerun.Started{Through: domain.NewDate(2026, 10, 31)}
}

func finished(raised int64) chargerun.Finished {
	return chargerun.Finished{Raised: raised, Totals: []chargerun.Total{{
		Debit: domain.Money{Minor: 45000, Currency: "GBP"}, Credit: domain.Money{Minor: 1, Currency: "GBP"},
	}}}
}

func TestRun_Start(t *testing.T) {
	t.Parallel()
	domaintest.Examples(t, chargerun.Run.Start,
		starting{Name: "records up to which day is charged", When: chargerun.Start(started()), Then: []chargerun.Event{started()}},
	)
}

func TestStart_is_known_as_the_first_fact_of_its_run(t *testing.T) {
	t.Parallel()
	start := chargerun.Start(started())
	if got := start.Recorded(chargerun.Run{}); got != nil {
		t.Errorf("a run that was not started has it at %v", got)
	}
	r := domain.Fold[chargerun.Run, chargerun.Event](started(), finished(3))
	if got := start.Recorded(r); len(got) != 1 || got[0] != 1 {
		t.Errorf("recorded at %v, want 1", got)
	}
	other := start
	other.Through++
	if !start.Matches(started()) || other.Matches(started()) || start.Matches(finished(3)) {
		t.Error("it matches another start, or a finish")
	}
}

func TestRun_Finish(t *testing.T) {
	t.Parallel()
	domaintest.Examples(t, chargerun.Run.Finish,
		finishing{
			Name:  "records what the run came to",
			Given: []chargerun.Event{started()}, When: chargerun.Result(finished(3)), Then: []chargerun.Event{finished(3)},
		},
		finishing{
			Name:  "says nothing when the run is finished, whatever the result",
			Given: []chargerun.Event{started(), finished(3)}, When: chargerun.Result(finished(4)),
		},
	)
}

func TestRun_remembers_its_day_and_its_result(t *testing.T) {
	t.Parallel()
	r := domain.Fold[chargerun.Run, chargerun.Event](started())
	if r.Through != started().Through || r.Done || r.Version() != 1 {
		t.Errorf("started: %+v", r)
	}
	done := r.Apply(finished(3))
	if !done.Done || done.Result.Raised != 3 || done.Version() != 2 || r.Done || done.Weight() <= 0 {
		t.Errorf("finished: %+v, and before: %+v", done, r)
	}
}

func TestEvents_have_names_that_never_change(t *testing.T) {
	t.Parallel()
	var got []string
	for _, e := range chargerun.Events() {
		got = append(got, e.EventType())
	}
	if diff := cmp.Diff([]string{"charge-run.started.v1", "charge-run.finished.v1"}, got); diff != "" {
		t.Error(diff)
	}
}
