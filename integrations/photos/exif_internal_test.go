package photos

import (
	"bytes"
	"image"
	"testing"
)

func TestReadOrientation_ReadsOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	const entry = "\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
	for name, c := range map[string]struct {
		exif string
		want orientation
	}{
		"an entry":                      {"MM\x00*\x00\x00\x00\x08\x00\x01" + entry, 6},
		"an entry that is the last":     {"MM\x00*\x00\x00\x00\x08\xff\xff" + entry, 6},
		"a directory further on":        {"MM\x00*\x00\x00\x00\x0a??\x00\x01" + entry, 6},
		"no entry counted":              {"MM\x00*\x00\x00\x00\x08\x00\x00" + entry, 0},
		"half an entry":                 {"MM\x00*\x00\x00\x00\x08\x00\x01" + entry[:8], 0},
		"no directory":                  {"MM\x00*\x00\x00\x00\x08", 0},
		"a directory in the header":     {"MM\x00*\x00\x00\x00\x02\x00\x01" + entry, 0},
		"a directory behind everything": {"MM\x00*\xff\xff\xff\xff\x00\x01" + entry, 0},
		"another byte order":            {"XX\x00*\x00\x00\x00\x08\x00\x01" + entry, 0},
		"nothing":                       {"", 0},
		"two of them":                   {"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x02\x00\x06\x00\x00", 0},
		"another type":                  {"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x04\x00\x00\x00\x01\x00\x00\x00\x06", 0},
	} {
		if got := readOrientation([]byte(c.exif)); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func FuzzReadOrientation(f *testing.F) {
	f.Add([]byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"))
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x03\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, exif []byte) {
		o := readOrientation(exif)
		if o < 0 || o > 8 {
			t.Fatalf("orientation %d", o)
		}
		src := image.NewRGBA(image.Rect(0, 0, 3, 2))
		for i := range src.Pix {
			src.Pix[i] = byte(i)
		}
		sum := func(pix []byte) (n int) {
			for _, b := range pix {
				n += int(b)
			}
			return n
		}
		if dst := o.upright(src); sum(dst.Pix) != sum(src.Pix) || bytes.Count(dst.Pix, nil) != bytes.Count(src.Pix, nil) {
			t.Fatalf("orientation %d lost pixels", o)
		}
	})
}
