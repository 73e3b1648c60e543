package pgdb

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// unansweredMax has the system give up a connection on which what was sent is not acknowledged.
func unansweredMax(network, _ string, conn syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	return conn.Control(func(fd uintptr) {
		// A system that does not know the option waits as long as it always does.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silenceMax.Milliseconds()))
	})
}
