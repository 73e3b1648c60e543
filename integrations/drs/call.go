package drs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"rentbook/commands"
	"rentbook/eventstore"
)

const (
	attemptsMax    = 3
	waitFirst      = 100 * time.Millisecond // doubled from one attempt to the next
	answerBytesMax = 1 << 20
)

// operation is the last element of a path, and what errors call it.
type operation string

const (
	opCheck      operation = "check"
	opReserve    operation = "reserve"
	opConfirm    operation = "confirm"
	opReschedule operation = "reschedule"
	opCancel     operation = "cancel"
)

// succeeds is the one status that says that an operation was carried out. Any other 2xx comes from
// something that is no scheduler: a portal of a network, a page of a proxy.
func (op operation) succeeds() int {
	if op == opCheck || op == opReserve {
		return http.StatusOK
	}
	return http.StatusNoContent
}

// competes says whether somebody else can be faster.
func (op operation) competes() bool {
	return op == opReserve || op == opConfirm || op == opReschedule
}

type answer struct {
	status int
	body   []byte
}

// ask puts a question, repeats it while that may help, and answers the body of a success. It takes
// no longer than the client's timeout.
func (c *Client) ask(ctx context.Context, op operation, question any) ([]byte, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var a answer
	for attempt := range attemptsMax {
		a, err = c.attempt(limited, op, body)
		if !passing(a, err) || attempt == attemptsMax-1 || !wait(limited, waitFirst<<attempt) {
			break
		}
	}
	if ctx.Err() != nil && (err != nil || passing(a, nil)) {
		return nil, fmt.Errorf("%s: %w", op, context.Cause(ctx)) // the caller's end is no fault of the scheduler
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return outcome(op, a)
}

// attempt puts a question once. An answer that did not arrive is ErrUnavailable.
func (c *Client) attempt(ctx context.Context, op operation, body []byte) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.JoinPath("v1", string(op)).String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	c.sign(r)
	w, err := c.http.Do(r)
	if err != nil {
		return answer{}, away(err)
	}
	defer w.Body.Close() //nolint:errcheck // what counts was read
	text, err := io.ReadAll(io.LimitReader(w.Body, answerBytesMax+1))
	if err != nil {
		return answer{}, away(err)
	}
	if len(text) > answerBytesMax {
		return answer{}, fmt.Errorf("%w: it is longer than %d bytes", ErrAnswer, answerBytesMax)
	}
	return answer{w.StatusCode, text}, nil
}

// away drops what package url adds to an error: the address is known, and the method is always POST.
func away(err error) error {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
}

// passing says whether the same question may find an answer in a moment.
func passing(a answer, err error) bool {
	if err != nil {
		return errors.Is(err, eventstore.ErrUnavailable)
	}
	switch a.status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// wait says whether it is time to try again; it is not when the context has ended.
func wait(ctx context.Context, most time.Duration) bool {
	half := most / 2
	timer := time.NewTimer(half + rand.N(half+1)) //nolint:gosec // chance keeps callers apart, nothing depends on it
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// outcome is what a status means. Bodies of failures are neither shown nor kept: nobody knows what
// another system writes there.
func outcome(op operation, a answer) ([]byte, error) {
	switch {
	case a.status == op.succeeds():
		return a.body, nil
	case a.status == http.StatusConflict && op.competes():
		return nil, commands.ErrSlotGone
	case a.status == http.StatusNotFound && op == opCancel && notHeld(a.body):
		return nil, nil
	case a.status >= http.StatusInternalServerError:
		return nil, fmt.Errorf("%s: %w: status %d", op, eventstore.ErrUnavailable, a.status)
	}
	return nil, fmt.Errorf("%s: %w: status %d", op, ErrAnswer, a.status)
}
