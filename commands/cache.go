package commands

import (
	"sync"

	"github.com/golang/groupcache/lru"

	"rentbook/eventstore"
)

// stateCache keeps folded states by stream, the least recently used going first once they weigh
// too much. A state in it may be behind the log (another process appends too): the expected version
// of an append guards against that, and decide asks the log again before it refuses anything.
type stateCache struct {
	mu     sync.Mutex
	states *lru.Cache // of eventstore.Stream to weighed; it is never full by number
	weight int
	most   int
}

type weighed interface {
	Version() uint64
	Weight() int
}

func newStateCache(most int) *stateCache {
	c := &stateCache{most: most, states: lru.New(0)}
	c.states.OnEvicted = func(_ lru.Key, state any) { c.weight -= state.(weighed).Weight() }
	return c
}

func (c *stateCache) get(s eventstore.Stream) (weighed, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	state, ok := c.states.Get(s)
	if !ok {
		return nil, false
	}
	return state.(weighed), true
}

// put keeps a state unless a newer one is known.
func (c *stateCache) put(s eventstore.Stream, state weighed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.states.Get(s); ok {
		if known.(weighed).Version() > state.Version() {
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
