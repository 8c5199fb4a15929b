package patches

import (
	"image"
	"math"
	"strconv"
)

// Range is between which values the colour map is spread.
type Range struct{ Low, High float64 }

// RangeOf is the range of values, rounded outwards to tenths.
func RangeOf(values []float32) Range {
	if len(values) == 0 {
		return Range{0, 1}
	}
	r := Range{math.Inf(1), math.Inf(-1)}
	for _, v := range values {
		r.Low, r.High = min(r.Low, float64(v)), max(r.High, float64(v))
	}
	return Range{math.Floor(10*r.Low) / 10, math.Ceil(10*r.High) / 10}
}

// UpTo is the range from 0 to the largest value.
func UpTo(values []float32) Range {
	var r Range
	for _, v := range values {
		r.High = max(r.High, float64(v))
	}
	return r
}

// Heat draws values of the patches of a square of the given side, which need not be a multiple of the grid.
func Heat(grid int, values []float32, r Range, side int) *image.RGBA {
	checkCount("Heat", len(values), grid)
	out := image.NewRGBA(image.Rect(0, 0, side, side))
	for i, v := range values {
		fill(out, box(out.Rect, grid, i), Colour(float64(v), r.Low, r.High))
	}
	return out
}

// Values is a panel with the values of patches as a heat map, the numbers with two decimals where there is room, and the range below.
func Values(title string, grid int, values []float32, r Range, side int) Panel {
	out := Heat(grid, values, r, side)
	for i, v := range values {
		b := box(out.Rect, grid, i)
		label(out, b, strconv.FormatFloat(float64(v), 'f', 2, 64), min(b.Dy()/3, 18), ink(Colour(float64(v), r.Low, r.High)))
	}
	return Panel{Title: title, Image: out, Legend: &r}
}
