package drs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// TimeoutDefault bounds a call, with all its attempts, unless Options say otherwise. Somebody
	// waits for the answer with a page open.
	TimeoutDefault = 5 * time.Second

	tokenBytesMax  = 4096
	headerBytesMax = 64 << 10
	idleMax        = 90 * time.Second // a scheduler closes what is idle for longer
)

// Options say where a scheduler is and how to talk to it.
type Options struct {
	// URL is what the paths of the protocol follow: https, or http to this machine alone.
	URL string
	// Token is sent with every request, if there is one. It belongs into a file (ReadToken) or an
	// environment variable, never on a command line.
	Token string `json:"-"`
	// Zone is where the local times in the ids of slots are local.
	Zone *time.Location
	// Timeout bounds a call, with all its attempts; 0 is TimeoutDefault.
	Timeout time.Duration
	// HTTP carries the requests; nil is a client of its own. Whichever it is follows no redirect.
	HTTP *http.Client
}

// Format shows where the scheduler is and not the token, however options are printed.
func (o Options) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "scheduler at "+o.URL) }

// ReadToken reads a token from a file. Space around it is dropped.
func ReadToken(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // whoever starts the program says where its token is
	if err != nil {
		return "", err
	}
	defer file.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(file, tokenBytesMax+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	token := string(bytes.TrimSpace(text))
	if token == "" || !fitsHeader(token) {
		return "", fmt.Errorf("%s: %w", path, errToken)
	}
	return token, nil
}

// What is wrong with options. None of it repeats them: a URL may hold a password by mistake.
var (
	errURL         = errors.New("the scheduler's URL must be https://host[:port][/path]")
	errCredentials = errors.New("the scheduler's URL must not hold credentials, a query or a fragment: give a token instead")
	errInClear     = errors.New("the scheduler's URL must be https: http goes to this machine only")
	errToken       = errors.New("a scheduler's token is 1 to 4096 visible ASCII characters")
	errZone        = errors.New("the scheduler needs a time zone")
	errTimeout     = errors.New("the scheduler's timeout must be positive")
)

// base is the URL, if requests may be sent there.
func (o Options) base() (*url.URL, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errURL
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, errCredentials
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, errInClear
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (o Options) check() error {
	switch {
	case !fitsHeader(o.Token):
		return errToken
	case o.Zone == nil:
		return errZone
	case o.Timeout < 0:
		return errTimeout
	}
	return nil
}

func fitsHeader(token string) bool {
	invisible := func(r rune) bool { return r <= ' ' || r > '~' }
	return len(token) <= tokenBytesMax && !strings.ContainsFunc(token, invisible)
}

// client is the one given, or one of its own. A redirect is an answer as any other: a token and a
// booking go to the address that was configured, and nowhere else.
func (o Options) client() *http.Client {
	var c http.Client
	if o.HTTP != nil {
		c = *o.HTTP
	} else {
		c.Transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			IdleConnTimeout:        idleMax,
			MaxIdleConnsPerHost:    8,
			MaxResponseHeaderBytes: headerBytesMax,
			DisableCompression:     true, // an answer is small, and is counted as it comes
		}
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}
