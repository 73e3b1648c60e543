package http_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	rentbookhttp "rentbook/http"
)

// The clients of the benchmarks; 64 on two cores.
const clientsPerCore = 32

// BenchmarkFloor is what the same requests cost when nothing is decided or recorded: decode, answer.
func BenchmarkFloor(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Code, Description, Amount, ValueDate string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(struct {
			Position string `json:"position"`
			Version  uint64 `json:"version"`
		}{"1042", 3})
	}))
	defer server.Close()
	load(b, server, "", func(n int64) (string, string) { return fmt.Sprintf("/api/v1/accounts/T1/charges/C%d", n), charge })
}

const charge = `{"code":"repairs","description":"Replacement key","amount":"15.00","value_date":"2026-01-10"}`

// BenchmarkPutCharge is a durable charge by a signed-in manager, views running.
func BenchmarkPutCharge(b *testing.B) {
	server, token := furnished(b)
	load(b, server, token, func(n int64) (string, string) {
		return fmt.Sprintf("/api/v1/accounts/A%d/charges/C%d", n%100, n), charge
	})
}

// BenchmarkGetStatement is the statement of a month, as JSON.
func BenchmarkGetStatement(b *testing.B) {
	server, token := furnished(b)
	load(b, server, token, func(n int64) (string, string) {
		return fmt.Sprintf("/api/v1/accounts/A%d/statement?from=2026-01-01&to=2026-01-31", n%100), ""
	})
}

func furnished(b *testing.B) (*httptest.Server, string) {
	b.Helper()
	p := newPortal(b, func(c *rentbookhttp.Config) { c.Logger = slog.New(slog.DiscardHandler) })
	p.put("/properties/H1", `{"kind":"home","address":"1 Mill Lane","postcode":"LS1 4AP"}`)
	for i := range 100 {
		p.put(fmt.Sprintf("/tenancies/A%d", i), `{"property":"H1","kind":"assured","starts_on":"2026-01-01","currency":"GBP"}`)
		for j := range 10 {
			p.put(fmt.Sprintf("/accounts/A%d/charges/X%d", i, j), charge)
		}
	}
	p.get("manager", "/accounts") // waits for the views
	server := httptest.NewServer(p.server)
	b.Cleanup(server.Close)
	return server, p.tokens["manager"]
}

func load(b *testing.B, server *httptest.Server, token string, next func(int64) (path, body string)) {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 1000}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var count atomic.Int64
	b.SetParallelism(clientsPerCore)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			path, body := next(count.Add(1))
			if err := send(client, server.URL+path, token, body); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func send(client *http.Client, url, token, body string) error {
	method := http.MethodPut
	if body == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		said, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%d: %s", response.StatusCode, said)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
