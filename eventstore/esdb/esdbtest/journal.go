package esdbtest

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
)

// Shape of the log. A position is the offset of a record in bytes, so positions have gaps; the
// first records of a database are none that can be read.
const (
	journalStart   = 1_472
	recordOverhead = 71
)

// Types of the server's own events.
const (
	metadataType  = "$metadata"
	tombstoneType = "$streamDeleted"
	statsType     = "$statsCollected"
	statsStream   = "$stats-127.0.0.1:2113"
)

// deletedRevision is the revision of a tombstone, and the truncation of a soft delete.
const deletedRevision = math.MaxInt64

// journal is the log: all records in order, those of each stream by revision, and what the leader
// remembers. Records are never changed or removed, so that a slice of them stays good without the
// lock.
type journal struct {
	now        func() time.Time
	statsEvery int

	mu         sync.RWMutex // what follows
	records    []*record
	streams    map[string]*stream
	boundaries map[uint64]bool // where records begin that are no events
	recent     map[uuid.UUID]*record
	end        uint64
	untilStats int
	changed    chan struct{} // closed at the next append
}

type record struct {
	Event
	end  uint64            // where the next record begins
	sent *streams.ReadResp // as it goes out, made once
}

type stream struct {
	records   []*record // by revision
	tombstone *record
	metadata  streamMetadata
}

// proposed is an event on its way into the log.
type proposed struct {
	id          uuid.UUID
	kind        string
	contentType string
	data        []byte
	metadata    []byte
}

// position is a place in the log as clients have it. Prepare differs from commit only in
// checkpoints.
type position struct{ commit, prepare uint64 }

func (p position) before(q position) bool {
	return p.commit < q.commit || p.commit == q.commit && p.prepare < q.prepare
}

func (r *record) at() position { return position{r.Position, r.Position} }

// behind is the place right after a record as the server computes it for a page: no event is
// there, and prepare is zero, so that the event that comes to begin there is not passed over.
func (r *record) behind() position { return position{commit: r.end} }

func newJournal(now func() time.Time, statsEvery int) *journal {
	j := &journal{
		now: now, statsEvery: statsEvery, untilStats: statsEvery,
		streams: map[string]*stream{}, boundaries: map[uint64]bool{0: true}, recent: map[uuid.UUID]*record{},
		end: journalStart, changed: make(chan struct{}),
	}
	// What a new database says to itself.
	j.write("$user-admin", -1, own("$UserCreated", map[string]any{"loginName": "admin", "groups": []string{"$admins"}}))
	j.write("$users", -1, own("$User", map[string]any{"loginName": "admin"}))
	return j
}

// own is an event of the server. Its id is by chance, as there.
func own(kind string, body map[string]any) proposed {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // maps of text and numbers only
	}
	return proposed{id: uuid.New(), kind: kind, contentType: "application/json", data: data}
}

// forget drops what a leader knows by heart only.
func (j *journal) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.recent)
}

// settle waits for a write that is under way.
func (j *journal) settle() {
	j.mu.Lock()
	defer j.mu.Unlock()
}

// from are the records from an index on, and the channel that closes when there are more.
func (j *journal) from(index int) ([]*record, <-chan struct{}) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.records[min(index, len(j.records)):], j.changed
}

// find is the index of the first record at or behind a position.
func (j *journal) find(p position) int {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return sort.Search(len(j.records), func(i int) bool { return !j.records[i].at().before(p) })
}

// valid says whether reading can begin at a position: at the boundary of a record, or beyond all.
func (j *journal) valid(p position) bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if p.commit >= j.end || j.boundaries[p.commit] {
		return true
	}
	i := sort.Search(len(j.records), func(i int) bool { return j.records[i].end >= p.commit })
	return i < len(j.records) && (j.records[i].Position == p.commit || j.records[i].end == p.commit)
}

// stream is a stream by name, never nil.
func (j *journal) stream(name string) *stream {
	if s := j.streams[name]; s != nil {
		return s
	}
	return &stream{}
}

// last is the revision of the last event of a stream, -1 if it has none. The metadata stream of a
// tombstoned stream is as gone as that one.
func (j *journal) last(name string) int64 {
	s := j.stream(name)
	original, isMeta := strings.CutPrefix(name, "$$")
	if s.tombstone != nil || isMeta && j.stream(original).tombstone != nil {
		return deletedRevision
	}
	return int64(len(s.records)) - 1
}

// write adds events to a stream that is at a revision, and returns the last of them. The lock is
// held, or the journal new.
func (j *journal) write(name string, current int64, events ...proposed) *record {
	s := j.streams[name]
	if s == nil {
		s = &stream{}
		j.streams[name] = s
	}
	var r *record
	for _, e := range events {
		current++
		r = j.record(name, uint64(current), e)
		s.records = append(s.records, r)
	}
	if original, isMeta := strings.CutPrefix(name, "$$"); isMeta && r != nil {
		j.describe(original, r.Data)
	}
	return r
}

// bury writes a tombstone.
func (j *journal) bury(name string) *record {
	s := j.streams[name]
	if s == nil {
		s = &stream{}
		j.streams[name] = s
	}
	s.tombstone = j.record(name, deletedRevision, proposed{id: uuid.New(), kind: tombstoneType, contentType: "application/json"})
	return s.tombstone
}

func (j *journal) record(name string, revision uint64, e proposed) *record {
	size := recordOverhead + 2*len(name) + 2*len(e.kind) + len(e.data) + len(e.metadata)
	r := &record{
		Event: Event{
			Stream: name, Revision: revision, ID: e.id, Type: e.kind, Position: j.end,
			Created: j.now().UTC().Truncate(100), Data: e.data, Metadata: e.metadata,
		},
		end: j.end + uint64(size),
	}
	r.sent = &streams.ReadResp{Content: &streams.ReadResp_Event{Event: readEvent(r, e.contentType)}}
	j.records = append(j.records, r)
	j.recent[e.id] = r
	j.end = r.end
	return r
}

// skip puts a record into the log that is no event and can be read by nobody.
func (j *journal) skip(size uint64) position {
	at := j.end
	j.boundaries[at] = true
	j.end += size
	return position{at, at}
}

// announce wakes whoever waits for more. After some appends the server has something to say too.
func (j *journal) announce() {
	if j.untilStats--; j.untilStats == 0 {
		j.untilStats = j.statsEvery
		j.write(statsStream, j.last(statsStream), own(statsType, map[string]any{"es-records": len(j.records)}))
	}
	close(j.changed)
	j.changed = make(chan struct{})
}

func (j *journal) describe(name string, raw []byte) {
	s := j.streams[name]
	if s == nil {
		s = &stream{}
		j.streams[name] = s
	}
	s.metadata = parseMetadata(raw)
}

// ticks are what .NET counts, 100 ns each.
func ticks(t time.Time) string { return strconv.FormatInt(t.UnixNano()/100, 10) }

func readEvent(r *record, contentType string) *streams.ReadResp_ReadEvent {
	most, least := esdb.UUIDAsInt64(r.ID)
	return &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id: &shared.UUID{Value: &shared.UUID_Structured_{
				Structured: &shared.UUID_Structured{MostSignificantBits: most, LeastSignificantBits: least},
			}},
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(r.Stream)},
			StreamRevision:   r.Revision,
			CommitPosition:   r.Position,
			PreparePosition:  r.Position,
			Metadata:         map[string]string{"type": r.Type, "content-type": contentType, "created": ticks(r.Created)},
			Data:             r.Data,
			CustomMetadata:   r.Metadata,
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: r.Position},
	}
}

func (p position) String() string { return fmt.Sprintf("%d/%d", p.commit, p.prepare) }
