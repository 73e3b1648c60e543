package esdbtest

import (
	"github.com/google/uuid"
)

// Expected revisions below those of events, numbered as on the server.
const (
	expectNoStream     = -1
	expectAny          = -2
	expectStreamExists = -4
)

// expectRevision is the number of an expected event. No stream is as long as the largest.
func expectRevision(n uint64) int64 { return int64(min(n, deletedRevision-1)) }

type decision int

const (
	accepted decision = iota
	repeated          // the same events are there already
	wrongVersion
	deleted
)

// verdict is what becomes of a write.
type verdict struct {
	decision
	current  int64   // revision the stream is at
	before   *record // repeated: the last of the events that were there
	undelete bool    // accepted: the stream was soft-deleted and comes back
}

// check decides on a write in the order of IndexWriter.CheckCommit (oss-v24.6.0). The lock is held.
func (j *journal) check(name string, expected int64, ids []uuid.UUID) verdict {
	s, current := j.stream(name), j.last(name)
	no := verdict{decision: wrongVersion, current: current}
	switch {
	case current == deletedRevision:
		return verdict{decision: deleted, current: current}
	case expected == expectStreamExists && s.softDeleted():
		return verdict{decision: deleted, current: current}
	case expected == expectStreamExists && current < 0 && j.last("$$"+name) < 0:
		return no
	case expected == expectAny || expected == expectStreamExists:
		return j.checkRecent(name, ids)
	case expected > current:
		return no
	case expected < current:
		return j.checkRepeated(name, expected, ids)
	}
	// The stream is where it is expected to be: nobody looks at the ids, so that one id can be
	// stored twice.
	return verdict{decision: accepted, current: current, undelete: s.softDeleted()}
}

// checkRecent is all that makes a write at any revision idempotent: ids the leader remembers.
func (j *journal) checkRecent(name string, ids []uuid.UUID) verdict {
	v := verdict{decision: accepted, current: j.last(name), undelete: j.stream(name).softDeleted()}
	for i, id := range ids {
		before := j.recent[id]
		if known := before != nil && before.Stream == name; !known {
			if i > 0 {
				v.decision = wrongVersion
			}
			return v
		}
		v.decision, v.before = repeated, before
	}
	return v
}

// checkRepeated compares the ids with those that stand where the events would go.
func (j *journal) checkRepeated(name string, expected int64, ids []uuid.UUID) verdict {
	s, current := j.stream(name), j.last(name)
	no := verdict{decision: wrongVersion, current: current}
	if len(ids) == 0 {
		return no
	}
	for i, id := range ids {
		at := expected + 1 + int64(i)
		if at < int64(len(s.records)) && s.records[at].ID == id {
			continue
		}
		if i == 0 && expected == expectNoStream && s.softDeleted() {
			return verdict{decision: accepted, current: current, undelete: true}
		}
		return no
	}
	return verdict{decision: repeated, current: current, before: s.records[expected+int64(len(ids))]}
}

// outcome is what a writer is told.
type outcome struct {
	verdict
	last int64    // revision of the last event of the write
	at   position // of it
}

// append writes events all together or not at all. It refuses once stopped is closed, so that a
// server that has stopped writes nothing more.
func (j *journal) append(stopped <-chan struct{}, name string, expected int64, gap uint64, events []proposed) (outcome, error) {
	ids := make([]uuid.UUID, len(events))
	for i, e := range events {
		ids[i] = e.id
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if isClosed(stopped) {
		return outcome{}, errNotReady()
	}
	v := j.check(name, expected, ids)
	switch {
	case v.decision == repeated:
		return outcome{verdict: v, last: int64(v.before.Revision), at: v.before.at()}, nil
	case v.decision != accepted:
		return outcome{verdict: v}, nil
	}
	if gap > 0 {
		j.skip(gap)
	}
	if v.undelete {
		j.truncate(name, v.current+1)
	}
	o := outcome{verdict: v, last: v.current}
	if len(events) == 0 {
		o.at = j.skip(recordOverhead) // a marker that no reader sees
	} else {
		r := j.write(name, v.current, events...)
		o.last, o.at = int64(r.Revision), r.at()
	}
	j.announce()
	return o, nil
}

// delete ends a stream, softly or for good.
func (j *journal) delete(stopped <-chan struct{}, name string, expected int64, hard bool) (outcome, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if isClosed(stopped) {
		return outcome{}, errNotReady()
	}
	v := j.check(name, expected, []uuid.UUID{uuid.New()})
	if v.decision != accepted {
		return outcome{verdict: v}, nil
	}
	var r *record
	if hard {
		r = j.bury(name)
	} else {
		r = j.truncate(name, deletedRevision)
	}
	j.announce()
	return outcome{verdict: v, last: v.current, at: r.at()}, nil
}

// truncate writes to the metadata stream that the revisions below are gone.
func (j *journal) truncate(name string, before int64) *record {
	meta := "$$" + name
	return j.write(meta, j.last(meta), j.stream(name).metadata.truncated(before))
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
