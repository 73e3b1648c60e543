package drs_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rentbook/commands"
	"rentbook/domain"
	"rentbook/eventstore"
	"rentbook/integrations/drs"
	"rentbook/integrations/drs/drstest"
)

const free = `{"id":"2026-11-23.0800-1200","contractor":"C1","from":"2026-11-23T08:00:00Z","to":"2026-11-23T12:00:00Z","free":1}`

// without is free with something else in the place of a part of it.
func without(old, instead string) string { return strings.Replace(free, old, instead, 1) }

func TestSlots_BelievesNoNonsense(t *testing.T) {
	t.Parallel()
	s, c, requests := inProcess(t, 0)
	for name, answer := range map[string]string{
		"nothing":                     ``,
		"no JSON":                     `<html>`,
		"no windows":                  `{}`,
		"windows that are null":       `{"slots":null}`,
		"another form":                `[]`,
		"an unknown field":            `{"slots":[],"more":true}`,
		"a window of another form":    `{"slots":[` + without(`"free"`, `"tenant":"Ada Lovelace","free"`) + `]}`,
		"something behind it":         `{"slots":[]}{}`,
		"a time that is none":         `{"slots":[` + without("T08", " 08") + `]}`,
		"no times":                    `{"slots":[{"id":"2026-11-23.0800-1200","contractor":"C1","free":1}]}`,
		"an id that is unknown":       `{"slots":[` + without("2026-11-23.0800-1200", "window-7") + `]}`,
		"an id of another day":        `{"slots":[` + without("2026-11-23.", "2026-11-24.") + `]}`,
		"another zone":                `{"slots":[` + strings.ReplaceAll(free, ":00Z", ":00+01:00") + `]}`,
		"an end before its beginning": `{"slots":[` + without("2026-11-23T12", "2026-11-22T12") + `]}`,
		"an end at its beginning":     `{"slots":[{"id":"2026-11-23.0800-0800","contractor":"C1","from":"2026-11-23T08:00:00Z","to":"2026-11-23T08:00:00Z","free":1}]}`,
		"more than a day":             `{"slots":[` + without("2026-11-23T12", "2026-11-25T12") + `]}`,
		"another contractor":          `{"slots":[` + without(`"C1"`, `"C2"`) + `]}`,
		"no room":                     `{"slots":[` + without(`"free":1`, `"free":0`) + `]}`,
		"less than no room":           `{"slots":[` + without(`"free":1`, `"free":-1`) + `]}`,
		"a window twice":              `{"slots":[` + free + `,` + free + `]}`,
		"too early":                   `{"slots":[` + strings.ReplaceAll(free, "2026-11-23", "2026-11-22") + `]}`,
		"too late":                    `{"slots":[` + strings.ReplaceAll(free, "2026-11-23", "2026-11-30") + `]}`,
		"out of order":                `{"slots":[` + strings.ReplaceAll(free, "2026-11-23", "2026-11-24") + `,` + free + `]}`,
		"too many":                    `{"slots":[` + free + strings.Repeat(`,`+free, 20) + `]}`,
	} {
		*requests = 0
		s.Fail(1, drstest.Answer(http.StatusOK, answer))
		found, err := c.Slots(t.Context(), wanted)
		if !errors.Is(err, drs.ErrAnswer) || found != nil {
			t.Errorf("%s: got %v, %v, want %v", name, found, err, drs.ErrAnswer)
		}
		if err != nil && strings.Contains(err.Error(), "Ada") {
			t.Errorf("%s: the error repeats the answer: %v", name, err)
		}
		if *requests != 1 {
			t.Errorf("%s: was asked %d times", name, *requests)
		}
	}
}

func TestSlots_AreNotMoreThanWanted(t *testing.T) {
	t.Parallel()
	s, c, _ := inProcess(t, 0)
	one := wanted
	one.Most = 1
	s.Fail(1, drstest.Answer(http.StatusOK, `{"slots":[`+free+`,`+strings.ReplaceAll(free, "2026-11-23", "2026-11-24")+`]}`))
	if found, err := c.Slots(t.Context(), one); !errors.Is(err, drs.ErrAnswer) {
		t.Errorf("got %v, %v, want %v", found, err, drs.ErrAnswer)
	}
}

func TestSlots_AreAMegabyteAtMost(t *testing.T) {
	t.Parallel()
	s, c, _ := inProcess(t, 0)
	const none = `{"slots":[]}`
	for length, want := range map[int]error{1 << 20: nil, 1<<20 + 1: drs.ErrAnswer} {
		s.Fail(1, drstest.Answer(http.StatusOK, none+strings.Repeat(" ", length-len(none))))
		if _, err := c.Slots(t.Context(), wanted); !errors.Is(err, want) {
			t.Errorf("%d bytes: got %v, want %v", length, err, want)
		}
	}
}

func TestReserve_BelievesNoNonsense(t *testing.T) {
	t.Parallel()
	s, c, _ := inProcess(t, 0)
	for name, answer := range map[string]string{
		"nothing":            `{}`,
		"another window":     `{"slot":` + strings.ReplaceAll(free, "2026-11-23", "2026-11-24") + `}`,
		"another contractor": `{"slot":` + without(`"C1"`, `"C2"`) + `}`,
		"less than no room":  `{"slot":` + without(`"free":1`, `"free":-1`) + `}`,
		"other times":        `{"slot":` + without("T08", "T09") + `}`,
		"an unknown field":   `{"slot":` + free + `,"note":""}`,
	} {
		s.Fail(1, drstest.Answer(http.StatusOK, answer))
		if slot, err := c.Reserve(t.Context(), first, until); !errors.Is(err, drs.ErrAnswer) || slot != (commands.Slot{}) {
			t.Errorf("%s: got %v, %v, want %v", name, slot, err, drs.ErrAnswer)
		}
	}
}

func TestSlots_AreInUTC(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	summer := time.Date(2026, 7, 6, 0, 0, 0, 0, london) // a Monday
	s := drstest.New(t, drstest.Options{
		Now: (&clock{now: summer}).Now, Zone: london, Diary: drstest.Weekdays(london, 2),
	})
	c := client(t, drs.Options{URL: s.URL, Zone: london})
	got, err := c.Slots(t.Context(), commands.SlotsWanted{
		Repair: "R1", Contractor: "C7", From: summer, To: summer.AddDate(1, 0, 0), Most: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(hour int) time.Time { return time.Date(2026, 7, 6, hour, 0, 0, 0, time.UTC) }
	want := []commands.Slot{
		{ID: "2026-07-06.0800-1200", Contractor: "C7", From: at(7), To: at(11), Free: 2},
		{ID: "2026-07-06.1200-1700", Contractor: "C7", From: at(11), To: at(16), Free: 2},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("slots (-want +got):\n%s", diff)
	}
}

func TestSlots_AsksNothingForNothing(t *testing.T) {
	t.Parallel()
	_, c, requests := inProcess(t, 0)
	none, empty, backwards := wanted, wanted, wanted
	none.Most, empty.To, backwards.To = 0, empty.From, backwards.From.Add(-1)
	for _, w := range []commands.SlotsWanted{none, empty, backwards} {
		if found, err := c.Slots(t.Context(), w); err != nil || found != nil {
			t.Errorf("%+v: got %v, %v, want nothing", w, found, err)
		}
	}
	if *requests != 0 {
		t.Errorf("%d requests were sent", *requests)
	}
}

// Every status has one meaning for each operation. Bodies of failures stay where they are.
func TestStatus(t *testing.T) {
	t.Parallel()
	s, c, _ := inProcess(t, 0)
	for _, o := range operations() {
		competes := o.name == "reserve" || o.name == "confirm" || o.name == "reschedule"
		for status := 200; status < 600; status++ {
			want := drs.ErrAnswer
			switch {
			case status == http.StatusNoContent && o.booked == nil && o.name != "cancel", status == http.StatusNoContent && o.name == "reserve":
			case status == http.StatusNoContent:
				want = nil
			case status == http.StatusConflict && competes:
				want = commands.ErrSlotGone
			case status == 502 || status == 503 || status == 504:
				continue // has tests of its own, with time
			case status >= 500:
				want = eventstore.ErrUnavailable
			}
			s.Fail(1, drstest.Answer(status, `{"code":"Ada Lovelace, 1 Harbour Lane"}`))
			err := o.ask(t.Context(), c)
			if !errors.Is(err, want) {
				t.Errorf("%s, %d: got %v, want %v", o.name, status, err, want)
			}
			if err == nil || errors.Is(err, commands.ErrSlotGone) || status == http.StatusOK {
				continue
			}
			if text := err.Error(); !strings.HasPrefix(text, o.name+": ") || !strings.HasSuffix(text, fmt.Sprint(": status ", status)) {
				t.Errorf("%s, %d: %q does not say which operation and status", o.name, status, text)
			}
		}
	}
}

// What is not held is cancelled; what a proxy cannot find is not.
func TestCancel_OfNothing(t *testing.T) {
	t.Parallel()
	s, c, _ := inProcess(t, 0)
	if err := c.Cancel(t.Context(), first); err != nil {
		t.Errorf("not held: %v", err)
	}
	for _, page := range []string{"", "404 page not found", `{"code":"no-such-page"}`} {
		s.Fail(1, drstest.Answer(http.StatusNotFound, page))
		if err := c.Cancel(t.Context(), first); !errors.Is(err, drs.ErrAnswer) {
			t.Errorf("%q: got %v, want %v", page, err, drs.ErrAnswer)
		}
	}
}

func TestRedirects_AreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked, with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	redirecting := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer redirecting.Close()
	for _, given := range []*http.Client{nil, redirecting.Client()} {
		c := client(t, drs.Options{URL: redirecting.URL, Token: "secret", HTTP: given})
		if err := c.Confirm(t.Context(), first); !errors.Is(err, drs.ErrAnswer) {
			t.Errorf("got %v, want %v", err, drs.ErrAnswer)
		}
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	s := simulator(t, drstest.Options{Token: "s3cret"})
	for token, want := range map[string]error{"": drs.ErrAnswer, "wr0ng": drs.ErrAnswer, "s3cret": nil} {
		o := drs.Options{URL: s.URL, Token: token, Zone: time.UTC}
		c := client(t, o)
		err := c.Confirm(t.Context(), first)
		if !errors.Is(err, want) {
			t.Errorf("token %q: got %v, want %v", token, err, want)
		}
		for _, shown := range []string{fmt.Sprintf("%v %+v %#v", c, c, c), fmt.Sprintf("%v %+v %#v %s", o, o, o, o), fmt.Sprint(err)} {
			if token != "" && strings.Contains(shown, token) {
				t.Errorf("the token is shown: %s", shown)
			}
		}
	}
}

func TestReadToken(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	if _, err := drs.ReadToken(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v, want %v", err, os.ErrNotExist)
	}
	for text, want := range map[string]string{
		"abc\n": "abc", "  abc": "abc", "": "", "\n": "", "a b": "", "a\nb": "", "é": "",
		strings.Repeat("x", 4096): strings.Repeat("x", 4096), strings.Repeat("x", 4097): "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := drs.ReadToken(path); got != want || (err == nil) != (want != "") {
			t.Errorf("%.10q: got %.10q, %v, want %.10q", text, got, err, want)
		}
	}
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	good := drs.Options{URL: "https://drs.example", Zone: time.UTC}
	for name, change := range map[string]func(*drs.Options){
		"no URL":              func(o *drs.Options) { o.URL = "" },
		"no host":             func(o *drs.Options) { o.URL = "https://" },
		"another scheme":      func(o *drs.Options) { o.URL = "ftp://drs.example" },
		"no scheme":           func(o *drs.Options) { o.URL = "drs.example:443" },
		"what is no URL":      func(o *drs.Options) { o.URL = "https://hunter2 .example" },
		"credentials":         func(o *drs.Options) { o.URL = "https://user:hunter2@drs.example" },
		"a query":             func(o *drs.Options) { o.URL = "https://drs.example?key=hunter2" },
		"a fragment":          func(o *drs.Options) { o.URL = "https://drs.example#hunter2" },
		"clear text":          func(o *drs.Options) { o.URL = "http://drs.example" },
		"clear text by name":  func(o *drs.Options) { o.URL = "http://localhost.example" },
		"clear text nearby":   func(o *drs.Options) { o.URL = "http://192.168.0.7" },
		"no zone":             func(o *drs.Options) { o.Zone = nil },
		"a negative timeout":  func(o *drs.Options) { o.Timeout = -1 },
		"a token of two rows": func(o *drs.Options) { o.Token = "hunter2\nx" },
	} {
		o := good
		change(&o)
		if c, err := drs.New(o); err == nil || c != nil {
			t.Errorf("%s: got no error", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error repeats a secret: %v", name, err)
		}
	}
	for _, u := range []string{"https://drs.example/base", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"} {
		client(t, drs.Options{URL: u})
	}
}

func TestSlotID(t *testing.T) {
	t.Parallel()
	night := time.Date(2026, 11, 23, 22, 0, 0, 0, time.UTC)
	for want, zone := range map[domain.ID]*time.Location{
		"2026-11-23.2200-0600": time.UTC, "2026-11-24.0330-1130": time.FixedZone("", 11*1800),
	} {
		if got := drs.SlotID(night, night.Add(8*time.Hour), zone); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
