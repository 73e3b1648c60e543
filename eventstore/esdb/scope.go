package esdb

import (
	"slices"
	"strings"

	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore"
)

// scope says which streams of the server are the log. All others are somebody else's and not seen.
type scope struct {
	prefix     string          // of every name on the server; the log's own names are without
	categories map[string]bool // empty: all that do not belong to the server
}

func newScope(prefix string, categories []string) scope {
	s := scope{prefix: prefix, categories: map[string]bool{}}
	for _, category := range categories {
		s.categories[category] = true
	}
	if len(categories) > 0 {
		s.categories[eventstore.StreamIdentity.Category()] = true // who the log is belongs to it
	}
	return s
}

// name is that of a stream on the server.
func (s scope) name(stream eventstore.Stream) string { return s.prefix + string(stream) }

// stream is what the log calls a stream of the server, and whether it is one of the log's.
func (s scope) stream(name string) (eventstore.Stream, bool) {
	own, ours := strings.CutPrefix(name, s.prefix)
	stream := eventstore.Stream(own)
	return stream, ours && s.has(stream)
}

func (s scope) has(stream eventstore.Stream) bool {
	if len(s.categories) > 0 {
		return s.categories[stream.Category()]
	}
	return !strings.HasPrefix(string(stream), "$")
}

// followed are the prefixes of names on the server that streams of the log with one of the prefixes
// have. An empty list means that there can be none.
func (s scope) followed(prefixes []string) []string {
	if len(prefixes) == 0 {
		prefixes = []string{""}
	}
	var names []string
	for _, prefix := range prefixes {
		if len(s.categories) == 0 {
			names = append(names, s.prefix+prefix)
		}
		for category := range s.categories {
			switch begins := category + "-"; {
			case strings.HasPrefix(prefix, begins):
				names = append(names, s.prefix+prefix)
			case strings.HasPrefix(begins, prefix):
				names = append(names, s.prefix+begins)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// filter is what the server is to look for. It cannot be asked for names with the empty prefix.
func filter(names []string) *es.SubscriptionFilter {
	if slices.Contains(names, "") {
		return &es.SubscriptionFilter{Type: es.StreamFilterType, Regex: es.ExcludeSystemEventsFilter().Regex}
	}
	return &es.SubscriptionFilter{Type: es.StreamFilterType, Prefixes: names}
}
