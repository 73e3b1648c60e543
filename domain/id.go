package domain

// IDMax is how long an id may be, in bytes.
const IDMax = 64

// ID is chosen by the caller: a reference of the landlord's own system, or a UUIDv7. It holds no
// personal data. ":" is reserved for ids that are derived from others ("rent:2026-04-06").
type ID string

// ParseID accepts [A-Za-z0-9][A-Za-z0-9._~-]{0,63}.
func ParseID(s string) (ID, error) {
	if s == "" {
		return "", ErrMissing
	}
	if len(s) > IDMax {
		return "", ErrID
	}
	for i := range len(s) {
		if !idByte(s[i], i == 0) {
			return "", ErrID
		}
	}
	return ID(s), nil
}

func idByte(b byte, first bool) bool {
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		return true
	case b == '.', b == '_', b == '~', b == '-':
		return !first
	}
	return false
}

// Derive is the id that follows from this one: id + ":" + suffix.
func (id ID) Derive(suffix string) ID { return id + ":" + ID(suffix) }
