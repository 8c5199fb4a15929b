package data

import (
	"image"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// Aspect ratios between which RandomBox chooses.
const (
	minRatio = 3.0 / 4
	maxRatio = 4.0 / 3
)

// RandomBox chooses the crop of a "random resized crop" in a picture of w x h: its area is a share of
// the whole, uniform in [scale[0], scale[1]], the logarithm of its aspect uniform between those of 3/4 and
// 4/3. When ten tries do not fit, it is the largest central box of an aspect in that range.
func RandomBox(w, h int, scale [2]float64, r *tensor.Rand) image.Rectangle {
	for range 10 {
		area := r.Uniform(scale[0], scale[1]) * float64(w) * float64(h)
		ratio := math.Exp(r.Uniform(math.Log(minRatio), math.Log(maxRatio)))
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
	if ratio := float64(w) / float64(h); ratio < minRatio {
		bh = int(math.RoundToEven(float64(w) / minRatio))
	} else if ratio > maxRatio {
		bw = int(math.RoundToEven(float64(h) * maxRatio))
	}
	left, top := (w-bw)/2, (h-bh)/2
	return image.Rect(left, top, left+bw, top+bh)
}

// shorterSide returns the size of an image of w x h resized so that its shorter side has the given size. The other side keeps the
// aspect, rounded down.
func shorterSide(w, h, size int) (int, int) {
	scaled := func(long, short int) int { return int(min(int64(size)*int64(long)/int64(short), math.MaxInt)) }
	if w <= h {
		return size, scaled(h, w)
	}
	return scaled(w, h), size
}

// centreBox is the central square of the given size in a picture of w x h.
func centreBox(w, h, size int) image.Rectangle {
	left := int(math.RoundToEven(float64(w-size) / 2))
	top := int(math.RoundToEven(float64(h-size) / 2))
	return image.Rect(left, top, left+size, top+size)
}

// Crop returns the part box of m. It panics when box is empty or leaves m.
func Crop(m *RGB, box image.Rectangle) *RGB {
	return Resize(m, box, box.Dx(), box.Dy(), Bilinear)
}

// resizeCentre returns the central square of side size of p resized to a shorter side of short. It computes no pixel outside it.
func resizeCentre(p Image, short, size int, f Filter) *RGB {
	pw, ph := p.Size()
	w, h := shorterSide(pw, ph, short)
	return resizeWindow(p, boundsOf(p), w, h, f, centreBox(w, h, size))
}

// Flip returns m mirrored left to right.
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

// padCrop cuts the square of the given size at (left, top) from m surrounded by pad mirrored pixels on each
// side; the edge pixels themselves are not repeated.
func padCrop(m *RGB, pad, left, top, size int) *RGB {
	out := NewRGB(size, size)
	for y := range size {
		src := m.row(reflect(top+y-pad, m.H), 0, m.W)
		dst := out.row(y, 0, size)
		for x := range size {
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
