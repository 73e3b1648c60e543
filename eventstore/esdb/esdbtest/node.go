package esdbtest

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

const (
	// receiveMax is what one message may hold; Kestrel is told the size of a log record.
	receiveMax = 16 << 20
	// keepAliveMin is how often a client may ask whether we live. Clients of EventStoreDB ask every
	// ten seconds; grpc-go's own five minutes would drop them after half a minute.
	keepAliveMin = time.Second
)

// Ports of a server that did not ask for one. They lie below those that systems hand out by
// themselves, so that nobody gets ours by chance between Stop and Resume.
const (
	portMin   = 20_000
	portMax   = 32_000
	portTries = 100
)

// How long to wait for an address that was ours, and between two tries.
const (
	reopenMax   = 2 * time.Second
	reopenPause = 5 * time.Millisecond
)

// reserved are the ports of servers in this process that are not closed, stopped or not.
var reserved sync.Map

// node is one listener of the cluster. It lives as often as it is resumed.
type node struct {
	server *Server
	index  int
	addr   string // never changes once there are clients

	calls [methodCount]atomic.Int64

	mu   sync.Mutex
	life *life // nil while stopped
}

// life is a node between listening and stopping: what a process would be.
type life struct {
	streams.UnimplementedStreamsServer
	serverfeatures.UnimplementedServerFeaturesServer

	server   *Server
	node     *node
	grpc     *grpc.Server
	listener net.Listener
	conns    connections
	stopped  chan struct{} // closed when nothing may be written any more
	ended    chan struct{} // closed when all calls have returned
}

func (n *node) alive() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.life != nil
}

// open takes an address for the first time, the empty one being any free port.
func (n *node) open(addr string) (net.Listener, error) {
	listener, err := listenAt(addr)
	if err != nil {
		return nil, fmt.Errorf("esdbtest: %w", err)
	}
	n.addr = listener.Addr().String()
	return listener, nil
}

// reopen takes the address again. A program that is being started elsewhere in this process holds
// what was open here for a moment longer.
func (n *node) reopen() (net.Listener, error) {
	deadline := time.Now().Add(reopenMax)
	for {
		listener, err := net.Listen("tcp", n.addr)
		if err == nil {
			return listener, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("esdbtest: %w", err)
		}
		time.Sleep(reopenPause)
	}
}

// live begins a life.
func (n *node) live(listener net.Listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &life{
		server: n.server, node: n, grpc: grpc.NewServer(n.server.grpcOptions()...), listener: listener,
		stopped: make(chan struct{}), ended: make(chan struct{}),
	}
	streams.RegisterStreamsServer(l.grpc, l)
	gossip.RegisterGossipServer(l.grpc, gossipService{life: l})
	serverfeatures.RegisterServerFeaturesServer(l.grpc, l)
	n.life = l
	n.server.mu.Lock()
	n.server.lives = append(n.server.lives, l)
	n.server.mu.Unlock()
	go func() {
		defer close(l.ended)
		_ = l.grpc.Serve(&trackingListener{Listener: listener, conns: &l.conns}) // ends with the listener
		l.grpc.Stop()
	}()
}

// stop ends a life as a killed process does, without a word to the clients. Nothing is written once
// it returns. It does not wait for calls, so that one of them may stop the server.
func (n *node) stop() {
	n.mu.Lock()
	l := n.life
	n.life = nil
	n.mu.Unlock()
	if l == nil {
		return
	}
	close(l.stopped)
	_ = l.listener.Close()
	l.conns.cutAll()
	n.server.journal.settle()
}

func (s *Server) grpcOptions() []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.WaitForHandlers(true),
		grpc.MaxRecvMsgSize(receiveMax),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepAliveMin, PermitWithoutStream: true}),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			if err := s.authenticate(ctx, info.FullMethod); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			err := s.authenticate(stream.Context(), info.FullMethod)
			if err == nil {
				return next(srv, stream)
			}
			for info.IsClientStream && stream.RecvMsg(&streams.AppendReq{}) == nil {
				continue // refused while it sends, the client would not learn why
			}
			return err
		}),
	}
	if s.authority != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{s.authority.certificate},
			MinVersion:   tls.VersionTLS12,
		})))
	}
	return options
}

func listenAt(addr string) (net.Listener, error) {
	if addr != "" && addr != "127.0.0.1:0" {
		return net.Listen("tcp", addr)
	}
	for range portTries {
		candidate := net.JoinHostPort("127.0.0.1", strconv.Itoa(portMin+rand.IntN(portMax-portMin)))
		if _, taken := reserved.LoadOrStore(candidate, true); taken {
			continue
		}
		if listener, err := net.Listen("tcp", candidate); err == nil {
			return listener, nil
		}
		reserved.Delete(candidate)
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// connections are those of a life by the address of the other side, so that a call can cut its own.
type connections struct {
	mu   sync.Mutex
	open map[string]net.Conn
	over bool // none is let in any more
}

func (c *connections) add(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		_ = conn.Close()
		return
	}
	if c.open == nil {
		c.open = map[string]net.Conn{}
	}
	c.open[conn.RemoteAddr().String()] = conn
}

func (c *connections) remove(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if remote := conn.RemoteAddr().String(); c.open[remote] == conn {
		delete(c.open, remote)
	}
}

func (c *connections) cut(remote string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn := c.open[remote]; conn != nil {
		_ = conn.Close()
	}
}

func (c *connections) cutAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	for _, conn := range c.open {
		_ = conn.Close()
	}
}

type trackingListener struct {
	net.Listener
	conns *connections
}

func (l *trackingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.conns.add(conn)
	return &trackedConn{Conn: conn, conns: l.conns}, nil
}

type trackedConn struct {
	net.Conn
	conns *connections
}

func (c *trackedConn) Close() error {
	c.conns.remove(c.Conn)
	return c.Conn.Close()
}
