package eventstore

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/uuid"
)

// Named is a fact: it knows the name under which it is stored.
type Named interface{ EventType() string }

// Personal is a fact with fields that hold personal data. Personal names the key that seals them
// (empty: that of the stream) and their stored names, all at the top level of the JSON. A fact
// without such fields names a key that later ones will need.
type Personal interface {
	Personal() (key string, fields []string)
}

// Sealer holds the keys of personal data.
type Sealer interface {
	// Ensure makes the keys that do not exist yet, durably before it returns. A key that was
	// destroyed is refused.
	Ensure(ctx context.Context, keys ...string) error
	// Seal encrypts with an existing key and binds the result to the associated data.
	Seal(key string, associated, plain []byte) ([]byte, error)
	// Unseal is the inverse. A destroyed key is ErrErased; a key that is missing without having
	// been destroyed is damage.
	Unseal(ctx context.Context, key string, associated, sealed []byte) ([]byte, error)
}

// Errors of decoding. All but ErrErased, which no caller of the codec sees, mean that a reader must
// stop.
var (
	ErrUnknownType = errors.New("the event's type is not known to this version")
	ErrErased      = errors.New("the key has been destroyed")
	ErrKeyMissing  = errors.New("the key is missing without having been destroyed")
)

// Codec turns facts into bytes and back: explicit names, sealed fields, upcasters. It is filled at
// start (Register, Upcast) and then only read.
type Codec struct {
	sealer    Sealer
	types     map[string]reflect.Type
	upcasters map[string]upcaster
}

type upcaster struct {
	to      string
	convert func(data []byte) ([]byte, error)
}

// NewCodec is an empty codec.
func NewCodec(sealer Sealer) *Codec {
	return &Codec{sealer: sealer, types: map[string]reflect.Type{}, upcasters: map[string]upcaster{}}
}

// Register makes facts known by their stored names. The same name twice is a mistake in the
// program and panics.
func Register[E Named](c *Codec, facts ...E) {
	for _, fact := range facts {
		name := fact.EventType()
		if _, twice := c.types[name]; twice {
			panic("eventstore: two facts are stored as " + name)
		}
		c.types[name] = reflect.TypeOf(fact)
	}
}

// Upcast carries events stored under an old name to a newer one, for ever. convert gets the JSON
// with its personal fields in clear.
func (c *Codec) Upcast(from, to string, convert func(data []byte) ([]byte, error)) {
	c.upcasters[from] = upcaster{to: to, convert: convert}
}

// Types lists the names that can be written.
func (c *Codec) Types() []string {
	var names []string
	for name := range c.types {
		names = append(names, name)
	}
	return names
}

// Key is the key that sealing the fact on the stream needs, empty if nothing of it is sealed.
func Key(stream Stream, fact Named) string {
	personal, ok := fact.(Personal)
	if !ok {
		return ""
	}
	key, _ := personal.Personal()
	if key == "" {
		return string(stream)
	}
	return key
}

// EnsureKeys makes the keys that sealing needs, durably: call it before Encode.
func (c *Codec) EnsureKeys(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	return c.sealer.Ensure(ctx, keys...)
}

// Encode is the stored form of a fact. Its personal fields are sealed for this event id.
func (c *Codec) Encode(stream Stream, id uuid.UUID, fact Named) ([]byte, error) {
	name := fact.EventType()
	if _, known := c.types[name]; !known {
		return nil, fmt.Errorf("encode %s: %w", name, ErrUnknownType)
	}
	data, err := json.Marshal(fact)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	personal, ok := fact.(Personal)
	if !ok {
		return data, nil
	}
	key, fields := personal.Personal()
	if len(fields) == 0 {
		return data, nil
	}
	return c.seal(data, sealing{stream: stream, id: id, name: name, key: key}, fields)
}

// Decode is the fact that was recorded, in its newest shape. Fields whose key was destroyed read
// null.
func Decode[E Named](ctx context.Context, c *Codec, r Recorded) (E, error) {
	var none E
	data, err := c.unseal(ctx, r)
	if err != nil {
		return none, fmt.Errorf("decode %s at %s: %w", r.Type, r.Position, err)
	}
	name := r.Type
	for up, old := c.upcasters[name]; old; up, old = c.upcasters[name] {
		if data, err = up.convert(data); err != nil {
			return none, fmt.Errorf("decode %s at %s: %w", r.Type, r.Position, err)
		}
		name = up.to
	}
	goType, known := c.types[name]
	if !known {
		return none, fmt.Errorf("decode %s at %s: %w", r.Type, r.Position, ErrUnknownType)
	}
	value := reflect.New(goType)
	if err := json.Unmarshal(data, value.Interface()); err != nil {
		return none, fmt.Errorf("decode %s at %s: %w", r.Type, r.Position, err)
	}
	fact, ok := reflect.TypeAssert[E](value.Elem())
	if !ok {
		return none, fmt.Errorf("decode %s at %s: it does not belong on %s", r.Type, r.Position, r.Stream)
	}
	return fact, nil
}

// sealing is what a sealed field is bound to.
type sealing struct {
	stream Stream
	id     uuid.UUID
	name   string // stored type
	key    string // empty: the stream's
}

func (s sealing) keyName() string {
	if s.key == "" {
		return string(s.stream)
	}
	return s.key
}

// associated binds a field to its event: a sealed value that is moved to another event, type or
// field does not open.
func (s sealing) associated(field []byte) []byte {
	b := make([]byte, 0, len(s.id)+len(s.name)+len(field)+1)
	b = append(b, s.id[:]...)
	b = append(b, s.name...)
	b = append(b, '/')
	return append(b, field...)
}

// A sealed field is stored as {"sealed":"<base64>"}, with "key" where that is not the stream's.
const sealedPrefix = `{"sealed":"`

type sealedValue struct {
	Sealed []byte `json:"sealed"`
	Key    string `json:"key,omitempty"`
}

// seal replaces the values of the fields by sealed ones.
func (c *Codec) seal(data []byte, s sealing, fields []string) ([]byte, error) {
	return rewrite(data, func(field, value []byte) ([]byte, error) {
		if slices.Contains(fields, string(field)) {
			return c.sealValue(s, field, value)
		}
		return value, nil
	})
}

func (c *Codec) sealValue(s sealing, field, value []byte) ([]byte, error) {
	sealed, err := c.sealer.Seal(s.keyName(), s.associated(field), value)
	if err != nil {
		return nil, fmt.Errorf("seal %s of %s: %w", field, s.name, err)
	}
	out := make([]byte, 0, len(sealedPrefix)+base64.StdEncoding.EncodedLen(len(sealed))+len(s.key)+12)
	out = append(out, sealedPrefix...)
	out = base64.StdEncoding.AppendEncode(out, sealed)
	if s.key != "" {
		out = append(append(out, `","key":"`...), s.key...)
	}
	return append(out, `"}`...), nil
}

// unseal puts sealed values back in clear.
func (c *Codec) unseal(ctx context.Context, r Recorded) ([]byte, error) {
	if !bytes.Contains(r.Data, []byte(sealedPrefix)) {
		return r.Data, nil
	}
	s := sealing{stream: r.Stream, id: r.ID, name: r.Type}
	return rewrite(r.Data, func(field, value []byte) ([]byte, error) {
		if !bytes.HasPrefix(value, []byte(sealedPrefix)) {
			return value, nil
		}
		return c.unsealValue(ctx, s, field, value)
	})
}

func (c *Codec) unsealValue(ctx context.Context, s sealing, field, value []byte) ([]byte, error) {
	var v sealedValue
	if err := json.Unmarshal(value, &v); err != nil {
		return nil, fmt.Errorf("unseal %s: %w", field, err)
	}
	s.key = v.Key
	plain, err := c.sealer.Unseal(ctx, s.keyName(), s.associated(field), v.Sealed)
	if errors.Is(err, ErrErased) {
		return []byte("null"), nil
	}
	if err != nil {
		return nil, fmt.Errorf("unseal %s: %w", field, err)
	}
	return plain, nil
}
