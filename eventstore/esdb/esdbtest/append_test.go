package esdbtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"rentbook/eventstore/esdb/esdbtest"
)

func TestAppend_exactRevisions(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	first, second := events(3), events(2)

	one := f.append("a-1", esdb.NoStream{}, first...)
	mustEqual(t, "last revision", one.NextExpectedVersion, 2)
	two := f.append("a-1", esdb.Revision(2), second...)
	mustEqual(t, "last revision", two.NextExpectedVersion, 4)

	// The same again says what it said, though the stream has moved on.
	again := f.append("a-1", esdb.NoStream{}, first...)
	mustEqual(t, "repeated", *again, *one)
	again = f.append("a-1", esdb.Revision(2), second...)
	mustEqual(t, "repeated", *again, *two)
	again = f.append("a-1", esdb.NoStream{}, first[:2]...)
	mustEqual(t, "repeated in part", again.NextExpectedVersion, 1)
	f.holds(5)

	for name, try := range map[string]struct {
		expected esdb.ExpectedRevision
		events   []esdb.EventData
		text     string
	}{
		"others":                {esdb.NoStream{}, events(1), "expecting 'no_stream' but got '4'"},
		"others, exact":         {esdb.Revision(2), events(2), "expecting '2' but got '4'"},
		"the first, then other": {esdb.NoStream{}, []esdb.EventData{first[0], event(1)}, "but got '4'"},
		"the same and one more": {esdb.Revision(2), append(second[:2:2], event(1)), "but got '4'"},
		"beyond":                {esdb.Revision(7), events(1), "expecting '7' but got '4'"},
	} {
		_, err := f.try("a-1", try.expected, try.events...)
		if want(t, err, esdb.ErrorCodeWrongExpectedVersion); !strings.Contains(err.Error(), try.text) {
			t.Errorf("%s: %v, want %s", name, err, try.text)
		}
	}
	f.holds(5)

	// Where the stream stands as expected nobody looks at ids.
	f.append("a-1", esdb.Revision(4), second...)
	f.holds(7)
}

func TestAppend_noStreamIsNamed(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	_, err := f.try("nobody", esdb.Revision(0), event(1))
	if want(t, err, esdb.ErrorCodeWrongExpectedVersion); !strings.Contains(err.Error(), "no_stream") {
		t.Errorf("got %v", err)
	}
	f.append("a", esdb.NoStream{}, event(1))
	_, err = f.try("a", esdb.NoStream{}, event(1))
	if want(t, err, esdb.ErrorCodeWrongExpectedVersion); !strings.Contains(err.Error(), "expecting 'no_stream' but got '0'") {
		t.Errorf("got %v", err)
	}
}

func TestAppend_anyRemembersUntilRestart(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	batch := events(2)
	first := f.append("a", esdb.Any{}, batch...)
	f.append("a", esdb.Any{}, event(1))
	mustEqual(t, "any again", *f.append("a", esdb.Any{}, batch...), *first)
	mustEqual(t, "stream exists again", *f.append("a", esdb.StreamExists{}, batch...), *first)
	_, err := f.try("a", esdb.Any{}, batch[0], event(1))
	want(t, err, esdb.ErrorCodeWrongExpectedVersion)
	f.append("b", esdb.Any{}, batch...) // another stream is another matter
	f.holds(5)

	f.restart()
	f.append("a", esdb.Any{}, batch...)
	f.append("b", esdb.NoStream{}, batch...) // the exact revision needs no memory
	f.holds(7)
}

// restart stops and resumes the server, and waits until the client can do without discovery.
func (f *fixture) restart() {
	f.Helper()
	f.server.Stop()
	if err := f.server.Resume(); err != nil {
		f.Fatal(err)
	}
	// The connection is known to be broken, or it is found out now.
	for f.ctx.Err() == nil {
		if _, err := f.readAll(esdb.ReadAllOptions{}, 1); err == nil {
			return
		}
	}
	f.Fatal("the client does not come back")
}

func TestAppend_streamExists(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	_, err := f.try("a", esdb.StreamExists{}, event(1))
	want(t, err, esdb.ErrorCodeWrongExpectedVersion)
	if _, err := f.client.SetStreamMetadata(f.ctx, "a", esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, esdb.StreamMetadata{}); err != nil {
		t.Fatal(err)
	}
	f.append("a", esdb.StreamExists{}, event(1)) // metadata alone makes it exist
}

func TestAppend_empty(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	result := f.append("a", esdb.NoStream{})
	mustEqual(t, "the client takes no stream for", result.NextExpectedVersion, 1)
	f.append("a", esdb.NoStream{}, event(1))
	mustEqual(t, "last revision", f.append("a", esdb.Revision(0)).NextExpectedVersion, 0)
	f.holds(1)
}

func TestAppend_size(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	_, err := f.try("a", esdb.NoStream{}, event(1<<20))
	if want(t, err, esdb.ErrorCodeUnknown); !strings.Contains(err.Error(), "Maximum Append Size of 1048576 Exceeded.") {
		t.Errorf("got %v", err)
	}
	_, err = f.try("a", esdb.NoStream{}, event(17<<20))
	if want(t, err, esdb.ErrorCodeUnknown); !strings.Contains(err.Error(), "larger than max") && !strings.Contains(err.Error(), "EOF") {
		t.Errorf("got %v", err)
	}
	f.holds(0)
	f.append("a", esdb.NoStream{}, event(1<<20-100))
}

// While the client is still sending it does not learn why it was refused.
func TestAppend_sizeLosesReason(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{MaxAppendSize: 1000})
	big := make([]esdb.EventData, 200)
	for i := range big {
		big[i] = event(100_000)
	}
	_, err := f.try("a", esdb.NoStream{}, big...)
	if want(t, err, esdb.ErrorCodeUnknown); !strings.HasSuffix(err.Error(), "EOF") {
		t.Errorf("got %v", err)
	}
}

func TestDelete_soft(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	batch := events(3)
	f.append("a", esdb.NoStream{}, batch...)
	if _, err := f.client.DeleteStream(f.ctx, "a", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Revision(1)}); err == nil ||
		!strings.Contains(err.Error(), "Delete failed due to WrongExpectedVersion") {
		t.Errorf("got %v", err)
	}
	result, err := f.client.DeleteStream(f.ctx, "a", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Revision(2)})
	if err != nil {
		t.Fatal(err)
	}
	last := f.server.Log()[len(f.server.Log())-1]
	mustEqual(t, "the delete's position", result.Position.Commit, last.Position)
	mustEqual(t, "what it is", last.Stream+" "+last.Type+" "+string(last.Data), `$$a $metadata {"$tb":9223372036854775807}`)

	_, err = f.readStream("a", esdb.ReadStreamOptions{}, 10)
	want(t, err, esdb.ErrorCodeResourceNotFound)
	_, err = f.try("a", esdb.StreamExists{}, event(1))
	want(t, err, esdb.ErrorCodeStreamDeleted)
	f.append("a", esdb.NoStream{}, batch...) // the same again is still the same
	f.holds(3)

	// A new stream of the same name counts on.
	mustEqual(t, "last revision", f.append("a", esdb.NoStream{}, event(1)).NextExpectedVersion, 3)
	read, err := f.readStream("a", esdb.ReadStreamOptions{}, 10)
	if want(t, err, none); len(read) != 1 || read[0].EventNumber != 3 {
		t.Errorf("got %v", read)
	}
}

func TestDelete_tombstone(t *testing.T) {
	t.Parallel()
	f := start(t, esdbtest.Options{})
	batch := events(1)
	f.append("a", esdb.NoStream{}, batch...)
	if _, err := f.client.TombstoneStream(f.ctx, "a", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Revision(0)}); err != nil {
		t.Fatal(err)
	}
	for _, expected := range []esdb.ExpectedRevision{esdb.Any{}, esdb.NoStream{}, esdb.StreamExists{}, esdb.Revision(0)} {
		_, err := f.try("a", expected, batch...)
		want(t, err, esdb.ErrorCodeStreamDeleted)
	}
	_, err := f.try("$$a", esdb.Any{}, event(1))
	want(t, err, esdb.ErrorCodeStreamDeleted)
	_, err = f.readStream("a", esdb.ReadStreamOptions{}, 10)
	want(t, err, esdb.ErrorCodeStreamDeleted)
	_, err = f.client.TombstoneStream(f.ctx, "a", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Any{}})
	want(t, err, esdb.ErrorCodeStreamDeleted)
	f.holds(1)
	mustEqual(t, "the tombstone", f.server.Log()[len(f.server.Log())-1].Type, "$streamDeleted")
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 4, 1, 12, 0, 0, 123_456_789, time.UTC)
	f := start(t, esdbtest.Options{Now: func() time.Time { return now }})
	f.append("a", esdb.NoStream{}, events(5)...)

	_, err := f.client.GetStreamMetadata(f.ctx, "a", esdb.ReadStreamOptions{})
	want(t, err, esdb.ErrorCodeResourceNotFound)

	var m esdb.StreamMetadata
	m.SetMaxCount(2)
	if _, err := f.client.SetStreamMetadata(f.ctx, "a", esdb.AppendToStreamOptions{}, m); err != nil {
		t.Fatal(err)
	}
	read, err := f.readStream("a", esdb.ReadStreamOptions{}, 10)
	if want(t, err, none); len(read) != 2 || read[0].EventNumber != 3 {
		t.Errorf("maxCount: got %v", read)
	}
	mustEqual(t, "created", read[0].CreatedDate, now.Truncate(100))

	m.SetTruncateBefore(4)
	m.SetMaxAge(time.Hour)
	if _, err := f.client.SetStreamMetadata(f.ctx, "a", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(0)}, m); err != nil {
		t.Fatal(err)
	}
	read, err = f.readStream("a", esdb.ReadStreamOptions{}, 10)
	if want(t, err, none); len(read) != 1 || read[0].EventNumber != 4 {
		t.Errorf("truncateBefore: got %v", read)
	}
	read, err = f.readStream("$$a", esdb.ReadStreamOptions{}, 10)
	if want(t, err, none); len(read) != 1 || read[0].EventNumber != 1 {
		t.Errorf("a metadata stream keeps one: got %v", read)
	}
	mustEqual(t, "what the log holds", len(f.server.Events()), 5)
}
