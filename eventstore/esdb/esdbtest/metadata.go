package esdbtest

import (
	"encoding/json"
	"maps"
	"time"
)

// streamMetadata is what a stream's metadata stream says about reading it. It takes effect when read;
// nothing is removed.
type streamMetadata struct {
	raw            map[string]any // to keep what we do not know when a delete adds to it
	truncateBefore int64          // revisions below are gone
	maxCount       int64          // 0 for no limit
	maxAge         time.Duration  // 0 for no limit
}

// parseMetadata reads what was written; what cannot be read says nothing, as on the server.
func parseMetadata(raw []byte) streamMetadata {
	var known struct {
		TruncateBefore int64 `json:"$tb"`
		MaxCount       int64 `json:"$maxCount"`
		MaxAge         int64 `json:"$maxAge"` // seconds
	}
	var m streamMetadata
	if json.Unmarshal(raw, &known) != nil || json.Unmarshal(raw, &m.raw) != nil {
		return streamMetadata{}
	}
	m.truncateBefore, m.maxCount = known.TruncateBefore, known.MaxCount
	m.maxAge = time.Duration(known.MaxAge) * time.Second
	return m
}

// truncated is the metadata event that truncates a stream and leaves the rest as it was.
func (m streamMetadata) truncated(before int64) proposed {
	body := map[string]any{}
	maps.Copy(body, m.raw)
	body["$tb"] = before
	return own(metadataType, body)
}

func (s *stream) softDeleted() bool { return s.metadata.truncateBefore == deletedRevision }

// visible are the records of a stream that its metadata lets through. Of a metadata stream that is
// the last. The lock is held.
func (j *journal) visible(name string) []*record {
	s := j.stream(name)
	m := s.metadata
	if isMetaStream(name) {
		m.maxCount = 1
	}
	first := min(max(m.truncateBefore, 0), int64(len(s.records)))
	if m.maxCount > 0 {
		first = max(first, int64(len(s.records))-m.maxCount)
	}
	records := s.records[first:]
	if m.maxAge > 0 {
		oldest := j.now().Add(-m.maxAge)
		for len(records) > 0 && records[0].Created.Before(oldest) {
			records = records[1:]
		}
	}
	return records
}

func isMetaStream(name string) bool { return len(name) > 2 && name[:2] == "$$" }
