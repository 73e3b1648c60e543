//nolint:misspell // image/color is not ours to spell
package photos_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

// Nothing here needs a file: each image is built from its parts.

var (
	red    = color.NRGBA{R: 255, A: 255}
	green  = color.NRGBA{G: 255, A: 255}
	blue   = color.NRGBA{B: 255, A: 255}
	yellow = color.NRGBA{R: 255, G: 255, A: 255}
	white  = color.NRGBA{R: 255, G: 255, B: 255, A: 255}
)

// scene is red, green, blue and yellow, from the top left to the bottom right.
func scene(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, [4]color.Color{red, green, blue, yellow}[2*(2*y/height)+2*x/width])
		}
	}
	return img
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// segment is a part of a JPEG before its pixels.
func segment(marker byte, data string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2)), data...)
}

// withSegments puts segments behind the first marker of a JPEG.
func withSegments(body []byte, segments ...[]byte) []byte {
	return bytes.Join([][]byte{body[:2], bytes.Join(segments, nil), body[2:]}, nil)
}

// rawJPEG is a JPEG without any detail: all samples are 128. Each component has the sampling given.
type rawJPEG struct {
	sof           byte
	width, height int
	sampling      []byte
	app           []byte // segments before the frame
	scanBytes     int    // of zeros, which say "as before" for each block
	scans         int
}

func (r rawJPEG) bytes() []byte {
	b := append([]byte{0xff, 0xd8}, r.app...)
	b = append(b, segment(0xdb, "\x00"+string(bytes.Repeat([]byte{1}, 64)))...)
	oneCode := "\x01" + string(make([]byte, 15)) + "\x00"
	b = append(b, segment(0xc4, "\x00"+oneCode+"\x10"+oneCode)...)
	frame := []byte{8, byte(r.height >> 8), byte(r.height), byte(r.width >> 8), byte(r.width), byte(len(r.sampling))}
	scan := []byte{byte(len(r.sampling))}
	for i, s := range r.sampling {
		frame = append(frame, byte(i+1), s, 0)
		scan = append(scan, byte(i+1), 0)
	}
	b = append(b, segment(r.sof, string(frame))...)
	spectrum := "\x00\x3f\x00"
	if r.sof == 0xc2 {
		spectrum = "\x00\x00\x00"
	}
	for range max(1, r.scans) {
		b = append(b, segment(0xda, string(scan)+spectrum)...)
		b = append(b, make([]byte, r.scanBytes)...)
	}
	return append(b, 0xff, 0xd9)
}

const pngSignature = "\x89PNG\r\n\x1a\n"

func chunk(name string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// withChunks puts chunks behind the header of a PNG.
func withChunks(body []byte, chunks ...[]byte) []byte {
	const header = len(pngSignature) + 12 + 13
	return bytes.Join([][]byte{body[:header], bytes.Join(chunks, nil), body[header:]}, nil)
}

// rawPNG is a PNG of the given header; its pixels are so many zeros, packed.
func rawPNG(t testing.TB, width, height uint32, depth, colours, interlaced byte, zeros int) []byte {
	t.Helper()
	header := binary.BigEndian.AppendUint32(nil, width)
	header = append(binary.BigEndian.AppendUint32(header, height), depth, colours, 0, 0, interlaced)
	return bytes.Join([][]byte{
		[]byte(pngSignature), chunk("IHDR", header), chunk("IDAT", packedZeros(t, zeros)), chunk("IEND", nil),
	}, nil)
}

func packedZeros(t testing.TB, count int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	block := make([]byte, 1<<16)
	for ; count > 0; count -= len(block) {
		if _, err := w.Write(block[:min(count, len(block))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func riffChunk(name string, data []byte) []byte {
	b := append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data))), data...)
	if len(data)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func webpOf(chunks ...[]byte) []byte {
	all := bytes.Join(chunks, nil)
	b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(all)+4))
	return append(append(b, "WEBP"...), all...)
}

// vp8x is the header of a WebP that has more than pixels.
func vp8x(flags byte, width, height int) []byte {
	w, h := width-1, height-1
	return riffChunk("VP8X", []byte{flags, 0, 0, 0, byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)})
}

// vp8l is a lossless image whose channels are 0 or 255 each: one bit, after five tables that say so.
func vp8l(img *image.NRGBA) []byte {
	var b []byte
	used := 0
	bits := func(value, count int) {
		for i := range count {
			if used%8 == 0 {
				b = append(b, 0)
			}
			b[len(b)-1] |= byte(value>>i&1) << (used % 8)
			used++
		}
	}
	size := img.Bounds().Size()
	bits(0x2f, 8)
	bits(size.X-1, 14)
	bits(size.Y-1, 14)
	bits(0, 1+3+1+1+1) // opaque, version, no transform, no cache, one group of tables
	for range 3 {      // green, red, blue: two symbols
		bits(0b111, 3)
		bits(0, 8)
		bits(255, 8)
	}
	bits(0b101, 3) // alpha: one symbol
	bits(255, 8)
	bits(0b001, 3) // distance: one symbol
	bits(0, 1)
	for y := range size.Y {
		for x := range size.X {
			c := img.NRGBAAt(x, y)
			bits(int(c.G)&1, 1)
			bits(int(c.R)&1, 1)
			bits(int(c.B)&1, 1)
		}
	}
	return riffChunk("VP8L", b)
}

// vp8 is a lossy image. Zeros are enough: "no change" to every question the decoder asks.
func vp8(width, height int) []byte {
	const partition = 4096
	tag := partition<<5 | 1<<4
	b := []byte{byte(tag), byte(tag >> 8), byte(tag >> 16), 0x9d, 0x01, 0x2a, byte(width), byte(width >> 8), byte(height), byte(height >> 8)}
	return riffChunk("VP8 ", append(b, make([]byte, 2*partition)...))
}

// exif holds an orientation, and a place on earth in a directory of its own.
func exif(order binary.AppendByteOrder, value uint16, place string) []byte {
	b := []byte("II*\x00")
	if order.String() == binary.BigEndian.String() {
		b = []byte("MM\x00*")
	}
	entry := func(tag, kind uint16, count, value uint32) {
		b = order.AppendUint16(order.AppendUint16(b, tag), kind)
		b = order.AppendUint32(b, count)
		if kind == 3 { // a short stands at the front of its four bytes
			b = order.AppendUint16(order.AppendUint16(b, uint16(value)), 0)
		} else {
			b = order.AppendUint32(b, value)
		}
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	entry(0x0112, 3, 1, uint32(value))
	entry(0x8825, 4, 1, 38) // where the GPS directory is
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, 1)
	entry(0x001b, 2, uint32(len(place)), 56)
	b = order.AppendUint32(b, 0)
	return append(b, place...)
}

func exifSegment(data []byte) []byte { return segment(0xe1, "Exif\x00\x00"+string(data)) }
