package commands

import (
	"hash/maphash"
	"sync"

	"rentbook/eventstore"
)

// stripes is how many locks a process has for all its streams.
const stripes = 4096

// locks make what happens to one stream in this process queue up instead of getting into its own
// way. Streams share locks, so nobody may hold two of the same set.
type locks struct {
	seed    maphash.Seed
	stripes [stripes]sync.Mutex
}

func newLocks() *locks { return &locks{seed: maphash.MakeSeed()} }

func (l *locks) lock(stream eventstore.Stream) *sync.Mutex {
	mutex := &l.stripes[maphash.String(l.seed, string(stream))%stripes]
	mutex.Lock()
	return mutex
}
