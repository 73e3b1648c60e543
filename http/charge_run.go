package http

import (
	"context"
	"net/http"
	"time"

	"rentbook/commands"
	"rentbook/domain"
)

type chargeRun struct {
	Through domain.Date `json:"through" doc:"Every charge due up to and including this day; at most 400 days ahead"`
	DryRun  bool        `json:"dry_run,omitempty" doc:"Work it out and record nothing"`
}

type postChargeRun struct {
	Key  string `header:"Idempotency-Key" doc:"Required. The same key from the same token is the same run" example:"april-2026"`
	Body chargeRun
}

// chargeRunResult is what a run came to. A dry run has no run, position and version.
type chargeRunResult struct {
	Position string           `json:"position,omitempty"`
	Version  uint64           `json:"version,omitempty"`
	Run      domain.ID        `json:"run,omitempty"`
	Through  domain.Date      `json:"through"`
	Raised   int64            `json:"raised" doc:"Entries"`
	Totals   []chargeRunTotal `json:"totals" nullable:"false"`
}

type chargeRunTotal struct {
	Currency domain.Currency `json:"currency" example:"GBP"`
	Debit    string          `json:"debit" example:"84500.00"`
	Credit   string          `json:"credit" example:"0.00"`
}

// routeChargeRuns is the route in the name under which a key counts. It never changes: ids of runs
// depend on it.
const routeChargeRuns = "POST /charge-runs"

func (s *Server) postChargeRun(ctx context.Context, in *postChargeRun) (*answer[chargeRunResult], error) {
	c := callOf(ctx)
	if !isKey(in.Key) {
		return nil, c.problem(malformed("header.Idempotency-Key", "is required: 1 to 255 visible ASCII characters of your choice"))
	}
	c.keepOpen()
	done, err := s.Commands.RunCharges(ctx, c.meta(nil), commands.RunCharges{
		Run:     commands.RunID(c.token.Actor(), routeChargeRuns, in.Key),
		Through: in.Body.Through.String(), DryRun: in.Body.DryRun,
		Progress: func(int, int) { c.keepOpen() },
	})
	if err != nil {
		return nil, c.problem(err)
	}
	out := &answer[chargeRunResult]{Status: http.StatusOK, Body: shownRun(done)}
	if in.Body.DryRun {
		c.known()
	} else {
		said := c.receipt(done.Receipt)
		out.Status, out.Body.Position, out.Body.Version = http.StatusCreated, said.Position, said.Version
	}
	return out, nil
}

func shownRun(done commands.ChargeRunResult) chargeRunResult {
	shown := chargeRunResult{Run: done.Run, Through: done.Through, Raised: done.Raised, Totals: []chargeRunTotal{}}
	for _, t := range done.Totals {
		shown.Totals = append(shown.Totals, chargeRunTotal{
			Currency: t.Debit.Currency, Debit: t.Debit.String(), Credit: t.Credit.String(),
		})
	}
	return shown
}

func isKey(key string) bool {
	const most = 255 // as with others who take such keys
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return key != "" && len(key) <= most
}

// silenceMax is how long an answer that takes its time may be silent, or a reader slow.
const silenceMax = 30 * time.Second

// keepOpen gives a long answer that much time again. A connection that knows no deadlines needs
// none set.
func (c *call) keepOpen() {
	control := http.NewResponseController(c.ResponseWriter)
	_ = control.SetWriteDeadline(c.s.Now().Add(silenceMax))
	_ = control.SetReadDeadline(time.Time{})
}
