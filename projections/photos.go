package projections

import "rentbook/projections/database"

// Photos lists photos that repairs or hazards name, each once and in order, after one of them; at
// most so many.
func (r *Reader) Photos(after string, most int) ([]string, error) {
	return all(r, textAt, `SELECT photo FROM (SELECT DISTINCT photo FROM {repair_photos} WHERE photo > $1 ORDER BY photo LIMIT $2) AS r
		UNION SELECT photo FROM (SELECT DISTINCT photo FROM {hazard_photos} WHERE photo > $1 ORDER BY photo LIMIT $2) AS h
		ORDER BY photo LIMIT $2`, database.Text(after), database.Int(most))
}

// CountPhotos is how many photos are named.
func (r *Reader) CountPhotos() (int64, error) {
	return one(r, func(row database.Row) int64 { return row.Int(0) },
		`SELECT count(*) FROM (SELECT photo FROM {repair_photos} UNION SELECT photo FROM {hazard_photos}) AS named`)
}
