package commands

import (
	"maps"
	"sync"
)

// atomicMap is a map that several goroutines fill together.
type atomicMap[K comparable, V any] struct {
	mu     sync.Mutex
	values map[K]V
}

func (m *atomicMap[K, V]) get(k K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[k]
	return v, ok
}

func (m *atomicMap[K, V]) set(k K, v V) { m.update(k, func(V) V { return v }) }

func (m *atomicMap[K, V]) update(k K, change func(V) V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = map[K]V{}
	}
	m.values[k] = change(m.values[k])
}

func (m *atomicMap[K, V]) all() map[K]V {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.values)
}
