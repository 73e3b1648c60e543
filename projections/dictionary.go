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
	into   string // the table, its column number, and those of the values
	values func(K) []database.Value

	known    map[K]int64
	next     int64 // 0: not read yet
	complete bool  // what is not known is not in the table
}

// learn gets to know the numbers of keys, and adds what is not there: all at once, since a question can
// have a long way to go.
func (d *dictionary[K]) learn(tx database.Tx, keys []K) error {
	if len(d.known)+len(keys) > namesMax {
		d.forget()
	}
	unknown := d.missing(keys)
	if len(unknown) == 0 {
		return nil
	}
	if err := d.resume(tx); err != nil {
		return err
	}
	if !d.complete {
		args := func(i int) []database.Value { return d.values(unknown[i]) }
		err := tx.QueryEach(d.find, len(unknown), args, func(i int, r database.Row) error {
			d.known[unknown[i]] = r.Int(0)
			return nil
		})
		if err != nil {
			return err
		}
		unknown = d.missing(unknown)
	}
	for _, key := range unknown {
		d.known[key] = d.next
		d.next++
	}
	return tx.Insert(d.into, len(unknown), func(i int) []database.Value {
		return append([]database.Value{database.Int(d.known[unknown[i]])}, d.values(unknown[i])...)
	})
}

// missing are the keys whose number is not known, each once.
func (d *dictionary[K]) missing(keys []K) (all []K) {
	seen := map[K]bool{}
	for _, key := range keys {
		if _, known := d.known[key]; !known && !seen[key] {
			seen[key] = true
			all = append(all, key)
		}
	}
	return all
}

// resume reads which number comes next.
func (d *dictionary[K]) resume(tx database.Tx) error {
	if d.next > 0 {
		return nil
	}
	d.known = map[K]int64{}
	return tx.Query(d.last, func(r database.Row) error {
		d.next, d.complete = r.Int(0)+1, r.Int(0) == 0
		return nil
	})
}

func (d *dictionary[K]) forget() { d.known, d.next, d.complete = nil, 0, false }
