package demo

import "fmt"

// block is a building and its homes.
type block struct {
	ref, estate string
	name        string
	street      string
	postcode    string
	locality    string
	homes       int
}

func blocks() []block {
	return []block{
		{"B1", "E1", "Alder House", "Tanyard Lane", "ZZ4 1AH", "Wexcombe", 14},
		{"B2", "E1", "Birch House", "Tanyard Lane", "ZZ4 1BH", "Wexcombe", 12},
		{"B3", "E2", "Cutler Court", "Lock Street", "ZZ4 6CC", "Wexcombe", 12},
		{"B4", "E2", "Dyer Court", "Lock Street", "ZZ4 6DC", "Wexcombe", 8},
	}
}

// home is the n-th home of a block: 3 of B1 is H103.
func home(block, n int) string { return fmt.Sprintf("H%d%02d", block, n) }

// The homes outside the blocks.
const (
	shop       = "U1"
	belgianOne = "H501"
	belgianTwo = "H502"
	belgianOld = "H503"
)

func properties() table {
	rows := [][]string{
		{"property_ref", "kind", "parent_ref", "address", "postcode", "locality"},
		{"E1", "estate", "", "Tanyard Estate", "ZZ4 1AA", "Wexcombe"},
		{"E2", "estate", "", "Canalside Estate", "ZZ4 6AA", "Wexcombe"},
	}
	for _, b := range blocks() {
		rows = append(rows, []string{b.ref, "block", b.estate, b.name + ", " + b.street, b.postcode, b.locality})
	}
	for i, b := range blocks() {
		for n := 1; n <= b.homes; n++ {
			address := fmt.Sprintf("Flat %d, %s, %s", n, b.name, b.street)
			rows = append(rows, []string{home(i+1, n), "home", b.ref, address, b.postcode, b.locality})
		}
	}
	return table{"properties.csv", append(rows, [][]string{
		{shop, "home", "B3", "The Shop, Cutler Court, Lock Street", "ZZ4 6CC", "Wexcombe"},
		{belgianOne, "home", "", "Oude Populierendreef 12", "0000", "Gent"},
		{belgianTwo, "home", "", "Oude Populierendreef 14", "0000", "Gent"},
		{belgianOld, "home", "", "Allée des Anciens Peupliers 3", "0000", "Namur"},
	}...)}
}
