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
	"errors"
	"iter"
	"time"

	"github.com/google/uuid"

	"rentbook/domain"
	"rentbook/domain/calendar"
	"rentbook/domain/chargerun"
	"rentbook/domain/property"
	"rentbook/domain/rent"
	"rentbook/domain/tenancy"
	"rentbook/eventstore"
)

// Role is what an actor is here.
type Role string

// The roles. Tenants, contractors and auditors record nothing yet; managers write the rent
// accounts; operators may do everything; the system acts for the program itself.
const (
	RoleTenant     Role = "tenant"
	RoleContractor Role = "contractor"
	RoleAuditor    Role = "auditor"
	RoleManager    Role = "manager"
	RoleOperator   Role = "operator"
)

// Roles lists the roles that a token may have.
func Roles() []Role {
	return []Role{RoleTenant, RoleContractor, RoleAuditor, RoleManager, RoleOperator}
}

// Actor is who asks. ID names a token or program, never a person by name.
type Actor struct {
	ID         string
	Role       Role
	OnBehalfOf string
}

// ErrForbidden is a request that the actor's role does not allow.
var ErrForbidden = errors.New("the role does not allow this")

// mayWrite says whether the actor may record facts about tenancies and their accounts.
func (a Actor) mayWrite() error {
	if a.Role == RoleManager || a.Role == RoleOperator {
		return nil
	}
	return ErrForbidden
}

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
	Portfolio Portfolio // only charge runs need it
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
	tenancies *locks // taken before that of the account or tenancy
}

// New is a handler. It panics if a part is missing, at start.
func New(c Config) *Handler {
	if c.Store == nil || c.Log == nil || c.Codec == nil || c.Now == nil || c.Zone == nil {
		panic("commands: the configuration is incomplete")
	}
	if c.CacheMax == 0 {
		c.CacheMax = cacheBytes
	}
	return &Handler{Config: c, states: newStateCache(c.CacheMax), streams: newLocks(), tenancies: newLocks()}
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
	return c
}

// Categories lists the categories of all streams there are.
func Categories() []string {
	return []string{
		eventstore.StreamIdentity.Category(), property.Category, calendar.Category, tenancy.Category, rent.Category, chargerun.Category,
	}
}
