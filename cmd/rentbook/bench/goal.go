package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// goal is a target of performance.md, or several that are measured together.
type goal struct {
	name      string
	rows      []*row
	roundsMax int // of what takes long or does not depend on time; 0: as many as asked for
	open      func(ctx context.Context, b *bench) (*measuring, error)
	failed    bool
}

// measuring is a goal with its data in place.
type measuring struct {
	round func(ctx context.Context, say func(format string, args ...any)) error
	done  func(ctx context.Context) error // counts what was acknowledged; may be nil
}

func (m *measuring) close(ctx context.Context) error {
	if m.done == nil {
		return nil
	}
	return m.done(ctx)
}

// row is one line of the table.
type row struct {
	what   string
	bound  float64
	sense  sense
	unit   string // of the values; empty for a ratio
	values []float64
}

type sense int

const (
	shown   sense = iota // no target
	atLeast              // the median is to be the bound or more
	atMost
)

func wantAtLeast(bound float64, what string) *row {
	return &row{what: what, bound: bound, sense: atLeast}
}

func wantAtMost(bound float64, what string) *row {
	return &row{what: what, bound: bound, sense: atMost}
}
func justShow(unit, what string) *row    { return &row{what: what, unit: unit} }
func (r *row) in(unit string) *row       { r.unit = unit; return r }
func (r *row) add(value float64)         { r.values = append(r.values, value) }
func (r *row) show(value float64) string { return fmt.Sprintf("%.*f%s", r.decimals(), value, r.unit) }

func (r *row) decimals() int {
	if r.unit == "" || r.unit == " ms" {
		return 2
	}
	return 0
}

func (r *row) target() string {
	switch r.sense {
	case atLeast:
		return ">= " + r.show(r.bound)
	case atMost:
		return "<= " + r.show(r.bound)
	default:
		return "-"
	}
}

// verdict goes by the median.
func (r *row) verdict() string {
	met := r.sense == atLeast && median(r.values) >= r.bound || r.sense == atMost && median(r.values) <= r.bound
	switch {
	case r.sense == shown:
		return "-"
	case met:
		return "met"
	default:
		return "MISSED"
	}
}

func printTable(out io.Writer, goals []*goal) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "goal\tmeasured\ttarget\tmedian\tmin to max\t")
	for _, g := range goals {
		for _, r := range g.rows {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t\n", g.name, r.what, r.target(), r.result(g.failed))
		}
	}
	return table.Flush()
}

func (r *row) result(failed bool) string {
	if failed || len(r.values) == 0 {
		return "-\t-\tFAILED"
	}
	return fmt.Sprintf("%s\t%s to %s\t%s", r.show(median(r.values)),
		r.show(slices.Min(r.values)), r.show(slices.Max(r.values)), r.verdict())
}

// median of an even number is the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}
