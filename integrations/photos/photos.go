// Package photos takes in the photos that tenants and contractors attach to repairs, and keeps them.
//
// What is uploaded may be anything: a script named photo.jpg, a few bytes that unfold to gigabytes,
// a picture that says where somebody lives. So it is looked at from the outside first (size, kind,
// dimensions, whether all of it is there) and refused before a pixel is decoded. What passes is
// decoded, turned upright, made smaller and written anew as a JPEG. Nothing but the pixels survives:
// no place, no comment, no script behind the picture.
//
// The new JPEG and its thumbnail are sealed with a key of their own and kept in a file that is named
// after its own hash, on disk before Put returns. Destroying the key erases the photo; the file can
// be checked all the same. Photos that were stored and then never named by a fact stay where they
// are.
//
// The one rule: no byte of an upload is stored, only what was made from its pixels.
package photos

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"rentbook/domain"
)

const (
	// BytesMax is how long an upload may be. Phones of 12 megapixels write 2 to 6 MiB.
	BytesMax = 12 << 20

	// pixelsMax and sideMax bound what is decoded at all.
	pixelsMax = 40_000_000
	sideMax   = 20_000

	// decodeBytesMax bounds the memory that decoding one photo takes, as foreseen from its header.
	// It is enough for 40 megapixels of every usual kind: progressive at 4:2:0 takes 7.5 bytes a
	// pixel, PNG of 16 bits 8.
	decodeBytesMax = 320 << 20

	fullSideMax  = 2560
	thumbSideMax = 320

	// quality is that of the JPEGs we write: a hairline crack is still there, at half a megabyte.
	quality = 85
)

// Refusals of an upload. All are about the field "photo".
var (
	ErrTooLarge      = refusal("photo.too-large", "is larger than 12 MiB: send a smaller version of it")
	ErrHEIC          = refusal("photo.heic", "is a HEIC or AVIF photo, which cannot be read here: on an iPhone choose Settings > Camera > Formats > Most Compatible, or share it as JPEG")
	ErrType          = refusal("photo.type", "is not a JPEG, PNG or WebP photo")
	ErrAnimated      = refusal("photo.animated", "is animated: send a single picture")
	ErrTooManyPixels = refusal("photo.too-many-pixels", "must have 1 to 40 million pixels and no side over 20,000: send a smaller version of it")
	ErrTruncated     = refusal("photo.truncated", "is incomplete, as after an interrupted transfer: send it again")
	ErrUnreadable    = refusal("photo.damaged", "is damaged and cannot be read: send the original, or take the photo again")
)

func refusal(code, reason string) *domain.Refusal {
	return &domain.Refusal{Class: domain.Invalid, Code: code, Reason: reason, Field: "photo"}
}

// Image is a photo made anew: two JPEGs without any metadata. Width and Height are those of Full.
type Image struct {
	Full, Thumb   []byte
	Width, Height int
}

// Normalise makes a harmless photo of an upload, or refuses it. A body gives the same result each
// time. It needs up to 320 MiB for the decoded photo and 80 MiB for what is made of it; a usual photo
// of 12 megapixels takes a tenth of that. The caller bounds how many run at once, as a Store does.
func Normalise(body []byte) (Image, error) {
	kind, found, err := inspect(body)
	if err != nil {
		return Image{}, err
	}
	picture, err := kind.pixels(body)
	if err != nil {
		return Image{}, err
	}
	if size := picture.Bounds().Size(); size != found.size {
		return Image{}, ErrUnreadable
	}
	full := found.turned.upright(shrink(picture, fullSideMax))
	return encode(full, shrink(full, thumbSideMax))
}

func encode(full, thumb *image.RGBA) (Image, error) {
	var large, small bytes.Buffer
	if err := jpeg.Encode(&large, full, &jpeg.Options{Quality: quality}); err != nil {
		return Image{}, fmt.Errorf("encode the photo: %w", err)
	}
	if err := jpeg.Encode(&small, thumb, &jpeg.Options{Quality: quality}); err != nil {
		return Image{}, fmt.Errorf("encode the thumbnail: %w", err)
	}
	size := full.Bounds().Size()
	return Image{Full: large.Bytes(), Thumb: small.Bytes(), Width: size.X, Height: size.Y}, nil
}
