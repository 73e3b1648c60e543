package photos

import (
	"encoding/binary"
	"image"
)

// orientation is how the camera was held, as Exif 2.32 numbers it (1 to 8); everything else means
// upright.
type orientation int

// readOrientation finds the orientation in the first directory of Exif data, and reads nothing else:
// no other directory, no value that is kept elsewhere. Zero if it is not there.
func readOrientation(exif []byte) orientation {
	const headerBytes, entryBytes, tagOrientation, typeShort = 8, 12, 0x0112, 3
	if len(exif) < headerBytes {
		return 0
	}
	var order binary.ByteOrder
	switch string(exif[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	start := int64(order.Uint32(exif[4:]))
	if start < headerBytes || start+2 > int64(len(exif)) {
		return 0
	}
	directory := exif[start:]
	count := int(order.Uint16(directory))
	for entry := directory[2:]; count > 0 && len(entry) >= entryBytes; count, entry = count-1, entry[entryBytes:] {
		if order.Uint16(entry) != tagOrientation {
			continue
		}
		value := order.Uint16(entry[8:])
		if order.Uint16(entry[2:]) != typeShort || order.Uint32(entry[4:]) != 1 || value > 8 {
			return 0
		}
		return orientation(value)
	}
	return 0
}

// upright turns the image the way it was seen: sides first exchanged (5 to 8), then mirrored.
func (o orientation) upright(src *image.RGBA) *image.RGBA {
	if o < 2 || o > 8 {
		return src
	}
	size := src.Bounds().Size()
	right := o == 2 || o == 3 || o == 7 || o == 8 // read the source from right to left
	bottom := o == 3 || o == 4 || o == 6 || o == 7
	across, down := 4, src.Stride // bytes to the next pixel of the source
	at := 0
	if right {
		at, across = at+4*(size.X-1), -4
	}
	if bottom {
		at, down = at+src.Stride*(size.Y-1), -src.Stride
	}
	if o >= 5 {
		across, down = down, across
		size.X, size.Y = size.Y, size.X
	}
	dst := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		row := dst.Pix[y*dst.Stride:]
		from := at + y*down
		for x := range size.X {
			copy(row[4*x:4*x+4], src.Pix[from:from+4])
			from += across
		}
	}
	return dst
}
