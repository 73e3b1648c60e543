package commands

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"rentbook/eventstore"
)

// stateCache keeps folded states by stream, the least recently used going first once they weigh
// too much. A state in it may be behind the log (another process appends too): the expected version
// of an append guards against that, and decide asks the log again before it refuses anything.
type stateCache struct {
	mu     sync.Mutex
	states *simplelru.LRU[eventstore.Stream, weighed]
	weight int
	most   int
}

type weighed interface {
	Version() uint64
	Weight() int
}

// entriesMax bounds the number of states; their weight is the bound that counts.
const entriesMax = 1 << 20

func newStateCache(most int) *stateCache {
	c := &stateCache{most: most}
	c.states, _ = simplelru.NewLRU(entriesMax, func(_ eventstore.Stream, s weighed) { c.weight -= s.Weight() })
	return c
}

func (c *stateCache) get(s eventstore.Stream) (weighed, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.states.Get(s)
}

// put keeps a state unless a newer one is known.
func (c *stateCache) put(s eventstore.Stream, state weighed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.states.Peek(s); ok {
		if known.Version() > state.Version() {
			return
		}
		c.states.Remove(s)
	}
	c.states.Add(s, state)
	c.weight += state.Weight()
	for c.weight > c.most && c.states.Len() > 1 {
		c.states.RemoveOldest()
	}
}

func (c *stateCache) forget(s eventstore.Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states.Remove(s)
}
