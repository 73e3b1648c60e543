package bench

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
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
	<-f.ended // http.ErrServerClosed
	return err
}

// chargeFloor reads and decodes the body of a charge, and answers 201 with as many bytes as the
// node does, in header and body.
func chargeFloor(ctx context.Context, n *node) (*floor, error) {
	header, body, err := n.sampleAnswer()
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
func (n *node) sampleAnswer() (header, body int, err error) {
	conn, err := net.DialTimeout("tcp", n.address, patience) //nolint:noctx // loopback
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close() //nolint:errcheck // its work is done
	account, id := n.next()
	request := strings.Replace(string(n.appendCharge(nil, account, id)), "\r\n", "\r\nConnection: close\r\n", 1)
	if _, err := io.WriteString(conn, request); err != nil {
		return 0, 0, err
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return 0, 0, err
	}
	n.acknowledged()
	head, text, _ := strings.Cut(string(answer), "\r\n\r\n")
	bare := "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nX-Padding: \r\n" +
		"Date: Sun, 22 Nov 2026 15:04:05 GMT\r\nConnection: close\r\nContent-Length: " + strconv.Itoa(len(text))
	return max(0, len(head)-len(bare)), len(text), nil
}

// on are clients of the floor that send what the node's would send.
func (f *floor) on(n *node) workers {
	return func() (worker, error) {
		c, err := dial(f.address)
		if err != nil {
			return worker{}, err
		}
		return worker{close: c.close, op: func(context.Context) error {
			account, id := n.next()
			c.out = n.appendCharge(c.out[:0], account, id)
			return c.want(http.StatusCreated)
		}}, nil
	}
}
