package esdbtest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// windowDefault is how many events a page considers when the client names no window.
const windowDefault = 32

// filter lets events through by type or stream, by prefixes or an expression.
type filter struct {
	byType   bool
	prefixes []string
	regex    *regexp.Regexp
	interval int // events considered between two checkpoints
}

func newFilter(o *streams.ReadReq_Options_FilterOptions) (*filter, error) {
	f := &filter{interval: windowDefault}
	if _, limited := o.GetWindow().(*streams.ReadReq_Options_FilterOptions_Max); limited {
		f.interval = int(o.GetMax())
	}
	f.interval *= int(o.GetCheckpointIntervalMultiplier())
	if f.interval == 0 {
		return nil, errInvalid("a filter needs a window and a checkpoint interval")
	}
	var expression *streams.ReadReq_Options_FilterOptions_Expression
	switch e := o.GetFilter().(type) {
	case *streams.ReadReq_Options_FilterOptions_EventType:
		f.byType, expression = true, e.EventType
	case *streams.ReadReq_Options_FilterOptions_StreamIdentifier:
		expression = e.StreamIdentifier
	default:
		return nil, errInvalid("a filter is by event type or by stream")
	}
	f.prefixes = expression.GetPrefix()
	if expression.GetRegex() != "" {
		regex, err := regexp.Compile(expression.GetRegex())
		if err != nil {
			return nil, errInvalid("the filter's expression: %v", err)
		}
		f.regex = regex
	}
	return f, nil
}

// lets says whether an event is delivered; no filter lets everything through.
func (f *filter) lets(r *record) bool {
	if f == nil {
		return true
	}
	text := r.Stream
	if f.byType {
		text = r.Type
	}
	if f.regex != nil {
		return f.regex.MatchString(text)
	}
	return slices.ContainsFunc(f.prefixes, func(prefix string) bool { return strings.HasPrefix(text, prefix) })
}
