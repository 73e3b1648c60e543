// Package identity says who asks: bearer tokens, kept in a SQLite file of their own.
//
// A token is 256 random bits. Only its hash is stored, so the file tells nobody a token, and a
// token that is lost is revoked and made anew. Other processes (the command line beside a running
// server) may change the file at any time; what they changed counts from the next request on.
//
// The one rule: a token is shown once, to whoever made it, and never logged.
package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rentbook/commands"
	"rentbook/domain"
)

// Prefix begins every token, so that scanners for leaked secrets can find one.
const Prefix = "rb_"

const (
	// DaysDefault is how long a token is good for unless told otherwise.
	DaysDefault = 90
	// DaysMax is the longest that a token may be good for.
	DaysMax = 3650

	secretBytes = 32
	idBytes     = 8
)

// Errors of tokens.
var (
	// ErrUnknown is a token or an id that does not exist, has expired or was revoked.
	ErrUnknown = errors.New("there is no such token")
	// ErrInvalid is a token that cannot be made as asked.
	ErrInvalid = errors.New("the token cannot be made")
)

// Token is what is known about a token; the token itself is not.
type Token struct {
	ID         string // shown in lists, and the actor of what is recorded
	Role       commands.Role
	Person     string   // whose token it is, if it is a tenant's
	Tenancies  []string // what a tenant may read; none: those of the person
	Contractor string
	Created    time.Time
	Expires    time.Time
	Revoked    time.Time // zero: it was not
}

// Good says whether the token may be used at an instant.
func (t Token) Good(at time.Time) bool { return t.Revoked.IsZero() && at.Before(t.Expires) }

// Actor is who the token's commands are recorded by.
func (t Token) Actor() commands.Actor {
	a := commands.Actor{ID: t.ID, Role: t.Role, OnBehalfOf: t.Person, Contractor: domain.ID(t.Contractor)}
	for _, tenancy := range t.Tenancies {
		a.Tenancies = append(a.Tenancies, domain.ID(tenancy))
	}
	return a
}

// NewToken asks for a token.
type NewToken struct {
	Role       commands.Role
	Person     string
	Tenancies  []string
	Contractor string
	Days       int // 0: DaysDefault
}

// check refuses a token that could never be used as meant.
func (n NewToken) check() error {
	switch {
	case !slices.Contains(commands.Roles(), n.Role):
		return fmt.Errorf("%w: %q is no role", ErrInvalid, n.Role)
	case n.Role == commands.RoleTenant && n.Person == "" && len(n.Tenancies) == 0:
		return fmt.Errorf("%w: a tenant's token names a person or a tenancy", ErrInvalid)
	case n.Role != commands.RoleTenant && len(n.Tenancies) > 0:
		return fmt.Errorf("%w: only a tenant's token is bound to a tenancy", ErrInvalid)
	case n.Role != commands.RoleContractor && n.Contractor != "":
		return fmt.Errorf("%w: only a contractor's token names a contractor", ErrInvalid)
	case n.Days < 0 || n.Days > DaysMax:
		return fmt.Errorf("%w: it is good for 1 to %d days", ErrInvalid, DaysMax)
	}
	for _, id := range append([]string{n.Person, n.Contractor}, n.Tenancies...) {
		if _, err := domain.ParseID(id); id != "" && err != nil {
			return fmt.Errorf("%w: %q is not an id", ErrInvalid, id)
		}
	}
	return nil
}

// Create makes a token. It is returned this once and cannot be read again.
func (t *Tokens) Create(ctx context.Context, n NewToken) (string, Token, error) {
	if err := n.check(); err != nil {
		return "", Token{}, err
	}
	if n.Days == 0 {
		n.Days = DaysDefault
	}
	random := make([]byte, secretBytes+idBytes)
	rand.Read(random) // since Go 1.24 it ends the program instead of failing
	secret := Prefix + base64.RawURLEncoding.EncodeToString(random[:secretBytes])
	now := t.now().UTC().Truncate(time.Second)
	token := Token{
		ID:   "token-" + hex.EncodeToString(random[secretBytes:]),
		Role: n.Role, Person: n.Person, Tenancies: n.Tenancies, Contractor: n.Contractor,
		Created: now, Expires: now.AddDate(0, 0, n.Days),
	}
	if err := t.storage.put(ctx, record{token, sha256.Sum256([]byte(secret))}); err != nil {
		return "", Token{}, fmt.Errorf("create token: %w", err)
	}
	return secret, token, nil
}

// Find is the token of a request. One that does not exist, has expired or was revoked is
// ErrUnknown, whoever revoked it and however recently.
func (t *Tokens) Find(ctx context.Context, secret string) (Token, error) {
	if !strings.HasPrefix(secret, Prefix) || len(secret) != len(Prefix)+base64.RawURLEncoding.EncodedLen(secretBytes) {
		return Token{}, ErrUnknown
	}
	token, err := t.lookup(ctx, sha256.Sum256([]byte(secret)))
	if err != nil {
		return Token{}, err
	}
	if !token.Good(t.now()) {
		return Token{}, ErrUnknown
	}
	return token, nil
}
