package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"rentbook/commands"
)

// What is charged, over HTTP and by command alike: a charge by hand, with a text that is sealed.
const (
	chargeMinor       = 1500
	chargeAmount      = "15.00"
	chargeCode        = "repairs"
	chargeDescription = "Replacement key, front door"
)

func meta() commands.Meta {
	return commands.Meta{Actor: commands.Actor{ID: "bench", Role: commands.RoleOperator}}
}

// next names a charge that was never asked for, and one of the leases to charge it to, all over the
// place.
func (n *node) next() (account string, id int64) {
	id = n.counter.Add(1)
	return n.leases[id*7919%int64(len(n.leases))], id
}

// acknowledged counts a charge.
func (n *node) acknowledged() {
	n.events.Add(1)
	n.owed.Add(chargeMinor)
}

// newCharge is the request for a charge, to a node or to its floor.
func (n *node) newCharge(ctx context.Context, address, account string, id int64) (*http.Request, error) {
	url := "http://" + address + "/api/v1/accounts/" + account + "/charges/B" + strconv.FormatInt(id, 10)
	body := `{"code":"` + chargeCode + `","description":"` + chargeDescription + `","amount":"` + chargeAmount +
		`","value_date":"` + n.today + `"}`
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+n.token)
	r.Header.Set("Content-Type", "application/json")
	return r, nil
}

// charging are clients that charge over HTTP.
func (n *node) charging() (worker, error) {
	return n.sending(n.address, n.acknowledged)
}

// sending are clients that send charges to an address.
func (n *node) sending(address string, acknowledged func()) (worker, error) {
	// A client each, as charges come from many programs. It is net/http's, because the targets were
	// set against a floor measured with it.
	transport := &http.Transport{DisableCompression: true}
	end := func() error {
		transport.CloseIdleConnections()
		return nil
	}
	return worker{close: end, op: func(ctx context.Context) error {
		account, id := n.next()
		r, err := n.newCharge(ctx, address, account, id)
		if err != nil {
			return err
		}
		answer, err := transport.RoundTrip(r)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(answer.Body)
		if err := errors.Join(err, answer.Body.Close()); err != nil {
			return err
		}
		if answer.StatusCode != http.StatusCreated {
			return fmt.Errorf("charge %s: %s: %.300s", account, answer.Status, text)
		}
		acknowledged()
		return nil
	}}, nil
}

// entering are callers that charge by command, in this process.
func (n *node) entering() (worker, error) {
	return worker{op: func(ctx context.Context) error {
		account, _ := n.next()
		return n.enter(ctx, account, n.today)
	}}, nil
}

// enter carries out one charge.
func (n *node) enter(ctx context.Context, account, valueDate string) error {
	_, err := n.commands.EnterCharge(ctx, meta(), commands.EnterCharge{
		Account: account, Charge: "E" + strconv.FormatInt(n.counter.Add(1), 10), Code: chargeCode,
		Description: chargeDescription, Amount: chargeAmount, ValueDate: valueDate,
	})
	if err == nil {
		n.acknowledged()
	}
	return err
}
