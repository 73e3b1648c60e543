package bench

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// floor is the same HTTP without the work: net/http with the settings of ours, one handler.
type floor struct {
	address string
	server  *http.Server
	ended   chan error
}

func newFloor(ctx context.Context, handler http.Handler) (*floor, error) {
	listener, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	f := &floor{
		address: listener.Addr().String(), ended: make(chan error, 1),
		server: &http.Server{
			Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
			WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		},
	}
	go func() { f.ended <- f.server.Serve(listener) }()
	return f, nil
}

func (f *floor) close() error {
	err := f.server.Close()
	if ended := <-f.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// chargeFloor reads and decodes the body of a charge, and answers 201 with as many bytes as the
// node does, in header and body.
func chargeFloor(ctx context.Context, n *node) (*floor, error) {
	header, body, err := n.sampleAnswer(ctx)
	if err != nil {
		return nil, err
	}
	padding := strings.Repeat("x", header)
	answer := []byte(strings.Repeat(" ", body))
	return newFloor(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Code        string `json:"code"`
			Description string `json:"description"`
			Amount      string `json:"amount"`
			ValueDate   string `json:"value_date"`
		}
		data, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(data, &asked)
		}
		if err != nil || asked.Amount != chargeAmount {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h := w.Header()
		h["Content-Type"] = []string{"application/json"}
		h["X-Padding"] = []string{padding}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(answer)
	}))
}

// sampleAnswer charges once and measures the answer; header is what the floor's own does not have.
func (n *node) sampleAnswer(ctx context.Context) (header, body int, err error) {
	account, id := n.next()
	r, err := n.newCharge(ctx, n.address, account, id)
	if err != nil {
		return 0, 0, err
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, 0, err
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return 0, 0, err
	}
	n.acknowledged()
	for _, bare := range []string{"Content-Type", "Content-Length", "Date"} {
		answer.Header.Del(bare)
	}
	var rest strings.Builder
	if err := answer.Header.Write(&rest); err != nil {
		return 0, 0, err
	}
	return max(0, rest.Len()-len("X-Padding: \r\n")), len(text), nil
}

// on are clients of the floor that send what the node's would send.
func (f *floor) on(n *node) workers {
	return func() (worker, error) { return n.sending(f.address, func() {}) }
}
