package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	nethttp "net/http"
	"regexp"
	"strings"
	"testing"
)

// server is `rentbook serve` on a port of its own, and a client with a token.
type server struct {
	t     *testing.T
	url   string
	token string
}

// startServer serves a place until the test ends.
func startServer(p place) server {
	t := p.t
	t.Helper()
	secret := strings.TrimSpace(p.must("token", "create", "--role", "operator"))
	ctx, stop := context.WithCancel(context.Background())
	read, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, p.args("serve", "--addr", "127.0.0.1:0", "--log-level", "error"),
			io.Discard, write, func(int) { t.Error("storage failed") })
		_ = write.Close()
	}()
	lines := bufio.NewScanner(read)
	var said strings.Builder
	url := regexp.MustCompile(`https?://127\.0\.0\.1:\d+`)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if found := url.FindString(lines.Text()); found != "" {
			go func() { _, _ = io.Copy(io.Discard, read) }()
			t.Cleanup(func() {
				stop()
				if code := <-ended; code != exitDone {
					t.Errorf("the server ended with %d", code)
				}
			})
			return server{t: t, url: found, token: secret}
		}
	}
	stop()
	t.Fatalf("the server did not start:\n%s", &said)
	return server{}
}

// answer is what the server answered.
type answer struct {
	status int
	header nethttp.Header
	body   []byte
}

func (s server) do(method, path string, body any, header ...string) answer {
	s.t.Helper()
	a, err := s.try(nethttp.DefaultClient, method, path, body, header...)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// try is for goroutines, which must not end the test.
func (s server) try(client *nethttp.Client, method, path string, body any, header ...string) (answer, error) {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		reader = bytes.NewReader(data)
	}
	request, err := nethttp.NewRequestWithContext(s.t.Context(), method, s.url+path, reader)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, header: response.Header, body: data}, err
}

// put is a write that must succeed; it answers the position to ask for in reads.
func (s server) put(path string, body map[string]any, header ...string) string {
	s.t.Helper()
	return s.write("PUT", path, body, header...)
}

func (s server) write(method, path string, body map[string]any, header ...string) string {
	s.t.Helper()
	a := s.do(method, path, body, header...)
	if a.status != nethttp.StatusCreated {
		s.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return a.header.Get("Rentbook-Position")
}

// get is a read that must succeed. Like any client it asks again when it is told to: the server has
// waited a while for its views by then.
func (s server) get(path string, header ...string) []byte {
	s.t.Helper()
	a := s.do("GET", path, nil, header...)
	for range 30 {
		if a.status != nethttp.StatusServiceUnavailable {
			break
		}
		a = s.do("GET", path, nil, header...)
	}
	if a.status != nethttp.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	return a.body
}
