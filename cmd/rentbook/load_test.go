package main

import (
	"encoding/json"
	"flag"
	"fmt"
	nethttp "net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// loadFor is how long the load test posts payments; 20s is its full length.
var loadFor = flag.Duration("load.for", 3*time.Second, "how long the load test posts payments")

// TestLoad_EveryAcknowledgedPaymentIsThereOnce posts payments from 64 clients to 1,000 accounts,
// some of them twice: every acknowledged one is in the log exactly once, and balances are the sum.
func TestLoad_EveryAcknowledgedPaymentIsThereOnce(t *testing.T) {
	everywhere(t, everyAcknowledgedPaymentIsThereOnce)
}

func everyAcknowledgedPaymentIsThereOnce(t *testing.T, fresh func() place) {
	const clients, accounts = 64, 1000
	data := fresh()
	data.must("import", openEstate(t, accounts))
	s := startServer(data)
	transport := &nethttp.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &nethttp.Client{Transport: transport}

	var mu sync.Mutex
	acknowledged := map[string]bool{} // account/payment
	var position atomic.Value
	var group sync.WaitGroup
	until := time.Now().Add(*loadFor)
	for c := range clients {
		group.Go(func() {
			for i := 0; time.Now().Before(until); i++ {
				account := fmt.Sprintf("T%d", (c*7919+i*31)%accounts)
				payment := fmt.Sprintf("L%d-%d", c, i)
				path := "/api/v1/accounts/" + account + "/payments/" + payment
				for range 1 + i%2 { // every other one twice
					a, err := s.try(client, "PUT", path, map[string]any{
						"amount": "1.00", "value_date": "2026-05-01", "method": "card",
					})
					if err != nil || a.status != nethttp.StatusCreated {
						t.Errorf("%s: %d %s %v", path, a.status, a.body, err)
						return
					}
					position.Store(a.header.Get("Rentbook-Position"))
				}
				mu.Lock()
				acknowledged[account+"/"+payment] = true
				mu.Unlock()
			}
		})
	}
	group.Wait()
	t.Logf("%d payments acknowledged in %v", len(acknowledged), *loadFor)

	sums := map[string]int{}
	for line := range strings.Lines(data.must("export")) {
		if !strings.Contains(line, `"rent.payment-received.v1"`) {
			continue
		}
		var event struct {
			Stream string
			Data   struct{ Payment string }
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatal(err)
		}
		account := strings.TrimPrefix(event.Stream, "rentAccount-")
		key := account + "/" + event.Data.Payment
		if !acknowledged[key] {
			t.Errorf("%s is in the log twice, or was never acknowledged", key)
		}
		delete(acknowledged, key)
		sums[account]++
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged payments are not in the log", len(acknowledged))
	}
	if out := data.must("verify"); !strings.Contains(out, "agree") {
		t.Errorf("verify said %q", out)
	}
	for _, account := range []string{"T0", "T1", "T500", "T999"} {
		var got struct{ Balance string }
		if err := json.Unmarshal(s.get("/api/v1/accounts/"+account+"/balance"), &got); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("-%d.00", sums[account]); got.Balance != want && sums[account] > 0 {
			t.Errorf("%s: balance %s, want %s", account, got.Balance, want)
		}
	}
}

// openEstate is n tenancies without any money.
func openEstate(t *testing.T, n int) string {
	t.Helper()
	tenancies := "tenancy_ref,property_ref,kind,starts_on,currency\n"
	for i := range n {
		tenancies += fmt.Sprintf("T%d,H0,assured,2026-01-01,GBP\n", i)
	}
	return folderOf(t, map[string]string{
		"properties.csv": "property_ref,kind,address,postcode\nH0,home,Harbour Lane,LN1 1AA\n",
		"tenancies.csv":  tenancies,
	})
}
