package bench

import (
	"context"
	"fmt"
	"strconv"

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

// appendCharge is the request for a charge.
func (n *node) appendCharge(b []byte, account string, id int64) []byte {
	body := len(`{"code":"","description":"","amount":"","value_date":""}`) +
		len(chargeCode) + len(chargeDescription) + len(chargeAmount) + len(n.today)
	b = append(b, "PUT /api/v1/accounts/"...)
	b = append(b, account...)
	b = append(b, "/charges/B"...)
	b = strconv.AppendInt(b, id, 10)
	b = append(b, " HTTP/1.1\r\nHost: rentbook\r\nAuthorization: Bearer "...)
	b = append(b, n.token...)
	b = append(b, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(body), 10)
	b = append(b, "\r\n\r\n"+`{"code":"`+chargeCode+`","description":"`+chargeDescription+`","amount":"`+chargeAmount+`","value_date":"`...)
	b = append(b, n.today...)
	return append(b, `"}`...)
}

// charging are clients that charge over HTTP.
func (n *node) charging() (worker, error) {
	c, err := dial(n.address)
	if err != nil {
		return worker{}, err
	}
	return worker{close: c.close, op: func(context.Context) error {
		account, id := n.next()
		c.out = n.appendCharge(c.out[:0], account, id)
		if err := c.want(201); err != nil {
			return fmt.Errorf("charge %s: %w", account, err)
		}
		n.acknowledged()
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
