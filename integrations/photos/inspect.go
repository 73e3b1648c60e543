package photos

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"slices"

	"golang.org/x/image/webp"
)

// format is a kind of image that is read.
type format struct {
	inspect func(body []byte) (outline, error)
	config  func(io.Reader) (image.Config, error)
	decode  func(io.Reader) (image.Image, error)
}

// outline is what an image says about itself before it is decoded.
type outline struct {
	size   image.Point
	memory int64 // bytes that decoding will take, at most
	turned orientation
}

// inspect refuses all that can be refused without decoding.
func inspect(body []byte) (format, outline, error) {
	if len(body) > BytesMax {
		return format{}, outline{}, ErrTooLarge
	}
	kind, err := sniff(body)
	if err != nil {
		return format{}, outline{}, err
	}
	found, err := kind.inspect(body)
	if err != nil {
		return format{}, outline{}, err
	}
	if err := found.check(); err != nil {
		return format{}, outline{}, err
	}
	// The decoder must see the size that was just allowed, whatever the difference in reading.
	config, err := kind.config(bytes.NewReader(body))
	if err != nil {
		return format{}, outline{}, explain(err)
	}
	if config.Width != found.size.X || config.Height != found.size.Y {
		return format{}, outline{}, ErrUnreadable
	}
	return kind, found, nil
}

// sniff goes by the first bytes alone: names and content types are whatever the client likes.
func sniff(body []byte) (format, error) {
	switch {
	case len(body) == 0:
		return format{}, ErrTruncated
	case bytes.HasPrefix(body, []byte("\xff\xd8\xff")):
		return format{inspectJPEG, jpeg.DecodeConfig, jpeg.Decode}, nil
	case bytes.HasPrefix(body, []byte(pngSignature)):
		return format{inspectPNG, png.DecodeConfig, png.Decode}, nil
	case len(body) >= 12 && string(body[:4]) == "RIFF" && string(body[8:12]) == "WEBP":
		return format{inspectWebP, webp.DecodeConfig, webp.Decode}, nil
	case isHEIF(body):
		return format{}, ErrHEIC
	default:
		return format{}, ErrType
	}
}

// isHEIF looks for the brands of HEIC, HEIF and AVIF in the box that such a file begins with. Films
// begin with the same box.
func isHEIF(body []byte) bool {
	if len(body) < 12 || string(body[4:8]) != "ftyp" {
		return false
	}
	const brandsMax = 32
	brands := []string{"heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1", "avif", "avis"}
	for brand := range slices.Chunk(body[8:min(len(body), 8+4*brandsMax)], 4) {
		if slices.Contains(brands, string(brand)) {
			return true
		}
	}
	return false
}

func (o outline) check() error {
	width, height := o.size.X, o.size.Y
	if width <= 0 || height <= 0 || width > sideMax || height > sideMax || width*height > pixelsMax {
		return ErrTooManyPixels
	}
	if o.memory > decodeBytesMax {
		return ErrTooManyPixels.Because("takes too much memory to read: save it as an ordinary JPEG and send that")
	}
	return nil
}

// pixels decodes. The decoders are not ours and the bytes are hostile: where one of them panics, the
// photo is at fault and not the program.
func (f format) pixels(body []byte) (picture image.Image, err error) {
	defer func() {
		if recover() != nil {
			picture, err = nil, ErrUnreadable
		}
	}()
	picture, err = f.decode(bytes.NewReader(body))
	if err != nil {
		return nil, explain(err)
	}
	return picture, nil
}

// explain tells the kinds of JPEG and PNG that are valid but not read here from damage.
func explain(err error) error {
	_, jpegKind := errors.AsType[jpeg.UnsupportedError](err)
	_, pngKind := errors.AsType[png.UnsupportedError](err)
	if jpegKind || pngKind {
		return ErrType.Because("is of an unusual kind that cannot be read here: save it as an ordinary JPEG and send that")
	}
	return ErrUnreadable
}
