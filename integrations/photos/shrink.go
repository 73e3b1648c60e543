package photos

import (
	"image"

	"golang.org/x/image/draw"
)

// shrink makes an image on white whose longer side is at most the one given; it never enlarges.
//
// It halves until less than a half is to go. Halving is exact, each pixel being the mean of four, and
// so is free of the patterns that a single great step leaves on bricks and fabrics. The better
// scalers of package draw would take 32 bytes for each column of the result and row of the source.
func shrink(src image.Image, longest int) *image.RGBA {
	size := src.Bounds().Size()
	goal := fit(size, longest)
	half := image.Pt((size.X+1)/2, (size.Y+1)/2)
	if half.X < goal.X || half.Y < goal.Y {
		return onWhite(src, goal)
	}
	step := onWhite(src, half)
	if half == goal {
		return step
	}
	return shrink(step, longest)
}

// fit is the largest size of the same shape whose sides are not longer, and at least one pixel.
func fit(size image.Point, longest int) image.Point {
	longer := max(size.X, size.Y)
	if longer <= longest {
		return size
	}
	scaled := func(side int) int { return max(1, (side*longest+longer/2)/longer) }
	return image.Pt(scaled(size.X), scaled(size.Y))
}

// onWhite scales. JPEG has no transparency, and black instead would hide dark text.
func onWhite(src image.Image, size image.Point) *image.RGBA {
	dst := image.NewRGBA(image.Rectangle{Max: size})
	for i := range dst.Pix {
		dst.Pix[i] = 0xff
	}
	if src.Bounds().Size() == size {
		draw.Draw(dst, dst.Bounds(), src, src.Bounds().Min, draw.Over)
		return dst
	}
	draw.ApproxBiLinear.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Over, nil)
	return dst
}
