package data

import (
	"image"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// Bounds of the aspect ratio of a random resized crop.
const (
	minRatio = 3.0 / 4
	maxRatio = 4.0 / 3
)

// RandomBox draws the box of torchvision's RandomResizedCrop in an image of w x h. Its share of the area is uniform in [scale[0], scale[1]], and
// the logarithm of its aspect ratio is uniform between those of 3/4 and 4/3. After ten tries that do not fit, it is the largest central box of an
// aspect ratio in that range.
func RandomBox(w, h int, scale [2]float64, r *tensor.Rand) image.Rectangle {
	return randomBox(w, h, scale, 1, r)
}

// randomBox is RandomBox for aspect ratios around one, so that what is resized to it is stretched no more than a square would be.
func randomBox(w, h int, scale [2]float64, around float64, r *tensor.Rand) image.Rectangle {
	for range 10 {
		area := r.Uniform(scale[0], scale[1]) * float64(w) * float64(h)
		ratio := around * math.Exp(r.Uniform(math.Log(minRatio), math.Log(maxRatio)))
		bw := int(math.RoundToEven(math.Sqrt(area * ratio)))
		bh := int(math.RoundToEven(math.Sqrt(area / ratio)))
		if bw < 1 || bw > w || bh < 1 || bh > h {
			continue
		}
		top := r.IntN(h - bh + 1)
		left := r.IntN(w - bw + 1)
		return image.Rect(left, top, left+bw, top+bh)
	}
	bw, bh := w, h
	if ratio, lowest, highest := float64(w)/float64(h), around*minRatio, around*maxRatio; ratio < lowest {
		bh = max(int(math.RoundToEven(float64(w)/lowest)), 1)
	} else if ratio > highest {
		bw = max(int(math.RoundToEven(float64(h)*highest)), 1)
	}
	left, top := (w-bw)/2, (h-bh)/2
	return image.Rect(left, top, left+bw, top+bh)
}

// ShorterSide returns the size of an image of w x h resized so that its shorter side has the given size. The other side keeps the
// aspect, rounded down.
func ShorterSide(w, h, size int) (int, int) {
	scaled := func(long, short int) int { return int(min(int64(size)*int64(long)/int64(short), math.MaxInt)) }
	if w <= h {
		return size, scaled(h, w)
	}
	return scaled(w, h), size
}

// Cover returns the size of an image of w x h resized so that it just covers a box. A square box is covered by ShorterSide.
func Cover(w, h, boxW, boxH int) (int, int) {
	scaled := func(side, to, from int) int { return int(min(int64(to)*int64(side)/int64(from), math.MaxInt)) }
	if int64(w)*int64(boxH) <= int64(h)*int64(boxW) {
		return boxW, scaled(h, boxW, w)
	}
	return scaled(w, boxH, h), boxH
}

// centreBox returns the central box of the given size in an image of w x h.
func centreBox(w, h, boxW, boxH int) image.Rectangle {
	left := int(math.RoundToEven(float64(w-boxW) / 2))
	top := int(math.RoundToEven(float64(h-boxH) / 2))
	return image.Rect(left, top, left+boxW, top+boxH)
}

// Crop returns the part box of m as an image of its own. It panics when box is empty or leaves m.
func Crop(m *RGB, box image.Rectangle) *RGB {
	return Resize(m, box, box.Dx(), box.Dy(), Bilinear)
}

// Flip flips m horizontally.
func Flip(m *RGB) *RGB {
	out := NewRGB(m.W, m.H)
	for y := range m.H {
		src, dst := m.row(y, 0, m.W), out.row(y, 0, m.W)
		for x := range m.W {
			copy(dst[3*x:3*x+3], src[3*(m.W-1-x):])
		}
	}
	return out
}

// padCrop pads m with pad mirrored pixels on each side, without repeating the edge pixels, and crops a part of the size of m at (left, top).
func padCrop(m *RGB, pad, left, top int) *RGB {
	out := NewRGB(m.W, m.H)
	for y := range m.H {
		src := m.row(reflect(top+y-pad, m.H), 0, m.W)
		dst := out.row(y, 0, m.W)
		for x := range m.W {
			copy(dst[3*x:3*x+3], src[3*reflect(left+x-pad, m.W):])
		}
	}
	return out
}

// reflect mirrors positions outside [0, n) at the first and last one.
func reflect(i, n int) int {
	if i < 0 {
		return -i
	}
	if i >= n {
		return 2*(n-1) - i
	}
	return i
}
