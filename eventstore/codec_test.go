package eventstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"rentbook/eventstore"
)

// keys seals by writing the key and the associated data in front.
type keys struct{ erased, missing bool }

func (keys) Ensure(context.Context, ...string) error { return nil }

func (keys) Seal(key string, associated, plain []byte) ([]byte, error) {
	return append(prefix(key, associated), plain...), nil
}

func (k keys) Unseal(_ context.Context, key string, associated, sealed []byte) ([]byte, error) {
	plain, ok := strings.CutPrefix(string(sealed), string(prefix(key, associated)))
	switch {
	case k.erased:
		return nil, eventstore.ErrErased
	case k.missing:
		return nil, eventstore.ErrKeyMissing
	case !ok:
		return nil, errors.New("it was sealed for something else")
	}
	return []byte(plain), nil
}

func prefix(key string, associated []byte) []byte {
	return append([]byte(key+"|"), associated...)
}

// moved is a fact with a field of its stream's key, and met one with a field of a person's.
type moved struct {
	To   string  `json:"to"`
	Note *string `json:"note"`
	Size int     `json:"size"`
}

func (moved) EventType() string            { return "test.moved.v2" }
func (moved) Personal() (string, []string) { return "", []string{"note"} }

type met struct {
	Name *string `json:"name"`
}

func (met) EventType() string            { return "test.met.v1" }
func (met) Personal() (string, []string) { return "person-P1", []string{"name"} }

const stream = eventstore.Stream("test-1")

func newCodec(k keys) *eventstore.Codec {
	c := eventstore.NewCodec(k)
	eventstore.Register(c, moved{})
	eventstore.Register(c, met{})
	return c
}

func recorded(t *testing.T, c *eventstore.Codec, fact eventstore.Named) eventstore.Recorded {
	t.Helper()
	id := uuid.MustParse("0198a1de-0000-7000-8000-000000000001")
	data, err := c.Encode(stream, id, fact)
	if err != nil {
		t.Fatal(err)
	}
	return eventstore.Recorded{
		Proposed: eventstore.Proposed{ID: id, Type: fact.EventType(), Data: data}, Stream: stream, Version: 1,
	}
}

func TestCodec_SealsWhatIsPersonalAndNothingElse(t *testing.T) {
	t.Parallel()
	c := newCodec(keys{})
	secret := `a "quoted" note, with {braces} and a comma`
	fact := moved{To: "here", Note: &secret, Size: 3}
	r := recorded(t, c, fact)
	if strings.Contains(string(r.Data), "quoted") || !strings.HasPrefix(string(r.Data), `{"to":"here","note":{"sealed":"`) ||
		!strings.HasSuffix(string(r.Data), `"},"size":3}`) || !json.Valid(r.Data) {
		t.Errorf("stored: %s", r.Data)
	}
	got, err := eventstore.Decode[eventstore.Named](t.Context(), c, r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(eventstore.Named(fact), got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	name := "Amara"
	if r := recorded(t, c, met{Name: &name}); !strings.HasSuffix(string(r.Data), `","key":"person-P1"}}`) {
		t.Errorf("a person's key is not named: %s", r.Data)
	}
}

func TestCodec_BindsASealedFieldToItsEvent(t *testing.T) {
	t.Parallel()
	c := newCodec(keys{})
	note := "note"
	good := recorded(t, c, moved{Note: &note})
	elsewhere, retyped := good, good
	elsewhere.ID = uuid.MustParse("0198a1de-0000-7000-8000-000000000002")
	retyped.Type = "test.met.v1"
	for name, r := range map[string]eventstore.Recorded{"another event": elsewhere, "another type": retyped} {
		if _, err := eventstore.Decode[eventstore.Named](t.Context(), c, r); err == nil {
			t.Errorf("a field moved to %s opens", name)
		}
	}
}

func TestCodec_ErasedReadsAsNullAndMissingStops(t *testing.T) {
	t.Parallel()
	note := "note"
	r := recorded(t, newCodec(keys{}), moved{To: "here", Note: &note, Size: 3})
	got, err := eventstore.Decode[moved](t.Context(), newCodec(keys{erased: true}), r)
	if diff := cmp.Diff(moved{To: "here", Size: 3}, got); diff != "" || err != nil {
		t.Errorf("erased: %v (-want +got):\n%s", err, diff)
	}
	if _, err := eventstore.Decode[moved](t.Context(), newCodec(keys{missing: true}), r); !errors.Is(err, eventstore.ErrKeyMissing) {
		t.Errorf("missing: got %v, want %v", err, eventstore.ErrKeyMissing)
	}
}

func TestCodec_CarriesOldEventsForward(t *testing.T) {
	t.Parallel()
	c := newCodec(keys{})
	c.Upcast("test.moved.v0", "test.moved.v1", func(data []byte) ([]byte, error) {
		return []byte(strings.Replace(string(data), `"where"`, `"to"`, 1)), nil
	})
	c.Upcast("test.moved.v1", "test.moved.v2", func(data []byte) ([]byte, error) {
		return []byte(strings.Replace(string(data), `"}`, `","size":7}`, 1)), nil
	})
	old := eventstore.Recorded{Proposed: eventstore.Proposed{Type: "test.moved.v0", Data: []byte(`{"where":"here"}`)}, Stream: stream}
	got, err := eventstore.Decode[moved](t.Context(), c, old)
	if diff := cmp.Diff(moved{To: "here", Size: 7}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	old.Type = "test.gone.v1"
	if _, err := eventstore.Decode[moved](t.Context(), c, old); !errors.Is(err, eventstore.ErrUnknownType) {
		t.Errorf("an unknown type: got %v, want %v", err, eventstore.ErrUnknownType)
	}
}

func TestCodec_RefusesTwoFactsOfOneName(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("the same name twice was accepted")
		}
	}()
	eventstore.Register(newCodec(keys{}), met{})
}

// FuzzDecode feeds damaged events: an error is fine, a panic or sealed bytes in clear are not.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"note":{"sealed":"AAAA"}}`, `{"note":{"sealed":"`, `{"a":"\\\"","note":{"sealed":"AA==","key":"k"},"b":[{},"]"]}`,
		`{"note":{"sealed":"AAAA"},}`, `{,}`, `[]`, `{"a"}`, ` { "to" : "x" , "note" : {"sealed":"AAAA"} } `,
	} {
		f.Add([]byte(seed))
	}
	c := newCodec(keys{erased: true})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := eventstore.Recorded{Proposed: eventstore.Proposed{Type: "test.moved.v2", Data: data}, Stream: stream}
		fact, err := eventstore.Decode[moved](t.Context(), c, r)
		var direct moved
		plain := !strings.Contains(string(data), `{"sealed":"`)
		if plain && (err == nil) != (json.Unmarshal(data, &direct) == nil) {
			t.Errorf("%q: got %v, %v", data, fact, err)
		}
	})
}

func TestPosition_ReadsWhatItWrites(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]eventstore.Position{
		"0": {}, "17": eventstore.PositionAt(17), "18-17": {Commit: 18, Prepare: 17},
	} {
		got, err := eventstore.ParsePosition(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-", "1-", "-1", "+1", "1.0", "9223372036854775808", " 1", "a"} {
		if got, err := eventstore.ParsePosition(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
	if eventstore.PositionAt(9).Compare(eventstore.PositionAt(10)) >= 0 {
		t.Error("9 does not stand before 10")
	}
}
