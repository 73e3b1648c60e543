package domain

import "encoding/json"

// TextMax is how long one piece of free text may be, in bytes.
const TextMax = 500

// Personal is text about a person. It is sealed inside the stored event; when its key has been
// destroyed it reads as erased.
type Personal struct {
	Text   string
	Erased bool
}

// NewPersonal is text that can still be read.
func NewPersonal(text string) Personal { return Personal{Text: text} }

// IsZero says that nothing was recorded.
func (p Personal) IsZero() bool { return p == Personal{} }

// String is the text, or "[erased]".
func (p Personal) String() string {
	if p.Erased {
		return "[erased]"
	}
	return p.Text
}

// Matches compares what was asked with what was recorded: what has been erased matches anything
// that is not nothing, since there is nothing left to compare.
func (p Personal) Matches(recorded Personal) bool {
	if recorded.Erased {
		return !p.IsZero()
	}
	return p == recorded
}

// MarshalJSON writes the text, null when erased.
func (p Personal) MarshalJSON() ([]byte, error) {
	if p.Erased {
		return []byte("null"), nil
	}
	return json.Marshal(p.Text)
}

// UnmarshalJSON reads text; null is erased.
func (p *Personal) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*p = Personal{Erased: true}
		return nil
	}
	*p = Personal{}
	return json.Unmarshal(data, &p.Text)
}
