package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rentbook/commands"
	"rentbook/domain/chargerun"
	"rentbook/domain/rent"
	"rentbook/eventstore"
)

// Moment is a place in the log, to be given as known_at either way.
type Moment struct {
	Position eventstore.Position
	At       time.Time
}

// The runs have ids of their own, so that telling everything again finds them done.
const (
	firstRun  = "demo-charges"
	secondRun = "demo-charges-corrected"
)

// teller tells a portfolio to a handler.
type teller struct {
	h    *commands.Handler
	meta commands.Meta
	portfolio
}

// Tell records the whole demo: the import, what the terms charge up to Until, the stories, then the
// correction, with what a second run makes of it, and last the repairs. The log should be empty, and
// the handler knows of Repairs. Telling it again on the same day records nothing and answers the same;
// one that was interrupted is told to its end, on whichever day. A row that the import refuses, or
// notes as odd, is an error.
func Tell(ctx context.Context, h *commands.Handler, m commands.Meta) (Highlights, error) {
	p, err := newPortfolio(Until())
	if err != nil {
		return Highlights{}, err
	}
	t := teller{h: h, meta: m, portfolio: p}
	if err := t.importFiles(ctx); err != nil {
		return Highlights{}, err
	}
	if _, err := t.charge(ctx, firstRun); err != nil {
		return Highlights{}, err
	}
	before, err := t.perform(ctx, p.deeds())
	if err != nil {
		return Highlights{}, err
	}
	after, err := t.correct(ctx)
	if err != nil {
		return Highlights{}, err
	}
	repairs, err := t.repairs(ctx)
	return Highlights{Accounts: p.highlights(), Before: before, After: after, Repairs: repairs}, err
}

func (t teller) importFiles(ctx context.Context) error {
	files, err := t.files()
	if err != nil {
		return err
	}
	var odd []error
	report := func(l commands.ImportLine) { odd = append(odd, errors.New(l.String())) }
	_, err = t.h.Import(ctx, t.meta, commands.Import{
		Files: files, Names: commands.ImportNames(), Refused: report, Noted: report,
	})
	return errors.Join(append(odd, err)...)
}

// charge runs the charges up to the end and answers where in the log the run was finished.
func (t teller) charge(ctx context.Context, run string) (Moment, error) {
	m := t.as("rents-desk", "the rent terms in force")
	result, err := t.h.RunCharges(ctx, m, commands.RunCharges{Run: run, Through: t.until.String()})
	if err != nil {
		return Moment{}, fmt.Errorf("charge run %s: %w", run, err)
	}
	return t.moment(ctx, eventstore.NewStream(chargerun.Category, run), result.Receipt)
}

// as is somebody at the landlord's doing something on some authority.
func (t teller) as(actor, authority string) commands.Meta {
	m := t.meta
	m.Actor = commands.Actor{ID: actor, Role: commands.RoleManager}
	m.Authority = authority
	return m
}

// perform does what the stories say, in order, and answers where in the log it ended.
func (t teller) perform(ctx context.Context, deeds []deed) (Moment, error) {
	var last Moment
	for _, d := range deeds {
		receipt, err := d.act(ctx, t.h, t.as(d.actor, d.authority))
		if err == nil {
			last, err = t.moment(ctx, accountStream(d.account), receipt)
		}
		if err != nil {
			return last, fmt.Errorf("%s on %s: %w", d.actor, d.account, err)
		}
	}
	return last, nil
}

// correct sets the term that was keyed wrong to what it should have been, and charges again.
func (t teller) correct(ctx context.Context) (Moment, error) {
	account := t.with(Corrected)
	wrong, right := account.correction()
	m := t.as("rents-desk", "tenant's dispute of 12 October 2026, rent notice of 2 March 2026")
	// To say again what is known changes nothing and answers its version: the If-Match of a change.
	known, err := t.h.PutTerm(ctx, m, wrong)
	if err == nil {
		m.Expect = &known.Version
		_, err = t.h.PutTerm(ctx, m, right)
	}
	if err != nil {
		return Moment{}, fmt.Errorf("correct the rent of %s: %w", account.ref(), err)
	}
	return t.charge(ctx, secondRun)
}

// moment is when and where a receipt's facts were recorded.
func (t teller) moment(ctx context.Context, s eventstore.Stream, r commands.Receipt) (Moment, error) {
	for recorded, err := range t.h.Store.Read(ctx, s, eventstore.Version(r.Version-1)) {
		return Moment{Position: recorded.Position, At: recorded.At}, err
	}
	return Moment{}, fmt.Errorf("%s has no version %d", s, r.Version)
}

func accountStream(account string) eventstore.Stream {
	return eventstore.NewStream(rent.Category, account)
}
