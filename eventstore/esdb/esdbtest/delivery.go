package esdbtest

import (
	"iter"
	"slices"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/protobuf/proto"
)

// delivery sends the events of one read or subscription, with what goes wrong on the way.
type delivery struct {
	call *call
	out  streams.Streams_ReadServer
	text bool // ids as text

	recent     []*record // the last delivered, for as long as there are faults
	checkpoint position  // the last that was sent
}

func newDelivery(o *streams.ReadReq_Options, out streams.Streams_ReadServer) *delivery {
	_, text := o.GetUuidOption().GetContent().(*streams.ReadReq_Options_UUIDOption_String_)
	return &delivery{out: out, text: text}
}

// begin is before the first event.
func (d *delivery) begin() error {
	if err := d.call.interrupt(true); err != nil {
		return err
	}
	return d.disturb()
}

// read delivers up to a number of events that a filter lets through.
func (d *delivery) read(records iter.Seq2[int, *record], f *filter, count uint64) error {
	for _, r := range records {
		if count == 0 {
			return nil
		}
		if !f.lets(r) {
			continue
		}
		if err := d.event(r); err != nil {
			return err
		}
		count--
	}
	return nil
}

// event delivers one event, and then what faults have due.
func (d *delivery) event(r *record) error {
	if err := d.send(r); err != nil {
		return err
	}
	c := d.call
	c.delivered++
	if len(c.armed) == 0 {
		return nil
	}
	d.recent = append(d.recent, r)
	return d.disturb()
}

func (d *delivery) send(r *record) error {
	if !d.text {
		return d.out.Send(r.sent)
	}
	resp := proto.CloneOf(r.sent)
	resp.GetEvent().GetEvent().Id = &shared.UUID{Value: &shared.UUID_String_{String_: r.ID.String()}}
	return d.out.Send(resp)
}

// disturb does what faults want done after so many events.
func (d *delivery) disturb() error {
	c := d.call
	if len(c.armed) == 0 {
		return nil
	}
	if err := d.repeat(); err != nil {
		return err
	}
	if a := c.strikeOnce(false, Control); a != nil {
		message := &streams.ReadResp{Content: &streams.ReadResp_LastStreamPosition{LastStreamPosition: uint64(c.delivered)}}
		if err := d.out.Send(message); err != nil {
			return err
		}
	}
	if len(d.recent) > 0 && c.strike(false, CheckpointExtra) != nil {
		if err := d.sendCheckpoint(d.recent[len(d.recent)-1].at()); err != nil {
			return err
		}
	}
	return c.interrupt(false)
}

// repeat delivers events again.
func (d *delivery) repeat() error {
	var again []*record
	if len(d.recent) > 0 && d.call.strike(false, Twice) != nil {
		again = d.recent[len(d.recent)-1:]
	}
	if a := d.call.strikeOnce(false, Again); a != nil {
		again = append(slices.Clip(again), d.recent[max(0, len(d.recent)-a.N):]...)
	}
	for _, r := range again {
		if err := d.send(r); err != nil {
			return err
		}
	}
	return nil
}

// reached says how far the log was looked through. The same place is not said twice.
func (d *delivery) reached(r *record, delivered bool) error {
	p := r.behind()
	if delivered && d.call.strike(false, CheckpointPrepareZero) == nil {
		p = r.at()
	}
	if !d.checkpoint.before(p) {
		return nil
	}
	d.checkpoint = p
	if err := d.sendCheckpoint(p); err != nil {
		return err
	}
	if d.call.strike(false, CheckpointLower) == nil {
		return nil
	}
	first, _ := d.call.life.server.journal.from(0)
	return d.sendCheckpoint(first[0].at())
}

func (d *delivery) sendCheckpoint(p position) error {
	return d.out.Send(&streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{
		Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: p.commit, PreparePosition: p.prepare},
	}})
}
