package http

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"rentbook/projections"
)

// healthz says that the process answers, and nothing more.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

type readiness struct {
	Ready bool       `json:"ready"`
	Head  string     `json:"head"` // of the log at start
	Log   *logStatus `json:"log,omitempty"`
	// Database is told of only when the views cannot be asked.
	Database *logStatus   `json:"database,omitempty"`
	Views    []viewStatus `json:"views"`
}

// logStatus is that of a log on other machines.
type logStatus struct {
	Connected bool   `json:"connected"`
	Reason    string `json:"reason,omitempty"`
}

type viewStatus struct {
	View       string  `json:"view"`
	Position   string  `json:"position"`
	Behind     *uint64 `json:"behind"` // null while the log cannot be asked
	Stopped    bool    `json:"stopped"`
	StoppedAt  string  `json:"stopped_at,omitempty"`
	Code       string  `json:"code,omitempty"`
	Rebuilding bool    `json:"rebuilding"`
}

// readyz is 200 once every view has reached the head seen at start, none is stopped, and the log can be
// reached.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	log := s.logStatus()
	ctx, cancel := context.WithTimeout(r.Context(), readyMax)
	defer cancel()
	views, err := s.Views.Status(ctx)
	if err != nil {
		callOf(r.Context()).failure = err
		away := &logStatus{Reason: "unreachable"}
		s.sayReadiness(w, readiness{Head: s.headSeen.String(), Log: log, Database: away, Views: []viewStatus{}})
		return
	}
	said := s.readiness(views)
	said.Log = log
	said.Ready = said.Ready && (log == nil || log.Connected)
	s.sayReadiness(w, said)
}

// readyMax is how long whoever watches over the program waits for an answer.
const readyMax = 2 * time.Second

func (s *Server) logStatus() *logStatus {
	if s.LogHealth == nil {
		return nil
	}
	connected, reason := s.LogHealth()
	return &logStatus{connected, reason}
}

func (*Server) sayReadiness(w http.ResponseWriter, said readiness) {
	code := http.StatusOK
	if !said.Ready {
		code = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(said)
}

func (s *Server) readiness(views []projections.ViewStatus) readiness {
	said := readiness{Ready: !s.stopping.Load(), Head: s.headSeen.String(), Views: []viewStatus{}}
	reached := true
	for _, v := range views {
		shown := viewStatus{
			View: v.Name, Position: v.Position.String(),
			Stopped: v.Stopped, Code: v.Code, Rebuilding: v.Rebuilding,
		}
		if !v.Uncounted {
			shown.Behind = &v.Behind
		}
		if v.Stopped {
			shown.StoppedAt = v.StoppedAt.String()
			said.Ready = false
		}
		reached = reached && v.Position.Compare(s.headSeen) >= 0
		said.Views = append(said.Views, shown)
	}
	said.Ready = said.Ready && reached
	return said
}
