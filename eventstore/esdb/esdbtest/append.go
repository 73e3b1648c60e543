package esdbtest

import (
	"errors"
	"io"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
)

// Append carries out one append: options first, then a message for each event.
func (l *life) Append(in streams.Streams_AppendServer) error {
	first, err := in.Recv()
	if err != nil {
		return err
	}
	options := first.GetOptions()
	if options == nil {
		return errInvalid("the options come first")
	}
	expected, err := expectedOfAppend(options)
	if err != nil {
		return err
	}
	name := string(options.GetStreamIdentifier().GetStreamName())
	c := l.call(in.Context(), Append, name)
	if err := c.interrupt(true); err != nil {
		return err
	}
	events, err := l.receive(in)
	if err != nil {
		return err
	}
	if err := c.interrupt(false); err != nil {
		return err
	}
	o, err := l.server.journal.append(l.stopped, name, expected, c.gap(), events)
	if err != nil {
		return err
	}
	switch o.decision {
	case deleted:
		return errStreamDeleted(in.Context(), name)
	case wrongVersion:
		return in.SendAndClose(wrongVersionResponse(expected, o.current))
	case accepted, repeated:
		if err := c.spoilReply(); err != nil {
			return err
		}
	}
	return in.SendAndClose(successResponse(o))
}

// receive reads the events of an append. It does not wait for the last one when they are too large.
func (l *life) receive(in streams.Streams_AppendServer) ([]proposed, error) {
	var events []proposed
	size, limit := 0, l.server.options.MaxAppendSize
	for {
		message, err := in.Recv()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		m := message.GetProposedMessage()
		if m == nil {
			return nil, errInvalid("options come once")
		}
		// Up to 24.6 an operator binds so that only the data counts.
		if size += len(m.GetData()); size > limit {
			return nil, errTooLarge(in.Context(), limit)
		}
		for _, property := range []string{"type", "content-type"} {
			if _, ok := m.GetMetadata()[property]; !ok {
				return nil, errMissingMetadata(in.Context(), property)
			}
		}
		id, err := idFrom(m.GetId())
		if err != nil {
			return nil, err
		}
		events = append(events, proposed{
			id: id, kind: m.GetMetadata()["type"], contentType: m.GetMetadata()["content-type"],
			data: m.GetData(), metadata: m.GetCustomMetadata(),
		})
	}
}

func idFrom(id *shared.UUID) (uuid.UUID, error) {
	if s := id.GetStructured(); s != nil {
		return esdb.ParseUUIDFromInt64(s.GetMostSignificantBits(), s.GetLeastSignificantBits())
	}
	parsed, err := uuid.Parse(id.GetString_())
	if err != nil {
		return uuid.Nil, errInvalid("an event's id: %v", err)
	}
	return parsed, nil
}

func (c *call) gap() uint64 {
	if a := c.strike(false, Gap); a != nil {
		return uint64(a.N)
	}
	return 0
}

// spoilReply says how the reply to a write that was carried out gets lost, nil if it does not.
func (c *call) spoilReply() error {
	a := c.strike(false, LoseReply, NeverReply, LateReply, TimedOutCommitted)
	if a == nil {
		return nil
	}
	if a.Kind == LateReply {
		select {
		case <-time.After(a.Delay):
			return nil
		case <-c.ctx.Done():
			return c.ctx.Err() // the server's clock may be ahead of the client's: no answer after all
		}
	}
	return c.end(a)
}

func expectedOfAppend(o *streams.AppendReq_Options) (int64, error) {
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.AppendReq_Options_Revision:
		return expectRevision(e.Revision), nil
	case *streams.AppendReq_Options_NoStream:
		return expectNoStream, nil
	case *streams.AppendReq_Options_Any:
		return expectAny, nil
	case *streams.AppendReq_Options_StreamExists:
		return expectStreamExists, nil
	default:
		return 0, errInvalid("no expected revision")
	}
}

func successResponse(o outcome) *streams.AppendResp {
	success := &streams.AppendResp_Success{
		PositionOption: &streams.AppendResp_Success_Position{
			Position: &streams.AppendResp_Position{CommitPosition: o.at.commit, PreparePosition: o.at.prepare},
		},
	}
	if o.last < 0 {
		success.CurrentRevisionOption = &streams.AppendResp_Success_NoStream{NoStream: &shared.Empty{}}
	} else {
		success.CurrentRevisionOption = &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(o.last)}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: success}}
}

// wrongVersionResponse is an answer, not an error, and says everything twice: clients up to 20.6
// look elsewhere.
func wrongVersionResponse(expected, current int64) *streams.AppendResp {
	w := &streams.AppendResp_WrongExpectedVersion{}
	if current < 0 {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
		w.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_NoStream_20_6_0{NoStream_20_6_0: &shared.Empty{}}
	} else {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(current)}
		w.CurrentRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_CurrentRevision_20_6_0{CurrentRevision_20_6_0: uint64(current)}
	}
	switch expected {
	case expectAny:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_Any_20_6_0{Any_20_6_0: &shared.Empty{}}
	case expectStreamExists:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_StreamExists_20_6_0{StreamExists_20_6_0: &shared.Empty{}}
	case expectNoStream:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	default:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(expected)}
		w.ExpectedRevisionOption_20_6_0 = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision_20_6_0{ExpectedRevision_20_6_0: uint64(expected)}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: w}}
}
