package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// sample is what one side did in one block.
type sample struct {
	latencies []time.Duration // all of them, sorted
	took      time.Duration
	cpu       time.Duration // of the whole process, generator included
}

func (s sample) rate() float64 { return float64(len(s.latencies)) / s.took.Seconds() }

// at is a quantile.
func (s sample) at(q float64) time.Duration {
	if len(s.latencies) == 0 {
		return 0
	}
	return s.latencies[int(q*float64(len(s.latencies)-1))]
}

func (s sample) p50() float64 { return millis(s.at(0.5)) }
func (s sample) p99() float64 { return millis(s.at(0.99)) }

func (s sample) String() string {
	said := fmt.Sprintf("%.0f/s, p50 %.3f p90 %.3f p99 %.3f max %.2f ms",
		s.rate(), s.p50(), millis(s.at(0.9)), s.p99(), millis(s.at(1)))
	if s.cpu > 0 {
		said += fmt.Sprintf(", CPU %.0f us each", float64(s.cpu.Microseconds())/float64(len(s.latencies)))
	}
	return said
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// processTime is how much CPU time the process has had. On a busy machine it says more than the
// clock.
func processTime() time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// op does one thing and says whether it was done right.
type op func(ctx context.Context) error

// worker is one client: what it does again and again, and what it gives back in the end.
type worker struct {
	op
	close func() error
}

func (w worker) end() error {
	if w.close == nil {
		return nil
	}
	return w.close()
}

// workers makes one of them.
type workers func() (worker, error)

// drive lets clients do their work for a while, each as fast as it is answered.
func drive(ctx context.Context, clients int, d time.Duration, open workers) (sample, error) {
	return driveAt(ctx, clients, d, 0, open)
}

// driveAt does so at a rate for all together, zero for as fast as possible. A latency counts from
// when the request is sent.
func driveAt(ctx context.Context, clients int, d time.Duration, rate float64, open workers) (sample, error) {
	all := make([]worker, 0, clients)
	defer func() {
		for _, w := range all {
			_ = w.end() // a connection that has done its work
		}
	}()
	for range clients {
		w, err := open()
		if err != nil {
			return sample{}, err
		}
		all = append(all, w)
	}
	latencies := make([][]time.Duration, clients)
	began, used := time.Now(), processTime()
	group, ctx := errgroup.WithContext(ctx)
	for i, w := range all {
		group.Go(func() (err error) {
			p := pace{next: began, every: 0}
			if rate > 0 {
				p.every = time.Duration(float64(clients) / rate * float64(time.Second))
				p.next = began.Add(p.every * time.Duration(i) / time.Duration(clients))
			}
			latencies[i], err = w.repeat(ctx, began.Add(d), p)
			return err
		})
	}
	err := group.Wait()
	took, used := time.Since(began), processTime()-used
	sorted := slices.Concat(latencies...)
	slices.Sort(sorted)
	return sample{latencies: sorted, took: took, cpu: used}, err
}

// pace is when to send next.
type pace struct {
	next  time.Time
	every time.Duration
}

func (p *pace) wait() {
	if p.every == 0 {
		return
	}
	time.Sleep(time.Until(p.next))
	p.next = p.next.Add(p.every)
}

func (w worker) repeat(ctx context.Context, until time.Time, p pace) ([]time.Duration, error) {
	var latencies []time.Duration
	for p.wait(); time.Now().Before(until); p.wait() {
		began := time.Now()
		if err := w.op(ctx); err != nil {
			return latencies, err
		}
		latencies = append(latencies, time.Since(began))
	}
	return latencies, ctx.Err()
}

// burst is how often one side of an alternation does its work before it is the other's turn: often
// enough that what trails behind one side's work (views that follow) meets its own next.
const burst = 40

// alternate does several things with one client, in bursts in turn: the finest interleaving there
// is.
func alternate(ctx context.Context, d time.Duration, ops ...op) ([]sample, error) {
	samples := make([]sample, len(ops))
	until := time.Now().Add(d * time.Duration(len(ops)))
	for time.Now().Before(until) {
		for i, do := range ops {
			s := &samples[i]
			for range burst {
				began := time.Now()
				if err := do(ctx); err != nil {
					return nil, err
				}
				took := time.Since(began)
				s.latencies, s.took = append(s.latencies, took), s.took+took
			}
		}
	}
	for i := range samples {
		slices.Sort(samples[i].latencies)
	}
	return samples, nil
}
