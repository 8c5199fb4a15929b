package masks

import (
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
)

// scaled returns the limits of the longer and the shorter side at a scale, whatever their order.
func scaled(a, b int, scale float64) image.Point {
	a, b = int(float64(a)*scale), int(float64(b)*scale)
	return image.Pt(max(a, b), min(a, b))
}

// Fit returns the size of an image of w x h resized with its aspect kept, so that its longer side fits limits.X and its shorter side limits.Y. Sides are
// rounded to the nearest pixel, and are at least 1.
func Fit(w, h int, limits image.Point) (int, int) {
	factor := min(float64(limits.X)/float64(max(w, h)), float64(limits.Y)/float64(min(w, h)))
	side := func(n int) int { return max(int(float64(n)*factor+0.5), 1) }
	return side(w), side(h)
}

// weightBits are the fractional bits of the weights of a bilinear resize, as OpenCV has them for 8-bit images.
const weightBits = 11

// taps are the two neighbours of each output position, and the weight of the second one.
type taps struct {
	first, second []int
	weight        []int32 // of second, with weightBits fractional bits
}

// tapsOf are those of outputs from to to, of n outputs for in inputs: pixel centres at half positions, the outermost ones repeated.
func tapsOf(in, n, from, to int) taps {
	var t taps
	for i := from; i < to; i++ {
		at := (float64(i)+0.5)*float64(in)/float64(n) - 0.5
		first := math.Floor(at)
		weight := at - first
		if first < 0 {
			first, weight = 0, 0
		}
		if first >= float64(in-1) {
			first, weight = float64(in-1), 0
		}
		t.first = append(t.first, int(first))
		t.second = append(t.second, min(int(first)+1, in-1))
		t.weight = append(t.weight, int32(math.RoundToEven(weight*(1<<weightBits))))
	}
	return t
}

// Resize resizes m to w x h and returns the part box of the result. It is bilinear without antialiasing, as OpenCV's resize of 8-bit images: neighbouring
// pixels with weights of 11 bits. It panics when box is empty or leaves the result.
func Resize(m *data.RGB, w, h int, box image.Rectangle) *data.RGB {
	if box.Empty() || !box.In(image.Rect(0, 0, w, h)) {
		panic(fmt.Sprintf("masks: Resize: box %v of a result of [%d %d]", box, h, w))
	}
	out := data.NewRGB(box.Dx(), box.Dy())
	columns, rows := tapsOf(m.W, w, box.Min.X, box.Max.X), tapsOf(m.H, h, box.Min.Y, box.Max.Y)
	const one, shift = 1 << weightBits, 2 * weightBits
	for y := range out.H {
		upper, lower := m.Pix[3*rows.first[y]*m.W:], m.Pix[3*rows.second[y]*m.W:]
		wy := rows.weight[y]
		dst := out.Pix[3*y*out.W:]
		for x := range out.W {
			a, b, wx := 3*columns.first[x], 3*columns.second[x], columns.weight[x]
			for c := range 3 {
				top := int32(upper[a+c])*(one-wx) + int32(upper[b+c])*wx
				bottom := int32(lower[a+c])*(one-wx) + int32(lower[b+c])*wx
				dst[3*x+c] = uint8((top*(one-wy) + bottom*wy + 1<<(shift-1)) >> shift)
			}
		}
	}
	return out
}

// ResizeRaster is Resize for images of any channels, in float64, normalised by b. It writes the part box of the result to dst as (channels, height, width),
// flipped horizontally if flip is set. It panics when box is empty or leaves the result, or when dst or b have other channels than m.
func ResizeRaster(dst []float32, m *data.Raster, w, h int, box image.Rectangle, b *data.Bands, flip bool) {
	if box.Empty() || !box.In(image.Rect(0, 0, w, h)) {
		panic(fmt.Sprintf("masks: ResizeRaster: box %v of a result of [%d %d]", box, h, w))
	}
	if len(b.Mean) != m.Channels || len(dst) != m.Channels*box.Dx()*box.Dy() {
		panic(fmt.Sprintf("masks: ResizeRaster: %d values and %d means for an image of [%d %d %d]", len(dst), len(b.Mean), m.Channels, box.Dy(), box.Dx()))
	}
	columns, rows := tapsOf(m.W, w, box.Min.X, box.Max.X), tapsOf(m.H, h, box.Min.Y, box.Max.Y)
	scale := 1 / float64(uint32(1)<<m.Bits-1)
	const one = 1 << weightBits
	for c := range m.Channels {
		at := func(x, y int) float64 { return float64(m.Pix[(y*m.W+x)*m.Channels+c]) * scale }
		for y := range box.Dy() {
			upper, lower, wy := rows.first[y], rows.second[y], float64(rows.weight[y])/one
			out := dst[(c*box.Dy()+y)*box.Dx():][:box.Dx()]
			for x := range out {
				left, right, wx := columns.first[x], columns.second[x], float64(columns.weight[x])/one
				mix := func(a, b, part float64) float64 { return float64(a*(1-part)) + float64(b*part) } // rounded alike on every machine
				v := mix(mix(at(left, upper), at(right, upper), wx), mix(at(left, lower), at(right, lower), wx), wy)
				out[x] = (float32(v) - b.Mean[c]) / b.Std[c]
			}
			if flip {
				slices.Reverse(out)
			}
		}
	}
}

// ResizeMask resizes a mask to w x h: output position i of n takes input position ⌊i·in/n⌋. It panics when w or h is below 1.
func ResizeMask(m *data.Mask, w, h int) *data.Mask {
	if w < 1 || h < 1 {
		panic(fmt.Sprintf("masks: ResizeMask: to [%d %d]", h, w))
	}
	out := &data.Mask{W: w, H: h, Class: make([]uint8, w*h)}
	columns := make([]int, w)
	for x := range columns {
		columns[x] = nearest(x, m.W, w)
	}
	for y := range h {
		src := m.Class[nearest(y, m.H, h)*m.W:]
		dst := out.Class[y*w : (y+1)*w]
		for x, from := range columns {
			dst[x] = src[from]
		}
	}
	return out
}

func nearest(i, in, n int) int { return int(int64(i) * int64(in) / int64(n)) }
