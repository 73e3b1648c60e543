package drstest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"rentbook/commands"
	"rentbook/integrations/drs/drstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	morning = `{"repair":"R1","contractor":"C1","slot":"2026-11-23.0800-1200","trade":"","priority":""}`
	evening = `{"repair":"R1","contractor":"C1","slot":"2026-11-23.1800-2000","trade":"","priority":""}`
)

func at(hour int) time.Time { return time.Date(2026, 11, 23, hour, 0, 0, 0, time.UTC) }

// exchange sends a body as it is, and answers a status and a body.
func exchange(s http.Handler, method, path, body string) string {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	s.ServeHTTP(w, r)
	answer, _ := io.ReadAll(w.Body)
	return http.StatusText(w.Code) + " " + string(answer)
}

// The simulator is strict, so that a client which sends something else than the protocol is found out.
func TestServer_RefusesWhatIsNotTheProtocol(t *testing.T) {
	t.Parallel()
	s := drstest.NewServer(drstest.Options{Now: func() time.Time { return at(0) }})
	s.SetSlots("C1", drstest.Window{From: at(8), To: at(12), Capacity: 1})
	for body, path := range map[string]string{
		``:                            "/v1/confirm",
		`{}`:                          "/v1/check",
		`{"booking":{}}`:              "/v1/cancel",
		`{"booking":` + morning + `}`: "/v1/reserve", // until when?
		`{"booking":` + morning + `,"until":"2026-11-22T23:00:00Z"}`:               "/v1/reserve",
		`{"booking":` + morning + `,"tenant":"Ada"}`:                               "/v1/confirm",
		`{"booking":` + strings.Replace(morning, `"trade":"",`, ``, 1) + `}`:       "/v1/confirm",
		`{"booking":` + morning + `}{}`:                                            "/v1/confirm",
		`{"from":` + morning + `}`:                                                 "/v1/reschedule",
		`{"booking":` + morning + `,"pad":"` + strings.Repeat("x", 100_000) + `"}`: "/v1/confirm",
		`{"repair":"R1","contractor":"C1","trade":"","priority":"","from":"2026-11-24T00:00:00Z","to":"2026-11-23T00:00:00Z","most":1}`: "/v1/check",
	} {
		if got := exchange(s, http.MethodPost, path, body); got != `Bad Request {"code":"invalid"}` {
			t.Errorf("%s %.80s: got %s", path, body, got)
		}
	}
	if got := exchange(s, http.MethodGet, "/v1/check", ``); !strings.HasPrefix(got, "Method Not Allowed") {
		t.Errorf("GET: got %s", got)
	}
	if got := exchange(s, http.MethodPost, "/v2/check", ``); !strings.HasPrefix(got, "Not Found") || strings.Contains(got, "not-held") {
		t.Errorf("another path: got %s", got)
	}
	if all := s.Bookings(); len(all) != 0 {
		t.Errorf("something was booked: %v", all)
	}
}

func TestServer_ADay(t *testing.T) {
	t.Parallel()
	now := at(0)
	s := drstest.NewServer(drstest.Options{Now: func() time.Time { return now }})
	s.SetSlots("C1", drstest.Window{From: at(18), To: at(20), Capacity: 1}, drstest.Window{From: at(8), To: at(12), Capacity: 1})
	booking := commands.Booking{Repair: "R1", Contractor: "C1", Slot: "2026-11-23.0800-1200"}
	later := booking
	later.Slot = "2026-11-23.1800-2000"
	check := `{"repair":"R1","contractor":"C1","trade":"","priority":"","from":"2026-11-23T00:00:00Z","to":"2026-11-24T00:00:00Z","most":9}`
	evenings := `{"id":"2026-11-23.1800-2000","contractor":"C1","from":"2026-11-23T18:00:00Z","to":"2026-11-23T20:00:00Z","free":1}`

	for _, step := range []struct {
		hour             int
		path, body, want string
		booked           []drstest.Held
	}{
		{
			0, "reserve", `{"booking":` + morning + `,"until":"2026-11-23T02:00:00Z"}`,
			`OK {"slot":{"id":"2026-11-23.0800-1200","contractor":"C1","from":"2026-11-23T08:00:00Z","to":"2026-11-23T12:00:00Z","free":0}}`,
			[]drstest.Held{{Booking: booking, Until: at(2)}},
		},
		{
			1, "reserve", `{"booking":` + strings.Replace(morning, "R1", "R2", 1) + `,"until":"2026-11-23T02:00:00Z"}`,
			`Conflict {"code":"slot-gone"}`,
			[]drstest.Held{{Booking: booking, Until: at(2)}},
		},
		{1, "check", check, `OK {"slots":[` + evenings + `]}`, []drstest.Held{{Booking: booking, Until: at(2)}}},
		{2, "cancel", `{"booking":` + morning + `}`, `Not Found {"code":"not-held"}`, nil},
		{2, "confirm", `{"booking":` + morning + `}`, `No Content `, []drstest.Held{{Booking: booking, Firm: true}}},
		{9, "confirm", `{"booking":` + morning + `}`, `No Content `, []drstest.Held{{Booking: booking, Firm: true}}},
		{9, "reschedule", `{"from":` + morning + `,"to":` + evening + `}`, `No Content `, []drstest.Held{{Booking: later, Firm: true}}},
		{9, "confirm", `{"booking":` + morning + `}`, `Conflict {"code":"slot-gone"}`, // it has begun
			[]drstest.Held{{Booking: later, Firm: true}}},
		{9, "check", check, `OK {"slots":[]}`, []drstest.Held{{Booking: later, Firm: true}}},
		{9, "cancel", `{"booking":` + evening + `}`, `No Content `, nil},
	} {
		now = at(step.hour)
		if got := exchange(s, http.MethodPost, "/v1/"+step.path, step.body); got != step.want {
			t.Errorf("%d o'clock, %s: got %s, want %s", step.hour, step.path, got, step.want)
		}
		if diff := cmp.Diff(step.booked, s.Bookings()); diff != "" {
			t.Errorf("%d o'clock, %s: booked (-want +got):\n%s", step.hour, step.path, diff)
		}
	}
}

// A clock change moves no window: they are of local time.
func TestWeekdays(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	friday := time.Date(2026, 10, 23, 11, 30, 0, 0, london) // the clocks go back on Sunday
	windows := drstest.Weekdays(london, 3)("C1", friday, friday.AddDate(0, 0, 4))
	var got []string
	for _, w := range windows {
		got = append(got, w.From.UTC().Format("02 15:04")+w.To.UTC().Format("-15:04"))
	}
	want := []string{
		"23 07:00-11:00", "23 11:00-16:00", "26 08:00-12:00", "26 12:00-17:00", "27 08:00-12:00", "27 12:00-17:00",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
}
