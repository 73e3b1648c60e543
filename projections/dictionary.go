package projections

import (
	"rentbook/projections/database"
)

// namesMax bounds what a dictionary remembers, some tens of megabytes; beyond it starts anew.
const namesMax = 200_000

// dictionary gives numbers to what repeats in many rows. Its table has a column number, and others
// that are unique together.
type dictionary[K comparable] struct {
	last   string // SQL for the highest number
	find   string // SQL for the number of a key's values
	insert string // SQL that adds number, and the key's values
	values func(K) []database.Value

	known map[K]int64
	next  int64 // 0: not read yet
}

// number is that of the key, which is added if it is not there.
func (d *dictionary[K]) number(tx database.Tx, key K) (int64, error) {
	if n, ok := d.known[key]; ok {
		return n, nil
	}
	n, err := d.lookUp(tx, key)
	if err != nil {
		return 0, err
	}
	if len(d.known) >= namesMax {
		d.known = nil
	}
	if d.known == nil {
		d.known = map[K]int64{}
	}
	d.known[key] = n
	return n, nil
}

func (d *dictionary[K]) lookUp(tx database.Tx, key K) (n int64, err error) {
	read := func(r database.Row) error {
		n = r.Int(0)
		return nil
	}
	values := d.values(key)
	if err := tx.Query(d.find, read, values...); err != nil || n > 0 {
		return n, err
	}
	if d.next == 0 {
		if err := tx.Query(d.last, read); err != nil {
			return 0, err
		}
		d.next = n + 1
	}
	n = d.next
	d.next++
	return n, tx.Exec(d.insert, append([]database.Value{database.Int(n)}, values...)...)
}

func (d *dictionary[K]) forget() { d.known, d.next = nil, 0 }
