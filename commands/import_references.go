package commands

import (
	"io"

	"rentbook/domain"
)

// references is what rows of a file say about other rows of it. Whether a row is refused must not
// depend on whether the file was imported before; without a look ahead, a reversal that stands
// before its payment would be refused the first time and accepted the second.
type references struct {
	file    string
	wanted  map[string]bool // refs that some row reverses or corrects
	at      map[string]int  // where those are first found
	parents map[string]string
}

func newReferences(file string) references {
	return references{file: file, wanted: map[string]bool{}, at: map[string]int{}, parents: map[string]string{}}
}

// collect reads all rows. A file that is no CSV in places is reported when it is imported.
func (e *references) collect(rows *rows) {
	firstAt := map[string]int{}
	for {
		r, err := rows.next()
		if err == io.EOF { //nolint:errorlint // next never wraps it
			break
		}
		if refused(err) {
			continue
		}
		if err != nil {
			return
		}
		e.note(r, firstAt)
	}
	for ref := range e.wanted {
		if line, ok := firstAt[ref]; ok {
			e.at[ref] = line
		}
	}
	e.dropOrphans()
}

func (e *references) note(r row, firstAt map[string]int) {
	switch e.file {
	case "transactions.csv":
		ref := r.values["tenancy_ref"] + "/" + r.values["transaction_ref"]
		if _, seen := firstAt[ref]; !seen {
			firstAt[ref] = r.line
		}
		if reverses := r.values["reverses_ref"]; reverses != "" {
			e.wanted[r.values["tenancy_ref"]+"/"+reverses] = true
		}
	case "properties.csv":
		if _, _, err := r.property().noun(Meta{Actor: Actor{Role: RoleOperator}}); err == nil {
			if _, seen := e.parents[r.values["property_ref"]]; !seen {
				e.parents[r.values["property_ref"]] = r.values["parent_ref"]
			}
		}
	}
}

// dropOrphans leaves the properties whose line of parents ends within the file. One whose parent
// must be in the log already is no help to those below it, unless it is in the log too.
func (e *references) dropOrphans() {
	for again := true; again; {
		again = false
		for ref, parent := range e.parents {
			if _, ok := e.parents[parent]; parent != "" && !ok {
				delete(e.parents, ref)
				again = true
			}
		}
	}
}

// comes says whether the file brings the property, before or after.
func (e *references) comes(id domain.ID) bool {
	_, ok := e.parents[string(id)]
	return ok
}

// check refuses a row that reverses or corrects one further down.
func (e *references) check(r row) error {
	reverses := r.values["reverses_ref"]
	if reverses == "" {
		return nil
	}
	if line, ok := e.at[r.values["tenancy_ref"]+"/"+reverses]; ok && line >= r.line {
		return domain.ErrUnknownReference.Because("comes before what it refers to").In("reverses_ref")
	}
	return nil
}
