package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rentbook/eventstore"
	"rentbook/projections/database"
)

// ViewStatus says how far a view is.
type ViewStatus struct {
	Name       string
	Position   eventstore.Position
	Behind     uint64              // events after Position, counted up to BehindMax
	Uncounted  bool                // the log could not be asked how many they are
	Stopped    bool                // until it has caught up again: Position rises meanwhile
	StoppedAt  eventstore.Position // the event that the view could not take
	Code       string              // why: unknown-type, undecodable, key-missing, apply-failed
	Rebuilding bool
}

// BehindMax is how many events a status counts.
const BehindMax = 10_000

// askMax is how long a status waits for a log that may be away.
const askMax = time.Second

// Status is that of all views, in the order of Names.
func (v *Views) Status(ctx context.Context) ([]ViewStatus, error) {
	points, err := v.checkpoints(ctx)
	if err != nil {
		return nil, err
	}
	rebuilding, err := v.rebuilding(ctx)
	if err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, askMax)
	defer cancel()
	head, away := v.config.Log.Head(asking)
	var all []ViewStatus
	behind := map[int64]uint64{}
	for _, name := range Names() {
		c := points[name]
		if _, counted := behind[c.position]; !counted && away == nil {
			behind[c.position], away = v.count(asking, position(c.position), head)
		}
		all = append(all, ViewStatus{
			Name: name, Position: position(c.position), Behind: behind[c.position], Uncounted: away != nil, Stopped: c.stopped(),
			StoppedAt: position(c.stoppedAt), Code: c.code, Rebuilding: rebuilding[name],
		})
	}
	return all, nil
}

func (v *Views) rebuilding(ctx context.Context) (map[string]bool, error) {
	views := map[string]bool{}
	err := v.db.Ask(ctx, `SELECT view FROM rebuilds`, func(r database.Row) error {
		views[r.Text(0)] = true
		return nil
	})
	return views, err
}

// count reads the events: positions are no count of them on every log.
func (v *Views) count(ctx context.Context, after, last eventstore.Position) (n uint64, err error) {
	for _, err := range eventstore.ReadTo(ctx, v.config.Log, after, last) {
		if err != nil {
			return 0, fmt.Errorf("status of the views: %w", err)
		}
		if n++; n == BehindMax {
			break
		}
	}
	return n, nil
}

// metrics asks the database when somebody asks it, so that a process that does not write the views
// reports them too.
type metrics struct {
	views *Views

	position, behind, stopped *prometheus.Desc
}

var _ prometheus.Collector = (*metrics)(nil)

// scrapeMax bounds one look at the views.
const scrapeMax = 2 * time.Second

func (v *Views) register() error {
	if v.config.Metrics == nil {
		return nil
	}
	m := &metrics{
		views:    v,
		position: prometheus.NewDesc("rentbook_view_position", "Position of the last event seen.", []string{"view"}, nil),
		behind: prometheus.NewDesc("rentbook_view_behind_events",
			"Events that the view has not seen, counted up to 10000.", []string{"view"}, nil),
		stopped: prometheus.NewDesc("rentbook_view_stopped",
			"1 for a view that could not take an event.", []string{"view", "position", "code"}, nil),
	}
	if err := v.config.Metrics.Register(m); err != nil {
		return fmt.Errorf("register the metrics of the views: %w", err)
	}
	v.metrics = m
	return nil
}

func (v *Views) unregister() {
	if v.metrics != nil {
		v.config.Metrics.Unregister(v.metrics)
		v.metrics = nil
	}
}

// Describe names the metrics.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.position
	out <- m.behind
	out <- m.stopped
}

// Collect leaves out what cannot be found out now.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeMax) //nolint:forbidigo // a scrape brings none
	defer cancel()
	all, err := m.views.Status(ctx)
	if err != nil {
		return
	}
	for _, s := range all {
		gauge := func(d *prometheus.Desc, value uint64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), append([]string{s.Name}, labels...)...)
		}
		gauge(m.position, s.Position.Commit)
		if !s.Uncounted {
			gauge(m.behind, s.Behind)
		}
		if s.Stopped {
			gauge(m.stopped, 1, s.StoppedAt.String(), s.Code)
		}
	}
}
