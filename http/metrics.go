package http

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct{ took *prometheus.HistogramVec }

func newMetrics(r *prometheus.Registry) *metrics {
	m := &metrics{took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "rentbook_http_request_duration_seconds",
		Help:    "How long requests took to answer, by method, route and status.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30},
	}, []string{"method", "route", "status"})}
	r.MustRegister(m.took)
	return m
}

// observe counts a request. The route is a pattern, so the number of series is bounded.
func (m *metrics) observe(method, route string, status int, took time.Duration) {
	m.took.WithLabelValues(knownMethod(method), route, strconv.Itoa(status)).Observe(took.Seconds())
}

// knownMethod keeps made-up methods from making up series.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodPut, http.MethodPost, http.MethodHead, http.MethodOptions:
		return method
	}
	return "other"
}
