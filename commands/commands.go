// Package commands is everything anyone may ask of Rentbook: authorise, decide, record.
//
// A use case is a struct and a method of the same name on Handler. The method makes sure that the
// actor may do this, turns the struct's text into the nouns of the domain (form.go), and hands a
// decision of the domain to decide (decide.go), which reads the stream, records what the decision
// says and answers a Receipt. Reads live in package projections; the two never meet.
//
// The one rule: one command decides on one stream, and carrying it out twice is carrying it out
// once.
package commands

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"rentbook/domain"
	"rentbook/domain/calendar"
	"rentbook/domain/chargerun"
	"rentbook/domain/clock"
	"rentbook/domain/contractor"
	"rentbook/domain/diary"
	"rentbook/domain/hazard"
	"rentbook/domain/property"
	"rentbook/domain/rent"
	"rentbook/domain/repair"
	"rentbook/domain/tenancy"
	"rentbook/domain/triage"
	"rentbook/eventstore"
)

// Meta comes with every command.
type Meta struct {
	Actor       Actor
	Expect      *uint64   // If-Match: the version the caller has seen; nil: none said
	Correlation uuid.UUID // zero: the command's own id
	Causation   uuid.UUID // zero: the command's own id
	Authority   string    // the file, rule or decision relied on; may be empty
}

// Receipt says where a command's facts are in the log. Replayed is true when they had been there
// before.
type Receipt struct {
	Position eventstore.Position
	Version  uint64
	Replayed bool
}

// Portfolio is what commands need to know across streams. Its answers are up to date with the log
// as it was when asked.
type Portfolio interface {
	// Accounts yields the ids of all rent accounts, in order.
	Accounts(ctx context.Context) iter.Seq2[domain.ID, error]
	// UnfinishedRun is the charge run through that day that was started last and not finished;
	// empty if there is none.
	UnfinishedRun(ctx context.Context, through domain.Date) (domain.ID, error)
}

// Config is what a Handler works with.
type Config struct {
	Store     eventstore.Store
	Log       eventstore.Log
	Codec     *eventstore.Codec
	Portfolio Portfolio     // only charge runs need it
	Repairs   Repairs       // only repairs need it
	Photos    Photos        // only repairs with photos need it
	Scheduler Scheduler     // nil: Rentbook's own diary
	Tree      *triage.Tree  // nil: the one that is shipped
	Policy    *clock.Policy // nil: the one that is shipped
	Now       func() time.Time
	Zone      *time.Location // says what day "today" is
	CacheMax  int            // bytes of folded states kept in memory; 0: cacheBytes
}

// cacheBytes is enough for some ten thousand accounts of a few years.
const cacheBytes = 256 << 20

// Handler carries out commands. It is safe for concurrent use.
type Handler struct {
	Config
	states    *stateCache
	streams   *locks
	tenancies *locks         // taken before that of the account or tenancy
	turn      chan struct{}  // to decide who gets a repair
	acts      *locks         // of a repair and its appointments, taken before all others
	diaries   *locks         // taken before that of a diary's day
	local     *time.Location // of the policy's jurisdiction: whose days and hours clocks and diaries count
}

// New is a handler. It panics if a part is missing, at start.
func New(c Config) *Handler {
	if c.Store == nil || c.Log == nil || c.Codec == nil || c.Now == nil || c.Zone == nil {
		panic("commands: the configuration is incomplete")
	}
	if c.CacheMax == 0 {
		c.CacheMax = cacheBytes
	}
	if c.Tree == nil {
		c.Tree = triage.Default()
	}
	if c.Policy == nil {
		c.Policy = clock.Default()
	}
	h := &Handler{
		Config: c, states: newStateCache(c.CacheMax), streams: newLocks(), tenancies: newLocks(), diaries: newLocks(), acts: newLocks(), turn: make(chan struct{}, 1),
		local: localZone(c.Policy),
	}
	if h.Scheduler == nil {
		h.Scheduler = ownDiary{h}
	}
	return h
}

// Local is the time zone whose days and hours clocks and diaries count.
func (h *Handler) Local() *time.Location { return h.local }

// localZone is that of the policy's jurisdiction. Its calendars have been checked when it was read.
func localZone(p *clock.Policy) *time.Location {
	home, _ := p.Calendar(p.Jurisdiction())
	zone, err := time.LoadLocation(home.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Today is the day it is in the configured zone.
func (h *Handler) Today() domain.Date { return domain.DateOf(h.Now().In(h.Zone)) }

// Codec knows every fact there is.
func Codec(sealer eventstore.Sealer) *eventstore.Codec {
	c := eventstore.NewCodec(sealer)
	eventstore.Register(c, eventstore.Identity{})
	eventstore.Register(c, property.Events()...)
	eventstore.Register(c, calendar.Events()...)
	eventstore.Register(c, tenancy.Events()...)
	eventstore.Register(c, rent.Events()...)
	eventstore.Register(c, chargerun.Events()...)
	eventstore.Register(c, repair.Events()...)
	eventstore.Register(c, hazard.Events()...)
	eventstore.Register(c, contractor.Events()...)
	eventstore.Register(c, diary.Events()...)
	return c
}

// Categories lists the categories of all streams there are.
func Categories() []string {
	return []string{
		eventstore.StreamIdentity.Category(), property.Category, calendar.Category, tenancy.Category, rent.Category, chargerun.Category,
		repair.Category, hazard.Category, contractor.Category, diary.Category,
	}
}
