package photos

import (
	"bytes"
	"encoding/binary"
	"image"

	"golang.org/x/image/webp"
)

// What decoding WebP takes at most, in golang.org/x/image v0.47: bytes a pixel, and for lossless data
// the code tables, of which there may be 2,600.
const (
	webpLossyBytes    = 2
	webpLosslessBytes = 10
	webpAlphaBytes    = 12
	webpTablesBytes   = 140 << 20
)

// inspectWebP walks the chunks within the length that the file gives itself.
func inspectWebP(body []byte) (outline, error) {
	const header = 12
	length := int64(binary.LittleEndian.Uint32(body[4:])) + 8
	if length > int64(len(body)) {
		return outline{}, ErrTruncated
	}
	if length < header {
		return outline{}, ErrUnreadable
	}
	var found outline
	var perPixel, tables int64
	for rest := body[header:length]; len(rest) > 0; {
		name, data, after, err := webpChunk(rest)
		if err != nil {
			return outline{}, err
		}
		switch name {
		case "ANIM", "ANMF":
			return outline{}, ErrAnimated
		case "VP8 ":
			perPixel = max(perPixel, webpLossyBytes)
		case "VP8L":
			perPixel, tables = max(perPixel, webpLosslessBytes), webpTablesBytes
		case "ALPH":
			perPixel, tables = webpAlphaBytes, webpTablesBytes
		case "EXIF":
			found.turned = readOrientation(bytes.TrimPrefix(data, []byte(jpegExif)))
		}
		rest = after
	}
	config, err := webp.DecodeConfig(bytes.NewReader(body))
	if err != nil {
		return outline{}, ErrUnreadable
	}
	found.size = image.Pt(config.Width, config.Height)
	found.memory = perPixel*int64(config.Width)*int64(config.Height) + tables
	return found, nil
}

// webpChunk cuts a chunk off: name, length, data, and a byte that makes its length even.
func webpChunk(body []byte) (name string, data, rest []byte, err error) {
	const before = 8
	if len(body) < before {
		return "", nil, nil, ErrTruncated
	}
	length := int64(binary.LittleEndian.Uint32(body[4:]))
	if length > int64(len(body)-before) {
		return "", nil, nil, ErrTruncated
	}
	end := before + int(length)
	return string(body[:4]), body[before:end], body[min(len(body), end+end%2):], nil
}
