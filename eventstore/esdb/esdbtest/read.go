package esdbtest

import (
	"math"
	"slices"
	"sort"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// allStream is what faults know the whole log by.
const allStream = "$all"

// Read carries out reads and subscriptions, which are one RPC.
func (l *life) Read(req *streams.ReadReq, out streams.Streams_ReadServer) error {
	o := req.GetOptions()
	name := allStream
	if s := o.GetStream(); s != nil {
		name = string(s.GetStreamIdentifier().GetStreamName())
	}
	filter, err := filterOf(o)
	if err != nil {
		return err
	}
	if o.GetSubscription() != nil {
		return l.subscribe(l.call(out.Context(), Subscribe, name), o, filter, newDelivery(o, out))
	}
	c := l.call(out.Context(), Read, name)
	d := newDelivery(o, out)
	d.call = c
	if err := d.begin(); err != nil {
		return err
	}
	if o.GetStream() != nil {
		return l.readStream(d, name, o)
	}
	return l.readAll(d, o, filter)
}

// filterOf is the filter asked for, nil for none. Only the whole log can be filtered.
func filterOf(o *streams.ReadReq_Options) (*filter, error) {
	switch f := o.GetFilterOption().(type) {
	case *streams.ReadReq_Options_Filter:
		if o.GetStream() != nil {
			return nil, errInvalid("a stream cannot be filtered")
		}
		return newFilter(f.Filter)
	case *streams.ReadReq_Options_NoFilter:
		return nil, nil
	default:
		return nil, errInvalid("neither filter nor none")
	}
}

// readStream delivers events from a revision on, that one included. That there is no such stream is
// a message, not an error.
func (l *life) readStream(d *delivery, name string, o *streams.ReadReq_Options) error {
	j := l.server.journal
	j.mu.RLock()
	current, gone := j.last(name), j.stream(name).softDeleted()
	records := j.visible(name)
	j.mu.RUnlock()
	switch {
	case current == deletedRevision:
		return errStreamDeleted(d.call.ctx, name)
	case current < 0 || gone:
		return d.out.Send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
			StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(name)}},
		}})
	}
	from := revisionOf(o.GetStream())
	if o.GetReadDirection() == streams.ReadReq_Options_Backwards {
		end := sort.Search(len(records), func(i int) bool { return records[i].Revision > from })
		return d.read(slices.Backward(records[:end]), nil, o.GetCount())
	}
	start := sort.Search(len(records), func(i int) bool { return records[i].Revision >= from })
	return d.read(slices.All(records[start:]), nil, o.GetCount())
}

// readAll delivers events of the whole log: forwards from a position, what is there included;
// backwards what is before.
func (l *life) readAll(d *delivery, o *streams.ReadReq_Options, f *filter) error {
	from := positionOf(o.GetAll())
	if !l.server.journal.valid(from) {
		return errInvalidPosition()
	}
	at := l.server.journal.find(from)
	if o.GetReadDirection() == streams.ReadReq_Options_Backwards {
		records, _ := l.server.journal.from(0)
		return d.read(slices.Backward(records[:at]), f, o.GetCount())
	}
	records, _ := l.server.journal.from(at)
	return d.read(slices.All(records), f, o.GetCount())
}

// revisionOf is where to begin, the end being beyond all revisions.
func revisionOf(o *streams.ReadReq_Options_StreamOptions) uint64 {
	switch r := o.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		return r.Revision
	case *streams.ReadReq_Options_StreamOptions_End:
		return math.MaxUint64
	default:
		return 0
	}
}

func positionOf(o *streams.ReadReq_Options_AllOptions) position {
	switch p := o.GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_Position:
		return position{p.Position.GetCommitPosition(), p.Position.GetPreparePosition()}
	case *streams.ReadReq_Options_AllOptions_End:
		return position{math.MaxUint64, math.MaxUint64}
	default:
		return position{}
	}
}
