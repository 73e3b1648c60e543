package repair_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/repair"
)

// at is an instant of 2026 in UTC, "03-02 10:00". 2 March is a Monday.
func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", "2026-"+s)
	if err != nil {
		panic(err)
	}
	return t
}

func date(s string) domain.Date {
	d, err := domain.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func text(s string) domain.Personal   { return domain.NewPersonal(s) }
func pounds(minor int64) domain.Money { return domain.Money{Minor: minor, Currency: "GBP"} }
func work(codes ...string) []repair.Line {
	lines := make([]repair.Line, len(codes))
	for i, code := range codes {
		lines[i] = repair.Line{Code: code, Quantity: 1}
	}
	return lines
}

// asked is the step of a fact that somebody asked for.
func asked(action repair.Action, id domain.ID, when string) repair.Step {
	return repair.Step{Action: id, Doing: action, At: at(when)}
}

// because is a step with a reason.
func because(s repair.Step, reason string) repair.Step {
	s.Reason = reason
	return s
}

// followed is the step of a fact that followed from another.
func followed(when string) repair.Step { return repair.Step{At: at(when)} }

// with is facts and some more.
func with(facts []repair.Event, more ...repair.Event) []repair.Event {
	return append(append([]repair.Event{}, facts...), more...)
}

func fold(facts ...repair.Event) repair.Repair { return domain.Fold[repair.Repair](facts...) }

// The life of a repair, as far as many rows share it: reported on Monday 2 March at nine and ordered
// at once; accepted at ten; a visit on Wednesday between eight and twelve.

func reportedFact() repair.Reported {
	return repair.Reported{
		At: at("03-02 09:00"), Tenancy: "T1", Property: "P1", Path: []string{"kitchen", "tap"}, Tree: "tree-1",
		Description: text("The tap drips"),
	}
}

func triagedFact(targets ...clock.Target) repair.Triaged {
	return repair.Triaged{
		Step: followed("03-02 09:00"), Outcome: repair.OutcomeLandlord, Trade: "plumbing", Priority: repair.Normal,
		SOR: work("TAP"), Targets: targets,
	}
}

func assignedFact() repair.Assigned {
	return repair.Assigned{Step: followed("03-02 09:00"), Contractor: "C1", Contract: "K1", Explanation: "the only one"}
}

func raisedFact() repair.Raised {
	return repair.Raised{Step: followed("03-02 09:00"), SOR: work("TAP"), Cost: pounds(4000)}
}

func reported() []repair.Event { return []repair.Event{reportedFact()} }

// unplaced was triaged, but no contractor fits.
func unplaced(targets ...clock.Target) []repair.Event {
	return []repair.Event{
		reportedFact(), triagedFact(targets...), repair.NobodyFits{Step: followed("03-02 09:00"), Explanation: "nobody has the trade"},
	}
}

// costly waits for an approval that M1 asked for.
func costly() []repair.Event {
	return with(unplaced(),
		repair.Assigned{Step: asked(repair.Raise, "A-raise", "03-02 09:30"), Contractor: "C1", Explanation: "the only one"},
		repair.ApprovalRequested{
			Step: followed("03-02 09:30"), By: "M1", SOR: work("TAP"), Cost: pounds(90000), Limit: pounds(50000), Parameter: "spend.limit@2024-01-01",
		})
}

func raised(targets ...clock.Target) []repair.Event {
	return []repair.Event{reportedFact(), triagedFact(targets...), assignedFact(), raisedFact()}
}

func accepted(targets ...clock.Target) []repair.Event {
	return with(raised(targets...), repair.Accepted{Step: asked(repair.Accept, "A-accept", "03-02 10:00")})
}

func scheduled(targets ...clock.Target) []repair.Event {
	return with(accepted(targets...), repair.VisitBooked{
		Step: asked(repair.Book, "A-book", "03-02 11:00"), Visit: "A-book", Contractor: "C1", Slot: "S1",
		From: at("03-04 08:00"), To: at("03-04 12:00"),
	})
}

func attending(targets ...clock.Target) []repair.Event {
	return with(scheduled(targets...), repair.VisitStarted{Step: asked(repair.Start, "A-start", "03-04 08:30"), Visit: "A-book"})
}

func noAccess(targets ...clock.Target) []repair.Event {
	return with(scheduled(targets...), repair.AccessFailed{
		Step: asked(repair.NoAccess, "A-none", "03-04 08:30"), Visit: "A-book", Evidence: text("card left, photo of the door"),
	})
}

func completed(targets ...clock.Target) []repair.Event {
	return with(attending(targets...), repair.Completed{Step: asked(repair.Complete, "A-done", "03-04 10:00")})
}

// stored is a fact as it comes back from the log.
func stored(t testing.TB, e repair.Event) repair.Event {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, known := range repair.Events() {
		if known.EventType() != e.EventType() {
			continue
		}
		fact := reflect.New(reflect.TypeOf(known))
		if err := json.Unmarshal(data, fact.Interface()); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		return fact.Elem().Interface().(repair.Event)
	}
	t.Fatalf("%s is not among the events", e.EventType())
	return nil
}

// asJSON is a value as a view keeps it, to read differences in.
func asJSON(t interface{ Fatal(...any) }, v any) string {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
