package photos_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"

	"rentbook/domain"
	"rentbook/integrations/photos"
)

func TestNormalise_Refuses(t *testing.T) {
	t.Parallel()
	good := asJPEG(t, scene(48, 32))
	picture := asPNG(t, scene(48, 32))
	flipped := bytes.Clone(picture)
	flipped[len(flipped)/2] ^= 1
	grey := []byte{0x11}
	heic := "\x00\x00\x00\x18ftyp"
	for name, c := range map[string]struct {
		body []byte
		want *domain.Refusal
	}{
		"nothing":                        {nil, photos.ErrTruncated},
		"a script":                       {[]byte("#!/bin/sh\nrm -rf /\n"), photos.ErrType},
		"a page":                         {[]byte("<!DOCTYPE html><script>alert(1)</script>"), photos.ErrType},
		"a drawing":                      {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), photos.ErrType},
		"a document":                     {[]byte("%PDF-1.7\n"), photos.ErrType},
		"a GIF":                          {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), photos.ErrType},
		"a film":                         {[]byte(heic + "isom\x00\x00\x02\x00mp42avc1"), photos.ErrType},
		"a sound":                        {[]byte("RIFF\x04\x00\x00\x00WAVE"), photos.ErrType},
		"HEIC":                           {[]byte(heic + "heic\x00\x00\x00\x00mif1heic"), photos.ErrHEIC},
		"HEIC by its second brand":       {[]byte(heic + "xxxx\x00\x00\x00\x00abcdheix"), photos.ErrHEIC},
		"AVIF":                           {[]byte(heic + "avif\x00\x00\x00\x00mif1miaf"), photos.ErrHEIC},
		"too many bytes":                 {append(bytes.Clone(good), make([]byte, photos.BytesMax)...), photos.ErrTooLarge},
		"animated PNG":                   {withChunks(picture, chunk("acTL", make([]byte, 8))), photos.ErrAnimated},
		"animated WebP":                  {webpOf(vp8x(2, 48, 32), riffChunk("ANIM", make([]byte, 6)), riffChunk("ANMF", vp8l(scene(48, 32)))), photos.ErrAnimated},
		"JPEG without a frame":           {[]byte("\xff\xd8\xff\xd9"), photos.ErrUnreadable},
		"JPEG without a picture":         {[]byte("\xff\xd8\xff\xe0\x00\x02\xff\xd9"), photos.ErrUnreadable},
		"JPEG segment of no length":      {[]byte("\xff\xd8\xff\xe0\x00\x01\xff\xd9"), photos.ErrUnreadable},
		"JPEG of twelve bits":            {bytes.Replace(good, []byte("\xff\xc0\x00\x11\x08"), []byte("\xff\xc0\x00\x11\x0c"), 1), photos.ErrType},
		"JPEG of zero height":            {rawJPEG{sof: 0xc0, width: 8, height: 0, sampling: grey, scanBytes: 1}.bytes(), photos.ErrTooManyPixels},
		"JPEG of 64 megapixels":          {rawJPEG{sof: 0xc0, width: 8000, height: 8000, sampling: grey, scanBytes: 1}.bytes(), photos.ErrTooManyPixels},
		"JPEG with a long side":          {rawJPEG{sof: 0xc0, width: 20_001, height: 1, sampling: grey, scanBytes: 1}.bytes(), photos.ErrTooManyPixels},
		"JPEG that fills the memory":     {rawJPEG{sof: 0xc2, width: 6000, height: 6000, sampling: []byte{0x11, 0x11, 0x11}, scanBytes: 1}.bytes(), photos.ErrTooManyPixels},
		"JPEG with its pixels cut":       {rawJPEG{sof: 0xc0, width: 800, height: 800, sampling: grey, scanBytes: 1}.bytes(), photos.ErrUnreadable},
		"JPEG of too many passes":        {rawJPEG{sof: 0xc2, width: 8, height: 8, sampling: grey, scanBytes: 1, scans: 65}.bytes(), photos.ErrUnreadable},
		"JPEG drawn twice":               {rawJPEG{sof: 0xc0, width: 8, height: 8, sampling: grey, scanBytes: 1, scans: 2}.bytes(), photos.ErrUnreadable},
		"PNG of zero width":              {rawPNG(t, 0, 5, 8, 0, 0, 10), photos.ErrTooManyPixels},
		"PNG of all the width there is":  {rawPNG(t, 1<<32-1, 1<<32-1, 8, 0, 0, 10), photos.ErrTooManyPixels},
		"PNG that fills the memory":      {rawPNG(t, 6000, 6000, 16, 6, 1, 10), photos.ErrTooManyPixels},
		"PNG with a wrong sum":           {flipped, photos.ErrUnreadable},
		"PNG without a header":           {[]byte(pngSignature + string(chunk("IEND", nil))), photos.ErrUnreadable},
		"PNG with two headers":           {withChunks(picture, picture[8:33]), photos.ErrUnreadable},
		"PNG with too few pixels":        {rawPNG(t, 100, 100, 8, 0, 0, 10), photos.ErrUnreadable},
		"PNG of no depth":                {rawPNG(t, 5, 5, 7, 0, 0, 10), photos.ErrType},
		"WebP of no length":              {[]byte("RIFF\x00\x00\x00\x00WEBPxxxx"), photos.ErrUnreadable},
		"WebP without a picture":         {webpOf(riffChunk("XMP ", nil)), photos.ErrUnreadable},
		"WebP of two sizes":              {webpOf(vp8x(0, 8, 8), vp8l(scene(48, 32))), photos.ErrUnreadable},
		"WebP with too many pixels":      {webpOf(vp8(16_000, 16_000)), photos.ErrTooManyPixels},
		"WebP with a frame of any size":  {webpOf(vp8x(0, 1<<24, 1<<24), vp8l(scene(48, 32))), photos.ErrUnreadable},
		"WebP that fills the memory":     {webpOf(vp8x(0, 6000, 6000), riffChunk("VP8L", make([]byte, 50))), photos.ErrTooManyPixels},
		"WebP whose pixels are too few":  {webpOf(vp8x(0, 600, 600), vp8(600, 600)[:100]), photos.ErrTruncated},
		"WebP whose picture breaks off":  {webpOf(riffChunk("VP8L", vp8l(scene(48, 32))[8:100])), photos.ErrUnreadable},
		"WebP with a chunk cut off":      {webpOf([]byte("VP8L")), photos.ErrTruncated},
		"PNG with its first sum missing": {picture[:30], photos.ErrTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := photos.Normalise(c.body)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %s", err, c.want.Code)
			}
			refusal, _ := errors.AsType[*domain.Refusal](err)
			if refusal.Class != domain.Invalid || refusal.Field != "photo" || len(refusal.Reason) < 20 {
				t.Errorf("%+v does not help whoever uploads", refusal)
			}
		})
	}
}

func small(t testing.TB) map[string][]byte {
	t.Helper()
	data := exif(binary.BigEndian, 6, "x")
	return map[string][]byte{
		"JPEG": withSegments(asJPEG(t, scene(9, 7)), exifSegment(data)),
		"PNG":  withChunks(asPNG(t, scene(9, 7)), chunk("eXIf", data)),
		"WebP": webpOf(vp8x(8, 9, 7), vp8l(scene(9, 7)), riffChunk("EXIF", data)),
	}
}

func TestNormalise_RefusesWhatIsCutAnywhere(t *testing.T) {
	t.Parallel()
	for name, body := range small(t) {
		for length := range len(body) {
			_, err := photos.Normalise(body[:length])
			if length < 12 && errors.Is(err, photos.ErrType) {
				continue // not even its kind is there
			}
			if !errors.Is(err, photos.ErrTruncated) {
				t.Errorf("%s of %d bytes, cut at %d: %v", name, len(body), length, err)
			}
		}
	}
}

func TestNormalise_SurvivesEveryAlteredByte(t *testing.T) {
	t.Parallel()
	for name, body := range small(t) {
		for at := range body {
			for _, mask := range []byte{0x01, 0x80, 0xff} {
				altered := bytes.Clone(body)
				altered[at] ^= mask
				_, err := photos.Normalise(altered)
				if _, refused := errors.AsType[*domain.Refusal](err); err != nil && !refused {
					t.Errorf("%s, byte %d: %v", name, at, err)
				}
			}
		}
	}
}

// allocated is not for parallel tests: it counts the bytes of the whole process.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestNormalise_DoesNotUnfoldBombs(t *testing.T) { //nolint:paralleltest // it measures
	const bomb = 64 << 20
	text := append([]byte("Comment\x00\x00"), packedZeros(t, bomb)...)
	for _, c := range []struct {
		name string
		body []byte
		want error
		most uint64
	}{
		{"100 megapixels", rawPNG(t, 10_000, 10_000, 1, 0, 0, 12_510_000), photos.ErrTooManyPixels, 1 << 16},
		{"64 megapixels", rawJPEG{sof: 0xc0, width: 8000, height: 8000, sampling: []byte{0x11}, scanBytes: 1 << 18}.bytes(), photos.ErrTooManyPixels, 1 << 16},
		{"a text", withChunks(asPNG(t, scene(48, 32)), chunk("zTXt", text)), nil, 1 << 20},
		{"a profile", withChunks(asPNG(t, scene(48, 32)), chunk("iCCP", text)), nil, 1 << 20},
	} {
		var err error
		got := allocated(func() { _, err = photos.Normalise(c.body) })
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if got > c.most || len(c.body) > 300_000 {
			t.Errorf("%s: %d bytes took %d, want at most %d", c.name, len(c.body), got, c.most)
		}
	}
}

// A usual photo takes a fraction of what is allowed: its samples, the JPEGs, and what is between them.
func TestNormalise_NeedsLittleMemory(t *testing.T) { //nolint:paralleltest // it measures
	body := rawJPEG{sof: 0xc0, width: 4000, height: 3000, sampling: []byte{0x22, 0x11, 0x11}, scanBytes: 4000 * 3000 / 256 * 12 / 8 * 2}.bytes()
	var err error
	got := allocated(func() { _, err = photos.Normalise(body) })
	if err != nil {
		t.Fatal(err)
	}
	const most = 4000*3000*3/2 + 2560*1920*4 + 30<<20
	if got > most {
		t.Errorf("12 megapixels took %d bytes, want at most %d", got, most)
	}
}

func TestErrors_SayWhatToDo(t *testing.T) {
	t.Parallel()
	if !strings.Contains(photos.ErrHEIC.Reason, "Most Compatible") {
		t.Errorf("%s", photos.ErrHEIC.Reason)
	}
}
