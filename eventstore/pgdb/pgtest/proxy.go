package pgtest

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Proxy stands between a client and PostgreSQL, and loses connections when it is told to. What
// passes is not encrypted: it reads along.
type Proxy struct {
	url              string
	network, address string // of PostgreSQL
	listener         net.Listener
	all              sync.WaitGroup

	mu            sync.Mutex
	links         map[*link]struct{}
	refusing      bool
	before, after int    // questions and answers until the one that is lost; 0: none will be
	tag           string // of the answers that count
}

// NewProxy opens a proxy to the server of an address, until the test ends.
func NewProxy(t testing.TB, address string) *Proxy {
	t.Helper()
	config, err := pgconn.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Del("host")
	query.Del("port")
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = listener.Addr().String(), query.Encode()

	p := &Proxy{url: u.String(), listener: listener, links: map[*link]struct{}{}}
	p.network, p.address = pgconn.NetworkAddress(config.Host, config.Port)
	p.all.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// URL is the address of the proxy, with the search_path of the address it was made for.
func (p *Proxy) URL() string { return p.url }

// Cut ends all connections. What is under way has an unknown outcome.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
}

// Refuse says whether new connections are ended before a word is said. Those there are stay.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = refuse
}

// CutAfterCommit lets the nth COMMIT from now on (1 is the next) be carried out and ends its
// connection instead of passing on the answer: it happened, and the client cannot know.
func (p *Proxy) CutAfterCommit(n int) { p.CutAfter("COMMIT", n) }

// CutAfter does the same with the nth statement that the server answers with a tag that begins so:
// "INSERT" outside of a transaction is a commit too.
func (p *Proxy) CutAfter(tag string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tag, p.after = tag, n
}

// CutBeforeCommit ends the connection of the nth COMMIT from now on instead of passing it on: it
// did not happen, and the client sees what it sees after CutAfterCommit. Only a COMMIT that is sent
// as a simple query is noticed, which is how pgx ends a transaction.
func (p *Proxy) CutBeforeCommit(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = n
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.Refuse(true) // one that was just accepted
	p.Cut()
	p.all.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.all.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial(p.network, p.address)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, server: server}
	if p.add(l) {
		p.all.Go(func() {
			defer l.close()
			p.toServer(l)
		})
		p.toClient(l)
	}
	l.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusing {
		return false
	}
	p.links[l] = struct{}{}
	return true
}

// toServer passes on what the client says, until one of them ends or a COMMIT is to be lost.
func (p *Proxy) toServer(l *link) {
	from, to := bufio.NewReader(l.client), bufio.NewWriter(l.server)
	if !greet(from, to, l.client) {
		return
	}
	forward(from, to, 'Q', func(text []byte) bool {
		return strings.EqualFold(strings.Trim(string(text), " \n\t;\x00"), "commit") && p.due(&p.before, "")
	})
}

// toClient passes on what the server answers, until one of them ends or an answer is to be lost. The
// server says COMMIT only when it was carried out, in whatever way it was asked.
func (p *Proxy) toClient(l *link) {
	forward(bufio.NewReader(l.server), bufio.NewWriter(l.client), 'C', func(tag []byte) bool {
		return p.due(&p.after, string(tag))
	})
}

// due counts down, and says whether this was the one.
func (p *Proxy) due(countdown *int, tag string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if *countdown == 0 || tag != "" && !strings.HasPrefix(tag, p.tag) {
		return false
	}
	*countdown--
	return *countdown == 0
}

// greet passes on the first message, which has no type. A client that asks for encryption is told
// that there is none.
func greet(from *bufio.Reader, to *bufio.Writer, client io.Writer) bool {
	const encryptionTLS, encryptionGSS = 80877103, 80877104
	for {
		head, err := from.Peek(8)
		if err != nil {
			return false
		}
		length := int64(binary.BigEndian.Uint32(head))
		if code := binary.BigEndian.Uint32(head[4:]); code == encryptionTLS || code == encryptionGSS {
			if _, err := from.Discard(8); err != nil {
				return false
			}
			if _, err := client.Write([]byte("N")); err != nil {
				return false
			}
			continue
		}
		if _, err := io.CopyN(to, from, length); err != nil {
			return false
		}
		return to.Flush() == nil
	}
}

// forward passes messages on, and ends before one of a kind that is to be lost.
func forward(from *bufio.Reader, to *bufio.Writer, kind byte, lose func(body []byte) bool) {
	const headBytes = 5 // kind, then a length that counts itself
	for {
		head, err := from.Peek(headBytes)
		if err != nil {
			return
		}
		length := 1 + int64(binary.BigEndian.Uint32(head[1:]))
		if head[0] == kind && length < int64(from.Size()) {
			message, err := from.Peek(int(length))
			if err != nil || lose(message[headBytes:]) {
				return
			}
		}
		if _, err := io.CopyN(to, from, length); err != nil {
			return
		}
		if from.Buffered() == 0 && to.Flush() != nil {
			return
		}
	}
}

// link is one connection through a proxy.
type link struct{ client, server net.Conn }

func (l *link) close() {
	_ = l.client.Close()
	_ = l.server.Close()
}
