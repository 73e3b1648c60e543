package esdbtest

import (
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
)

// liveBuffer is how many events a live subscription may be behind. With more it is catching up
// again, and says so when it has.
const liveBuffer = 32

// subscription delivers a stream or the whole log from behind a place on, and what comes.
type subscription struct {
	*delivery
	filter *filter
	// next are the records behind those considered so far, and the channel that closes when there
	// are more.
	next func(considered int) ([]*record, <-chan struct{}, error)
	skip func(*record) bool // what the client said it has

	considered      int // in all
	sinceCheckpoint int
	live            bool
	last            *record // the last considered, nil if a checkpoint has told so
	lastDelivered   bool
}

func (l *life) subscribe(c *call, o *streams.ReadReq_Options, f *filter, d *delivery) error {
	d.call = c
	s := &subscription{delivery: d, filter: f}
	if err := s.begin(o); err != nil {
		return err
	}
	for {
		if err := s.turn(); err != nil {
			return err
		}
	}
}

// begin confirms the subscription, once it is clear where it begins.
func (s *subscription) begin(o *streams.ReadReq_Options) error {
	c := s.call
	if err := c.interrupt(true); err != nil {
		return err
	}
	if o.GetStream() != nil {
		s.fromStream(o.GetStream())
	} else if err := s.fromAll(o.GetAll()); err != nil {
		return err
	}
	if _, _, err := s.next(0); err != nil {
		return err
	}
	confirmation := &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()}
	if err := s.out.Send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{Confirmation: confirmation}}); err != nil {
		return err
	}
	return s.disturb()
}

func (s *subscription) fromAll(o *streams.ReadReq_Options_AllOptions) error {
	j := s.call.life.server.journal
	after := positionOf(o)
	if !j.valid(after) {
		return errInvalidPosition()
	}
	start := j.find(after)
	if _, end := o.GetAllOption().(*streams.ReadReq_Options_AllOptions_End); end {
		after = position{}
	}
	s.next = func(considered int) ([]*record, <-chan struct{}, error) {
		records, more := j.from(start + considered)
		return records, more, nil
	}
	// A place that does not exist yet is not an error: nothing comes until the log is beyond it.
	s.skip = func(r *record) bool { return !after.before(r.at()) }
	return nil
}

func (s *subscription) fromStream(o *streams.ReadReq_Options_StreamOptions) {
	j, name := s.call.life.server.journal, string(o.GetStreamIdentifier().GetStreamName())
	j.mu.RLock()
	var start uint64 // the first revision to deliver
	switch from := o.GetRevisionOption().(type) {
	case *streams.ReadReq_Options_StreamOptions_Revision:
		start = from.Revision + 1
	case *streams.ReadReq_Options_StreamOptions_End:
		start = uint64(len(j.stream(name).records))
	}
	if visible := j.visible(name); len(visible) > 0 {
		start = max(start, visible[0].Revision)
	}
	j.mu.RUnlock()
	s.next = func(considered int) ([]*record, <-chan struct{}, error) {
		j.mu.RLock()
		defer j.mu.RUnlock()
		if j.last(name) == deletedRevision {
			return nil, nil, errStreamDeleted(s.call.ctx, name)
		}
		records := j.stream(name).records
		return records[min(considered, len(records)):], j.changed, nil
	}
	s.skip = func(r *record) bool { return r.Revision < start }
}

// turn delivers what there is, or says that it was all and waits.
func (s *subscription) turn() error {
	records, more, err := s.next(s.considered)
	if err != nil {
		return err
	}
	if len(records) > liveBuffer {
		s.live = false
	}
	for _, r := range records {
		if err := s.consider(r); err != nil {
			return err
		}
	}
	if len(records) > 0 {
		return nil
	}
	if !s.live {
		s.live = true
		if err := s.caughtUp(); err != nil {
			return err
		}
	}
	return s.wait(more)
}

func (s *subscription) consider(r *record) error {
	s.considered++
	if s.call.faultsChanged() {
		if err := s.disturb(); err != nil {
			return err
		}
	}
	if s.skip(r) {
		return nil
	}
	delivered := s.filter.lets(r)
	s.last, s.lastDelivered = r, delivered
	if delivered {
		if err := s.event(r); err != nil {
			return err
		}
	}
	if s.filter == nil {
		return nil
	}
	if s.sinceCheckpoint++; s.sinceCheckpoint < s.filter.interval {
		return nil
	}
	s.sinceCheckpoint = 0
	return s.reached(r, delivered || s.live)
}

// caughtUp tells that the subscription is live, a filtered one how far that is.
func (s *subscription) caughtUp() error {
	if s.filter != nil && s.last != nil {
		if err := s.reached(s.last, s.lastDelivered); err != nil {
			return err
		}
	}
	return s.out.Send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}})
}

// wait ends when there are more events or faults.
func (s *subscription) wait(more <-chan struct{}) error {
	select {
	case <-more:
		return nil
	case <-s.call.life.server.faults.news(s.call.faultsVersion):
		s.call.faultsChanged()
		return s.disturb()
	case <-s.call.ctx.Done():
		return s.call.ctx.Err()
	}
}
