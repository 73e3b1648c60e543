package drstest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"time"
)

// Fault stands before a request and decides what becomes of it. It may carry it out.
type Fault func(carryOut http.Handler) http.Handler

// Status answers a status and carries nothing out: 503 is a scheduler that is away.
func Status(status int) Fault { return Answer(status, `{"code":"fault"}`) }

// Answer answers what it is given and carries nothing out.
func Answer(status int, body string) Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
}

// Malformed answers JSON that ends too early.
func Malformed() Fault { return Answer(http.StatusOK, `{"slots":[{"id":"2026-`) }

// Oversized answers JSON of two megabytes, which would be right if it were shorter.
func Oversized() Fault {
	return Answer(http.StatusOK, `{"slots":[`+string(bytes.Repeat([]byte(" "), 2<<20))+`]}`)
}

// Hang answers nothing until whoever asked has gone, and carries nothing out.
func Hang() Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		})
	}
}

// Lost carries the request out and closes the connection instead of saying so.
func Lost() Fault {
	return func(carryOut http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			carryOut.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		})
	}
}

// Slow carries the request out after a while, if somebody still waits.
func Slow(by time.Duration) Fault {
	return func(carryOut http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			timer := time.NewTimer(by)
			defer timer.Stop()
			select {
			case <-timer.C:
				carryOut.ServeHTTP(w, r)
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		})
	}
}
