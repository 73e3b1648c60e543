package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rentbook/eventstore/esdb/esdbtest"
	"rentbook/eventstore/pgdb/pgtest"
)

// TestCharge_PostgreSQLKilledAgainAndAgain charges 1,000 accounts month by month while PostgreSQL, which
// has the views and the keys, is killed and started anew twenty times. A client asks again until it is
// answered, as clients do. Verify folds the log anew, by arithmetic of its own.
func TestCharge_PostgreSQLKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	const kills = 20
	cluster := pgtest.Start(t, pgtest.Options{})
	data := files(t)
	data.database = cluster.URL(t)
	data.must("import", chargedEstate(t, 1000))
	s := startServer(data)
	for month := range kills {
		through := time.Date(2025, time.Month(1+month), 28, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		ended := make(chan error, 1)
		go func() { ended <- s.chargeUntilDone(t.Context(), through, fmt.Sprint("month", month)) }()
		cluster.Kill()
		cluster.Restart(t)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	out := data.must("verify")
	if !strings.Contains(out, "agree") || !strings.Contains(out, fmt.Sprintf("1000 accounts, %d entries", 1000*kills)) {
		t.Errorf("verify said %q", out)
	}
}

// chargeUntilDone repeats one request until it is carried out.
func (s server) chargeUntilDone(ctx context.Context, through, key string) error {
	for ctx.Err() == nil {
		a, err := s.try(nethttp.DefaultClient, "POST", "/api/v1/charge-runs", map[string]any{"through": through}, "Idempotency-Key", key)
		switch {
		case err != nil:
			return err
		case a.status == nethttp.StatusCreated:
			return nil
		case a.status != nethttp.StatusServiceUnavailable:
			return fmt.Errorf("charge run through %s: %d %s", through, a.status, a.body)
		}
	}
	return ctx.Err()
}

// chargedEstate is n tenancies with a rent by the month from January 2025.
func chargedEstate(t *testing.T, n int) string {
	t.Helper()
	var tenancies, terms strings.Builder
	tenancies.WriteString("tenancy_ref,property_ref,kind,starts_on,currency\n")
	terms.WriteString("tenancy_ref,term_ref,code,description,amount,period,from\n")
	for i := range n {
		fmt.Fprintf(&tenancies, "T%d,H0,assured,2025-01-01,GBP\n", i)
		fmt.Fprintf(&terms, "T%d,R1,rent,Rent,%d.50,monthly,2025-01-01\n", i, 400+i%90)
	}
	return folderOf(t, map[string]string{
		"properties.csv": "property_ref,kind,address,postcode\nH0,home,Harbour Lane,LN1 1AA\n",
		"tenancies.csv":  tenancies.String(), "terms.csv": terms.String(),
	})
}

// serving is `rentbook serve` in a process of its own.
type serving struct {
	server

	process *exec.Cmd
	ended   sync.Once
}

func serveProcess(p place, token string) *serving {
	p.t.Helper()
	command := program(context.WithoutCancel(p.t.Context()), p.args("serve", "--addr", "127.0.0.1:0", "--log-level", "warn")...)
	said, err := command.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		p.t.Fatal(err)
	}
	s := &serving{process: command}
	p.t.Cleanup(s.kill)
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	var text strings.Builder
	for lines := bufio.NewScanner(said); lines.Scan(); {
		text.WriteString(lines.Text() + "\n")
		if found := url.FindString(lines.Text()); found != "" {
			s.server = server{t: p.t, url: found, token: token}
			go func() {
				for lines.Scan() { // so that the process can go on talking
				}
			}()
			return s
		}
	}
	p.t.Fatalf("the server did not start:\n%s", &text)
	return nil
}

func (s *serving) kill() {
	s.ended.Do(func() {
		_ = s.process.Process.Signal(unix.SIGKILL)
		_ = s.process.Wait()
	})
}

// TestServe_TwoProcessesShareEverything serves one EventStoreDB and one PostgreSQL twice: both take
// writes and give the same answers, one of them writes the views, and when that one is killed the other
// takes over.
func TestServe_TwoProcessesShareEverything(t *testing.T) {
	t.Parallel()
	data := files(t)
	data.eventStore, data.database = eventStore(t), pgtest.URL(t)
	data.must("import", portfolioFolder())
	token := strings.TrimSpace(data.must("token", "create", "--role", "operator"))
	both := []*serving{serveProcess(data, token), serveProcess(data, token)}
	path := "/api/v1/accounts/A-weekly"
	for i := range 20 {
		position := both[i%2].put(fmt.Sprintf("%s/payments/two-%d", path, i),
			map[string]any{"amount": "1.00", "value_date": "2026-05-01", "method": "card"})
		statement := path + "/statement.csv?from=2025-01-01&to=2026-10-31&known_at=" + position
		one := both[0].get(statement, "Rentbook-Min-Position", position)
		if other := both[1].get(statement, "Rentbook-Min-Position", position); !bytes.Equal(one, other) {
			t.Fatalf("two processes, two answers:\n%s\n%s", one, other)
		}
	}
	both[0].kill() // the first to come writes the views
	position := both[1].put(path+"/payments/alone", map[string]any{"amount": "1.00", "value_date": "2026-05-01", "method": "card"})
	began := time.Now()
	both[1].get(path+"/balance", "Rentbook-Min-Position", position)
	t.Logf("handed over within %v", time.Since(began))
	both = append(both, serveProcess(data, token))
	position = both[2].put(path+"/payments/later", map[string]any{"amount": "1.00", "value_date": "2026-05-01", "method": "card"})
	both[1].get(path+"/balance", "Rentbook-Min-Position", position)
	if out := data.must("verify"); !strings.Contains(out, "agree") {
		t.Errorf("verify said %q", out)
	}
}

// TestServe_EventStoreDBComesAndGoes posts payments while the server of the log is away, loses answers and
// cuts connections: what is acknowledged is in the log once, and nothing else is but what was asked.
func TestServe_EventStoreDBComesAndGoes(t *testing.T) {
	t.Parallel()
	store := esdbtest.Start(t, esdbtest.Options{})
	data := files(t)
	data.eventStore = store.ConnectionString()
	data.must("import", openEstate(t, 50))
	s := startServer(data)
	const clients, each, outages = 8, 40, 8
	paid := make(chan error)
	for c := range clients {
		go func() {
			for i := range each {
				paid <- s.payUntilDone(t.Context(), fmt.Sprintf("/api/v1/accounts/T%d/payments/C%d-%d", (c*7+i)%50, c, i))
			}
		}()
	}
	for n := range clients * each {
		if err := <-paid; err != nil {
			t.Fatal(err)
		}
		switch n % (clients * each / outages) {
		case 10:
			store.Inject(esdbtest.Fault{On: esdbtest.Append, Kind: esdbtest.LoseReply, Times: 1})
		case 20:
			store.Stop()
			if err := store.Resume(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if lost := store.Fired(esdbtest.LoseReply); lost != outages {
		t.Errorf("%d answers were lost, want %d", lost, outages)
	}
	s.counted(data, clients*each)
}

func (s server) payUntilDone(ctx context.Context, path string) error {
	for ctx.Err() == nil {
		a, err := s.try(nethttp.DefaultClient, "PUT", path, map[string]any{"amount": "1.00", "value_date": "2026-05-01", "method": "card"})
		switch {
		case err != nil:
			return err
		case a.status == nethttp.StatusCreated:
			return nil
		case a.status != nethttp.StatusServiceUnavailable:
			return fmt.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	return ctx.Err()
}

// counted wants so many payments in the log, no two the same, and views that agree.
func (s server) counted(data place, want int) {
	s.t.Helper()
	seen := map[string]int{}
	for line := range strings.Lines(data.must("export")) {
		var event struct {
			Type, Stream string
			Data         struct{ Payment string }
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			s.t.Fatal(err)
		}
		if event.Type == "rent.payment-received.v1" {
			seen[event.Stream+" "+event.Data.Payment]++
		}
	}
	for payment, times := range seen {
		if times != 1 {
			s.t.Errorf("%s is in the log %d times", payment, times)
		}
	}
	if len(seen) != want {
		s.t.Errorf("%d payments in the log, want %d", len(seen), want)
	}
	if out := data.must("verify"); !strings.Contains(out, "agree") {
		s.t.Errorf("verify said %q", out)
	}
}
