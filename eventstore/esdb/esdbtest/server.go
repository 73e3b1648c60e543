// Package esdbtest is a test double of EventStoreDB: a server on the loopback interface behind the
// client's own generated stubs, with its log in memory.
//
// It imitates what oss-v24.6.0 promises to a client of the Streams, Gossip and ServerFeatures
// services: expected revisions and idempotence in the order of IndexWriter.CheckCommit, soft
// deletes, tombstones and metadata streams, a log of positions with gaps, system events and record
// boundaries, reads, catch-up subscriptions with filters and checkpoints, the limits of one append,
// clusters that forward writes, restarts that forget recent ids. Faults (Inject, Stop) provoke what
// a network and a cluster do to a client.
//
// It does not do: persistent subscriptions, projections and links, batch appends, scavenging,
// access control lists, transactions, disks. Nothing it says is proof of what the real server does;
// it is judged by the same promises (eventstoretest), and by the real one where there is one.
//
// The one rule: only tests import it. The product must not link it.
package esdbtest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Defaults of a server, those of 24.6.
const (
	defaultVersion       = "24.6.0"
	defaultMaxAppendSize = 1 << 20
	defaultStatsEvery    = 50
)

// Options say what kind of server it is. The zero Options are one plaintext node.
type Options struct {
	Addr          string           // of the first node, default a free port of 127.0.0.1
	TLS           bool             // with a certificate for 127.0.0.1 and localhost by a CA made for the occasion
	User          string           // if set, streams want Basic credentials, which clients send over TLS only
	Password      string           // of User
	Version       string           // default "24.6.0"; text behind the number kills the client's discovery
	MaxAppendSize int              // bytes of data in one append, default 1 MiB
	Nodes         int              // default 1; more are a cluster of listeners that share one log
	Now           func() time.Time // clock of "created", default the machine's
	StatsEvery    int              // appends between two of the server's own events, default 50, negative for none
}

// Event is an event in the log.
type Event struct {
	Stream   string
	Revision uint64
	ID       uuid.UUID
	Type     string
	Position uint64 // commit and prepare alike
	Created  time.Time
	Data     []byte
	Metadata []byte
}

// Server is a running double. Its methods may be called from everywhere at any time.
type Server struct {
	options   Options
	journal   *journal
	faults    faults
	nodes     []*node
	authority *authority // nil without TLS

	mu     sync.Mutex // what follows
	leader int
	closed bool
	lives  []*life // all there were
}

// New starts a server; it listens at once.
func New(o Options) (*Server, error) {
	o.setDefaults()
	s := &Server{options: o, journal: newJournal(o.Now, o.StatsEvery)}
	if o.TLS {
		a, err := newAuthority(time.Now())
		if err != nil {
			return nil, err
		}
		s.authority = a
	}
	// All of it is there before the first client comes: it may have been waiting at the address.
	var listeners []net.Listener
	for i := range o.Nodes {
		n := &node{server: s, index: i}
		listener, err := n.open(o.Addr)
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
			s.Close()
			return nil, err
		}
		s.nodes, listeners = append(s.nodes, n), append(listeners, listener)
		o.Addr = "" // of the first only
	}
	for i, n := range s.nodes {
		n.live(listeners[i])
	}
	return s, nil
}

// Start is New for a test, at whose end the server closes.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func (o *Options) setDefaults() {
	if o.Version == "" {
		o.Version = defaultVersion
	}
	if o.MaxAppendSize == 0 {
		o.MaxAppendSize = defaultMaxAppendSize
	}
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.StatsEvery == 0 {
		o.StatsEvery = defaultStatsEvery
	}
}

// ConnectionString is what a client needs, with all nodes, credentials and CA. It always has a
// query, so that more options can be added with "&".
func (s *Server) ConnectionString() string {
	var user string
	if s.options.User != "" {
		user = url.UserPassword(s.options.User, s.options.Password).String() + "@"
	}
	query := "tls=false"
	if s.authority != nil {
		query = "tls=true&tlsCaFile=" + url.QueryEscape(s.authority.file)
	}
	return fmt.Sprintf("esdb://%s%s?%s", user, strings.Join(s.Addrs(), ","), query)
}

// CAFile is where the certificate of the authority is, empty without TLS.
func (s *Server) CAFile() string {
	if s.authority == nil {
		return ""
	}
	return s.authority.file
}

// Addrs are the addresses of the nodes.
func (s *Server) Addrs() []string {
	addrs := make([]string, len(s.nodes))
	for i, n := range s.nodes {
		addrs[i] = n.addr
	}
	return addrs
}

// Stop cuts all connections at once and refuses new ones, as when the process is killed. When it
// returns nothing more is written; the log stays.
func (s *Server) Stop() {
	for i := range s.nodes {
		s.StopNode(i)
	}
}

// Resume listens at the same addresses again, as after a restart: the ids of recent commits are
// forgotten. Nodes that are listening are left as they are.
func (s *Server) Resume() error {
	var errs []error
	for i := range s.nodes {
		errs = append(errs, s.ResumeNode(i))
	}
	return errors.Join(errs...)
}

// StopNode is Stop for one node of a cluster. If it led, the first of those left takes over.
func (s *Server) StopNode(i int) {
	s.nodes[i].stop()
	if s.Leader() != i {
		return
	}
	for next, n := range s.nodes {
		if n.alive() {
			s.Elect(next)
			return
		}
	}
}

// ResumeNode is Resume for one node. It does not take the lead back, unless nobody has it.
func (s *Server) ResumeNode(i int) error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return errors.New("esdbtest: the server is closed")
	}
	n := s.nodes[i]
	if n.alive() {
		return nil
	}
	listener, err := n.reopen()
	if err != nil {
		return err
	}
	n.live(listener)
	if leader := s.Leader(); leader == i || !s.nodes[leader].alive() {
		s.Elect(i)
	}
	return nil
}

// Elect makes a node the leader. Like a restart it forgets the ids of recent commits, which only
// the leader knows.
func (s *Server) Elect(i int) {
	s.mu.Lock()
	s.leader = i
	s.mu.Unlock()
	s.journal.forget()
}

// Leader is the index of the node that leads.
func (s *Server) Leader() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leader
}

// Close stops the server for good and waits for its calls to end. It must not be called by a
// Fault's Notify.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, n := range s.nodes {
		n.stop()
		reserved.Delete(n.addr)
	}
	s.mu.Lock()
	lives := s.lives
	s.mu.Unlock()
	for _, l := range lives {
		<-l.ended
	}
	if s.authority != nil {
		_ = os.RemoveAll(s.authority.dir)
	}
}

// Events are the events that clients appended, in the order of the log. System events are left out.
func (s *Server) Events() []Event {
	var events []Event
	for _, e := range s.Log() {
		if !strings.HasPrefix(e.Stream, "$") && e.Type != tombstoneType {
			events = append(events, e)
		}
	}
	return events
}

// Log are all events, those of the server itself included.
func (s *Server) Log() []Event {
	records, _ := s.journal.from(0)
	events := make([]Event, len(records))
	for i, r := range records {
		events[i] = r.Event
	}
	return events
}
