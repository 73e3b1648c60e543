package esdbtest

import (
	"context"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// Delete truncates a stream at its end: it can be written to again, and then counts on.
func (l *life) Delete(ctx context.Context, req *streams.DeleteReq) (*streams.DeleteResp, error) {
	o := req.GetOptions()
	var expected int64
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.DeleteReq_Options_Revision:
		expected = expectRevision(e.Revision)
	case *streams.DeleteReq_Options_NoStream:
		expected = expectNoStream
	case *streams.DeleteReq_Options_Any:
		expected = expectAny
	case *streams.DeleteReq_Options_StreamExists:
		expected = expectStreamExists
	default:
		return nil, errInvalid("no expected revision")
	}
	at, err := l.delete(ctx, Delete, string(o.GetStreamIdentifier().GetStreamName()), expected)
	if err != nil {
		return nil, err
	}
	return &streams.DeleteResp{PositionOption: &streams.DeleteResp_Position_{
		Position: &streams.DeleteResp_Position{CommitPosition: at.commit, PreparePosition: at.prepare},
	}}, nil
}

// Tombstone ends a stream for good.
func (l *life) Tombstone(ctx context.Context, req *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	o := req.GetOptions()
	var expected int64
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.TombstoneReq_Options_Revision:
		expected = expectRevision(e.Revision)
	case *streams.TombstoneReq_Options_NoStream:
		expected = expectNoStream
	case *streams.TombstoneReq_Options_Any:
		expected = expectAny
	case *streams.TombstoneReq_Options_StreamExists:
		expected = expectStreamExists
	default:
		return nil, errInvalid("no expected revision")
	}
	at, err := l.delete(ctx, Tombstone, string(o.GetStreamIdentifier().GetStreamName()), expected)
	if err != nil {
		return nil, err
	}
	return &streams.TombstoneResp{PositionOption: &streams.TombstoneResp_Position_{
		Position: &streams.TombstoneResp_Position{CommitPosition: at.commit, PreparePosition: at.prepare},
	}}, nil
}

func (l *life) delete(ctx context.Context, m Method, name string, expected int64) (position, error) {
	c := l.call(ctx, m, name)
	if err := c.interrupt(false); err != nil {
		return position{}, err
	}
	o, err := l.server.journal.delete(l.stopped, name, expected, m == Tombstone)
	if err != nil {
		return position{}, err
	}
	switch o.decision {
	case deleted:
		return position{}, errStreamDeleted(ctx, name)
	case wrongVersion:
		return position{}, errWrongVersion(ctx, "Delete", name, expected, o.current)
	case accepted, repeated:
	}
	return o.at, c.spoilReply()
}
