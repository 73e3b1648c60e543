package photos

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"rentbook/domain"
	"rentbook/eventstore"
)

// A container is the magic, the length of the header in two bytes, the header, and then each part
// behind its length in four. The last byte of the magic is the version of this format.
const (
	magic          = "RBPHOTO\x01"
	beforeHeader   = len(magic) + 2
	headerBytesMax = 1 << 10

	// containerBytesMax is far more than a JPEG of 2,560 pixels a side can take.
	containerBytesMax = 64 << 20
)

// part is a sealed half of a container.
type part string

const (
	partFull  part = "full"
	partThumb part = "thumb"
)

// parts are in the order of the container.
func parts() []part { return []part{partFull, partThumb} }

// header stands in the container in clear. It says nothing about the picture but its size.
type header struct {
	Key    string `json:"key"` // of the vault
	By     string `json:"by"`
	Bytes  int    `json:"bytes"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

func (h header) photo(id domain.ID) Photo {
	return Photo{ID: id, Bytes: h.Bytes, Width: h.Width, Height: h.Height}
}

// pack seals both parts, each bound to its name and to the header: neither can be put in the other's
// place, or in another photo.
func pack(sealer eventstore.Sealer, h header, img Image) ([]byte, error) {
	encoded, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	container := make([]byte, 0, len(img.Full)+len(img.Thumb)+headerBytesMax)
	container = append(container, magic...)
	container = binary.BigEndian.AppendUint16(container, uint16(len(encoded))) //nolint:gosec // two ids and three numbers
	container = append(container, encoded...)
	for i, picture := range [][]byte{img.Full, img.Thumb} {
		sealed, err := sealer.Seal(h.Key, associated(parts()[i], encoded), picture)
		if err != nil {
			return nil, err
		}
		container = binary.BigEndian.AppendUint32(container, uint32(len(sealed))) //nolint:gosec // a few MiB
		container = append(container, sealed...)
	}
	return container, nil
}

func associated(name part, encoded []byte) []byte {
	return append([]byte("rentbook photo "+string(name)+"\n"), encoded...)
}

// unpack opens one part.
func unpack(ctx context.Context, sealer eventstore.Sealer, container []byte, wanted part) ([]byte, error) {
	h, rest, err := cutHeader(container)
	if err != nil {
		return nil, err
	}
	encoded := container[beforeHeader : len(container)-len(rest)]
	var sealed []byte
	for _, name := range parts() {
		var next []byte
		if next, rest, err = cutPart(rest); err != nil {
			return nil, err
		}
		if name == wanted {
			sealed = next
		}
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: something follows its parts", ErrDamaged)
	}
	return sealer.Unseal(ctx, h.Key, associated(wanted, encoded), sealed)
}

// cutHeader needs only the first headerBytesMax bytes of a container.
func cutHeader(container []byte) (h header, rest []byte, err error) {
	if len(container) < beforeHeader || !bytes.HasPrefix(container, []byte(magic)) {
		return header{}, nil, fmt.Errorf("%w: it is no photo, or one of a newer version", ErrDamaged)
	}
	end := beforeHeader + int(binary.BigEndian.Uint16(container[len(magic):]))
	if end > len(container) {
		return header{}, nil, fmt.Errorf("%w: its header is cut off", ErrDamaged)
	}
	if err := json.Unmarshal(container[beforeHeader:end], &h); err != nil || h.Key == "" {
		return header{}, nil, fmt.Errorf("%w: its header cannot be read", ErrDamaged)
	}
	return h, container[end:], nil
}

func cutPart(container []byte) (sealed, rest []byte, err error) {
	if len(container) < 4 {
		return nil, nil, fmt.Errorf("%w: a part is missing", ErrDamaged)
	}
	length := int64(binary.BigEndian.Uint32(container))
	if container = container[4:]; length > int64(len(container)) {
		return nil, nil, fmt.Errorf("%w: a part is cut off", ErrDamaged)
	}
	return container[:length], container[length:], nil
}
