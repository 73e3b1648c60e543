package pgdb

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSuits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version  int
		encoding string
		standby  bool
		want     string
	}{
		{150_004, "UTF8", false, ""},
		{180_000, "UTF8", false, ""},
		{140_011, "UTF8", false, "the server is PostgreSQL 14: want 15 or later"},
		{90_603, "LATIN1", true, "the server is PostgreSQL 9: want 15 or later"},
		{160_000, "SQL_ASCII", false, "encoded in SQL_ASCII: want one made with ENCODING 'UTF8'"},
		{160_000, "UTF8", true, "the server is a standby: name the primary"},
	} {
		err := suits(c.version, c.encoding, c.standby)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

// A server that has died without a word is given up soon, whether or not something was sent to it.
func TestDialer_givesUpInSilence(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := dialer().DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]struct{ level, option, want int }{
		"SO_KEEPALIVE":     {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		"TCP_KEEPIDLE":     {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 3},
		"TCP_KEEPINTVL":    {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 2},
		"TCP_KEEPCNT":      {unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 2},
		"TCP_USER_TIMEOUT": {unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 7000},
	} {
		var got int
		var failed error
		err := raw.Control(func(fd uintptr) { got, failed = unix.GetsockoptInt(int(fd), option.level, option.option) })
		if err != nil || failed != nil || got != option.want {
			t.Errorf("%s is %d, want %d: %v, %v", name, got, option.want, err, failed)
		}
	}
}
