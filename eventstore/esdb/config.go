package esdb

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// server is what a connection string says.
type server struct {
	scheme string
	user   *url.Userinfo
	hosts  []string // with ports
	prefix string
	config *es.Configuration
}

// String names the server, without credentials.
func (s server) String() string {
	text := s.scheme + "://" + strings.Join(s.hosts, ",")
	if s.config.DisableTLS {
		text += " without TLS"
	} else {
		text += " with TLS"
	}
	if s.prefix != "" {
		text += ", streams " + s.prefix + "*"
	}
	return text
}

// secrets are what no text may hold.
func (s server) secrets() []string {
	if s.config.Password == "" {
		return nil
	}
	return []string{url.QueryEscape(s.config.Password), s.config.Password}
}

// What a connection string says when it does not say otherwise. A client is used for one attempt to
// connect and thrown away with it; the supervisor tries again.
const (
	gossipTimeout       = 2 // seconds
	maxDiscoverAttempts = 1
	discoveryInterval   = 10 // milliseconds, after the last attempt too
	portDefault         = 2113
)

const (
	schemeNode     = "esdb"
	schemeDiscover = "esdb+discover"
)

var (
	errScheme    = errors.New("want esdb://host or esdb+discover://host")
	errHost      = errors.New("a host is missing")
	errPassword  = errors.New("characters such as / ? # @ in user name or password must be written %2F %3F %23 %40")
	errNoUser    = errors.New("user name and password go together: with one of them none would be sent")
	errPlain     = errors.New("user name and password are given, but with tls=false they would not be sent: leave out either")
	errDiscover  = errors.New("esdb+discover:// takes one name that stands for all nodes; write esdb:// before several hosts")
	errPath      = errors.New("nothing but options can stand behind the hosts, as in esdb://host:2113?tls=true")
	errIPv6      = errors.New("the client cannot connect to an IPv6 address in brackets: give a host name")
	errQuery     = errors.New("the options cannot be read: want ?name=value&name=value, other characters written %XX")
	errUserCert  = errors.New("userCertFile and userKeyFile go together")
	errBadPrefix = errors.New("streamPrefix takes up to 64 letters, digits, dots, underscores and tildes, and no dash")
)

var (
	hostName   = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	prefixName = regexp.MustCompile(`^[A-Za-z0-9._~]{1,64}$`)
)

// parse reads a connection string and explains what is wrong with it. The client would ignore
// misspelt options and malformed deadlines, and quote passwords.
func parse(text string) (server, error) {
	var s server
	scheme, rest, ok := strings.Cut(strings.TrimSpace(text), "://")
	s.scheme = strings.ToLower(scheme)
	switch {
	case !ok:
		return s, errScheme
	case s.scheme == "kurrentdb", s.scheme == "kdb":
		return s, fmt.Errorf("write %s:// instead of %s://", schemeNode, s.scheme)
	case s.scheme == "kurrentdb+discover", s.scheme == "kdb+discover":
		return s, fmt.Errorf("write %s:// instead of %s://", schemeDiscover, s.scheme)
	case s.scheme != schemeNode && s.scheme != schemeDiscover:
		return s, errScheme
	}
	rest, query, _ := strings.Cut(rest, "?")
	if strings.Contains(query, "@") || strings.Contains(rest+query, "#") {
		return s, errPassword
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		if err := s.parseUser(rest[:at]); err != nil {
			return s, err
		}
		rest = rest[at+1:]
	}
	if err := s.parseHosts(rest); err != nil {
		return s, err
	}
	options, err := parseOptions(query)
	if err != nil {
		return s, err
	}
	return s, s.configure(options)
}

// configure has the client read hosts, files and switches, and sets the rest: of what is left, the
// client swallows mistakes or writes them to standard error.
func (s *server) configure(o options) error {
	if err := o.check(); err != nil {
		return err
	}
	config, err := es.ParseConnectionString(s.scheme + "://" + strings.Join(s.hosts, ",") + "?" + o.switches())
	if err != nil {
		return fmt.Errorf("%s: %w", optionCA, err) // all else was checked
	}
	if s.user != nil {
		if config.DisableTLS {
			return errPlain
		}
		config.Username = s.user.Username()
		config.Password, _ = s.user.Password()
	}
	config.GossipTimeout = gossipTimeout
	config.MaxDiscoverAttempts = maxDiscoverAttempts
	config.DiscoveryInterval = discoveryInterval
	s.config, s.prefix = config, o[optionPrefix]
	return o.numbers(config)
}

func (s *server) parseUser(text string) error {
	name, password, _ := strings.Cut(text, ":")
	name, badName := url.PathUnescape(name)
	password, badPassword := url.PathUnescape(password)
	switch {
	case strings.ContainsAny(text, "/@") || badName != nil || badPassword != nil:
		return errPassword
	case name == "" || password == "":
		return errNoUser
	}
	s.user = url.UserPassword(name, password)
	return nil
}

func (s *server) parseHosts(text string) error {
	text, path, _ := strings.Cut(text, "/")
	if path != "" {
		return errPath
	}
	for host := range strings.SplitSeq(text, ",") {
		name, port, withPort := strings.Cut(strings.TrimSpace(host), ":")
		if strings.HasPrefix(host, "[") {
			return errIPv6
		}
		if name == "" {
			return errHost
		}
		if !hostName.MatchString(name) {
			return fmt.Errorf("%q is not the name of a host", name)
		}
		number := portDefault
		if withPort {
			var err error
			if number, err = strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
				return fmt.Errorf("the port of %s must be a number from 1 to 65535", name)
			}
		}
		s.hosts = append(s.hosts, name+":"+strconv.Itoa(number))
	}
	if len(s.hosts) > 1 && s.scheme == schemeDiscover {
		return errDiscover
	}
	return nil
}
