package esdb_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"rentbook/eventstore"
	"rentbook/eventstore/esdb"
	"rentbook/eventstore/esdb/esdbtest"
)

// listen serves every connection made to an address, until the test ends.
func listen(t *testing.T, address string, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go serve(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return listener.Addr().String()
}

// forward is a serve that passes everything on to another address.
func forward(to string) func(net.Conn) {
	return func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		other, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(other, conn)
			_ = other.Close()
		}()
		_, _ = io.Copy(conn, other)
	}
}

func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// web is a server of web pages.
func web(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	}
}

// openInVain opens a log on a server that cannot be reached, and waits until that is known. The client
// may still be looking for the server when the log is closed.
func openInVain(t *testing.T, server string, o esdb.Options) *esdb.Log {
	t.Helper()
	log, err := esdb.Open(t.Context(), server, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		eventually(t, "the client comes back", func() bool { return log.Health().Abandoned == 0 })
	})
	eventually(t, "a reason", func() bool { return log.Health().LastError != "" })
	return log
}

// unused is an address where nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	server := esdbtest.Start(t, esdbtest.Options{})
	server.Stop()
	return server.Addrs()[0]
}

// lookUp asks for the head of a log until the reason is known, in the words given.
func lookUp(t *testing.T, log *esdb.Log, words ...string) error {
	t.Helper()
	var err error
	for limit := time.Now().Add(recoveryMax); time.Now().Before(limit); {
		if _, err = log.Head(t.Context()); err == nil {
			break
		}
		missing := false
		for _, w := range words {
			missing = missing || !strings.Contains(err.Error(), w)
		}
		if !missing {
			return err
		}
	}
	t.Fatalf("got %v, want %q", err, words)
	return nil
}

// Whoever cannot reach the server learns which one, why, and what to do about it.
func TestUnreachable_SaysWhyAndWhatToDo(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	plain := esdbtest.Start(t, esdbtest.Options{}).Addrs()[0]
	secure := esdbtest.Start(t, esdbtest.Options{TLS: true})
	stranger := esdbtest.Start(t, esdbtest.Options{TLS: true})
	other := listen(t, "127.0.0.2:0", forward(secure.Addrs()[0]))
	mute, pages, nobody := listen(t, "127.0.0.1:0", silent), listen(t, "127.0.0.1:0", web), unused(t)
	for name, c := range map[string]struct {
		address, query string
		words          string
		lasts          bool
	}{
		"unknown host": {"no-such-host.invalid:2113", "", "with TLS: the host name cannot be found", false},
		"refused":      {nobody, "tls=false", "without TLS: dial tcp " + nobody + ": connect: connection refused", false},
		"silent":       {mute, "gossipTimeout=1", "with TLS: the server does not answer", false},
		"no TLS there": {plain, "", "with TLS: the server speaks without TLS: add ?tls=false (without user and password)", true},
		"TLS there": {
			secure.Addrs()[0], "tls=false",
			"without TLS: the server does not begin to talk as an event store does (EOF): if it wants TLS, leave out tls=false", false,
		},
		"web pages": {pages, "tls=false", "if it wants TLS, leave out tls=false", false},
		"no CA": {
			secure.Addrs()[0], "",
			"with TLS: the CA of the server's certificate is not known here: name it with tlsCaFile= (", true,
		},
		"wrong CA":   {secure.Addrs()[0], "tlsCaFile=" + stranger.CAFile(), "name it with tlsCaFile= (", true},
		"other name": {other, "tlsCaFile=" + secure.CAFile(), "certificate is valid for 127.0.0.1, not 127.0.0.2)", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user, patience := "", 300*time.Millisecond
			if c.query != "tls=false" {
				user = "rentbook:" + secret + "@"
			}
			if c.lasts {
				patience = time.Minute // it would take as long if they waited
			}
			log := openInVain(t, "esdb://"+user+c.address+"?"+c.query, esdb.Options{Patience: patience})
			err := lookUp(t, log, "find the head of the log: ", "esdb://"+c.address+" ", c.words)
			if !errors.Is(err, eventstore.ErrUnavailable) {
				t.Errorf("got %v, want %v", err, eventstore.ErrUnavailable)
			}
			for _, unwanted := range []string{secret, "desc =", "transport:", "rpc error", "%!"} {
				if strings.Contains(err.Error(), unwanted) {
					t.Errorf("%v holds %q", err, unwanted)
				}
			}
		})
	}
}

// The reason is also told to those whose own time is up first.
func TestUnreachable_WithinACallersTime(t *testing.T) {
	t.Parallel()
	nobody := unused(t)
	log := openInVain(t, "esdb://"+nobody+"?tls=false", esdb.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := log.Append(ctx, "a-1", 0, proposed(1)...)
	want := "esdb://" + nobody + " without TLS: dial tcp " + nobody + ": connect: connection refused"
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// A cluster may lead to a node by a name that is known only there; it is that node's name that counts.
func TestUnreachable_NamesTheNode(t *testing.T) {
	t.Parallel()
	nobody := unused(t)
	log := openInVain(t, "esdb://no-such-host.invalid,"+nobody+"?tls=false", esdb.Options{Patience: 50 * time.Millisecond})
	want := "no-such-host.invalid:2113," + nobody + " without TLS: no-such-host.invalid:2113: the host name cannot be found"
	if err := lookUp(t, log, want); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, eventstore.ErrUnavailable)
	}
}

// What cannot heal by waiting is not waited for, except by followers; and if it is mended all the
// same, everybody goes on.
func TestUnreachable_Mismatch(t *testing.T) {
	t.Parallel()
	const patience = time.Minute
	plain := esdbtest.Start(t, esdbtest.Options{})
	secure := esdbtest.Start(t, esdbtest.Options{TLS: true})
	to := make(chan string, 1)
	to <- plain.Addrs()[0]
	address := listen(t, "127.0.0.1:0", func(conn net.Conn) {
		there := <-to
		to <- there
		forward(there)(conn)
	})
	log := open(t, "esdb://"+address+"?tlsCaFile="+secure.CAFile(), esdb.Options{Patience: patience})
	followed := make(chan error, 1)
	go func() {
		for _, err := range log.Follow(t.Context(), eventstore.Position{}) {
			followed <- err
			return
		}
	}()
	began := time.Now()
	_, err := log.Append(t.Context(), "a-1", 0, proposed(1)...)
	if !errors.Is(err, eventstore.ErrUnavailable) || !strings.Contains(err.Error(), "tls=false") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > recoveryMax {
		t.Errorf("the append took %v", took)
	}
	<-to
	to <- secure.Addrs()[0]
	eventually(t, "connected", func() bool { return log.Health().Connected })
	mustAppend(t, log, "a-1", 0, proposed(1)...)
	if err := <-followed; err != nil {
		t.Errorf("the follower: %v", err)
	}

	// Once a connection has worked, a mismatch is taken for an accident.
	secure.Stop()
	<-to
	to <- plain.Addrs()[0]
	eventually(t, "a mismatch", func() bool { return strings.Contains(log.Health().LastError, "speaks without TLS") })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := log.Head(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// Of several nodes, and where only a guess says so, there may be one that fits.
func TestUnreachable_WaitsWhenInDoubt(t *testing.T) {
	t.Parallel()
	plain := esdbtest.Start(t, esdbtest.Options{Nodes: 2})
	secure := esdbtest.Start(t, esdbtest.Options{TLS: true})
	for _, server := range []string{
		"esdb://" + strings.Join(plain.Addrs(), ","),
		"esdb+discover://" + plain.Addrs()[0],
		"esdb://" + secure.Addrs()[0] + "?tls=false",
	} {
		log := openInVain(t, server, esdb.Options{})
		eventually(t, "advice", func() bool { return strings.Contains(log.Health().LastError, "tls=false") })
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if _, err := log.Head(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want the context's error", server, err)
		}
		cancel()
	}
}
