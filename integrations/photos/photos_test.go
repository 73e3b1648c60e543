//nolint:misspell // image/color is not ours to spell
package photos_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"rentbook/domain"
	"rentbook/integrations/photos"
)

func normalised(t testing.TB, body []byte) (photos.Image, image.Image) {
	t.Helper()
	img, err := photos.Normalise(body)
	if err != nil {
		t.Fatal(err)
	}
	full, err := jpeg.Decode(bytes.NewReader(img.Full))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jpeg.Decode(bytes.NewReader(img.Thumb)); err != nil {
		t.Fatal(err)
	}
	if size := full.Bounds().Size(); size != image.Pt(img.Width, img.Height) {
		t.Fatalf("the photo is %v, its description says %d by %d", size, img.Width, img.Height)
	}
	return img, full
}

// near says whether two colours are the same to the eye.
func near(a, b color.Color) bool {
	r, g, bl, _ := a.RGBA()
	r2, g2, bl2, _ := b.RGBA()
	for _, d := range [3]int{int(r) - int(r2), int(g) - int(g2), int(bl) - int(bl2)} {
		if max(d, -d) > 0x1800 {
			return false
		}
	}
	return true
}

// checkScene looks at the corners.
func checkScene(t testing.TB, img image.Image, width, height int) {
	t.Helper()
	if size := img.Bounds().Size(); size != image.Pt(width, height) {
		t.Fatalf("it is %v, want %d by %d", size, width, height)
	}
	for at, want := range map[image.Point]color.Color{
		{2, 2}: red, {width - 3, 2}: green, {2, height - 3}: blue, {width - 3, height - 3}: yellow,
	} {
		if got := img.At(at.X, at.Y); !near(got, want) {
			t.Errorf("at %v it is %v, want %v", at, got, want)
		}
	}
}

func TestNormalise_ReadsEveryUsualKind(t *testing.T) {
	t.Parallel()
	plain := scene(48, 32)
	deep := image.NewNRGBA64(plain.Rect)
	paletted := image.NewPaletted(plain.Rect, color.Palette{red, green, blue, yellow})
	for y := range 32 {
		for x := range 48 {
			deep.Set(x, y, plain.At(x, y))
			paletted.Set(x, y, plain.At(x, y))
		}
	}
	for name, body := range map[string][]byte{
		"JPEG":                        asJPEG(t, plain),
		"JPEG with more behind it":    append(asJPEG(t, plain), asJPEG(t, plain)...),
		"JPEG with filling":           withSegments(asJPEG(t, plain), []byte{0xff, 0xff, 0xff}),
		"PNG":                         asPNG(t, plain),
		"PNG of 16 bits":              asPNG(t, deep),
		"PNG with a palette":          asPNG(t, paletted),
		"lossless WebP":               webpOf(vp8l(plain)),
		"WebP with an extended frame": webpOf(vp8x(0, 48, 32), vp8l(plain)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, full := normalised(t, body)
			checkScene(t, full, 48, 32)
		})
	}
}

func TestNormalise_ReadsWhatHasOtherColours(t *testing.T) {
	t.Parallel()
	grey, deepGrey := image.NewGray(image.Rect(0, 0, 20, 10)), image.NewGray16(image.Rect(0, 0, 20, 10))
	for i := range grey.Pix {
		grey.Pix[i] = 200
		deepGrey.Pix[2*i] = 200
	}
	adobe := segment(0xee, "Adobe\x00\x64\x00\x00\x00\x00\x00")
	light, middle := color.Gray{200}, color.Gray{128}
	for name, c := range map[string]struct {
		body []byte
		want color.Color
	}{
		"grey JPEG":        {asJPEG(t, grey), light},
		"grey PNG":         {asPNG(t, grey), light},
		"grey 16-bit PNG":  {asPNG(t, deepGrey), light},
		"CMYK JPEG":        {rawJPEG{sof: 0xc0, width: 20, height: 10, sampling: []byte{0x11, 0x11, 0x11, 0x11}, app: adobe, scanBytes: 6}.bytes(), color.Gray{64}},
		"RGB JPEG":         {rawJPEG{sof: 0xc0, width: 20, height: 10, sampling: []byte{0x11, 0x11, 0x11}, app: adobe, scanBytes: 5}.bytes(), middle},
		"progressive JPEG": {rawJPEG{sof: 0xc2, width: 20, height: 10, sampling: []byte{0x11}, scanBytes: 1}.bytes(), middle},
		"interlaced PNG":   {rawPNG(t, 20, 10, 8, 0, 1, 220), color.Black},
		"lossy WebP":       {webpOf(vp8(20, 10)), color.YCbCr{Y: 128, Cb: 128, Cr: 128}},
		"transparent PNG":  {asPNG(t, image.NewNRGBA(image.Rect(0, 0, 20, 10))), white},
		"clear palette":    {asPNG(t, image.NewPaletted(image.Rect(0, 0, 20, 10), color.Palette{color.Transparent})), white},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, full := normalised(t, c.body)
			if got := full.At(10, 5); !near(got, c.want) {
				t.Errorf("it is %v, want %v", got, c.want)
			}
			if size := full.Bounds().Size(); size != image.Pt(20, 10) {
				t.Errorf("it is %v, want 20 by 10", size)
			}
		})
	}
}

func TestNormalise_BoundsTheSides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ width, height, fullW, fullH, thumbW, thumbH int }{
		{1, 1, 1, 1, 1, 1},
		{320, 240, 320, 240, 320, 240},
		{640, 480, 640, 480, 320, 240},
		{2560, 100, 2560, 100, 320, 13},
		{3001, 1500, 2560, 1280, 320, 160},
		{60, 5200, 30, 2560, 4, 320},
		{20_000, 1, 2560, 1, 320, 1},
		{1, 20_000, 1, 2560, 1, 320},
	} {
		img, full := normalised(t, asPNG(t, scene(c.width, c.height)))
		thumb, err := jpeg.DecodeConfig(bytes.NewReader(img.Thumb))
		if err != nil {
			t.Fatal(err)
		}
		if got := full.Bounds().Size(); got != image.Pt(c.fullW, c.fullH) {
			t.Errorf("%d by %d became %v", c.width, c.height, got)
		}
		if thumb.Width != c.thumbW || thumb.Height != c.thumbH {
			t.Errorf("%d by %d has a thumbnail of %d by %d", c.width, c.height, thumb.Width, thumb.Height)
		}
	}
}

func TestNormalise_ScalesTheWholePicture(t *testing.T) {
	t.Parallel()
	for _, width := range []int{2561, 5119, 5120, 5121} {
		img, full := normalised(t, asJPEG(t, scene(width, 300)))
		checkScene(t, full, 2560, (300*2560+width/2)/width)
		thumb, err := jpeg.Decode(bytes.NewReader(img.Thumb))
		if err != nil {
			t.Fatal(err)
		}
		checkScene(t, thumb, 320, thumb.Bounds().Dy())
	}
}

// held is the scene as a camera stores it that was held so: Exif 2.32 says where its first row and
// column are in what was seen.
func held(o uint16) *image.NRGBA {
	const width, height = 48, 32
	seen := scene(width, height)
	size := image.Pt(width, height)
	if o >= 5 {
		size = image.Pt(height, width)
	}
	stored := image.NewNRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			at := map[uint16]image.Point{
				1: {x, y},
				2: {width - 1 - x, y},
				3: {width - 1 - x, height - 1 - y},
				4: {x, height - 1 - y},
				5: {y, x},
				6: {width - 1 - y, x},
				7: {width - 1 - y, height - 1 - x},
				8: {y, height - 1 - x},
			}[o]
			stored.Set(x, y, seen.At(at.X, at.Y))
		}
	}
	return stored
}

func TestNormalise_TurnsPhotosUpright(t *testing.T) {
	t.Parallel()
	for o := uint16(1); o <= 8; o++ {
		stored := held(o)
		size := stored.Bounds().Size()
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			data := exif(order, o, "somewhere")
			for name, body := range map[string][]byte{
				"JPEG": withSegments(asJPEG(t, stored), exifSegment(data)),
				"PNG":  withChunks(asPNG(t, stored), chunk("eXIf", data)),
				"WebP": webpOf(vp8x(8, size.X, size.Y), vp8l(stored), riffChunk("EXIF", data)),
				"WebP as some write it": webpOf(vp8x(8, size.X, size.Y), vp8l(stored),
					riffChunk("EXIF", append([]byte("Exif\x00\x00"), data...))),
			} {
				t.Run(fmt.Sprintf("%s, %d, %s", name, o, order), func(t *testing.T) {
					t.Parallel()
					_, full := normalised(t, body)
					checkScene(t, full, 48, 32)
				})
			}
		}
	}
}

func TestNormalise_IgnoresAnOrientationThatDoesNotExist(t *testing.T) {
	t.Parallel()
	for _, o := range []uint16{0, 9, 65535} {
		_, full := normalised(t, withSegments(asJPEG(t, scene(48, 32)), exifSegment(exif(binary.BigEndian, o, "x"))))
		checkScene(t, full, 48, 32)
	}
}

// Nothing that was hidden in a photo comes out again.
func TestNormalise_LeavesOnlyPixels(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-51.5007N-0.1246W<script>alert(1)</script>"
	data := exif(binary.LittleEndian, 1, canary)
	profile := append([]byte("name\x00\x00"), packedZeros(t, 100)...)
	size := image.Pt(48, 32)
	for name, body := range map[string][]byte{
		"JPEG": append(withSegments(asJPEG(t, scene(48, 32)),
			exifSegment(data),
			segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+canary),
			segment(0xe2, "ICC_PROFILE\x00\x01\x01"+canary),
			segment(0xed, "Photoshop 3.0\x00"+canary),
			segment(0xfe, canary),
		), "<html>"+canary...),
		"PNG": append(withChunks(asPNG(t, scene(48, 32)),
			chunk("eXIf", data), chunk("tEXt", []byte("Comment\x00"+canary)), chunk("iCCP", profile),
			chunk("iTXt", []byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"+canary)),
		), "PK\x03\x04"+canary...),
		"WebP": append(webpOf(vp8x(0x0c, size.X, size.Y), vp8l(scene(48, 32)),
			riffChunk("EXIF", data), riffChunk("XMP ", []byte(canary))), canary...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !bytes.Contains(body, []byte(canary)) {
				t.Fatal("the test has no canary")
			}
			img, full := normalised(t, body)
			checkScene(t, full, 48, 32)
			for _, out := range [][]byte{img.Full, img.Thumb} {
				for _, trace := range []string{"CANARY", "script", "Exif", "adobe", "ICC", "Photoshop", "html", "PK\x03\x04"} {
					if bytes.Contains(out, []byte(trace)) {
						t.Errorf("%q is still there", trace)
					}
				}
			}
		})
	}
}

func FuzzNormalise(f *testing.F) {
	for _, body := range small(f) {
		f.Add(body)
	}
	f.Add(webpOf(vp8(20, 10)))
	f.Add(rawJPEG{sof: 0xc2, width: 20, height: 10, sampling: []byte{0x21, 0x11, 0x11}, scanBytes: 9, scans: 3}.bytes())
	f.Add(rawPNG(f, 20, 10, 8, 0, 1, 220))
	f.Add([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"))
	f.Fuzz(func(t *testing.T, body []byte) {
		img, err := photos.Normalise(body)
		if err != nil {
			if _, refused := errors.AsType[*domain.Refusal](err); !refused {
				t.Fatalf("neither refused nor read: %v", err)
			}
			return
		}
		full, err := jpeg.DecodeConfig(bytes.NewReader(img.Full))
		if err != nil || full.Width != img.Width || full.Height != img.Height || max(full.Width, full.Height) > 2560 {
			t.Fatalf("it became %v, %v", full, err)
		}
	})
}

func benchmark(b *testing.B, width, height int) {
	b.Helper()
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for i := range img.Y { // a wall with some grain
		img.Y[i] = byte(i%251/8 + i/width%200)
	}
	body := asJPEG(b, img)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := photos.Normalise(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNormalise_12Megapixels(b *testing.B) { benchmark(b, 4000, 3000) }

func BenchmarkNormalise_40Megapixels(b *testing.B) { benchmark(b, 7300, 5475) }
