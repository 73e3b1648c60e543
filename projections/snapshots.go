package projections

import (
	"crypto/sha256"
	"sync"
)

// snapshots remembers what snapshots read as: a list shows the same ones again and again, and reading
// JSON takes longer than finding it. It goes by what a snapshot says, so that nothing of it can be
// old. It is safe for concurrent use.
type snapshots[S any] struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]S
}

// snapshotsMax bounds what is remembered, some tens of megabytes; beyond it starts anew.
const snapshotsMax = 10_000

// read is what a snapshot says. What it points to is shared: nobody may change it.
func (s *snapshots[S]) read(text string) (S, error) {
	key := sha256.Sum256([]byte(text))
	s.mu.Lock()
	known, ok := s.known[key]
	s.mu.Unlock()
	if ok {
		return known, nil
	}
	var read S
	if err := readSnapshot(text, &read); err != nil {
		return read, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= snapshotsMax {
		s.known = map[[sha256.Size]byte]S{}
	}
	s.known[key] = read
	return read, nil
}
