package repair_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rentbook/domain"
	"rentbook/domain/clock"
	"rentbook/domain/repair"
)

// lawOf is who may do what in which state, written down from the rules (R8.5 to R8.8) and not from
// the table. Staff may do what the crew may, besides.
func lawOf(state repair.State) (staff, crew, tenant string) {
	switch state {
	case "reported":
		return "triage decline cancel merge", "", "cancel"
	case "triaged":
		return "triage decline raise assign cancel merge", "", "cancel"
	case "awaiting_approval":
		return "approve decline cancel merge", "", "cancel"
	case "raised":
		return "assign cancel merge approve_variation reject_variation", "accept hand_back hold_slot book start hold", "hold_slot book cancel"
	case "accepted":
		return "assign cancel merge approve_variation reject_variation", "hand_back hold_slot book start hold request_variation", "hold_slot book cancel"
	case "scheduled":
		return "assign cancel landlord_missed approve_variation reject_variation",
			"hand_back hold_slot rebook start no_access hold request_variation", "hold_slot rebook landlord_missed cancel"
	case "attending":
		return "cancel approve_variation reject_variation", "no_access hold request_variation make_safe follow_on complete", ""
	case "no_access":
		return "assign cancel approve_variation reject_variation", "hand_back hold_slot book start hold", "hold_slot book cancel"
	case "on_hold":
		return "cancel approve_variation reject_variation", "hand_back resume request_variation", "cancel"
	case "made_safe":
		return "cancel approve_variation reject_variation",
			"hand_back hold_slot book start hold request_variation follow_on complete", "hold_slot book"
	case "completed":
		return "confirm dispute reopen close recall", "", "confirm dispute recall"
	case "confirmed":
		return "dispute reopen close recall", "", "dispute recall"
	case "closed":
		return "dispute reopen recall", "", "dispute recall"
	case "disputed", "cancelled", "declined", "not_responsible":
		return "reopen", "", ""
	case "duplicate":
		return "split", "", "split"
	}
	return "", "", ""
}

func lawFor(state repair.State, role repair.Role) []string {
	staff, crew, tenant := lawOf(state)
	switch role {
	case repair.Tenant:
		return append(strings.Fields(tenant), "note")
	case repair.Contractor:
		return append(strings.Fields(crew), "note")
	case repair.Manager, repair.Operator:
		words := append(strings.Fields(staff), "note")
		for _, w := range append(strings.Fields(crew), strings.Fields(tenant)...) {
			if !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
		return words
	case repair.System: // does nothing that is asked for
	}
	return nil
}

// required is what must be said.
func required() map[string]string {
	return map[string]string{
		"triage": "outcome", "decline": "reason", "assign": "contractor", "hand_back": "reason", "hold_slot": "slot", "book": "slot",
		"rebook": "slot", "no_access": "evidence", "hold": "reason", "request_variation": "sor reason", "reject_variation": "reason",
		"follow_on": "reason", "dispute": "reason", "reopen": "reason", "cancel": "reason", "recall": "repair reason", "merge": "into",
		"note": "note",
	}
}

// still are the actions that move nothing: they may be told later than what followed them.
const still = " hold_slot request_variation approve_variation reject_variation recall note "

// model is a repair as the rules see it.
type model struct {
	state       repair.State
	back        repair.State // from a hold, or from a merge
	ours        bool
	trade       string
	holder      domain.ID // the contractor who has it
	asker       string    // whose approval is waited for
	variation   string    // who asked for it; "-": nobody
	visit       domain.ID
	visitSlot   domain.ID
	visitFrom   time.Time
	visitTo     time.Time
	reminded    bool
	reported    time.Time
	last        time.Time
	done        time.Time
	noAccess    int
	rearranging int
}

const nobody = "-"

func (m *model) has(fields string, a repair.Act) (missing string) {
	given := map[string]bool{
		"outcome": a.Outcome != "", "reason": a.Reason != "", "contractor": a.Contractor != "", "slot": a.Slot != "",
		"evidence": a.Evidence.Text != "", "sor": len(a.SOR) > 0, "repair": a.Repair != "", "into": a.Into != "", "note": a.Note.Text != "",
	}
	for f := range strings.FieldsSeq(fields) {
		if !given[f] {
			return f
		}
	}
	return ""
}

// when is when the act counts.
func (m *model) when(a repair.Act) time.Time {
	switch {
	case !a.At.IsZero():
		return a.At
	case a.Now.After(m.last):
		return a.Now
	}
	return m.last
}

// against lists the codes of every rule that an act breaks; none: it may be done.
func (m *model) against(a repair.Act) (codes []string, inTable bool) {
	word := string(a.Action)
	if !slices.Contains(lawFor(m.state, a.Role), word) {
		return []string{"repair.not-allowed"}, false
	}
	no := func(broken bool, code string) {
		if broken {
			codes = append(codes, code)
		}
	}
	when := m.when(a)
	no(m.has(required()[word], a) != "", "missing")
	no(!a.At.IsZero() && a.At.After(a.Now), "repair.future")
	no(!a.At.IsZero() && (a.At.Before(m.reported) || a.At.Before(m.last) && !strings.Contains(still, " "+word+" ")), "repair.order")
	no(a.Into != "" && word != "merge", "repair.not-taken")
	switch word {
	case "hold":
		no(a.Role == repair.Contractor && (a.Reason == "access" || a.Reason == "tenant"), "repair.not-allowed")
	case "approve":
		no(a.By == m.asker, "repair.same-person")
	case "approve_variation":
		no(m.variation == nobody, "repair.not-allowed")
		no(m.variation == a.By, "repair.same-person")
	case "reject_variation":
		no(m.variation == nobody, "repair.not-allowed")
	case "request_variation", "complete":
		no(m.variation != nobody, "repair.not-allowed")
	case "triage":
		no(a.Outcome.Ours() && (a.Triage.Trade == "" || a.Triage.Priority == ""), "missing")
	case "raise":
		no(!m.ours || m.trade == "", "repair.not-allowed")
	case "assign":
		no(!m.ours || m.trade == "" || a.Contractor == m.holder, "repair.not-allowed")
	case "rebook":
		no(a.Slot == m.visitSlot, "repair.not-allowed")
	case "landlord_missed":
		no(when.Before(m.visitTo), "repair.not-allowed")
	case "follow_on":
		no(a.Trade != "" && a.Trade != m.trade && a.Repair == "", "missing")
	case "recall":
		no(a.Now.After(m.done.AddDate(0, 0, a.RecallDays)), "repair.too-late")
		no(when.Before(m.done), "repair.order")
	}
	return codes, true
}

// order is where a routing leads: to a contractor, to whoever approves, or to nobody.
func (m *model) order(g repair.Routing, by string) {
	m.asker, m.variation = "", nobody
	m.holder = g.Contractor
	switch {
	case g.Contractor == "":
		m.state = "triaged"
	case g.Cost.Minor > g.Limit.Minor && g.Limit.Currency != "":
		m.state, m.asker = "awaiting_approval", by
	default:
		m.state = "raised"
	}
	m.visit = ""
}

// follow is the model after an act that was allowed.
func (m *model) follow(a repair.Act) {
	when := m.when(a)
	if !strings.Contains(still, " "+string(a.Action)+" ") {
		m.last = when
	}
	to := map[string]repair.State{
		"decline": "declined", "approve": "raised", "accept": "accepted", "book": "scheduled", "rebook": "scheduled", "start": "attending",
		"no_access": "no_access", "landlord_missed": "accepted", "hold": "on_hold", "make_safe": "made_safe", "follow_on": "accepted",
		"complete": "completed", "confirm": "confirmed", "dispute": "disputed", "close": "closed", "cancel": "cancelled", "merge": "duplicate",
	}
	before := m.state
	if s, ok := to[string(a.Action)]; ok {
		m.state = s
		if s != "scheduled" && s != "attending" && s != "duplicate" {
			m.visit = ""
		}
	}
	switch string(a.Action) {
	case "triage":
		m.ours, m.trade = a.Outcome.Ours(), a.Triage.Trade
		if m.state = "not_responsible"; m.ours {
			m.order(a.Routing, a.By)
		}
	case "raise", "assign", "hand_back":
		m.order(a.Routing, a.By)
	case "approve":
		m.asker = ""
	case "cancel":
		m.variation = nobody
	case "book":
		m.visit, m.visitSlot, m.visitFrom, m.visitTo, m.reminded, m.rearranging = a.ID, a.Slot, a.Window.From, a.Window.To, false, 0
	case "rebook":
		m.visitSlot, m.visitFrom, m.visitTo, m.reminded = a.Slot, a.Window.From, a.Window.To, false
		m.rearranging++
	case "start":
		if m.visit == "" {
			m.visit, m.visitSlot, m.visitFrom, m.visitTo = a.ID, "", when, time.Time{}
		}
	case "no_access":
		if m.visitSlot != "" && !when.Before(m.visitFrom) { // who comes too early has not been refused
			m.noAccess++
		}
	case "hold":
		if m.back = before; before == "scheduled" || before == "attending" {
			m.back = "accepted"
		}
	case "merge":
		m.back = before
	case "resume", "split":
		m.state, m.back = m.back, ""
	case "request_variation":
		m.variation = a.By
	case "approve_variation", "reject_variation":
		m.variation = nobody
	case "complete":
		m.done = when
	case "reopen":
		if m.state = "accepted"; m.holder == "" || m.asker != "" || !m.ours {
			m.state, m.holder, m.asker = "triaged", "", ""
		}
	}
	if m.state != "on_hold" && m.state != "duplicate" {
		m.back = ""
	}
}

// walked is the clocks of a history by a walk of their own: when each began, what stood in its way
// when, and how it ended.
type walked struct {
	targets []clock.Target
	began   time.Time
	pauses  []clock.Pause
	met     map[string]time.Time
	ended   time.Time
	holder  domain.ID
	second  time.Time
	gaveUp  domain.ID // the last contractor who handed it back

	unapproved bool      // the order waits for approval
	visit      domain.ID // that was booked last
	from       time.Time // when it begins
	shut       bool      // no_access is what a hold leads back to
	noAccess   int
}

func (w *walked) pause(reason string, from time.Time) {
	w.unpause(from)
	if len(w.targets) > 0 { // without a clock there is nothing to stop, nor to remember
		w.pauses = append(w.pauses, clock.Pause{Reason: reason, From: from})
	}
}

func (w *walked) unpause(to time.Time) {
	if n := len(w.pauses); n > 0 && w.pauses[n-1].To.IsZero() {
		w.pauses[n-1].To = to
	}
}

func (w *walked) after(e repair.Event) {
	when := reflect.ValueOf(e).FieldByName("At")
	switch f := e.(type) {
	case repair.Reported:
		w.began, w.met = f.At, map[string]time.Time{}
		return
	case repair.ContactGiven, repair.SlotHeld, repair.VisitReminded, repair.VariationRequested, repair.VariationApproved,
		repair.VariationRejected, repair.Recalled, repair.Noted:
		return
	case repair.Merged, repair.Parted:
		return
	}
	at := when.Interface().(time.Time)
	w.ended = time.Time{}
	wasShut := w.shut
	w.shut = false
	switch f := e.(type) {
	case repair.VisitBooked:
		w.visit, w.from = f.Visit, f.From
	case repair.VisitRearranged:
		w.from = f.From
	case repair.AccessFailed:
		if f.Visit != w.visit || at.Before(w.from) { // without an appointment, or before it
			w.unpause(at)
			return
		}
		w.pause("access", at)
		w.shut = true
		w.noAccess++
		return
	case repair.WaitingForParts:
		w.pause("parts", at)
		w.shut = wasShut
		return
	case repair.PutOnHold:
		w.pause(f.Reason, at)
		w.shut = wasShut
		return
	case repair.Resumed:
		w.unpause(at)
		if wasShut {
			w.pause("access", at)
			w.shut = true
		}
		return
	case repair.Assigned:
		if right := slices.IndexFunc(w.targets, func(t clock.Target) bool { return t.Clock == "right_to_repair" }); right >= 0 &&
			w.second.IsZero() && w.holder != "" && w.holder != f.Contractor && w.met["right_to_repair"].IsZero() {
			if due, _ := w.due(w.targets[right], at); at.After(due) {
				w.second = at
			}
		}
		w.holder = f.Contractor
	case repair.Triaged:
		w.targets = f.Targets
		for name := range w.met {
			if !slices.ContainsFunc(f.Targets, func(t clock.Target) bool { return t.Clock == name }) {
				delete(w.met, name) // a clock that is not there any more keeps nothing
			}
		}
		if f.Outcome == "tenant" || f.Outcome == "leaseholder" {
			w.ended = at
		}
		if len(f.Targets) == 0 {
			w.pauses = nil
		}
	case repair.WasMadeSafe:
		w.meet("make_safe", at)
	case repair.Completed:
		w.meet("make_safe", at)
		w.meet("completion", at)
		w.meet("right_to_repair", at)
	case repair.ApprovalRequested:
		w.unapproved = true
	case repair.Raised:
		w.unapproved = false
	case repair.HandedBack:
		w.gaveUp = f.Contractor
	case repair.Disputed, repair.Reopened:
		if w.unapproved { // whoever was to get the order never did
			w.holder, w.unapproved = w.gaveUp, false
		}
		delete(w.met, "completion")
		delete(w.met, "right_to_repair")
	case repair.Declined, repair.Cancelled:
		w.ended = at
	}
	w.unpause(at)
}

func (w *walked) meet(name string, at time.Time) {
	there := slices.ContainsFunc(w.targets, func(t clock.Target) bool { return t.Clock == name })
	if _, met := w.met[name]; !met && there {
		w.met[name] = at
	}
}

// standing says whether an instant lies in a pause that stops the target.
func (w *walked) standing(t clock.Target, at, end time.Time) bool {
	return slices.ContainsFunc(w.pauses, func(p clock.Pause) bool {
		to := p.To
		if to.IsZero() {
			to = end
		}
		return slices.Contains(t.PausedBy, p.Reason) && !at.Before(p.From) && at.Before(to)
	})
}

// due counts a target from the beginning; a pause that lasts is over at the end. It walks minute by
// minute, or day by day.
func (w *walked) due(t clock.Target, end time.Time) (due time.Time, paused bool) {
	at := w.began
	if t.Unit == clock.Hours {
		for left := t.Amount * 60; left > 0; at = at.Add(time.Minute) {
			if !w.standing(t, at, end) {
				left--
			}
		}
	} else {
		at = time.Date(at.Year(), at.Month(), at.Day(), 23, 59, 59, 0, time.UTC)
		for left := t.Amount; left > 0; {
			at = at.AddDate(0, 0, 1)
			free := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday || slices.Contains(t.Holidays, domain.DateOf(at))
			if !w.standing(t, at, end) && (t.Unit == clock.CalendarDays || !free) {
				left--
			}
		}
	}
	open := len(w.pauses) > 0 && w.pauses[len(w.pauses)-1].To.IsZero()
	return at, open && slices.Contains(t.PausedBy, w.pauses[len(w.pauses)-1].Reason)
}

type shown struct {
	Clock            string
	Due, Met         time.Time
	Breached, Paused bool
}

func (w *walked) readings(now time.Time) []shown {
	list := []shown{}
	if !w.ended.IsZero() && w.ended.Before(now) {
		now = w.ended
	}
	for _, t := range w.targets {
		s := shown{Clock: t.Clock, Met: w.met[t.Clock]}
		end := now
		if !s.Met.IsZero() {
			end = s.Met
		}
		s.Due, s.Paused = w.due(t, end)
		s.Breached = end.After(s.Due)
		s.Paused = s.Paused && s.Met.IsZero() && !s.Breached
		list = append(list, s)
	}
	return list
}

// life is a repair told in three ways: stepped along, as a view keeps it, and as the model sees it.
type life struct {
	t       *rapid.T
	now     time.Time
	repair  repair.Repair
	view    repair.Repair // kept as JSON between facts
	model   model
	walked  walked
	history []repair.Event
	states  []repair.Repair // before each fact
	bytes   [][]byte        // of each fact, as it was when it happened
	taken   []repair.Act
}

func (l *life) record(facts ...repair.Event) {
	for _, f := range facts {
		data, err := json.Marshal(f)
		if err != nil {
			l.t.Fatal(err)
		}
		l.history, l.states, l.bytes = append(l.history, f), append(l.states, l.repair), append(l.bytes, data)
		before := l.repair
		l.repair = before.Apply(f)
		rivals(before)
		l.view = l.view.Apply(l.read(f, data))
		kept, err := json.Marshal(l.view)
		if err != nil {
			l.t.Fatal(err)
		}
		l.view = repair.Repair{}
		if err := json.Unmarshal(kept, &l.view); err != nil {
			l.t.Fatalf("%s: %v", kept, err)
		}
		l.walked.after(f)
	}
}

// rivals are what could have happened instead. Nothing of it may show in what did (replayed).
func rivals(before repair.Repair) {
	when := at("12-31 23:59")
	step := repair.Step{Action: "RIVAL", Doing: "rival", At: when, Photos: []domain.ID{"RIVAL"}}
	_ = before.Apply(repair.Noted{Step: step})
	_ = before.Apply(repair.HandedBack{Step: step, Contractor: "RIVAL"})
	_ = before.Apply(repair.Recalled{Step: step, Repair: "RIVAL"})
	_ = before.Apply(repair.VisitBooked{Step: step, Visit: "RIVAL", Slot: "RIVAL"}).Apply(repair.VisitReminded{At: when, Visit: "RIVAL"})
	_ = before.Apply(repair.VisitStarted{Step: step, Visit: "RIVAL"}).Apply(repair.Completed{Step: step})
	_ = before.Apply(repair.VisitRearranged{Step: step, Visit: "RIVAL", Slot: "RIVAL"}).Apply(repair.AccessFailed{Step: step})
	_ = before.Apply(repair.PutOnHold{Step: step}).Apply(repair.Resumed{Step: step})
	_ = before.Apply(repair.VariationRequested{Step: step, SOR: work("RIVAL")}).Apply(repair.VariationApproved{Step: step})
	_ = before.Apply(repair.Disputed{Step: step}).Apply(repair.Reopened{Step: step})
}

// read is a fact from its bytes.
func (l *life) read(f repair.Event, data []byte) repair.Event {
	fact := reflect.New(reflect.TypeOf(f))
	if err := json.Unmarshal(data, fact.Interface()); err != nil {
		l.t.Fatalf("%s: %v", data, err)
	}
	return fact.Elem().Interface().(repair.Event)
}

// oneIn is one of several, each as likely as the others (rapid would like the first ones best).
func oneIn[T any](t *rapid.T, name string, of ...T) T {
	index := rapid.Custom(func(t *rapid.T) int {
		n := 0
		for range 8 {
			if n *= 2; rapid.Bool().Draw(t, "bit") {
				n++
			}
		}
		return n % len(of)
	})
	return of[index.Draw(t, name)]
}

// seldom is true one time in a number of times.
func (l *life) seldom(name string, times int) bool {
	of := make([]bool, times)
	of[times-1] = true
	return oneIn(l.t, name, of...)
}

// maybe is true nearly always.
func (l *life) maybe(name string) bool { return !l.seldom(name, 12) }

// targets are those of some priority; a second contractor has as long as the first.
func (l *life) targets() []clock.Target {
	made := func(name string, amount int, unit clock.Unit, by ...string) clock.Target {
		t := clock.Target{Clock: name, Parameter: "p@2024-01-01", Amount: amount, Unit: unit, Zone: "UTC", PausedBy: by, Source: "a test"}
		if unit == clock.WorkingDays {
			t.Calendar, t.Holidays, t.HolidaysTo = "england", []domain.Date{date("2026-03-04"), date("2026-03-17")}, date("2026-12-31")
		}
		return t
	}
	by := oneIn(l.t, "paused by", []string{"access", "tenant"}, []string{"access", "tenant", "parts"}, nil)
	all := []clock.Target{
		oneIn(l.t, "completion", made("completion", 7, clock.CalendarDays, by...), made("completion", 24, clock.Hours, by...)),
		made("make_safe", 4, clock.Hours, oneIn(l.t, "safe", nil, []string{"access"})...),
		made("right_to_repair", oneIn(l.t, "period", 1, 3), clock.WorkingDays, "access"),
	}
	return all[:oneIn(l.t, "clocks", 3, 2, 1, 0)]
}

func (l *life) routing() repair.Routing {
	g := repair.Routing{Explanation: "by rule", Limit: pounds(50000), Parameter: "spend.limit@2024-01-01"}
	if l.maybe("somebody fits") {
		g.Contractor = oneIn[domain.ID](l.t, "who", "C1", "C2", "C3")
		g.Contract, g.SOR = "K1", work(oneIn(l.t, "work", "TAP", "SINK"))
		g.Cost = pounds(oneIn[int64](l.t, "cost", 4000, 4001, 50000, 50001))
	}
	return g
}

func (l *life) diagnosis(outcome repair.Outcome) repair.Diagnosis {
	d := repair.Diagnosis{Outcome: outcome, Advice: "turn the stopcock"}
	if outcome.Ours() {
		d.Trade, d.Priority, d.SOR, d.Targets = "plumbing", repair.Urgent, work("TAP"), l.targets()
	}
	return d
}

func begin(t *rapid.T) *life {
	l := &life{t: t, now: at("03-02 09:00")}
	p := repair.Report{
		Now: l.now, Tenancy: "T1", Property: "P1", Path: []string{"kitchen", "tap"}, Tree: "tree-1", Description: text("It drips"), By: "T",
		Answers: []repair.Answer{{Question: "q1", Answer: "yes"}, {Question: "q2", Answer: "no"}},
	}
	if oneIn(t, "back-dated", false, true) {
		p.At = l.now.Add(-time.Duration(rapid.IntRange(0, 3000).Draw(t, "by")) * time.Minute)
	}
	if oneIn(t, "reachable", false, true) {
		p.Contact, p.Person = text("07700 900001"), oneIn[domain.ID](t, "known", "", "PERSON")
	}
	p.Triage = l.diagnosis(oneIn(t, "diagnosis", repair.OutcomeLandlord, repair.OutcomeLandlord, repair.OutcomeEmergency, repair.OutcomeTenant))
	if p.Routing = l.routing(); p.Triage.Outcome.Ours() && l.seldom("known already", 6) {
		p.Into = "R0"
	}
	facts, err := l.repair.Report(p)
	if err != nil {
		t.Fatal(err)
	}
	l.record(facts...)
	began := p.At
	if began.IsZero() {
		began = l.now
	}
	l.model = model{variation: nobody, reported: began, last: began, ours: p.Triage.Outcome.Ours(), trade: p.Triage.Trade, state: "not_responsible"}
	switch {
	case p.Into != "":
		l.model.state, l.model.back = "duplicate", "triaged"
	case l.model.ours:
		l.model.order(p.Routing, "T")
	}
	if versions := p.Recorded(l.repair); len(versions) != 1 || versions[0] != 1 || !p.Matches(l.history[0]) {
		t.Fatalf("a report does not know itself: %v", versions)
	}
	other := p
	other.Description = text("It floods")
	if other.Matches(l.history[0]) {
		t.Fatal("another report is taken for the same")
	}
	return l
}

// act is anything at all, more often than not something that is allowed.
func (l *life) act() repair.Act {
	t := l.t
	a := repair.Act{ID: domain.ID(fmt.Sprintf("A%d", len(l.taken)+1)), By: oneIn(t, "by", "M1", "M2", "C", "T"), RecallDays: 90}
	a.Role, a.Action = l.wish()
	l.now = l.now.Add(time.Duration(oneIn(t, "minutes", 0, 1, 30, 60, 240, 1441, 3000, 20000)) * time.Minute)
	a.Now = l.now
	if l.seldom("another machine", 10) {
		a.Now = a.Now.Add(-2 * time.Hour)
	}
	if l.seldom("says when", 4) {
		a.At = a.Now.Add(-time.Duration(oneIn(t, "before", -1, 0, 0, 1, 1, 30, 300, 5000, 50000)) * time.Minute)
	}
	if l.maybe("reason") {
		a.Reason = oneIn(t, "which reason", "parts", "access", "tenant", "weather")
	}
	if l.maybe("note") {
		a.Note = text("a note")
	}
	if l.seldom("photos", 4) {
		a.Photos = []domain.ID{oneIn[domain.ID](t, "photo", "F1", "F2", "F4", "F5", "F6", "F7"), "F3"}
	}
	l.fill(&a)
	return a
}

// wish is who wants to do what: mostly something that goes on from here, at times just anything.
func (l *life) wish() (repair.Role, repair.Action) {
	t := l.t
	if l.seldom("anything", 8) {
		return oneIn(t, "role", append(people(), "auditor", "", repair.System)...), oneIn(t, "any action", actions()...)
	}
	role := oneIn(t, "role", people()...)
	lawful := lawFor(l.model.state, role)
	if len(lawful) == 1 { // nothing but a note
		role = repair.Manager
		lawful = lawFor(l.model.state, role)
	}
	if !l.seldom("ends or remarks", 8) {
		onward := slices.DeleteFunc(slices.Clone(lawful), func(word string) bool {
			return slices.Contains([]string{"cancel", "decline", "merge", "note", "hold_slot"}, word) ||
				(strings.HasSuffix(word, "t_variation") || strings.HasSuffix(word, "e_variation")) && l.model.variation == nobody && word != "request_variation"
		})
		for _, word := range []string{"start", "start", "make_safe", "complete", "complete", "complete"} { // the way there is long
			if slices.Contains(onward, word) {
				onward = append(onward, word)
			}
		}
		if len(onward) > 0 {
			lawful = onward
		}
	}
	return role, repair.Action(oneIn(t, "action", lawful...))
}

// fill gives what the action is about.
func (l *life) fill(a *repair.Act) {
	t := l.t
	switch a.Action {
	case repair.Triage:
		if l.maybe("outcome") {
			a.Outcome = oneIn(t, "which outcome", append(repair.Outcomes(), repair.OutcomeLandlord, repair.OutcomeLandlord, repair.OutcomeLandlord)...)
		}
		a.Triage = l.diagnosis(a.Outcome)
		if !l.maybe("trade") {
			a.Triage.Trade = ""
		}
		if !l.maybe("priority") {
			a.Triage.Priority = ""
		}
		a.Routing = l.routing()
	case repair.Raise, repair.HandBack:
		a.Routing = l.routing()
	case repair.Assign:
		a.Routing = l.routing()
		if l.maybe("contractor") {
			a.Contractor = oneIn[domain.ID](t, "contractor is", "C1", "C2", "C3")
			a.Routing.Contractor = a.Contractor
		}
	case repair.HoldSlot, repair.Book, repair.Rebook:
		if l.maybe("slot") {
			a.Slot = oneIn[domain.ID](t, "slot is", "S1", "S2", "S3")
			from := l.now.Add(time.Duration(oneIn(t, "in", -60, 60, 3000)) * time.Minute)
			a.Window = repair.Slot{ID: a.Slot, Contractor: l.model.holder, From: from, To: from.Add(4 * time.Hour), Until: l.now.Add(15 * time.Minute)}
		}
	case repair.NoAccess:
		if l.maybe("evidence") {
			a.Evidence = text("a photo of the door")
		}
	case repair.Hold:
		a.Until = oneIn(t, "until", 0, date("2026-04-01"))
	case repair.RequestVariation:
		if l.maybe("work") {
			a.SOR, a.Cost = work("TAP", "TILE"), oneIn(t, "varied cost", domain.Money{}, pounds(7000))
		}
	case repair.FollowOn:
		a.Trade = oneIn(t, "other trade", "", "plumbing", "roofing")
		a.Repair = oneIn[domain.ID](t, "other repair", "", "R2")
	case repair.Recall:
		if l.maybe("repair") {
			a.Repair = "R3"
		}
	case repair.Merge:
		if l.maybe("into") {
			a.Into = "R0"
		}
	case repair.Confirm:
		a.Rating = rapid.IntRange(0, 5).Draw(t, "rating")
	default:
	}
	if a.Action != repair.Merge && l.seldom("a stray field", 20) {
		a.Into = "R0"
	}
}

func code(err error) string {
	if refusal, ok := errors.AsType[*domain.Refusal](err); ok {
		return refusal.Code
	}
	return fmt.Sprint(err)
}

// try does an act, or sees it refused, as the model says.
func (l *life) try(a repair.Act) {
	t := l.t
	broken, inTable := l.model.against(a)
	facts, err := l.repair.Take(a)
	if permitted := l.repair.Permits(a); permitted != nil && (err == nil || permitted.Error() != err.Error()) {
		t.Fatalf("%+v: permitted %v, taken %v", a, permitted, err)
	}
	if len(broken) > 0 {
		if !slices.Contains(broken, code(err)) || len(facts) > 0 {
			t.Fatalf("%s by %s of what is %s: want one of %v, got %v, %v\n%+v", a.Action, a.Role, l.model.state, broken, err, facts, a)
		}
		if !inTable {
			want := "the repair is " + string(l.model.state) + ", which does not allow " + string(a.Action) + "; allowed now: "
			if !strings.HasPrefix(err.Error(), want) {
				t.Fatalf("the refusal %q does not begin with %q", err, want)
			}
			l.namesAllowed(a, strings.TrimPrefix(err.Error(), want))
		}
		return
	}
	if err != nil || len(facts) == 0 {
		t.Fatalf("%s by %s of what is %s is allowed, got %v, %v\n%+v", a.Action, a.Role, l.model.state, facts, err, a)
	}
	before := l.repair
	l.record(facts...)
	l.model.follow(a)
	l.taken = append(l.taken, a)
	l.wasListed(a, before.State)
	version := before.Version() + 1
	if got := a.Recorded(l.repair); !slices.Equal(got, []uint64{version}) {
		t.Fatalf("%+v is recorded at %v, want %d", a, got, version)
	}
}

// wasListed wants what was done to be a row of the table, and to have come out where the row says.
func (l *life) wasListed(a repair.Act, from repair.State) {
	for _, m := range repair.Moves() {
		if m.Action == a.Action && slices.Contains(m.From, from) && slices.Contains(m.Roles, a.Role) {
			if len(m.To) == 0 && l.repair.State != from || len(m.To) > 0 && !slices.Contains(m.To, l.repair.State) {
				l.t.Fatalf("%s leads from %s to %s, the table says %v", a.Action, from, l.repair.State, m.To)
			}
			return
		}
	}
	l.t.Fatalf("%s by %s of what is %s is not in the table", a.Action, a.Role, from)
}

// namesAllowed compares the actions that a refusal lists with the rules.
func (l *life) namesAllowed(a repair.Act, listed string) {
	var got []string
	if listed != "" {
		got = strings.Split(listed, ", ")
	}
	l.sameWords(a.Role, a.By, got)
}

// sameWords compares what is allowed now with the rules, as far as they do not depend on what is asked.
func (l *life) sameWords(role repair.Role, by string, got []string) {
	m := l.model
	want := slices.DeleteFunc(lawFor(m.state, role), func(word string) bool {
		switch word {
		case "approve":
			return m.asker == by
		case "approve_variation":
			return m.variation == nobody || m.variation == by
		case "reject_variation":
			return m.variation == nobody
		case "request_variation", "complete":
			return m.variation != nobody
		case "landlord_missed":
			return l.now.Before(m.visitTo) && m.last.Before(m.visitTo)
		case "raise", "assign":
			return !m.ours || m.trade == ""
		}
		return false
	})
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		l.t.Fatalf("%s %s may do %v to what is %s, the rules say %v", role, by, got, m.state, want)
	}
}

// program does what the program itself does: reminding, and losing what a diary did not keep.
func (l *life) program() {
	t, m := l.t, &l.model
	n := repair.Remind{Visit: oneIn(t, "visit", m.visit, "A0"), At: l.now.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "ago")) * time.Minute)}
	booked := m.state == "scheduled" && n.Visit == m.visit
	lose := oneIn(t, "lose", false, true)
	decision, want := repair.Repair.Remind, booked && !m.reminded
	if lose {
		decision, want = repair.Repair.Lose, booked
	}
	facts, err := decision(l.repair, n)
	if err != nil || (len(facts) == 1) != want {
		t.Fatalf("%+v (lost: %v) of what is %s: %v, %v", n, lose, m.state, facts, err)
	}
	l.record(facts...)
	switch {
	case !want:
		return
	case !lose:
		m.reminded = true
	default:
		m.state, m.visit = "accepted", ""
		if n.At.After(m.last) {
			m.last = n.At
		}
	}
	if more, err := decision(l.repair, n); err != nil || len(more) > 0 {
		t.Fatalf("said twice: %v, %v", more, err)
	}
}

// agree wants all tellings of the repair to say the same.
func (l *life) agree() {
	t, m, r := l.t, &l.model, l.repair
	visit, stands := r.Visit()
	got := model{
		state: r.State, back: r.Before, ours: r.Outcome.Ours(), trade: r.Trade, holder: r.Contractor, asker: r.RequestedBy, variation: nobody,
		visit: visit.ID, reported: r.ReportedAt, last: r.LastAt, noAccess: r.NoAccess,
	}
	if r.Variation != nil {
		got.variation = r.Variation.By
	}
	want := *m
	if stands {
		got.visitSlot, got.visitFrom, got.visitTo, got.reminded, got.rearranging = visit.Slot, visit.From, visit.To, visit.Reminded, visit.Rearranged
	} else {
		want.visitSlot, want.visitFrom, want.visitTo, want.reminded, want.rearranging = "", time.Time{}, time.Time{}, false, 0
	}
	if visit.Slot == "" {
		want.rearranging, want.reminded = 0, false // somebody came without an appointment
	}
	got.done, want.done = time.Time{}, time.Time{}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(model{})); diff != "" {
		t.Fatalf("after %s (-model +repair)\n%s", l.history[len(l.history)-1].EventType(), diff)
	}
	if r.CompletedAt.IsZero() == (r.State.Class() == repair.Resolved) {
		t.Fatalf("%s, completed at %s", r.State, r.CompletedAt)
	}
	if ended := r.State == "cancelled" || r.State == "declined" || r.State == "not_responsible"; ended == r.EndedAt.IsZero() {
		t.Fatalf("%s, ended at %s", r.State, r.EndedAt)
	}
	if stepped, kept := asJSON(t, r), asJSON(t, l.view); stepped != kept {
		t.Fatalf("a view says otherwise (-stepped +kept)\n%s", cmp.Diff(stepped, kept))
	}
	for _, role := range append(people(), "auditor") {
		by := oneIn(t, "who asks", "M1", "M2", "C", "T")
		var may []string
		for _, m := range r.Allowed(role, by, l.now) {
			may = append(may, string(m.Action))
		}
		l.sameWords(role, by, may)
	}
	l.readClocks()
}

func (l *life) readClocks() {
	now := l.repair.LastAt.Add(time.Duration(oneIn(l.t, "read in", 0, 1, 100, 1500, 9000)) * time.Minute)
	got := []shown{}
	for _, s := range l.repair.Readings(now) {
		got = append(got, shown{s.Clock, s.DueAt, s.MetAt, s.Breached, s.Paused})
	}
	if diff := cmp.Diff(l.walked.readings(now), got); diff != "" {
		l.t.Fatalf("clocks at %s, after %s (-walked +read)\n%s", now, l.history[len(l.history)-1].EventType(), diff)
	}
	if !l.walked.second.Equal(l.repair.SecondAt) {
		l.t.Fatalf("a second contractor got it at %s, want %s", l.repair.SecondAt, l.walked.second)
	}
}

// again asks for what was done, with the same body and with others.
func (l *life) again() {
	t := l.t
	a := oneIn(t, "again", l.taken...)
	versions := a.Recorded(l.repair)
	if len(versions) != 1 {
		t.Fatalf("%+v was forgotten", a)
	}
	fact := l.history[versions[0]-1]
	read := l.read(fact, l.bytes[versions[0]-1])
	if !a.Matches(fact) || !a.Matches(read) {
		t.Fatalf("%+v does not know itself in %+v", a, fact)
	}
	for _, b := range otherBodies(a) {
		if b.Matches(fact) || b.Matches(read) {
			t.Fatalf("another body is taken for the same\n%+v\n%+v\n%+v", a, b, fact)
		}
	}
	for i, f := range l.history {
		if uint64(i) != versions[0]-1 && a.Matches(f) {
			t.Fatalf("%+v knows itself in %+v", a, f)
		}
	}
}

// otherBodies are the same act, each with one thing different.
func otherBodies(a repair.Act) []repair.Act {
	but := func(change func(*repair.Act)) repair.Act {
		b := a
		change(&b)
		return b
	}
	list := []repair.Act{
		but(func(b *repair.Act) { b.ID += "x" }),
		but(func(b *repair.Act) { b.Reason += "x" }),
		but(func(b *repair.Act) { b.Note.Text += "x" }),
		but(func(b *repair.Act) { b.At = a.Now.Add(-1000 * time.Hour) }),
		but(func(b *repair.Act) { b.Photos = append([]domain.ID{"F9"}, a.Photos...) }),
		but(func(b *repair.Act) { b.Action = "x" }),
	}
	more := map[repair.Action][]func(*repair.Act){
		repair.Triage: {
			func(b *repair.Act) { b.Outcome = "x" }, func(b *repair.Act) { b.Trade = "x" }, func(b *repair.Act) { b.Priority = "x" },
			func(b *repair.Act) { b.SOR = work("X") },
		},
		repair.Assign:   {func(b *repair.Act) { b.Contractor = "x" }},
		repair.HoldSlot: {func(b *repair.Act) { b.Slot = "x" }},
		repair.Book:     {func(b *repair.Act) { b.Slot = "x" }},
		repair.Rebook:   {func(b *repair.Act) { b.Slot = "x" }},
		repair.NoAccess: {func(b *repair.Act) { b.Evidence = text("x") }},
		repair.Hold:     {func(b *repair.Act) { b.Until++ }},
		repair.FollowOn: {func(b *repair.Act) { b.Repair += "x" }, func(b *repair.Act) { b.Trade += "x" }, func(b *repair.Act) { b.SOR = work("X") }},
		repair.Confirm:  {func(b *repair.Act) { b.Rating++ }},
		repair.Recall:   {func(b *repair.Act) { b.Repair += "x" }},
		repair.Merge:    {func(b *repair.Act) { b.Into += "x" }},
		repair.RequestVariation: {
			func(b *repair.Act) { b.SOR = work("X") }, func(b *repair.Act) { b.SOR = []repair.Line{{Code: "TAP", Quantity: 2}} },
			func(b *repair.Act) { b.Cost = pounds(1) },
		},
	}
	for _, change := range more[a.Action] {
		list = append(list, but(change))
	}
	return list
}

// replayed wants the facts from the log to give, one after the other, every state that there was: what
// somebody held on to was never changed behind their back.
func (l *life) replayed() {
	var r repair.Repair
	everything := cmp.Exporter(func(reflect.Type) bool { return true })
	for i, data := range l.bytes {
		if diff := cmp.Diff(r, l.states[i], everything); diff != "" {
			l.t.Fatalf("the state before fact %d, %s (-replayed +kept)\n%s", i+1, l.history[i].EventType(), diff)
		}
		r = r.Apply(l.read(l.history[i], data))
	}
	if diff := cmp.Diff(r, l.repair, everything); diff != "" {
		l.t.Fatalf("replayed from zero (-replayed +stepped)\n%s", diff)
	}
	for i, f := range l.history {
		if now, err := json.Marshal(f); err != nil || string(now) != string(l.bytes[i]) {
			l.t.Fatalf("fact %d has changed from\n%s\nto\n%s", i+1, l.bytes[i], now)
		}
	}
}

// nobodyApprovesTheirOwn reads the facts: who asked and who approved, and that nothing goes ahead before.
func (l *life) nobodyApprovesTheirOwn() {
	asker, varied := "", ""
	var r repair.Repair
	for _, f := range l.history {
		r = r.Apply(f)
		switch f := f.(type) {
		case repair.ApprovalRequested:
			asker = f.By
		case repair.Approved:
			if f.By == asker {
				l.t.Fatalf("%s approves their own order", f.By)
			}
			asker = ""
		case repair.Raised:
			if asker != "" {
				l.t.Fatalf("raised, though %s still waits for approval", asker)
			}
		case repair.Assigned, repair.NobodyFits:
			asker = ""
		case repair.VariationRequested:
			varied = f.By
		case repair.VariationApproved:
			if f.By == varied {
				l.t.Fatalf("%s approves their own variation", f.By)
			}
		}
		if asker != "" && slices.Contains([]repair.State{"raised", "accepted", "scheduled", "attending", "made_safe", "completed"}, r.State) {
			l.t.Fatalf("the repair is %s with %s, with an order that nobody approved", r.State, f.EventType())
		}
	}
}

func TestRepair_does_what_the_rules_say_whatever_is_asked_of_it(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := begin(t)
		l.agree()
		for range oneIn(t, "acts", 5, 20, 40) {
			switch {
			case l.seldom("the program", 12):
				l.program()
			case len(l.taken) > 0 && l.seldom("again", 10):
				l.again()
			default:
				l.try(l.act())
			}
			l.agree()
		}
		l.replayed()
		l.nobodyApprovesTheirOwn()
	})
}
