package vault

import (
	"context"
	"fmt"
	"sync"
)

// rounds let callers who come at once share one commit.
type rounds struct {
	turn chan struct{} // to write, one at a time

	gathering sync.Mutex
	forming   *round // the next round, which callers may still join
}

func newRounds() rounds { return rounds{turn: make(chan struct{}, 1)} }

// round is one commit that several callers share. Its fields are read after done is closed.
type round struct {
	subjects []string
	done     chan struct{}
	erased   map[string]bool // those of the subjects that may have no key any more
	err      error
}

func (r *round) verdict(subjects []string) error {
	for _, subject := range subjects {
		if r.err == nil && r.erased[subject] {
			return fmt.Errorf("%s: %w", subject, ErrErased)
		}
	}
	return r.err
}

// share joins the round that is forming. One of its callers gets the turn and commits for all; the
// others wait for that.
func (g *rounds) share(ctx context.Context, subjects []string, commit func(*round) error) error {
	r := g.join(subjects)
	select {
	case <-r.done:
		return r.verdict(subjects)
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-g.turn }()
	if g.begin(r) {
		r.err = commit(r)
		close(r.done)
	}
	<-r.done
	return r.verdict(subjects)
}

func (g *rounds) join(subjects []string) *round {
	g.gathering.Lock()
	defer g.gathering.Unlock()
	if g.forming == nil {
		g.forming = &round{done: make(chan struct{}), erased: map[string]bool{}}
	}
	g.forming.subjects = append(g.forming.subjects, subjects...)
	return g.forming
}

// begin lets nobody join any more, and says whether the round is still to be done.
func (g *rounds) begin(r *round) bool {
	g.gathering.Lock()
	defer g.gathering.Unlock()
	if g.forming != r {
		return false
	}
	g.forming = nil
	return true
}
