package contractor

import (
	"cmp"
	"slices"
	"strings"

	"rentbook/domain"
)

// ErrArea is an area that names nothing.
var ErrArea = &domain.Refusal{
	Code: "contractor.area", Field: "areas",
	Reason: "is not an area: the id of a property, postcode: and the beginning of one, or locality: and a name",
}

const areaMax = 80 // bytes

// Area is a part of the world in which a contractor works: a property and everything below it, the
// homes of a postcode, or those of a locality.
type Area struct {
	property domain.ID
	postcode string // upper case; a space, if any, before the inward part
	locality string
}

// ParseArea reads the id of a property, "postcode:LN1" or "locality:Lincoln". An id has no colon, so
// no property can be taken for one of the others.
func ParseArea(s string) (Area, error) {
	kind, name, named := strings.Cut(s, ":")
	name = strings.TrimSpace(name)
	switch {
	case len(s) > areaMax:
		return Area{}, ErrArea
	case !named:
		property, err := domain.ParseID(s)
		if err != nil {
			return Area{}, ErrArea
		}
		return Area{property: property}, nil
	case kind == "postcode" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ") == "" && name != "":
		return Area{postcode: tidy(name)}, nil
	case kind == "locality" && name != "":
		return Area{locality: name}, nil
	}
	return Area{}, ErrArea
}

// Place is where a repair is.
type Place struct {
	Property domain.ID
	Above    []domain.ID // what it is part of, the nearest first
	Postcode string
	Locality string
}

// String is the place as an explanation may name it. A whole postcode can be a single house, so
// only its first half is said.
func (p Place) String() string {
	out, _ := halves(p.Postcode)
	return cmp.Or(out, string(p.Property))
}

// How near an area is to a place: 0 for the property itself, one more for each step above it, and
// then these. No home has that many above it.
const (
	nearPostcode = 1_000_000 + iota
	nearLocality
	nearEverywhere
)

// covers says whether the place is in the area, and how near the area is to it.
func (a Area) covers(p Place) (near int, ok bool) {
	switch {
	case a.property != "":
		if a.property == p.Property {
			return 0, true
		}
		above := slices.Index(p.Above, a.property)
		return above + 1, above >= 0
	case a.postcode != "":
		return nearPostcode, begins(a.postcode, p.Postcode)
	}
	return nearLocality, a.locality != "" && strings.EqualFold(a.locality, strings.TrimSpace(p.Locality))
}

func (a Area) String() string {
	switch {
	case a.property != "":
		return string(a.property)
	case a.postcode != "":
		return "postcode " + a.postcode
	}
	return "locality " + a.locality
}

// begins says whether a postcode begins with another's beginning as people mean it: LN1 has LN1 3AB
// but not LN10 5AA, LN has both but L has neither, EC1 has EC1A 1BB, and LN1 3 is a part of LN1.
// Postcodes of digits, as in Belgium, begin by their digits.
func begins(start, postcode string) bool {
	startOut, startIn := halves(start)
	out, in := halves(postcode)
	if out == "" || startOut == "" {
		return false
	}
	if startIn != "" {
		return startOut == out && strings.HasPrefix(in, startIn)
	}
	rest, ok := strings.CutPrefix(out, startOut)
	switch {
	case !ok:
		return false
	case rest == "", isDigit(startOut[0]):
		return true
	case !strings.ContainsAny(startOut, digits): // a whole area, and its letters end here
		return isDigit(rest[0])
	}
	return len(rest) == 1 && !isDigit(rest[0])
}

const digits = "0123456789"

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// halves are the outward and the inward part of a postcode, which people write with and without a
// space between: a full British one ends in a digit and two letters.
func halves(postcode string) (out, in string) {
	s := tidy(postcode)
	if out, in, spaced := strings.Cut(s, " "); spaced {
		return out, strings.ReplaceAll(in, " ", "")
	}
	if cut := len(s) - 3; cut >= 2 && !isDigit(s[0]) && isDigit(s[cut]) && !isDigit(s[cut+1]) && !isDigit(s[cut+2]) {
		return s[:cut], s[cut:]
	}
	return s, ""
}

func tidy(s string) string { return strings.ToUpper(strings.Join(strings.Fields(s), " ")) }
