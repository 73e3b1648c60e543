package esdb

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// options are those of a connection string, by the names below.
type options map[string]string

// Names do not depend on case. All but the last are the client's.
const (
	optionTLS                 = "tls"
	optionVerify              = "tlsVerifyCert"
	optionCA                  = "tlsCaFile"
	optionUserCert            = "userCertFile"
	optionUserKey             = "userKeyFile"
	optionPreference          = "nodePreference"
	optionMaxDiscoverAttempts = "maxDiscoverAttempts"
	optionDiscoveryInterval   = "discoveryInterval"
	optionGossipTimeout       = "gossipTimeout"
	optionKeepAliveInterval   = "keepAliveInterval"
	optionKeepAliveTimeout    = "keepAliveTimeout"
	optionDeadline            = "defaultDeadline"
	optionPrefix              = "streamPrefix"
)

func optionNames() []string {
	return []string{
		optionTLS, optionVerify, optionCA, optionUserCert, optionUserKey, optionPreference, optionMaxDiscoverAttempts,
		optionDiscoveryInterval, optionGossipTimeout, optionKeepAliveInterval, optionKeepAliveTimeout, optionDeadline,
		optionPrefix,
	}
}

func parseOptions(query string) (options, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errQuery
	}
	o := options{}
	for given, all := range values {
		i := slices.IndexFunc(optionNames(), func(known string) bool { return strings.EqualFold(known, given) })
		if i < 0 {
			return nil, fmt.Errorf("there is no option %q, only %s", given, strings.Join(optionNames(), ", "))
		}
		name := optionNames()[i]
		if o.has(name) || len(all) > 1 {
			return nil, fmt.Errorf("option %s is given twice", name)
		}
		o[name] = all[0]
	}
	return o, nil
}

func (o options) has(name string) bool {
	_, there := o[name]
	return there
}

// check is about all options that are not numbers.
func (o options) check() error {
	for _, name := range []string{optionTLS, optionVerify} {
		if _, err := strconv.ParseBool(strings.ToLower(o[name])); err != nil && o.has(name) {
			return fmt.Errorf("%s must be true or false", name)
		}
	}
	preferences := []string{"leader", "follower", "readOnlyReplica", "random"}
	if o.has(optionPreference) && !slices.ContainsFunc(preferences, func(p string) bool { return strings.EqualFold(p, o[optionPreference]) }) {
		return fmt.Errorf("%s must be one of %s", optionPreference, strings.Join(preferences, ", "))
	}
	if o.has(optionPrefix) && !prefixName.MatchString(o[optionPrefix]) {
		return errBadPrefix
	}
	if o.has(optionUserCert) != o.has(optionUserKey) {
		return errUserCert
	}
	if o.has(optionUserCert) {
		if _, err := tls.LoadX509KeyPair(o[optionUserCert], o[optionUserKey]); err != nil {
			return fmt.Errorf("%s and %s: %w", optionUserCert, optionUserKey, err)
		}
	}
	return nil
}

// switches are the options that the client reads itself.
func (o options) switches() string {
	query := url.Values{}
	for _, name := range []string{optionTLS, optionVerify, optionCA, optionUserCert, optionUserKey, optionPreference} {
		if o.has(name) {
			query.Set(name, o[name])
		}
	}
	return query.Encode()
}

// numbers sets those that are given.
func (o options) numbers(config *es.Configuration) error {
	var interval, timeout, deadline int // milliseconds
	for _, number := range []struct {
		name  string
		least int
		into  *int
	}{
		{optionMaxDiscoverAttempts, 1, &config.MaxDiscoverAttempts},
		{optionDiscoveryInterval, 0, &config.DiscoveryInterval},
		{optionGossipTimeout, 1, &config.GossipTimeout},
		{optionKeepAliveInterval, -1, &interval},
		{optionKeepAliveTimeout, 1, &timeout},
		{optionDeadline, 1, &deadline},
	} {
		if err := o.number(number.name, number.least, number.into); err != nil {
			return err
		}
	}
	if interval < 0 {
		config.KeepAliveInterval = -1 // none
	} else if interval > 0 {
		config.KeepAliveInterval = time.Duration(interval) * time.Millisecond
	}
	if timeout > 0 {
		config.KeepAliveTimeout = time.Duration(timeout) * time.Millisecond
	}
	if deadline > 0 {
		limit := time.Duration(deadline) * time.Millisecond
		config.DefaultDeadline = &limit
	}
	return nil
}

// numberMax is more than a week in milliseconds.
const numberMax = 1_000_000_000

func (o options) number(name string, least int, into *int) error {
	if !o.has(name) {
		return nil
	}
	n, err := strconv.Atoi(o[name])
	if err != nil || n < least || n > numberMax {
		return fmt.Errorf("%s must be a number from %d to %d", name, least, numberMax)
	}
	*into = n
	return nil
}
