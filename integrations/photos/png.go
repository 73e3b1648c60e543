package photos

import (
	"encoding/binary"
	"hash/crc32"
	"image"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// inspectPNG walks the chunks to the last one and checks their sums. What they hold stays packed: a
// profile or a text may unfold to gigabytes, and nobody needs it.
func inspectPNG(body []byte) (outline, error) {
	var found outline
	rest := body[len(pngSignature):]
	for first := true; ; first = false {
		name, data, after, err := pngChunk(rest)
		if err != nil {
			return outline{}, err
		}
		if first != (name == "IHDR") {
			return outline{}, ErrUnreadable
		}
		switch name {
		case "IHDR":
			if found, err = pngHeader(data); err != nil {
				return outline{}, err
			}
		case "acTL":
			return outline{}, ErrAnimated
		case "eXIf":
			found.turned = readOrientation(data)
		case "IEND":
			return found, nil
		}
		rest = after
	}
}

// pngChunk cuts a chunk off: length, name, data, sum.
func pngChunk(body []byte) (name string, data, rest []byte, err error) {
	const around = 12
	if len(body) < around {
		return "", nil, nil, ErrTruncated
	}
	length := int64(binary.BigEndian.Uint32(body))
	if length > int64(len(body)-around) {
		return "", nil, nil, ErrTruncated
	}
	end := 8 + int(length)
	if crc32.ChecksumIEEE(body[4:end]) != binary.BigEndian.Uint32(body[end:]) {
		return "", nil, nil, ErrUnreadable
	}
	return string(body[4:8]), body[8:end], body[end+4:], nil
}

func pngHeader(data []byte) (outline, error) {
	if len(data) != 13 {
		return outline{}, ErrUnreadable
	}
	width, height := int64(binary.BigEndian.Uint32(data)), int64(binary.BigEndian.Uint32(data[4:]))
	if width > sideMax || height > sideMax {
		return outline{}, ErrTooManyPixels
	}
	depth, colours, interlaced := data[8], data[9], data[12] != 0
	perPixel := int64(4)
	switch {
	case depth == 16:
		perPixel = 8
	case colours == 3: // a palette
		perPixel = 1
	}
	if interlaced {
		perPixel *= 2 // each pass is an image of its own
	}
	return outline{size: image.Pt(int(width), int(height)), memory: perPixel * width * height}, nil
}
