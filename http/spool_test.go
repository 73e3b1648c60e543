package http

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rentbook/domain/rent"
	"rentbook/http/statement"
	"rentbook/projections"
)

// long is a statement of n charges of one penny, and then perhaps an error.
func long(n int, failure error) projections.Statement {
	return projections.Statement{
		Account: "T1", Currency: "GBP", From: 1, To: 2, Debits: int64(n), Closing: int64(n),
		Lines: func(yield func(projections.Line, error) bool) {
			for i := range n {
				if !yield(projections.Line{Entry: "E", ValueDate: 1, Kind: rent.KindCharge, Amount: 1, Balance: int64(i + 1)}, nil) {
					return
				}
			}
			if failure != nil {
				yield(projections.Line{}, failure)
			}
		},
	}
}

// serve writes a statement as the routes do, over a real connection.
func serve(t *testing.T, found projections.Statement, format statement.Format) (*http.Response, string, error) {
	t.Helper()
	s := &Server{Config: Config{Logger: slog.New(slog.DiscardHandler), Now: time.Now}, metrics: newMetrics(prometheus.NewRegistry())}
	server := httptest.NewServer(s.observe(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c := callOf(r.Context())
		out := &spool{c: c}
		c.at(found.KnownAt.Position)
		c.announce(found, format)
		err := statement.Write(out, format, found)
		if err == nil {
			err = out.flush()
		}
		if err != nil {
			c.fail(err)
		}
	})))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

func TestStatement_of_any_length_is_streamed(t *testing.T) {
	t.Parallel()
	_, body, err := serve(t, long(20_000, nil), statement.JSON)
	if err != nil || len(body) < 2*spoolMax || !strings.HasSuffix(body, "]}\n") {
		t.Errorf("%d bytes, %v, ending in %q", len(body), err, body[max(0, len(body)-20):])
	}
}

func TestStatement_that_fails_is_never_taken_for_whole(t *testing.T) {
	t.Parallel()
	response, body, err := serve(t, long(10, errors.New("disk")), statement.CSV)
	if err != nil || response.StatusCode != http.StatusInternalServerError || response.Header.Get("Content-Type") != problemType ||
		response.Header.Get("Content-Disposition") != "" || strings.Contains(body, "disk") {
		t.Errorf("early: %d %v %s %v", response.StatusCode, response.Header, body, err)
	}
	_, body, err = serve(t, long(20_000, errors.New("disk")), statement.CSV)
	if err == nil {
		t.Errorf("late: %d bytes arrived as if they were all", len(body))
	}
}

func TestStatement_too_long_for_paper(t *testing.T) {
	t.Parallel()
	response, body, err := serve(t, long(statement.PDFLinesMax+1, nil), statement.PDF)
	if err != nil || response.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "too-many-lines") {
		t.Errorf("%d %s %v", response.StatusCode, body, err)
	}
}
