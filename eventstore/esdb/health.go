package esdb

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Health says how the log stands to its server.
type Health struct {
	Connected bool
	Since     time.Time // when that became so
	LastError string    // what was wrong last, empty if nothing ever was; without credentials
	Abandoned int64     // calls that the client has not come back from although it should have
}

// health keeps it.
type health struct {
	now       func() time.Time
	logger    *slog.Logger
	server    string   // what the server is called in messages
	secrets   []string // that no text may hold
	abandoned atomic.Int64

	mu    sync.Mutex
	state Health
}

// warned keeps what the client says about looking for a node.
func (h *health) warned(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.LastError = h.clean(text)
}

func (h *health) connected() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.state.Connected {
		h.state.Connected, h.state.Since = true, h.now()
		h.logger.Info("connected to the event store", "server", h.server)
	}
}

func (h *health) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.LastError = h.clean(reason(err))
	if h.state.Connected {
		h.state.Connected, h.state.Since = false, h.now()
		h.logger.Warn("the connection to the event store is lost", "server", h.server, "reason", h.state.LastError)
	}
}

// ended is after Close.
func (h *health) ended() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.Connected, h.state.Since = false, h.now()
}

// why is what to tell those who have waited for a connection in vain.
func (h *health) why() string {
	if last := h.get().LastError; last != "" {
		return last
	}
	return "no answer from " + h.server
}

func (h *health) clean(text string) string {
	for _, secret := range h.secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

func (h *health) get() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	state := h.state
	state.Abandoned = h.abandoned.Load()
	return state
}
