// Package drs asks a scheduler of appointments outside Rentbook: what Hackney's repairs ask of
// their DRS (check, reserve, confirm, reschedule, cancel), as HTTP and JSON.
//
// The protocol is Rentbook's own; PROTOCOL.md has all of it. Each operation is one POST whose body
// names the booking it is about, by repair, contractor and slot. So the same request twice is the
// same place, and what came of a request whose answer was lost is found out by repeating it. The
// client repeats by itself where a connection broke or a gateway could not reach the scheduler, a few
// times and within one time limit.
//
// What comes back is another system's word. A window that was not asked for, a contractor that is
// another, a day that is not the one in the slot's id: all of it is ErrAnswer, and nothing of it is
// recorded.
//
// The one rule: what is sent is what a visit needs and no name of anybody; what is said about a
// failure holds no body and no token.
package drs

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"rentbook/commands"
)

var _ commands.Scheduler = (*Client)(nil)

// slotsMax is the most windows that are asked for at once. As many fit an answer several times over.
const slotsMax = 1000

// Client is a scheduler of appointments somewhere else. Many may use it at once.
type Client struct {
	base    *url.URL
	zone    *time.Location
	timeout time.Duration
	http    *http.Client
	sign    func(*http.Request) // holds the token, so that printing a client does not
}

// New makes a client. It connects to nothing yet.
func New(o Options) (*Client, error) {
	base, err := o.base()
	if err != nil {
		return nil, err
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	c := &Client{base: base, zone: o.Zone, timeout: o.Timeout, http: o.client(), sign: func(*http.Request) {}}
	if c.timeout == 0 {
		c.timeout = TimeoutDefault
	}
	if token := o.Token; token != "" {
		c.sign = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	return c, nil
}

// Close lets go of connections that wait for the next request. The client may be used again.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Slots checks availability. Nothing is asked about a range that holds no instant.
func (c *Client) Slots(ctx context.Context, w commands.SlotsWanted) ([]commands.Slot, error) {
	w.Most = min(w.Most, slotsMax)
	if w.Most < 1 || !w.From.Before(w.To) {
		return nil, nil
	}
	body, err := c.ask(ctx, opCheck, questionOf(w))
	if err != nil {
		return nil, err
	}
	return c.readSlots(body, w)
}

// Reserve holds a place until an instant.
func (c *Client) Reserve(ctx context.Context, b commands.Booking, until time.Time) (commands.Slot, error) {
	body, err := c.ask(ctx, opReserve, reservation{Booking: wireBooking(b), Until: until.UTC()})
	if err != nil {
		return commands.Slot{}, err
	}
	return c.readReserved(body, b)
}

// Confirm makes a reserved place firm.
func (c *Client) Confirm(ctx context.Context, b commands.Booking) error {
	_, err := c.ask(ctx, opConfirm, aboutOne{Booking: wireBooking(b)})
	return err
}

// Reschedule moves a booking to another place, or leaves it where it is and says why.
func (c *Client) Reschedule(ctx context.Context, from, to commands.Booking) error {
	_, err := c.ask(ctx, opReschedule, move{From: wireBooking(from), To: wireBooking(to)})
	return err
}

// Cancel gives a place back.
func (c *Client) Cancel(ctx context.Context, b commands.Booking) error {
	_, err := c.ask(ctx, opCancel, aboutOne{Booking: wireBooking(b)})
	return err
}
