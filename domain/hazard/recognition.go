package hazard

import (
	"slices"
	"time"

	"rentbook/domain"
	"rentbook/domain/clock"
)

// Recognition is what makes the landlord aware of what may be a hazard.
type Recognition struct {
	Property    domain.ID
	Tenancy     domain.ID
	Kind        string
	Grade       Grade
	AwareAt     time.Time
	Channel     Channel
	Description domain.Personal
	Repair      domain.ID
	Now         time.Time
	Targets     []clock.Target // of its Duties
}

// Recorded is the first version, once there is one.
func (r Recognition) Recorded(h Hazard) []uint64 {
	if h.Exists() {
		return []uint64{1}
	}
	return nil
}

// Matches says whether the fact recognises the same. What the policy said at the time is not part of
// the question.
func (r Recognition) Matches(e Event) bool {
	f, ok := e.(Recognised)
	return ok && r.Property == f.Property && r.Tenancy == f.Tenancy && r.Kind == f.Kind && r.Grade == f.Grade &&
		whole(r.AwareAt).Equal(f.AwareAt) && r.Channel == f.Channel && r.Description.Matches(f.Description) && r.Repair == f.Repair
}

// Recognise begins a hazard. Awareness counts from any channel, from when the landlord or anyone who
// works for them learnt of it, however late it is recorded.
func (h Hazard) Recognise(r Recognition) ([]Event, error) {
	switch {
	case h.Exists():
		return nil, domain.ErrDifferent
	case r.Property == "":
		return nil, domain.ErrMissing.In("property")
	case !slices.Contains(Kinds(), r.Kind):
		return nil, domain.ErrWord.In("kind")
	case !slices.Contains(Grades(), r.Grade):
		return nil, domain.ErrWord.In("grade")
	case !slices.Contains(Channels(), r.Channel):
		return nil, domain.ErrWord.In("channel")
	case r.AwareAt.IsZero():
		return nil, domain.ErrMissing.In("aware_at")
	case r.AwareAt.After(r.Now):
		return nil, ErrFuture.In("aware_at")
	}
	return []Event{Recognised{
		Property: r.Property, Tenancy: r.Tenancy, Kind: r.Kind, Grade: r.Grade, AwareAt: whole(r.AwareAt), Channel: r.Channel,
		Description: r.Description, Repair: r.Repair, Targets: pick(r.Targets, r.Duties()),
	}}, nil
}

// whole is an instant as facts have it: UTC, whole seconds.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
