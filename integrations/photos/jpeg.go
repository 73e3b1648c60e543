package photos

import (
	"bytes"
	"encoding/binary"
	"image"
)

// Markers of JPEG, ITU-T T.81 table B.1.
const (
	jpegSOF0, jpegSOF2   = 0xc0, 0xc2 // baseline, extended, progressive
	jpegRST0, jpegRST7   = 0xd0, 0xd7
	jpegEOI, jpegSOS     = 0xd9, 0xda
	jpegAPP1, jpegAPP14  = 0xe1, 0xee
	jpegProgressive      = jpegSOF2
	jpegExif, jpegAdobe  = "Exif\x00\x00", "Adobe"
	jpegCoefficientBytes = 4 // of progressive scans, kept until the last one
)

// scansMax bounds the passes over a progressive image; encoders make about ten. Each goes over all
// pixels, so that many small ones would cost minutes.
const scansMax = 64

// jpegWalk is what the segments of a JPEG say.
type jpegWalk struct {
	frame  []byte // of the first SOF, which is the one that counts
	marker byte
	rgb    bool // decoding may end in one more copy
	scans  int
	turned orientation
}

// inspectJPEG walks the segments to the end of the image, as the decoder does. What comes after it
// (other pictures, films, archives) nobody reads.
func inspectJPEG(body []byte) (outline, error) {
	var w jpegWalk
	for at := 2; ; {
		marker, next := nextMarker(body, at)
		if next == 0 {
			return outline{}, ErrTruncated
		}
		if marker == jpegEOI {
			return w.outline()
		}
		if next+2 > len(body) {
			return outline{}, ErrTruncated
		}
		length := int(binary.BigEndian.Uint16(body[next:]))
		if length < 2 {
			return outline{}, ErrUnreadable
		}
		if next+length > len(body) {
			return outline{}, ErrTruncated
		}
		w.segment(marker, body[next+2:next+length])
		at = next + length
	}
}

// nextMarker finds the next marker that begins a segment or ends the image, and where it ends; zero
// if there is none. The pixels between two segments hold 0xff only before 0 or a restart marker.
func nextMarker(body []byte, at int) (marker byte, next int) {
	for {
		skip := bytes.IndexByte(body[at:], 0xff)
		if skip < 0 || at+skip+1 >= len(body) {
			return 0, 0
		}
		at += skip + 1
		switch marker := body[at]; {
		case marker == 0xff: // filling
		case marker == 0 || jpegRST0 <= marker && marker <= jpegRST7:
			at++
		default:
			return marker, at + 1
		}
	}
}

func (w *jpegWalk) segment(marker byte, data []byte) {
	switch marker {
	case jpegSOF0, jpegSOF0 + 1, jpegSOF2:
		if w.frame == nil {
			w.frame, w.marker = data, marker
		}
	case jpegSOS:
		w.scans++
	case jpegAPP1:
		if exif, found := bytes.CutPrefix(data, []byte(jpegExif)); found && w.turned == 0 {
			w.turned = readOrientation(exif)
		}
	case jpegAPP14:
		w.rgb = w.rgb || len(data) >= 12 && bytes.HasPrefix(data, []byte(jpegAdobe)) && data[11] == 0
	}
}

func (w *jpegWalk) outline() (outline, error) {
	const fixed = 6 // precision, height, width, number of components
	f := w.frame
	if len(f) < fixed || len(f) != fixed+3*int(f[5]) || f[5] == 0 {
		return outline{}, ErrUnreadable
	}
	if w.scans == 0 || w.scans > w.scansMax() {
		return outline{}, ErrUnreadable
	}
	height, width := int(binary.BigEndian.Uint16(f[1:])), int(binary.BigEndian.Uint16(f[3:]))
	return outline{
		size:   image.Pt(width, height),
		memory: w.memory(int64(width) * int64(height)),
		turned: w.turned,
	}, nil
}

// scansMax is one a component where each scan is final: a second one for the same pixels is only
// there to cost time.
func (w *jpegWalk) scansMax() int {
	if w.marker == jpegProgressive {
		return scansMax
	}
	return int(w.frame[5])
}

// memory adds up the samples of each component, which may be fewer than pixels (4:2:0 and the like),
// their coefficients, and the copy that RGB and CMYK end in.
func (w *jpegWalk) memory(pixels int64) int64 {
	components := w.frame[6:]
	first := max(1, sampling(components))
	var bytesAll int64
	for c := components; len(c) > 0; c = c[3:] {
		bytesAll += pixels * sampling(c) / first
	}
	if w.marker == jpegProgressive {
		bytesAll *= 1 + jpegCoefficientBytes
	}
	named := len(components) == 9 && components[0] == 'R' && components[3] == 'G' && components[6] == 'B'
	if w.rgb || named || len(components) > 9 {
		bytesAll += 4 * pixels
	}
	return bytesAll
}

// sampling is how many samples a component has per block: horizontal times vertical.
func sampling(component []byte) int64 {
	return int64(component[1]>>4) * int64(component[1]&0x0f)
}
