package commands

import (
	"context"
	"errors"
	"time"

	"rentbook/domain"
	"rentbook/domain/contractor"
	"rentbook/domain/property"
	"rentbook/domain/repair"
	"rentbook/eventstore"
)

// Repairs is what commands need to know across repairs. Its answers are up to date with the log as
// it was when asked.
type Repairs interface {
	// Contractors lists every contractor, with how many repairs are open with it.
	Contractors(ctx context.Context) ([]Load, error)
	// OpenCommunal is the oldest open communal repair of the same path at a property that is no
	// duplicate itself; empty if there is none.
	OpenCommunal(ctx context.Context, at domain.ID, path []string) (domain.ID, error)
	// HasDuplicates says whether other repairs are merged into one.
	HasDuplicates(ctx context.Context, id domain.ID) (bool, error)
	// TenancyAt is the tenancy of a home on a day; empty if there is none, or more than one.
	TenancyAt(ctx context.Context, home domain.ID, on domain.Date) (domain.ID, error)
	// VisitsToRemind are visits that begin from an instant and before another, of which the tenant has
	// not been reminded.
	VisitsToRemind(ctx context.Context, from, to time.Time) ([]VisitToRemind, error)
}

// Load is how many repairs are open with a contractor.
type Load struct {
	Contractor domain.ID
	Open       int
}

// VisitToRemind is an appointment to remind of.
type VisitToRemind struct{ Repair, Visit domain.ID }

// routing finds who is to do a repair's work, by rule, at what price.
func (h *Handler) routing(ctx context.Context, r repair.Repair, at time.Time) (repair.Routing, error) {
	loads, err := h.Repairs.Contractors(ctx)
	if err != nil {
		return repair.Routing{}, err
	}
	var candidates []contractor.Candidate
	for _, load := range loads {
		state, err := h.contractorOf(ctx, load.Contractor)
		if err != nil {
			return repair.Routing{}, err
		}
		candidates = append(candidates, contractor.Candidate{ID: load.Contractor, Contractor: state, Open: load.Open})
	}
	job := contractor.Job{Trade: r.Trade, Codes: codesOf(r.SOR), On: h.day(at), Not: r.HandedBack}
	if job.Place, err = h.routingPlace(ctx, r.Property); err != nil {
		return repair.Routing{}, err
	}
	return h.priced(contractor.Route(job, candidates), r, at)
}

// routingTo is the same where somebody has chosen the contractor.
func (h *Handler) routingTo(ctx context.Context, id domain.ID, r repair.Repair, at time.Time) (repair.Routing, error) {
	state, err := h.contractorOf(ctx, id)
	switch {
	case err != nil:
		return repair.Routing{}, err
	case !state.Exists() || (state.Retired() && id != r.Contractor):
		return repair.Routing{}, domain.ErrUnknownReference.Because("there is no such contractor").In("contractor")
	}
	job := contractor.Job{Codes: codesOf(r.SOR), On: h.day(at)}
	return h.priced(contractor.Candidate{ID: id, Contractor: state}.Offer(job), r, at)
}

// priced is a choice as a repair records it, with the limit of what may be spent without asking. An
// emergency waits for nobody.
func (h *Handler) priced(c contractor.Choice, r repair.Repair, at time.Time) (repair.Routing, error) {
	limit, parameter, err := h.Policy.Money("spend.limit", h.day(at))
	if err != nil {
		return repair.Routing{}, err
	}
	g := repair.Routing{
		Contractor: c.Contractor, Contract: c.Contract, Explanation: c.Explanation, Cost: c.Cost, Limit: limit, Parameter: parameter,
	}
	if r.Priority == repair.Emergency {
		g.Limit = domain.Money{}
	}
	for _, line := range r.SOR {
		line.Price = domain.Money{}
		for _, p := range c.Prices {
			if p.Code == line.Code {
				line.Price = p.Price
			}
		}
		if line.Price.Currency == limit.Currency && line.Price.Minor <= (domain.MinorMax-g.Known.Minor)/int64(max(line.Quantity, 1)) {
			g.Known = domain.Money{Minor: g.Known.Minor + line.Price.Minor*int64(line.Quantity), Currency: limit.Currency}
		}
		g.SOR = append(g.SOR, line)
	}
	return g, nil
}

func codesOf(work []repair.Line) []contractor.Line {
	codes := make([]contractor.Line, len(work))
	for i, line := range work {
		codes[i] = contractor.Line{Code: line.Code, Quantity: line.Quantity}
	}
	return codes
}

func (h *Handler) routingPlace(ctx context.Context, id domain.ID) (contractor.Place, error) {
	s, _, err := load[property.Property, property.Event](ctx, h, propertyStream(id))
	if err != nil {
		return contractor.Place{}, err
	}
	above, err := h.above(ctx, id)
	return contractor.Place{Property: id, Above: above, Postcode: s.Postcode(), Locality: s.Locality()}, err
}

func contractorStream(id domain.ID) eventstore.Stream {
	return eventstore.NewStream(contractor.Category, string(id))
}

func (h *Handler) contractorOf(ctx context.Context, id domain.ID) (contractor.Contractor, error) {
	s, current, err := load[contractor.Contractor, contractor.Event](ctx, h, contractorStream(id))
	if err == nil && !current {
		s, err = refresh[contractor.Contractor, contractor.Event](ctx, h, contractorStream(id), s)
	}
	return s, err
}

func refusedAs(err error, as *domain.Refusal) bool { return err != nil && errors.Is(err, as) }
