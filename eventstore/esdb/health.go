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
	tried string // the node with which the last attempt to connect ended; empty while connected
}

// warned keeps what the client says about looking for a node.
func (h *health) warned(node string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tried = node
	h.state.LastError = h.tell(err)
}

// tell is the reason of an error, and the node that it is about if that is not plain: a cluster may
// lead to nodes under names that are known only there.
func (h *health) tell(err error) string {
	text := h.clean(reason(err))
	if h.tried == "" || strings.Contains(text, h.tried) || strings.Contains(h.server+" ", "://"+h.tried+" ") {
		return text
	}
	return h.tried + ": " + text
}

func (h *health) connected() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tried = ""
	if !h.state.Connected {
		h.state.Connected, h.state.Since = true, h.now()
		h.logger.Info("connected to the event store", "server", h.server)
	}
}

func (h *health) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.LastError = h.tell(err)
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
	state := h.get()
	if state.Connected || state.LastError == "" { // what was wrong before is over
		return h.because(errNoAnswer)
	}
	return h.server + ": " + state.LastError
}

// because names the server and what went wrong with it. That there is no connection is no reason.
func (h *health) because(err error) string {
	if judge(err) == unsent && !h.get().Connected {
		return h.why()
	}
	return h.server + ": " + h.clean(reason(err))
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
