package esdb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParse_Mistakes(t *testing.T) {
	t.Parallel()
	notACertificate := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(notACertificate, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, says := range map[string]string{
		"":                                      "want esdb://host",
		"localhost:2113":                        "want esdb://host",
		"kurrentdb://u:sesame@localhost":        "write esdb://",
		"KDB://localhost":                       "write esdb://",
		"kdb+discover://localhost":              "write esdb+discover://",
		"kurrentdb+discover://localhost":        "write esdb+discover://",
		"http://u:sesame@localhost":             "want esdb://host",
		"esdb://":                               "host is missing",
		"esdb://?tls=false":                     "host is missing",
		"esdb://a,,b":                           "host is missing",
		"esdb://:2113":                          "host is missing",
		"esdb://a b":                            "not the name of a host",
		"esdb://[::1]:2113":                     "IPv6",
		"esdb://a:0":                            "port of a",
		"esdb://a:x":                            "port of a",
		"esdb://a:70000,b":                      "port of a",
		"esdb://a:1:2":                          "port of a",
		"esdb://a/b":                            "nothing but options",
		"esdb+discover://a,b":                   "one name",
		"esdb://a?tlss=true":                    `no option "tlss", only tls, tlsVerifyCert`,
		"esdb://a?tls=true&TLS=true":            "given twice",
		"esdb://a?tls=true&tls=true":            "given twice",
		"esdb://a?tls=perhaps":                  "true or false",
		"esdb://a?tls=":                         "true or false",
		"esdb://a?tlsVerifyCert=2":              "true or false",
		"esdb://a?tls=%zz":                      "options cannot be read",
		"esdb://a?tlsCaFile=/no/such.crt":       "/no/such.crt",
		"esdb://a?tlsCaFile=" + notACertificate: "tlsCaFile",
		"esdb://a?userCertFile=/no/such.crt":    "go together",
		"esdb://a?userCertFile=/no/c&userKeyFile=/no/k":    "/no/c",
		"esdb://a?nodePreference=best":                     "leader, follower",
		"esdb://a?defaultDeadline=soon":                    "defaultDeadline must be a number from 1",
		"esdb://a?defaultDeadline=0":                       "defaultDeadline must be a number from 1",
		"esdb://a?maxDiscoverAttempts=0":                   "maxDiscoverAttempts must be",
		"esdb://a?discoveryInterval=-1":                    "discoveryInterval must be",
		"esdb://a?gossipTimeout=0":                         "gossipTimeout must be",
		"esdb://a?keepAliveInterval=-2":                    "keepAliveInterval must be",
		"esdb://a?keepAliveTimeout=-1":                     "keepAliveTimeout must be",
		"esdb://u:sesame@a?tls=false":                      "would not be sent",
		"esdb://u@a":                                       "go together",
		"esdb://:sesame@a":                                 "go together",
		"esdb://u:ses?ame@a":                               "%3F",
		"esdb://u:ses/ame@a":                               "%2F",
		"esdb://u:ses@ame@a":                               "%40",
		"esdb://u:ses#ame@a":                               "%23",
		"esdb://u:ses%ame@a":                               "%2F",
		"esdb://a?streamPrefix=":                           "streamPrefix",
		"esdb://a?streamPrefix=a-b":                        "no dash",
		"esdb://a?streamPrefix=$a":                         "no dash",
		"esdb://a?streamPrefix=" + strings.Repeat("a", 65): "up to 64",
	} {
		_, err := parse(text)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want %q", text, err, says)
			continue
		}
		if strings.Contains(err.Error(), "ses") && strings.Contains(text, "ses") {
			t.Errorf("%q: %v quotes the password", text, err)
		}
	}
}

func TestParse_Description(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"esdb://a?tls=false": "esdb://a:2113 without TLS",
		" ESDB://a:1,b-c.d/?TLS=True&nodePreference=ReadOnlyReplica":                       "esdb://a:1,b-c.d:2113 with TLS",
		"esdb+discover://u:p%40%2C@cluster.example?tlsVerifyCert=false&streamPrefix=book.": "esdb+discover://cluster.example:2113 with TLS, streams book.*",
	} {
		s, err := parse(text)
		if got := s.String(); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
}

// What the client is told.
func TestParse_Configuration(t *testing.T) {
	t.Parallel()
	s, err := parse("esdb://u:p%40%2C@a:1,b:2?keepAliveInterval=-1&keepAliveTimeout=3000&defaultDeadline=2000" +
		"&gossipTimeout=3&maxDiscoverAttempts=7&discoveryInterval=5&tlsVerifyCert=false&streamPrefix=x.")
	if err != nil {
		t.Fatal(err)
	}
	c := s.config
	if len(c.GossipSeeds) != 2 || c.GossipSeeds[1].String() != "b:2" || c.Username != "u" || c.Password != "p@," ||
		c.KeepAliveInterval != -1 || c.KeepAliveTimeout != 3*time.Second || *c.DefaultDeadline != 2*time.Second ||
		c.GossipTimeout != 3 || c.MaxDiscoverAttempts != 7 || c.DiscoveryInterval != 5 ||
		!c.SkipCertificateVerification || c.DisableTLS || s.prefix != "x." {
		t.Errorf("got %+v and prefix %q", c, s.prefix)
	}
	if s, err = parse("esdb://a"); err != nil {
		t.Fatal(err)
	}
	c = s.config
	if c.Address != "a:2113" || c.GossipTimeout != gossipTimeout || c.MaxDiscoverAttempts != 1 || c.DisableTLS ||
		c.KeepAliveInterval != 10*time.Second || c.DefaultDeadline != nil {
		t.Errorf("by default: got %+v", c)
	}
}
