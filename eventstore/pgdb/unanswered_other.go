//go:build !linux

package pgdb

import "syscall"

// unansweredMax is for the system to say.
func unansweredMax(string, string, syscall.RawConn) error { return nil }
