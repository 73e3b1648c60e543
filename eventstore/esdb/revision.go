package esdb

import (
	es "github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore"
)

// The server counts the events of a stream from 0 (revisions), the port from 1 (versions). These
// two are the only place that adds or takes away one.

// versionOf is the version of the event at a revision, and of a stream that ends with it.
func versionOf(revision uint64) eventstore.Version { return eventstore.Version(revision) + 1 }

// expected is what the server calls a stream at a version.
func expected(v eventstore.Version) es.ExpectedRevision {
	if v == 0 {
		return es.NoStream{}
	}
	return es.Revision(uint64(min(v, versionMax)) - 1)
}

// behind is the revision of the event that follows a version.
func behind(v eventstore.Version) uint64 { return uint64(min(v, versionMax)) }

// versionMax is beyond every stream and fits the server's signed numbers.
const versionMax = eventstore.Version(1 << 62)
