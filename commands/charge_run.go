package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"rentbook/domain"
	"rentbook/domain/calendar"
	"rentbook/domain/chargerun"
	"rentbook/domain/rent"
	"rentbook/eventstore"
)

// RunCharges raises every charge that is due up to and including a day, on all accounts.
type RunCharges struct {
	Run      string // the run's id; empty: a new run, or the unfinished one through the same day
	Through  string
	DryRun   bool                  // work it out, record nothing
	Progress func(done, total int) // accounts; may be nil
}

// ChargeRunResult is what a run came to, in all its attempts. A dry run has no Run.
type ChargeRunResult struct {
	Receipt
	Run     domain.ID
	Through domain.Date
	Raised  int64 // entries
	Totals  []chargerun.Total
}

// RunID is the id of the run that a POST asks for: the same for the same actor, route and key.
func RunID(actor Actor, route, key string) string {
	return uuid.NewSHA1(namespace, []byte(actor.ID+"\n"+route+"\n"+key)).String()
}

// accountsAtOnce is how many accounts a run charges side by side: enough for the log to commit many
// of them together.
const accountsAtOnce = 32

// factsMax bounds what one step raises on one account, and so the size of an append.
const factsMax = 250

// RunCharges carries out a RunCharges. A run that was interrupted goes on where it was; one that is
// finished answers its record.
func (h *Handler) RunCharges(ctx context.Context, m Meta, c RunCharges) (ChargeRunResult, error) {
	var f form
	through := f.date("through", c.Through)
	asked := f.idOrNone("run", c.Run)
	if through > h.Today()+chargerun.DaysAheadMax {
		f.refuse("through", chargerun.ErrTooFar)
	}
	if err := permit(m, f); err != nil {
		return ChargeRunResult{}, err
	}
	if c.DryRun {
		t := &tally{}
		err := h.chargeAll(ctx, m, through, c.Progress, t, true)
		return ChargeRunResult{Through: through, Raised: t.raised.Load(), Totals: t.totals()}, err
	}
	return h.run(ctx, m, asked, through, c.Progress)
}

func (h *Handler) run(
	ctx context.Context, m Meta, asked domain.ID, through domain.Date, progress func(done, total int),
) (ChargeRunResult, error) {
	id, err := h.runID(ctx, asked, through)
	if err != nil {
		return ChargeRunResult{}, err
	}
	t := target{stream: eventstore.NewStream(chargerun.Category, string(id)), kind: "start", id: id}
	started, err := decide(ctx, h, m, t, chargerun.Run.Start, chargerun.Start{Through: through})
	if err != nil {
		return ChargeRunResult{}, err
	}
	run, err := refresh[chargerun.Run, chargerun.Event](ctx, h, t.stream, chargerun.Run{})
	if err != nil {
		return ChargeRunResult{}, err
	}
	if run.Done {
		recorded, err := readOne(ctx, h, t.stream, run.Version())
		receipt := Receipt{Position: recorded.Position, Version: run.Version(), Replayed: true}
		return resultOf(id, run, receipt), err
	}
	m.Causation = t.command(nil)
	m.Correlation = m.Causation
	sum := &tally{}
	if err := h.chargeAll(ctx, m, through, progress, sum, false); err != nil {
		return ChargeRunResult{}, err
	}
	if sum, err = h.allRaised(ctx, m.Causation, started.Position, sum); err != nil {
		return ChargeRunResult{}, err
	}
	return h.finish(ctx, m, t, sum)
}

func (h *Handler) finish(ctx context.Context, m Meta, t target, sum *tally) (ChargeRunResult, error) {
	t.kind = "finish"
	result := chargerun.Result{Raised: sum.raised.Load(), Totals: sum.totals()}
	receipt, err := decide(ctx, h, m, t, chargerun.Run.Finish, result)
	if err != nil {
		return ChargeRunResult{}, err
	}
	run, err := refresh[chargerun.Run, chargerun.Event](ctx, h, t.stream, chargerun.Run{})
	return resultOf(t.id, run, receipt), err
}

func resultOf(id domain.ID, run chargerun.Run, receipt Receipt) ChargeRunResult {
	return ChargeRunResult{
		Receipt: receipt, Run: id, Through: run.Through, Raised: run.Result.Raised, Totals: run.Result.Totals,
	}
}

// runID is the run asked for, else the unfinished one through that day, else a new one.
func (h *Handler) runID(ctx context.Context, asked domain.ID, through domain.Date) (domain.ID, error) {
	if asked != "" {
		return asked, nil
	}
	id, err := h.Portfolio.UnfinishedRun(ctx, through)
	if err != nil || id != "" {
		return id, err
	}
	fresh, err := uuid.NewV7() //nolint:forbidigo // nothing to derive it from: each such run is another one
	return domain.ID(fresh.String()), err
}

// chargeAll charges every account, many side by side.
func (h *Handler) chargeAll(
	ctx context.Context, m Meta, through domain.Date, progress func(done, total int), sum *tally, dry bool,
) error {
	var accounts []domain.ID
	for id, err := range h.Portfolio.Accounts(ctx) {
		if err != nil {
			return fmt.Errorf("list the accounts: %w", err)
		}
		accounts = append(accounts, id)
	}
	calendars := &runCalendars{h: h}
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(accountsAtOnce)
	for _, id := range accounts {
		group.Go(func() error {
			if err := h.chargeAccount(ctx, m, id, through, calendars, sum, dry); err != nil {
				return fmt.Errorf("charge account %s: %w", id, err)
			}
			if progress != nil {
				progress(int(done.Add(1)), len(accounts))
			}
			return nil
		})
	}
	return group.Wait()
}

// chargeAccount charges one account, step by step until nothing more is due.
func (h *Handler) chargeAccount(
	ctx context.Context, m Meta, id domain.ID, through domain.Date, calendars *runCalendars, sum *tally, dry bool,
) error {
	defer h.streams.lock(accountStream(id)).Unlock()
	for conflicts := 0; ; {
		account, due, err := h.due(ctx, id, through, calendars, dry)
		if err != nil || len(due) == 0 {
			return err
		}
		if !dry {
			err = h.recordCharges(ctx, m, id, account, due)
		}
		if errors.Is(err, eventstore.ErrConflict) && conflicts < attemptsMax {
			conflicts++
			h.states.forget(accountStream(id))
			continue
		}
		if err == nil {
			sum.add(due)
		}
		if err != nil || dry {
			return err
		}
	}
}

// due is what the account is to be charged in one step, or in all if nothing is recorded.
func (h *Handler) due(
	ctx context.Context, id domain.ID, through domain.Date, calendars *runCalendars, dry bool,
) (rent.Account, []rent.Event, error) {
	account, err := h.freshAccount(ctx, id)
	if err != nil {
		return account, nil, err
	}
	known, err := calendars.of(ctx, account)
	if err != nil {
		return account, nil, err
	}
	run := rent.Run{Through: through, Calendars: known, Most: factsMax}
	if dry {
		run.Most = 0
	}
	due, err := account.Charge(run)
	return account, due, err
}

// freshAccount is the account as the log has it now: a remembered state could miss a term that
// another process set, and so a charge.
func (h *Handler) freshAccount(ctx context.Context, id domain.ID) (rent.Account, error) {
	account, current, err := load[rent.Account, rent.Event](ctx, h, accountStream(id))
	if err == nil && !current {
		account, err = refresh[rent.Account, rent.Event](ctx, h, accountStream(id), account)
	}
	return account, err
}

// recordCharges appends what a step raised. Each charge has a command of its own, derived from its
// id, so that whichever run raises it, it is the same event.
func (h *Handler) recordCharges(ctx context.Context, m Meta, id domain.ID, account rent.Account, due []rent.Event) error {
	stream := accountStream(id)
	proposed := make([]eventstore.Proposed, len(due))
	after := eventstore.Version(account.Version())
	for i, fact := range due {
		command := entryTarget(id, rent.Entries(fact)[0].ID).command(nil)
		var err error
		if proposed[i], err = h.propose(m, stream, command, 0, fact); err != nil {
			return err
		}
		account = account.Apply(fact)
	}
	commit, err := h.Store.Append(ctx, stream, after, proposed...)
	switch {
	case err != nil:
		return err
	case commit.Repeated: // by another run: what it raised may not be what this one would
		return eventstore.ErrConflict
	}
	h.states.put(stream, account)
	return nil
}

// allRaised is what all attempts of the run raised, before, meanwhile or by this one, whose tally it
// gets. If the log has as many events of the run as this attempt recorded, they are the same; only
// otherwise are they read one by one.
func (h *Handler) allRaised(ctx context.Context, run uuid.UUID, after eventstore.Position, own *tally) (*tally, error) {
	var caused int64
	err := h.eachRaised(ctx, run, after, func(eventstore.Recorded) error {
		caused++
		return nil
	})
	if err != nil || caused == own.raised.Load() {
		return own, err
	}
	all := &tally{}
	return all, h.eachRaised(ctx, run, after, func(r eventstore.Recorded) error {
		fact, err := eventstore.Decode[rent.Event](ctx, h.Codec, r)
		if err == nil {
			all.add([]rent.Event{fact})
		}
		return err
	})
}

// eachRaised visits the events on accounts that the run caused.
func (h *Handler) eachRaised(
	ctx context.Context, run uuid.UUID, after eventstore.Position, visit func(eventstore.Recorded) error,
) error {
	head, err := h.Log.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the head of the log: %w", err)
	}
	for r, err := range eventstore.ReadTo(ctx, h.Log, after, head) {
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if r.Metadata.Causation != run || r.Stream.Category() != rent.Category {
			continue
		}
		if err := visit(r); err != nil {
			return err
		}
	}
	return nil
}

// runCalendars hands each account the calendars that its terms name. They are read once a run.
type runCalendars struct {
	h     *Handler
	known atomicMap[domain.ID, rent.Calendar]
}

func (c *runCalendars) of(ctx context.Context, account rent.Account) (map[domain.ID]rent.Calendar, error) {
	calendars := map[domain.ID]rent.Calendar{}
	for _, id := range account.Calendars() {
		known, ok := c.known.get(id)
		if !ok {
			s, err := refresh[calendar.Calendar, calendar.Event](ctx, c.h, calendarStream(id), calendar.Calendar{})
			if err != nil {
				return nil, err
			}
			known = rent.Calendar{Version: s.Version(), Free: s.Holds}
			c.known.set(id, known)
		}
		calendars[id] = known
	}
	return calendars, nil
}

// tally sums what a run raises, by currency.
type tally struct {
	raised atomic.Int64
	sums   atomicMap[domain.Currency, [2]int64] // debit, credit
}

func (t *tally) add(facts []rent.Event) {
	for _, fact := range facts {
		for _, e := range rent.Entries(fact) {
			t.raised.Add(1)
			t.sums.update(e.Amount.Currency, func(sum [2]int64) [2]int64 {
				if e.Kind.Debit() {
					sum[0] += e.Amount.Minor
				} else {
					sum[1] += e.Amount.Minor
				}
				return sum
			})
		}
	}
}

func (t *tally) totals() []chargerun.Total {
	totals := []chargerun.Total{}
	for currency, sum := range t.sums.all() {
		totals = append(totals, chargerun.Total{
			Debit:  domain.Money{Minor: sum[0], Currency: currency},
			Credit: domain.Money{Minor: sum[1], Currency: currency},
		})
	}
	slices.SortFunc(totals, func(a, b chargerun.Total) int {
		return cmp.Compare(a.Debit.Currency, b.Debit.Currency)
	})
	return totals
}
