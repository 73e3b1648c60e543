package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// client is one connection that stays open and sends one request at a time. It knows just enough of
// HTTP/1.1 for that: net/http's client takes as much time as a small server, and would blur every
// ratio towards one.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte // of the last answer
}

// patience bounds a block: a server that does not answer fails it.
const patience = time.Minute

func dial(address string) (*client, error) {
	conn, err := net.DialTimeout("tcp", address, patience) //nolint:noctx // loopback
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 16<<10)}, nil
}

func (c *client) close() error { return c.conn.Close() }

// send sends what is in out and reads the answer into body.
func (c *client) send() (status int, err error) {
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, err
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("no status in %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length, err := c.header()
	if err != nil {
		return 0, err
	}
	c.body = c.body[:0]
	if length >= 0 {
		return status, c.take(length)
	}
	return status, c.chunks()
}

// chunked is the length of a body that says as it goes how long it is.
const chunked = -1

func (c *client) header() (length int, err error) {
	length = chunked
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= len("\r\n") {
			return length, nil
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		}
	}
}

// take reads so many bytes of the body.
func (c *client) take(n int) error {
	have := len(c.body)
	c.body = append(c.body, make([]byte, n)...)
	_, err := io.ReadFull(c.in, c.body[have:])
	return err
}

func (c *client) chunks() error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if err := c.take(int(n)); err != nil {
			return err
		}
		if _, err := c.in.Discard(len("\r\n")); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
}

// want is the error of an answer that is another one.
func (c *client) want(status int) error {
	got, err := c.send()
	if err == nil && got != status {
		err = fmt.Errorf("want status %d, got %d: %.300s", status, got, c.body)
	}
	return err
}
